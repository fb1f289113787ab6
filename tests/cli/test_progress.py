"""The progress file of a run, and a run that ends with the program that has started it."""

import itertools
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latent_navigator.checkpoint.checkpoint import load_checkpoint
from latent_navigator.training.parent import STOPS_WITH_STDIN
from latent_navigator.training.progress import (
    MOMENTS,
    add_record,
    decode_array,
    read_progress,
)
from tests.cli.small_trainer import ROOT, SmallTrainer
from tests.cli.test_runs import stopped_in_epoch
from tests.helpers import HANG, wait_until

STEPS_OF_8 = ("--batch-size", "63")


def test_progress_has_the_space_as_it_forms_and_changes_no_weight(
    small_trainer: SmallTrainer, tmp_path: Path
) -> None:
    assert small_trainer("--epochs", "4", *STEPS_OF_8)[0] == 0
    plain = Path("vae.pt").read_bytes()
    assert not Path("vae.pt.progress").exists()
    assert small_trainer("--epochs", "4", *STEPS_OF_8, "--progress", "--output", "b.pt")[0] == 0
    recorded = load_checkpoint(tmp_path / "b.pt")
    for name, values in load_checkpoint(tmp_path / "vae.pt").weights.items():
        assert values.equal(recorded.weights[name]), name
    assert plain
    start, *moments = read_progress(tmp_path / "b.pt.progress")
    moments = [record for record in moments if record["kind"] == "moment"]
    within = [epoch + share for epoch, shares in enumerate(MOMENTS) for share in shares]
    assert [record["at"] for record in moments] == sorted([*within, 0, 1, 2, 3, 4])
    assert start["images"] == 500
    sample = recorded.snapshots.sample
    labels = decode_array(start["labels"], "u1", len(sample))
    np.testing.assert_array_equal(labels, recorded.labels[sample].numpy())
    assert start["reconstructed"] == recorded.snapshots.reconstructed.tolist()
    whole = [record for record in moments if record["at"] == int(record["at"])]
    for i, record in enumerate(whole):
        means = decode_array(record["means"], "f2", len(sample), 2)
        np.testing.assert_array_equal(means, recorded.snapshots.means[i].numpy())
        grid = decode_array(record["grid"], "u1", 9, 9, 28, 28)
        np.testing.assert_array_equal(grid, recorded.snapshots.grids[i].numpy())
        assert record["entry"] == (recorded.history[i - 1] if i else None)
    # The encodings move from each moment to the next, within the epochs too.
    every = [decode_array(record["means"], "f2", len(sample), 2) for record in moments]
    for one, next_ in itertools.pairwise(every):
        assert np.abs(one.astype(float) - next_).max() > 0
    assert all(record["recon"] > 0 and record["kl"] >= 0 for record in moments[1:])


def test_a_resumed_run_continues_its_progress(small_trainer: SmallTrainer, tmp_path: Path) -> None:
    options = ("--epochs", "4", *STEPS_OF_8, "--progress")
    with stopped_in_epoch(3):
        assert small_trainer(*options)[0] == 130
    assert read_progress(tmp_path / "vae.pt.progress")[-1]["at"] == 2
    assert small_trainer(*options, "--resume")[0] == 0
    start, *moments = read_progress(tmp_path / "vae.pt.progress")
    assert start["epoch"] == 2
    whole = [record["at"] for record in moments if record["at"] == int(record["at"])]
    assert whole == [0, 1, 2, 3, 4]
    assert [record["at"] for record in moments] == sorted(record["at"] for record in moments)


def test_what_an_interrupted_epoch_has_left_is_dropped() -> None:
    records: list[dict[str, object]] = []
    lines = [
        '{"kind": "start", "epoch": 0}',
        '{"kind": "moment", "at": 1}',
        '{"kind": "step", "at": 1.2}',
        '{"kind": "moment", "at": 1.25}',
        '{"kind": "mom',
        "[]",
        '{"kind": "step", "at": 1.4}',
        '{"kind": "step", "at": 1.6}',
    ]
    for line in lines:
        add_record(records, line)
    assert [r.get("at") for r in records] == [None, 1, 1.25, 1.6]
    add_record(records, '{"kind": "start", "epoch": 1}')
    assert records == [{"kind": "start", "epoch": 1}, {"kind": "moment", "at": 1}]


def test_a_progress_file_that_cannot_be_written_stops_no_run(
    small_trainer: SmallTrainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, *arguments: Any, **options: Any) -> Any:
        if self.suffix == ".progress":
            raise OSError(28, "No space left on device")
        return open_(self, *arguments, **options)

    open_ = Path.open
    monkeypatch.setattr(Path, "open", full)
    assert small_trainer("--epochs", "2", "--progress")[0] == 0
    assert load_checkpoint(tmp_path / "vae.pt").history


def test_a_limited_run_uses_so_many_images(small_trainer: SmallTrainer, tmp_path: Path) -> None:
    status, out, _ = small_trainer("--epochs", "1", "--limit", "100")
    assert status == 0
    assert "Training on 100 digits" in out
    checkpoint = load_checkpoint(tmp_path / "vae.pt")
    assert checkpoint.training_config["limit"] == 100
    assert checkpoint.train_data is not None
    assert sum(checkpoint.train_data.fingerprint.counts) == 100
    assert min(checkpoint.train_data.fingerprint.counts) > 0
    assert "limit is 501; the data set has 500" in small_trainer.error("--limit", "501")


PROGRAM = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from latent_navigator.training.parent import stop_with_stdin
stop_with_stdin()
print("watching", flush=True)
{{end}}
"""
IN_ORDER = """
import signal
try:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    print("ready", flush=True)
    signal.pause()
finally:
    print("saved", flush=True)
"""


def test_a_run_stops_in_order_when_standard_input_ends() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(end=IN_ORDER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={STOPS_WITH_STDIN: "1"},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "watching\n"
        assert process.stdout.readline() == "ready\n"
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(HANG) == 7
        assert process.stdout.readline() == "saved\n"


def test_without_the_variable_standard_input_may_end() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(end="import signal; signal.pause()")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env={},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "watching\n"
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: process.poll() is not None)
        assert process.returncode == -signal.SIGTERM
