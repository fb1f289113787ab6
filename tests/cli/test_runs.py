"""A training run never destroys what another one has left, and never mixes two data sets."""

import contextlib
import os
import shutil
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from PIL import Image

import trainer
from latent_navigator.checkpoint.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.training import runner
from tests.cli.small_trainer import SmallTrainer, start_process
from tests.helpers import HANG, wait_until, write_unchecked
from tests.small import read_digits

THREE = ("--epochs", "3")


@contextlib.contextmanager
def stopped_in_epoch(number: int) -> Iterator[None]:
    """Ctrl-C at the start of that epoch."""
    train_epoch = trainer.train_epoch

    def interrupted(*arguments: Any) -> tuple[float, float]:
        if arguments[3] == number - 1:
            raise KeyboardInterrupt
        return train_epoch(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "train_epoch", interrupted)
        yield


@pytest.fixture
def no_training(small_trainer: SmallTrainer, monkeypatch: pytest.MonkeyPatch) -> SmallTrainer:
    """A trainer that must find its fault before it reads any data."""

    def load_dataset(*_: object, **__: object) -> LabelledImages:
        raise AssertionError("the training starts")

    monkeypatch.setattr(runner, "load_dataset", load_dataset)
    return small_trainer


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def unfinished(small_trainer: SmallTrainer, tmp_path: Path) -> SmallTrainer:
    """A trainer in whose folder two of three epochs are kept."""
    with stopped_in_epoch(3):
        status, stdout, _ = small_trainer(*THREE)
    assert status == 130
    assert "epochs 1 to 2 are saved in vae.pt.resume" in stdout
    assert contents(tmp_path).keys() == {"vae.pt.resume"}
    return small_trainer


# --- several runs in one folder ---


@pytest.mark.guarantee("runs-kept-apart")
def test_runs_whose_names_differ_after_a_dot_keep_all_their_files(
    small_trainer: SmallTrainer, tmp_path: Path
) -> None:
    outputs = {"vae.beta0.1": "0.1", "vae.beta0.5": "0.5", "vae.pt": "1", "vae.pth": "2"}
    for name, beta in outputs.items():
        with stopped_in_epoch(2):
            assert small_trainer("--epochs", "2", "--output", name, "--beta", beta)[0] == 130
    for name, beta in outputs.items():
        options = ("--epochs", "2", "--output", name, "--beta", beta, "--resume")
        assert small_trainer(*options)[0] == 0
    records = {f"{name}{end}" for name in outputs for end in ("", ".metrics.json", ".curves.png")}
    assert contents(tmp_path).keys() == records
    for name, beta in outputs.items():
        assert load_checkpoint(tmp_path / name).training_config["beta"] == float(beta)
        assert f'"beta": {float(beta)}' in (tmp_path / f"{name}.metrics.json").read_text()


@pytest.mark.guarantee("runs-kept-apart")
@pytest.mark.parametrize("name", ["vae.pt.metrics.json", "vae.pt.curves.png", "vae.pt.resume"])
def test_name_of_a_record_is_refused_before_training(
    no_training: SmallTrainer, name: str, tmp_path: Path
) -> None:
    assert "choose another --output" in no_training.error("--output", f"x/{name}")
    assert list(tmp_path.iterdir()) == []


# --- what is there already ---


@pytest.mark.guarantee("unfinished-runs-kept")
def test_unfinished_run_is_never_replaced_by_accident(
    unfinished: SmallTrainer, tmp_path: Path
) -> None:
    before = contents(tmp_path)
    for options in (THREE, ("--epochs", "1"), (*THREE, "--seed", "7")):
        line = unfinished.error(*options)
        assert "epochs 1 to 2 of an unfinished run are saved in vae.pt.resume" in line
        assert "--resume to continue it, or --discard to start over" in line
        assert contents(tmp_path) == before
    with pytest.raises(SystemExit):
        unfinished(*THREE, "--resume", "--discard")
    assert contents(tmp_path) == before


@pytest.mark.guarantee("unfinished-runs-kept")
def test_discard_starts_over_and_the_next_command_only_resumes(
    unfinished: SmallTrainer, tmp_path: Path
) -> None:
    with stopped_in_epoch(1):
        status, stdout, _ = unfinished(*THREE, "--seed", "7", "--discard")
    assert status == 130
    assert "nothing is saved" in stdout
    assert contents(tmp_path) == {}
    with stopped_in_epoch(2):
        _, stdout, _ = unfinished(*THREE, "--seed", "7", "--disc")
    command = stdout.splitlines()[-1]
    assert command.endswith("--seed 7 --resume")
    assert "--disc" not in command
    assert unfinished(*THREE, "--seed", "7", "--resume")[0] == 0
    assert load_checkpoint(tmp_path / "vae.pt").training_config["seed"] == 7


@pytest.mark.guarantee("unfinished-runs-kept")
def test_run_that_cannot_start_discards_nothing(
    unfinished: SmallTrainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(tmp_path)

    def load_dataset(*_: object, **__: object) -> LabelledImages:
        raise ValueError("the data is damaged; restore it")

    monkeypatch.setattr(runner, "load_dataset", load_dataset)
    assert "the data is damaged" in unfinished.error(*THREE, "--discard")
    assert contents(tmp_path) == before


@pytest.mark.guarantee("unfinished-runs-kept")
def test_state_of_version_0_1_is_named(unfinished: SmallTrainer, tmp_path: Path) -> None:
    old = tmp_path / "vae.resume.pt"
    (tmp_path / "vae.pt.resume").rename(old)
    line = unfinished.error(*THREE, "--resume")
    assert "the state of a run in vae.resume.pt" in line
    assert "rename the file to vae.pt.resume" in line
    old.rename(tmp_path / "vae.pt.resume")
    assert unfinished(*THREE, "--resume")[0] == 0


@pytest.mark.guarantee("unfinished-runs-kept")
def test_finished_checkpoint_stays_until_the_next_is_complete(
    small_trainer: SmallTrainer, tmp_path: Path, small_checkpoint: Checkpoint
) -> None:
    save_checkpoint(tmp_path / "vae.pt", small_checkpoint)
    before = contents(tmp_path)
    with stopped_in_epoch(2):
        status, stdout, _ = small_trainer("--epochs", "2")
    assert status == 130
    assert "vae.pt stays as it is until the finished run replaces it." in stdout
    assert contents(tmp_path)["vae.pt"] == before["vae.pt"]
    assert small_trainer("--epochs", "2", "--resume")[0] == 0
    assert len(load_checkpoint(tmp_path / "vae.pt").history) == 2


@pytest.mark.guarantee("unfinished-runs-kept")
def test_file_that_is_no_checkpoint_is_not_replaced(
    no_training: SmallTrainer, tmp_path: Path
) -> None:
    for name, data in (("notes.txt", b"months of work"), ("archive.zip", b"PK\x03\x04...")):
        (tmp_path / name).write_bytes(data)
        line = no_training.error("--output", name)
        assert f"{name} exists and is not a checkpoint" in line
        assert "--discard to replace it" in line
        assert (tmp_path / name).read_bytes() == data


@pytest.mark.guarantee("unfinished-runs-kept")
def test_damaged_state_is_not_replaced(no_training: SmallTrainer, tmp_path: Path) -> None:
    (tmp_path / "vae.pt.resume").write_bytes(b"PK\x03\x04 and no more")
    line = no_training.error(*THREE)
    assert "vae.pt.resume: it is damaged" in line
    assert "add --discard" in line
    assert contents(tmp_path) == {"vae.pt.resume": b"PK\x03\x04 and no more"}


# --- where it writes ---


@pytest.mark.guarantee("output-checked-before-training")
def test_device_and_pipe_are_refused_before_training(
    no_training: SmallTrainer, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "'/dev/null', a device" in no_training.error("--output", "/dev/null")
    assert "'pipe', a pipe" in no_training.error("--output", "pipe")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@pytest.mark.guarantee("output-checked-before-training")
def test_target_of_a_link_is_written_and_the_link_stays(
    small_trainer: SmallTrainer, tmp_path: Path
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "latest.pt").symlink_to(Path("real") / "vae.pt")
    status, stdout, _ = small_trainer("--epochs", "1", "--output", "latest.pt")
    assert status == 0
    assert f"Saved {tmp_path / 'real' / 'vae.pt'}" in stdout
    assert (tmp_path / "latest.pt").is_symlink()
    assert len(load_checkpoint(tmp_path / "latest.pt").history) == 1
    records = {"vae.pt", "vae.pt.metrics.json", "vae.pt.curves.png"}
    assert contents(tmp_path / "real").keys() == records


@pytest.mark.guarantee("output-checked-before-training")
def test_name_too_long_for_a_record_is_found_before_training(no_training: SmallTrainer) -> None:
    line = no_training.error("--output", "x" * 240)
    assert "cannot be written (File name too long); choose another --output" in line


@pytest.mark.guarantee("output-checked-before-training")
def test_full_disk_is_found_before_training(
    small_trainer: SmallTrainer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: Usage(2**20))
    line = small_trainer.error(*THREE)
    assert ". has 1 MiB free, and up to " in line
    assert "free some space or choose another --output" in line
    assert list(tmp_path.iterdir()) == []


# --- two runs at once ---


@pytest.mark.guarantee("one-run-per-output")
def test_second_run_is_refused_while_the_first_lives(
    small_trainer: SmallTrainer, tmp_path: Path
) -> None:
    (tmp_path / "same.pt").symlink_to("vae.pt")
    process = start_process(tmp_path, "--epochs", "4000")
    state = tmp_path / "vae.pt.resume"
    try:
        wait_until(lambda: state.exists() or process.poll() is not None)
        assert process.poll() is None
        for options in ((), ("--discard",), ("--resume",), ("--output", "same.pt")):
            line = small_trainer.error("--epochs", "4000", *options)
            assert "another run is writing" in line
            assert "vae.pt; wait until it has ended, or choose another --output" in line
        assert small_trainer("--epochs", "1", "--output", "other.pt")[0] == 0
        assert process.poll() is None
        process.kill()  # as kill -9: nothing in the program can clean up
        process.communicate()
        assert (tmp_path / "vae.pt.lock").exists()
        with stopped_in_epoch(len(load_checkpoint(state).history) + 1):
            status, stdout, _ = small_trainer("--epochs", "4000", "--resume")
        assert (status, "are saved in vae.pt.resume" in stdout) == (130, True)
        assert not (tmp_path / "vae.pt.lock").exists()
    finally:
        process.kill()
        process.communicate()


# --- the data of a resumed run ---


def use_data(monkeypatch: pytest.MonkeyPatch, data: LabelledImages) -> None:
    monkeypatch.setattr(runner, "load_dataset", lambda *_, **__: data)


def renamed(data: LabelledImages) -> LabelledImages:
    return data._replace(class_names=(*data.class_names[:9], "nine"))


def without_a_class(data: LabelledImages) -> LabelledImages:
    train, test = data.train_labels < 9, data.test_labels < 9
    return LabelledImages(
        data.train_images[train],
        data.train_labels[train],
        data.test_images[test],
        data.test_labels[test],
        data.class_names[:9],
    )


def with_more(data: LabelledImages) -> LabelledImages:
    images = torch.cat([data.train_images, data.train_images[:3]])
    return data._replace(
        train_images=images, train_labels=torch.cat([data.train_labels, torch.tensor([4, 4, 7])])
    )


def with_fewer(data: LabelledImages) -> LabelledImages:
    return data._replace(test_images=data.test_images[1:], test_labels=data.test_labels[1:])


def with_another_pixel(data: LabelledImages) -> LabelledImages:
    images = data.train_images.clone()
    images[3, 5, 5] ^= 1
    return data._replace(train_images=images)


def with_swapped_labels(data: LabelledImages) -> LabelledImages:
    return data._replace(test_labels=data.test_labels.flip(0))


CHANGES: list[tuple[Callable[[LabelledImages], LabelledImages], str]] = [
    (renamed, "'9' is now called 'nine'"),
    (without_a_class, "the class '9' is missing"),
    (with_more, "'4' has 2 more training images, '7' has 1 more training image"),
    (with_fewer, "'7' has 1 fewer test image"),
    (with_another_pixel, "the training images are equal in number but differ"),
    (with_swapped_labels, "the test images are equal in number but differ"),
]


@pytest.mark.guarantee("resume-compares-data")
def test_resuming_on_other_data_says_what_differs(
    unfinished: SmallTrainer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = contents(tmp_path)
    for change, difference in CHANGES:
        use_data(monkeypatch, change(read_digits()))
        line = unfinished.error(*THREE, "--resume")
        assert f"vae.pt.resume was trained on different data ({difference}" in line, change
        assert line.endswith("restore that data, or start over with --discard")
        assert contents(tmp_path) == before
    use_data(monkeypatch, read_digits())
    assert unfinished(*THREE, "--resume")[0] == 0


@pytest.mark.guarantee("resume-compares-data")
def test_added_class_is_named(small_trainer: SmallTrainer, monkeypatch: pytest.MonkeyPatch) -> None:
    use_data(monkeypatch, without_a_class(read_digits()))
    with stopped_in_epoch(2):
        small_trainer(*THREE)
    use_data(monkeypatch, read_digits())
    assert "(the class '9' is new)" in small_trainer.error(*THREE, "--resume")


@pytest.mark.guarantee("resume-compares-data")
def test_state_without_a_fingerprint_still_opens_and_its_test_images_are_compared(
    unfinished: SmallTrainer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    state = tmp_path / "vae.pt.resume"
    found = load_checkpoint(state)
    assert found.train_data is not None
    assert "train_data" not in found.training_config
    write_unchecked(state, found, training_config=found.training_config)
    assert load_checkpoint(state).train_data is None
    use_data(monkeypatch, with_fewer(read_digits()))
    assert "'7' has 1 fewer test image" in unfinished.error(*THREE, "--resume")
    use_data(monkeypatch, read_digits())
    assert unfinished(*THREE, "--resume")[0] == 0
    assert load_checkpoint(tmp_path / "vae.pt").train_data == found.train_data


def write_folder(folder: Path, data: LabelledImages, names: tuple[str, str]) -> None:
    """Two classes of the digits as a folder of images."""
    for label, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        images = data.train_images[data.train_labels == label]
        for i, image in enumerate([*images, *images, *images, *images]):
            Image.fromarray(image.numpy()).save(folder / name / f"{i}.png")


@pytest.mark.guarantee("resume-compares-data")
def test_folder_may_be_spelt_otherwise_and_its_class_names_are_checked_before_training(
    tmp_path: Path,
    digits: LabelledImages,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_folder(tmp_path / "shapes", digits, ("ring", "bar"))
    write_folder(tmp_path / "unnamed", digits, ("ring", " "))
    program = ["--epochs", "2", "--device", "cpu", "--output", "vae.pt", "--batch-size", "50"]
    monkeypatch.chdir(tmp_path)

    def run(*options: str) -> tuple[int, str, str]:
        status = trainer.main([*program, *options])
        return status, *capsys.readouterr()

    status, stdout, stderr = run("--dataset", "unnamed")
    assert status == 1
    assert "class_names has ' ', which cannot be shown" in stderr
    assert "Training on" not in stdout
    status, _, stderr = run("--dataset", "shapes")
    assert status == 0, stderr
    for spelling in ("shapes/", "./shapes", f"{tmp_path.name}/../shapes"):
        _, stdout, stderr = run("--dataset", spelling, "--resume")
        same = not spelling.startswith(tmp_path.name)
        assert ("nothing to do" in stdout) == same, stderr


# --- what can be saved can be loaded ---


@pytest.mark.guarantee("saved-files-load")
def test_checkpoint_too_large_to_be_opened_is_found_before_training(
    small_trainer: SmallTrainer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(runner, "MAX_BYTES", 10**6)
    line = small_trainer.error(*THREE)
    assert "bytes, over the limit of 1,000,000; give a smaller --latent-dim" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.guarantee("saved-files-load")
def test_long_run_keeps_few_snapshots_and_resumes_to_the_same_ones(
    small_trainer: SmallTrainer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("latent_navigator.checkpoint.snapshots.MAX_SNAPSHOTS", 5)
    assert small_trainer("--epochs", "9", "--output", "whole.pt")[0] == 0
    for stop in (4, 8):
        with stopped_in_epoch(stop):
            assert small_trainer("--epochs", "9", *["--resume"] * (stop > 4))[0] == 130
    assert small_trainer("--epochs", "9", "--resume")[0] == 0
    whole, resumed = (load_checkpoint(tmp_path / name) for name in ("whole.pt", "vae.pt"))
    assert len(whole.snapshots.means) == 4  # of epochs 0, 4, 8 and 9
    for one, other in zip(whole.snapshots, resumed.snapshots, strict=True):
        assert torch.equal(one, other)


# --- messages ---

ODD_FOLDER = "модели 模型"


@pytest.mark.guarantee("messages-never-decide")
@pytest.mark.parametrize("encoding", ["cp1252:strict", "ascii:strict", "utf-8:strict"])
def test_path_in_another_script_is_printed_with_any_encoding(tmp_path: Path, encoding: str) -> None:
    output = f"{ODD_FOLDER}/vae\udcff.pt"
    process = start_process(tmp_path, "--epochs", "1", "--output", output, encoding=encoding)
    stdout, stderr = process.communicate(timeout=HANG)
    assert process.returncode == 0, stderr
    assert "Saved" in stdout
    assert ("\\u043c" in stdout) == (encoding != "utf-8:strict")
    assert load_checkpoint(tmp_path / output).history


@pytest.mark.guarantee("messages-never-decide")
@pytest.mark.parametrize("redirection", [">/dev/full 2>&1", ">&- 2>&-", "2>&1 | true"])
def test_output_that_cannot_be_written_ends_no_run(tmp_path: Path, redirection: str) -> None:
    process = start_process(tmp_path, "--epochs", "2", shell=redirection)
    process.communicate(timeout=HANG)
    assert process.returncode == 0
    assert len(load_checkpoint(tmp_path / "vae.pt").history) == 2


@pytest.mark.guarantee("messages-never-decide")
def test_signal_still_stops_a_run_without_output(tmp_path: Path) -> None:
    process = start_process(tmp_path, "--epochs", "4000", shell=">/dev/full 2>&1")
    wait_until(lambda: (tmp_path / "vae.pt.resume").exists())
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=HANG)
    assert process.returncode == 130
