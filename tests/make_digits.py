"""Select the real digits that ship with the tests: tests/digits.npz.

    python -m tests.make_digits --data-dir data

The first 50 of each class from MNIST's training set and the first 20 from its test set.
"""

import argparse
from pathlib import Path

import numpy as np
from torch import Tensor

from latent_navigator.data.datasets import load_dataset


def first_of_each(images: Tensor, labels: Tensor, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The first `count` images of each class, with their labels, in the order of the data set."""
    indices = np.concatenate([np.flatnonzero(labels.numpy() == d)[:count] for d in range(10)])
    indices.sort()
    return images.numpy()[indices], labels.numpy()[indices].astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", default="data")
    options = parser.parse_args()
    folder = Path(__file__).parent
    digits = load_dataset("mnist", options.data_dir)
    train_images, train_labels = first_of_each(digits.train_images, digits.train_labels, 50)
    test_images, test_labels = first_of_each(digits.test_images, digits.test_labels, 20)
    np.savez_compressed(
        folder / "digits.npz",
        train_images=train_images,
        train_labels=train_labels,
        test_images=test_images,
        test_labels=test_labels,
    )


if __name__ == "__main__":
    main()
