"""The controls whose values a link keeps, each declared once with what it may hold.

The page gets the list as JSON and reads and writes its address by it; see web/position.js.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gradio.components import Component


@dataclass(frozen=True)
class Control:
    """A control with its name in links, and what its value may be."""

    name: str
    component: Component
    kind: str  # of the reader in web/position.js
    allowed: dict[str, Any]  # what that reader needs to know
    aliases: tuple[str, ...] = ()  # names of the past, which saved links may hold

    @classmethod
    def number(
        cls,
        name: str,
        component: Component,
        low: float,
        high: float,
        step: float,
        aliases: tuple[str, ...] = (),
    ) -> "Control":
        """A number from low to high, in steps."""
        return cls(name, component, "number", {"low": low, "high": high, "step": step}, aliases)

    @classmethod
    def choice(cls, name: str, component: Component, options: Sequence[str]) -> "Control":
        """One of some options."""
        return cls(name, component, "choice", {"options": list(options)})

    @classmethod
    def choices(
        cls,
        name: str,
        component: Component,
        options: Sequence[str],
        aliases: tuple[str, ...] = (),
    ) -> "Control":
        """Several of some options, at least one."""
        return cls(name, component, "choices", {"options": list(options)}, aliases)

    @classmethod
    def flag(cls, name: str, component: Component) -> "Control":
        """True or false."""
        return cls(name, component, "flag", {})

    @classmethod
    def endpoint(cls, name: str, component: Component, flag: str, last: int) -> "Control":
        """The end of a path: a label 0 ... last, "here" or the flag A or B."""
        return cls(name, component, "endpoint", {"flag": flag, "last": last})


def controls_json(controls: Sequence[Control]) -> str:
    """What the page needs to know of the controls, in the order of their values."""
    return json.dumps(
        [
            {
                "name": control.name,
                "kind": control.kind,
                "aliases": list(control.aliases),
                **control.allowed,
            }
            for control in controls
        ]
    )
