"""The latent graph above two dimensions: its nodes are encodings, its edges their neighbours.

What `latent_graph` computes on a square grid is computed here at the positions themselves.
"""

import math

import numpy as np
import torch
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from latent_navigator.geometry.latent_graph import (
    BATCH,
    DETOUR,
    ENOUGH,
    TINY,
    Decode,
    LatentGraph,
    Weight,
)
from latent_utils import window_bandwidth

NODES = 4000  # encodings of the graph, at most
EDGES = 12  # nearest neighbours of a node
WINDOW = 2000  # encodings whose density weights a path, at most
NEAR = 2e-3  # step of a finite difference in z


@torch.no_grad()  # autograd cannot use tensors of inference_mode later
def build_neighbour_graph(decode: Decode, means: Tensor, limit: float) -> LatentGraph:
    """Connect each encoding to its EDGES nearest ones, and decode all; takes about a second.

    Parts that are not connected with each other are joined where they are closest.

    Args:
        decode: positions (N, D) -> images (N, pixels).
        means: (N, D) encodings; NODES of them, evenly spaced, become nodes.
        limit: the largest coordinate that a path may have.

    Returns:
        A graph without weights.
    """
    nodes = means[:: math.ceil(len(means) / NODES)]  # (M, D)
    count = len(nodes)
    images = torch.cat([decode(batch) for batch in nodes.split(BATCH)])
    source, target = [], []
    for first, batch in zip(range(0, count, BATCH), nodes.split(BATCH), strict=True):
        distances = torch.cdist(batch, nodes)
        own = torch.arange(first, first + len(batch))
        distances[torch.arange(len(batch)), own] = torch.inf
        near = distances.topk(min(EDGES, count - 1), largest=False).indices
        source.append(own[:, None].expand_as(near).flatten())
        target.append(near.flatten())
    pairs = torch.stack([torch.cat(source), torch.cat(target)])  # (2, E)
    pairs = torch.cat([pairs, _bridges(nodes, pairs)], dim=1)
    lengths = (images[pairs[0]] - images[pairs[1]]).norm(dim=1).double().clamp_min(TINY)
    edges = _matrix(pairs, lengths.numpy(), count)
    return LatentGraph(nodes, csr_array(edges.maximum(edges.T)), limit=limit)


def _matrix(pairs: Tensor, values: np.ndarray, count: int) -> csr_array:
    rows, columns = pairs.numpy()
    return csr_array(coo_array((values, (rows, columns)), shape=(count, count)))


def _bridges(nodes: Tensor, pairs: Tensor) -> Tensor:
    """(2, B) edges that join the parts of a graph: each part with the closest node of the rest."""
    bridges = torch.zeros(2, 0, dtype=torch.int64)
    while True:
        both = torch.cat([pairs, bridges], dim=1)
        matrix = _matrix(both, np.ones(both.shape[1]), len(nodes))
        parts, labels = connected_components(matrix, directed=False)
        if parts == 1:
            return bridges
        smallest = np.bincount(labels).argmin()
        inside = torch.from_numpy(np.flatnonzero(labels == smallest))
        outside = torch.from_numpy(np.flatnonzero(labels != smallest))
        distances = torch.cdist(nodes[inside], nodes[outside])
        row, column = divmod(int(distances.argmin()), len(outside))
        bridges = torch.cat([bridges, torch.stack([inside[row], outside[column]])[:, None]], dim=1)


def window_weight(means: Tensor) -> Weight:
    """`latent_graph.data_weight` for more than two dimensions, computed at each position.

    The weight is 1 + DETOUR / (1 + n / ENOUGH), where n counts the encodings in a Gaussian window,
    of the bandwidth that `latent_utils.window_bandwidth` gives.

    Args:
        means: (N, D) encodings; WINDOW of them, evenly spaced, stand for all.
    """
    bandwidth = window_bandwidth(means)
    window = means[:: math.ceil(len(means) / WINDOW)] / bandwidth  # (M, D)
    each = len(means) / len(window)
    halves = window.square().sum(1) / 2  # (M,)

    def weight(z: Tensor) -> Tensor:
        parts = []
        for batch in (z / bandwidth).split(BATCH):
            # -|a - b|^2 / 2 = a.b - |a|^2 / 2 - |b|^2 / 2
            exponent = torch.addmm(-halves, batch, window.T)
            exponent -= batch.square().sum(1, keepdim=True) / 2
            parts.append(each * exponent.exp().sum(1))
        return 1 + DETOUR / (1 + torch.cat(parts) / ENOUGH)

    return weight


@torch.no_grad()
def sensitivity_at(decode: Decode, z: Tensor, used: Tensor) -> Tensor:
    """The Frobenius norm |J| of the decoder at positions, by forward differences.

    They take one decoding a dimension, a third of the time of the exact
    `attributes.jacobian_norm`.

    Args:
        z: (N, D). used: (K,) int64, the dimensions that the decoder does not ignore.

    Returns:
        (N,), change of the image per unit of z.
    """
    steps = NEAR * torch.eye(z.shape[1])[used]  # (K, D)
    norms = []
    for batch in z.split(max(1, BATCH // len(steps))):
        images = decode(batch)  # (B, pixels)
        near = decode((batch[:, None] + steps).flatten(0, 1))  # (B * K, pixels)
        change = near.view(len(batch), len(steps), -1) - images[:, None]
        norms.append(change.square().sum((1, 2)).sqrt() / NEAR)
    return torch.cat(norms)
