"""Layers of the map that show what the model knows, and where prior and data disagree."""

import math
from typing import Any

import torch
from torch import Tensor

from latent_navigator.explorer.interpolation import Paths
from latent_navigator.explorer.latent_space import Navigator, base64_of
from latent_navigator.geometry.latent_graph import sensitivity
from latent_utils import RADIUS

SIDE = 128  # cells a side of a layer
ARROWS = 24  # round trips a side
FACTOR = 16  # where the prior expects so many times too much or too little, a gap is full


def sensitivity_layer(paths: Paths) -> dict[str, Any]:
    """The decoder's sensitivity |J| over the map; see `widgets.LatentMap`.

    The bytes run from the top left; 255 stands for `most` and more.
    """
    norms = sensitivity(paths.graph())  # (128, 128), the first row is the bottom
    most = float(norms.quantile(0.99))
    strength = (norms / most).clamp(max=1).mul(255).round().byte().flip(0)
    return {"strength": base64_of(strength.numpy()), "side": len(strength), "most": most}


def aggregate_posterior(means: Tensor, logvars: Tensor, axis: Tensor) -> Tensor:
    """q(z) = mean over the digits of q(z|x), on a grid.

    Args:
        means, logvars: (N, 2). axis: (side,) coordinates of both axes.

    Returns:
        (side, side) densities; row and column are those of y and x, both in the order of axis.
    """
    sigma = (logvars / 2).exp()  # (N, 2)
    # Each posterior is a product over the axes: the mixture is one product of matrices.
    x, y = (
        torch.exp(-((axis - means[:, i, None]) / sigma[:, i, None]).square() / 2)
        / (sigma[:, i, None] * math.sqrt(2 * math.pi))
        for i in (0, 1)
    )  # (N, side) each
    return y.T @ x / len(means)


def gaps_layer(navigator: Navigator) -> dict[str, Any]:
    """Where the prior expects digits and few are, and the other way round.

    The bytes run from the top left: 128 for p = q, 255 where the prior N(0, I) is FACTOR times the
    aggregate posterior or more, 1 where it is a FACTORth or less. 0: both expect less than one of
    all the test digits within RADIUS, so that neither says anything.
    """
    middle = ((torch.arange(SIDE) + 0.5) / SIDE * 2 - 1) * navigator.range  # (SIDE,)
    density = aggregate_posterior(navigator.means, navigator.checkpoint.logvars, middle)
    prior = torch.exp(-(middle[:, None].square() + middle.square()) / 2) / (2 * math.pi)
    expected = torch.maximum(density, prior) * math.pi * RADIUS**2 * len(navigator.means)
    ratio = (prior / density.clamp_min(1e-30)).log() / math.log(FACTOR)
    strength = (128 + 127 * ratio.clamp(-1, 1)).round().byte() * (expected >= 1)
    return {
        "strength": base64_of(strength.flip(0).contiguous().numpy()),
        "side": SIDE,
        "factor": FACTOR,
    }


def round_trips(navigator: Navigator) -> dict[str, Any]:
    """Where places lead when they are decoded and the picture is encoded again.

    Returns:
        {"from": [[x, y], ...], "to": [[x, y], ...]}, over a grid of the map.
    """
    middle = ((torch.arange(ARROWS) + 0.5) / ARROWS * 2 - 1) * navigator.range
    x, y = torch.meshgrid(middle, middle, indexing="xy")
    start = torch.stack([x.flatten(), y.flatten()], dim=1)  # (ARROWS ** 2, 2)
    end, _ = navigator.encode(navigator.pictures(start))
    return {"from": start.tolist(), "to": end.tolist()}
