"""Data sets: downloaded files are verified, folders of images are validated."""

import dataclasses
import gzip
import hashlib
import urllib.error
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from latent_navigator.checkpoint.checkpoint import (
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    save_checkpoint,
)
from latent_navigator.data import datasets
from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.training.config import TrainingConfig
from latent_navigator.training.resume import load_resumable


def write_idx(folder: Path, monkeypatch: pytest.MonkeyPatch, digits: LabelledImages) -> None:
    """Write the tests' digits as MNIST's four files, with matching checksums."""
    folder.mkdir(parents=True)
    files = {
        "train-images-idx3-ubyte": (0x803, digits.train_images),
        "train-labels-idx1-ubyte": (0x801, digits.train_labels),
        "t10k-images-idx3-ubyte": (0x803, digits.test_images),
        "t10k-labels-idx1-ubyte": (0x801, digits.test_labels),
    }
    sums = {}
    for name, (magic, tensor) in files.items():
        header = np.array([magic, *tensor.shape], dtype=">i4").tobytes()
        contents = header + tensor.numpy().astype(np.uint8).tobytes()
        (folder / name).write_bytes(contents)
        sums[name] = hashlib.sha256(contents).hexdigest()
    monkeypatch.setattr(datasets, "MNIST_SHA256", sums)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digits: LabelledImages) -> Path:
    folder = tmp_path / "MNIST" / "raw"
    write_idx(folder, monkeypatch, digits)
    return folder


@pytest.mark.usefixtures("folder")
def test_valid_files_are_read(tmp_path: Path, digits: LabelledImages) -> None:
    loaded = datasets.load_dataset("mnist", tmp_path)
    for found, expected in zip(loaded[:4], digits[:4], strict=True):
        assert found.dtype == expected.dtype
        assert (found == expected).all()


@pytest.mark.guarantee("datasets-checked")
@pytest.mark.parametrize("name", sorted(datasets.MNIST_SHA256))
def test_an_invalid_file_is_named(folder: Path, tmp_path: Path, name: str) -> None:
    path = folder / name
    damaged = bytearray(path.read_bytes())
    damaged[-1] = 255  # a label 255, or one white pixel
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match="not the official MNIST file") as caught:
        datasets.load_dataset("mnist", tmp_path)
    assert str(path) in str(caught.value)
    assert "delete it" in str(caught.value)


@pytest.mark.guarantee("datasets-checked")
def test_a_truncated_file_is_named(folder: Path, tmp_path: Path) -> None:
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match="train-images"):
        datasets.load_dataset("mnist", tmp_path)


@pytest.mark.guarantee("datasets-checked")
def test_an_invalid_archive_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """torchvision verifies the archive and tries to download it again, which fails here."""
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name in datasets.MNIST_SHA256:
        (folder / f"{name}.gz").write_bytes(gzip.compress(b"not digits"))
    monkeypatch.setattr("torchvision.datasets.MNIST.mirrors", [])
    with pytest.raises(OSError, match="could not be downloaded"):
        datasets.load_dataset("mnist", tmp_path)


@pytest.mark.guarantee("datasets-checked")
def test_a_failed_download_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> None:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    with pytest.raises(OSError, match=r"could not be downloaded.*connect to the network"):
        datasets.load_dataset("mnist", tmp_path)


@pytest.fixture
def kmnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digits: LabelledImages) -> Path:
    """The tests' digits as KMNIST's four archives and files, as torchvision stores them."""
    folder = tmp_path / "KMNIST" / "raw"
    write_idx(folder, monkeypatch, digits)
    resources = []
    for path in sorted(folder.iterdir()):
        packed = gzip.compress(path.read_bytes(), mtime=0)
        path.with_name(f"{path.name}.gz").write_bytes(packed)
        resources.append((f"{path.name}.gz", hashlib.md5(packed).hexdigest()))
    monkeypatch.setattr("torchvision.datasets.KMNIST.resources", resources)
    monkeypatch.setattr("torchvision.datasets.KMNIST.mirrors", [])
    return folder


@pytest.mark.guarantee("other-datasets")
@pytest.mark.usefixtures("kmnist")
def test_kmnist_is_read_with_its_class_names(tmp_path: Path, digits: LabelledImages) -> None:
    loaded = datasets.load_dataset("kmnist", tmp_path)
    assert (loaded.train_images == digits.train_images).all()
    assert loaded.class_names[:2] == ("o", "ki")


@pytest.mark.guarantee("datasets-checked")
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: bytes(len(data)),
        lambda data: data[:-1] + b"\xff",
        lambda data: b"\x00\x00\x09\x09" + data[4:],
    ],
    ids=["truncated", "zeroed", "label 255", "wrong magic"],
)
@pytest.mark.parametrize("name", sorted(datasets.MNIST_SHA256))
def test_an_extracted_file_must_match_its_archive(
    kmnist: Path, tmp_path: Path, name: str, damage: Callable[[bytes], bytes]
) -> None:
    path = kmnist / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"differs from the contents of .*; delete it") as caught:
        datasets.load_dataset("kmnist", tmp_path)
    assert str(path) in str(caught.value)


@pytest.mark.guarantee("datasets-checked")
def test_a_consistent_but_foreign_archive_is_named(kmnist: Path, tmp_path: Path) -> None:
    path = kmnist / "t10k-labels-idx1-ubyte"
    archive = path.with_suffix(".gz")
    path.write_bytes(path.read_bytes()[::-1])
    archive.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(ValueError, match="is not the official KMNIST archive") as caught:
        datasets.load_dataset("kmnist", tmp_path)
    assert str(archive) in str(caught.value)
    assert "run again" in str(caught.value)


@pytest.mark.guarantee("other-datasets")
@pytest.mark.parametrize(
    "names",
    [[], ["a"] * 10, ["a", ""], list("abcdefghijk"), ["x" * 500, *"abcdefghi"], [1, 2], "ab"],
)
def test_class_names_of_a_checkpoint_are_checked(
    tmp_path: Path, small_checkpoint: Checkpoint, names: object
) -> None:
    path = tmp_path / "vae.pt"
    save_checkpoint(path, dataclasses.replace(small_checkpoint, class_names=names))  # type: ignore[arg-type]
    with pytest.raises(CheckpointError, match="class_names"):
        load_checkpoint(path)


def test_a_run_without_a_data_set_name_is_resumed_as_mnist(
    tmp_path: Path, small_checkpoint: Checkpoint, small_config: TrainingConfig
) -> None:
    config = {k: v for k, v in small_checkpoint.training_config.items() if k != "dataset"}
    old = dataclasses.replace(small_checkpoint, training_config=config)
    save_checkpoint(tmp_path / "vae.pt", old)
    found = load_resumable(tmp_path / "vae.pt", old.model_config, small_config)
    assert len(found.history) == small_config.epochs
    assert found.dataset == "mnist"
    other = dataclasses.replace(small_config, dataset="kmnist")
    with pytest.raises(ValueError, match="dataset"):
        load_resumable(tmp_path / "vae.pt", old.model_config, other)
