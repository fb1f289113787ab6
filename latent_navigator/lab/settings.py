"""What a run that is started from the page may be: checked here, then by trainer.py's dataclasses.

A path never comes from the client, but for a folder of images where the server is local.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from latent_navigator.data.dataset_info import DATASETS, DatasetInfo
from latent_navigator.model_config import VAEConfig
from latent_navigator.training.command_line import checked_latent_dim, command_line
from latent_navigator.training.config import TrainingConfig

FOLDER = "folder"  # in the place of a data set's name
DOWNLOADED = "mnist"  # the one that is offered where it is not on the disk
DOWNLOAD_MB = 11
MAX_EPOCHS = 200  # so that the page can keep every snapshot
MAX_PATH = 1000  # characters
WHOLE = ("epochs", "latent_dim", "limit", "seed")
NUMBERS = ("beta", "warmup_epochs", *WHOLE)
# What messages call a field, and what the page does.
IN_WORDS = {
    "warmup_epochs is": "the warm-up is",
    "latent_dim is": "the number of latent dimensions is",
    "epochs is": "the number of epochs is",
    "limit is": "the number of training images is",
    "--latent-dim ": "",
}


@dataclass(frozen=True)
class Settings:
    """A run: its configuration, which trainer.py can be given.

    Raises:
        ValueError: if it has more epochs than the page can show.
    """

    config: TrainingConfig
    model: VAEConfig

    def __post_init__(self) -> None:
        if self.config.epochs > MAX_EPOCHS:
            raise ValueError(f"epochs is {self.config.epochs}; give 1 ... {MAX_EPOCHS}")

    def options(self, output: str) -> list[str]:
        """The arguments of trainer.py that make this run write `output`."""
        usual = TrainingConfig().hyperparameters()
        values = self.config.hyperparameters()
        always = {"dataset", "beta", "warmup_epochs", "epochs", "seed"}
        stated = {key: v for key, v in values.items() if key in always or usual.get(key) != v}
        stated["dataset"] = self.config.dataset  # as it was given
        options = command_line(stated | {"latent_dim": self.model.latent_dim})
        if self.config.data_dir != TrainingConfig.data_dir:
            options += ["--data-dir", self.config.data_dir]
        return [*options, "--output", output, "--progress"]

    @property
    def title(self) -> str:
        """What tells runs apart, as in "MNIST, beta 4, 12 epochs"."""
        config, info = self.config, DATASETS.get(self.config.dataset)
        parts = [info.title if info else Path(config.dataset).name, f"beta {config.beta:g}"]
        if not config.warmup_epochs and config.beta:
            parts.append("no warm-up")
        if self.model.latent_dim != 2:
            parts.append(f"{self.model.latent_dim} dimensions")
        if config.limit:
            parts.append(f"{config.limit:,} images")
        return ", ".join([*parts, f"{config.epochs} epoch{'s' * (config.epochs != 1)}"])


def on_disk(info: DatasetInfo, data_dir: Path) -> bool:
    """Whether a data set has been downloaded."""
    if info.torchvision is None:
        return False
    raw = data_dir / info.torchvision / "raw"
    return (raw / "train-images-idx3-ubyte").is_file()


def parse_settings(values: object, data_dir: Path, folders: bool) -> Settings:
    """The run that the page asks for.

    Args:
        values: {"dataset": a key of DATASETS, or FOLDER with a "folder"; and the NUMBERS}.
        data_dir: where data sets are.
        folders: whether a folder may be named.

    Raises:
        ValueError: naming the value and the remedy.
    """
    if not isinstance(values, Mapping):
        raise ValueError(f"the settings are {values!r:.40}; give an object with the settings")
    try:
        return _parse(values, data_dir, folders)
    except ValueError as error:
        raise ValueError(in_page_words(str(error))) from None


def in_page_words(message: str) -> str:
    """A message of the dataclasses about a field, with the name that the page has for it."""
    for name, words in IN_WORDS.items():
        message = message.replace(name, words)
    return message


def _parse(values: Mapping[str, object], data_dir: Path, folders: bool) -> Settings:
    unknown = sorted(map(str, values.keys() - {"dataset", "folder", *NUMBERS}))
    if unknown:
        raise ValueError(f"{unknown[0]!r:.40} is not a setting; give {', '.join(NUMBERS)}")
    numbers = {name: _number(name, values[name]) for name in NUMBERS if name in values}
    latent_dim = int(numbers.pop("latent_dim", 2))
    config = TrainingConfig(
        dataset=_dataset(values, data_dir, folders),
        data_dir=str(data_dir),
        **numbers,  # type: ignore[arg-type]  # it checks them itself
    )
    return Settings(config, VAEConfig(latent_dim=checked_latent_dim(latent_dim)))


def _number(name: str, value: object) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} is {value!r:.40}; give a number")
    if name not in WHOLE:
        return float(value)
    if value != int(value):
        raise ValueError(f"{name} is {value!r:.40}; give a whole number")
    return int(value)


def _dataset(values: Mapping[str, object], data_dir: Path, folders: bool) -> str:
    name = values.get("dataset", DOWNLOADED)
    if name == FOLDER:
        if not folders:
            raise ValueError("a folder can be used only from the server's own machine")
        path = values.get("folder")
        if not isinstance(path, str) or not path.strip() or len(path) > MAX_PATH:
            raise ValueError(f"folder is {path!r:.40}; give the path of a folder of images")
        found = Path(path.strip()).expanduser()
        if "\0" in path or not found.is_dir():
            raise ValueError(f"{path.strip()!r:.200} is not a folder; give the path of one")
        return str(found)
    if not isinstance(name, str) or name not in DATASETS:
        raise ValueError(f"dataset is {name!r:.40}; give {', '.join([*DATASETS, FOLDER])}")
    if name != DOWNLOADED and not on_disk(DATASETS[name], data_dir):
        raise ValueError(
            f"{DATASETS[name].title} is not on this disk; download it first with: python "
            f"trainer.py --dataset {name} --epochs 1"
        )
    return name
