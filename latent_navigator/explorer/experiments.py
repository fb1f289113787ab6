"""The experiments of the Paths tab, one click each.

Each takes a LatentSpace and returns what the film strip shows (see `components.FilmStrip`) and, in
Markdown, what to look for. To add one, write its function and add a record to `experiments`.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from latent_navigator.data.dataset_info import literal
from latent_navigator.explorer.interpolation import compare_paths, methods, strip_row
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.navigation import random_sample
from latent_navigator.explorer.presets import presets
from latent_utils import RADIUS, linear_interpolation, spherical_interpolation

DRAWS = 12  # of the random exploration
FINE = 257  # positions at which the border between two classes is looked for
HALF_WALK = 0.35  # on either side of that border, in units of the prior's sigma

Result = tuple[dict[str, Any], str]


@dataclass(frozen=True)
class Experiment:
    """A button and what it runs."""

    key: str  # in the id of its button
    label: str
    run: Callable[[LatentSpace], Result]


def morph(space: LatentSpace) -> Result:
    """One class morphs into another, along the straight line between their prototypes."""
    first, last = presets(space).morph
    one, other = space.class_names[first], space.class_names[last]
    path = linear_interpolation(space.anchor(first), space.anchor(last), 16)
    hint = f"{space.info.hints.morph} " if space.info.hints.morph else ""
    text = (
        f"**{literal(one)} morphs into {literal(other)}.** A straight path from the most typical "
        f"{literal(one)} to the most typical {literal(other)}. {hint}The bars beside the "
        f"{space.info.item} show when you cross from one class into the next."
    )
    return {"rows": [strip_row(space, f"{one} → {other}", path)], "play": True}, text


def boundary(space: LatentSpace) -> Result:
    """A short path across the boundary between two classes."""
    first, second = presets(space).border
    one, other = space.class_names[first], space.class_names[second]
    line = linear_interpolation(space.anchor(first), space.anchor(second), FINE)
    shares = space.around(line).shares
    crossing = int((shares[:, second] > shares[:, first]).int().argmax())
    step = float((line[1] - line[0]).norm())
    reach = max(1, round(HALF_WALK / step)) if step > 0 else 1
    ends = line[max(0, crossing - reach)], line[min(FINE - 1, crossing + reach)]
    path = linear_interpolation(*ends, 12)
    ones, others = (literal(space.plurals[c]) for c in (first, second))
    hint = space.info.hints.border or "The image changes little by little"
    text = (
        f"**The boundary between {literal(one)} and {literal(other)}.** A path shorter than one "
        f"unit across the line where as many {ones} as {others} were encoded. {hint}: the decoder "
        f"is continuous, so no {space.info.item} ends at a line, and the bars, which count the "
        f"encoded {space.info.items} nearby, change just as gradually."
    )
    return {"rows": [strip_row(space, f"{one} | {other}", path)], "play": True}, text


def all_methods(space: LatentSpace) -> Result:
    """Every method at once, between the classes whose straight and spherical paths differ most."""
    apart, best = -1.0, (0, 1)
    for start in range(len(space.class_names)):
        for end in range(start + 1, len(space.class_names)):
            ends = space.anchor(start), space.anchor(end)
            gap = linear_interpolation(*ends, 15) - spherical_interpolation(*ends, 15)
            if float(gap.norm(dim=1).max()) > apart:
                apart, best = float(gap.norm(dim=1).max()), (start, end)
    compared = compare_paths(space, *best, list(methods()), 12, False, "typical")
    found = {row["method"]: row for row in compared["rows"]}
    straight, spherical, shortest = (found[key] for key in ("linear", "spherical", "geodesic"))
    longer = spherical["length"] / straight["length"]
    shorter = shortest["length"] / straight["length"]
    largest = [f"{row['largest_step']:.1f}" for row in (straight, spherical, shortest)]
    text = (
        "**Which path is smoothest?** Spherical paths are often recommended because they keep "
        "their distance from the centre, where samples of a Gaussian in *many* dimensions never "
        "lie. In two dimensions the centre is the densest region of all. Here the spherical path "
        f"is {longer:.2f} times as long in image space as the straight one, and the geodesic, "
        f"which minimises that length, {shorter:.2f} times; their largest steps are {largest[1]}, "
        f"{largest[0]} and {largest[2]}. Try *equal visual change per step* before you call a path "
        "jumpy."
    )
    return compared | {"play": False}, text


def random_exploration(space: LatentSpace) -> Result:
    """Draws from the prior."""
    seed = random.SystemRandom().randrange(2**31)
    draws = [random_sample(space, seed + i) for i in range(DRAWS)]
    path = torch.tensor([[z["x"], z["y"]] for z in draws])
    empty = int((space.around(path).within == 0).sum())
    item, items = space.info.item, space.info.items
    text = (
        f"**Random exploration.** {DRAWS} draws from the prior N(0, I), which is how a VAE "
        f"generates new {items}. {DRAWS - empty} of these fell within {RADIUS:g} of an encoded "
        f"test {item}. Click a blurred one and look at the bars: which classes are nearby?"
    )
    row = strip_row(space, f"{DRAWS} random draws", path, "a new set each time")
    return {"rows": [row], "play": False, "scattered": True}, text


def experiments(space: LatentSpace) -> list[Experiment]:
    """The experiments for a model, in their order."""
    first, last = (space.class_names[c] for c in presets(space).morph)
    one, other = (space.class_names[c] for c in presets(space).border)
    return [
        Experiment("morph", f"{first} morphs into {last}", morph),
        Experiment("boundary", f"The boundary between {one} and {other}", boundary),
        Experiment("paths", "Which path is smoothest?", all_methods),
        Experiment("random", "Random exploration", random_exploration),
    ]


def run_experiment(space: LatentSpace, key: object) -> dict[str, Any]:
    """To come."""
    raise ValueError("to come")
