"""Measures of pictures against shapes whose measures are known, their gradients, and nudges."""

import math

import pytest
import torch

from latent_navigator.geometry.attributes import (
    ATTRIBUTES,
    attributes_at,
    describe,
    jacobian_norm,
    measure,
    nudge,
)
from latent_utils import neighbourhood

NAMES = list(ATTRIBUTES)


def column(name):
    return NAMES.index(name)


def picture(inside, fine=20):
    """(1, 784): a shape, inside(x, y) with x to the right and y upward from the middle, smooth."""
    side = 28 * fine
    place = (torch.arange(side) + 0.5) / fine - 14
    y, x = torch.meshgrid(-place, place, indexing="ij")
    sharp = inside(x, y).float()  # (side, side)
    return torch.nn.functional.avg_pool2d(sharp[None, None], fine).reshape(1, 784)


def bar(width, height, shear=0.0):
    return picture(lambda x, y: ((x - shear * y).abs() < width / 2) & (y.abs() < height / 2))


def disc(radius, hole=0.0, cx=0.0, cy=0.0):
    def ring(x, y):
        r = torch.hypot(x - cx, y - cy)
        return (r < radius) & (r >= hole)

    return picture(ring)


@pytest.fixture(scope="module")
def decode(released):
    model = released.build_model()
    return lambda z: model.decode(z).flatten(1)


def test_a_bar_has_its_own_width_and_height():
    found = measure(bar(6, 18))[0]
    assert float(found[column("width")]) == pytest.approx(6, abs=0.1)
    assert float(found[column("height")]) == pytest.approx(18, abs=0.1)
    assert float(found[column("ink")]) == pytest.approx(100 * 6 * 18 / 784, rel=0.01)
    assert float(found[column("slant")]) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("width", [2, 3, 4, 6])
def test_the_stroke_of_a_long_bar_is_its_width(width):
    # 2 w L / (2 L + 2 w): the ends of the bar are outline too.
    found = float(measure(bar(width, 24))[0, column("stroke")])
    assert found == pytest.approx(width * 24 / (24 + width), rel=0.05)


def test_the_stroke_of_a_ring_is_that_of_its_line():
    thin, bold = (float(measure(disc(8, hole))[0, column("stroke")]) for hole in (6, 4))
    # The area over half of both circles: exactly the width of the line.
    assert thin == pytest.approx(2, rel=0.1) and bold == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("degrees", [-40, -15, 0, 10, 35])
def test_a_sheared_bar_slants_as_it_was_sheared(degrees):
    found = measure(bar(3, 16, math.tan(math.radians(degrees))))[0]
    assert float(found[column("slant")]) == pytest.approx(degrees, abs=0.7)


def test_roundness_of_a_line_an_ellipse_and_a_disc():
    ellipse = picture(lambda x, y: (x / 4).square() + (y / 8).square() < 1)
    line, oval, round_ = (
        float(measure(x)[0, column("roundness")]) for x in (bar(1, 24), ellipse, disc(7))
    )
    assert line < 0.08  # one pixel wide, and so shared by two columns
    assert oval == pytest.approx(0.5, abs=0.01)
    assert round_ == pytest.approx(1, abs=0.02)


def test_measures_do_not_depend_on_where_the_shape_is():
    torch.testing.assert_close(measure(disc(5, 3)), measure(disc(5, 3, 4, -3)), atol=1e-2, rtol=0)


def test_an_empty_picture_gives_numbers_and_gradients():
    x = torch.zeros(2, 784, requires_grad=True)
    found = measure(x)
    found.sum().backward()
    assert found.isfinite().all() and x.grad.isfinite().all()


@pytest.mark.guarantee("gradients-and-nudges")
def test_gradients_are_those_of_finite_differences(decode, released):
    for z in released.prototypes:
        values, gradients = attributes_at(decode, z)
        torch.testing.assert_close(values, measure(decode(z[None]))[0].detach())
        for axis in range(2):
            step = torch.zeros(2)
            step[axis] = 2e-3
            with torch.no_grad():
                ahead, behind = measure(decode(torch.stack([z + step, z - step])).double())
            slope = (ahead - behind) / (2 * 2e-3)
            scale = gradients.norm(dim=1).double().clamp_min(1e-2)
            assert ((gradients[:, axis] - slope).abs() / scale).max() < 0.05


def test_sensitivity_is_that_of_finite_differences(decode, released):
    z = released.means[::400]
    total = torch.zeros(len(z))
    for axis in torch.eye(2):
        with torch.no_grad():
            slope = (decode(z + 1e-3 * axis) - decode(z - 1e-3 * axis)) / 2e-3
        total += slope.square().sum(1)
    torch.testing.assert_close(jacobian_norm(decode, z), total.sqrt(), rtol=0.01, atol=0.01)


def same_digit(released, digit):
    def allowed(z):
        around = neighbourhood(z, released.means, released.labels)
        return (around.shares.argmax(1) == digit) & (around.within > 0)

    return allowed


@pytest.mark.guarantee("gradients-and-nudges")
@pytest.mark.parametrize("attribute", NAMES)
@pytest.mark.parametrize("sign", [1, -1])
def test_nudges_are_monotone_and_keep_the_digit(decode, released, attribute, sign):
    """Along real decodings, from the typical place of every digit, until no nudge goes further."""
    moved = 0
    for digit in range(10):
        allowed = same_digit(released, digit)
        z = released.prototypes[digit]
        for _ in range(25):
            walk = nudge(decode, z, attribute, sign, allowed)
            with torch.no_grad():
                seen = measure(decode(walk.path))[:, column(attribute)]
            torch.testing.assert_close(seen, walk.values, atol=1e-3, rtol=1e-4)
            assert (sign * walk.values.diff() > 0).all()
            assert allowed(walk.path[1:]).all()
            assert torch.equal(walk.path[0], z)
            assert (walk.path.diff(dim=0).norm(dim=1) < 0.021).all()
            moved += len(walk.path) - 1
            z = walk.path[-1]
            if walk.stopped:
                break
        else:
            assert walk.stopped is None
    assert moved > 60, "the nudges hardly moved"


def test_a_nudge_says_why_it_stops(decode, released):
    z = released.prototypes[3]
    barred = nudge(decode, z, "ink", 1, lambda tried: torch.zeros(len(tried), dtype=torch.bool))
    assert barred.stopped == "barred" and len(barred.path) == 1

    def flat(z):
        return torch.full((len(z), 784), 0.3) + 0 * z.sum(1, keepdim=True)

    still = nudge(flat, z, "ink", 1, lambda tried: torch.ones(len(tried), dtype=torch.bool))
    assert still.stopped == "extreme" and len(still.path) == 1


@pytest.mark.guarantee("arguments-validated")
@pytest.mark.parametrize(("attribute", "sign"), [("beauty", 1), ("ink", 0), ("ink", 2)])
def test_unknown_nudges_are_named(decode, attribute, sign):
    with pytest.raises(ValueError, match=r"attribute is 'beauty'|sign is"):
        nudge(decode, torch.zeros(2), attribute, sign, lambda tried: tried[:, 0] > -9)


def test_values_are_told_with_their_units():
    assert describe("slant", -12.4) == "−12°"
    assert describe("slant", -0.2) == "0°"
    assert describe("stroke", 3.14) == "3.1 px"
    assert describe("ink", 9.96) == "10.0 %"
    assert describe("roundness", 0.456) == "0.46"
