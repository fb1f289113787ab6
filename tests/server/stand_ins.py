"""Stand-ins for the page and for the application behind the middleware; servers in this process."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any, TypeVar

import gradio as gr
import httpx
import pytest
from fastapi import FastAPI
from gradio.events import api as add_endpoint
from gradio_client import Client
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.server import free_port
from latent_navigator.app.api import Page, event_handler
from latent_navigator.app.drain import Drain
from latent_navigator.app.lab_routes import LabAccess, lab_routes
from latent_navigator.app.middleware import RequestLimits, read_body
from latent_navigator.app.server import Server, build_app, build_middleware
from latent_navigator.lab.lab import Lab
from latent_navigator.lab.supervisor import Supervisor
from tests.helpers import HANG, run_async, wait_until

T = TypeVar("T")

# Gradio uses deprecated features of pandas for its statistics.
ignore_pandas = pytest.mark.filterwarnings(
    "ignore:.*no_silent_downcasting", "ignore:The copy keyword is deprecated"
)


class Inner:
    """An application that answers "answer" and records the requests.

    Paths that end in "slow" wait for `release`; "broken" fails in the middle of the answer, "fail"
    before it.
    """

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.paths: list[str] = []
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"].split("/")[-1]
        self.paths.append(scope["path"])
        if name == "fail":
            raise KeyError(name)
        if name == "broken":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"half", "more_body": True})
            raise KeyError(name)
        if name == "slow":
            await self.release.wait()
        if scope["method"] == "POST":
            self.bodies.append(await read_body(receive) or b"")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"answer"})


def visit(app: ASGIApp, use: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    """Run `use(client)` with a client that calls the application directly, without a server."""

    async def run() -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
            async with asyncio.timeout(HANG):
                await use(client)

    run_async(run())


def behind_middleware(
    inner: ASGIApp, drain: Drain | None = None, limits: RequestLimits | None = None, root: str = ""
) -> ASGIApp:
    """`inner` behind all of the server's middleware."""
    app = inner
    for layer in reversed(
        build_middleware(drain or Drain(), limits or RequestLimits(), "a model", root)
    ):
        app = layer.cls(app, *layer.args, **layer.kwargs)
    return app


def post(
    client: httpx.AsyncClient, name: str, **content: Any
) -> Coroutine[Any, Any, httpx.Response]:
    """Send a request as the page does, or with other `content`."""
    return client.post(f"/gradio_api/run/{name}", **(content or {"json": {"data": []}}))


def in_loop(build: Callable[[], T]) -> T:
    """`build()`, called within a running loop: otherwise Gradio opens one and never closes it."""

    async def call() -> T:
        return build()

    return run_async(call())


def small_page(*functions: Callable[..., Any]) -> Page:
    """A page that consists of endpoints only."""

    def build() -> Page:
        page = Page(analytics_enabled=False)
        with page:
            for function in functions:
                add_endpoint(event_handler(function), api_name=function.__name__)
        page.queue()
        return page

    return in_loop(build)


@contextlib.contextmanager
def running(app: FastAPI, drain: Drain) -> Iterator[tuple[Server, str]]:
    """The server of an application, in a thread of this process, and its address."""
    port = free_port()
    started = threading.Event()
    server = Server(app, drain, "127.0.0.1", port, started.set)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert started.wait(HANG)
        yield server, f"http://127.0.0.1:{port}/"
    finally:
        drain.start()
        drain.hurry()
        thread.join(HANG)
        assert not thread.is_alive()


@contextlib.contextmanager
def running_page(page: gr.Blocks, drain: Drain, **options: Any) -> Iterator[tuple[Server, str]]:
    """`running` for a page that does not train; see `build_app` for the options."""
    options.setdefault("routes", lab_routes(Lab(Supervisor()), LabAccess(False, "127.0.0.1")))
    app = in_loop(lambda: build_app(page, drain, model="a model", **options))
    with running(app, drain) as started:
        yield started


# --- the API ---


def api_client(address: str, **options: Any) -> Client:
    """A client of the API without TLS: it would read all certificates in each call."""
    return Client(address, verbose=False, ssl_verify=False, **options)


# --- the queue, through plain HTTP ---


def submit(address: str, endpoint: str, *data: object) -> str:
    """Put a computation into Gradio's queue; returns its id.

    Raises:
        httpx.HTTPStatusError: if it is rejected.
    """
    answer = httpx.post(f"{address}gradio_api/call/{endpoint}", json={"data": data})
    return str(answer.raise_for_status().json()["event_id"])


def fetch(address: str, endpoint: str, event: str) -> dict[str, Any]:
    """Wait for the result of a computation in Gradio's queue."""
    stream = httpx.get(f"{address}gradio_api/call/{endpoint}/{event}").text
    kind, data = stream.strip().split("\n\n")[-1].split("\n")
    assert kind == "event: complete", stream
    results: list[dict[str, Any]] = json.loads(data.removeprefix("data: "))
    return results[0]


def health(address: str) -> httpx.Response:
    return httpx.get(f"{address}health")


def wait_for_drain(address: str) -> None:
    """Wait until /health reports that the server is draining."""
    wait_until(lambda: health(address).status_code == 503)
