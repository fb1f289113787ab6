"""The experiments of the Paths tab, one click each.

Each takes a LatentSpace and returns the rows of the film strip and a note on what to look for. To
add one, write its function and add a record to `experiments`.
"""

import itertools
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from latent_navigator.explorer.arguments import choice
from latent_navigator.explorer.interpolation import (
    compare_paths,
    interpolate,
    methods,
    strip_row,
)
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.navigation import draw_from_prior
from latent_navigator.explorer.norms import typical_norms
from latent_navigator.explorer.presets import presets
from latent_utils import linear_interpolation, spherical_interpolation

PATIENCE = 1.0  # seconds that an answer spends on the mean over all pairs
DRAWS = 100  # of the random exploration
IMAGES = 12  # along the compared paths
COMPARED = ("linear", "spherical", "geodesic")  # the methods whose smoothness is compared
LEAST_HALF = 0.5  # sigma, of a view
ROOM = 1.2  # half the view that shows a boundary, in lengths of the path across it
FINE = 257  # positions at which the border between two classes is looked for
HALF_WALK = 0.35  # on either side of that border, in units of the prior's sigma

# {"rows": see `strip_row`; "missed" if its positions have no data around them,
#  "note": {"title", "text", and perhaps "conclusion", which stands below the rows},
#  "play": whether to play the first row, "scattered": whether its positions form no path,
#  perhaps "view": {"centre": [x, y], "half"}, the part of the map to show if it is not all}
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
        f"encoded. {hint}: the decoder is continuous, so there is no point at which one "
        f"{space.info.item} becomes another, and the bars, which count the encoded "
        f"{space.info.items} nearby, change just as gradually. “Whole map” zooms back out."
    )
    centre = space.plane.to_plane((ends[0] + ends[1]) / 2)
    half = max(ROOM * float((ends[1] - ends[0]).norm()), LEAST_HALF)
    return {
        "rows": [strip_row(f"{one} | {other}", path)],
        "note": {"title": f"The boundary between {one} and {other}.", "text": text},
        "play": True,
        "scattered": False,
        "view": {"centre": centre.tolist(), "half": half},
    }


@dataclass(frozen=True)
class Measured:
    """The straight, spherical and shortest path between two classes."""

    pair: tuple[int, int]
    lengths: tuple[float, float, float]  # in image space
    largest: tuple[float, float, float]  # steps, of IMAGES images along each

    @property
    def holds(self) -> bool:
        """Whether the shortest path has the smallest steps, and the spherical one the largest."""
        straight, spherical, shortest = self.largest
        return shortest < straight < spherical and self.lengths[0] < self.lengths[1]


def _measure_pair(space: LatentSpace, pair: tuple[int, int]) -> Measured:
    rows = [interpolate(space, *pair, method, IMAGES) for method in COMPARED]
    lengths, largest = ([row[key] for row in rows] for key in ("length", "largest_step"))
    return Measured(pair, (*lengths,), (*largest,))


def _pairs(space: LatentSpace) -> list[tuple[int, int]]:
    """All pairs of classes, first those whose straight and spherical paths lie furthest apart."""

    def gap(pair: tuple[int, int]) -> float:
        ends = space.anchor(pair[0]), space.anchor(pair[1])
        apart = linear_interpolation(*ends, 15) - spherical_interpolation(*ends, 15)
        return float(apart.norm(dim=1).max())

    pairs = itertools.combinations(range(len(space.class_names)), 2)
    return sorted(pairs, key=gap, reverse=True)


def _known(_: LatentSpace) -> dict[tuple[int, int], Measured]:
    """Of `_measured`; kept by the space."""
    return {}


def _measured(space: LatentSpace, pair: tuple[int, int]) -> Measured:
    known = space.once(_known)
    if pair not in known:
        known[pair] = _measure_pair(space, pair)
    return known[pair]


def measure_all_pairs(space: LatentSpace) -> Iterator[Measured]:
    """The paths between all pairs of classes, each measured when it is asked for, and then kept.

    In random order, so that the first of them are a fair sample.
    """
    pairs = _pairs(space)
    random.Random(0).shuffle(pairs)
    for pair in pairs:
        yield _measured(space, pair)


def _measure_some_pairs(space: LatentSpace) -> list[Measured]:
    """All pairs, or as many as can be measured in PATIENCE seconds."""
    begun = time.monotonic()
    found = []
    for one in measure_all_pairs(space):
        found.append(one)
        if time.monotonic() - begun > PATIENCE:
            break
    return found


def _pair_to_show(space: LatentSpace) -> Measured:
    """The first pair for which the statement holds; else the first of all."""
    pairs = _pairs(space)
    for pair in pairs:
        if (found := _measured(space, pair)).holds:
            return found
    return _measured(space, pairs[0])


def _recommend(space: LatentSpace) -> str:
    items = space.info.items
    return (
        "When to use which: start with the straight path, which needs no computation. Take the "
        "geodesic where the image should change as little and as evenly as possible, and the "
        f"density-weighted one to prefer regions with many encoded {items}. Keep the "
        "spherical path for spaces of many dimensions, where samples lie far from the centre."
    )


def all_methods(space: LatentSpace) -> Result:
    """Every method at once, between two classes whose paths differ visibly, and the mean of all."""
    shown = space.once(_pair_to_show)
    compared = compare_paths(space, *shown.pair, list(methods()), IMAGES, False, "typical")
    measured, every = _measure_some_pairs(space), len(_pairs(space))
    steps = [statistics.mean(found.largest[i] for found in measured) for i in range(3)]
    longer, shorter = (
        statistics.mean(found.lengths[i] / found.lengths[0] for found in measured) for i in (1, 2)
    )
    one, other = (space.class_names[label] for label in shown.pair)
    pairs = f"all {every} pairs" if len(measured) == every else f"{len(measured)} of {every} pairs"
    text = (
        "A path is smooth if no single step changes the image much. The largest of these "
        f"{IMAGES - 1} steps from {one} to {other} is {shown.largest[2]:.1f} on the geodesic, "
        f"{shown.largest[0]:.1f} on the straight path and {shown.largest[1]:.1f} on the spherical "
        f"one. {_at_the_centre(space, compared)}"
    )
    conclusion = (
        f"Averaged over {pairs} of {space.info.class_word}, the largest step is {steps[2]:.1f} on "
        f"the geodesic, {steps[0]:.1f} on the straight path and {steps[1]:.1f} on the spherical "
        f"one. In image space the geodesic is {shorter:.2f} times as long as the "
        f"straight path, and the spherical path {longer:.2f} times. {_recommend(space)}"
    )
    note = {"title": "Which path is smoothest?", "text": text, "conclusion": conclusion}
    return compared | {"note": note, "play": False, "scattered": False}


def _at_the_centre(space: LatentSpace, compared: Result) -> str:
    """Why the spherical path is often recommended, and whether that holds in this space."""
    if space.latent_dim == 2:
        return (
            "Spherical paths are meant for spaces of many dimensions, where few samples lie near "
            "the centre. In two dimensions many do."
        )
    found = {row["method"]: row for row in compared["rows"]}
    low, middle, high = space.once(typical_norms)
    nearest = [f"{min(found[key]['norms']):.2f}" for key in ("linear", "spherical")]
    return (
        f"Half of the encoded {space.info.items} lie more than {middle:.2f} from the centre, and "
        f"90 % between {low:.2f} and {high:.2f}. The straight path comes within {nearest[0]} of "
        f"the centre, the spherical one within {nearest[1]}."
    )


def random_exploration(space: LatentSpace) -> Result:
    """Draws from the prior; those without data are marked as misses."""
    seed = random.SystemRandom().randrange(2**31 - DRAWS)
    path = torch.stack([draw_from_prior(space, seed + i) for i in range(DRAWS)])  # (100, D)
    missed = space.around(path).within == 0  # (100,)
    item, items, count = space.info.item, space.info.items, int(missed.sum())
    rows = []
    if count:
        title = f"{count} {'miss' if count == 1 else 'misses'}"
        note = f"no test {item} encoded within {space.radius:g}"
        rows.append(strip_row(title, path[missed], note) | {"missed": True})
    if count < DRAWS:
        rows.append(strip_row(f"{DRAWS - count} near the data", path[~missed]))
    text = f"{DRAWS} draws from the prior N(0, I), which is how a VAE generates new {items}. "
    if count:
        text += (
            f"{count} missed the data: no test {item} was encoded within {space.radius:g}, so the "
            "decoder extrapolates. Crosses on the map mark such draws. Compare their images with "
            "the others, and press the button again for a new set."
        )
    else:
        text += (
            f"0 missed the data: a test {item} was encoded within {space.radius:g} of each. Press "
            "the button again for a new set."
        )
    return {
        "rows": rows,
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
    whole = {"centre": [0.0, 0.0], "half": space.range}
    return {"view": whole} | found[choice("experiment", key, tuple(found))].run(space)
