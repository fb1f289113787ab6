"""The lessons on the committed model: every check against brute force."""

import json
import math
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from latent_navigator.checkpoint.checkpoint import load_checkpoint
from latent_navigator.explorer import (
    dimension_lesson_checks,
    flat_lesson_checks,
    lesson_checks,
    lesson_solutions,
)
from latent_navigator.explorer import lessons as lesson_texts
from latent_navigator.explorer.directions import nudge_attribute, sensitivities
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.lesson_solutions import check_lesson, solutions, solve_lesson
from latent_navigator.explorer.lessons import lessons
from latent_navigator.explorer.map_layers import LAYERS
from tests.classifier import load_classifier
from tests.fixtures import ROOT

# Percent of the positions |z| <= 3 that meet each goal, on the grid of the tests.
SHARES = {
    "no_data": 1.03,
    "border": 2.35,
    "little_ink": 0.39,
    "sensitive": 5.48,
    "mixed": 1.59,
    "far_out": 8.84,
}
NAMES = list(SHARES)

Positions = Tensor | NDArray[np.floating] | list[list[float]]  # (N, 2)
Floats = NDArray[np.floating]
Integers = NDArray[np.integer]
Booleans = NDArray[np.bool_]


@pytest.fixture(scope="module")
def positions() -> Tensor:
    """(N, 2) a grid that avoids round numbers, on which circles and borders lie."""
    axis = torch.arange(-30, 31) * 0.1 + 0.013
    grid = torch.cartesian_prod(axis, axis)
    return (grid[grid.norm(dim=1) <= 3] * 1000).round() / 1000


@pytest.fixture(scope="module")
def nearby(space: LatentSpace, positions: Tensor) -> tuple[Integers, Integers]:
    """The neighbours of all `positions`."""
    return neighbours(space, positions)


def neighbours(space: LatentSpace, z: Positions) -> tuple[Integers, Integers]:
    """z (N, 2) -> classes (N, 10) of the 50 nearest digits, number (N,) of digits within 0.1."""
    (across, up), labels = space.means.double().T.contiguous().numpy(), space.labels.numpy()
    counts, within = [], []
    for x, y in np.asarray(z, dtype=float):
        squares = (across - x) ** 2 + (up - y) ** 2
        counts.append(np.bincount(labels[np.argpartition(squares, 50)[:50]], minlength=10))
        within.append((squares <= 0.01).sum())
    return np.array(counts), np.array(within)


def prevails(counts: Integers, digit: int) -> Booleans:
    """counts (N, 10) -> (N,) whether a class has more neighbours than each of the others."""
    found: Booleans = np.all(counts[:, [digit]] > np.delete(counts, digit, axis=1), axis=1)
    return found


def inks(space: LatentSpace, z: Positions) -> Floats:
    """(N,) mean brightness in percent, from the images as bytes."""
    images = space.decode_images(torch.as_tensor(z).float())
    return np.asarray(images.reshape(len(z), -1).mean(1) / 2.55)


def odd_looks(space: LatentSpace, z: Positions) -> Floats:
    """z (N, 2) -> (2, N) the blur of the images, and their change by their own reconstruction.

    From the images as bytes, as the share of the decoded test images that have less.
    """

    def measured(z: Tensor) -> Floats:  # (2, N)
        images = space.decode_images(z)
        x, back = (
            some.reshape(len(z), -1) / 255
            for some in (images, space.decode_images(space.encode(images)[0]))
        )
        change = np.linalg.norm(x - back, axis=1) / np.linalg.norm(x, axis=1)
        return np.stack([(x * (1 - x)).sum(1) / x.sum(1), change])

    if not len(z):
        return np.zeros((2, 0))
    usual = measured(space.means[::5])
    found = measured(torch.as_tensor(np.asarray(z)).float().reshape(-1, 2))
    return np.stack(
        [(some[None] < one[:, None]).mean(1) for some, one in zip(usual, found, strict=True)]
    )


def slopes(space: LatentSpace, z: Positions) -> Floats:
    """(N,) |J| by central differences, in float64."""
    z, total = torch.as_tensor(z).double(), torch.zeros(len(z), dtype=torch.float64)
    model = space.checkpoint.build_model().double()
    with torch.no_grad():
        for axis in torch.eye(2, dtype=torch.float64):
            ahead, behind = (model.decode(z + sign * 1e-5 * axis) for sign in (1, -1))
            total = total + ((ahead - behind) / 2e-5).flatten(1).square().sum(1)
    return total.sqrt().numpy()


def meets_goal(
    space: LatentSpace,
    name: str,
    z: Positions,
    norms: Floats | None = None,
    nearby: tuple[Integers, Integers] | None = None,
) -> Booleans:
    """(N,) which of z (N, 2) meet the goal of a lesson, by brute force.

    Args:
        norms: (M,) |J| at the encoded digits, for "sensitive".
        nearby: the neighbours of z, if they are known.
    """
    z = np.asarray(z, dtype=float)
    radius = np.hypot(z[:, 0], z[:, 1])
    counts, within = nearby or neighbours(space, z)
    if name == "no_data":
        met = np.asarray((within == 0) & (radius.round(2) <= 2.5))
        met[met] = (odd_looks(space, z[met]) >= 0.915).all(0)
        return met
    if name == "border":
        met = prevails(counts, 4) & (within > 0)
        for i in np.flatnonzero(met):
            turns = np.arange(24) / 24 * 2 * math.pi
            ring = np.stack([np.cos(turns), np.sin(turns)], axis=1)
            ends = np.concatenate([z[i] + step * ring for step in (0.05, 0.1, 0.15)])
            there, known = neighbours(space, ends)
            met[i] = (prevails(there, 9) & (known > 0)).any()
        return met
    if name == "little_ink":
        sevens = space.means[space.labels == 7].numpy()
        sevens = sevens[neighbours(space, sevens)[0][:, 7] >= 45]
        goal = np.quantile(inks(space, sevens), 0.1)
        return (counts[:, 7] >= 45) & (within > 0) & (inks(space, z) < round(goal, 1) + 0.05)
    if name == "sensitive":
        assert norms is not None
        rank = (norms[None] < slopes(space, z)[:, None]).mean(1)
        return np.asarray(rank >= 0.945)
    if name == "mixed":
        met = np.asarray((np.sort(counts, axis=1)[:, -3] >= 10) & (within > 0))
        met[met] = odd_looks(space, z[met])[0] >= 0.895
        return met
    return np.asarray((radius >= 1.995) & (within >= 5))


@pytest.fixture(scope="module")
def low_beta() -> LatentSpace:
    """The released model that was trained with a low beta."""
    return LatentSpace(load_checkpoint(ROOT / "pretrained" / "vae_low_beta.pt"))


@pytest.fixture(scope="module")
def norms(space: LatentSpace) -> Floats:
    """(M,) |J| at the encoded digits."""
    return space.once(sensitivities).numpy()


@pytest.mark.slow
@pytest.mark.guarantee("replay-and-lessons")
@pytest.mark.parametrize("name", NAMES)
def test_checks_agree_with_brute_force_and_are_neither_impossible_nor_trivial(
    space: LatentSpace,
    positions: Tensor,
    nearby: tuple[Integers, Integers],
    norms: Floats,
    name: str,
) -> None:
    expected = meets_goal(space, name, positions, norms, nearby)
    share = 100 * expected.mean()
    assert 0.05 <= share <= 15
    assert share == pytest.approx(SHARES[name], rel=0.25)
    # All positions would take minutes; 25 that meet the goal and 25 that do not are enough.
    generator = np.random.default_rng(0)
    sample = np.concatenate(
        [generator.permutation(np.flatnonzero(expected == met))[:25] for met in (True, False)]
    )
    found = [check_lesson(space, name, *positions[i].tolist())["done"] for i in sample]
    differences = int((np.array(found) != expected[sample]).sum())
    assert differences <= 1, "only rounding may make a difference"


def test_messages_contain_the_numbers(space: LatentSpace) -> None:
    z = [0.31, -0.42]
    counts, within = neighbours(space, [z])
    message = check_lesson(space, "no_data", *z)["message"]
    assert message.startswith(f"{within[0]} test digit")
    empty = [1, -2.2]
    nearest = float((space.means - torch.tensor(empty)).norm(dim=1).min())
    assert f"{nearest:.3f} away" in check_lesson(space, "no_data", *empty)["message"]

    message = check_lesson(space, "mixed", *z)["message"]
    for count in sorted(counts[0], reverse=True)[:3]:
        assert count == 0 or f"{count} are " in message or "1 is " in message
    assert "the goal is 95 %" in check_lesson(space, "sensitive", *z)["message"]

    sevens = space.anchor(7).tolist()
    ink = inks(space, torch.tensor([sevens]))[0]
    assert f"A 7 with {ink:.1f} % ink" in check_lesson(space, "little_ink", *sevens)["message"]
    radius = math.hypot(*sevens)
    assert check_lesson(space, "far_out", *sevens)["message"].startswith(f"{radius:.2f}σ")


@pytest.mark.slow
def test_the_step_in_the_message_leads_from_4_to_9(
    space: LatentSpace, positions: Tensor, nearby: tuple[Integers, Integers]
) -> None:
    counts, within = nearby
    fours = positions[prevails(counts, 4) & (within > 0)]
    done = 0
    for x, y in fours.tolist():
        answer = check_lesson(space, "border", x, y)
        if not answer["done"]:
            assert "at most" in answer["message"]
            continue
        done += 1
        ((step, side, degrees),) = re.findall(
            r"A step of (\S+) toward the (.+) \((\d+)°\) takes you", answer["message"]
        )
        length, angle = float(step), math.radians(int(degrees))
        end = [x + length * math.cos(angle), y + length * math.sin(angle)]
        there, known = neighbours(space, [end])
        assert prevails(there, 9)[0]
        assert known[0] > 0
        for names, amount in (
            (("right",), math.cos(angle)),
            (("left",), -math.cos(angle)),
            (("upper", "top"), math.sin(angle)),
            (("lower", "bottom"), -math.sin(angle)),
        ):
            assert any(name in side for name in names) == (amount > 0.39)
    assert done > 10


@pytest.mark.guarantee("replay-and-lessons")
def test_claims_of_the_lessons_hold_for_this_model(
    space: LatentSpace, norms: Floats, positions: Tensor
) -> None:
    """Sensitive positions are less pure, and at the same distance some sides are empty."""
    encoded = space.means[::20].numpy()
    counts, _ = neighbours(space, encoded)
    pure = counts.max(1) / 50
    sensitive = slopes(space, encoded) > np.quantile(norms, 0.95)
    assert pure[sensitive].mean() < pure[~sensitive].mean() - 0.05
    radius = positions.norm(dim=1)
    ring = positions[(radius > 2) & (radius < 2.5)].numpy()
    _, within = neighbours(space, ring)
    side = np.floor(np.degrees(np.arctan2(ring[:, 1], ring[:, 0])) / 30).astype(int)
    known = [(within[side == s] >= 5).mean() for s in range(-6, 6)]
    assert max(known) > 2 * min(known)
    for limit, share in ((2.5, 96), (2, 86)):
        assert round(100 * (1 - math.exp(-(limit**2) / 2))) == share


def test_lessons_have_short_texts(space: LatentSpace) -> None:
    listed = [lesson.record() for lesson in lessons(space)]
    assert [lesson["name"] for lesson in listed] == NAMES
    assert len(set(NAMES)) == 6
    for lesson in listed:
        actions = lesson.pop("actions")
        assert all(isinstance(text, str) and text for text in lesson.values())
        assert len(lesson["task"]) < 200
        assert len(lesson["learnt"]) < 200
        assert lesson["learnt"].count(". ") == 0, "one sentence"
        assert bool(actions) == (lesson["name"] == "little_ink")
    json.dumps(listed, allow_nan=False)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("z", [(0, 0), (4.5, -4.5), (-4.5, 4.5), (-0.75, -0.65)])
def test_every_position_of_the_map_has_an_answer(
    space: LatentSpace, name: str, z: tuple[float, float]
) -> None:
    answer = check_lesson(space, name, *z)
    assert set(answer) == {"done", "message", "distance", "images"}
    assert type(answer["done"]) is bool
    assert answer["message"].endswith(".")
    assert "nan" not in answer["message"]
    json.dumps(answer, allow_nan=False)


# Each is a position of the released model that a careless check would let pass.
MUST_NOT_PASS = {
    "a clear 0 without data": ("no_data", (1, -2.2), "still looks like a digit"),
    "a slanted 0 without data": ("no_data", (0.76, -2.04), "the goal is 92 % for both"),
    "a clear 9 without data": ("no_data", (-1.2, 2.1), "still looks like a digit"),
    "a blurred image with data": ("no_data", (-0.55, 0.55), "the goal is 0"),
    "far outside": ("no_data", (4.4, 4.4), "the goal is 2.5σ"),
    "a 4 far from any 9": ("border", (-0.95, 2.95), "the goal is"),
    "among the 9s": (
        "border",
        (-0.75, 0.1),
        "The goal is a supported position where 4s are the most common",
    ),
    "a smudge between 7 and 1": ("little_ink", (-2.9, -1.2), "goal: 45"),
    "a heavy 7": ("little_ink", (-1.9, 1.2), "goal: "),
    "the middle of the 1s": ("sensitive", (-0.8, -1.4), "the goal is 95 %"),
    "two classes": ("mixed", (-0.65, -0.1), "the goal is 10"),
    "a clear 9 among three classes": ("mixed", (-1.19, 2.01), "But the image is too sharp"),
    "a clear 0 among three classes": ("mixed", (0.81, -2.69), "the goal is 90 %"),
    "far out without data": ("far_out", (3.2, -2.6), "goal: 5 or more"),
    "well supported in the middle": ("far_out", (0, -0.4), "goal: 2σ or more"),
}


@pytest.mark.parametrize("case", MUST_NOT_PASS)
def test_positions_that_must_not_pass(space: LatentSpace, case: str) -> None:
    name, z, reason = MUST_NOT_PASS[case]
    answer = check_lesson(space, name, *z)
    assert not answer["done"]
    assert reason in answer["message"]
    assert answer["distance"] > 0


def test_no_faint_smudge_passes_for_little_ink(
    space: LatentSpace, positions: Tensor, nearby: tuple[Integers, Integers]
) -> None:
    """The lightest images among the 7s, of which less than 9 in 10 neighbours are 7s."""
    counts, within = nearby
    smudges = positions[prevails(counts, 7) & (counts[:, 7] < 45) & (within > 0)]
    lightest = smudges[np.argsort(inks(space, smudges))[:5]]
    for z in lightest.tolist():
        assert not check_lesson(space, "little_ink", *z)["done"]


def test_most_images_that_look_like_no_digit_pass_and_clear_ones_do_not(
    space: LatentSpace,
) -> None:
    """As a classifier sees them that knows nothing of the VAE, where there is no data."""
    axis = torch.arange(-50, 51) * 0.05 + 0.013
    grid = torch.cartesian_prod(axis, axis)
    empty = grid[(grid.norm(dim=1) <= 2.5) & (space.around(grid).within == 0)]
    with torch.no_grad():
        certain = load_classifier()(space.model.decode(empty)).softmax(1).max(1).values
    passes = flat_lesson_checks.no_data_met(space, empty)
    unsure, sure = passes[certain < 0.9], passes[certain >= 0.99]
    assert len(unsure) > 50
    assert unsure.float().mean() > 0.7
    assert len(sure) > 50
    assert sure.float().mean() < 0.1


def test_the_lesson_on_a_boundary_shows_both_sides_of_it(space: LatentSpace) -> None:
    goal = solve_lesson(space, "border", 0, 0)["goal"]
    images = check_lesson(space, "border", *goal)["images"]
    assert images[0] == {"caption": "Among the 4s", "position": pytest.approx(goal)}
    assert images[1]["caption"].startswith("Among the 9s, 0.")
    counts, _ = neighbours(space, [image["position"] for image in images])
    assert prevails(counts, 4).tolist() == [True, False]
    assert prevails(counts, 9).tolist() == [False, True]
    assert check_lesson(space, "border", 4, 4)["images"] == []


@pytest.mark.parametrize("beta", ["released", "low"])
def test_little_ink_starts_some_steps_from_its_goal(
    space: LatentSpace, low_beta: LatentSpace, beta: str
) -> None:
    model = space if beta == "released" else low_beta
    lesson = next(lesson for lesson in lessons(model) if lesson.key == "little_ink")
    assert lesson.actions[0]["label"] == "Go to a 7"
    (x, y), presses = np.round(np.array(lesson.actions[0]["position"]), 3), 0
    while not check_lesson(model, "little_ink", x, y)["done"]:
        x, y = np.round(nudge_attribute(model, x, y, "ink", -1)["path"][-1], 3)
        presses += 1
    assert 2 <= presses <= 5


@pytest.mark.parametrize("beta", ["released", "low"])
@pytest.mark.parametrize("name", NAMES)
def test_show_me_leads_to_a_position_that_passes(
    space: LatentSpace, low_beta: LatentSpace, beta: str, name: str
) -> None:
    model = space if beta == "released" else low_beta
    for start in ((0.3, -0.4), (-2, 1)):
        shown = solve_lesson(model, name, *start)
        answer = check_lesson(model, name, *shown["goal"])
        assert answer["done"], answer["message"]
        assert answer["distance"] == 0
        assert set(shown["layers"]) <= {layer.key for layer in LAYERS}


@pytest.mark.parametrize("name", NAMES)
def test_the_distance_says_how_far_the_nearest_solution_is(space: LatentSpace, name: str) -> None:
    """Whoever walks that far in the best direction arrives, and it shrinks along the way."""
    found = solutions(space, name)
    start = torch.tensor([3.3, 3.3])
    goal = found[(found - start).norm(dim=1).argmin()]
    steps = [start + share * (goal - start) for share in (0, 0.5, 0.9)]
    distances = [check_lesson(space, name, *z.tolist())["distance"] for z in steps]
    assert distances[0] == pytest.approx(float((goal - start).norm()), abs=1e-3)
    assert distances == sorted(distances, reverse=True)


def test_a_lesson_without_a_solution_says_so(
    space: LatentSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lesson_solutions, "solutions", lambda *_: torch.zeros(0, 2))
    assert check_lesson(space, "mixed", 0, 0)["distance"] is None
    with pytest.raises(ValueError, match=r"No position .*Go on to the next lesson"):
        solve_lesson(space, "mixed", 0, 0)


@pytest.mark.parametrize(
    "name", [None, "", "Border", "goal", "all", "_border", 2, ["border"], True]
)
def test_unknown_lessons_are_named(space: LatentSpace, name: object) -> None:
    with pytest.raises(ValueError, match=r"lesson is .*give one of no_data, border"):
        check_lesson(space, name, 0, 0)


@pytest.mark.guarantee("positions-validated")
@pytest.mark.parametrize(
    "z", [(9, 0), (0, math.nan), ("1", 0), (None, 0), (0, True), (math.inf, 0)]
)
def test_invalid_positions_are_named(space: LatentSpace, z: tuple[object, object]) -> None:
    with pytest.raises(ValueError, match=r"is .*; give a number from"):
        check_lesson(space, "no_data", *z)


@pytest.mark.slow
def test_concurrent_checks_do_not_affect_each_other(space: LatentSpace) -> None:
    requests = [(name, 0.1 * i - 1, 0.3) for i in range(8) for name in NAMES]
    expected = [check_lesson(space, *request) for request in requests]
    fresh = LatentSpace(space.checkpoint)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda request: check_lesson(fresh, *request), requests)) == expected


@pytest.mark.guarantee("imports-have-no-effects")
def test_importing_lessons_computes_nothing() -> None:
    modules = lesson_checks, lesson_texts, flat_lesson_checks, dimension_lesson_checks
    values = [value for module in modules for value in vars(module).values()]
    assert not [value for value in values if isinstance(value, Tensor)]
