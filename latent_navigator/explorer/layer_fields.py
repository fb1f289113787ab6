"""The fields that layers of the map show, each computed on a plane through the latent space.

A field is (side * side,) or (side, side), row by row from the top left; the page gets it flat.
"""

import math
from typing import Any

import torch
from torch import Tensor

from latent_navigator.explorer.latent_space import LatentSpace, use_one_thread
from latent_navigator.explorer.posteriors import width_field
from latent_navigator.geometry.latent_graph import sensitivity
from latent_navigator.geometry.neighbour_graph import sensitivity_at
from latent_navigator.geometry.plane import Plane
from latent_utils import RADIUS

REGION_CELLS = 120  # a side of the map
CLEAR = 2 / 3  # of the nearest neighbours: with fewer, a class does not prevail
RATIO_CELLS = 128
WIDTH_CELLS = 128
ARROWS = 24  # round trips a side
FACTOR = 16  # prior and data are drawn in full colour where they differ by this factor
SENSITIVITY_CELLS = 64  # a side, above two dimensions, where each takes a decoding a dimension


def cell_middles(side: int) -> Tensor:
    """(side,) the middles of as many cells between -1 and 1."""
    return (torch.arange(side) + 0.5) / side * 2 - 1


def map_cells(space: LatentSpace, plane: Plane, side: int) -> Tensor:
    """(side * side, D) the middles of the map's cells, row by row from the top left."""
    middle = cell_middles(side) * space.range  # (side,)
    y, x = torch.meshgrid(-middle, middle, indexing="ij")
    return plane.from_plane(torch.stack([x, y], dim=-1).reshape(-1, 2))


def regions(space: LatentSpace, plane: Plane, side: int = REGION_CELLS) -> dict[str, Any]:
    """Which class prevails in each cell of the map, and which two where none does.

    The shares are those of the nearest neighbours; a cell without an encoded image within the
    radius of its middle is unknown, because neighbours far away say nothing about it.

    Returns:
        {"first", "second": (side, side) uint8 from the top left, the labels of the two greatest
        shares, and twice the first where it has at least CLEAR, or 0 where nothing is known;
        "known": (side, side) uint8, 0 or 1; "side"}.
    """
    cells = map_cells(space, plane, side)
    known = space.is_known(cells)  # (side * side,)
    parts = [space.around(some).shares for some in cells[known].split(1000)]
    share, leading = torch.cat(parts).topk(2)  # (K, 2) of the known cells
    first, second = torch.zeros(2, len(cells), dtype=torch.uint8)
    first[known] = leading[:, 0].byte()
    second[known] = leading.gather(1, (share[:, :1] < CLEAR).long()).squeeze(1).byte()
    return {
        "first": first.numpy(),
        "second": second.numpy(),
        "known": known.byte().numpy(),
        "side": side,
    }


def sensitivity_field(space: LatentSpace, plane: Plane) -> dict[str, Any]:
    """The decoder's sensitivity |J| over the map.

    Returns:
        {"strength": (side, side) uint8 from the top left, where 255 stands for "most"
        and more, "side", "most"}.
    """
    if space.latent_dim == 2:
        norms = sensitivity(space.graph).flip(0)  # (128, 128); the graph's first row is the bottom
    else:
        use_one_thread()
        cells = map_cells(space, plane, SENSITIVITY_CELLS)
        norms = sensitivity_at(space.decode, cells, space.used)
        norms = norms.view(SENSITIVITY_CELLS, SENSITIVITY_CELLS)
    most = float(norms.quantile(0.99))
    strength = (norms / most).clamp(max=1).mul(255).round().byte()
    return {"strength": strength.numpy(), "side": len(strength), "most": most}


def aggregate_posterior(means: Tensor, logvars: Tensor, axis: Tensor) -> Tensor:
    """q(z), the mean of q(z|x) over the test images, on a grid.

    Args:
        means, logvars: (N, 2). axis: (side,) coordinates of both axes.

    Returns:
        (side, side) densities; rows are y and columns x, both in the order of axis.
    """
    sigma = (logvars / 2).exp()  # (N, 2)
    # Each posterior is a product over the axes: the mixture is one product of matrices.
    x, y = (
        torch.exp(-((axis - means[:, i, None]) / sigma[:, i, None]).square() / 2)
        / (sigma[:, i, None] * math.sqrt(2 * math.pi))
        for i in (0, 1)
    )  # (N, side) each
    return y.T @ x / len(means)


def prior_vs_data(space: LatentSpace, _: Plane) -> dict[str, Any]:
    """Where the prior expects images and few were encoded, and the reverse; in two dimensions.

    Returns:
        {"strength": (side, side) uint8 from the top left: 128 where p = q, 255 where the
        prior N(0, I) is FACTOR times the aggregate posterior or more, 1 where it is a FACTORth or
        less, 0 where both expect less than one of the test images within RADIUS; "side", "factor"}.
    """
    middle = cell_middles(RATIO_CELLS) * space.range  # (side,)
    density = aggregate_posterior(space.means, space.checkpoint.logvars, middle)
    prior = torch.exp(-(middle[:, None].square() + middle.square()) / 2) / (2 * math.pi)
    expected = torch.maximum(density, prior) * math.pi * RADIUS**2 * len(space.means)
    ratio = (prior / density.clamp_min(1e-30)).log() / math.log(FACTOR)
    strength = (128 + 127 * ratio.clamp(-1, 1)).round().byte() * (expected >= 1)
    return {
        "strength": strength.flip(0).contiguous().numpy(),
        "side": RATIO_CELLS,
        "factor": FACTOR,
    }


def posterior_width(space: LatentSpace, _: Plane) -> dict[str, Any]:
    """How wide the clouds q(z|x) of the test images are over the map; in two dimensions.

    Returns:
        {"strength": (side, side) uint8 from the top left, where 1 stands for "least" and less, 255
        for "most" and more, linear in the logarithm between, and 0 where no test image is encoded
        within RADIUS; "side", "least", "most", in units of the prior's sigma}.
    """
    field = width_field(space, cell_middles(WIDTH_CELLS) * space.range)
    known = ~field.isnan()
    least, most = field[known].quantile(torch.tensor([0.01, 0.99])).tolist()
    steps = (field / least).log() / max(math.log(most / least), 1e-6)
    strength = (1 + 254 * steps.nan_to_num().clamp(0, 1)).round() * known
    return {
        "strength": strength.byte().flip(0).contiguous().numpy(),
        "side": WIDTH_CELLS,
        "least": least,
        "most": most,
    }


def round_trips(space: LatentSpace, plane: Plane) -> dict[str, Any]:
    """Where the encoder puts the image that the decoder draws at each position of a grid.

    Returns:
        {"from", "to": (ARROWS ** 2, 2) float32, coordinates of the plane}; above two dimensions
        also "distance": (ARROWS ** 2,) float32, of the latter from the plane.
    """
    middle = cell_middles(ARROWS) * space.range
    x, y = torch.meshgrid(middle, middle, indexing="xy")
    start = torch.stack([x.flatten(), y.flatten()], dim=1)  # (ARROWS ** 2, 2)
    end, _ = space.encode(space.decode_images(plane.from_plane(start)))
    found = {"from": start.numpy(), "to": plane.to_plane(end).numpy()}
    return found if space.latent_dim == 2 else found | {"distance": plane.distance(end).numpy()}
