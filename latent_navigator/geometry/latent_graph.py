"""The latent plane as a weighted grid graph: edge lengths are distances in image space.

The graph gives a global shortest path between two positions, where a local search that starts
from the straight line would stop in a local minimum. It also holds the decoder's sensitivity at
each node.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from latent_utils import RADIUS

# Positions (N, 2) -> images (N, pixels); differentiable.
Decode = Callable[[Tensor], Tensor]

SIDE = 128  # nodes per side; 96 misses narrow passes, 224 finds hardly any more
DETOUR = 4  # extra weight of a step without data: how much longer a path through data may be
ENOUGH = 5  # number of encoded images that halves DETOUR
BATCH = 512  # positions per call of the decoder

# Half of a node's 16 neighbours as (rows up, columns right); the others are their opposites.
OFFSETS = ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (2, 1), (1, -2), (2, -1))

Window = tuple[slice, slice]  # rows, columns


class LatentGraph(NamedTuple):
    """A graph over the latent plane. Node (row, column) is at y = axis[row], x = axis[column]."""

    axis: Tensor  # (side,) evenly spaced, -reach to reach
    lengths: Tensor  # (8, side, side) image distance to the neighbour at each of OFFSETS, or inf
    weights: Tensor  # (side, side) >= 1, factor on the length of a step at the node

    def weighted(self, weights: Tensor) -> "LatentGraph":
        """The same graph with other weights (side, side)."""
        return self._replace(weights=weights)


def _windows(offset: tuple[int, int], side: int) -> tuple[Window, Window]:
    """The nodes that have a neighbour at `offset`, and those neighbours."""
    dy, dx = offset
    source = slice(0, side - dy), slice(max(0, -dx), side - max(0, dx))
    target = slice(dy, side), slice(max(0, dx), side + min(0, dx))
    return source, target


@torch.no_grad()  # not inference_mode: autograd cannot use its tensors later
def build_graph(decode: Decode, reach: float, side: int = SIDE) -> LatentGraph:
    """Decode a square grid and measure every edge; takes one to two seconds.

    Args:
        decode: positions (N, 2) -> images (N, pixels).
        reach: the grid covers -reach to reach on both axes, in units of the prior's sigma.
        side: nodes per side.

    Returns:
        A graph with all weights 1.
    """
    axis = torch.linspace(-reach, reach, side)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    nodes = torch.stack([x, y], dim=-1).reshape(-1, 2)  # (side * side, 2)
    images = torch.cat([decode(batch) for batch in torch.split(nodes, BATCH)])
    images = images.reshape(side, side, -1)  # (side, side, pixels)
    lengths = torch.full((len(OFFSETS), side, side), torch.inf)
    for edge, offset in zip(lengths, OFFSETS, strict=True):
        source, target = _windows(offset, side)
        edge[source] = (images[target] - images[source]).norm(dim=-1)
    return LatentGraph(axis, lengths, torch.ones(side, side))


@torch.no_grad()
def metric_tensor(graph: LatentGraph) -> Tensor:
    """The pullback metric J^T J at the nodes, by finite differences over one cell.

    The squared edges are |J dx|^2, |J dy|^2, |J (dx + dy)|^2 and |J (dx - dy)|^2; the difference
    of the last two is 4 dx^T J^T J dy.

    Returns:
        (side, side, 2, 2), x before y, positive definite.
    """
    cell = float(graph.axis[1] - graph.axis[0])
    g_xx, g_yy, rising, falling = (graph.lengths[:4] / cell).square()  # (side, side) each
    g_xx[:, -1], g_yy[-1] = g_xx[:, -2], g_yy[-2]
    g_xx[:, 1:-1] = (g_xx[:, 1:-1] + g_xx[:, :-2]) / 2  # centred: mean of left and right edge
    g_yy[1:-1] = (g_yy[1:-1] + g_yy[:-2]) / 2
    g_xy = torch.zeros_like(g_yy)
    g_xy[:-1, 1:-1] = (rising[:-1, 1:-1] - falling[:-1, 1:-1]) / 4
    # Chord lengths only approximate an inner product: clamp to keep the matrix positive definite.
    bound = 0.95 * (g_xx * g_yy).sqrt()
    g_xy = g_xy.clamp(-bound, bound)
    return torch.stack([g_xx, g_xy, g_xy, g_yy], dim=-1).reshape(*g_xx.shape, 2, 2)


def sensitivity(graph: LatentGraph) -> Tensor:
    """The Frobenius norm |J| = sqrt(trace(J^T J)) at the nodes.

    Returns:
        (side, side), change of the image per unit of z.
    """
    return metric_tensor(graph).diagonal(dim1=-2, dim2=-1).sum(-1).sqrt()


def data_weights(graph: LatentGraph, means: Tensor) -> Tensor:
    """Weights for `LatentGraph.weighted` that keep shortest paths near the data.

    The weight is 1 + DETOUR / (1 + n / ENOUGH), where n counts the encoded images in a Gaussian
    window of bandwidth RADIUS. A step through a region without data counts 1 + DETOUR times.

    Args:
        graph: only its axis is used.
        means: (N, 2) encoded images.

    Returns:
        (side, side), 1 to 1 + DETOUR.
    """
    # exp(-(dx^2 + dy^2) / 2 h^2) is separable, so the sum over the data is a matrix product.
    x, y = (
        torch.exp(-((graph.axis[None] - means[:, i, None]) / RADIUS).square() / 2) for i in (0, 1)
    )  # (N, side) each
    return 1 + DETOUR / (1 + (y.T @ x) / ENOUGH)


def nearest_node(graph: LatentGraph, z: Tensor) -> Tensor:
    """z (N, 2) -> (N, 2) int64, row and column of the nearest node."""
    step = graph.axis[1] - graph.axis[0]
    index = ((z.flip(-1) - graph.axis[0]) / step).round().long()
    return index.clamp(0, len(graph.axis) - 1)


def _edge_costs(graph: LatentGraph) -> list[tuple[Window, Window, Tensor]]:
    """For each of OFFSETS: source nodes, target nodes, cost of the edges between them."""
    edges = []
    for lengths, offset in zip(graph.lengths, OFFSETS, strict=True):
        source, target = _windows(offset, len(graph.axis))
        cost = lengths[source] * (graph.weights[source] + graph.weights[target]) / 2
        edges.append((source, target, cost))
    return edges


@torch.no_grad()
def shortest_path(graph: LatentGraph, start: Tensor, end: Tensor) -> Tensor:
    """The shortest path over the nodes.

    Distances come from the Bellman-Ford algorithm (Bellman 1958), vectorised over all nodes.

    Args:
        graph: edge costs are its lengths times the mean weight of their two nodes.
        start, end: (2,).

    Returns:
        (K, 2); the first row is start and the last is end, exactly.
    """
    side = len(graph.axis)
    (row, column), (end_row, end_column) = nearest_node(graph, torch.stack([start, end])).tolist()
    edges = _edge_costs(graph)
    distance = torch.full((side, side), torch.inf)  # to the end
    distance[end_row, end_column] = 0
    previous = torch.empty_like(distance)
    while not torch.equal(previous, distance):
        previous.copy_(distance)
        for source, target, cost in edges:
            distance[target] = torch.minimum(distance[target], distance[source] + cost)
            distance[source] = torch.minimum(distance[source], distance[target] + cost)

    path = []
    while (row, column) != (end_row, end_column):
        candidates = []
        for (dy, dx), ((_, columns), _, cost) in zip(OFFSETS, edges, strict=True):
            first = columns.start  # column of cost[:, 0]
            for r, c, edge in (
                (row + dy, column + dx, (row, column - first)),
                (row - dy, column - dx, (row - dy, column - dx - first)),
            ):
                if 0 <= r < side and 0 <= c < side:
                    candidates.append((float(distance[r, c] + cost[edge]), r, c))
        _, row, column = min(candidates)
        path.append([float(graph.axis[column]), float(graph.axis[row])])
    return torch.cat([start[None], torch.tensor(path[:-1]).reshape(-1, 2), end[None]])


def between_nodes(graph: LatentGraph, values: Tensor, z: Tensor) -> Tensor:
    """Bicubic interpolation of values at the nodes.

    Args:
        graph: only its axis is used.
        values: (side, side).
        z: (N, 2); outside the graph, its border counts.

    Returns:
        (N,), differentiable in z.
    """
    normalised = (z / graph.axis[-1])[None, None]  # (1, 1, N, 2) in -1 ... 1, x before y
    interpolated = F.grid_sample(
        values[None, None], normalised, "bicubic", padding_mode="border", align_corners=True
    )
    return interpolated.flatten()


def weights_at(graph: LatentGraph, z: Tensor) -> Tensor:
    """z (N, 2) -> (N,) weights >= 1, smooth in z."""
    return between_nodes(graph, graph.weights, z).clamp_min(1)
