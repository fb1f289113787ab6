"""The lessons on the committed model: every check computed again by other means."""

import json
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from latent_navigator.explorer import lessons
from latent_navigator.explorer.directions import Compass
from latent_navigator.explorer.interpolation import Paths
from latent_navigator.explorer.lessons import Lessons

# Percent of the places |z| <= 3 that fulfil each, on a grid of 0.05; the tests take one of 0.1.
SHARES = {
    "invented": 3.27,
    "step": 2.35,
    "sparing": 0.87,
    "fragile": 5.48,
    "three": 2.48,
    "outside": 8.84,
}


NAMES = list(SHARES)


@pytest.fixture(scope="module")
def taught(navigator):
    return Lessons(Compass(Paths(navigator)))


@pytest.fixture(scope="module")
def places() -> torch.Tensor:
    """(N, 2) the grid, off the round numbers on which circles and borders lie."""
    axis = torch.arange(-30, 31) * 0.1 + 0.013
    grid = torch.cartesian_prod(axis, axis)
    return (grid[grid.norm(dim=1) <= 3] * 1000).round() / 1000


def neighbours(navigator, z):
    """z (N, 2) numpy -> counts (N, 10) of the 50 nearest, and how many lie within 0.1."""
    means, labels = navigator.means.double().numpy(), navigator.labels.numpy()
    counts, within = [], []
    for place in np.asarray(z, dtype=float):
        squares = ((means - place) ** 2).sum(1)
        counts.append(np.bincount(labels[np.argpartition(squares, 50)[:50]], minlength=10))
        within.append((squares <= 0.01).sum())
    return np.array(counts), np.array(within)


def alone(counts, digit):
    """(N,) whether there are more of a digit than of each other."""
    return (counts[:, [digit]] > np.delete(counts, digit, axis=1)).all(1)


def inks(navigator, z):
    """(N,) mean brightness in percent, from the pictures as bytes."""
    return navigator.pictures(torch.as_tensor(z).float()).reshape(len(z), -1).mean(1) / 2.55


def slopes(navigator, z):
    """(N,) |J| by central differences, in float64."""
    z, total = torch.as_tensor(z).double(), 0
    model = navigator.checkpoint.build_model().double()
    with torch.no_grad():
        for axis in torch.eye(2, dtype=torch.float64):
            ahead, behind = (model.decode(z + sign * 1e-5 * axis) for sign in (1, -1))
            total = total + ((ahead - behind) / 2e-5).flatten(1).square().sum(1)
    return total.sqrt().numpy()


def fulfilled(navigator, name, z, usual=None) -> np.ndarray:
    """Which of z (N, 2) fulfil a lesson, by brute force.

    Args:
        usual: (M,) |J| at encoded digits, for "fragile".
    """
    z = np.asarray(z, dtype=float)
    radius = np.hypot(z[:, 0], z[:, 1])
    counts, within = neighbours(navigator, z)
    if name == "invented":
        return (within == 0) & (radius <= 2.5)
    if name == "step":
        good = alone(counts, 4) & (within > 0)
        for i in np.flatnonzero(good):
            turns = np.arange(24) / 24 * 2 * math.pi
            ring = np.stack([np.cos(turns), np.sin(turns)], axis=1)
            ends = np.concatenate([z[i] + step * ring for step in (0.05, 0.1, 0.15)])
            there, known = neighbours(navigator, ends)
            good[i] = (alone(there, 9) & (known > 0)).any()
        return good
    if name == "sparing":
        sevens = navigator.means[navigator.labels == 7].numpy()
        sevens = sevens[neighbours(navigator, sevens)[0].argmax(1) == 7]
        goal = np.quantile(inks(navigator, sevens), 0.1)
        return alone(counts, 7) & (within > 0) & (inks(navigator, z) < round(goal, 1) + 0.05)
    if name == "fragile":
        rank = (usual[None] < slopes(navigator, z)[:, None]).mean(1)
        return rank >= 0.945
    if name == "three":
        return (np.sort(counts, axis=1)[:, -3] >= 10) & (within > 0)
    return (radius >= 1.995) & (within >= 5)


@pytest.fixture(scope="module")
def usual(taught):
    return taught.compass._usual.numpy()


@pytest.mark.guarantee("replay-and-lessons")
@pytest.mark.parametrize("name", NAMES)
def test_checks_agree_with_brute_force_and_are_neither_impossible_nor_idle(
    taught, navigator, places, usual, name
):
    expected = fulfilled(navigator, name, places, usual)
    share = 100 * expected.mean()
    assert 0.05 <= share <= 15
    assert share == pytest.approx(SHARES[name], rel=0.25)
    # All places would take minutes: some that fulfil it, and some that do not.
    generator = np.random.default_rng(0)
    tried = [
        generator.permutation(np.flatnonzero(expected == wanted))[:40] for wanted in (True, False)
    ]
    tried = np.concatenate(tried)
    found = [taught.check(name, *places[i].tolist())["done"] for i in tried]
    differ = int((np.array(found) != expected[tried]).sum())
    assert differ <= 1, "only rounding may tell them apart"


def test_what_is_told_holds_the_numbers(taught, navigator):
    z = [0.31, -0.42]
    counts, within = neighbours(navigator, [z])
    told = taught.check("invented", *z)["message"]
    nearest = float((navigator.means - torch.tensor(z)).norm(dim=1).min())
    assert told.startswith(f"{within[0]} test digit") and f"{nearest:.3f} away" in told

    told = taught.check("three", *z)["message"]
    for count in sorted(counts[0], reverse=True)[:3]:
        assert count == 0 or f"s {count}" in told
    assert taught.check("fragile", *z)["message"].endswith("the goal is 95 %.")

    sevens = navigator.anchor(7).tolist()
    ink = inks(navigator, torch.tensor([sevens]))[0]
    assert f"A 7 with {ink:.1f} % ink" in taught.check("sparing", *sevens)["message"]
    radius = math.hypot(*sevens)
    assert taught.check("outside", *sevens)["message"].startswith(f"{radius:.2f}σ")


def test_the_step_that_is_told_leads_from_4_to_9(taught, navigator, places):
    counts, within = neighbours(navigator, places)
    fours = places[alone(counts, 4) & (within > 0)]
    done = 0
    for x, y in fours.tolist():
        answer = taught.check("step", x, y)
        if not answer["done"]:
            assert "at most" in answer["message"]
            continue
        done += 1
        words = answer["message"].replace("(", "").replace("°).", "").split()
        length, turn = float(words[words.index("away,") - 1]), math.radians(int(words[-1]))
        end = [x + length * math.cos(turn), y + length * math.sin(turn)]
        there, known = neighbours(navigator, [end])
        assert alone(there, 9)[0] and known[0] > 0
        side = " ".join(words[words.index("the") + 1 : -1])
        for word, amount in (("right", math.cos(turn)), ("left", -math.cos(turn))):
            assert (word in side) == (amount > 0.39)
        for words_, amount in (
            (("upper", "top"), math.sin(turn)),
            (("lower", "bottom"), -math.sin(turn)),
        ):
            assert any(word in side for word in words_) == (amount > 0.39)
    assert done > 10


@pytest.mark.guarantee("replay-and-lessons")
def test_what_the_lessons_say_of_vaes_holds_here(navigator, usual, places):
    """Fragile places are less pure than others, and at one distance some sides are bare."""
    encoded = navigator.means[::20].numpy()
    counts, _ = neighbours(navigator, encoded)
    pure = counts.max(1) / 50
    fragile = slopes(navigator, encoded) > np.quantile(usual, 0.95)
    assert pure[fragile].mean() < pure[~fragile].mean() - 0.05
    ring = places[(places.norm(dim=1) > 2) & (places.norm(dim=1) < 2.5)].numpy()
    _, within = neighbours(navigator, ring)
    side = np.floor(np.degrees(np.arctan2(ring[:, 1], ring[:, 0])) / 30).astype(int)
    known = [(within[side == s] >= 5).mean() for s in range(-6, 6)]
    assert max(known) > 2 * min(known)
    for limit, share in ((2.5, 96), (2, 86)):
        assert round(100 * (1 - math.exp(-(limit**2) / 2))) == share


def test_lessons_are_told_in_plain_words(taught):
    listed = taught.all()
    assert [lesson["name"] for lesson in listed] == NAMES and len(set(NAMES)) == 6
    for lesson in listed:
        assert all(isinstance(text, str) and text for text in lesson.values())
        assert len(lesson["task"]) < 200 and len(lesson["why"]) < 260
    json.dumps(listed, allow_nan=False)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("z", [(0, 0), (4.5, -4.5), (-4.5, 4.5), (-0.75, -0.65)])
def test_every_place_of_the_map_has_an_answer(taught, name, z):
    answer = taught.check(name, *z)
    assert set(answer) == {"done", "message"} and type(answer["done"]) is bool
    assert answer["message"].endswith(".") and "nan" not in answer["message"]
    json.dumps(answer, allow_nan=False)


@pytest.mark.parametrize("name", [None, "", "Step", "goal", "all", "_step", 2, ["step"], True])
def test_unknown_lessons_are_named(taught, name):
    with pytest.raises(ValueError, match="lesson is .*give one of invented, step"):
        taught.check(name, 0, 0)


@pytest.mark.guarantee("positions-validated")
@pytest.mark.parametrize(
    "z", [(9, 0), (0, math.nan), ("1", 0), (None, 0), (0, True), (math.inf, 0)]
)
def test_wrong_positions_are_named(taught, z):
    with pytest.raises(ValueError, match="is .*; give a number from"):
        taught.check("invented", *z)


def test_answers_do_not_depend_on_who_asks_beside(taught):
    asked = [(name, 0.1 * i - 1, 0.3) for i in range(8) for name in NAMES]
    alone = [taught.check(*one) for one in asked]
    fresh = Lessons(taught.compass)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda one: fresh.check(*one), asked)) == alone


@pytest.mark.guarantee("imports-have-no-effects")
def test_importing_lessons_computes_nothing():
    assert not [name for name, value in vars(lessons).items() if isinstance(value, torch.Tensor)]
