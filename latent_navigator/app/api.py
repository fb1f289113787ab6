"""The named endpoints, for gradio_client and HTTP.

And how Gradio enters this program's functions: `event_handler` and `server_function`.
"""

import asyncio
import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.events import api as add_endpoint
from PIL import Image
from starlette.concurrency import run_in_threadpool

from latent_navigator.app.errors import OVERLOADED, InvalidInput, client_errors, explain
from latent_navigator.app.models import Models
from latent_navigator.explorer import directions, interpolation, navigation

# A list has one number for each dimension of the latent space. Two numbers x and y are coordinates
# on the map, in a space of more dimensions on its principal plane.
Position = float | list[float]

P = ParamSpec("P")
R = TypeVar("R")


class Page(gr.Blocks):
    """gr.Blocks that reports client errors to the client and logs server errors.

    Gradio alone answers null, and logs a traceback, where values are missing or are not what a
    component accepts, just as where a function fails.
    """

    async def process_api(
        self, block_fn: BlockFunction | int, inputs: list[Any], *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        function = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        try:
            complete = with_default_model(function, inputs)
            return await super().process_api(function, complete, *args, **kwargs)
        except Exception as error:
            message, client_error = explain(error)
            request = getattr(kwargs.get("request"), "request", None)
            if client_error and request is not None:
                request.state.client_error = True  # read by middleware.ErrorMessages
            raise gr.Error(message, print_exception=False) from error


def with_default_model(function: BlockFunction, inputs: list[Any]) -> list[Any]:
    """The arguments of a call, with that of the model, the last of each endpoint, where it lacks.

    Gradio rejects calls with fewer values than an endpoint has, and callers of before version 0.4
    send none for the model.
    """
    names = list(inspect.signature(function.fn).parameters) if function.fn else []
    takes_model = names[-1:] == ["model"]
    lacks_it = isinstance(inputs, list) and len(inputs) == len(function.inputs) - 1
    return [*inputs, None] if takes_model and lacks_it else inputs


def event_handler(function: Callable[P, R]) -> Callable[P, R]:
    """`function` for an event or endpoint of Gradio; see `errors.client_errors`."""

    @functools.wraps(function)
    def handler(*args: P.args, **kwargs: P.kwargs) -> R:
        with client_errors():
            return function(*args, **kwargs)

    return handler


def server_function(name: str, function: Callable[..., Any], count: int = 1) -> Callable[..., Any]:
    """`function` of `count` arguments as a component's server function of that name.

    It takes one argument as it is and several as one list. Invalid arguments are answered with
    {"error": sentence}, since an exception would reach the page as a bare HTTP status.
    """

    def answer(arguments: object) -> object:
        values = [arguments] if count == 1 else arguments
        try:
            with client_errors():
                if not isinstance(values, list) or len(values) != count:
                    raise ValueError(f"expected {count} arguments, got {arguments!r:.40}")
                return function(*values)
        except InvalidInput as error:
            return {"error": error.message}

    answer.__name__ = name
    return answer


def model_function(
    name: str, models: Models, function: Callable[..., Any], count: int
) -> Callable[..., Any]:
    """`server_function` of a LatentSpace and `count` arguments, which a model may follow.

    The model is what `Models.space` takes; without it, the default one.
    """

    def with_space(*values: object) -> object:
        *arguments, model = values
        return function(models.space(model), *arguments)

    complete = server_function(name, with_space, count + 1)

    def answer(arguments: object) -> object:
        values = arguments if isinstance(arguments, list) else [arguments]
        if len(values) == count + 1 and isinstance(values[-1], str | None):
            return complete(values)
        return complete([*([arguments] if count == 1 else values), None])

    answer.__name__ = name
    return answer


def one_at_a_time(functions: Sequence[Callable[..., Any]], most: int) -> list[Callable[..., Any]]:
    """Server functions that compute for seconds: one of them runs, the others wait for it.

    They wait without a thread, of which Gradio has forty for all quick answers.

    Args:
        most: how many may wait; further calls are answered with {"error": sentence} at once.
    """
    waiting, turn = 0, asyncio.Semaphore(1)

    def queued(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def answer(arguments: object) -> object:
            nonlocal waiting
            if waiting >= most:
                return {"error": OVERLOADED}
            waiting += 1
            try:
                async with turn:
                    return await run_in_threadpool(function, arguments)
            finally:
                waiting -= 1

        return answer

    return [queued(function) for function in functions]


def add_api(models: Models) -> None:
    """The named endpoints for gradio_client and HTTP; their docstrings are the public help."""

    def decode(x: Position, y: float | None = None, model: str | None = None) -> Image.Image:
        """Decode a position of the latent space into a 28 x 28 grey PNG.

        Args:
            x: first coordinate, in units of the prior's sigma; or all coordinates as a list.
            y: second coordinate; null after a list.
            model: the key of a model, as `models` lists them; null for the default one.
        """
        space = models.space(model)
        return Image.fromarray(space.decode_images(space.position(x, y)[None])[0], "L")

    for function in json_endpoints(models):
        add_endpoint(event_handler(function), api_name=function.__name__)
    # gr.api speaks JSON only; an image needs components, which are not shown.
    x, y = (gr.Number(visible=False, label=label) for label in ("x (z₁)", "y (z₂)"))
    model = gr.Textbox(None, visible=False, label="model")
    image = gr.Image(visible=False, format="png", type="pil", image_mode="L", label="image")
    # preprocess=False: `position` checks the numbers; Gradio's own check fails on text.
    gr.Button(visible=False).click(
        event_handler(decode), [x, y, model], image, preprocess=False, api_name="decode"
    )


def json_endpoints(models: Models) -> list[Callable[..., Any]]:
    """The endpoints that answer with JSON."""

    def list_of_models() -> list[dict[str, Any]]:
        """All models: "key" (what the others take as model), "label", "description", "usable".

        A file that cannot be opened is listed with the "reason". The first is the default model.
        """
        return [entry.record() for entry in models.entries()]

    list_of_models.__name__ = "models"
    return [
        list_of_models,
        *position_endpoints(models),
        *path_endpoints(models),
        *direction_endpoints(models),
    ]


def position_endpoints(models: Models) -> list[Callable[..., Any]]:
    """Endpoints that return a position."""

    def random_sample(seed: int | None = None, model: str | None = None) -> dict[str, Any]:
        """Draw a position from the prior N(0, I): {"x", "y"}. A seed makes it repeatable.

        With more than two dimensions, this and every other answer has {"z": [...]} instead.
        """
        return navigation.random_sample(models.space(model), seed)

    def jump_to_digit(
        digit: int, anchor: str = "typical", model: str | None = None
    ) -> dict[str, Any]:
        """Where a class lies: {"x", "y"}. anchor: "typical" (prototype) or "centroid" (mean)."""
        return navigation.go_to_class(models.space(model), digit, anchor)

    def morph_toward(
        x: Position,
        y: float | None,
        digit: int,
        amount: float = 1.0,
        model: str | None = None,
    ) -> dict[str, Any]:
        """The position `amount` (0 ... 1) of the path from (x, y) to a class: {"x", "y"}.

        As everywhere: x can be a list of all coordinates, and y is null then.
        """
        return navigation.morph_toward(models.space(model), x, y, digit, amount)

    return [random_sample, jump_to_digit, morph_toward]


def path_endpoints(models: Models) -> list[Callable[..., Any]]:
    """Endpoints about paths; their help lists INTERPOLATIONS."""

    def interpolate(
        start: object,
        end: object,
        method: str = "linear",
        steps: int = 9,
        even: bool = False,
        model: str | None = None,
    ) -> dict[str, Any]:
        return interpolation.interpolate(models.space(model), start, end, method, steps, even=even)

    info = models.space().info
    listed = "; ".join(
        f'"{record["key"]}" ({record["term"]})'
        for record in (method.record(info) for method in interpolation.INTERPOLATIONS)
    )
    interpolate.__doc__ = f"""A path of 5 ... 24 positions between two ends, each a class or [x, y].

        With more than two dimensions, a position is a list with one number per dimension.

        method: {listed}. even: equal visual change per step, as the geodesics always have.

        Returns {{"path": [[x, y], ...], "changes" from image to image, "largest_step", "length" in
        image space, "support": the fewest encoded images within 0.1 along the path, "radius": its
        greatest distance from the centre, "passes": the classes along it, ...}}.
        """
    return [interpolate]


def direction_endpoints(models: Models) -> list[Callable[..., Any]]:
    """Endpoints about attributes and directions."""

    def attributes(x: Position, y: float | None = None, model: str | None = None) -> dict[str, Any]:
        """Ink, stroke width, slant, width, height and roundness of the image at a position.

        Each with "value", its gradient as "direction" in degrees and "slope" per unit of z; and
        the decoder's "sensitivity", the Frobenius norm of its Jacobian.
        """
        answer = directions.attribute_directions(models.space(model), x, y)
        answer["attributes"] = {
            name: with_old_name(found) for name, found in answer["attributes"].items()
        }
        return with_old_name(answer)

    def digit_directions(
        x: Position, y: float | None = None, model: str | None = None
    ) -> list[dict[str, Any]]:
        """For each class, its "distance" from (x, y) and "direction" in degrees."""
        return directions.class_directions(models.space(model), x, y)

    def nudge(
        x: Position, y: float | None, attribute: str, sign: int, model: str | None = None
    ) -> dict[str, Any]:
        """A short path that changes an attribute one way (sign 1 or -1) within the same class.

        Returns {"path": [[x, y], ...], "values": of the attribute along it, "stopped": null,
        "extreme" (no short step changes it further) or "barred" (every such step would leave the
        class, the data or the map), "message": a sentence}.
        """
        return with_old_name(directions.nudge_attribute(models.space(model), x, y, attribute, sign))

    return [attributes, digit_directions, nudge]


def with_old_name(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer whose "message" also has the name that programs of before version 0.2 read."""
    return answer | {"told": answer["message"]}
