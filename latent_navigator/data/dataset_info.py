"""What the images of a data set are: the record that names, texts and presets are taken from.

To add a data set, add one record to DATASETS. Everything else reads the record of the checkpoint.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

MAX_CLASSES = 10  # as many colours can be told apart
MAX_NAME = 30  # characters of a class name


@dataclass(frozen=True)
class Presets:
    """The classes, by index, that lessons, experiments and controls start with."""

    border: tuple[int, int]  # two classes that share a border
    morph: tuple[int, int]
    ends: tuple[int, int]  # of the first path
    target: int  # of the first morph
    little_ink: int  # the class to draw with little ink


@dataclass(frozen=True)
class Hints:
    """What only the look of these images, or their map, can suggest; empty where unknown."""

    empty_regions: str = ""  # where the map has gaps between the points
    mixed_classes: str = ""  # which classes meet in one region
    far_side: str = ""  # on which side the data reaches far out
    morph: str = ""  # what to watch while the first morph runs
    border: str = ""  # what changes when the border is crossed


@dataclass(frozen=True)
class DatasetInfo:
    """What the images of a data set are. Adding a data set means adding one such record.

    Raises:
        ValueError: if there are no class names.
    """

    name: str  # as given to --dataset
    title: str  # as in "trained on MNIST"
    class_names: tuple[str, ...]  # C of them, by label
    item: str = "image"  # one of them, and several
    items: str = "images"
    described_item: str = "image"  # the item as a reader first meets it
    are_digits: bool = False  # whether the classes are the digits 0 ... 9
    train_size: int | None = None  # images in the training set, where it is fixed
    torchvision: str | None = None  # the class of torchvision.datasets that downloads it
    lost_detail: str = "style and rare shapes are averaged away, and similar classes overlap"
    presets: Presets | None = None  # None: chosen from the encodings
    hints: Hints = field(default_factory=Hints)

    def __post_init__(self) -> None:
        if not self.class_names:
            raise ValueError(f"data set {self.name!r} has no class names; give at least one")

    @property
    def class_word(self) -> str:
        """What the classes are called in a sentence: "digits" or "classes"."""
        return self.items if self.are_digits else "classes"

    @property
    def plurals(self) -> list[str]:
        """The class names in the plural, by label."""
        return [plural(name) for name in self.class_names]


DATASETS = {
    info.name: info
    for info in (
        DatasetInfo(
            name="mnist",
            title="MNIST",
            class_names=tuple("0123456789"),
            item="digit",
            items="digits",
            described_item="handwritten digit",
            are_digits=True,
            train_size=60_000,
            torchvision="MNIST",
            lost_detail="stroke width, style and rare shapes are averaged away, "
            "and 4 and 9 overlap",
            presets=Presets(border=(4, 9), morph=(3, 8), ends=(5, 7), target=8, little_ink=7),
            hints=Hints(
                empty_regions="such as those between 2 and 6 or between 7 and 1",
                mixed_classes="such as 3, 5 and 8, or 4, 7 and 9",
                far_side="for example to the left",
                morph="Watch the open sides close.",
                border="The loop closes little by little",
            ),
        ),
        DatasetInfo(
            name="fashion-mnist",
            title="Fashion-MNIST",
            class_names=(
                "T-shirt/top",
                "Trouser",
                "Pullover",
                "Dress",
                "Coat",
                "Sandal",
                "Shirt",
                "Sneaker",
                "Bag",
                "Ankle boot",
            ),
            item="garment",
            items="garments",
            described_item="garment",
            train_size=60_000,
            torchvision="FashionMNIST",
        ),
        DatasetInfo(
            name="kmnist",
            title="KMNIST",
            class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
            item="character",
            items="characters",
            described_item="handwritten character",
            train_size=60_000,
            torchvision="KMNIST",
        ),
    )
}


def dataset_info(name: str, class_names: Sequence[str] | None = None) -> DatasetInfo:
    """The record of a data set, or one for a folder of images.

    Args:
        name: a key of DATASETS, or the path of a folder.
        class_names: of the checkpoint. Where they differ from those of the record, its presets and
            hints do not apply and are left out.

    Raises:
        ValueError: if it is a folder and no class names are given.
    """
    known = DATASETS.get(name)
    names = tuple(class_names or ())
    if known is None:
        return DatasetInfo(name, f"the folder {Path(name).name}", names)
    if class_names is None or names == known.class_names:
        return known
    return replace(known, class_names=names, are_digits=False, presets=None, hints=Hints())


def check_class_names(names: object) -> list[str]:
    """2 to MAX_CLASSES distinct names that can be shown: those that can be trained and opened.

    Raises:
        ValueError: naming what is wrong, and the remedy.
    """
    if not isinstance(names, list):
        raise ValueError(f"class_names is a {type(names).__name__}; give a list of names")
    if not 2 <= len(names) <= MAX_CLASSES:
        raise ValueError(f"class_names has {len(names)} names; give 2 to {MAX_CLASSES}")
    for name in names:
        shown = isinstance(name, str) and name.isprintable() and name.strip()
        if not shown or len(name) > MAX_NAME:
            raise ValueError(
                f"class_names has {name!r:.80}, which cannot be shown; give each 1 to {MAX_NAME} "
                "printable characters, not all of them spaces"
            )
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"class_names has {twice!r} twice; give distinct names")
    return names


def plural(name: str) -> str:
    """A class name in the plural: 7s, Sneakers, Dresses, T-shirts/tops; Trousers stay Trousers."""
    if "/" in name:
        return "/".join(map(plural, name.split("/")))
    if re.search(r"(ss|us|x|z|ch|sh)$", name, re.IGNORECASE):
        return f"{name}es"
    if re.search(r"[b-df-hj-np-tv-xz]y$", name, re.IGNORECASE):
        return f"{name[:-1]}ies"
    # Other scripts add no s, and a name that ends in one mostly is a plural already.
    return f"{name}s" if re.search(r"[0-9a-rt-z]$", name, re.IGNORECASE) else name


def with_article(name: str) -> str:
    """A name with its article: an Ankle boot, a Bag, a 7, an 8."""
    return f"{'an' if name[:1].lower() in tuple('aeiou8') else 'a'} {name}"


def literal(text: str) -> str:
    """Markdown that shows exactly this text, whatever a class or a folder is called."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)
