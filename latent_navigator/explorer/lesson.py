"""What a lesson is: a task on the map, with the checks that say when it is done."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.lesson_checks import Verdict


@dataclass(frozen=True)
class Lesson:
    """A task on the map, in the words of the page, with the checks that say when it is done."""

    key: str
    title: str
    task: str
    hint: str
    measured: str  # how the figures in its messages are computed
    learnt: str  # one sentence: what its solution shows about VAEs
    check: Callable[[LatentSpace, Tensor], Verdict]  # of z (D,)
    met: Callable[[LatentSpace, Tensor], Tensor]  # z (N, D) -> (N,) bool
    layers: tuple[str, ...] = ()  # of the map, with which the solution is best seen
    # Buttons beside the task: a label with "position", D numbers, with "attribute" and "sign", or
    # with "tab", the key of a tab to open.
    actions: tuple[dict[str, Any], ...] = ()
    # Positions (N, D) among which solutions are looked for; None: on a grid of the map.
    candidates: Callable[[LatentSpace], Tensor] | None = None

    def record(self) -> dict[str, Any]:
        """The texts and the buttons, as JSON."""
        return {
            "name": self.key,
            "title": self.title,
            "task": self.task,
            "hint": self.hint,
            "measured": self.measured,
            "learnt": self.learnt,
            "actions": list(self.actions),
        }
