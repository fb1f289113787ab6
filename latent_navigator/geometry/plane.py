"""Planes through the latent space: what a flat map of D dimensions shows.

A plane is kept in one normal form. Its origin is its point closest to the centre of the prior, and
its axes are orthonormal, so that the position (x, y) of the plane lies sqrt(x^2 + y^2 + |origin|^2)
from the centre, and a sphere about the centre meets the plane in a circle about (0, 0).

In two dimensions the plane is the whole space: whatever it is asked for, it is the identity.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from latent_utils import check_pair

PRECISION = 1e-4  # of axes: how far from orthonormal they may be
FLAT = 1e-3  # height of a triangle, as a share of its longest side: one with less is a line
PLANE = 2  # dimensions


@dataclass(frozen=True, eq=False)
class Plane:
    """A plane through a latent space of D dimensions, D >= 2.

    Coordinates are in units of the prior's standard deviation, in the plane as in the space.

    Attributes:
        origin: (D,) float32, the point of the plane that is closest to the centre of the prior.
        axes: (2, D) float32, orthonormal: the directions of x and y.

    Raises:
        ValueError: if the shapes do not fit, a number is not finite, the axes are not orthonormal,
            or the origin is not the point closest to the centre; `plane_through` makes one that is.
    """

    origin: Tensor
    axes: Tensor

    def __post_init__(self) -> None:
        origin, axes = self.origin, self.axes
        if origin.ndim != 1 or axes.shape != (PLANE, len(origin)) or len(origin) < PLANE:
            raise ValueError(
                f"a plane has origin {tuple(origin.shape)} and axes {tuple(axes.shape)}; give (D,) "
                "and (2, D), with D of at least 2"
            )
        if not (origin.isfinite().all() and axes.isfinite().all()):
            raise ValueError("a plane has numbers that are not finite; give finite ones")
        product = axes @ axes.T  # (2, 2)
        if (product - torch.eye(PLANE, dtype=axes.dtype)).abs().max() > PRECISION:
            raise ValueError(
                f"the axes of a plane have the products {product.tolist()}; give two orthonormal "
                "ones, as plane_through does"
            )
        if (axes @ origin).abs().max() > PRECISION * max(1.0, float(origin.norm())):
            raise ValueError(
                "the origin of a plane is not its point closest to the centre; give the one that "
                "plane_through finds"
            )

    @property
    def latent_dim(self) -> int:
        """D, the dimensions of the space."""
        return len(self.origin)

    def to_plane(self, z: Tensor) -> Tensor:
        """The orthogonal projection of positions (N, D): (N, 2) coordinates in the plane."""
        return (z - self.origin) @ self.axes.T

    def from_plane(self, xy: Tensor, offset: Tensor | None = None) -> Tensor:
        """The positions (N, D) at coordinates (N, 2) of the plane.

        Args:
            offset: (D,) or (N, D), added to them: from `offset` it gives positions that move in
                parallel to the plane. Without one they lie in it.
        """
        z = self.origin + xy @ self.axes
        return z if offset is None else z + offset

    def offset(self, z: Tensor) -> Tensor:
        """(N, D): what leads from the projections of positions (N, D) to themselves."""
        return z - self.from_plane(self.to_plane(z))

    def distance(self, z: Tensor) -> Tensor:
        """(N,) the distance of positions (N, D) from the plane; zeros in two dimensions."""
        distances: Tensor = self.offset(z).norm(dim=1)
        return distances

    def variance_share(self, means: Tensor) -> float:
        """The share of the variance of positions (N, D) that the plane holds: 0 ... 1.

        Without any variance it is 1: nothing is lost.
        """
        total = float(means.double().var(0, correction=0).sum())
        held = float(self.to_plane(means).double().var(0, correction=0).sum())
        return min(1.0, held / total) if total > 0 else 1.0


def whole_plane(latent_dim: int = PLANE) -> Plane:
    """The plane of the first two dimensions; in two dimensions, the space itself."""
    return Plane(torch.zeros(latent_dim), torch.eye(PLANE, latent_dim))


def plane_through(point: Tensor, first: Tensor, second: Tensor) -> Plane:
    """The plane through a point (D,) along two directions (D,), the first of which is x.

    The second is made orthogonal to the first (Gram and Schmidt). In two dimensions the plane is
    the identity, wherever the directions point.

    Raises:
        ValueError: if the shapes differ, a number is not finite, or the directions are parallel.
    """
    for direction in (first, second):
        check_pair(point, direction)
    if len(point) == PLANE:
        return whole_plane()
    at, a, b = point.double(), first.double(), second.double()
    longest = max(float(a.norm()), float(b.norm()))
    x = a / a.norm().clamp_min(torch.finfo(a.dtype).tiny)
    height = b - (b @ x) * x
    if not longest > 0 or a.norm() < FLAT * longest or height.norm() < FLAT * longest:
        raise ValueError("two directions of a plane are parallel or zero; give others")
    axes = torch.stack([x, height / height.norm()])
    axes[1] -= (axes[1] @ x) * x  # once more: the first time leaves rounding errors
    origin = at - (axes @ at) @ axes
    return Plane(origin.float(), axes.float())


def plane_of_dimensions(first: int, second: int, point: Tensor) -> Plane:
    """The plane of two dimensions of z, through a position (D,).

    Args:
        first, second: two different numbers 0 ... D - 1; x and y of the plane.

    Raises:
        ValueError: if they are not.
    """
    last = len(point) - 1
    for dimension in (first, second):
        if isinstance(dimension, bool) or not isinstance(dimension, int) or dimension > last:
            raise ValueError(
                f"dimension is {dimension!r:.40}; give a whole number from 0 to {last}"
            )
        if dimension < 0:
            raise ValueError(f"dimension is {dimension}; give a whole number from 0 to {last}")
    if first == second:
        raise ValueError(f"a plane has two dimensions, not {first} twice; give another one")
    unit = torch.eye(len(point))
    return plane_through(point, unit[first], unit[second])


def plane_of_points(a: Tensor, b: Tensor, c: Tensor) -> Plane:
    """The plane through three positions (D,): x leads from a to b, and c has a positive y.

    Raises:
        ValueError: if the shapes differ, a number is not finite, or the three lie on a line.
    """
    check_pair(a, b)
    check_pair(a, c)
    sides = torch.stack([b - a, c - a, c - b]).double()
    longest = float(sides.norm(dim=1).max())
    gram = sides[:2] @ sides[:2].T
    doubled_area = float((gram[0, 0] * gram[1, 1] - gram[0, 1] ** 2).clamp_min(0).sqrt())
    shortest = float(sides.norm(dim=1).min())
    # The height over the longest side; and two points that coincide leave the direction open.
    if not longest > 0 or shortest < FLAT * longest or doubled_area < FLAT * longest**2:
        raise ValueError(
            "the three points lie on a line, and many planes contain it; choose another point"
        )
    return plane_through(a, b - a, c - a)


def principal_plane(means: Tensor) -> Plane:
    """The plane that holds most of the variance of positions (N, D), by principal components.

    Each axis points to where its largest component is positive, so that it is repeatable.

    Raises:
        ValueError: if the positions are not (N, D) with D of at least 2, or not finite.
    """
    if means.ndim != 2 or means.shape[1] < PLANE or len(means) == 0:
        raise ValueError(f"positions have shape {tuple(means.shape)}; give (N, D) with D >= 2")
    if not means.isfinite().all():
        raise ValueError("positions have values that are not finite; give finite ones")
    if means.shape[1] == PLANE:
        return whole_plane()
    values = means.double()
    centre = values.mean(0)
    # Symmetric: the eigenvalues ascend.
    vectors = torch.linalg.eigh((values - centre).T @ (values - centre)).eigenvectors
    axes = vectors[:, [-1, -2]].T
    largest = axes.gather(1, axes.abs().argmax(1, keepdim=True))  # (2, 1)
    x, y = axes * largest.sign()
    return plane_through(centre.float(), x.float(), y.float())
