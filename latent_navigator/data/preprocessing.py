"""Preprocess a user's image of a digit exactly like MNIST: light strokes, 28 x 28, centred.

The steps are those of Y. LeCun's MNIST page (yann.lecun.com/exdb/mnist): scale the digit to fit a
box of 20 x 20 pixels, keeping its aspect ratio and the grey levels from anti-aliasing, then move
its centre of mass to the centre of the 28 x 28 image. MNIST started from clean black and white
images; the steps before, which separate ink from background, are this module's own.
"""

import math

import numpy as np
import numpy.typing as npt
from PIL import Image

from latent_navigator.data.image_reader import paper_colour

SIDE, BOX = 28, 20  # of an MNIST image, and of the box in it that the digit fills; pixels
MIDDLE = 14  # index of the pixel nearest to the centre of mass of every MNIST digit
WORK = 512  # largest side while separating the ink, in pixels
MIN_CONTRAST = 0.06  # of the maximum contrast; an image with less is blank
FAINT = 0.08  # of the strongest ink; anything weaker is background. JPEG ringing reaches half that
STRONG = 0.35  # of the strongest ink; the core of a stroke has this, its soft edge need not
NOISE = 6  # in median absolute deviations of the border: four sigma of Gaussian noise

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

BLANK = "The image is blank; draw a digit with a thick stroke."


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
    if 0 in image.size:
        raise ValueError(BLANK)
    ink = _without_specks(_ink(_channels(image)))  # (H, W)
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    if not len(rows):
        raise ValueError(BLANK)
    cropped = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return _centred(_scaled(cropped))


def _scaled(ink: Floats) -> Floats:
    """(H, W) -> (h, w) with max(h, w) = BOX; the strongest ink is 1."""
    scale = BOX / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    # Hamming's filter is nearly as sharp as Lanczos', and never negative: it cannot overshoot.
    image = Image.fromarray(ink).resize((width, height), Image.Resampling.HAMMING)
    digit = np.asarray(image)
    return (digit / _full_ink(digit)).clip(0, 1)  # scaling down makes thin strokes faint


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


def _channels(image: Image.Image) -> Floats:
    """The image as (H, W, C) with H, W <= WORK: its colours, grey level or opacity."""
    if image.mode.startswith(("I", "F")):  # 16 bits and more, which Pillow would clip to 8
        values: Floats = np.nan_to_num(np.asarray(image, np.float32))
        image = Image.fromarray(values / (np.abs(values).max() or 1))
    else:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image = image.reduce(math.ceil(max(image.size) / WORK))
    pixels = np.asarray(image, np.float32)
    if image.mode == "F":
        return pixels[:, :, None]
    pixels = pixels / np.float32(255)
    if image.mode == "RGB":
        return pixels
    return _opaque(pixels[:, :, :3], pixels[:, :, 3:])


def _opaque(colours: Floats, alpha: Floats) -> Floats:
    """(H, W, 3) and (H, W, 1) -> (H, W, C), the strokes of a drawing pad or a sheet of paper.

    What is transparent around a sheet becomes paper. The shape of strokes is `alpha`, whatever
    their colour.
    """
    paper = paper_colour(colours, alpha[:, :, 0])
    return alpha if paper is None else alpha * colours + (1 - alpha) * paper


def _ink(pixels: Floats) -> Floats:
    """pixels (H, W, C) -> (H, W), background 0 and ink up to 1.

    The background is a plane fitted to most of the border, which removes a shadow across a photo.
    Ink is either darker or lighter than the background, whichever stands out more, measured in
    the channel with the strongest contrast: a yellow stroke on white is dark in blue alone.

    Raises:
        ValueError: if the contrast is below MIN_CONTRAST.
    """
    border = _border(pixels.shape[:2])
    change = pixels - _background(pixels, border)  # (H, W, C)
    darker, lighter = (-change).max(2), change.max(2)
    # The fourth power: strokes are few but strong, a lit patch of paper is large but weak.
    ink = max(darker, lighter, key=lambda side: (side.clip(0) ** 4).sum())
    full = _full_ink(ink)
    if full < MIN_CONTRAST:
        raise ValueError(BLANK)
    noise = NOISE * np.median(np.abs(ink[border])) / full
    ink = (ink / full).clip(0, 1)
    return np.where(ink > max(FAINT, noise), ink, 0).astype(np.float32)


def _border(shape: tuple[int, ...]) -> Mask:
    """The outermost pixels of an image (H, W), 2 percent of its shorter side."""
    height, width = shape
    rim = max(1, min(height, width) // 50)
    border = np.ones((height, width), bool)
    border[rim : height - rim, rim : width - rim] = False
    return border


def _background(pixels: Floats, border: Mask) -> Floats:
    """A plane through the majority colour of the border: (H, W, C)."""
    height, width, _ = pixels.shape
    distance = np.abs(pixels - np.median(pixels[border], axis=0)).max(2)  # (H, W)
    paper = border & (distance <= distance.max() / 2)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)  # (H, W) each
    plane = np.stack([np.ones_like(x), x, y], axis=2)  # (H, W, 3)
    slopes: Floats = np.linalg.lstsq(plane[paper], pixels[paper], rcond=None)[0]  # (3, C)
    return plane @ slopes


def _full_ink(ink: Floats) -> float:
    """The level of full ink: close to the maximum, but robust to a few outlying pixels."""
    return float(np.percentile(ink[ink >= ink.max() / 2], 90))


def _without_specks(ink: Floats) -> Floats:
    """(H, W) -> (H, W) with only the ink in or next to a stroke.

    A stroke has at least three strong pixels in 5 x 5; even the tip of a hairline does.
    """
    strong = ink > STRONG
    stroke = strong & (_count(strong, 2) >= 3)
    near = _count(stroke, max(2, max(ink.shape) // 30)) > 0
    return np.where(near, ink, np.float32(0))


def _count(mask: Mask, reach: int) -> npt.NDArray[np.uint16]:
    """mask (H, W) -> (H, W), the set pixels in the square of side 2 reach + 1 around each."""
    height, width = mask.shape
    padded = np.pad(mask, reach).astype(np.uint16)  # (H + 2 reach, W + 2 reach)
    across = np.zeros((len(padded), width), np.uint16)
    for i in range(2 * reach + 1):
        across += padded[:, i : i + width]
    count = np.zeros((height, width), np.uint16)
    for i in range(2 * reach + 1):
        count += across[i : i + height]
    return count
