"""The answers behind the page and the API, on a small model."""

import base64
import dataclasses
import math
import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_navigator.explorer.latent_space import Navigator

NO_NUMBERS = [math.nan, math.inf, -math.inf, 1e30, 99, True, None, "1", [1.0], {}]
anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.floats(), max_size=3),
)


@pytest.fixture(scope="module")
def navigator(small_checkpoint) -> Navigator:
    return Navigator(small_checkpoint)


def test_a_latent_space_that_is_no_plane_is_refused(small_checkpoint):
    config = dataclasses.replace(small_checkpoint.model_config, latent_dim=3)
    with pytest.raises(ValueError, match="latent_dim is 3.*--latent-dim 2"):
        Navigator(dataclasses.replace(small_checkpoint, model_config=config))


def test_the_map_holds_all_points(navigator):
    assert navigator.range >= 4
    assert float(navigator.means.abs().max()) <= navigator.range


def test_points_are_the_encoded_digits(navigator):
    answer = navigator.points()
    xy = np.frombuffer(base64.b64decode(answer["xy"]), "<i2").reshape(-1, 2) * answer["scale"]
    labels = np.frombuffer(base64.b64decode(answer["labels"]), np.uint8)
    np.testing.assert_allclose(xy, navigator.means, atol=answer["scale"])
    np.testing.assert_array_equal(labels, navigator.labels)


def test_look_shows_the_decoders_picture(navigator):
    answer = navigator.look(0.3, -1)
    z = torch.tensor([[0.3, -1.0]])
    expected = (navigator.model.decode(z) * 255).round().byte().numpy()
    assert base64.b64decode(answer["pixels"]) == expected.tobytes()
    assert sum(answer["shares"]) == pytest.approx(1)


def test_look_is_honest_about_empty_places(navigator):
    distances = torch.cdist(torch.tensor([[3.9, 3.9]]), navigator.means)
    assert distances.min() > 0.1
    answer = navigator.look(3.9, 3.9)
    assert answer["within"] == 0 and answer["support"].startswith("Invented")
    assert f"{float(distances.min()):.2f} away" in answer["support"]
    home = navigator.means[0]
    known = navigator.look(*home.tolist())
    assert known["within"] >= 1 and "known" in known["support"]


@pytest.mark.guarantee("positions-validated")
@pytest.mark.parametrize("bad", NO_NUMBERS)
def test_positions_that_are_none_are_named(navigator, bad):
    limit = f"{navigator.range:g}"
    for call in (navigator.look, navigator.position):
        with pytest.raises(ValueError, match=f"x is .*give a number from -{limit} to {limit}"):
            call(bad, 0)
        with pytest.raises(ValueError, match="y is"):
            call(0, bad)


@pytest.mark.guarantee("positions-validated")
@settings(deadline=None)
@given(x=anything, y=anything)
def test_any_argument_gives_an_answer_or_a_message(navigator, x, y):
    try:
        answer = navigator.look(x, y)
    except ValueError as error:
        assert "give a number" in str(error) and len(str(error)) < 120
    else:
        assert abs(x) <= navigator.range and abs(y) <= navigator.range
        assert len(base64.b64decode(answer["pixels"])) == 784


def test_random_samples_are_the_prior(navigator):
    draws = [navigator.random_sample(seed) for seed in range(3000)]
    z = torch.tensor([[d["x"], d["y"]] for d in draws])
    assert z.mean(0).abs().max() < 0.08 and (z.std(0) - 1).abs().max() < 0.06
    # Rayleigh: 1 - exp(-1/2) of the prior lies within one sigma; a square would give less.
    assert float((z.norm(dim=1) <= 1).float().mean()) == pytest.approx(0.3935, abs=0.03)


def test_a_seed_repeats_and_none_does_not(navigator):
    assert navigator.random_sample(5) == navigator.random_sample(5.0)
    assert navigator.random_sample() != navigator.random_sample()


@pytest.mark.guarantee("arguments-validated")
@pytest.mark.parametrize("seed", [-1, 2**63, 1.5, True, "5", math.nan, [1]])
def test_wrong_seeds_are_named(navigator, seed):
    with pytest.raises(ValueError, match="seed is"):
        navigator.random_sample(seed)


def test_jumps_lead_to_the_anchors(navigator, small_checkpoint):
    for digit in range(10):
        own = small_checkpoint.means[small_checkpoint.labels == digit]
        centroid = navigator.jump_to_digit(digit, "centroid")
        assert [centroid["x"], centroid["y"]] == pytest.approx(own.mean(0).tolist(), abs=1e-5)
        typical = navigator.jump_to_digit(digit)
        assert [typical["x"], typical["y"]] == small_checkpoint.prototypes[digit].tolist()


@pytest.mark.guarantee("arguments-validated")
@pytest.mark.parametrize("digit", [-1, 10, 3.5, True, "3", None, math.nan])
def test_unknown_digits_are_named(navigator, digit):
    with pytest.raises(ValueError, match="digit is .*from 0 to 9"):
        navigator.jump_to_digit(digit)


@pytest.mark.guarantee("arguments-validated")
@pytest.mark.parametrize("anchor", ["middle", "", None, 1, ["typical"]])
def test_unknown_anchors_are_named(navigator, anchor):
    with pytest.raises(ValueError, match="give one of typical, centroid"):
        navigator.jump_to_digit(3, anchor)


def test_remarks_tell_when_a_centroid_lies_among_others(navigator):
    from latent_utils import neighbourhood

    shares = neighbourhood(navigator.anchors["centroid"], navigator.means, navigator.labels).shares
    strangers = [d for d in range(10) if int(shares[d].argmax()) != d]
    assert 0 < len(strangers) < 10, "this model cannot show the difference"
    for digit in range(10):
        warns = "lies among the" in navigator.remark(digit, "centroid")
        assert warns == (digit in strangers)
        assert "most typical" in navigator.remark(digit, "typical")


def test_morph_toward_goes_part_of_the_way(navigator):
    home = navigator.jump_to_digit(7)
    assert navigator.morph_toward(1.0, 1.0, 7, 0) == {"x": 1.0, "y": 1.0}
    assert navigator.morph_toward(1.0, 1.0, 7, 1) == home
    half = navigator.morph_toward(1.0, 1.0, 7, 0.5)
    assert half["x"] == pytest.approx((1 + home["x"]) / 2, abs=1e-6)
    for amount in (-0.1, 1.1, math.nan, True, None):
        with pytest.raises(ValueError, match="amount is"):
            navigator.morph_toward(0, 0, 7, amount)


def test_a_thread_that_answers_computes_on_one_core(navigator):
    """torch keeps the number of threads per thread: what main sets does not reach the others."""
    seen = []

    def answer():
        navigator.look(0, 0)
        seen.append(torch.get_num_threads())

    worker = threading.Thread(target=answer)
    worker.start()
    worker.join()
    assert seen == [1]
