"""The checks of the lessons: which positions meet a goal, and a sentence on how close one is.

A check holds no state and compares numbers as the page rounds them: a user who reads "2.00" is
never told that it is less than 2. Of each lesson there are two functions:

    <key>_met(space, z (N, D)) -> (N,) bool, which positions meet the goal
    <key>(space, z (D,)) -> Verdict, of one of them
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from latent_navigator.data.dataset_info import with_article
from latent_navigator.explorer.directions import sensitivities, sensitivity_rank
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.presets import presets
from latent_navigator.explorer.readout import WELL_SUPPORTED, count_encoded
from latent_navigator.geometry.attributes import ATTRIBUTES, describe, jacobian_norm, measure
from latent_navigator.geometry.latent_graph import between_nodes, sensitivity
from latent_utils import NEIGHBOURS, Neighbourhood

INSIDE = 2.5  # sigma from the centre, within which 96 % of the prior's draws fall
FAR_OUT = 2.0  # sigma from the centre, beyond which 14 % of the prior's draws fall
STRANGE = 98  # percent of the decoded test images that are less blurred, and change less
SAMPLE = 2000  # decoded test images at most that others are compared with
STEPS = (0.05, 0.1, 0.15)  # lengths of a small step, in units of the prior's sigma
DIRECTIONS = 24  # of a small step
SIDES = (
    *("right", "upper right", "top", "upper left"),
    *("left", "lower left", "bottom", "lower right"),
)
LITTLE = 0.1  # the share of a class that has the least ink
NEARLY_ALL = NEIGHBOURS * 9 // 10  # of the neighbours; as in web/core/readout.js
NEARLY_SENSITIVE = 0.8  # of the least sensitivity, between the nodes of the graph
SENSITIVE = 95  # percent of the encoded images that are less sensitive
PRESENT = NEIGHBOURS // 5  # of the neighbours from which on a class belongs to a region
BATCH = 500  # images that are decoded at once


class Verdict(NamedTuple):
    """Whether a position meets the goal of a lesson, and a sentence on how close it is."""

    done: bool
    message: str


def votes(around: Neighbourhood) -> Tensor:
    """(N, C) how many of the nearest neighbours belong to each class."""
    return (around.shares * NEIGHBOURS).round().int()


def prevails(label: int, around: Neighbourhood) -> Tensor:
    """(N,) bool: whether a class has more neighbours than each other class."""
    counts = votes(around)
    most = counts == counts.max(1, keepdim=True).values  # (N, C)
    return most[:, label] & (most.sum(1) == 1)


def _missing_class(space: LatentSpace, label: int, around: Neighbourhood) -> str | None:
    """Why a single position does not belong to a class; None if it does."""
    own, counts = space.plurals[label], votes(around)[0]
    if prevails(label, around):
        if around.within:
            return None
        return f"{own} prevail here, but {count_encoded(space, 0)} within {space.radius:g}."
    rivals = counts.clone()
    rivals[label] = -1
    rival = int(rivals.argmax())
    count, other = int(counts[label]), space.plurals[rival]
    if counts[rival] == count:
        return f"As many {other} as {own}: {count} each of the {NEIGHBOURS} nearest."
    return f"{other} prevail here; {count} of the {NEIGHBOURS} nearest are {own}."


@torch.inference_mode()
def looks(space: LatentSpace, z: Tensor) -> Tensor:
    """What sets an image that looks like no class apart from a decoded test image.

    Args:
        z: (N, D).

    Returns:
        (2, N): the blur, which is the mean of 1 - ink over the ink of the image; and the relative
        change |x - x'| / |x| of the image x by its own reconstruction x'.
    """
    found = []
    for some in z.float().split(BATCH):
        x = space.ink(some)  # (B, 784)
        mu, _ = space.model.encode(space.model.decode(some))
        blur = (x * (1 - x)).sum(1) / x.sum(1).clamp_min(1e-6)
        change = (x - space.ink(mu)).norm(dim=1) / x.norm(dim=1).clamp_min(1e-6)
        found.append(torch.stack([blur, change]))
    return torch.cat(found, dim=1)


def _usual_looks(space: LatentSpace) -> Tensor:
    """(2, M) `looks` of a sample of the decoded test images, each sorted; about a second."""
    step = math.ceil(len(space.means) / SAMPLE)
    return looks(space, space.means[::step]).sort(1).values


def look_ranks(space: LatentSpace, z: Tensor) -> Tensor:
    """z (N, D) -> (2, N) int: percent of the decoded test images below each of `looks`, rounded."""
    usual = space.once(_usual_looks)
    below = torch.searchsorted(usual, looks(space, z).contiguous())  # (2, N)
    return (100 * below / usual.shape[1]).round().int()


def _percent(rank: int) -> str:
    """A rank as text, before "of the ..."; 100 is rounded."""
    return f"{rank} %" if rank < 100 else "nearly all"


def _empty(z: Tensor, around: Neighbourhood) -> Tensor:
    """(N,) bool: no test image within the radius, and at most INSIDE sigma from the centre."""
    empty: Tensor = (around.within == 0) & (z.norm(dim=1).round(decimals=2) <= INSIDE)
    return empty


def no_data_met(space: LatentSpace, z: Tensor) -> Tensor:
    """Where there is no data, near the centre, and the image looks like no class."""
    met = _empty(z, space.around(z))
    met[met.clone()] = (look_ranks(space, z[met]) >= STRANGE).all(0)
    return met


def no_data(space: LatentSpace, z: Tensor) -> Verdict:
    """Goal: no data, at most INSIDE sigma from the centre, an image that looks like no class."""
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
        f"it is more blurred than {_percent(blur)} of the decoded test {items}, and its own "
        f"reconstruction changes it more than {_percent(change)} of them"
    )
    if min(blur, change) < STRANGE:
        goal = f"the goal is {STRANGE} % for both"
        return Verdict(
            False, f"{none}. But it still looks like {with_article(item)}: {figures}; {goal}."
        )
    return Verdict(True, f"{none}, and the image looks like no {item}: {figures}.")


def _ring(space: LatentSpace, z: Tensor) -> Tensor:
    """z (N, D) -> (N, 72, D) the ends of all small steps from there, shortest first.

    Above two dimensions the steps are in parallel to the plane of the map.
    """
    angles = torch.arange(DIRECTIONS) * (2 * math.pi / DIRECTIONS)
    turns = torch.stack([angles.cos(), angles.sin()], dim=1) @ space.plane.axes  # (24, D)
    return z[:, None] + torch.cat([length * turns for length in STEPS])


def border_met(space: LatentSpace, z: Tensor) -> Tensor:
    """Where one class prevails, and the other one small step away."""
    one, other = presets(space).border
    here = space.around(z)
    met = prevails(one, here) & (here.within > 0)
    ends = _ring(space, z[met])  # (M, 72, D)
    there = space.around(ends.flatten(0, 1))
    met[met.clone()] = (prevails(other, there) & (there.within > 0)).view(ends.shape[:2]).any(1)
    return met


def border(space: LatentSpace, z: Tensor) -> Verdict:
    """Goal: one class prevails, and the other one small step away."""
    here = space.around(z[None])
    one, other = presets(space).border
    ones, others = space.plurals[one], space.plurals[other]
    if missing := _missing_class(space, one, here):
        return Verdict(False, f"{missing} The goal is a position where {ones} prevail.")
    there = space.around(_ring(space, z[None])[0])
    good = prevails(other, there) & (there.within > 0)
    prefix = f"{ones} prevail: {int(votes(here)[0, one])} of the {NEIGHBOURS} nearest."
    if not good.any():
        most = int((votes(there)[:, other]).max())
        return Verdict(
            False,
            f"{prefix} Within a step of {STEPS[-1]:g}, at most {most} of the {NEIGHBOURS} nearest "
            f"are {others}; the goal is more than of any other class.",
        )
    first = int(good.int().argmax())
    turn = round(360 / DIRECTIONS) * (first % DIRECTIONS)
    return Verdict(
        True,
        f"{prefix} {others} prevail {STEPS[first // DIRECTIONS]:g} away, to the "
        f"{SIDES[round(turn / 45) % 8]} ({turn}°).",
    )


@torch.no_grad()  # and not inference mode, whose tensors cannot be differentiated
def _ink(space: LatentSpace, z: Tensor) -> Tensor:
    """(N, D) -> (N,) the ink of the decoded images, in percent."""
    return measure(space.ink(z))[:, list(ATTRIBUTES).index("ink")]


class InkGoal(NamedTuple):
    """What a clear image of the class with little ink is."""

    ink: float  # percent at most, as the page rounds it
    votes: int  # of the nearest neighbours, at least


def ink_goal(space: LatentSpace) -> InkGoal:
    """The ink that the LITTLE share of a class stays below, and how clear its image must be.

    Among the images decoded at the encodings of that class whose neighbours nearly all belong to
    it, or as many as anywhere on the map; a quarter of a second.
    """
    label = presets(space).little_ink
    own = space.means[space.labels == label]
    counts = torch.cat([votes(space.around(some))[:, label] for some in own.split(BATCH)])
    needed = min(NEARLY_ALL, int(counts.max()))
    ink = _ink(space, own[counts >= needed])
    return InkGoal(round(float(ink.quantile(LITTLE)), 1), needed)


def little_ink_met(space: LatentSpace, z: Tensor) -> Tensor:
    """Where a supported, clear image of a class has little ink."""
    label, goal = presets(space).little_ink, space.once(ink_goal)
    around = space.around(z)
    met = prevails(label, around) & (around.within > 0) & (votes(around)[:, label] >= goal.votes)
    ink = _ink(space, z[met]).double()
    met[met.clone()] = ink.round(decimals=1) <= goal.ink + 1e-6
    return met


def little_ink(space: LatentSpace, z: Tensor) -> Verdict:
    """Goal: a supported, clear image of a class with little ink."""
    label, goal = presets(space).little_ink, space.once(ink_goal)
    around = space.around(z[None])
    wanted = f"{describe('ink', goal.ink)} or less"
    if missing := _missing_class(space, label, around):
        return Verdict(False, f"{missing} The goal is {space.plurals[label]} with {wanted} ink.")
    ink, count = float(_ink(space, z[None])), int(votes(around)[0, label])
    name = with_article(space.class_names[label])
    return Verdict(
        bool(little_ink_met(space, z[None])),
        f"{name[0].upper()}{name[1:]} with {describe('ink', ink)} ink (goal: {wanted}); {count} of "
        f"the {NEIGHBOURS} nearest are {space.plurals[label]} (goal: {goal.votes} or more).",
    )


def sensitive_met(space: LatentSpace, z: Tensor) -> Tensor:
    """Where the decoder is more sensitive than at SENSITIVE percent of the encoded images."""
    # Most positions are ruled out by the values at the nodes of the graph, which are known.
    least = space.once(sensitivities).quantile(SENSITIVE / 100)
    met = torch.ones(len(z), dtype=torch.bool)
    if space.latent_dim == 2:
        met = between_nodes(space.range, sensitivity(space.graph), z) >= NEARLY_SENSITIVE * least
    found = [_rank(space, some)[1] >= SENSITIVE for some in z[met].split(BATCH)]
    met[met.clone()] = torch.cat(found)
    return met


def _rank(space: LatentSpace, z: Tensor) -> tuple[Tensor, Tensor]:
    """z (N, D) -> (N,) the decoder's sensitivity, and its rank in percent, rounded."""
    norm = jacobian_norm(space.decode, z)
    ranks = [round(100 * sensitivity_rank(space, one)) for one in norm]
    return norm, torch.tensor(ranks)


def sensitive(space: LatentSpace, z: Tensor) -> Verdict:
    """Goal: a decoder more sensitive than at SENSITIVE percent of the encoded images."""
    norm, rank = _rank(space, z[None])
    least = float(space.once(sensitivities).quantile(SENSITIVE / 100))
    return Verdict(
        bool(rank >= SENSITIVE),
        f"A move of 0.01 changes the image by up to {float(norm) / 100:.3f}. At "
        f"{_percent(int(rank))} of the encoded {space.info.items} it changes less; the goal is "
        f"{SENSITIVE} %, which is reached at about {least / 100:.3f}.",
    )


def mixed_met(space: LatentSpace, z: Tensor) -> Tensor:
    """Where the data supports three classes of PRESENT neighbours each."""
    around = space.around(z)
    return (votes(around).sort(1, descending=True).values[:, 2] >= PRESENT) & (around.within > 0)


def mixed(space: LatentSpace, z: Tensor) -> Verdict:
    """Goal: a supported position where three classes have PRESENT neighbours each."""
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
    return Verdict(counts[2] >= PRESENT, f"{prefix} {third}")


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
