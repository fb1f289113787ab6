"""ASGI middleware, one concern a class; server.py puts them in order.

Gradio alone limits neither the size of a request nor how many run nor how long one takes to
arrive, and it has routes that this page does not need and that write files or fetch addresses.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from latent_navigator.app.drain import Drain
from latent_navigator.app.errors import (
    LENGTH_REQUIRED,
    MALFORMED,
    NO_UPLOADS,
    NOT_FOUND,
    OVERLOADED,
    SHUTTING_DOWN,
    TIMED_OUT,
    log_rejected,
)

API = "/gradio_api"
# GETs that end with the page, not by themselves, and one that each page repeats until it ends.
STREAMS = "/heartbeat/", "/mcp", "/lab/status"

# The only paths that accept a POST: no recordings, uploads or edits of the program.
POSTED = (
    "/lab/",
    *(
        f"{API}/{path}"
        for path in (
            *("run/", "api/", "call/", "queue/join", "component_server"),
            *("cancel", "reset", "mcp"),
        )
    ),
)
# GET routes of Gradio that write files or log lines, or fetch addresses for a client.
BLOCKED = re.compile(
    f"{API}/(deep_link|custom_component|proxy=|file/|stream/|upload_progress|dev/|vibe|profiling)"
    f"|{API}/file=[a-z][a-z0-9+.-]+:",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class RequestLimits:
    """What one request, and all of them together, may cost.

    Args:
        max_body: bytes; an image of image_reader.MAX_BYTES in base64, and its request.
        max_running: requests at once.
        large: bytes above which a request has an image; the page's other requests have 20,000.
        max_large: large requests that may arrive at once.
        arrival: seconds that any request has to arrive.
        slowest: bytes a second; a large request has longer to arrive, at this rate.
    """

    max_body: int = 8_000_000
    max_running: int = 256
    large: int = 64_000
    max_large: int = 32
    arrival: float = 10.0
    slowest: float = 50_000

    @property
    def too_large(self) -> str:
        """The sentence for a request over `max_body`."""
        return f"The request is too large; send at most {self.max_body / 1e6:g} MB."

    def deadline(self, length: int) -> float:
        """Seconds that a request of `length` bytes has to arrive."""
        return self.arrival + length / self.slowest


class SubPath:
    """Removes the prefix of a sub-path, where the proxy in front has not done so.

    Args:
        root_path: as GRADIO_ROOT_PATH has it, a path or a whole address; "" for none.
    """

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self.app = app
        self.prefix = urlsplit(root_path).path.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if self.prefix and (path == self.prefix or path.startswith(f"{self.prefix}/")):
            scope = {**scope, "path": path.removeprefix(self.prefix) or "/"}
        await self.app(scope, receive, send)


class Health:
    """Answers /health, also when the server is full: 200, or 503 while it shuts down."""

    def __init__(self, app: ASGIApp, drain: Drain, model: str) -> None:
        self.app, self.drain, self.model = app, drain, model

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/health":
            return await self.app(scope, receive, send)
        ending = self.drain.started
        state = {
            "status": "ending" if ending else "ok",
            "running": self.drain.running,
            "model": self.model,
        }
        return await send_json(send, 503 if ending else 200, state)


class BlockedRoutes:
    """Hides the routes of Gradio that the page and the API do not use, and rejects uploads."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            if BLOCKED.match(path):
                return await send_error(send, 404, NOT_FOUND)
            if scope["method"] == "POST":
                if path.startswith(f"{API}/upload") or b"multipart" in header(
                    scope, b"content-type"
                ):
                    return await send_error(send, 403, NO_UPLOADS)
                if not path.startswith(POSTED):
                    return await send_error(send, 404, NOT_FOUND)
        return await self.app(scope, receive, send)


class BodyLimits:
    """Receives whole requests before they go on, within limits of size and time.

    So a slow client keeps neither Gradio nor any other client waiting.
    """

    def __init__(self, app: ASGIApp, limits: RequestLimits) -> None:
        self.app, self.limits = app, limits
        self.large = 0  # large requests that are arriving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if any(name == b"transfer-encoding" for name, _ in scope["headers"]):
            return await send_error(send, 411, LENGTH_REQUIRED)
        length = int(header(scope, b"content-length") or b"0")
        if length > self.limits.max_body:
            return await send_error(send, 413, self.limits.too_large)
        if scope["method"] != "POST":
            return await self.app(scope, receive, send)
        large = length > self.limits.large
        if large and self.large >= self.limits.max_large:
            return await send_error(send, 503, OVERLOADED)
        self.large += large
        try:
            async with asyncio.timeout(self.limits.deadline(length)):
                body = await read_body(receive)
        except TimeoutError:
            return await send_error(send, 408, TIMED_OUT)
        finally:
            self.large -= large
        if body is None:
            return None
        messages = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def replay() -> Message:
            return next(messages, None) or await receive()

        return await self.app(scope, replay, send)


class Concurrency:
    """Rejects new work while too many requests run; pages and results are always served."""

    def __init__(self, app: ASGIApp, drain: Drain, max_running: int) -> None:
        self.app, self.drain, self.max_running = app, drain, max_running

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_post(scope) and self.drain.running >= self.max_running:
            return await send_error(send, 503, OVERLOADED)
        return await self.app(scope, receive, send)


class Draining:
    """Counts the requests in flight, and rejects new work while the server shuts down."""

    def __init__(self, app: ASGIApp, drain: Drain) -> None:
        self.app, self.drain = app, drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_post(scope) and self.drain.started:
            return await send_error(send, 503, SHUTTING_DOWN)
        if scope["type"] != "http" or is_stream(scope):
            return await self.app(scope, receive, send)
        with self.drain.request():
            return await self.app(scope, receive, send)


class ErrorMessages:
    """Answers 400 where Gradio fails on a request; stands within Gradio's application.

    Gradio answers 500 whatever the reason. `Page.process_api` marks the requests whose client is
    to blame by `request.state.client_error`. An exception that arrives here comes from Gradio or
    FastAPI reading the request, since those of this program have handlers in server.py.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = False
        # The MCP server answers 500 where it cannot read a request; an error of a tool is a result.
        is_mcp = scope["path"].startswith("/gradio_api/mcp")

        async def send_marked(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                to_blame = is_mcp or scope.get("state", {}).get("client_error")
                if message["status"] == 500 and to_blame:
                    message["status"] = 400
            await send(message)

        try:
            await self.app(scope, receive, send_marked)
        except Exception as error:  # noqa: BLE001 - whatever reading a request makes a library raise
            log_rejected(scope["method"], scope["path"], error)
            if not started:
                return await send_error(send, 400, MALFORMED)
            # For example a stream of results that nobody asked for: end it.
            await send({"type": "http.response.body", "body": b""})


def is_post(scope: Scope) -> bool:
    """Whether the request asks for work: nothing else than POST does."""
    return bool(scope["type"] == "http" and scope["method"] == "POST")


def is_stream(scope: Scope) -> bool:
    """Whether the answer ends only with the page that reads it."""
    return scope["method"] == "GET" and any(part in scope["path"] for part in STREAMS)


def header(scope: Scope, name: bytes) -> bytes:
    """The last value of a header; b"" without one."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    return dict(headers).get(name, b"")


async def read_body(receive: Receive) -> bytes | None:
    """All of a request's body; None if its client left before."""
    pieces = []
    while (message := await receive())["type"] == "http.request":
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)
    return None


async def send_error(send: Send, status: int, sentence: str) -> None:
    """Answer with a sentence in the form of FastAPI's errors."""
    await send_json(send, status, {"detail": sentence})


async def send_json(send: Send, status: int, content: Mapping[str, object]) -> None:
    """Answer with JSON that no cache keeps."""
    body = json.dumps(content).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if status == 503:
        headers.append((b"retry-after", b"1"))
    if status == 408:  # the rest of the request is not waited for
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
