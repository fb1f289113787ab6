"""The fork server of the tests starts programs that behave as if Python had started them."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures import ROOT
from tests.forks import FORKED_PYTHON, ForkedPython
from tests.forks.server import ForkServer
from tests.helpers import wait_until

PROGRAM = """
import atexit, os, signal, sys, threading
project = "latent_navigator", "trainer", "tests"
own = [name for name in sys.modules if name.split(".")[0] in project]
print(sys.argv, sys.path[0], os.getcwd(), os.environ.get("COLOUR"), __name__, __file__, own)
for stream in (sys.stdin, sys.stdout, sys.stderr):
    for name in ("encoding", "errors", "line_buffering", "mode"):
        print(getattr(stream, name, None), file=sys.stderr)
print(sys.stdin.read() if sys.stdin else None)
print(signal.getsignal(signal.SIGTERM), threading.active_count(), file=sys.stderr)
atexit.register(lambda: print("the end", flush=True))
raise SystemExit(3)
"""


def run(
    python: list[str], folder: Path, *arguments: str, redirection: str = "", **environment: str
) -> tuple[int, bytes, bytes]:
    """The exit status and the output of PROGRAM, in a folder."""
    (folder / "program.py").write_text(PROGRAM)
    program = [*python, str(folder / "program.py"), *arguments]
    command = ["bash", "-c", f'exec "$@" {redirection}', "-", *program]
    done = subprocess.run(
        command, cwd=folder, input=b"x\xff", capture_output=True, env=os.environ | environment
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("redirection", "encoding"),
    [("", ""), ("", "cp1252:backslashreplace"), ("<&-", "ascii"), ("2>&-", ""), (">&-", "")],
)
def test_a_fork_runs_as_python_does(tmp_path: Path, redirection: str, encoding: str) -> None:
    results = [
        run(
            python,
            tmp_path,
            *("--a", "b c", "\udcff"),
            redirection=redirection,
            COLOUR="blue",
            PYTHONIOENCODING=encoding or "utf-8:surrogateescape",
        )
        for python in (FORKED_PYTHON, [sys.executable])
    ]
    assert results[0] == results[1]


def test_a_fork_runs_code_as_python_does() -> None:
    code = "import sys; print(sys.argv, repr(sys.path[0]), __name__, sys.stdin.readline())"
    results = [
        subprocess.run(
            [*python, "-u", "-c", code, "--a", "b c"],
            cwd=ROOT,
            input=b"first\nsecond\n",
            capture_output=True,
        )
        for python in (FORKED_PYTHON, [sys.executable])
    ]
    assert results[1].stdout == b"['-c', '--a', 'b c'] '' __main__ first\n\n"
    assert results[0].stdout == results[1].stdout
    assert results[0].stderr == results[1].stderr == b""


ENDINGS = {
    "text without a newline": "print('text', end='')",
    "a sentence": "sys.exit('a sentence')",
    "a status": "sys.exit(7)",
    "no status": "sys.exit()",
    "an exception": "raise ValueError('of the program')",
    "Ctrl-C": "raise KeyboardInterrupt",
    "a closed stream": "sys.stdout.close()",
    "a full disk": "sys.stdout = open('/dev/full', 'w'); print('text')",
    "a thread": "threading.Thread(target=lambda: (main.join(), print('later'))).start()",
    "an executor": "ThreadPoolExecutor().submit(print, 'from a worker')",
    "order": "weakref.finalize(sys, print, 'finalized'); atexit.register(print, 'at exit')",
}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_a_fork_ends_as_python_does(tmp_path: Path, ending: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import atexit, sys, threading, weakref\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        f"main = threading.main_thread()\n{ending}\n"
    )
    ends = []
    for python in (FORKED_PYTHON, [sys.executable]):
        done = subprocess.run([*python, str(program)], capture_output=True, text=True)
        ends.append((done.returncode, done.stdout, done.stderr.splitlines()[-1:]))
    assert ends[0] == ends[1]


def test_a_fork_passes_on_signals_and_how_it_ended(tmp_path: Path) -> None:
    program = tmp_path / "wait.py"
    program.write_text("import signal, sys; print('ready', flush=True); signal.pause()")
    for signum in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT):
        with (tmp_path / "log").open("w") as log:
            process = ForkedPython([str(program)], stdout=log, stderr=log)
        wait_until(lambda: "ready" in (tmp_path / "log").read_text())
        assert process.poll() is None
        process.send_signal(signum)
        assert process.wait(60) == -signum
        with pytest.raises(ProcessLookupError):
            os.kill(process.pid, 0)


def test_a_program_that_ends_together_with_its_client_ends_no_other() -> None:
    ours, theirs = socket.socketpair()
    with socket.socket(socket.AF_UNIX) as listener, ours, theirs:
        server = ForkServer(listener)
        server.kill(ours)  # its end has just been reported
        server.selector.close()
        server.wake.close()
        server.wakes.close()


def test_a_fork_ends_with_its_client(tmp_path: Path) -> None:
    program = tmp_path / "wait.py"
    program.write_text("import signal; signal.pause()")
    process = ForkedPython([str(program)], cwd=ROOT)
    process.client.kill()

    def gone() -> bool:
        try:
            os.kill(process.pid, 0)
        except ProcessLookupError:
            return True
        return False

    wait_until(gone)
    process.wait()
