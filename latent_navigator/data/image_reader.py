"""Decode an image file, whatever its format, and turn it upright."""

import io
import struct
import warnings
import zlib

from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
MAX_BYTES = 5_000_000
MAX_SIDE = 4096  # pixels
USE_A_FORMAT = "use a PNG, JPEG, GIF, WebP or BMP file"
USE_A_SIZE = f"use one of at most {MAX_SIDE} x {MAX_SIDE}"

# What Pillow raises on malformed data: the first row for randomly changed files, the others from
# rarer branches of its decoders and of its EXIF parser.
DECODE_ERRORS = (
    *(OSError, ValueError, SyntaxError, TypeError, struct.error, Image.DecompressionBombError),
    *(EOFError, LookupError, ArithmeticError, AttributeError, RuntimeError, zlib.error),
    MemoryError,
)


def read_image(data: bytes) -> Image.Image:
    """Decode an image file; the first frame of an animation, upright according to its EXIF data.

    Raises:
        ValueError: if the file is larger than MAX_BYTES or the image larger than MAX_SIDE (both
            before any pixel is decoded), has none of the FORMATS, or is damaged.
    """
    if len(data) > MAX_BYTES:
        size, limit = f"{len(data) / 1e6:.1f} MB", f"{MAX_BYTES // 10**6} MB"
        raise ValueError(f"The file is {size}; use one of at most {limit}.")
    try:
        with warnings.catch_warnings():
            # Pillow's warning about large images is for programmers; the limit here is lower.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise ValueError(f"The file is not a supported image; {USE_A_FORMAT}.") from None
    except Image.DecompressionBombError:
        raise ValueError(f"The image is too large; {USE_A_SIZE} pixels.") from None
    except DECODE_ERRORS:
        raise ValueError(f"The image file is damaged; {USE_A_FORMAT} that opens.") from None
    if max(image.size) > MAX_SIDE:
        width, height = image.size
        raise ValueError(f"The image is {width} x {height} pixels; {USE_A_SIZE}.")
    try:
        image.load()
        return ImageOps.exif_transpose(image)
    except DECODE_ERRORS:
        raise ValueError("The image file is damaged or truncated; save it again.") from None
