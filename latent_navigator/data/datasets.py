"""Data sets by name: MNIST and its like, downloaded and verified, or a folder of images.

MNIST (LeCun, Cortes and Burges 1998), Fashion-MNIST (Xiao, Rasul and Vollgraf 2017) and KMNIST
(Clanuwat et al. 2018) are read by torchvision, which also knows their addresses and checksums. No
other module imports torchvision, and this one only for them: the demo and the model work without.
"""

import gzip
import hashlib
import zlib
from pathlib import Path
from typing import Any

from latent_navigator.atomic_io import check_folder, write_whole
from latent_navigator.data.dataset_info import DATASETS, DatasetInfo
from latent_navigator.data.download import Patience, download
from latent_navigator.data.image_folder import read_folder
from latent_navigator.data.labelled_images import LabelledImages

__all__ = ["LabelledImages", "check_archives", "check_files", "load_dataset"]

PATIENCE = Patience()
# Beside those that torchvision lists. Checksums decide what is accepted, from wherever it comes.
MORE_MIRRORS = {
    "mnist": ("https://storage.googleapis.com/cvdf-datasets/mnist/",),
    "fashion-mnist": ("https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",),
}
# torchvision does not verify the extracted files that it reads.
MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def load_dataset(
    name: str,
    data_dir: str | Path,
    *,
    skip_damaged: bool = False,
    patience: Patience = PATIENCE,
) -> LabelledImages:
    """The images of a data set in DATASETS, or of a folder with one subfolder per class.

    Args:
        name: a key of DATASETS, or the path of a folder.
        data_dir: where data sets are downloaded on first use.
        skip_damaged: leave out the files of a folder that cannot be read, instead of raising.
        patience: of a download.

    Raises:
        ValueError: if a file is invalid, naming it and the remedy.
        OSError: if a file is missing and cannot be downloaded.
    """
    info = DATASETS.get(name)
    if info is None or info.torchvision is None:
        return read_folder(name, skip_damaged=skip_damaged)
    return _official(name, info, Path(data_dir), patience)


def check_files(folder: Path) -> None:
    """Verify the SHA-256 of those files of MNIST that the folder contains.

    Raises:
        ValueError: naming the first invalid file, its checksum and the remedy.
    """
    for name, expected in MNIST_SHA256.items():
        path = folder / name
        if not path.is_file():
            continue
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != expected:
            raise ValueError(
                f"{path} is not the official MNIST file (SHA-256 {found[:12]}..., expected "
                f"{expected[:12]}...); delete it and run again to download it"
            )


def check_archives(folder: Path, resources: list[tuple[str, str]], title: str) -> None:
    """Verify those archives that the folder contains, and the files extracted from them.

    Args:
        resources: (name, MD5) of the archives, as torchvision lists them.
        title: of the data set, for errors.

    Raises:
        ValueError: naming the first file that is invalid or cannot be verified, and the remedy.
    """
    for name, md5 in resources:
        archive = folder / name
        path = archive.with_suffix("")
        if not path.is_file():
            continue
        if not archive.is_file():
            raise ValueError(
                f"{path} cannot be verified without {archive}; delete it and run again to download "
                "both"
            )
        packed = archive.read_bytes()
        found = _md5(packed)
        if found != md5:
            raise ValueError(
                f"{archive} is not the official {title} archive (MD5 {found[:12]}..., expected "
                f"{md5[:12]}...); delete it and {path.name}, and run again to download it"
            )
        try:
            same = gzip.decompress(packed) == path.read_bytes()
        except (OSError, EOFError, zlib.error):
            same = False
        if not same:
            raise ValueError(
                f"{path} differs from the contents of {archive.name}; delete it and run again to "
                "extract it again"
            )


def _official(name: str, info: DatasetInfo, data_dir: Path, patience: Patience) -> LabelledImages:
    """The data set that torchvision.datasets knows, downloaded where it is missing, and verified.

    Args:
        name: as the user gave it, for errors.
    """
    # The import takes a second, which a folder of images and trainer.py --help can do without.
    from torchvision import datasets

    assert info.torchvision is not None
    dataset: Any = getattr(datasets, info.torchvision)
    folder = data_dir / info.torchvision / "raw"

    def check() -> None:
        if name == "mnist":
            check_files(folder)
        else:
            check_archives(folder, dataset.resources, info.title)

    check()  # first, so that a file that is not the official one is named, not replaced
    for archive, md5 in dataset.resources:
        urls = [f"{mirror}{archive}" for mirror in (*dataset.mirrors, *MORE_MIRRORS.get(name, ()))]
        try:
            _provide(folder / archive, md5, urls, patience)
        except OSError as error:
            raise OSError(f"{name}: {error}") from None
    check()
    train, test = (dataset(str(data_dir), train=train) for train in (True, False))
    return LabelledImages(train.data, train.targets, test.data, test.targets, info.class_names)


def _provide(archive: Path, md5: str, urls: list[str], patience: Patience) -> None:
    """Extract an archive where it is not extracted yet; download it where it is not official."""
    extracted = archive.with_suffix("")
    if extracted.is_file():
        return
    check_folder(archive.parent, "choose another --data-dir")
    if not archive.is_file() or _md5(archive.read_bytes()) != md5:
        remedy = f"download the official .gz files elsewhere and copy them to {archive.parent}"
        download(urls, archive, md5, remedy, patience)
    contents = gzip.decompress(archive.read_bytes())
    write_whole(extracted, lambda file: file.write(contents))


def _md5(contents: bytes) -> str:
    return hashlib.md5(contents, usedforsecurity=False).hexdigest()
