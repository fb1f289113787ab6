"""The door of the server: what is let in, how much at once, and how it closes.

ASGI middleware around Gradio's application, which bounds neither the size of a request nor their
number nor the time that one takes to arrive, has routes that nobody needs here and that write
files or fetch addresses, tells nobody whether it is well, and at its end drops what it is still
working on.
"""

import asyncio
import itertools
import json
import re
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

API = "/gradio_api"
MAX_BODY = 8_000_000  # bytes: a picture of drawing.MAX_BYTES in base64, and what goes with it
MAX_RUNNING = 256  # requests at once; of 50 people who drag, 10 wait on average
LARGE = 64_000  # bytes from which on a request is a picture; the page's other questions have 20,000
MAX_LARGE = 32  # of these at once
ARRIVAL, SLOWEST = 10.0, 50_000  # seconds that a request has to arrive, and bytes a second
MAX_SESSION = 64  # characters of a session's name, under which Gradio keeps things; its own: 11
QUEUED = 64  # computations that wait in Gradio's queue, some seconds of work
QUIET = 1.0  # seconds without a request after which nobody is thought to wait for an answer
STREAMS = "/heartbeat/", "/mcp"  # GETs that end with the page, not by themselves

# What Gradio lets be sent to it: questions, and no recordings, uploads or edits of the program.
QUESTIONS = ("run/", "api/", "call/", "queue/join", "component_server", "cancel", "reset", "mcp")
# What it has to read that writes files or log, or fetches from elsewhere for whoever asks.
CLOSED = re.compile(
    f"{API}/(deep_link|custom_component|proxy=|file/|stream/|upload_progress|dev/|vibe|profiling)"
    f"|{API}/file=[a-z][a-z0-9+.-]+:",
    re.IGNORECASE,
)

FULL = "Too many people ask at once just now; wait a moment and try again."
ENDING = "The server is about to end; try again in a moment."
NO_UPLOADS = "No files are taken here; the page sends a picture with its question."
NO_DOOR = "There is nothing here; the API's description is at /gradio_api/info."
NO_LENGTH = "The size of the request is not told; send a Content-Length."
TOO_LARGE = f"The request is too large; send at most {MAX_BODY // 10**6} MB."
TOO_SLOW = "The request did not arrive in time; try again, with a smaller picture if it was one."
SENSELESS = "The request makes no sense here; see the API's description at /gradio_api/info."
FAULT = "Something went wrong on the server; its log tells what."

ROOT = Path(__file__).parent.parent.parent
REFUSED = "refused"  # key of a request's scope: the application found fault with what was sent


class Refused(Exception):
    """A request that is not let in: an HTTP status and a sentence."""

    def __init__(self, status: int, sentence: str):
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


class Gate:
    """Counts, refuses and drains the requests of one server; holds nothing of any visitor.

    Args:
        about: what /health tells besides the state, as JSON takes it.
    """

    def __init__(self, about: dict[str, Any]):
        self.about = about
        self.running = 0
        self.large = 0  # pictures that are arriving
        self.ending = False
        self.hurried = False
        self._last = time.monotonic()

    def around(self, application: Application) -> Application:
        """The application behind this gate."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                return await application(scope, receive, send)
            if _path(scope) == "/health":
                return await self._health(send)
            try:
                self._check(scope)
                if scope["method"] == "POST":
                    # While it is still arriving it takes no place from the others.
                    receive = await self._arrived(scope, receive)
                    self._check(scope)
            except Refused as refused:
                return await _answer(send, refused.status, refused.sentence)
            if scope["method"] == "GET" and any(part in _path(scope) for part in STREAMS):
                return await application(scope, receive, send)
            self.running += 1
            try:
                await _handled(application, scope, receive, send)
            finally:
                self.running -= 1
                self._last = time.monotonic()

        return guarded

    async def _health(self, send: Send) -> None:
        state = {"status": "ending" if self.ending else "ok", "running": self.running}
        await _answer(send, 503 if self.ending else 200, state | self.about)

    def _check(self, scope: Scope) -> None:
        """Raises Refused if the request is not let in, as far as its head and the hour tell."""
        path, headers = _path(scope), dict(scope["headers"])
        if CLOSED.match(path):
            raise Refused(404, NO_DOOR)
        if b"transfer-encoding" in headers:
            raise Refused(411, NO_LENGTH)
        if _length(scope) > MAX_BODY:
            raise Refused(413, TOO_LARGE)
        if scope["method"] != "POST":
            return  # pages and results: who has asked gets the answer, also at the end
        if path.startswith(f"{API}/upload") or b"multipart" in headers.get(b"content-type", b""):
            raise Refused(403, NO_UPLOADS)
        if not path.startswith(tuple(f"{API}/{question}" for question in QUESTIONS)):
            raise Refused(404, NO_DOOR)
        if self.ending:
            raise Refused(503, ENDING)
        if self.running >= MAX_RUNNING:
            raise Refused(503, FULL)

    async def _arrived(self, scope: Scope, receive: Receive) -> Receive:
        """The whole request, to be received again; raises Refused if it is none in time."""
        length, pieces = _length(scope), []
        large = length > LARGE
        if large and self.large >= MAX_LARGE:
            raise Refused(503, FULL)
        self.large += large
        try:
            async with asyncio.timeout(ARRIVAL + length / SLOWEST):
                while (message := await receive())["type"] == "http.request":
                    pieces.append(message.get("body", b""))
                    if not message.get("more_body"):
                        break
        except TimeoutError:
            raise Refused(408, TOO_SLOW) from None
        finally:
            self.large -= large
        body = b"".join(pieces)
        if not _is_sensible(body):
            raise Refused(400, SENSELESS)
        messages = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def again() -> dict[str, Any]:
            return next(messages, None) or await receive()

        return again

    def drain(self, seconds: float) -> bool:
        """Let nothing new in; wait until all is answered, at most so long. Whether it was.

        For the thread that ends the server, which is not the server's own. `hurried`, set
        meanwhile, ends the waiting.
        """
        self.ending = True
        self._last, until = time.monotonic(), time.monotonic() + seconds
        while self.running or time.monotonic() - self._last < QUIET:
            if self.hurried or time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True


def _path(scope: Scope) -> str:
    """The path that Starlette looks for among its routes: without GRADIO_ROOT_PATH before it."""
    return scope["path"].removeprefix(scope.get("root_path", ""))


def _length(scope: Scope) -> int:
    """The bytes that a request says it has."""
    return int(dict(scope["headers"]).get(b"content-length", b"0"))


def _is_sensible(body: bytes) -> bool:
    """Whether it is JSON, with a session's name of a length that can be kept."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return False
    name = asked.get("session_hash") if isinstance(asked, dict) else None
    return name is None or (isinstance(name, str) and len(name) <= MAX_SESSION)


async def _handled(application: Application, scope: Scope, receive: Receive, send: Send) -> None:
    """The application's answer, or a sentence where it stumbles over the request."""
    started, full = False, False

    async def watched(message: dict[str, Any]) -> None:
        nonlocal started, full
        if message["type"] == "http.response.start":
            started = True
            full = message["status"] == 503  # Gradio's queue, in words for programmers
            if message["status"] == 500 and scope.get(REFUSED):
                message["status"] = 400
            if full:
                await _answer(send, 503, FULL)
        if not full:
            await send(message)

    try:
        await application(scope, receive, watched)
    except Exception as error:
        ours = is_own(error)
        if ours:
            traceback.print_exception(error)
        else:
            where = f"{scope['method']} {scope['path']!r:.60}"  # no line breaks into the log
            print(f"refused: {where}: {type(error).__name__}", file=sys.stderr)
        if not started:
            await _answer(send, *((500, FAULT) if ours else (400, SENSELESS)))
        elif not full:
            # A stream of results, say, that nobody has begun: it has told so in its own words.
            await send({"type": "http.response.body", "body": b""})


def is_own(error: BaseException) -> bool:
    """Whether an error arose in this program, and not in a library that read a request for it."""
    folders = [Path(frame.filename).parent for frame in traceback.extract_tb(error.__traceback__)]
    # The first frames are those that caught it.
    called = itertools.dropwhile(lambda folder: folder == ROOT, folders)
    return ROOT in called


async def _answer(send: Send, status: int, content: Any) -> None:
    detail = {"detail": content} if isinstance(content, str) else content
    body = json.dumps(detail).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if status == 503:
        headers.append((b"retry-after", b"1"))
    if status == 408:  # what is still to come is not waited for
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
