"""Paths in image space: against closed forms, other algorithms, and on the real decoder."""

import heapq
import itertools
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.spatial import cKDTree
from torch import Tensor

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.geometry import geodesics as geodesics_module
from latent_navigator.geometry.geodesics import (
    DecodedPath,
    _linearise,
    _normal_equations,
    geodesic,
    subdivide,
)
from latent_navigator.geometry.latent_graph import (
    SIDE,
    Decode,
    LatentGraph,
    build_graph,
    data_weight,
    sensitivity,
    shortest_path,
)
from latent_navigator.geometry.neighbour_graph import build_neighbour_graph
from latent_utils import RADIUS, linear_interpolation, spherical_interpolation

PAIRS = list(itertools.combinations(range(10), 2))

Node = tuple[int, int]  # row, column
Geodesics = dict[tuple[int, int], Tensor]


def linear(z: Tensor) -> Tensor:
    """A plane in three dimensions; its geodesics are straight."""
    return z @ torch.tensor([[1.0, 0.0, 2.0], [0.5, 1.5, 0.0]])


def cone(z: Tensor) -> Tensor:
    """A cone with its tip at z = (3, 0); it unrolls to a plane with half the angle."""
    r = (z - torch.tensor([3.0, 0.0])).norm(dim=1)
    angle = torch.atan2(z[:, 1], 3 - z[:, 0])
    # The metric of a cone of slope a: dr^2 + (r sin a)^2 dangle^2, here with sin a = 1 / 2.
    sin = 0.5
    return torch.stack(
        [r * sin * torch.cos(angle), r * sin * torch.sin(angle), r * math.sqrt(1 - sin**2)], dim=1
    )


def sphere(z: Tensor) -> Tensor:
    """Longitude and latitude on the unit sphere; its geodesics are arcs of great circles."""
    longitude, latitude = z[:, 0], z[:, 1]
    return torch.stack(
        [latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()], dim=1
    )


def path_length(decode: Decode, path: Tensor) -> float:
    """The length of a polyline (N, D) in image space."""
    return DecodedPath.along(decode, path).length


def retime(decode: Decode, path: Tensor, steps: int) -> Tensor:
    """Positions on a polyline (N, D) with equal visual change per step."""
    return DecodedPath.along(decode, path).retime(steps)


@torch.no_grad()
def step_lengths(decode: Decode, path: Tensor) -> Tensor:
    """path (N, D) -> (N - 1,) change of the image from each position to the next."""
    lengths: Tensor = decode(path).diff(dim=0).norm(dim=1)
    return lengths


@pytest.fixture(scope="module")
def decode(space: LatentSpace) -> Decode:
    return space.decode


@pytest.fixture(scope="module")
def graph(space: LatentSpace) -> LatentGraph:
    return space.graph


@pytest.fixture(scope="module")
def geodesics(decode: Decode, graph: LatentGraph, released: Checkpoint) -> Geodesics:
    """The geodesics between all 45 pairs of prototypes."""
    anchors = released.prototypes
    return {(a, b): geodesic(decode, graph, anchors[a], anchors[b]) for a, b in PAIRS}


def test_linear_decoder_has_straight_geodesics() -> None:
    graph = build_graph(linear, 2.0, side=48)
    start, end = torch.tensor([-1.3, 0.4]), torch.tensor([1.7, -1.1])
    path = retime(linear, geodesic(linear, graph, start, end), 21)
    torch.testing.assert_close(path, linear_interpolation(start, end, 21), atol=2e-3, rtol=0)


@pytest.mark.guarantee("geodesics")
def test_geodesic_of_a_cone_is_straight_when_unrolled() -> None:
    graph = build_graph(cone, 2.0, side=96)
    start, end = torch.tensor([1.0, 1.5]), torch.tensor([1.0, -1.5])
    path = geodesic(cone, graph, start, end)
    r = math.hypot(2, 1.5)
    turn = 2 * math.atan2(1.5, 2) * 0.5  # the angle between the ends, unrolled
    expected = 2 * r * math.sin(turn / 2)
    assert path_length(cone, path) == pytest.approx(expected, rel=2e-3)
    # The point closest to the tip is in the middle, at distance r cos(turn / 2).
    middle = path[len(path) // 2]
    assert float((middle - torch.tensor([3.0, 0.0])).norm()) == pytest.approx(
        r * math.cos(turn / 2), rel=5e-3
    )


@pytest.mark.guarantee("geodesics")
def test_geodesic_of_a_sphere_is_a_great_circle() -> None:
    graph = build_graph(sphere, 1.4, side=96)
    start, end = torch.tensor([-1.3, 0.8]), torch.tensor([1.3, 0.8])
    path = retime(sphere, geodesic(sphere, graph, start, end), 33)
    a, b = sphere(torch.stack([start, end]))
    angle = math.acos(float(a @ b))
    assert path_length(sphere, path) == pytest.approx(angle, rel=2e-3)
    straight = path_length(sphere, linear_interpolation(start, end, 33))
    assert straight > 1.05 * angle, "the ends are too close to tell arc and parallel apart"
    t = torch.linspace(0, 1, 33)[:, None]
    arc = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / math.sin(angle)
    torch.testing.assert_close(sphere(path), arc, atol=0.02, rtol=0)


def test_sensitivity_of_a_sphere() -> None:
    graph = build_graph(sphere, 1.4, side=141)  # cells of 0.02
    latitude = graph.nodes.view(141, 141, 2)[40:100:20, 40:100:20, 1]
    squares = sensitivity(graph)[40:100:20, 40:100:20].square()
    torch.testing.assert_close(squares, 1 + latitude.cos().square(), atol=4e-3, rtol=0)


def dijkstra(graph: LatentGraph, start: int, end: int) -> float:
    """The cost of the shortest path between two nodes, by another implementation."""
    neighbours = graph.edges.tolil()
    best, queue = {start: 0.0}, [(0.0, start)]
    while queue:
        cost, node = heapq.heappop(queue)
        for other, edge in zip(neighbours.rows[node], neighbours.data[node], strict=True):
            if cost + edge < best.get(other, math.inf):
                best[other] = cost + edge
                heapq.heappush(queue, (best[other], other))
    return best[end]


def test_shortest_path_costs_what_another_dijkstra_finds() -> None:
    generator = torch.Generator().manual_seed(0)
    bumps = torch.randn(2, 40, generator=generator)
    factors = 1 + torch.rand(400, generator=generator)
    graph = build_graph(lambda z: (z @ bumps).sin(), 2.0, side=20)
    graph = graph.weighted(lambda _: factors)
    start, end = torch.tensor([-2.0, -2.0]), torch.tensor([2.0, 2.0])  # two corners
    path, costs = shortest_path(graph, start, end)
    nodes = torch.cdist(path, graph.nodes).argmin(1).tolist()
    edges = [float(graph.edges[a, b]) for a, b in itertools.pairwise(nodes)]
    assert min(edges) > 0, "a step of the path is no edge"
    assert costs.tolist() == pytest.approx(edges)
    assert sum(edges) == pytest.approx(dijkstra(graph, 0, 399))


def test_edges_have_the_mean_weight_of_their_nodes_and_the_length_of_their_images() -> None:
    graph = build_graph(linear, 2.0, side=20)
    weighted = graph.weighted(lambda z: 2 + z[:, 0].abs())
    for a, b in (
        (0, 1),
        (0, 20),
        (30, 51),
        (30, 49),
        (110, 132),
        (110, 151),
        (110, 128),
        (110, 149),
    ):
        ends = graph.nodes[[a, b]]
        length = float(linear(ends).diff(dim=0).norm())
        assert float(graph.edges[a, b]) == float(graph.edges[b, a]) == pytest.approx(length)
        mean = float(2 + ends[:, 0].abs().mean())
        assert float(weighted.edges[a, b]) == pytest.approx(length * mean)
    assert graph.edges.nnz == 2 * (2 * 20 * 19 + 2 * 19 * 19 + 4 * 18 * 19)


def cylinder(z: Tensor) -> Tensor:
    """A sphere times a line: the square of a length is that of the arc and the height."""
    return torch.cat([sphere(z[:, :2]), z[:, 2:]], dim=1)


def graph_of_points(decode: Decode, dimensions: int, count: int = 1500) -> LatentGraph:
    """A graph of random positions in -1 ... 1, each with its 12 nearest neighbours."""
    nodes = 2 * torch.rand(count, dimensions, generator=torch.Generator().manual_seed(1)) - 1
    _, nearest = cKDTree(nodes.numpy()).query(nodes.numpy(), k=np.arange(2, 14))
    near = np.asarray(nearest)  # the nearest of all is the node itself
    images = decode(nodes)
    lengths = (images[near] - images[:, None]).norm(dim=-1).flatten().double().numpy()
    edges = csr_array((lengths, near.ravel(), np.arange(0, 12 * count + 1, 12)))
    return LatentGraph(nodes, csr_array(edges.maximum(edges.T)))


def test_geodesics_in_three_dimensions() -> None:
    graph = graph_of_points(cylinder, 3)
    start, end = torch.tensor([-0.9, 0.8, -0.5]), torch.tensor([0.9, 0.8, 0.6])
    path = geodesic(cylinder, graph, start, end)
    assert torch.equal(path[0], start)
    assert torch.equal(path[-1], end)
    a, b = sphere(torch.stack([start, end])[:, :2])
    expected = math.hypot(math.acos(float(a @ b)), 1.1)
    assert path_length(cylinder, path) == pytest.approx(expected, rel=2e-3)
    straight = path_length(cylinder, linear_interpolation(start, end, 49))
    assert straight > 1.01 * expected, "the ends are too close to tell the curves apart"


def test_geodesics_in_ten_dimensions_are_straight_for_a_linear_decoder() -> None:
    turn = torch.linalg.qr(torch.randn(20, 10, generator=torch.Generator().manual_seed(2)))[0]
    graph = graph_of_points(lambda z: z @ turn.T, 10)
    start, end = torch.linspace(-0.6, 0.6, 10), torch.linspace(0.5, -0.4, 10)
    path = geodesic(lambda z: z @ turn.T, graph, start, end)
    torch.testing.assert_close(path, linear_interpolation(start, end, 49), atol=5e-3, rtol=0)


def test_the_normal_equations_agree_with_automatic_differentiation() -> None:
    def weight(z: Tensor) -> Tensor:
        return 1 + z.square().sum(1)

    generator = torch.Generator().manual_seed(3)
    path = torch.rand(6, 3, generator=generator)

    def steps(inner: Tensor) -> Tensor:
        z = torch.cat([path[:1], inner.view(4, 3), path[-1:]])
        w = weight(z)
        return ((w[1:] + w[:-1])[:, None] / 2 * cylinder(z).diff(dim=0)).flatten()

    inner = path[1:-1].flatten()
    jacobian = torch.func.jacrev(steps)(inner)
    banded, gradient = _normal_equations(_linearise(cylinder, weight, path, 3))
    expected = (jacobian.T @ jacobian).double()
    size = len(expected)
    for offset in range(size):
        found = banded[5 - offset, offset:] if offset < 6 else np.zeros(size - offset)
        assert found == pytest.approx(expected.diagonal(offset).numpy(), abs=0.02)
    assert gradient == pytest.approx((jacobian.T @ steps(inner)).numpy(), abs=0.02)


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_a_constant_decoder_gives_a_path_of_length_zero(value: float) -> None:
    def constant(z: Tensor) -> Tensor:
        return torch.full((len(z), 4), value)

    start, end = torch.tensor([-1.0, 0.5]), torch.tensor([1.5, 0.5])
    path = geodesic(constant, build_graph(constant, 2.0, side=24), start, end)
    assert torch.equal(path, linear_interpolation(start, end, len(path)))
    assert path_length(constant, path) == 0


def test_geodesics_are_the_same_to_the_bit_each_time(
    decode: Decode, graph: LatentGraph, released: Checkpoint
) -> None:
    start, end = released.prototypes[2], released.prototypes[5]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: geodesic(decode, graph, start, end), range(3)))
    assert all(torch.equal(path, found[0]) for path in found)


@pytest.mark.slow
@pytest.mark.parametrize("weighted", [False, True])
def test_more_refinement_shortens_geodesics_by_less_than_two_percent(
    space: LatentSpace, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = space.data_graph if weighted else space.graph

    def length(a: int, b: int) -> float:
        path = geodesic(space.decode, graph, space.anchor(a), space.anchor(b))
        fine = subdivide(path, 16)
        factors = graph.weight((fine[1:] + fine[:-1]) / 2)
        return float((step_lengths(space.decode, fine) * factors).sum())

    pairs = PAIRS[::6]
    found = [length(a, b) for a, b in pairs]
    monkeypatch.setattr(geodesics_module, "ROUNDS", ((24, 8), (48, 8), (96, 8)))
    ratios = [some / length(a, b) for some, (a, b) in zip(found, pairs, strict=True)]
    assert max(ratios) < 1.02, ratios
    assert sum(ratios) / len(ratios) < 1.005, ratios


@pytest.mark.slow
@pytest.mark.guarantee("geodesics")
def test_geodesics_are_never_longer_than_straight_lines(
    decode: Decode, geodesics: Geodesics, released: Checkpoint
) -> None:
    ratios = []
    for (a, b), path in geodesics.items():
        start, end = released.prototypes[a], released.prototypes[b]
        assert torch.equal(path[0], start)
        assert torch.equal(path[-1], end)
        straight = path_length(decode, linear_interpolation(start, end, len(path)))
        ratios.append(path_length(decode, path) / straight)
        assert ratios[-1] <= 1.0001, (a, b)
    assert sum(ratios) / len(ratios) < 0.92
    assert sum(ratio < 0.9 for ratio in ratios) >= 15


@pytest.mark.slow
@pytest.mark.guarantee("geodesics")
@pytest.mark.parametrize("steps", [5, 16, 24, 64])
def test_retimed_geodesics_have_constant_speed(
    decode: Decode, geodesics: Geodesics, steps: int
) -> None:
    for pair, path in geodesics.items():
        changes = step_lengths(decode, retime(decode, path, steps))
        assert (changes / changes.mean() - 1).abs().max() < 0.1, pair


@pytest.mark.slow
def test_refinement_shortens_the_path_of_the_graph(
    decode: Decode, graph: LatentGraph, geodesics: Geodesics, released: Checkpoint
) -> None:
    for a, b in ((0, 7), (5, 7), (1, 9)):
        coarse, _ = shortest_path(graph, released.prototypes[a], released.prototypes[b])
        assert path_length(decode, geodesics[a, b]) < 0.99 * path_length(decode, coarse)


@pytest.mark.slow
def test_geodesic_is_a_local_minimum(decode: Decode, geodesics: Geodesics) -> None:
    path = geodesics[0, 7]
    length = path_length(decode, path)
    t = torch.linspace(0, 1, len(path))[:, None]
    for waves in (1, 2, 3, 5):
        for direction in ([0.0, 0.03], [0.03, 0.0], [0.0, -0.03], [-0.03, 0.0]):
            bent = path + (waves * math.pi * t).sin() * torch.tensor(direction)
            assert path_length(decode, bent) > 0.999 * length, (waves, direction)


@pytest.mark.slow
def test_geodesic_has_the_same_length_in_reverse(
    decode: Decode, graph: LatentGraph, geodesics: Geodesics, released: Checkpoint
) -> None:
    for a, b in ((3, 6), (1, 7), (2, 9)):
        back = geodesic(decode, graph, released.prototypes[b], released.prototypes[a])
        there = path_length(decode, geodesics[a, b])
        assert path_length(decode, back) == pytest.approx(there, rel=0.03)


@pytest.mark.guarantee("equal-ends")
def test_equal_ends_give_a_constant_path(decode: Decode, graph: LatentGraph) -> None:
    z = torch.tensor([0.4, -0.7])
    path = retime(decode, geodesic(decode, graph, z, z), 9)
    assert torch.equal(path, z.expand(9, 2))


@pytest.mark.parametrize("gap", [1e-7, 1e-4, 1e-2])
def test_close_ends_give_a_short_path(decode: Decode, graph: LatentGraph, gap: float) -> None:
    start, end = torch.tensor([0.4, -0.7]), torch.tensor([0.4 + gap, -0.7])
    path = retime(decode, geodesic(decode, graph, start, end), 9)
    assert path.isfinite().all()
    assert torch.equal(path[0], start)
    assert torch.equal(path[-1], end)
    assert (path - start).norm(dim=1).max() < 2 * gap + 1e-6


def test_geodesic_between_corners_stays_on_the_map(space: LatentSpace) -> None:
    r = space.range
    start, end = torch.tensor([-r, -r]), torch.tensor([r, r])
    path = geodesic(space.decode, space.graph, start, end)
    assert path.isfinite().all()
    assert path.abs().max() <= r
    assert torch.equal(path[0], start)
    assert torch.equal(path[-1], end)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ([0.0, 0.0], [9.0, 0.0], "outside the map"),
        ([0.0, math.nan], [1.0, 0.0], "finite"),
        ([math.inf, 0.0], [1.0, 0.0], "finite"),
        ([0.0, 0.0], [1.0, 0.0, 0.0], "shapes"),
    ],
)
def test_invalid_ends_are_rejected(
    decode: Decode, graph: LatentGraph, start: list[float], end: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        geodesic(decode, graph, torch.tensor(start), torch.tensor(end))


@pytest.mark.guarantee("arguments-validated")
@pytest.mark.parametrize("steps", [1, 0, -3, True, 2.0])
def test_invalid_step_counts_are_rejected(decode: Decode, steps: int) -> None:
    with pytest.raises(ValueError, match="steps"):
        retime(decode, torch.eye(2), steps)


def test_weights_lead_around_a_region_without_data() -> None:
    """Data on a ring: the plain path crosses its middle, the weighted path follows the ring."""
    angle = torch.linspace(0, 2 * math.pi, 2000)[:-1]
    ring = torch.stack([angle.cos(), angle.sin()], dim=1)
    plain = build_graph(linear, 2.0, side=96)
    weighted = plain.weighted(data_weight(2.0, ring))
    start, end = torch.tensor([-1.0, 0.0]), torch.tensor([1.0, 0.0])
    across = geodesic(linear, plain, start, end)
    around = geodesic(linear, weighted, start, end)
    assert across.norm(dim=1).min() < 0.05
    assert around.norm(dim=1).min() > 0.8
    assert path_length(linear, around) > path_length(linear, across)


def test_data_weight_follows_its_formula(released: Checkpoint, space: LatentSpace) -> None:
    weight = data_weight(space.range, released.means)
    nodes = space.graph.nodes
    assert weight(nodes).min() >= 1
    assert weight(nodes).max() <= 5.001
    for row, column in ((64, 64), (20, 90), (100, 60)):
        node = nodes[SIDE * row + column]
        count = float(torch.exp(-((released.means - node) / RADIUS).square().sum(1) / 2).sum())
        assert float(weight(node[None])) == pytest.approx(1 + 4 / (1 + count / 5), rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("interpolation", [linear_interpolation, spherical_interpolation])
def test_retiming_evens_out_the_steps(
    decode: Decode, released: Checkpoint, interpolation: Callable[[Tensor, Tensor, int], Tensor]
) -> None:
    better = 0
    for a, b in PAIRS:
        curve = interpolation(released.prototypes[a], released.prototypes[b], 65)
        before = step_lengths(decode, interpolation(curve[0], curve[-1], 12))
        after = step_lengths(decode, retime(decode, curve, 12))
        assert after.max() <= before.max() * 1.0001, (a, b)
        better += bool(after.max() < 0.8 * before.max())
    assert better >= 25


@settings(max_examples=30, deadline=None)
@given(
    steps=st.integers(2, 40),
    corners=st.lists(st.tuples(*[st.floats(-4, 4, width=32)] * 2), min_size=2, max_size=6),
)
def test_retiming_stays_on_the_path(steps: int, corners: list[tuple[float, float]]) -> None:
    path = torch.tensor(corners)
    retimed = retime(linear, path, steps)
    assert retimed.shape == (steps, 2)
    assert retimed.isfinite().all()
    assert torch.equal(retimed[0], path[0])
    assert torch.equal(retimed[-1], path[-1])
    a, b = path[:-1, None], path[1:, None]  # (N - 1, 1, 2)
    squared = (b - a).square().sum(-1).clamp_min(1e-12)
    t = (((retimed[None] - a) * (b - a)).sum(-1) / squared).clamp(0, 1)
    gaps = (retimed[None] - (a + t[..., None] * (b - a))).norm(dim=-1)  # (N - 1, steps)
    assert gaps.min(0).values.max() < 1e-4


# One takes the decoder of the released size 0.08 ms, and the algebra takes less: 4,000 fit into the
# 400 ms of a pair.
DECODINGS = 4000


@pytest.mark.parametrize("latent_dim", [2, 10, 16, 32, 64])
def test_a_pair_of_many_used_dimensions_keeps_to_the_time_limit(latent_dim: int) -> None:
    """Counted in decodings: times depend on what else the machine does."""
    generator = torch.Generator().manual_seed(0)
    means = torch.randn(500, latent_dim, generator=generator)
    weights = torch.randn(latent_dim, 60, generator=generator) / latent_dim
    decoded: list[int] = []

    def decode(z: Tensor) -> Tensor:
        decoded.append(len(z))
        return torch.sin(z @ weights)

    graph = build_neighbour_graph(decode, means, limit=8.0)
    decoded.clear()
    path = geodesic(decode, graph, means[0], means[1])
    assert sum(decoded) < DECODINGS
    line = linear_interpolation(means[0], means[1], len(path))
    longest = DecodedPath.along(decode, line).length
    assert DecodedPath.along(decode, path).length <= 1.001 * longest


@pytest.mark.slow
def test_few_derivatives_along_a_path_make_it_no_longer(
    sixteen_space: LatentSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode, graph = sixteen_space.decode_used, sixteen_space.graph
    ends = sixteen_space.anchors["typical"][:, sixteen_space.used]
    pairs = [(a, b) for a in range(0, 10, 3) for b in range(a + 1, 10, 2)]

    def lengths() -> Tensor:
        paths = [geodesic(decode, graph, ends[a], ends[b]) for a, b in pairs]
        return torch.tensor([DecodedPath.along(decode, path).length for path in paths])

    monkeypatch.setattr(geodesics_module, "SOME", 16)
    few = lengths()
    monkeypatch.setattr(geodesics_module, "MOST", 28 * 64)  # at all of them
    ratio = few / lengths()
    assert ratio.mean() < 1.002
    assert ratio.max() < 1.02
