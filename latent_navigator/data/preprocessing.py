"""Preprocess a user's image of a digit exactly like MNIST: light strokes, 28 x 28, centred.

`ink` and `photograph` separate the digit from its background. The steps that follow are those of
Y. LeCun's MNIST page (yann.lecun.com/exdb/mnist): scale the digit to fit a box of 20 x 20 pixels,
keeping its aspect ratio and the grey levels from anti-aliasing, then move its centre of mass to the
centre of the 28 x 28 image.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

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

SIDE, BOX = 28, 20  # of an MNIST image, and of the box in it that the digit fills; pixels
MIDDLE = 14  # index of the pixel nearest to the centre of mass of every MNIST digit
Crop = tuple[float, float, float, float]  # left, top, right, bottom, as fractions of the image


class Preprocessed(NamedTuple):
    """An image in the form of MNIST, and where in the user's image its digit was found."""

    pixels: npt.NDArray[np.uint8]  # (28, 28)
    crop: Crop


def preprocess(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Convert an image of one digit, dark on light or light on dark, to the form of MNIST.

    Args:
        image: of any size, in any mode that image_reader returns, or in mode I or F.

    Returns:
        (28, 28) uint8: background 0, strongest ink 255, the longer side of the digit 20 pixels.
        Its centre of mass is within half a pixel of (14, 14) on each axis, unless that would cut
        off ink.

    Raises:
        ValueError: if the image is blank.
    """
    return preprocess_crop(image).pixels


def preprocess_crop(image: Image.Image, crop: Crop | None = None) -> Preprocessed:
    """Preprocess an image (see `preprocess`) and tell where its digit is.

    Args:
        crop: left, top, right, bottom of the digit, as fractions of the upright image; found in
            the image where it is None. The crop of an answer gives the same answer again.

    Raises:
        ValueError: if the image, or the crop of it, is blank; if the crop is empty, or leaves the
            image.
    """
    if 0 in image.size:
        raise ValueError(BLANK)
    pixels = channels(image)
    box = None if crop is None else _whole_pixels(crop, pixels.shape[:2])
    ink = _find_ink(pixels, box)  # (H, W)
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    if not len(rows):
        raise ValueError(BLANK)
    top, bottom, left, right = (
        int(rows[0]),
        int(rows[-1]) + 1,
        int(columns[0]),
        int(columns[-1]) + 1,
    )
    height, width = ink.shape
    digit = _centred(_scaled(ink[top:bottom, left:right]))
    sides = left / width, top / height, right / width, bottom / height
    return Preprocessed(digit, sides)


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


def _scaled(ink: Floats) -> Floats:
    """(H, W) -> (h, w) with max(h, w) = BOX; the strongest ink is 1."""
    scale = BOX / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    # Hamming's filter is nearly as sharp as Lanczos', and never negative: it cannot overshoot.
    image = Image.fromarray(ink).resize((width, height), Image.Resampling.HAMMING)
    digit = np.asarray(image)
    return (digit / full_ink(digit)).clip(0, 1)  # scaling down makes thin strokes faint


def _centred(digit: Floats) -> npt.NDArray[np.uint8]:
    """(h, w) in 0 ... 1 -> (28, 28) uint8, the centre of mass at MIDDLE where ink allows."""
    height, width = digit.shape
    mass = digit.sum()
    y = (digit.sum(1) @ np.arange(height)) / mass
    x = (digit.sum(0) @ np.arange(width)) / mass
    top = min(max(round(MIDDLE - y), 0), SIDE - height)
    left = min(max(round(MIDDLE - x), 0), SIDE - width)
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    pixels[top : top + height, left : left + width] = (255 * digit).round()
    return pixels
