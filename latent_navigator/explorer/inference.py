"""Pictures that the model reads: where they land, how sure it is of them, what they resemble.

Answers for a person's own picture and for the test digits; holds nothing of any visitor.
"""

import base64
import binascii
import functools
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from latent_navigator.data.preprocessing import preprocess, read_image
from latent_navigator.explorer.latent_space import (
    SHOWN,
    Navigator,
    base64_of,
    percent,
    whole_number,
)
from latent_utils import NEIGHBOURS, neighbourhood

SAMPLES = 6  # decodings of draws from the posterior


class Reader:
    """Answers about pictures, given to the encoder of one Navigator."""

    def __init__(self, navigator: Navigator):
        self.navigator = navigator

    def drawn(self, data: Any) -> dict[str, Any]:
        """What the model makes of a picture file.

        Args:
            data: the file's bytes in base64; PNG, JPEG, GIF, WebP or BMP.

        Raises:
            ValueError: if it cannot be read, or nothing is drawn on it.
        """
        if not isinstance(data, str):
            raise ValueError(f"picture is {data!r:.40}; give the bytes of a file in base64")
        try:
            file = base64.b64decode(data, validate=True)
        except binascii.Error:
            raise ValueError("the picture is no base64; give the bytes of a file") from None
        return self._read(preprocess(read_image(file)), "Your picture")

    def test_digit(self, index: Any) -> dict[str, Any]:
        """What the model makes of a test digit, by its index."""
        known = self.navigator
        i = whole_number("index", index, 0, len(known.labels) - 1)
        title = f"Test {known.noun.one} {i}, labelled {known.names[int(known.labels[i])]}"
        return self._read(known.test_pictures[i].numpy(), title, exclude=i)

    @torch.inference_mode()
    def _misfit(self, pictures: np.ndarray | Tensor, mu: Tensor) -> Tensor:
        """-log p(x|mu) of pictures (N, 28, 28) uint8 at mu (N, 2), in nats; (N,)."""
        x = torch.as_tensor(pictures).float().flatten(1) / 255  # (N, 784)
        logits = self.navigator.model.decoder(mu).flatten(1)
        return F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)

    @functools.cached_property
    def _usual_misfits(self) -> Tensor:
        """(N,) the misfit of every test digit at its own mean, sorted."""
        known = self.navigator
        parts = zip(known.test_pictures.split(500), known.means.split(500), strict=True)
        return torch.cat([self._misfit(*part) for part in parts]).sort().values

    @torch.inference_mode()
    def _read(self, picture: np.ndarray, title: str, exclude: int | None = None) -> dict[str, Any]:
        """Everything about one picture (28, 28) uint8; see `widgets.OwnDigit`."""
        known = self.navigator
        mu, logvar = known.encode(picture[None])  # (1, 2) each
        sigma = (logvar / 2).exp()
        recon = float(self._misfit(picture[None], mu))
        kl = float((mu.square() + logvar.exp() - logvar - 1).sum() / 2)
        noise = torch.randn(SAMPLES, 2, generator=torch.Generator().manual_seed(0))
        around = neighbourhood(mu, known.means, known.labels)
        nearest = around.neighbours[0]
        nearest = nearest[nearest != exclude][:SHOWN] if exclude is not None else nearest[:SHOWN]
        return {
            "title": title,
            "pixels": base64_of(picture),
            "mu": mu[0].tolist(),
            "sigma": sigma[0].tolist(),
            "decoded": base64_of(known.pictures(mu)),
            "recon": recon,
            "kl": kl,
            "samples": base64_of(known.pictures(mu + noise * sigma)),
            "nearest": known.neighbours(nearest),
            "message": self._told(mu[0], sigma[0], around.shares[0], recon),
        }

    def _told(self, mu: Tensor, sigma: Tensor, shares: Tensor, recon: float) -> str:
        known = self.navigator
        first = int(shares.argmax())
        votes = round(float(shares[first]) * NEIGHBOURS)
        worse = float((self._usual_misfits < recon).float().mean())
        place = "" if mu.abs().max() <= known.range else " It lands beyond the edge of the map."
        fit = (
            f"Its reconstruction misses more than those of {percent(worse)} of the test "
            f"{known.noun.many}"
        )
        fit += ": the model cannot draw this." if worse > 0.95 else "."
        return (
            f"It lands among the {known.plurals[first]}: {votes} of the {NEIGHBOURS} encoded "
            f"{known.noun.many} nearest to it are {known.plurals[first]}.{place} The encoder is "
            "sure of the place to "
            f"±{float(sigma[0]):.2f} and ±{float(sigma[1]):.2f} (σ of the posterior). {fit}"
        )
