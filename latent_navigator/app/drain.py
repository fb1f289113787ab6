"""The requests in flight, and how the server stops without dropping any of them."""

import contextlib
import time
from collections.abc import Callable, Iterator


class Drain:
    """Counts requests in flight and decides when a server that is told to stop may do so.

    Only the server's event loop and its signal handlers change it, so it needs no lock.

    Args:
        timeout: seconds after `start` at which the server stops whatever is still running.
        quiet: seconds without a request after which no client is waiting for a result that it
            has yet to fetch: Gradio's queue takes a job in one request and answers in another.
        clock: the time in seconds.
    """

    def __init__(
        self,
        timeout: float = 30.0,
        quiet: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.timeout, self.quiet, self.clock = timeout, quiet, clock
        self.running = 0
        self.started = False
        self.hurried = False
        self._last_request = self.clock()
        self._deadline = float("inf")

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        """Count a request as running."""
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            self._last_request = self.clock()

    def start(self) -> None:
        """Accept no new work; a second call changes nothing."""
        if not self.started:
            self.started = True
            self._last_request = self.clock()
            self._deadline = self._last_request + self.timeout

    def hurry(self) -> None:
        """Wait for nothing that is still running."""
        self.hurried = True

    @property
    def complete(self) -> bool:
        """Whether every request has its answer."""
        return self.idle_for(self.quiet)

    def idle_for(self, seconds: float) -> bool:
        """Whether no request has run for so long."""
        return not self.running and self.clock() - self._last_request >= seconds

    @property
    def finished(self) -> bool:
        """Whether the server may stop."""
        return self.started and (self.complete or self.hurried or self.clock() > self._deadline)

    def describe(self) -> str:
        """Why requests are dropped, and how many."""
        reason = "second Ctrl-C" if self.hurried else f"not done after {self.timeout:g} seconds"
        requests = "request" if self.running == 1 else "requests"
        return f"{reason}: dropped {self.running} {requests}"
