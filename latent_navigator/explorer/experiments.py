"""The experiments of the README, one click each.

Each takes Paths and returns what the film strip shows (see `widgets.FilmStrip`) and, in
Markdown, what to look for.
"""

import random
from collections.abc import Callable
from typing import Any

import torch

from latent_navigator.data.dataset_info import literal
from latent_navigator.explorer.interpolation import WAYS, Paths
from latent_navigator.explorer.latent_space import Navigator
from latent_navigator.explorer.presets import chosen
from latent_utils import RADIUS, linear_interpolation, neighbourhood, spherical_interpolation

Experiment = tuple[dict[str, Any], str]


def morph(paths: Paths) -> Experiment:
    """3 morphs into 8."""
    navigator = paths.navigator
    first, last = chosen(navigator).morph
    three, eight = navigator.names[first], navigator.names[last]
    path = linear_interpolation(navigator.anchor(first), navigator.anchor(last), 16)
    closing = "Watch where the open sides close. " if navigator.is_mnist else ""
    text = (
        f"**{literal(three)} morphs into {literal(eight)}.** A straight walk from the most typical "
        f"{literal(three)} to the most typical {literal(eight)}. {closing}The bars beside "
        f"the {navigator.noun.one} tell when you cross from one country into the next."
    )
    return {"rows": [paths.row(f"{three} → {eight}", path)], "play": True}, text


def boundary(paths: Paths) -> Experiment:
    """A short walk across the boundary between the 4s and the 9s."""
    navigator = paths.navigator
    one, other = chosen(navigator).border
    four, nine = navigator.names[one], navigator.names[other]
    loop = "The loop closes little by " if navigator.is_mnist else "The picture changes little by "
    line = linear_interpolation(navigator.anchor(one), navigator.anchor(other), 257)
    shares = neighbourhood(line, navigator.means, navigator.labels).shares
    crossing = int((shares[:, other] > shares[:, one]).int().argmax())
    step = float((line[1] - line[0]).norm())
    reach = max(1, round(0.35 / step)) if step > 0 else 1
    ends = line[max(0, crossing - reach)], line[min(256, crossing + reach)]
    path = linear_interpolation(*ends, 12)
    fours, nines = (literal(navigator.plurals[c]) for c in (one, other))
    text = (
        f"**The boundary between {literal(four)} and {literal(nine)}.** A walk of less than one "
        f"unit across the place where as many {fours} as {nines} were encoded. "
        f"{loop}little: the decoder is continuous, so there is no line where one "
        f"{navigator.noun.one} ends, and the bars, which count the encoded "
        f"{navigator.noun.many} nearby, change over as gradually."
    )
    return {"rows": [paths.row(f"{four} | {nine}", path)], "play": True}, text


def four_ways(paths: Paths) -> Experiment:
    """Every way at once, between the digits whose straight and spherical ways differ most."""
    navigator = paths.navigator
    apart, best = -1.0, (0, 1)
    for start in range(len(navigator.names)):
        for end in range(start + 1, len(navigator.names)):
            ends = navigator.anchor(start), navigator.anchor(end)
            gap = linear_interpolation(*ends, 15) - spherical_interpolation(*ends, 15)
            if float(gap.norm(dim=1).max()) > apart:
                apart, best = float(gap.norm(dim=1).max()), (start, end)
    compared = paths.compare(*best, list(WAYS), 12, False, "typical")
    found = {row["way"]: row for row in compared["rows"]}
    straight, around, least = (found[way] for way in ("linear", "spherical", "geodesic"))
    longer = around["length"] / straight["length"]
    shorter = least["length"] / straight["length"]
    largest = [f"{way['largest_step']:.1f}" for way in (straight, around, least)]
    text = (
        "**Which way is smoothest?** Often told: the spherical way, because it keeps its distance "
        "from the centre, where samples of a Gaussian of *many* dimensions never lie. In two "
        "dimensions the middle is the fullest place of all. Here the spherical way changes the "
        f"picture {longer:.2f} times as much as the straight one, and the geodesic, which looks "
        f"for the least change, {shorter:.2f} times; their largest steps are {largest[1]}, "
        f"{largest[0]} and {largest[2]}. Try *even steps* before you call a way jumpy."
    )
    return compared | {"play": False}, text


def random_exploration(paths: Paths) -> Experiment:
    """Twelve draws from the prior."""
    navigator = paths.navigator
    seed = random.SystemRandom().randrange(2**31)
    draws = [navigator.random_sample(seed + i) for i in range(12)]
    path = torch.tensor([[z["x"], z["y"]] for z in draws])
    shares = neighbourhood(path, navigator.means, navigator.labels)
    invented = int((shares.within == 0).sum())
    text = (
        "**Random exploration.** Twelve draws from the prior N(0, I), the way a VAE makes "
        f"new {navigator.noun.many}. {12 - invented} of these fell within {RADIUS:g} of an "
        f"encoded test {navigator.noun.one}. Click a blurred one and read the bars: who lives "
        "around there?"
    )
    row = paths.row("Twelve random draws", path, "a fresh set each time")
    return {"rows": [row], "play": False, "scattered": True}, text


def experiments(navigator: Navigator) -> dict[str, tuple[str, Callable[[Paths], Experiment]]]:
    """By the name in the page's element id: label and function."""
    picked, names = chosen(navigator), navigator.names
    first, last = (names[c] for c in picked.morph)
    one, other = (names[c] for c in picked.border)
    return {
        "morph": (f"{first} morphs into {last}", morph),
        "boundary": (f"The boundary between {one} and {other}", boundary),
        "ways": ("Which way is smoothest?", four_ways),
        "random": ("Random exploration", random_exploration),
    }
