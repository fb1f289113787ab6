"""Short lessons about the latent space, each checked at the cursor's position alone.

To add a lesson, write its checks in `lesson_checks` and add a function that returns its Lesson to
LESSONS; those about more than two dimensions are in `dimension_lessons`. The tests measure how
large a part of the map meets each goal.
"""

from collections.abc import Callable

from torch import Tensor

from latent_navigator.data.dataset_info import with_article
from latent_navigator.explorer import flat_lesson_checks as flat
from latent_navigator.explorer import lesson_checks as checks
from latent_navigator.explorer.arguments import choice
from latent_navigator.explorer.dimension_lesson_checks import encodings
from latent_navigator.explorer.dimension_lessons import dimension_lessons
from latent_navigator.explorer.directions import ranked_encodings
from latent_navigator.explorer.flat_lesson_checks import (
    BLURRED,
    FAR_OUT,
    INSIDE,
    PRESENT,
    STRANGE,
)
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.lesson import Lesson
from latent_navigator.explorer.lesson_checks import SENSITIVE, STEPS
from latent_navigator.explorer.presets import presets
from latent_navigator.explorer.readout import WELL_SUPPORTED
from latent_navigator.geometry.attributes import ATTRIBUTES
from latent_utils import NEIGHBOURS


def _hint(hint: str) -> str:
    """A hint of the data set in the middle of a sentence; nothing where there is none."""
    return f", {hint}," if hint else ""


def _among_encodings(space: LatentSpace) -> Callable[[LatentSpace], Tensor] | None:
    """Where to look for what the data has: a plane of more dimensions passes most of it by."""
    return encodings if space.latent_dim > 2 else None


def _no_data(space: LatentSpace) -> Lesson:
    info = space.info
    return Lesson(
        key="no_data",
        title="Find where the model extrapolates",
        task=f"Go to a position within {INSIDE:g}σ of the prior's centre where no test {info.item} "
        f"was encoded within {space.radius:g} and the decoded image is unlike any {info.item}.",
        hint=f"Move the cursor into the gaps between the points{_hint(info.hints.empty_regions)} "
        "and look for a blurred image with strokes of two shapes.",
        measured="Blur is the share of the ink that is grey. The image is also encoded and decoded "
        "again, and its change is measured relative to the image. Both values are ranked among the "
        f"decoded test {info.items}: the goal is to exceed {STRANGE} % of them in both.",
        learnt="The decoder draws an image at every position, and only the encoded "
        f"{info.items} nearby tell you whether it was learnt or extrapolated.",
        check=flat.no_data,
        met=flat.no_data_met,
        layers=("points", "rings"),
    )


def _border(space: LatentSpace) -> Lesson:
    info = space.info
    one, other = (space.class_names[c] for c in presets(space).border)
    ones, others = (space.plurals[c] for c in presets(space).border)
    return Lesson(
        key="border",
        title=f"Find {with_article(one)} that becomes {with_article(other)} in one small step",
        task=f"Go to a position among the {ones} from which a step of at most {STEPS[-1]:g} takes "
        f"you among the {others}. Test {info.items} must have been encoded near both positions.",
        hint=f"Turn on Regions and go to the boundary between the colours of {one} and {other}, on "
        f"the side of the {ones}.",
        measured=f"The most common class is the one with more of the {NEIGHBOURS} nearest encoded "
        f"{info.items} than any other class. Steps of {STEPS[0]:g}, {STEPS[1]:g} and {STEPS[2]:g} "
        f"in {checks.DIRECTIONS} directions are tried.",
        learnt="The decoder is continuous: across a boundary the image changes little by little, "
        "and only the most common class changes abruptly.",
        check=checks.border,
        met=checks.border_met,
        layers=("regions",),
    )


def _little_ink(space: LatentSpace) -> Lesson:
    label = presets(space).little_ink
    name, names = space.class_names[label], space.plurals[label]
    less, start = ATTRIBUTES["ink"].less, with_article(name)
    return Lesson(
        key="little_ink",
        title=f"Draw {start} with little ink",
        task=f"Go to a position where nearly all neighbours are {names} and the decoded {name} has "
        f"less ink than nine out of ten other {names}.",
        hint=f"Press “Go to {start}”, then “{less}” until it stops. If you get stuck, start from "
        f"another position among the {names}.",
        measured="Ink is the mean of the pixels, as a percentage of an image that is all ink. "
        "The goal is the tenth with the least ink among the images decoded at the encodings of "
        f"{names} whose {NEIGHBOURS} nearest neighbours are nearly all {names}.",
        learnt="At each position a change such as “less ink” has an exact direction, along or "
        "against the gradient through the decoder, and it differs from position to position.",
        check=checks.little_ink,
        met=checks.little_ink_met,
        candidates=_among_encodings(space),
        actions=(
            {"label": f"Go to {start}", "position": space.once(checks.ink_goal).start.tolist()},
            {"label": less[:1].upper() + less[1:], "attribute": "ink", "sign": -1},
        ),
    )


def _sensitive(space: LatentSpace) -> Lesson:
    items = space.info.items
    ranked = f"{len(ranked_encodings(space)):,} encoded test {items}"
    return Lesson(
        key="sensitive",
        title="Find a very sensitive position",
        task=f"Go where a small move changes the image more than at {SENSITIVE} % of "
        f"{ranked}: at most {100 - SENSITIVE} of 100 lie at a "
        "more sensitive position.",
        hint="Turn on Sensitivity (under More) and go where it is strongest, often a line between "
        f"two {space.info.class_word}.",
        measured="Sensitivity is ‖J‖, the norm of the decoder's Jacobian: how much the image "
        f"changes per unit of movement. It is measured at the positions of {ranked}, "
        "and the percentage says how many of them have a lower one.",
        learnt="The decoder stretches the map unevenly: where the norm of its Jacobian ‖J‖ is "
        f"large, mostly where {items} of different shape meet, a small move changes the image a "
        "lot.",
        check=checks.sensitive,
        met=checks.sensitive_met,
        candidates=_among_encodings(space),
        layers=("sensitivity",),
    )


def _mixed(space: LatentSpace) -> Lesson:
    info, classes = space.info, space.info.class_word
    return Lesson(
        key="mixed",
        title=f"Three {classes} in one region",
        task=f"Go to a position where at least {PRESENT} of the {NEIGHBOURS} nearest test "
        f"{info.items} belong to each of three classes, and the decoded image is a blur of them.",
        hint=f"Turn on Regions, look where three colours meet{_hint(info.hints.mixed_classes)} "
        f"and watch the bars beside the {info.item}: the third-highest must reach a fifth. "
        "If the image is sharp, look elsewhere.",
        measured=f"The bars beside the {info.item} show the same {NEIGHBOURS} neighbours. The "
        f"third-largest class must have at least {PRESENT}, and one test {info.item} or more must "
        f"be encoded within {space.radius:g}. Blur is the share of the ink that is grey: it must "
        f"exceed that of {BLURRED} % of the decoded test {info.items}.",
        learnt=f"Two numbers are too few to keep all {classes} apart: where several share a "
        "region, one image has to do for all of them.",
        check=flat.mixed,
        met=flat.mixed_met,
        layers=("regions",),
    )


def _far_out(space: LatentSpace) -> Lesson:
    info = space.info
    return Lesson(
        key="far_out",
        title="Far out, yet well supported",
        task=f"Go at least {FAR_OUT:g}σ from the prior's centre, to a position where "
        f"{WELL_SUPPORTED} or more test {info.items} were encoded within {space.radius:g}.",
        hint=f"Follow the dense points outward past the second ring{_hint(info.hints.far_side)} "
        "until they thin out; some sides thin out sooner.",
        measured="One σ is the standard deviation of the prior N(0, I); the rings mark 1σ, 2σ and "
        "3σ.",
        learnt="Distance from the centre does not say whether there is data: the prior N(0, I) is "
        f"the same in all directions, the distribution of encoded {info.items} is not.",
        check=flat.far_out,
        met=flat.far_out_met,
        layers=("points", "rings"),
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
        return dimension_lessons(space) + [some for some in found if some.key not in FLAT]
    enough = len(space.class_names) > 2  # the lesson on mixed classes needs three
    return [lesson for lesson in found if enough or lesson.key != "mixed"]


def lesson_named(space: LatentSpace, key: object) -> Lesson:
    """The lesson of that key.

    Raises:
        ValueError: if there is none.
    """
    known = {lesson.key: lesson for lesson in lessons(space)}
    return known[choice("lesson", key, tuple(known))]
