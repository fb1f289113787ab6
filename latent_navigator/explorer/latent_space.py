"""What the page and its API ask of a trained model: every answer for a position, none of the UI.

A Navigator holds the model and the encoded test digits, and nothing of any visitor: each answer
depends on its arguments alone. Wrong arguments raise ValueError with the value and the remedy.
"""

import base64
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.data.dataset_info import plural
from latent_navigator.explorer import decoder_table
from latent_navigator.explorer.decoder_table import build_table, pack_table
from latent_utils import (
    NEIGHBOURS,
    RADIUS,
    digit_centroids,
    morph_toward,
    neighbourhood,
)

ANCHORS = ("typical", "centroid")
MAX_SEED = 2**63 - 1
SHOWN = 6  # real digits beside a place
WELL_KNOWN = 5  # test digits within RADIUS from which on a place counts as well known


def number(name: str, value: Any, low: float, high: float) -> float:
    """`value` as a float.

    Raises:
        ValueError: if it is not a finite number in [low, high] (true and texts are no numbers).
    """
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if not numeric or not low <= value <= high:
        raise ValueError(f"{name} is {value!r:.40}; give a number from {low:g} to {high:g}")
    return float(value)


def whole_number(name: str, value: Any, low: int, high: int) -> int:
    """`value` as an int; a float that is whole (JSON knows no other) is taken for one.

    Raises:
        ValueError: if it is not a whole number in low ... high.
    """
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if not numeric or not low <= value <= high or value != int(value):
        raise ValueError(f"{name} is {value!r:.40}; give a whole number from {low} to {high}")
    return int(value)


def choice(name: str, value: Any, choices: tuple[str, ...]) -> str:
    """`value`, if it is one of `choices`.

    Raises:
        ValueError: if it is not.
    """
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} is {value!r:.40}; give one of {', '.join(choices)}")
    return value


class Navigator:
    """Answers about one checkpoint.

    Raises:
        ValueError: if its latent space does not have two dimensions.
    """

    def __init__(self, checkpoint: Checkpoint):
        if checkpoint.model_config.latent_dim != 2:
            raise ValueError(
                f"latent_dim is {checkpoint.model_config.latent_dim}; the map needs a checkpoint "
                "trained with --latent-dim 2"
            )
        self.checkpoint = checkpoint
        self.model = checkpoint.build_model()
        self.names = checkpoint.class_names
        self.plurals = [plural(name) for name in self.names]
        self.noun = checkpoint.noun
        self.is_mnist = checkpoint.dataset == "mnist" and len(self.names) == 10
        self.means, self.labels = checkpoint.means, checkpoint.labels
        self.test_pictures = checkpoint.pictures  # (N, 28, 28) uint8
        self.anchors = {
            "centroid": digit_centroids(self.means, self.labels, len(self.names)),
            "typical": checkpoint.prototypes,
        }
        # All encoded digits lie on the map, and so does nearly all of the prior.
        self.range = max(4.0, math.ceil(2 * float(self.means.abs().max())) / 2)

    def position(self, x: Any, y: Any) -> Tensor:
        """(2,) from two numbers on the map."""
        limit = self.range
        return torch.tensor([number("x", x, -limit, limit), number("y", y, -limit, limit)])

    def anchor(self, digit: Any, anchor: Any = "typical") -> Tensor:
        """(2,) where a digit is at home: its most typical point or its centroid."""
        points = self.anchors[choice("anchor", anchor, ANCHORS)]
        return points[whole_number("digit", digit, 0, len(self.names) - 1)]

    @torch.inference_mode()
    def encode(self, pictures: np.ndarray | Tensor) -> tuple[Tensor, Tensor]:
        """pictures (N, 28, 28) uint8 -> mu and logvar of their posteriors, (N, 2) each."""
        x = torch.as_tensor(pictures)[:, None].float() / 255  # (N, 1, 28, 28)
        return self.model.encode(x)

    @torch.inference_mode()
    def pictures(self, z: Tensor) -> np.ndarray:
        """z (N, 2) -> decoded pictures (N, 28, 28) uint8."""
        # One small picture gains nothing from threads that fight with other visitors' for the
        # cores. The number is kept by each thread, and Gradio answers in many.
        if torch.get_num_threads() != 1:
            torch.set_num_threads(1)
        images = self.model.decode(z.float())  # (N, 1, 28, 28) in [0, 1]
        return (images[:, 0] * 255).round().byte().numpy()

    def points(self) -> dict[str, Any]:
        """The encoded test digits for the map, 5 bytes each; see `widgets.LatentMap`."""
        scale = self.range / 32767
        xy = (self.means / scale).round().to(torch.int16).numpy()
        return {
            "xy": base64_of(xy.astype("<i2")),
            "labels": base64_of(self.labels.byte().numpy()),
            "scale": scale,
        }

    def regions(self, side: int = 120) -> dict[str, Any]:
        """Which digit prevails in each cell of the map; see `widgets.LatentMap`.

        The share is that of `neighbourhood`; a cell with no encoded digit within twice RADIUS of
        its middle stays blank, because a vote of digits far away says nothing.
        """
        middle = ((torch.arange(side) + 0.5) / side * 2 - 1) * self.range  # (side,)
        y, x = torch.meshgrid(-middle, middle, indexing="ij")  # the first row is the top
        z = torch.stack([x, y], dim=-1).reshape(-1, 2)  # (side * side, 2)
        parts = [
            neighbourhood(some, self.means, self.labels, radius=2 * RADIUS)
            for some in z.split(1000)
        ]
        share, winner = torch.cat([part.shares for part in parts]).max(dim=1)  # (side * side,)
        known = torch.cat([part.within for part in parts]) > 0
        strength = (share.square() * 170 * known).round().byte()
        return {
            "winners": base64_of(winner.byte().numpy()),
            "strength": base64_of(strength.numpy()),
            "side": side,
        }

    def table(self) -> dict[str, Any]:
        """The decoder as a table for the browser; see `decoder_table`."""
        packed = pack_table(build_table(self.model, self.range))
        return {
            "data": base64.b64encode(packed).decode(),
            "side": decoder_table.SIDE,
            "reach": self.range,
            "bend": decoder_table.BEND,
            "bound": decoder_table.BOUND,
        }

    def look(self, x: Any, y: Any, nearest: bool = True) -> dict[str, Any]:
        """The picture at a position and what is known there; see `widgets.DigitView`.

        Args:
            nearest: whether the nearest real digits are wanted too.
        """
        z = self.position(x, y)
        around = neighbourhood(z[None], self.means, self.labels)
        shares, within = around.shares[0], int(around.within)
        radius = float(z.norm())
        further = math.exp(-(radius**2) / 2)  # P(|z| > radius) under N(0, I) in two dimensions
        picture = self.pictures(z[None])  # (1, 28, 28)
        returned, _ = self.encode(picture)
        return {
            "pixels": base64_of(picture),
            "shares": shares.tolist(),
            "entropy": float(torch.special.entr(shares).sum() / math.log(2)),
            "within": within,
            "nearest": self.neighbours(around.neighbours[0, :SHOWN]) if nearest else None,
            "round_trip": returned[0].tolist(),
            "support": f"{self._support(within, float(around.nearest))} {self._mixture(shares)}",
            "prior": f"{radius:.2f}σ from the centre; {percent(further)} of the prior N(0, I) "
            "lies further out.",
        }

    def neighbours(self, indices: Tensor) -> dict[str, Any]:
        """Test digits by index (K,), for the page: who they are, where, and their pictures."""
        return {
            "digits": [
                {
                    "index": int(i),
                    "name": self.names[int(self.labels[i])],
                    "x": float(self.means[i, 0]),
                    "y": float(self.means[i, 1]),
                }
                for i in indices
            ],
            "pixels": base64_of(self.test_pictures[indices].numpy()),
        }

    def _support(self, within: int, nearest: float) -> str:
        if within == 0:
            return (
                f"Invented: no test {self.noun.one} was encoded within {RADIUS:g} of here; the "
                "nearest "
                f"is {nearest:.2f} away."
            )
        known = "Well known" if within >= WELL_KNOWN else "Little known"
        digits = f"test {self.noun.one} was" if within == 1 else f"test {self.noun.many} were"
        return f"{known}: {within} {digits} encoded within {RADIUS:g} of here."

    def _mixture(self, shares: Tensor) -> str:
        first, second = shares.topk(2).indices.tolist()
        if shares[first] >= 0.9:
            return f"Nearly all around here are {self.plurals[first]}."
        return f"Mostly {self.names[first]}, then {self.names[second]}."

    def random_sample(self, seed: Any = None) -> dict[str, float]:
        """A draw from the prior N(0, I), again if it falls off the map (1 in 8,000 does).

        Args:
            seed: the same one gives the same sample; None draws a fresh one.
        """
        generator = torch.Generator()
        if seed is None:
            generator.seed()
        else:
            generator.manual_seed(whole_number("seed", seed, 0, MAX_SEED))
        while True:
            z = torch.randn(2, generator=generator)
            if z.abs().max() <= self.range:
                return as_dict(z)

    def jump_to_digit(self, digit: Any, anchor: Any = "typical") -> dict[str, float]:
        """Where a digit is at home."""
        return as_dict(self.anchor(digit, anchor))

    def remark(self, digit: int, anchor: str) -> str:
        """A sentence on the place that `jump_to_digit` leads to."""
        z, name = self.anchor(digit, anchor), self.names[digit]
        own_kind, nouns = self.plurals[digit], self.noun.many
        shares = neighbourhood(z[None], self.means, self.labels).shares[0]
        own, winner = float(shares[digit]), int(shares.argmax())
        if anchor == "typical":
            return (
                f"The most typical {name}: where encoded {own_kind} are dense and little else "
                "lies. "
                f"{percent(own)} of the {NEIGHBOURS} {nouns} nearest to it are {own_kind}."
            )
        if winner != digit:
            other = self.plurals[winner]
            return (
                f"⚠ The average of all {own_kind} lies among the {other}: {percent(own)} of the "
                f"{NEIGHBOURS} encoded {nouns} nearest to it are {own_kind}, "
                f"{percent(float(shares[winner]))} are {other}. Try the most typical point."
            )
        rival = int(shares.topk(2).indices[1])
        mixed = f", {percent(float(shares[rival]))} are {self.plurals[rival]}"
        mixed = mixed if shares[rival] >= 0.2 else ""
        return (
            f"The average position (centroid) of all encoded {own_kind}. {percent(own)} of the "
            f"{NEIGHBOURS} {nouns} nearest to it are {own_kind}{mixed}."
        )

    def morph_toward(self, x: Any, y: Any, digit: Any, amount: Any, anchor: Any = "typical"):
        """The position `amount` (0 ... 1) of the way from (x, y) to a digit."""
        share = number("amount", amount, 0, 1)
        return as_dict(morph_toward(self.position(x, y), self.anchor(digit, anchor), share))


def as_dict(z: Tensor) -> dict[str, float]:
    """(2,) -> {"x": float, "y": float}."""
    return {"x": float(z[0]), "y": float(z[1])}


def base64_of(array: np.ndarray) -> str:
    return base64.b64encode(array.tobytes()).decode()


def percent(share: float) -> str:
    if 0 < share < 0.01:
        return "under 1 %"
    return f"{100 * share:.0f} %"
