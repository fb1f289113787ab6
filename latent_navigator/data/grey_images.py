"""Images of any size as 28 x 28 grey levels, on one scale and one ground for the whole data set.

Two things cannot be known from one file. How bright a value of a 16-bit file is: many cameras and
scanners store 10, 12 or 14 bits in 16, and a dark image must stay darker than a light one. And on
what ground a transparent image stands: black strokes vanish on black, white ones on white. Both
follow from all images of the data set together.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latent_navigator.data.image_reader import Floats, paper_colour

SIDE = 28  # pixels
BITS = (8, 10, 12, 14, 16, 24, 32)  # depths in which devices record grey levels

Levels = NDArray[np.uint8]


class GreyImage(NamedTuple):
    """One image, 28 x 28, before the data set as a whole is known."""

    levels: Levels | Floats  # (28, 28): 0 ... 255, times alpha; or the values of a deep file
    alpha: Floats | None = None  # (28, 28) in 0 ... 1, where it is transparent
    extremes: tuple[float, float] | None = None  # of all values of a file with more than 8 bits


class Scale(NamedTuple):
    """What the images of a data set have in common."""

    low: float = 0.0  # the value of a deep file that is black
    high: float = 255.0  # and the one that is white
    ground: int = 0  # 0 ... 255: the grey level behind transparent images


def grey_image(image: Image.Image) -> GreyImage:
    """Scale an image to fit 28 x 28 and pad it with the median level of its border.

    Images of 28 x 28 keep their pixels. Around a sheet of paper, what is transparent becomes paper;
    see `paper_colour`.

    Args:
        image: in one of the modes that image_reader returns.
    """
    if image.mode == "F":
        values = np.asarray(image)
        return GreyImage(_fit(image), extremes=(float(values.min()), float(values.max())))
    if image.mode != "RGBA":
        return GreyImage(np.asarray(_fit(image.convert("L")), np.uint8))
    alpha = np.asarray(image.getchannel("A"), np.float32) / np.float32(255)  # (H, W)
    colours = np.asarray(image.convert("RGB"), np.float32) / np.float32(255)  # (H, W, 3)
    paper = paper_colour(colours, alpha)
    if paper is not None:
        solid = alpha[:, :, None] * colours + (1 - alpha[:, :, None]) * paper
        sheet = Image.fromarray((255 * solid).round().astype(np.uint8), "RGB")
        return GreyImage(np.asarray(_fit(sheet.convert("L")), np.uint8))
    levels = np.asarray(image.convert("RGB").convert("L"), np.float32) * alpha
    return GreyImage(_fit(Image.fromarray(levels)), _fit(Image.fromarray(alpha)))


def common_scale(images: Sequence[GreyImage]) -> Scale:
    """The scale of a data set.

    The range of deep files starts at 0, or at their smallest value where that is negative. It ends
    at 1 for fractions, else at the largest value of the least depth in BITS that holds all values.
    The ground of transparent images is white where what they show is dark on average, else black.
    """
    extremes = [image.extremes for image in images if image.extremes is not None]
    low = min((0.0, *(least for least, _ in extremes)))
    most = max((most for _, most in extremes), default=255.0) - low
    high = low + (1.0 if most <= 1 else next((2.0**b - 1 for b in BITS if most < 2**b), most))
    shown = [
        float(image.levels.sum()) / float(image.alpha.sum())
        for image in images
        if image.alpha is not None and image.alpha.any()
    ]
    return Scale(low, high, 255 if shown and np.mean(shown) < 128 else 0)


def on_scale(image: GreyImage, scale: Scale) -> Levels:
    """The grey levels (28, 28) of an image on the scale of its data set."""
    if image.extremes is not None:
        levels = (image.levels - scale.low) * (255 / (scale.high - scale.low))
    elif image.alpha is not None:
        levels = image.levels + (1 - image.alpha) * scale.ground
    else:
        return image.levels.astype(np.uint8)
    return levels.round().clip(0, 255).astype(np.uint8)


def describe_scale(images: Sequence[GreyImage], scale: Scale) -> list[str]:
    """What was assumed about depth and ground, in phrases; empty where nothing was."""
    found = []
    if deep := [image.extremes for image in images if image.extremes is not None]:
        least, most = min(low for low, _ in deep), max(high for _, high in deep)
        found.append(
            f"{len(deep):,} with more than 8 bits and values of {least:g} to {most:g}, read with "
            f"{scale.low:g} as black and {scale.high:g} as white"
        )
    if transparent := sum(image.alpha is not None for image in images):
        ground = "white" if scale.ground else "black"
        found.append(f"{transparent:,} transparent, put on {ground}")
    return found


def _fit(image: Image.Image) -> NDArray[Any]:
    """The pixels (28, 28) of an image in mode L or F, scaled to fit and padded."""
    if image.size == (SIDE, SIDE):
        return np.asarray(image)
    scale = SIDE / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    pixels = np.asarray(image)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    level: Callable[[float], float] = int if image.mode == "L" else float
    canvas = Image.new(image.mode, (SIDE, SIDE), level(np.median(border)))
    scaled = image.resize((width, height), Image.Resampling.HAMMING)
    canvas.paste(scaled, ((SIDE - width) // 2, (SIDE - height) // 2))
    return np.asarray(canvas)
