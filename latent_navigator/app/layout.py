"""The parts of the page: the instrument on the first screen, and what the tabs below it hold."""

import functools
from typing import Any, NamedTuple

import gradio as gr

from latent_navigator.app.api import answering, readable
from latent_navigator.app.components import (
    DigitView,
    Directions,
    FilmStrip,
    LatentMap,
    LessonCards,
    OwnDigit,
    Replay,
)
from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.data.dataset_info import literal
from latent_navigator.data.preprocessing import MAX_BYTES
from latent_navigator.explorer.directions import Compass
from latent_navigator.explorer.experiments import experiments as experiments_of
from latent_navigator.explorer.inference import Reader
from latent_navigator.explorer.interpolation import MAX_STEPS, MIN_STEPS, WAYS, Paths
from latent_navigator.explorer.latent_space import ANCHORS, Navigator
from latent_navigator.explorer.lessons import Lessons
from latent_navigator.explorer.map_layers import gaps_layer, round_trips, sensitivity_layer
from latent_navigator.explorer.presets import chosen as begin_with
from latent_navigator.explorer.training_replay import Story
from latent_navigator.geometry.attributes import ATTRIBUTES

# Events of the page's own controls: no API of their own, and no queue that could delay them.
QUICK = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}

# Before a question whose answer moves the cursor: should the person go on meanwhile, it comes too
# late.
GOING = "(...inputs) => { latentSpace.expect(); return inputs; }"


def wordy(names: list[str]) -> list[str]:
    """The CSS classes of a row of buttons: other than numerals, names need room."""
    return ["wordy"] if max(map(len, names)) > 2 else []


def _invitation(navigator: Navigator) -> str:
    noun = "a digit" if navigator.is_mnist else "a name"
    return f"Drag on the map, or press {noun} to go to where it lives."


class Instrument(NamedTuple):
    """What the other parts of the page read or move."""

    latent_map: LatentMap
    x: gr.Slider
    y: gr.Slider
    anchor: gr.Radio


def build_instrument(paths: Paths, reader: Reader) -> Instrument:
    """The first screen: the map, the digit, the sliders, random and the ten digits."""
    navigator = paths.navigator
    # The same for every visitor, so made once; what a server function gets is of no use here.
    answers = navigator.points(), navigator.regions(), navigator.table()

    def points(_: Any) -> dict[str, Any]:
        return answers[0]

    def regions(_: Any) -> dict[str, Any]:
        return answers[1]

    def table(_: Any) -> dict[str, Any]:
        return answers[2]

    def sensitivity(_: Any) -> dict[str, Any]:
        return sensitivity_layer(paths)

    def gaps(_: Any) -> dict[str, Any]:
        return gaps_layer(navigator)

    def trips(_: Any) -> dict[str, Any]:
        return round_trips(navigator)

    # async, so that it runs in the server's own loop: half a millisecond of work costs less there
    # than forty threads that take the interpreter from each other.
    async def look(position: Any) -> dict[str, Any]:
        return answering(navigator.look, 3)(position)

    def sample_prior() -> tuple[dict[str, float], str]:
        z = navigator.random_sample()
        return z, "A random draw from the prior N(0, I): most land within 2σ of the centre."

    def jump(digit: int, anchor: str) -> tuple[dict[str, float], str]:
        return navigator.jump_to_digit(digit, anchor), literal(navigator.remark(digit, anchor))

    limit, noun = navigator.range, navigator.noun
    with gr.Row(elem_id="instrument"):
        with gr.Column(scale=7, min_width=320):
            latent_map = LatentMap(
                limit,
                navigator.anchors["centroid"].tolist(),
                navigator.names,
                navigator.noun,
                points,
                regions,
                table,
                sensitivity,
                gaps,
                trips,
                elem_id="latent-map",
            )
        with gr.Column(scale=5, min_width=320, elem_id="panel"):
            DigitView(
                navigator.names,
                navigator.noun,
                look,
                answering(reader.test_digit, 1),
                elem_id="digit",
            )
            with gr.Row(elem_id="sliders"):
                # No reset button: it moves the thumb without an event that the page could hear.
                x, y = (
                    gr.Slider(-limit, limit, 0, step=0.01, label=label, elem_id=name, buttons=[])
                    for label, name in (("x (z₁)", "x-slider"), ("y (z₂)", "y-slider"))
                )
            sample = gr.Button(
                f"Random {noun.one} (a sample from the prior)", elem_id="random-sample"
            )
            with gr.Row(elem_id="digits", elem_classes=wordy(navigator.names)):
                jumps = [
                    gr.Button(name, elem_id=f"jump-{digit}", min_width=0)
                    for digit, name in enumerate(navigator.names)
                ]
            anchor = gr.Radio(
                [("most typical place", "typical"), ("average place (centroid)", "centroid")],
                value=ANCHORS[0],
                label=f"Each {noun.one} stands for its",
                elem_id="anchor",
            )
            note = gr.Markdown(_invitation(navigator), elem_id="note")

    # In the page alone: the sliders and the map meet in web/position.js.
    gr.on(
        [x.input, y.input],
        None,
        [x, y],
        js="(x, y) => { latentSpace.set({ x, y }, 'slider'); return []; }",
    )
    latent_map.input(None, None, [x, y], js="() => [latentSpace.z.x, latentSpace.z.y]", **QUICK)
    sample.click(sample_prior, None, [latent_map, note], js=GOING, **QUICK)
    for digit, button in enumerate(jumps):
        go = readable(functools.partial(jump, digit))
        button.click(go, anchor, [latent_map, note], js=GOING, **QUICK)
    return Instrument(latent_map, x, y, anchor)


def build_travel(paths: Paths, instrument: Instrument) -> list[gr.components.Component]:
    """Morph, ways, experiments and their film strip; returns what can be chosen."""
    navigator = paths.navigator
    noun, first = navigator.noun, begin_with(navigator)
    digits = [(name, digit) for digit, name in enumerate(navigator.names)]

    def morph(x: float, y: float, digit: int, amount: float, anchor: str) -> dict[str, float]:
        return navigator.morph_toward(x, y, digit, amount, anchor)

    def show_ways(*chosen: Any) -> tuple[dict[str, Any], str]:
        return paths.compare(*chosen), ""

    with gr.Row(elem_id="travel"):
        with gr.Column(scale=3, min_width=240):
            gr.Markdown(f"### Morph from here toward a {noun.one}")
            target = gr.Radio(
                digits, value=first.target, label=noun.one.capitalize(), elem_id="morph-digit"
            )
            amount = gr.Slider(0, 1, 0.5, step=0.05, label="How far", elem_id="morph-amount")
            with gr.Row():
                go = gr.Button("Morph", elem_id="morph", min_width=80)
                animate = gr.Button("▶ Animate", elem_id="animate", min_width=80)
        with gr.Column(scale=6, min_width=300):
            gr.Markdown("### Ways from one place to another (interpolation)")
            with gr.Row(elem_id="ends"):
                start, end = (
                    gr.Dropdown(
                        [*digits, ("where I am", "here"), (f"{flag} on the map", flag)],
                        value=digit,
                        label=label,
                        min_width=160 if wordy(navigator.names) else 80,
                        elem_id=f"way-{label.lower()}",
                    )
                    for label, digit, flag in (
                        ("From", first.ends[0], "A"),
                        ("To", first.ends[1], "B"),
                    )
                )
                pick = gr.Button("Pick A and B on the map", elem_id="pick", min_width=120)
            ways = gr.CheckboxGroup(
                [(f"{paths.named(w).name} ({paths.named(w).term})", w) for w in WAYS],
                value=list(WAYS),
                label="Ways",
                elem_id="ways",
            )
            with gr.Row(elem_id="spacing"):
                steps = gr.Slider(
                    MIN_STEPS,
                    MAX_STEPS,
                    12,
                    step=1,
                    label="Pictures",
                    elem_id="steps",
                    min_width=160,
                )
                even = gr.Checkbox(
                    False,
                    label="even steps: each changes the picture as much",
                    elem_id="even",
                    min_width=160,
                )
            compare = gr.Button("Compare", variant="primary", elem_id="compare")
        with gr.Column(scale=3, min_width=240):
            gr.Markdown("### Experiments, one click each")
            found = experiments_of(navigator)
            experiments = {
                name: gr.Button(label, elem_id=f"experiment-{name}")
                for name, (label, _) in found.items()
            }
    story = gr.Markdown(elem_id="story", elem_classes="reading")
    strip = FilmStrip(noun, answering(paths.export, 2), elem_id="film-strip")

    here = [instrument.x, instrument.y, target, amount, instrument.anchor]
    go.click(readable(morph), here, instrument.latent_map, js=GOING, **QUICK)
    animate.click(
        readable(morph),
        here,
        instrument.latent_map,
        js="(...inputs) => { latentSpace.expect(2400); return inputs; }",
        **QUICK,
    )
    # The page knows where "here", A and B are, and puts their positions in the place of the names:
    # so the values do not go through the dropdowns' own check, and Paths checks them.
    chosen = [start, end, ways, steps, even, instrument.anchor]
    comparing = gr.on(
        [compare.click, even.input],
        readable(show_ways),
        chosen,
        [strip, story],
        js="async (from, to, ...rest) => [...await latentSpace.depart(from, to), ...rest]",
        preprocess=False,
        api_visibility="private",
        show_progress="hidden",
    )
    for ended in (comparing.success, comparing.failure):
        ended(None, None, None, js="() => { latentSpace.arrived(); return []; }")
    pick.click(
        None,
        [start, end],
        [start, end],
        js="async (...ends) => (await latentSpace.pick()) ? ['A', 'B'] : ends",
    ).then(None, None, None, js="() => { latentSpace.afterPick('#compare'); return []; }")
    for name, button in experiments.items():
        run = functools.partial(found[name][1], paths)
        button.click(run, None, [strip, story], **QUICK)
    return [target, amount, start, end, ways, steps, even, instrument.anchor]


def build_directions(compass: Compass) -> None:
    """Attributes that can be changed by nudges, and the ways toward the digits."""
    anchors = {name: places.tolist() for name, places in compass.navigator.anchors.items()}
    attributes = [{"name": name} | measure._asdict() for name, measure in ATTRIBUTES.items()]
    Directions(
        compass.navigator.names,
        compass.navigator.noun,
        anchors,
        attributes,
        answering(compass.here, 2),
        answering(compass.nudge, 4),
        elem_id="directions",
    )


def build_reading(reader: Reader) -> None:
    """A person's own digit, and the real ones."""
    OwnDigit(
        reader.navigator.noun,
        len(reader.navigator.labels),
        MAX_BYTES,
        answering(reader.drawn, 1),
        elem_id="own-digit",
    )


def build_replay(checkpoints: dict[str, Checkpoint]) -> None:
    """How the space was learned, epoch by epoch; the first model is the page's own."""
    first = next(iter(checkpoints.values()))
    story = answering(Story(checkpoints).story, 1)
    Replay(list(checkpoints), first.class_names, first.noun, story, elem_id="replay")


def build_lessons(compass: Compass) -> None:
    """Challenges that check themselves."""
    lessons = Lessons(compass)
    LessonCards(
        lessons.all(), compass.navigator.noun, answering(lessons.check, 3), elem_id="lessons"
    )
