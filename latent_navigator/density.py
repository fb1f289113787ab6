"""How close counts as near: the radii with which the encodings around a position are counted."""

import math

import torch
from torch import Tensor

NEIGHBOURS = 50  # k of the k-nearest-neighbour estimates
# Within which encodings count as being at a position, in units of the prior's sigma; in more than
# two dimensions, where hardly any two are so close, `support_radius` and `window_bandwidth`.
RADIUS = 0.1
SUPPORTED = 5  # encodings within the radius from which on a position is well supported
SAMPLE = 200  # encodings whose surroundings are measured to set a radius


@torch.inference_mode()
def support_radius(means: Tensor) -> float:
    """The radius within which encodings count as being at a position.

    RADIUS in two dimensions. In more, the median distance of an encoding (of SAMPLE) to the
    SUPPORTED-th nearest other one, in two significant digits, as the page shows it.

    Args:
        means: (N, latent_dim).
    """
    others = min(SUPPORTED, len(means) - 1)
    if means.shape[1] <= 2 or others < 1:
        return RADIUS
    sampled = means[:: math.ceil(len(means) / SAMPLE)]
    nearest = torch.cdist(sampled, means).topk(others + 1, largest=False).values[:, -1]
    return float(f"{max(float(nearest.median()), RADIUS):.2g}")


@torch.inference_mode()
def window_bandwidth(means: Tensor) -> float:
    """The bandwidth of the Gaussian window with which the density of encodings is estimated.

    RADIUS in two dimensions. In more, the one with which the window around the median encoding (of
    SAMPLE) counts NEIGHBOURS others, or a tenth of all if that is less.

    Args:
        means: (N, latent_dim).
    """
    if means.shape[1] <= 2 or len(means) < 2:
        return RADIUS
    sampled = means[:: math.ceil(len(means) / SAMPLE)]
    squares = torch.cdist(sampled, means).square()  # (S, N)
    wanted = min(NEIGHBOURS, len(means) / 10)
    low, high = RADIUS / 100, RADIUS * 1000
    while high > 1.01 * low:  # the count grows with the bandwidth
        middle = math.sqrt(low * high)
        others = (squares / (-2 * middle**2)).exp().sum(1) - 1
        low, high = (low, middle) if float(others.median()) > wanted else (middle, high)
    return math.sqrt(low * high)
