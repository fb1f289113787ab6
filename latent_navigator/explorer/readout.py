"""What is known at one position of the map: the decoded image, its neighbours and its support."""

import math
from typing import Any

import torch
from torch import Tensor

from latent_navigator.explorer.latent_space import LatentSpace, base64_of, percent
from latent_utils import RADIUS

SHOWN = 6  # nearest test images beside a position
WELL_SUPPORTED = 5  # test images within RADIUS from which a position counts as well supported


def readout(space: LatentSpace, x: object, y: object, nearest: bool = True) -> dict[str, Any]:
    """The image at a position and what is known there; see `components.DigitView`.

    Args:
        nearest: whether to include the nearest test images, most of the answer's bytes.

    Raises:
        ValueError: if the position is not on the map.
    """
    z = space.position(x, y)
    around = space.around(z[None])
    shares, within = around.shares[0], int(around.within)
    radius = float(z.norm())
    further = math.exp(-(radius**2) / 2)  # P(|z| > radius) under N(0, I) in two dimensions
    image = space.decode_images(z[None])  # (1, 28, 28)
    returned, _ = space.encode(image)
    support = describe_support(space, within, float(around.nearest))
    return {
        "pixels": base64_of(image),
        "shares": shares.tolist(),
        "entropy": float(torch.special.entr(shares).sum() / math.log(2)),
        "within": within,
        "nearest": image_records(space, around.neighbours[0, :SHOWN]) if nearest else None,
        "round_trip": returned[0].tolist(),
        "support": f"{support} {describe_classes(space, shares)}",
        "prior": f"{radius:.2f}σ from the centre; {percent(further)} of the prior N(0, I) lies "
        "further out.",
    }


def image_records(space: LatentSpace, indices: Tensor) -> dict[str, Any]:
    """Test images by index (K,): their classes, positions and pixels."""
    return {
        "digits": [
            {
                "index": int(i),
                "name": space.class_names[int(space.labels[i])],
                "x": float(space.means[i, 0]),
                "y": float(space.means[i, 1]),
            }
            for i in indices
        ],
        "pixels": base64_of(space.images[indices].numpy()),
    }


def describe_support(space: LatentSpace, within: int, nearest: float) -> str:
    """A sentence on how much data lies around a position.

    Args:
        within: test images within RADIUS. nearest: distance to the nearest one.
    """
    info = space.info
    if within == 0:
        return (
            f"No data here: the nearest test {info.item} was encoded {nearest:.2f} away, so the "
            "decoder extrapolates."
        )
    known = "Well supported" if within >= WELL_SUPPORTED else "Sparse data"
    return f"{known}: {count_encoded(space, within)} within {RADIUS:g}."


def count_encoded(space: LatentSpace, count: int) -> str:
    """As in "3 test digits were encoded"; starts in lower case where there is none."""
    info = space.info
    if count == 0:
        return f"no test {info.item} was encoded"
    subject = f"{info.item} was" if count == 1 else f"{info.items} were"
    return f"{count} test {subject} encoded"


def describe_classes(space: LatentSpace, shares: Tensor) -> str:
    """A sentence on the classes among the nearest neighbours, from their shares (C,)."""
    first, second = shares.topk(2).indices.tolist()
    if shares[first] >= 0.9:
        return f"Nearly all neighbours are {space.plurals[first]}."
    return f"Mostly {space.plurals[first]}, then {space.plurals[second]}."
