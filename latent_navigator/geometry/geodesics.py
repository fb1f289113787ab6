"""Paths measured in picture space: even steps, and the way of least change between two places.

A decoder g carries the plane of z into the space of pictures. A path is as long as the pictures
along it change, sum |g(z_{i+1}) - g(z_i)|, which is its length under the metric J^T J that the
decoder pulls back into the latent space; its shortest paths are the geodesics (Arvanitidis, Hansen
and Hauberg 2018, Latent Space Oddity; Chen et al. 2018, Metrics for Deep Generative Models).

`decode` is any differentiable map of positions (N, 2) to pictures (N, pixels).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from latent_navigator.geometry.latent_graph import (
    Decode,
    Graph,
    metric,
    nearest_node,
    shortest_route,
    weights_at,
)
from latent_utils import check_pair, check_steps, linear_interpolation

ROUNDS = ((24, 20), (48, 15))  # refinement: segments of the path, evaluations of its energy
TOLERANCE = 1e-4  # of the energy at the start: a gain below it is none
EVENINGS = 20  # rounds at most, to make the steps of a path even
FINE = 8  # parts of a segment, when a path is measured


@torch.no_grad()
def step_lengths(decode: Decode, path: Tensor) -> Tensor:
    """path (N, 2) -> (N - 1,): how much the picture changes from each position to the next."""
    pictures = torch.cat([decode(some) for some in path.split(512)])
    return pictures.diff(dim=0).norm(dim=1)


def subdivide(path: Tensor, parts: int = FINE) -> Tensor:
    """path (N, 2) -> ((N - 1) * parts + 1, 2): the same corners, more positions between."""
    t = torch.arange(parts)[:, None] / parts  # (parts, 1)
    inner = torch.lerp(path[:-1, None], path[1:, None], t)  # (N - 1, parts, 2)
    return torch.cat([inner.reshape(-1, 2), path[-1:]])


def path_length(decode: Decode, path: Tensor) -> float:
    """The length of a path (N, 2), straight between its positions, in picture space.

    A picture is a vector of its pixels in 0 ... 1; each segment is measured in FINE chords.
    """
    return float(step_lengths(decode, subdivide(path)).sum())


def _at(path: Tensor, place: Tensor) -> Tensor:
    """path (N, 2), place (M,) in 0 ... N - 1 -> (M, 2): position 2.5 is halfway from 2 to 3."""
    after = place.ceil().long().clamp(1, len(path) - 1)
    t = (place - (after - 1))[:, None].to(path.dtype)  # (M, 1)
    return torch.lerp(path[after - 1], path[after], t)


def _even(lengths: Tensor, steps: int) -> Tensor:
    """lengths (N,) of segments -> (steps,) places in 0 ... N that divide their sum evenly."""
    if not lengths.sum() > 0:
        lengths = torch.ones_like(lengths)  # nothing changes along the way: any places are even
    reach = F.pad(lengths.double().cumsum(0), (1, 0))  # (N + 1,)
    goal = torch.linspace(0, float(reach[-1]), steps, dtype=torch.float64)  # (steps,)
    after = torch.searchsorted(reach, goal).clamp(1, len(lengths))
    gap = (reach[after] - reach[after - 1]).clamp_min(torch.finfo(torch.float64).tiny)
    place = after - 1 + (goal - reach[after - 1]) / gap
    place[-1] = len(lengths)
    return place


def retime(decode: Decode, path: Tensor, steps: int) -> Tensor:
    """Positions on a path between which the picture changes by equal amounts.

    First at even lengths of arc, then moved until |g(z_{i+1}) - g(z_i)| is the same for all i.

    Args:
        path: (N, 2), straight between its positions. steps: at least 2, both ends included.

    Returns:
        (steps, 2), on the path; the first and last row are its ends, exactly. Where the picture
        never changes, evenly spaced rows of the path.

    Raises:
        ValueError: if steps is below 2.
    """
    check_steps(steps)
    fine = subdivide(path)
    place = best = _even(step_lengths(decode, fine), steps)  # (steps,) in 0 ... len(fine) - 1
    least = torch.inf
    for _ in range(EVENINGS):
        chords = step_lengths(decode, _at(fine, place))  # (steps - 1,)
        uneven = float((chords - chords.mean()).abs().max() / chords.mean().clamp_min(1e-12))
        if uneven < least:
            least, best = uneven, place
        if uneven < 0.01 or not chords.sum() > 0:
            break
        place = _at(place[:, None], _even(chords, steps))[:, 0]
    evened = _at(fine, best)
    evened[0], evened[-1] = path[0], path[-1]
    return evened


def _refine(decode: Decode, graph: Graph, path: Tensor, evaluations: int) -> Tensor:
    """Lower the energy sum w^2 |g(z_{i+1}) - g(z_i)|^2 of a path (N, 2) between its ends.

    L-BFGS (Liu and Nocedal 1989) in coordinates u in which the energy of a constant metric would
    be |u|^2: z = z_0 + L^-T u, where L L^T is the Hessian sum D^T w^2 J^T J D on the first path. A
    path of many pieces then takes no more steps than one of few.
    """
    start, inner, end = path[:1], path[1:-1], path[-1:]

    def energy_of(z: Tensor) -> Tensor:
        weight = weights_at(graph, (z[1:] + z[:-1]) / 2)
        return (decode(z).diff(dim=0).square().sum(1) * weight.square()).sum()

    with torch.no_grad():
        unit = energy_of(path).clamp_min(1e-12)  # so that TOLERANCE is a share
    difference = torch.eye(len(path)).diff(dim=0)[:, 1:-1]  # (N - 1, N - 2)
    middle = nearest_node(graph, (path[1:] + path[:-1]) / 2)
    row, column = middle.unbind(1)
    local = metric(graph)[row, column] * graph.weights[row, column, None, None].square()
    hessian = 2 * torch.einsum("si,sab,sj->iajb", difference, local, difference) / unit
    hessian = hessian.reshape(inner.numel(), inner.numel())
    # Where nothing changes the metric vanishes: a small ridge keeps steps finite.
    ridge = 1e-4 * hessian.diagonal().mean() + 1e-9
    factor = torch.linalg.cholesky(hessian + ridge * torch.eye(len(hessian))).T

    def whole(u: Tensor) -> Tensor:
        shift = torch.linalg.solve_triangular(factor, u[:, None], upper=True)
        return torch.cat([start, inner + shift.view_as(inner), end])

    u = torch.zeros(inner.numel(), requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [u],
        max_iter=evaluations,
        max_eval=evaluations,
        tolerance_change=TOLERANCE,
        line_search_fn="strong_wolfe",
    )

    def energy() -> Tensor:
        value = energy_of(whole(u)) / unit
        (u.grad,) = torch.autograd.grad(value, u)
        return value

    optimizer.step(energy)
    with torch.no_grad():
        return whole(u)


def _cost(decode: Decode, graph: Graph, path: Tensor) -> float:
    """Length in picture space, each step counted as often as its weight says."""
    fine = subdivide(path)
    weights = weights_at(graph, (fine[1:] + fine[:-1]) / 2)
    return float((step_lengths(decode, fine) * weights).sum())


def geodesic(decode: Decode, graph: Graph, start: Tensor, end: Tensor) -> Tensor:
    """The shortest curve from start to end in picture space.

    The shortest path over the graph, refined. It is a local optimum near the graph's best route;
    where the straight line is not longer, that is returned.

    Args:
        graph: of the same `decode`. Its weights, if other than 1, make it the shortest curve of
            the weighted metric w^2 J^T J.
        start, end: (2,) float32, within the graph.

    Returns:
        (49, 2); the first row is start and the last is end, exactly.

    Raises:
        ValueError: if the shapes differ, or a number is not finite or beyond the graph.
    """
    check_pair(start, end)
    reach = float(graph.axis[-1])
    if max(start.abs().max(), end.abs().max()) > reach:
        raise ValueError(
            f"{start.tolist()} or {end.tolist()} lies beyond the map; "
            f"give coordinates from {-reach:g} to {reach:g}"
        )
    line = linear_interpolation(start, end, ROUNDS[-1][0] + 1)
    if torch.equal(start, end):
        return line
    with torch.enable_grad():
        path = shortest_route(graph, start, end).clone()
        for segments, evaluations in ROUNDS:
            fine = subdivide(path)
            path = _at(fine, _even(step_lengths(decode, fine), segments + 1))
            path[0], path[-1] = start, end
            path = _refine(decode, graph, path, evaluations)
    path = path.clamp(-reach, reach)
    return path if _cost(decode, graph, path) < _cost(decode, graph, line) else line


def geodesic_interpolation(
    decode: Decode, graph: Graph, start: Tensor, end: Tensor, steps: int
) -> Tensor:
    """Positions on the geodesic between which the picture changes evenly.

    Args and errors as for `geodesic`, and steps: at least 2, both ends included.

    Returns:
        (steps, 2); the first row is start and the last is end, exactly. In picture space the
        path has constant speed, and is never longer than the straight line.
    """
    check_steps(steps)
    return retime(decode, geodesic(decode, graph, start, end), steps)
