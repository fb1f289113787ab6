"""A run that is killed between any two writes: --resume finishes it with the same bytes."""

import itertools
import signal
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

import trainer
from latent_navigator.training import runner
from tests.cli.small_trainer import OPTIONS, SmallTrainer, start_process, use_small_model
from tests.helpers import HANG

EPOCHS = ("--epochs", "2")
WRITES = [
    "write vae.pt.resume",
    "write vae.pt.resume",
    "write vae.pt",
    "write vae.pt.metrics.json",
    "write vae.pt.curves.png",
    "remove vae.pt.resume",
]
# The history has the seconds of each epoch; with this clock, every epoch takes one.
FAKE_CLOCK = "trainer.time = types.SimpleNamespace(perf_counter=itertools.count(0.0).__next__)"
KILL_AFTER_THE_LAST_STATE = """
    states = []
    replace = Path.replace
    def replace_and_kill(self, target):
        replace(self, target)
        if target.name == "vae.pt.resume":
            states.append(target)
            if len(states) == 2:
                os.kill(os.getpid(), signal.SIGKILL)
    Path.replace = replace_and_kill
"""


class Killed(BaseException):
    """Ends a run as SIGKILL would: nothing in the program handles it."""


@contextmanager
def killed_after(count: int | None = None) -> Iterator[list[str]]:
    """Raise Killed after `count` writes and removals; the list records them."""
    log: list[str] = []
    replace, unlink = Path.replace, Path.unlink

    def record(entry: str) -> None:
        log.append(entry)
        if len(log) == count:
            raise Killed

    def recorded_replace(self: Path, target: Path) -> Path:
        result = replace(self, target)
        record(f"write {target.name}")
        return result

    def recorded_unlink(self: Path, missing_ok: bool = False) -> None:
        unlink(self, missing_ok)
        if self.suffix not in (".tmp", ".lock"):
            record(f"remove {self.name}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", recorded_replace)
        patch.setattr(Path, "unlink", recorded_unlink)
        yield log


def use_fake_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every epoch take one second."""
    clock = SimpleNamespace(perf_counter=itertools.count(0.0).__next__)
    monkeypatch.setattr(trainer, "time", clock)


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of the files in a folder, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a run that was not killed."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    with pytest.MonkeyPatch.context() as monkeypatch:
        use_small_model(monkeypatch, folder)
        use_fake_clock(monkeypatch)
        with killed_after() as log:
            assert trainer.main([*OPTIONS, *EPOCHS]) == 0
    assert log == WRITES
    files = contents(folder)
    assert files.keys() == {"vae.pt", "vae.pt.metrics.json", "vae.pt.curves.png"}
    return files


@pytest.mark.guarantee("interrupts-keep-the-run")
@pytest.mark.parametrize("count", range(1, len(WRITES) + 1))
def test_run_killed_after_any_write_resumes_to_the_same_bytes(
    uninterrupted: dict[str, bytes],
    small_trainer: SmallTrainer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    count: int,
) -> None:
    use_fake_clock(monkeypatch)
    with killed_after(count) as log, pytest.raises(Killed):
        small_trainer(*EPOCHS)
    assert log == WRITES[:count]
    status, _, stderr = small_trainer(*EPOCHS, "--resume")
    assert status == 0, stderr
    assert contents(tmp_path) == uninterrupted


@pytest.mark.guarantee("interrupts-keep-the-run")
def test_a_resumed_run_keeps_its_precision(
    uninterrupted: dict[str, bytes],
    small_trainer: SmallTrainer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Also on a machine where another one is faster."""
    auto = (*EPOCHS, "--precision", "auto")
    use_fake_clock(monkeypatch)
    monkeypatch.setattr(runner, "resolve_precision", lambda *_: "fp32")
    with killed_after(1), pytest.raises(Killed):
        small_trainer(*auto)
    monkeypatch.setattr(runner, "resolve_precision", lambda *_: "bf16")
    status, _, stderr = small_trainer(*auto, "--resume")
    assert status == 0, stderr
    assert contents(tmp_path) == uninterrupted


@pytest.mark.guarantee("interrupts-keep-the-run")
@pytest.mark.parametrize("count", range(len(WRITES) - 2, len(WRITES)))
def test_resumed_run_that_is_killed_can_be_resumed(
    uninterrupted: dict[str, bytes],
    small_trainer: SmallTrainer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    count: int,
) -> None:
    use_fake_clock(monkeypatch)
    with killed_after(count), pytest.raises(Killed):
        small_trainer(*EPOCHS)
    with killed_after(1), pytest.raises(Killed):  # after vae.pt is written again
        small_trainer(*EPOCHS, "--resume")
    assert small_trainer(*EPOCHS, "--resume")[0] == 0
    assert contents(tmp_path) == uninterrupted


@pytest.mark.guarantee("interrupts-keep-the-run")
def test_run_ended_by_sigkill_before_its_checkpoint_resumes_to_the_same_bytes(
    uninterrupted: dict[str, bytes],
    small_trainer: SmallTrainer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    patch = FAKE_CLOCK + textwrap.dedent(KILL_AFTER_THE_LAST_STATE)
    process = start_process(tmp_path, *EPOCHS, patch=patch)
    _, stderr = process.communicate(timeout=HANG)
    assert process.returncode == -signal.SIGKILL, stderr
    (tmp_path / "program.py").unlink()
    assert contents(tmp_path).keys() == {"vae.pt.resume", "vae.pt.lock"}
    use_fake_clock(monkeypatch)
    status, stdout, _ = small_trainer(*EPOCHS, "--resume")
    assert status == 0
    assert "Training on" not in stdout  # all epochs are done: no data is needed
    assert contents(tmp_path) == uninterrupted


@pytest.mark.guarantee("interrupts-keep-the-run")
def test_ctrl_c_between_the_last_epoch_and_the_checkpoint_says_how_to_continue(
    small_trainer: SmallTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("latent_navigator.training.runner.write_results", interrupted)
        status, stdout, _ = small_trainer(*EPOCHS)
    assert status == 130
    assert "epochs 1 to 2 are saved in vae.pt.resume. To continue: python trainer.py" in stdout
    assert small_trainer(*EPOCHS, "--resume")[0] == 0
