"""The classes that lessons, experiments and the page's controls begin with."""

from typing import NamedTuple

import torch

from latent_navigator.explorer.latent_space import Navigator
from latent_utils import neighbourhood


class Chosen(NamedTuple):
    """Classes by index; those of MNIST are chosen by hand, others from the data."""

    border: tuple[int, int]  # two that share a border
    morph: tuple[int, int]
    ends: tuple[int, int]  # of the first way
    target: int  # of the first morph
    sparing: int  # the one to be drawn with little ink


def chosen(navigator: Navigator) -> Chosen:
    """What to begin with: for another data set, the two classes most mixed among neighbours."""
    if navigator.is_mnist:
        return Chosen((4, 9), (3, 8), (5, 7), 8, 7)
    classes = len(navigator.names)
    some = slice(None, None, -(-len(navigator.means) // 2000))
    around = neighbourhood(navigator.means[some], navigator.means, navigator.labels)
    mixed = torch.zeros(classes, classes)
    mixed.index_add_(0, navigator.labels[some], around.shares)
    mixed /= mixed.sum(1, keepdim=True).clamp_min(1e-9)
    both = (mixed + mixed.T).triu(1)
    border = divmod(int(both.argmax()), classes)
    places = navigator.anchors["typical"]
    far = divmod(int(torch.cdist(places, places).triu(1).argmax()), classes)
    return Chosen(border, border, far, far[1], far[1])
