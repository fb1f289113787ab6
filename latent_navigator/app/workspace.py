"""The one component that holds the page, what it is handed and what it can ask of Python."""

import functools
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import gradio as gr

from latent_navigator.app.api import one_at_a_time, server_function
from latent_navigator.app.controls import page_controls
from latent_navigator.app.data_routes import HashedFiles
from latent_navigator.app.model_card import (
    describe_model,
    describe_training,
    training_command,
)
from latent_navigator.app.web_files import page_template
from latent_navigator.data.image_reader import MAX_BYTES
from latent_navigator.data.strokes import PAD, PEN
from latent_navigator.explorer.class_colours import class_colours
from latent_navigator.explorer.dimensions import dimensions, unused_message
from latent_navigator.explorer.directions import attribute_directions, nudge_attribute
from latent_navigator.explorer.experiments import experiments, run_experiment
from latent_navigator.explorer.exports import export_path, export_traversals
from latent_navigator.explorer.inference import infer_drawing, infer_test_image, infer_upload
from latent_navigator.explorer.interpolation import INTERPOLATIONS, compare_paths
from latent_navigator.explorer.latent_space import ANCHORS, LatentSpace
from latent_navigator.explorer.lesson_solutions import check_lesson, solve_lesson
from latent_navigator.explorer.lessons import lessons
from latent_navigator.explorer.map_layers import map_layers
from latent_navigator.explorer.navigation import describe_anchor, start_class
from latent_navigator.explorer.norms import norm_distribution
from latent_navigator.explorer.planes import describe_plane, layer_on_plane, plane_on_map
from latent_navigator.explorer.readout import decode_position
from latent_navigator.explorer.tour import tour
from latent_navigator.explorer.training_replay import ReplayFile
from latent_navigator.geometry.attributes import ATTRIBUTES

MAX_WAITING = 64  # comparisons and experiments, some seconds of work
# A module is imported only once, however often the component is made.
START = """
import(new URL(props.module, document.baseURI))
  .then((page) => page.start(element, props.page, server))
  .catch((error) => {
    console.error(error);
    dispatchEvent(new Event("startupfault"));
  });
"""


class Workspace(gr.HTML):
    """The page: web/page.html, started by web/page.js.

    It keeps nothing on the server, so any number of users share one process.

    Args:
        module: the address of page.js. page: see the type Props of page.js.
        texts: HTML of the texts that depend on the model.
        functions: what the page can ask, by their names.
    """

    def __init__(
        self,
        info: dict[str, Any],
        module: str,
        page: dict[str, Any],
        texts: dict[str, str],
        functions: Sequence[Callable[..., Any]],
    ) -> None:
        super().__init__(
            html_template=page_template(),
            js_on_load=START,
            apply_default_css=False,
            elem_id="workspace",
            server_functions=list(functions),
            info=info,
            module=module,
            page=page,
            texts=texts,
        )


def build_workspace(
    space: LatentSpace,
    replays: dict[str, ReplayFile],
    comparisons: dict[str, ReplayFile],
    web: HashedFiles,
    data: HashedFiles,
) -> Workspace:
    """The page of a model.

    Args:
        replays: by label, of the model's own training and of those that it is compared with.
        comparisons: by label, of the model with others on the same test images.
        web, data: where the page finds its modules and the model's files.
    """
    texts = {
        "model": describe_model(space.checkpoint),
        "training": describe_training(space.checkpoint),
        "command": escape(training_command(space.checkpoint)),
    }
    return Workspace(
        item_names(space),
        web.address("page.js"),
        page_props(space, replays, comparisons, data),
        texts,
        server_functions(space),
    )


def item_names(space: LatentSpace) -> dict[str, Any]:
    """What the images are called, and what describes each."""
    info, count = space.info, space.latent_dim
    in_many = f"{count} numbers, and this map shows a plane through their space"
    return {
        "position": "two numbers, a position on this map" if count == 2 else in_many,
        "item": info.item,
        "items": info.items,
        "described_item": info.described_item,
        "are_digits": info.are_digits,
    }


def page_props(
    space: LatentSpace,
    replays: dict[str, ReplayFile],
    comparisons: dict[str, ReplayFile],
    data: HashedFiles,
) -> dict[str, Any]:
    """All that the page is handed, as JSON; see the type Props of web/page.js."""
    info, preparation = space.info, space.preparation
    classes = range(len(space.class_names))
    return {
        "range": space.range,
        "limit": space.limit,
        "latent_dim": space.latent_dim,
        "plane": describe_plane(space, space.plane),
        "dims": dimensions(space),
        "norms": None if space.latent_dim == 2 else _norms(space),
        "used": space.used.tolist(),
        "unused_message": unused_message(space),
        "radius": space.radius,
        "names": space.class_names,
        "plurals": space.plurals,
        "palette": class_colours(space),
        "info": item_names(space),
        "anchors": {name: points.tolist() for name, points in space.anchors.items()},
        "anchor_notes": {
            anchor: [describe_anchor(space, label, anchor) for label in classes]
            for anchor in ANCHORS
        },
        "start": start_class(space),
        "layers": [layer.record(info, space.radius) for layer in map_layers(space)],
        "methods": [method.record(info) for method in INTERPOLATIONS],
        "controls": [control.record() for control in page_controls(space)],
        "attributes": [{"name": name} | found._asdict() for name, found in ATTRIBUTES.items()],
        "lessons": [lesson.record() for lesson in lessons(space)],
        "experiments": [{"key": some.key, "label": some.label} for some in experiments(space)],
        "tour": [step.record() for step in tour(space)],
        "replays": [
            {
                "label": label,
                "file": file.name,
                "comparison": comparisons[label].name if label in comparisons else None,
            }
            for label, file in replays.items()
        ],
        "pad": {
            "paper": preparation.paper,
            "ink": preparation.ink,
            "side": PAD,
            "pen": PEN,
            "max_bytes": MAX_BYTES,
        },
        "data": data.root,
    }


def _norms(space: LatentSpace) -> dict[str, Any]:
    """`norm_distribution` as JSON, rounded to what a plot shows."""
    found = norm_distribution(space)
    densities = {name: found[name].round(4).tolist() for name in ("means", "data", "prior")}
    return densities | {"most": found["most"], "typical": found["typical"]}


def server_functions(space: LatentSpace) -> list[Callable[..., Any]]:
    """What the page asks of Python, each under its name there."""
    quick: dict[str, tuple[Callable[..., Any], int]] = {
        "decode": (decode_position, 2),
        "test_digit": (infer_test_image, 1),
        "drawn": (infer_upload, 2),
        "strokes": (infer_drawing, 1),
        "export": (export_path, 2),
        "here": (attribute_directions, 2),
        "nudge": (nudge_attribute, 4),
        "check": (check_lesson, 3),
        "solve": (solve_lesson, 3),
        "plane": (plane_on_map, 1),
        "layer": (layer_on_plane, 2),
        "table": (export_traversals, 3),
    }
    slow: dict[str, tuple[Callable[..., Any], int]] = {
        "compare": (compare_paths, 6),
        "experiment": (run_experiment, 1),
    }

    def bound(functions: dict[str, tuple[Callable[..., Any], int]]) -> list[Callable[..., Any]]:
        return [
            server_function(name, functools.partial(function, space), count)
            for name, (function, count) in functions.items()
        ]

    return [*bound(quick), *one_at_a_time(bound(slow), MAX_WAITING)]
