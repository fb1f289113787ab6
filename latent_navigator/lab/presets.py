"""What the page offers to train: data sets, presets and the ranges of the fields."""

from pathlib import Path
from typing import Any

from latent_navigator.data.dataset_info import DATASETS
from latent_navigator.lab import estimate
from latent_navigator.lab.settings import DOWNLOAD_MB, DOWNLOADED, FOLDER, MAX_EPOCHS, on_disk
from latent_navigator.model_config import LATENT_DIMS

USUAL = {"beta": 4, "warmup_epochs": 4, "epochs": 12, "latent_dim": 2, "limit": 0, "seed": 0}


def presets(rate: float, size: int) -> list[dict[str, Any]]:
    """The presets: each a name, what is to be seen with it, and all values.

    Args:
        rate: images per second of this machine. size: images of the data set.
    """
    minute = min(size, estimate.images_for(rate, estimate.MINUTE, estimate.MINUTE_EPOCHS))
    short = {"epochs": estimate.MINUTE_EPOCHS, "limit": 0 if minute == size else minute}
    found = [
        (
            "tidy",
            "Tidy map",
            "beta 4 after a warm-up: classes separate, then the prior packs them together.",
            {},
        ),
        (
            "no_regularisation",
            "No regularisation",
            "beta 0: no KL term, so the encodings drift far apart.",
            {"beta": 0, "warmup_epochs": 0},
        ),
        (
            "no_warmup",
            "No warm-up",
            "beta 4 from the start: the prior acts before the decoder has learnt any shapes.",
            {"warmup_epochs": 0},
        ),
        (
            "ten",
            "Ten dimensions",
            "Sharper images; the map shows a plane of the ten dimensions.",
            {"beta": 1, "latent_dim": 10},
        ),
        (
            "minute",
            "One minute on this machine",
            f"As many images as this machine can train on in about a minute: {minute:,}.",
            {"warmup_epochs": 3, **short},
        ),
    ]
    return [
        {"key": key, "label": label, "help": text, "values": {**USUAL, **changed}}
        for key, label, text, changed in found
    ]


def datasets(data_dir: Path, folders: bool) -> list[dict[str, Any]]:
    """The data sets to choose from: those on the disk, MNIST, and a folder of the user's own."""
    found = [
        {"key": info.name, "label": info.title, "size": info.train_size, "items": info.items}
        for info in DATASETS.values()
        if on_disk(info, data_dir)
    ]
    if not any(one["key"] == DOWNLOADED for one in found):
        info = DATASETS[DOWNLOADED]
        label = f"{info.title} (downloads {DOWNLOAD_MB} MB)"
        found.insert(
            0, {"key": DOWNLOADED, "label": label, "size": info.train_size, "items": info.items}
        )
    if folders:
        found.append(
            {"key": FOLDER, "label": "A folder of images", "size": None, "items": "images"}
        )
    return found


def fields() -> dict[str, dict[str, float]]:
    """The ranges of the fields."""
    fewest, most = LATENT_DIMS
    return {
        "beta": {"min": 0, "max": 1000, "step": 0.1},
        "warmup_epochs": {"min": 0, "max": MAX_EPOCHS, "step": 1},
        "epochs": {"min": 1, "max": MAX_EPOCHS, "step": 1},
        "latent_dim": {"min": fewest, "max": most, "step": 1},
        "limit": {"min": 0, "max": 10_000_000, "step": 500},
        "seed": {"min": 0, "max": 2**31 - 1, "step": 1},
    }
