"""Atomic writes: a file is written completely or not at all."""

import contextlib
import glob
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

ABANDONED_SECONDS = 600  # since its last change, a temporary file was left by a killed process
TEMPORARY_SUFFIX = ".tmp"
KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
)


def regular_file(path: Path) -> Path:
    """`path`, or the file that it links to: a new file may take its place, and the link stays.

    Raises:
        ValueError: if there is something else than a regular file, naming what.
        OSError: if it cannot be reached, for example because links form a loop.
    """
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        mode = path.stat().st_mode  # before links are resolved: /dev/stdout leads to no file
        if not stat.S_ISREG(mode):
            kind = next((name for test, name in KINDS if test(mode)), "not a regular file")
            raise ValueError(f"{str(path)!r}, {kind}")
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Call `write(file)` on a temporary file next to `path`, then rename it to `path`.

    Each process has a temporary file of its own: if several write the same path at once, the
    complete file of the last one stays. A symbolic link stays one; its target is replaced.

    Raises:
        ValueError: if `path` is a folder, a device, a pipe or a socket.
        OSError: if the folder cannot be written or the disk is full; no partial file is left.
    """
    path = regular_file(path)
    temporary = _temporary(path)
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


def _temporary(path: Path) -> Path:
    return path.with_name(f"{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")


def _remove_abandoned(path: Path) -> None:
    """Remove the temporary files of processes that were killed while they wrote `path`."""
    for temporary in path.parent.glob(f"{glob.escape(path.name)}.*{TEMPORARY_SUFFIX}"):
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


def check_writable(path: Path, remedy: str) -> None:
    """Make sure that `write_whole` can make its temporary file, whose name is the longest.

    Raises:
        OSError: if not, with the reason and the remedy.
    """
    temporary = _temporary(regular_file(path))
    try:
        temporary.open("wb").close()
        temporary.unlink()
    except OSError as error:
        raise OSError(f"{path} cannot be written ({error.strerror}); {remedy}") from None


def check_space(folder: Path, size: int, remedy: str) -> None:
    """Make sure that the disk of a folder has so many bytes left.

    Raises:
        OSError: if not, with the remedy.
    """
    free = shutil.disk_usage(folder).free
    if free < size:
        raise OSError(
            f"{folder} has {free / 2**20:,.0f} MiB free, and up to {size / 2**20:,.0f} MiB are "
            f"needed; free some space or {remedy}"
        )
