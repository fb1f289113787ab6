"""The lessons that only a space of more than two dimensions can teach."""

from collections.abc import Callable
from typing import Any, NamedTuple

from latent_navigator.data.dataset_info import with_article
from latent_navigator.explorer import dimension_lesson_checks as checks
from latent_navigator.explorer.latent_space import LatentSpace, percent
from latent_navigator.explorer.lesson import Lesson
from latent_navigator.explorer.norms import chi_quantile
from latent_navigator.explorer.presets import presets
from latent_navigator.explorer.readout import WELL_SUPPORTED
from latent_utils import UNUSED

OPEN_DIMENSIONS: dict[str, object] = {"label": "Open Dimensions", "tab": "dimensions"}
OPEN_PATHS = {"label": "Open Paths", "tab": "paths"}


class _Start(NamedTuple):
    """The prototype that a lesson starts at, and the rows of Dimensions that it looks at."""

    task: str
    hint: str
    actions: tuple[dict[str, Any], ...]


def _start_at(space: LatentSpace, label: int) -> _Start:
    name = space.class_names[label]
    go_there = f"Go to {name}"
    return _Start(
        f"Start at the most typical {name}.",
        f"Press “{go_there}”, open Dimensions and",
        ({"label": go_there, "position": space.anchor(label).tolist()}, OPEN_DIMENSIONS),
    )


def _unused(space: LatentSpace) -> Lesson:
    label = presets(space).target
    start, name = _start_at(space, label), space.class_names[label]
    return Lesson(
        key="unused",
        title="Find an unused dimension",
        task=f"{start.task} Move z by {checks.FAR:g}σ or more along a dimension that does not "
        "change the image, and keep the other dimensions fixed.",
        hint=f"{start.hint} compare the images of each row. The dimensions of the folded part at "
        "the end have a KL near 0.",
        measured=f"A dimension counts as unused if its KL, averaged over the test "
        f"{space.info.items}, is under {UNUSED:g} nats. One that differs from the most typical "
        f"{name} by at most {checks.STILL:g} counts as fixed. The change in the image is the "
        "distance between its pixels and those at the start, as a percentage of the norm of the "
        "latter.",
        learnt="Where a dimension would cost more in KL than it saves in reconstruction, the "
        "encoder leaves it at the prior and the decoder ignores it: the dimension has collapsed.",
        check=checks.unused,
        met=checks.unused_met,
        actions=start.actions,
        candidates=checks.unused_solutions,
    )


def _slants(space: LatentSpace) -> Lesson:
    label = space.once(checks.slant_class)
    start, name = _start_at(space, label), space.class_names[label]
    return Lesson(
        key="slants",
        title="Find the dimension that controls the slant",
        task=f"{start.task} Move one dimension alone, so that the {name} leans the other way as "
        f"far as it can while still being {with_article(name)}.",
        hint=f"{start.hint} look for the row along which the strokes turn. Press an image there, "
        "and move its slider on.",
        measured="Slant is the angle of the shear that would set the strokes upright; leaning "
        f"right is positive. The goal is {checks.MOST_OF:.0%} of the largest change that any one "
        f"dimension makes within ±{checks.REACH:g} while most neighbours are "
        f"{space.plurals[label]}.".replace("%", " %"),
        learnt="Nobody told the model what slant is: it gives a dimension to what varies a lot "
        "among images, while other dimensions mix several features.",
        check=checks.slants,
        met=checks.slants_met,
        actions=start.actions,
        candidates=checks.slant_solutions,
    )


def _between(space: LatentSpace) -> Lesson:
    pair = space.once(checks.straight_pair)
    one, other = (space.class_names[c] for c in (pair.first, pair.second))
    items = space.info.items
    norm = float(checks.used_norms(space, pair.middle[None]))
    farther = percent(1 - checks.closer_share(space, norm))
    low, high = checks.norm_band(space)
    return Lesson(
        key="between",
        title="Find out why spherical paths exist",
        task=f"Go to a position between the most typical {one} and {other}, equally far from "
        f"both, with |z| from {low:.2f} to {high:.2f}, the range that holds half of "
        f"the encoded {items}.",
        hint=f"Press the button and read |z| there. Then compare a straight and a spherical path "
        f"from {one} to {other} in Paths, and press the image in the middle of the spherical one.",
        measured=f"The goal for |z| is where the middle half of the encoded {items} lie (from the "
        "first to the third quartile). Blur is the share of the ink that is grey, compared with "
        f"the test {items}, decoded at their encodings.",
        learnt=f"The middle of this straight line has |z| {norm:.2f}, and {farther} of the encoded "
        f"{items} lie farther out; spherical interpolation (slerp) keeps |z| between its values at "
        "the two ends.",
        check=checks.between,
        met=checks.between_met,
        actions=(
            {"label": "Go to the middle of the straight line", "position": pair.middle.tolist()},
            OPEN_PATHS,
        ),
        candidates=checks.between_solutions,
    )


def _shell(space: LatentSpace) -> Lesson:
    items = space.info.items
    low, high = (chi_quantile(space.latent_dim, share) for share in (0.05, 0.95))
    return Lesson(
        key="shell",
        title="Find out how far from the centre the data lies",
        task=f"Go farther from the centre than three out of four encoded {items}, to a position "
        f"where {WELL_SUPPORTED} or more of them lie within {space.radius:g}.",
        hint="Start with a point far out on the map: click one, and see in Dimensions, under "
        "Distance from the centre, where |z| is.",
        measured="|z| is the distance from the centre in the dimensions that are used, in units "
        "of the prior's standard deviation. The goal is the third quartile of the encoded "
        f"{items}.",
        learnt="The prior N(0, I) is densest at its centre, yet 90 % of its draws lie between "
        f"{low:.2f}σ and {high:.2f}σ from it (chi distribution): there is little volume near the "
        "centre.",
        check=checks.shell,
        met=checks.shell_met,
        actions=(OPEN_DIMENSIONS,),
        layers=("points",),
        candidates=checks.encodings,
    )


DIMENSION_LESSONS: list[Callable[[LatentSpace], Lesson]] = [_unused, _slants, _between, _shell]


def dimension_lessons(space: LatentSpace) -> list[Lesson]:
    """Those that hold for a model of more than two dimensions, in their order."""
    untrue = []
    if not len(checks.unused_dimensions(space)):
        untrue.append(_unused)
    if not checks.leaves_the_data(space):
        untrue.append(_between)
    return [make(space) for make in DIMENSION_LESSONS if make not in untrue]
