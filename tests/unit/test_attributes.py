"""Attributes of shapes with known measures, their gradients, and nudges on the real decoder."""

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.geometry.attributes import (
    ATTRIBUTES,
    attributes_at,
    describe,
    jacobian_norm,
    measure,
    nudge,
)

NAMES = list(ATTRIBUTES)
FINE = 20  # samples per pixel and axis when a shape is drawn


def value_of(name: str, x: Tensor) -> float:
    """One attribute of an image (1, 784)."""
    return float(measure(x)[0, NAMES.index(name)])


def draw(inside: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """(1, 784): an anti-aliased shape; inside(x, y) with the origin in the middle, y upward."""
    axis = (torch.arange(28 * FINE) + 0.5) / FINE - 14
    y, x = torch.meshgrid(-axis, axis, indexing="ij")
    sharp = inside(x, y).float()  # (28 * FINE, 28 * FINE)
    return F.avg_pool2d(sharp[None, None], FINE).reshape(1, 784)


def bar(width: float, height: float, shear: float = 0.0) -> Tensor:
    return draw(lambda x, y: ((x - shear * y).abs() < width / 2) & (y.abs() < height / 2))


def ring(radius: float, hole: float = 0.0, cx: float = 0.0, cy: float = 0.0) -> Tensor:
    def inside(x: Tensor, y: Tensor) -> Tensor:
        r = torch.hypot(x - cx, y - cy)
        return (r < radius) & (r >= hole)

    return draw(inside)


def test_bar_has_its_width_and_height() -> None:
    x = bar(6, 18)
    assert value_of("width", x) == pytest.approx(6, abs=0.1)
    assert value_of("height", x) == pytest.approx(18, abs=0.1)
    assert value_of("ink", x) == pytest.approx(100 * 6 * 18 / 784, rel=0.01)
    assert value_of("slant", x) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("width", [2, 3, 4, 6])
def test_stroke_width_of_a_long_bar(width: int) -> None:
    # 2 w L / (2 L + 2 w): the ends of the bar are part of its outline.
    expected = width * 24 / (24 + width)
    assert value_of("stroke", bar(width, 24)) == pytest.approx(expected, rel=0.05)


def test_stroke_width_of_a_ring() -> None:
    # Twice the area over the length of both circles is exactly the width of the line.
    assert value_of("stroke", ring(8, 6)) == pytest.approx(2, rel=0.1)
    assert value_of("stroke", ring(8, 4)) == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("degrees", [-40, -15, 0, 10, 35])
def test_slant_of_a_sheared_bar(degrees: int) -> None:
    x = bar(3, 16, math.tan(math.radians(degrees)))
    assert value_of("slant", x) == pytest.approx(degrees, abs=0.7)


def test_roundness_of_a_line_an_ellipse_and_a_disc() -> None:
    ellipse = draw(lambda x, y: (x / 4).square() + (y / 8).square() < 1)
    assert value_of("roundness", bar(1, 24)) < 0.08  # one pixel wide, shared by two columns
    assert value_of("roundness", ellipse) == pytest.approx(0.5, abs=0.01)
    assert value_of("roundness", ring(7)) == pytest.approx(1, abs=0.02)


def test_attributes_are_invariant_to_translation() -> None:
    torch.testing.assert_close(measure(ring(5, 3)), measure(ring(5, 3, 4, -3)), atol=1e-2, rtol=0)


def test_empty_image_has_finite_values_and_gradients() -> None:
    x = torch.zeros(2, 784, requires_grad=True)
    values = measure(x)
    (gradient,) = torch.autograd.grad(values.sum(), x)
    assert values.isfinite().all()
    assert gradient.isfinite().all()


@pytest.mark.guarantee("gradients-and-nudges")
def test_gradients_match_finite_differences(trained_space: LatentSpace) -> None:
    decode = trained_space.decode
    for z in trained_space.anchors["typical"]:
        values, gradients = attributes_at(decode, z)
        torch.testing.assert_close(values, measure(decode(z[None]))[0].detach())
        steps = 2e-3 * torch.eye(trained_space.latent_dim)
        with torch.no_grad():
            ahead, behind = (measure(decode(z + sign * steps).double()) for sign in (1, -1))
        slopes = (ahead - behind).T / (2 * 2e-3)  # (6, D)
        scale = gradients.norm(dim=1).double().clamp_min(1e-2)
        assert ((gradients - slopes).abs() / scale[:, None]).max() < 0.05


def test_jacobian_norm_matches_finite_differences(trained_space: LatentSpace) -> None:
    decode, z = trained_space.decode, trained_space.means[::400]
    total = torch.zeros(len(z))
    for axis in torch.eye(trained_space.latent_dim):
        with torch.no_grad():
            slope = (decode(z + 1e-3 * axis) - decode(z - 1e-3 * axis)) / 2e-3
        total += slope.square().sum(1)
    torch.testing.assert_close(jacobian_norm(decode, z), total.sqrt(), rtol=0.01, atol=0.01)


def same_digit(space: LatentSpace, start: Tensor) -> Callable[[Tensor], Tensor]:
    """Whether positions have data nearby and the digit prevails there that does at the start."""
    digit = space.around(start[None]).shares.argmax(1)

    def allowed(z: Tensor) -> Tensor:
        around = space.around(z)
        return (around.shares.argmax(1) == digit) & (around.within > 0)

    return allowed


def anywhere(z: Tensor) -> Tensor:
    return torch.ones(len(z), dtype=torch.bool)


@pytest.mark.slow
@pytest.mark.guarantee("gradients-and-nudges")
@pytest.mark.parametrize("attribute", NAMES)
@pytest.mark.parametrize("sign", [1, -1])
def test_nudges_are_monotone_and_keep_the_digit(
    either_space: LatentSpace, attribute: str, sign: int
) -> None:
    """Four times from the prototypes of some digits, or until no nudge goes further.

    Every third digit, which are others for the next attribute: all ten would take half a minute.
    """
    decode, index, steps = either_space.decode, NAMES.index(attribute), 0
    for z in either_space.anchors["typical"][index % 3 :: 3]:
        allowed = same_digit(either_space, z)
        for _ in range(4):
            nudged = nudge(decode, z, attribute, sign, allowed)
            with torch.no_grad():
                measured = measure(decode(nudged.path))[:, index]
            torch.testing.assert_close(measured, nudged.values, atol=1e-3, rtol=1e-4)
            assert (sign * nudged.values.diff() > 0).all()
            assert allowed(nudged.path[1:]).all()
            assert torch.equal(nudged.path[0], z)
            assert (nudged.path.diff(dim=0).norm(dim=1) < 0.021).all()
            steps += len(nudged.path) - 1
            z = nudged.path[-1]
            if nudged.stopped:
                break
        else:
            assert nudged.stopped is None
    assert steps > 20, "the nudges hardly moved"


def test_nudge_reports_why_it_stops(either_space: LatentSpace) -> None:
    z = either_space.anchor(3)
    barred = nudge(either_space.decode, z, "ink", 1, lambda candidates: ~anywhere(candidates))
    assert barred.stopped == "barred"
    assert len(barred.path) == 1

    def constant(z: Tensor) -> Tensor:
        return torch.full((len(z), 784), 0.3) + 0 * z.sum(1, keepdim=True)

    extreme = nudge(constant, z, "ink", 1, anywhere)
    assert extreme.stopped == "extreme"
    assert len(extreme.path) == 1


@pytest.mark.guarantee("arguments-validated")
@pytest.mark.parametrize(
    ("attribute", "sign", "message"),
    [("beauty", 1, "attribute is 'beauty'"), ("ink", 0, "sign is 0"), ("ink", 2, "sign is 2")],
)
def test_unknown_nudges_are_rejected(
    either_space: LatentSpace, attribute: str, sign: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        nudge(either_space.decode, either_space.anchor(3), attribute, sign, anywhere)


def test_values_are_described_with_their_units() -> None:
    assert describe("slant", -12.4) == "−12°"
    assert describe("slant", -0.2) == "0°"
    assert describe("stroke", 3.14) == "3.1 px"
    assert describe("ink", 9.96) == "10.0 %"
    assert describe("roundness", 0.456) == "0.46"
