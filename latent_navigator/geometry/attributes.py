"""What a drawn digit looks like in six numbers, and how to move z so that one of them changes.

Every measure is differentiable, so torch.func gives its exact gradient with respect to z through
the decoder: the direction in the latent space in which the digit becomes bolder, or more slanted.
`decode` is a differentiable map of positions (N, 2) to pictures (N, 784) with pixels in 0 ... 1.

Only the reverse mode is used: the levels of torch's forward mode belong to the whole process, and
two threads that differentiate at once would take them from each other.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from latent_navigator.geometry.latent_graph import Decode

SIDE = 28  # pixels, width and height
STEP = 0.02  # of a nudge, in units of the prior's sigma; a step that fails is tried at a quarter
STEPS = 6  # of that size in one nudge
FAN = (0, 25, -25, 50, -50, 75, -75)  # degrees from the gradient: all of these still rise
TINY = 1e-6  # ink, and changes of a measure, that count as none


class Attribute(NamedTuple):
    """A measure of a picture, in words for the page."""

    more: str  # what the digit becomes as the measure grows
    less: str
    term: str
    unit: str


ATTRIBUTES = {  # in the order of the columns of `measure`
    "ink": Attribute("more ink", "less ink", "ink", "%"),
    "stroke": Attribute("bolder", "thinner", "stroke width", "px"),
    "slant": Attribute("leaning right", "leaning left", "slant", "°"),
    "width": Attribute("wider", "narrower", "width", "px"),
    "height": Attribute("taller", "shorter", "height", "px"),
    "roundness": Attribute("rounder", "longer drawn", "roundness", ""),
}


class Nudge(NamedTuple):
    """A short walk along which one attribute changes one way, and why it ended early if it did."""

    path: Tensor  # (K, 2), K >= 1; the first row is where it began
    values: Tensor  # (K,) of the attribute, strictly monotone
    stopped: str | None  # None, "extreme": no way leads further, or "barred": none is allowed


def measure(x: Tensor) -> Tensor:
    """The attributes of pictures.

    Args:
        x: (N, 784), pixels in 0 ... 1, with some ink.

    Returns:
        (N, 6), in the order of ATTRIBUTES:
        ink: how much of the picture is inked, in percent.
        stroke: twice the ink over the length of its outline (the total variation), in pixels; a
            bar of width w has 2 w L / 2 L = w.
        slant: atan(cov(x, y) / var(y)) in degrees, y upward, of the ink as a distribution over
            the picture; the shear that deskewing removes. Leaning right is positive.
        width, height: sqrt(12 var) in pixels; the side of a bar with that spread.
        roundness: sqrt of the smaller over the larger eigenvalue of the covariance; 0 for a
            line, 1 for a ring or a disc.
    """
    image = x.reshape(-1, SIDE, SIDE)  # (N, 28, 28)
    place = torch.arange(SIDE, dtype=x.dtype)
    ink = image.sum((1, 2)) + TINY  # (N,)
    column, row = image.sum(1) / ink[:, None], image.sum(2) / ink[:, None]  # (N, 28) each
    dx = place - (column * place).sum(1, keepdim=True)  # (N, 28) from the centre of mass
    dy = (row * place).sum(1, keepdim=True) - place  # (N, 28), upward
    var_x = (column * dx.square()).sum(1) + TINY
    var_y = (row * dy.square()).sum(1) + TINY
    cov = torch.einsum("nyx,ny,nx->n", image, dy, dx) / ink

    framed = torch.nn.functional.pad(image, (1, 1, 1, 1))  # (N, 30, 30)
    right = framed[:, :-1].diff(dim=2)  # (N, 29, 29)
    down = framed[:, :, :-1].diff(dim=1)  # (N, 29, 29)
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
        z: (2,).

    Returns:
        values (6,) and gradients (6, 2), the change of each per unit of z.
    """

    def values(z: Tensor) -> tuple[Tensor, Tensor]:
        found = measure(decode(z[None]))[0]  # (6,)
        return found, found

    gradients, found = torch.func.jacrev(values, has_aux=True)(z)
    return found.detach(), gradients.detach()


def jacobian_norm(decode: Decode, z: Tensor) -> Tensor:
    """The decoder's sensitivity |J| (Frobenius) at z (N, 2), exact; (N,) change per unit of z."""
    pictures, pull = torch.func.vjp(decode, z)  # pull: u -> J^T u, linear in u

    def pulled(u: Tensor) -> Tensor:
        return pull(u)[0]

    _, push = torch.func.vjp(pulled, torch.zeros_like(pictures))  # push: v -> J v
    columns = [push(axis.expand_as(z))[0] for axis in torch.eye(2)]  # two of (N, 784)
    return torch.stack(columns).square().sum((0, 2)).sqrt().detach()


def nudge(
    decode: Decode, z: Tensor, attribute: str, sign: int, allowed: Callable[[Tensor], Tensor]
) -> Nudge:
    """Move z so that an attribute changes one way, among allowed places.

    Each step goes along the gradient; where that would leave the allowed places or overshoot, it
    takes the nearest direction of FAN that does not, and so slides along a border.

    Args:
        z: (2,) where to begin. attribute: a name of ATTRIBUTES. sign: 1 for more, -1 for less.
        allowed: which of some places (N, 2) may be stepped on; (N,) bool.

    Raises:
        ValueError: if the attribute or the sign is unknown.
    """
    if attribute not in ATTRIBUTES:
        raise ValueError(f"attribute is {attribute!r:.40}; give one of {', '.join(ATTRIBUTES)}")
    if sign not in (1, -1):
        raise ValueError(f"sign is {sign!r:.40}; give 1 for more or -1 for less")
    index = list(ATTRIBUTES).index(attribute)
    turns = torch.tensor(FAN).deg2rad()
    path, values, stopped = [z], [], None
    for _ in range(STEPS):
        found, gradients = attributes_at(decode, path[-1])
        here, uphill = found[index], sign * gradients[index]
        if not values:
            values.append(here)
        angle = torch.atan2(uphill[1], uphill[0]) + turns  # (7,)
        ways = torch.stack([angle.cos(), angle.sin()], dim=1)  # (7, 2)
        tried = path[-1] + torch.cat([STEP * ways, STEP / 4 * ways])  # (14, 2)
        with torch.no_grad():
            reached = measure(decode(tried))[:, index]  # (14,)
        rises = sign * (reached - here) > TINY * max(1.0, abs(float(here)))
        good = rises & allowed(tried)
        if not good.any():
            stopped = "barred" if rises.any() else "extreme"
            break
        first = int(good.int().argmax())
        path.append(tried[first])
        values.append(reached[first])
    return Nudge(torch.stack(path), torch.stack(values), stopped)


def describe(attribute: str, value: float) -> str:
    """The value with its unit, as the page writes it."""
    unit = ATTRIBUTES[attribute].unit
    if unit == "°":
        return f"{round(value)}°".replace("-", "−")
    return f"{value:.1f} {unit}" if unit else f"{value:.2f}"
