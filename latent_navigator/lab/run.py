"""One run that was started from the page: its files, what it has said and how far it is."""

import shlex
import threading
from collections import deque
from pathlib import Path
from typing import Any

from latent_navigator.training.paths import RunPaths
from latent_navigator.training.progress import Record, add_record

RUNNING, STOPPING = "running", "stopping"
STOPPED, FAILED, FINISHED = "stopped", "failed", "finished"
LOG_LINES = 200  # that are kept of what a run prints
LINE = 400  # characters of one
PROGRAM = "trainer.py: "  # what its one sentence about an error begins with


class Run:
    """A run; several threads may ask it.

    Args:
        name: ours, which is its key in links and the name of its files.
        output: the checkpoint that it writes.
        options: the arguments of trainer.py, without --resume.
    """

    def __init__(self, name: str, output: Path, options: list[str], title: str) -> None:
        self.name, self.options, self.title = name, options, title
        self.paths = RunPaths(output)
        self.state, self.message = STOPPED, ""
        self.lines: deque[str] = deque(maxlen=LOG_LINES)
        self.records: list[Record] = []
        self.starts = 0  # how often its records began anew; part of the addresses of its snapshots
        self._read = 0  # bytes of the progress file
        self._rest = b""
        self._lock = threading.Lock()

    @property
    def live(self) -> bool:
        """Whether its process runs."""
        return self.state in (RUNNING, STOPPING)

    # --- what it says ---

    def say(self, line: str) -> None:
        """A line of its output: kept here, and in its log while the disk has room."""
        self.lines.append(line[:LINE])
        try:
            with self.paths.log.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        except OSError:
            return

    def reread_log(self) -> None:
        """What an earlier server has left of its log."""
        try:
            text = self.paths.log.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        self.lines.extend(line[:LINE] for line in text.splitlines()[-LOG_LINES:])

    @property
    def fault(self) -> str:
        """The sentence with which trainer.py has ended, or nothing."""
        for line in reversed(self.lines):
            if line.startswith(PROGRAM):
                sentence = line.removeprefix(PROGRAM)
                return f"{sentence[:1].upper()}{sentence[1:]}{'' if sentence[-1:] == '.' else '.'}"
        return ""

    # --- how far it is ---

    def refresh(self) -> None:
        """Read what the progress file has got since the last call."""
        with self._lock:
            try:
                if self.paths.progress.stat().st_size < self._read:
                    self._forget()
                with self.paths.progress.open("rb") as file:
                    file.seek(self._read)
                    new = file.read()
            except OSError:
                return
            self._read += len(new)
            *lines, self._rest = (self._rest + new).split(b"\n")
            for line in lines:
                first = self.records[0] if self.records else None
                add_record(self.records, line.decode("utf-8", "replace"))
                if self.records and self.records[0] is not first:
                    self.starts += 1

    def _forget(self) -> None:
        self._read, self._rest = 0, b""
        self.records.clear()

    @property
    def start(self) -> Record | None:
        """The record of its newest start."""
        return self.records[0] if self.records else None

    @property
    def moments(self) -> list[Record]:
        """Its snapshots so far."""
        return [record for record in self.records if record["kind"] == "moment"]

    @property
    def saved(self) -> int:
        """Epochs that are complete, and so not lost."""
        return max((int(r["at"]) for r in self.moments if r["entry"]), default=0)

    @property
    def can_resume(self) -> bool:
        """Whether a state is there to continue from."""
        return not self.live and self.paths.state.is_file()

    def command(self, program: str, resume: bool = False) -> str:
        """The command that does what this run does, to copy."""
        return shlex.join(["python", program, *self.options, *(["--resume"] if resume else [])])

    def progress(self) -> dict[str, Any]:
        """How far it is, as JSON; see the type Run of web/lab/run.js."""
        start, at, rate = self.start, 0.0, 0
        for record in self.records[1:]:
            at = max(at, record["at"])
            rate = record.get("rate", rate)
        epochs = start["config"]["epochs"] if start else 0
        images = start["images"] if start else 0
        entries = [r["entry"] for r in self.moments if r["entry"]]
        left = None
        if entries:  # with the evaluation, which the rate leaves out
            left = (epochs - at) * entries[-1]["seconds"]
            rate = rate or round(images / max(entries[-1]["seconds"], 1e-3))
        elif rate:
            left = (epochs - at) * images / rate
        return {
            "at": at,
            "epochs": epochs,
            "rate": rate,
            "left": left,
            "images": images,
            "moments": len(self.moments),
            "saved": self.saved,
        }

    def record(self, program: str) -> dict[str, Any]:
        """All that the page shows of it but the snapshots, as JSON."""
        self.refresh()
        start = self.start
        return {
            "name": self.name,
            "title": self.title,
            "state": self.state,
            "message": self.message,
            "log": list(self.lines)[-40:],
            "command": self.command(program),
            "can_resume": self.can_resume,
            "finished": self.paths.output.is_file(),
            "starts": self.starts,
            "latent_dim": start["model"]["latent_dim"] if start else 2,
            "class_names": start["class_names"] if start else [],
            "items": start["items"] if start else "images",
            **self.progress(),
        }
