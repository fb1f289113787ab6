"""A small model and data set, for training runs of a few seconds."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.model_config import VAEConfig

SMALL = VAEConfig(hidden=48, encoder_channels_2=16, decoder_channels=16)
TEN = replace(SMALL, latent_dim=10)


class WrittenFigure(Figure):
    """A figure whose file has the numbers of its curves: drawing it takes seven times as long."""

    def __init__(self, figsize: tuple[float, float], dpi: float, **_: object) -> None:
        super().__init__(figsize=figsize, dpi=dpi)

    def savefig(self, fname: Any, **_: Any) -> None:
        lines = [line for axes in self.axes for line in axes.lines]
        curves = [np.asarray(line.get_xydata()).tolist() for line in lines]
        fname.write(json.dumps(curves).encode())


def read_digits() -> LabelledImages:
    """The 500 training and 200 test digits of the tests; see make_digits.py."""
    with np.load(Path(__file__).with_name("digits.npz")) as arrays:
        return LabelledImages(
            torch.from_numpy(arrays["train_images"]),
            torch.from_numpy(arrays["train_labels"]).long(),
            torch.from_numpy(arrays["test_images"]),
            torch.from_numpy(arrays["test_labels"]).long(),
        )
