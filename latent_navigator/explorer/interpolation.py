"""Ways from one place to another, compared: what the page and its API ask about paths.

Like the Navigator, this holds nothing of any visitor. The graph that the geodesics need is made
once, when first asked for; geodesics already found are kept, since they depend on their ends alone.
"""

import base64
import functools
import threading
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from latent_navigator.explorer.exports import animation, path_json, strip_png
from latent_navigator.explorer.latent_space import (
    ANCHORS,
    Navigator,
    base64_of,
    choice,
    whole_number,
)
from latent_navigator.geometry.geodesics import geodesic, path_length, retime, subdivide
from latent_navigator.geometry.latent_graph import LatentGraph, build_graph, data_weights
from latent_utils import linear_interpolation, neighbourhood, spherical_interpolation

MIN_STEPS, MAX_STEPS = 5, 24
CURVE = 65  # positions on the curve that the map draws
MORPH_FRAMES = 32  # of an animation, there; as many again but two for the way back
MAX_POSITIONS = 256  # of a path that a page sends back
SAMPLES = 129  # positions along a way at which its support is looked up
STRETCH = 0.05  # of a way: a digit that prevails for less is not said to be passed


class Way(NamedTuple):
    """How a way is called."""

    name: str  # on the page
    term: str  # in the field
    label: str  # on the map, where there is little room


WAYS = {
    "linear": Way("straight", "linear", "straight"),
    "spherical": Way("around the centre", "spherical", "around"),
    "geodesic": Way("least change", "geodesic", "least change"),
    "data": Way("least change among digits", "weighted geodesic", "among digits"),
}

EXPORTS = {
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "json": "application/json",
}


class Paths:
    """Answers about the ways between places of one Navigator."""

    def __init__(self, navigator: Navigator):
        self.navigator = navigator
        self._making = threading.Lock()
        self._graphs: dict[str, LatentGraph] = {}
        self._geodesic = functools.lru_cache(maxsize=1024)(self._find_geodesic)

    def named(self, way: str) -> Way:
        """How a way is called, for these pictures."""
        nouns = self.navigator.noun.many
        return Way(*(text.replace("among digits", f"among {nouns}") for text in WAYS[way]))

    def decode(self, z: Tensor) -> Tensor:
        """z (N, 2) -> pictures (N, 784) in [0, 1]; differentiable."""
        return self.navigator.model.decode(z).flatten(1)

    def graph(self, way: str = "geodesic") -> LatentGraph:
        """The graph of a way; made at the first call, in one to three seconds."""
        with self._making:
            if not self._graphs:
                plain = build_graph(self.decode, self.navigator.range)
                weights = data_weights(plain, self.navigator.means)
                self._graphs = {"data": plain.weighted(weights), "geodesic": plain}
        return self._graphs[way]

    def _find_geodesic(self, way: str, start: tuple[float, ...], end: tuple[float, ...]) -> Tensor:
        # Many people share the cores; see Navigator.pictures.
        if torch.get_num_threads() != 1:
            torch.set_num_threads(1)
        return geodesic(self.decode, self.graph(way), torch.tensor(start), torch.tensor(end))

    def end(self, value: Any, anchor: Any) -> Tensor:
        """(2,) from a digit or from a position [x, y].

        Raises:
            ValueError: if it is neither, or not on the map.
        """
        if value in ("A", "B"):
            raise ValueError("A and B are not chosen yet; pick them on the map first")
        if isinstance(value, list | tuple):
            if len(value) != 2:
                raise ValueError(f"position is {value!r:.40}; give two numbers, [x, y]")
            return self.navigator.position(*value)
        return self.navigator.anchor(value, anchor)

    def curve(self, way: str, start: Tensor, end: Tensor) -> Tensor:
        """(K, 2): the way as a fine line."""
        if way == "linear":
            return linear_interpolation(start, end, CURVE)
        if way == "spherical":
            return spherical_interpolation(start, end, CURVE)
        return self._geodesic(way, tuple(start.tolist()), tuple(end.tolist()))

    def positions(self, way: str, curve: Tensor, steps: int, even: bool) -> Tensor:
        """(steps, 2) along a curve: of equal change if `even` or a geodesic, else of equal z."""
        if even or way not in ("linear", "spherical"):
            return retime(self.decode, curve, steps)
        interpolation = linear_interpolation if way == "linear" else spherical_interpolation
        return interpolation(curve[0], curve[-1], steps)

    def facts(self, curve: Tensor) -> dict[str, Any]:
        """What holds along a way, whatever the number of pictures."""
        known = self.navigator
        fine = subdivide(curve, -(-SAMPLES // len(curve)))
        around = neighbourhood(fine, known.means, known.labels)
        return {
            "length": path_length(self.decode, curve),
            "support": int(around.within.min()),
            "radius": float(fine.norm(dim=1).max()),
            "passes": self._passes(around.shares.argmax(1).tolist()),
        }

    def _passes(self, winners: list[int]) -> list[str]:
        """The digits that prevail along a way, each once for a stretch."""
        stretches: list[list[int]] = []  # digit, positions
        for winner in winners:
            if stretches and stretches[-1][0] == winner:
                stretches[-1][1] += 1
            else:
                stretches.append([winner, 1])
        long = [digit for digit, count in stretches if count >= STRETCH * len(winners)]
        names = self.navigator.names
        return [names[d] for i, d in enumerate(long) if i == 0 or long[i - 1] != d]

    def interpolate(
        self,
        start: Any,
        end: Any,
        way: Any = "linear",
        steps: Any = 9,
        anchor: Any = "typical",
        even: Any = False,
    ) -> dict[str, Any]:
        """One way between two digits or positions: its positions and facts, as JSON.

        Args:
            start, end: a digit 0 ... 9, or [x, y]. way: a name of WAYS. steps: 5 ... 24.
            anchor: what a digit stands for. even: of equal change from picture to picture, which
                geodesics always are.
        """
        choice("method", way, tuple(WAYS))
        count = whole_number("steps", steps, MIN_STEPS, MAX_STEPS)
        if not isinstance(even, bool):
            raise ValueError(f"even is {even!r:.40}; give true or false")
        curve = self.curve(way, self.end(start, anchor), self.end(end, anchor))
        path = self.positions(way, curve, count, even)
        changes = _changes(self.navigator.pictures(path))
        return {
            "path": path.tolist(),
            "curve": curve.tolist(),
            "method": way,
            "changes": changes.tolist(),
            "largest_step": float(changes.max()),
            **self.facts(curve),
        }

    def compare(
        self, start: Any, end: Any, ways: Any, steps: Any, even: Any, anchor: Any
    ) -> dict[str, Any]:
        """Several ways between the same ends, for the film strip; see `widgets.FilmStrip`."""
        if not isinstance(ways, list) or not ways:
            raise ValueError("no way is chosen; tick at least one")
        for way in ways:
            choice("way", way, tuple(WAYS))
        rows = []
        for way in [name for name in WAYS if name in ways]:
            found = self.interpolate(start, end, way, steps, anchor, even)
            path = torch.tensor(found["path"])
            found |= {
                "points": found.pop("path"),
                "way": way,
                "title": self.named(way).name,
                "label": self.named(way).label,
            }
            rows.append(found | {"frames": base64_of(self.navigator.pictures(path))})
        return {"rows": rows, "ends": f"{self._name(start)} → {self._name(end)}"}

    def _name(self, end: Any) -> str:
        if isinstance(end, list | tuple):
            return f"({end[0]:.2f}, {end[1]:.2f})".replace("-", "−")
        return self.navigator.names[int(end)]

    def export(self, kind: Any, row: Any) -> dict[str, str]:
        """A row of the film strip as a file: {"name", "type" (MIME), "data" (base64)}.

        Args:
            kind: a name of EXPORTS. row: {"points": [[x, y], ...], "curve": [[x, y], ...],
                "title": text}, as `compare` and `row` give it.

        Raises:
            ValueError: if the kind is unknown, or the row has no such positions.
        """
        choice("kind", kind, tuple(EXPORTS))
        if not isinstance(row, dict):
            raise ValueError(f"row is {row!r:.40}; give points, curve and title")
        points, curve = (self._positions(row.get(name)) for name in ("points", "curve"))
        frames = self.navigator.pictures(points)
        if kind == "png":
            data = strip_png(frames)
        elif kind == "json":
            about = {"way": f"{row.get('title')!s:.80}", "curve": curve.tolist()}
            data = path_json(points.tolist(), _changes(frames).tolist(), about)
        else:
            morph = retime(self.decode, curve, MORPH_FRAMES)
            data = animation(self.navigator.pictures(morph), kind)
        return {
            "name": f"latent-path.{kind}",
            "type": EXPORTS[kind],
            "data": base64.b64encode(data).decode(),
        }

    def _positions(self, listed: Any) -> Tensor:
        if not isinstance(listed, list) or not 2 <= len(listed) <= MAX_POSITIONS:
            raise ValueError(f"a path is a list of 2 to {MAX_POSITIONS} positions [x, y]")
        return torch.stack([self.end(place, ANCHORS[0]) for place in listed])

    def row(self, title: str, path: Tensor, note: str = "") -> dict[str, Any]:
        """A row of the film strip that is part of no comparison."""
        frames = base64_of(self.navigator.pictures(path))
        points = path.tolist()
        return {"title": title, "note": note, "points": points, "curve": points, "frames": frames}


def _changes(frames: np.ndarray) -> np.ndarray:
    """(steps, 28, 28) uint8 -> (steps - 1,) distances between neighbours, pixels in 0 ... 1."""
    return np.linalg.norm(np.diff(frames.reshape(len(frames), -1) / 255, axis=0), axis=1)
