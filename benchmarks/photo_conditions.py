"""Photographs of one handwritten digit, rendered in the conditions that users photograph in.

The digit itself is given as a mask, so that a benchmark can draw it from fonts and a test from
MNIST. Everything else follows from the generator: the same seed gives the same bytes.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from benchmarks.photo_scenes import (
    BOARD,
    CHALK,
    GRAPHITE,
    HEIGHT,
    PAPER,
    PEN,
    WIDTH,
    Colour,
    Developing,
    Floats,
    Layer,
    blend,
    blurred,
    cmyk,
    finger,
    frame_at_edge,
    frame_inside,
    grain,
    hard_shadow,
    jpeg,
    lying,
    noisy,
    on_table,
    phone_shadow,
    red_margin,
    ruling,
    soft_blob,
    soft_side,
    table_corner,
    table_strip,
    transparent,
)

Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Condition:
    """How a digit was photographed.

    size: of the digit, as a share of the image's height. away: how far from the centre it may be,
    as a share of the image. turn: rotated by up to as many degrees. thin: pixels that the stroke
    is thinner by. rough: share of the ink that the paper's grain does not take. layers: under the
    ink, over it, and what makes the file. neighbour: another digit is cut by the edge.
    """

    sound: bool
    title: str
    size: float = 0.42
    away: float = 0.04
    turn: float = 5
    thin: int = 0
    rough: float = 0.0
    ink: Colour = PEN
    paper: Colour = PAPER
    under: tuple[Layer, ...] = ()
    over: tuple[Layer, ...] = ()
    file: Developing = jpeg
    neighbour: bool = False


SQUARES = ruling(33, (112, 112, 106), 0.85, 1.2, down=33)
DARK_RULES = ruling(60, (80, 84, 100), 0.9, 1.6)
CONDITIONS = {
    "clean": Condition(True, "clean"),
    "soft_side": Condition(True, "light from one side", over=(soft_side,)),
    "soft_blob": Condition(True, "soft shadow of a hand", over=(soft_blob,)),
    "off_centre": Condition(True, "off-centre", size=0.3, away=0.25),
    "tiny": Condition(True, "tiny", size=0.1, away=0.2),
    "large": Condition(True, "large", size=0.75, away=0.01),
    "thin": Condition(True, "thin", thin=4),
    "rotated": Condition(True, "rotated by up to 15°", turn=15),
    "pencil": Condition(True, "pencil", ink=GRAPHITE, rough=0.25),
    "rough_paper": Condition(True, "rough paper", under=(grain(5),)),
    "pale_rules": Condition(True, "pale rules", under=(ruling(60, (170, 190, 225), 0.35, 1.5),)),
    "inverted": Condition(True, "light on dark", paper=(25, 25, 28), ink=(235, 235, 230)),
    "chalk": Condition(True, "chalk on a board", paper=BOARD, ink=CHALK, rough=0.35),
    "transparent": Condition(True, "strokes on transparency", file=transparent),
    "cmyk": Condition(True, "CMYK", file=cmyk),
    "exif": Condition(True, "on its side, with EXIF", file=lying),
    "blurred": Condition(True, "out of focus", file=blurred),
    "noisy": Condition(True, "low light", file=noisy),
    "on_table": Condition(False, "sheet on a dark table", over=(on_table,), size=0.38),
    "table_strip": Condition(False, "table along one side", over=(table_strip,)),
    "table_corner": Condition(False, "table in a corner", over=(table_corner,)),
    "frame_at_edge": Condition(False, "frame at the image's edge", over=(frame_at_edge,)),
    "frame_inside": Condition(False, "frame around the digit", over=(frame_inside,)),
    "shadow_35": Condition(False, "hard shadow, 35 %", over=(hard_shadow(0.35),)),
    "shadow_45": Condition(False, "hard shadow, 45 %", over=(hard_shadow(0.45),)),
    "phone": Condition(False, "shadow of the phone", over=(phone_shadow,)),
    "squares": Condition(False, "dark squares", under=(SQUARES,)),
    "pencil_squares": Condition(
        False, "pencil on dark squares", ink=GRAPHITE, rough=0.25, under=(SQUARES,)
    ),
    "dark_rules": Condition(False, "dark rules", under=(DARK_RULES,)),
    "red_margin": Condition(False, "rules with a red margin", under=(red_margin,)),
    "finger": Condition(False, "finger in a corner", over=(finger,)),
    "neighbour": Condition(False, "neighbouring digit, cut by the edge", neighbour=True),
}


def render(condition: Condition, glyph: Mask, neighbour: Mask, rng: np.random.Generator) -> bytes:
    """A file with the photograph of a digit.

    Args:
        glyph, neighbour: (h, w) uint8 each, cropped to the ink, 255 where it is full.
    """
    pixels = np.full((HEIGHT, WIDTH, 3), condition.paper, np.float32)
    for layer in condition.under:
        pixels = layer(pixels, rng)
    ink = _placed(condition, glyph, rng)
    if condition.neighbour:
        ink = _beside_another(condition, ink, neighbour, rng)
    if condition.rough:
        patches = rng.uniform(0, 1, (HEIGHT // 2, WIDTH // 2)).astype(np.float32)
        large = Image.fromarray(patches).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
        ink = ink * (1 - condition.rough * 2 * np.asarray(large).clip(0, 1)).clip(0, 1)
    pixels = blend(pixels, condition.ink, ink)
    for layer in condition.over:
        pixels = layer(pixels, rng)
    return condition.file(pixels, ink, rng)


def _placed(condition: Condition, glyph: Mask, rng: np.random.Generator) -> Floats:
    """(H, W): the ink of a digit, 0 to 1."""
    image = Image.fromarray(glyph)
    height = condition.size * HEIGHT * rng.uniform(0.9, 1.1)
    scale = min(height / image.height, 0.8 * WIDTH / image.width)
    size = max(1, round(scale * image.width)), max(1, round(scale * image.height))
    image = image.resize(size, Image.Resampling.BICUBIC)
    image = image.rotate(
        rng.uniform(-condition.turn, condition.turn), Image.Resampling.BICUBIC, expand=True
    )
    if condition.thin:
        image = image.filter(ImageFilter.MinFilter(2 * (condition.thin // 2) + 1))
    room = np.array([WIDTH - image.width, HEIGHT - image.height])
    shift = rng.uniform(-condition.away, condition.away, 2) * (WIDTH, HEIGHT)
    left, top = (room / 2 + shift).clip(0.02 * WIDTH, room - 0.02 * WIDTH).round().astype(int)
    canvas = Image.new("L", (WIDTH, HEIGHT))
    canvas.paste(image, (int(left), int(top)))
    return np.asarray(canvas, np.float32) / 255


def _beside_another(
    condition: Condition, ink: Floats, neighbour: Mask, rng: np.random.Generator
) -> Floats:
    """(H, W): the digit, and clear of it another one, of which the right or left edge cuts half."""
    other = _placed(condition, neighbour, rng)
    if rng.integers(2):
        return np.ascontiguousarray(_side_by_side(ink[:, ::-1], other[:, ::-1], rng)[:, ::-1])
    return _side_by_side(ink, other, rng)


def _side_by_side(ink: Floats, other: Floats, rng: np.random.Generator) -> Floats:
    """`other` at the right edge, `ink` far enough to the left of it."""
    columns, room = np.flatnonzero(other.any(0)), np.flatnonzero(ink.any(0))
    seen = round(rng.uniform(0.3, 0.7) * np.ptp(columns))
    left = WIDTH - seen
    aside = max(0, min(int(room[-1]) + WIDTH // 20 - left, int(room[0]) - 5))
    left = max(left, int(room[-1]) - aside + WIDTH // 20)
    both = np.roll(ink, -aside, axis=1)
    part = other[:, columns[0] : columns[0] + WIDTH - left]
    both[:, left : left + part.shape[1]] = part
    return both
