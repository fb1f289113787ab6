"""Paths as files: the images as a strip (PNG) or animation (GIF, WebP), the positions as JSON."""

import base64
import io
import json
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from latent_navigator.explorer.arguments import choice
from latent_navigator.explorer.dimensions import REACH, dimensions, traverse
from latent_navigator.explorer.interpolation import endpoint, image_changes
from latent_navigator.explorer.latent_space import ANCHORS, LatentSpace
from latent_navigator.geometry.geodesics import DecodedPath

EXPORTS = {  # kind -> MIME type
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "json": "application/json",
}
MAX_POSITIONS = 256  # of a path that a page sends back
MORPH_FRAMES = 32  # of an animation, there; as many again but two on the way back
STRIP_SCALE = 4  # screen pixels per pixel of the model, so that 28 x 28 can be seen
MORPH_SCALE = 8
GAP = 4  # white pixels between the images of a strip
FRAME_MS = 60  # GIF counts in hundredths of a second, and browsers slow down below 20 ms
REST_MS = 700  # at either end
TABLES = ("png", "gif")  # of EXPORTS, for the traversals of all dimensions
NAME = 64  # white pixels of a table's row with the name of its dimension
TABLE_SCALE = 3


def export_path(space: LatentSpace, kind: object, row: object) -> dict[str, str]:
    """A row of the film strip as a file: {"name", "type" (MIME), "data" (base64)}.

    Args:
        kind: a key of EXPORTS. row: {"points": [[x, y], ...], or D numbers each, "curve": the
            same, "title": text}, as `compare_paths` and `strip_row` return it.

    Raises:
        ValueError: if the kind is unknown, or the row has no such positions.
    """
    extension = choice("kind", kind, tuple(EXPORTS))
    if not isinstance(row, dict):
        raise ValueError(f"row is {row!r:.40}; give points, curve and title")
    points, curve = (_positions(space, name, row.get(name)) for name in ("points", "curve"))
    frames = space.decode_images(points)
    if extension == "png":
        data = strip_png(frames)
    elif extension == "json":
        about = {"method": f"{row.get('title')!s:.80}", "curve": curve.tolist()}
        data = path_json(points.tolist(), image_changes(frames).tolist(), about)
    else:
        morph = DecodedPath.along(space.decode, curve).retime(MORPH_FRAMES)
        data = animation(space.decode_images(morph), extension)
    return {
        "name": f"latent-path.{extension}",
        "type": EXPORTS[extension],
        "data": base64.b64encode(data).decode(),
    }


def export_traversals(
    space: LatentSpace, kind: object, x: object, y: object = None
) -> dict[str, str]:
    """The used dimensions at a position, the most used first, as a file; see `export_path`.

    Args:
        kind: "png", a row of images for each dimension, or "gif", in which all move at once.
        x, y: see `LatentSpace.position`.

    Raises:
        ValueError: if the kind is unknown, or it is no position.
    """
    extension = choice("kind", kind, TABLES)
    z = space.position(x, y)
    listed = [found["dimension"] for found in dimensions(space) if found["used"]]
    if extension == "png":
        data = table_png(traverse(space, z)[[i - 1 for i in listed]], [f"z{i}" for i in listed])
    else:
        along = torch.linspace(-REACH, REACH, MORPH_FRAMES)
        positions = z.repeat(len(listed), MORPH_FRAMES, 1)
        for row, dimension in enumerate(listed):
            positions[row, :, dimension - 1] = along
        images = space.decode_images(positions.flatten(0, 1))
        images = images.reshape(len(listed), MORPH_FRAMES, *images.shape[1:])
        data = animation(np.concatenate(list(images), axis=2), extension, TABLE_SCALE)
    return {
        "name": f"latent-dimensions.{extension}",
        "type": EXPORTS[extension],
        "data": base64.b64encode(data).decode(),
    }


def table_png(rows: np.ndarray, names: list[str]) -> bytes:
    """rows (K, N, 28, 28) uint8 -> a PNG with a row for each, after its name."""
    strips = [np.concatenate(list(row), axis=1) for row in rows]
    images = [_large(strip, TABLE_SCALE) for strip in strips]
    wide, high = images[0].width, images[0].height + GAP
    sheet = Image.new("L", (NAME + wide, len(images) * high - GAP), 255)
    for i, (image, name) in enumerate(zip(images, names, strict=True)):
        sheet.paste(image, (NAME, i * high))
        ImageDraw.Draw(sheet).text((10, i * high + high // 2 - 12), name, 0, font_size=22)
    return _saved(sheet, format="PNG")


def _positions(space: LatentSpace, name: str, listed: object) -> Tensor:
    if not isinstance(listed, list) or not 2 <= len(listed) <= MAX_POSITIONS:
        raise ValueError(f"{name} is {listed!r:.40}; give a list of 2 to {MAX_POSITIONS} positions")
    return torch.stack([endpoint(space, position, ANCHORS[0]) for position in listed])


def _large(frame: np.ndarray, scale: int) -> Image.Image:
    image = Image.fromarray(frame, "L")
    return image.resize((frame.shape[1] * scale, frame.shape[0] * scale), Image.Resampling.NEAREST)


def strip_png(frames: np.ndarray) -> bytes:
    """frames (N, 28, 28) uint8 -> a PNG of all of them side by side."""
    images = [_large(frame, STRIP_SCALE) for frame in frames]
    side = images[0].width
    sheet = Image.new("L", (len(images) * (side + GAP) - GAP, side), 255)
    for i, image in enumerate(images):
        sheet.paste(image, (i * (side + GAP), 0))
    return _saved(sheet, format="PNG")


def animation(frames: np.ndarray, kind: str, scale: int = MORPH_SCALE) -> bytes:
    """frames (N, height, width) uint8 -> a looping GIF or WebP that plays forward and back.

    Args:
        kind: "gif" or "webp" (lossless). scale: screen pixels per pixel of the model.
    """
    forward_and_back = np.concatenate([frames, frames[-2:0:-1]])
    first, *rest = (_large(frame, scale) for frame in forward_and_back)
    durations = [FRAME_MS] * len(forward_and_back)
    durations[0] = durations[len(frames) - 1] = REST_MS
    options: dict[str, Any] = {"lossless": True} if kind == "webp" else {"disposal": 1}
    return _saved(
        first,
        format=kind.upper(),
        save_all=True,
        append_images=rest,
        duration=durations,
        loop=0,
        **options,
    )


def path_json(positions: list[list[float]], changes: list[float], about: dict[str, Any]) -> bytes:
    """Positions and the change of the image from each to the next, with the entries of `about`."""
    return json.dumps(
        about | {"positions": positions, "changes": changes}, indent=1, allow_nan=False
    ).encode()


def _saved(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, **options)
    return file.getvalue()
