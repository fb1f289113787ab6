"""The page: drag over the map of the latent space and see what the decoder draws there.

python demo.py        # http://127.0.0.1:7862
"""

import argparse
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from api import add_api
from checkpoint import (
    COMPARED_PATH,
    DEFAULT_PATH,
    Checkpoint,
    CheckpointError,
    load_checkpoint,
)
from compass import Compass
from navigator import Navigator
from page import (
    build_directions,
    build_instrument,
    build_lessons,
    build_reading,
    build_replay,
    build_travel,
    describe_model,
)
from paths import Paths
from reader import Reader
from widgets import PALETTE, web_file

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 7862


def build_demo(paths: Paths, reader: Reader, others: dict[str, Checkpoint]) -> gr.Blocks:
    """The page. Every visitor's state lives in the page, none of it here.

    Args:
        paths, reader: of the model that the page explores.
        others: by label, models whose training can be seen beside its own.
    """
    compass, checkpoint = Compass(paths), paths.navigator.checkpoint
    # /decode leaves a small PNG in Gradio's cache for each answer: those of the last hour stay.
    with gr.Blocks(
        title="Latent Space Navigator", analytics_enabled=False, delete_cache=(600, 3600)
    ) as demo:
        gr.HTML(web_file("heading.html"), elem_id="heading")
        instrument = build_instrument(paths, reader)
        with gr.Tabs():
            with gr.Tab("Paths"):
                choices = build_travel(paths, instrument)
            with gr.Tab("Directions"):
                build_directions(compass)
            with gr.Tab("Your digit"):
                build_reading(reader)
            with gr.Tab("How it was learned"):
                build_replay({checkpoint.label: checkpoint} | others)
            with gr.Tab("Lessons"):
                build_lessons(compass)
            with gr.Tab("How VAEs work"):
                gr.Markdown(web_file("how_vaes_work.md"), elem_classes="reading")
            with gr.Tab("This model"):
                gr.Markdown(describe_model(checkpoint), elem_classes="reading")
        # In the order of CHOICES in web/position.js, which keeps them in the page's address.
        demo.load(None, choices, choices, js="(...values) => latentSpace.restoreChoices(values)")
        gr.on(
            [component.change for component in choices],
            None,
            choices,
            js="(...values) => { latentSpace.choose(values); return []; }",
        )
        add_api(paths, compass, instrument.x, instrument.y)
    return demo


def launch_options() -> dict[str, Any]:
    """What launch() needs for the page to look and behave as intended."""
    scripts = ("position.js", "map_view.js", "decoder_table.js", "theme.js", "ways.js")
    script = "".join(map(web_file, scripts))
    tints = "".join(f"#jump-{d} {{ --digit: {c}; }}\n" for d, c in enumerate(PALETTE))
    fonts = ["system-ui", "-apple-system", "Segoe UI", "sans-serif"]
    return {
        "theme": gr.themes.Base(
            primary_hue="blue", neutral_hue="slate", font=fonts, font_mono=["monospace"]
        ).set(
            button_secondary_background_fill="white",
            button_secondary_background_fill_dark="*neutral_800",
            button_secondary_background_fill_hover="*neutral_100",
            button_secondary_background_fill_hover_dark="*neutral_700",
            button_secondary_border_color="*neutral_300",
            button_secondary_border_color_dark="*neutral_600",
            button_border_width="1px",
            button_large_radius="10px",
            button_large_text_size="15px",
        ),
        "css": web_file("page.css") + tints,
        "head": f"<script>{script}</script>",
        "footer_links": ["api"],
        "run_history": False,
        "ssr_mode": False,
    }


def warm_up(paths: Paths, reader: Reader) -> None:
    """Compute what the first path and the first picture would else wait for."""
    paths.graph()
    reader.test_digit(0)


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line; GRADIO_SERVER_PORT gives the default port."""
    parser = argparse.ArgumentParser(
        description="Explore the latent space of a trained VAE in the browser.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--checkpoint",
        type=Path,
        nargs="+",
        default=[DEFAULT_PATH, COMPARED_PATH],
        help="the model to explore; further ones are compared with it in the replay of training",
    )
    parser.add_argument("--host", default=DEFAULT_HOST, help="0.0.0.0 to serve the network")
    # A text default goes through `type` too, so that a wrong variable is reported like an option.
    port = os.environ.get("GRADIO_SERVER_PORT", str(DEFAULT_PORT))
    parser.add_argument("--port", type=port_number, default=port)
    return parser.parse_args(argv)


def port_number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number in 1 ... 65535")
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the page until Ctrl-C; the exit status."""
    options = parse_arguments(argv)
    try:
        first, *rest = [load_checkpoint(path) for path in options.checkpoint]
        paths = Paths(Navigator(first))
        others = {}
        for path, checkpoint in zip(options.checkpoint[1:], rest, strict=True):
            taken = checkpoint.label in (first.label, *others)
            others[f"{checkpoint.label}, {path}" if taken else checkpoint.label] = checkpoint
    except (CheckpointError, ValueError) as error:
        print(f"demo.py: {error}", file=sys.stderr)
        return 1
    reader = Reader(paths.navigator)
    demo = build_demo(paths, reader, others)
    try:
        demo.launch(
            server_name=options.host,
            server_port=options.port,
            quiet=True,
            prevent_thread_lock=True,
            **launch_options(),
        )
    except OSError:
        print(
            f"demo.py: port {options.port} on {options.host} is not free; choose another with "
            "--port, or end the program that uses it",
            file=sys.stderr,
        )
        return 1
    print(
        f"Latent Space Navigator: http://{options.host}:{options.port} (Ctrl-C ends it)", flush=True
    )
    # Nobody has asked for a path yet: by the time that somebody does, what it needs is there.
    threading.Thread(target=warm_up, args=(paths, reader), daemon=True).start()
    demo.block_thread()
    return 0


if __name__ == "__main__":
    sys.exit(main())
