"""Where a training run writes: every file carries the whole name of its output. Free of torch."""

import os
from dataclasses import dataclass
from pathlib import Path

from latent_navigator.atomic_io import TEMPORARY_SUFFIX, check_folder, check_writable, regular_file

STATE_SUFFIX, LOCK_SUFFIX = ".resume", ".lock"
METRICS_SUFFIX, CURVES_SUFFIX = ".metrics.json", ".curves.png"
PROGRESS_SUFFIX, LOG_SUFFIX = ".progress", ".log"
# No output ends in one of these, so that no run writes over a file of another.
RESERVED = (
    *(STATE_SUFFIX, METRICS_SUFFIX, CURVES_SUFFIX, LOCK_SUFFIX),
    *(PROGRESS_SUFFIX, LOG_SUFFIX, TEMPORARY_SUFFIX),
)
REMEDY = "choose another --output"


@dataclass(frozen=True)
class RunPaths:
    """The files of the run that writes `output`: vae.pt, vae.pt.resume, vae.pt.metrics.json ...

    The suffixes are added to the whole name: m.pt and m.pth, or vae.beta0.1 and vae.beta0.5, share
    no file.
    """

    output: Path  # the checkpoint, when the run is finished

    def _beside(self, suffix: str) -> Path:
        return self.output.with_name(self.output.name + suffix)

    @property
    def state(self) -> Path:
        """The state of the unfinished run, written after every epoch."""
        return self._beside(STATE_SUFFIX)

    @property
    def metrics(self) -> Path:
        """The configuration and the losses of every epoch, as JSON."""
        return self._beside(METRICS_SUFFIX)

    @property
    def curves(self) -> Path:
        """The losses of every epoch, as a plot."""
        return self._beside(CURVES_SUFFIX)

    @property
    def progress(self) -> Path:
        """The latent space as it forms, one record a line; see training/progress.py."""
        return self._beside(PROGRESS_SUFFIX)

    @property
    def log(self) -> Path:
        """What a run that demo.py has started prints."""
        return self._beside(LOG_SUFFIX)

    @property
    def lock(self) -> Path:
        """Locked while the run lives."""
        return self._beside(LOCK_SUFFIX)

    @property
    def state_of_version_0_1(self) -> Path:
        """Where version 0.1 kept the state; runs whose names differ in the suffix shared it."""
        return self.output.with_suffix(".resume.pt")


def resolve_output(output: str) -> Path:
    """The file that a run with this --output writes: the target, if it is a symbolic link.

    Raises:
        ValueError: if it is a folder, a device, a pipe or a socket, or has the name of a record of
            another run.
        OSError: if it cannot be reached.
    """
    path = Path(output)
    if not path.name or output.endswith(("/", os.sep)):
        raise ValueError(f"output is {output!r}, a folder; name a file in it, such as vae.pt")
    try:
        path = regular_file(path)
    except ValueError as error:
        raise ValueError(f"output is {error}; name a file, such as vae.pt") from None
    except OSError as error:
        raise OSError(f"nothing can be written to {path} ({error.strerror}); {REMEDY}") from None
    for suffix in RESERVED:
        if path.name.lower().endswith(suffix):
            raise ValueError(
                f"output is {output!r}, but names that end in {suffix} are reserved for the files "
                f"beside a checkpoint; {REMEDY}"
            )
    return path


def check_output(paths: RunPaths) -> None:
    """Make sure, before hours of training, that every file can be written; make their folder.

    Raises:
        ValueError: if a file is a folder, a device, a pipe or a socket.
        OSError: if a file cannot be written, or its name is too long.
    """
    check_folder(paths.output.parent, REMEDY)
    for path in (paths.output, paths.state, paths.metrics, paths.curves, paths.lock):
        try:
            regular_file(path)
        except ValueError as error:
            raise ValueError(f"the run would write {error}; {REMEDY}") from None
        check_writable(path, REMEDY)
