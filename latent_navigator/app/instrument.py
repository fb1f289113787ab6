"""The first screen: the map, the digit, the sliders and the class buttons."""

import functools
from dataclasses import dataclass
from typing import Any

import gradio as gr

from latent_navigator.app.api import event_handler, server_function
from latent_navigator.app.components import (
    DigitView,
    LatentMap,
)
from latent_navigator.app.data_routes import data_files, web_files
from latent_navigator.data.dataset_info import DatasetInfo, literal
from latent_navigator.explorer.inference import infer_test_image
from latent_navigator.explorer.latent_space import ANCHORS, LatentSpace
from latent_navigator.explorer.map_layers import LAYERS, layer_data
from latent_navigator.explorer.navigation import (
    describe_anchor,
    go_to_class,
    random_sample,
)
from latent_navigator.explorer.readout import readout

# Events of the page's own controls: no public endpoint, and no queue that could delay them.
QUICK: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}

# Before a request whose answer moves the cursor: if the user moves it first, the answer is late.
EXPECT = "(...inputs) => { latentSpace.expect(); return inputs; }"
EXPECT_SLOW = "(...inputs) => { latentSpace.expect(2400); return inputs; }"  # ms of the animation


@dataclass(frozen=True)
class Instrument:
    """What the other parts of the page read or move."""

    latent_map: LatentMap
    x: gr.Slider
    y: gr.Slider
    anchor: gr.Radio


def has_long_names(info: DatasetInfo) -> bool:
    """Whether class names need more room than numerals."""
    return max(map(len, info.class_names)) > 2


def row_classes(info: DatasetInfo) -> list[str]:
    """The CSS classes of a row of class buttons."""
    return ["wordy"] if has_long_names(info) else []


def decoder_addresses(space: LatentSpace) -> dict[str, str]:
    """Where the page finds the decoder's modules and weights, relative to its own address."""
    web, data = web_files(), space.once(data_files)
    return {
        "decoder": web.address("core/decoder.js"),
        "sheet": web.address("core/image_sheet.js"),
        "worker": web.address("core/sheet_worker.js"),
        "weights": data.address("decoder.bin"),
    }


def build_map(space: LatentSpace) -> LatentMap:
    """The map of the latent space, with the layers of LAYERS."""
    # The same for every user, so computed once.
    for layer in LAYERS:
        if layer.preload:
            layer_data(space, layer.key)

    return LatentMap(
        space.info,
        space.range,
        space.anchors["centroid"].tolist(),
        [layer.record(space.info) for layer in LAYERS],
        server_function("layer", functools.partial(layer_data, space)),
        decoder_addresses(space),
        elem_id="latent-map",
    )


def build_digit_view(space: LatentSpace) -> None:
    """The decoded image and what is known at the cursor."""
    answer = server_function("look", functools.partial(readout, space), 3)

    # async, so that it runs in the server's own loop: half a millisecond of work costs less there
    # than forty threads that take the interpreter from each other.
    async def look(position: object) -> object:
        return answer(position)

    test_digit = server_function("test_digit", functools.partial(infer_test_image, space))
    DigitView(space.info, look, test_digit, elem_id="digit")


def build_instrument(space: LatentSpace) -> Instrument:
    """The map, the digit, the sliders, the random sample and the class buttons."""
    info, limit = space.info, space.range
    with gr.Row(elem_id="instrument"):
        with gr.Column(scale=7, min_width=320):
            latent_map = build_map(space)
        with gr.Column(scale=5, min_width=320, elem_id="panel"):
            build_digit_view(space)
            with gr.Row(elem_id="sliders"):
                # No reset button: it moves the thumb without an event that the page could hear.
                x, y = (
                    gr.Slider(-limit, limit, 0, step=0.01, label=label, elem_id=name, buttons=[])
                    for label, name in (("x (z₁)", "x-slider"), ("y (z₂)", "y-slider"))
                )
            sample = gr.Button(
                f"Random {info.item} (a sample from the prior)", elem_id="random-sample"
            )
            with gr.Row(elem_id="digits", elem_classes=row_classes(info)):
                buttons = [
                    gr.Button(name, elem_id=f"jump-{label}", min_width=0)
                    for label, name in enumerate(info.class_names)
                ]
            anchor = gr.Radio(
                [
                    ("most typical (prototype)", "typical"),
                    ("mean position (centroid)", "centroid"),
                ],
                value=ANCHORS[0],
                label=f"Go to a {info.item}'s",
                elem_id="anchor",
            )
            press = "a digit" if info.are_digits else "a name"
            note = gr.Markdown(
                f"Drag on the map, or press {press} to go to its region.", elem_id="note"
            )
    instrument = Instrument(latent_map, x, y, anchor)
    move_cursor(space, instrument, sample, buttons, note)
    return instrument


def move_cursor(
    space: LatentSpace,
    instrument: Instrument,
    sample: gr.Button,
    buttons: list[gr.Button],
    note: gr.Markdown,
) -> None:
    """Let the sliders and the buttons of the first screen move the cursor."""

    def sample_prior() -> tuple[dict[str, float], str]:
        return random_sample(space), (
            "A random sample from the prior N(0, I): most lie within 2σ of the centre."
        )

    def jump(label: int, anchor: str) -> tuple[dict[str, float], str]:
        return go_to_class(space, label, anchor), literal(describe_anchor(space, label, anchor))

    latent_map, x, y, anchor = (
        instrument.latent_map,
        instrument.x,
        instrument.y,
        instrument.anchor,
    )
    # In the page alone: the sliders and the map meet in web/position.js.
    gr.on(
        [x.input, y.input],
        None,
        [x, y],
        js="(x, y) => { latentSpace.set({ x, y }, 'slider'); return []; }",
    )
    latent_map.input(None, None, [x, y], js="() => [latentSpace.z.x, latentSpace.z.y]", **QUICK)
    sample.click(event_handler(sample_prior), None, [latent_map, note], js=EXPECT, **QUICK)
    for label, button in enumerate(buttons):
        go = event_handler(functools.partial(jump, label))
        button.click(go, anchor, [latent_map, note], js=EXPECT, **QUICK)
