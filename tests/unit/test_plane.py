"""Planes through latent spaces of 2 to 64 dimensions."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from latent_navigator.geometry.plane import (
    Plane,
    plane_of_dimensions,
    plane_of_points,
    plane_through,
    principal_plane,
    whole_plane,
)

DIMENSIONS = [2, 3, 10, 64]


def positions(latent_dim: int, count: int = 50, seed: int = 0) -> Tensor:
    return torch.randn(count, latent_dim, generator=torch.Generator().manual_seed(seed))


def planes(latent_dim: int) -> list[Plane]:
    """One of each constructor."""
    z = positions(latent_dim, seed=1)
    return [
        whole_plane(latent_dim),
        plane_through(z[0], z[1], z[2]),
        plane_of_dimensions(latent_dim - 1, 0, z[3]),
        plane_of_points(z[4], z[5], z[6]),
        principal_plane(z),
    ]


@pytest.mark.parametrize("latent_dim", DIMENSIONS)
def test_projections_are_orthogonal_and_return_to_the_plane(latent_dim: int) -> None:
    z, xy = positions(latent_dim), positions(2, seed=2)
    for plane in planes(latent_dim):
        torch.testing.assert_close(plane.to_plane(plane.from_plane(xy)), xy, atol=1e-5, rtol=0)
        foot = plane.from_plane(plane.to_plane(z))
        assert float(plane.distance(foot).max()) < 1e-5
        # No other point of the plane is closer.
        torch.testing.assert_close(plane.distance(z), (z - foot).norm(dim=1))
        nearby = plane.from_plane(plane.to_plane(z) + 0.1 * xy)
        assert ((z - nearby).norm(dim=1) >= plane.distance(z) - 1e-6).all()
        # Moved in parallel to the plane, positions keep their distance from it.
        moved = plane.from_plane(plane.to_plane(z) + xy, plane.offset(z))
        torch.testing.assert_close(plane.distance(moved), plane.distance(z), atol=1e-5, rtol=0)
        torch.testing.assert_close(plane.to_plane(moved) - plane.to_plane(z), xy, atol=1e-5, rtol=0)


@pytest.mark.parametrize("latent_dim", DIMENSIONS)
def test_a_distance_from_the_centre_follows_from_the_coordinates(latent_dim: int) -> None:
    xy = positions(2, seed=2)
    for plane in planes(latent_dim):
        radius = (xy.square().sum(1) + plane.origin.square().sum()).sqrt()
        torch.testing.assert_close(plane.from_plane(xy).norm(dim=1), radius)


def test_in_two_dimensions_every_plane_is_the_space_exactly() -> None:
    z = positions(2)
    for plane in planes(2):
        assert torch.equal(plane.to_plane(z), z)
        assert torch.equal(plane.from_plane(z), z)
        assert not plane.distance(z).any()
        assert plane.variance_share(z) == 1


@pytest.mark.parametrize("latent_dim", DIMENSIONS[1:])
def test_planes_contain_what_they_are_made_of(latent_dim: int) -> None:
    a, b, c = positions(latent_dim, 3)
    plane = plane_of_points(a, b, c)
    assert float(plane.distance(torch.stack([a, b, c])).max()) < 1e-5
    in_plane = plane.to_plane(torch.stack([a, b, c]))
    assert float(in_plane[1, 0]) > float(in_plane[0, 0])
    assert float(in_plane[1, 1]) == pytest.approx(float(in_plane[0, 1]), abs=1e-5)
    assert float(in_plane[2, 1]) > float(in_plane[0, 1])

    plane = plane_of_dimensions(2, 0, a)
    moved = a.clone()
    moved[0], moved[2] = 0.3, -1.5
    assert float(plane.distance(torch.stack([a, moved])).max()) < 1e-6
    assert plane.to_plane(moved[None])[0].tolist() == pytest.approx([-1.5, 0.3])


@pytest.mark.parametrize("latent_dim", DIMENSIONS[1:])
def test_the_principal_plane_holds_most_of_the_variance(latent_dim: int) -> None:
    spread = torch.full((latent_dim,), 0.2)
    spread[1], spread[2] = 3.0, 2.0
    z = positions(latent_dim, 2000) * spread + 0.5
    plane = principal_plane(z)
    # Along the dimensions 1 and 2, in this order, each to its positive side.
    torch.testing.assert_close(plane.axes[:, 1:3], torch.eye(2), atol=0.05, rtol=0)
    expected = 13 / (13 + (latent_dim - 2) * 0.04)
    assert plane.variance_share(z) == pytest.approx(expected, abs=0.01)
    for other in planes(latent_dim):
        assert other.variance_share(z) <= plane.variance_share(z) + 1e-6
    again = principal_plane(z.clone())
    assert torch.equal(again.axes, plane.axes)
    assert torch.equal(again.origin, plane.origin)


def test_positions_without_variance_are_held_by_any_plane() -> None:
    assert principal_plane(torch.ones(5, 4)).variance_share(torch.ones(5, 4)) == 1


@pytest.mark.parametrize(
    "third", [[0.0] * 4, [1.0, 0, 0, 0], [0.5, 0, 0, 0], [0.5, 1e-5, 0, 0], [-7.0, 0, 0, 0]]
)
def test_three_points_on_a_line_are_explained(third: list[float]) -> None:
    a, b = torch.zeros(4), torch.tensor([1.0, 0, 0, 0])
    with pytest.raises(ValueError, match=r"lie on a line.*choose another point"):
        plane_of_points(a, b, torch.tensor(third))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: plane_of_dimensions(0, 4, torch.zeros(4)), "dimension is 4; .* 0 to 3"),
        (lambda: plane_of_dimensions(-1, 1, torch.zeros(4)), "dimension is -1"),
        (lambda: plane_of_dimensions(1, 1, torch.zeros(4)), "1 twice"),
        (lambda: plane_of_dimensions(True, 0, torch.zeros(4)), "dimension is True"),
        (lambda: plane_through(torch.zeros(3), torch.ones(3), 2 * torch.ones(3)), "parallel"),
        (lambda: plane_through(torch.zeros(3), torch.zeros(3), torch.ones(3)), "or zero"),
        (lambda: plane_of_points(torch.zeros(3), torch.ones(3), torch.ones(2)), "same length"),
        (lambda: principal_plane(torch.zeros(5, 1)), r"\(5, 1\); give \(N, D\)"),
        (lambda: principal_plane(torch.full((5, 3), math.nan)), "not finite"),
        (lambda: Plane(torch.zeros(3), torch.eye(2)), r"give \(D,\) and \(2, D\)"),
        (lambda: Plane(torch.zeros(3), torch.full((2, 3), math.inf)), "not finite"),
        (lambda: Plane(torch.zeros(3), torch.ones(2, 3)), "orthonormal"),
        (lambda: Plane(torch.ones(3), torch.eye(2, 3)), "closest to the centre"),
    ],
)
def test_invalid_planes_are_explained(make: Callable[[], Plane], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
