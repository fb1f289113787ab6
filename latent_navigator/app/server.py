"""The FastAPI application around the Gradio page, and the uvicorn that serves it."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import gradio as gr
import uvicorn
from fastapi import FastAPI
from gradio.route_utils import CustomCORSMiddleware
from gradio.routes import App as GradioApp
from gradio.state_holder import SessionState, StateHolder
from gradio.utils import get_space
from starlette.middleware import Middleware
from starlette.routing import Mount, Route

from latent_navigator.app.api import Page, add_api
from latent_navigator.app.data_routes import HashedFiles, web_files
from latent_navigator.app.drain import Drain
from latent_navigator.app.errors import EXCEPTION_HANDLERS, MalformedRequest
from latent_navigator.app.kept_files import KeptFiles
from latent_navigator.app.lab_routes import LabAccess, lab_routes
from latent_navigator.app.layout import page_head, page_options
from latent_navigator.app.middleware import (
    BlockedRoutes,
    BodyLimits,
    Concurrency,
    Draining,
    ErrorMessages,
    Health,
    RequestLimits,
    SubPath,
)
from latent_navigator.app.model_files import ModelFiles
from latent_navigator.app.models import MODEL_MEMORY, Models
from latent_navigator.app.page_head import EMPTY, Head, HeadContent
from latent_navigator.app.startup import end_warming, tune_process, warm_up
from latent_navigator.app.workspace import build_workspace
from latent_navigator.lab.lab import Lab
from latent_navigator.lab.supervisor import Supervisor

CACHE_CLEANING = (300, 900)  # seconds between two cleanings, and age of the files that go
MAX_QUEUE = 64  # computations that wait in Gradio's queue, some seconds of work
# For each session that a client names, Gradio copies the page's settings, 140 KB, and by default
# it keeps 10,000 copies. These are more sessions than one process can serve, and a session whose
# copy is dropped goes on with another.
MAX_SESSIONS = 200
MAX_SESSION_NAME = 64  # characters; Gradio's own names have 11
STREAM_GRACE = 1  # seconds that open streams have to end when everything is answered


class Sessions(StateHolder):
    """Gradio's sessions, whose names have a limited length.

    Args:
        blocks: the page.
        capacity: sessions that are kept; the one unused for longest goes first.
    """

    def __init__(self, blocks: gr.Blocks, capacity: int = MAX_SESSIONS) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Gradio leaves it unannotated
        self.set_blocks(blocks)
        self.capacity = capacity

    def __getitem__(self, session_id: str) -> SessionState:
        if len(session_id) > MAX_SESSION_NAME:
            raise MalformedRequest(f"a session's name has {len(session_id)} characters")
        return super().__getitem__(session_id)


class PageFiles(NamedTuple):
    """What the page fetches by address: its modules and styles, and the models' files."""

    web: HashedFiles
    data: ModelFiles


def build_blocks(models: Models) -> tuple[gr.Blocks, PageFiles]:
    """The page and its API, and the files of the page; every user's state lives in the browser."""
    files = PageFiles(web_files(), ModelFiles(models))
    # /decode leaves a small PNG in Gradio's cache for each answer.
    blocks = Page(
        title="Latent Space Navigator", analytics_enabled=False, delete_cache=CACHE_CLEANING
    )
    with blocks:
        build_workspace(models, files.web)
        add_api(models)
    blocks.queue(max_size=MAX_QUEUE)
    return blocks, files


def build_middleware(
    drain: Drain, limits: RequestLimits, model: str, root_path: str = ""
) -> list[Middleware]:
    """What a request passes before it reaches a route, outermost first."""
    return [
        Middleware(SubPath, root_path=root_path),
        Middleware(CustomCORSMiddleware),  # as Gradio within, for answers that it never sees
        Middleware(Health, drain=drain, model=model),
        Middleware(BlockedRoutes),
        Middleware(BodyLimits, limits=limits),
        Middleware(Concurrency, drain=drain, max_running=limits.max_running),
        Middleware(Draining, drain=drain),
        Middleware(KeptFiles),
    ]


def build_app(
    blocks: gr.Blocks,
    drain: Drain,
    *,
    model: str,
    files: Sequence[HashedFiles | ModelFiles] = (),
    routes: Sequence[Route] = (),
    head: Head = EMPTY,
    limits: RequestLimits | None = None,
    root_path: str = "",
    mcp: bool = False,
    local_url: str | None = None,
) -> FastAPI:
    """The application: middleware, routes of our own, and Gradio for every other path.

    Args:
        blocks: the page, with its queue.
        model: the label that /health reports.
        files: what the page fetches by address.
        routes: further ones.
        head: what the page's head begins with.
        root_path: the prefix under which a proxy serves the application, or its whole address.
        mcp: also serve the API's tools (Model Context Protocol) at /gradio_api/mcp/.
        local_url: where the application reaches itself; its MCP server calls its own API.
    """
    app = FastAPI(
        openapi_url=None,  # Gradio has its own
        middleware=build_middleware(drain, limits or RequestLimits(), model, root_path),
        routes=[*(some.route() for some in files), *routes],
    )
    # After the routes of our own: Gradio, mounted at /, takes every path that is left.
    gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        root_path=root_path,
        mcp_server=mcp,
        show_error=False,
        enable_monitoring=False,
        ssr_mode=False,
        pwa=get_space() is not None,
        app_kwargs={
            "middleware": [
                Middleware(HeadContent, head=head),
                Middleware(ErrorMessages),
            ],
            "exception_handlers": EXCEPTION_HANDLERS,
        },
        **page_options(),
    )
    mounted = app.routes[-1]
    assert isinstance(mounted, Mount)
    assert isinstance(mounted.app, GradioApp)
    finish_launch(blocks, mounted.app, local_url)
    app.state.gradio = mounted.app
    return app


def finish_launch(blocks: gr.Blocks, gradio_app: GradioApp, local_url: str | None) -> None:
    """Do what gr.Blocks.launch() does and gr.mount_gradio_app does not.

    launch() also has max_threads and strict_cors; their defaults hold for mounted pages too.
    """
    blocks.app = gradio_app
    # Without this, Gradio copies any file that a client names into its cache, which it serves.
    blocks.has_launched = True
    gradio_app.state_holder = Sessions(blocks)
    if blocks.mcp_server_obj is not None:
        blocks.mcp_server_obj._local_url = local_url
        # It logs a traceback for each request that it cannot read.
        logging.getLogger("mcp.server.streamable_http").setLevel(logging.CRITICAL)


class Server(uvicorn.Server):
    """uvicorn that answers what it has accepted before it stops.

    After SIGTERM or Ctrl-C it serves pages and results, and rejects new work, until `drain` is
    finished. A second Ctrl-C ends the wait.

    Args:
        app: see `build_app`.
        on_start: called when the server listens.
    """

    def __init__(
        self, app: FastAPI, drain: Drain, host: str, port: int, on_start: Callable[[], None]
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                log_level="warning",
                timeout_graceful_shutdown=STREAM_GRACE,
            )
        )
        self.app, self.drain, self.on_start = app, drain, on_start
        self.status = 0  # exit status of the program

    def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
        if self.drain.started and sig == signal.SIGINT:
            self.drain.hurry()
        self.drain.start()

    async def startup(self, sockets: list[Any] | None = None) -> None:
        await super().startup(sockets)
        self.on_start()

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self.drain.finished

    async def shutdown(self, sockets: list[Any] | None = None) -> None:
        if not self.drain.complete:
            self.status = 1
            print(f"demo.py: {self.drain.describe()}", file=sys.stderr)
        gradio_app = self.app.state.gradio
        gradio_app.get_blocks()._queue.close()
        gradio_app.stop_event.set()  # ends the heartbeats, which last as long as their pages
        # Other streams are cancelled after STREAM_GRACE, each with an error in uvicorn's log.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)


def build_server_app(models: Models, drain: Drain, **options: Any) -> FastAPI:
    """The application of a server that offers these models; for the options see `build_app`."""
    blocks, files = build_blocks(models)
    for name in ("decoder.bin", "encodings.bin"):  # every page asks for them
        files.data.default.prepare(name)
    return build_app(
        blocks,
        drain,
        model=models.find().short_label,
        files=files,
        head=page_head(*files),
        **options,
    )


def serve(
    checkpoints: list[Path],
    host: str,
    port: int,
    *,
    mcp: bool,
    folders: Sequence[Path] = (),
    model_memory: float = MODEL_MEMORY,
    training: bool | None = None,
) -> int:
    """Serve the page until SIGTERM or Ctrl-C.

    Args:
        checkpoints: the model that the page opens with, then others; see `Models` for the rest.
        training: whether the page may train; None: where only this machine reaches the server.

    Returns:
        the exit status: 0, or 1 if the server could not start or dropped requests.
    """
    tune_process()
    try:
        models = Models(checkpoints, folders, model_memory)
    except (ValueError, OSError) as error:
        print(f"demo.py: {error}", file=sys.stderr)
        return 1
    url_host = f"[{host}]" if ":" in host else host
    local_host = "localhost" if host == "0.0.0.0" else url_host
    drain, supervisor = Drain(), Supervisor()
    root_path = os.environ.get("GRADIO_ROOT_PATH", "")
    app = build_server_app(
        models,
        drain,
        routes=lab_routes(Lab(supervisor), LabAccess(training, host, bool(root_path))),
        root_path=root_path,
        mcp=mcp,
        local_url=f"http://{local_host}:{port}/",
    )
    warming = threading.Thread(target=warm_up, args=(models.space(), drain), daemon=True)

    def announce() -> None:
        address = f"http://{url_host}:{port}"
        print(f"Latent Space Navigator: {address} (press Ctrl-C to stop)", flush=True)
        warming.start()

    server = Server(app, drain, host, port, announce)
    try:
        server.run()
    except SystemExit:  # uvicorn has logged why it cannot listen
        return 1
    finally:
        supervisor.close()
    end_warming(warming, server.status)
    return server.status
