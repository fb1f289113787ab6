"""The named endpoints, for gradio_client and plain HTTP, and how errors reach their readers."""

import errno
import functools
import sys
import traceback
from collections.abc import Callable
from typing import Any

import gradio as gr
from PIL import Image

from latent_navigator.app.middleware import FAULT, REFUSED, SENSELESS, is_own
from latent_navigator.explorer import directions, interpolation, navigation
from latent_navigator.explorer.latent_space import LatentSpace

# A disk that is full, or a folder that others have made their own.
NO_PLACE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG}
NO_FILES = "The server cannot keep files just now; try again later. What needs none goes on."


class Application(gr.Blocks):
    """gr.Blocks that tells what is wrong with a request, and logs what is wrong with us.

    Gradio alone answers null, and puts a traceback into the log, where values are missing or are
    not what a component takes, as where a function of ours fails.
    """

    async def process_api(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        try:
            return await super().process_api(*args, **kwargs)
        except Exception as error:
            if isinstance(error, gr.Error):
                message = error.message
            elif isinstance(error, OSError) and error.errno in NO_PLACE:
                print(f"a file cannot be kept: {error}", file=sys.stderr)
                message = NO_FILES
            elif is_own(error):
                traceback.print_exception(error)
                message = FAULT
            else:
                message = SENSELESS
            if message not in (FAULT, NO_FILES) and isinstance(kwargs.get("request"), gr.Request):
                kwargs["request"].request.scope[REFUSED] = True
            raise gr.Error(message, print_exception=False) from None


def readable(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, with its ValueErrors turned into messages of the page and the API."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return wrapped


def answering(function: Callable[..., Any], count: int) -> Callable[[Any], dict[str, Any]]:
    """`function` as a server function of a component, whose arguments come as one list.

    What is wrong with them is answered as {"error": sentence}: an exception would reach the page
    as a bare HTTP 500, and the log as a fault of ours.
    """

    def answer(arguments: Any) -> dict[str, Any]:
        listed = [arguments] if count == 1 else arguments
        try:
            if not isinstance(listed, list) or len(listed) != count:
                raise ValueError(f"{count} arguments are expected, not {arguments!r:.40}")
            return function(*listed)
        except ValueError as error:
            return {"error": str(error)}

    answer.__name__ = getattr(function, "__name__", "answer")
    return answer


def add_api(space: LatentSpace, x: gr.Slider, y: gr.Slider) -> None:
    """The named endpoints for gradio_client and HTTP; their docstrings are the public help."""

    def decode(x: float, y: float) -> Image.Image:
        """Decode a position of the latent space into a 28 x 28 grey PNG.

        Args:
            x: first coordinate, in units of the prior's sigma.
            y: second coordinate.
        """
        return Image.fromarray(space.decode_images(space.position(x, y)[None])[0], "L")

    for function in json_endpoints(space):
        gr.api(readable(function), api_name=function.__name__)
    # gr.api speaks JSON only; an image needs components, which are not shown.
    image = gr.Image(visible=False, format="png", type="pil", image_mode="L", label="image")
    # preprocess=False: `position` checks the numbers; Gradio's own check fails on text.
    gr.Button(visible=False).click(
        readable(decode), [x, y], image, preprocess=False, api_name="decode"
    )


def json_endpoints(space: LatentSpace) -> list[Callable[..., Any]]:
    """The endpoints that answer with JSON."""
    return [*position_endpoints(space), *path_endpoints(space), *direction_endpoints(space)]


def position_endpoints(space: LatentSpace) -> list[Callable[..., Any]]:
    """Endpoints that return a position."""

    def random_sample(seed: int | None = None) -> dict[str, float]:
        """Draw a position from the prior N(0, I): {"x", "y"}. A seed makes it repeatable."""
        return navigation.random_sample(space, seed)

    def jump_to_digit(digit: int, anchor: str = "typical") -> dict[str, float]:
        """Where a class lies: {"x", "y"}. anchor: "typical" (prototype) or "centroid" (mean)."""
        return navigation.go_to_class(space, digit, anchor)

    def morph_toward(x: float, y: float, digit: int, amount: float = 1.0) -> dict[str, float]:
        """The position `amount` (0 ... 1) of the path from (x, y) to a class: {"x", "y"}."""
        return navigation.morph_toward(space, x, y, digit, amount)

    return [random_sample, jump_to_digit, morph_toward]


def path_endpoints(space: LatentSpace) -> list[Callable[..., Any]]:
    """Endpoints about paths; their help lists INTERPOLATIONS."""

    def interpolate(
        start: Any, end: Any, method: str = "linear", steps: int = 9, even: bool = False
    ) -> dict[str, Any]:
        return interpolation.interpolate(space, start, end, method, steps, even=even)

    listed = "; ".join(
        f'"{record["key"]}" ({record["term"]})'
        for record in (method.record(space.info) for method in interpolation.INTERPOLATIONS)
    )
    interpolate.__doc__ = f"""A path of 5 ... 24 positions between two ends, each a class or [x, y].

        method: {listed}. even: equal visual change per step, as the geodesics always have.

        Returns {{"path": [[x, y], ...], "changes" from image to image, "largest_step", "length" in
        image space, "support": the fewest encoded images within 0.1 along the path, "radius": its
        greatest distance from the centre, "passes": the classes along it, ...}}.
        """
    return [interpolate]


def direction_endpoints(space: LatentSpace) -> list[Callable[..., Any]]:
    """Endpoints about attributes and directions."""

    def attributes(x: float, y: float) -> dict[str, Any]:
        """Ink, stroke width, slant, width, height and roundness of the image at a position.

        Each with "value", its gradient as "direction" in degrees and "slope" per unit of z; and
        the decoder's "sensitivity", the Frobenius norm of its Jacobian.
        """
        answer = directions.attribute_directions(space, x, y)
        answer["attributes"] = {
            name: with_old_name(found) for name, found in answer["attributes"].items()
        }
        return with_old_name(answer)

    def digit_directions(x: float, y: float) -> list[dict[str, float]]:
        """For each class 0 ... 9, its "distance" from (x, y) and "direction" in degrees."""
        return directions.class_directions(space, x, y)

    def nudge(x: float, y: float, attribute: str, sign: int) -> dict[str, Any]:
        """A short path that changes an attribute one way (sign 1 or -1) within the same class.

        Returns {"path": [[x, y], ...], "values": of the attribute along it, "stopped": null,
        "extreme" or "barred", "message": a sentence}.
        """
        return with_old_name(directions.nudge_attribute(space, x, y, attribute, sign))

    return [attributes, digit_directions, nudge]


def with_old_name(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer whose "message" also has the name that programs of before version 0.2 read."""
    return answer | {"told": answer["message"]}
