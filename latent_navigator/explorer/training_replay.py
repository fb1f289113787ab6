"""Training replay: how each model was learned, epoch by epoch, as the page plays it."""

import hashlib
import json
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.checkpoint.snapshots import MOST_REACH, SIDE, snapshot_epochs
from latent_navigator.explorer.data_files import model_hash
from latent_navigator.explorer.packed import pack
from latent_navigator.geometry.plane import principal_plane

CURVES = {"recon": "test_recon", "kl": "test_kl", "beta": "beta"}  # on the page: in the history
FAR = MOST_REACH  # points beyond it are out of view; clamped here, they do not coarsen the others


class ReplayFile(NamedTuple):
    """The file of one replay; `make` returns its bytes."""

    name: str
    make: Callable[[], bytes]


def replay_files(checkpoints: dict[str, Checkpoint]) -> dict[str, ReplayFile]:
    """The files of several models' replays by label, in the same order, each still to be made.

    Models that were learned alike share a file: it does not contain the label.

    Raises:
        ValueError: if there is no checkpoint.
    """
    if not checkpoints:
        raise ValueError("there is no checkpoint to replay; give at least one")
    return {
        label: ReplayFile(f"replay/{replay_hash(checkpoint)}.bin", partial(_pack, checkpoint))
        for label, checkpoint in checkpoints.items()
    }


def _pack(checkpoint: Checkpoint) -> bytes:
    return pack(training_replay(checkpoint))


def replay_hash(checkpoint: Checkpoint) -> str:
    """20 hexadecimal digits that differ for checkpoints whose replays differ."""
    # What a replay shows beyond the files of the model itself.
    reconstructed = checkpoint.snapshots.reconstructed.tolist()
    recorded = model_hash(checkpoint), summary(checkpoint), curves(checkpoint), *reconstructed
    return hashlib.sha256(json.dumps(recorded).encode()).hexdigest()[:20]


def training_replay(checkpoint: Checkpoint) -> dict[str, Any]:
    """How a model was learned, at E moments: before training, and after the epochs that are kept.

    Returns:
        {"summary": a sentence, "epochs": E of them, in order, from 0 to the last,
        "xy": (E, S, 2) int16, the encoded test images, times "scale" in units of the prior's sigma,
        "labels": (S,) uint8, their classes,
        "images": (E, 9, 9, 28, 28) uint8, decoded on grids of "grid_side" 9,
        "grid_reaches": E floats, half the sides of the grids in units of the prior's sigma,
        "reconstructed": 81 of the S images above two dimensions, whose reconstructions "images" are
        instead: grids would be of another plane than the points, which are seen on the principal
        plane of the finished model. Older files have neither,
        "curves": {"recon", "kl", "beta"}: E - 1 floats each}.
    """
    snapshots = checkpoint.snapshots
    means, images = snapshots.means.float(), snapshots.grids.numpy()
    reconstructed = snapshots.reconstructed.tolist()
    if means.shape[2] > 2:
        means = principal_plane(checkpoint.means).to_plane(means)
        images = images if reconstructed else images[:0]
    means = means.clamp(-FAR, FAR)
    scale = max(float(means.abs().max()), 1e-6) / 32767
    return {
        "summary": summary(checkpoint),
        "epochs": _epochs(checkpoint),
        "xy": (means / scale).round().to(torch.int16).numpy(),
        "scale": scale,
        "labels": checkpoint.labels[snapshots.sample].to(torch.uint8).numpy(),
        "images": images,
        "grid_side": SIDE,
        "grid_reaches": snapshots.reaches.tolist(),
        "reconstructed": reconstructed,
        "curves": curves(checkpoint),
    }


def _epochs(checkpoint: Checkpoint) -> list[int]:
    return snapshot_epochs(len(checkpoint.snapshots.means), len(checkpoint.history))


def curves(checkpoint: Checkpoint) -> dict[str, list[float]]:
    """The learning curves, after each epoch that is kept."""
    epochs, history = _epochs(checkpoint)[1:], checkpoint.history
    return {
        name: [float(history[epoch - 1][key]) for epoch in epochs] for name, key in CURVES.items()
    }


def summary(checkpoint: Checkpoint) -> str:
    """One sentence on the run: its length, and how the weight of the KL changed."""
    history, config = checkpoint.history, checkpoint.training_config
    epochs, beta = len(history), float(history[-1]["beta"])
    run = f"Trained for {epochs} epoch{'s' * (epochs != 1)}"
    warmup = config.get("warmup_epochs") or 0
    if beta == 0:
        return f"{run} with beta 0: no KL term, so in effect a plain autoencoder."
    if warmup <= 0:
        return f"{run} with beta {beta:g} from the start."
    if warmup > epochs:
        return f"{run}, in which beta rose to {beta:g} (the warm-up was cut short)."
    return f"{run}; beta rises to {beta:g} over the first {warmup:g} (warm-up)."
