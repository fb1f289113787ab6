"""Answers about positions, on a small model."""

import base64
import math
import threading
from functools import partial
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.navigation import (
    describe_anchor,
    go_to_class,
    morph_toward,
    random_sample,
    start_class,
)
from latent_navigator.explorer.readout import decode_position
from tests.helpers import coordinates

NOT_ON_THE_MAP: list[object] = [math.nan, math.inf, -math.inf, 1e30, 99, True, None, "1", [1.0], {}]
anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.floats(), max_size=3),
)


@pytest.fixture(scope="module")
def space(any_space: LatentSpace) -> LatentSpace:
    return any_space


def test_the_map_contains_all_points(space: LatentSpace) -> None:
    assert space.range >= 4
    assert float(space.means.abs().max()) <= space.range


def test_a_position_is_decoded(space: LatentSpace) -> None:
    answer = decode_position(space, 0.3, -1)
    z = space.plane.origin + torch.tensor([[0.3, -1.0]]) @ space.plane.axes
    expected = (space.model.decode(z) * 255).round().byte().numpy()
    assert base64.b64decode(answer["pixels"]) == expected.tobytes()


@pytest.mark.guarantee("positions-validated")
@pytest.mark.parametrize("value", NOT_ON_THE_MAP)
def test_invalid_positions_are_named(space: LatentSpace, value: object) -> None:
    limit = f"{space.range:g}"
    for call in (partial(decode_position, space), space.position):
        with pytest.raises(ValueError, match=f"x is .*give a number from -{limit} to {limit}"):
            call(value, 0)
        with pytest.raises(ValueError, match="y is"):
            call(0, value)


@pytest.mark.guarantee("positions-validated")
@settings(deadline=None)
@given(x=anything, y=anything)
def test_any_position_is_answered_or_explained(space: LatentSpace, x: Any, y: Any) -> None:
    try:
        answer = decode_position(space, x, y)
    except ValueError as error:
        assert "; give " in str(error)
        assert len(str(error)) < 120
    else:
        assert max(map(abs, x if y is None else (x, y))) <= space.range
        assert len(base64.b64decode(answer["pixels"])) == 784


def test_random_samples_follow_the_prior(space: LatentSpace) -> None:
    draws = [random_sample(space, seed) for seed in range(3000)]
    z = torch.tensor([coordinates(draw) for draw in draws])
    assert z.mean(0).abs().max() < 0.08
    assert (z.std(0) - 1).abs().max() < 0.06
    # Rayleigh: 1 - exp(-1/2) of the prior lies within one sigma; a square would give less.
    assert float((z[:, :2].norm(dim=1) <= 1).float().mean()) == pytest.approx(0.3935, abs=0.03)


def test_only_a_seeded_sample_repeats(space: LatentSpace) -> None:
    assert random_sample(space, 5) == random_sample(space, 5.0)
    assert random_sample(space) != random_sample(space)


@pytest.mark.guarantee("arguments-validated")
@pytest.mark.parametrize("seed", [-1, 2**63, 1.5, True, "5", math.nan, [1]])
def test_invalid_seeds_are_named(space: LatentSpace, seed: object) -> None:
    with pytest.raises(ValueError, match="seed is"):
        random_sample(space, seed)


@pytest.mark.parametrize("name", ["small_checkpoint", "ten_checkpoint"])
def test_classes_are_found_at_their_anchors(name: str, request: pytest.FixtureRequest) -> None:
    checkpoint: Checkpoint = request.getfixturevalue(name)
    space = LatentSpace(checkpoint)
    for digit in range(10):
        own = checkpoint.means[checkpoint.labels == digit]
        centroid = coordinates(go_to_class(space, digit, "centroid"))
        assert centroid == pytest.approx(own.mean(0).tolist(), abs=1e-5)
        assert coordinates(go_to_class(space, digit)) == checkpoint.prototypes[digit].tolist()


@pytest.mark.guarantee("arguments-validated")
@pytest.mark.parametrize("digit", [-1, 10, 3.5, True, "3", None, math.nan])
def test_unknown_digits_are_named(space: LatentSpace, digit: object) -> None:
    with pytest.raises(ValueError, match=r"digit is .*from 0 to 9"):
        go_to_class(space, digit)


@pytest.mark.guarantee("arguments-validated")
@pytest.mark.parametrize("anchor", ["middle", "", None, 1, ["typical"]])
def test_unknown_anchors_are_named(space: LatentSpace, anchor: object) -> None:
    with pytest.raises(ValueError, match="give one of typical, centroid"):
        go_to_class(space, 3, anchor)


def test_a_centroid_among_another_class_is_reported(space: LatentSpace) -> None:
    shares = space.around(space.anchors["centroid"]).shares
    displaced = [d for d in range(10) if int(shares[d].argmax()) != d]
    assert 0 < len(displaced) < 10, "this model is no test case"
    for digit in range(10):
        warns = "lies among the" in describe_anchor(space, digit, "centroid")
        assert warns == (digit in displaced)
        assert "most typical" in describe_anchor(space, digit, "typical")


def test_the_page_opens_at_a_crisp_digit_in_clear_company(released: Checkpoint) -> None:
    space = LatentSpace(released)
    label = start_class(space)
    start = space.anchor(label)
    assert float(space.around(start[None]).shares[0, label]) >= 0.95

    def grey(z: torch.Tensor) -> float:
        """The share of the ink's pixels that are neither light nor dark."""
        inked = space.decode_images(z[None])[0] / 255
        return float(((inked > 0.2) & (inked < 0.6)).sum() / (inked > 0.2).sum())

    assert grey(start) < 0.7 * grey(torch.zeros(2))


def test_morph_toward_goes_part_of_the_path(space: LatentSpace) -> None:
    target = go_to_class(space, 7)
    start = [1.0] * space.means.shape[1]
    assert coordinates(morph_toward(space, start, None, 7, 0)) == start
    assert morph_toward(space, start, None, 7, 1) == target
    half = coordinates(morph_toward(space, start, None, 7, 0.5))
    middle = [(1 + value) / 2 for value in coordinates(target)]
    assert half == pytest.approx(middle, abs=1e-6)
    for amount in (-0.1, 1.1, math.nan, True, None):
        with pytest.raises(ValueError, match="amount is"):
            morph_toward(space, 0, 0, 7, amount)


def test_an_answer_is_computed_by_one_thread(space: LatentSpace) -> None:
    """torch keeps this setting per thread: the main thread's value does not apply to others."""
    seen = []

    def answer() -> None:
        decode_position(space, 0, 0)
        seen.append(torch.get_num_threads())

    worker = threading.Thread(target=answer)
    worker.start()
    worker.join()
    assert seen == [1]
