"""What a checkpoint records of the images that its model was trained on."""

from dataclasses import dataclass

from torch import Tensor

from latent_navigator.data.fingerprint import Fingerprint, fingerprint
from latent_navigator.data.preparation import Preparation, learn_preparation


@dataclass(frozen=True)
class TrainData:
    """Which images they were, and how their items stand in them."""

    fingerprint: Fingerprint
    preparation: Preparation


def describe_train_data(images: Tensor, labels: Tensor, classes: int) -> TrainData:
    """The record of images (N, 28, 28) uint8 with labels (N,) int64 in 0 ... classes - 1."""
    return TrainData(fingerprint(images, labels, classes), learn_preparation(images.cpu().numpy()))
