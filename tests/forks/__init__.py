"""Start `python demo.py` and other programs in milliseconds; see server.py."""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.forks.client import ADDRESS

ROOT = Path(__file__).parents[2]
CLIENT, QUIET_DEMO = (Path(__file__).with_name(name) for name in ("client.py", "quiet_demo.py"))
# In the place of [sys.executable] in a command.
FORKED_PYTHON = [sys.executable, "-S", "-I", str(CLIENT), "-1"]
LASTING: list["ForkedPython"] = []  # referred to here, or Python would complain that they run
SERVER = f"import sys; sys.path[0] = {str(ROOT)!r}; from tests.forks import server; server.main()"


@contextlib.contextmanager
def fork_server() -> Iterator[None]:
    """Run the fork server; its programs end with it."""
    # The path of a socket has 100 characters at most, so it is not in one of pytest's folders.
    with tempfile.TemporaryDirectory(prefix="forks-") as folder:
        os.environ[ADDRESS] = f"{folder}/socket"
        with subprocess.Popen(
            [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdout.readline()  # it listens
            executable = forked_executable()
            executable.write_text(f'#!/bin/sh\nexec {shlex.join(FORKED_PYTHON)} "$@"\n')
            executable.chmod(0o700)
            yield
            process.stdin.close()
        del os.environ[ADDRESS]


def forked_executable() -> Path:
    """In the place of sys.executable, where a command in several words is not possible."""
    return Path(os.environ[ADDRESS]).with_name("python")


class ForkedPython:
    """What subprocess.Popen([sys.executable, *arguments]) starts, from the fork server.

    Args:
        options: of Popen.
    """

    def __init__(self, arguments: list[str], **options: Any) -> None:
        reader, writer = os.pipe()
        with open(reader) as report:  # noqa: PTH123  # a pipe has no path
            command = [*FORKED_PYTHON[:-1], str(writer), *arguments]
            try:
                self.client = subprocess.Popen(command, pass_fds=[writer], **options)
            finally:
                os.close(writer)
            self.pid = int(report.read())

    def poll(self) -> int | None:
        return self.client.poll()

    def wait(self, timeout: float | None = None) -> int:
        return self.client.wait(timeout)

    def send_signal(self, sig: int) -> None:
        """Signal the program itself; its client ends with it."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def leave_running(self) -> None:
        """Let it run until the fork server ends, also when this process has ended."""
        LASTING.append(self)


def start_quiet_demo(arguments: list[str], **options: Any) -> ForkedPython:
    """Fork a demo.py, given with its options, that computes nothing before it is asked."""
    return ForkedPython([str(QUIET_DEMO), *arguments], **options)
