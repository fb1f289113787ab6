"""Runs that the page starts, with stand-ins for trainer.py that do what one can do."""

import itertools
import json
import os
import shlex
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from latent_navigator.lab.live_replay import SCALE, live_part, on_planes
from latent_navigator.lab.run import FAILED, FINISHED, RUNNING, STOPPED, Run
from latent_navigator.lab.settings import Settings
from latent_navigator.lab.supervisor import NICE, Supervisor
from latent_navigator.model_config import VAEConfig
from latent_navigator.training.command_line import parse_arguments
from latent_navigator.training.config import TrainingConfig
from latent_navigator.training.parent import STOPS_WITH_STDIN
from latent_navigator.training.progress import encode_array
from tests.fixtures import ROOT
from tests.helpers import wait_until

SETTINGS = Settings(TrainingConfig(epochs=4), VAEConfig())
# What a stand-in writes is what trainer.py does. It waits for the file "go" between two epochs.
STAND_IN = """
import json, os, signal, sys, time
sys.path.insert(0, {root!r})
from latent_navigator.training.parent import stop_with_stdin
stop_with_stdin()
output = sys.argv[sys.argv.index("--output") + 1]
progress = open(output + ".progress", "a")
def write(**record):
    progress.write(json.dumps(record) + "\\n"); progress.flush()
def begin(epoch=0):
    config = {config!r}
    write(kind="start", epoch=epoch, config=config, model={{"latent_dim": 2}}, images=100,
          test_images=10, items="digits", class_names=["0", "1"], labels="")
def epoch(number):
    write(kind="moment", at=number, entry={{"epoch": number, "seconds": 2.0}}, recon=1)
    open(output + ".resume", "w").close()
def wait():
    while True:
        time.sleep(0.01)
{body}
"""


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[[str], Supervisor]]:
    """supervise(body) -> a supervisor whose trainer is a stand-in with this body."""
    made: list[Supervisor] = []

    def supervise(body: str) -> Supervisor:
        program = write_stand_in(tmp_path, body)
        made.append(Supervisor(tmp_path / "runs", [sys.executable, str(program)], threads=1))
        return made[-1]

    yield supervise
    for one in made:
        one.close()


def write_stand_in(folder: Path, body: str) -> Path:
    config = {"epochs": 4, "dataset": "mnist", "beta": 4.0}
    text = STAND_IN.format(root=str(ROOT), config=config, body=textwrap.dedent(body))
    path = folder / "stand_in.py"
    path.write_text(text)
    return path


def ended(run: Run) -> Run:
    wait_until(lambda: not run.live, describe=lambda: list(run.lines))
    return run


STOPPABLE = """
    begin(3 if "--resume" in sys.argv else 0)
    if "--resume" in sys.argv:
        open(output, "w").close()
        os.remove(output + ".resume")
        epoch(4); os.remove(output + ".resume"); sys.exit(0)
    print("Training on 100 digits", flush=True)
    epoch(1); epoch(2); epoch(3)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print("waiting", flush=True)
    wait()
"""


def test_a_run_is_stopped_and_resumed(supervise: Callable[[str], Supervisor]) -> None:
    supervisor = supervise(STOPPABLE)
    run = supervisor.start(SETTINGS)
    assert run.state == RUNNING
    assert supervisor.busy
    wait_until(lambda: "waiting" in run.lines)
    with pytest.raises(ValueError, match="a run is already in progress"):
        supervisor.start(SETTINGS)
    progress = run.record("trainer.py")
    assert (progress["at"], progress["epochs"], progress["saved"]) == (3, 4, 3)
    assert (progress["rate"], progress["left"]) == (50, 2.0)
    assert not progress["can_resume"]  # while it runs
    supervisor.stop()
    assert ended(run).state == STOPPED
    assert run.message == "Stopped. Epochs 1 to 3 are saved."
    assert run.can_resume
    supervisor.resume(run.name)
    assert ended(run).state == FINISHED
    assert run.message == "Finished after 4 epochs."
    assert [moment["at"] for moment in run.moments] == [1, 2, 3, 4]
    assert not run.can_resume
    with pytest.raises(ValueError, match="no saved epoch"):
        supervisor.resume(run.name)


@pytest.mark.guarantee("training-isolated")
def test_a_run_has_low_priority_and_spares_a_core(supervise: Callable[[str], Supervisor]) -> None:
    supervisor = supervise('print(os.environ["OMP_NUM_THREADS"], flush=True); wait()')
    run = supervisor.start(SETTINGS)
    wait_until(lambda: "1" in run.lines)
    assert supervisor._process is not None
    child = psutil.Process(supervisor._process.pid)
    assert child.nice() >= NICE
    assert os.getpgid(child.pid) != os.getpgid(0)  # Ctrl-C in a terminal does not reach it
    supervisor.close()
    assert not child.is_running()
    assert run.state == STOPPED
    assert run.message == "Stopped. No epoch was completed."


def test_the_command_that_is_shown_is_the_one_that_is_run(
    supervise: Callable[[str], Supervisor],
) -> None:
    supervisor = supervise("print(json.dumps(sys.argv[1:]), flush=True)")
    run = ended(supervisor.start(SETTINGS))
    python, program, *options = shlex.split(run.record(str(supervisor.program))["command"])
    assert (python, Path(program).resolve()) == ("python", ROOT / "trainer.py")
    assert json.loads(run.lines[1]) == options
    assert parse_arguments(options).config.epochs == 4


def test_a_run_has_its_message_before_it_has_ended(
    supervise: Callable[[str], Supervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor = supervise("sys.exit(1)")
    describe, live = supervisor._describe, []

    def watched(run: Run, state: str, status: int) -> str:
        live.append(run.live)
        return describe(run, state, status)

    monkeypatch.setattr(supervisor, "_describe", watched)
    run = ended(supervisor.start(SETTINGS))
    assert live == [True]
    assert run.message


@pytest.mark.guarantee("training-failures")
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            'begin(); epoch(1); sys.exit("trainer.py: the loss is nan in epoch 2; lower the rate")',
            "The loss is nan in epoch 2; lower the rate. Epoch 1 is saved.",
        ),
        (
            'begin(); epoch(1); epoch(2); sys.exit("trainer.py: runs/a.pt cannot be written (No '
            'space left on device); free some space")',
            "Runs/a.pt cannot be written (No space left on device); free some space. "
            "Epochs 1 to 2 are saved.",
        ),
        (
            'sys.exit("trainer.py: mnist: the download was interrupted; try again")',
            "Mnist: the download was interrupted; try again. No epoch was completed.",
        ),
        ("raise RuntimeError", "The run failed; see its log. No epoch was completed."),
        (
            "begin(); epoch(1); os.kill(os.getpid(), signal.SIGKILL)",
            "The process was killed (SIGKILL; the system does this when it runs out of memory). "
            "Epoch 1 is saved.",
        ),
    ],
    ids=["nan", "full disk", "download", "crash", "killed"],
)
def test_a_run_that_fails_says_why_and_loses_nothing(
    supervise: Callable[[str], Supervisor], body: str, message: str
) -> None:
    supervisor = supervise(body)
    run = ended(supervisor.start(SETTINGS))
    assert (run.state, run.message) == (FAILED, message)
    assert run.can_resume == ("saved." in message and "No epoch" not in message)
    assert run.paths.log.read_text().splitlines() == list(run.lines)
    assert run.lines[0].startswith("$ python")
    # The next run can be started.
    assert ended(supervisor.start(SETTINGS)).state == FAILED


@pytest.mark.guarantee("training-failures")
def test_a_run_whose_program_is_missing_is_explained(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, [str(tmp_path / "no python")], threads=1)
    for _ in range(2):  # it is not taken for a run that goes on
        with pytest.raises(OSError, match="the run could not be started"):
            supervisor.start(SETTINGS)
    assert supervisor.runs() == []


@pytest.mark.guarantee("training-failures")
def test_a_full_disk_keeps_no_line_from_the_page(
    supervise: Callable[[str], Supervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, *arguments: Any, **options: Any) -> Any:
        if self.suffix == ".log":
            raise OSError(28, "No space left on device")
        return open_(self, *arguments, **options)

    open_ = Path.open
    monkeypatch.setattr(Path, "open", full)
    run = ended(supervise('sys.exit("trainer.py: no space")').start(SETTINGS))
    assert run.message == "No space. No epoch was completed."


def test_another_server_finds_the_runs_and_resumes_them(
    supervise: Callable[[str], Supervisor], tmp_path: Path
) -> None:
    first = supervise(STOPPABLE)
    run = first.start(SETTINGS)
    wait_until(lambda: "waiting" in run.lines)
    other = Supervisor(tmp_path / "runs", first.command, threads=1)
    with pytest.raises(ValueError, match="another server is training"):
        other.resume(run.name)
    with pytest.raises(ValueError, match="another server is training"):
        other.start(SETTINGS)
    first.close()
    again = Supervisor(tmp_path / "runs", first.command, threads=1)
    found = again.run(run.name)
    assert (found.state, found.message) == (STOPPED, "Stopped. Epochs 1 to 3 are saved.")
    assert found.options == run.options
    assert "waiting" in found.lines
    assert again.speed.rate == (100 + 0.35 * 10) / 2.0
    again.resume(run.name)
    assert ended(found).state == FINISHED
    again.close()


@pytest.mark.parametrize("name", ["../../etc/passwd", "", None, 3, []])
def test_only_known_runs_are_resumed(supervise: Callable[[str], Supervisor], name: object) -> None:
    with pytest.raises(ValueError, match="there is no run"):
        supervise("").resume(name)


def test_what_is_no_run_of_ours_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.pt.progress").write_text("[]\n")
    (tmp_path / "b.pt.progress").write_text('{"kind": "start", "epoch": 0, "config": {}}\n')
    (tmp_path / "c.pt.progress").write_bytes(b"\xff\xfe")
    assert Supervisor(tmp_path, threads=1).runs() == []


SERVER = """
import sys, time
sys.path.insert(0, {root!r})
from pathlib import Path
from latent_navigator.lab.supervisor import Supervisor
from tests.unit.test_lab_supervisor import SETTINGS
supervisor = Supervisor(Path({runs!r}), [sys.executable, {program!r}], threads=1)
run = supervisor.start(SETTINGS)
while "waiting" not in run.lines:
    time.sleep(0.01)
print(supervisor._process.pid, flush=True)
time.sleep(1000)
"""


@pytest.mark.guarantee("training-isolated")
@pytest.mark.slow
def test_a_server_that_is_killed_leaves_no_run(tmp_path: Path) -> None:
    program = write_stand_in(tmp_path, STOPPABLE)
    text = SERVER.format(root=str(ROOT), runs=str(tmp_path / "runs"), program=str(program))
    with subprocess.Popen(
        [sys.executable, "-c", text], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        child = psutil.Process(int(server.stdout.readline()))
        assert child.is_running()
        server.send_signal(signal.SIGKILL)
    wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    left = Supervisor(tmp_path / "runs", threads=1).runs()
    assert [run.message for run in left] == ["Stopped. Epochs 1 to 3 are saved."]


@pytest.mark.guarantee("training-isolated")
def test_the_trainer_ends_when_nobody_holds_its_input(tmp_path: Path) -> None:
    """As that of a server that was killed; from its first moment on, in which it imports torch."""
    with subprocess.Popen(
        [sys.executable, str(ROOT / "trainer.py"), "--output", "vae.pt"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, STOPS_WITH_STDIN: "1"},
    ) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) in (-signal.SIGTERM, 143)


# --- the snapshots ---


def moment(at: float, means: np.ndarray, dims: int = 2) -> dict[str, Any]:
    grid = np.full((9, 9, 28, 28), int(at * 8), np.uint8)
    return {
        "kind": "moment",
        "at": at,
        "means": encode_array(means.astype(np.float16)),
        "grid": encode_array(grid),
        "reach": 3.0 + at,
        "recon": None if at == 0 else 100.0 - at,
        "kl": at,
        "beta": dims,
    }


def unpack(part: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    length = int.from_bytes(part[:4], "little")
    header = json.loads(part[4 : 4 + length])
    start = -(-(4 + length) // 8) * 8
    arrays = {
        a["name"]: np.frombuffer(part, a["type"], a["length"], start + a["offset"])
        for a in header["arrays"]
    }
    return header["values"], arrays


def test_a_part_has_the_moments_from_one_on() -> None:
    labels = np.arange(5, dtype=np.uint8)
    start = {"model": {"latent_dim": 2}, "labels": encode_array(labels)}
    means = [np.full((5, 2), float(i)) for i in range(4)]
    moments = [moment(i / 8, values) for i, values in enumerate(means)]
    values, arrays = unpack(live_part(start, moments, 2))
    assert values["epochs"] == [0.25, 0.375]
    assert values["grid_reaches"] == [3.25, 3.375]
    assert values["curves"]["recon"] == [99.75, 99.625]
    np.testing.assert_array_equal(arrays["labels"], labels)
    xy = arrays["xy"].reshape(2, 5, 2) * values["scale"]
    np.testing.assert_allclose(xy, np.stack(means[2:]), atol=SCALE)
    assert [int(images[0]) for images in arrays["images"].reshape(2, -1)] == [2, 3]
    whole, _ = unpack(live_part(start, moments, 0))
    assert whole["epochs"] == [0, 0.125, 0.25, 0.375]
    assert len(whole["curves"]["kl"]) == 3  # none before training
    with pytest.raises(ValueError, match="there is no moment 4 yet"):
        live_part(start, moments, 4)


def test_a_part_of_ten_dimensions_has_reconstructions() -> None:
    labels = np.arange(12, dtype=np.uint8) % 10
    older = {"model": {"latent_dim": 10}, "labels": encode_array(labels)}
    means = np.random.default_rng(0).normal(size=(2, 12, 10))
    moments = [moment(i / 8, values) for i, values in enumerate(means)]
    rows = [k * 12 // 81 for k in range(81)]
    values, arrays = unpack(live_part(older | {"reconstructed": rows}, moments, 0))
    assert values["reconstructed"] == rows
    assert [int(images[0]) for images in arrays["images"].reshape(2, -1)] == [0, 1]
    values, arrays = unpack(live_part(older, moments, 0))
    assert values["reconstructed"] == []
    assert not len(arrays["images"])


def test_the_plane_of_many_dimensions_does_not_turn_between_moments() -> None:
    generator = np.random.default_rng(0)
    base = generator.normal(size=(200, 10)) * np.linspace(3, 0.1, 10)
    # Two axes of nearly the same spread, which change places.
    moments = [base * np.where(np.arange(10) == i % 2, 1.2, 1) for i in range(6)]
    planes = on_planes([m.astype(np.float32) for m in moments])
    for one, following in itertools.pairwise(planes):
        agreement = np.corrcoef(one.ravel(), following.ravel())[0, 1]
        assert agreement > 0.9
