"""The page's own components: gr.HTML with its html, css and js in web/.

All of them show or move the one position z that web/position.js holds for the page. None keeps
anything on the server, so any number of users share one process.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from latent_navigator.data.dataset_info import DatasetInfo
from latent_navigator.data.preparation import Preparation

WEB = Path(__file__).parent.parent.parent / "web"
# petroff10 (Petroff 2021), chosen to be told apart with any colour vision.
PALETTE = (
    *("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6"),
    *("#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"),
)

# Takes what a component sends, any JSON, and returns JSON.
ServerFunction = Callable[[Any], Any]


def web_file(name: str) -> str:
    """The text of a file of web/."""
    return (WEB / name).read_text(encoding="utf-8")


def item_names(info: DatasetInfo) -> dict[str, str]:
    """What the images are called, for the page: {"item", "items"}."""
    return {"item": info.item, "items": info.items}


class _Component(gr.HTML):
    """A gr.HTML whose template, style and script are web/<source>.html, .css and .js.

    Scripts named in `before` come first, in the same scope.
    """

    source: str
    before: tuple[str, ...] = ()

    def __init__(self, value: dict[str, Any] | None = None, **props: Any) -> None:
        super().__init__(
            value,
            html_template=web_file(f"{self.source}.html"),
            css_template=web_file(f"{self.source}.css"),
            js_on_load="".join(map(web_file, (*self.before, f"{self.source}.js"))),
            apply_default_css=False,
            **props,
        )

    def api_info(self) -> dict[str, Any]:
        return {"type": "object"}


class LatentMap(_Component):
    """The map of a 2-D latent space; the user moves z on it with pointer or arrow keys.

    It zooms (wheel, pinch, + and -), has layers that switch on and off, previews the image under
    a hovering mouse, and writes what it shows into the page's address.

    Value: {"x": float, "y": float}, the current position. Setting it from Python moves there.
    Event: `input`, after the position changed by any means but the sliders.

    The page needs web/position.js, map_view.js and decoder_table.js in its head.

    Args:
        range: the map shows -range ... range on both axes, in units of the prior's sigma.
        centroids: (C, 2) nested lists, where the labels stand.
        map_layers: the records of `explorer.map_layers.LAYERS`.
        layer: called with a layer's key; returns its data, see `map_layers.layer_data`.
        table: called once a page; returns the decoder as a table, see `decoder_table`.
    """

    source = "latent_map"
    before = ("map_drawing.js", "map_layers.js")

    def __init__(
        self,
        info: DatasetInfo,
        range: float,
        centroids: list[list[float]],
        map_layers: Sequence[dict[str, Any]],
        layer: ServerFunction,
        table: ServerFunction,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            {"x": 0.0, "y": 0.0},
            range=range,
            centroids=centroids,
            names=list(info.class_names),
            info=item_names(info),
            map_layers=list(map_layers),  # not `layers`: gr.HTML has an event of that name
            palette=list(PALETTE),
            server_functions=[layer, table],
            **kwargs,
        )


class DigitView(_Component):
    """The image decoded at the current position, and what is known there.

    Args:
        look: called with [x, y, whether the nearest images are wanted]; see `readout.readout`.
        test_digit: called with the index of a test image to open; see `inference`.
    """

    source = "digit_view"

    def __init__(
        self, info: DatasetInfo, look: ServerFunction, test_digit: ServerFunction, **kwargs: Any
    ) -> None:
        super().__init__(
            names=list(info.class_names),
            info=item_names(info),
            palette=list(PALETTE),
            server_functions=[look, test_digit],
            **kwargs,
        )


class FilmStrip(_Component):
    """The images along paths through the latent space, in rows; the paths appear on the map.

    Value: None, or {"rows": [{"title", "points": [[x, y], ...], "curve": [[x, y], ...], "frames",
    "note"}], "ends", "play", "scattered"}; frames is base64 of one byte a pixel, 784 an image.
    Rows of one comparison also have what `interpolation.interpolate` returns; a table and a plot
    then compare them.

    Args:
        export: called with [kind, row]; returns {"name", "type", "data"}, a file in base64.
    """

    source = "film_strip"
    before = ("comparison.js",)

    def __init__(self, info: DatasetInfo, export: ServerFunction, **kwargs: Any) -> None:
        super().__init__(info=item_names(info), server_functions=[export], **kwargs)


class Directions(_Component):
    """How the image at the cursor can be changed: by attribute, and toward each class.

    Args:
        anchors: by name, (C, 2) nested lists. attributes: [{"name", "more", "less", "term"}].
        here: called with [x, y]; see `directions.attribute_directions`.
        nudge: called with [x, y, name, sign]; see `directions.nudge_attribute`.
    """

    source = "directions"

    def __init__(
        self,
        info: DatasetInfo,
        anchors: dict[str, list[list[float]]],
        attributes: Sequence[dict[str, str]],
        here: ServerFunction,
        nudge: ServerFunction,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            names=list(info.class_names),
            info=item_names(info),
            anchors=anchors,
            attributes=list(attributes),
            palette=list(PALETTE),
            server_functions=[here, nudge],
            **kwargs,
        )


class OwnDigit(_Component):
    """A pad to draw on, an upload, and what the model makes of the image.

    Args:
        digits: how many test images there are. max_bytes: of a file as it is sent.
        preparation: of the data set; gives the grey levels of the pad and its ink.
        drawn: called with [an image file in base64, its crop or None]; see
            `inference.infer_upload`.
    """

    source = "draw"
    before = ("photo_crop.js",)

    def __init__(
        self,
        info: DatasetInfo,
        digits: int,
        max_bytes: int,
        preparation: Preparation,
        drawn: ServerFunction,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            info=item_names(info),
            digits=digits,
            max_bytes=max_bytes,
            paper=preparation.paper,
            ink=preparation.ink,
            server_functions=[drawn],
            **kwargs,
        )


class Replay(_Component):
    """How models were learned: points, images and curves, epoch by epoch, played or scrubbed.

    Args:
        labels: of the models; the first is shown, any other can be chosen or compared with it.
        replay: called with a label when that model is first seen; see `training_replay`.
    """

    source = "replay"
    before = ("replay_panels.js", "replay_curves.js")

    def __init__(
        self, info: DatasetInfo, labels: list[str], story: ServerFunction, **kwargs: Any
    ) -> None:
        super().__init__(
            labels=labels,
            names=list(info.class_names),
            info=item_names(info),
            palette=list(PALETTE),
            server_functions=[story],
            **kwargs,
        )


class LessonCards(_Component):
    """Lessons one at a time; each is checked at the current position, and stays done once it was.

    Args:
        lessons: the records of `lessons.Lesson`.
        check: called with [name, x, y]; returns {"done": bool, "message": text}.
    """

    source = "lessons"

    def __init__(
        self,
        info: DatasetInfo,
        lessons: Sequence[dict[str, str]],
        check: ServerFunction,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            lessons=list(lessons), info=item_names(info), server_functions=[check], **kwargs
        )
