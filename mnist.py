"""MNIST (LeCun, Cortes and Burges 1998): fetched by torchvision, checked file by file.

The only module that imports torchvision: the demo and the model work without it.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError

from torch import Tensor
from torchvision.datasets import MNIST

# torchvision checks the archives when it downloads them but never the extracted files it reads.
SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


class Digits(NamedTuple):
    """Labelled pictures, split into those to learn from and those to test with."""

    train_images: Tensor  # (60000, 28, 28) uint8
    train_labels: Tensor  # (60000,) int64, 0 ... 9
    test_images: Tensor  # (10000, 28, 28) uint8
    test_labels: Tensor  # (10000,) int64, 0 ... 9


def check_files(folder: Path) -> None:
    """Compare the SHA-256 of the four extracted files of MNIST with the official ones.

    Raises:
        ValueError: naming the first wrong file, the sum found and the remedy.
        FileNotFoundError: if a file is missing.
    """
    for name, expected in SHA256.items():
        path = folder / name
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != expected:
            raise ValueError(
                f"{path} is not the official MNIST file (SHA-256 {found[:12]}..., expected "
                f"{expected[:12]}...); delete it and run again to fetch it anew"
            )


def load_mnist(data_dir: str | Path) -> Digits:
    """The 60,000 + 10,000 digits, downloaded into `data_dir` on first use (11 MB).

    Raises:
        ValueError: if a file is not the official one.
        OSError: if a file is missing and cannot be downloaded.
    """
    folder = Path(data_dir) / "MNIST" / "raw"
    # First, since torchvision takes files of the right name for the right files.
    if all((folder / name).is_file() for name in SHA256):
        check_files(folder)
    try:
        train = MNIST(str(data_dir), train=True, download=True)
        test = MNIST(str(data_dir), train=False, download=True)
    except (URLError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise OSError(
            f"MNIST is not in {folder} and could not be downloaded ({reason}); connect to the "
            "network, or copy the four official .gz files there"
        ) from error
    check_files(folder)
    return Digits(train.data, train.targets, test.data, test.targets)
