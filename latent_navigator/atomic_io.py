"""Files that are written whole or not at all, and folders that take them."""

import contextlib
import glob
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

LEFT = 600  # seconds without a change after which a temporary file was left by a killed process


def write_whole(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Call `write(file)` on a temporary file beside `path` and rename it over `path` when safe.

    Of several processes that write the same path each has a temporary file of its own: the last
    one's result stays, whole.

    Raises:
        OSError: if the folder cannot be written or the disk is full; no partial file is left.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        for left in path.parent.glob(f"{glob.escape(path.name)}.*.tmp"):
            with contextlib.suppress(OSError):  # another process may be faster
                if time.time() - left.stat().st_mtime > LEFT:
                    left.unlink()
        with open(temporary, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:  # Ctrl-C included: nothing half-written stays
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        # torch hides the system's reason behind an error of its own when it closes its archive.
        cause = error
        while isinstance(cause, RuntimeError) and cause.__context__ is not None:
            cause = cause.__context__
        if isinstance(cause, OSError):
            raise OSError(
                f"{path} cannot be written ({cause.strerror}); make room or choose another place"
            ) from None
        raise


def check_folder(folder: Path, remedy: str) -> None:
    """Make a folder if need be, and make sure that files can be written there.

    Raises:
        OSError: if not, with the reason and the remedy.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(f"nothing can be written to {folder} ({error.strerror}); {remedy}") from None
