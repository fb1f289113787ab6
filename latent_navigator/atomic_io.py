"""Atomic writes: a file is written completely or not at all."""

import contextlib
import glob
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

ABANDONED_SECONDS = 600  # since its last change, a temporary file was left by a killed process


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Call `write(file)` on a temporary file next to `path`, then rename it to `path`.

    Each process has a temporary file of its own: if several write the same path at once, the
    complete file of the last one stays.

    Raises:
        OSError: if the folder cannot be written or the disk is full; no partial file is left.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        _remove_abandoned(path)
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:  # Ctrl-C included
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        # When the disk is full, torch raises an error of its own while it closes its archive.
        cause: BaseException = error
        while isinstance(cause, RuntimeError) and cause.__context__ is not None:
            cause = cause.__context__
        if isinstance(cause, OSError):
            raise OSError(
                f"{path} cannot be written ({cause.strerror}); free some space or choose another "
                "location"
            ) from None
        raise


def _remove_abandoned(path: Path) -> None:
    """Remove the temporary files of processes that were killed while they wrote `path`."""
    for temporary in path.parent.glob(f"{glob.escape(path.name)}.*.tmp"):
        with contextlib.suppress(OSError):  # another process may be faster
            if time.time() - temporary.stat().st_mtime > ABANDONED_SECONDS:
                temporary.unlink()


def check_folder(folder: Path, remedy: str) -> None:
    """Make a folder, if it does not exist, and make sure that files can be written there.

    Args:
        remedy: what the user can do, for the error.

    Raises:
        OSError: if no file can be written, with the reason and the remedy.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(f"nothing can be written to {folder} ({error.strerror}); {remedy}") from None
