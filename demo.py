"""The page: drag over the map of the latent space and see what the decoder draws there.

python demo.py        # http://127.0.0.1:7862
"""

import argparse
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from latent_navigator.app.options import check_options
from latent_navigator.console import forgive_output
from latent_navigator.pretrained import COMPARED_PATH, DEFAULT_PATH

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 7862
SPACE_PORT = 7860  # where Hugging Face expects a Space


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line.

    The defaults come from GRADIO_SERVER_NAME, GRADIO_SERVER_PORT and GRADIO_MCP_SERVER where
    these are set, and in a Hugging Face Space they are those that it needs.
    """
    parser = argparse.ArgumentParser(
        description="Explore the latent space of a trained VAE in the browser.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--checkpoint",
        type=Path,
        nargs="+",
        default=[find(DEFAULT_PATH), find(COMPARED_PATH)],
        help="the model that the page opens with, and further ones for its menu, in addition to "
        "those in pretrained/ and runs/",
    )
    parser.add_argument(
        "--model-memory",
        type=megabytes,
        default=400,
        metavar="MB",
        help="how much memory the loaded models may take; the least recently used are dropped "
        "first",
    )
    in_space = "SPACE_ID" in os.environ
    host = os.environ.get("GRADIO_SERVER_NAME", "0.0.0.0" if in_space else DEFAULT_HOST)
    parser.add_argument("--host", default=host, help="address to listen on; 0.0.0.0 for all")
    # argparse applies `type` to a default that is text, so a wrong variable is reported too.
    usual = str(SPACE_PORT if in_space else DEFAULT_PORT)
    port = os.environ.get("GRADIO_SERVER_PORT", usual)
    parser.add_argument("--port", type=port_number, default=port, help="from 1 to 65535")
    parser.add_argument(
        "--mcp",
        action="store_true",
        default=os.environ.get("GRADIO_MCP_SERVER", "").lower() == "true",
        help="also serve the API as tools (Model Context Protocol) at /gradio_api/mcp/",
    )
    add_training_options(parser)
    return parser.parse_args(argv)


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Who may train models from the page: `training` is True, False or, by default, None."""
    parser.set_defaults(training=None)
    training = parser.add_mutually_exclusive_group()
    training.add_argument(
        "--allow-training",
        dest="training",
        action="store_const",
        const=True,
        default=argparse.SUPPRESS,  # the help has none
        help="let every user train models on this machine; without it, only those on the "
        "machine itself can, and nobody if other machines reach the server",
    )
    training.add_argument(
        "--no-training",
        dest="training",
        action="store_const",
        const=False,
        default=argparse.SUPPRESS,
        help="let nobody train from the page",
    )


def find(path: Path) -> Path:
    """`path` in the working directory or, if there is none, beside this program."""
    return path if path.exists() else Path(__file__).parent / path


def port_number(text: str) -> int:
    """The number of a TCP port.

    Raises:
        argparse.ArgumentTypeError: if `text` is not one.
    """
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a number from 1 to 65535")
    return int(text)


def megabytes(text: str) -> float:
    """An amount of memory.

    Raises:
        argparse.ArgumentTypeError: if `text` is not a positive number.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount; give MB, such as 400")
    return value


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the page until SIGTERM or Ctrl-C; returns the exit status."""
    forgive_output()
    options = parse_arguments(argv)
    try:
        check_options(options.checkpoint, options.host, options.port, mcp=options.mcp)
    except (ValueError, OSError) as error:
        print(f"demo.py: {error}", file=sys.stderr)
        return 1
    from latent_navigator.app.server import serve  # torch and Gradio: only a server needs them

    return serve(
        options.checkpoint,
        options.host,
        options.port,
        mcp=options.mcp,
        folders=[find(DEFAULT_PATH).parent, Path("runs")],
        model_memory=options.model_memory,
        training=options.training,
    )


if __name__ == "__main__":
    sys.exit(main())
