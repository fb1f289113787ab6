"""Paths between two positions: how each is computed, measured and compared.

To add a method, add a record with its function to INTERPOLATIONS and, as web/paths/styles/<key>.js,
how its line is drawn. The page's controls, the API's choices and the links follow from the record.
"""

import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from latent_navigator.data.dataset_info import DatasetInfo
from latent_navigator.explorer.arguments import choice, whole_number
from latent_navigator.explorer.latent_space import LatentSpace, use_one_thread
from latent_navigator.explorer.norms import typical_norms
from latent_navigator.geometry.geodesics import FINE, DecodedPath, geodesic
from latent_utils import linear_interpolation, spherical_interpolation

MIN_STEPS, MAX_STEPS = 5, 24  # images along a path
CURVE = 65  # positions of the line that the map draws
STRETCH = 0.05  # of a path: a class that prevails for less does not count as passed
KEPT = 1024  # geodesics

Curve = Callable[[LatentSpace, Tensor, Tensor], Tensor]
Spacing = Callable[[Tensor, Tensor, int], Tensor]


@dataclass(frozen=True)
class Interpolation:
    """A method of interpolation, declared once for the page, the API and the links."""

    key: str  # in the API and in links
    label: str  # on the page, in plain words
    term: str  # of the field
    short_label: str  # on the map, where there is little room
    help: str  # one sentence; {items} stands for the name of the images
    # (space, start (D,), end (D,)) -> (K, D), the path as a fine line
    curve: Curve
    # (start, end, steps) -> (steps, D), evenly spaced in z; None: always evenly in image space
    spacing: Spacing | None = None
    default: bool = True  # whether it is chosen when the page opens

    def record(self, info: DatasetInfo) -> dict[str, str | bool]:
        """What the page needs to know, as JSON."""
        return {
            "key": self.key,
            "label": self.label.format(items=info.items),
            "term": self.term,
            "short_label": self.short_label.format(items=info.items),
            "help": self.help.format(items=info.items),
            "default": self.default,
        }


def _linear(_: LatentSpace, start: Tensor, end: Tensor) -> Tensor:
    return linear_interpolation(start, end, CURVE)


def _spherical(_: LatentSpace, start: Tensor, end: Tensor) -> Tensor:
    return spherical_interpolation(start, end, CURVE)


def _geodesic(space: LatentSpace, start: Tensor, end: Tensor) -> Tensor:
    return _find_geodesic(space, False, start, end)


def _data_geodesic(space: LatentSpace, start: Tensor, end: Tensor) -> Tensor:
    return _find_geodesic(space, True, start, end)


def _find_geodesic(space: LatentSpace, weighted: bool, start: Tensor, end: Tensor) -> Tensor:
    """The geodesic, from those already computed where it or its reverse is one of them."""
    ends = tuple(start.tolist()), tuple(end.tolist())
    curve: Tensor = space.once(_geodesics)(weighted, *sorted(ends))
    return curve if ends[0] <= ends[1] else curve.flip(0)


def prototype_geodesics(space: LatentSpace) -> Iterator[Tensor]:
    """The geodesics between all prototypes, each computed when it is asked for, and then kept."""
    for start, end in itertools.combinations(space.anchors["typical"], 2):
        yield _geodesic(space, start, end)
        yield _data_geodesic(space, start, end)


def _geodesics(space: LatentSpace) -> Callable[..., Tensor]:
    @functools.lru_cache(maxsize=KEPT)
    def find(weighted: bool, start: tuple[float, ...], end: tuple[float, ...]) -> Tensor:
        use_one_thread()
        graph = space.data_graph if weighted else space.graph
        ends = torch.tensor([start, end])
        path = geodesic(space.decode_used, graph, *ends[:, space.used])
        if len(space.used) == space.latent_dim:
            return path
        # Straight in the dimensions that the decoder ignores.
        whole = linear_interpolation(ends[0], ends[1], len(path))
        whole[:, space.used] = path
        return whole

    return find


INTERPOLATIONS: list[Interpolation] = [
    Interpolation(
        key="linear",
        label="straight",
        term="linear",
        short_label="straight",
        help="The straight line in the latent space.",
        curve=_linear,
        spacing=linear_interpolation,
    ),
    Interpolation(
        key="spherical",
        label="spherical",
        term="slerp",
        short_label="spherical",
        help="Turns about the centre of the prior while the radius changes evenly.",
        curve=_spherical,
        spacing=spherical_interpolation,
    ),
    Interpolation(
        key="geodesic",
        label="shortest in image space",
        term="geodesic",
        short_label="shortest",
        help="The path along which the image changes least in total.",
        curve=_geodesic,
    ),
    Interpolation(
        key="data",
        label="shortest through the data",
        term="density-weighted geodesic",
        short_label="through data",
        help="Like the geodesic, but steps through regions without {items} count up to five "
        "times as much.",
        curve=_data_geodesic,
    ),
]


def methods() -> tuple[str, ...]:
    """The keys of the methods, in their order."""
    return tuple(method.key for method in INTERPOLATIONS)


def interpolation(name: str, key: object) -> Interpolation:
    """The method of that key.

    Args:
        name: what the argument is called in the error.

    Raises:
        ValueError: if there is none.
    """
    return INTERPOLATIONS[methods().index(choice(name, key, methods()))]


def endpoint(space: LatentSpace, value: object, anchor: object) -> Tensor:
    """(D,) from a label or from a position, a list of D numbers.

    Raises:
        ValueError: if it is neither, or not on the map.
    """
    if value in ("A", "B"):
        raise ValueError("A and B are not set; pick them on the map first")
    if isinstance(value, list | tuple):
        return space.position(value)
    return space.anchor(value, anchor)


def measure_path(space: LatentSpace, decoded: DecodedPath) -> dict[str, Any]:
    """What holds along a path, whatever the number of images.

    Returns:
        {"length": in image space, "support": the fewest test images within the radius of a
        position, "radius": the largest |z|, "passes": the names of the classes that prevail along
        it}.
    """
    positions = decoded.vertices[:: FINE // 2]  # both ends are among them
    around = space.around(positions)
    return {
        "length": decoded.length,
        "support": int(around.within.min()),
        "radius": float(positions.norm(dim=1).max()),
        "passes": _classes_passed(space, around.shares.argmax(1).tolist()),
    }


def _classes_passed(space: LatentSpace, winners: list[int]) -> list[str]:
    """The classes that prevail along a path, one for each stretch: both ends and long ones."""
    stretches: list[list[int]] = []  # label, number of positions
    for winner in winners:
        if stretches and stretches[-1][0] == winner:
            stretches[-1][1] += 1
        else:
            stretches.append([winner, 1])
    ends = (0, len(stretches) - 1)
    long = [
        label
        for i, (label, count) in enumerate(stretches)
        if i in ends or count >= STRETCH * len(winners)
    ]
    return [
        space.class_names[label] for i, label in enumerate(long) if i == 0 or long[i - 1] != label
    ]


def interpolate(
    space: LatentSpace,
    start: object,
    end: object,
    method: object = "linear",
    steps: object = 9,
    anchor: object = "typical",
    even: object = False,
) -> dict[str, Any]:
    """One path between two classes or positions: its points and measures, as JSON.

    Args:
        start, end: a label 0 ... C - 1, or a position, D numbers. method: a key of INTERPOLATIONS.
        steps: MIN_STEPS ... MAX_STEPS. anchor: what represents a class, one of ANCHORS.
        even: whether every step changes the image equally, as geodesics always do.

    Returns:
        {"path": [[x, y], ...], or D numbers each, "curve": the same as a fine line, "method",
        "changes": from image to image, "largest_step", and those of `measure_path`}. Above two
        dimensions also "norms", |z| along the path, and "typical_norms" of the encodings.

    Raises:
        ValueError: if an argument is out of range.
    """
    found = interpolation("method", method)
    count = whole_number("steps", steps, MIN_STEPS, MAX_STEPS)
    if not isinstance(even, bool):
        raise ValueError(f"even is {even!r:.40}; give true or false")
    curve = found.curve(space, endpoint(space, start, anchor), endpoint(space, end, anchor))
    decoded = DecodedPath.along(space.decode, curve)
    if even or found.spacing is None:
        path = decoded.retime(count)
    else:
        path = found.spacing(curve[0], curve[-1], count)
    changes = image_changes(space.decode_images(path))
    in_many = (
        {}
        if space.latent_dim == 2
        else {"norms": path.norm(dim=1).tolist(), "typical_norms": space.once(typical_norms)}
    )
    return {
        "path": path.tolist(),
        "curve": curve.tolist(),
        "method": found.key,
        "changes": changes.tolist(),
        "largest_step": float(changes.max()),
        **measure_path(space, decoded),
        **in_many,
    }


def compare_paths(
    space: LatentSpace,
    start: object,
    end: object,
    chosen: object,
    steps: object,
    even: object,
    anchor: object,
) -> dict[str, Any]:
    """Several paths between the same ends, for the film strip.

    Args:
        chosen: keys of INTERPOLATIONS. The others as for `interpolate`.

    Returns:
        {"rows": a path each, as `interpolate` returns it but with its positions as "points", and
        with a "title" and, for the map, a "label", "ends": text}.

    Raises:
        ValueError: if an argument is out of range, or no method is chosen.
    """
    if not isinstance(chosen, list) or not chosen:
        raise ValueError("no path is chosen; tick at least one")
    wanted = {interpolation("method", key).key for key in chosen}
    rows = []
    for method in INTERPOLATIONS:
        if method.key not in wanted:
            continue
        found = interpolate(space, start, end, method.key, steps, anchor, even)
        record = method.record(space.info)
        found |= {
            "points": found.pop("path"),
            "title": record["label"],
            "label": record["short_label"],
        }
        rows.append(found)
    return {"rows": rows, "ends": f"{_name(space, start)} → {_name(space, end)}"}


def _name(space: LatentSpace, end: object) -> str:
    """A valid endpoint as text: the class name, or the coordinates."""
    if isinstance(end, list | tuple):
        more = ", …" if len(end) > 2 else ""
        return f"({end[0]:.2f}, {end[1]:.2f}{more})".replace("-", "−")
    return space.class_names[whole_number("digit", end, 0, len(space.class_names) - 1)]


def strip_row(title: str, path: Tensor, note: str = "") -> dict[str, Any]:
    """A row of the film strip that is not part of a comparison, from positions (N, D)."""
    points = path.tolist()
    return {"title": title, "note": note, "points": points, "curve": points}


def image_changes(frames: np.ndarray) -> np.ndarray:
    """(N, 28, 28) uint8 -> (N - 1,) distances between neighbours, pixels in 0 ... 1."""
    changes: np.ndarray = np.diff(frames.reshape(len(frames), -1) / 255, axis=0)  # (N - 1, 784)
    lengths: np.ndarray = np.sqrt((changes**2).sum(axis=1))  # (N - 1,)
    return lengths
