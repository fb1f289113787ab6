"""Start `python demo.py` as a user does, for the tests and the benchmarks."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
READY = "press Ctrl-C to stop"  # the last words that demo.py prints when it listens


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running_process(
    log: Path,
    module: str = "demo",
    environment: dict[str, str] | None = None,
    port: int | None = None,
) -> Iterator[tuple[str, subprocess.Popen]]:
    """The address and the process of a demo on the committed checkpoint.

    Args:
        log: where what it prints goes.
        module: "demo", or another that takes its port as its only argument.
        environment: variables that it has besides this program's.
        port: where it listens; any free one by default.

    Raises:
        RuntimeError: with what it printed, if it does not come up within three minutes.
    """
    port = port or free_port()
    arguments = ["demo.py", "--port"] if module == "demo" else ["-m", module]
    with open(log, "w") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments, str(port)],
            cwd=ROOT,
            stdout=output,
            stderr=output,
            env=os.environ | (environment or {}),
        )
        try:
            for _ in range(1800):
                if process.poll() is not None or READY in log.read_text():
                    break
                time.sleep(0.1)
            if process.poll() is not None or READY not in log.read_text():
                raise RuntimeError(f"the demo did not start: {log.read_text()}")
            yield f"http://127.0.0.1:{port}/", process
        finally:
            process.terminate()
            process.wait(timeout=30)


@contextlib.contextmanager
def running_demo(log: Path, module: str = "demo") -> Iterator[str]:
    """The address of a demo; see `running_process`."""
    with running_process(log, module) as (address, _):
        yield address
