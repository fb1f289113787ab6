"""How to train: the configuration of a run and its two schedules."""

import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from latent_navigator.checkpoint.checkpoint import DEFAULT_PATH


def option(default: Any, group: str, about: str) -> Any:
    """A field of TrainingConfig that is also an option of the command line."""
    return field(default=default, metadata={"group": group, "help": about})


@dataclass(frozen=True)
class TrainingConfig:
    """The recipe (what decides the weights) and, last, where the run takes place.

    Raises:
        ValueError: naming the field, its value and the range.
    """

    dataset: str = option(
        "mnist", "recipe", "mnist, fashion-mnist, kmnist, or a folder of pictures sorted by class"
    )
    epochs: int = option(50, "recipe", "passes over the training pictures")
    batch_size: int = option(256, "recipe", "pictures per step")
    learning_rate: float = option(4e-3, "recipe", "peak of the one-cycle schedule")
    beta: float = option(4.0, "recipe", "weight of the KL after the warm-up")
    warmup_epochs: float = option(10.0, "recipe", "epochs over which beta rises from 0")
    grad_clip: float = option(200.0, "recipe", "largest norm of the gradient")
    blanking: float = option(0.1, "recipe", "share of pixels the encoder is not shown in training")
    precision: str = option("auto", "recipe", "bf16, fp32 or auto: what the device does well")
    seed: int = option(0, "recipe", "of the weights, the order and the noise")
    device: str = option("auto", "run", "auto (an accelerator, else the CPU), cpu, cuda ...")
    data_dir: str = option("data", "run", "MNIST and its like are downloaded here once")
    output: str = option(
        str(DEFAULT_PATH), "run", "the checkpoint to write; of another data set, runs/<name>/vae.pt"
    )

    def __post_init__(self):
        def check(name: str, ok: bool, need: str) -> None:
            if not ok:
                raise ValueError(f"{name} is {getattr(self, name)!r}; give {need}")

        for name in ("epochs", "batch_size"):
            value = getattr(self, name)
            check(name, isinstance(value, int) and 1 <= value <= 100_000, "1 ... 100000")
        check("dataset", bool(self.dataset.strip()), "the name of a data set, or a folder")
        check("seed", 0 <= self.seed < 2**31, "a whole number in 0 ... 2**31 - 1")
        check("learning_rate", 0 < self.learning_rate <= 1, "a number in (0, 1]")
        check("beta", 0 <= self.beta <= 1000, "a number in 0 ... 1000")
        check("warmup_epochs", 0 <= self.warmup_epochs <= 100_000, "a number in 0 ... 100000")
        check("grad_clip", 0 < self.grad_clip < math.inf, "a number above 0")
        check("blanking", 0 <= self.blanking < 1, "a number in [0, 1)")
        check("precision", self.precision in ("auto", "bf16", "fp32"), "auto, bf16 or fp32")

    def output_path(self) -> Path:
        """Where the checkpoint goes; that of another data set never beside the committed one.

        Raises:
            ValueError: if it would.
        """
        output = Path(self.output)
        if self.dataset == "mnist":
            return output
        if output == DEFAULT_PATH:
            return Path("runs") / (Path(self.dataset).resolve().name or "folder") / "vae.pt"
        if output.parent.resolve() == DEFAULT_PATH.parent.resolve():
            raise ValueError(
                f"output is {self.output!r}, in the folder of the committed model of MNIST; give "
                f"another --output for {self.dataset}"
            )
        return output

    def recipe(self) -> dict[str, Any]:
        """The fields that decide the weights, as plain values."""
        recipe = [f.name for f in fields(self) if f.metadata["group"] == "recipe"]
        return {name: getattr(self, name) for name in recipe}


def beta_at(progress: float, config: TrainingConfig) -> float:
    """The KL's weight `progress` epochs into the run: linear from 0 to beta over the warm-up."""
    if progress >= config.warmup_epochs:
        return config.beta
    return config.beta * progress / config.warmup_epochs


def learning_rate_at(progress: float, config: TrainingConfig) -> float:
    """One cycle (Smith and Topin 2018): half a cosine up to the peak at 30 % of the run, then down.

    Args:
        progress: epochs into the run, 0 ... config.epochs.
    """
    low, peak_at = 0.04 * config.learning_rate, 0.3 * config.epochs
    if progress < peak_at:
        rise = 0.5 - 0.5 * math.cos(math.pi * progress / peak_at)
        return low + (config.learning_rate - low) * rise
    fall = (progress - peak_at) / (config.epochs - peak_at)
    return config.learning_rate * max(1e-4, 0.5 + 0.5 * math.cos(math.pi * fall))
