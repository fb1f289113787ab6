"""Ctrl-C and SIGTERM: the first one stops the run in order, later ones are ignored."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Terminated(KeyboardInterrupt):
    """SIGTERM: from a scheduler, or from torchrun because another process has ended."""


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first Ctrl-C or SIGTERM within the block into an exception.

    Outside the main thread, which alone receives signals, the block changes nothing.

    Raises:
        KeyboardInterrupt: on Ctrl-C.
        Terminated: on SIGTERM.
    """

    def stop(signum: int, _frame: FrameType | None) -> None:
        ignore_stop_signals()
        raise Terminated if signum == signal.SIGTERM else KeyboardInterrupt

    handlers = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {signum: signal.signal(signum, stop) for signum in STOP_SIGNALS}
    try:
        yield
    finally:
        for signum, handler in handlers.items():
            signal.signal(signum, handler)


def ignore_stop_signals() -> None:
    """Ignore Ctrl-C and SIGTERM until the enclosing `interruptible` block ends."""
    if threading.current_thread() is threading.main_thread():
        for signum in STOP_SIGNALS:
            signal.signal(signum, signal.SIG_IGN)
