"""Data sets: downloaded files are verified, folders of images are validated."""

import dataclasses
import gzip
import hashlib
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler
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
from latent_navigator.training.paths import RunPaths
from latent_navigator.training.resume import load_resumable
from tests.helpers import write_unchecked
from tests.unit.test_download import PATIENCE, Server
from tests.unit.test_download import server as server


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


@pytest.fixture
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digits: LabelledImages) -> Path:
    """MNIST's four archives on a server, as official as the files in them."""
    folder = tmp_path / "server" / "good"
    write_idx(folder, monkeypatch, digits)
    resources = []
    for path in sorted(folder.iterdir()):
        packed = gzip.compress(path.read_bytes(), 1, mtime=0)
        path.with_name(f"{path.name}.gz").write_bytes(packed)
        path.unlink()
        resources.append((f"{path.name}.gz", hashlib.md5(packed).hexdigest()))
    monkeypatch.setattr("torchvision.datasets.MNIST.resources", resources)
    return folder


@pytest.fixture
def mirrors(monkeypatch: pytest.MonkeyPatch, archives: Path, server: Server) -> list[str]:
    """The addresses of a server that refuses, and of one that has the archives."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(archives.parent))
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    server.RequestHandlerClass = handler
    address = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setattr("torchvision.datasets.MNIST.mirrors", [f"{address}/nowhere/"])
    monkeypatch.setitem(datasets.MORE_MIRRORS, "mnist", (f"{address}/good/",))
    return [f"{address}/nowhere/", f"{address}/good/"]


@pytest.mark.guarantee("downloads-end")
@pytest.mark.usefixtures("mirrors")
def test_what_is_missing_is_downloaded(
    tmp_path: Path, digits: LabelledImages, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    # Foreign archives, as of a download that ended early, are replaced.
    (raw / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"not labels"))
    loaded = datasets.load_dataset("mnist", tmp_path / "data", patience=PATIENCE)
    for found, expected in zip(loaded[:4], digits[:4], strict=True):
        assert (found == expected).all()
    assert capsys.readouterr().err.count("/good/") == 4
    again = datasets.load_dataset("mnist", tmp_path / "data", patience=PATIENCE)
    assert (again.train_images == digits.train_images).all()
    assert "Downloading" not in capsys.readouterr().err


@pytest.mark.guarantee("downloads-end")
def test_archives_put_in_place_by_hand_need_no_network(
    tmp_path: Path, archives: Path, digits: LabelledImages, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.parent.mkdir(parents=True)
    archives.rename(raw)
    loaded = datasets.load_dataset("mnist", tmp_path / "data", patience=PATIENCE)
    assert (loaded.test_images == digits.test_images).all()
    assert "Downloading" not in capsys.readouterr().err


@pytest.mark.guarantee("datasets-checked")
def test_a_failed_download_names_the_data_set_and_the_folder(
    tmp_path: Path, archives: Path, mirrors: list[str]
) -> None:
    for path in archives.iterdir():
        path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(OSError, match=r"^mnist: t10k-images-idx3-ubyte\.gz could not be") as caught:
        datasets.load_dataset("mnist", tmp_path / "data", patience=PATIENCE)
    message = str(caught.value)
    assert f"{mirrors[0]}t10k-images-idx3-ubyte.gz: status 404" in message
    assert f"{mirrors[1]}t10k-images-idx3-ubyte.gz: " in message
    assert message.endswith(f"copy them to {tmp_path / 'data' / 'MNIST' / 'raw'}")


@pytest.mark.guarantee("datasets-checked")
def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(OSError, match=r"nothing can be written to .*choose another --data-dir"):
        datasets.load_dataset("kmnist", tmp_path / "data", patience=PATIENCE)


@pytest.fixture
def kmnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digits: LabelledImages) -> Path:
    """The tests' digits as KMNIST's four archives and files, as torchvision stores them."""
    folder = tmp_path / "KMNIST" / "raw"
    write_idx(folder, monkeypatch, digits)
    resources = []
    for path in sorted(folder.iterdir()):
        packed = gzip.compress(path.read_bytes(), 1, mtime=0)
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
    archive.write_bytes(gzip.compress(path.read_bytes(), 1))
    with pytest.raises(ValueError, match="is not the official KMNIST archive") as caught:
        datasets.load_dataset("kmnist", tmp_path)
    assert str(archive) in str(caught.value)
    assert "run again" in str(caught.value)


@pytest.mark.guarantee("other-datasets")
@pytest.mark.parametrize(
    "names",
    [
        [],
        ["a"] * 10,
        ["a", ""],
        list("abcdefghijk"),
        ["x" * 500, *"abcdefghi"],
        [1, 2],
        "ab",
        ["a", " "],
    ],
)
def test_class_names_of_a_checkpoint_are_checked(
    tmp_path: Path, small_checkpoint: Checkpoint, names: object
) -> None:
    """What is not opened is not saved either, nor trained; see test_runs.py."""
    path = tmp_path / "vae.pt"
    write_unchecked(path, small_checkpoint, class_names=names)
    with pytest.raises(CheckpointError, match="class_names"):
        load_checkpoint(path)
    with pytest.raises(CheckpointError, match="class_names"):
        save_checkpoint(path, dataclasses.replace(small_checkpoint, class_names=names))  # type: ignore[arg-type]


def test_a_run_without_a_data_set_name_is_resumed_as_mnist(
    tmp_path: Path, small_checkpoint: Checkpoint, small_config: TrainingConfig
) -> None:
    config = {k: v for k, v in small_checkpoint.training_config.items() if k != "dataset"}
    old = dataclasses.replace(small_checkpoint, training_config=config)
    save_checkpoint(tmp_path / "vae.pt", old)
    found = load_resumable(RunPaths(tmp_path / "vae.pt"), old.model_config, small_config)
    assert len(found.history) == small_config.epochs
    assert found.dataset == "mnist"
    other = dataclasses.replace(small_config, dataset="kmnist")
    with pytest.raises(ValueError, match="dataset"):
        load_resumable(RunPaths(tmp_path / "vae.pt"), old.model_config, other)
