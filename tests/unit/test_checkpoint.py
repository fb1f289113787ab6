"""Saving and loading checkpoints: what the loader rejects, and that no code in a file ever runs."""

import copy
import dataclasses
import os
import pickle
import re
import tracemalloc
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import torch
from torch import Tensor

from latent_navigator.checkpoint import archive, file_checks
from latent_navigator.checkpoint.checkpoint import (
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    save_checkpoint,
)
from tests.helpers import in_epochs, write_unchecked


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vae.pt"


def packed(data: bytes) -> Tensor:
    """The zlib stream of some bytes, as images are kept in the file."""
    return torch.frombuffer(bytearray(zlib.compress(data)), dtype=torch.uint8)


def assert_rejected(path: Path, *expected: str) -> None:
    """Loading fails with a message that has the path, these texts and a remedy."""
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    for text in (str(path), *expected):
        assert text in message
    assert message.count(";") >= 1, "no remedy"


def test_saved_checkpoint_is_loaded_unchanged(path: Path, small_checkpoint: Checkpoint) -> None:
    save_checkpoint(path, small_checkpoint)
    loaded = load_checkpoint(str(path))
    assert loaded.model_config == small_checkpoint.model_config
    assert loaded.training_config == small_checkpoint.training_config
    assert loaded.history == small_checkpoint.history
    assert loaded.class_names == list("0123456789")
    names = ("means", "logvars", "labels", "counts", "centroids", "prototypes", "images")
    for name in names:
        assert torch.equal(getattr(loaded, name), getattr(small_checkpoint, name))
    for found, saved in zip(loaded.snapshots, small_checkpoint.snapshots, strict=True):
        assert found.dtype == saved.dtype
        assert torch.equal(found, saved)
    z = torch.randn(5, 2)
    with torch.inference_mode():
        images = loaded.build_model().decode(z)
        assert torch.equal(images, small_checkpoint.build_model().decode(z))
    assert not list(path.parent.glob("*.tmp"))


def test_file_has_the_keys_of_format_3(path: Path, small_checkpoint: Checkpoint) -> None:
    save_checkpoint(path, small_checkpoint)
    contents = torch.load(path, weights_only=True)
    assert contents.keys() == {
        *("format_version", "model_config", "training_config", "weights", "history"),
        *("class_names", "means", "logvars", "labels", "counts", "centroids", "prototypes"),
        *("pictures", "replay", "training_state"),
    }
    assert contents["replay"].keys() == {"sample", "means", "grids", "reaches"}
    assert contents["format_version"] == 3


def test_grids_of_format_2_reach_to_3(path: Path, small_checkpoint: Checkpoint) -> None:
    save_checkpoint(path, small_checkpoint)
    replay = torch.load(path, weights_only=True)["replay"]
    del replay["reaches"]
    write_unchecked(path, small_checkpoint, format_version=2, replay=replay)
    sample, means, grids, reaches, _ = load_checkpoint(path).snapshots
    assert reaches.tolist() == [3.0] * len(means)
    assert torch.equal(grids, small_checkpoint.snapshots.grids)
    assert torch.equal(sample, small_checkpoint.snapshots.sample)


def test_a_file_of_ten_dimensions_says_what_it_reconstructs(
    path: Path, ten_checkpoint: Checkpoint
) -> None:
    save_checkpoint(path, ten_checkpoint)
    assert torch.load(path, weights_only=True)["replay"]["reconstructed"].shape == (81,)
    found = load_checkpoint(path).snapshots
    assert torch.equal(found.reconstructed, ten_checkpoint.snapshots.reconstructed)
    assert torch.equal(found.grids, ten_checkpoint.snapshots.grids)


def test_an_older_file_of_ten_dimensions_opens_without_reconstructions(
    path: Path, ten_checkpoint: Checkpoint
) -> None:
    save_checkpoint(path, ten_checkpoint)
    replay = torch.load(path, weights_only=True)["replay"]
    del replay["reconstructed"]
    write_unchecked(path, ten_checkpoint, replay=replay)
    assert load_checkpoint(path).snapshots.reconstructed.shape == (0,)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (None, "replay reconstructed is a NoneType"),
        (torch.zeros(80, dtype=torch.int64), "replay reconstructed is (80,)"),
        (torch.zeros(81), "replay reconstructed is (81,) torch.float32"),
        (torch.full((81,), -1), "replay reconstructed has rows outside the sample"),
        (torch.full((81,), 10**6), "replay reconstructed has rows outside the sample"),
    ],
)
def test_wrong_rows_to_reconstruct_are_rejected(
    path: Path, ten_checkpoint: Checkpoint, value: object, fault: str
) -> None:
    save_checkpoint(path, ten_checkpoint)
    replay = torch.load(path, weights_only=True)["replay"]
    write_unchecked(path, ten_checkpoint, replay=replay | {"reconstructed": value})
    with pytest.raises(CheckpointError, match=re.escape(fault)):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("reaches", "fault"),
    [
        ([3.0], "replay reaches is (1,)"),
        ([3.0, torch.nan], "replay reaches has values that are not finite"),
        ([3.0, torch.inf], "replay reaches has values that are not finite"),
        ([3.0, -3.0], "replay reaches are not within 3 ... 64"),
        ([0.0, 3.0], "replay reaches are not within 3 ... 64"),
        ([3.0, 1e9], "replay reaches are not within 3 ... 64"),
    ],
)
def test_invalid_reaches_are_named(
    path: Path, small_checkpoint: Checkpoint, reaches: list[float], fault: str
) -> None:
    changed = small_checkpoint.snapshots.reaches.clone()[: 1 if len(reaches) == 1 else None]
    changed[: len(reaches)] = torch.tensor(reaches)
    save_checkpoint(path, small_checkpoint)
    replay = torch.load(path, weights_only=True)["replay"]
    write_unchecked(path, small_checkpoint, replay=replay | {"reaches": changed})
    assert_rejected(path, fault)


def test_equal_checkpoints_give_equal_bytes(path: Path, small_checkpoint: Checkpoint) -> None:
    save_checkpoint(path, small_checkpoint)
    first = path.read_bytes()
    save_checkpoint(path, load_checkpoint(path))
    assert path.read_bytes() == first
    # As after a resumed run, whose history is loaded in part.
    loaded = load_checkpoint(path)
    history = [*loaded.history[:-1], dict(small_checkpoint.history[-1])]
    save_checkpoint(path, dataclasses.replace(loaded, history=history))
    assert path.read_bytes() == first


@pytest.mark.guarantee("broken-checkpoints-refused")
def test_missing_file_is_rejected(path: Path) -> None:
    assert_rejected(path, "no such file", "python trainer.py")


def test_folder_is_rejected(tmp_path: Path) -> None:
    assert_rejected(tmp_path, "folder")


@pytest.mark.guarantee("broken-checkpoints-refused")
@pytest.mark.parametrize(
    ("contents", "fault"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b"\n <html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n", "git lfs pull"),
        (b"not a checkpoint at all", "not a file written by torch.save"),
        (pickle.dumps({"a": 1}), "not a file written by torch.save"),
        (b"PK\x03\x04 and then nothing of a zip", "damaged"),
    ],
)
def test_other_kinds_of_files_are_recognised(path: Path, contents: bytes, fault: str) -> None:
    path.write_bytes(contents)
    assert_rejected(path, fault)


@pytest.mark.guarantee("broken-checkpoints-refused")
@pytest.mark.parametrize("share", [0.001, 0.3, 0.9, 0.9999])
def test_truncated_file_is_rejected(path: Path, small_checkpoint: Checkpoint, share: float) -> None:
    save_checkpoint(path, small_checkpoint)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert_rejected(path, "damaged")


@pytest.mark.guarantee("broken-checkpoints-refused")
def test_flipped_byte_is_rejected(path: Path, small_checkpoint: Checkpoint) -> None:
    save_checkpoint(path, small_checkpoint)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 0x10
    path.write_bytes(whole)
    assert_rejected(path, "damaged")


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self.folder,)


@pytest.mark.guarantee("broken-checkpoints-refused")
def test_code_in_a_file_never_runs(path: Path, tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    contents = {"format_version": 2, "weights": Trap(str(mark))}
    torch.save(contents, path)
    assert_rejected(path, "more than tensors and plain values")
    assert not mark.exists()
    # The trap works: without weights_only it runs.
    torch.load(path, weights_only=False)
    assert mark.exists()


def test_zip_without_a_checkpoint_is_rejected(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", "hello")
    assert_rejected(path, "damaged")


@pytest.mark.guarantee("archive-bombs-refused")
def test_zip_bomb_is_not_unpacked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_checks, "MAX_BYTES", 2**20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("archive/data.pkl", bytes(4 * 2**20))
    assert path.stat().st_size < 2**20

    def unpacked(*_: object, **__: object) -> None:
        raise AssertionError("it is unpacked")

    for name in ("zipfile.ZipFile.open", "torch.load"):
        monkeypatch.setattr(f"latent_navigator.checkpoint.archive.{name}", unpacked)
    # An AssertionError would be reported as damage without "(in archive)".
    assert_rejected(path, "it is damaged (in archive)")


def test_file_over_the_size_limit_is_rejected(
    path: Path, small_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint(path, small_checkpoint)
    monkeypatch.setattr(file_checks, "MAX_BYTES", 1000)
    assert_rejected(path, "over the limit of 1,000")


def test_other_objects_saved_by_torch_are_rejected(path: Path) -> None:
    torch.save([1, 2, 3], path)
    assert_rejected(path, "contains a list")


@pytest.mark.guarantee("broken-checkpoints-refused")
def test_newer_version_is_rejected(path: Path, small_checkpoint: Checkpoint) -> None:
    write_unchecked(path, small_checkpoint, format_version=99)
    assert_rejected(path, "format version 99", "update the program")


@pytest.mark.parametrize("version", [0, "1", None, 0.5, ...])
def test_unknown_version_is_rejected(
    path: Path, small_checkpoint: Checkpoint, version: object
) -> None:
    write_unchecked(path, small_checkpoint, format_version=version)
    assert_rejected(path, "format version is")


def test_missing_and_unknown_keys_are_named(path: Path, small_checkpoint: Checkpoint) -> None:
    write_unchecked(path, small_checkpoint, means=..., extra=1)
    assert_rejected(path, "missing ['means']", "unknown ['extra']")


@pytest.mark.guarantee("checkpoint-contents-validated")
@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"model_config": {"latent_dim": 0}}, "latent_dim is 0"),
        ({"model_config": {"latent_dim": 10**9}}, "latent_dim is 1000000000"),
        ({"model_config": {"unknown": 1}}, "unknown"),
        ({"model_config": None}, "NoneType"),
        ({"weights": {}}, "do not fit"),
        ({"weights": [1]}, "weights is a list, not a dictionary"),
        ({"weights": {1: 2}}, "weights has keys that are not strings"),
        ({"means": torch.zeros(3, 2)}, "means is (3, 2)"),
        ({"means": torch.full((200, 2), torch.nan)}, "means has values that are not finite"),
        ({"means": [[0.0, 0.0]] * 200}, "means is a list"),
        ({"logvars": torch.zeros(200, 2).double()}, "logvars is (200, 2) torch.float64"),
        ({"labels": torch.full((200,), 10)}, "labels are not in 0 ... 9"),
        ({"labels": torch.zeros(0, dtype=torch.int64)}, "means is"),
        ({"counts": torch.zeros(10, dtype=torch.int64)}, "counts do not agree"),
        ({"class_names": ["0"] * 9}, "class_names"),
        ({"history": []}, "history"),
        ({"history": [{"test_elbo": float("nan")}]}, "not finite"),
        ({"history": [{"test_elbo": 10**400}]}, "not finite"),
        ({"history": [{"epoch": 1, "beta": True}]}, "not finite"),
        ({"history": [{"epoch": 1, "beta": 1.0}]}, "history lacks train_recon, train_kl"),
        ({"training_config": 5}, "training_config"),
        ({"training_config": {"beta": "<b>"}}, "beta in training_config is not a number"),
        ({"training_config": {"warmup_epochs": float("nan")}}, "warmup_epochs in training_config"),
        ({"training_config": {"seed": None}}, "seed in training_config is not a number"),
        ({"training_config": {"dataset": ["mnist"]}}, "dataset in training_config is not a string"),
        ({"means": torch.full((200, 2), 1e30)}, "means lie 1e+30 from the origin"),
        ({"prototypes": torch.full((10, 2), 99.0)}, "prototypes lie beyond the means"),
        ({"centroids": torch.full((10, 2), -99.0)}, "centroids lie beyond the means"),
        ({"pictures": torch.zeros(200, 28, 28, dtype=torch.uint8)}, "pictures is not packed"),
        ({"pictures": torch.zeros(99, dtype=torch.uint8)}, "pictures does not unpack"),
        ({"pictures": packed(bytes(199 * 784))}, "pictures does not unpack to (200, 28, 28)"),
        ({"pictures": packed(bytes(300 * 784))}, "pictures does not unpack to (200, 28, 28)"),
        ({"pictures": None}, "pictures is not packed"),
        ({"replay": None}, "replay is a NoneType, not a dictionary"),
        ({"replay": {}}, "replay grids is not packed"),
        ({"training_state": [1]}, "training_state is a list, not a dictionary"),
    ],
)
def test_invalid_contents_are_named(
    path: Path, small_checkpoint: Checkpoint, changes: dict[str, object], fault: str
) -> None:
    write_unchecked(path, small_checkpoint, **changes)
    assert_rejected(path, fault)


@pytest.mark.guarantee("checkpoint-contents-validated")
@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"sample": torch.arange(201)[-1:]}, "outside the test set"),
        ({"sample": torch.tensor([-1])}, "outside the test set"),
        ({"sample": torch.zeros(0, dtype=torch.int64)}, "outside the test set"),
        ({"sample": [1, 2]}, "not a vector"),
        ({"means": torch.zeros(3, 2)}, "replay means is (3, 2)"),
        ({"extra": 1}, "extra"),
    ],
)
def test_invalid_snapshots_are_named(
    path: Path, small_checkpoint: Checkpoint, changes: dict[str, object], fault: str
) -> None:
    save_checkpoint(path, small_checkpoint)
    contents = torch.load(path, weights_only=True)
    contents["replay"].update(changes)
    torch.save(contents, path)
    assert_rejected(path, fault)


# One of each type that a file may contain.
ODD_VALUES: list[object] = [
    *(None, True, -1, 10**400, 0.5, float("nan"), "text", b"bytes", 1j, [], (), {}, set(), [None]),
    *(torch.zeros(2), torch.tensor(2), torch.tensor([]), torch.zeros(2).to_sparse()),
    *(torch.float32, torch.device("cpu"), torch.Size([1])),
    torch.nn.Parameter(torch.zeros(3)),
]


def paths_of_values(contents: object, depth: int = 3) -> list[tuple[object, ...]]:
    """Where the values of nested dictionaries and lists are; of a list only the first."""
    if depth and isinstance(contents, dict):
        items: list[tuple[object, object]] = list(contents.items())
    elif depth and isinstance(contents, list) and contents:
        items = [(0, contents[0])]
    else:
        return [()]
    below = [
        (key, *path) for key, value in items for path in paths_of_values(value, depth - 1) if path
    ]
    return [(), *((key,) for key, _ in items), *below]


def replaced(contents: Any, place: tuple[object, ...], value: object) -> Any:
    """A copy of nested dictionaries and lists with another value at one place."""
    if not place:
        return value
    changed = copy.copy(contents)
    changed[place[0]] = replaced(contents[place[0]], place[1:], value)
    return changed


@pytest.mark.guarantee("checkpoint-contents-validated")
@pytest.mark.slow
@pytest.mark.parametrize("odd", ODD_VALUES, ids=lambda odd: f"{type(odd).__name__} {odd!s:.12}")
def test_any_value_in_place_of_any_other_loads_or_is_rejected(
    path: Path, small_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch, odd: object
) -> None:
    save_checkpoint(path, in_epochs(small_checkpoint, 1))  # each loading unpacks the snapshots
    contents = torch.load(path, weights_only=True)
    places = [place for place in paths_of_values(contents) if place]
    assert {"format_version", "weights", "replay"} <= {place[0] for place in places}
    assert max(map(len, places)) == 3
    rejected = 0
    for place in places:
        changed = replaced(contents, place, odd)
        monkeypatch.setattr(archive, "read_archive", lambda _, found=changed: found)
        try:
            load_checkpoint(path)
        except CheckpointError as error:
            rejected += 1
            assert len(str(error)) < 1000, (place, str(error))
    assert rejected > len(places) / 2


@pytest.mark.slow
@pytest.mark.guarantee("archive-bombs-refused")
def test_images_that_would_unpack_to_gigabytes_are_not_unpacked(
    path: Path, small_checkpoint: Checkpoint
) -> None:
    write_unchecked(path, small_checkpoint, pictures=packed(bytes(2**29)))
    assert path.stat().st_size < 4 * 2**20
    tracemalloc.start()
    assert_rejected(path, "pictures does not unpack to (200, 28, 28)")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**26


@pytest.mark.guarantee("foreign-weights-explained")
@pytest.mark.parametrize("poison", [torch.nan, torch.inf])
def test_weights_that_are_not_finite_are_named(
    path: Path, small_checkpoint: Checkpoint, poison: float
) -> None:
    weights = {name: value.clone() for name, value in small_checkpoint.weights.items()}
    weights["decoder.out.weight"].view(-1)[0] = poison
    write_unchecked(path, small_checkpoint, weights=weights)
    assert_rejected(path, "decoder.out.weight has values that are not finite")


def test_weights_of_another_shape_or_type_are_named(
    path: Path, small_checkpoint: Checkpoint
) -> None:
    weights = dict(small_checkpoint.weights)
    weights["decoder.hidden.weight"] = torch.zeros(7, 2)
    write_unchecked(path, small_checkpoint, weights=weights)
    assert_rejected(path, "decoder.hidden.weight is (7, 2)")
    weights["decoder.hidden.weight"] = small_checkpoint.weights["decoder.hidden.weight"].half()
    write_unchecked(path, small_checkpoint, weights=weights)
    assert_rejected(path, "torch.float16")


@pytest.mark.guarantee("writes-are-atomic")
def test_file_is_written_completely_or_not_at_all(
    path: Path, small_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "disk full")

    save_checkpoint(path, small_checkpoint)
    before = path.read_bytes()
    for step in ("os.fsync", "pathlib.Path.replace"):
        with monkeypatch.context() as patch:
            patch.setattr(step, full)
            with pytest.raises(OSError, match="disk full"):
                save_checkpoint(path, small_checkpoint)
        assert path.read_bytes() == before
        assert [entry.name for entry in path.parent.iterdir()] == ["vae.pt"]


@pytest.mark.guarantee("writes-are-atomic")
def test_ctrl_c_while_saving_leaves_the_old_file(
    path: Path, small_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint(path, small_checkpoint)
    before = path.read_bytes()

    def interrupted(_contents: object, file: BinaryIO) -> None:
        file.write(b"half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(path, small_checkpoint)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["vae.pt"]
