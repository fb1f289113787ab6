"""The page: drag over the map of the latent space and see what the decoder draws there.

python demo.py        # http://127.0.0.1:7862
"""

import argparse
import functools
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from api import add_api, readable
from checkpoint import DEFAULT_PATH, Checkpoint, CheckpointError, load_checkpoint
from experiments import EXPERIMENTS
from navigator import ANCHORS, MAX_STEPS, MIN_STEPS, Navigator
from widgets import PALETTE, DigitView, FilmStrip, LatentMap, web_file

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 7862

# Events of the page's own controls: no API of their own, and no queue that could delay them.
QUICK = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}


class Instrument(NamedTuple):
    """What the other parts of the page read or move."""

    latent_map: LatentMap
    x: gr.Slider
    y: gr.Slider
    anchor: gr.Radio


def build_instrument(navigator: Navigator) -> Instrument:
    """The first screen: the map, the digit, the sliders, random and the ten digits."""
    # The same for every visitor, so made once; what a server function gets is of no use here.
    answers = navigator.points(), navigator.regions(), navigator.table()

    def points(_: Any) -> dict[str, Any]:
        return answers[0]

    def regions(_: Any) -> dict[str, Any]:
        return answers[1]

    def table(_: Any) -> dict[str, Any]:
        return answers[2]

    # async, so that it runs in the server's own loop: half a millisecond of work costs less there
    # than forty threads that take the interpreter from each other.
    async def look(position: Any) -> dict[str, Any]:
        if not isinstance(position, list) or len(position) != 2:
            raise gr.Error("a position is two numbers", print_exception=False)
        return readable(navigator.look)(*position)

    def sample_prior() -> tuple[dict[str, float], str]:
        z = navigator.random_sample()
        return z, "A random draw from the prior N(0, I): most land within 2σ of the centre."

    def jump(digit: int, anchor: str) -> tuple[dict[str, float], str]:
        return navigator.jump_to_digit(digit, anchor), navigator.remark(digit, anchor)

    limit = navigator.range
    with gr.Row(elem_id="instrument"):
        with gr.Column(scale=7, min_width=320):
            latent_map = LatentMap(
                limit,
                navigator.anchors["centroid"].tolist(),
                navigator.names,
                points,
                regions,
                table,
                elem_id="latent-map",
            )
        with gr.Column(scale=5, min_width=320, elem_id="panel"):
            DigitView(navigator.names, look, elem_id="digit")
            with gr.Row(elem_id="sliders"):
                # No reset button: it moves the thumb without an event that the page could hear.
                x, y = (
                    gr.Slider(-limit, limit, 0, step=0.01, label=label, elem_id=name, buttons=[])
                    for label, name in (("x (z₁)", "x-slider"), ("y (z₂)", "y-slider"))
                )
            sample = gr.Button("Random digit (a sample from the prior)", elem_id="random-sample")
            with gr.Row(elem_id="digits"):
                jumps = [
                    gr.Button(name, elem_id=f"jump-{digit}", min_width=0)
                    for digit, name in enumerate(navigator.names)
                ]
            anchor = gr.Radio(
                [("most typical place", "typical"), ("average place (centroid)", "centroid")],
                value=ANCHORS[0],
                label="Each digit stands for its",
                elem_id="anchor",
            )
            note = gr.Markdown(
                "Drag on the map, or press a digit to go to where it lives.", elem_id="note"
            )

    # In the page alone: the sliders and the map meet in web/position.js.
    gr.on(
        [x.input, y.input],
        None,
        [x, y],
        js="(x, y) => { latentSpace.set({ x, y }, 'slider'); return []; }",
    )
    latent_map.input(None, None, [x, y], js="() => [latentSpace.z.x, latentSpace.z.y]", **QUICK)
    sample.click(sample_prior, None, [latent_map, note], **QUICK)
    for digit, button in enumerate(jumps):
        go = readable(functools.partial(jump, digit))
        button.click(go, anchor, [latent_map, note], **QUICK)
    return Instrument(latent_map, x, y, anchor)


def build_travel(navigator: Navigator, instrument: Instrument) -> list[gr.components.Component]:
    """Morph, interpolation, experiments and their film strip; returns what can be chosen."""
    digits = [(name, digit) for digit, name in enumerate(navigator.names)]

    def morph(x: float, y: float, digit: int, amount: float, anchor: str) -> dict[str, float]:
        return navigator.morph_toward(x, y, digit, amount, anchor)

    def show_strip(*chosen: Any) -> tuple[dict[str, Any], str]:
        return navigator.strip(*chosen), ""

    with gr.Row(elem_id="travel"):
        with gr.Column(min_width=300):
            gr.Markdown("### Morph from here toward a digit")
            target = gr.Radio(digits, value=8, label="Digit", elem_id="morph-digit")
            amount = gr.Slider(0, 1, 0.5, step=0.05, label="How far", elem_id="morph-amount")
            with gr.Row():
                go = gr.Button("Morph", elem_id="morph", min_width=80)
                animate = gr.Button("▶ Animate", elem_id="animate", min_width=80)
        with gr.Column(min_width=300):
            gr.Markdown("### Walk between two digits (interpolation)")
            with gr.Row():
                start = gr.Dropdown(digits, value=3, label="From", min_width=80)
                end = gr.Dropdown(digits, value=8, label="To", min_width=80)
            method = gr.Radio(
                [
                    ("straight line (linear)", "linear"),
                    ("around the centre (spherical)", "spherical"),
                ],
                value="linear",
                label="Way",
                elem_id="method",
            )
            steps = gr.Slider(MIN_STEPS, MAX_STEPS, 12, step=1, label="Pictures", elem_id="steps")
            walk = gr.Button("Interpolate", elem_id="interpolate")
        with gr.Column(min_width=300):
            gr.Markdown("### Experiments, one click each")
            experiments = {
                name: gr.Button(label, elem_id=f"experiment-{name}")
                for name, (label, _) in EXPERIMENTS.items()
            }
    story = gr.Markdown(elem_id="story", elem_classes="reading")
    strip = FilmStrip(elem_id="film-strip")

    here = [instrument.x, instrument.y, target, amount, instrument.anchor]
    go.click(readable(morph), here, instrument.latent_map, **QUICK)
    animate.click(
        readable(morph),
        here,
        instrument.latent_map,
        js="(...inputs) => { latentSpace.glideNext(2400); return inputs; }",
        **QUICK,
    )
    chosen = [start, end, method, steps, instrument.anchor]
    walk.click(readable(show_strip), chosen, [strip, story], **QUICK)
    for name, button in experiments.items():
        run = functools.partial(EXPERIMENTS[name][1], navigator)
        button.click(run, None, [strip, story], **QUICK)
    return [target, amount, start, end, method, steps, instrument.anchor]


def build_demo(checkpoint: Checkpoint) -> gr.Blocks:
    """The page for one checkpoint. Every visitor's state lives in the page, none of it here.

    Raises:
        ValueError: if the checkpoint's latent space does not have two dimensions.
    """
    navigator = Navigator(checkpoint)
    # /decode leaves a small PNG in Gradio's cache for each answer: those of the last hour stay.
    with gr.Blocks(
        title="Latent Space Navigator", analytics_enabled=False, delete_cache=(600, 3600)
    ) as demo:
        gr.HTML(web_file("heading.html"), elem_id="heading")
        instrument = build_instrument(navigator)
        with gr.Tabs():
            with gr.Tab("Morph and interpolate"):
                choices = build_travel(navigator, instrument)
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
        add_api(navigator, instrument.x, instrument.y)
    return demo


def describe_model(checkpoint: Checkpoint) -> str:
    """What the checkpoint says of itself, as Markdown."""
    final, recipe = checkpoint.history[-1], checkpoint.training_config
    parameters = sum(value.numel() for value in checkpoint.weights.values())
    return (
        f"A convolutional VAE with {parameters:,} parameters and "
        f"{checkpoint.model_config.latent_dim} latent dimensions, trained on the 60,000 training "
        f"digits of MNIST for {len(checkpoint.history)} epochs (beta {recipe.get('beta')}, "
        f"seed {recipe.get('seed')}).\n\n"
        f"On the {len(checkpoint.labels):,} test digits, in nats per image: reconstruction "
        f"{final['test_recon']:.1f}, KL {final['test_kl']:.2f}, ELBO {final['test_elbo']:.1f}.\n\n"
        "**What it cannot do.** Two numbers cannot hold all that makes a handwritten digit: "
        "stroke width, style and rare shapes are averaged away, and 4 and 9 overlap. beta = 4 "
        "packs the digits tightly around the centre, which makes the map full and the pictures "
        "soft. Far from all points the decoder still draws something: it is invented, and the "
        "page says so."
    )


def launch_options() -> dict[str, Any]:
    """What launch() needs for the page to look and behave as intended."""
    scripts = ("position.js", "map_view.js", "decoder_table.js", "theme.js")
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


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line; GRADIO_SERVER_PORT gives the default port."""
    parser = argparse.ArgumentParser(
        description="Explore the latent space of a trained VAE in the browser.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_PATH)
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
        demo = build_demo(load_checkpoint(options.checkpoint))
    except (CheckpointError, ValueError) as error:
        print(f"demo.py: {error}", file=sys.stderr)
        return 1
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
    demo.block_thread()
    return 0


if __name__ == "__main__":
    sys.exit(main())
