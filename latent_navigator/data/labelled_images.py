"""The images of a data set with their labels, whatever they were read from."""

from typing import NamedTuple

import torch
from torch import Tensor


class LabelledImages(NamedTuple):
    """A training set of N images and a test set of M images, in C classes."""

    train_images: Tensor  # (N, 28, 28) uint8
    train_labels: Tensor  # (N,) int64, 0 ... C - 1
    test_images: Tensor  # (M, 28, 28) uint8
    test_labels: Tensor  # (M,) int64, 0 ... C - 1
    class_names: tuple[str, ...] = tuple("0123456789")  # C of them
    found: str = ""  # what a folder holds, what is not used and what was assumed; in sentences

    def limited(self, limit: int) -> "LabelledImages":
        """With `limit` of the training images, evenly spaced in their order; 0 for all of them.

        Raises:
            ValueError: if there are fewer.
        """
        count = len(self.train_images)
        if limit > count:
            raise ValueError(f"limit is {limit}; the data set has {count} training images")
        if not limit:
            return self
        kept = torch.arange(limit) * count // limit  # of a folder, which has them class by class
        return self._replace(
            train_images=self.train_images[kept], train_labels=self.train_labels[kept]
        )
