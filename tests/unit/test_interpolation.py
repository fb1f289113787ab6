"""Paths, experiments, exports and directions, checked against independent computations."""

import base64
import io
import json
import math
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from latent_navigator.explorer import experiments
from latent_navigator.explorer.directions import (
    attribute_directions,
    class_directions,
    nudge_attribute,
)
from latent_navigator.explorer.experiments import run_experiment
from latent_navigator.explorer.exports import animation, export_path, strip_png
from latent_navigator.explorer.interpolation import (
    INTERPOLATIONS,
    compare_paths,
    interpolate,
    prototype_geodesics,
)
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.layer_fields import sensitivity_field
from latent_navigator.explorer.navigation import go_to_class
from latent_navigator.geometry.attributes import jacobian_norm
from latent_navigator.geometry.geodesics import DecodedPath
from latent_utils import linear_interpolation
from tests.helpers import beside_encoding, coordinates, direction_of

METHODS = [method.key for method in INTERPOLATIONS]
Row = dict[str, Any]


def distances_from_data(space: LatentSpace, z: Tensor) -> Tensor:
    """(len(z), N) the distances to all encodings, in the dimensions that the decoder reads."""
    return torch.cdist(z[:, space.used].double(), space.means[:, space.used].double())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("even", [False, True])
def test_a_path_keeps_its_ends_and_its_measures_are_correct(
    either_space: LatentSpace, method: str, even: bool
) -> None:
    answer = interpolate(either_space, 1, 7, method, 6, even=even)
    path, curve = torch.tensor(answer["path"]), torch.tensor(answer["curve"])
    for ends in (path, curve):
        assert torch.equal(ends[0], either_space.anchor(1))
        assert torch.equal(ends[-1], either_space.anchor(7))
    frames = either_space.decode_images(path).astype(float).reshape(6, -1) / 255
    changes = [float(np.linalg.norm(b - a)) for a, b in pairwise(frames)]
    assert answer["changes"] == pytest.approx(changes)
    assert answer["largest_step"] == pytest.approx(max(changes))
    if even or method in ("geodesic", "data"):
        assert max(changes) < 1.1 * min(changes)
    assert answer["length"] == pytest.approx(DecodedPath.along(either_space.decode, curve).length)
    assert set(answer["passes"]) <= set(either_space.class_names)
    # In a small model the most typical 7 may lie among others.
    around = either_space.around(path[[0, -1]]).shares.argmax(1).tolist()
    assert [answer["passes"][0], answer["passes"][-1]] == [
        either_space.class_names[c] for c in around
    ]
    assert either_space.latent_dim > 2 or around == [1, 7]
    # The support is the minimum along the path, so no point of the curve has less.
    within = distances_from_data(either_space, curve) <= either_space.radius
    assert 0 <= answer["support"] <= int(within.sum(1).min())
    if either_space.latent_dim > 2:
        assert answer["norms"] == pytest.approx(path.norm(dim=1).tolist())
        assert answer["typical_norms"] == sorted(answer["typical_norms"])
    reverse = interpolate(either_space, 7, 1, method, 6, even=even)
    assert reverse["curve"][0] == curve[-1].tolist()
    json.dumps(answer, allow_nan=False)


@pytest.mark.slow
def test_the_geodesic_is_shortest_and_the_weighted_one_follows_the_data(
    trained_space: LatentSpace,
) -> None:
    shorter = better_supported = 0
    for pair in ((0, 7), (5, 7), (1, 6), (3, 6)):
        found = {method: interpolate(trained_space, *pair, method) for method in METHODS}
        lengths = {method: answer["length"] for method, answer in found.items()}
        assert lengths["geodesic"] <= min(lengths.values()) * 1.005
        shorter += lengths["geodesic"] < 0.97 * lengths["linear"]
        better_supported += found["data"]["support"] > found["geodesic"]["support"]
    assert shorter, "these pairs are no test case: their geodesics are straight"
    assert better_supported >= 2


def test_paths_between_prototypes_are_the_same_in_both_directions(
    either_space: LatentSpace,
) -> None:
    first = list(islice(prototype_geodesics(either_space), 2))
    for path, method in zip(first, ("geodesic", "data"), strict=True):
        for start, end, expected in ((0, 1, path), (1, 0, path.flip(0))):
            assert interpolate(either_space, start, end, method)["curve"] == expected.tolist()


def test_ends_are_classes_or_positions(either_space: LatentSpace) -> None:
    start = beside_encoding(either_space, 5).tolist()
    answer = interpolate(either_space, start, 4, "linear", 5, "centroid")
    assert answer["path"][0] == start
    assert answer["path"][-1] == either_space.anchors["centroid"][4].tolist()


@pytest.mark.guarantee("arguments-validated")
@pytest.mark.parametrize(
    "end", [None, 10, -1, 2.5, True, "3", [0], [0, math.nan], [0, 99], [True, 0], ["a", 0], {}]
)
def test_invalid_ends_are_named(either_space: LatentSpace, end: object) -> None:
    with pytest.raises(ValueError, match=r" is .*; give"):
        interpolate(either_space, end, 3)


def test_ends_that_are_not_picked_yet_are_explained(either_space: LatentSpace) -> None:
    with pytest.raises(ValueError, match="pick them on the map first"):
        interpolate(either_space, "A", "B")


@pytest.mark.guarantee("equal-ends")
def test_equal_ends_give_a_constant_path(either_space: LatentSpace) -> None:
    for method in METHODS:
        answer = interpolate(either_space, 4, 4, method, 7)
        assert len({tuple(z) for z in answer["path"]}) == 1
        assert answer["length"] < 1e-4
        assert answer["largest_step"] == 0
        json.dumps(answer, allow_nan=False)


@pytest.mark.guarantee("arguments-validated")
@pytest.mark.parametrize("steps", [0, 1, 2, 4, 25, -1, 10**6, 5.5, True, "9", math.nan])
def test_invalid_step_counts_are_named(either_space: LatentSpace, steps: object) -> None:
    with pytest.raises(ValueError, match=r"steps is .*from 5 to 24"):
        interpolate(either_space, 1, 7, "linear", steps)


@pytest.mark.guarantee("arguments-validated")
@pytest.mark.parametrize("even", [None, 1, 0.0, "true", [], math.nan])
def test_even_must_be_true_or_false(either_space: LatentSpace, even: object) -> None:
    with pytest.raises(ValueError, match=r"even is .*give true or false"):
        interpolate(either_space, 1, 7, "linear", 9, even=even)


@pytest.mark.guarantee("arguments-validated")
def test_unknown_methods_are_named(either_space: LatentSpace) -> None:
    with pytest.raises(ValueError, match=r"method is 'geodesy'.*linear, spherical, geodesic"):
        interpolate(either_space, 1, 7, "geodesy")
    for methods, message in ((None, "no path"), ([], "no path"), (["linear", 3], "method is 3")):
        with pytest.raises(ValueError, match=message):
            compare_paths(either_space, 1, 7, methods, 9, False, "typical")


def test_a_comparison_has_every_chosen_path(either_space: LatentSpace) -> None:
    end = [1.0, 0.5] + [-0.25] * (either_space.latent_dim - 2)
    compared = compare_paths(either_space, 3, end, ["geodesic", "linear"], 7, True, "typical")
    in_two = either_space.latent_dim == 2
    assert compared["ends"] == ("3 → (1.00, 0.50)" if in_two else "3 → (1.00, 0.50, …)")
    assert [row["method"] for row in compared["rows"]] == ["linear", "geodesic"]
    for row in compared["rows"]:
        single = interpolate(either_space, 3, end, row["method"], 7, "typical", True)
        assert row["points"] == single.pop("path")
        assert single.items() <= row.items()
    json.dumps(compared, allow_nan=False)


@pytest.mark.slow
def test_concurrent_requests_do_not_affect_each_other(either_space: LatentSpace) -> None:
    """Many threads get the same answers as one; torch's forward-mode AD would fail here."""
    positions = [(0.1 * i - 0.8, 0.2) for i in range(16)]
    expected = [
        (attribute_directions(either_space, *z), nudge_attribute(either_space, *z, "slant", 1))
        for z in positions
    ]
    fresh = LatentSpace(either_space.checkpoint)
    with ThreadPoolExecutor(8) as pool:
        directions = [pool.submit(attribute_directions, either_space, *z) for z in positions]
        nudges = [pool.submit(nudge_attribute, either_space, *z, "slant", 1) for z in positions]
        paths = [pool.submit(interpolate, fresh, d, (d + 3) % 10, "geodesic") for d in range(10)]
        found_both = [(d.result(), n.result()) for d, n in zip(directions, nudges, strict=True)]
        assert found_both == expected
        found = [path.result() for path in paths]
    assert found == [interpolate(either_space, d, (d + 3) % 10, "geodesic") for d in range(10)]


def test_experiments_show_what_they_describe(either_space: LatentSpace) -> None:
    shown = run_experiment(either_space, "morph")
    ends = [coordinates(go_to_class(either_space, digit)) for digit in (3, 8)]
    points = shown["rows"][0]["points"]
    assert [points[0], points[-1]] == ends
    assert shown["note"]["title"] == "3 morphs into 8."

    z = torch.tensor(run_experiment(either_space, "boundary")["rows"][0]["points"])
    assert float((z[-1] - z[0]).norm()) <= 0.75

    assert shown_view(either_space)["half"] < either_space.range / 4

    shown = run_experiment(either_space, "random")
    assert shown["scattered"]
    rows = {row.get("missed", False): torch.tensor(row["points"]) for row in shown["rows"]}
    assert sum(len(points) for points in rows.values()) == 100
    for missed, points in rows.items():
        nearest = distances_from_data(either_space, points).min(1).values
        assert ((nearest > either_space.radius) == missed).all()
    assert f"{len(rows.get(True, []))} missed the data" in shown["note"]["text"]
    assert shown["rows"] != run_experiment(either_space, "random")["rows"]


def test_a_random_exploration_near_the_data_has_one_row_and_marks_nothing(
    either_space: LatentSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = either_space.means[0]
    monkeypatch.setattr(experiments, "draw_from_prior", lambda *_: encoded)
    shown = run_experiment(either_space, "random")
    assert [row["title"] for row in shown["rows"]] == ["100 near the data"]
    assert "0 missed the data" in shown["note"]["text"]
    assert "Crosses" not in shown["note"]["text"]


def shown_view(space: LatentSpace) -> dict[str, Any]:
    """Where the map zooms to for the boundary; the whole path is in view."""
    shown = run_experiment(space, "boundary")
    view: dict[str, Any] = shown["view"]
    on_map = space.plane.to_plane(torch.tensor(shown["rows"][0]["points"]))
    assert float((on_map - torch.tensor(view["centre"])).abs().max()) < view["half"]
    return view


def test_smoothest_path_agrees_with_its_figures(
    either_space: LatentSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pair that is shown supports the statement, and the means are those of the pairs."""
    pairs = [(0, 9), (1, 6), (3, 8)]  # all would take half a minute
    monkeypatch.setattr(experiments, "_pairs", lambda _: list(pairs))
    monkeypatch.setattr(experiments, "PATIENCE", 600)
    shown = run_experiment(either_space, "paths")
    assert [row["method"] for row in shown["rows"]] == METHODS
    straight, spherical, shortest, _ = (row["largest_step"] for row in shown["rows"])
    in_two = either_space.latent_dim == 2
    # Where the norms are those of ten dimensions, a spherical path need not be the worst.
    assert shortest < straight < spherical if in_two else shortest < min(straight, spherical)
    text = shown["note"]["text"]
    assert f"{shortest:.1f} on the geodesic, {straight:.1f} on the straight path" in text
    assert ("In two dimensions" in text) == in_two
    means = [
        np.mean([interpolate(either_space, *pair, method, 12)["largest_step"] for pair in pairs])
        for method in ("geodesic", "linear", "spherical")
    ]
    conclusion = shown["note"]["conclusion"]
    assert "all 3 pairs" in conclusion
    assert f"{means[0]:.1f} on the geodesic, {means[1]:.1f} on the straight path" in conclusion
    assert f"and {means[2]:.1f} on the spherical one." in conclusion
    assert "When to use which" in conclusion
    json.dumps(shown, allow_nan=False)

    # Where the paths are not known yet, it answers in time, and says of how many pairs.
    monkeypatch.setattr(experiments, "PATIENCE", 0)
    assert "over 1 of 3 pairs" in run_experiment(either_space, "paths")["note"]["conclusion"]


@pytest.mark.guarantee("arguments-validated")
@pytest.mark.parametrize("key", [None, 3, "", "morphs", [], {}])
def test_unknown_experiments_are_named(either_space: LatentSpace, key: object) -> None:
    with pytest.raises(ValueError, match=r"experiment is .*morph, boundary, paths, random"):
        run_experiment(either_space, key)


# --- files ---


@pytest.fixture
def row(either_space: LatentSpace) -> Row:
    """One path of a comparison."""
    return dict(compare_paths(either_space, 3, 8, ["geodesic"], 9, False, "typical")["rows"][0])


def exported(space: LatentSpace, kind: str, row: Row) -> bytes:
    """The contents of an exported file."""
    answer = export_path(space, kind, row)
    assert answer["name"] == f"latent-path.{kind}"
    return base64.b64decode(answer["data"])


def test_the_strip_as_png(either_space: LatentSpace, row: Row) -> None:
    with Image.open(io.BytesIO(exported(either_space, "png", row))) as sheet:
        assert sheet.format == "PNG"
        assert sheet.size == (9 * 116 - 4, 112)
        pixels = np.asarray(sheet)
    frames = either_space.decode_images(torch.tensor(row["points"]))
    for i, frame in enumerate(frames):
        np.testing.assert_array_equal(pixels[::4, 116 * i : 116 * i + 112 : 4], frame)
    assert (pixels[:, 112:116] == 255).all()


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_the_morph_as_an_animation(either_space: LatentSpace, row: Row, kind: str) -> None:
    with Image.open(io.BytesIO(exported(either_space, kind, row))) as film:
        assert film.format == kind.upper()
        frames = getattr(film, "n_frames", 1)
        assert frames > 1
        assert film.size == (224, 224)
        assert film.info.get("loop") == 0
        shown, times = [], []
        for i in range(frames):
            film.seek(i)
            shown.append(np.asarray(film.convert("L"))[4::8, 4::8].astype(int))
            times.append(film.info["duration"])
    ends = either_space.decode_images(torch.tensor([row["curve"][0], row["curve"][-1]])).astype(int)
    assert np.abs(shown[0] - ends[0]).max() <= 2
    middle = int(np.argmax(times[1:])) + 1  # the end of the path, shown longest
    assert np.abs(shown[middle] - ends[1]).max() <= 2
    # Equal steps forward, and the same path back.
    steps = [np.linalg.norm((b - a) / 255) for a, b in pairwise(shown[:middle])]
    assert max(steps) < 1.5 * np.mean(steps)
    assert len(shown) == pytest.approx(2 * middle, abs=1)


def test_the_path_as_json(either_space: LatentSpace, row: Row) -> None:
    answer = json.loads(exported(either_space, "json", row))
    assert answer["positions"] == row["points"]
    assert answer["curve"] == row["curve"]
    assert answer["changes"] == pytest.approx(row["changes"])


def test_export_rejects_invalid_rows(either_space: LatentSpace, row: Row) -> None:
    for kind in ("exe", None, 3):
        with pytest.raises(ValueError, match="kind is"):
            export_path(either_space, kind, row)
    origin = [0.0] * either_space.latent_dim
    invalid: tuple[object, ...] = (None, [], "row")
    for value in invalid:
        with pytest.raises(ValueError, match=r"row is .*give points, curve and title"):
            export_path(either_space, "png", value)
    for points in (None, "", [origin], [origin] * 257):
        with pytest.raises(ValueError, match=r"points is .*give a list of 2 to 256 positions"):
            export_path(either_space, "png", row | {"points": points})
    numbers = "two numbers" if either_space.latent_dim == 2 else "10 numbers"
    with pytest.raises(ValueError, match=rf"position is \[.*give {numbers}"):
        export_path(either_space, "png", row | {"points": [origin, [*origin, 0.0]]})
    name = "x" if either_space.latent_dim == 2 else "z1"
    for wrong in (99, math.nan):
        with pytest.raises(ValueError, match=f"{name} is {wrong}; give a number from"):
            export_path(either_space, "gif", row | {"curve": [origin, [wrong, *origin[1:]]]})


def test_files_have_their_formats() -> None:
    frames = np.arange(3 * 784, dtype=np.uint8).reshape(3, 28, 28)
    assert strip_png(frames).startswith(b"\x89PNG")
    assert animation(frames, "gif").startswith(b"GIF89a")
    assert animation(frames, "webp")[8:12] == b"WEBP"


# --- directions ---


def test_attributes_have_values_directions_and_a_sensitivity(either_space: LatentSpace) -> None:
    z = beside_encoding(either_space, 3)
    answer = attribute_directions(either_space, z.tolist())
    assert list(answer["attributes"]) == ["ink", "stroke", "slant", "width", "height", "roundness"]
    norm = jacobian_norm(either_space.decode, z[None])
    assert answer["sensitivity"] == pytest.approx(float(norm))
    for name, attribute in answer["attributes"].items():
        # A small step in that direction changes the attribute by its slope.
        step = 0.002 * direction_of(attribute)
        behind, ahead = (
            attribute_directions(either_space, at.tolist())["attributes"][name]["value"]
            for at in (z - step, z + step)
        )
        assert (ahead - behind) / 0.004 == pytest.approx(attribute["slope"], rel=0.05)
        if either_space.latent_dim > 2:
            flat = either_space.plane.axes @ direction_of(attribute)
            assert attribute["in_plane"] == pytest.approx(float(flat.norm()), abs=1e-5)
            on_map = math.degrees(math.atan2(flat[1], flat[0]))
            assert attribute["direction"] == pytest.approx(on_map, abs=1e-3)
    json.dumps(answer, allow_nan=False)


def test_the_sensitivity_layer_approximates_the_exact_norm(space: LatentSpace) -> None:
    """Of two dimensions, whose layer is interpolated: of more, it is measured in each cell."""
    layer = sensitivity_field(space, space.plane)
    side = layer["side"]
    cells = layer["strength"].reshape(side, side)
    axis = np.linspace(-space.range, space.range, side)
    rows, columns = np.meshgrid(range(8, side, 16), range(8, side, 16), indexing="ij")
    z = np.stack([axis[columns], -axis[rows]], axis=-1).reshape(-1, 2)  # the first row is the top
    exact = jacobian_norm(space.decode, torch.tensor(z, dtype=torch.float32)).numpy()
    shown = cells[rows, columns].reshape(-1) / 255 * layer["most"]
    unclipped = exact < layer["most"]
    assert np.corrcoef(exact[unclipped], shown[unclipped])[0, 1] > 0.9
    assert np.median(np.abs(shown[unclipped] / exact[unclipped] - 1)) < 0.1


def test_directions_lead_to_the_classes(either_space: LatentSpace) -> None:
    z = beside_encoding(either_space, 8, distance=0.5)
    for anchor in ("typical", "centroid"):
        for digit, toward in enumerate(class_directions(either_space, z.tolist(), None, anchor)):
            reached = z + toward["distance"] * direction_of(toward)
            goal = either_space.anchor(digit, anchor)
            torch.testing.assert_close(reached, goal, atol=1e-4, rtol=0)


def test_a_nudge_reports_its_effect_and_why_it_stopped(either_space: LatentSpace) -> None:
    z, messages = either_space.anchor(1).tolist(), []
    for _ in range(60):
        walk = nudge_attribute(either_space, z, None, "stroke", -1)
        messages.append(walk["message"])
        z = walk["path"][-1]
        if walk["stopped"]:
            break
    assert walk["stopped"] == "barred"
    assert messages[0].startswith("Stroke width")
    assert "Still among the 1s" in messages[0]
    assert "This is the limit for a 1" in messages[-1]
    assert "thinner" in messages[-1]
    again = nudge_attribute(either_space, z, None, "stroke", -1)
    assert len(again["path"]) == 1
    assert again["message"].startswith("This is the limit")


def test_a_nudge_from_an_empty_region_may_cross_empty_regions(either_space: LatentSpace) -> None:
    corner = either_space.position(-0.98 * either_space.range, 0.98 * either_space.range)
    walk = nudge_attribute(either_space, corner.tolist(), None, "ink", 1)
    assert np.shape(walk["path"])[1] == either_space.latent_dim
    assert np.isfinite(walk["path"]).all()
    assert np.abs(walk["path"]).max() <= either_space.limit


def test_the_straight_path_equals_linear_interpolation(either_space: LatentSpace) -> None:
    answer = interpolate(either_space, 2, 9, "linear", 11)
    expected = linear_interpolation(either_space.anchor(2), either_space.anchor(9), 11)
    assert answer["path"] == expected.tolist()
