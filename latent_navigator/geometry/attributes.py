"""Visual attributes of a digit as six differentiable measures, and moves of z that change one.

Automatic differentiation gives each measure's exact gradient with respect to z, through the
decoder: the direction in the latent space in which the digit becomes bolder, or more slanted.

`decode` is any differentiable map from positions (N, D) to images (N, 784), pixels in 0 ... 1.

Only reverse-mode differentiation is used: the levels of torch's forward mode are global to the
process, so two threads that differentiate at once would interfere.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from latent_navigator.geometry.latent_graph import Decode

SIDE = 28  # pixels, width and height of an image
STEP = 0.02  # length of a step in units of the prior's sigma; a failed step is retried at 1/4
STEPS = 6  # maximum number of steps per nudge
FAN = (0, 25, -25, 50, -50, 75, -75)  # degrees from the gradient; all increase the attribute
TINY = 1e-6  # amounts of ink, and relative changes of a measure, that count as zero
MINUS = "\N{MINUS SIGN}"


class Attribute(NamedTuple):
    """The texts that the page shows for a measure."""

    more: str  # the digit as the measure increases
    less: str
    term: str
    unit: str


ATTRIBUTES = {  # in the order of the columns of `measure`
    "ink": Attribute("more ink", "less ink", "ink", "%"),
    "stroke": Attribute("bolder", "thinner", "stroke width", "px"),
    "slant": Attribute("leaning right", "leaning left", "slant", "°"),
    "width": Attribute("wider", "narrower", "width", "px"),
    "height": Attribute("taller", "shorter", "height", "px"),
    "roundness": Attribute("rounder", "less round", "roundness", ""),
}


class Nudge(NamedTuple):
    """A short path along which one attribute changes strictly in one direction."""

    path: Tensor  # (K, D), K >= 1; the first row is the start
    values: Tensor  # (K,) of the attribute, strictly monotone
    stopped: str | None  # None; "extreme": no step improves; "barred": no such step is allowed


def measure(x: Tensor) -> Tensor:
    """The attributes of images.

    Args:
        x: (N, 784), pixels in 0 ... 1.

    Returns:
        (N, 6), in the order of ATTRIBUTES; finite, but meaningless for an image without ink.
        ink: sum of the pixels, in percent of the image's area.
        stroke: twice the ink over the length of its outline (the total variation), in pixels; for
            a bar of width w and length L this is 2 w L / 2 L = w.
        slant: atan(cov(x, y) / var(y)) in degrees, y upward, with the ink as a distribution over
            the image; the shear that deskewing removes. Leaning right is positive.
        width, height: sqrt(12 var) in pixels, the side of a uniform bar with that variance.
        roundness: square root of the smaller over the larger eigenvalue of the covariance; 0 for
            a line, 1 for a ring or a disc.
    """
    image = x.reshape(-1, SIDE, SIDE)  # (N, 28, 28)
    index = torch.arange(SIDE, dtype=x.dtype)
    ink = image.sum((1, 2)) + TINY  # (N,)
    column, row = image.sum(1) / ink[:, None], image.sum(2) / ink[:, None]  # (N, 28) each
    dx = index - (column * index).sum(1, keepdim=True)  # (N, 28), from the centre of mass
    dy = (row * index).sum(1, keepdim=True) - index  # (N, 28), upward
    var_x = (column * dx.square()).sum(1) + TINY
    var_y = (row * dy.square()).sum(1) + TINY
    cov = torch.einsum("nyx,ny,nx->n", image, dy, dx) / ink

    padded = F.pad(image, (1, 1, 1, 1))  # (N, 30, 30)
    right = padded[:, :-1].diff(dim=2)  # (N, 29, 29)
    down = padded[:, :, :-1].diff(dim=1)  # (N, 29, 29)
    outline = (right.square() + down.square() + TINY).sqrt().sum((1, 2))

    half = (((var_x - var_y) / 2).square() + cov.square() + TINY).sqrt()
    mean = (var_x + var_y) / 2
    roundness = ((mean - half).clamp_min(0) / (mean + half) + TINY).sqrt()
    return torch.stack(
        [
            100 * ink / SIDE**2,
            2 * ink / outline,
            torch.rad2deg(torch.atan2(cov, var_y)),
            (12 * var_x).sqrt(),
            (12 * var_y).sqrt(),
            roundness,
        ],
        dim=1,
    )


def attributes_at(decode: Decode, z: Tensor) -> tuple[Tensor, Tensor]:
    """The attributes of the digit at z and their exact gradients.

    Args:
        decode: positions (N, D) -> images (N, 784).
        z: (D,).

    Returns:
        values (6,) and gradients (6, D), the change of each value per unit of z.
    """

    def values_twice(z: Tensor) -> tuple[Tensor, Tensor]:
        values = measure(decode(z[None]))[0]  # (6,)
        return values, values

    gradients, values = torch.func.jacrev(values_twice, has_aux=True)(z)
    return values.detach(), gradients.detach()


def jacobian_norm(decode: Decode, z: Tensor) -> Tensor:
    """The decoder's sensitivity: the exact Frobenius norm |J|, from D double-backward products.

    Args:
        decode: positions (N, D) -> images (N, 784).
        z: (N, D).

    Returns:
        (N,), change of the image per unit of z.
    """
    images, pullback = torch.func.vjp(decode, z)[:2]  # pullback: u -> J^T u, linear in u

    def transposed(u: Tensor) -> Tensor:
        product: Tensor = pullback(u)[0]
        return product

    push = torch.func.vjp(transposed, torch.zeros_like(images))[1]  # push: v -> J v
    columns = [push(axis.expand_as(z))[0] for axis in torch.eye(z.shape[1])]  # D of (N, 784)
    return torch.stack(columns).square().sum((0, 2)).sqrt().detach()


def directions_around(uphill: Tensor) -> Tensor:
    """Unit vectors at the angles FAN from a direction (D,), the closest first.

    In two dimensions these are seven. In more, the direction is turned toward each of D - 1 others
    that are orthogonal to it and to each other (a Householder reflection of the axes).

    Returns:
        (F, D), the first of which is the direction itself. Zero gives that of the first axis.
    """
    turns = torch.tensor(FAN).deg2rad()
    if len(uphill) == 2:
        angle = torch.atan2(uphill[1], uphill[0]) + turns  # (7,)
        return torch.stack([angle.cos(), angle.sin()], dim=1)
    first = torch.eye(len(uphill))[0]
    u = F.normalize(uphill, dim=0) if uphill.any() else first
    # The reflection that takes the first axis to u or -u takes the others to its complement.
    mirror = F.normalize(u + first if u[0] > 0 else u - first, dim=0)
    across = (torch.eye(len(u)) - 2 * mirror[:, None] * mirror)[1:]  # (D - 1, D)
    turned = turns[1:, None, None].cos() * u + turns[1:, None, None].sin() * across
    return torch.cat([u[None], turned.flatten(0, 1)])


def nudge(
    decode: Decode, z: Tensor, attribute: str, sign: int, allowed: Callable[[Tensor], Tensor]
) -> Nudge:
    """Move z a little so that one attribute increases or decreases.

    Each step follows the gradient. If that overshoots or leaves the allowed region, the step takes
    the closest direction of FAN that does not, and so slides along the boundary.

    Args:
        decode: positions (N, D) -> images (N, 784).
        z: (D,), the start.
        attribute: a key of ATTRIBUTES.
        sign: 1 to increase it, -1 to decrease it.
        allowed: positions (N, D) -> (N,) bool, whether a step may end there.

    Raises:
        ValueError: if the attribute or the sign is unknown.
    """
    if attribute not in ATTRIBUTES:
        raise ValueError(f"attribute is {attribute!r:.40}; give one of {', '.join(ATTRIBUTES)}")
    if sign not in (1, -1):
        raise ValueError(f"sign is {sign!r:.40}; give 1 to increase it or -1 to decrease it")
    index = list(ATTRIBUTES).index(attribute)
    path = [z]
    values: list[Tensor] = []
    stopped = None
    for _ in range(STEPS):
        here = path[-1].detach().requires_grad_()
        value = measure(decode(here[None]))[0, index]
        uphill = sign * torch.autograd.grad(value, here)[0]  # (D,)
        value = value.detach()
        if not values:
            values.append(value)
        fan = directions_around(uphill)  # (F, D)
        candidates = path[-1] + torch.cat([STEP * fan, STEP / 4 * fan])  # (2 F, D)
        improved = False
        # Mostly the first is taken, and the others need not be decoded.
        for some in candidates.split([1, len(candidates) - 1]):
            with torch.no_grad():
                reached = measure(decode(some))[:, index]
            improves = sign * (reached - value) > TINY * max(1.0, abs(float(value)))
            improved = improved or bool(improves.any())
            good = improves & allowed(some)
            if good.any():
                break
        else:
            stopped = "barred" if improved else "extreme"
            break
        first = int(good.int().argmax())
        path.append(some[first])
        values.append(reached[first])
    return Nudge(torch.stack(path), torch.stack(values), stopped)


def describe(attribute: str, value: float) -> str:
    """The value of an attribute as the page shows it, with its unit."""
    unit = ATTRIBUTES[attribute].unit
    if unit == "°":
        return f"{round(value)}°".replace("-", MINUS)
    return f"{value:.1f} {unit}" if unit else f"{value:.2f}"
