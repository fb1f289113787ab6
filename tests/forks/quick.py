"""Servers of tests that compress what they send in less time, to more bytes."""

import gzip
from typing import Any

import brotli


def compress_quickly() -> None:
    """Let all servers of this process compress at the lowest level: the machine is the tests'."""
    by_brotli, by_gzip = brotli.compress, gzip.compress

    def quick_brotli(content: bytes, **_: Any) -> bytes:
        return bytes(by_brotli(content, quality=1))

    def quick_gzip(content: bytes, *_: Any, **__: Any) -> bytes:
        return by_gzip(content, 1, mtime=0)

    brotli.compress = quick_brotli
    gzip.compress = quick_gzip  # type: ignore[assignment]  # the level is always the same
