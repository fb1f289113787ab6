"""A folder of images, one subfolder per class, as a data set."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from latent_navigator.data.dataset_info import DATASETS, MAX_CLASSES, MAX_NAME
from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.data.image_reader import read_image
from latent_utils import NEIGHBOURS

SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp")
SIDE = 28  # pixels
TEST_EVERY = 6  # without a given split, every sixth image of a class is for testing
MIN_IMAGES = 12  # per class, in both sets together

Split = tuple[list[Path], list[Path]]  # the files of a class for training and for testing


def read_folder(path: Path) -> LabelledImages:
    """The images in path/<class name>/, or in path/train/<class name>/ and path/test/<class name>/.

    Without the split into train and test, every sixth image of a class, in the order of the file
    names, is for testing. Images of 28 x 28 pixels are read as they are; others are scaled to fit
    and padded.

    Raises:
        ValueError: naming the folder or file, the fault and the remedy.
    """
    if not path.is_dir():
        known = ", ".join(DATASETS)
        raise ValueError(f"dataset is {str(path)!r}; give one of {known}, or an existing folder")
    files_by_class = _files_by_class(path)
    _check_sizes(path, files_by_class)
    images, labels = [], []
    for part in (0, 1):
        files = [
            (file, label)
            for label, split in enumerate(files_by_class.values())
            for file in split[part]
        ]
        images.append(torch.from_numpy(np.stack([read_28x28(file) for file, _ in files])))
        labels.append(torch.tensor([label for _, label in files]))
    return LabelledImages(images[0], labels[0], images[1], labels[1], tuple(files_by_class))


def _files_by_class(path: Path) -> dict[str, Split]:
    """The files of each class, in the order of the labels."""
    train, test = path / "train", path / "test"
    if all(folder.is_dir() and _subfolders(folder) for folder in (train, test)):
        names, test_names = _class_names(train), _class_names(test)
        if names != test_names:
            differing = ", ".join(sorted(set(names) ^ set(test_names)))
            raise ValueError(
                f"{path}: train and test have different classes ({differing}); give both the same"
            )
        return {name: (_image_files(train / name), _image_files(test / name)) for name in names}
    files_by_class = {}
    for name in _class_names(path):
        files = _image_files(path / name)
        train_files = [file for i, file in enumerate(files, 1) if i % TEST_EVERY]
        files_by_class[name] = (train_files, files[TEST_EVERY - 1 :: TEST_EVERY])
    return files_by_class


def _check_sizes(path: Path, files_by_class: dict[str, Split]) -> None:
    for name, (train, test) in files_by_class.items():
        if len(train) + len(test) < MIN_IMAGES or not train or not test:
            raise ValueError(
                f"{path}: the class {name} has {len(train)} images for training and {len(test)} "
                f"for testing; give it at least {MIN_IMAGES} in all"
            )
    count = sum(len(test) for _, test in files_by_class.values())
    if count < NEIGHBOURS:
        raise ValueError(
            f"{path} has {count} images for testing; the map needs {NEIGHBOURS}: add images"
        )


def _subfolders(path: Path) -> list[str]:
    return [p.name for p in path.iterdir() if p.is_dir() and not p.name.startswith(".")]


def _class_names(path: Path) -> list[str]:
    """The names of the subfolders: in numeric order if all are numbers, else in alphabetical."""
    names = _subfolders(path)
    numeric = all(name.isdecimal() for name in names)
    names.sort(key=lambda name: (int(name), name) if numeric else (0, name))
    if not names:
        raise ValueError(f"{path} has no class folders; sort the images into one folder per class")
    if not 2 <= len(names) <= MAX_CLASSES:
        raise ValueError(f"{path} has {len(names)} class folders; give 2 to {MAX_CLASSES}")
    for name in names:
        if len(name) > MAX_NAME or not name.isprintable():
            raise ValueError(
                f"{path / name}: the name is too long or not printable; give the folder a name of "
                f"at most {MAX_NAME} letters"
            )
    return names


def _image_files(folder: Path) -> list[Path]:
    """The image files of a class, sorted by name, numbers in numeric order."""
    files = [
        file
        for file in folder.iterdir()
        if file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()
    ]
    if not files:
        raise ValueError(f"{folder} has no images; add PNG or JPEG files, or remove the folder")
    return sorted(files, key=lambda f: (len(f.stem) if f.stem.isdecimal() else 0, f.name))


def read_28x28(file: Path) -> NDArray[np.uint8]:
    """The image in a file as (28, 28) uint8: grey, on black if transparent, scaled and padded.

    The padding has the median grey level of the image's border.

    Raises:
        ValueError: if the file is not an image that can be read.
    """
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
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    canvas = Image.new("L", (SIDE, SIDE), int(np.median(border)))
    scaled = image.resize((width, height), Image.Resampling.HAMMING)
    canvas.paste(scaled, ((SIDE - width) // 2, (SIDE - height) // 2))
    return np.asarray(canvas)
