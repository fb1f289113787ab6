"""A small model and data set, for training runs of a few seconds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.model_config import VAEConfig

SMALL = VAEConfig(hidden=48, encoder_channels_2=16, decoder_channels=16)
TEN = replace(SMALL, latent_dim=10)


def plain_figure(figsize: tuple[float, float], dpi: float, **_: object) -> Figure:
    """A figure whose labels may overlap, drawn in half the time of one with a layout."""
    return Figure(figsize=figsize, dpi=dpi)


def read_digits() -> LabelledImages:
    """The 500 training and 200 test digits of the tests; see make_digits.py."""
    with np.load(Path(__file__).with_name("digits.npz")) as arrays:
        return LabelledImages(
            torch.from_numpy(arrays["train_images"]),
            torch.from_numpy(arrays["train_labels"]).long(),
            torch.from_numpy(arrays["test_images"]),
            torch.from_numpy(arrays["test_labels"]).long(),
        )
