"""Standard output and error that never decide how a program ends."""

import contextlib
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from typing_extensions import Buffer


class _Forgiving(io.RawIOBase):
    """A raw stream that drops what cannot be written: the reader is gone, or the disk is full."""

    def __init__(self, raw: io.RawIOBase) -> None:
        super().__init__()
        self.raw = raw

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.raw.fileno()

    def isatty(self) -> bool:
        return self.raw.isatty()

    def write(self, data: "Buffer", /) -> int | None:
        with contextlib.suppress(OSError):
            return self.raw.write(data)
        return len(memoryview(data))


def _forgiving(stream: TextIO | None) -> TextIO:
    """A stream that writes to the same file, with escapes for what its encoding does not have."""
    if stream is None:  # closed by the shell
        return Path(os.devnull).open("w", encoding="utf-8")
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    stream.flush()
    buffer = stream.buffer
    raw: Any = getattr(buffer, "raw", buffer)  # unbuffered streams have none below
    return io.TextIOWrapper(
        io.BufferedWriter(_Forgiving(raw)),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def forgive_output() -> None:
    """Let no message end the program: not its letters, a closed pipe, or a full disk.

    Streams that another program has put in place of the standard ones stay as they are.
    """
    if sys.stdout is sys.__stdout__:
        sys.stdout = _forgiving(sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _forgiving(sys.stderr)
