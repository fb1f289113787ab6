"""One run at a time writes an output."""

import contextlib
from collections.abc import Iterator

from filelock import FileLock, Timeout

from latent_navigator.training.paths import REMEDY, RunPaths


@contextlib.contextmanager
def locked(paths: RunPaths) -> Iterator[None]:
    """Hold the lock of the output within the block; the system frees it when the process dies.

    Raises:
        ValueError: if another run that lives holds it.
        OSError: if the lock file cannot be made.
    """
    lock = FileLock(paths.lock, blocking=False)
    try:
        lock.acquire()
    except Timeout:
        raise ValueError(
            f"another run is writing {paths.output}; wait until it has ended, or {REMEDY}"
        ) from None
    try:
        yield
    finally:
        # While it is held: filelock takes no lock on a file that has been removed meanwhile.
        with contextlib.suppress(OSError):  # Windows removes no open file
            paths.lock.unlink(missing_ok=True)
        lock.release()
