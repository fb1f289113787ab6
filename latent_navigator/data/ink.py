"""Separate the ink of a drawing, a scan or an evenly lit photograph from its background."""

import math
from functools import reduce

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from latent_navigator.data.image_reader import paper_colour

WORK = 512  # largest side while separating the ink, in pixels
MIN_CONTRAST = 0.06  # of the maximum contrast; an image with less is blank
FAINT = 0.08  # of the strongest ink; anything weaker is background. JPEG ringing reaches half that
STRONG = 0.35  # of the strongest ink; the core of a stroke has this, its soft edge need not
NOISE = 6  # in median absolute deviations of the border: four sigma of Gaussian noise
DRAWN = 0.5  # of the pixels; a drawing has more background of the exact colour of its ground
SMALL = 64  # pixels; a smaller image is no photograph
BLOCK = 0.6  # of its bounding box; the ink of a digit fills less

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels; the last two exclusive

BLANK = "The image is blank; draw with a thick stroke."


def channels(image: Image.Image) -> Floats:
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


def largest(values: Floats) -> Floats:
    """The largest of the channels: (H, W, C) -> (H, W).

    A hundred times faster than `values.max(2)`, as NumPy reduces a short last axis slowly.
    """
    found: Floats = reduce(np.maximum, np.moveaxis(values, 2, 0))
    return found


def plane_ink(pixels: Floats) -> Floats:
    """pixels (H, W, C) -> (H, W), background 0 and ink up to 1.

    The background is a plane fitted to most of the border, which removes a shadow across a photo.
    Ink is either darker or lighter than the background, whichever stands out more, measured in
    the channel with the strongest contrast: a yellow stroke on white is dark in blue alone.

    Raises:
        ValueError: if the contrast is below MIN_CONTRAST.
    """
    border = border_of(pixels.shape[:2])
    change = pixels - _background(pixels, border)  # (H, W, C)
    darker, lighter = largest(-change), largest(change)
    # The fourth power: strokes are few but strong, a lit patch of paper is large but weak.
    ink = max(darker, lighter, key=lambda side: (side.clip(0) ** 4).sum())
    full = full_ink(ink)
    if full < MIN_CONTRAST:
        raise ValueError(BLANK)
    noise = NOISE * np.median(np.abs(ink[border])) / full
    ink = (ink / full).clip(0, 1)
    return np.where(ink > max(FAINT, noise), ink, 0).astype(np.float32)


def looks_clean(pixels: Floats, ink: Floats) -> bool:
    """Whether all ink (H, W) of pixels (H, W, C) may belong to a digit.

    Not if it touches the edge, or fills a box as no digit does: then there may be a table, a frame
    or a shadow. Drawings, which have strokes on transparency or on exact black, may touch the edge.
    """
    drawn = pixels.shape[2] == 1 or (pixels == 0).all(2).mean() > DRAWN
    if drawn or min(pixels.shape[:2]) < SMALL:
        return True
    strong = ink > STRONG
    if ink[border_of(ink.shape)].any() or not strong.any():
        return False
    rows, columns = np.flatnonzero(strong.any(1)), np.flatnonzero(strong.any(0))
    box = strong[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    narrow = box.shape[1] < box.shape[0] / 3 or box.shape[0] < box.shape[1] / 3
    return (narrow or box.mean() < BLOCK) and not _nested(box)


def _nested(strong: Mask) -> bool:
    """Whether connected ink lies inside the bounding box of other ink, as in a frame."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(strong.astype(np.uint8))
    parts = stats[1:][stats[1:, cv2.CC_STAT_AREA] > 0.02 * strong.sum()]
    start, end = parts[:, :2], parts[:, :2] + parts[:, 2:4]
    within = (start[:, None] < start).all(2) & (end[:, None] > end).all(2)
    return bool(within.any())


def border_of(shape: tuple[int, ...]) -> Mask:
    """The outermost pixels of an image (H, W), 2 percent of its shorter side."""
    height, width = shape
    rim = max(1, min(height, width) // 50)
    border = np.ones((height, width), bool)
    border[rim : height - rim, rim : width - rim] = False
    return border


def _background(pixels: Floats, border: Mask) -> Floats:
    """A plane through the majority colour of the border: (H, W, C)."""
    height, width, _ = pixels.shape
    distance = largest(np.abs(pixels - np.median(pixels[border], axis=0)))  # (H, W)
    paper = border & (distance <= distance.max() / 2)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)  # (H, W) each
    plane = np.stack([np.ones_like(x), x, y], axis=2)  # (H, W, 3)
    slopes: Floats = np.linalg.lstsq(plane[paper], pixels[paper], rcond=None)[0]  # (3, C)
    return plane @ slopes


def full_ink(ink: Floats) -> float:
    """The level of full ink: close to the maximum, but robust to a few outlying pixels."""
    return float(np.percentile(ink[ink >= ink.max() / 2], 90))


def without_specks(ink: Floats) -> Floats:
    """(H, W) -> (H, W) with only the ink in or next to a stroke.

    A stroke has at least three strong pixels in 5 x 5; even the tip of a hairline does.
    """
    strong = ink > STRONG
    stroke = strong & (_count(strong, 2) >= 3)
    near = _count(stroke, max(2, max(ink.shape) // 30)) > 0
    return np.where(near, ink, np.float32(0))


def _count(mask: Mask, reach: int) -> Floats:
    """mask (H, W) -> (H, W), the set pixels in the square of side 2 reach + 1 around each."""
    side = (2 * reach + 1, 2 * reach + 1)
    ones = mask.astype(np.float32)
    sums = cv2.boxFilter(ones, -1, side, normalize=False, borderType=cv2.BORDER_CONSTANT)
    return sums.astype(np.float32)


def within(ink: Floats, box: Box) -> Floats:
    """ink (H, W) without what is outside left, top, right, bottom."""
    left, top, right, bottom = box
    inside = np.zeros_like(ink)
    inside[top:bottom, left:right] = ink[top:bottom, left:right]
    return inside
