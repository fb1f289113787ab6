"""Six small challenges about the latent space, each checked at the current position alone.

A check holds no state and compares the numbers as the page writes them: nobody reads "2.00" and is
told that it is less than 2. The tests measure how large a part of the map fulfils each lesson.
"""

import functools
import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from latent_navigator.data.dataset_info import Noun, a
from latent_navigator.explorer.directions import Compass
from latent_navigator.explorer.latent_space import WELL_KNOWN, Navigator, choice
from latent_navigator.explorer.presets import chosen
from latent_navigator.geometry.attributes import ATTRIBUTES, describe, jacobian_norm, measure
from latent_utils import NEIGHBOURS, RADIUS, Neighbourhood, neighbourhood

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


def lessons_of(navigator: Navigator) -> tuple[Lesson, ...]:
    """The lessons on a model, in their order; hints about places of the map are for MNIST's."""
    picked, mnist = chosen(navigator), navigator.is_mnist
    noun, nouns = navigator.noun
    one, other = (navigator.names[c] for c in picked.border)
    ones, others = (navigator.plurals[c] for c in picked.border)
    spare, spares = navigator.names[picked.sparing], navigator.plurals[picked.sparing]
    near = ", at the bottom or the upper right for instance," if mnist else ""
    three = ", such as 3, 5 and 8 or 4, 7 and 9," if mnist else ""
    left = ", to the left for instance" if mnist else ""
    unlike = "Handwriting differs" if mnist else "The pictures differ"
    return (
        Lesson(
            "invented",
            "Find where the model invents",
            f"Go to a place within {INSIDE:g}σ of the centre where no test {noun} was encoded "
            "within "
            f"{RADIUS:g}.",
            f"Zoom in just outside the second ring{near} and "
            "put the cursor into the middle of a gap between the points.",
            "The decoder draws something everywhere, also where nothing was encoded. The picture "
            f"does not tell an invention from what was learnt; only the encoded {nouns} around "
            "it do.",
        ),
        Lesson(
            "step",
            f"Find {a(one)} that becomes {a(other)} in one small step",
            f"Go to a place among the {ones} from which a step of at most {STEPS[-1]:g} leads "
            "among the "
            f"{others}. Test {nouns} must have been encoded at both.",
            f"Switch on the Regions and go to the border between the colours of {one} and "
            f"{other}, on the side "
            f"of the {one}.",
            f"The latent space is continuous: there is no wall between two {nouns}. The picture "
            "changes "
            "little by little, and only its name changes at once.",
        ),
        Lesson(
            "sparing",
            f"Make {a(spare)} with little ink",
            f"Go to a known place among the {spares} where the drawn {spare} has as little ink "
            "as the most sparing "
            f"tenth of the test {spares}.",
            f"Press {spare} on the first screen, then “less ink” in the Directions tab a few "
            "times, and come "
            f"back. If that gets stuck, begin at another {spare}.",
            "A wish such as “less ink” has an exact direction at each place: the gradient "
            "through the "
            "decoder. It turns from place to place, because neither axis stands for one property.",
        ),
        Lesson(
            "fragile",
            "Find the most fragile place",
            "Go where a small move changes the picture more than at "
            f"{FRAGILE} % of the encoded {nouns}.",
            "Switch on the Sensitivity and go where it is strongest; often that is a line "
            "between two "
            f"{nouns}.",
            "The decoder stretches the map unevenly. Where the norm of its Jacobian ‖J‖ is "
            "large, a "
            f"small move changes much: mostly where {nouns} of unlike shape meet.",
        ),
        Lesson(
            "three",
            f"Three {'digits' if mnist else 'classes'} at one place",
            f"Go to a known place where three {'digits' if mnist else 'classes'} have at least "
            f"{PRESENT} each of the {NEIGHBOURS} "
            "nearest encodings.",
            f"Switch on the Regions, look where three colours meet{three or ','} and watch the "
            "bars beside "
            f"the {noun}.",
            f"{unlike} in more than two ways. Squeezed into two numbers, unlike {nouns} share "
            "a place, and the decoder draws their average; more dimensions would keep them apart.",
        ),
        Lesson(
            "outside",
            "Far out and still well known",
            f"Go at least {FAR_OUT:g}σ from the centre, to a place where {WELL_KNOWN} or more test "
            f"{nouns} were encoded within {RADIUS:g}.",
            f"Follow the dense points outward over the second ring{left}; some "
            "sides thin out sooner.",
            f"The prior N(0, I) is the same on all sides; the encoded {nouns} (the aggregate "
            "posterior) "
            "are not. At one distance some sides are full and others bare, where a random draw "
            "from "
            "the prior lands on nothing.",
        ),
    )


class Lessons:
    """The lessons and their checks on one model; holds nothing of any visitor."""

    def __init__(self, compass: Compass):
        self.compass = compass
        self.navigator = compass.navigator
        self.chosen = chosen(self.navigator)
        # The third lesson of three classes needs as many.
        many = len(self.navigator.names) > 2
        self.lessons = [x for x in lessons_of(self.navigator) if many or x.name != "three"]

    def all(self) -> list[dict[str, str]]:
        """The texts of the lessons, in their order."""
        return [lesson._asdict() for lesson in self.lessons]

    def check(self, name: Any, x: Any, y: Any) -> dict[str, Any]:
        """Whether a position fulfils a lesson, and a sentence that tells how near it is.

        Returns:
            {"done": bool, "message": text}.

        Raises:
            ValueError: if the lesson is unknown or the position is not on the map.
        """
        choice("lesson", name, tuple(lesson.name for lesson in self.lessons))
        z = self.navigator.position(x, y)
        done, told = getattr(self, f"_{name}")(z)
        return {"done": done, "message": told}

    def _around(self, z: Tensor) -> Neighbourhood:
        """Of places (N, 2)."""
        return neighbourhood(z, self.navigator.means, self.navigator.labels)

    def _missed(self, digit: int, around: Neighbourhood) -> str | None:
        """Why a single place is not one of a digit; None if it is."""
        name, counts = self.navigator.plurals[digit], votes(around)[0]
        noun = self.navigator.noun.one
        if prevails(digit, around):
            if around.within:
                return None
            return f"{name} prevail, but no test {noun} was encoded within {RADIUS:g} of here."
        rivals = counts.clone()
        rivals[digit] = -1
        rival = int(rivals.argmax())
        count, other = int(counts[digit]), self.navigator.plurals[rival]
        if counts[rival] == count:
            return f"As many {other} as {name}: {count} each of the {NEIGHBOURS} nearest."
        return f"Here {other} prevail; {count} of the {NEIGHBOURS} nearest are {name}."

    @functools.cached_property
    def goal(self) -> float:
        """The ink of a sparing 7, in percent of the picture, to one decimal as it is told.

        Among the digits decoded where test 7s were encoded and 7s prevail; half a second.
        """
        sevens = self.navigator.means[self.navigator.labels == self.chosen.sparing]
        shares = torch.cat([self._around(some).shares for some in sevens.split(200)])
        ink = self._ink(sevens[shares.argmax(1) == self.chosen.sparing])
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
                f"{encoded(within, self.navigator.noun)} within {RADIUS:g} of here, the nearest "
                f"{nearest:.3f} away. "
                "Find a place with none."
            )
        none = (
            f"{encoded(0, self.navigator.noun)} within {RADIUS:g} of here: the nearest is "
            f"{nearest:.3f}"
        )
        if round(radius, 2) > INSIDE:
            return False, (
                f"{none} away. But the centre is {radius:.2f}σ away; come within {INSIDE:g}σ."
            )
        return True, f"{none} away, and the centre {radius:.2f}σ."

    def _step(self, z: Tensor) -> tuple[bool, str]:
        here = self._around(z[None])
        one, other = self.chosen.border
        if missed := self._missed(one, here):
            return False, missed
        four, nine = self.navigator.plurals[one], self.navigator.plurals[other]
        angles = torch.arange(DIRECTIONS) * (2 * math.pi / DIRECTIONS)
        ring = torch.stack([angles.cos(), angles.sin()], dim=1)  # (24, 2)
        there = self._around(z + torch.cat([length * ring for length in STEPS]))  # 72, near first
        good = prevails(other, there) & (there.within > 0)
        told = f"{four} prevail: {int(votes(here)[0, one])} of the {NEIGHBOURS} nearest."
        if not good.any():
            most = int((votes(there)[:, other]).max())
            return False, (
                f"{told} A step of up to {STEPS[-1]:g} finds at most {most} {nine} among "
                f"the {NEIGHBOURS} nearest, and they do not prevail there."
            )
        first = int(good.int().argmax())
        turn = round(math.degrees(float(angles[first % DIRECTIONS])))
        return True, (
            f"{told} {nine} prevail {STEPS[first // DIRECTIONS]:g} away, to the "
            f"{SIDES[round(turn / 45) % 8]} ({turn}°)."
        )

    def _sparing(self, z: Tensor) -> tuple[bool, str]:
        goal = describe("ink", self.goal)
        if missed := self._missed(self.chosen.sparing, self._around(z[None])):
            return False, f"{missed} The ink to reach is {goal}."
        ink = float(self._ink(z[None]))
        name = a(self.navigator.names[self.chosen.sparing])
        told = f"{name[0].upper()}{name[1:]} with {describe('ink', ink)} ink; "
        return round(ink, 1) <= self.goal, f"{told}the goal is {goal} or less."

    def _fragile(self, z: Tensor) -> tuple[bool, str]:
        norm = jacobian_norm(self.compass.paths.decode, z[None])
        rank = round(100 * self.compass.rank(norm))
        return rank >= FRAGILE, (
            f"A move of 0.01 changes the picture by up to {float(norm) / 100:.2f}, more than at "
            f"{rank} % of the encoded {self.navigator.noun.many}; the goal is {FRAGILE} %."
        )

    def _three(self, z: Tensor) -> tuple[bool, str]:
        around = self._around(z[None])
        best = votes(around)[0].sort(descending=True, stable=True)
        counts, digits = best.values[:3].tolist(), best.indices[:3].tolist()
        listed = [
            f"{self.navigator.plurals[digit]} {count}"
            for digit, count in zip(digits, counts, strict=True)
            if count
        ]
        told = f"Of the {NEIGHBOURS} nearest: {', '.join(listed)}."
        if counts[2] < PRESENT:
            return False, f"{told} The third needs {PRESENT}."
        if not around.within:
            return (
                False,
                f"{told} But no test {self.navigator.noun.one} was encoded within {RADIUS:g} of "
                "here.",
            )
        return True, told

    def _outside(self, z: Tensor) -> tuple[bool, str]:
        within, radius = int(self._around(z[None]).within), float(z.norm())
        told = (
            f"{radius:.2f}σ from the centre; "
            f"{encoded(within, self.navigator.noun, start=False)} within {RADIUS:g}."
        )
        far, known = round(radius, 2) >= FAR_OUT, within >= WELL_KNOWN
        if not far:
            told += f" Go out to {FAR_OUT:g}σ."
        elif not known:
            told += f" Find a place with {WELL_KNOWN}."
        return far and known, told


def votes(around: Neighbourhood) -> Tensor:
    """(N, C) how many of the nearest encodings are each digit."""
    return (around.shares * NEIGHBOURS).round().int()


def prevails(digit: int, around: Neighbourhood) -> Tensor:
    """(N,) bool: whether there are more of a digit than of each other."""
    counts = votes(around)
    most = counts == counts.max(1, keepdim=True).values  # (N, C)
    return most[:, digit] & (most.sum(1) == 1)


def encoded(count: int, noun: Noun, start: bool = True) -> str:
    """As in "3 test digits were encoded", at the start of a sentence or within it."""
    if count == 0:
        return f"{'No' if start else 'no'} test {noun.one} was encoded"
    return f"{count} test {f'{noun.one} was' if count == 1 else f'{noun.many} were'} encoded"
