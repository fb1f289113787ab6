"""The page's own components: gr.HTML with their html, css and js in web/.

All of them show or move the one position z that web/position.js holds for the page. None keeps
anything on the server, so any number of visitors share one process without meeting.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from latent_navigator.data.dataset_info import Noun

WEB = Path(__file__).parent.parent.parent / "web"
PALETTE = (  # petroff10 (Petroff 2021), made to be told apart also with a colour vision deficiency
    "#3f90da #ffa90e #bd1f01 #94a4a2 #832db6 #a96b59 #e76300 #b9ac70 #717581 #92dadd"
).split()


def web_file(name: str) -> str:
    """The text of a file of web/."""
    return (WEB / name).read_text(encoding="utf-8")


class _Widget(gr.HTML):
    """A gr.HTML whose template, style and script are web/<source>.html, .css and .js.

    Scripts named in `before` come first, in the same scope.
    """

    source: str
    before: tuple[str, ...] = ()

    def __init__(self, value: Any = None, **kwargs: Any):
        super().__init__(
            value,
            html_template=web_file(f"{self.source}.html"),
            css_template=web_file(f"{self.source}.css"),
            js_on_load="".join(map(web_file, (*self.before, f"{self.source}.js"))),
            apply_default_css=False,
            **kwargs,
        )

    def api_info(self) -> dict[str, Any]:
        return {"type": "object"}


class LatentMap(_Widget):
    """The map of a 2-D latent space; the person moves z on it with pointer or arrow keys.

    It zooms (wheel, pinch, + and -), has layers that switch on and off, previews the digit under
    a hovering mouse, and writes what it shows into the page's address.

    Value: {"x": float, "y": float}, the current position. Setting it from Python moves there.
    Event: `input`, after the position changed by any means but the sliders.

    The page needs web/position.js, map_view.js and decoder_table.js in its head.

    Args:
        range: the map shows -range ... range on both axes, in units of the prior's sigma.
        centroids: (C, 2) nested lists, where the numerals stand. names: C class names.
        points: called once a page; returns {"xy", "labels", "scale"}: base64 of int16 pairs and
            of uint8 labels; xy * scale is the position.
        regions: likewise; {"winners", "strength", "side"}: base64 of side x side uint8 from the
            top left: the prevailing class and how strongly it is coloured (0: blank).
        table: likewise; the decoder as a table, see `navigator.Navigator.table`.
        sensitivity, gaps, trips: called when their layers are first shown; see `layers`.
    """

    source = "latent_map"
    before = ("map_layers.js", "map_fields.js")

    def __init__(
        self,
        range: float,
        centroids: list[list[float]],
        names: list[str],
        noun: Noun,
        points: Callable[..., dict[str, Any]],
        regions: Callable[..., dict[str, Any]],
        table: Callable[..., dict[str, Any]],
        sensitivity: Callable[..., dict[str, Any]],
        gaps: Callable[..., dict[str, Any]],
        trips: Callable[..., dict[str, Any]],
        **kwargs: Any,
    ):
        super().__init__(
            {"x": 0.0, "y": 0.0},
            range=range,
            centroids=centroids,
            names=names,
            noun=noun._asdict(),
            palette=PALETTE,
            server_functions=[points, regions, table, sensitivity, gaps, trips],
            **kwargs,
        )


class DigitView(_Widget):
    """The digit decoded at the current position, and what is known there.

    Args:
        names: C class names.
        look: called with [x, y, whether the nearest digits are wanted]; returns {"pixels": base64
            of 784 bytes, "shares": C numbers that sum to 1, "entropy" in bits, "support": text,
            "prior": text, "nearest": None or see `navigator.Navigator.neighbours`, "round_trip":
            [x, y] where its picture is encoded}.
        test_digit: called with the index of a test digit that is opened; see `reader.Reader`.
    """

    source = "digit_view"

    def __init__(
        self,
        names: list[str],
        noun: Noun,
        look: Callable[[Any], dict[str, Any]],
        test_digit: Callable[[Any], dict[str, Any]],
        **kwargs: Any,
    ):
        super().__init__(
            names=names,
            noun=noun._asdict(),
            palette=PALETTE,
            server_functions=[look, test_digit],
            **kwargs,
        )


class FilmStrip(_Widget):
    """The pictures along paths through the latent space, in rows; the paths appear on the map.

    Value: None, or {"rows": [{"title", "points": [[x, y], ...], "curve": [[x, y], ...], "frames",
    "note"}], "ends", "play", "scattered"}; frames is base64 of one byte a pixel, 784 a picture.
    Rows that are ways of one comparison also have what `paths.Paths.interpolate` found, and "way";
    a table and a plot then compare them.

    Args:
        export: called with [kind, row]; returns {"name", "type", "data"}, a file in base64.
    """

    source = "film_strip"
    before = ("comparison.js",)

    def __init__(self, noun: Noun, export: Callable[[Any], dict[str, str]], **kwargs: Any):
        super().__init__(noun=noun._asdict(), server_functions=[export], **kwargs)


class Directions(_Widget):
    """How the digit at the cursor can be changed: by attribute, and toward each digit.

    Args:
        names: C class names. anchors: by name, (C, 2) nested lists: where the digits are.
        attributes: [{"name", "more", "less", "term"}].
        here: called with [x, y]; returns {"message", "attributes": {name: {"message", "direction"}}}.
        nudge: called with [x, y, name, sign]; returns {"path": [[x, y], ...], "message", "stopped"}.
    """

    source = "directions"

    def __init__(
        self,
        names: list[str],
        noun: Noun,
        anchors: dict[str, list[list[float]]],
        attributes: list[dict[str, str]],
        here: Callable[[Any], dict[str, Any]],
        nudge: Callable[[Any], dict[str, Any]],
        **kwargs: Any,
    ):
        super().__init__(
            names=names,
            noun=noun._asdict(),
            anchors=anchors,
            attributes=attributes,
            palette=PALETTE,
            server_functions=[here, nudge],
            **kwargs,
        )


class OwnDigit(_Widget):
    """A pad to draw on, an upload, and what the model makes of the picture.

    Args:
        digits: how many test digits there are. max_bytes: of an uploaded file.
        drawn: called with a picture file in base64; see `reader.Reader`.
    """

    source = "draw"

    def __init__(
        self,
        noun: Noun,
        digits: int,
        max_bytes: int,
        drawn: Callable[[Any], dict[str, Any]],
        **kwargs: Any,
    ):
        super().__init__(
            noun=noun._asdict(),
            digits=digits,
            max_bytes=max_bytes,
            server_functions=[drawn],
            **kwargs,
        )


class Replay(_Widget):
    """How models were learned: points, pictures and curves, epoch by epoch, played or scrubbed.

    Args:
        labels: of the models; the first is the one shown, any other can be chosen or set beside.
        names: C class names. noun: what one picture is called, and several.
        story: called with a label when that model is first seen; see `training_story.Story.story`.
    """

    source = "replay"
    before = ("replay_panels.js", "replay_curves.js")

    def __init__(
        self,
        labels: list[str],
        names: list[str],
        noun: Noun,
        story: Callable[[Any], dict[str, Any]],
        **kwargs: Any,
    ):
        super().__init__(
            labels=labels,
            names=names,
            noun=noun._asdict(),
            palette=PALETTE,
            server_functions=[story],
            **kwargs,
        )


class LessonCards(_Widget):
    """Lessons one at a time; each is checked at the current position, and stays done once it was.

    Args:
        lessons: [{"name", "title", "task", "hint", "why"}], see `lessons.Lesson`.
        check: called with [name, x, y]; returns {"done": bool, "message": text}.
    """

    source = "lessons"

    def __init__(
        self,
        lessons: list[dict[str, str]],
        noun: Noun,
        check: Callable[[Any], dict[str, Any]],
        **kwargs: Any,
    ):
        super().__init__(lessons=lessons, noun=noun._asdict(), server_functions=[check], **kwargs)
