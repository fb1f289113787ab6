"""Six small challenges about the latent space, each checked at the current position alone.

A check holds no state and compares the numbers as the page writes them: nobody reads "2.00" and is
told that it is less than 2. The tests measure how large a part of the map fulfils each lesson.
"""

import functools
import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from attributes import ATTRIBUTES, describe, jacobian_norm, measure
from compass import Compass
from latent_utils import NEIGHBOURS, RADIUS, Surroundings, surroundings
from navigator import WELL_KNOWN, choice

INSIDE = 2.5  # sigma from the centre: 96 % of the prior's draws fall within, so no far-off corner
FAR_OUT = 2.0  # sigma from the centre; 14 % of the prior's draws fall beyond
STEPS = (0.05, 0.1, 0.15)  # lengths of a small step, in units of the prior's sigma
DIRECTIONS = 24  # of a small step
SIDES = "right, upper right, top, upper left, left, lower left, bottom, lower right".split(", ")
SPARING = 0.1  # the share of the 7s that have the least ink
FRAGILE = 95  # percent of the encoded digits that are less sensitive
PRESENT = NEIGHBOURS // 5  # of the nearest encodings from which on a digit belongs to a place


class Lesson(NamedTuple):
    """A challenge, in words for the page."""

    name: str
    title: str
    task: str
    hint: str
    why: str  # what its solution shows about VAEs


LESSONS = (
    Lesson(
        "invented",
        "Find where the model invents",
        f"Go to a place within {INSIDE:g}σ of the centre where no test digit was encoded within "
        f"{RADIUS:g}.",
        "Zoom in just outside the second ring, at the bottom or the upper right for instance, and "
        "put the cursor into the middle of a gap between the points.",
        "The decoder draws something everywhere, also where nothing was encoded. The picture "
        "does not tell an invention from what was learnt; only the encoded digits around it do.",
    ),
    Lesson(
        "step",
        "Find a 4 that becomes a 9 in one small step",
        f"Go to a place among the 4s from which a step of at most {STEPS[-1]:g} leads among the "
        "9s. Test digits must have been encoded at both.",
        "Switch on the Regions and go to the border between the colours of 4 and 9, on the side "
        "of the 4.",
        "The latent space is continuous: there is no wall between two digits. The picture changes "
        "little by little, and only its name changes at once.",
    ),
    Lesson(
        "sparing",
        "Make a 7 with little ink",
        "Go to a known place among the 7s where the drawn 7 has as little ink as the most sparing "
        "tenth of the test 7s.",
        "Press 7 on the first screen, then “less ink” in the Directions tab a few times, and come "
        "back. If that gets stuck, begin at another 7.",
        "A wish such as “less ink” has an exact direction at each place: the gradient through the "
        "decoder. It turns from place to place, because neither axis stands for one property.",
    ),
    Lesson(
        "fragile",
        "Find the most fragile place",
        "Go where a small move changes the picture more than at "
        f"{FRAGILE} % of the encoded digits.",
        "Switch on the Sensitivity and go where it is strongest; often that is a line between two "
        "digits.",
        "The decoder stretches the map unevenly. Where the norm of its Jacobian ‖J‖ is large, a "
        "small move changes much: mostly where digits of unlike shape meet.",
    ),
    Lesson(
        "three",
        "Three digits at one place",
        f"Go to a known place where three digits have at least {PRESENT} each of the {NEIGHBOURS} "
        "nearest encodings.",
        "Switch on the Regions, look where three colours meet, such as 3, 5 and 8 or 4, 7 and 9, "
        "and watch the bars beside the digit.",
        "Handwriting differs in more than two ways. Squeezed into two numbers, unlike digits share "
        "a place, and the decoder draws their average; more dimensions would keep them apart.",
    ),
    Lesson(
        "outside",
        "Far out and still well known",
        f"Go at least {FAR_OUT:g}σ from the centre, to a place where {WELL_KNOWN} or more test "
        f"digits were encoded within {RADIUS:g}.",
        "Follow the dense points outward over the second ring, to the left for instance; some "
        "sides thin out sooner.",
        "The prior N(0, I) is the same on all sides; the encoded digits (the aggregate posterior) "
        "are not. At one distance some sides are full and others bare, where a random draw from "
        "the prior lands on nothing.",
    ),
)


class Lessons:
    """The lessons and their checks on one model; holds nothing of any visitor."""

    def __init__(self, compass: Compass):
        self.compass = compass
        self.navigator = compass.navigator

    def all(self) -> list[dict[str, str]]:
        """The texts of the lessons, in their order."""
        return [lesson._asdict() for lesson in LESSONS]

    def check(self, name: Any, x: Any, y: Any) -> dict[str, Any]:
        """Whether a position fulfils a lesson, and a sentence that tells how near it is.

        Returns:
            {"done": bool, "told": text}.

        Raises:
            ValueError: if the lesson is unknown or the position is not on the map.
        """
        choice("lesson", name, tuple(lesson.name for lesson in LESSONS))
        z = self.navigator.position(x, y)
        done, told = getattr(self, f"_{name}")(z)
        return {"done": done, "told": told}

    def _around(self, z: Tensor) -> Surroundings:
        """Of places (N, 2)."""
        return surroundings(z, self.navigator.means, self.navigator.labels)

    def _missed(self, digit: int, around: Surroundings) -> str | None:
        """Why a single place is not one of a digit; None if it is."""
        name, counts = self.navigator.names[digit], votes(around)[0]
        if prevails(digit, around):
            if around.within:
                return None
            return f"{name}s prevail, but no test digit was encoded within {RADIUS:g} of here."
        rivals = counts.clone()
        rivals[digit] = -1
        rival = int(rivals.argmax())
        count, other = int(counts[digit]), self.navigator.names[rival]
        if counts[rival] == count:
            return f"As many {other}s as {name}s: {count} each of the {NEIGHBOURS} nearest."
        return f"Here {other}s prevail; {count} of the {NEIGHBOURS} nearest are {name}s."

    @functools.cached_property
    def goal(self) -> float:
        """The ink of a sparing 7, in percent of the picture, to one decimal as it is told.

        Among the digits decoded where test 7s were encoded and 7s prevail; half a second.
        """
        sevens = self.navigator.means[self.navigator.labels == 7]
        shares = torch.cat([self._around(some).shares for some in sevens.split(200)])
        ink = self._ink(sevens[shares.argmax(1) == 7])
        return round(float(ink.quantile(SPARING)), 1)

    @torch.no_grad()  # and not inference mode, whose tensors no gradient may pass
    def _ink(self, z: Tensor) -> Tensor:
        """(N, 2) -> (N,)"""
        return measure(self.compass.paths.decode(z))[:, list(ATTRIBUTES).index("ink")]

    # --- the checks: z (2,) -> done, told ---

    def _invented(self, z: Tensor) -> tuple[bool, str]:
        around = self._around(z[None])
        within, nearest, radius = int(around.within), float(around.nearest), float(z.norm())
        if within:
            return False, (
                f"{encoded(within)} within {RADIUS:g} of here, the nearest {nearest:.3f} away. "
                "Find a place with none."
            )
        none = f"No test digit was encoded within {RADIUS:g} of here: the nearest is {nearest:.3f}"
        if round(radius, 2) > INSIDE:
            return False, (
                f"{none} away. But the centre is {radius:.2f}σ away; come within {INSIDE:g}σ."
            )
        return True, f"{none} away, and the centre {radius:.2f}σ."

    def _step(self, z: Tensor) -> tuple[bool, str]:
        here = self._around(z[None])
        if missed := self._missed(4, here):
            return False, missed
        four, nine = self.navigator.names[4], self.navigator.names[9]
        angles = torch.arange(DIRECTIONS) * (2 * math.pi / DIRECTIONS)
        ring = torch.stack([angles.cos(), angles.sin()], dim=1)  # (24, 2)
        there = self._around(z + torch.cat([length * ring for length in STEPS]))  # 72, near first
        good = prevails(9, there) & (there.within > 0)
        told = f"{four}s prevail: {int(votes(here)[0, 4])} of the {NEIGHBOURS} nearest."
        if not good.any():
            most = int((votes(there)[:, 9]).max())
            return False, (
                f"{told} A step of up to {STEPS[-1]:g} finds at most {most} {nine}s among "
                f"the {NEIGHBOURS} nearest, and they do not prevail there."
            )
        first = int(good.int().argmax())
        turn = round(math.degrees(float(angles[first % DIRECTIONS])))
        return True, (
            f"{told} {nine}s prevail {STEPS[first // DIRECTIONS]:g} away, to the "
            f"{SIDES[round(turn / 45) % 8]} ({turn}°)."
        )

    def _sparing(self, z: Tensor) -> tuple[bool, str]:
        goal = describe("ink", self.goal)
        if missed := self._missed(7, self._around(z[None])):
            return False, f"{missed} The ink to reach is {goal}."
        ink = float(self._ink(z[None]))
        told = f"A {self.navigator.names[7]} with {describe('ink', ink)} ink; "
        return round(ink, 1) <= self.goal, f"{told}the goal is {goal} or less."

    def _fragile(self, z: Tensor) -> tuple[bool, str]:
        norm = jacobian_norm(self.compass.paths.decode, z[None])
        rank = round(100 * self.compass.rank(norm))
        return rank >= FRAGILE, (
            f"A move of 0.01 changes the picture by up to {float(norm) / 100:.2f}, more than at "
            f"{rank} % of the encoded digits; the goal is {FRAGILE} %."
        )

    def _three(self, z: Tensor) -> tuple[bool, str]:
        around = self._around(z[None])
        best = votes(around)[0].sort(descending=True, stable=True)
        counts, digits = best.values[:3].tolist(), best.indices[:3].tolist()
        listed = [
            f"{self.navigator.names[digit]}s {count}"
            for digit, count in zip(digits, counts, strict=True)
            if count
        ]
        told = f"Of the {NEIGHBOURS} nearest: {', '.join(listed)}."
        if counts[2] < PRESENT:
            return False, f"{told} The third needs {PRESENT}."
        if not around.within:
            return False, f"{told} But no test digit was encoded within {RADIUS:g} of here."
        return True, told

    def _outside(self, z: Tensor) -> tuple[bool, str]:
        within, radius = int(self._around(z[None]).within), float(z.norm())
        told = f"{radius:.2f}σ from the centre; {encoded(within, start=False)} within {RADIUS:g}."
        far, known = round(radius, 2) >= FAR_OUT, within >= WELL_KNOWN
        if not far:
            told += f" Go out to {FAR_OUT:g}σ."
        elif not known:
            told += f" Find a place with {WELL_KNOWN}."
        return far and known, told


def votes(around: Surroundings) -> Tensor:
    """(N, 10) how many of the nearest encodings are each digit."""
    return (around.shares * NEIGHBOURS).round().int()


def prevails(digit: int, around: Surroundings) -> Tensor:
    """(N,) bool: whether there are more of a digit than of each other."""
    counts = votes(around)
    most = counts == counts.max(1, keepdim=True).values  # (N, 10)
    return most[:, digit] & (most.sum(1) == 1)


def encoded(count: int, start: bool = True) -> str:
    """As in "3 test digits were encoded", at the start of a sentence or within it."""
    if count == 0:
        return "No test digit was encoded" if start else "no test digit was encoded"
    return f"{count} test digit{' was' if count == 1 else 's were'} encoded"
