"""The experiments of the Paths tab, one click each.

Each takes a LatentSpace and returns the rows of the film strip and a note on what to look for. To
add one, write its function and add a record to `experiments`.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from latent_navigator.explorer.arguments import choice
from latent_navigator.explorer.interpolation import compare_paths, methods, strip_row
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.navigation import draw_from_prior
from latent_navigator.explorer.norms import typical_norms
from latent_navigator.explorer.presets import presets
from latent_utils import linear_interpolation, spherical_interpolation

DRAWS = 12  # of the random exploration
FINE = 257  # positions at which the border between two classes is looked for
HALF_WALK = 0.35  # on either side of that border, in units of the prior's sigma

# {"rows" (see `strip_row`), "note": {"title", "text"}, "play": whether to play the first row,
# "scattered": whether its positions form no path}
Result = dict[str, Any]


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
        f"A straight path from the most typical {one} to the most typical {other}. {hint}The bars "
        f"beside the {space.info.item} show when you cross from one class into the next."
    )
    return {
        "rows": [strip_row(f"{one} → {other}", path)],
        "note": {"title": f"{one} morphs into {other}.", "text": text},
        "play": True,
        "scattered": False,
    }


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
    ones, others = space.plurals[first], space.plurals[second]
    hint = space.info.hints.border or "The image changes little by little"
    text = (
        f"A path shorter than one unit across the line where as many {ones} as {others} were "
        f"encoded. {hint}: the decoder is continuous, so there is no line at which one "
        f"{space.info.item} becomes another, and the bars, which count the encoded "
        f"{space.info.items} nearby, change just as gradually."
    )
    return {
        "rows": [strip_row(f"{one} | {other}", path)],
        "note": {"title": f"The boundary between {one} and {other}.", "text": text},
        "play": True,
        "scattered": False,
    }


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
        "Spherical paths are often recommended because they keep their distance from the centre, "
        f"where samples of a Gaussian in many dimensions never lie. {_at_the_centre(space, found)} "
        f"Here the spherical path is {longer:.2f} times as long in "
        "image space as the straight one, and the geodesic, which minimises that length, "
        f"{shorter:.2f} times; their largest steps are {largest[1]}, {largest[0]} and "
        f"{largest[2]}. Try “equal visual change per step” before you call a path jumpy."
    )
    note = {"title": "Which path is smoothest?", "text": text}
    return compared | {"note": note, "play": False, "scattered": False}


def _at_the_centre(space: LatentSpace, found: dict[str, Any]) -> str:
    """How much of that holds in this space."""
    if space.latent_dim == 2:
        return "In two dimensions the centre is the densest region of all."
    low, middle, high = space.once(typical_norms)
    nearest = [f"{min(found[key]['norms']):.2f}" for key in ("linear", "spherical")]
    return (
        f"Half of the encoded {space.info.items} lie beyond {middle:.2f}, and 90 % between "
        f"{low:.2f} and {high:.2f}. The straight path comes as close to the centre as "
        f"{nearest[0]}, the spherical one {nearest[1]}."
    )


def random_exploration(space: LatentSpace) -> Result:
    """Draws from the prior."""
    seed = random.SystemRandom().randrange(2**31)
    path = torch.stack([draw_from_prior(space, seed + i) for i in range(DRAWS)])
    empty = int((space.around(path).within == 0).sum())
    item, items = space.info.item, space.info.items
    text = (
        f"{DRAWS} draws from the prior N(0, I), which is how a VAE generates new {items}. "
        f"{DRAWS - empty} of these fell within {space.radius:g} of an encoded test {item}. Click a "
        "blurred one and look at the bars: which classes are nearby?"
    )
    return {
        "rows": [strip_row(f"{DRAWS} random draws", path, "a new set each time")],
        "note": {"title": "Random exploration.", "text": text},
        "play": False,
        "scattered": True,
    }


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


def run_experiment(space: LatentSpace, key: object) -> Result:
    """The result of an experiment.

    Raises:
        ValueError: if there is none of that key.
    """
    found = {experiment.key: experiment for experiment in experiments(space)}
    return found[choice("experiment", key, tuple(found))].run(space)
