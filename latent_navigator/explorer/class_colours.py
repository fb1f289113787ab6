"""The colours of the classes: those that touch on the map look as different as possible."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from latent_navigator.explorer.class_mixing import class_mixing
from latent_navigator.explorer.colour_vision import distances, from_hex, to_hex, with_lightness
from latent_navigator.explorer.latent_space import LatentSpace

Matrix = NDArray[np.float64]
Order = NDArray[np.int64]

# petroff10 (Petroff 2021), chosen to be told apart with any colour vision.
PETROFF10 = (
    *("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6"),
    *("#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"),
)
# The lightness in OKLab on each theme's ground: with a contrast of at least 3:1 (WCAG 2.2, 1.4.11),
# and stretched to where classes that touch differ most.
LIGHTNESS = {"light": (0.36, 0.655), "dark": (0.56, 0.88)}
SCALE = 0.03  # colours at this distance in OKLab are mistaken for each other once in e times
STARTS = 30  # of the search: more find nothing better for the released models

SETS = {
    theme: to_hex(with_lightness(from_hex(PETROFF10), *lightness))
    for theme, lightness in LIGHTNESS.items()
}


def class_colours(space: LatentSpace) -> dict[str, list[str]]:
    """For the "light" and the "dark" theme, a colour for each class.

    It follows from the checkpoint alone, so it is computed at the start for any model: in a
    second, mostly for the neighbours that `presets` count too.
    """
    chosen = space.once(_assign)
    return {theme: [codes[i] for i in chosen] for theme, codes in SETS.items()}


def least_distances(codes: dict[str, list[str]]) -> Matrix:
    """(N, N) how different colours are at least: in any theme, to any eyes."""
    every = [d for colours in codes.values() for d in distances(from_hex(colours)).values()]
    least: Matrix = np.min(every, axis=0)
    return least


def _assign(space: LatentSpace) -> list[int]:
    """For each class, the index of its colour."""
    mixing = class_mixing(space).double().numpy()
    colours = len(PETROFF10)
    padded = np.zeros((colours, colours))
    padded[: len(mixing), : len(mixing)] = mixing
    confusions = np.exp(-least_distances(SETS) / SCALE)
    np.fill_diagonal(confusions, 0)
    return [int(i) for i in fewest_confusions(padded, confusions)[: len(mixing)]]


def fewest_confusions(mixing: Matrix, confusions: Matrix) -> Order:
    """The assignment in which neighbours are least often taken for each other.

    A quadratic assignment problem (Koopmans and Beckmann 1957): the sum of mixing[i, j] *
    confusions[p[i], p[j]] is reduced by swapping two colours until no swap helps, from several
    random starts.

    Args:
        mixing: (N, N) symmetric, how often j is a neighbour of i.
        confusions: (N, N) symmetric, how often the j-th colour is taken for the i-th.

    Returns:
        p (N,), a permutation; the same for the same input.
    """
    generator, count = np.random.default_rng(0), len(mixing)
    swaps = np.array([swap(count, *pair) for pair in combinations(range(count), 2)])  # (S, N)

    def cost(orders: Order) -> Matrix:  # (..., N) -> (...)
        taken = confusions[orders[..., :, None], orders[..., None, :]]  # (..., N, N)
        total: Matrix = (mixing * taken).sum((-2, -1))
        return total

    def improve(order: Order) -> Order:
        while True:
            swapped = order[swaps]  # (S, N)
            best: Order = swapped[cost(swapped).argmin()]
            if cost(best) >= cost(order):
                return order
            order = best

    found = (improve(generator.permutation(count)) for _ in range(STARTS))
    return min(found, key=cost)


def swap(count: int, i: int, j: int) -> Order:
    """(count,) the numbers below count, of which two are swapped."""
    order = np.arange(count)
    order[[i, j]] = j, i
    return order
