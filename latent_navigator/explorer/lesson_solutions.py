"""The positions that solve a lesson: how far one is from them, and how to get there.

Computed from the model on a grid of the map or, where that would pass them by, among candidates,
so that they hold for any model and data set.
"""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.lessons import lesson_named

REACH = 3.0  # sigma from the centre, within which 99 % of the prior's draws fall
GRIDS = (0.1, 0.05)  # spacings; the finer where no position of the coarser one solves a lesson
WELL_INSIDE = 1.5  # spacings within which a solution's neighbours are counted


def _grid(space: LatentSpace, spacing: float) -> Tensor:
    """(N, D) the positions of the map at most REACH from its middle, as the page rounds them."""
    reach = min(REACH, space.range)
    axis = torch.arange(-round(reach / spacing), round(reach / spacing) + 1) * spacing
    grid = torch.cartesian_prod(axis, axis).double().round(decimals=3).float()
    return space.plane.from_plane(grid[grid.norm(dim=1) <= reach])


def _find(key: str, space: LatentSpace) -> Tensor:
    lesson = lesson_named(space, key)
    if lesson.candidates is not None:
        tried = lesson.candidates(space).double().round(decimals=4).float()
        return tried[lesson.met(space, tried)]
    found = torch.zeros(0, space.latent_dim)
    for spacing in GRIDS:
        grid = _grid(space, spacing)
        found = grid[lesson.met(space, grid)]
        if len(found):
            break
    return found


@functools.cache
def _finder(key: str) -> Callable[[LatentSpace], Tensor]:
    """The same function for the same lesson, as `LatentSpace.once` needs it."""
    return functools.partial(_find, key)


def solutions(space: LatentSpace, key: str) -> Tensor:
    """(N, D) the known positions that solve a lesson; computed once, in seconds.

    They are those of a grid of the map, or of the candidates of the lesson.
    """
    return space.once(_finder(key))


def distance_to_solution(space: LatentSpace, key: str, z: Tensor) -> float | None:
    """How far z (D,) is from the nearest known solution, in units of z; None if there is none."""
    found = solutions(space, key)
    return float((found - z).norm(dim=1).min()) if len(found) else None


def check_lesson(space: LatentSpace, key: object, x: object, y: object = None) -> dict[str, Any]:
    """Whether a position meets the goal of a lesson.

    Returns:
        {"done": bool, "message": a sentence on how close it is, "distance": to the nearest position
        that is known to solve it, 0 where this one does, None where none is known, "images": those
        that show the solution, {"caption": text, "position": D numbers} each}.

    Raises:
        ValueError: if the lesson is unknown or the position is not on the map.
    """
    lesson = lesson_named(space, key)
    z = space.position(x, y)
    verdict = lesson.check(space, z)
    distance = 0.0 if verdict.done else distance_to_solution(space, lesson.key, z)
    return {
        "done": bool(verdict.done),
        "message": verdict.message,
        "distance": distance,
        "images": [
            {"caption": caption, "position": [round(v, 4) for v in position.tolist()]}
            for caption, position in verdict.images
        ],
    }


def solve_lesson(space: LatentSpace, key: object, x: object, y: object = None) -> dict[str, Any]:
    """The way from a position to one that solves a lesson, and the layers to see it with.

    Among the positions in the middle of the regions that solve it, the nearest.

    Returns:
        {"goal": D numbers, "layers": keys of LAYERS}.

    Raises:
        ValueError: if the lesson is unknown, the position is not on the map, or none solves it.
    """
    lesson = lesson_named(space, key)
    z, found = space.position(x, y), solutions(space, lesson.key)
    if not len(found):
        raise ValueError(
            f"No position within {REACH:g}σ of the centre solves this lesson with this model. Go "
            "on to the next lesson."
        )
    apart = torch.cdist(found, found)  # (N, N)
    spacing = float(apart[apart > 0].min()) if len(found) > 1 else GRIDS[0]
    around = (apart <= WELL_INSIDE * spacing).sum(1)  # (N,)
    inner = found[around >= (around.max() + 1) // 2]
    goal = inner[(inner - z).norm(dim=1).argmin()]
    return {"goal": [round(value, 4) for value in goal.tolist()], "layers": list(lesson.layers)}
