"""Data sets by name: MNIST and its like, downloaded and verified, or a folder of images.

MNIST (LeCun, Cortes and Burges 1998), Fashion-MNIST (Xiao, Rasul and Vollgraf 2017) and KMNIST
(Clanuwat et al. 2018) are downloaded by torchvision. No other module imports torchvision, and this
one only when it needs a download: the demo and the model work without it.
"""

import gzip
import hashlib
import zlib
from pathlib import Path
from typing import Any
from urllib.error import URLError

from latent_navigator.data.dataset_info import DATASETS
from latent_navigator.data.image_folder import read_folder
from latent_navigator.data.labelled_images import LabelledImages

__all__ = ["LabelledImages", "check_archives", "check_files", "load_dataset"]

# torchvision verifies the archives when it downloads them, but not the extracted files it reads.
MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def load_dataset(
    name: str, data_dir: str | Path, *, skip_damaged: bool = False
) -> LabelledImages:
    """The images of a data set in DATASETS, or of a folder with one subfolder per class.

    Args:
        name: a key of DATASETS, or the path of a folder.
        data_dir: where data sets are downloaded on first use.
        skip_damaged: leave out the files of a folder that cannot be read, instead of raising.

    Raises:
        ValueError: if a file is invalid, naming it and the remedy.
        OSError: if a file is missing and cannot be downloaded.
    """
    info = DATASETS.get(name)
    if info is None or info.torchvision is None:
        return read_folder(name, skip_damaged=skip_damaged)
    return _download(info.torchvision, info.class_names, Path(data_dir))


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
        found = hashlib.md5(packed, usedforsecurity=False).hexdigest()
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


def _download(title: str, class_names: tuple[str, ...], data_dir: Path) -> LabelledImages:
    """The data set of this class of torchvision.datasets, its files verified."""
    # The import takes a second, which a folder of images and trainer.py --help can do without.
    from torchvision import datasets

    dataset: Any = getattr(datasets, title)
    folder = data_dir / title / "raw"

    def check() -> None:
        if title == "MNIST":
            check_files(folder)
        else:
            check_archives(folder, dataset.resources, title)

    check()  # before the download, since torchvision accepts existing files by their name alone
    try:
        train = dataset(str(data_dir), train=True, download=True)
        test = dataset(str(data_dir), train=False, download=True)
    except (URLError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise OSError(
            f"{title} is not in {folder} and could not be downloaded ({reason}); connect to the "
            "network, or copy the four official .gz files there"
        ) from error
    check()
    return LabelledImages(train.data, train.targets, test.data, test.targets, class_names)
