"""Find the digit in a photograph: what is not paper is not ink either.

The ground is local. A closing (dilation, then erosion) with an element wider than any stroke keeps
whatever is wider than it: a table, a shadow, a finger. What the closing fills is ink: the black
top-hat transform, here relative to the ground, so that ink in a shadow is as strong as in the
light. Ruled lines are what all parts of a row share. Of the rest, the connected strokes are kept
that look most like a digit: not cut by the edge, not a frame around another one, not a line.
"""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from latent_navigator.data.ink import (
    BLANK,
    FAINT,
    MIN_CONTRAST,
    Box,
    Floats,
    Mask,
    full_ink,
    largest,
    within,
)

WIDEST = 0.2  # of the shorter side; a stroke is narrower than this
DARKEST = 0.3  # of white; a darker ground counts as this, where a ratio would amplify noise
PARTS = 5  # of a row; a ruled line is in all but one of them
SOLID = 0.25  # quantile of the ink along a part of a row: strokes leave gaps, lines do not
LINE = 0.08  # least ink of a line
ANGLES = np.arange(-6, 6.1, 0.5)  # of ruled lines, in degrees
CORE = 0.3  # of the strongest ink; components are made of what has more
REACH = 0.02  # of the longer side: parts of one stroke may be twice as far apart
CUT = 0.03  # what remains of the score of ink that the image's edge cuts
FRAMING = 0.05  # what remains of the score of ink around other ink
STRAIGHT = 0.2  # what remains of the score of a straight line
PART = 0.12  # of the mass of the digit; a detached part of it has more

Boxes = npt.NDArray[np.int32]


class Strokes(NamedTuple):
    """Connected ink: labels (H, W), 0 for none; of each label from 1 on its box and score."""

    labels: npt.NDArray[np.int32]
    boxes: Boxes  # (N, 4): left, top, right, bottom; the last two exclusive
    mass: npt.NDArray[np.float64]  # (N,)
    score: npt.NDArray[np.float64]  # (N,)


def photograph_ink(pixels: Floats, crop: Box | None = None) -> Floats:
    """pixels (H, W, C) in 0 ... 1 -> (H, W), background 0 and the digit's ink up to 1.

    Args:
        crop: left, top, right, bottom in pixels, where the user says that the digit is.

    Raises:
        ValueError: if there is no ink.
    """
    ink = _without_lines(_local_ink(pixels))
    if not (ink > MIN_CONTRAST).any():
        raise ValueError(BLANK)
    strokes = _strokes(ink, ink > max(CORE * full_ink(ink), MIN_CONTRAST))
    kept = _digit(strokes) if crop is None else _inside(strokes, ink, crop)
    ink = np.where(np.isin(strokes.labels, 1 + kept), ink, np.float32(0))
    if crop is not None:
        ink = within(ink, crop)
    if not ink.any():
        raise ValueError(BLANK)
    ink = (ink / full_ink(ink)).clip(0, 1)
    return np.where(ink > FAINT, ink, np.float32(0))


def _local_ink(pixels: Floats) -> Floats:
    """(H, W, C) -> (H, W): ink as a share of the local ground, of the polarity of the strokes."""
    blurred = cv2.GaussianBlur(pixels, (0, 0), 0.7).reshape(pixels.shape)
    smooth = np.asarray(blurred, np.float32)
    dark = _hat(smooth)
    light = _hat(1 - smooth)
    grey = smooth.mean(2)
    small = cv2.resize((255 * grey).astype(np.uint8), None, fx=0.25, fy=0.25)
    middle = cv2.medianBlur(small, 2 * (max(small.shape) // 5) + 1).astype(np.float32) / 255
    middle = cv2.resize(middle, grey.shape[::-1])
    # The hole of a 0 is lighter than its stroke, but no lighter than the paper farther away.
    votes = [
        float((np.minimum(hat, side.clip(0)) ** 4).sum())
        for hat, side in ((dark, middle - grey), (light, grey - middle))
    ]
    ink = dark if votes[0] >= votes[1] else light
    return (ink - np.median(ink)).clip(0).astype(np.float32)


def _hat(pixels: Floats) -> Floats:
    """(H, W, C) -> (H, W): what a closing fills, relative to it; the channel with most of it."""
    height, width = pixels.shape[:2]
    size = max(3, int(WIDEST * min(height, width)) | 1)
    square = _closing_gap(pixels, size, cv2.MORPH_RECT)
    # A square that is not parallel to a shadow leaves its corners; a disc hardly does, but is
    # slow, and on the small image would leave the edges. Both must see the ink.
    scale = 4 if min(height, width) >= 64 else 1
    size_small = width // scale, height // scale
    reduced = cv2.resize(pixels, size_small, interpolation=cv2.INTER_AREA)
    small = np.asarray(reduced, np.float32).reshape(*size_small[::-1], -1)
    round_gap = _closing_gap(small, max(3, (size // scale) | 1), cv2.MORPH_ELLIPSE)
    disc = cv2.dilate(round_gap, np.ones((3, 3), np.uint8))
    return np.minimum(square, cv2.resize(disc, (width, height)))


def _closing_gap(pixels: Floats, size: int, shape: int) -> Floats:
    element = cv2.getStructuringElement(shape, (size, size))
    padded = cv2.copyMakeBorder(pixels, size, size, size, size, cv2.BORDER_REPLICATE)
    ground = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, element)
    ground = ground[size:-size, size:-size].reshape(pixels.shape)
    return largest(np.asarray((ground - pixels) / np.maximum(ground, DARKEST), np.float32))


# --- ruled lines ---


def _without_lines(ink: Floats) -> Floats:
    """(H, W) -> (H, W) without what is in (nearly) all parts of a row or column."""
    if min(ink.shape) < 8 * PARTS:
        return ink
    angle = _angle(ink)
    for quarter in (0, 90):
        ink = _without_rows(ink, angle, quarter)
    return ink


def _angle(ink: Floats) -> float:
    """By how many degrees to rotate the image for the sharpest rows and columns."""
    scale = min(1.0, 256 / max(ink.shape))
    reduced = cv2.resize(ink.clip(0, 0.5), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    small = np.asarray(reduced, np.float32)

    def sharpness(degrees: float, image: Floats) -> float:
        turned = _turned(image, degrees)
        rows, columns = turned.mean(1), turned.mean(0)
        return float(np.square(np.diff(rows)).sum() + np.square(np.diff(columns)).sum())

    coarse = max(ANGLES, key=lambda degrees: sharpness(degrees, small))
    fine = coarse + np.linspace(-0.4, 0.4, 9)
    return float(max(fine, key=lambda degrees: sharpness(degrees, ink)))


def _turned(image: Floats, degrees: float) -> Floats:
    height, width = image.shape
    matrix = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), degrees, 1)
    turned = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.float32)


def _without_rows(ink: Floats, angle: float, quarter: int) -> Floats:
    turned = _turned(ink, angle)
    if quarter:
        turned = np.ascontiguousarray(turned.T)
    parts = [np.quantile(part, SOLID, axis=1) for part in np.array_split(turned, PARTS, axis=1)]
    profile = np.stack(parts, axis=1).astype(np.float32)  # (H, PARTS)
    near = cv2.dilate(profile, np.ones((3, 1), np.uint8))
    shared = np.sort(near, axis=1)[:, 1]  # (H,)
    rows = shared > LINE
    if not rows.any() or rows.mean() > 0.5:
        return ink
    rows = cv2.dilate(rows.astype(np.uint8)[:, None], np.ones((3, 1), np.uint8))[:, 0] > 0
    lines = np.where(rows, near.max(1), 0).astype(np.float32)  # (H,)
    gap = 2 * _longest(rows) + 1
    bare = np.where(rows[:, None], 0, turned).astype(np.float32)
    bridged = cv2.morphologyEx(bare, cv2.MORPH_CLOSE, np.ones((gap, 1), np.uint8))
    over = (turned - 1.3 * lines[:, None]).clip(0)
    cleaned = np.where(rows[:, None], np.maximum(bridged, over), turned)
    removed = turned - cleaned
    if quarter:
        removed = np.ascontiguousarray(removed.T)
    return (ink - _turned(removed, -angle)).clip(0)


def _longest(mask: Mask) -> int:
    """The length of the longest run."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return int((edges[1::2] - edges[::2]).max())


# --- the digit among the strokes ---


def _strokes(ink: Floats, core: Mask) -> Strokes:
    height, width = core.shape
    reach = max(1, round(REACH * max(height, width)))
    near = cv2.dilate(core.astype(np.uint8), _disc(reach))
    count, found = cv2.connectedComponents(near)
    labels = np.asarray(found, np.int32)
    inked = np.where(core, labels, 0)
    weights = np.where(core, ink, 0).ravel().astype(np.float64)
    mass = np.bincount(inked.ravel(), weights, count)[1:].astype(np.float64)
    boxes = np.zeros((count - 1, 4), np.int32)
    score: npt.NDArray[np.float64] = np.zeros(count - 1)
    for i in range(count - 1):
        y, x = np.nonzero(inked == i + 1)
        boxes[i] = x.min(), y.min(), x.max() + 1, y.max() + 1
        score[i] = mass[i] * _likeness(len(x), boxes[i], (height, width))
    for i, outer in enumerate(boxes):
        inner = (outer[:2] <= boxes[:, :2]).all(1) & (outer[2:] >= boxes[:, 2:]).all(1)
        others = np.flatnonzero(inner & (np.arange(count - 1) != i))
        if (mass[others] > 0.05 * mass[i]).any():
            score[i] *= FRAMING
    return Strokes(labels, boxes, mass, score)


def _likeness(count: int, box: Boxes, shape: tuple[int, int]) -> float:
    """How much `count` pixels of ink in a box resemble a digit, by position and form: a factor."""
    height, width = shape
    left, top, right, bottom = (int(side) for side in box)
    rim = max(1, min(shape) // 150)
    cut = left < rim or top < rim or right > width - rim or bottom > height - rim
    off = max(abs((left + right) / width - 1), abs((top + bottom) / height - 1))
    long = max(right - left, bottom - top)
    straight = long > 0.45 * max(shape) and count < 0.03 * long**2
    factor = (1 - 0.6 * off) * (CUT if cut else 1.0) * (STRAIGHT if straight else 1.0)
    return factor * min(1.0, long / (0.05 * max(shape)))


def _digit(strokes: Strokes) -> npt.NDArray[np.intp]:
    """The indices of the stroke that looks most like a digit, and of its parts."""
    best = int(strokes.score.argmax())
    box, boxes = strokes.boxes[best], strokes.boxes
    gap = np.maximum(boxes[:, :2] - box[2:], box[:2] - boxes[:, 2:]).max(1)
    near = gap < 0.15 * max(box[2:] - box[:2])
    kept = near & (strokes.score > PART * strokes.score[best])
    kept[best] = True
    return np.flatnonzero(kept)


def _inside(strokes: Strokes, ink: Floats, crop: Box) -> npt.NDArray[np.intp]:
    """The indices of the strokes that are mostly inside; of all, where none is."""
    left, top, right, bottom = crop
    count = len(strokes.mass) + 1
    whole = np.bincount(strokes.labels.ravel(), ink.ravel(), count)[1:]
    part = strokes.labels[top:bottom, left:right], ink[top:bottom, left:right]
    share = np.bincount(part[0].ravel(), part[1].ravel(), count)[1:]
    mostly = share > whole / 2
    if not mostly.any():
        return np.arange(count - 1)
    return np.flatnonzero(mostly & (strokes.score > PART * strokes.score[mostly].max()))


def _disc(radius: int) -> npt.NDArray[np.uint8]:
    disc: npt.NDArray[np.uint8] = cv2.getStructuringElement(
        cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)
    ).astype(np.uint8)
    return disc
