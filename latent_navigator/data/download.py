"""Download one file: time-outs, retries, mirrors and a checksum.

Proxies come from the environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY), as urllib reads them.
"""

import hashlib
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse, IncompleteRead
from pathlib import Path

from tqdm import tqdm

from latent_navigator.atomic_io import write_whole

AGENT = "latent-space-navigator"  # some servers answer 403 to urllib's own name
CHUNK = 2**16  # bytes
PERMANENT = frozenset({400, 401, 403, 404, 405, 407, 410, 451})  # asking again does not help


@dataclass(frozen=True)
class Patience:
    """How long a download waits, and for what.

    Raises:
        ValueError: if a value is not positive, or the pause negative.
    """

    timeout: float = 20.0  # seconds without a byte; also the time after which min_rate counts
    min_rate: float = 1000.0  # bytes per second, on average
    max_bytes: int = 100_000_000
    attempts: int = 3  # at each address
    pause: float = 1.0  # seconds before the second attempt; doubled before each further one

    def __post_init__(self) -> None:
        for name in ("timeout", "min_rate", "max_bytes", "attempts"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)!r}; give a number above 0")
        if not self.pause >= 0:
            raise ValueError(f"pause is {self.pause!r}; give a number of at least 0")


class _FailedAttemptError(Exception):
    """One attempt failed; the message says why."""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.permanent = permanent


def download(urls: Sequence[str], path: Path, md5: str, remedy: str, patience: Patience) -> None:
    """Download a file to `path`, which is written completely or not at all.

    Args:
        urls: addresses of the same file, tried in this order. path: in a folder that exists.
        md5: of the file, in hexadecimal digits.
        remedy: what the user can do without a download, for errors.

    Raises:
        OSError: if no address gives the file, with the reasons and the remedy, or if it cannot be
            written.
    """
    contents = _fetch_from_any(urls, path.name, md5, remedy, patience)
    write_whole(path, lambda file: file.write(contents))


def _fetch_from_any(
    urls: Sequence[str], name: str, md5: str, remedy: str, patience: Patience
) -> bytes:
    failures: dict[str, str] = {}
    left = list(urls)
    for attempt in range(patience.attempts):
        if attempt and left:
            time.sleep(patience.pause * 2 ** (attempt - 1))
        for url in tuple(left):
            print(f"Downloading {url}", file=sys.stderr, flush=True)
            try:
                return _fetch(url, md5, patience)
            except _FailedAttemptError as error:
                failures[url] = str(error)
                if error.permanent:
                    left.remove(url)
    reasons = "; ".join(f"{url}: {reason}" for url, reason in failures.items())
    raise OSError(
        f"{name} could not be downloaded ({reasons}); check the network and run again, or {remedy}"
    )


def _fetch(url: str, md5: str, patience: Patience) -> bytes:
    """The verified contents of a file.

    Raises:
        _FailedAttemptError: if they cannot be had from this address.
    """
    try:
        # An opener of its own: the global one keeps the proxies of its first use.
        opener = urllib.request.build_opener()
        request = urllib.request.Request(url, headers={"User-Agent": AGENT})
        with opener.open(request, timeout=patience.timeout) as response:
            contents = _read(response, patience)
            page = "html" in response.headers.get_content_type()
    except urllib.error.HTTPError as error:
        raise _failure_of_status(error.code, error.reason) from None
    except (OSError, HTTPException, ValueError) as error:
        raise _failure_of_connection(error, patience) from None
    if hashlib.md5(contents, usedforsecurity=False).hexdigest() == md5:
        return contents
    if page:
        raise _FailedAttemptError("a web page instead of the file; does the network need a login?")
    raise _FailedAttemptError(f"{len(contents):,} bytes that are not the file (wrong checksum)")


def _read(response: HTTPResponse, patience: Patience) -> bytes:
    """The body of a response, with a progress bar on a terminal.

    Raises:
        _FailedAttemptError: if it is cut short, too slow or too long.
        OSError, HTTPException: if the connection fails.
    """
    expected = response.length or 0
    too_long = _FailedAttemptError(f"more than {patience.max_bytes:,} bytes")
    if expected > patience.max_bytes:
        raise too_long
    contents, began = bytearray(), time.monotonic()
    with tqdm(total=expected or None, unit="B", unit_scale=True, leave=False, disable=None) as bar:
        while chunk := response.read1(CHUNK):
            contents += chunk
            bar.update(len(chunk))
            seconds = time.monotonic() - began
            if seconds > patience.timeout and len(contents) < seconds * patience.min_rate:
                raise _FailedAttemptError(f"only {len(contents):,} bytes in {seconds:.0f} s")
            if len(contents) > patience.max_bytes:
                raise too_long
    if len(contents) < expected:
        raise _FailedAttemptError(f"ended after {len(contents):,} of {expected:,} bytes")
    return bytes(contents)


def _failure_of_status(code: int, reason: str) -> _FailedAttemptError:
    if code == 407:
        reason = f"{reason}; set HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT"
    return _FailedAttemptError(f"status {code} {reason}".rstrip(), permanent=code in PERMANENT)


def _failure_of_connection(error: Exception, patience: Patience) -> _FailedAttemptError:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    text = " ".join(str(cause).split())
    if tunnel := re.search(r"Tunnel connection failed: (\d+) ?(.*)", text):
        return _failure_of_status(int(tunnel[1]), tunnel[2])
    if isinstance(cause, TimeoutError):
        text = f"no answer within {patience.timeout:g} s"
    elif isinstance(cause, ConnectionError | IncompleteRead):
        text = (
            "the connection was refused"
            if isinstance(cause, ConnectionRefusedError)
            else ("the connection was closed early")
        )
    elif isinstance(cause, HTTPException):
        text = f"not the answer of a web server ({type(cause).__name__})"
    return _FailedAttemptError(text)
