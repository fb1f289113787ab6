"""A person's picture of a digit as MNIST would have made it: light strokes in 28 x 28, centred.

The recipe is that of Y. LeCun's page on MNIST (yann.lecun.com/exdb/mnist): the digit is scaled to
fit a box of 20 x 20 pixels with its aspect kept, with grey levels from anti-aliasing, and its
centre of mass goes to the middle of the 28 x 28. What comes before that (what is ink, what is
paper) is ours, for MNIST began with clean black and white pictures.
"""

import io
import math
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
MAX_BYTES = 5_000_000
MAX_SIDE = 4096  # pixels
SIDE, BOX = 28, 20  # MNIST's picture, and the box in it that the digit fills
MIDDLE = 14  # index of the pixel nearest to the centre of mass of every MNIST digit
WORK = 512  # pixels a side, at most, while looking for the ink
MIN_CONTRAST = 0.06  # of the brightest possible; less is an empty sheet
FAINT = 0.08  # of the strongest ink; less is paper. JPEG leaves ripples of half that
STRONG = 0.35  # of the strongest ink; a stroke has this, and its soft edge need not
NOISE = 6  # times the median deviation of the border: four sigma of Gaussian noise

BLANK = "There is nothing drawn on it: draw a digit with a thick stroke."
KINDS = "give a PNG, JPEG, GIF, WebP or BMP file"


def read_image(data: bytes) -> Image.Image:
    """The picture in a file's bytes; the first frame of an animation, upright as EXIF says.

    Raises:
        ValueError: if there are more than MAX_BYTES, or more than MAX_SIDE pixels a side (nothing
            is decoded then), or if it is no picture of FORMATS or a damaged one.
    """
    if len(data) > MAX_BYTES:
        size = f"{len(data) / 1e6:.1f} MB"
        raise ValueError(f"The file has {size}: give one of at most {MAX_BYTES // 10**6} MB.")
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures in words for programmers; we refuse smaller ones.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise ValueError(f"The file is no picture that can be read here: {KINDS}.") from None
    except Image.DecompressionBombError:
        raise ValueError(f"The picture is too large: {_limit()}.") from None
    except Exception:  # Pillow's readers raise whatever a damaged header makes them trip over
        raise ValueError(f"The picture is damaged: {KINDS} that other programs open.") from None
    if max(image.size) > MAX_SIDE:
        width, height = image.size
        raise ValueError(f"The picture has {width} x {height} pixels: {_limit()}.")
    try:
        image.load()
        return ImageOps.exif_transpose(image)
    except Exception:  # as above, for the pixels and the EXIF data
        raise ValueError("The picture is damaged or cut off: save it and send it again.") from None


def _limit() -> str:
    return f"give one of at most {MAX_SIDE} x {MAX_SIDE}"


def preprocess(image: Image.Image) -> np.ndarray:
    """A picture of one digit, dark on light or light on dark, as MNIST would have it.

    Args:
        image: of any size, and of any mode that a file of FORMATS can have, or I or F.

    Returns:
        (28, 28) uint8: ground 0, strongest ink 255, the digit's longer side 20 pixels, its centre
        of mass within half a pixel of (14, 14) on each axis unless that would cut ink off.

    Raises:
        ValueError: if nothing is drawn on it.
    """
    if 0 in image.size:
        raise ValueError(BLANK)
    ink = _without_dust(_ink(_channels(image)))
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    if not len(rows):
        raise ValueError(BLANK)
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = BOX / max(cut.shape)
    height, width = (max(1, round(side * scale)) for side in cut.shape)
    # Hamming's filter is nearly as sharp as Lanczos', and never negative: it cannot overshoot.
    digit = np.asarray(Image.fromarray(cut).resize((width, height), Image.Resampling.HAMMING))
    digit = (digit / _strongest(digit)).clip(0, 1)  # thin strokes became faint when reduced

    mass = digit.sum()
    y = (digit.sum(1) @ np.arange(height)) / mass
    x = (digit.sum(0) @ np.arange(width)) / mass
    top = min(max(round(MIDDLE - y), 0), SIDE - height)
    left = min(max(round(MIDDLE - x), 0), SIDE - width)
    picture = np.zeros((SIDE, SIDE), np.uint8)
    picture[top : top + height, left : left + width] = (255 * digit).round()
    return picture


def _channels(image: Image.Image) -> np.ndarray:
    """The picture as (H, W, C) float32 with H, W <= WORK: colours, grey or how opaque it is."""
    if image.mode.startswith(("I", "F")):  # 16 bits and more; Pillow would clip them to 8
        values = np.nan_to_num(np.asarray(image).astype(np.float32))
        image = Image.fromarray(values / (np.abs(values).max() or 1))
    else:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image = image.reduce(math.ceil(max(image.size) / WORK))
    pixels = np.asarray(image, np.float32)
    if image.mode == "F":
        return pixels[:, :, None]
    pixels = pixels / 255
    if image.mode == "RGB":
        return pixels
    return _opaque(pixels[:, :, :3], pixels[:, :, 3:])


def _opaque(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """(H, W, 3) and (H, W, 1) -> (H, W, C): the strokes of a drawing pad, or a sheet of paper.

    A pad's strokes lie on nothing, and their shape is that of `alpha`, whatever their colours. A
    sheet fills its frame and has colours in it; what is transparent beside it becomes paper.
    """
    solid = alpha[:, :, 0] > alpha.max() / 2
    if not solid.any():
        return alpha
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    seen = colours[solid]  # (K, 3)
    # Strokes hardly ever fill their frame; those of a 1 do, and then it is narrow.
    sheet = solid.sum() > 0.7 * height * width and 0.5 < height / width < 2
    if solid.all() or (sheet and np.ptp(seen, axis=0).max() > 0.25):
        return alpha * colours + (1 - alpha) * np.median(seen, axis=0)
    return alpha


def _ink(pixels: np.ndarray) -> np.ndarray:
    """pixels (H, W, C) -> (H, W) float32, ground 0 and ink up to 1.

    The ground is a plane through what most of the border shows, so that a shadow across a photo
    goes. Ink is what is darker than the ground, or lighter, whichever stands out more, in the
    channel where it does: a yellow stroke on white is dark only in blue.
    """
    height, width, _ = pixels.shape
    rim = max(1, min(height, width) // 50)
    border = np.ones((height, width), bool)
    border[rim : height - rim, rim : width - rim] = False
    away = np.abs(pixels - np.median(pixels[border], axis=0)).max(2)  # (H, W)
    paper = border & (away <= away.max() / 2)

    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    plane = np.stack([np.ones_like(x), x, y], axis=2)  # (H, W, 3)
    slopes = np.linalg.lstsq(plane[paper], pixels[paper], rcond=None)[0]  # (3, C)
    change = pixels - plane @ slopes  # (H, W, C)

    ways = (-change).max(2), change.max(2)
    # The fourth power: strokes are few but strong, a lit patch of paper is large but weak.
    ink = max(ways, key=lambda way: (way.clip(0) ** 4).sum())
    strongest = _strongest(ink)
    if strongest < MIN_CONTRAST:
        raise ValueError(BLANK)
    noise = NOISE * np.median(np.abs(ink[border])) / strongest
    ink = (ink / strongest).clip(0, 1)
    return np.where(ink > max(FAINT, noise), ink, 0).astype(np.float32)


def _strongest(ink: np.ndarray) -> float:
    """The level of full ink: nearly the largest, but not that of a few odd pixels."""
    return float(np.percentile(ink[ink >= ink.max() / 2], 90))


def _without_dust(ink: np.ndarray) -> np.ndarray:
    """(H, W) -> (H, W) without what is faint and alone: only ink in or beside a stroke stays.

    A stroke has three strong pixels in 5 x 5, as even the tip of a hairline has.
    """
    strong = ink > STRONG
    stroke = strong & (_count(strong, 2) >= 3)
    return np.where(_count(stroke, max(2, max(ink.shape) // 30)) > 0, ink, 0)


def _count(marked: np.ndarray, reach: int) -> np.ndarray:
    """marked (H, W) bool -> (H, W), how many are marked in the square of 2 reach + 1 around."""
    height, width = marked.shape
    padded = np.pad(marked, reach).astype(np.uint16)  # (H + 2 reach, W + 2 reach)
    across = sum(padded[:, i : i + width] for i in range(2 * reach + 1))
    return sum(across[i : i + height] for i in range(2 * reach + 1))
