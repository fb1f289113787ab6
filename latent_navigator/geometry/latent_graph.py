"""Positions of the latent space as a graph: edge lengths are distances in image space.

The graph gives a global shortest path between two positions, where a local search that starts
from the straight line would stop in a local minimum. Paths work for any number of dimensions D. In
two, the graph is a square grid (`build_graph`, `sensitivity`, `data_weight`). A grid of more has
too many nodes: there, the encodings are the nodes (`latent_navigator.geometry.neighbour_graph`).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from scipy.sparse import csr_array, diags_array
from scipy.sparse.csgraph import dijkstra
from torch import Tensor

from latent_utils import RADIUS

# Positions (N, D) -> images (N, pixels), smooth in z.
Decode = Callable[[Tensor], Tensor]
# Positions (N, D) -> (N,) factors >= 1 on the length of a step there, smooth in z.
Weight = Callable[[Tensor], Tensor]

SIDE = 128  # nodes per side; 96 misses narrow passes, 224 finds hardly any more
DETOUR = 4  # extra weight of a step without data: how much longer a path through data may be
ENOUGH = 5  # number of encoded images that halves DETOUR
BATCH = 512  # positions per call of the decoder
TINY = 1e-9  # length of an edge between equal images

# Half of a node's 16 neighbours as (rows up, columns right); the others are their opposites.
OFFSETS = ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (2, 1), (1, -2), (2, -1))


def unweighted(z: Tensor) -> Tensor:
    """z (N, D) -> (N,) ones."""
    return z.new_ones(len(z))


class LatentGraph(NamedTuple):
    """A graph over the latent space; paths stay within `reach` on every axis."""

    nodes: Tensor  # (N, D); of a square grid row by row upward, the first at the bottom left
    edges: csr_array[np.float64, tuple[int, int]]  # (N, N) cost of a step, symmetric
    weight: Weight = unweighted
    limit: float | None = None  # of coordinates; None: the largest of a node

    @property
    def reach(self) -> float:
        """The largest coordinate that a path may have."""
        return float(self.nodes.max()) if self.limit is None else self.limit

    def weighted(self, weight: Weight) -> "LatentGraph":
        """The same graph, where an edge counts as often as the mean weight of its nodes says.

        Args:
            weight: replaces that of a graph without weights.
        """
        half = diags_array(weight(self.nodes).double().numpy() / 2)
        return self._replace(edges=csr_array(half @ self.edges + self.edges @ half), weight=weight)


@torch.no_grad()  # autograd cannot use tensors of inference_mode later
def build_graph(decode: Decode, reach: float, side: int = SIDE) -> LatentGraph:
    """Decode a square grid and measure every edge; takes one to two seconds.

    Args:
        decode: positions (N, 2) -> images (N, pixels).
        reach: the grid covers -reach to reach on both axes, in units of the prior's sigma.
        side: nodes per side.

    Returns:
        A graph without weights.
    """
    axis = torch.linspace(-reach, reach, side)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    nodes = torch.stack([x, y], dim=-1).reshape(-1, 2)  # (side * side, 2)
    images = torch.cat([decode(batch) for batch in torch.split(nodes, BATCH)])
    images = images.reshape(side, side, -1)  # (side, side, pixels)
    index = np.arange(side * side, dtype=np.int32).reshape(side, side)
    parts = []  # of half the edges: source, target, length
    for dy, dx in OFFSETS:
        source = slice(0, side - dy), slice(max(0, -dx), side - max(0, dx))
        target = slice(dy, side), slice(max(0, dx), side + min(0, dx))
        # Row by row the differences stay in the cache: a third of the time.
        rows = zip(images[source], images[target], strict=True)
        lengths = torch.stack([(end - start).norm(dim=-1) for start, end in rows]).double()
        parts.append([part.ravel() for part in (index[source], index[target], lengths.numpy())])
    sources, targets, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    # A sum of sparse matrices drops zeros: where the image is constant, steps still are edges.
    values = np.maximum(values, TINY)
    half = csr_array((values, (sources, targets)), shape=(side * side, side * side))
    return LatentGraph(nodes, csr_array(half + half.T))


def sensitivity(graph: LatentGraph) -> Tensor:
    """The Frobenius norm |J| = sqrt(trace(J^T J)) at the nodes, by finite differences.

    Args:
        graph: a square grid without weights.

    Returns:
        (side, side), change of the image per unit of z; rows are y and columns x, upward.
    """
    side = math.isqrt(len(graph.nodes))
    cell = float(graph.nodes[1, 0] - graph.nodes[0, 0])
    right = np.append(graph.edges.diagonal(1), 0).reshape(side, side)[:, :-1]
    up = graph.edges.diagonal(side).reshape(side - 1, side)
    trace = np.zeros((side, side))
    for lengths, axis in ((right, 1), (up, 0)):
        ends = [(0, 0), (0, 0)]
        ends[axis] = (1, 1)
        both = np.pad((lengths / cell) ** 2, ends, mode="edge")  # one more than nodes
        trace += (both.take(range(side), axis) + both.take(range(1, side + 1), axis)) / 2
    return torch.from_numpy(trace).sqrt().float()


def shortest_path(graph: LatentGraph, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """The shortest path over the nodes (Dijkstra 1959).

    Args:
        start, end: (D,); the path leads from the nearest node to the nearest node.

    Returns:
        path (K, D), whose first row is start and last is end, exactly, and (K - 1,) the cost of
        its steps over the graph.
    """
    first, last = torch.cdist(torch.stack([start, end]), graph.nodes).argmin(1).tolist()
    distances, previous = dijkstra(graph.edges, indices=[last], return_predecessors=True)
    route = [first]
    while route[-1] != last:
        route.append(int(previous[0, route[-1]]))
    if len(route) < 3:
        return torch.stack([start, end]), torch.ones(1)
    path = torch.cat([start[None], graph.nodes[route[1:-1]], end[None]])
    return path, torch.from_numpy(-np.diff(distances[0, route]))


def between_nodes(reach: float, values: Tensor, z: Tensor) -> Tensor:
    """Bicubic interpolation of values on a square grid.

    Args:
        reach: the grid covers -reach to reach on both axes.
        values: (side, side), rows are y and columns x, upward.
        z: (N, 2); outside the grid, its border counts.

    Returns:
        (N,).
    """
    interpolated = F.grid_sample(
        values[None, None],
        (z / reach)[None, None],  # (1, 1, N, 2) in -1 ... 1, x before y
        "bicubic",
        padding_mode="border",
        align_corners=True,
    )
    return interpolated.flatten()


def data_weight(reach: float, means: Tensor, side: int = SIDE) -> Weight:
    """A weight for `LatentGraph.weighted` that keeps shortest paths near the data.

    The weight is 1 + DETOUR / (1 + n / ENOUGH), where n counts the encoded images in a Gaussian
    window of bandwidth RADIUS. A step through a region without data counts 1 + DETOUR times.
    It is computed on a square grid, and interpolated.

    Args:
        reach: the grid covers -reach to reach on both axes.
        means: (N, 2) encoded images.
        side: nodes per side.
    """
    axis = torch.linspace(-reach, reach, side)
    # exp(-(dx^2 + dy^2) / 2 h^2) is separable, so the sum over the data is a matrix product.
    x, y = (
        torch.exp(-((axis - means[:, i, None]) / RADIUS).square() / 2) for i in (0, 1)
    )  # (N, side) each
    values = 1 + DETOUR / (1 + (y.T @ x) / ENOUGH)
    return lambda z: between_nodes(reach, values, z).clamp_min(1)
