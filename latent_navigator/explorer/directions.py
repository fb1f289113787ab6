"""Directions at one place: which way the digit becomes bolder, and where the other digits are.

What the page and its API ask about `attributes`; holds nothing of any visitor.
"""

import functools
import math
from typing import Any

from torch import Tensor

from latent_navigator.data.dataset_info import a
from latent_navigator.explorer.interpolation import Paths
from latent_navigator.explorer.latent_space import ANCHORS, choice, percent, whole_number
from latent_navigator.geometry.attributes import (
    ATTRIBUTES,
    Nudge,
    attributes_at,
    describe,
    jacobian_norm,
    nudge,
)
from latent_navigator.geometry.latent_graph import between_nodes, sensitivity
from latent_utils import NEIGHBOURS, neighbourhood


def degrees(vector: Tensor) -> float:
    """The direction of a vector (2,), counterclockwise from x."""
    return math.degrees(math.atan2(float(vector[1]), float(vector[0])))


class Compass:
    """Answers about the ways that lead on from a place."""

    def __init__(self, paths: Paths):
        self.paths = paths
        self.navigator = paths.navigator

    @functools.cached_property
    def _usual(self) -> Tensor:
        """(N,) the decoder's sensitivity at the encoded digits, sorted."""
        graph = self.paths.graph()
        return between_nodes(graph, sensitivity(graph), self.navigator.means).sort().values

    def rank(self, norm: Tensor) -> float:
        """The share of the encoded digits at which the decoder is less sensitive; norm is one."""
        return float((self._usual < norm).float().mean())

    def here(self, x: Any, y: Any) -> dict[str, Any]:
        """The attributes of the digit at a place, each with its direction, and the sensitivity.

        Directions are in degrees, counterclockwise from x; toward more of the attribute.
        """
        z = self.navigator.position(x, y)
        values, gradients = attributes_at(self.paths.decode, z)
        norm = jacobian_norm(self.paths.decode, z[None])
        rank = self.rank(norm)
        return {
            "attributes": {
                name: {
                    "value": float(value),
                    "message": describe(name, float(value)),
                    "direction": degrees(gradient),
                    "slope": float(gradient.norm()),
                }
                for name, value, gradient in zip(ATTRIBUTES, values, gradients, strict=True)
            },
            "sensitivity": float(norm),
            "message": f"A move of 0.01 changes the picture here by up to {float(norm) / 100:.2f}; "
            f"‖J‖ is greater than at {percent(rank)} of the encoded {self.navigator.noun.many}.",
        }

    def digits(self, x: Any, y: Any, anchor: Any = "typical") -> list[dict[str, float]]:
        """For each digit, how far it is from a place and in which direction."""
        z = self.navigator.position(x, y)
        toward = self.navigator.anchors[choice("anchor", anchor, ANCHORS)] - z  # (C, 2)
        return [{"distance": float(way.norm()), "direction": degrees(way)} for way in toward]

    def nudge(self, x: Any, y: Any, attribute: Any, sign: Any) -> dict[str, Any]:
        """A short walk that makes the digit bolder, or rounder, while it stays the same digit.

        It stays where the digit that prevails at the start prevails and, if digits were encoded
        around the start, where some were.

        Args:
            attribute: a name of ATTRIBUTES. sign: 1 for more of it, -1 for less.

        Returns:
            {"path": [[x, y], ...] with at least the start, "values": the attribute along it,
            "stopped": None, "extreme" or "barred", "message": a sentence}.
        """
        z = self.navigator.position(x, y)
        choice("attribute", attribute, tuple(ATTRIBUTES))
        way = whole_number("sign", sign, -1, 1)
        known = self.navigator
        start = neighbourhood(z[None], known.means, known.labels)
        digit, inhabited = int(start.shares.argmax()), bool(start.within > 0)

        def allowed(tried: Tensor) -> Tensor:
            around = neighbourhood(tried, known.means, known.labels)
            same = around.shares.argmax(1) == digit
            on_map = (tried.abs() <= known.range).all(1)
            return same & on_map & ((around.within > 0) | (not inhabited))

        found = nudge(self.paths.decode, z, attribute, way, allowed)
        return {
            "path": found.path.tolist(),
            "values": found.values.tolist(),
            "stopped": found.stopped,
            "message": self._told(found, attribute, way, digit),
        }

    def _told(self, found: Nudge, attribute: str, sign: int, digit: int) -> str:
        name, names = self.navigator.names[digit], self.navigator.plurals[digit]
        measured = ATTRIBUTES[attribute]
        word = measured.more if sign > 0 else measured.less
        first, last = (describe(attribute, float(found.values[i])) for i in (0, -1))
        change = f"{measured.term.capitalize()} {first} → {last}."
        around = neighbourhood(found.path[-1:], self.navigator.means, self.navigator.labels)
        votes = round(float(around.shares[0, digit]) * NEIGHBOURS)
        still = f"Still among the {names}: {votes} of the {NEIGHBOURS} nearest."
        if found.stopped is None:
            return f"{change} {still}"
        moved = f"{change} " if len(found.path) > 1 else ""
        if found.stopped == "extreme":
            return f"{moved}No further: no short step from here makes it {word}. {still}"
        return (
            f"{moved}No further as {a(name)}: every short step that makes it {word} leaves the "
            f"encoded {names}. {still}"
        )
