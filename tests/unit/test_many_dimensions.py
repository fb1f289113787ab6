"""Whatever is asked of a latent space, of two and of ten dimensions."""

import base64
import dataclasses
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.explorer.dimensions import (
    STEPS,
    dimensions,
    traversals,
    traverse,
    unused_message,
)
from latent_navigator.explorer.directions import (
    nudge_attribute,
)
from latent_navigator.explorer.exports import export_traversals
from latent_navigator.explorer.inference import infer_test_image
from latent_navigator.explorer.interpolation import INTERPOLATIONS, interpolate
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.layer_fields import CLEAR, regions
from latent_navigator.explorer.lesson_solutions import check_lesson, solutions, solve_lesson
from latent_navigator.explorer.lessons import lessons
from latent_navigator.explorer.map_layers import layer_data, map_layers
from latent_navigator.explorer.norms import norm_distribution
from latent_navigator.explorer.planes import find_plane, layer_on_plane, plane_on_map
from latent_navigator.explorer.readout import decode_position
from latent_navigator.explorer.training_replay import replay_hash, training_replay
from latent_navigator.geometry.attributes import jacobian_norm
from latent_navigator.training import results
from latent_navigator.training.paths import RunPaths
from latent_navigator.training.results import describe_collapse, write_results
from tests.helpers import with_unused_dimensions

METHODS = [method.key for method in INTERPOLATIONS]


def test_a_list_of_all_coordinates_is_a_position(any_space: LatentSpace) -> None:
    z = torch.linspace(-1, 1, any_space.latent_dim).tolist()
    assert any_space.position(z).tolist() == pytest.approx(z)
    answer = decode_position(any_space, z)
    expected = (any_space.model.decode(torch.tensor([z])) * 255).round().byte().detach().numpy()
    assert base64.b64decode(answer["pixels"]) == expected.tobytes()
    assert len(answer["round_trip"]) == any_space.latent_dim


def test_two_numbers_are_coordinates_on_the_map(any_space: LatentSpace) -> None:
    z = any_space.position(0.5, -1.25)
    torch.testing.assert_close(any_space.plane.to_plane(z[None]), torch.tensor([[0.5, -1.25]]))
    assert float(any_space.plane.distance(z[None])) < 1e-6


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e30, True, None, "1", [0.0]])
def test_invalid_coordinates_are_named(any_space: LatentSpace, value: object) -> None:
    z: list[object] = [0.0] * any_space.latent_dim
    z[1] = value
    name = "y" if any_space.latent_dim == 2 else "z2"
    with pytest.raises(ValueError, match=f"{name} is .*give a number from -{any_space.limit:g}"):
        any_space.position(z)


@pytest.mark.parametrize("length", [0, 1, 3, 9, 11, 4096])
def test_a_list_of_another_length_is_explained(any_space: LatentSpace, length: int) -> None:
    needed = "two numbers" if any_space.latent_dim == 2 else "10 numbers"
    for ask in (any_space.position, lambda z: interpolate(any_space, z, 3)):
        with pytest.raises(ValueError, match=rf"position is \[.*give {needed}"):
            ask([0.0] * length)


def test_the_map_contains_all_points_on_any_plane(any_space: LatentSpace) -> None:
    through = any_space.means[5].tolist()
    planes = [
        {"kind": "principal"},
        {"kind": "dimensions", "dimensions": [2, 1], "through": through},
        {"kind": "points", "points": [any_space.means[i].tolist() for i in range(3)]},
    ]
    corners = any_space.range * torch.tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    for wanted in planes:
        plane = find_plane(any_space, wanted)
        assert float(plane.to_plane(any_space.means).abs().max()) <= any_space.range
        for corner in plane.from_plane(corners):
            any_space.position(corner.tolist())
        shown = plane_on_map(any_space, wanted)
        json.dumps(shown, allow_nan=False)
        assert f"{100 * shown['variance']:.0f} % of the variance" in shown["message"]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (None, "plane is None"),
        ({"kind": "sphere"}, "kind is 'sphere'; give one of principal"),
        ({"kind": "points", "points": [[0] * 10]}, "give three positions"),
        ({"kind": "points", "points": [[0] * 10] * 3}, "lie on a line"),
        ({"kind": "dimensions", "dimensions": [1]}, "give two from 1 to 10"),
        ({"kind": "dimensions", "dimensions": [0, 1], "through": [0] * 10}, "dimension is 0"),
        ({"kind": "dimensions", "dimensions": [3, 3], "through": [0] * 10}, "twice"),
        ({"kind": "dimensions", "dimensions": [3, 2]}, "x is None"),
    ],
)
def test_invalid_planes_are_explained(ten_space: LatentSpace, wanted: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layer_on_plane(ten_space, "regions", wanted)


def test_unused_dimensions_do_not_count(ten_space: LatentSpace) -> None:
    """Noise there, as draws from the prior have it, changes neither images nor neighbours."""
    assert ten_space.used.tolist() == list(range(8))
    z = ten_space.means[:20].clone()
    moved = z.clone()
    moved[:, 8:] = 3.0
    for before, after in zip(ten_space.around(z), ten_space.around(moved), strict=True):
        assert torch.equal(before, after)
    assert (ten_space.around(z).within >= 1).all()
    assert unused_message(ten_space) == "2 unused dimensions: the decoder ignores them"


def test_neighbours_agree_with_brute_force(any_space: LatentSpace) -> None:
    z = torch.randn(30, any_space.latent_dim, generator=torch.Generator().manual_seed(0))
    distances = (z[:, None] - any_space.means)[..., any_space.used].double().norm(dim=2)
    around = any_space.around(z)
    assert torch.equal(around.within, (distances <= any_space.radius).sum(1))
    torch.testing.assert_close(around.nearest.double(), distances.min(1).values)
    nearest = distances.topk(50, largest=False).values
    torch.testing.assert_close(distances.gather(1, around.neighbours), nearest)


def test_half_of_the_encodings_are_well_supported(ten_space: LatentSpace) -> None:
    within = ten_space.around(ten_space.means).within - 1  # but themselves
    assert 0.3 < float((within >= 5).float().mean()) < 0.7


def test_prototypes_lie_among_their_class_more_than_others_of_it(any_space: LatentSpace) -> None:
    def own_neighbours(z: Tensor, labels: Tensor) -> float:
        """The share of the class among the five nearest other encodings."""
        nearest = any_space.labels[any_space.around(z).neighbours[:, 1:6]]
        return float((nearest == labels[:, None]).float().mean())

    all_of_them = own_neighbours(any_space.means, any_space.labels)
    assert own_neighbours(any_space.anchors["typical"], torch.arange(10)) > all_of_them


def test_geodesics_between_positions_of_the_map(any_space: LatentSpace) -> None:
    """Also beyond the encodings, in dimensions that are not used, and with equal ends."""
    corner = any_space.position(any_space.range, -any_space.range)
    away = torch.full((any_space.latent_dim,), -1.0)
    for ends in ((corner, away), (away, away)):
        answer = interpolate(any_space, ends[0].tolist(), ends[1].tolist(), "data")
        assert answer["curve"][0] == ends[0].tolist()
        assert answer["curve"][-1] == ends[1].tolist()
        json.dumps(answer, allow_nan=False)


def test_spherical_paths_keep_the_norm_that_straight_ones_lose(ten_space: LatentSpace) -> None:
    a, b = torch.eye(10)[:2] * 3
    straight, spherical = (
        interpolate(ten_space, a.tolist(), b.tolist(), method)["norms"]
        for method in ("linear", "spherical")
    )
    assert min(straight) == pytest.approx(3 / math.sqrt(2))
    assert spherical == pytest.approx([3.0] * 9)


@pytest.mark.parametrize("attribute", ["ink", "slant", "width"])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_nudge_changes_its_attribute_within_the_class(
    any_space: LatentSpace, attribute: str, sign: int
) -> None:
    z = any_space.anchor(3)
    label = int(any_space.around(z[None]).shares[0].argmax())
    found = nudge_attribute(any_space, z.tolist(), None, attribute, sign)
    changes = torch.tensor(found["values"]).diff() * sign
    assert (changes > 0).all()
    assert len(changes) > 0 or found["stopped"]
    path = torch.tensor(found["path"])
    assert path.shape[1] == any_space.latent_dim
    assert (any_space.around(path).shares.argmax(1) == label).all()


def test_a_posterior_has_all_dimensions(any_space: LatentSpace) -> None:
    answer = infer_test_image(any_space, 4)
    json.dumps(answer, allow_nan=False)
    mu, logvar = any_space.encode(any_space.images[4:5])
    assert answer["mu"] == pytest.approx(mu[0].tolist())
    assert answer["sigma"] == pytest.approx((logvar[0] / 2).exp().tolist())
    assert {len(z) for z in answer["samples"]} == {any_space.latent_dim}
    if any_space.latent_dim == 2:
        assert "ellipse" not in answer
        return
    assert sum(answer["kl_of_dimensions"]) == pytest.approx(answer["kl"], rel=1e-5)
    assert "in the 8 dimensions that are used" in answer["message"]
    # Draws from the posterior, projected, have the covariance of the ellipse.
    generator = torch.Generator().manual_seed(0)
    draws = mu + torch.randn(20_000, 10, generator=generator) * (logvar / 2).exp()
    covariance = torch.cov(any_space.plane.to_plane(draws).T)
    angle = math.radians(answer["ellipse"]["direction"])
    larger = torch.tensor([math.cos(angle), math.sin(angle)])
    smaller = torch.tensor([-larger[1], larger[0]])
    for sigma, axis in zip(answer["ellipse"]["sigma"], (larger, smaller), strict=True):
        assert float(axis @ covariance @ axis) == pytest.approx(sigma**2, rel=0.05)


def test_regions_are_the_classes_around_each_known_cell(any_space: LatentSpace) -> None:
    plane, side = any_space.plane, 30
    answer = regions(any_space, plane, side)
    at = (torch.arange(side) + 0.5) / side * 2 - 1
    y, x = torch.meshgrid(-at, at, indexing="ij")
    cells = plane.from_plane(any_space.range * torch.stack([x, y], dim=-1).reshape(-1, 2))
    around = any_space.around(cells)
    known = around.within > 0
    assert 0 < known.sum() < len(known)
    assert answer["known"].tolist() == known.tolist()
    first, second = (torch.from_numpy(answer[name]).long() for name in ("first", "second"))
    most, others = around.shares.gather(1, torch.stack([first, second], dim=1))[known].unbind(1)
    expected = around.shares[known].topk(2).values
    assert torch.equal(most, expected[:, 0])
    clear = expected[:, 0] >= CLEAR
    assert torch.equal((first == second)[known], clear)
    assert torch.equal(others[~clear], expected[:, 1][~clear])
    assert {*first[~known].tolist(), *second[~known].tolist()} == {0}


def test_a_plane_far_from_all_images_has_no_regions(ten_space: LatentSpace) -> None:
    far = {"kind": "dimensions", "dimensions": [1, 2], "through": [8.0] * 10}
    answer = regions(ten_space, find_plane(ten_space, far), 20)
    assert not any(answer[name].any() for name in ("first", "second", "known"))


def test_layers_are_computed_on_the_plane_from_the_full_space(ten_space: LatentSpace) -> None:
    assert "prior_vs_data" not in [layer.key for layer in map_layers(ten_space)]
    wanted = {"kind": "dimensions", "dimensions": [1, 2], "through": ten_space.means[0].tolist()}
    plane = find_plane(ten_space, wanted)
    trips = layer_data(ten_space, "round_trips", plane)
    mu, _ = ten_space.encode(
        ten_space.decode_images(plane.from_plane(torch.from_numpy(trips["from"])))
    )
    torch.testing.assert_close(torch.from_numpy(trips["to"]), plane.to_plane(mu))
    torch.testing.assert_close(torch.from_numpy(trips["distance"]), plane.distance(mu))

    field = layer_data(ten_space, "sensitivity", plane)
    strength = field["strength"].reshape(field["side"], field["side"])
    at = (torch.arange(field["side"]) + 0.5) / field["side"] * 2 - 1
    for row, column in ((20, 40), (33, 30), (50, 12)):
        z = plane.from_plane(ten_space.range * torch.tensor([[at[column], -at[row]]]))
        exact = min(float(jacobian_norm(ten_space.decode, z)), field["most"])
        shown = strength[row, column] / 255 * field["most"]
        assert shown == pytest.approx(exact, rel=0.05, abs=field["most"] / 255)
    assert base64.b64decode(layer_on_plane(ten_space, "regions", wanted)["file"])
    own = layer_data(ten_space, "regions")
    assert own is layer_data(ten_space, "regions"), "computed twice"


def test_the_norms_of_the_data_stand_beside_the_chi_distribution(any_space: LatentSpace) -> None:
    found = norm_distribution(any_space)
    width = found["most"] / len(found["prior"])
    for name in ("prior", "data", "means"):
        assert float(found[name].sum()) * width == pytest.approx(1, abs=0.02)
    draws = torch.randn(20_000, any_space.latent_dim, generator=torch.Generator().manual_seed(0))
    assert found["expected"] == pytest.approx(float(draws.norm(dim=1).median()), rel=0.01)


def test_dimensions_are_listed_by_their_use(any_space: LatentSpace) -> None:
    found = dimensions(any_space)
    kl = [dimension["kl"] for dimension in found]
    assert kl == sorted(kl, reverse=True)
    final = any_space.checkpoint.history[-1]
    if any_space.latent_dim == 2:
        assert sum(kl) == pytest.approx(final["test_kl"], abs=0.01)
    else:
        assert [d["dimension"] for d in found if not d["used"]] == [9, 10]
        assert max(kl[-2:]) == 0


def test_traversals_change_one_dimension(any_space: LatentSpace) -> None:
    z = any_space.anchor(3)
    images = traverse(any_space, z)
    assert images.shape == (any_space.latent_dim, STEPS, 28, 28)
    moved = z.clone()
    moved[1] = -3
    assert (images[1, 0] == any_space.decode_images(moved[None])[0]).all()
    answer = traversals(any_space, z.tolist())
    rows = np.frombuffer(base64.b64decode(answer["images"]), np.uint8).reshape(images.shape)
    for row, dimension in zip(rows, answer["dimensions"], strict=True):
        assert (row == images[dimension - 1]).all()
        if dimension > 8:
            assert (row == row[0]).all(), "an unused dimension changes the image"


def test_traversals_are_saved_as_a_table_and_an_animation(any_space: LatentSpace) -> None:
    z = any_space.anchor(3)
    used = len(any_space.used)
    png = export_traversals(any_space, "png", z.tolist())
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(png["data"]))))
    most_used = dimensions(any_space)[0]["dimension"] - 1
    expected = np.concatenate(list(traverse(any_space, z)[most_used]), axis=1)
    assert (sheet[1 : 28 * 3 : 3, 64 + 1 :: 3] == expected).all()
    assert len(sheet) == used * (28 * 3 + 4) - 4
    gif = export_traversals(any_space, "gif", z.tolist())
    assert Image.open(io.BytesIO(base64.b64decode(gif["data"]))).width == used * 28 * 3
    for kind in ("webp", None):
        with pytest.raises(ValueError, match="kind is"):
            export_traversals(any_space, kind, z.tolist())


def test_lessons_answer_in_any_dimension(any_space: LatentSpace) -> None:
    keys = [lesson.key for lesson in lessons(any_space)]
    assert ("far_out" in keys) == (any_space.latent_dim == 2)
    for key in keys:
        json.dumps(check_lesson(any_space, key, any_space.anchor(8).tolist()))
    solvable = [key for key in keys if len(solutions(any_space, key))]
    assert solvable
    for key in solvable:
        goal = solve_lesson(any_space, key, any_space.anchor(8).tolist())["goal"]
        assert check_lesson(any_space, key, goal)["done"]


def test_a_replay_is_seen_on_the_plane_of_the_finished_model(ten_space: LatentSpace) -> None:
    replay = training_replay(ten_space.checkpoint)
    xy = torch.from_numpy(replay["xy"]).float() * replay["scale"]
    expected = ten_space.plane.to_plane(ten_space.checkpoint.snapshots.means.float())
    torch.testing.assert_close(xy, expected, atol=replay["scale"], rtol=0)
    recorded = ten_space.checkpoint.snapshots
    assert replay["reconstructed"] == recorded.reconstructed.tolist()
    assert (replay["images"] == recorded.grids.numpy()).all()


def test_a_replay_of_an_older_file_has_no_images(ten_space: LatentSpace) -> None:
    recorded = ten_space.checkpoint.snapshots
    older = recorded._replace(reconstructed=torch.zeros(0, dtype=torch.int64))
    before = dataclasses.replace(ten_space.checkpoint, snapshots=older)
    replay = training_replay(before)
    assert len(replay["images"]) == 0
    assert replay["reconstructed"] == []
    assert replay_hash(before) != replay_hash(ten_space.checkpoint), "a browser keeps the other"


@pytest.mark.parametrize("latent_dim", [1, 65, 4096])
def test_other_dimensions_are_rejected(small_checkpoint: Checkpoint, latent_dim: int) -> None:
    config = dataclasses.replace(small_checkpoint.model_config, latent_dim=latent_dim)
    with pytest.raises(ValueError, match=rf"latent_dim is {latent_dim}.*--latent-dim 2 to 64"):
        LatentSpace(dataclasses.replace(small_checkpoint, model_config=config))


def with_unused(checkpoint: Checkpoint, count: int) -> Checkpoint:
    means: Tensor = torch.ones(len(checkpoint.labels), 10)
    means[:, :count] = 0
    return dataclasses.replace(checkpoint, means=means, logvars=torch.zeros_like(means))


def test_a_collapse_of_more_than_a_third_is_reported(ten_checkpoint: Checkpoint) -> None:
    assert describe_collapse(with_unused(ten_checkpoint, 3)) == ""
    message = describe_collapse(with_unused(ten_checkpoint, 4))
    assert message.startswith("Of the 10 dimensions 4 are unused (KL under 0.05 nats)")
    assert message.count(". ") == 0


@pytest.mark.parametrize(("latent_dim", "unused"), [(12, 0), (13, 5)])  # of which 8 are used
def test_a_run_says_at_its_end_that_dimensions_collapsed(
    ten_checkpoint: Checkpoint,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    latent_dim: int,
    unused: int,
) -> None:
    monkeypatch.setattr(results, "ignore_stop_signals", lambda: None)  # this is no run
    state = with_unused_dimensions(ten_checkpoint, latent_dim)
    write_results(state, RunPaths(tmp_path / "vae.pt"))
    *_, before, last = capsys.readouterr().out.splitlines()
    assert last.startswith("Next: python demo.py")
    assert ("unused" in before) == bool(unused)
    if unused:
        assert before.startswith(f"Of the {latent_dim} dimensions {unused} are unused")
        assert "a lower --beta uses more" in before


def test_further_unused_dimensions_change_no_answer(ten_space: LatentSpace) -> None:
    """Sixteen dimensions of which eight are used, as the browser's tests have them."""
    more = LatentSpace(with_unused_dimensions(ten_space.checkpoint, 16))
    assert more.used.tolist() == ten_space.used.tolist()
    assert unused_message(more) == "8 unused dimensions: the decoder ignores them"
    z = torch.nn.functional.pad(ten_space.means[:3], (0, 6))
    assert (more.decode_images(z) == ten_space.decode_images(ten_space.means[:3])).all()
    for found, expected in zip(
        more.encode(more.images[:3]), ten_space.encode(more.images[:3]), strict=True
    ):
        torch.testing.assert_close(found[:, :10], expected)
        assert not found[:, 10:].any()
