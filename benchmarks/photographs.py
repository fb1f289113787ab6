"""How many photographs of digits are read right, condition by condition.

    npm install --prefix fonts $(python -m benchmarks.photographs --packages)
    python -m benchmarks.photographs --fonts fonts

The first line installs the fonts, with npm. Their digits are rendered as photographs
(`photo_conditions`), preprocessed, and named by the classifier of the tests, which has never seen a
font or the VAE. The preprocessing was tuned on the fonts in TUNING; the published figures are of
those in HELD_OUT, with another seed.
"""

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from benchmarks.photo_conditions import CONDITIONS, Condition, Mask, render
from benchmarks.reports import read_report, report_path, write_report
from latent_navigator.data.image_reader import read_image
from latent_navigator.data.preprocessing import preprocess
from tests.classifier import Classifier, load_classifier

TUNING = (
    *("architects-daughter", "covered-by-your-grace", "crafty-girls", "delius"),
    *("kalam", "neucha", "nothing-you-could-do", "short-stack"),
)
HELD_OUT = (
    *("annie-use-your-telescope", "gloria-hallelujah", "indie-flower", "klee-one"),
    *("over-the-rainbow", "patrick-hand", "reenie-beanie", "schoolbell"),
    *("shadows-into-light", "waiting-for-the-sunrise"),
)
GLYPH = 400  # size of the type that the masks are drawn in, in pixels


class Tally(NamedTuple):
    """Of the photographs in one condition."""

    right: int
    of: int
    ms: float  # median time of decoding and preprocessing one


def package(font: str) -> str:
    """The npm package of a font."""
    return f"@fontsource/{font}"


def load_glyphs(folder: Path, font: str) -> list[Mask]:
    """The masks of the digits 0 to 9, each cropped to its ink.

    Raises:
        ValueError: if the font is not there.
    """
    files = folder / "node_modules" / package(font) / "files"
    found = sorted(files.glob("*-latin-400-normal.woff2"))
    if not found:
        raise ValueError(
            f"no font in {files}; install it: npm install --prefix {folder} {package(font)}"
        )
    type_ = ImageFont.truetype(str(found[0]), GLYPH)
    glyphs = []
    for digit in "0123456789":
        image = Image.new("L", (3 * GLYPH, 3 * GLYPH))
        ImageDraw.Draw(image).text((GLYPH, GLYPH), digit, font=type_, fill=255)
        glyphs.append(np.asarray(image.crop(image.getbbox())))
    return glyphs


def measure(
    key: str, condition: Condition, fonts: list[list[Mask]], rounds: int, seed: int
) -> tuple[Tally, list[str]]:
    """The tally of one condition, and what was misread: "font digit round: answer"."""
    judge, times, right, misread = load_classifier(), [], 0, []
    for i, glyphs in enumerate(fonts):
        for digit, glyph in enumerate(glyphs):
            for j in range(rounds):
                rng = np.random.default_rng([seed, *key.encode(), i, digit, j])
                file = render(condition, glyph, glyphs[int(rng.integers(10))], rng)
                began = time.perf_counter()
                answer = name(judge, file)
                times.append(time.perf_counter() - began)
                right += answer == str(digit)
                if answer != str(digit):
                    misread.append(f"{i} {digit} {j}: {answer}")
    return Tally(right, len(times), 1000 * float(np.median(times))), misread


def name(judge: Classifier, file: bytes) -> str:
    """What the classifier names a photograph; why it was rejected, where it was."""
    try:
        pixels = preprocess(read_image(file))
    except ValueError as error:
        return str(error)
    x = torch.from_numpy(pixels)[None, None].float() / 255
    with torch.inference_mode():
        return str(int(judge(x).argmax()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fonts", type=Path, default=Path("fonts"), help="npm's --prefix")
    parser.add_argument("--tuning", action="store_true", help="the other fonts, and no report")
    parser.add_argument("--packages", action="store_true", help="print the packages of the fonts")
    parser.add_argument("--only", nargs="*", help="conditions to measure, without a report")
    parser.add_argument("--rounds", type=int, default=1, help="photographs of each digit of a font")
    parser.add_argument("--misread", action="store_true", help="list what was misread")
    options = parser.parse_args()
    if options.packages:
        print(*map(package, TUNING + HELD_OUT))
        return
    torch.set_num_threads(1)
    names, seed = (TUNING, 1) if options.tuning else (HELD_OUT, 2)
    fonts = [load_glyphs(options.fonts, font) for font in names]
    figures = {}
    for key in options.only or CONDITIONS:
        condition = CONDITIONS[key]
        tally, misread = measure(key, condition, fonts, options.rounds, seed)
        print(f"{condition.title:<40} {100 * tally.right / tally.of:5.1f} %  {tally.ms:4.0f} ms")
        if options.misread:
            print(*misread, sep="; ")
        figures[key] = {
            "title": condition.title,
            "sound": condition.sound,
            "right": tally.right,
            "count": tally.of,
            "ms": round(tally.ms, 1),
        }
    if not options.tuning and not options.only:
        write_report(
            report_path("photographs"),
            {"fonts": names, "conditions": figures, "before": read_report("photographs")["before"]},
        )


if __name__ == "__main__":
    main()
