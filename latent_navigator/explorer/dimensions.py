"""The dimensions of a latent space: how much each is used, and what it does to the image."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from latent_navigator.explorer.latent_space import LatentSpace, base64_of

STEPS = 7  # images of a traversal
REACH = 3.0  # of a traversal to both sides, in units of the prior's standard deviation


def dimension_name(dimension: int) -> str:
    """The name on the page of a dimension, from 1: as in "z₁₂"."""
    return "z" + "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(dimension))


def dimensions(space: LatentSpace) -> list[dict[str, Any]]:
    """The dimensions, the most used first.

    Returns:
        For each {"dimension": from 1 to D, "kl": in nats, averaged over the test images, "mean" and
        "sd": of the encodings along it, "used": whether the decoder does not ignore it}.
    """
    used = set(space.used.tolist())
    mean, sd = space.means.mean(0), space.means.std(0, correction=0)
    return [
        {
            "dimension": i + 1,
            "kl": float(space.kl[i]),
            "mean": float(mean[i]),
            "sd": float(sd[i]),
            "used": i in used,
        }
        for i in space.kl.argsort(descending=True, stable=True).tolist()
    ]


def traversal_positions(z: Tensor) -> Tensor:
    """(D, STEPS, D): each dimension of a position (D,) in turn, from -REACH to REACH."""
    latent_dim = len(z)
    along = torch.linspace(-REACH, REACH, STEPS)
    positions = z.repeat(latent_dim, STEPS, 1)
    index = torch.arange(latent_dim)
    positions[index, :, index] = along
    return positions


def traverse(space: LatentSpace, z: Tensor) -> np.ndarray:
    """(D, STEPS, 28, 28) uint8: the images decoded at `traversal_positions`.

    The row of a dimension that the decoder ignores shows the same image throughout.
    """
    images = space.decode_images(traversal_positions(z).flatten(0, 1))
    return images.reshape(space.latent_dim, STEPS, *images.shape[1:])


def traversals(space: LatentSpace, x: object = None, y: object = None) -> dict[str, Any]:
    """The traversals at a position; see `LatentSpace.position`.

    Returns:
        {"values": STEPS numbers, "dimensions": in the order of the rows, from 1 to D, "images":
        base64 of (D, STEPS, 28, 28) uint8, the most used dimension first}.

    Raises:
        ValueError: if it is no position.
    """
    order = [found["dimension"] for found in dimensions(space)]
    images = traverse(space, space.position(x, y))
    return {
        "values": torch.linspace(-REACH, REACH, STEPS).tolist(),
        "dimensions": order,
        "images": base64_of(images[[i - 1 for i in order]]),
    }


def unused_message(space: LatentSpace) -> str:
    """As in "3 unused dimensions: the decoder ignores them"; empty if all are used."""
    count = space.latent_dim - len(space.used)
    if count == 0:
        return ""
    if count == 1:
        return "1 unused dimension: the decoder ignores it"
    return f"{count} unused dimensions: the decoder ignores them"
