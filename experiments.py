"""The experiments of the README, one click each.

Each takes a Navigator and returns what the film strip shows (see `widgets.FilmStrip`) and, in
Markdown, what to look for.
"""

import random
from typing import Any

import torch

from latent_utils import (
    INTERPOLATIONS,
    RADIUS,
    linear_interpolation,
    spherical_interpolation,
    surroundings,
)
from navigator import Navigator, largest_step, path_length

Experiment = tuple[dict[str, Any], str]


def morph(navigator: Navigator) -> Experiment:
    """3 morphs into 8."""
    three, eight = navigator.names[3], navigator.names[8]
    path = linear_interpolation(navigator.anchor(3), navigator.anchor(8), 16)
    text = (
        f"**{three} morphs into {eight}.** A straight walk from the most typical {three} to "
        f"the most typical {eight}. Watch where the open sides close. The bars beside the digit "
        "tell when you cross from one country into the next."
    )
    return {"rows": [navigator.row(f"{three} → {eight}", path)], "others": [], "play": True}, text


def boundary(navigator: Navigator) -> Experiment:
    """A short walk across the boundary between the 4s and the 9s."""
    four, nine = navigator.names[4], navigator.names[9]
    line = linear_interpolation(navigator.anchor(4), navigator.anchor(9), 257)
    shares = surroundings(line, navigator.means, navigator.labels).shares
    crossing = int((shares[:, 9] > shares[:, 4]).int().argmax())
    step = float((line[1] - line[0]).norm())
    reach = max(1, round(0.35 / step)) if step > 0 else 1
    ends = line[max(0, crossing - reach)], line[min(256, crossing + reach)]
    path = linear_interpolation(*ends, 12)
    text = (
        f"**The boundary between {four} and {nine}.** A walk of less than one unit across "
        f"the place where as many {four}s as {nine}s were encoded. The loop closes little by "
        "little: the decoder is continuous, so there is no line where one digit ends, and the "
        "bars, which count the encoded digits nearby, change over as gradually."
    )
    return {"rows": [navigator.row(f"{four} | {nine}", path)], "others": [], "play": True}, text


def paths(navigator: Navigator) -> Experiment:
    """Linear against spherical, for the two digits whose two paths lie furthest apart."""
    apart, best = -1.0, (0, 1)
    for start in range(10):
        for end in range(start + 1, 10):
            ends = navigator.anchor(start), navigator.anchor(end)
            gap = linear_interpolation(*ends, 15) - spherical_interpolation(*ends, 15)
            if float(gap.norm(dim=1).max()) > apart:
                apart, best = float(gap.norm(dim=1).max()), (start, end)
    ends = navigator.anchor(best[0]), navigator.anchor(best[1])
    name = f"{navigator.names[best[0]]} → {navigator.names[best[1]]}"
    paths = {method: INTERPOLATIONS[method](*ends, 15) for method in INTERPOLATIONS}
    rows = [navigator.row(f"{name}, {method}", path) for method, path in paths.items()]
    longer = path_length(paths["spherical"]) / max(path_length(paths["linear"]), 1e-9)
    steps = {m: largest_step(navigator.pictures(path)) for m, path in paths.items()}
    text = (
        "**Linear against spherical.** The straight line cuts through the middle; the "
        "spherical path turns about the centre and keeps its distance from it, which is where "
        "samples of a Gaussian of *many* dimensions lie. In two dimensions the middle is the "
        f"fullest place of all. Here the spherical path is {longer:.2f} times as long, and its "
        f"largest step from picture to picture is {steps['spherical']:.1f} against "
        f"{steps['linear']:.1f} (distance between pictures, pixels in 0 ... 1)."
    )
    return {"rows": rows, "others": [], "play": False}, text


def random_exploration(navigator: Navigator) -> Experiment:
    """Twelve draws from the prior."""
    seed = random.SystemRandom().randrange(2**31)
    draws = [navigator.random_sample(seed + i) for i in range(12)]
    path = torch.tensor([[z["x"], z["y"]] for z in draws])
    shares = surroundings(path, navigator.means, navigator.labels)
    invented = int((shares.within == 0).sum())
    text = (
        "**Random exploration.** Twelve draws from the prior N(0, I), the way a VAE makes "
        f"new digits. {12 - invented} of these fell within {RADIUS:g} of an encoded test "
        "digit. Click a blurred one and read the bars: who lives around there?"
    )
    row = navigator.row("Twelve random draws", path, "a fresh set each time")
    return {"rows": [row], "others": [], "play": False, "scattered": True}, text


EXPERIMENTS = {  # the name in the page's element id: label, function
    "morph": ("3 morphs into 8", morph),
    "boundary": ("The boundary between 4 and 9", boundary),
    "paths": ("Linear against spherical", paths),
    "random": ("Random exploration", random_exploration),
}
