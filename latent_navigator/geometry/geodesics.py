"""Path length in image space: equal visual change per step, and geodesics.

A decoder g maps a latent space of D dimensions into image space. The length of a path is the total
change of the image along it, sum |g(z_{i+1}) - g(z_i)|, which approximates its length under the
pullback metric J^T J. Shortest paths under this metric are geodesics (Arvanitidis, Hansen and
Hauberg 2018, Latent Space Oddity; Chen et al. 2018, Metrics for Deep Generative Models). As in
Shao, Kumar and Fletcher 2018, The Riemannian Geometry of Deep Generative Models, they minimise the
discrete energy sum |g(z_{i+1}) - g(z_i)|^2; here the search starts from a shortest path over a
graph, and goes on by Gauss-Newton steps with Levenberg's damping.

`decode` is any smooth map from positions (N, D) to images (N, pixels).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from scipy.linalg import solveh_banded
from torch import Tensor

from latent_navigator.geometry.latent_graph import (
    BATCH,
    Decode,
    LatentGraph,
    Weight,
    shortest_path,
)
from latent_utils import check_pair, check_steps, linear_interpolation

Array = npt.NDArray[np.float64]

ROUNDS = ((28, 5), (48, 1))  # refinement: path segments, Gauss-Newton steps
# The derivatives of a step take a decoding for each position and dimension. In more than 20
# dimensions, the first round has fewer segments; in more than 11, the last one takes derivatives
# at some positions and interpolates. In the first, that would end the search too early.
MOST = 28 * 20  # positions, times dimensions, with derivatives at all positions
FEWEST = 8  # segments
SOME = 16  # positions with derivatives, where not at all
TOLERANCE = 2e-3  # smallest useful gain of a step, as a fraction of the energy
RIDGE = 1e-3  # initial damping, as a fraction of the mean diagonal of the normal equations
NEAR = 2e-3  # step of a finite difference in z
RETIMINGS = 40  # maximum number of rounds that equalise the steps of a path
UNEVEN = 0.01  # tolerated deviation of a step from the mean step, as a fraction
SHORT = 0.03  # chords of the segments may be so much shorter than the curve, as a fraction
FINE = 6  # chords per segment when a path is measured; 0.02 % short of the curve


def subdivide(path: Tensor, parts: int = FINE) -> Tensor:
    """path (N, D) -> ((N - 1) * parts + 1, D), the same polyline with more vertices."""
    t = torch.arange(parts)[:, None] / parts  # (parts, 1)
    inner = torch.lerp(path[:-1, None], path[1:, None], t)  # (N - 1, parts, D)
    return torch.cat([inner.reshape(-1, path.shape[1]), path[-1:]])


def _point_at(path: Tensor, t: Tensor) -> Tensor:
    """path (N, K), t (M,) in 0 ... N - 1 -> (M, K); t = 2.5 is halfway from row 2 to row 3."""
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


class DecodedPath(NamedTuple):
    """A polyline with its images, decoded once for all that is asked of it."""

    vertices: Tensor  # (M, D); the first and last are the ends, exactly
    images: Tensor  # (M, pixels)

    @classmethod
    def along(cls, decode: Decode, path: Tensor) -> "DecodedPath":
        """Decode a path (N, D) at FINE positions per segment."""
        vertices = subdivide(path)
        with torch.no_grad():
            return cls(vertices, torch.cat([decode(z) for z in vertices.split(BATCH)]))

    @property
    def lengths(self) -> Tensor:
        """(M - 1,) change of the image from each vertex to the next."""
        lengths: Tensor = self.images.diff(dim=0).norm(dim=1)
        return lengths

    @property
    def length(self) -> float:
        """The length in image space, where pixels are 0 ... 1."""
        return float(self.lengths.sum())

    def retime(self, steps: int) -> Tensor:
        """Positions on the path with equal visual change per step.

        Starts at equal arc length, then equalises the chords |g(z_{i+1}) - g(z_i)|, where g is
        interpolated between the vertices.

        Args:
            steps: number of positions, both ends included; at least 2.

        Returns:
            (steps, D), on the path; the first and last row are its ends, exactly. If the image
            never changes, the rows are evenly spaced along the path.

        Raises:
            ValueError: if steps is below 2.
        """
        check_steps(steps)
        t = best = _equal_parameters(self.lengths, steps)  # in 0 ... M - 1
        least = torch.inf
        for _ in range(RETIMINGS):
            chords = _point_at(self.images, t).diff(dim=0).norm(dim=1)  # (steps - 1,)
            uneven = float((chords - chords.mean()).abs().max() / chords.mean().clamp_min(1e-12))
            if uneven < least:
                least, best = uneven, t
            if uneven < UNEVEN or not chords.sum() > 0:
                break
            # Halfway: a whole correction oscillates where the images along the path turn sharply.
            t = (t + _point_at(t[:, None], _equal_parameters(chords, steps))[:, 0]) / 2
        retimed = _point_at(self.vertices, best)
        retimed[0], retimed[-1] = self.vertices[0], self.vertices[-1]
        return retimed


class _Linearised(NamedTuple):
    """A path of N positions and its N - 1 steps r_i = w_i (g(z_{i+1}) - g(z_i)), linearised."""

    path: Tensor  # (N, D)
    steps: Tensor  # (N - 1, pixels), r; w_i is the mean weight of both ends
    ahead: Tensor  # (N - 2, pixels, D) dr_i / dz_i at the inner positions
    behind: Tensor  # (N - 2, pixels, D) dr_{i-1} / dz_i

    @property
    def energy(self) -> float:
        """sum |r_i|^2; at its minimum over curves, the speed is constant and the length least."""
        return float(self.steps.square().sum())


def _evenly_spaced(count: int, most: int) -> Tensor:
    """(K,) int64 indices of 0 ... count - 1, at most `most` of them, the first and the last too."""
    return torch.linspace(0, count - 1, min(count, most)).round().long()


def _linearise(decode: Decode, weight: Weight, path: Tensor, axes: int) -> _Linearised:
    """Steps and their derivatives, from one batch of N + axes K decodings.

    Derivatives are forward differences: torch's forward mode is not safe across threads. They are
    taken at K of the N - 2 inner positions, which are all of them in few dimensions.

    Args:
        axes: D, or 0 where derivatives are not needed.
    """
    n, d = path[1:-1].shape
    taken = _evenly_spaced(n, n if n * d <= MOST else SOME)  # (K,)
    near = path[1 + taken, None] + NEAR * torch.eye(axes, d)  # (K, axes, D)
    z = torch.cat([path, near.view(-1, d)])
    images, weights = decode(z), weight(z)[:, None]
    image, image_near = images[: n + 2], images[n + 2 :].view(len(taken), axes, images.shape[1])
    factor, factor_near = weights[: n + 2], weights[n + 2 :].view(len(taken), axes, 1)
    jacobian = (image_near - image[1 + taken, None]) / NEAR  # (K, D, pixels)
    slope = (factor_near - factor[1 + taken, None]) / (2 * NEAR)  # (K, D, 1)
    if len(taken) < n:
        t = torch.from_numpy(np.interp(np.arange(n), taken.numpy(), np.arange(len(taken))))
        jacobian, slope = (
            _point_at(some.flatten(1), t).view(n, *some.shape[1:]) for some in (jacobian, slope)
        )
    change = image.diff(dim=0)  # (n + 1, pixels)
    mean = (factor[1:] + factor[:-1]) / 2  # (n + 1, 1)
    ahead = slope * change[1:, None] - mean[1:, None] * jacobian
    behind = slope * change[:-1, None] + mean[:-1, None] * jacobian
    return _Linearised(path, mean * change, ahead.mT, behind.mT)


def _normal_equations(at: _Linearised) -> tuple[Array, Array]:
    """H and b of the Gauss-Newton step H dz = -b for the energy of a path.

    H = sum dr_i^T dr_i is block tridiagonal, with blocks of D x D.

    Returns:
        H in the upper form of scipy.linalg.solveh_banded, (2 D, (N - 2) D), and b, ((N - 2) D,).
    """
    n, _, d = at.ahead.shape
    diagonal = at.ahead.mT @ at.ahead + at.behind.mT @ at.behind  # (n, D, D)
    above = at.ahead[:-1].mT @ at.behind[1:]  # (n - 1, D, D), row i and column i + 1
    gradient = at.ahead.mT @ at.steps[1:, :, None] + at.behind.mT @ at.steps[:-1, :, None]
    row, column = np.indices((d, d))
    banded = np.zeros((3 * d, n, d))  # the last D rows are below the diagonal and not needed
    banded[2 * d - 1 + row - column, :, column] = diagonal.permute(1, 2, 0).numpy()
    banded[d - 1 + row - column, 1:, column] = above.permute(1, 2, 0).numpy()
    return banded[: 2 * d].reshape(2 * d, n * d), gradient.double().numpy().reshape(n * d)


def _refine(
    decode: Decode, weight: Weight, path: Tensor, reach: float, iterations: int
) -> _Linearised:
    """Lower the energy of a path (N, D) with fixed ends, by damped Gauss-Newton steps."""
    dimensions = path.shape[1]
    best, ridge = _linearise(decode, weight, path, dimensions), RIDGE
    for left in reversed(range(iterations)):
        hessian, gradient = _normal_equations(best)
        scale = float(hessian[-1].mean())
        if not scale > 0:  # the image never changes
            break
        hessian[-1] += ridge * scale
        step = torch.from_numpy(solveh_banded(hessian, -gradient)).view(-1, dimensions)
        moved = best.path.clone()
        moved[1:-1] = (moved[1:-1] + step.to(path.dtype)).clamp(-reach, reach)
        tried = _linearise(decode, weight, moved, dimensions if left else 0)
        gain = best.energy - tried.energy
        if gain > 0:
            best, ridge = tried, ridge / 4
        else:
            ridge *= 8
        if 0 < gain < TOLERANCE * best.energy:
            break
    return best


@torch.no_grad()
def geodesic(decode: Decode, graph: LatentGraph, start: Tensor, end: Tensor) -> Tensor:
    """The shortest curve from start to end in image space.

    The shortest path over the graph, refined by Gauss-Newton steps on the discrete energy
    sum w^2 |g(z_{i+1}) - g(z_i)|^2 (see the module). The result is a local optimum close to that
    path, or the straight line if that is not longer.

    Args:
        decode: positions (N, D) -> images (N, pixels).
        graph: of the same `decode`. With weights w the curve is shortest under w^2 J^T J.
        start, end: (D,) float32, within the graph.

    Returns:
        (49, D); the first row is start and the last is end, exactly.

    Raises:
        ValueError: if the shapes differ, or a coordinate is not finite or outside the graph.
    """
    check_pair(start, end)
    reach = graph.reach
    if max(start.abs().max(), end.abs().max()) > reach:
        raise ValueError(
            f"{start.tolist()} or {end.tolist()} is outside the map; "
            f"give coordinates from {-reach:g} to {reach:g}"
        )
    line = linear_interpolation(start, end, ROUNDS[-1][0] + 1)
    if torch.equal(start, end):
        return line
    path, lengths = shortest_path(graph, start, end)
    for most, iterations in ROUNDS:
        last = most == ROUNDS[-1][0]
        segments = most if last else min(most, max(FEWEST, MOST // len(start)))
        path = _point_at(path, _equal_parameters(lengths, segments + 1))
        path[0], path[-1] = start, end
        refined = _refine(decode, graph.weight, path, reach, iterations)
        path, lengths = refined.path, refined.steps.norm(dim=1)
    straight = _linearise(decode, graph.weight, line, 0).steps.norm(dim=1)
    if lengths.sum() < (1 - SHORT) * straight.sum():
        return path
    # Too close for the chords of whole segments, so in finer ones: their error falls with 1 / k^2.
    lengths, straight = (
        _linearise(decode, graph.weight, subdivide(some, 3), 0).steps.norm(dim=1)
        for some in (path, line)
    )
    return path if lengths.sum() < (1 - SHORT / 9) * straight.sum() else line
