"""The functions behind the page and the API answer any JSON, or raise an error that explains it."""

import base64
import json
import math
import re
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
from tests.helpers import coordinates

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
REMEDY = re.compile(r"\b(give|pick|tick|use|draw) ")


# Values that once passed the checks; random generation alone finds them too rarely.
TRICKY: st.SearchStrategy[Any] = st.sampled_from(
    [math.nan, math.inf, -math.inf, True, None, "1", "typical", [], {}, [0], 1e30, 10**400, -1, 0.5]
)


def mostly(valid: st.SearchStrategy) -> st.SearchStrategy:
    """Half of the values from `valid`, so that they pass the first checks; half hostile ones."""
    return st.one_of(valid, valid, TRICKY, JSON)


NUMBERS = mostly(COORDINATES)
DIGITS = mostly(st.integers(0, 9))


def listed(space: LatentSpace) -> st.SearchStrategy[list[float]]:
    """Positions as lists."""
    return st.lists(COORDINATES, min_size=space.latent_dim, max_size=space.latent_dim)


def spoiled(space: LatentSpace) -> st.SearchStrategy[list[Any]]:
    """Lists with a hostile value among their numbers, or of another length."""
    values = st.tuples(listed(space), st.integers(0, space.latent_dim - 1), TRICKY)
    other_lengths = st.lists(COORDINATES, max_size=2 * space.latent_dim)
    return st.one_of(
        values.map(lambda found: [*found[0][: found[1]], found[2], *found[0][found[1] + 1 :]]),
        other_lengths.filter(lambda z: len(z) != space.latent_dim),
    )


def places(space: LatentSpace) -> st.SearchStrategy[tuple[Any, Any]]:
    """Both arguments that stand for a position: x and y on the map, or a list and None."""
    lists = st.one_of(listed(space), listed(space), spoiled(space), JSON)
    return st.one_of(st.tuples(NUMBERS, NUMBERS), st.tuples(lists, st.none()))


def ends(space: LatentSpace) -> st.SearchStrategy[Any]:
    """Ends of paths: classes and positions, half of them hostile."""
    valid = st.one_of(st.integers(0, 9), listed(space))
    return st.one_of(valid, valid, spoiled(space), TRICKY, JSON)


def is_place(space: LatentSpace, x: Any, y: Any) -> bool:
    """Whether they stand for a position."""
    if y is None and isinstance(x, list):
        return len(x) == space.latent_dim and all(
            is_number(value) and abs(value) <= space.limit for value in x
        )
    return all(is_number(value) and abs(value) <= space.range for value in (x, y))


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def answer_or_none(function: Callable[..., Any], *arguments: object) -> Any:
    """The function's answer, which must be JSON; None if it rejects the arguments in one line."""
    try:
        answer = function(*arguments)
    except ValueError as error:
        message = str(error)
        assert 10 < len(message) < 400
        assert REMEDY.search(message), message
        assert "Traceback" not in message
        assert "\n" not in message
        return None
    json.dumps(answer, allow_nan=False)
    return answer


@pytest.mark.guarantee("positions-validated")
@settings(fuzz, max_examples=75)
@given(data=st.data())
def test_decode_position(either_space: LatentSpace, data: st.DataObject) -> None:
    x, y = data.draw(places(either_space))
    answer = answer_or_none(decode_position, either_space, x, y)
    assert (answer is not None) == is_place(either_space, x, y)
    if answer is not None:
        assert len(base64.b64decode(answer["pixels"])) == 784
        assert len(answer["round_trip"]) == either_space.latent_dim


@pytest.mark.guarantee("methods-answer-any-json")
@settings(fuzz, max_examples=75)
@given(seed=mostly(st.integers(0, 2**63 - 1)))
def test_random_sample(either_space: LatentSpace, seed: Any) -> None:
    answer = answer_or_none(random_sample, either_space, seed)
    if answer is not None:
        assert seed is None or (is_number(seed) and seed == int(seed))
        z = coordinates(answer)
        assert len(z) == either_space.latent_dim
        assert max(map(abs, z)) <= either_space.limit


@pytest.mark.guarantee("methods-answer-any-json")
@settings(fuzz, max_examples=75)
@given(data=st.data(), digit=DIGITS, amount=mostly(st.floats(0, 1)), anchor=JSON)
def test_go_to_class_and_morph_toward(
    either_space: LatentSpace, data: st.DataObject, digit: Any, amount: Any, anchor: Any
) -> None:
    x, y = data.draw(places(either_space))
    for name in (anchor, *ANCHORS):
        if answer_or_none(go_to_class, either_space, digit, name) is not None:
            assert is_number(digit)
            assert digit == int(digit)
        if answer_or_none(morph_toward, either_space, x, y, digit, amount, name) is not None:
            assert is_place(either_space, x, y)


@pytest.mark.guarantee("methods-answer-any-json")
@settings(fuzz, max_examples=25)
@given(
    data=st.data(),
    method=mostly(st.sampled_from(methods())),
    steps=mostly(st.integers(5, 24)),
    anchor=mostly(st.sampled_from(ANCHORS)),
    even=mostly(st.booleans()),
)
def test_interpolate(
    either_space: LatentSpace, data: st.DataObject, method: Any, steps: Any, anchor: Any, even: Any
) -> None:
    start, end = data.draw(ends(either_space)), data.draw(ends(either_space))
    answer = answer_or_none(interpolate, either_space, start, end, method, steps, anchor, even)
    if answer is not None:
        assert np.shape(answer["path"]) == (steps, either_space.latent_dim)


@pytest.mark.guarantee("equal-ends")
@settings(fuzz, max_examples=4)
@given(data=st.data())
def test_path_from_a_position_to_itself(either_space: LatentSpace, data: st.DataObject) -> None:
    point = data.draw(st.one_of(st.integers(0, 9), listed(either_space)))
    for method in methods():
        for even in (False, True):
            answer = answer_or_none(
                interpolate, either_space, point, point, method, 7, "typical", even
            )
            assert answer["length"] == pytest.approx(0, abs=1e-5)
            assert np.allclose(answer["path"], answer["path"][0], atol=1e-6)


@pytest.mark.guarantee("methods-answer-any-json")
@settings(fuzz, max_examples=12)
@given(data=st.data(), selected=mostly(st.lists(st.sampled_from(methods()[:2]))), steps=JSON)
def test_compare_paths(
    either_space: LatentSpace, data: st.DataObject, selected: Any, steps: Any
) -> None:
    between = [data.draw(ends(either_space)) for _ in range(2)]
    answer_or_none(compare_paths, either_space, *between, selected, steps, False, "typical")
    answer_or_none(compare_paths, either_space, *between, selected, 5, False, "typical")


LESSONS = ["no_data", "border", "little_ink", "sensitive", "mixed", "far_out"]
POINTS = mostly(st.lists(st.lists(NUMBERS, max_size=3), max_size=5))


@pytest.mark.guarantee("methods-answer-any-json")
@settings(fuzz, max_examples=20)
@given(data=st.data(), kind=mostly(st.sampled_from(list(EXPORTS))))
def test_export(either_space: LatentSpace, data: st.DataObject, kind: Any) -> None:
    position = st.one_of(ends(either_space), listed(either_space))
    path = st.one_of(st.lists(listed(either_space), min_size=2, max_size=5), st.lists(position))
    rows = st.fixed_dictionaries({"points": mostly(path), "curve": mostly(path), "title": JSON})
    answer_or_none(export_path, either_space, kind, data.draw(mostly(rows)))


@pytest.mark.guarantee("methods-answer-any-json")
@settings(fuzz, max_examples=10)
@given(data=st.data(), name=mostly(st.sampled_from(list(ATTRIBUTES))), sign=JSON)
def test_directions(either_space: LatentSpace, data: st.DataObject, name: Any, sign: Any) -> None:
    x, y = data.draw(places(either_space))
    for function in (attribute_directions, class_directions):
        answer = answer_or_none(function, either_space, x, y)
        assert (answer is not None) == is_place(either_space, x, y)
    answer_or_none(class_directions, either_space, x, y, name)
    answer_or_none(nudge_attribute, either_space, x, y, name, sign)
    answer_or_none(nudge_attribute, either_space, x, y, name, 1)


@pytest.mark.guarantee("methods-answer-any-json")
@settings(fuzz, max_examples=75)
@given(
    data=JSON,
    index=mostly(st.integers(0, 9999)),
    file=st.binary(max_size=300),
    strokes=mostly(st.lists(POINTS, max_size=3)),
)
def test_inference(
    either_space: LatentSpace, data: Any, index: Any, file: bytes, strokes: Any
) -> None:
    answer_or_none(infer_upload, either_space, data)
    for answer in (
        answer_or_none(infer_drawing, either_space, strokes),
        answer_or_none(infer_test_image, either_space, index),
    ):
        assert answer is None or len(answer["mu"]) == either_space.latent_dim
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


def test_every_experiment_answers(either_space: LatentSpace) -> None:
    for experiment in experiments(either_space):
        assert answer_or_none(run_experiment, either_space, experiment.key) is not None


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


def vectors(latent_dim: int) -> st.SearchStrategy[tuple[Tensor, Tensor]]:
    """Two of as many dimensions."""
    one = st.lists(COORDINATES, min_size=latent_dim, max_size=latent_dim).map(torch.tensor)
    return st.tuples(one, one)


@pytest.mark.guarantee("interpolation-and-neighbours")
@fuzz
@given(
    pair=st.sampled_from([2, 10]).flatmap(vectors), steps=st.integers(2, 40), share=st.floats(0, 1)
)
def test_paths_keep_their_ends(pair: tuple[Tensor, Tensor], steps: int, share: float) -> None:
    a, b = pair
    for interpolation in (linear_interpolation, spherical_interpolation):
        path = interpolation(a, b, steps)
        assert path.shape == (steps, len(a))
        assert bool(path.isfinite().all())
        assert torch.allclose(path[0], a, atol=1e-5)
        assert torch.allclose(path[-1], b, atol=1e-5)
    point = move_toward(a, b, share)
    assert float((point - a).norm()) <= float((b - a).norm()) + 1e-5


@settings(fuzz, max_examples=10)
@given(data=st.data(), steps=st.integers(2, 20))
def test_even_steps_keep_the_ends(
    either_space: LatentSpace, data: st.DataObject, steps: int
) -> None:
    a, b = data.draw(vectors(either_space.latent_dim))
    path = DecodedPath.along(either_space.decode, linear_interpolation(a, b, 33)).retime(steps)
    assert path.shape == (steps, either_space.latent_dim)
    assert bool(path.isfinite().all())
    assert torch.allclose(path[0], a, atol=1e-5)
    assert torch.allclose(path[-1], b, atol=1e-5)
    assert DecodedPath.along(either_space.decode, path).length >= 0


@fuzz
@given(shape=st.lists(st.integers(0, 4), max_size=4), steps=st.integers(-2, 2))
def test_invalid_shapes_are_named(shape: list[int], steps: int) -> None:
    ends = torch.zeros(shape)
    for interpolation in (linear_interpolation, spherical_interpolation):
        if ends.ndim != 1 or steps < 2:
            with pytest.raises(ValueError, match=r"shapes|steps"):
                interpolation(ends, ends, steps)


@settings(fuzz, max_examples=20)
@given(data=st.data(), n=st.integers(60, 200), latent_dim=st.sampled_from([2, 10]))
def test_anchors_and_neighbourhoods(data: st.DataObject, n: int, latent_dim: int) -> None:
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 1000)))
    means = torch.randn(n, latent_dim, generator=generator) * data.draw(st.floats(0, 3))
    labels = torch.arange(n) % 10
    for anchors in (digit_centroids(means, labels), digit_prototypes(means, labels)):
        assert anchors.shape == (10, latent_dim)
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
