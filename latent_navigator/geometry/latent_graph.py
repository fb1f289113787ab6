"""The latent plane as a graph: nodes on a grid, edges as long as the picture changes along them.

It finds the shortest route between two places over all of the map, where a search that starts from
the straight line would get stuck, and it knows how sensitive the decoder is at each place.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from latent_utils import RADIUS

Decode = Callable[[Tensor], Tensor]  # positions (N, 2) to pictures (N, pixels), differentiable

SIDE = 128  # nodes a side; with 96 it misses narrow passes, with 224 it finds hardly any more
DETOUR = 4  # an empty step counts so many times more: what a way through data may cost
ENOUGH = 5  # encoded digits at which half of that is gone

# Half of the 16 neighbours of a node, (rows up, columns right); the other half are the opposites.
OFFSETS = ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (2, 1), (1, -2), (2, -1))


class Graph(NamedTuple):
    """The latent plane as a graph. Node (row, column) is at y = axis[row], x = axis[column]."""

    axis: Tensor  # (side,), even steps from -reach to reach
    lengths: Tensor  # (8, side, side) picture distance to the neighbour at each of OFFSETS; or inf
    weights: Tensor  # (side, side) >= 1: how many times a step at the node counts

    def weighted(self, weights: Tensor) -> "Graph":
        """The same graph with other weights, (side, side)."""
        return self._replace(weights=weights)


def _windows(offset: tuple[int, int], side: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The nodes that have a neighbour at `offset`, and these neighbours."""
    dy, dx = offset
    here = slice(0, side - dy), slice(max(0, -dx), side - max(0, dx))
    there = slice(dy, side), slice(max(0, dx), side + min(0, dx))
    return here, there


@torch.no_grad()  # and not inference mode, whose tensors no gradient may pass
def build_graph(decode: Decode, reach: float, side: int = SIDE) -> Graph:
    """Decode a grid over -reach ... reach and measure every edge. One to two seconds.

    Args:
        reach: half the side of the square that is covered, in units of the prior's sigma.
    """
    axis = torch.linspace(-reach, reach, side)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    nodes = torch.stack([x, y], dim=-1).reshape(-1, 2)  # (side * side, 2)
    pictures = torch.cat([decode(some) for some in nodes.split(512)]).reshape(side, side, -1)
    lengths = torch.full((len(OFFSETS), side, side), torch.inf)
    for edge, offset in zip(lengths, OFFSETS, strict=True):
        here, there = _windows(offset, side)
        edge[here] = (pictures[there] - pictures[here]).norm(dim=-1)
    return Graph(axis, lengths, torch.ones(side, side))


@torch.no_grad()
def metric(graph: Graph) -> Tensor:
    """J^T J at the nodes by finite differences over one cell; (side, side, 2, 2), x before y.

    |J dx|^2, |J dy|^2 and |J (dx + dy)|^2 - |J (dx - dy)|^2 = 4 dx^T J^T J dy are squared edges.
    The square root of its trace is the sensitivity |J|: how fast the picture changes.
    """
    cell = float(graph.axis[1] - graph.axis[0])
    across, up, rising, falling = (graph.lengths[:4] / cell).square()
    across[:, -1], up[-1] = across[:, -2], up[-2]
    across[:, 1:-1] = (across[:, 1:-1] + across[:, :-2]) / 2  # of the edges to left and right
    up[1:-1] = (up[1:-1] + up[:-2]) / 2
    mixed = torch.zeros_like(up)
    mixed[:-1, 1:-1] = (rising[:-1, 1:-1] - falling[:-1, 1:-1]) / 4
    # Chords are not exactly an inner product's: keep the matrix positive definite.
    bound = 0.95 * (across * up).sqrt()
    mixed = mixed.clamp(-bound, bound)
    return torch.stack([across, mixed, mixed, up], dim=-1).unflatten(-1, (2, 2))


def sensitivity(graph: Graph) -> Tensor:
    """|J| (Frobenius) at the nodes, (side, side): change of the picture per unit of z."""
    return metric(graph).diagonal(dim1=-2, dim2=-1).sum(-1).sqrt()


def data_weights(graph: Graph, means: Tensor) -> Tensor:
    """Weights for `Graph.weighted` that keep paths where data is; (side, side), 1 ... 1 + DETOUR.

    1 + DETOUR / (1 + n / ENOUGH), with n the number of encoded digits in a Gaussian window of
    bandwidth RADIUS: a step through a place where nothing was encoded counts 1 + DETOUR times.

    Args:
        means: (N, 2) encoded digits.
    """
    # exp(-(dx^2 + dy^2) / 2 h^2) is a product, and the sum over the digits one of matrices.
    x, y = (
        torch.exp(-((graph.axis[None] - means[:, i, None]) / RADIUS).square() / 2) for i in (0, 1)
    )  # (N, side) each
    return 1 + DETOUR / (1 + (y.T @ x) / ENOUGH)


def nearest_node(graph: Graph, z: Tensor) -> Tensor:
    """(N, 2) -> (N, 2) int64: row and column."""
    step = graph.axis[1] - graph.axis[0]
    place = ((z.flip(-1) - graph.axis[0]) / step).round().long()
    return place.clamp(0, len(graph.axis) - 1)


@torch.no_grad()
def shortest_route(graph: Graph, start: Tensor, end: Tensor) -> Tensor:
    """The shortest path over the nodes, from start (2,) to end (2,); (K, 2), the ends exact.

    Distances by the method of Bellman and Ford, each sweep over all nodes at once.
    """
    side = len(graph.axis)
    (r0, c0), (r1, c1) = nearest_node(graph, torch.stack([start, end])).tolist()
    windows = [_windows(offset, side) for offset in OFFSETS]
    weights = graph.weights
    costs = [
        lengths[here] * (weights[here] + weights[there]) / 2
        for lengths, (here, there) in zip(graph.lengths, windows, strict=True)
    ]
    distance = torch.full((side, side), torch.inf)
    distance[r1, c1] = 0
    before = torch.empty_like(distance)
    while not torch.equal(before, distance):
        before.copy_(distance)
        for (here, there), cost in zip(windows, costs, strict=True):
            distance[there] = torch.minimum(distance[there], distance[here] + cost)
            distance[here] = torch.minimum(distance[here], distance[there] + cost)

    route, (row, column) = [], (r0, c0)
    while (row, column) != (r1, c1):
        ways = []
        for (dy, dx), (here, _), cost in zip(OFFSETS, windows, costs, strict=True):
            left = here[1].start
            for r, c, edge in (
                (row + dy, column + dx, (row, column - left)),
                (row - dy, column - dx, (row - dy, column - dx - left)),
            ):
                if 0 <= r < side and 0 <= c < side:
                    ways.append((float(distance[r, c] + cost[edge]), r, c))
        _, row, column = min(ways)
        route.append([float(graph.axis[column]), float(graph.axis[row])])
    return torch.cat([start[None], torch.tensor(route[:-1]).reshape(-1, 2), end[None]])


def between_nodes(graph: Graph, values: Tensor, z: Tensor) -> Tensor:
    """Values at the nodes (side, side), bicubic between them: z (N, 2) -> (N,)."""
    place = (z / graph.axis[-1])[None, None]  # (1, 1, N, 2) in -1 ... 1, x before y
    found = F.grid_sample(
        values[None, None], place, "bicubic", padding_mode="border", align_corners=True
    )
    return found.flatten()


def weights_at(graph: Graph, z: Tensor) -> Tensor:
    """z (N, 2) -> (N,) weights, smooth in z."""
    return between_nodes(graph, graph.weights, z).clamp_min(1)
