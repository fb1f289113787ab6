"""The snapshots of a run as the page plays them: the form of explorer/training_replay.py, in parts.

A part has the moments from one to another. It never changes, so browsers keep it; the page puts
the parts together.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from latent_navigator.checkpoint.snapshots import MOST_REACH, SIDE
from latent_navigator.explorer.packed import pack
from latent_navigator.training.progress import Record, decode_array

# Of xy, in sigma: the same for every part. Points beyond FAR are out of every view.
FAR = MOST_REACH
SCALE = FAR / 32767


def live_part(start: Record, moments: Sequence[Record], first: int) -> bytes:
    """The file of the moments from number `first` on.

    Args:
        start: of the run. moments: all up to the last of the part.

    Raises:
        ValueError: if there is none.
    """
    part = moments[first:]
    if not part:
        raise ValueError(f"there is no moment {first} yet; ask again when there is")
    dims = start["model"]["latent_dim"]
    labels = np.frombuffer(decode_array(start["labels"], "u1", -1), "u1")
    means = [decode_array(r["means"], "f2", len(labels), dims).astype(np.float32) for r in moments]
    xy = means[first:] if dims == 2 else on_planes(means)[first:]
    scaled = np.clip(np.stack(xy) / SCALE, -32767, 32767).round().astype(np.int16)
    reconstructed = start.get("reconstructed", [])
    shown = dims == 2 or reconstructed  # else, a file of an older version
    images = [decode_array(r["grid"], "u1", SIDE, SIDE, 28, 28) for r in part if shown]
    trained = [record for record in part if record["recon"] is not None]
    content: dict[str, Any] = {
        "summary": "",
        "epochs": [record["at"] for record in part],
        "xy": scaled,
        "scale": SCALE,
        "labels": labels,
        "images": np.stack(images) if images else np.zeros(0, np.uint8),
        "grid_side": SIDE,
        "reconstructed": reconstructed,
        "grid_reaches": [record["reach"] for record in part],
        "curves": {
            name: [float(record[name]) for record in trained] for name in ("recon", "kl", "beta")
        },
    }
    return pack(content)


def on_planes(means: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Encodings (S, D) of several moments, each on the plane of its largest variance, as (S, 2).

    Each plane is turned so that it agrees best with the one before it (orthogonal Procrustes):
    otherwise the points would turn and flip from one moment to the next.
    """
    found, before = [], None
    for values in means:
        centred = (values - values.mean(0)).astype(np.float64)
        axes = np.linalg.eigh(centred.T @ centred).eigenvectors[:, [-1, -2]]  # (D, 2)
        if before is None:
            largest = np.abs(axes).argmax(0)
            axes = axes * np.sign(axes[largest, [0, 1]])
        else:
            u, _, v = np.linalg.svd(axes.T @ before)
            axes = axes @ (u @ v)
        before = axes
        found.append((centred @ axes).astype(np.float32))
    return found
