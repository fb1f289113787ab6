"""Images become 28 x 28 grey levels on one scale and one ground for the whole data set."""

import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from latent_navigator.data.grey_images import Levels, common_scale, grey_image, on_scale
from latent_navigator.data.image_reader import read_own_image
from tests.unit.test_preprocessing import file_of


def grey_levels(*images: Image.Image, kind: str = "PNG") -> list[Levels]:
    """What the files of a data set of these images become."""
    grey = [grey_image(read_own_image(file_of(image, kind))) for image in images]
    scale = common_scale(grey)
    return [on_scale(image, scale) for image in grey]


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "I;16"])
def test_images_of_other_sizes_are_scaled_and_padded(mode: str) -> None:
    """A white bar on an image of 100 x 200, which is scaled to 14 x 28 and padded."""
    tall = Image.new("L", (100, 200), 0)
    tall.paste(255, (20, 40, 80, 160))
    image = Image.new("I;16", tall.size, 0) if mode == "I;16" else tall.convert(mode)
    if mode == "I;16":
        image.paste(65535, (20, 40, 80, 160))
    (pixels,) = grey_levels(image)
    assert pixels.shape == (28, 28)
    assert pixels.dtype == np.uint8
    assert pixels[:, :7].max() == 0
    assert pixels[:, 21:].max() == 0
    assert pixels[14, 14] == 255
    rows, columns = np.flatnonzero(pixels.max(1) > 127), np.flatnonzero(pixels.max(0) > 127)
    assert abs(np.ptp(rows) + 1 - 17) <= 1
    assert abs(np.ptp(columns) + 1 - 8) <= 1


def deep(values: npt.ArrayLike, dtype: Any = np.uint16) -> Image.Image:
    return Image.fromarray(np.broadcast_to(values, (28, 28)).astype(dtype))


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_the_depth_is_that_of_the_whole_data_set(bits: int) -> None:
    """A dark image stays darker than a light one."""
    full = 2**bits - 1
    light, dark = grey_levels(deep(full), deep(full // 4))
    assert light.max() == 255
    assert abs(int(dark.max()) - 64) <= 1


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (np.array([0, 0.5, 1], np.float32), "TIFF", [0, 128, 255]),
        (np.array([0, 100, 255], np.float32), "TIFF", [0, 100, 255]),
        (np.array([-1000, 0, 3095], np.int32), "TIFF", [0, 62, 255]),
        (np.array([np.nan, 0, 1], np.float32), "TIFF", [0, 0, 255]),
        (np.array([0, 0, 0], np.uint16), "PNG", [0, 0, 0]),
    ],
    ids=["fractions", "255 as a float", "below zero", "not a number", "zero"],
)
def test_other_ranges(values: Any, kind: str, expected: list[int]) -> None:
    columns = np.repeat(values, [10, 10, 8])
    (found,) = grey_levels(deep(columns, values.dtype), kind=kind)
    assert found[14, [0, 14, 27]].tolist() == expected


def png_of_16_bits(colours: npt.NDArray[np.uint16]) -> bytes:
    """(H, W, 3) as a PNG, which Pillow can read but not write."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)

    height, width, _ = colours.shape
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in colours)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_colours_of_twelve_bits_in_sixteen_are_not_black(bits: int) -> None:
    ramp = np.linspace(0, 2**bits - 1, 28)[None, :, None].repeat(28, 0).repeat(3, 2)
    grey = grey_image(read_own_image(png_of_16_bits(ramp.astype(np.uint16))))
    found = on_scale(grey, common_scale([grey]))
    # Pillow leaves only the upper 8 of the 16 bits: 2 of the 10, 4 of the 12.
    assert found[0, 0] == 0
    assert found[0, 27] > 180


def test_the_ground_is_that_of_the_whole_data_set() -> None:
    def disc(level: int) -> Image.Image:
        image = Image.new("RGBA", (56, 56))
        ImageDraw.Draw(image).ellipse((8, 8, 48, 48), fill=(level, level, level))
        return image

    dark, darker = grey_levels(disc(140), disc(10))
    assert dark[0, 0] == darker[0, 0] == 255
    assert (dark[14, 14], darker[14, 14]) == (140, 10)
    light, lighter = grey_levels(disc(100), disc(240))
    assert light[0, 0] == lighter[0, 0] == 0


def test_what_is_transparent_around_a_sheet_becomes_paper() -> None:
    """As for uploads, whatever the average level of the ink is."""
    sheet = Image.new("RGBA", (140, 140))
    ImageDraw.Draw(sheet).rectangle((10, 10, 130, 130), fill="white")
    ImageDraw.Draw(sheet).line((40, 20, 40, 120), fill="black", width=20)
    (found,) = grey_levels(sheet)
    assert found[0, 0] == found[27, 27] == found[14, 20] == 255
    assert found[14, 8] == 0


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("CMYK", "JPEG"),
        ("CMYK", "TIFF"),
        ("YCbCr", "JPEG"),
        ("P", "GIF"),
        ("LA", "PNG"),
        ("1", "PNG"),
        ("RGBX", "TIFF"),
    ],
)
def test_every_mode_of_a_file_becomes_grey(mode: str, kind: str) -> None:
    ramp = Image.fromarray(np.arange(28, dtype=np.uint8)[None].repeat(28, 0) * 9)
    (found,) = grey_levels(ramp.convert(mode), kind=kind)
    assert found[14, 0] < 100 < 180 < found[14, 27]


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "PNG"])
def test_a_training_image_is_turned_as_its_exif_data_says(kind: str) -> None:
    upright = Image.new("L", (56, 56), 255)
    upright.paste(0, (0, 0, 56, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: rotate by 90 degrees clockwise
    file = file_of(upright.transpose(Image.Transpose.ROTATE_90), kind, exif=exif)
    found = grey_image(read_own_image(file)).levels
    assert found[2].max() < 20
    assert found[25].min() > 235
