"""The four files of MNIST are checked before they are believed."""

import gzip
import hashlib
import urllib.error

import numpy as np
import pytest

import datasets


def write_idx(folder, monkeypatch, digits) -> None:
    """The digits that ship with the tests as MNIST's four files, with sums to match."""
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
    monkeypatch.setattr(datasets, "SHA256", sums)


@pytest.fixture
def folder(tmp_path, monkeypatch, digits):
    folder = tmp_path / "MNIST" / "raw"
    write_idx(folder, monkeypatch, digits)
    return folder


def test_the_right_files_are_read(folder, tmp_path, digits):
    loaded = datasets.load_dataset("mnist", tmp_path)
    for ours, theirs in zip(loaded[:4], digits[:4], strict=True):
        assert ours.dtype == theirs.dtype and (ours == theirs).all()


@pytest.mark.parametrize("name", sorted(datasets.SHA256))
def test_a_wrong_file_is_named(folder, tmp_path, name):
    path = folder / name
    damaged = bytearray(path.read_bytes())
    damaged[-1] = 255  # a label 255, or one white pixel
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match="not the official MNIST file") as caught:
        datasets.load_dataset("mnist", tmp_path)
    assert str(path) in str(caught.value) and "delete it" in str(caught.value)


def test_a_truncated_file_is_named(folder, tmp_path):
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match="train-images"):
        datasets.load_dataset("mnist", tmp_path)


def test_a_wrong_archive_does_not_pass(tmp_path, monkeypatch):
    """torchvision compares the archive's sum, and would fetch it anew: here, from nowhere."""
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name in datasets.SHA256:
        (folder / f"{name}.gz").write_bytes(gzip.compress(b"not digits"))
    monkeypatch.setattr(datasets.MNIST, "mirrors", [])
    with pytest.raises(OSError, match="could not be downloaded"):
        datasets.load_dataset("mnist", tmp_path)


def test_offline_is_one_clear_sentence(tmp_path, monkeypatch):
    def unreachable(*_):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    with pytest.raises(OSError, match="could not be downloaded.*connect to the network"):
        datasets.load_dataset("mnist", tmp_path)
