"""What the steps of the guided tour show of a model: an example, and positions found in its map."""

from typing import NamedTuple

import torch
from torch import Tensor

from latent_navigator.explorer.flat_lesson_checks import INSIDE
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.navigation import start_class
from latent_navigator.explorer.readout import WELL_SUPPORTED

LOOKED_AT = 2000  # encodings among which a position with mixed classes is looked for, at most
GRID = 51  # positions a side among which the emptiest is looked for
DRAWS = 2000  # of the prior, to measure how many land near data
MARGIN = 0.7  # units of the prior's sigma around what a step zooms to
CLOSE = 12  # posterior sigma from the middle of the map to its edge, where a step zooms to a cloud


View = tuple[float, float, float]  # centre x, y and half the side of a part of the map


class Cloud(NamedTuple):
    """The posterior of a test image."""

    number: int
    mu: Tensor  # (2,)
    sigma: Tensor  # (2,)

    def view(self) -> View:
        """The part of the map in which the cloud is large."""
        return float(self.mu[0]), float(self.mu[1]), CLOSE * float(self.sigma.max())


def view_of(*positions: Tensor) -> View:
    """The part of the map with some positions (2,) and MARGIN around them."""
    found = torch.stack(positions)
    low, high = found.min(0).values, found.max(0).values
    x, y = ((low + high) / 2).tolist()
    return x, y, float((high - low).max()) / 2 + MARGIN


def example(space: LatentSpace) -> Cloud:
    """The test image of the class of the page's start that was encoded nearest to its prototype."""
    label = start_class(space)
    distances = (space.means - space.anchor(label)).norm(dim=1)
    number = int(distances.masked_fill(space.labels != label, torch.inf).argmin())
    return Cloud(number, space.means[number], (space.checkpoint.logvars[number] / 2).exp())


def emptiest(space: LatentSpace) -> Tensor:
    """(2,) the position within INSIDE sigma of the centre that is furthest from all encodings."""
    axis = torch.linspace(-INSIDE, INSIDE, GRID)
    grid = torch.cartesian_prod(axis, axis)
    inside = grid[grid.norm(dim=1) <= INSIDE]
    return inside[space.around(inside).nearest.argmax()]


def most_mixed(space: LatentSpace) -> Tensor:
    """(2,) the well supported encoding whose neighbours are of the most classes (entropy)."""
    some = space.means[:: -(-len(space.means) // LOOKED_AT)]
    around = space.around(some)
    entropy = torch.special.entr(around.shares).sum(1)  # (N,) nats
    return some[entropy.masked_fill(around.within < WELL_SUPPORTED, -1).argmax()]


def least_typical_mean(space: LatentSpace) -> int:
    """The class with the smallest share of the neighbours of its own centroid."""
    return int(space.around(space.anchors["centroid"]).shares.diagonal().argmin())


def share_near_data(space: LatentSpace) -> float:
    """The share of draws from the prior with a test image encoded within its radius."""
    draws = torch.randn(DRAWS, 2, generator=torch.Generator().manual_seed(0))
    return float((space.around(draws).within > 0).float().mean())
