"""Which test images of each class the model reconstructs best, worst and in between."""

from typing import Any

import torch
from torch import Tensor

from latent_navigator.explorer.inference import errors_by_image
from latent_navigator.explorer.latent_space import LatentSpace

KINDS = ("best", "worst")


def ranked(space: LatentSpace, share: float) -> Tensor:
    """One test image of each class, by the rank of its reconstruction error in the class.

    Args:
        share: 0 for the smallest error, 1 for the largest, 0.5 for the median.

    Returns:
        (C,) int64 indices of test images, in the order of the classes; one without test images is
        left out.

    Raises:
        ValueError: if share is not in [0, 1].
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share!r}; give a number in [0, 1]")
    errors = space.once(errors_by_image)
    chosen = []
    for label in range(len(space.class_names)):
        members = (space.labels == label).nonzero().flatten()
        if len(members):
            order = errors[members].argsort(stable=True)
            chosen.append(int(members[order[round(share * (len(members) - 1))]]))
    return torch.tensor(chosen)


def best_and_worst(space: LatentSpace) -> dict[str, Any]:
    """The test image of each class that the model reconstructs best, and the one it does worst.

    Returns:
        for the best and the worst, C images each: "<kind>_indices", a list of test images;
        "<kind>_nats", a list of their errors; "<kind>_originals" and "<kind>_images",
        (C, 28, 28) uint8, the test images and what is decoded at their means.
    """
    found: dict[str, Any] = {}
    for kind, share in zip(KINDS, (0.0, 1.0), strict=True):
        indices = ranked(space, share)
        found |= {
            f"{kind}_indices": indices.tolist(),
            f"{kind}_nats": space.once(errors_by_image)[indices].tolist(),
            f"{kind}_originals": space.images[indices].numpy(),
            f"{kind}_images": space.decode_images(space.means[indices]),
        }
    return found
