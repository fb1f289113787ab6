"""Six short lessons about the latent space, each checked at the cursor's position alone.

To add a lesson, write its check in `lesson_checks` and add a function that returns its Lesson to
LESSONS. The tests measure how large a part of the map meets each goal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from latent_navigator.data.dataset_info import with_article
from latent_navigator.explorer import lesson_checks as checks
from latent_navigator.explorer.arguments import choice
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.lesson_checks import (
    FAR_OUT,
    INSIDE,
    PRESENT,
    SENSITIVE,
    STEPS,
    Verdict,
)
from latent_navigator.explorer.presets import presets
from latent_navigator.explorer.readout import WELL_SUPPORTED
from latent_utils import NEIGHBOURS


@dataclass(frozen=True)
class Lesson:
    """A task on the map, in the words of the page, with the check that says when it is done."""

    key: str
    title: str
    task: str
    hint: str
    why: str  # what its solution shows about VAEs
    check: Callable[[LatentSpace, Tensor], Verdict]

    def record(self) -> dict[str, str]:
        """The texts, as JSON."""
        return {
            "name": self.key,
            "title": self.title,
            "task": self.task,
            "hint": self.hint,
            "why": self.why,
        }


def _hint(hint: str) -> str:
    """A hint of the data set in the middle of a sentence; nothing where there is none."""
    return f", {hint}," if hint else ""


def _no_data(space: LatentSpace) -> Lesson:
    info = space.info
    return Lesson(
        key="no_data",
        title="Find where the model extrapolates",
        task=f"Go to a position within {INSIDE:g}σ of the centre where no test {info.item} was "
        f"encoded within {space.radius:g}.",
        hint=f"Zoom in just outside the second ring{_hint(info.hints.empty_regions)} and move the "
        "cursor into the middle of a gap between the points.",
        why="The decoder draws something everywhere, even where nothing was encoded. The image "
        f"alone does not show that it is extrapolated; only the encoded {info.items} nearby do.",
        check=checks.no_data,
    )


def _border(space: LatentSpace) -> Lesson:
    info = space.info
    one, other = (space.class_names[c] for c in presets(space).border)
    ones, others = (space.plurals[c] for c in presets(space).border)
    return Lesson(
        key="border",
        title=f"Find {with_article(one)} that becomes {with_article(other)} in one small step",
        task=f"Go to a position among the {ones} from which a step of at most {STEPS[-1]:g} takes "
        f"you among the {others}. Test {info.items} must have been encoded at both.",
        hint=f"Turn on Regions and go to the border between the colours of {one} and {other}, on "
        f"the side of the {ones}.",
        why=f"The latent space is continuous: there is no sharp boundary between two "
        f"{info.class_word}. The image changes gradually; only its class changes at once.",
        check=checks.border,
    )


def _little_ink(space: LatentSpace) -> Lesson:
    name = space.class_names[presets(space).little_ink]
    names = space.plurals[presets(space).little_ink]
    return Lesson(
        key="little_ink",
        title=f"Draw {with_article(name)} with little ink",
        task=f"Go to a position among the {names}, with test {space.info.items} encoded nearby, "
        f"where the decoded {name} has as little ink as the lightest tenth of the test {names}.",
        hint=f"Go to {name} in the Explore tab, press “less ink” in the Directions tab a few "
        f"times, and come back. If you get stuck, start from another {name}.",
        why="A wish such as “less ink” has an exact direction at each position: the gradient "
        "through the decoder. It turns from position to position, because no axis stands for a "
        "single property.",
        check=checks.little_ink,
    )


def _sensitive(space: LatentSpace) -> Lesson:
    items = space.info.items
    return Lesson(
        key="sensitive",
        title="Find the most sensitive position",
        task=f"Go where a small move changes the image more than at {SENSITIVE} % of the encoded "
        f"{items}.",
        hint="Turn on Sensitivity and go where it is strongest, often a line between two "
        f"{space.info.class_word}.",
        why="The decoder stretches the map unevenly. Where the norm of its Jacobian ‖J‖ is large, "
        f"a small move changes the image a lot: mostly where {items} of different shape meet.",
        check=checks.sensitive,
    )


def _mixed(space: LatentSpace) -> Lesson:
    info, classes = space.info, space.info.class_word
    return Lesson(
        key="mixed",
        title=f"Three {classes} in one region",
        task=f"Go to a position, with test {info.items} encoded nearby, where three {classes} have "
        f"at least {PRESENT} each of the {NEIGHBOURS} nearest neighbours.",
        hint=f"Turn on Regions, look where three colours meet{_hint(info.hints.mixed_classes)} "
        f"and watch the bars beside the {info.item}.",
        why=f"These {info.items} differ in more than two ways. Compressed into two numbers, "
        f"different {classes} share a region, and the decoder draws their average; more "
        "dimensions would keep them apart.",
        check=checks.mixed,
    )


def _far_out(space: LatentSpace) -> Lesson:
    info = space.info
    return Lesson(
        key="far_out",
        title="Far out, yet well supported",
        task=f"Go at least {FAR_OUT:g}σ from the centre, to a position where {WELL_SUPPORTED} or "
        f"more test {info.items} were encoded within {space.radius:g}.",
        hint=f"Follow the dense points outward past the second ring{_hint(info.hints.far_side)} "
        "until they thin out; some sides thin out sooner.",
        why=f"The prior N(0, I) is the same in all directions; the encoded {info.items} (the "
        "aggregate posterior) are not. At the same distance some sides are full and others empty, "
        "so that a random draw from the prior can land on nothing.",
        check=checks.far_out,
    )


LESSONS: list[Callable[[LatentSpace], Lesson]] = [
    _no_data,
    _border,
    _little_ink,
    _sensitive,
    _mixed,
    _far_out,
]

# What they show is true of two dimensions: the full centre, the two numbers.
FLAT = ("no_data", "mixed", "far_out")


def lessons(space: LatentSpace) -> list[Lesson]:
    """The lessons for a model, in their order."""
    found = [make(space) for make in LESSONS]
    if space.latent_dim > 2:
        found = [lesson for lesson in found if lesson.key not in FLAT]
    enough = len(space.class_names) > 2  # the lesson on mixed classes needs three
    return [lesson for lesson in found if enough or lesson.key != "mixed"]


def check_lesson(space: LatentSpace, key: object, x: object, y: object = None) -> dict[str, Any]:
    """Whether a position meets the goal of a lesson.

    Returns:
        {"done": bool, "message": a sentence on how close it is}.

    Raises:
        ValueError: if the lesson is unknown or the position is not on the map.
    """
    known = {lesson.key: lesson for lesson in lessons(space)}
    verdict = known[choice("lesson", key, tuple(known))].check(space, space.position(x, y))
    return {"done": bool(verdict.done), "message": verdict.message}
