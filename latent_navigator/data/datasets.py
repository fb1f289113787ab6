"""Labelled pictures to learn from: MNIST and its like, checked file by file, or a folder.

MNIST (LeCun, Cortes and Burges 1998), Fashion-MNIST (Xiao, Rasul and Vollgraf 2017) and KMNIST
(Clanuwat et al. 2018) are fetched by torchvision. The only module that imports torchvision: the
demo and the model work without it.
"""

import gzip
import hashlib
import zlib
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.datasets import KMNIST, MNIST, FashionMNIST

from latent_navigator.data.dataset_info import MAX_CLASSES, MAX_NAME
from latent_navigator.data.preprocessing import read_image
from latent_utils import NEIGHBOURS

# torchvision checks the archives when it downloads them but never the extracted files it reads.
SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
FETCHED = {"mnist": MNIST, "fashion-mnist": FashionMNIST, "kmnist": KMNIST}
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp")
SIDE = 28
HELD_OUT = 6  # every so many-th picture of a class is for testing, where the folder does not say
FEWEST = 12  # pictures of a class to learn from and to test with, together


class LabelledImages(NamedTuple):
    """Labelled pictures, split into those to learn from and those to test with."""

    train_images: Tensor  # (60000, 28, 28) uint8
    train_labels: Tensor  # (60000,) int64, 0 ... C - 1
    test_images: Tensor  # (10000, 28, 28) uint8
    test_labels: Tensor  # (10000,) int64, 0 ... C - 1
    class_names: tuple[str, ...] = tuple("0123456789")  # C of them


def load_dataset(name: str, data_dir: str | Path) -> LabelledImages:
    """The pictures of "mnist", "fashion-mnist" or "kmnist", or of a folder sorted by class.

    Args:
        data_dir: where those that torchvision knows are downloaded on first use.

    Raises:
        ValueError: if a file is not what it should be, naming it and the remedy.
        OSError: if a file is missing and cannot be downloaded.
    """
    return _fetch(name, Path(data_dir)) if name in FETCHED else read_folder(Path(name))


def check_files(folder: Path) -> None:
    """Compare the SHA-256 of those files of MNIST that are in a folder with the official ones.

    Raises:
        ValueError: naming the first wrong file, the sum found and the remedy.
    """
    for name, expected in SHA256.items():
        path = folder / name
        if not path.is_file():
            continue
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != expected:
            raise ValueError(
                f"{path} is not the official MNIST file (SHA-256 {found[:12]}..., expected "
                f"{expected[:12]}...); delete it and run again to fetch it anew"
            )


def check_archives(folder: Path, resources: list[tuple[str, str]], title: str) -> None:
    """Compare those extracted files that are in a folder with the archives they came from.

    Args:
        resources: name and MD5 of the archives, as torchvision knows them.

    Raises:
        ValueError: naming the first file that is wrong or cannot be checked, and the remedy.
    """
    for name, md5 in resources:
        archive = folder / name
        path = archive.with_suffix("")
        if not path.is_file():
            continue
        if not archive.is_file():
            raise ValueError(
                f"{path} cannot be checked without {archive}; delete it and run again to fetch both"
            )
        packed = archive.read_bytes()
        found = hashlib.md5(packed, usedforsecurity=False).hexdigest()
        if found != md5:
            raise ValueError(
                f"{archive} is not the official {title} archive (MD5 {found[:12]}..., expected "
                f"{md5[:12]}...); delete it and {path.name}, and run again to fetch it anew"
            )
        try:
            same = gzip.decompress(packed) == path.read_bytes()
        except (OSError, EOFError, zlib.error):
            same = False
        if not same:
            raise ValueError(
                f"{path} is not what {archive.name} holds; delete it and run again to extract it "
                "anew"
            )


def _fetch(name: str, data_dir: Path) -> LabelledImages:
    kind = FETCHED[name]
    title = kind.__name__
    folder = data_dir / title / "raw"

    def check() -> None:
        if kind is MNIST:
            check_files(folder)
        else:
            check_archives(folder, kind.resources, title)

    check()  # first, since torchvision takes files of the right name for the right files
    try:
        train = kind(str(data_dir), train=True, download=True)
        test = kind(str(data_dir), train=False, download=True)
    except (URLError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise OSError(
            f"{title} is not in {folder} and could not be downloaded ({reason}); connect to the "
            "network, or copy the four official .gz files there"
        ) from error
    check()
    names = LabelledImages._field_defaults["class_names"] if kind is MNIST else tuple(kind.classes)
    return LabelledImages(train.data, train.targets, test.data, test.targets, names)


def read_folder(path: Path) -> LabelledImages:
    """The pictures in path/<class name>/, or in path/train/ and path/test/ of the same form.

    Without that split every sixth picture of a class, in the order of their names, is for testing.
    Pictures of 28 x 28 are taken as they are; others are scaled to fit and padded.

    Raises:
        ValueError: naming the folder or file, what is wrong with it and the remedy.
    """
    if not path.is_dir():
        known = ", ".join(FETCHED)
        raise ValueError(f"dataset is {str(path)!r}; give one of {known}, or an existing folder")
    parts = [path / "train", path / "test"]
    if all(part.is_dir() and _folders(part) for part in parts):
        names, others = (_class_names(part) for part in parts)
        if names != others:
            odd = ", ".join(sorted(set(names) ^ set(others)))
            raise ValueError(f"{path}: train and test hold other classes ({odd}); give both all")
        found = [[_files(part / name) for part in parts] for name in names]
    else:
        names = _class_names(path)
        found = []
        for name in names:
            files = _files(path / name)
            held = files[HELD_OUT - 1 :: HELD_OUT]
            found.append([[file for file in files if file not in set(held)], held])
    for name, split in zip(names, found, strict=True):
        count = sum(map(len, split))
        if count < FEWEST or not all(split):
            raise ValueError(
                f"{path}: the class {name} has {len(split[0])} pictures to learn from and "
                f"{len(split[1])} to test with; give it at least {FEWEST} in all"
            )
    tested = sum(len(split[1]) for split in found)
    if tested < NEIGHBOURS:
        raise ValueError(
            f"{path} has {tested} pictures to test with; the map needs {NEIGHBOURS}: add pictures"
        )
    tensors: list[Tensor] = []
    for part in (0, 1):
        images = [_picture(file) for split in found for file in split[part]]
        labels = [label for label, split in enumerate(found) for _ in split[part]]
        tensors += [torch.from_numpy(np.stack(images)), torch.tensor(labels)]
    return LabelledImages(*tensors, tuple(names))


def _folders(path: Path) -> list[str]:
    return [p.name for p in path.iterdir() if p.is_dir() and not p.name.startswith(".")]


def _class_names(path: Path) -> list[str]:
    names = _folders(path)
    numeric = all(name.isdecimal() for name in names)
    names.sort(key=lambda name: (int(name), name) if numeric else (0, name))
    if not names:
        raise ValueError(f"{path} has no folders of classes; sort the pictures into one a class")
    if not 2 <= len(names) <= MAX_CLASSES:
        raise ValueError(f"{path} has {len(names)} class folders; give 2 to {MAX_CLASSES}")
    for name in names:
        if len(name) > MAX_NAME or not name.isprintable():
            raise ValueError(
                f"{path / name}: the name is too long or not printable; give the folder one of at "
                f"most {MAX_NAME} letters"
            )
    return names


def _files(folder: Path) -> list[Path]:
    """The picture files of a class, numbered ones in the order of their numbers."""
    files = [
        file
        for file in folder.iterdir()
        if file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()
    ]
    if not files:
        raise ValueError(f"{folder} holds no pictures; put PNG or JPEG files there, or remove it")
    return sorted(files, key=lambda f: (len(f.stem) if f.stem.isdecimal() else 0, f.name))


def _picture(file: Path) -> np.ndarray:
    """(28, 28) uint8."""
    try:
        image = read_image(file.read_bytes())
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8), "L")
    elif image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    image = image.convert("L")
    if image.size == (SIDE, SIDE):
        return np.asarray(image)
    scale = SIDE / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    pixels = np.asarray(image)
    rim = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    sheet = Image.new("L", (SIDE, SIDE), int(np.median(rim)))
    small = image.resize((width, height), Image.Resampling.HAMMING)
    sheet.paste(small, ((SIDE - width) // 2, (SIDE - height) // 2))
    return np.asarray(sheet)
