"""What the loader refuses, and that nothing in a file is ever run."""

import os
import pickle
import tracemalloc
import zipfile
import zlib

import pytest
import torch

from latent_navigator.checkpoint import checkpoint as checkpoints
from latent_navigator.checkpoint.checkpoint import CheckpointError, load_checkpoint, save_checkpoint


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vae.pt"


def write_changed(path, good, **changes):
    save_checkpoint(path, good)
    contents = torch.load(path, weights_only=True)
    contents.update(changes)
    torch.save({key: v for key, v in contents.items() if v is not ...}, path)


def packed(data):
    return torch.frombuffer(bytearray(zlib.compress(data)), dtype=torch.uint8)


def assert_refused(path, *expected: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    for text in (str(path), *expected):
        assert text in message
    assert message.count(";") >= 1, "no remedy"


def test_what_is_saved_is_loaded(path, small_checkpoint):
    save_checkpoint(path, small_checkpoint)
    loaded = load_checkpoint(str(path))
    assert loaded.model_config == small_checkpoint.model_config
    assert loaded.training_config == small_checkpoint.training_config
    assert loaded.history == small_checkpoint.history
    assert loaded.class_names == list("0123456789")
    names = ("means", "logvars", "labels", "counts", "centroids", "prototypes", "pictures")
    for name in names:
        assert torch.equal(getattr(loaded, name), getattr(small_checkpoint, name))
    for kept, made in zip(loaded.replay, small_checkpoint.replay, strict=True):
        assert kept.dtype == made.dtype and torch.equal(kept, made)
    z = torch.randn(5, 2)
    with torch.inference_mode():
        pictures = loaded.build_model().decode(z)
        assert torch.equal(pictures, small_checkpoint.build_model().decode(z))
    assert not list(path.parent.glob("*.tmp"))


@pytest.mark.guarantee("broken-checkpoints-refused")
def test_missing(path):
    assert_refused(path, "no such file", "python trainer.py")


def test_a_folder(tmp_path):
    assert_refused(tmp_path, "folder")


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
def test_files_that_are_something_else(path, contents, fault):
    path.write_bytes(contents)
    assert_refused(path, fault)


@pytest.mark.guarantee("broken-checkpoints-refused")
@pytest.mark.parametrize("kept", [0.001, 0.3, 0.9, 0.9999])
def test_truncated(path, small_checkpoint, kept):
    save_checkpoint(path, small_checkpoint)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    assert_refused(path, "damaged")


@pytest.mark.guarantee("broken-checkpoints-refused")
def test_a_flipped_byte(path, small_checkpoint):
    save_checkpoint(path, small_checkpoint)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 0x10
    path.write_bytes(whole)
    assert_refused(path, "damaged")


class Trap:
    """Unpickled, it would leave a file behind."""

    def __init__(self, mark: str):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (self.mark,)


@pytest.mark.guarantee("broken-checkpoints-refused")
def test_code_in_the_file_is_never_run(path, tmp_path, small_checkpoint):
    mark = tmp_path / "executed"
    contents = {"format_version": 2, "weights": Trap(str(mark))}
    torch.save(contents, path)
    assert_refused(path, "more than tensors and plain values")
    assert not mark.exists()
    # The trap is live: the same file read with trust does run it.
    torch.load(path, weights_only=False)
    assert mark.exists()


def test_a_zip_without_a_checkpoint(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert_refused(path, "damaged")


@pytest.mark.guarantee("archive-bombs-refused")
def test_a_zip_that_would_unpack_to_gigabytes(path, monkeypatch):
    monkeypatch.setattr(checkpoints, "MAX_BYTES", 2**20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(4 * 2**20))
    assert path.stat().st_size < 2**20

    def unpacked(*_, **__):
        raise AssertionError("it is unpacked")

    for name in ("zipfile.ZipFile.open", "torch.load"):
        monkeypatch.setattr(f"latent_navigator.checkpoint.checkpoint.{name}", unpacked)
    # _read takes any error of the readers for damage, this one too.
    assert_refused(path, "it is damaged (in archive)")


def test_a_file_over_the_limit(path, small_checkpoint, monkeypatch):
    save_checkpoint(path, small_checkpoint)
    monkeypatch.setattr(checkpoints, "MAX_BYTES", 1000)
    assert_refused(path, "over the limit of 1,000")


def test_something_else_saved_by_torch(path):
    torch.save([1, 2, 3], path)
    assert_refused(path, "holds a list")


@pytest.mark.guarantee("broken-checkpoints-refused")
def test_a_newer_version(path, small_checkpoint):
    write_changed(path, small_checkpoint, format_version=99)
    assert_refused(path, "format version 99", "update the program")


@pytest.mark.parametrize("version", [0, "1", None, 0.5, ...])
def test_an_unknown_version(path, small_checkpoint, version):
    write_changed(path, small_checkpoint, format_version=version)
    assert_refused(path, "format version is")


def test_missing_and_unknown_keys(path, small_checkpoint):
    write_changed(path, small_checkpoint, means=..., extra=1)
    assert_refused(path, "missing ['means']", "unknown ['extra']")


@pytest.mark.guarantee("checkpoint-contents-validated")
@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"model_config": {"latent_dim": 0}}, "latent_dim is 0"),
        ({"model_config": {"latent_dim": 10**9}}, "latent_dim is 1000000000"),
        ({"model_config": {"unknown": 1}}, "unknown"),
        ({"model_config": None}, "NoneType"),
        ({"weights": {}}, "do not fit"),
        ({"weights": [1]}, "not a dictionary"),
        ({"means": torch.zeros(3, 2)}, "means is (3, 2)"),
        ({"means": torch.full((200, 2), torch.nan)}, "means holds values that are not finite"),
        ({"means": [[0.0, 0.0]] * 200}, "means is a list"),
        ({"logvars": torch.zeros(200, 2).double()}, "logvars is (200, 2) torch.float64"),
        ({"labels": torch.full((200,), 10)}, "digits 0 ... 9"),
        ({"labels": torch.zeros(0, dtype=torch.int64)}, "means is"),
        ({"counts": torch.zeros(10, dtype=torch.int64)}, "counts do not agree"),
        ({"class_names": ["0"] * 9}, "class_names"),
        ({"history": []}, "history"),
        ({"history": [{"test_elbo": float("nan")}]}, "not finite"),
        ({"history": [{"test_elbo": 10**400}]}, "not finite"),
        ({"history": [{"epoch": 1, "beta": True}]}, "not finite"),
        ({"history": [{"epoch": 1, "beta": 1.0}]}, "does not tell of train_recon, train_kl"),
        ({"training_config": 5}, "training_config"),
        ({"training_config": {"beta": "<b>"}}, "beta of its training is not a number"),
        ({"training_config": {"warmup_epochs": float("nan")}}, "warmup_epochs of its training"),
        ({"training_config": {"seed": None}}, "seed of its training is not a number"),
        ({"training_config": {"dataset": ["mnist"]}}, "dataset of its training is not a text"),
        ({"means": torch.full((200, 2), 1e30)}, "means lie 1e+30 from the centre"),
        ({"prototypes": torch.full((10, 2), 99.0)}, "prototypes lie beyond the means"),
        ({"centroids": torch.full((10, 2), -99.0)}, "centroids lie beyond the means"),
        ({"pictures": torch.zeros(200, 28, 28, dtype=torch.uint8)}, "pictures is not packed"),
        ({"pictures": torch.zeros(99, dtype=torch.uint8)}, "pictures does not unpack"),
        ({"pictures": packed(bytes(199 * 784))}, "pictures does not unpack to (200, 28, 28)"),
        ({"pictures": packed(bytes(300 * 784))}, "pictures does not unpack to (200, 28, 28)"),
        ({"pictures": None}, "pictures is not packed"),
        ({"replay": None}, "replay is not a dictionary"),
        ({"replay": {}}, "replay grids is not packed"),
    ],
)
def test_wrong_contents_are_named(path, small_checkpoint, changes, fault):
    write_changed(path, small_checkpoint, **changes)
    assert_refused(path, fault)


@pytest.mark.guarantee("checkpoint-contents-validated")
@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"sample": torch.arange(201)[-1:]}, "not of the test digits"),
        ({"sample": torch.tensor([-1])}, "not of the test digits"),
        ({"sample": torch.zeros(0, dtype=torch.int64)}, "not of the test digits"),
        ({"sample": [1, 2]}, "not a vector"),
        ({"means": torch.zeros(3, 2)}, "replay means is (3, 2)"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_wrong_replay_is_named(path, small_checkpoint, changes, fault):
    save_checkpoint(path, small_checkpoint)
    contents = torch.load(path, weights_only=True)
    contents["replay"].update(changes)
    torch.save(contents, path)
    assert_refused(path, fault)


@pytest.mark.guarantee("archive-bombs-refused")
def test_pictures_that_would_unpack_to_gigabytes_are_not_unpacked(path, small_checkpoint):
    write_changed(path, small_checkpoint, pictures=packed(bytes(2**30)))
    assert path.stat().st_size < 4 * 2**20
    tracemalloc.start()
    assert_refused(path, "pictures does not unpack to (200, 28, 28)")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**26


@pytest.mark.guarantee("foreign-weights-explained")
@pytest.mark.parametrize("poison", [torch.nan, torch.inf])
def test_weights_that_are_not_finite(path, small_checkpoint, poison):
    weights = {name: value.clone() for name, value in small_checkpoint.weights.items()}
    weights["decoder.out.weight"].view(-1)[0] = poison
    write_changed(path, small_checkpoint, weights=weights)
    assert_refused(path, "decoder.out.weight holds values that are not finite")


def test_weights_of_another_shape_or_type(path, small_checkpoint):
    weights = dict(small_checkpoint.weights)
    weights["decoder.hidden.weight"] = torch.zeros(7, 2)
    write_changed(path, small_checkpoint, weights=weights)
    assert_refused(path, "decoder.hidden.weight is (7, 2)")
    weights["decoder.hidden.weight"] = small_checkpoint.weights["decoder.hidden.weight"].half()
    write_changed(path, small_checkpoint, weights=weights)
    assert_refused(path, "torch.float16")


@pytest.mark.guarantee("writes-are-atomic")
def test_saving_is_whole_or_not_at_all(path, small_checkpoint, monkeypatch):
    save_checkpoint(path, small_checkpoint)
    before = path.read_bytes()
    for moment in ("fsync", "replace"):
        with monkeypatch.context() as broken:
            broken.setattr(os, moment, lambda *_: (_ for _ in ()).throw(OSError(28, "disk full")))
            with pytest.raises(OSError, match="disk full"):
                save_checkpoint(path, small_checkpoint)
        assert path.read_bytes() == before
        assert [entry.name for entry in path.parent.iterdir()] == ["vae.pt"]


@pytest.mark.guarantee("writes-are-atomic")
def test_ctrl_c_while_saving_leaves_the_old_file(path, small_checkpoint, monkeypatch):
    save_checkpoint(path, small_checkpoint)
    before = path.read_bytes()

    def interrupted(contents, file):
        file.write(b"half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(path, small_checkpoint)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["vae.pt"]
