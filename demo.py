"""The page: drag over the map of the latent space and see what the decoder draws there.

python demo.py        # http://127.0.0.1:7862
"""

import argparse
import ctypes
import errno
import importlib.util
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware

from latent_navigator.app.api import Application, add_api
from latent_navigator.app.layout import build_page, page_options
from latent_navigator.app.middleware import QUEUED, Gate
from latent_navigator.atomic_io import check_folder
from latent_navigator.checkpoint.checkpoint import Checkpoint, load_checkpoint
from latent_navigator.explorer.inference import infer_test_image
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.pretrained import COMPARED_PATH, DEFAULT_PATH

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 7862
SPACE_PORT = 7860  # the one at which Hugging Face looks for a Space
CLEANED = (300, 900)  # every so many seconds, files in Gradio's cache older than so many go
# Gradio copies the page's settings, 140 KB, for each session that it hears of, and would keep
# 10,000 copies. These are more than one process can serve, and whose copy goes does not notice.
SESSIONS = 200
M_ARENA_MAX, M_MMAP_THRESHOLD = -8, -3  # the numbers by which malloc.h of glibc calls them
TURN = 0.0005  # seconds after which a thread that computes lets the one that answers go on
PATIENCE = 30.0  # seconds in which requests in flight may finish when the server is told to end


def build_demo(space: LatentSpace, others: dict[str, Checkpoint]) -> gr.Blocks:
    """The page and its API; every user's state lives in the browser.

    Args:
        space: the model that the page explores.
        others: by label, models whose training can be compared with its own.
    """
    # /decode leaves a small PNG in Gradio's cache for each answer.
    with Application(
        title="Latent Space Navigator", analytics_enabled=False, delete_cache=CLEANED
    ) as demo:
        instrument = build_page(demo, space, others)
        add_api(space, instrument.x, instrument.y)
    return demo.queue(max_size=QUEUED)


def launch_options() -> dict[str, Any]:
    """What launch() needs for the page to look and behave as intended."""
    return page_options() | {
        "state_session_capacity": SESSIONS,
        "enable_monitoring": False,
        "ssr_mode": False,
    }


def return_memory() -> None:
    """Let glibc keep two heaps instead of eight a core, and give large pieces back at once.

    Else each of Gradio's forty threads fills a heap with what it no longer needs, and the process
    grows for as long as people come; see benchmarks/load.py. With another C library, nothing
    happens.
    """
    if sys.platform == "linux":
        tune = getattr(ctypes.CDLL(None), "mallopt", None)
        if tune is not None:
            tune(M_ARENA_MAX, 2)
            tune(M_MMAP_THRESHOLD, 2**20)


def warm_up(space: LatentSpace) -> None:
    """Compute what the first path and the first image would otherwise wait for."""
    _ = space.data_graph
    infer_test_image(space, 0)


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line; GRADIO_SERVER_NAME and GRADIO_SERVER_PORT give the defaults' place.

    In a Hugging Face Space the defaults are those that it needs.
    """
    parser = argparse.ArgumentParser(
        description="Explore the latent space of a trained VAE in the browser.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--checkpoint",
        type=Path,
        nargs="+",
        default=[beside(DEFAULT_PATH), beside(COMPARED_PATH)],
        help="the model to explore; further ones are compared with it in the replay of training",
    )
    in_space = "SPACE_ID" in os.environ
    host = os.environ.get("GRADIO_SERVER_NAME", "0.0.0.0" if in_space else DEFAULT_HOST)
    parser.add_argument("--host", default=host, help="0.0.0.0 to serve the network")
    # A text default goes through `type` too, so that a wrong variable is reported like an option.
    usual = str(SPACE_PORT if in_space else DEFAULT_PORT)
    port = os.environ.get("GRADIO_SERVER_PORT", usual)
    parser.add_argument("--port", type=port_number, default=port)
    parser.add_argument(
        "--mcp",
        action="store_true",
        default=os.environ.get("GRADIO_MCP_SERVER", "").lower() == "true",
        help="also a tool server (Model Context Protocol) at /gradio_api/mcp/",
    )
    return parser.parse_args(argv)


def beside(path: Path) -> Path:
    """A path in the working directory or, where there is none, beside this program."""
    return path if path.exists() else Path(__file__).parent / path


def port_number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number in 1 ... 65535")
    return int(text)


def check_address(host: str, port: int) -> None:
    """Raises ValueError, with the remedy, if nothing can be served there."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise ValueError(
            f"host {host!r:.80} is unknown; give an address of this machine, or 0.0.0.0 for all"
        ) from None
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except PermissionError:
            raise ValueError(f"port {port} needs more rights; give one above 1023") from None
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise ValueError(
                    f"port {port} on {host} is not free; choose another with --port, or end the "
                    "program that uses it"
                ) from None
            raise ValueError(
                f"host {host!r:.80} is not of this machine; give 127.0.0.1, or 0.0.0.0 for all"
            ) from None


def load(paths: list[Path]) -> tuple[LatentSpace, dict[str, Checkpoint]]:
    """The model to explore and, by label, those to compare with it.

    Raises:
        ValueError: if one cannot be used.
    """
    first, *rest = [load_checkpoint(path) for path in paths]
    others: dict[str, Checkpoint] = {}
    for path, checkpoint in zip(paths[1:], rest, strict=True):
        if checkpoint.class_names != first.class_names:
            raise ValueError(
                f"{path} has other classes than {paths[0]}; compare models of one data set"
            )
        taken = checkpoint.label in (first.label, *others)
        others[f"{checkpoint.label}, {path}" if taken else checkpoint.label] = checkpoint
    return LatentSpace(first), others


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the page until SIGTERM or Ctrl-C, and then answer what was asked.

    Returns:
        the exit status: 0, or 1 for an error and where something was not answered.
    """
    options = parse_arguments(argv)
    return_memory()
    sys.setswitchinterval(TURN)
    try:
        if options.mcp and importlib.util.find_spec("mcp") is None:
            raise ValueError("--mcp needs another package: pip install 'gradio[mcp]'")
        check_address(options.host, options.port)
        cache = Path(get_upload_folder())
        check_folder(cache, "set the variable GRADIO_TEMP_DIR to a folder of your own")
        space, others = load(options.checkpoint)
    except (ValueError, OSError) as error:
        print(f"demo.py: {error}", file=sys.stderr)
        return 1
    demo = build_demo(space, others)
    gate = Gate({"model": space.checkpoint.label})
    told_to_end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told_to_end.set())
    try:
        demo.launch(
            server_name=options.host,
            server_port=options.port,
            quiet=True,
            prevent_thread_lock=True,
            mcp_server=options.mcp,
            app_kwargs={"middleware": [Middleware(gate.around)]},
            **launch_options(),
        )
    except OSError as error:
        print(f"demo.py: the server cannot start: {error}", file=sys.stderr)
        return 1
    print(
        f"Latent Space Navigator: http://{options.host}:{options.port} (Ctrl-C ends it)", flush=True
    )
    # Nobody has asked for a path yet: by the time that somebody does, what it needs is there.
    warming = threading.Thread(target=warm_up, args=(space,), daemon=True)
    warming.start()
    while not told_to_end.wait(1):  # on Windows, a wait without end hears no Ctrl-C
        pass
    signal.signal(signal.SIGINT, lambda *_: setattr(gate, "hurried", True))
    answered = gate.drain(PATIENCE)
    if not answered:
        why = "Ctrl-C again" if gate.hurried else f"not done in {PATIENCE:.0f} seconds"
        print(f"demo.py: {why}: {gate.running} requests are dropped", file=sys.stderr)
        # Gradio cleans its cache when uvicorn has let go of them, each with an error in the log.
        demo.server.config.timeout_graceful_shutdown = 1
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    demo.close(verbose=False)
    warming.join()  # Python cannot end in order while a thread computes in torch
    return 0 if answered else 1


if __name__ == "__main__":
    sys.exit(main())
