"""Compression of what is sent, as the client accepts it."""

import gzip
import re
from collections.abc import Callable, Mapping

import brotli

# The best first. Brotli's levels above 9 take ten times as long to save a twentieth more.
COMPRESSIONS: Mapping[str, Callable[[bytes], bytes]] = {
    "br": lambda content: bytes(brotli.compress(content, quality=9)),
    "gzip": lambda content: gzip.compress(content, 9, mtime=0),
}
REFUSED = re.compile(r"\s*q\s*=\s*0(\.0*)?\s*")


def accepted_encoding(accept_encoding: str) -> str | None:
    """The best of COMPRESSIONS that a request's Accept-Encoding allows, or None."""
    items = (item.partition(";") for item in accept_encoding.lower().split(","))
    allowed = {name.strip() for name, _, weight in items if not REFUSED.fullmatch(weight)}
    return next((name for name in COMPRESSIONS if name in allowed), None)
