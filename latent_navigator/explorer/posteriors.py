"""The encoder's clouds q(z|x) of the test images, in two dimensions: their width and overlap."""

import torch
from torch import Tensor

from latent_navigator.explorer.latent_space import LatentSpace
from latent_utils import RADIUS

BATCH = 100
CLOUDS = 1000  # of the test images: as many are drawn, and measured against all encodings
REACH = 2.0  # sigmas at which a cloud ends; its ellipse holds 86 % of it


def posterior_widths(space: LatentSpace) -> Tensor:
    """(N,) sqrt(sigma_x sigma_y) of the test images, in units of the prior's sigma."""
    return (space.checkpoint.logvars.sum(dim=1) / 4).exp()


def width_field(space: LatentSpace, axis: Tensor) -> Tensor:
    """The width of the clouds around each position of a grid.

    The kernel regression of Nadaraya (1964) and Watson (1964), with a Gaussian of sigma RADIUS.

    Args:
        axis: (side,) coordinates of both axes.

    Returns:
        (side, side) in units of the prior's sigma; rows are y and columns x, both in the order of
        axis. NaN where no test image is encoded within RADIUS.
    """
    # The kernel is a product over the axes: each sum over the images is one product of matrices.
    x, y = (
        torch.exp(-((axis - space.means[:, i, None]) / RADIUS).square() / 2) for i in (0, 1)
    )  # (N, side) each
    widths = posterior_widths(space)[:, None]
    field = y.T @ (x * widths) / (y.T @ x)  # (side, side)
    rows, columns = torch.meshgrid(axis, axis, indexing="ij")
    distances, _ = space.tree.query(torch.stack([columns, rows], dim=-1).numpy())
    field[torch.from_numpy(distances > RADIUS)] = torch.nan
    return field


def cloud_sample(count: int, wanted: int = CLOUDS) -> Tensor:
    """(min(count, wanted),) indices of test images, evenly spaced among `count`."""
    kept = min(count, wanted)
    return torch.arange(kept) * count // kept


def clouds(space: LatentSpace, indices: Tensor) -> Tensor:
    """(K, 4) mu_x, mu_y, sigma_x, sigma_y of the test images `indices` (K,)."""
    sigma = (space.checkpoint.logvars[indices] / 2).exp()
    return torch.cat([space.means[indices], sigma], dim=1)


def covered(space: LatentSpace, indices: Tensor) -> Tensor:
    """(K,) how many other test images have their means within REACH sigmas of each cloud.

    Args:
        indices: (K,) of the test images whose clouds are measured.
    """
    counts = []
    for mu, sigma in (some.split(2, dim=1) for some in clouds(space, indices).split(BATCH)):
        scaled = (space.means - mu[:, None]) / sigma[:, None]  # (batch, N, 2)
        within = scaled.square().sum(dim=2) <= REACH**2
        counts.append(within.sum(dim=1) - 1)  # all but itself
    return torch.cat(counts)
