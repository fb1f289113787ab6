"""trainer.py with invalid options, full disks and signals: one line per error, no data lost."""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import torch

import trainer
from latent_navigator.atomic_io import write_whole
from latent_navigator.checkpoint.checkpoint import (
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    save_checkpoint,
)
from latent_navigator.training import results, runner
from latent_navigator.training.paths import RunPaths
from latent_navigator.training.resume import describe_state
from latent_navigator.training.signals import interruptible
from tests.cli.small_trainer import ROOT, SmallTrainer
from tests.helpers import write_unchecked

INVALID = [
    *[("--epochs", v) for v in ("0", "-1", "100001")],
    *[("--batch-size", v) for v in ("0", "-5", "1000000")],
    *[("--learning-rate", v) for v in ("0", "-1", "nan", "inf", "1.1")],
    *[("--beta", v) for v in ("-1", "nan", "inf", "1e9")],
    *[("--warmup-epochs", v) for v in ("-1", "nan", "inf")],
    *[("--grad-clip", v) for v in ("0", "-1", "nan", "inf")],
    *[("--blanking", v) for v in ("-0.1", "1", "nan")],
    *[("--seed", v) for v in ("-1", "2147483648")],
    *[("--precision", v) for v in ("", "fp64", "BF16")],
    *[("--latent-dim", v) for v in ("-2", "1", "65", "4096")],
    *[("--device", v) for v in ("", "abacus", "cuda:99", "meta")],
]


@pytest.mark.guarantee("options-validated")
@pytest.mark.parametrize(("option", "value"), INVALID)
def test_option_out_of_range_is_named_in_one_line(
    option: str,
    value: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert trainer.main([f"{option}={value}", "--data-dir", "nowhere"]) == 1
    stderr = capsys.readouterr().err
    name = option[2:].replace("-", "_")
    assert stderr.startswith(f"trainer.py: {name} is ")
    assert stderr.count("\n") == 1
    assert "give" in stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.guarantee("options-validated")
@pytest.mark.parametrize(
    "arguments",
    [
        ["--epochs", "many"],
        ["--epochs", "1.5"],
        ["--epochs", ""],
        ["--beta", "four"],
        ["--seed", "9" * 5000],
        ["--epochs"],
        ["--what"],
        ["surplus"],
    ],
)
def test_option_of_another_type_is_a_usage_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        trainer.main(arguments)
    assert caught.value.code == 2
    assert arguments[0] in capsys.readouterr().err


@contextlib.contextmanager
def unprivileged() -> Iterator[None]:
    """Drop the privileges of root, for whom nothing is read-only."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@contextlib.contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Simulate a full disk: no file grows beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.guarantee("output-checked-before-training")
def test_unwritable_output_is_reported_before_training(
    tmp_path: Path, small_trainer: SmallTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_dataset(*_: object, **__: object) -> None:
        raise AssertionError("the training starts")

    monkeypatch.setattr(runner, "load_dataset", load_dataset)
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    tmp_path.chmod(0o777)
    with unprivileged():
        line = small_trainer.error("--output", "locked/vae.pt")
    assert "nothing can be written to locked (Permission denied); choose another --output" in line
    assert list(locked.iterdir()) == []
    (tmp_path / "file").write_text("")
    for output, message in (
        ("file/vae.pt", "nothing can be written to file"),
        ("locked", "a folder"),
        ("", "a folder"),
        ("x" * 300 + "/vae.pt", "nothing can be written"),
    ):
        assert message in small_trainer.error("--output", output)


@pytest.mark.guarantee("writes-are-atomic")
def test_full_disk_leaves_the_old_file(
    tmp_path: Path, small_trainer: SmallTrainer, small_checkpoint: Checkpoint
) -> None:
    save_checkpoint(tmp_path / "vae.pt", small_checkpoint)
    before = (tmp_path / "vae.pt").read_bytes()
    with file_size_limit(100_000):
        line = small_trainer.error("--epochs", "2")
    assert "vae.pt.resume cannot be written (File too large); free some space" in line
    assert [path.name for path in tmp_path.iterdir()] == ["vae.pt"]
    assert (tmp_path / "vae.pt").read_bytes() == before


@pytest.mark.guarantee("writes-are-atomic")
def test_full_disk_is_reported_as_an_os_error_not_as_torchs(tmp_path: Path) -> None:
    other = tmp_path / "other"
    with file_size_limit(100_000):
        with other.open("wb") as file, pytest.raises(RuntimeError):
            torch.save(torch.zeros(200_000), file)
        with pytest.raises(OSError, match=r"vae.pt cannot be written \(File too large\)"):
            write_whole(tmp_path / "vae.pt", partial(torch.save, torch.zeros(200_000)))
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


@pytest.mark.guarantee("writes-are-atomic")
@pytest.mark.parametrize(
    ("function", "name"),
    [("write_metrics", "vae.pt.metrics.json"), ("plot_curves", "vae.pt.curves.png")],
)
def test_model_is_saved_when_its_metrics_cannot_be_written(
    tmp_path: Path,
    small_trainer: SmallTrainer,
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    name: str,
) -> None:
    write: Callable[..., None] = getattr(results, function)

    def write_on_a_full_disk(*arguments: object, **options: object) -> None:
        with file_size_limit(10):
            write(*arguments, **options)

    for existing in ("vae.pt.metrics.json", "vae.pt.curves.png"):
        (tmp_path / existing).write_text("before")
    with monkeypatch.context() as patch:
        patch.setattr(results, function, write_on_a_full_disk)
        line = small_trainer.error("--epochs", "1")
    assert f"{name} cannot be written (File too large)" in line
    assert (tmp_path / name).read_text() == "before"
    assert len(load_checkpoint(tmp_path / "vae.pt").history) == 1
    assert not list(tmp_path.glob("*.tmp"))
    assert small_trainer("--epochs", "1", "--resume")[0] == 0
    assert (tmp_path / name).read_bytes() != b"before"


# Forks a process for each line of stdin, so that torch is imported only once.
SAVER = f"""
import os, sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from latent_navigator.checkpoint.checkpoint import load_checkpoint, save_checkpoint
for line in sys.stdin:
    path = Path(line.strip())
    child = os.fork()
    if child == 0:
        checkpoint = load_checkpoint(path)
        while True:
            save_checkpoint(path, checkpoint)
    print(child, flush=True)
"""


class Savers:
    """Processes that save a checkpoint again and again until they are killed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    @contextlib.contextmanager
    def saving(self, path: Path) -> Iterator[None]:
        """One such process, from its first replacement of the file; killed at the end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        first = path.stat().st_ino
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        child = int(self.process.stdout.readline())
        try:
            wait_until(lambda: path.stat().st_ino != first)
            yield
            os.kill(child, 0)  # it is still running
        finally:
            os.kill(child, signal.SIGKILL)


@pytest.fixture(scope="module")
def savers() -> Iterator[Savers]:
    with subprocess.Popen(
        [sys.executable, "-c", SAVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Savers(process)
        process.kill()


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Poll without pauses until the condition holds: it may hold only for a moment."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline


@pytest.mark.guarantee("writes-are-atomic")
def test_file_written_by_two_processes_is_always_complete(
    tmp_path: Path, small_checkpoint: Checkpoint, savers: Savers
) -> None:
    path = tmp_path / "vae.pt"
    save_checkpoint(path, small_checkpoint)
    versions = set()

    def ten_versions_are_complete() -> bool:
        assert torch.equal(load_checkpoint(path).means, small_checkpoint.means)
        versions.add(path.stat().st_mtime_ns)
        return len(versions) >= 10

    with savers.saving(path), savers.saving(path):
        wait_until(ten_versions_are_complete)


@pytest.mark.guarantee("writes-are-atomic")
@pytest.mark.parametrize("written", [0, 0.25, 0.5, 0.9, 1])
def test_file_is_complete_after_a_kill_while_saving(
    tmp_path: Path, small_checkpoint: Checkpoint, savers: Savers, written: float
) -> None:
    path = tmp_path / "vae.pt"
    save_checkpoint(path, small_checkpoint)
    size = path.stat().st_size

    def temporary_file_is_large_enough() -> bool:
        with contextlib.suppress(OSError):
            return any(
                file.stat().st_size >= written * size for file in tmp_path.glob("vae.pt.*.tmp")
            )
        return False

    with savers.saving(path):
        wait_until(temporary_file_is_large_enough)
    assert torch.equal(load_checkpoint(path).means, small_checkpoint.means)


@pytest.mark.guarantee("writes-are-atomic")
def test_old_temporary_file_of_a_killed_process_is_removed(
    tmp_path: Path, small_checkpoint: Checkpoint
) -> None:
    path = tmp_path / "vae.pt"
    old, new = tmp_path / "vae.pt.1.tmp", tmp_path / "vae.pt.2.tmp"
    for temporary in (old, new):
        temporary.write_bytes(b"half")
    os.utime(old, (0, 0))
    save_checkpoint(path, small_checkpoint)
    # Another process may still be writing the recent one.
    assert {entry.name for entry in tmp_path.iterdir()} == {"vae.pt", new.name}


@pytest.mark.guarantee("interrupts-keep-the-run")
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_second_signal_does_not_disturb_the_shutdown(
    tmp_path: Path, small_trainer: SmallTrainer, monkeypatch: pytest.MonkeyPatch, signum: int
) -> None:
    """The first signal comes while the state is saved, two more during the shutdown."""
    save, describe, calls = torch.save, describe_state, []

    def interrupted_save(contents: object, file: object) -> None:
        calls.append(1)
        save(contents, file)  # type: ignore[arg-type]  # torch has its own type for files
        if len(calls) == 3:
            os.kill(os.getpid(), signum)

    def interrupted_describe(paths: RunPaths, command: list[str]) -> str:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        return describe(paths, command)

    monkeypatch.setattr(torch, "save", interrupted_save)
    monkeypatch.setattr(runner, "describe_state", interrupted_describe)
    status, stdout, stderr = small_trainer("--epochs", "9")
    assert status == 128 + signum
    assert "Traceback" not in stderr
    assert "epochs 1 to 2 are saved in vae.pt.resume. To continue: python trainer.py" in stdout
    assert len(load_checkpoint(tmp_path / "vae.pt.resume").history) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["vae.pt.resume"]


@pytest.mark.guarantee("interrupts-keep-the-run")
def test_a_signal_that_comes_with_another_error_is_reported(
    small_trainer: SmallTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """torchrun sends one when the connection to a process that has ended is lost."""

    def lose_connection(*_: object) -> None:
        raise RuntimeError("[gloo/transport/tcp/pair.cc:1] Connection reset by peer")

    def terminate() -> None:
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(runner, "run", lose_connection)
    monkeypatch.setattr(runner, "ignore_stop_signals", terminate)  # just before it would
    status, stdout, stderr = small_trainer()
    assert (status, stderr) == (143, "")
    assert "The run was terminated (SIGTERM); " in stdout


@pytest.mark.guarantee("interrupts-keep-the-run")
def test_only_the_first_signal_raises() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interruptible():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.raise_signal(signum)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.guarantee("interrupts-keep-the-run")
def test_damaged_state_is_not_resumed(tmp_path: Path, small_trainer: SmallTrainer) -> None:
    (tmp_path / "vae.pt.resume").write_bytes(b"PK\x03\x04 and no more")
    assert "vae.pt.resume: it is damaged" in small_trainer.error("--resume")


@pytest.mark.guarantee("any-working-directory")
def test_output_is_relative_to_the_working_directory(
    tmp_path: Path, small_trainer: SmallTrainer
) -> None:
    status, _, stderr = small_trainer("--epochs", "1", "--output", "a/b/vae.pt")
    assert status == 0, stderr
    assert json.loads((tmp_path / "a/b/vae.pt.metrics.json").read_text())["history"]


@pytest.mark.guarantee("output-checked-before-training")
def test_data_folder_that_cannot_be_created_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").write_text("a file instead of the folder")
    monkeypatch.chdir(tmp_path)
    assert trainer.main(["--data-dir", "data", "--device", "cpu", "--output", "vae.pt"]) == 1
    stderr = capsys.readouterr().err
    assert stderr.startswith("trainer.py: ")
    assert stderr.count("\n") == 1
    assert "data" in stderr
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


# --- checkpoints from elsewhere ---


@pytest.mark.guarantee("foreign-weights-explained")
@pytest.mark.parametrize(
    ("prefix", "wrapper"), [("_orig_mod.", "torch.compile"), ("module.", "DistributedDataParallel")]
)
def test_weights_of_a_wrapped_model_are_explained(
    tmp_path: Path, small_checkpoint: Checkpoint, prefix: str, wrapper: str
) -> None:
    path = tmp_path / "vae.pt"
    prefixed = {prefix + name: value for name, value in small_checkpoint.weights.items()}
    write_unchecked(path, small_checkpoint, weights=prefixed)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    assert wrapper in str(caught.value)
    assert "save the state_dict of the model inside the wrapper" in str(caught.value)


@pytest.mark.guarantee("foreign-weights-explained")
def test_file_written_on_a_gpu_loads_on_the_cpu(
    tmp_path: Path, small_checkpoint: Checkpoint
) -> None:
    """torch keeps the device of each tensor as a string, prefixed with its length."""
    path, moved = tmp_path / "vae.pt", tmp_path / "cuda.pt"
    save_checkpoint(path, small_checkpoint)
    found = 0
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(moved, "w") as copy:
        for entry in archive.infolist():
            data = archive.read(entry)
            if entry.filename.endswith("data.pkl"):
                found = data.count(b"X\x03\x00\x00\x00cpu")
                data = data.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
            copy.writestr(entry, data)
    assert found > 0
    loaded = load_checkpoint(moved)
    for name, value in small_checkpoint.weights.items():
        assert loaded.weights[name].device.type == "cpu"
        assert torch.equal(loaded.weights[name], value)


@pytest.mark.guarantee("foreign-weights-explained")
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_weights_of_another_precision_are_explained(
    tmp_path: Path, small_checkpoint: Checkpoint, dtype: torch.dtype
) -> None:
    path = tmp_path / "vae.pt"
    cast = {name: value.to(dtype) for name, value in small_checkpoint.weights.items()}
    write_unchecked(path, small_checkpoint, weights=cast)
    with pytest.raises(CheckpointError, match=rf"{dtype}, expected .* torch.float32"):
        load_checkpoint(path)
