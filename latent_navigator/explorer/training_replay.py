"""Training replay: how each model was learned, epoch by epoch, as the page plays it."""

import base64
import gzip
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.checkpoint.snapshots import REACH, SIDE, snapshot_epochs
from latent_navigator.explorer.arguments import choice

CURVES = {"recon": "test_recon", "kl": "test_kl", "beta": "beta"}  # on the page: in the history
SHOWN = 0.995  # share of the points that the square must hold
LEAST, MOST = 4.0, 12.0  # half sides of the square, the smallest and the largest
FAR = 64.0  # points beyond it are off every square; clamped here, they do not coarsen the others


class TrainingReplays:
    """The replays of several models by label; the first is the one that the page explores.

    Raises:
        ValueError: if there is no checkpoint, or one whose latent space is not two-dimensional.
    """

    def __init__(self, checkpoints: dict[str, Checkpoint]) -> None:
        if not checkpoints:
            raise ValueError("there is no checkpoint to replay; give at least one")
        for label, checkpoint in checkpoints.items():
            latent_dim = checkpoint.model_config.latent_dim
            if latent_dim != 2:
                raise ValueError(f"{label}: latent_dim is {latent_dim}; the replay needs 2")
        self.checkpoints = dict(checkpoints)
        self._replays: dict[str, dict[str, Any]] = {}

    def replay(self, label: object) -> dict[str, Any]:
        """The replay of one model; see `training_replay`.

        Raises:
            ValueError: if there is no model of that label.
        """
        known = choice("model", label, tuple(self.checkpoints))
        # Two clients at once may both compute it: the result is the same.
        if known not in self._replays:
            self._replays[known] = training_replay(known, self.checkpoints[known])
        return self._replays[known]


def training_replay(label: str, checkpoint: Checkpoint) -> dict[str, Any]:
    """How a model was learned, at E moments: before training, and after the epochs that are kept.

    Returns:
        {"label", "summary": a sentence, "epochs": E of them, in order, from 0 to the last,
        "points": {"xy": base64 of (E, S, 2) int16, little endian, times "scale" in units of the
        prior's sigma; "labels": base64 of (S,) uint8}, "range": half side of the square to show,
        "grids": base64 of the gzip of (E, 9, 9, 28, 28) uint8, "grid_side", "grid_reach",
        "curves": {"recon", "kl", "beta"}: E - 1 floats each}.
    """
    snapshots, history = checkpoint.snapshots, checkpoint.history
    epochs = snapshot_epochs(len(snapshots.means), len(history))
    means = snapshots.means.float().clamp(-FAR, FAR)
    scale = max(float(means.abs().max()), 1e-6) / 32767
    xy = (means / scale).round().to(torch.int16).numpy().astype("<i2")
    grids = gzip.compress(snapshots.grids.contiguous().numpy().tobytes(), mtime=0)
    labels = checkpoint.labels[snapshots.sample].to(torch.uint8).numpy()
    return {
        "label": label,
        "summary": summary(checkpoint),
        "epochs": epochs,
        "points": {
            "xy": _base64(xy.tobytes()),
            "scale": scale,
            "labels": _base64(labels.tobytes()),
        },
        "range": shown_range(means),
        "grids": _base64(grids),
        "grid_side": SIDE,
        "grid_reach": REACH,
        "curves": {
            name: [float(history[epoch - 1][key]) for epoch in epochs[1:]]
            for name, key in CURVES.items()
        },
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def shown_range(means: Tensor) -> float:
    """Half the side of the square around 0 that shows (E, S, 2) points; LEAST ... MOST, in halves.

    It holds SHOWN of the points of all moments but the first, which is before training.
    """
    reach = means[1:].abs().amax(dim=2).flatten()
    if len(reach) == 0:
        return LEAST
    held = float(reach.sort().values[math.ceil(SHOWN * len(reach)) - 1])
    return min(MOST, max(LEAST, math.ceil(2 * held) / 2))


def summary(checkpoint: Checkpoint) -> str:
    """One sentence on the run: its length, and how the weight of the KL changed."""
    history, config = checkpoint.history, checkpoint.training_config
    epochs, beta = len(history), float(history[-1]["beta"])
    run = f"Trained for {epochs} epoch{'s' * (epochs != 1)}"
    warmup = config.get("warmup_epochs") or 0
    if beta == 0:
        return f"{run} with beta 0: without the prior, a plain autoencoder."
    if warmup <= 0:
        return f"{run} with beta {beta:g} from the start."
    if warmup > epochs:
        return f"{run}, in which beta rose to {beta:g} (the warm-up was cut short)."
    return f"{run}; beta rises to {beta:g} over the first {warmup:g} (warm-up)."


class ReplayFile(NamedTuple):
    name: str
    make: Callable[[], bytes]


def replay_files(checkpoints: dict[str, Checkpoint]) -> dict[str, ReplayFile]:
    return {}
