"""How blurred a decoded image is, and how much its own reconstruction changes it."""

import math

import torch
from torch import Tensor

from latent_navigator.explorer.latent_space import LatentSpace

SAMPLE = 2000  # decoded test images at most that others are compared with
BATCH = 500  # images that are decoded at once


@torch.inference_mode()
def looks(space: LatentSpace, z: Tensor) -> Tensor:
    """What sets an image unlike any class apart from a decoded test image.

    Args:
        z: (N, D).

    Returns:
        (2, N): the blur, which is the mean of 1 - ink over the ink of the image; and the relative
        change |x - x'| / |x| of the image x by its own reconstruction x'.
    """
    found = []
    for some in z.float().split(BATCH):
        x = space.ink(some)  # (B, 784)
        mu, _ = space.model.encode(space.model.decode(some))
        blur = (x * (1 - x)).sum(1) / x.sum(1).clamp_min(1e-6)
        change = (x - space.ink(mu)).norm(dim=1) / x.norm(dim=1).clamp_min(1e-6)
        found.append(torch.stack([blur, change]))
    return torch.cat(found, dim=1)


def _usual_looks(space: LatentSpace) -> Tensor:
    """(2, M) `looks` of a sample of the decoded test images, each sorted; about a second."""
    step = math.ceil(len(space.means) / SAMPLE)
    return looks(space, space.means[::step]).sort(1).values


def look_ranks(space: LatentSpace, z: Tensor) -> Tensor:
    """z (N, D) -> (2, N) int: percent of the decoded test images below each of `looks`, rounded."""
    usual = space.once(_usual_looks)
    below = torch.searchsorted(usual, looks(space, z).contiguous())  # (2, N)
    return (100 * below / usual.shape[1]).round().int()
