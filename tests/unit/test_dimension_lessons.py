"""The lessons of more than two dimensions, on a small model of ten: each against brute force."""

import json
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from latent_navigator.explorer import dimension_lesson_checks as checks
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.lesson_solutions import check_lesson, solutions, solve_lesson
from latent_navigator.explorer.lessons import lessons
from latent_navigator.explorer.norms import chi_quantile
from latent_navigator.explorer.presets import presets
from latent_utils import spherical_interpolation

NAMES = ["unused", "slants", "between", "shell"]


@pytest.fixture(scope="module")
def positions(ten_space: LatentSpace) -> Tensor:
    """(N, D) encodings, draws from the prior, and prototypes with one dimension moved."""
    generator = torch.Generator().manual_seed(0)
    moved = ten_space.anchors["typical"].repeat(30, 1)
    which = torch.randint(10, (len(moved),), generator=generator)
    moved[torch.arange(len(moved)), which] += 3 * torch.randn(len(moved), generator=generator)
    draws = torch.randn(40, 10, generator=generator)
    found = [ten_space.means[::2], draws, moved, checks.between_solutions(ten_space)[:81]]
    return torch.cat(found).clamp(-ten_space.limit, ten_space.limit)


def slant(image: np.ndarray) -> float:
    """The shear of an image (784,) in degrees, by sums over its pixels."""
    x = image.reshape(28, 28).astype(float)
    rows, columns = np.mgrid[0:28, 0:28]
    dy, dx = ((v - (x * v).sum() / x.sum()) for v in (-rows, columns))
    return math.degrees(math.atan2((x * dx * dy).sum(), (x * dy * dy).sum()))


def meets_goal(space: LatentSpace, name: str, z: Tensor) -> bool:
    """Whether a position (D,) meets the goal of a lesson, by brute force."""
    used = space.used.tolist()
    if name == "unused":
        away = (z - space.anchor(presets(space).target)).numpy()
        return bool(
            np.abs(away[used]).max() <= 0.055
            and np.linalg.norm(np.delete(away, used)) >= checks.FAR - 0.005
        )
    norms = np.linalg.norm(space.means[:, used].numpy(), axis=1)
    norm = float(z[used].norm())
    low, high = np.quantile(norms, [0.25, 0.75])
    distances = (space.means - z)[:, used].double().norm(dim=1).numpy()
    if name == "shell":
        return bool(norm >= high - 0.005 and (distances <= space.radius).sum() >= 5)
    if name == "between":
        pair = space.once(checks.straight_pair)
        a, b = space.anchor(pair.first), space.anchor(pair.second)
        first, second = float((z - a).norm()), float((z - b).norm())
        near = max(first, second) <= 0.8 * float((a - b).norm())
        return near and abs(first - second) <= 0.5 and low <= norm <= high
    label, goal = space.once(checks.slant_class), space.once(checks.slant_goal)
    away = (z - space.anchor(label)).abs().numpy()
    nearest = space.labels.numpy()[np.argsort(distances)[:50]]
    counts = np.bincount(nearest, minlength=10)
    with torch.no_grad():
        leans = slant(space.ink(z[None])[0].numpy())
    return bool(
        (away > 0.055).sum() == 1
        and counts[label] > np.delete(counts, label).max()
        and abs(leans - goal.start) >= goal.change
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_checks_agree_with_brute_force_and_are_neither_impossible_nor_trivial(
    ten_space: LatentSpace, positions: Tensor, name: str
) -> None:
    expected = [meets_goal(ten_space, name, z) for z in positions]
    found = [check_lesson(ten_space, name, z.tolist())["done"] for z in positions]
    assert any(expected)
    assert np.mean(expected) < 0.2
    assert sum(a != b for a, b in zip(found, expected, strict=True)) <= 1, "but for rounding"
    share = np.mean([meets_goal(ten_space, name, z) for z in ten_space.means])
    assert share < 0.15, "an image that is opened at random solves it"


@pytest.mark.parametrize("name", NAMES)
def test_show_me_leads_to_a_position_that_passes(ten_space: LatentSpace, name: str) -> None:
    for start in (ten_space.anchor(3), torch.full((10,), -0.5)):
        goal = solve_lesson(ten_space, name, start.tolist())["goal"]
        answer = check_lesson(ten_space, name, goal)
        assert answer["done"], answer["message"]
        assert answer["distance"] == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_distance_shrinks_on_the_way_to_the_nearest_solution(
    ten_space: LatentSpace, name: str
) -> None:
    found = solutions(ten_space, name)
    start = torch.full((10,), 0.7)
    goal = found[(found - start).norm(dim=1).argmin()]
    steps = [start + share * (goal - start) for share in (0, 0.5, 0.9)]
    length = float((goal - start).norm())
    distances = [check_lesson(ten_space, name, z.tolist())["distance"] for z in steps]
    assert distances[0] == pytest.approx(length, abs=1e-3)
    assert distances[1] <= length / 2 + 1e-3
    assert distances[2] <= length / 10 + 1e-3


def moved(z: Tensor, **dimensions: float) -> Tensor:
    """A position with some dimensions, from 1, moved: moved(z, z3=0.5)."""
    z = z.clone()
    for name, length in dimensions.items():
        z[int(name[1:]) - 1] += length
    return z


# Each is a position that a careless check would let pass.
MUST_NOT_PASS: dict[str, tuple[str, Callable[[LatentSpace], Tensor], str]] = {
    "the prototype": ("unused", lambda s: s.anchor(presets(s).target), "No dimension differs"),
    "not far enough": (
        *("unused", lambda s: moved(s.anchor(presets(s).target), z9=1.5)),
        "z₉ differs from the most typical 8 by 1.50, and the image by 0 %. The goal is 2σ",
    ),
    "one that is used too": (
        *("unused", lambda s: moved(s.anchor(presets(s).target), z9=2.5, z1=0.5)),
        "Go back and move a dimension that does not change the image",
    ),
    "another digit": ("unused", lambda s: moved(s.anchor(3), z9=2.5), "Go back"),
    "the upright image": (
        *("slants", lambda s: s.anchor(s.once(checks.slant_class))),
        "This is the most typical",
    ),
    "two dimensions at once": (
        *("slants", lambda s: moved(torch.tensor(solve_lesson(s, "slants", 0, 0)["goal"]), z9=1)),
        "move one dimension alone",
    ),
    "a dimension that does nothing": (
        *("slants", lambda s: moved(s.anchor(s.once(checks.slant_class)), z9=3)),
        "z₉ moved by +3.00: the slant changed from",
    ),
    "the middle of the straight line": (
        *("between", lambda s: s.once(checks.straight_pair).middle),
        "lie closer to the centre (goal: |z| from",
    ),
    "one of the ends": (
        *("between", lambda s: s.anchor(s.once(checks.straight_pair).first)),
        "0.00 from the most typical",
    ),
    "far out in a dimension that is not used": (
        *("shell", lambda s: moved(0 * s.means[0], z9=4)),
        "|z| is 0.00: 0 % of the encoded digits",
    ),
    "far out, without data": ("shell", lambda s: 3 + 0 * s.means[0], "no test digit"),
}


@pytest.mark.parametrize("case", MUST_NOT_PASS)
def test_positions_that_must_not_pass(ten_space: LatentSpace, case: str) -> None:
    name, find, reason = MUST_NOT_PASS[case]
    answer = check_lesson(ten_space, name, find(ten_space).tolist())
    assert not answer["done"]
    assert reason in answer["message"]
    assert answer["distance"] > 0
    json.dumps(answer, allow_nan=False)


def test_few_dimensions_slant(ten_space: LatentSpace) -> None:
    """The task asks which one: most of them must not."""
    start = ten_space.anchor(ten_space.once(checks.slant_class))
    ways = (solutions(ten_space, "slants") - start).abs() > checks.STILL
    assert 1 <= int(ways.any(0).sum()) <= 2


def test_the_spherical_path_and_not_the_straight_one_solves_its_lesson(
    ten_space: LatentSpace,
) -> None:
    pair = ten_space.once(checks.straight_pair)
    ends = ten_space.anchor(pair.first), ten_space.anchor(pair.second)
    turned = spherical_interpolation(*ends, steps=9)[4]
    assert check_lesson(ten_space, "between", turned.tolist())["done"]
    lesson = next(lesson for lesson in lessons(ten_space) if lesson.key == "between")
    closer = float((ten_space.means.norm(dim=1) < pair.middle.norm()).float().mean())
    assert closer < 0.25
    assert f"has |z| {float(pair.middle.norm()):.2f}" in lesson.learnt


def test_the_shell_is_that_of_the_chi_distribution(ten_space: LatentSpace) -> None:
    draws = torch.randn(20_000, 10, generator=torch.Generator().manual_seed(0)).norm(dim=1)
    low, high = (chi_quantile(10, share) for share in (0.05, 0.95))
    assert float(((draws > low) & (draws < high)).float().mean()) == pytest.approx(0.9, abs=0.01)
    lesson = next(lesson for lesson in lessons(ten_space) if lesson.key == "shell")
    assert f"between {low:.2f}σ and {high:.2f}σ" in lesson.learnt


def test_lessons_of_two_dimensions_are_not_offered_above_and_these_not_in_two(
    any_space: LatentSpace,
) -> None:
    flat = ["no_data", "mixed", "far_out"]
    keys = [lesson.key for lesson in lessons(any_space)]
    in_two = any_space.latent_dim == 2
    assert not set(keys) & set(NAMES if in_two else flat)
    assert set(keys) >= set(flat if in_two else NAMES)
    for lesson in lessons(any_space):
        assert len(lesson.task) < 200
        assert len(lesson.learnt) < 200
        assert lesson.learnt.count(". ") == 0, "one sentence"
        json.dumps(lesson.record(), allow_nan=False)


def test_without_unused_dimensions_none_is_looked_for(
    ten_space: LatentSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ten_space, "used", torch.arange(10))
    assert "unused" not in [lesson.key for lesson in lessons(ten_space)]


def test_where_straight_lines_stay_as_far_out_as_the_data_no_lesson_denies_it(
    ten_space: LatentSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "norm_band", lambda _: (0.0, 1.0))
    assert "between" not in [lesson.key for lesson in lessons(ten_space)]
