"""The one component that holds the page, and what it can ask of Python."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from latent_navigator.app.api import model_function, one_at_a_time, server_function
from latent_navigator.app.data_routes import HashedFiles
from latent_navigator.app.model_page import (
    item_names,
    list_models,
    model_page,
    model_props,
    page_texts,
)
from latent_navigator.app.models import Models
from latent_navigator.app.web_files import page_template
from latent_navigator.explorer.directions import attribute_directions, nudge_attribute
from latent_navigator.explorer.experiments import run_experiment
from latent_navigator.explorer.exports import export_path, export_traversals
from latent_navigator.explorer.inference import infer_drawing, infer_test_image, infer_upload
from latent_navigator.explorer.interpolation import compare_paths
from latent_navigator.explorer.lesson_solutions import check_lesson, solve_lesson
from latent_navigator.explorer.planes import layer_on_plane, plane_on_map
from latent_navigator.explorer.readout import decode_position

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


def build_workspace(models: Models, web: HashedFiles) -> Workspace:
    """The page, which opens with the default model.

    Args:
        web: where the page finds its modules.
    """
    model = models.loaded(models.find())
    return Workspace(
        item_names(model.space),
        web.address("page.js"),
        model_props(model, models.replays(model.entry, known=True)),
        page_texts(model.space),
        server_functions(models),
    )


def server_functions(models: Models) -> list[Callable[..., Any]]:
    """What the page asks of Python, each under its name there; the model is the last argument."""
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
            model_function(name, models, function, count)
            for name, (function, count) in functions.items()
        ]

    about_models = [
        server_function("models", functools.partial(list_models, models)),
        server_function("model", functools.partial(model_page, models, page_template())),
    ]
    return [*about_models, *bound(quick), *one_at_a_time(bound(slow), MAX_WAITING)]
