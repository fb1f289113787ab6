"""Directions at a position: which way an attribute grows, and where the classes lie.

What the page and its API ask of `geometry.attributes`.
"""

import math
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from latent_navigator.data.dataset_info import with_article
from latent_navigator.explorer.arguments import choice, whole_number
from latent_navigator.explorer.latent_space import ANCHORS, LatentSpace, percent, use_one_thread
from latent_navigator.geometry.attributes import (
    ATTRIBUTES,
    Nudge,
    attributes_at,
    describe,
    jacobian_norm,
    nudge,
)
from latent_navigator.geometry.latent_graph import between_nodes, sensitivity
from latent_navigator.geometry.neighbour_graph import sensitivity_at
from latent_utils import NEIGHBOURS, semantic_directions

RANKED = 1000  # encodings among which a sensitivity is ranked above two dimensions


def degrees(vector: Tensor) -> float:
    """The direction of a vector (2,), counterclockwise from x."""
    return math.degrees(math.atan2(float(vector[1]), float(vector[0])))


def map_direction(space: LatentSpace, vector: Tensor) -> dict[str, Any]:
    """A vector (D,) as the map shows it.

    Returns:
        {"direction": in degrees}; above two dimensions that of its projection onto the plane of the
        map, with "in_plane", how much of the vector's length that has (0 ... 1), and "vector", D
        numbers of length 1, or zeros.
    """
    if space.latent_dim == 2:
        return {"direction": degrees(vector)}
    unit = F.normalize(vector, dim=0)
    flat = space.plane.axes @ unit  # (2,)
    return {
        "direction": degrees(flat),
        "in_plane": min(1.0, float(flat.norm())),
        "vector": unit.tolist(),
    }


def sensitivities(space: LatentSpace) -> Tensor:
    """(N,) the decoder's sensitivity at the encoded test images, sorted.

    Above two dimensions, at RANKED of them.
    """
    if space.latent_dim > 2:
        use_one_thread()
        return sensitivity_at(space.decode, ranked_encodings(space), space.used).sort().values
    return between_nodes(space.range, sensitivity(space.graph), space.means).sort().values


def ranked_encodings(space: LatentSpace) -> Tensor:
    """(M, D) the encoded test images that `sensitivities` looks at; above two dimensions RANKED."""
    step = 1 if space.latent_dim == 2 else math.ceil(len(space.means) / RANKED)
    return space.means[::step]


def sensitivity_rank(space: LatentSpace, norm: Tensor) -> float:
    """The share of the encoded test images at which the decoder is less sensitive than `norm`."""
    return float((space.once(sensitivities) < norm).float().mean())


def attribute_directions(space: LatentSpace, x: object, y: object = None) -> dict[str, Any]:
    """The attributes of the image at a position, each with its direction; and the sensitivity.

    Directions are in degrees, counterclockwise from x, toward more of the attribute; see
    `map_direction`. Slopes are per unit of z in all dimensions.

    Raises:
        ValueError: if the position is not on the map.
    """
    z = space.position(x, y)
    values, gradients = attributes_at(space.ink, z)
    norm = jacobian_norm(space.decode, z[None])
    rank = sensitivity_rank(space, norm)
    return {
        "attributes": {
            name: {
                "value": float(value),
                "message": describe(name, float(value)),
                **map_direction(space, gradient),
                "slope": float(gradient.norm()),
            }
            for name, value, gradient in zip(ATTRIBUTES, values, gradients, strict=True)
        },
        "sensitivity": float(norm),
        "message": f"A move of 0.01 changes the image here by up to {float(norm) / 100:.2f}: the "
        f"decoder is more sensitive (‖J‖) than at {percent(rank)} of the encoded "
        f"{space.info.items}.",
    }


def class_directions(
    space: LatentSpace, x: object, y: object = None, anchor: object = "typical"
) -> list[dict[str, Any]]:
    """For each class, the distance and direction (degrees) from a position to its anchor.

    Raises:
        ValueError: if the position is not on the map, or there is no such anchor.
    """
    z = space.position(x, y)
    toward = semantic_directions(space.anchors[choice("anchor", anchor, ANCHORS)], z[None])
    return [
        {"distance": float(distance), **map_direction(space, direction)}
        for distance, direction in zip(toward.distances[0], toward.directions[0], strict=True)
    ]


def nudge_attribute(
    space: LatentSpace, x: object, y: object, attribute: object, sign: object
) -> dict[str, Any]:
    """A short path along which an attribute changes one way within the same class.

    It stays where the class that prevails at the start prevails and, if images were encoded around
    the start, where some were.

    Args:
        attribute: a key of ATTRIBUTES. sign: 1 for more of it, -1 for less.

    Returns:
        {"path": positions of D numbers, at least the start, "values": of the attribute along it,
        "stopped": None, "extreme" or "barred", "message": a sentence}.

    Raises:
        ValueError: if an argument is out of range.
    """
    z = space.position(x, y)
    name = choice("attribute", attribute, tuple(ATTRIBUTES))
    direction = whole_number("sign", sign, -1, 1)
    start = space.around(z[None])
    label, supported = int(start.shares.argmax()), bool(start.within > 0)

    def allowed(tried: Tensor) -> Tensor:
        around = space.around(tried)
        same = around.shares.argmax(1) == label
        on_map = (tried.abs() <= space.limit).all(1)
        return same & on_map & ((around.within > 0) | (not supported))

    found = nudge(space.ink, z, name, direction, allowed)
    return {
        "path": found.path.tolist(),
        "values": found.values.tolist(),
        "stopped": found.stopped,
        "message": _describe_nudge(space, found, name, direction, label),
    }


def _describe_nudge(space: LatentSpace, found: Nudge, attribute: str, sign: int, label: int) -> str:
    name, names = space.class_names[label], space.plurals[label]
    measure = ATTRIBUTES[attribute]
    word = measure.more if sign > 0 else measure.less
    first, last = (describe(attribute, float(found.values[i])) for i in (0, -1))
    change = f"{measure.term.capitalize()} {first} → {last}."
    votes = round(float(space.around(found.path[-1:]).shares[0, label]) * NEIGHBOURS)
    still = f"Still among the {names}: {votes} of the {NEIGHBOURS} nearest."
    if found.stopped is None:
        return f"{change} {still}"
    moved = f"{change} " if len(found.path) > 1 else ""
    if found.stopped == "extreme":
        return (
            f"{moved}This is the limit here: no short step leads to “{word}”. To go further, start "
            f"from another position. {still}"
        )
    return (
        f"{moved}This is the limit for {with_article(name)}: every short step toward “{word}” "
        f"leaves the encoded {names}. To go further, start from another of the {names}. {still}"
    )
