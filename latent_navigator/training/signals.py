"""Ctrl-C and SIGTERM: either ends a program once, in order, wherever it stands."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any


class Terminated(KeyboardInterrupt):
    """SIGTERM: a scheduler ends the run, or torchrun does since another process has ended."""


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Within, the first Ctrl-C or SIGTERM is an exception; later ones do not disturb the end."""

    def stop(signum: int, _: Any) -> None:
        hold()
        raise Terminated() if signum == signal.SIGTERM else KeyboardInterrupt()

    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def hold() -> None:
    """No signal disturbs what remains to be said, until `stoppable` ends."""
    if threading.current_thread() is threading.main_thread():
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, signal.SIG_IGN)
