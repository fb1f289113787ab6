"""The files about a run, beside its checkpoint."""

from pathlib import Path

import numpy as np
from PIL import Image

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.training.metrics import plot_curves


def test_curves_are_drawn(tmp_path: Path, released: Checkpoint) -> None:
    first, again = tmp_path / "first.png", tmp_path / "again.png"
    plot_curves(first, released.history)
    plot_curves(again, released.history)
    assert first.read_bytes() == again.read_bytes()
    with Image.open(first) as image:
        assert image.size == (1200, 380)
        pixels = np.asarray(image.convert("L"))
    assert all((third < 128).mean() > 0.01 for third in np.array_split(pixels, 3, axis=1))
