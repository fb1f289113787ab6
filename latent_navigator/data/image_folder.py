"""A folder of images, one subfolder per class, as a data set."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from latent_navigator.data.dataset_info import DATASETS
from latent_navigator.data.folder_layout import TEST_EVERY, Layout, Split, find_layout
from latent_navigator.data.grey_images import (
    GreyImage,
    common_scale,
    describe_scale,
    grey_image,
    on_scale,
)
from latent_navigator.data.image_reader import read_own_image
from latent_navigator.data.labelled_images import LabelledImages
from latent_utils import NEIGHBOURS

MIN_IMAGES = 12  # per class, in both sets together
NAMED = 5  # of several files, in a message


def read_folder(name: str, *, skip_damaged: bool = False) -> LabelledImages:
    """The images of a folder in one of the forms that folder_layout recognises.

    Without a split into train and test, every sixth image of a class, in the order of the file
    names, is for testing. Images are scaled to 28 x 28 grey levels; see grey_images.

    Args:
        name: path of the folder, as the user gave it.
        skip_damaged: leave out the files that cannot be read, instead of raising.

    Raises:
        ValueError: naming the folder or file, the fault and the remedy.
    """
    path = Path(name)
    if not path.is_dir():
        known = ", ".join(DATASETS)
        raise ValueError(f"dataset is {name!r}; give one of {known}, or an existing folder")
    layout = find_layout(path, name)
    _check_sizes(name, layout.files)
    images, damaged = _read_files(layout.files, skip_damaged)
    files = {
        key: (_readable(train, images), _readable(test, images))
        for key, (train, test) in layout.files.items()
    }
    if damaged:
        _check_sizes(name, files)
    scale = common_scale(list(images.values()))
    levels = {file: on_scale(image, scale) for file, image in images.items()}
    _check_varied(name, levels)
    constant = [file for file, image in levels.items() if np.ptp(image) == 0]
    found = [
        _describe(name, layout, files),
        *_sentence("Not used", layout.unused),
        *_sentence("Damaged and skipped", _listed(damaged)),
        *_sentence("Of a single grey level", _listed(constant)),
        *_sentence("Images", "; ".join(describe_scale(list(images.values()), scale))),
    ]
    train_images, train_labels = _tensors(files, levels, 0)
    test_images, test_labels = _tensors(files, levels, 1)
    return LabelledImages(
        train_images, train_labels, test_images, test_labels, tuple(files), " ".join(found)
    )


def _read_files(
    files: dict[str, Split], skip_damaged: bool
) -> tuple[dict[Path, GreyImage], list[Path]]:
    """The images by their file, and the files that are damaged.

    Raises:
        ValueError: naming the first damaged file, unless they are skipped.
    """
    images, damaged = {}, []
    paths = [file for split in files.values() for part in split for file in part]
    for file in tqdm(paths, "Reading", unit="img", leave=False, disable=None):
        try:
            images[file] = grey_image(read_own_image(file.read_bytes()))
        except (ValueError, OSError) as error:
            if not skip_damaged:
                reason = error.strerror if isinstance(error, OSError) else str(error)
                raise ValueError(
                    f"{file}: {str(reason).removesuffix('.')}; or leave such files out with "
                    "--skip-damaged"
                ) from None
            damaged.append(file)
    return images, damaged


def _readable(files: list[Path], images: dict[Path, GreyImage]) -> list[Path]:
    return [file for file in files if file in images]


def _check_sizes(name: str, files: dict[str, Split]) -> None:
    for key, (train, test) in files.items():
        if len(train) + len(test) < MIN_IMAGES or not train or not test:
            raise ValueError(
                f"{name}: the class {key} has {len(train)} images for training and {len(test)} "
                f"for testing; give it at least {MIN_IMAGES} in all"
            )
    count = sum(len(test) for _, test in files.values())
    if count < NEIGHBOURS:
        raise ValueError(
            f"{name} has {count} images for testing; the map needs {NEIGHBOURS}: add images"
        )


def _check_varied(name: str, levels: dict[Path, NDArray[np.uint8]]) -> None:
    """Refuse images from which nothing can be learnt.

    Raises:
        ValueError: if all images are alike, or each has a single grey level.
    """
    first, *others = levels.items()
    if all(np.array_equal(first[1], image) for _, image in others):
        fault = "are alike"
    elif all(np.ptp(image) == 0 for image in levels.values()):
        fault = "are of a single grey level each"
    else:
        return
    raise ValueError(
        f"{name}: all {len(levels):,} images {fault} at 28 x 28 grey levels; open one, such as "
        f"{first[0]}, and give images that differ in what can be seen"
    )


def _describe(name: str, layout: Layout, files: dict[str, Split]) -> str:
    """The classes and how many images were found where."""
    train, test = (sum(len(split[part]) for split in files.values()) for part in (0, 1))
    where = "" if layout.train_in == "." else f" in {layout.train_in}/"
    found = f"{name}: found {len(files)} classes, {train:,} images for training{where}"
    if layout.test_in is None:
        return f"{found} and {test:,} for testing (every {TEST_EVERY}th of a class)."
    return f"{found}, {test:,} for testing in {layout.test_in}/."


def _sentence(start: str, text: str) -> list[str]:
    return [f"{start}: {text}."] if text else []


def _listed(files: list[Path]) -> str:
    """How many files, and the first ones by name; empty for none."""
    if not files:
        return ""
    more = ", ..." if len(files) > NAMED else ""
    return (
        f"{len(files):,} file{'s' * (len(files) != 1)} ({', '.join(map(str, files[:NAMED]))}{more})"
    )


def _tensors(
    files: dict[str, Split], levels: dict[Path, NDArray[np.uint8]], part: int
) -> tuple[Tensor, Tensor]:
    """Images (N, 28, 28) uint8 and labels (N,) int64 for training (part 0) or testing (1)."""
    labelled = [
        (levels[file], label) for label, split in enumerate(files.values()) for file in split[part]
    ]
    images = np.stack([image for image, _ in labelled])
    return torch.from_numpy(images), torch.tensor([label for _, label in labelled])
