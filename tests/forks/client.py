"""Has the fork server run a Python program, and behaves as it: streams, signals, exit status.

python -S -I client.py NUMBER PROGRAM ARGUMENTS...

The process id of the program is written to the open file of that number, unless it is -1.
"""

import json
import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType
from typing import NamedTuple

ADDRESS = "TESTS_FORK_SERVER"  # the variable with the path of the server's socket


class Request(NamedTuple):
    """A program to run.

    Args:
        arguments: its path, or -m and a module, and its own arguments.
        cwd: its working directory. environment: all of its variables.
        streams: standard input, output and error; None for one that is closed.
    """

    arguments: list[str]
    cwd: str
    environment: dict[str, str]
    streams: list[int | None]


def receive(connection: socket.socket, size: int) -> bytes:
    """The next `size` bytes.

    Raises:
        EOFError: if the other side is gone.
    """
    found = b""
    while len(found) < size:
        part = connection.recv(size - len(found))
        if not part:
            raise EOFError("the other side of the fork server's socket is gone; see its output")
        found += part
    return found


def send_request(connection: socket.socket, request: Request) -> None:
    given = [stream for stream in request.streams if stream is not None]
    message = json.dumps(request).encode("utf-8", "surrogateescape")
    socket.send_fds(connection, [len(message).to_bytes(4, "big")], given)
    connection.sendall(message)


def receive_request(connection: socket.socket) -> Request:
    """A request, whose streams are open in this process.

    Raises:
        EOFError: if the other side is gone.
    """
    size, streams, *_ = socket.recv_fds(connection, 4, 3)
    message = receive(connection, int.from_bytes(size, "big"))
    sent = Request(*json.loads(message.decode("utf-8", "surrogateescape")))
    order = iter(streams)
    received = [None if stream is None else next(order) for stream in sent.streams]
    return sent._replace(streams=received)


def own_stream(number: int) -> int | None:
    """The number, unless that stream is closed."""
    try:
        os.fstat(number)
    except OSError:
        return None
    return number


def run(report: int, arguments: list[str]) -> int:
    """The wait status of the program.

    Args:
        report: receives its process id.
    """
    # Before the socket is opened, which may take the number of a closed stream.
    streams = [own_stream(number) for number in range(3)]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ[ADDRESS])
        send_request(connection, Request(arguments, str(Path.cwd()), dict(os.environ), streams))
        pid = int.from_bytes(receive(connection, 4), "big")

        def forward(signum: int, _: FrameType | None) -> None:
            os.kill(pid, signum)

        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, forward)
        if report >= 0:
            os.write(report, str(pid).encode())
            os.close(report)
        return int.from_bytes(receive(connection, 4), "big")


if __name__ == "__main__":
    code = os.waitstatus_to_exitcode(run(int(sys.argv[1]), sys.argv[2:]))
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)
