"""Where the images of a folder are: its classes, what is for training and what for testing.

The usual forms are recognised: one folder of images per class, directly, inside of train/ alone, or
inside of train/ and test/ or val/, in any case, at any depth below folders that hold nothing else.
"""

import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from latent_navigator.data.dataset_info import MAX_CLASSES, check_class_names

SUFFIXES = frozenset(
    f".{kind}"
    for kind in (
        *("png", "jpg", "jpeg", "jpe", "jfif", "gif", "webp", "bmp"),
        *("tif", "tiff", "ppm", "pgm", "pbm", "pnm"),
    )
)
TRAIN = ("train", "training")
TEST = ("test", "testing", "val", "valid", "validation")  # the first that has class folders is used
ARCHIVER = "__MACOSX"  # which macOS adds to archives, with files that are not images
TEST_EVERY = 6  # without a given split, every sixth image of a class is for testing
EXPECTED = (
    "expected one folder of images per class, such as boot/1.png and coat/1.png, directly or in "
    "train/ and test/ (or val/)"
)

# How many of what, as a noun and what follows it: ("image", " in val/").
Counts = Counter[tuple[str, str]]
Split = tuple[list[Path], list[Path]]  # the files of a class for training and for testing


class Layout(NamedTuple):
    """The files of a data set by class, in the order of the labels."""

    files: dict[str, Split]
    train_in: str  # the folder of the images for training, relative to that of the data set
    test_in: str | None  # None: every sixth image
    unused: str  # what lies in the folder but is not used: "350 .heic files"; may be empty


class Contents(NamedTuple):
    """What lies directly in a folder; hidden files apart."""

    images: list[Path]  # by name, numbers in numeric order
    folders: dict[str, Path]  # by name, in the same order
    skipped: Counts  # other files, by the suffix; links that lead nowhere


def find_layout(root: Path, name: str) -> Layout:
    """Recognise how the images of a folder are arranged.

    Args:
        root: an existing folder. name: of it, as the user gave it, for errors.

    Raises:
        ValueError: if no usual form is found; says what was found, and what is expected.
    """
    base, contents = root, read_contents(root)
    while len(contents.folders) == 1 and not contents.images:
        (only,) = contents.folders.values()
        inner = read_contents(only)
        if only.name.lower() in TRAIN or inner.images or not inner.folders:
            break
        base, contents = only, inner
    splits = {
        folder.name.lower(): folder
        for folder in contents.folders.values()
        if folder.name.lower() in TRAIN + TEST and read_contents(folder).folders
    }
    train = next((splits[key] for key in TRAIN if key in splits), None)
    if train is None:
        _check_is_class_root(root, base, contents, name)
        return _layout(root, base, None, contents, name)
    test = next((splits[key] for key in TEST if key in splits), None)
    return _layout(root, train, test, contents, name)


def read_contents(folder: Path) -> Contents:
    """What lies directly in a folder."""
    images, folders, skipped = [], [], Counts()
    for entry in folder.iterdir():
        if entry.name.startswith(".") or entry.name == ARCHIVER:
            continue
        if not entry.exists():
            skipped["dangling link", ""] += 1
        elif entry.is_dir():
            folders.append(entry)
        elif entry.suffix.lower() in SUFFIXES and entry.is_file():
            images.append(entry)
        else:
            suffix = entry.suffix.lower()
            skipped[(f"{suffix} file", "") if suffix else ("file", " without a suffix")] += 1
    images.sort(key=lambda f: (len(f.stem) if f.stem.isdecimal() else 0, f.name))
    numeric = all(f.name.isdecimal() for f in folders)
    folders.sort(key=lambda f: (int(f.name), f.name) if numeric else (0, f.name))
    return Contents(images, {f.name: f for f in folders}, skipped)


def _layout(root: Path, train: Path, test: Path | None, around: Contents, name: str) -> Layout:
    """The layout of class folders in `train` and, if given, `test`; `around` lies beside them."""
    unused = Counts()
    train_files = _class_files(train, name, unused)
    test_files = train_files if test is None else _class_files(test, name, unused)
    if test is not None and set(train_files) != set(test_files):
        only_train = ", ".join(key for key in train_files if key not in test_files) or "nothing"
        only_test = ", ".join(key for key in test_files if key not in train_files) or "nothing"
        raise ValueError(
            f"{name}: train and test have different classes (found only in {train.name}/: "
            f"{only_train}; only in {test.name}/: {only_test}); give both the same class folders"
        )
    for folder in around.folders.values():
        if train not in (folder, folder.parent) and folder != test:
            unused["image", f" in {folder.name}/"] = _count_below(folder)
    if train in around.folders.values():
        unused["image", " beside the folders"] = len(around.images)
    files = {
        key: (images, test_files[key]) if test else _every_sixth(images)
        for key, images in train_files.items()
    }
    return Layout(
        files,
        train.relative_to(root).as_posix(),
        None if test is None else test.relative_to(root).as_posix(),
        _listed(unused),
    )


def _every_sixth(images: list[Path]) -> Split:
    train = [image for i, image in enumerate(images, 1) if i % TEST_EVERY]
    return train, images[TEST_EVERY - 1 :: TEST_EVERY]


def _class_files(folder: Path, name: str, unused: Counts) -> dict[str, list[Path]]:
    """The images of each class folder; what is not used is added to `unused`.

    Raises:
        ValueError: if the classes are too few or too many, or one has no images or a bad name.
    """
    contents = read_contents(folder)
    classes = list(contents.folders)
    if not 2 <= len(classes) <= MAX_CLASSES:
        raise ValueError(
            f"{name}: found {_folders(classes)} in {folder}, which is not 2 to {MAX_CLASSES} class "
            f"folders; {EXPECTED}"
        )
    try:
        check_class_names(classes)
    except ValueError as error:
        raise ValueError(f"the names of the folders in {folder}: {error}") from None
    unused["image", " beside the class folders"] += len(contents.images)
    files = {}
    for key, path in contents.folders.items():
        inner = read_contents(path)
        deeper = sum(map(_count_below, inner.folders.values()))
        if not inner.images:
            others = inner.skipped + Counter({("image", " in its subfolders"): deeper})
            raise ValueError(
                f"{name}: the class {key} has no images (found in {path}: "
                f"{_listed(others) or 'nothing'}); put PNG or JPEG files directly into it"
            )
        unused.update(inner.skipped)
        unused["image", " in subfolders of the class folders"] += deeper
        files[key] = inner.images
    return files


def _check_is_class_root(root: Path, base: Path, contents: Contents, name: str) -> None:
    """Refuse a folder that has neither class folders nor a split with class folders.

    Raises:
        ValueError: saying what was found, and what is expected.
    """
    inner = {key: read_contents(path) for key, path in contents.folders.items()}
    images = {key: len(found.images) for key, found in inner.items()}
    where = "" if base == root else f" in {base.relative_to(root).as_posix()}/"
    found = None
    if not images:
        found = f"{len(contents.images):,} images{where}, and no folders"
    elif not any(images.values()):
        others = sum((c.skipped for c in inner.values()), Counts())
        below = [folder for c in inner.values() for folder in c.folders.values()]
        others["image", " in their subfolders"] = sum(map(_count_below, below))
        found = f"{_folders(list(images))}{where} without images of their own"
        found += f" ({_listed(others)})" if others.total() else ""
    elif all(key.lower() in TRAIN + TEST for key in images):
        parts = ", ".join(f"{count:,} images in {key}/" for key, count in images.items())
        found = f"{parts}{where}, and no class folders"
    if found:
        raise ValueError(f"{name}: found {found}; {EXPECTED}")


def _folders(names: list[str]) -> str:
    """How many folders there are, and the first names."""
    shown = ", ".join(names[:MAX_CLASSES]) + (", ..." if len(names) > MAX_CLASSES else "")
    return f"{len(names)} folder{'s' * (len(names) != 1)} ({shown})"


def _listed(counts: Counts) -> str:
    return ", ".join(
        f"{count:,} {noun}{'s' * (count != 1)}{rest}"
        for (noun, rest), count in counts.items()
        if count
    )


def _count_below(folder: Path) -> int:
    """The images in a folder and in all folders below it; linked folders apart."""
    count = 0
    for _, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        count += sum(Path(f).suffix.lower() in SUFFIXES and not f.startswith(".") for f in files)
    return count
