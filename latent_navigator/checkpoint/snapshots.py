"""How the space was learned: small pictures of it, one an epoch, kept while training.

For a fixed sample of test digits, where each was encoded; for a grid of places, what was decoded.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from latent_utils import encode_dataset
from neural_network import VAE

SAMPLE = 1000  # test digits, evenly spaced in their order
SIDE = 9  # pictures a side of the grid
REACH = 3.0  # the grid covers -REACH ... REACH on both axes


class Replay(NamedTuple):
    """E moments: before training, and after each epoch. S sampled test digits."""

    sample: Tensor  # (S,) int64 indices into the test set
    means: Tensor  # (E, S, latent_dim) float16
    grids: Tensor  # (E, SIDE, SIDE, 28, 28) uint8; the first row is the top, y = REACH


def empty_replay(digits: int, latent_dim: int) -> Replay:
    """A replay of no moment yet, for a test set of so many digits."""
    sample = torch.arange(digits)[:: max(1, digits // SAMPLE)][:SAMPLE]
    return Replay(
        sample,
        torch.zeros(0, len(sample), latent_dim, dtype=torch.float16),
        torch.zeros(0, SIDE, SIDE, 28, 28, dtype=torch.uint8),
    )


@torch.inference_mode()
def record(replay: Replay, model: VAE, means: Tensor) -> Replay:
    """The replay with one moment more: the model as it stands, the test digits encoded to `means`.

    Args:
        means: (N, latent_dim) of all test digits.
    """
    axis = torch.linspace(-REACH, REACH, SIDE)
    y, x = torch.meshgrid(-axis, axis, indexing="ij")
    z = torch.zeros(SIDE * SIDE, means.shape[1])
    z[:, 0], z[:, -1] = x.flatten(), y.flatten()
    device = next(model.parameters()).device
    images = (model.decode(z.to(device)) * 255).round().byte().cpu()  # (SIDE * SIDE, 1, 28, 28)
    grid = images.reshape(1, SIDE, SIDE, 28, 28)
    here = means[replay.sample][None].to(torch.float16)
    # float16 ends at 65504: a digit that was thrown so far lies off every map all the same.
    here = here.clamp(-60000, 60000)
    return Replay(replay.sample, torch.cat([replay.means, here]), torch.cat([replay.grids, grid]))


@torch.inference_mode()
def record_start(model: VAE, test_images: Tensor, labels: Tensor) -> Replay:
    """The replay of one moment: before training."""
    encodings = encode_dataset(model, test_images, labels)
    return record(empty_replay(len(labels), encodings.means.shape[1]), model, encodings.means)
