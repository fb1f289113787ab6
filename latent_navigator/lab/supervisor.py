"""Runs trainer.py for the page: one run at a time, in a process that neither starves nor outlives
this one.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from filelock import FileLock, Timeout

from latent_navigator.data.dataset_info import DATASETS
from latent_navigator.lab.estimate import Speed, recorded_rate
from latent_navigator.lab.run import (
    FAILED,
    FINISHED,
    RUNNING,
    STOPPED,
    STOPPING,
    Run,
)
from latent_navigator.lab.settings import Settings
from latent_navigator.model_config import VAEConfig
from latent_navigator.training.config import TrainingConfig
from latent_navigator.training.parent import STOPS_WITH_STDIN
from latent_navigator.training.paths import PROGRESS_SUFFIX
from latent_navigator.training.progress import Record, read_progress

TRAINER = Path(__file__).parents[2] / "trainer.py"
RUNS = Path("runs")
NICE = 10  # so that the page has the processor first
STOP_SECONDS = 30.0  # after which a run that does not stop is killed
MOST_RUNS = 20  # that are listed, the newest
SUFFIX = ".pt"


def spare_threads() -> int:
    """One core fewer than this process may use, but at least one."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(1, cores - 1)


class Supervisor:
    """Starts, stops and resumes runs, and finds those that an earlier server has left.

    Args:
        folder: where runs write.
        command: what runs trainer.py; by default this Python.
        threads: of a run.
    """

    def __init__(
        self,
        folder: Path = RUNS,
        command: list[str] | None = None,
        threads: int | None = None,
    ) -> None:
        self.folder = folder
        self.program = os.path.relpath(TRAINER) if TRAINER.is_relative_to(Path.cwd()) else TRAINER
        self.command = command or [sys.executable, str(self.program)]
        self.threads = threads or spare_threads()
        self.speed = Speed()
        self._runs: dict[str, Run] = {}
        self._current: Run | None = None
        self._process: subprocess.Popen[str] | None = None
        self._watching: threading.Thread | None = None
        self._lock = threading.RLock()
        self._folder_lock = FileLock(folder / ".running.lock", blocking=False, thread_local=False)
        self._find_runs()

    # --- the runs ---

    def runs(self) -> list[Run]:
        """All runs, the newest first."""
        with self._lock:
            return sorted(self._runs.values(), key=lambda run: run.name, reverse=True)[:MOST_RUNS]

    def run(self, name: object) -> Run:
        """The run of that name.

        Raises:
            ValueError: if there is none.
        """
        with self._lock:
            if isinstance(name, str) and name in self._runs:
                return self._runs[name]
        raise ValueError(f"there is no run {name!r:.80}; reload the page to see the current list")

    @property
    def current(self) -> Run | None:
        """The run that goes on, else the newest that this server has started."""
        return self._current

    @property
    def busy(self) -> bool:
        """Whether a run goes on."""
        return self._current is not None and self._current.live

    def _find_runs(self) -> None:
        """Those that an earlier server, or the command line, has left in the folder."""
        found = self.folder.glob(f"*{SUFFIX}{PROGRESS_SUFFIX}") if self.folder.is_dir() else ()
        for path in sorted(found, reverse=True)[:MOST_RUNS]:
            try:
                run = self._left_run(path)
            except (OSError, ValueError, KeyError, TypeError, IndexError):
                continue  # it is none of ours, or was never begun
            self._runs[run.name] = run
            self.speed.recorded(recorded_rate(run.records))

    def _left_run(self, path: Path) -> Run:
        output = path.with_name(path.name.removesuffix(PROGRESS_SUFFIX))
        start: Record = read_progress(path)[0]
        config = TrainingConfig(**start["config"])
        settings = Settings(config, VAEConfig(**start["model"]))
        name = output.name.removesuffix(SUFFIX)
        run = Run(name, output, settings.options(str(output)), settings.title)
        run.refresh()
        run.reread_log()
        run.state = FINISHED if output.is_file() else STOPPED
        run.message = self._describe(run, run.state)
        return run

    # --- one at a time ---

    def start(self, settings: Settings) -> Run:
        """Begin a run.

        Raises:
            ValueError: if one goes on.
            OSError: if the folder cannot be written or the process not be started.
        """
        with self._lock:
            self._acquire()
            name = self._new_name(settings.config)
            output = self.folder / f"{name}{SUFFIX}"
            run = Run(name, output, settings.options(str(output)), settings.title)
            self._launch(run, [])
            self._runs[name] = run
        return run

    def resume(self, name: object) -> Run:
        """Continue a stopped run.

        Raises:
            ValueError: if there is no such run, nothing of it is saved, or one goes on.
            OSError: if the process cannot be started.
        """
        with self._lock:
            run = self.run(name)
            if not run.can_resume:
                raise ValueError(f"{run.title} has no saved epoch to continue from; start it again")
            self._acquire()
            self._launch(run, ["--resume"])
        return run

    def stop(self) -> None:
        """Let the run end after what it has saved; it may take a moment."""
        with self._lock:
            if self.busy and self._current is not None and self._process is not None:
                self._current.state = STOPPING
                self._process.terminate()
                timer = threading.Timer(STOP_SECONDS, self._process.kill)
                timer.daemon = True
                timer.start()

    def close(self) -> None:
        """Stop the run and wait until its process is gone: this program ends."""
        self.stop()
        if self._watching is not None:
            self._watching.join(STOP_SECONDS + 5)

    def _acquire(self) -> None:
        if self.busy:
            assert self._current is not None
            raise ValueError(f"a run is already in progress ({self._current.title}); stop it first")
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._folder_lock.acquire()
        except Timeout:
            raise ValueError(
                f"another server is training in {self.folder}; wait until its run has ended"
            ) from None

    def _new_name(self, config: TrainingConfig) -> str:
        dataset = config.dataset if config.dataset in DATASETS else Path(config.dataset).name
        words = re.sub(r"[^a-z0-9]+", "-", dataset.lower()).strip("-")[:30] or "images"
        base = name = f"{time.strftime('%Y-%m-%d-%H%M%S')}-{words}-beta-{config.beta:g}"
        count = 1
        while name in self._runs or (self.folder / f"{name}{SUFFIX}").exists():
            count += 1
            name = f"{base}-{count}"
        return name

    def _launch(self, run: Run, extra: list[str]) -> None:
        threads = str(self.threads)
        try:
            process = subprocess.Popen(
                [*self.command, *run.options, *extra],
                stdin=subprocess.PIPE,  # which ends with this process; see training/parent.py
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,  # Ctrl-C is for this program, which then stops the run
                env={**os.environ, "OMP_NUM_THREADS": threads, STOPS_WITH_STDIN: "1"},
            )
        except OSError as error:
            self._folder_lock.release()
            raise OSError(f"the run could not be started ({error.strerror}); try again") from None
        if hasattr(os, "setpriority"):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
        run.state, run.message = RUNNING, ""
        run.say(f"$ {run.command(str(self.program), resume=bool(extra))}")
        self._current, self._process = run, process
        self._watching = threading.Thread(target=self._watch, args=(run, process), daemon=True)
        self._watching.start()

    def _watch(self, run: Run, process: subprocess.Popen[str]) -> None:
        """Read what the process prints until it ends, and say how it has ended."""
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip():
                run.say(line.rstrip())
        status = process.wait()
        if process.stdin is not None:
            process.stdin.close()
        process.stdout.close()
        run.refresh()
        with self._lock:
            asked = run.state == STOPPING
            if status == 0 and run.paths.output.is_file():
                state = FINISHED
            else:
                state = STOPPED if asked or status in (130, 143) else FAILED
            # First the message: whoever sees that the run has ended shows it.
            run.message = self._describe(run, state, status)
            run.state = state
            self._folder_lock.release()
        self.speed.recorded(recorded_rate(run.records))

    def _describe(self, run: Run, state: str, status: int = 0) -> str:
        """One sentence on how a run has ended, in this state, and what is kept."""
        epochs = run.start["config"]["epochs"] if run.start else 0
        saved = "epoch 1 is saved" if run.saved == 1 else f"epochs 1 to {run.saved} are saved"
        if state == FINISHED:
            return f"Finished after {epochs} epoch{'s' * (epochs != 1)}."
        resumable = run.paths.state.is_file()
        kept = f"{saved[0].upper()}{saved[1:]}." if resumable else "No epoch was completed."
        if state == STOPPED:
            return f"Stopped. {kept}"
        if status < 0:
            name = signal.Signals(-status).name if -status in signal.valid_signals() else -status
            memory = "; the system does this when it runs out of memory" if status == -9 else ""
            return f"The process was killed ({name}{memory}). {kept}"
        return f"{run.fault or 'The run failed; see its log.'} {kept}"
