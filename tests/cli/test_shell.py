"""The trainer in a hostile shell: one clear line each time, and nothing lost."""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch

import trainer
from latent_navigator.atomic_io import write_whole
from latent_navigator.checkpoint import checkpoint as checkpoints
from latent_navigator.checkpoint.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from latent_navigator.training.signals import stoppable
from tests.conftest import ROOT

PROGRAM = """
    import os, signal, sys
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run with `&`
    sys.path.insert(0, {root!r})
    import trainer
    from latent_navigator.checkpoint import checkpoint
    from latent_navigator.training import metrics as records
    from tests.conftest import SMALL, read_digits
    trainer.load_dataset = lambda name, folder: read_digits()
    trainer.VAEConfig = lambda latent_dim=2: SMALL
    {before}
    sys.exit(trainer.main(sys.argv[1:]))
"""
QUICK = [
    *("--batch-size", "100", "--warmup-epochs", "1"),
    *("--device", "cpu", "--precision", "fp32", "--output", "vae.pt"),
]
NOBODY = "if os.geteuid() == 0: os.setuid(65534)"  # nothing is read-only for root
LITTLE_ROOM = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"


def command(*arguments: str, before: str = "") -> list[str]:
    about = {"root": str(ROOT), "before": before}
    return [sys.executable, "-c", textwrap.dedent(PROGRAM).format(**about), *QUICK, *arguments]


def run(folder: Path, *arguments: str, before: str = "") -> subprocess.CompletedProcess:
    return subprocess.run(
        command(*arguments, before=before),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=200,
    )


def only_line(done) -> str:
    """The one line that a failed run has written to stderr, besides its progress."""
    lines = [line for line in done.stderr.replace("\r", "\n").splitlines() if "img/s" not in line]
    lines = [line for line in lines if line.strip()]
    assert done.returncode == 1 and len(lines) == 1, done.stderr
    assert lines[0].startswith("trainer.py: ")
    return lines[0]


WRONG = [
    *[("--epochs", v) for v in ("0", "-1", "100001")],
    *[("--batch-size", v) for v in ("0", "-5", "1000000")],
    *[("--learning-rate", v) for v in ("0", "-1", "nan", "inf", "1.1")],
    *[("--beta", v) for v in ("-1", "nan", "inf", "1e9")],
    *[("--warmup-epochs", v) for v in ("-1", "nan", "inf")],
    *[("--grad-clip", v) for v in ("0", "-1", "nan", "inf")],
    *[("--blanking", v) for v in ("-0.1", "1", "nan")],
    *[("--seed", v) for v in ("-1", "2147483648")],
    *[("--precision", v) for v in ("", "fp64", "BF16")],
    *[("--latent-dim", v) for v in ("0", "-2", "100000")],
    *[("--device", v) for v in ("", "abacus", "cuda:99", "meta")],
]


@pytest.mark.guarantee("options-validated")
@pytest.mark.parametrize(("option", "value"), WRONG)
def test_an_option_out_of_range_is_named(option, value, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert trainer.main([f"{option}={value}", "--data-dir", "nowhere"]) == 1
    told = capsys.readouterr().err
    name = option[2:].replace("-", "_")
    assert told.startswith(f"trainer.py: {name} is ") and told.count("\n") == 1 and "give" in told
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
def test_options_of_another_kind(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        trainer.main(arguments)
    assert caught.value.code == 2
    assert arguments[0] in capsys.readouterr().err


@pytest.mark.guarantee("output-checked-before-training")
def test_a_place_that_cannot_be_written_is_found_before_the_training(tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    tmp_path.chmod(0o777)
    line = only_line(run(tmp_path, "--output", "locked/vae.pt", before=NOBODY))
    assert "nothing can be written to locked (Permission denied); choose another --output" in line
    assert list(locked.iterdir()) == []
    (tmp_path / "file").write_text("")
    for output, told in (
        ("file/vae.pt", "nothing can be written to file"),
        ("locked", "a folder"),
        ("", "a folder"),
        ("x" * 300 + "/vae.pt", "nothing can be written"),
    ):
        done = run(tmp_path, "--output", output)
        assert told in only_line(done) and "epoch " not in done.stdout


@pytest.mark.guarantee("writes-are-atomic")
def test_a_full_disk_leaves_the_old_file(tmp_path, small_checkpoint):
    save_checkpoint(tmp_path / "vae.pt", small_checkpoint)
    before = (tmp_path / "vae.pt").read_bytes()
    line = only_line(run(tmp_path, "--epochs", "2", before=LITTLE_ROOM))
    assert "vae.resume.pt cannot be written (File too large); make room" in line
    assert [path.name for path in tmp_path.iterdir()] == ["vae.pt"]
    assert (tmp_path / "vae.pt").read_bytes() == before


@pytest.mark.guarantee("writes-are-atomic")
def test_what_torch_says_of_a_full_disk_is_told_as_the_system_says_it(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        with open(tmp_path / "apart", "wb") as file, pytest.raises(RuntimeError):
            torch.save(torch.zeros(200_000), file)
        with pytest.raises(OSError, match=r"vae.pt cannot be written \(File too large\)"):
            write_whole(tmp_path / "vae.pt", partial(torch.save, torch.zeros(200_000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in tmp_path.iterdir()] == ["apart"]


@pytest.mark.guarantee("writes-are-atomic")
@pytest.mark.parametrize("victim", ["write_metrics", "draw_curves"])
def test_curves_that_cannot_be_written_do_not_cost_the_model(tmp_path, victim):
    full = (
        f"real = records.{victim}; records.{victim} = "
        "lambda *a, **k: (__import__('resource').setrlimit(1, (10, 10)), real(*a, **k))"
    )
    for name in ("metrics.json", "training_curves.png"):
        (tmp_path / name).write_text("before")
    line = only_line(run(tmp_path, "--epochs", "1", before=full))
    name = {"write_metrics": "metrics.json", "draw_curves": "training_curves.png"}[victim]
    assert f"{name} cannot be written (File too large)" in line
    assert (tmp_path / name).read_text() == "before"
    assert len(load_checkpoint(tmp_path / "vae.pt").history) == 1
    assert not list(tmp_path.glob("*.tmp"))


@contextlib.contextmanager
def saving_for_ever(path: Path) -> Iterator[subprocess.Popen]:
    """A process that saves a checkpoint again and again, until it is killed."""
    saver = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from checkpoint import load_checkpoint, save_checkpoint\n"
        f"path = {str(path)!r}\nfound = load_checkpoint(path)\nprint('saving', flush=True)\n"
        "while True:\n    save_checkpoint(path, found)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", saver], stdout=subprocess.PIPE)
    try:
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.guarantee("writes-are-atomic")
def test_two_runs_that_write_the_same_file_leave_it_whole(tmp_path, small_checkpoint):
    path = tmp_path / "vae.pt"
    save_checkpoint(path, small_checkpoint)
    with saving_for_ever(path) as one, saving_for_ever(path) as other:
        versions, until = set(), time.monotonic() + 60
        while len(versions) < 10:
            assert torch.equal(load_checkpoint(path).means, small_checkpoint.means)
            versions.add(path.stat().st_mtime_ns)
            assert one.poll() is None and other.poll() is None
            assert time.monotonic() < until


@pytest.mark.guarantee("writes-are-atomic")
def test_killed_at_any_moment_while_saving_the_file_is_whole(tmp_path, small_checkpoint):
    path = tmp_path / "vae.pt"
    save_checkpoint(path, small_checkpoint)
    for delay in (0.01, 0.03, 0.07, 0.12, 0.2):
        with saving_for_ever(path) as process:
            first = path.stat().st_ino
            while path.stat().st_ino == first:  # it has saved at least once
                assert process.poll() is None
            time.sleep(delay)
        assert torch.equal(load_checkpoint(path).means, small_checkpoint.means)
    # A file that a kill has left is no obstacle, and goes in time; a new one is somebody's.
    for left in tmp_path.glob("vae.pt.*.tmp"):
        left.unlink()
    old, new = tmp_path / "vae.pt.1.tmp", tmp_path / "vae.pt.2.tmp"
    for left in (old, new):
        left.write_bytes(b"half")
    os.utime(old, (0, 0))
    save_checkpoint(path, small_checkpoint)
    assert {entry.name for entry in tmp_path.iterdir()} == {"vae.pt", new.name}


@pytest.mark.guarantee("interrupts-keep-the-run")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_ctrl_c_does_not_disturb_the_goodbye(tmp_path, number):
    """The first comes while the state is being saved, the others during what follows."""
    before = (
        "real = checkpoint.torch.save; count = []\n"
        "def save(*a):\n"
        "    count.append(1); real(*a)\n"
        f"    if len(count) == 3: os.kill(os.getpid(), {int(number)})\n"
        "checkpoint.torch.save = save\n"
        "kept = trainer.kept\n"
        "def late(*a):\n"
        "    os.kill(os.getpid(), 2); os.kill(os.getpid(), 15); return kept(*a)\n"
        "trainer.kept = late"
    )
    done = run(tmp_path, "--epochs", "9", before=before)
    assert done.returncode == 128 + number
    assert "Traceback" not in done.stderr
    assert "epochs 1 to 2 are kept in vae.resume.pt. To go on: python trainer.py" in done.stdout
    assert len(load_checkpoint(tmp_path / "vae.resume.pt").history) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["vae.resume.pt"]


@pytest.mark.guarantee("interrupts-keep-the-run")
def test_only_the_first_signal_is_an_exception():
    before = signal.getsignal(signal.SIGINT)
    with stoppable():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.raise_signal(number)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.guarantee("interrupts-keep-the-run")
def test_a_damaged_run_is_not_resumed(tmp_path):
    (tmp_path / "vae.resume.pt").write_bytes(b"PK\x03\x04 and no more")
    line = only_line(run(tmp_path, "--resume"))
    assert "vae.resume.pt: it is damaged" in line


@pytest.mark.guarantee("any-working-directory")
def test_from_another_folder(tmp_path):
    done = run(tmp_path, "--epochs", "1", "--output", "a/b/vae.pt")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "a/b/metrics.json").read_text())["history"]


@pytest.mark.guarantee("output-checked-before-training")
def test_data_that_cannot_be_kept(tmp_path, monkeypatch, capsys):
    (tmp_path / "data").write_text("a file where the folder should be")
    monkeypatch.chdir(tmp_path)
    assert trainer.main(["--data-dir", "data", "--device", "cpu", "--output", "vae.pt"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("trainer.py: ") and told.count("\n") == 1 and "data" in told
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


# --- checkpoints from elsewhere ---


@pytest.mark.guarantee("foreign-weights-explained")
@pytest.mark.parametrize(
    ("prefix", "maker"), [("_orig_mod.", "torch.compile"), ("module.", "DistributedDataParallel")]
)
def test_weights_of_a_wrapped_model_are_told(tmp_path, small_checkpoint, prefix, maker):
    path = tmp_path / "vae.pt"
    named = {prefix + name: value for name, value in small_checkpoint.weights.items()}
    save_checkpoint(path, checkpoints.dataclasses.replace(small_checkpoint, weights=named))
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    assert maker in str(caught.value) and "save those of the model within" in str(caught.value)


@pytest.mark.guarantee("foreign-weights-explained")
def test_a_file_from_a_gpu_is_read_on_the_cpu(tmp_path, small_checkpoint):
    """torch notes for each tensor where it was; the length of the name is part of the pickle."""
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
def test_weights_of_another_precision_are_told(tmp_path, small_checkpoint, dtype):
    path = tmp_path / "vae.pt"
    cast = {name: value.to(dtype) for name, value in small_checkpoint.weights.items()}
    save_checkpoint(path, checkpoints.dataclasses.replace(small_checkpoint, weights=cast))
    with pytest.raises(CheckpointError, match=f"{dtype}, expected .* torch.float32"):
        load_checkpoint(path)
