"""Which classes touch each other in the latent space."""

import torch
from torch import Tensor

from latent_navigator.explorer.latent_space import LatentSpace

SAMPLE = 2000  # encodings among which classes are counted, at most


def class_mixing(space: LatentSpace) -> Tensor:
    """(C, C) how much two classes mix, 0 on the diagonal.

    The share of one class among the nearest neighbours of the other's encodings, averaged over both
    orders.
    """
    return space.once(_measure)


def _measure(space: LatentSpace) -> Tensor:
    classes = len(space.class_names)
    sampled = slice(None, None, -(-len(space.means) // SAMPLE))
    around = space.around(space.means[sampled])
    mixed = torch.zeros(classes, classes)  # row: own class, column: share of the neighbours
    mixed.index_add_(0, space.labels[sampled], around.shares)
    mixed /= mixed.sum(1, keepdim=True).clamp_min(1e-9)
    return ((mixed + mixed.T) / 2).fill_diagonal_(0)
