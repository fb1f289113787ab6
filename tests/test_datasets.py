"""The four files of MNIST are checked before they are believed."""

import gzip
import hashlib
import urllib.error

import numpy as np
import pytest
from PIL import Image

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


@pytest.fixture
def kmnist(tmp_path, monkeypatch, digits):
    """KMNIST's four archives and files, as torchvision leaves them, from the tests' digits."""
    folder = tmp_path / "KMNIST" / "raw"
    write_idx(folder, monkeypatch, digits)
    resources = []
    for path in sorted(folder.iterdir()):
        packed = gzip.compress(path.read_bytes(), mtime=0)
        path.with_name(f"{path.name}.gz").write_bytes(packed)
        resources.append((f"{path.name}.gz", hashlib.md5(packed).hexdigest()))
    monkeypatch.setattr(datasets.KMNIST, "resources", resources)
    monkeypatch.setattr(datasets.KMNIST, "mirrors", [])
    return folder


def test_kmnist_is_read_with_its_names(kmnist, tmp_path, digits):
    loaded = datasets.load_dataset("kmnist", tmp_path)
    assert (loaded.train_images == digits.train_images).all()
    assert loaded.class_names[:2] == ("o", "ki")


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
@pytest.mark.parametrize("name", sorted(datasets.SHA256))
def test_an_extracted_file_is_what_its_archive_holds(kmnist, tmp_path, name, damage):
    path = kmnist / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="is not what .* holds; delete it") as caught:
        datasets.load_dataset("kmnist", tmp_path)
    assert str(path) in str(caught.value)


def write_folder(path, digits, classes=("bag", "ankle boot", "coat")):
    for label, name in enumerate(classes):
        (path / name).mkdir(parents=True)
        for i in range(102):
            picture = digits.train_images[(label * 102 + i) % 500].numpy()
            Image.fromarray(picture).save(path / name / f"{i}.png")


def test_a_folder_holds_out_every_sixth_picture(tmp_path, digits):
    write_folder(tmp_path, digits)
    (tmp_path / ".hidden").mkdir()
    loaded = datasets.load_dataset(str(tmp_path), "nowhere")
    assert loaded.class_names == ("ankle boot", "bag", "coat")
    assert len(loaded.test_labels) == 51 and len(loaded.train_labels) == 255
    assert (loaded.train_images[85] == digits.train_images[0]).all()


@pytest.mark.parametrize("classes", [(), ("one",), tuple("abcdefghijk")])
def test_a_folder_of_too_few_or_many_classes_is_named(tmp_path, classes):
    for name in classes:
        (tmp_path / name).mkdir()
    with pytest.raises(ValueError, match="class") as caught:
        datasets.load_dataset(str(tmp_path), "nowhere")
    assert str(tmp_path) in str(caught.value)


def test_a_broken_picture_is_named(tmp_path, digits):
    write_folder(tmp_path, digits)
    path = tmp_path / "coat" / "3.png"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="damaged") as caught:
        datasets.load_dataset(str(tmp_path), "nowhere")
    assert str(path) in str(caught.value)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ValueError, match="an existing folder"):
        datasets.load_dataset(str(tmp_path / "nowhere"), "nowhere")
