"""What is on, over and around the paper in a rendered photograph; see `photo_conditions`."""

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

HEIGHT, WIDTH = 800, 600  # of a photograph, in pixels

Floats = npt.NDArray[np.floating]
Colour = tuple[float, float, float]
Layer = Callable[[Floats, np.random.Generator], Floats]  # pixels (H, W, 3) -> pixels (H, W, 3)
Developing = Callable[[Floats, Floats, np.random.Generator], bytes]  # pixels, ink (H, W) -> a file

PAPER, PEN, GRAPHITE = (236.0, 232.0, 222.0), (45.0, 62.0, 135.0), (112.0, 112.0, 116.0)
BOARD, CHALK = (42.0, 62.0, 52.0), (225.0, 225.0, 215.0)
TABLES = ((62.0, 62.0, 62.0), (84.0, 56.0, 38.0), (40.0, 44.0, 58.0), (70.0, 78.0, 66.0))
SKIN = (205.0, 150.0, 125.0)
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)


def blend(pixels: Floats, colour: Colour | Floats, share: Floats) -> Floats:
    """pixels (H, W, 3) with the share (H, W), 0 to 1, of another colour."""
    part = share[:, :, None]
    return pixels * (1 - part) + np.asarray(colour, np.float32) * part


def filled(outline: list[tuple[float, float]], blur: float = 0.0) -> Floats:
    """(H, W), 1 inside a polygon of corners (x, y); its edge is as soft as `blur` pixels."""
    image = Image.new("L", (WIDTH, HEIGHT))
    ImageDraw.Draw(image).polygon(outline, fill=255)
    if blur:
        image = image.filter(ImageFilter.GaussianBlur(blur))
    return np.asarray(image, np.float32) / 255


def tilted_box(centre: tuple[float, float], size: tuple[float, float], degrees: float) -> Floats:
    """(4, 2): the corners (x, y) of a rectangle."""
    half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * np.asarray(size) / 2
    turn = np.deg2rad(degrees)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    corners: Floats = (half @ rotation + np.asarray(centre)).astype(np.float32)
    return corners


def corners_of(box: Floats) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in box]


# --- what is on the paper ---


def ruling(
    across: float, colour: Colour, share: float, width: float = 1.0, down: float = 0.0
) -> Layer:
    """Lines `across` pixels apart, from left to right, and `down` apart from top to bottom."""

    def draw(pixels: Floats, rng: np.random.Generator) -> Floats:
        turn = np.deg2rad(rng.uniform(-2.5, 2.5))
        along, off = np.cos(turn) * X + np.sin(turn) * Y, np.cos(turn) * Y - np.sin(turn) * X
        start = rng.uniform(0, across)
        lines = np.abs((off + start) % across - across / 2) < width
        if down:
            lines |= np.abs((along + start) % down - down / 2) < width
        return blend(pixels, colour, share * lines.astype(np.float32))

    return draw


def red_margin(pixels: Floats, rng: np.random.Generator) -> Floats:
    """Blue rules, and a red line from top to bottom near the left edge."""
    pixels = ruling(60, (90, 120, 205), 0.8, 1.5)(pixels, rng)
    x = rng.uniform(45, 90) + np.tan(np.deg2rad(rng.uniform(-2, 2))) * Y
    return blend(pixels, (215, 80, 90), 0.85 * (np.abs(X - x) < 2).astype(np.float32))


def grain(strength: float) -> Layer:
    """Rough paper: patches of a few pixels differ in brightness."""

    def draw(pixels: Floats, rng: np.random.Generator) -> Floats:
        small = rng.normal(0, strength, (HEIGHT // 4, WIDTH // 4)).astype(np.float32)
        large = Image.fromarray(small).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        return np.asarray(pixels + np.asarray(large)[:, :, None])

    return draw


# --- light ---


def soft_side(pixels: Floats, rng: np.random.Generator) -> Floats:
    """The light falls off to one side, to 60 percent."""
    turn = rng.uniform(0, 2 * np.pi)
    slope = np.cos(turn) * (X / WIDTH - 0.5) + np.sin(turn) * (Y / HEIGHT - 0.5)
    return np.asarray(pixels * (0.8 + 0.3 * slope)[:, :, None])


def soft_blob(pixels: Floats, rng: np.random.Generator) -> Floats:
    """The soft shadow of a hand, a quarter darker at its middle."""
    x, y = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT)
    distance = ((X - x) / 220) ** 2 + ((Y - y) / 220) ** 2
    return np.asarray(pixels * (1 - 0.25 * np.exp(-distance))[:, :, None])


def hard_shadow(depth: float) -> Layer:
    """A shadow with a sharp, straight edge through the middle of the image."""

    def draw(pixels: Floats, rng: np.random.Generator) -> Floats:
        turn = rng.uniform(0, 2 * np.pi)
        away = np.cos(turn) * (X - WIDTH / 2) + np.sin(turn) * (Y - HEIGHT / 2)
        edge = (away - rng.uniform(-120, 120)) / 4
        return np.asarray(pixels * (1 - depth / (1 + np.exp(-edge.clip(-30, 30))))[:, :, None])

    return draw


def phone_shadow(pixels: Floats, rng: np.random.Generator) -> Floats:
    """The shadow of the phone itself: a box from an edge into the digit, half as bright."""
    centre = (WIDTH * rng.uniform(0.25, 0.75), HEIGHT * rng.uniform(0.75, 1.0))
    box = tilted_box(centre, (rng.uniform(260, 340), rng.uniform(560, 700)), rng.uniform(-25, 25))
    return np.asarray(
        pixels * (1 - rng.uniform(0.45, 0.55) * filled(corners_of(box), 5))[:, :, None]
    )


# --- what covers the paper, or is around it ---


def table(rng: np.random.Generator) -> Floats:
    """(H, W, 3), dark and with a grain along one direction."""
    colour = np.asarray(TABLES[rng.integers(len(TABLES))], np.float32)
    lines = rng.normal(0, 5, (HEIGHT, 1)) + rng.normal(0, 3, (HEIGHT, WIDTH))
    return colour + lines.astype(np.float32)[:, :, None]


def on_table(pixels: Floats, rng: np.random.Generator) -> Floats:
    """The whole sheet is in view."""
    centre = (WIDTH * rng.uniform(0.48, 0.52), HEIGHT * rng.uniform(0.48, 0.52))
    size = (WIDTH * rng.uniform(0.72, 0.85), HEIGHT * rng.uniform(0.72, 0.85))
    sheet = filled(corners_of(tilted_box(centre, size, rng.uniform(-5, 5))))
    return blend(pixels, table(rng), 1 - sheet)


def table_strip(pixels: Floats, rng: np.random.Generator) -> Floats:
    """One side of the sheet is in view."""
    side, width = rng.integers(4), rng.uniform(0.06, 0.18)
    lean = np.tan(np.deg2rad(rng.uniform(-4, 4)))
    along, off, length = (X, Y, HEIGHT) if side % 2 else (Y, X, WIDTH)
    edge = width * length + lean * (along - along.mean())
    strip = off < edge if side < 2 else off > length - edge
    return blend(pixels, table(rng), strip.astype(np.float32))


def table_corner(pixels: Floats, rng: np.random.Generator) -> Floats:
    """One corner of the image is beyond the edge of the sheet."""
    x, y = rng.integers(2) * WIDTH, rng.integers(2) * HEIGHT
    far_x = abs(x - rng.uniform(0.3, 0.55) * WIDTH)
    far_y = abs(y - rng.uniform(0.2, 0.4) * HEIGHT)
    return blend(
        pixels,
        table(rng),
        filled([(float(u), float(v)) for u, v in ((x, y), (far_x, y), (x, far_y))]),
    )


def frame_at_edge(pixels: Floats, rng: np.random.Generator) -> Floats:
    """A dark frame of a few pixels around the image, as scanners leave it."""
    width = rng.integers(4, 14)
    inside = (width <= X) & (width + X < WIDTH) & (width <= Y) & (width + Y < HEIGHT)
    return blend(pixels, (25, 20, 20), (~inside).astype(np.float32))


def frame_inside(pixels: Floats, rng: np.random.Generator) -> Floats:
    """A box drawn around the digit, as on a form."""
    image = Image.new("L", (WIDTH, HEIGHT))
    size = (WIDTH * rng.uniform(0.75, 0.9), HEIGHT * rng.uniform(0.7, 0.9))
    box = corners_of(tilted_box((WIDTH / 2, HEIGHT / 2), size, rng.uniform(-3, 3)))
    ImageDraw.Draw(image).line([*box, box[0], box[1]], fill=255, width=int(rng.integers(3, 8)))
    return blend(pixels, (40, 38, 38), np.asarray(image, np.float32) / 255)


def finger(pixels: Floats, rng: np.random.Generator) -> Floats:
    """The tip of a finger that holds the sheet down, in a corner."""
    right, low = rng.integers(2), rng.integers(2)
    tip = np.array([abs(right * WIDTH - 90), abs(low * HEIGHT - 110)]) + rng.uniform(-25, 25, 2)
    root = np.array([right * WIDTH, low * HEIGHT]) + (2 * np.array([right, low]) - 1) * 80
    axis = root - tip
    t = (((X - tip[0]) * axis[0] + (Y - tip[1]) * axis[1]) / (axis @ axis)).clip(0, 1)
    distance = np.hypot(X - tip[0] - t * axis[0], Y - tip[1] - t * axis[1]) / 55
    shade = np.asarray(SKIN, np.float32) * (1.05 - 0.45 * distance.clip(0, 1) ** 2)[:, :, None]
    soft = 1 / (1 + np.exp(((distance - 1) * 25).clip(-30, 30)))
    shadow = 0.3 * np.exp(-((distance - 1).clip(0, None) * 6))
    return blend(pixels * (1 - shadow)[:, :, None], shade, soft)


# --- what becomes of it: a file ---


def jpeg(pixels: Floats, _: Floats, rng: np.random.Generator, mode: str = "RGB") -> bytes:
    noisy = pixels + rng.normal(0, 3, pixels.shape)
    image = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
    image = image.filter(ImageFilter.GaussianBlur(0.8)).convert(mode)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=int(rng.integers(70, 92)))
    return file.getvalue()


def cmyk(pixels: Floats, ink: Floats, rng: np.random.Generator) -> bytes:
    return jpeg(pixels, ink, rng, "CMYK")


def lying(pixels: Floats, ink: Floats, rng: np.random.Generator) -> bytes:
    """Stored on its side; the EXIF data says so."""
    image = Image.open(io.BytesIO(jpeg(pixels, ink, rng))).transpose(Image.Transpose.ROTATE_90)
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6  # orientation: rotate by 90 degrees clockwise
    image.save(file, "JPEG", quality=85, exif=exif)
    return file.getvalue()


def blurred(pixels: Floats, ink: Floats, rng: np.random.Generator) -> bytes:
    """Out of focus, by four pixels."""
    image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    soft = image.filter(ImageFilter.GaussianBlur(4))
    return jpeg(np.asarray(soft, np.float32), ink, rng)


def noisy(pixels: Floats, ink: Floats, rng: np.random.Generator) -> bytes:
    """In low light."""
    return jpeg(0.6 * pixels + rng.normal(0, 12, pixels.shape), ink, rng)


def transparent(pixels: Floats, ink: Floats, _: np.random.Generator) -> bytes:
    """Strokes without a paper, as drawing programs export them."""
    layers = np.dstack([np.broadcast_to(PEN, pixels.shape), 255 * ink]).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(layers).save(file, "PNG")
    return file.getvalue()
