"""Paths in picture space: against closed forms, against other methods, and on the real decoder."""

import heapq
import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_navigator.geometry.geodesics import (
    geodesic,
    path_length,
    retime,
    step_lengths,
)
from latent_navigator.geometry.latent_graph import (
    OFFSETS,
    build_graph,
    data_weights,
    metric_tensor,
    sensitivity,
    shortest_path,
    weights_at,
)
from latent_utils import RADIUS, linear_interpolation, spherical_interpolation

PAIRS = list(itertools.combinations(range(10), 2))


def linear(z):
    """A plane in a space of three dimensions: its geodesics are straight."""
    return z @ torch.tensor([[1.0, 0.0, 2.0], [0.5, 1.5, 0.0]])


def cone(z):
    """Polar (r, angle) around z = (3, 0) with half the angle: flat, and unrolls to a plane."""
    r = (z - torch.tensor([3.0, 0.0])).norm(dim=1)
    angle = torch.atan2(z[:, 1], 3 - z[:, 0])
    # Slope and circumference of a cone: dr^2 (1) + (r sin a)^2 dangle^2
    flat = 0.5
    return torch.stack(
        [
            r * flat * torch.cos(angle),
            r * flat * torch.sin(angle),
            r * math.sqrt(1 - flat**2),
        ],
        dim=1,
    )


def sphere(z):
    """Longitude and latitude of the unit sphere: geodesics are arcs of great circles."""
    longitude, latitude = z[:, 0], z[:, 1]
    return torch.stack(
        [latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()], dim=1
    )


def decoder(released):
    model = released.build_model()
    return lambda z: model.decode(z).flatten(1)


@pytest.fixture(scope="module")
def decode(released):
    return decoder(released)


@pytest.fixture(scope="module")
def graph(decode, space):
    return build_graph(decode, space.range)


@pytest.fixture(scope="module")
def geodesics(decode, graph, released):
    """The curves of all 45 pairs of typical places."""
    anchors = released.prototypes
    return {(a, b): geodesic(decode, graph, anchors[a], anchors[b]) for a, b in PAIRS}


def test_a_linear_decoder_has_straight_geodesics():
    graph = build_graph(linear, 2.0, side=48)
    start, end = torch.tensor([-1.3, 0.4]), torch.tensor([1.7, -1.1])
    path = retime(linear, geodesic(linear, graph, start, end), 21)
    torch.testing.assert_close(path, linear_interpolation(start, end, 21), atol=2e-3, rtol=0)


@pytest.mark.guarantee("geodesics")
def test_on_a_cone_it_is_the_straight_line_of_the_unrolled_cone():
    graph = build_graph(cone, 2.0, side=96)
    start, end = torch.tensor([1.0, 1.5]), torch.tensor([1.0, -1.5])
    path = geodesic(cone, graph, start, end)
    r = math.hypot(2, 1.5)
    turn = 2 * math.atan2(1.5, 2) * 0.5  # the angle between the ends, unrolled
    expected = 2 * r * math.sin(turn / 2)
    assert path_length(cone, path) == pytest.approx(expected, rel=2e-3)
    # Its nearest point to the tip lies in the middle, at r cos(turn / 2).
    middle = path[len(path) // 2]
    assert float((middle - torch.tensor([3.0, 0.0])).norm()) == pytest.approx(
        r * math.cos(turn / 2), rel=5e-3
    )


@pytest.mark.guarantee("geodesics")
def test_on_a_sphere_it_is_the_great_circle():
    graph = build_graph(sphere, 1.4, side=96)
    start, end = torch.tensor([-1.3, 0.8]), torch.tensor([1.3, 0.8])
    path = retime(sphere, geodesic(sphere, graph, start, end), 33)
    a, b = sphere(torch.stack([start, end]))
    angle = math.acos(float(a @ b))
    assert path_length(sphere, path) == pytest.approx(angle, rel=2e-3)
    straight = path_length(sphere, linear_interpolation(start, end, 33))
    assert straight > 1.05 * angle, "the parallel is longer: the case tells the two apart"
    t = torch.linspace(0, 1, 33)[:, None]
    arc = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / math.sin(angle)
    torch.testing.assert_close(sphere(path), arc, atol=0.02, rtol=0)


def test_on_a_sphere_the_metric_is_the_known_one():
    graph = build_graph(sphere, 1.4, side=141)  # cells of 0.02
    found = metric_tensor(graph)[40:100:20, 40:100:20]
    latitude = graph.axis[40:100:20]
    expected = torch.zeros_like(found)
    expected[..., 0, 0] = latitude[:, None].cos().square()
    expected[..., 1, 1] = 1
    torch.testing.assert_close(found, expected, atol=2e-3, rtol=0)
    norms = sensitivity(graph)[40:100:20, 40:100:20]
    torch.testing.assert_close(norms**2, expected.sum((-2, -1)), atol=4e-3, rtol=0)


def test_the_route_is_that_of_dijkstra():
    torch.manual_seed(0)
    bumps = torch.randn(2, 40)

    def bumpy(z):
        return (z @ bumps).sin()

    graph = build_graph(bumpy, 2.0, side=20)
    graph = graph.weighted(1 + torch.rand(20, 20))
    start, end = torch.tensor([-2.0, -2.0]), torch.tensor([2.0, 1.0])
    route = shortest_path(graph, start, end)

    def place(z):
        return tuple(((z.flip(-1) + 2) / 4 * 19).round().long().tolist())

    def edge(a, b):
        for sign in (1, -1):
            step = (sign * (b[0] - a[0]), sign * (b[1] - a[1]))
            if step in OFFSETS:
                low = a if sign == 1 else b
                mean = float(graph.weights[a] + graph.weights[b]) / 2
                return float(graph.lengths[OFFSETS.index(step)][low]) * mean
        raise AssertionError(f"{a} and {b} are no neighbours")

    best, queue = {place(start): 0.0}, [(0.0, place(start))]
    while queue:
        cost, node = heapq.heappop(queue)
        for dy, dx in [*OFFSETS, *((-dy, -dx) for dy, dx in OFFSETS)]:
            other = (node[0] + dy, node[1] + dx)
            if not (0 <= other[0] < 20 and 0 <= other[1] < 20):
                continue
            reached = cost + edge(node, other)
            if reached < best.get(other, math.inf):
                best[other] = reached
                heapq.heappush(queue, (reached, other))
    nodes = [place(z) for z in route]
    length = sum(edge(a, b) for a, b in itertools.pairwise(nodes))
    assert length == pytest.approx(best[place(end)], rel=1e-5)


@pytest.mark.guarantee("geodesics")
def test_all_pairs_of_digits_are_never_longer_than_straight(decode, geodesics, released):
    ratios = []
    for (a, b), path in geodesics.items():
        start, end = released.prototypes[a], released.prototypes[b]
        assert torch.equal(path[0], start) and torch.equal(path[-1], end)
        straight = path_length(decode, linear_interpolation(start, end, len(path)))
        ratios.append(path_length(decode, path) / straight)
        assert ratios[-1] <= 1.0001, (a, b)
    assert sum(ratios) / len(ratios) < 0.92
    assert sum(ratio < 0.9 for ratio in ratios) >= 15


@pytest.mark.guarantee("geodesics")
@pytest.mark.parametrize("steps", [5, 16, 64])
def test_all_pairs_have_constant_speed(decode, geodesics, steps):
    for pair, path in geodesics.items():
        changes = step_lengths(decode, retime(decode, path, steps))
        assert (changes / changes.mean() - 1).abs().max() < 0.1, pair


def test_refinement_shortens_the_route_of_the_graph(decode, graph, geodesics, released):
    for a, b in ((0, 7), (5, 7), (1, 9)):
        route = shortest_path(graph, released.prototypes[a], released.prototypes[b])
        assert path_length(decode, geodesics[a, b]) < 0.99 * path_length(decode, route)


def test_no_small_change_shortens_a_geodesic(decode, geodesics):
    """Bends of any kind that keep the ends make it longer: it is a minimum."""
    path = geodesics[0, 7]
    length = path_length(decode, path)
    t = torch.linspace(0, 1, len(path))[:, None]
    for waves in (1, 2, 3, 5):
        for direction in ([0.0, 0.03], [0.03, 0.0], [0.0, -0.03], [-0.03, 0.0]):
            bent = path + (waves * math.pi * t).sin() * torch.tensor(direction)
            assert path_length(decode, bent) > 0.999 * length, (waves, direction)


def test_both_ways_are_equally_long(decode, graph, geodesics, released):
    for a, b in ((3, 6), (1, 7), (2, 9)):
        back = geodesic(decode, graph, released.prototypes[b], released.prototypes[a])
        there = path_length(decode, geodesics[a, b])
        assert path_length(decode, back) == pytest.approx(there, rel=0.03)


@pytest.mark.guarantee("equal-ends")
def test_equal_ends_give_a_constant_path(decode, graph):
    z = torch.tensor([0.4, -0.7])
    path = retime(decode, geodesic(decode, graph, z, z), 9)
    assert torch.equal(path, z.expand(9, 2))


@pytest.mark.parametrize("gap", [1e-7, 1e-4, 1e-2])
def test_ends_that_nearly_meet(decode, graph, gap):
    start, end = torch.tensor([0.4, -0.7]), torch.tensor([0.4 + gap, -0.7])
    path = retime(decode, geodesic(decode, graph, start, end), 9)
    assert path.isfinite().all()
    assert torch.equal(path[0], start) and torch.equal(path[-1], end)
    assert (path - start).norm(dim=1).max() < 2 * gap + 1e-6


def test_corners_of_the_map(decode, graph, space):
    r = space.range
    start, end = torch.tensor([-r, -r]), torch.tensor([r, r])
    path = geodesic(decode, graph, start, end)
    assert path.isfinite().all() and path.abs().max() <= r
    assert torch.equal(path[0], start) and torch.equal(path[-1], end)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ([0.0, 0.0], [9.0, 0.0], "outside the map"),
        ([0.0, math.nan], [1.0, 0.0], "finite"),
        ([math.inf, 0.0], [1.0, 0.0], "finite"),
        ([0.0, 0.0], [1.0, 0.0, 0.0], "shapes"),
    ],
)
def test_impossible_ends_are_refused(decode, graph, start, end, words):
    with pytest.raises(ValueError, match=words):
        retime(decode, geodesic(decode, graph, torch.tensor(start), torch.tensor(end)), 9)


@pytest.mark.guarantee("arguments-validated")
def test_wrong_steps_are_refused(decode, graph):
    for steps in (1, 0, -3, True, 2.0):
        with pytest.raises(ValueError, match="steps"):
            retime(decode, geodesic(decode, graph, torch.zeros(2), torch.ones(2)), steps)


def test_weights_lead_around_an_empty_place():
    """Data on a ring: the plain way crosses its middle, the weighted one keeps to the ring."""
    angle = torch.linspace(0, 2 * math.pi, 2000)[:-1]
    ring = torch.stack([angle.cos(), angle.sin()], dim=1)
    plain = build_graph(linear, 2.0, side=96)
    weighted = plain.weighted(data_weights(plain, ring))
    start, end = torch.tensor([-1.0, 0.0]), torch.tensor([1.0, 0.0])
    across = geodesic(linear, plain, start, end)
    around = geodesic(linear, weighted, start, end)
    assert across.norm(dim=1).min() < 0.05
    assert around.norm(dim=1).min() > 0.8
    assert path_length(linear, around) > path_length(linear, across)


def test_weights_are_the_formula(released, graph):
    weights = data_weights(graph, released.means)
    assert weights.min() >= 1 and weights.max() <= 5
    for row, column in ((64, 64), (20, 90), (100, 60)):
        node = torch.stack([graph.axis[column], graph.axis[row]])
        count = torch.exp(-((released.means - node) / RADIUS).square().sum(1) / 2).sum()
        assert float(weights[row, column]) == pytest.approx(
            float(1 + 4 / (1 + count / 5)), rel=1e-4
        )
        found = weights_at(graph.weighted(weights), node[None])
        assert float(found) == pytest.approx(float(weights[row, column]), rel=1e-3)


@pytest.mark.parametrize("way", [linear_interpolation, spherical_interpolation])
def test_retiming_makes_every_way_even(decode, released, way):
    better = 0
    for a, b in PAIRS:
        curve = way(released.prototypes[a], released.prototypes[b], 65)
        before = step_lengths(decode, way(curve[0], curve[-1], 12))
        after = step_lengths(decode, retime(decode, curve, 12))
        assert after.max() <= before.max() * 1.0001, (a, b)
        better += bool(after.max() < 0.8 * before.max())
    assert better >= 25


@settings(max_examples=30, deadline=None)
@given(
    steps=st.integers(2, 40),
    corners=st.lists(st.tuples(*[st.floats(-4, 4, width=32)] * 2), min_size=2, max_size=6),
)
def test_retiming_stays_on_the_path(steps, corners):
    path = torch.tensor(corners)
    placed = retime(linear, path, steps)
    assert placed.shape == (steps, 2) and placed.isfinite().all()
    assert torch.equal(placed[0], path[0]) and torch.equal(placed[-1], path[-1])
    a, b = path[:-1, None], path[1:, None]  # (N - 1, 1, 2)
    along = (b - a).square().sum(-1).clamp_min(1e-12)
    t = (((placed[None] - a) * (b - a)).sum(-1) / along).clamp(0, 1)
    gaps = (placed[None] - (a + t[..., None] * (b - a))).norm(dim=-1)  # (N - 1, steps)
    assert gaps.min(0).values.max() < 1e-4
