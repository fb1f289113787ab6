"""Strokes of the drawing pad, rasterised as the pad shows them.

The page sends points and not pixels: a browser that protects its user from fingerprinting returns
noise when a page reads its own canvas.
"""

from PIL import Image, ImageDraw

PAD = 280  # side of the pad, in its own pixels
PEN = 24  # of these: scaled to MNIST's 20, about as thick as MNIST's strokes
FINE = 4  # samples per pixel and axis

Stroke = list[tuple[float, float]]


def draw_strokes(strokes: list[Stroke], ink: int) -> Image.Image:
    """Draw strokes with a round pen.

    Args:
        strokes: points (x, y) from the top left corner of the pad, in its pixels; what is outside
            leaves no ink. A stroke of one point is a dot.
        ink: grey level, 0 ... 255.

    Returns:
        (PAD, PAD) RGBA, transparent where there is no ink.
    """
    coverage = Image.new("L", (PAD * FINE, PAD * FINE))
    canvas = ImageDraw.Draw(coverage)
    # Pillow's coordinates are of the centres of pixels, and its ellipses include both bounds.
    centre, radius = 0.5, PEN * FINE / 2 - 0.5
    for stroke in strokes:
        points = [(x * FINE - centre, y * FINE - centre) for x, y in stroke]
        canvas.line(points, 255, PEN * FINE)
        for x, y in points:
            canvas.ellipse((x - radius, y - radius, x + radius, y + radius), 255)
    image = Image.new("RGBA", (PAD, PAD), (ink, ink, ink, 0))
    image.putalpha(coverage.reduce(FINE))
    return image
