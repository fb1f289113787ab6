"""Pictures as people send them, made of real MNIST digits, come back as those digits."""

import io
import struct
import time
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from latent_navigator.data.preprocessing import MAX_BYTES, MAX_SIDE, preprocess, read_image

PLACE = np.arange(28)


@pytest.fixture(scope="module")
def originals(digits):
    return digits.test_images.reshape(-1, 28, 28).numpy()  # (200, 28, 28) uint8


def file_of(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def on_canvas(digit, size, side, right=0, down=0):
    """(28, 28) -> (side, side) uint8: the digit enlarged to `size`, away from the middle."""
    image = Image.new("L", (side, side))
    large = Image.fromarray(digit).resize((size, size), Image.Resampling.BICUBIC)
    image.paste(large, ((side - size) // 2 + right, (side - size) // 2 + down))
    return np.asarray(image)


def stacked(*channels):
    return Image.fromarray(np.stack(np.broadcast_arrays(*channels), axis=2).astype(np.uint8))


def centre(picture):
    picture = picture.astype(float)
    return np.array([picture.sum(1) @ PLACE, picture.sum(0) @ PLACE]) / picture.sum()


def likeness(a, b):
    return np.corrcoef(a.ravel(), b.ravel())[0, 1]


def likeness_nearby(a, b):
    """As MNIST centres to whole pixels, half a pixel may become one: the best of nine places."""
    moved = (np.roll(b, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1))
    return max(likeness(a, other) for other in moved)


def assert_returns(originals, send, mean=0.93, least=0.8):
    """What `send` makes of each digit's ink comes back as that digit, in its place."""
    found = [preprocess(send(digit)) for digit in originals]
    pairs = list(zip(originals, found, strict=True))
    assert np.mean([likeness(a, b) for a, b in pairs]) > mean
    assert min(likeness_nearby(a, b) for a, b in pairs) > least
    assert max(np.abs(centre(a) - centre(b)).max() for a, b in pairs) < 1.01
    assert all(b.dtype == np.uint8 and b.shape == (28, 28) and b.max() == 255 for b in found)


def test_the_middle_is_that_of_mnist(originals):
    centres = np.array([centre(digit) for digit in originals])
    assert (np.abs(centres - 14) <= 0.5).all()
    found = np.array([centre(preprocess(Image.fromarray(digit))) for digit in originals])
    assert (np.abs(found - 14) <= 0.51).all()


@pytest.mark.guarantee("preprocessing")
def test_mnist_stays_as_it_is(originals):
    assert_returns(originals, Image.fromarray, mean=0.999, least=0.99)


@pytest.mark.guarantee("preprocessing")
def test_size_and_place_do_not_matter(originals):
    assert_returns(originals, lambda d: Image.fromarray(on_canvas(d, 84, 140, -20, 13)))


@pytest.mark.parametrize(
    ("size", "side", "right", "down"),
    [(42, 50, 0, 0), (140, 400, -90, 100), (280, 280, 0, 0), (900, 1100, 50, 20)],
)
def test_sizes_and_places(originals, size, side, right, down):
    # 40 digits: all ten, in several hands.
    def send(digit):
        return Image.fromarray(on_canvas(digit, size, side, right, down))

    assert_returns(originals[::5], send, mean=0.91)  # 42 pixels are few, and blurred


def dark_on_paper(ink):
    return Image.fromarray(255 - ink)


def red_on_white(ink):
    return stacked(255 - ink // 8, 255 - ink, 255 - ink)


def yellow_on_white(ink):
    return stacked(255, 255, 255 - ink)


def blue_on_black(ink):
    return stacked(0, 0, ink)


def white_on_grey(ink):
    return Image.fromarray(140 + (ink * 0.45).astype(np.uint8))


def black_in_alpha(ink):
    return stacked(0, 0, 0, ink)


def white_in_alpha(ink):
    return stacked(255, 255, 255, ink)


def pale_in_alpha(ink):
    return stacked(0, 90, 200, ink // 3)


def two_colours_in_alpha(ink):
    red = 255 * (np.arange(len(ink))[:, None] < len(ink) // 2)
    return stacked(red, 0, 255 - red, ink)


def grey_in_alpha(ink):
    return stacked(0, ink)


def opaque_with_alpha(ink):
    return stacked(255 - ink, 255 - ink, 255 - ink, 255)


def faint_and_opaque(ink):
    return stacked(*[250 - ink // 6] * 3, 255)


def sheet_with_clear_margin(ink):
    alpha = np.zeros_like(ink)
    alpha[8:-8, 8:-8] = 255
    return stacked(*[(255 - ink) * (alpha > 0)] * 3, alpha)


def sixteen_bits(ink):
    return Image.fromarray(65535 - ink.astype(np.uint16) * 257)


def twelve_of_sixteen_bits(ink):
    return Image.fromarray(ink.astype(np.uint16) * 16)


def thirty_two_bits(ink):
    return Image.fromarray(ink.astype(np.int32) * 1000 - 90_000)


def floats(ink):
    return Image.fromarray(ink.astype(np.float32) / 255)


def palette(ink):
    return stacked(255 - ink, 255 - ink, 255).convert("P")


def palette_with_alpha(ink):
    return read_image(file_of(black_in_alpha(ink).quantize(64), "PNG"))


def gif_with_clear_ground(ink):
    image = Image.fromarray((ink > 127).astype(np.uint8), "P")
    image.putpalette([255, 255, 255, 0, 0, 0])
    return read_image(file_of(image, "GIF", transparency=0))


def black_and_white(ink):
    return Image.fromarray(ink > 127)


def jpeg(ink):
    return read_image(file_of(dark_on_paper(ink).convert("RGB"), "JPEG", quality=50))


def cmyk(ink):
    return dark_on_paper(ink).convert("RGB").convert("CMYK")


SENT = [
    dark_on_paper,
    red_on_white,
    yellow_on_white,
    blue_on_black,
    white_on_grey,
    black_in_alpha,
    white_in_alpha,
    pale_in_alpha,
    two_colours_in_alpha,
    grey_in_alpha,
    opaque_with_alpha,
    faint_and_opaque,
    sheet_with_clear_margin,
    sixteen_bits,
    twelve_of_sixteen_bits,
    thirty_two_bits,
    floats,
    palette,
    palette_with_alpha,
    gif_with_clear_ground,
    black_and_white,
    jpeg,
    cmyk,
]


@pytest.mark.parametrize("send", SENT, ids=lambda send: send.__name__)
def test_every_way_to_send_a_digit(originals, send):
    assert_returns(originals[::5], lambda d: send(on_canvas(d, 196, 240, 9, -12)))


def test_a_photo_of_paper_in_uneven_light(originals):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:1:400j, 0:1:400j]

    def photo(digit):
        ink = on_canvas(digit, 280, 400, 30, -40) / 255
        light = (225 - 60 * x - 25 * y) * (1 - ink) + 60 * ink + rng.normal(0, 5, ink.shape)
        image = Image.fromarray(light.clip(0, 255).astype(np.uint8)).convert("RGB")
        return read_image(file_of(image, "JPEG", quality=70))

    assert_returns(originals[::5], photo, mean=0.87, least=0.75)


def test_dust_far_from_the_strokes_is_left_out(originals):
    ink = on_canvas(originals[0], 280, 400).copy()
    clean = preprocess(Image.fromarray(ink))
    ink[5, 5] = ink[390, 200] = ink[390, 201] = 255
    assert np.array_equal(preprocess(Image.fromarray(ink)), clean)


@pytest.mark.parametrize(("width", "height"), [(2, 200), (20, 200), (100, 200), (200, 60)])
def test_the_aspect_is_kept(width, height):
    image = Image.new("L", (300, 300), 255)
    ImageDraw.Draw(image).rectangle((40, 50, 39 + width, 49 + height), fill=0)
    found = preprocess(image) > 0
    wanted = [max(1, round(20 * side / max(width, height))) for side in (height, width)]
    assert [found.any(1).sum(), found.any(0).sum()] == wanted


def test_a_hairline_does_not_vanish():
    image = Image.new("L", (500, 500), 255)
    ImageDraw.Draw(image).ellipse((100, 50, 400, 450), outline=0, width=1)
    found = preprocess(image)
    around = [found[y].max() for y in range(4, 24)] + [found[:, x].max() for x in range(7, 21)]
    assert min(around) > 60
    assert found[11:17, 11:17].max() == 0  # and the hole stays open


@pytest.mark.parametrize("quarters", range(4))
def test_nothing_is_cut_off_when_the_mass_is_at_one_end(quarters):
    image = Image.new("L", (200, 200))
    ImageDraw.Draw(image).line((20, 100, 180, 100), fill=255, width=10)
    ImageDraw.Draw(image).rectangle((140, 20, 180, 180), fill=255)  # the mass, at the right
    found = np.rot90(preprocess(Image.fromarray(np.rot90(image, quarters))), -quarters)
    assert (found.any(0).sum(), found.any(1).sum()) == (20, 20)
    assert found[:, 0].any()  # as far left as it may go; its mass would need more
    assert centre(found)[1] > 14


def test_a_patch_of_light_on_the_paper_is_not_the_ink():
    image = Image.new("L", (300, 300), 150)
    draw = ImageDraw.Draw(image)
    draw.ellipse((30, 30, 270, 270), fill=200)
    draw.line((150, 60, 150, 240), fill=10, width=8)
    found = preprocess(image) > 0
    assert (found.any(1).sum(), found.any(0).sum()) == (20, 1)


def test_a_bold_stroke_that_fills_its_frame_is_no_sheet():
    image = Image.new("RGBA", (200, 200))
    ImageDraw.Draw(image).ellipse((50, 30, 150, 170), fill=(30, 60, 90))
    found = preprocess(image)
    assert found[14, 14] == 255 and found[4, 7] == 0


def test_normalising_twice_changes_nothing(originals):
    changes = []
    for digit in originals:
        once = preprocess(Image.fromarray(on_canvas(digit, 100, 140, 20, 5)))
        changes.append(np.abs(once - preprocess(Image.fromarray(once)).astype(float)).mean())
    # A centre of mass midway between two pixels may go to the other one.
    assert np.mean(np.array(changes) < 1) > 0.95 and np.mean(changes) < 1


def ramp(side=64):
    return Image.fromarray(np.tile(np.arange(side, dtype=np.uint8), (side, 1)))


NOISY = np.random.default_rng(1).integers(120, 128, (300, 300)).astype(np.uint8)
BLANK = {
    "white": Image.new("RGB", (280, 280), "white"),
    "black": Image.new("L", (280, 280)),
    "clear": Image.new("RGBA", (280, 280)),
    "opaque": Image.new("RGBA", (280, 280), "teal"),
    "one pixel": Image.new("RGB", (1, 1), "red"),
    "no pixel": Image.new("L", (0, 5)),
    "noise": Image.fromarray(NOISY),
    "noise of 16 bits": Image.fromarray(NOISY.astype(np.uint16) * 257),
    "constant of 16 bits": Image.fromarray(np.full((9, 9), 40_000, np.uint16)),
    "no numbers": Image.fromarray(np.full((9, 9), np.nan, np.float32)),
    "a shadow": ramp(),
}


@pytest.mark.guarantee("images-read-or-explained")
@pytest.mark.parametrize("image", BLANK.values(), ids=BLANK.keys())
def test_an_empty_sheet_is_told(image):
    with pytest.raises(ValueError, match="There is nothing drawn on it: draw a digit"):
        preprocess(image)


def png_header(width, height):
    """A PNG that says how large it is, with nearly nothing in it."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(10_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels)


def gif_beyond_its_screen():
    """A GIF of 1 x 1 whose first frame has 60000 x 60000 pixels."""
    frame = struct.pack("<BHHHHB", 0x2C, 0, 0, 60_000, 60_000, 0)
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + frame + b"\x02\x02\x4c\x01\x00;"


SOME = Image.fromarray(np.random.default_rng(2).integers(0, 256, (60, 60, 3), dtype=np.uint8))
HOSTILE = {
    "too many bytes": (bytes(MAX_BYTES + 1), "5.0 MB: give one of at most 5 MB"),
    "81 megapixels": (png_header(9000, 9000), "9000 x 9000 pixels: give one of at most 4096"),
    "of which Pillow warns": (png_header(10_000, 10_000), "10000 x 10000 pixels: give one of"),
    "a bomb": (png_header(60_000, 60_000), "too large: give one of at most 4096 x 4096"),
    "one side": (png_header(MAX_SIDE + 1, 1), "4097 x 1 pixels"),
    "gif bomb": (gif_beyond_its_screen(), "too large: give one of at most 4096"),
    "nothing": (b"", "no picture that can be read here: give a PNG"),
    "text": (b"This is a seven. " * 20, "no picture that can be read here"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture that can be read here"),
    "garbage": (bytes(range(256)) * 40, "no picture that can be read here"),
    "tiff": (file_of(SOME, "TIFF"), "no picture that can be read here"),
    "eps": (file_of(SOME, "EPS"), "no picture that can be read here"),
}
CUT = ["PNG", "JPEG", "GIF", "WEBP", "BMP"]
HOSTILE |= {f"half a {kind}": (file_of(SOME, kind)[:2000], "damaged|no picture") for kind in CUT}


@pytest.mark.guarantee("oversized-input-rejected-early")
@pytest.mark.parametrize(("data", "told"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_cannot_be_read_is_refused_at_once(data, told):
    began = time.process_time()
    with pytest.raises(ValueError, match=told) as caught:
        read_image(data)
    assert time.process_time() - began < 0.5
    assert "BytesIO" not in str(caught.value) and len(str(caught.value)) < 120


@pytest.mark.guarantee("images-read-or-explained")
@pytest.mark.parametrize("kind", CUT)
def test_damaged_files_are_read_or_refused(kind):
    rng = np.random.default_rng(3)
    whole = np.frombuffer(file_of(SOME, kind), np.uint8)
    refused = 0
    for _ in range(150):
        data = whole.copy()
        where = rng.integers(0, min(len(data), 120), 3)  # the header, where readers trip
        data[where] = rng.integers(0, 256, 3)
        try:
            read_image(data.tobytes())
        except ValueError as fault:
            assert str(fault).startswith(("The picture", "The file"))
            refused += 1
    assert refused > 0


@pytest.mark.guarantee("images-read-or-explained")
@pytest.mark.parametrize("kind", CUT)
def test_every_kind_of_file_is_read(originals, kind):
    drawn = dark_on_paper(on_canvas(originals[0], 200, 240)).convert("RGB")
    assert likeness(preprocess(read_image(file_of(drawn, kind))), originals[0]) > 0.9


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_counts(originals, kind):
    first, second = (Image.fromarray(on_canvas(d, 200, 240)) for d in originals[:2])
    data = file_of(first, kind, save_all=True, append_images=[second])
    found = preprocess(read_image(data))
    assert likeness_nearby(originals[0], found) > 0.9 > likeness_nearby(originals[1], found)


def test_a_camera_held_sideways_is_put_upright(originals):
    drawn = Image.fromarray(on_canvas(originals[0], 200, 240))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned right by 90 degrees
    data = file_of(drawn.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif)
    assert likeness(originals[0], preprocess(read_image(data))) > 0.9


def test_the_largest_picture_is_read_in_time(originals):
    large = Image.fromarray(on_canvas(originals[0], 3000, MAX_SIDE, 300, -200)).convert("RGBA")
    began = time.process_time()
    found = preprocess(large)
    assert time.process_time() - began < 5
    assert likeness(originals[0], found) > 0.9


@settings(max_examples=150, deadline=None)
@given(
    mode=st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I", "F", "I;16"]),
    width=st.integers(1, 60),
    height=st.integers(1, 60),
    seed=st.integers(0, 2**32 - 1),
    share=st.sampled_from([0.001, 0.02, 0.2, 0.9]),
    wild=st.booleans(),
)
def test_any_picture_gives_ink_or_a_sentence(mode, width, height, seed, share, wild):
    rng = np.random.default_rng(seed)
    drawn = (rng.random((height, width)) < share) * rng.integers(0, 256, (height, width))
    if mode == "F":
        values = drawn.astype(np.float32) * (np.float32(1e36) if wild else 1)
        values[rng.random(values.shape) < 0.1 * wild] = rng.choice([np.nan, np.inf, -np.inf])
        image = Image.fromarray(values)
    elif mode in ("I", "I;16"):
        kind = np.int32 if mode == "I" else np.uint16
        image = Image.fromarray((drawn * 257 - 30_000 * (mode == "I" and wild)).astype(kind))
    else:
        image = Image.fromarray(drawn.astype(np.uint8)).convert(mode)
        if mode in ("LA", "RGBA"):
            image.putalpha(Image.fromarray(rng.integers(0, 256, drawn.shape, dtype=np.uint8)))
        if mode in ("P", "L", "RGB") and wild:
            image.info["transparency"] = (0, 0, 0) if mode == "RGB" else 0
    try:
        found = preprocess(image)
    except ValueError as fault:
        assert str(fault).startswith("There is nothing drawn on it")
    else:
        assert found.shape == (28, 28) and found.dtype == np.uint8 and found.max() == 255
