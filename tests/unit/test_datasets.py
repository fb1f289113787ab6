"""Data sets: downloaded files are verified, folders of images are validated."""

import dataclasses
import gzip
import hashlib
import urllib.error
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latent_navigator.checkpoint.checkpoint import (
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    save_checkpoint,
)
from latent_navigator.data import datasets
from latent_navigator.data.image_folder import read_28x28
from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.training.config import TrainingConfig
from latent_navigator.training.paths import RunPaths
from latent_navigator.training.resume import load_resumable
from tests.helpers import write_unchecked


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


def write_folder(
    path: Path, digits: LabelledImages, classes: Sequence[str] = ("bag", "ankle boot", "coat")
) -> None:
    """Write a folder for each class, with 102 images each."""
    for label, name in enumerate(classes):
        (path / name).mkdir(parents=True)
        for i in range(102):
            image = digits.train_images[(label * 102 + i) % 500].numpy()
            Image.fromarray(image).save(path / name / f"{i}.png")


@pytest.mark.guarantee("other-datasets")
def test_every_sixth_image_of_a_folder_is_a_test_image(
    tmp_path: Path, digits: LabelledImages
) -> None:
    write_folder(tmp_path, digits)
    (tmp_path / ".hidden").mkdir()
    loaded = datasets.load_dataset(str(tmp_path), "nowhere")
    assert loaded.class_names == ("ankle boot", "bag", "coat")
    assert len(loaded.test_labels) == 51
    assert len(loaded.train_labels) == 255
    assert (loaded.train_images[85] == digits.train_images[0]).all()


@pytest.mark.guarantee("datasets-checked")
def test_too_few_test_images_are_named(tmp_path: Path, digits: LabelledImages) -> None:
    write_folder(tmp_path, digits)  # 17 test images of each of three classes
    for file in tmp_path.glob("*/*.png"):
        if int(file.stem) >= 90:
            file.unlink()
    with pytest.raises(ValueError, match="45 images for testing; the map needs 50"):
        datasets.load_dataset(str(tmp_path), "nowhere")


@pytest.mark.parametrize("classes", [(), ("one",), tuple("abcdefghijk")])
def test_too_few_or_too_many_classes_are_named(tmp_path: Path, classes: tuple[str, ...]) -> None:
    for name in classes:
        (tmp_path / name).mkdir()
    with pytest.raises(ValueError, match="class") as caught:
        datasets.load_dataset(str(tmp_path), "nowhere")
    assert str(tmp_path) in str(caught.value)


@pytest.mark.guarantee("datasets-checked")
def test_a_damaged_image_is_named(tmp_path: Path, digits: LabelledImages) -> None:
    write_folder(tmp_path, digits)
    path = tmp_path / "coat" / "3.png"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="damaged") as caught:
        datasets.load_dataset(str(tmp_path), "nowhere")
    assert str(path) in str(caught.value)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="an existing folder"):
        datasets.load_dataset(str(tmp_path / "nowhere"), "nowhere")


def test_a_folder_can_have_its_own_split(tmp_path: Path, digits: LabelledImages) -> None:
    write_folder(tmp_path / "train", digits, ("bag", "coat"))
    write_folder(tmp_path / "test", digits, ("bag", "coat"))
    for file in list((tmp_path / "test").rglob("*.png"))[::2]:
        file.unlink()
    loaded = datasets.load_dataset(str(tmp_path), "nowhere")
    assert len(loaded.train_labels) == 204
    assert len(loaded.test_labels) == 102
    write_folder(tmp_path / "test", digits, ("hat",))
    with pytest.raises(ValueError, match=r"different classes \(hat\)"):
        datasets.load_dataset(str(tmp_path), "nowhere")


@pytest.mark.guarantee("datasets-checked")
def test_an_empty_class_and_a_small_one_are_named(tmp_path: Path, digits: LabelledImages) -> None:
    write_folder(tmp_path, digits)
    for i in range(102):
        (tmp_path / "coat" / f"{i}.png").unlink()
    with pytest.raises(ValueError, match="coat has no images"):
        datasets.load_dataset(str(tmp_path), "nowhere")
    Image.new("L", (28, 28)).save(tmp_path / "coat" / "one.png")
    with pytest.raises(ValueError, match="the class coat has 1 images for training"):
        datasets.load_dataset(str(tmp_path), "nowhere")


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "I;16"])
def test_images_of_other_sizes_are_scaled_and_padded(tmp_path: Path, mode: str) -> None:
    """A white bar on an image of 100 x 200, which is scaled to 14 x 28 and padded."""
    tall = Image.new("L", (100, 200), 0)
    tall.paste(255, (20, 40, 80, 160))
    image = Image.new("I;16", tall.size, 0) if mode == "I;16" else tall.convert(mode)
    if mode == "I;16":
        image.paste(65535, (20, 40, 80, 160))
    image.save(tmp_path / "bar.png")
    pixels = read_28x28(tmp_path / "bar.png")
    assert pixels.shape == (28, 28)
    assert pixels.dtype == np.uint8
    assert pixels[:, :7].max() == 0
    assert pixels[:, 21:].max() == 0
    assert pixels[14, 14] == 255
    rows, columns = np.flatnonzero(pixels.max(1) > 127), np.flatnonzero(pixels.max(0) > 127)
    assert abs(np.ptp(rows) + 1 - 17) <= 1
    assert abs(np.ptp(columns) + 1 - 8) <= 1


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
