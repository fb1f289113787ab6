"""Path length in image space: equal visual change per step, and geodesics.

A decoder g maps the latent plane into image space. The length of a path is the total change of
the image along it, sum |g(z_{i+1}) - g(z_i)|, which approximates its length under the pullback
metric J^T J. Shortest paths under this metric are geodesics (Arvanitidis, Hansen and Hauberg 2018,
Latent Space Oddity; Chen et al. 2018, Metrics for Deep Generative Models).

`decode` is any differentiable map from positions (N, 2) to images (N, pixels).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from latent_navigator.geometry.latent_graph import (
    BATCH,
    Decode,
    LatentGraph,
    metric_tensor,
    nearest_node,
    shortest_path,
    weights_at,
)
from latent_utils import check_pair, check_steps, linear_interpolation

ROUNDS = ((24, 20), (48, 15))  # refinement: path segments, energy evaluations
TOLERANCE = 1e-4  # smallest useful gain, as a fraction of the initial energy
RETIMINGS = 20  # maximum number of rounds that equalise the steps of a path
UNEVEN = 0.01  # tolerated deviation of a step from the mean step, as a fraction
FINE = 8  # chords per segment when a path is measured


@torch.no_grad()
def step_lengths(decode: Decode, path: Tensor) -> Tensor:
    """path (N, 2) -> (N - 1,) change of the image from each position to the next."""
    images = torch.cat([decode(batch) for batch in torch.split(path, BATCH)])  # (N, pixels)
    lengths: Tensor = images.diff(dim=0).norm(dim=1)
    return lengths


def subdivide(path: Tensor, parts: int = FINE) -> Tensor:
    """path (N, 2) -> ((N - 1) * parts + 1, 2), the same polyline with more vertices."""
    t = torch.arange(parts)[:, None] / parts  # (parts, 1)
    inner = torch.lerp(path[:-1, None], path[1:, None], t)  # (N - 1, parts, 2)
    return torch.cat([inner.reshape(-1, 2), path[-1:]])


def path_length(decode: Decode, path: Tensor) -> float:
    """The length of a polyline (N, 2) in image space.

    The unit is the Euclidean norm of pixel values in 0 ... 1; each segment is measured in FINE
    chords.
    """
    return float(step_lengths(decode, subdivide(path)).sum())


def _point_at(path: Tensor, t: Tensor) -> Tensor:
    """path (N, 2), t (M,) in 0 ... N - 1 -> (M, 2); t = 2.5 is halfway from row 2 to row 3."""
    after = t.ceil().long().clamp(1, len(path) - 1)
    fraction = (t - (after - 1))[:, None].to(path.dtype)  # (M, 1)
    return torch.lerp(path[after - 1], path[after], fraction)


def _equal_parameters(lengths: Tensor, steps: int) -> Tensor:
    """Segment lengths (N,) -> (steps,) parameters t in 0 ... N at equal arc length."""
    if not lengths.sum() > 0:
        lengths = torch.ones_like(lengths)  # the image never changes: space t evenly
    arc = F.pad(lengths.double().cumsum(0), (1, 0))  # (N + 1,)
    goal = torch.linspace(0, float(arc[-1]), steps, dtype=torch.float64)  # (steps,)
    after = torch.searchsorted(arc, goal).clamp(1, len(lengths))
    gap = (arc[after] - arc[after - 1]).clamp_min(torch.finfo(torch.float64).tiny)
    t = after - 1 + (goal - arc[after - 1]) / gap
    t[-1] = len(lengths)
    return t


def retime(decode: Decode, path: Tensor, steps: int) -> Tensor:
    """Positions on a path with equal visual change per step.

    Starts at equal arc length, then equalises the chords |g(z_{i+1}) - g(z_i)|.

    Args:
        decode: positions (N, 2) -> images (N, pixels).
        path: (N, 2), a polyline.
        steps: number of positions, both ends included; at least 2.

    Returns:
        (steps, 2), on the path; the first and last row are its ends, exactly. If the image never
        changes, the rows are evenly spaced along the path.

    Raises:
        ValueError: if steps is below 2.
    """
    check_steps(steps)
    fine = subdivide(path)
    t = best = _equal_parameters(step_lengths(decode, fine), steps)  # in 0 ... len(fine) - 1
    least = torch.inf
    for _ in range(RETIMINGS):
        chords = step_lengths(decode, _point_at(fine, t))  # (steps - 1,)
        uneven = float((chords - chords.mean()).abs().max() / chords.mean().clamp_min(1e-12))
        if uneven < least:
            least, best = uneven, t
        if uneven < UNEVEN or not chords.sum() > 0:
            break
        t = _point_at(t[:, None], _equal_parameters(chords, steps))[:, 0]
    retimed = _point_at(fine, best)
    retimed[0], retimed[-1] = path[0], path[-1]
    return retimed


def _energy(decode: Decode, graph: LatentGraph, path: Tensor) -> Tensor:
    """sum w^2 |g(z_{i+1}) - g(z_i)|^2 over the segments of a path (N, 2)."""
    weight = weights_at(graph, (path[1:] + path[:-1]) / 2)
    return (decode(path).diff(dim=0).square().sum(1) * weight.square()).sum()


def _preconditioner(graph: LatentGraph, path: Tensor, unit: Tensor) -> Tensor:
    """The Cholesky factor L^T of the Hessian of the energy / unit under a constant metric.

    The Hessian is 2 sum D^T w^2 J^T J D / unit, with D the differences between the N - 2 inner
    positions of the path.

    Returns:
        (2 N - 4, 2 N - 4), upper triangular.
    """
    difference = torch.eye(len(path)).diff(dim=0)[:, 1:-1]  # (N - 1, N - 2)
    row, column = nearest_node(graph, (path[1:] + path[:-1]) / 2).unbind(1)
    weight = graph.weights[row, column, None, None].square()
    local = metric_tensor(graph)[row, column] * weight  # (N - 1, 2, 2)
    hessian = 2 * torch.einsum("si,sab,sj->iajb", difference, local, difference) / unit
    size = 2 * (len(path) - 2)
    hessian = hessian.reshape(size, size)
    # Where the image is constant the metric vanishes: a small ridge keeps the steps finite.
    ridge = 1e-4 * hessian.diagonal().mean() + 1e-9
    factor: Tensor = torch.linalg.cholesky(hessian + ridge * torch.eye(size))
    return factor.T


def _refine(decode: Decode, graph: LatentGraph, path: Tensor, evaluations: int) -> Tensor:
    """Lower the energy of a path (N, 2) with fixed ends.

    L-BFGS (Liu and Nocedal 1989) on preconditioned coordinates u: z = z_0 + L^-T u, where L L^T
    is the Hessian on the initial path. The energy of a constant metric is then |u|^2, so that the
    number of iterations does not grow with the number of segments.
    """
    start, inner, end = path[:1], path[1:-1], path[-1:]
    with torch.no_grad():
        unit = _energy(decode, graph, path).clamp_min(1e-12)  # makes TOLERANCE relative
    factor = _preconditioner(graph, path, unit)

    def path_of(u: Tensor) -> Tensor:
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

    def closure() -> Tensor:
        value = _energy(decode, graph, path_of(u)) / unit
        (u.grad,) = torch.autograd.grad(value, u)
        return value

    optimizer.step(closure)  # type: ignore[no-untyped-call]  # torch gives it no annotations
    with torch.no_grad():
        return path_of(u)


def _weighted_length(decode: Decode, graph: LatentGraph, path: Tensor) -> float:
    """sum w |g(z_{i+1}) - g(z_i)| over the fine segments of a path (N, 2)."""
    fine = subdivide(path)
    weights = weights_at(graph, (fine[1:] + fine[:-1]) / 2)
    return float((step_lengths(decode, fine) * weights).sum())


def geodesic(decode: Decode, graph: LatentGraph, start: Tensor, end: Tensor) -> Tensor:
    """The shortest curve from start to end in image space.

    Refines the shortest path over the graph. The result is a local optimum close to that path,
    or the straight line if that is not longer.

    Args:
        decode: positions (N, 2) -> images (N, pixels).
        graph: of the same `decode`. Weights w other than 1 make the curve shortest under the
            metric w^2 J^T J.
        start, end: (2,) float32, within the graph.

    Returns:
        (49, 2); the first row is start and the last is end, exactly.

    Raises:
        ValueError: if the shapes differ, or a coordinate is not finite or outside the graph.
    """
    check_pair(start, end)
    reach = float(graph.axis[-1])
    if max(start.abs().max(), end.abs().max()) > reach:
        raise ValueError(
            f"{start.tolist()} or {end.tolist()} is outside the map; "
            f"give coordinates from {-reach:g} to {reach:g}"
        )
    line = linear_interpolation(start, end, ROUNDS[-1][0] + 1)
    if torch.equal(start, end):
        return line
    with torch.enable_grad():
        path = shortest_path(graph, start, end).clone()
        for segments, evaluations in ROUNDS:
            fine = subdivide(path)
            path = _point_at(fine, _equal_parameters(step_lengths(decode, fine), segments + 1))
            path[0], path[-1] = start, end
            path = _refine(decode, graph, path, evaluations)
    path = path.clamp(-reach, reach)
    shorter = _weighted_length(decode, graph, path) < _weighted_length(decode, graph, line)
    return path if shorter else line
