"""A run's progress file: how the latent space forms, one record of JSON a line.

trainer.py --progress writes it while it trains, and demo.py shows it. It has three kinds of them:

    start    when training begins or continues: the epochs that are done, configuration and data
    step     at most two a second: epochs done, fractions included, and images per second
    moment   a snapshot and the losses, at the fractions of MOMENTS and after every epoch

The file is only appended to. A reader drops what an interrupted run has left of an epoch that was
not completed, see `read_progress`.
"""

import base64
import dataclasses
import json
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from latent_navigator.checkpoint.snapshots import Snapshot, Snapshots, newest
from latent_navigator.data.dataset_info import dataset_info
from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.model_config import VAEConfig
from latent_navigator.training.config import TrainingConfig, beta_at

# Of an epoch, by its number from 0: most happens in the first.
MOMENTS = ((0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875), (0.25, 0.5, 0.75), (0.5,))
STEP_SECONDS = 0.5  # between two records of steps


def moments_of(epoch: int) -> tuple[float, ...]:
    """The shares of an epoch, counted from 0, after which there is a snapshot before its end."""
    return MOMENTS[epoch] if epoch < len(MOMENTS) else ()


def encode_array(values: np.ndarray) -> str:
    """An array as text: compressed, in base64."""
    return base64.b64encode(zlib.compress(np.ascontiguousarray(values).tobytes(), 1)).decode()


def decode_array(text: str, dtype: str, *shape: int) -> np.ndarray:
    """The array that `encode_array` has made text of.

    Raises:
        ValueError: if it is not such a text, or has another shape.
    """
    try:
        content = zlib.decompress(base64.b64decode(text, validate=True))
    except zlib.error as error:
        raise ValueError(f"the array cannot be read: {error}") from None
    return np.frombuffer(content, dtype).reshape(shape)


class ProgressLog:
    """Writes the progress file; a full disk ends the file, not the run.

    Args:
        path: of the file; None to write nothing.
        config: of the run.
    """

    def __init__(self, path: Path | None, config: TrainingConfig) -> None:
        self.path, self.config = path, config
        self._begun = self._stepped = time.monotonic()
        self._epoch, self._images = 0, 0
        self._due: list[float] = []

    def start(
        self, epoch: int, data: LabelledImages, snapshots: Snapshots, model_config: VAEConfig
    ) -> None:
        """The run begins, with epoch 0, or continues after `epoch` epochs.

        Args:
            snapshots: up to there; where the run begins, the one before training.
        """
        if self.path is None:
            return
        if not epoch:
            self.path.unlink(missing_ok=True)
        self._images = len(data.train_images)
        info = dataset_info(self.config.dataset, data.class_names)
        self._write(
            "start",
            epoch=epoch,
            time=time.time(),
            config=dataclasses.asdict(self.config),
            model=dataclasses.asdict(model_config),
            images=self._images,
            test_images=len(data.test_images),
            items=info.items,
            class_names=list(data.class_names),
            labels=encode_array(data.test_labels[snapshots.sample].byte().numpy()),
            reconstructed=snapshots.reconstructed.tolist(),
        )
        if not epoch:
            self.moment(0, newest(snapshots))

    def begin_epoch(self, epoch: int) -> None:
        """Epoch `epoch`, counted from 0, begins."""
        self._begun, self._epoch = time.monotonic(), epoch
        self._due = list(moments_of(epoch))

    def step(self, share: float) -> bool:
        """So much of the epoch is done; whether a snapshot is due, which `moment` takes."""
        if self.path is None:
            return False
        now = time.monotonic()
        if now - self._stepped >= STEP_SECONDS:
            self._stepped = now
            rate = share * self._images / max(now - self._begun, 1e-9)
            self._write("step", at=round(self._epoch + share, 4), rate=round(rate))
        due = [fraction for fraction in self._due if share >= fraction]
        self._due = self._due[len(due) :]
        return bool(due) and share < 1

    def moment(
        self,
        at: float,
        snapshot: Snapshot,
        losses: tuple[float, float] | None = None,
        entry: dict[str, float] | None = None,
    ) -> None:
        """A snapshot.

        Args:
            at: epochs done, fractions included; 0 is before training.
            losses: recon and kl in nats per test image; None before training.
            entry: of the history, where an epoch is complete and its state saved.
        """
        if self.path is None:
            return
        recon, kl = losses or (None, None)
        self._write(
            "moment",
            at=round(at, 4),
            beta=beta_at(at, self.config),
            recon=recon,
            kl=kl,
            means=encode_array(snapshot.means.numpy()),
            grid=encode_array(snapshot.grid.numpy()),
            reach=float(snapshot.reach),
            entry=entry,
        )

    def epoch(self, snapshot: Snapshot, entry: dict[str, float]) -> None:
        """An epoch is complete and its state saved, with this entry of the history."""
        losses = entry["test_recon"], entry["test_kl"]
        self.moment(entry["epoch"], snapshot, losses, entry)

    def _write(self, kind: str, **values: object) -> None:
        if self.path is None:
            return
        line = json.dumps({"kind": kind, **values}) + "\n"
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line)
        except OSError:
            # A half-written line must not be continued. The checkpoint's own writing says why.
            self.path = None


Record = dict[str, Any]


def add_record(records: list[Record], line: str) -> None:
    """Add a line of the file to the records before it: start, moments, the newest step.

    A start drops the moments after its epoch: the run that made them was interrupted. Lines that
    are damaged, as by a full disk, are left out.
    """
    try:
        record = json.loads(line)
        kind = record["kind"]
    except (ValueError, KeyError, TypeError):
        return
    if kind == "start":
        kept = [r for r in records if r["kind"] == "moment" and r["at"] <= record["epoch"]]
        records[:] = [record, *kept] if record["epoch"] else [record]
    elif records:
        if records[-1]["kind"] == "step":
            records.pop()
        if kind in ("moment", "step"):
            records.append(record)


def read_progress(path: Path) -> list[Record]:
    """The records of a file: first the newest start, then all moments, perhaps a step at the end.

    Raises:
        OSError: if it cannot be read.
    """
    records: list[Record] = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            add_record(records, line)
    return records
