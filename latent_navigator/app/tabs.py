"""The tabs below the first screen."""

import functools
from dataclasses import dataclass
from typing import Any

import gradio as gr

from latent_navigator.app.api import event_handler, server_function
from latent_navigator.app.components import (
    Directions,
    FilmStrip,
    LessonCards,
    OwnDigit,
    Replay,
)
from latent_navigator.app.controls import Control
from latent_navigator.app.instrument import (
    EXPECT,
    EXPECT_SLOW,
    QUICK,
    Instrument,
    has_long_names,
)
from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.data.image_reader import MAX_BYTES
from latent_navigator.explorer.directions import attribute_directions, nudge_attribute
from latent_navigator.explorer.experiments import experiments
from latent_navigator.explorer.exports import export_path
from latent_navigator.explorer.inference import infer_upload
from latent_navigator.explorer.interpolation import (
    INTERPOLATIONS,
    MAX_STEPS,
    MIN_STEPS,
    compare_paths,
    methods,
)
from latent_navigator.explorer.latent_space import ANCHORS, LatentSpace
from latent_navigator.explorer.lessons import check_lesson, lessons
from latent_navigator.explorer.navigation import (
    morph_toward,
)
from latent_navigator.explorer.presets import presets
from latent_navigator.explorer.training_replay import TrainingReplays
from latent_navigator.geometry.attributes import ATTRIBUTES


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
    drawn = server_function("drawn", functools.partial(infer_upload, space), 2)
    OwnDigit(
        space.info, len(space.labels), MAX_BYTES, space.preparation, drawn, elem_id="own-digit"
    )


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
