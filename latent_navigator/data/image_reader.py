"""One reader of image files, for uploads and for training: format, mode, depth and orientation.

What differs between the two are the limits. What it returns has one of four modes, so that no
other module needs to know of palettes, CMYK, bit masks or EXIF data.
"""

import contextlib
import io
import struct
import warnings
import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
OWN_FORMATS = ("TIFF", "PPM")  # also read for training; PPM includes PGM and PBM
MAX_BYTES = 5_000_000
MAX_SIDE = 4096  # pixels
USE_A_FORMAT = "use a PNG, JPEG, GIF, WebP or BMP file"
USE_AN_OWN_FORMAT = "use a PNG, JPEG, GIF, WebP, BMP, TIFF or PNM file"
USE_A_SIZE = f"use one of at most {MAX_SIDE} x {MAX_SIDE}"
SHEET_FILL = 0.7  # of its bounding box; opaque pixels that cover more are a sheet, not strokes
SHEET_COLOURS = 0.25  # smallest range of a sheet's colours in one channel

Floats = npt.NDArray[np.float32]

# What Pillow raises on malformed data: the first row for randomly changed files, the others from
# rarer branches of its decoders and of its EXIF parser.
DECODE_ERRORS = (
    *(OSError, ValueError, SyntaxError, TypeError, struct.error, Image.DecompressionBombError),
    *(EOFError, LookupError, ArithmeticError, AttributeError, RuntimeError, zlib.error),
    MemoryError,
)


def read_image(data: bytes) -> Image.Image:
    """Decode an uploaded file; the first frame of an animation, upright as its EXIF data says.

    Returns:
        An image in mode L, RGB, RGBA if some of it may be transparent, or F with the values of the
        file if these have more than 8 bits.

    Raises:
        ValueError: if the file is larger than MAX_BYTES or the image larger than MAX_SIDE (both
            before any pixel is decoded), has none of the FORMATS, or is damaged.
    """
    if len(data) > MAX_BYTES:
        size, limit = f"{len(data) / 1e6:.1f} MB", f"{MAX_BYTES // 10**6} MB"
        raise ValueError(f"The file is {size}; use one of at most {limit}.")
    image = _open(data, FORMATS, USE_A_FORMAT, USE_A_SIZE)
    if max(image.size) > MAX_SIDE:
        width, height = image.size
        raise ValueError(f"The image is {width} x {height} pixels; {USE_A_SIZE}.")
    return _decode(image)


def read_own_image(data: bytes) -> Image.Image:
    """Decode a file of the user's own data set: like `read_image`, without the limits of uploads.

    Of colours with 16 bits the grey level is returned, in mode F.

    Raises:
        ValueError: if the file has none of the FORMATS or OWN_FORMATS, is damaged, or exceeds the
            178,956,970 pixels that Pillow takes for an attack.
    """
    use_a_size = f"use one of at most {2 * (Image.MAX_IMAGE_PIXELS or 0):,}"
    image = _open(data, FORMATS + OWN_FORMATS, USE_AN_OWN_FORMAT, use_a_size)
    # Of 16 bits per channel Pillow keeps the upper 8 where there are several channels.
    cut = image.mode == "RGB" and any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))
    image = _decode(image)
    if cut and image.mode == "RGB":
        return Image.fromarray(np.asarray(image.convert("L"), np.float32) * np.float32(257))
    return image


def paper_colour(colours: Floats, alpha: Floats) -> Floats | None:
    """The colour of the paper, if the opaque pixels are a sheet; None if they are strokes.

    A sheet fills its bounding box and has colours in it. Strokes, as from a drawing pad, have a
    transparent background, and their shape is `alpha`.

    Args:
        colours: (H, W, 3) in 0 ... 1. alpha: (H, W) in 0 ... 1.

    Returns:
        (3,) in 0 ... 1: the median of the opaque pixels.
    """
    solid = alpha > alpha.max() / 2
    if not solid.any():
        return None
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    seen = colours[solid]  # (K, 3)
    # Strokes hardly ever fill their bounding box; those of a 1 do, and then it is narrow.
    sheet = solid.sum() > SHEET_FILL * height * width and 0.5 < height / width < 2
    if solid.all() or (sheet and np.ptp(seen, axis=0).max() > SHEET_COLOURS):
        paper: Floats = np.median(seen, axis=0)
        return paper
    return None


def _open(data: bytes, formats: tuple[str, ...], use_a_format: str, use_a_size: str) -> Image.Image:
    """The image with its size and mode, its pixels not yet decoded.

    Args:
        use_a_format, use_a_size: the remedies, for errors.
    """
    try:
        with _without_warnings():
            return Image.open(io.BytesIO(data), formats=formats)
    except UnidentifiedImageError:
        raise ValueError(f"The file is not a supported image; {use_a_format}.") from None
    except Image.DecompressionBombError:
        raise ValueError(f"The image is too large; {use_a_size} pixels.") from None
    except DECODE_ERRORS:
        raise ValueError(f"The image file is damaged; {use_a_format} that opens.") from None


def _decode(image: Image.Image) -> Image.Image:
    """The image upright, in one of the modes that `read_image` returns."""
    try:
        with _without_warnings():
            image.load()
            image = ImageOps.exif_transpose(image)
    except DECODE_ERRORS:
        raise ValueError("The image file is damaged or truncated; save it again.") from None
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(np.nan_to_num(np.asarray(image, np.float32)))
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """Without Pillow's warnings of large images and odd metadata, which are for programmers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
