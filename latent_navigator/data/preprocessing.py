"""Preprocess a user's image of one item exactly as the images of a data set were.

`ink` and `photograph` separate the item from its background; `preparation` says how the items of
the data set stand in their images. For MNIST the steps that follow are those of Y. LeCun's page
(yann.lecun.com/exdb/mnist): scale the digit to fit a box of 20 x 20 pixels, keeping its aspect
ratio and the grey levels from anti-aliasing, then move its centre of mass to the centre of the
28 x 28 image.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from latent_navigator.data.grey_images import common_scale, grey_image, on_scale
from latent_navigator.data.ink import (
    BLANK,
    Box,
    Floats,
    channels,
    full_ink,
    looks_clean,
    plane_ink,
    within,
    without_specks,
)
from latent_navigator.data.photograph import photograph_ink
from latent_navigator.data.preparation import MNIST, SIDE, Preparation

MIDDLE = 14  # index of the pixel nearest to the centre of mass of every MNIST digit
MIN_LEVELS = 15  # grey levels; an image with a smaller range is blank

Crop = tuple[float, float, float, float]  # left, top, right, bottom, as fractions of the image


class Preprocessed(NamedTuple):
    """An image in the form of MNIST, and where in the user's image its digit was found."""

    pixels: npt.NDArray[np.uint8]  # (28, 28)
    crop: Crop


def preprocess(image: Image.Image, preparation: Preparation = MNIST) -> npt.NDArray[np.uint8]:
    """Convert an image of one item, dark on light or light on dark, to the form of a data set.

    Args:
        image: of any size, in any mode that image_reader returns, or in mode I or F.
        preparation: of the data set.

    Returns:
        (28, 28) uint8. For MNIST: background 0, strongest ink 255, the longer side of the digit 20
        pixels, its centre of mass within half a pixel of (14, 14) on each axis, unless that would
        cut off ink. Where images fill their frame: the image, scaled to fit and padded.

    Raises:
        ValueError: if the image is blank.
    """
    return preprocess_crop(image, preparation=preparation).pixels


def preprocess_crop(
    image: Image.Image, crop: Crop | None = None, preparation: Preparation = MNIST
) -> Preprocessed:
    """Preprocess an image (see `preprocess`) and tell where its item is.

    Args:
        crop: left, top, right, bottom of the item, as fractions of the upright image; found in
            the image where it is None. The crop of an answer gives the same answer again.

    Raises:
        ValueError: if the image, or the crop of it, is blank; if the crop is empty, or leaves the
            image.
    """
    if 0 in image.size:
        raise ValueError(BLANK)
    if preparation.fit == "frame":
        return _framed(image, crop or (0.0, 0.0, 1.0, 1.0), preparation)
    pixels = channels(image)
    box = None if crop is None else _whole_pixels(crop, pixels.shape[:2])
    ink = _find_ink(pixels, box)  # (H, W)
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    if not len(rows):
        raise ValueError(BLANK)
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    left, right = int(columns[0]), int(columns[-1]) + 1
    height, width = ink.shape
    item = _centred(_scaled(ink[top:bottom, left:right], preparation.box), preparation.fit)
    sides = left / width, top / height, right / width, bottom / height
    return Preprocessed(_developed(item, preparation), sides)


def _framed(image: Image.Image, crop: Crop, preparation: Preparation) -> Preprocessed:
    """The whole crop, read as a training image is.

    Where the data set has a common ground, an image whose border is closer to its negative is
    turned into its negative.
    """
    left, top, right, bottom = _whole_pixels(crop, image.size[::-1])
    if not image.mode.startswith(("I", "F")) and image.mode not in ("L", "RGB", "RGBA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    cut = image.crop((left, top, max(right, left + 1), max(bottom, top + 1)))
    grey = grey_image(cut.convert("F") if cut.mode.startswith("I") else cut)
    scale = common_scale([grey])._replace(ground=preparation.paper)
    levels = on_scale(grey, scale)
    if int(levels.max()) - int(levels.min()) < MIN_LEVELS:
        raise ValueError(BLANK)
    if preparation.ground is not None:
        border = np.concatenate([levels[0], levels[-1], levels[1:-1, 0], levels[1:-1, -1]])
        distance = abs(float(np.median(border)) - preparation.ground)
        if abs(255 - float(np.median(border)) - preparation.ground) < distance:
            levels = 255 - levels
    return Preprocessed(levels, crop)


def _find_ink(pixels: Floats, box: Box | None) -> Floats:
    """pixels (H, W, C) -> (H, W): the ink of the digit, in the box if one is given."""
    ink = without_specks(plane_ink(pixels))
    if not looks_clean(pixels, ink):
        try:
            return photograph_ink(pixels, box)
        except ValueError:  # nothing is narrow enough for a stroke: perhaps a very bold digit
            pass
    return ink if box is None else within(ink, box)


def _whole_pixels(crop: Crop, shape: tuple[int, ...]) -> Box:
    left, top, right, bottom = crop
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError(
            f"crop is {crop}; give left < right and top < bottom, as fractions from 0 to 1"
        )
    height, width = shape
    return round(left * width), round(top * height), round(right * width), round(bottom * height)


def _scaled(ink: Floats, box: int) -> Floats:
    """(H, W) -> (h, w) with max(h, w) = box; the strongest ink is 1."""
    scale = box / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    # Hamming's filter is nearly as sharp as Lanczos', and never negative: it cannot overshoot.
    image = Image.fromarray(ink).resize((width, height), Image.Resampling.HAMMING)
    item = np.asarray(image)
    return (item / full_ink(item)).clip(0, 1)  # scaling down makes thin strokes faint


def _centred(item: Floats, fit: str) -> Floats:
    """(h, w) -> (28, 28), its centre of mass at MIDDLE where ink allows, or its box's middle."""
    height, width = item.shape
    if fit == "mass":
        mass = item.sum()
        y = MIDDLE - (item.sum(1) @ np.arange(height)) / mass
        x = MIDDLE - (item.sum(0) @ np.arange(width)) / mass
    else:
        y, x = (SIDE - height) / 2, (SIDE - width) / 2
    top = min(max(round(float(y)), 0), SIDE - height)
    left = min(max(round(float(x)), 0), SIDE - width)
    whole = np.zeros((SIDE, SIDE), np.float32)
    whole[top : top + height, left : left + width] = item
    return whole


def _developed(item: Floats, preparation: Preparation) -> npt.NDArray[np.uint8]:
    """Ink (28, 28) in 0 ... 1 -> grey levels (28, 28) on the ground of the data set."""
    ground = preparation.paper
    return (ground + (preparation.ink - ground) * item).round().astype(np.uint8)
