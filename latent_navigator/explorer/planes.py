"""The planes that the map can show, as the page asks for them."""

import base64
from typing import Any

from latent_navigator.explorer.arguments import choice, whole_number
from latent_navigator.explorer.latent_space import LatentSpace, percent
from latent_navigator.explorer.map_layers import layer_data
from latent_navigator.explorer.packed import pack
from latent_navigator.geometry.plane import Plane, plane_of_dimensions, plane_of_points

KINDS = ("principal", "dimensions", "points")
POINTS = 3


def find_plane(space: LatentSpace, wanted: object) -> Plane:
    """The plane that is asked for.

    Args:
        wanted: {"kind": "principal"}, that of the encodings; {"kind": "dimensions", "dimensions":
            [i, j] from 1 to D, "through": D numbers}; or {"kind": "points", "points": three
            positions of D numbers}.

    Raises:
        ValueError: if it is none of these, or the points lie on a line.
    """
    if not isinstance(wanted, dict):
        raise ValueError(f"plane is {wanted!r:.40}; give its kind and what it contains")
    kind = choice("kind", wanted.get("kind"), KINDS)
    if kind == "principal":
        return space.plane
    if kind == "points":
        points = wanted.get("points")
        if not isinstance(points, list) or len(points) != POINTS:
            raise ValueError(f"points is {points!r:.40}; give three positions")
        return plane_of_points(*(space.position(point) for point in points))
    dimensions = wanted.get("dimensions")
    if not isinstance(dimensions, list) or len(dimensions) != 2:
        raise ValueError(f"dimensions is {dimensions!r:.40}; give two from 1 to {space.latent_dim}")
    first, second = (whole_number("dimension", i, 1, space.latent_dim) - 1 for i in dimensions)
    return plane_of_dimensions(first, second, space.position(wanted.get("through")))


def describe_plane(space: LatentSpace, plane: Plane) -> dict[str, Any]:
    """A plane as JSON.

    Returns:
        {"origin": D numbers, "axes": two lists of D numbers, "variance": the share of the variance
        of the encodings that it holds, "message": that in words}.
    """
    share = plane.variance_share(space.means)
    items = space.info.items
    return {
        "origin": plane.origin.tolist(),
        "axes": plane.axes.tolist(),
        "variance": share,
        "message": f"This plane explains {percent(share)} of the variance of the encoded {items}.",
    }


def plane_on_map(space: LatentSpace, wanted: object) -> dict[str, Any]:
    """`describe_plane` of the plane that is asked for; see `find_plane`.

    Raises:
        ValueError: as `find_plane`.
    """
    return describe_plane(space, find_plane(space, wanted))


def layer_on_plane(space: LatentSpace, key: object, wanted: object) -> dict[str, str]:
    """{"file": base64 of a layer's data}, packed as the files of the model, on any plane.

    Raises:
        ValueError: as `find_plane`, or if there is no layer of that key with data.
    """
    plane = find_plane(space, wanted)
    found = layer_data(space, key, None if plane is space.plane else plane)
    return {"file": base64.b64encode(pack(found)).decode()}
