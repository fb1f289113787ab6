"""The configuration of a training run and its two schedules. Free of torch."""

import math
import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TypeVar

from latent_navigator.data.dataset_info import DATASETS
from latent_navigator.pretrained import DEFAULT_PATH
from latent_navigator.training.paths import resolve_output

T = TypeVar("T")


def option(default: T, group: str, description: str) -> T:
    """A field of TrainingConfig that is also a command-line option, in a group of its help."""
    return field(default=default, metadata={"group": group, "help": description})


@dataclass(frozen=True)
class TrainingConfig:
    """Hyperparameters, which determine the weights, and where the run reads, computes and writes.

    Raises:
        ValueError: naming the field, its value and the range.
    """

    dataset: str = option(
        "mnist",
        "training",
        "mnist, fashion-mnist, kmnist, or a folder with one subfolder of images per class, "
        "directly or in train/ and test/",
    )
    epochs: int = option(50, "training", "passes over the training set")
    batch_size: int = option(384, "training", "images per step")
    # With Adam the rate grows with the square root of the batch size (Malladi et al. 2022); 4e-3
    # was chosen for 256.
    learning_rate: float = option(4.9e-3, "training", "peak of the one-cycle schedule")
    beta: float = option(4.0, "training", "weight of the KL term after the warm-up")
    warmup_epochs: float = option(10.0, "training", "epochs over which beta rises from 0")
    grad_clip: float = option(200.0, "training", "norm above which the gradient is scaled down")
    blanking: float = option(
        0.1, "training", "share of input pixels set to 0 while training (denoising)"
    )
    precision: str = option(
        "auto", "training", "bf16, fp32, or auto: the faster one, or that of the run to resume"
    )
    seed: int = option(0, "training", "seed of the weights, the batch order and the noise")
    limit: int = option(
        0, "training", "number of training images to use, picked at regular intervals; 0 for all"
    )
    device: str = option("auto", "run", "cpu, cuda, ..., or auto: an accelerator, else the CPU")
    data_dir: str = option("data", "run", "folder for downloaded data sets")
    output: str = option(
        str(DEFAULT_PATH),
        "run",
        "checkpoint to write; for other data sets the default is runs/<name>/vae.pt",
    )

    def __post_init__(self) -> None:
        def check(name: str, ok: bool, range_: str) -> None:
            if not ok:
                raise ValueError(f"{name} is {getattr(self, name)!r}; give {range_}")

        for name in ("epochs", "batch_size"):
            value: object = getattr(self, name)
            check(name, isinstance(value, int) and 1 <= value <= 100_000, "1 ... 100000")
        check("dataset", bool(self.dataset.strip()), "the name of a data set, or a folder")
        check("seed", 0 <= self.seed < 2**31, "a whole number in 0 ... 2**31 - 1")
        check("limit", 0 <= self.limit < 2**31, "a whole number in 0 ... 2**31 - 1")
        check("learning_rate", 0 < self.learning_rate <= 1, "a number in (0, 1]")
        check("beta", 0 <= self.beta <= 1000, "a number in 0 ... 1000")
        check("warmup_epochs", 0 <= self.warmup_epochs <= 100_000, "a number in 0 ... 100000")
        check("grad_clip", 0 < self.grad_clip < math.inf, "a number above 0")
        check("blanking", 0 <= self.blanking < 1, "a number in [0, 1)")
        check("precision", self.precision in ("auto", "bf16", "fp32"), "auto, bf16 or fp32")

    def output_path(self) -> Path:
        """Where the checkpoint goes: for other data sets never next to the committed one.

        Raises:
            ValueError, OSError: as `resolve_output`, and if `output` is in the folder of the
                committed checkpoint.
        """
        output = resolve_output(self.output)
        if self.dataset == "mnist":
            return output
        if Path(self.output) == DEFAULT_PATH:
            folder = Path(os.path.realpath(self.dataset)).name or "folder"
            return resolve_output(str(Path("runs") / folder / "vae.pt"))
        if os.path.realpath(output.parent) == os.path.realpath(DEFAULT_PATH.parent):
            raise ValueError(
                f"output is {self.output!r}, in the folder of the committed MNIST model; give "
                f"another --output for {self.dataset}"
            )
        return output

    def hyperparameters(self) -> dict[str, str | int | float]:
        """The fields that determine the weights, as plain values; kept in the checkpoint.

        Without a limit of 0: files from before there was one are those of an unlimited run.
        """
        names = [f.name for f in fields(self) if f.metadata["group"] == "training"]
        names = [name for name in names if name != "limit" or self.limit]
        return {name: getattr(self, name) for name in names} | {
            "dataset": plain_dataset(self.dataset)
        }


def plain_dataset(name: str) -> str:
    """The name of a data set as the checkpoint keeps it: a folder without ./ and trailing slash.

    A folder that has the name of a data set keeps its ./ (./mnist is not mnist).
    """
    plain = str(Path(name))
    return f"./{plain}" if plain in DATASETS and name != plain else plain


def beta_at(progress: float, config: TrainingConfig) -> float:
    """The weight of the KL term: linear from 0 to beta over the warm-up, then constant.

    Args:
        progress: epochs since the start of the run, fractions included.
    """
    if progress >= config.warmup_epochs:
        return config.beta
    return config.beta * progress / config.warmup_epochs


def learning_rate_at(progress: float, config: TrainingConfig) -> float:
    """The one-cycle schedule (Smith and Topin 2018): cosine rise over 30% of the run, then decay.

    Args:
        progress: epochs since the start of the run, 0 ... config.epochs.
    """
    low, peak_at = 0.04 * config.learning_rate, 0.3 * config.epochs
    if progress < peak_at:
        rise = 0.5 - 0.5 * math.cos(math.pi * progress / peak_at)
        return low + (config.learning_rate - low) * rise
    fall = (progress - peak_at) / (config.epochs - peak_at)
    return config.learning_rate * max(1e-4, 0.5 + 0.5 * math.cos(math.pi * fall))
