"""Image files of every format are decoded, upright, or rejected with the reason."""

import struct
import time
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from latent_navigator.data.image_reader import (
    FORMATS,
    MAX_BYTES,
    MAX_SIDE,
    OWN_FORMATS,
    read_image,
    read_own_image,
)
from latent_navigator.data.preprocessing import preprocess
from tests.unit.test_preprocessing import (
    Pixels,
    correlation,
    dark_on_paper,
    file_of,
    on_canvas,
    shifted_correlation,
)
from tests.unit.test_preprocessing import originals as originals

Read = Callable[[bytes], Image.Image]


def png_header(width: int, height: int) -> bytes:
    """A PNG that declares a size but has hardly any data."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(10_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels)


def gif_with_oversized_frame() -> bytes:
    """A GIF of 1 x 1 whose first frame has 60000 x 60000 pixels."""
    frame = struct.pack("<BHHHHB", 0x2C, 0, 0, 60_000, 60_000, 0)
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + frame + b"\x02\x02\x4c\x01\x00;"


RANDOM = Image.fromarray(np.random.default_rng(2).integers(0, 256, (60, 60, 3), dtype=np.uint8))
UNSUPPORTED = "not a supported image; use a PNG"
HOSTILE = {
    "too many bytes": (bytes(MAX_BYTES + 1), "The file is 5.0 MB; use one of at most 5 MB"),
    "81 megapixels": (png_header(9000, 9000), "9000 x 9000 pixels; use one of at most 4096"),
    "Pillow's warning": (png_header(10_000, 10_000), "10000 x 10000 pixels; use one of at most"),
    "PNG bomb": (png_header(60_000, 60_000), "too large; use one of at most 4096 x 4096"),
    "one long side": (png_header(MAX_SIDE + 1, 1), "4097 x 1 pixels"),
    "GIF bomb": (gif_with_oversized_frame(), "too large; use one of at most 4096 x 4096"),
    "empty": (b"", UNSUPPORTED),
    "text": (b"This is a seven. " * 20, UNSUPPORTED),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UNSUPPORTED),
    "garbage": (bytes(range(256)) * 40, UNSUPPORTED),
    "TIFF": (file_of(RANDOM, "TIFF"), UNSUPPORTED),
    "EPS": (file_of(RANDOM, "EPS"), UNSUPPORTED),
}
HOSTILE |= {f"half a {kind}": (file_of(RANDOM, kind)[:2000], "damaged") for kind in FORMATS}


@pytest.mark.guarantee("oversized-input-rejected-early")
@pytest.mark.parametrize(("data", "message"), HOSTILE.values(), ids=HOSTILE.keys())
def test_unreadable_files_are_rejected_at_once(data: bytes, message: str) -> None:
    began = time.process_time()
    with pytest.raises(ValueError, match=message) as caught:
        read_image(data)
    assert time.process_time() - began < 0.5
    assert "BytesIO" not in str(caught.value)
    assert len(str(caught.value)) < 120


def rejection(data: bytes, read: Read) -> str | None:
    """Why a file is rejected; None if it is read."""
    try:
        read(data)
    except ValueError as error:
        return str(error)
    return None


@pytest.mark.guarantee("images-read-or-explained")
@pytest.mark.parametrize(
    ("kind", "read"),
    [(kind, read_image) for kind in FORMATS]
    + [(kind, read_own_image) for kind in FORMATS + OWN_FORMATS],
)
def test_damaged_files_are_read_or_rejected(kind: str, read: Read) -> None:
    rng = np.random.default_rng(3)
    intact = np.frombuffer(file_of(RANDOM, kind), np.uint8)
    rejections = []
    for _ in range(150):
        data = intact.copy()
        where = rng.integers(0, min(len(data), 120), 3)  # in the header, where decoders fail
        data[where] = rng.integers(0, 256, 3)
        rejections.append(rejection(data.tobytes(), read))
    messages = [message for message in rejections if message is not None]
    assert messages
    assert all(message.startswith(("The image", "The file")) for message in messages)


@pytest.mark.guarantee("images-read-or-explained")
@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_read(originals: Pixels, kind: str) -> None:
    drawn = dark_on_paper(on_canvas(originals[0], 200, 240)).convert("RGB")
    assert correlation(preprocess(read_image(file_of(drawn, kind))), originals[0]) > 0.9


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_first_frame_of_an_animation_is_read(originals: Pixels, kind: str) -> None:
    first, second = (Image.fromarray(on_canvas(d, 200, 240)) for d in originals[:2])
    data = file_of(first, kind, save_all=True, append_images=[second])
    found = preprocess(read_image(data))
    assert shifted_correlation(originals[0], found) > 0.9
    assert shifted_correlation(originals[1], found) < 0.9


def test_photo_is_rotated_as_its_exif_data_says(originals: Pixels) -> None:
    drawn = Image.fromarray(on_canvas(originals[0], 200, 240))
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: rotate by 90 degrees clockwise
    data = file_of(drawn.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif)
    assert correlation(originals[0], preprocess(read_image(data))) > 0.9


@pytest.mark.slow
@pytest.mark.guarantee("datasets-checked")
@pytest.mark.parametrize("kind", [*FORMATS, *OWN_FORMATS])
def test_own_files_have_no_limit_but_that_of_pillow(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(4).integers(0, 256, (430, MAX_SIDE + 4, 3), dtype=np.uint8)
    large = file_of(Image.fromarray(noise), kind)
    assert read_own_image(large + bytes(MAX_BYTES)).size == (MAX_SIDE + 4, 430)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 800_000)
    with pytest.raises(ValueError, match="too large; use one of at most 1,600,000 pixels"):
        read_own_image(large)


def test_uploads_are_not_of_the_formats_for_training() -> None:
    for kind in OWN_FORMATS:
        assert read_own_image(file_of(RANDOM, kind)).size == RANDOM.size
        with pytest.raises(ValueError, match=UNSUPPORTED):
            read_image(file_of(RANDOM, kind))
