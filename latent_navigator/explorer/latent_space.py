"""One trained model, ready to answer questions about its latent space.

A LatentSpace holds the model and the encoded test images, and no user's state: every answer
depends on its arguments alone. Interpolation, directions, inference, map layers and lessons are
functions of a LatentSpace.
"""

import base64
import functools
import math
import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.explorer.arguments import choice, number, whole_number
from latent_navigator.geometry.latent_graph import LatentGraph, build_graph, data_weight
from latent_utils import RADIUS, Neighbourhood, digit_centroids, neighbourhood

T = TypeVar("T")

ANCHORS = ("typical", "centroid")  # a class is represented by its prototype or its mean
ROUND_UP = 2  # the edge of the map is rounded up to the next 1 / ROUND_UP


class LatentSpace:
    """A checkpoint with its model: encodings, centroids, prototypes, decoder and neighbours.

    N test images of C classes. Coordinates are in units of the prior's standard deviation.

    Attributes:
        info: what the images are. class_names, plurals: C names each.
        means: (N, 2) mu of the test images. labels: (N,) int64. images: (N, 28, 28) uint8.
        anchors: by name of ANCHORS, (C, 2).
        range: the map shows -range ... range on both axes; all encodings lie on it.

    Raises:
        ValueError: if the latent space does not have two dimensions.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        latent_dim = checkpoint.model_config.latent_dim
        if latent_dim != 2:
            raise ValueError(
                f"latent_dim is {latent_dim}; the map needs a checkpoint trained with "
                "--latent-dim 2"
            )
        self.checkpoint = checkpoint
        self.model = checkpoint.build_model()
        self.info = checkpoint.info
        self.class_names = list(self.info.class_names)
        self.plurals = self.info.plurals
        self.means, self.labels = checkpoint.means, checkpoint.labels
        self.images = checkpoint.images
        self.preparation = checkpoint.preparation  # how items stand in these images
        self.anchors = {
            "typical": checkpoint.prototypes,
            "centroid": digit_centroids(self.means, self.labels, len(self.class_names)),
        }
        reach = float(self.means.abs().max())
        self.range = max(4.0, math.ceil(ROUND_UP * reach) / ROUND_UP)
        self._computed: dict[Hashable, Any] = {}
        self._locks: dict[Hashable, threading.RLock] = {}

    def once(self, compute: Callable[["LatentSpace"], T]) -> T:
        """compute(self), computed by the first call and kept; calls in the meantime wait for it."""
        with self._locks.setdefault(compute, threading.RLock()):
            if compute not in self._computed:
                self._computed[compute] = compute(self)
            result: T = self._computed[compute]
            return result

    def position(self, x: object, y: object) -> Tensor:
        """(2,) from two numbers.

        Raises:
            ValueError: if they are not numbers on the map.
        """
        limit = self.range
        return torch.tensor([number("x", x, -limit, limit), number("y", y, -limit, limit)])

    def anchor(self, digit: object, anchor: object = "typical") -> Tensor:
        """(2,) the prototype ("typical") or the centroid of a class, given by its label.

        Raises:
            ValueError: if there is no such class or anchor.
        """
        points = self.anchors[choice("anchor", anchor, ANCHORS)]
        return points[whole_number("digit", digit, 0, len(self.class_names) - 1)]

    @functools.cached_property
    def tree(self) -> cKDTree:
        """The encodings, for searches of neighbours."""
        return cKDTree(self.means.numpy())

    def around(self, z: Tensor, radius: float = RADIUS) -> Neighbourhood:
        """What the encoded test images around positions z (N, 2) are; see `latent_utils`."""
        return neighbourhood(z, self.tree, self.labels, radius=radius)

    def decode(self, z: Tensor) -> Tensor:
        """z (N, 2) -> images (N, 784) in [0, 1]; differentiable."""
        return self.model.decode(z).flatten(1)

    def ink(self, z: Tensor) -> Tensor:
        """z (N, 2) -> (N, 784): how much ink each pixel has, 0 on the ground; differentiable."""
        ground, ink = self.preparation.paper / 255, self.preparation.ink / 255
        x = self.decode(z)
        # Of MNIST, light on black, the pixels are the ink.
        return x if (ground, ink) == (0, 1) else ((x - ground) / (ink - ground)).clamp_min(0)

    @torch.inference_mode()
    def decode_images(self, z: Tensor) -> np.ndarray:
        """z (N, 2) -> images (N, 28, 28) uint8."""
        use_one_thread()
        images = self.model.decode(z.float())  # (N, 1, 28, 28) in [0, 1]
        return (images[:, 0] * 255).round().byte().numpy()

    @torch.inference_mode()
    def encode(self, images: np.ndarray | Tensor) -> tuple[Tensor, Tensor]:
        """images (N, 28, 28) uint8 -> mu and logvar of their posteriors, (N, 2) each."""
        x = torch.as_tensor(images)[:, None].float() / 255  # (N, 1, 28, 28)
        return self.model.encode(x)

    @property
    def graph(self) -> LatentGraph:
        """The graph over the map that geodesics start from; built in one to three seconds."""
        return self.once(_build_graph)

    @property
    def data_graph(self) -> LatentGraph:
        """The same graph, weighted so that paths keep to the data."""
        return self.once(_weight_graph)


def _build_graph(space: LatentSpace) -> LatentGraph:
    return build_graph(space.decode, space.range)


def _weight_graph(space: LatentSpace) -> LatentGraph:
    return space.graph.weighted(data_weight(space.range, space.means))


def use_one_thread() -> None:
    """Let torch compute on the calling thread alone.

    One small image gains nothing from threads that compete for the cores with other requests. The
    number belongs to the calling thread, and Gradio answers on many.
    """
    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)


def as_dict(z: Tensor) -> dict[str, float]:
    """(2,) -> {"x": float, "y": float}."""
    return {"x": float(z[0]), "y": float(z[1])}


def base64_of(array: np.ndarray) -> str:
    """The bytes of an array in base64, for JSON."""
    return base64.b64encode(array.tobytes()).decode()


def percent(share: float) -> str:
    """A share in [0, 1] as text: "42 %", and "under 1 %" for what would round to nothing."""
    if 0 < share < 0.01:
        return "under 1 %"
    return f"{100 * share:.0f} %"
