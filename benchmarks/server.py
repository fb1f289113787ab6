"""Start `python demo.py` as a user does, for the tests and the benchmarks."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import psutil

ROOT = Path(__file__).parent.parent
READY = "press Ctrl-C to stop"  # the last words that demo.py prints when it listens
START_SECONDS = 180
IDLE = 10  # % of a core
IDLE_SECONDS = 8  # longer than a server waits before it computes usual paths


def free_port() -> int:
    """A TCP port that no one listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process(Protocol):
    """The part of Popen that is needed of a demo."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


def start_python(arguments: list[str], **options: Any) -> Process:
    """Run Python with these arguments; the options are those of Popen."""
    return subprocess.Popen([sys.executable, *arguments], **options)


@contextlib.contextmanager
def running_process(
    log: Path,
    module: str = "demo",
    environment: dict[str, str] | None = None,
    port: int | None = None,
    core: int | None = None,
    start: Callable[..., Process] = start_python,
    folder: Path = ROOT,
) -> Iterator[tuple[str, Process]]:
    """The address and the process of a demo on the committed checkpoint.

    Args:
        log: receives what it prints.
        module: "demo", or another module that takes the port as its only argument.
        environment: variables to set on top of this process's own.
        port: to listen on; by default a free one.
        core: the only one that it may use; by default all.
        start: starts Python as `start_python` does.
        folder: the working directory, in which a demo finds data/ and trains into runs/.

    Raises:
        RuntimeError: with its output, if it does not start within START_SECONDS.
    """
    port = port or free_port()
    arguments = [str(ROOT / "demo.py"), "--port"] if module == "demo" else ["-m", module]
    with log.open("w") as output:
        process = start(
            [*arguments, str(port)],
            cwd=folder,
            stdout=output,
            stderr=output,
            env=os.environ | (environment or {}),
        )
    if core is not None:
        # Before it has other threads: they take over what holds for the one that starts them.
        os.sched_setaffinity(process.pid, {core})
    try:
        deadline = time.monotonic() + START_SECONDS
        while READY not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the demo did not start: {log.read_text()}")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/", process
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_until_idle(process: Process) -> None:
    """Let a demo finish what it prepares after its start, as it has where users come later."""
    deadline = time.monotonic() + START_SECONDS
    server = psutil.Process(process.pid)
    idle = 0
    while idle < IDLE_SECONDS and time.monotonic() < deadline:
        idle = idle + 1 if server.cpu_percent(interval=1) < IDLE else 0


@contextlib.contextmanager
def running_demo(log: Path, module: str = "demo") -> Iterator[str]:
    """The address of a demo; see `running_process`."""
    with running_process(log, module) as (address, _):
        yield address
