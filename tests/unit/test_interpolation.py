"""What page and API say about ways and directions: computed again by other means."""

import base64
import io
import json
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image

from latent_navigator.explorer import experiments
from latent_navigator.explorer.directions import Compass
from latent_navigator.explorer.exports import animation, strip_png
from latent_navigator.explorer.interpolation import WAYS, Paths
from latent_navigator.explorer.map_layers import sensitivity_layer
from latent_navigator.geometry.attributes import jacobian_norm
from latent_navigator.geometry.geodesics import path_length
from latent_utils import linear_interpolation, neighbourhood


@pytest.fixture(scope="module")
def paths(navigator):
    return Paths(navigator)


@pytest.fixture(scope="module")
def compass(paths):
    return Compass(paths)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("even", [False, True])
def test_a_way_runs_between_its_ends_and_its_facts_hold(paths, navigator, way, even):
    answer = paths.interpolate(1, 7, way, 6, even=even)
    path, curve = torch.tensor(answer["path"]), torch.tensor(answer["curve"])
    for ends in (path, curve):
        assert torch.equal(ends[0], navigator.anchor(1))
        assert torch.equal(ends[-1], navigator.anchor(7))
    frames = navigator.pictures(path).astype(float).reshape(6, -1) / 255
    changes = [float(np.linalg.norm(b - a)) for a, b in zip(frames, frames[1:], strict=False)]
    assert answer["changes"] == pytest.approx(changes)
    assert answer["largest_step"] == pytest.approx(max(changes))
    if even or way in ("geodesic", "data"):
        assert max(changes) < 1.1 * min(changes)
    assert answer["length"] == pytest.approx(path_length(paths.decode, curve))
    assert set(answer["passes"]) <= set(navigator.names)
    assert answer["passes"][0] == "1" and answer["passes"][-1] == "7"
    # The support is that of the least known place: no place of the curve has less.
    around = neighbourhood(curve, navigator.means, navigator.labels)
    assert 0 <= answer["support"] <= int(around.within.min())
    json.dumps(answer, allow_nan=False)


def test_the_geodesic_changes_least_and_the_weighted_one_keeps_to_the_digits(paths):
    fewer = 0
    for pair in ((0, 7), (5, 7), (1, 6), (3, 6)):
        found = {way: paths.interpolate(*pair, way) for way in WAYS}
        lengths = {way: answer["length"] for way, answer in found.items()}
        assert lengths["geodesic"] <= min(lengths.values()) * 1.005
        fewer += found["data"]["support"] > found["geodesic"]["support"]
    assert fewer >= 2


def test_ends_are_digits_or_positions(paths, navigator):
    answer = paths.interpolate([0.25, -1.5], 4, "linear", 5, "centroid")
    assert answer["path"][0] == [0.25, -1.5]
    assert answer["path"][-1] == navigator.anchors["centroid"][4].tolist()


@pytest.mark.guarantee("arguments-validated")
@pytest.mark.parametrize(
    "end", [None, 10, -1, 2.5, True, "3", [0], [0, math.nan], [0, 99], [True, 0], ["a", 0], {}]
)
def test_impossible_ends_are_named(paths, end):
    with pytest.raises(ValueError, match=" is .*; give"):
        paths.interpolate(end, 3)


def test_flags_that_were_not_set_are_told(paths):
    with pytest.raises(ValueError, match="pick them on the map first"):
        paths.interpolate("A", "B")


@pytest.mark.guarantee("equal-ends")
def test_equal_ends_are_a_constant_way(paths):
    for way in WAYS:
        answer = paths.interpolate(4, 4, way, 7)
        assert len({tuple(z) for z in answer["path"]}) == 1
        assert answer["length"] < 1e-4 and answer["largest_step"] == 0
        json.dumps(answer, allow_nan=False)


@pytest.mark.guarantee("arguments-validated")
@pytest.mark.parametrize("steps", [0, 1, 2, 4, 25, -1, 10**6, 5.5, True, "9", math.nan])
def test_wrong_step_counts_are_named(paths, steps):
    with pytest.raises(ValueError, match="steps is .*from 5 to 24"):
        paths.interpolate(1, 7, "linear", steps)


@pytest.mark.guarantee("arguments-validated")
@pytest.mark.parametrize("even", [None, 1, 0.0, "true", [], math.nan])
def test_even_steps_are_asked_for_with_true_or_false(paths, even):
    with pytest.raises(ValueError, match="even is .*give true or false"):
        paths.interpolate(1, 7, "linear", 9, even=even)


@pytest.mark.guarantee("arguments-validated")
def test_unknown_ways_are_named(paths):
    with pytest.raises(ValueError, match="method is 'geodesy'.*linear, spherical, geodesic"):
        paths.interpolate(1, 7, "geodesy")
    for ways, words in ((None, "no way"), ([], "no way"), (["linear", 3], "way is 3")):
        with pytest.raises(ValueError, match=words):
            paths.compare(1, 7, ways, 9, False, "typical")


def test_a_comparison_holds_the_pictures_of_every_way(paths, navigator):
    compared = paths.compare(3, [1.0, 0.5], ["geodesic", "linear"], 7, True, "typical")
    assert compared["ends"] == "3 → (1.00, 0.50)"
    assert [row["way"] for row in compared["rows"]] == ["linear", "geodesic"]
    for row in compared["rows"]:
        z = torch.tensor(row["points"])
        assert z.shape == (7, 2)
        assert base64.b64decode(row["frames"]) == navigator.pictures(z).tobytes()
    json.dumps(compared, allow_nan=False)


def test_answers_do_not_depend_on_who_asks_beside(paths, compass):
    """Many threads at once get what one gets alone; torch's forward mode would fail here."""
    asked = [(0.04 * i - 0.8, 0.2) for i in range(40)]
    alone = [(compass.here(*z), compass.nudge(*z, "slant", 1)) for z in asked]
    fresh = Paths(paths.navigator)
    with ThreadPoolExecutor(8) as pool:
        heres = [pool.submit(compass.here, *z) for z in asked]
        nudges = [pool.submit(compass.nudge, *z, "slant", 1) for z in asked]
        ways = [pool.submit(fresh.interpolate, d, (d + 3) % 10, "geodesic") for d in range(10)]
        assert [(h.result(), n.result()) for h, n in zip(heres, nudges, strict=True)] == alone
        found = [way.result() for way in ways]
    assert found == [paths.interpolate(d, (d + 3) % 10, "geodesic") for d in range(10)]


def test_experiments_show_what_they_say(paths, navigator):
    strip, text = experiments.morph(paths)
    ends = [navigator.jump_to_digit(3), navigator.jump_to_digit(8)]
    points = strip["rows"][0]["points"]
    assert [points[0], points[-1]] == [[e["x"], e["y"]] for e in ends]
    assert "3 morphs into 8" in text

    strip, _ = experiments.boundary(paths)
    z = torch.tensor(strip["rows"][0]["points"])
    assert float((z[-1] - z[0]).norm()) <= 0.75

    strip, text = experiments.four_ways(paths)
    assert [row["way"] for row in strip["rows"]] == list(WAYS)
    straight, around, least, _ = strip["rows"]
    for row in (around, least):
        assert f"{row['length'] / straight['length']:.2f} times" in text

    first, text = experiments.random_exploration(paths)
    second, _ = experiments.random_exploration(paths)
    assert len(first["rows"][0]["points"]) == 12
    assert first["rows"][0]["points"] != second["rows"][0]["points"]


# --- files ---


@pytest.fixture
def row(paths):
    return paths.compare(3, 8, ["geodesic"], 9, False, "typical")["rows"][0]


def exported(paths, kind, row):
    answer = paths.export(kind, row)
    assert answer["name"] == f"latent-path.{kind}"
    return base64.b64decode(answer["data"])


def test_the_strip_as_png(paths, navigator, row):
    with Image.open(io.BytesIO(exported(paths, "png", row))) as sheet:
        assert sheet.format == "PNG" and sheet.size == (9 * 116 - 4, 112)
        pixels = np.asarray(sheet)
    frames = navigator.pictures(torch.tensor(row["points"]))
    for i, frame in enumerate(frames):
        np.testing.assert_array_equal(pixels[::4, 116 * i : 116 * i + 112 : 4], frame)
    assert (pixels[:, 112:116] == 255).all()


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_the_morph_as_an_animation(paths, navigator, row, kind):
    with Image.open(io.BytesIO(exported(paths, kind, row))) as film:
        assert film.format == kind.upper() and film.is_animated and film.size == (224, 224)
        assert film.info.get("loop") == 0
        shown, times = [], []
        for i in range(film.n_frames):
            film.seek(i)
            shown.append(np.asarray(film.convert("L"))[4::8, 4::8].astype(int))
            times.append(film.info["duration"])
    ends = navigator.pictures(torch.tensor([row["curve"][0], row["curve"][-1]])).astype(int)
    assert np.abs(shown[0] - ends[0]).max() <= 2
    turn = int(np.argmax(times[1:])) + 1
    assert np.abs(shown[turn] - ends[1]).max() <= 2
    # Equal steps there, and the same way back.
    steps = [np.linalg.norm((b - a) / 255) for a, b in zip(shown, shown[1:turn], strict=False)]
    assert max(steps) < 1.5 * np.mean(steps)
    assert len(shown) == pytest.approx(2 * turn, abs=1)


def test_the_path_as_json(paths, row):
    answer = json.loads(exported(paths, "json", row))
    assert answer["positions"] == row["points"] and answer["curve"] == row["curve"]
    assert answer["changes"] == pytest.approx(row["changes"])


def test_export_refuses_what_is_no_row(paths, row):
    for kind in ("exe", None, 3):
        with pytest.raises(ValueError, match="kind is"):
            paths.export(kind, row)
    for wrong in (None, {}, [], {"points": [[0, 0]], "curve": [[0, 0]]}):
        with pytest.raises(ValueError):
            paths.export("png", wrong)
    long = {"points": [[0, 0]] * 257, "curve": row["curve"], "title": ""}
    with pytest.raises(ValueError, match="2 to 256"):
        paths.export("png", long)
    with pytest.raises(ValueError, match="x is 99"):
        paths.export("gif", {"points": row["points"], "curve": [[0, 0], [99, 0]], "title": ""})


def test_files_hold_what_they_are_given():
    frames = np.arange(3 * 784, dtype=np.uint8).reshape(3, 28, 28)
    assert strip_png(frames).startswith(b"\x89PNG")
    assert animation(frames, "gif").startswith(b"GIF89a")
    assert animation(frames, "webp")[8:12] == b"WEBP"


# --- directions ---


def test_here_tells_values_directions_and_sensitivity(paths, compass, navigator):
    answer = compass.here(0.3, -0.4)
    assert list(answer["attributes"]) == ["ink", "stroke", "slant", "width", "height", "roundness"]
    z = torch.tensor([[0.3, -0.4]])
    assert answer["sensitivity"] == pytest.approx(float(jacobian_norm(paths.decode, z)))
    for name, about in answer["attributes"].items():
        # A small step in the direction told changes the attribute by its slope.
        angle = math.radians(about["direction"])
        step = 0.002
        ahead = compass.here(0.3 + step * math.cos(angle), -0.4 + step * math.sin(angle))
        change = (ahead["attributes"][name]["value"] - about["value"]) / step
        assert change == pytest.approx(about["slope"], rel=0.15)
    json.dumps(answer, allow_nan=False)


def test_the_layer_of_sensitivity_is_the_exact_one_seen_coarsely(paths, navigator):
    layer = sensitivity_layer(paths)
    side = layer["side"]
    cells = np.frombuffer(base64.b64decode(layer["strength"]), np.uint8).reshape(side, side)
    place = np.linspace(-navigator.range, navigator.range, side)
    rows, columns = np.meshgrid(range(8, side, 16), range(8, side, 16), indexing="ij")
    z = np.stack([place[columns], -place[rows]], axis=-1).reshape(-1, 2)  # the first row is the top
    exact = jacobian_norm(paths.decode, torch.tensor(z, dtype=torch.float32)).numpy()
    shown = cells[rows, columns].reshape(-1) / 255 * layer["most"]
    seen = exact < layer["most"]
    assert np.corrcoef(exact[seen], shown[seen])[0, 1] > 0.9
    assert np.median(np.abs(shown[seen] / exact[seen] - 1)) < 0.1


def test_directions_lead_to_the_digits(compass, navigator):
    for anchor in ("typical", "centroid"):
        for digit, way in enumerate(compass.digits(0.5, 1.5, anchor)):
            angle = math.radians(way["direction"])
            reached = [
                0.5 + way["distance"] * math.cos(angle),
                1.5 + way["distance"] * math.sin(angle),
            ]
            assert reached == pytest.approx(navigator.anchor(digit, anchor).tolist(), abs=1e-4)


def test_a_nudge_tells_what_it_did_and_when_it_cannot(compass, navigator):
    z, told = navigator.anchor(1).tolist(), []
    for _ in range(60):
        walk = compass.nudge(*z, "stroke", -1)
        told.append(walk["message"])
        z = walk["path"][-1]
        if walk["stopped"]:
            break
    assert walk["stopped"] == "barred"
    assert told[0].startswith("Stroke width") and "Still among the 1s" in told[0]
    assert "No further as a 1" in told[-1] and "thinner" in told[-1]
    again = compass.nudge(*z, "stroke", -1)
    assert len(again["path"]) == 1 and again["message"].startswith("No further")


def test_a_nudge_from_an_empty_place_may_cross_empty_places(compass, navigator):
    walk = compass.nudge(-4.4, 4.4, "ink", 1)
    assert np.shape(walk["path"])[1] == 2 and np.isfinite(walk["path"]).all()
    assert np.abs(walk["path"]).max() <= navigator.range


def test_the_straight_way_is_the_one_of_latent_utils(paths, navigator):
    answer = paths.interpolate(2, 9, "linear", 11)
    expected = linear_interpolation(navigator.anchor(2), navigator.anchor(9), 11)
    assert answer["path"] == expected.tolist()
