"""The functions behind the page and the API answer any JSON, or raise an error that explains it."""

import base64
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.spatial import cKDTree
from torch import Tensor

from latent_navigator.checkpoint import checkpoint as checkpoints
from latent_navigator.checkpoint.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from latent_navigator.data.image_reader import read_image
from latent_navigator.data.preprocessing import preprocess
from latent_navigator.explorer.directions import (
    attribute_directions,
    class_directions,
    nudge_attribute,
)
from latent_navigator.explorer.experiments import experiments, run_experiment
from latent_navigator.explorer.exports import EXPORTS, animation, export_path, strip_png
from latent_navigator.explorer.inference import infer_drawing, infer_test_image, infer_upload
from latent_navigator.explorer.interpolation import compare_paths, interpolate, methods
from latent_navigator.explorer.latent_space import ANCHORS, LatentSpace
from latent_navigator.explorer.lesson_solutions import check_lesson, solve_lesson
from latent_navigator.explorer.lessons import lessons
from latent_navigator.explorer.navigation import go_to_class, morph_toward, random_sample
from latent_navigator.explorer.readout import decode_position
from latent_navigator.geometry.attributes import ATTRIBUTES
from latent_navigator.geometry.geodesics import DecodedPath
from latent_navigator.training.config import TrainingConfig
from latent_utils import (
    digit_centroids,
    digit_prototypes,
    linear_interpolation,
    neighbourhood,
    spherical_interpolation,
)
from latent_utils import morph_toward as move_toward
from neural_network import VAEConfig

fuzz = settings(
    derandomize=True,  # the same examples in every run
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# JSON as Python parses it: with NaN, infinity, integers larger than any float, lone surrogates.
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**400, -(10**400), 2**63, -1, 0, 1, 9, 10]),
    st.floats(),
    st.text(st.characters(), max_size=20),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)
COORDINATES = st.floats(-4, 4)


# Values that once passed the checks; random generation alone finds them too rarely.
TRICKY: st.SearchStrategy[Any] = st.sampled_from(
    [math.nan, math.inf, -math.inf, True, None, "1", "typical", [], {}, [0], 1e30, 10**400, -1, 0.5]
)


def mostly(valid: st.SearchStrategy) -> st.SearchStrategy:
    """Half of the values from `valid`, so that they pass the first checks; half hostile ones."""
    return st.one_of(valid, valid, TRICKY, JSON)


NUMBERS = mostly(COORDINATES)
DIGITS = mostly(st.integers(0, 9))
ENDS = mostly(st.one_of(st.integers(0, 9), st.lists(COORDINATES, min_size=2, max_size=2)))


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def answer_or_none(function: Callable[..., Any], *arguments: object) -> Any:
    """The function's answer, which must be JSON; None if it rejects the arguments in one line."""
    try:
        answer = function(*arguments)
    except ValueError as error:
        message = str(error)
        assert 10 < len(message) < 400
        assert "Traceback" not in message
        assert "\n" not in message
        return None
    json.dumps(answer, allow_nan=False)
    return answer


@pytest.mark.guarantee("positions-validated")
@fuzz
@given(x=NUMBERS, y=NUMBERS)
def test_decode_position(space: LatentSpace, x: Any, y: Any) -> None:
    answer = answer_or_none(decode_position, space, x, y)
    if answer is not None:
        assert is_number(x)
        assert is_number(y)
        assert len(base64.b64decode(answer["pixels"])) == 784


@pytest.mark.guarantee("methods-answer-any-json")
@fuzz
@given(seed=mostly(st.integers(0, 2**63 - 1)))
def test_random_sample(space: LatentSpace, seed: Any) -> None:
    answer = answer_or_none(random_sample, space, seed)
    if answer is not None:
        assert seed is None or (is_number(seed) and seed == int(seed))
        assert max(abs(answer["x"]), abs(answer["y"])) <= space.range


@pytest.mark.guarantee("methods-answer-any-json")
@fuzz
@given(x=NUMBERS, y=NUMBERS, digit=DIGITS, amount=mostly(st.floats(0, 1)), anchor=JSON)
def test_go_to_class_and_morph_toward(
    space: LatentSpace, x: Any, y: Any, digit: Any, amount: Any, anchor: Any
) -> None:
    for name in (anchor, *ANCHORS):
        if answer_or_none(go_to_class, space, digit, name) is not None:
            assert is_number(digit)
            assert digit == int(digit)
        answer_or_none(morph_toward, space, x, y, digit, amount, name)


@pytest.mark.guarantee("methods-answer-any-json")
@settings(fuzz, max_examples=40)
@given(
    start=ENDS,
    end=ENDS,
    method=mostly(st.sampled_from(methods())),
    steps=mostly(st.integers(5, 24)),
    anchor=mostly(st.sampled_from(ANCHORS)),
    even=mostly(st.booleans()),
)
def test_interpolate(
    space: LatentSpace, start: Any, end: Any, method: Any, steps: Any, anchor: Any, even: Any
) -> None:
    answer = answer_or_none(interpolate, space, start, end, method, steps, anchor, even)
    if answer is not None:
        assert len(answer["path"]) == steps


@pytest.mark.guarantee("equal-ends")
@settings(fuzz, max_examples=6)
@given(point=st.one_of(st.integers(0, 9), st.lists(COORDINATES, min_size=2, max_size=2)))
def test_path_from_a_position_to_itself(space: LatentSpace, point: int | list[float]) -> None:
    for method in methods():
        for even in (False, True):
            answer = answer_or_none(interpolate, space, point, point, method, 7, "typical", even)
            assert answer["length"] == pytest.approx(0, abs=1e-5)
            assert np.allclose(answer["path"], answer["path"][0], atol=1e-6)


@pytest.mark.guarantee("methods-answer-any-json")
@settings(fuzz, max_examples=20)
@given(start=ENDS, end=ENDS, selected=mostly(st.lists(st.sampled_from(methods()[:2]))), steps=JSON)
def test_compare_paths(space: LatentSpace, start: Any, end: Any, selected: Any, steps: Any) -> None:
    answer_or_none(compare_paths, space, start, end, selected, steps, False, "typical")
    answer_or_none(compare_paths, space, start, end, selected, 5, False, "typical")


LESSONS = ["no_data", "border", "little_ink", "sensitive", "mixed", "far_out"]
POSITIONS = mostly(st.lists(st.lists(NUMBERS, max_size=3), max_size=5))


@pytest.mark.guarantee("methods-answer-any-json")
@settings(fuzz, max_examples=30)
@given(
    kind=mostly(st.sampled_from(list(EXPORTS))),
    row=mostly(st.fixed_dictionaries({"points": POSITIONS, "curve": POSITIONS, "title": JSON})),
)
def test_export(space: LatentSpace, kind: Any, row: Any) -> None:
    answer_or_none(export_path, space, kind, row)


@pytest.mark.guarantee("methods-answer-any-json")
@settings(fuzz, max_examples=15)
@given(x=NUMBERS, y=NUMBERS, name=mostly(st.sampled_from(list(ATTRIBUTES))), sign=JSON)
def test_directions(space: LatentSpace, x: Any, y: Any, name: Any, sign: Any) -> None:
    answer_or_none(attribute_directions, space, x, y)
    answer_or_none(class_directions, space, x, y, name)
    answer_or_none(nudge_attribute, space, x, y, name, sign)
    answer_or_none(nudge_attribute, space, x, y, name, 1)


@pytest.mark.guarantee("methods-answer-any-json")
@fuzz
@given(
    data=JSON,
    index=mostly(st.integers(0, 9999)),
    file=st.binary(max_size=300),
    strokes=mostly(st.lists(POSITIONS, max_size=3)),
)
def test_inference(space: LatentSpace, data: Any, index: Any, file: bytes, strokes: Any) -> None:
    answer_or_none(infer_upload, space, data)
    answer_or_none(infer_drawing, space, strokes)
    answer_or_none(infer_test_image, space, index)
    for prefix in (
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"GIF89a",
        b"RIFF\0\0\0\0WEBP",
        b"BM",
    ):
        with pytest.raises(ValueError, match="image"):
            read_image(prefix + file)


@pytest.mark.guarantee("methods-answer-any-json")
@settings(fuzz, max_examples=20)
@given(name=mostly(st.sampled_from(LESSONS)), x=NUMBERS, y=NUMBERS)
def test_lessons(space: LatentSpace, name: Any, x: Any, y: Any) -> None:
    assert [lesson.key for lesson in lessons(space)] == LESSONS
    answer_or_none(solve_lesson, space, name, x, y)
    answer = answer_or_none(check_lesson, space, name, x, y)
    if answer is not None:
        assert set(answer) == {"done", "message", "distance", "images"}


@pytest.mark.guarantee("methods-answer-any-json")
@settings(fuzz, max_examples=20)
@given(key=JSON)
def test_experiments(space: LatentSpace, key: Any) -> None:
    answer_or_none(run_experiment, space, key)


def test_every_experiment_answers(space: LatentSpace) -> None:
    for experiment in experiments(space):
        assert answer_or_none(run_experiment, space, experiment.key) is not None


# --- files ---


@pytest.mark.guarantee("broken-checkpoints-refused")
@fuzz
@given(data=st.binary(max_size=400), start=st.sampled_from([b"", b"PK\x03\x04", b"<", b"version "]))
def test_files_that_are_not_checkpoints(tmp_path: Path, data: bytes, start: bytes) -> None:
    path = tmp_path / "vae.pt"
    path.write_bytes(start + data)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.guarantee("broken-checkpoints-refused")
@settings(fuzz, max_examples=40)
@given(data=st.data())
def test_checkpoint_with_a_changed_byte(
    tmp_path: Path, small_checkpoint: Checkpoint, data: st.DataObject
) -> None:
    """It is rejected, or the byte did not matter: all that is loaded equals the original."""
    path = tmp_path / "vae.pt"
    if not path.exists():
        checkpoints.save_checkpoint(path, small_checkpoint)
        (tmp_path / "original").write_bytes(path.read_bytes())
    changed = bytearray((tmp_path / "original").read_bytes())
    index = data.draw(st.integers(0, len(changed) - 1))
    changed[index] ^= data.draw(st.integers(1, 255))
    path.write_bytes(changed)
    try:
        loaded = load_checkpoint(path)
    except CheckpointError:
        return
    for name, value in small_checkpoint.weights.items():
        assert torch.equal(loaded.weights[name], value)
    for name in ("means", "logvars", "labels", "images", "prototypes"):
        assert torch.equal(getattr(loaded, name), getattr(small_checkpoint, name))
    assert loaded.history == small_checkpoint.history


# --- configurations ---


@fuzz
@given(
    name=st.sampled_from(["epochs", "batch_size", "learning_rate", "beta", "seed", "grad_clip"]),
    value=st.one_of(st.integers(), st.floats()),
)
def test_training_configurations(name: str, value: float) -> None:
    try:
        config = TrainingConfig(**{name: value})  # type: ignore[arg-type]  # of any type
    except ValueError as error:
        assert name in str(error)
        return
    json.dumps(config.hyperparameters(), allow_nan=False)


@fuzz
@given(value=st.integers(-5, 5))
def test_model_configurations(value: int) -> None:
    try:
        assert VAEConfig(latent_dim=value).latent_dim >= 1
    except ValueError as error:
        assert "latent_dim" in str(error)


# --- mathematics ---

PLANE = st.lists(COORDINATES, min_size=2, max_size=2).map(torch.tensor)


@pytest.mark.guarantee("interpolation-and-neighbours")
@fuzz
@given(a=PLANE, b=PLANE, steps=st.integers(2, 40), share=st.floats(0, 1))
def test_paths_keep_their_ends(a: Tensor, b: Tensor, steps: int, share: float) -> None:
    for interpolation in (linear_interpolation, spherical_interpolation):
        path = interpolation(a, b, steps)
        assert path.shape == (steps, 2)
        assert bool(path.isfinite().all())
        assert torch.allclose(path[0], a, atol=1e-5)
        assert torch.allclose(path[-1], b, atol=1e-5)
    point = move_toward(a, b, share)
    assert float((point - a).norm()) <= float((b - a).norm()) + 1e-5


@settings(fuzz, max_examples=20)
@given(a=PLANE, b=PLANE, steps=st.integers(2, 20))
def test_even_steps_keep_the_ends(space: LatentSpace, a: Tensor, b: Tensor, steps: int) -> None:
    path = DecodedPath.along(space.decode, linear_interpolation(a, b, 33)).retime(steps)
    assert path.shape == (steps, 2)
    assert bool(path.isfinite().all())
    assert torch.allclose(path[0], a, atol=1e-5)
    assert torch.allclose(path[-1], b, atol=1e-5)
    assert DecodedPath.along(space.decode, path).length >= 0


@fuzz
@given(shape=st.lists(st.integers(0, 4), max_size=4), steps=st.integers(-2, 2))
def test_invalid_shapes_are_named(shape: list[int], steps: int) -> None:
    ends = torch.zeros(shape)
    for interpolation in (linear_interpolation, spherical_interpolation):
        if ends.ndim != 1 or steps < 2:
            with pytest.raises(ValueError, match=r"shapes|steps"):
                interpolation(ends, ends, steps)


@settings(fuzz, max_examples=20)
@given(data=st.data(), n=st.integers(60, 200))
def test_anchors_and_neighbourhoods(data: st.DataObject, n: int) -> None:
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 1000)))
    means = torch.randn(n, 2, generator=generator) * data.draw(st.floats(0, 3))
    labels = torch.arange(n) % 10
    for anchors in (digit_centroids(means, labels), digit_prototypes(means, labels)):
        assert anchors.shape == (10, 2)
        assert bool(anchors.isfinite().all())
    around = neighbourhood(means[:5], cKDTree(means.numpy()), labels)
    assert torch.allclose(around.shares.sum(1), torch.ones(5), atol=1e-5)
    assert bool((around.within >= 1).all())
    assert bool((around.nearest < 1e-3).all())


@pytest.mark.guarantee("images-read-or-explained")
@settings(fuzz, max_examples=25)
@given(
    width=st.integers(1, 80),
    height=st.integers(1, 80),
    mode=st.sampled_from(["L", "RGB", "RGBA", "P", "1", "I", "F", "LA", "CMYK", "I;16"]),
    seed=st.integers(0, 99),
)
def test_images_of_every_mode(width: int, height: int, mode: str, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    image = Image.fromarray(noise)
    image = Image.new("I;16", image.size, 700) if mode == "I;16" else image.convert(mode)
    try:
        digit = preprocess(image)
    except ValueError as error:
        assert "blank" in str(error)
        return
    assert digit.shape == (28, 28)
    assert digit.dtype == np.uint8
    assert digit.max() == 255


@settings(fuzz, max_examples=10)
@given(count=st.integers(2, 8))
def test_exports(count: int) -> None:
    frames = np.random.default_rng(count).integers(0, 256, (count, 28, 28), np.uint8)
    assert strip_png(frames).startswith(b"\x89PNG")
    assert animation(frames, "gif").startswith(b"GIF89a")
