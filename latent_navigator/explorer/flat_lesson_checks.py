"""The checks of the lessons about a space of two dimensions, where the map shows all there is.

See `lesson_checks` for the two functions of each, and for those that hold in any dimension.
"""

from torch import Tensor

from latent_navigator.data.dataset_info import with_article
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.lesson_checks import Verdict, percent_rank, votes
from latent_navigator.explorer.looks import look_ranks
from latent_navigator.explorer.readout import WELL_SUPPORTED, count_encoded
from latent_utils import NEIGHBOURS, Neighbourhood

INSIDE = 2.5  # sigma from the centre, within which 96 % of the prior's draws fall
FAR_OUT = 2.0  # sigma from the centre, beyond which 14 % of the prior's draws fall
# Percent of the decoded test images that are less blurred, and change less. Of the images without
# data that a classifier is unsure of, three in four pass, and clear ones do not (test_lessons.py).
STRANGE = 92
BLURRED = 90  # percent of the decoded test images that are less blurred than one image for several
PRESENT = NEIGHBOURS // 5  # of the neighbours from which on a class belongs to a region


def _empty(z: Tensor, around: Neighbourhood) -> Tensor:
    """(N,) bool: no test image within the radius, and at most INSIDE sigma from the centre."""
    empty: Tensor = (around.within == 0) & (z.norm(dim=1).round(decimals=2) <= INSIDE)
    return empty


def no_data_met(space: LatentSpace, z: Tensor) -> Tensor:
    """Where there is no data, near the centre, and the image does not look like any class."""
    met = _empty(z, space.around(z))
    met[met.clone()] = (look_ranks(space, z[met]) >= STRANGE).all(0)
    return met


def no_data(space: LatentSpace, z: Tensor) -> Verdict:
    """Goal: no data, at most INSIDE sigma from the centre, an image unlike any class."""
    around, item, items = space.around(z[None]), space.info.item, space.info.items
    within, nearest, radius = int(around.within), float(around.nearest), float(z.norm())
    if within:
        return Verdict(
            False,
            f"{count_encoded(space, within)} within {space.radius:g} of here; the goal is 0. Go to "
            "a gap between the points.",
        )
    none = f"No test {item} was encoded within {space.radius:g} (the nearest is {nearest:.3f} away)"
    if not _empty(z[None], around):
        return Verdict(
            False, f"{none}. But the centre is {radius:.2f}σ away; the goal is {INSIDE:g}σ or less."
        )
    blur, change = look_ranks(space, z[None])[:, 0].tolist()
    figures = (
        f"it is more blurred than {percent_rank(blur)} of the decoded test {items}, and a "
        "round trip through encoder and decoder changes it more than it changes "
        f"{percent_rank(change)} of them"
    )
    if min(blur, change) < STRANGE:
        goal = f"the goal is {STRANGE} % for both"
        return Verdict(
            False, f"{none}. But it still looks like {with_article(item)}: {figures}; {goal}."
        )
    return Verdict(True, f"{none}, and the image is unlike any {item}: {figures}.")


def mixed_met(space: LatentSpace, z: Tensor) -> Tensor:
    """Where the data supports three classes of PRESENT neighbours and the image is blurred."""
    around = space.around(z)
    met = (votes(around).sort(1, descending=True).values[:, 2] >= PRESENT) & (around.within > 0)
    met[met.clone()] = look_ranks(space, z[met])[0] >= BLURRED
    return met


def mixed(space: LatentSpace, z: Tensor) -> Verdict:
    """Goal: a supported position with three classes of PRESENT neighbours, and a blurred image."""
    around = space.around(z[None])
    best = votes(around)[0].sort(descending=True, stable=True)
    counts, labels = best.values[:3].tolist(), best.indices[:3].tolist()
    listed = ", ".join(
        f"{count} are {space.plurals[label]}"
        if count > 1
        else f"1 is {with_article(space.class_names[label])}"
        for label, count in zip(labels, counts, strict=True)
        if count
    )
    prefix = f"Of the {NEIGHBOURS} nearest, {listed}."
    third = f"The third class has {counts[2]}; the goal is {PRESENT} or more."
    if counts[2] >= PRESENT and not around.within:
        return Verdict(False, f"{prefix} But {count_encoded(space, 0)} within {space.radius:g}.")
    blur = int(look_ranks(space, z[None])[0])
    figure = f"more blurred than {percent_rank(blur)} of the decoded test {space.info.items}"
    if counts[2] < PRESENT:
        return Verdict(False, f"{prefix} {third} The image is {figure}.")
    if blur < BLURRED:
        clear = f"But the image is too sharp: it is {figure}, and the goal is {BLURRED} %"
        return Verdict(False, f"{prefix} {third} {clear}.")
    return Verdict(True, f"{prefix} {third} The image is {figure} (goal: {BLURRED} %).")


def far_out_met(space: LatentSpace, z: Tensor) -> Tensor:
    """Where the data supports a position FAR_OUT sigma from the centre or more."""
    far = z.norm(dim=1).round(decimals=2) >= FAR_OUT
    met: Tensor = far & (space.around(z).within >= WELL_SUPPORTED)
    return met


def far_out(space: LatentSpace, z: Tensor) -> Verdict:
    """Goal: FAR_OUT sigma from the centre or more, and well supported."""
    within, radius = int(space.around(z[None]).within), float(z.norm())
    return Verdict(
        bool(far_out_met(space, z[None])),
        f"{radius:.2f}σ from the centre (goal: {FAR_OUT:g}σ or more); "
        f"{count_encoded(space, within)} within {space.radius:g} (goal: {WELL_SUPPORTED} or more).",
    )
