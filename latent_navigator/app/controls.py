"""The controls whose values a link keeps, each declared once with what it may hold.

The page gets their records; web/core/link.js reads and writes its address by them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from latent_navigator.explorer.interpolation import INTERPOLATIONS, MAX_STEPS, MIN_STEPS, methods
from latent_navigator.explorer.latent_space import ANCHORS, LatentSpace
from latent_navigator.explorer.presets import presets
from latent_navigator.explorer.tour import tour

IMAGES = 12  # along a path, when the page opens
AMOUNT = 0.5  # of a morph


@dataclass(frozen=True)
class Control:
    """A control with its name in links, and what its value may be."""

    name: str
    kind: str  # one of the type Control in web/core/link.js
    allowed: dict[str, Any]  # what that kind needs to know
    default: Any  # on a page that is opened without a link
    aliases: tuple[str, ...] = ()  # names of the past, which saved links may hold

    @classmethod
    def number(
        cls,
        name: str,
        low: float,
        high: float,
        step: float,
        default: float,
        aliases: tuple[str, ...] = (),
    ) -> "Control":
        """A number from low to high, in steps."""
        return cls(name, "number", {"low": low, "high": high, "step": step}, default, aliases)

    @classmethod
    def choice(cls, name: str, options: Sequence[str], default: str) -> "Control":
        """One of some options."""
        return cls(name, "choice", {"options": list(options)}, default)

    @classmethod
    def choices(
        cls,
        name: str,
        options: Sequence[str],
        default: Sequence[str],
        aliases: tuple[str, ...] = (),
    ) -> "Control":
        """Several of some options, at least one."""
        return cls(name, "choices", {"options": list(options)}, list(default), aliases)

    @classmethod
    def flag(cls, name: str, default: bool) -> "Control":
        """True or false."""
        return cls(name, "flag", {}, default)

    @classmethod
    def endpoint(cls, name: str, flag: str, last: int, default: int) -> "Control":
        """The end of a path: a label 0 ... last, "here" or the flag A or B."""
        return cls(name, "endpoint", {"flag": flag, "last": last}, default)

    @classmethod
    def key(cls, name: str) -> "Control":
        """The key of a model, or "" for none; which there are changes while the page is open."""
        return cls(name, "key", {}, "")

    def record(self) -> dict[str, Any]:
        """What the page needs to know, as JSON."""
        return {
            "name": self.name,
            "kind": self.kind,
            "aliases": list(self.aliases),
            "default": self.default,
            **self.allowed,
        }


def page_controls(space: LatentSpace) -> list[Control]:
    """All of them, in the order of their values in a link."""
    first, last = presets(space), len(space.class_names) - 1
    usual = [method.key for method in INTERPOLATIONS if method.default]
    in_two = space.latent_dim == 2
    return [
        Control.number("digit", 0, last, 1, first.target),
        Control.number("amount", 0, 1, 0.05, AMOUNT),
        Control.endpoint("from", "A", last, first.ends[0]),
        Control.endpoint("to", "B", last, first.ends[1]),
        Control.choices("methods", methods(), usual, aliases=("ways",)),
        Control.number("images", MIN_STEPS, MAX_STEPS, 1, IMAGES, aliases=("pictures",)),
        Control.flag("even", False),
        Control.choice("anchor", ANCHORS, ANCHORS[0]),
        Control.choice("tour", ["", *(step.key for step in tour(space))], ""),
        Control.key("compare"),
        *([] if in_two else [Control.flag("near", False)]),
    ]
