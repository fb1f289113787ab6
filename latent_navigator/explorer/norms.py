"""How far from the centre of the prior the data lives: |z| of the encodings against N(0, I)."""

import math
from typing import Any

import numpy as np
import torch
from scipy.special import gammaincinv, gammaln
from torch import Tensor

from latent_navigator.explorer.latent_space import LatentSpace

BINS = 48
TYPICAL = (0.05, 0.5, 0.95)  # shares of the encodings that lie closer to the centre


def typical_norms(space: LatentSpace) -> list[float]:
    """|mu| that the shares TYPICAL of the test images stay below."""
    norms = space.means.norm(dim=1)
    found: list[float] = norms.quantile(torch.tensor(TYPICAL)).tolist()
    return found


def posterior_draws(space: LatentSpace) -> Tensor:
    """(N, D), one draw from the posterior q(z|x) of each test image: the aggregate posterior."""
    eps = torch.randn(space.means.shape, generator=torch.Generator().manual_seed(0))
    return space.means + eps * (space.checkpoint.logvars / 2).exp()


def norm_distribution(space: LatentSpace) -> dict[str, Any]:
    """|z| of the data beside that of the prior, which is the chi distribution of D dimensions.

    Returns:
        {"data": (BINS,) float32, the density of |z| among draws from the posteriors, "means": the
        same of |mu|, "prior": the density of the chi distribution in the middle of each bin,
        "most": the last bin's end; they start at 0, "typical": those of `typical_norms`,
        "expected": the median of the chi distribution}.
    """
    half = space.latent_dim / 2
    norms = {"data": posterior_draws(space).norm(dim=1), "means": space.means.norm(dim=1)}
    most = max(
        chi_quantile(space.latent_dim, 0.9999), *(float(values.max()) for values in norms.values())
    )
    most = math.ceil(2 * most) / 2
    edges = np.linspace(0, most, BINS + 1)
    densities = {
        name: np.histogram(values.numpy(), edges, density=True)[0].astype(np.float32)
        for name, values in norms.items()
    }
    middle = (edges[1:] + edges[:-1]) / 2
    # p(r) = r^(D - 1) exp(-r^2 / 2) / (2^(D / 2 - 1) Gamma(D / 2))
    constant = (half - 1) * math.log(2) + gammaln(half)
    prior = np.exp((2 * half - 1) * np.log(middle) - middle**2 / 2 - constant)
    return densities | {
        "prior": prior.astype(np.float32),
        "most": most,
        "typical": space.once(typical_norms),
        "expected": chi_quantile(space.latent_dim, 0.5),
    }


def chi_quantile(latent_dim: int, share: float) -> float:
    """The norm that a share of the draws from N(0, I) in so many dimensions stays below."""
    return math.sqrt(2 * float(gammaincinv(latent_dim / 2, share)))
