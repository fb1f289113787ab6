"""The page: the instrument on the first screen, and what the tabs below it hold."""

import functools
from dataclasses import dataclass
from typing import Any

import gradio as gr

from latent_navigator.app.api import event_handler, server_function
from latent_navigator.app.components import (
    PALETTE,
    DigitView,
    Directions,
    FilmStrip,
    LatentMap,
    LessonCards,
    OwnDigit,
    Replay,
    web_file,
)
from latent_navigator.app.controls import Control, controls_json
from latent_navigator.app.model_card import describe_model, page_text
from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.data.dataset_info import DatasetInfo, literal
from latent_navigator.data.preprocessing import MAX_BYTES
from latent_navigator.explorer.decoder_table import browser_table
from latent_navigator.explorer.directions import attribute_directions, nudge_attribute
from latent_navigator.explorer.experiments import experiments
from latent_navigator.explorer.exports import export_path
from latent_navigator.explorer.inference import infer_test_image, infer_upload
from latent_navigator.explorer.interpolation import (
    INTERPOLATIONS,
    MAX_STEPS,
    MIN_STEPS,
    compare_paths,
    methods,
)
from latent_navigator.explorer.latent_space import ANCHORS, LatentSpace
from latent_navigator.explorer.lessons import check_lesson, lessons
from latent_navigator.explorer.map_layers import LAYERS, layer_data
from latent_navigator.explorer.navigation import (
    describe_anchor,
    go_to_class,
    morph_toward,
    random_sample,
)
from latent_navigator.explorer.presets import presets
from latent_navigator.explorer.readout import readout
from latent_navigator.explorer.training_replay import TrainingReplays
from latent_navigator.geometry.attributes import ATTRIBUTES

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


def build_page(page: gr.Blocks, space: LatentSpace, others: dict[str, Checkpoint]) -> Instrument:
    """All of the page.

    Args:
        page: the blocks that are being built, within their `with`.
        space: the model that the page explores.
        others: by label, models whose training can be compared with its own.
    """
    checkpoint, info = space.checkpoint, space.info
    gr.HTML(page_text("heading.html", checkpoint), elem_id="heading")
    instrument = build_instrument(space)
    with gr.Tabs():
        with gr.Tab("Paths"):
            controls = build_paths(space, instrument)
        with gr.Tab("Directions"):
            build_directions(space)
        with gr.Tab(f"Your {info.item}"):
            build_drawing(space)
        with gr.Tab("How it was learned"):
            build_replay({checkpoint.label: checkpoint} | others)
        with gr.Tab("Lessons"):
            build_lessons(space)
        with gr.Tab("How VAEs work"):
            gr.Markdown(page_text("how_vaes_work.md", checkpoint), elem_classes="reading")
        with gr.Tab("This model"):
            gr.Markdown(describe_model(checkpoint), elem_classes="reading")
    link_controls(page, controls)
    return instrument


def link_controls(page: gr.Blocks, controls: list[Control]) -> None:
    """Keep the controls' values in the page's address, and restore them from it."""
    components: list[Any] = [control.component for control in controls]
    page.load(
        None,
        components,
        components,
        js=f"(...values) => latentSpace.restoreControls({controls_json(controls)}, values)",
    )
    gr.on(
        [component.change for component in components],
        None,
        components,
        js="(...values) => { latentSpace.setControls(values); return []; }",
    )


# --- the first screen ---


def build_map(space: LatentSpace) -> LatentMap:
    """The map of the latent space, with the layers of LAYERS."""
    # The same for every user, so computed once.
    packed = browser_table(space.model, space.range)
    for layer in LAYERS:
        if layer.preload:
            layer_data(space, layer.key)

    def table(_: object) -> dict[str, Any]:
        return packed

    return LatentMap(
        space.info,
        space.range,
        space.anchors["centroid"].tolist(),
        [layer.record(space.info) for layer in LAYERS],
        server_function("layer", functools.partial(layer_data, space)),
        table,
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


# --- the tabs ---


def build_paths(space: LatentSpace, instrument: Instrument) -> list[Control]:
    """Morph, comparison of paths, experiments and their film strip; the controls in links."""
    with gr.Row(elem_id="travel"):
        with gr.Column(scale=3, min_width=240):
            morphing = build_morph(space, instrument)
        with gr.Column(scale=6, min_width=300):
            comparison = build_comparison(space, instrument.anchor)
        with gr.Column(scale=3, min_width=240):
            gr.Markdown("### Experiments, one click each")
            buttons = [
                (gr.Button(found.label, elem_id=f"experiment-{found.key}"), found.run)
                for found in experiments(space)
            ]
    note = gr.Markdown(elem_id="path-note", elem_classes="reading")
    export = server_function("export", functools.partial(export_path, space), 2)
    strip = FilmStrip(space.info, export, elem_id="film-strip")
    comparison.show_in(space, strip, note)
    for button, run in buttons:
        show = event_handler(functools.partial(run, space))
        button.click(show, None, [strip, note], **QUICK)
    last = len(space.class_names) - 1
    anchor = Control.choice("anchor", instrument.anchor, ANCHORS)
    return [*morphing, *comparison.controls(last), anchor]


def build_morph(space: LatentSpace, instrument: Instrument) -> list[Control]:
    """Morph from the cursor toward a class, by an amount, at once or animated."""
    info = space.info
    classes = [(name, label) for label, name in enumerate(info.class_names)]

    def morph(x: float, y: float, digit: int, amount: float, anchor: str) -> dict[str, float]:
        return morph_toward(space, x, y, digit, amount, anchor)

    gr.Markdown(f"### Morph from here toward a {info.item}")
    target = gr.Radio(
        classes, value=presets(space).target, label=info.item.capitalize(), elem_id="morph-digit"
    )
    amount = gr.Slider(0, 1, 0.5, step=0.05, label="How far", elem_id="morph-amount")
    with gr.Row():
        go = gr.Button("Morph", elem_id="morph", min_width=80)
        animate = gr.Button("▶ Animate", elem_id="animate", min_width=80)
    here = [instrument.x, instrument.y, target, amount, instrument.anchor]
    go.click(event_handler(morph), here, instrument.latent_map, js=EXPECT, **QUICK)
    animate.click(event_handler(morph), here, instrument.latent_map, js=EXPECT_SLOW, **QUICK)
    return [
        Control.number("digit", target, 0, len(classes) - 1, 1),
        Control.number("amount", amount, 0, 1, 0.05),
    ]


@dataclass(frozen=True)
class Comparison:
    """The controls that compare paths."""

    start: gr.Dropdown
    end: gr.Dropdown
    pick: gr.Button
    methods: gr.CheckboxGroup
    steps: gr.Slider
    even: gr.Checkbox
    compare: gr.Button
    anchor: gr.Radio

    def controls(self, last: int) -> list[Control]:
        """Those whose values links keep; `last` is the largest label."""
        return [
            Control.endpoint("from", self.start, "A", last),
            Control.endpoint("to", self.end, "B", last),
            Control.choices("methods", self.methods, methods(), aliases=("ways",)),
            Control.number("images", self.steps, MIN_STEPS, MAX_STEPS, 1, aliases=("pictures",)),
            Control.flag("even", self.even),
        ]

    def show_in(self, space: LatentSpace, strip: FilmStrip, note: gr.Markdown) -> None:
        """Let them show their paths in the film strip and on the map."""

        def show(*chosen: Any) -> tuple[dict[str, Any], str]:
            return compare_paths(space, *chosen), ""

        # The page knows where "here", A and B are and sends their positions in place of the names:
        # so the values bypass the dropdowns' own check, and compare_paths checks them.
        comparing = gr.on(
            [self.compare.click, self.even.input],
            event_handler(show),
            [self.start, self.end, self.methods, self.steps, self.even, self.anchor],
            [strip, note],
            js="async (from, to, ...rest) => [...await latentSpace.depart(from, to), ...rest]",
            preprocess=False,
            api_visibility="private",
            show_progress="hidden",
        )
        for ended in (comparing.success, comparing.failure):
            ended(None, None, None, js="() => { latentSpace.arrived(); return []; }")
        self.pick.click(
            None,
            [self.start, self.end],
            [self.start, self.end],
            js="async (...ends) => (await latentSpace.pick()) ? ['A', 'B'] : ends",
        ).then(None, None, None, js="() => { latentSpace.afterPick('#compare'); return []; }")


def build_comparison(space: LatentSpace, anchor: gr.Radio) -> Comparison:
    """The ends, methods and spacing of the paths to compare."""
    info, first = space.info, presets(space)
    classes = [(name, label) for label, name in enumerate(info.class_names)]

    def end(label: str, value: int, flag: str) -> gr.Dropdown:
        return gr.Dropdown(
            [*classes, ("the cursor", "here"), (f"{flag} on the map", flag)],
            value=value,
            label=label,
            min_width=160 if has_long_names(info) else 80,
            elem_id=f"path-{label.lower()}",
        )

    gr.Markdown("### Paths between two positions (interpolation)")
    with gr.Row(elem_id="ends"):
        start, stop = end("From", first.ends[0], "A"), end("To", first.ends[1], "B")
        pick = gr.Button("Pick A and B on the map", elem_id="pick", min_width=120)
    records = [method.record(info) for method in INTERPOLATIONS]
    chosen = gr.CheckboxGroup(
        [(f"{record['label']} ({record['term']})", record["key"]) for record in records],
        value=[record["key"] for record in records if record["default"]],
        label="Methods",
        elem_id="methods",
    )
    with gr.Row(elem_id="spacing"):
        steps = gr.Slider(
            MIN_STEPS, MAX_STEPS, 12, step=1, label="Images", elem_id="steps", min_width=160
        )
        even = gr.Checkbox(
            False, label="equal visual change per step", elem_id="even", min_width=160
        )
    compare = gr.Button("Compare", variant="primary", elem_id="compare")
    return Comparison(start, stop, pick, chosen, steps, even, compare, anchor)


def build_directions(space: LatentSpace) -> None:
    """Attributes that nudges change, and the directions toward the classes."""
    anchors = {name: points.tolist() for name, points in space.anchors.items()}
    attributes = [{"name": name} | measure._asdict() for name, measure in ATTRIBUTES.items()]
    here = server_function("here", functools.partial(attribute_directions, space), 2)
    nudge = server_function("nudge", functools.partial(nudge_attribute, space), 4)
    Directions(space.info, anchors, attributes, here, nudge, elem_id="directions")


def build_drawing(space: LatentSpace) -> None:
    """The user's own image, and the real ones."""
    drawn = server_function("drawn", functools.partial(infer_upload, space))
    OwnDigit(space.info, len(space.labels), MAX_BYTES, drawn, elem_id="own-digit")


def build_replay(checkpoints: dict[str, Checkpoint]) -> None:
    """How the space was learned, epoch by epoch; the first model is the page's own."""
    first = next(iter(checkpoints.values()))
    story = server_function("story", TrainingReplays(checkpoints).replay)
    Replay(first.info, list(checkpoints), story, elem_id="replay")


def build_lessons(space: LatentSpace) -> None:
    """Tasks on the map that check themselves."""
    check = server_function("check", functools.partial(check_lesson, space), 3)
    records = [lesson.record() for lesson in lessons(space)]
    LessonCards(space.info, records, check, elem_id="lessons")


# --- its style ---


def theme() -> gr.themes.Base:
    """The page's theme; fonts of the system, so that no other host is asked."""
    fonts = ["system-ui", "-apple-system", "Segoe UI", "sans-serif"]
    return gr.themes.Base(
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
    )


def page_options() -> dict[str, Any]:
    """The options of Gradio that make the page look and behave as intended."""
    scripts = ("position.js", "map_view.js", "decoder_table.js", "theme.js", "path_styles.js")
    script = "".join(map(web_file, scripts))
    tints = "".join(f"#jump-{d} {{ --digit: {c}; }}\n" for d, c in enumerate(PALETTE))
    return {
        "theme": theme(),
        "css": web_file("page.css") + tints,
        "head": f"<script>{script}</script>",
        "footer_links": ["api"],
        "run_history": False,
    }
