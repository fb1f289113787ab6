"""Snapshots of the latent space: before training, and after each epoch or every few of them.

Each keeps the encodings of a fixed sample of test images, and decoded images: in two dimensions of
a grid that reaches as far as nearly all of them. A plane through more dimensions is known only when
training has ended, so there the images are reconstructions of some of the sample, which are at home
on every plane.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from latent_utils import encode_dataset
from neural_network import VAE

SAMPLE_SIZE = 1000  # test images, evenly spaced in their order
SIDE = 9  # images per side of the grid
GRID_DIMENSIONS = 2  # of a latent space that a grid covers
MAX_SNAPSHOTS = 258  # 16 MB of grids before they are packed; a replay plays at most so many
# A grid covers -reach ... reach on both axes, in units of the prior's sigma: at least its 3-sigma
# ring, which was all that a grid of format 2 covered.
LEAST_REACH = 3.0
MOST_REACH = 64.0  # of the map itself: with beta 0, nothing keeps the encodings from going farther
COVERED = 0.99  # share of the sampled encodings


class Snapshots(NamedTuple):
    """E snapshots of the latent space, with S sampled test images; see `kept_epochs`."""

    sample: Tensor  # (S,) int64 indices into the test set
    means: Tensor  # (E, S, latent_dim) float16
    grids: Tensor  # (E, SIDE, SIDE, 28, 28) uint8; the first row is the top, y = its reach
    reaches: Tensor  # (E,) float32, LEAST_REACH ... MOST_REACH
    # (SIDE * SIDE,) int64 rows of the sample, whose reconstructions the "grids" are, one after the
    # other; empty where they are grids: in two dimensions, and in older files of more.
    reconstructed: Tensor


def kept_epochs(epochs: int) -> list[int]:
    """The epochs whose snapshots a run of so many epochs keeps, 0 for before training.

    All of them, or every second, fourth, eighth ... and the last: at most MAX_SNAPSHOTS. They
    depend on the number of epochs alone, so that a resumed run keeps those of an undisturbed one;
    and those after the next epoch are among those of now, but for the new one.
    """
    step = 1
    while epochs // step + 2 > MAX_SNAPSHOTS:
        step *= 2
    return sorted({*range(0, epochs + 1, step), epochs})


def snapshot_epochs(count: int, epochs: int) -> list[int]:
    """The epochs of `count` snapshots of a run of so many epochs, in order.

    Version 0.1 kept all of them, whatever their number.
    """
    return list(range(epochs + 1)) if count == epochs + 1 else kept_epochs(epochs)


def no_snapshots(count: int, latent_dim: int) -> Snapshots:
    """Zero snapshots, for a test set of `count` images."""
    sample = torch.arange(count)[:: max(1, count // SAMPLE_SIZE)][:SAMPLE_SIZE]
    return Snapshots(
        sample,
        torch.zeros(0, len(sample), latent_dim, dtype=torch.float16),
        torch.zeros(0, SIDE, SIDE, 28, 28, dtype=torch.uint8),
        torch.zeros(0),
        rows_to_reconstruct(len(sample), latent_dim),
    )


def rows_to_reconstruct(sampled: int, latent_dim: int) -> Tensor:
    """The rows of so many sampled images that are reconstructed: none in two dimensions.

    Returns:
        (SIDE * SIDE,) int64, evenly spaced, so that fewer images are repeated; or (0,).
    """
    count = SIDE * SIDE if latent_dim > GRID_DIMENSIONS else 0
    return torch.arange(count) * sampled // (SIDE * SIDE)


def grid_reach(sampled: Tensor) -> Tensor:
    """How far a grid reaches: the least that covers COVERED of the encodings in both coordinates.

    Args:
        sampled: (S, latent_dim), of which the first and the last coordinate span the grid.

    Returns:
        A float32 scalar, LEAST_REACH ... MOST_REACH.
    """
    farthest = sampled[:, [0, -1]].float().abs().amax(1)
    covering = farthest.kthvalue(math.ceil(COVERED * len(farthest))).values
    return covering.clamp(LEAST_REACH, MOST_REACH)


class Snapshot(NamedTuple):
    """The latent space at one moment."""

    means: Tensor  # (S, latent_dim) float16
    grid: Tensor  # (SIDE, SIDE, 28, 28) uint8
    reach: Tensor  # float32 scalar


@torch.inference_mode()
def take_snapshot(model: VAE, means: Tensor, reconstructed: Tensor) -> Snapshot:
    """The latent space as it is now.

    Args:
        means: (S, latent_dim), the encodings of the sample by this model.
        reconstructed: of the `Snapshots`.
    """
    # float16 ends at 65504; an outlier beyond is off every map, with or without the clamp.
    sampled = means.to(torch.float16).clamp(-60000, 60000)  # (S, latent_dim)
    reach = grid_reach(sampled)
    z = means[reconstructed] if len(reconstructed) else _grid(reach, means.shape[1])
    device = next(model.parameters()).device
    images = (model.decode(z.to(device)) * 255).round().byte().cpu()  # (SIDE * SIDE, 1, 28, 28)
    return Snapshot(sampled, images.reshape(SIDE, SIDE, 28, 28), reach)


def _grid(reach: Tensor, latent_dim: int) -> Tensor:
    """(SIDE * SIDE, latent_dim) positions, row by row downward, on the first and last dimension."""
    axis = torch.linspace(-1, 1, SIDE) * reach
    y, x = torch.meshgrid(-axis, axis, indexing="ij")
    z = torch.zeros(SIDE * SIDE, latent_dim)
    z[:, 0], z[:, -1] = x.flatten(), y.flatten()
    return z


def newest(snapshots: Snapshots) -> Snapshot:
    """The last of the snapshots."""
    return Snapshot(snapshots.means[-1], snapshots.grids[-1], snapshots.reaches[-1])


def add_snapshot(snapshots: Snapshots, model: VAE, means: Tensor, epoch: int) -> Snapshots:
    """Those of the snapshots that are still kept, and one more of the model as it is now.

    Args:
        snapshots: of the epochs before; none for epoch 0, before training.
        means: (N, latent_dim), the encodings of all test images by this model.
        epoch: that has just ended.
    """
    taken = take_snapshot(model, means[snapshots.sample], snapshots.reconstructed)
    before = snapshot_epochs(len(snapshots.means), epoch - 1)
    kept = set(kept_epochs(epoch))
    rows = [row for row, earlier in enumerate(before) if earlier in kept]
    return Snapshots(
        snapshots.sample,
        torch.cat([snapshots.means[rows], taken.means[None]]),
        torch.cat([snapshots.grids[rows], taken.grid[None]]),
        torch.cat([snapshots.reaches[rows], taken.reach[None]]),
        snapshots.reconstructed,
    )


@torch.inference_mode()
def first_snapshot(model: VAE, test_images: Tensor, test_labels: Tensor) -> Snapshots:
    """The one snapshot before training.

    Args:
        test_images: (N, 28, 28) uint8. test_labels: (N,) int64.
    """
    means = encode_dataset(model, test_images, test_labels).means
    return add_snapshot(no_snapshots(len(means), means.shape[1]), model, means, epoch=0)
