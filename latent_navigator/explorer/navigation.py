"""Positions to go to: a draw from the prior, a class's anchor, a step toward one."""

from typing import Any

import torch
from torch import Tensor

from latent_navigator.explorer.arguments import number, whole_number
from latent_navigator.explorer.latent_space import LatentSpace, as_dict, percent
from latent_utils import NEIGHBOURS
from latent_utils import morph_toward as move_toward

MAX_SEED = 2**63 - 1
NOTEWORTHY = 0.2  # of the neighbours: a second class with less is not mentioned


def random_sample(space: LatentSpace, seed: object = None) -> dict[str, Any]:
    """A draw from the prior N(0, I); see `draw_from_prior`."""
    return as_dict(draw_from_prior(space, seed))


def draw_from_prior(space: LatentSpace, seed: object = None) -> Tensor:
    """(D,) a draw from N(0, I), drawn again if it is beyond the limit (1 in 8,000 is).

    Args:
        seed: 0 ... MAX_SEED; the same one gives the same sample. None draws a fresh one.

    Raises:
        ValueError: if the seed is no such number.
    """
    generator = torch.Generator()
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(whole_number("seed", seed, 0, MAX_SEED))
    while True:
        z = torch.randn(space.latent_dim, generator=generator)
        if z.abs().max() <= space.limit:
            return z


def go_to_class(space: LatentSpace, digit: object, anchor: object = "typical") -> dict[str, Any]:
    """The prototype ("typical") or the centroid of a class.

    Raises:
        ValueError: if there is no such class or anchor.
    """
    return as_dict(space.anchor(digit, anchor))


def morph_toward(
    space: LatentSpace,
    x: object,
    y: object,
    digit: object,
    amount: object,
    anchor: object = "typical",
) -> dict[str, Any]:
    """The position that is `amount` (0 ... 1) of the path from a position to a class's anchor.

    Raises:
        ValueError: if an argument is out of range.
    """
    share = number("amount", amount, 0, 1)
    return as_dict(move_toward(space.position(x, y), space.anchor(digit, anchor), share))


@torch.inference_mode()
def start_class(space: LatentSpace) -> int:
    """The class at whose prototype the page opens: its image is crisp and its neighbours agree.

    The one with the largest share of its neighbours times the energy of its image, the sum of its
    squared ink: blurred strokes are grey, and their squares small.
    """
    prototypes = space.anchors["typical"]
    shares = space.around(prototypes).shares.diagonal()  # (C,)
    energies = space.ink(prototypes).square().sum(1)  # (C,)
    return int((shares * energies).argmax())


def describe_anchor(space: LatentSpace, digit: int, anchor: str) -> str:
    """A sentence on the position that `go_to_class` leads to."""
    z, name = space.anchor(digit, anchor), space.class_names[digit]
    own, items = space.plurals[digit], space.info.items
    shares = space.around(z[None]).shares[0]
    share, winner = float(shares[digit]), int(shares.argmax())
    nearest = f"the {NEIGHBOURS} nearest encoded {items}"
    if anchor == "typical":
        return (
            f"The most typical {name} (prototype): here {own} are dense and other classes rare. "
            f"{percent(share)} of {nearest} are {own}."
        )
    if winner != digit:
        other = space.plurals[winner]
        return (
            f"⚠ The mean position of all {own} lies among the {other}: {percent(share)} of "
            f"{nearest} are {own}, {percent(float(shares[winner]))} are {other}. "
            f"Try the most typical {name}."
        )
    rival = int(shares.topk(2).indices[1])
    mixed = f", {percent(float(shares[rival]))} are {space.plurals[rival]}"
    mixed = mixed if shares[rival] >= NOTEWORTHY else ""
    return (
        f"The mean position (centroid) of all encoded {own}. {percent(share)} of {nearest} are "
        f"{own}{mixed}."
    )
