"""What the page asks of the lab, with answers in JSON."""

import gzip
import secrets
import threading
from pathlib import Path
from typing import Any

from latent_navigator.checkpoint.checkpoint import CheckpointError, load_checkpoint
from latent_navigator.data.dataset_info import DATASETS
from latent_navigator.lab import estimate
from latent_navigator.lab.lessons import LESSONS, verdict
from latent_navigator.lab.live_replay import live_part
from latent_navigator.lab.presets import USUAL, datasets, fields, presets
from latent_navigator.lab.run import FINISHED, Run
from latent_navigator.lab.settings import Settings, parse_settings
from latent_navigator.lab.supervisor import Supervisor
from latent_navigator.training.config import TrainingConfig

MNIST_SIZE = 60_000
NOT_YOURS = "Another user started this run; only they can stop it."
MOST_MOMENTS = 60  # in one part: 4 MB before it is packed


class Lab:
    """Trains for the page.

    Args:
        supervisor: of the runs.
        data_dir: where data sets are.
    """

    def __init__(
        self, supervisor: Supervisor, data_dir: Path = Path(TrainingConfig.data_dir)
    ) -> None:
        self.supervisor, self.data_dir = supervisor, data_dir
        self._lessons: dict[str, dict[str, Any] | None] = {}  # by the names of finished runs
        self._lock = threading.Lock()
        self._token = secrets.token_urlsafe()  # of whoever has started the current run

    def status(self, local: bool = False) -> dict[str, Any]:
        """What goes on.

        Returns:
            {"run": the current run, or the newest; None if there is none, "runs": all of them,
            "may_stop": whether this user may stop a run that another one has started}.
        """
        runs = self.supervisor.runs()
        for run in runs:
            run.refresh()
        current = self.supervisor.current or (runs[0] if runs else None)
        return {
            "message": "",
            "may_stop": local,
            "run": self._record(current) if current else None,
            "runs": [
                {
                    "name": run.name,
                    "title": run.title,
                    "state": run.state,
                    "message": run.message,
                    "can_resume": run.can_resume,
                    "starts": run.starts,
                    "moments": len(run.moments),
                    "class_names": run.start["class_names"] if run.start else [],
                }
                for run in runs
            ],
        }

    def form(self, local: bool) -> dict[str, Any]:
        """What can be trained: data sets, presets, the usual values, the ranges of the fields."""
        offered = presets(self.supervisor.speed.rate, MNIST_SIZE)
        minute = next(preset["values"] for preset in offered if preset["key"] == "minute")
        return {
            "message": "",
            "datasets": datasets(self.data_dir, local),
            "presets": offered,
            "lessons": [lesson.record(minute) for lesson in LESSONS],
            "usual": USUAL,
            "fields": fields(),
            "threads": self.supervisor.threads,
        }

    def moments(self, name: str, starts: int, first: int, last: int) -> bytes:
        """The packed file of the snapshots `first` ... `last` - 1 of a run, compressed.

        Args:
            starts: how often the run began anew; of another number there is nothing.

        Raises:
            ValueError: if there are none such.
        """
        run = self.supervisor.run(name)
        run.refresh()
        moments = run.moments
        inside = 0 <= first < last <= min(len(moments), first + MOST_MOMENTS)
        if run.starts != starts or run.start is None or not inside:
            raise ValueError(f"{name!r:.80} has no moments {first} to {last}; ask for its status")
        return gzip.compress(live_part(run.start, moments[:last], first), 5, mtime=0)

    def check(self, values: object, local: bool) -> dict[str, Any]:
        """{"command": of a run with these settings, "estimate": a sentence on how long it takes}.

        Raises:
            ValueError: if a setting is invalid.
        """
        settings = parse_settings(values, self.data_dir, local)
        program = str(self.supervisor.program)
        command = Run("", Path(), settings.options("runs/NAME.pt"), "").command(program)
        return {"command": command, "estimate": self._estimate(settings)}

    def start(self, values: object, local: bool) -> dict[str, Any]:
        """Start a run with these settings; see `_begun`.

        Raises:
            ValueError: if a setting is invalid, or another run goes on.
            OSError: if it cannot be started.
        """
        settings = parse_settings(values, self.data_dir, local)
        return self._begun(self.supervisor.start(settings))

    def stop(self, values: object, local: bool) -> dict[str, Any]:
        """Stop the current run; its record.

        Args:
            values: {"token"} that the start of the run has answered.

        Raises:
            ValueError: if the user is not on this machine, and another one has started the run.
        """
        token = values.get("token") if isinstance(values, dict) else None
        own = isinstance(token, str) and secrets.compare_digest(
            token.encode("utf-8", "replace"), self._token.encode()
        )
        if self.supervisor.busy and not (local or own):
            raise ValueError(NOT_YOURS)
        self.supervisor.stop()
        current = self.supervisor.current
        return {"run": self._record(current) if current else None}

    def resume(self, values: object, _local: bool) -> dict[str, Any]:
        """Continue the run {"name"}; see `_begun`.

        Raises:
            ValueError: if it cannot be continued, or another run goes on.
            OSError: if it cannot be started.
        """
        name = values.get("name") if isinstance(values, dict) else None
        return self._begun(self.supervisor.resume(name))

    def _begun(self, run: Run) -> dict[str, Any]:
        """{"run": its record, "token": with which this user can stop it}."""
        self._token = secrets.token_urlsafe()
        return {"run": self._record(run), "token": self._token}

    def _record(self, run: Run) -> dict[str, Any]:
        return run.record(str(self.supervisor.program)) | {"lesson": self._lesson(run)}

    def _lesson(self, run: Run) -> dict[str, Any] | None:
        """What a finished run shows of its lesson, computed once."""
        if run.state != FINISHED:
            return None
        with self._lock:
            if run.name not in self._lessons:
                try:
                    self._lessons[run.name] = verdict(load_checkpoint(run.paths.output))
                except CheckpointError:  # it was moved or damaged meanwhile
                    self._lessons[run.name] = None
            return self._lessons[run.name]

    def _estimate(self, settings: Settings) -> str:
        config = settings.config
        info = DATASETS.get(config.dataset)
        images = config.limit or (info.train_size if info else None)
        if images is None:
            return "How long it takes depends on the images in the folder."
        total = estimate.seconds(self.supervisor.speed.rate, images, config.epochs)
        cores = self.supervisor.threads
        return (
            f"About {estimate.in_words(total)} on {cores} core{'s' * (cores != 1)} of this machine."
        )
