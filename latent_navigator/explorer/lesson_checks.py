"""The checks of the lessons: which positions meet a goal, and a sentence on how close one is.

A check holds no state and compares numbers as the page rounds them: a user who reads "2.00" is
never told that it is less than 2. Of each lesson there are two functions:

    <key>_met(space, z (N, D)) -> (N,) bool, which positions meet the goal
    <key>(space, z (D,)) -> Verdict, of one of them

Those here hold in any dimension; see also `flat_lesson_checks` and `dimension_lesson_checks`.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from latent_navigator.data.dataset_info import with_article
from latent_navigator.explorer.directions import sensitivities, sensitivity_rank
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.presets import presets
from latent_navigator.explorer.readout import count_encoded
from latent_navigator.geometry.attributes import ATTRIBUTES, describe, jacobian_norm, measure
from latent_navigator.geometry.latent_graph import between_nodes, sensitivity
from latent_utils import NEIGHBOURS, Neighbourhood

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
BATCH = 500  # images that are decoded at once


class Verdict(NamedTuple):
    """Whether a position meets the goal of a lesson, and a sentence on how close it is."""

    done: bool
    message: str
    images: tuple[tuple[str, Tensor], ...] = ()  # captions and positions (D,), to be seen together


def votes(around: Neighbourhood) -> Tensor:
    """(N, C) how many of the nearest neighbours belong to each class."""
    return (around.shares * NEIGHBOURS).round().int()


def prevails(label: int, around: Neighbourhood) -> Tensor:
    """(N,) bool: whether a class has more neighbours than each other class."""
    counts = votes(around)
    most = counts == counts.max(1, keepdim=True).values  # (N, C)
    return most[:, label] & (most.sum(1) == 1)


def missing_class(space: LatentSpace, label: int, around: Neighbourhood) -> str | None:
    """Why a single position does not belong to a class; None if it does."""
    own, counts = space.plurals[label], votes(around)[0]
    if prevails(label, around):
        if around.within:
            return None
        nothing = f"{count_encoded(space, 0)} within {space.radius:g}"
        return f"{own} are the most common class here, but {nothing}."
    rivals = counts.clone()
    rivals[label] = -1
    rival = int(rivals.argmax())
    count, other = int(counts[label]), space.plurals[rival]
    if counts[rival] == count:
        return f"As many {other} as {own}: {count} each of the {NEIGHBOURS} nearest."
    return f"{other} are the most common class here; {count} of the {NEIGHBOURS} nearest are {own}."


def percent_rank(rank: int) -> str:
    """A rank as text, before "of the ..."; 100 is rounded."""
    return f"{rank} %" if rank < 100 else "nearly all"


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
    if missing := missing_class(space, one, here):
        goal = f"The goal is a supported position where {ones} are the most common."
        return Verdict(False, f"{missing} {goal}")
    there = space.around(_ring(space, z[None])[0])
    good = prevails(other, there) & (there.within > 0)
    own = int(votes(here)[0, one])
    prefix = f"{ones} are the most common class: {own} of the {NEIGHBOURS} nearest."
    if not good.any():
        most = int((votes(there)[:, other]).max())
        return Verdict(
            False,
            f"{prefix} Within a step of {STEPS[-1]:g}, at most {most} of the {NEIGHBOURS} nearest "
            f"are {others}; the goal is more {others} than any other class.",
        )
    first = int(good.int().argmax())
    turn = round(360 / DIRECTIONS) * (first % DIRECTIONS)
    length, end = STEPS[first // DIRECTIONS], _ring(space, z[None])[0, first]
    return Verdict(
        True,
        f"{prefix} A step of {length:g} toward the {SIDES[round(turn / 45) % 8]} ({turn}°) takes "
        f"you among the {others}.",
        ((f"Among the {ones}", z), (f"Among the {others}, {length:g} away", end)),
    )


@torch.no_grad()  # and not inference mode, whose tensors cannot be differentiated
def _ink(space: LatentSpace, z: Tensor) -> Tensor:
    """(N, D) -> (N,) the ink of the decoded images, in percent."""
    return measure(space.ink(z))[:, list(ATTRIBUTES).index("ink")]


class InkGoal(NamedTuple):
    """What a clear image of the class with little ink is."""

    ink: float  # percent at most, as the page rounds it
    votes: int  # of the nearest neighbours, at least
    start: Tensor  # (D,) a clear image with more ink, from which the goal is some steps away


def ink_goal(space: LatentSpace) -> InkGoal:
    """The ink that the LITTLE share of a class stays below, and how clear its image must be.

    Among the images decoded at the encodings of that class whose neighbours nearly all belong to
    it, or as many as anywhere on the map; a quarter of a second. The start is the one nearest to
    the prototype among the half with the most ink: the prototype itself may be one step away.
    """
    label = presets(space).little_ink
    own = space.means[space.labels == label]
    counts = torch.cat([votes(space.around(some))[:, label] for some in own.split(BATCH)])
    needed = min(NEARLY_ALL, int(counts.max()))
    clear = own[counts >= needed]
    ink = _ink(space, clear)
    heavy = clear[ink >= ink.median()]
    start = heavy[(heavy - space.anchor(label)).norm(dim=1).argmin()]
    return InkGoal(round(float(ink.quantile(LITTLE)), 1), needed, start)


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
    if missing := missing_class(space, label, around):
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
        f"{percent_rank(int(rank))} of the encoded {space.info.items} it changes less; the goal is "
        f"{SENSITIVE} %, which is reached at about {least / 100:.3f}.",
    )
