"""A process that has imported torch and Gradio, and forks the programs that tests start.

Importing them takes five seconds of a core; a fork takes milliseconds. The process listens on a
Unix socket. A request names a program, its arguments, folder and variables, and brings its standard
streams; the answer is the process's id, then, once it has ended, its wait status. A program whose
client goes away is killed, and all are when standard input ends.

A fork imports the project's own modules itself, from the folder of its program. It ends as any
Python process does, but for freeing what is imported, which would take 0.4 to 1.4 seconds. What
Python and torch read from variables before that is the server's: those whose names begin as
`KNOWN_AT_START` lists cannot be changed.
"""

import ast
import atexit
import contextlib
import gc
import importlib
import io
import os
import runpy
import selectors
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import __main__
from tests.forks.client import ADDRESS, Request, receive_request

ROOT = Path(__file__).parents[2]
# What programs import only where they need it: an optimizer, a figure, torchrun, --mcp.
IMPORTED_LATER = (
    "torch._dynamo",
    "matplotlib.backends.backend_agg",
    "torch.distributed.run",
    "gradio.mcp",
)
START = dict(os.environ)
# How the names of variables begin that Python, torch or the C library read when they start.
KNOWN_AT_START = ("OMP_", "MKL_", "MALLOC_", "LD_", "PYTHONH", "PYTHONUTF8")
UNSET_FOLDER = "/gradio's folder is set after the fork"
copies_of_the_folder: list[tuple[ModuleType, str]] = []  # modules and names of their attributes


# --- the server ---


def required_modules() -> Iterator[str]:
    """The modules from elsewhere that this project's own modules import when they are imported."""
    own = {path.stem for path in ROOT.iterdir()}
    paths = [*ROOT.glob("*.py"), *(ROOT / "latent_navigator").rglob("*.py")]
    for path in paths:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [str(node.module)]
            else:
                continue
            yield from (name for name in names if name.split(".")[0] not in own)


def preload() -> None:
    """Import what the programs need; no module of the project, and nothing that starts a thread."""
    os.environ["GRADIO_TEMP_DIR"] = START["GRADIO_TEMP_DIR"] = UNSET_FOLDER
    gc.disable()  # it would take a sixth of the time
    for name in sorted({*required_modules(), *IMPORTED_LATER}):
        importlib.import_module(name)
    gc.enable()
    copies_of_the_folder.extend(
        (module, name)
        for module in sys.modules.values()
        for name, value in vars(module).items()
        if type(value) is str and value == UNSET_FOLDER
    )
    gc.collect()
    gc.freeze()  # so that a fork's collections leave the shared pages alone


class ForkServer:
    """Forks the programs of its clients.

    Args:
        listener: its socket.
    """

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.children: dict[int, socket.socket] = {}
        self.wake, self.wakes = socket.socketpair()
        self.loaded = False

    def serve(self) -> Request | None:
        """Serve until standard input ends; in a fork, return the program that it is to run."""
        self.wakes.setblocking(False)
        self.wake.setblocking(False)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the tests, and they end this
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wakes.fileno(), warn_on_full_buffer=False)
        for source in (sys.stdin.fileno(), self.listener, self.wake):
            self.selector.register(source, selectors.EVENT_READ)
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.listener:
                    if (request := self.start(self.listener.accept()[0])) is not None:
                        return request
                elif key.fileobj is self.wake:
                    with contextlib.suppress(BlockingIOError):
                        self.wake.recv(4096)
                    self.report_ends()
                elif isinstance(key.fileobj, socket.socket):
                    self.kill(key.fileobj)
                else:
                    for connection in list(self.children.values()):
                        self.kill(connection)
                    return None

    def start(self, connection: socket.socket) -> Request | None:
        """Fork a program, unless the client is gone; returns it in the fork."""
        try:
            request = receive_request(connection)
        except EOFError:
            connection.close()
            return None
        if not self.loaded:
            preload()
            self.loaded = True
        pid = os.fork()
        if pid == 0:
            connection.close()
            self.leave()
            return request
        for stream in request.streams:
            if stream is not None:
                os.close(stream)
        self.children[pid] = connection
        self.selector.register(connection, selectors.EVENT_READ)
        with contextlib.suppress(OSError):  # it may be gone, which the selector then reports
            connection.sendall(pid.to_bytes(4, "big"))
        return None

    def leave(self) -> None:
        """Close, in a fork, what belongs to the server."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.selector.close()
        for opened in (self.listener, self.wake, self.wakes, *self.children.values()):
            opened.close()

    def report_ends(self) -> None:
        """Tell the clients of the programs that have ended."""
        for pid in list(self.children):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                connection = self.children.pop(pid)
                self.selector.unregister(connection)
                with contextlib.suppress(OSError):
                    connection.sendall(status.to_bytes(4, "big"))
                connection.close()

    def kill(self, connection: socket.socket) -> None:
        """End the program of a client that is gone, unless it has ended at the same moment."""
        pid = next((pid for pid, other in self.children.items() if other is connection), None)
        if pid is None:
            return
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        del self.children[pid]
        self.selector.unregister(connection)
        connection.close()


# --- a fork ---


def open_stream(
    number: int, mode: str, default: Any, unbuffered: bool = False
) -> io.TextIOWrapper | None:
    """A standard stream as Python opens it at its start; None if it is closed.

    Args:
        default: the server's, whose encoding holds unless PYTHONIOENCODING is set.
    """
    try:
        os.fstat(number)
    except OSError:
        return None
    encoding, _, errors = os.environ.get("PYTHONIOENCODING", "").partition(":")
    strictness = "strict" if encoding else default.errors
    size = 0 if unbuffered else -1
    buffer: IO[bytes] = open(number, f"{mode}b", size, closefd=False)  # noqa: SIM115
    stream = io.TextIOWrapper(
        buffer,
        encoding=encoding or default.encoding,
        errors=("backslashreplace" if number == 2 else errors) or strictness,
        line_buffering=not unbuffered and (number == 2 or buffer.isatty()),
        write_through=unbuffered,
    )
    stream.mode = mode  # type: ignore[misc]  # Python too sets it afterwards
    return stream


def take_streams(streams: list[int | None], unbuffered: bool) -> None:
    """Make these the standard streams of this process."""
    for number, stream in enumerate(streams):
        if stream is None:
            os.close(number)
        else:
            os.dup2(stream, number)
            os.close(stream)
    sys.stdin = sys.__stdin__ = open_stream(0, "r", sys.__stdin__)  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = open_stream(1, "w", sys.__stdout__, unbuffered)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = open_stream(2, "w", sys.__stderr__, unbuffered)  # type: ignore[misc]


def take_environment(environment: dict[str, str]) -> None:
    """Make these the variables of this process, also where they were read by an import.

    Raises:
        ValueError: if one of them must be known before.
    """
    known = {name for name in START | environment if name.startswith(KNOWN_AT_START)}
    if changed := [
        name
        for name in known
        if environment.get(name) not in (START.get(name), os.environ.get(name))
    ]:
        raise ValueError(f"{changed} are read before the fork; start the program itself")
    imported = {name: value for name, value in os.environ.items() if START.get(name) != value}
    os.environ.clear()
    os.environ.update(imported | environment)
    folder = environment.get("GRADIO_TEMP_DIR") or str(Path(tempfile.gettempdir(), "gradio"))
    for module, name in copies_of_the_folder:
        setattr(module, name, folder)


def run(request: Request) -> None:
    """Become the program, whose end is that of this process."""
    for name in [name for name in sys.modules if name.split(".")[0] == "tests"]:
        del sys.modules[name]  # those of the server
    take_environment(request.environment)
    program, *arguments = request.arguments
    unbuffered = program == "-u" or bool(os.environ.get("PYTHONUNBUFFERED"))
    if program == "-u":
        program, *arguments = arguments
    take_streams(request.streams, unbuffered)
    os.chdir(request.cwd)
    if program == "-c":
        code, *arguments = arguments
        sys.argv, sys.path[0] = ["-c", *arguments], ""
        gc.unfreeze()  # Hypothesis looks for what refers to its generators of random numbers
        exec(code, __main__.__dict__)
        return
    if program == "-m":
        module, *arguments = arguments
        sys.argv, sys.path[0] = [module, *arguments], request.cwd
        sys.modules.pop(module, None)
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return
    sys.argv, sys.path[0] = [program, *arguments], str(Path(program).resolve().parent)
    __main__.__dict__["__file__"] = program
    exec(compile(Path(program).read_bytes(), program, "exec"), __main__.__dict__)


def exit_status(program: Callable[[], object]) -> int:
    """Run a program, and return the status that Python would end with; it may raise."""
    try:
        program()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    return 0


def end(status: int) -> None:
    """End this process as Python does, but without freeing its objects, like multiprocessing."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:
                stream.flush()
    except OSError:
        sys.exit(status)  # Python tries again, and reports it
    os._exit(status)


def main() -> None:
    """Serve on the socket that ADDRESS names; in a fork, run its program."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.environ[ADDRESS])
        listener.listen(64)
        print("listening", flush=True)
        request = ForkServer(listener).serve()
    if request is not None:
        end(exit_status(partial(run, request)))
