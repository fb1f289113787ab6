"""Pictures along a path as files: the strip as PNG, the morph as an animation, the path as JSON."""

import io
import json
from typing import Any

import numpy as np
from PIL import Image

STRIP_SCALE = 4  # screen pixels for each of the model's, so that 28 x 28 can be looked at
MORPH_SCALE = 8
GAP = 4  # white pixels between the pictures of a strip
FRAME_MS = 60  # GIF counts in hundredths of a second, and browsers slow anything below 20 ms
REST_MS = 700  # at either end


def _large(frame: np.ndarray, scale: int) -> Image.Image:
    image = Image.fromarray(frame, "L")
    return image.resize((frame.shape[1] * scale, frame.shape[0] * scale), Image.Resampling.NEAREST)


def strip_png(frames: np.ndarray) -> bytes:
    """frames (N, 28, 28) uint8 -> a PNG of all of them side by side."""
    pictures = [_large(frame, STRIP_SCALE) for frame in frames]
    side = pictures[0].width
    sheet = Image.new("L", (len(pictures) * (side + GAP) - GAP, side), 255)
    for i, picture in enumerate(pictures):
        sheet.paste(picture, (i * (side + GAP), 0))
    return _saved(sheet, format="PNG")


def animation(frames: np.ndarray, kind: str) -> bytes:
    """frames (N, 28, 28) uint8 -> a looping GIF or WebP, there and back.

    Args:
        kind: "gif" or "webp" (lossless).
    """
    there_and_back = np.concatenate([frames, frames[-2:0:-1]])
    first, *rest = (_large(frame, MORPH_SCALE) for frame in there_and_back)
    durations = [FRAME_MS] * len(there_and_back)
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
    """Positions, and the change of the picture from each to the next, with what `about` says."""
    return json.dumps(
        about | {"positions": positions, "changes": changes}, indent=1, allow_nan=False
    ).encode()


def _saved(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, **options)
    return file.getvalue()
