"""The checks of the lessons: whether a position meets a goal, and a sentence on how close it is.

A check holds no state and compares numbers as the page rounds them: a user who reads "2.00" is
never told that it is less than 2.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from latent_navigator.data.dataset_info import with_article
from latent_navigator.explorer.directions import sensitivity_rank
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.presets import presets
from latent_navigator.explorer.readout import WELL_SUPPORTED, count_encoded
from latent_navigator.geometry.attributes import ATTRIBUTES, describe, jacobian_norm, measure
from latent_utils import NEIGHBOURS, Neighbourhood

INSIDE = 2.5  # sigma from the centre, within which 96 % of the prior's draws fall
FAR_OUT = 2.0  # sigma from the centre, beyond which 14 % of the prior's draws fall
STEPS = (0.05, 0.1, 0.15)  # lengths of a small step, in units of the prior's sigma
DIRECTIONS = 24  # of a small step
SIDES = (
    *("right", "upper right", "top", "upper left"),
    *("left", "lower left", "bottom", "lower right"),
)
LITTLE = 0.1  # the share of a class that has the least ink
SENSITIVE = 95  # percent of the encoded images that are less sensitive
PRESENT = NEIGHBOURS // 5  # of the neighbours from which on a class belongs to a region


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
        none = f"{count_encoded(space, 0)} within {space.radius:g} of this position"
        return f"{own} prevail, but {none}."
    rivals = counts.clone()
    rivals[label] = -1
    rival = int(rivals.argmax())
    count, other = int(counts[label]), space.plurals[rival]
    if counts[rival] == count:
        return f"As many {other} as {own}: {count} each of the {NEIGHBOURS} nearest."
    return f"{other} prevail here; {count} of the {NEIGHBOURS} nearest are {own}."


def no_data(space: LatentSpace, z: Tensor) -> Verdict:
    """Goal: no test image within the radius, and at most INSIDE sigma from the centre."""
    around = space.around(z[None])
    within, nearest, radius = int(around.within), float(around.nearest), float(z.norm())
    if within:
        return Verdict(
            False,
            f"{count_encoded(space, within)} within {space.radius:g}, the nearest "
            f"{nearest:.3f} away. Find a position with none.",
        )
    item = space.info.item
    none = f"No test {item} was encoded within {space.radius:g}: the nearest is {nearest:.3f}"
    if round(radius, 2) > INSIDE:
        return Verdict(
            False, f"{none} away. But the centre is {radius:.2f}σ away; stay within {INSIDE:g}σ."
        )
    return Verdict(True, f"{none} away, and the centre {radius:.2f}σ.")


def border(space: LatentSpace, z: Tensor) -> Verdict:
    """Goal: one class prevails, and the other one small step away."""
    here = space.around(z[None])
    one, other = presets(space).border
    if missing := _missing_class(space, one, here):
        return Verdict(False, missing)
    ones, others = space.plurals[one], space.plurals[other]
    angles = torch.arange(DIRECTIONS) * (2 * math.pi / DIRECTIONS)
    # Above two dimensions the steps are in parallel to the plane of the map.
    ring = torch.stack([angles.cos(), angles.sin()], dim=1) @ space.plane.axes  # (24, D)
    there = space.around(z + torch.cat([length * ring for length in STEPS]))  # 72, nearest first
    good = prevails(other, there) & (there.within > 0)
    prefix = f"{ones} prevail: {int(votes(here)[0, one])} of the {NEIGHBOURS} nearest."
    if not good.any():
        most = int((votes(there)[:, other]).max())
        return Verdict(
            False,
            f"{prefix} Within a step of {STEPS[-1]:g}, the {others} never prevail: they are at "
            f"most {most} of the {NEIGHBOURS} nearest.",
        )
    first = int(good.int().argmax())
    turn = round(math.degrees(float(angles[first % DIRECTIONS])))
    return Verdict(
        True,
        f"{prefix} {others} prevail {STEPS[first // DIRECTIONS]:g} away, to the "
        f"{SIDES[round(turn / 45) % 8]} ({turn}°).",
    )


@torch.no_grad()  # and not inference mode, whose tensors cannot be differentiated
def _ink(space: LatentSpace, z: Tensor) -> Tensor:
    """(N, D) -> (N,) the ink of the decoded images, in percent."""
    return measure(space.ink(z))[:, list(ATTRIBUTES).index("ink")]


def ink_goal(space: LatentSpace) -> float:
    """The ink that the LITTLE share of a class stays below, in percent, as the page rounds it.

    Among the images decoded at the encodings of that class where it prevails; half a second.
    """
    label = presets(space).little_ink
    own = space.means[space.labels == label]
    shares = torch.cat([space.around(some).shares for some in own.split(200)])
    ink = _ink(space, own[shares.argmax(1) == label])
    return round(float(ink.quantile(LITTLE)), 1)


def little_ink(space: LatentSpace, z: Tensor) -> Verdict:
    """Goal: a supported position of a class with little ink."""
    label = presets(space).little_ink
    goal = space.once(ink_goal)
    if missing := _missing_class(space, label, space.around(z[None])):
        return Verdict(False, f"{missing} The goal is {describe('ink', goal)} ink.")
    ink = float(_ink(space, z[None]))
    name = with_article(space.class_names[label])
    return Verdict(
        round(ink, 1) <= goal,
        f"{name[0].upper()}{name[1:]} with {describe('ink', ink)} ink; the goal is "
        f"{describe('ink', goal)} or less.",
    )


def sensitive(space: LatentSpace, z: Tensor) -> Verdict:
    """Goal: a decoder more sensitive than at SENSITIVE percent of the encoded images."""
    norm = jacobian_norm(space.decode, z[None])
    rank = round(100 * sensitivity_rank(space, norm))
    return Verdict(
        rank >= SENSITIVE,
        f"A move of 0.01 changes the image by up to {float(norm) / 100:.2f}, more than at {rank} % "
        f"of the encoded {space.info.items}; the goal is {SENSITIVE} %.",
    )


def mixed(space: LatentSpace, z: Tensor) -> Verdict:
    """Goal: a supported position where three classes have PRESENT neighbours each."""
    around = space.around(z[None])
    best = votes(around)[0].sort(descending=True, stable=True)
    counts, labels = best.values[:3].tolist(), best.indices[:3].tolist()
    listed = [
        f"{space.plurals[label]} {count}"
        for label, count in zip(labels, counts, strict=True)
        if count
    ]
    prefix = f"Of the {NEIGHBOURS} nearest: {', '.join(listed)}."
    if counts[2] < PRESENT:
        return Verdict(False, f"{prefix} The third needs {PRESENT}.")
    if not around.within:
        return Verdict(False, f"{prefix} But {count_encoded(space, 0)} within {space.radius:g}.")
    return Verdict(True, prefix)


def far_out(space: LatentSpace, z: Tensor) -> Verdict:
    """Goal: FAR_OUT sigma from the centre or more, and well supported."""
    within, radius = int(space.around(z[None]).within), float(z.norm())
    prefix = (
        f"{radius:.2f}σ from the centre; {count_encoded(space, within)} within {space.radius:g}."
    )
    if round(radius, 2) < FAR_OUT:
        return Verdict(False, f"{prefix} Go out to {FAR_OUT:g}σ.")
    if within < WELL_SUPPORTED:
        return Verdict(False, f"{prefix} Find a position with {WELL_SUPPORTED}.")
    return Verdict(True, prefix)
