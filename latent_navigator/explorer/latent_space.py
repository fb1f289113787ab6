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
from latent_navigator.geometry.neighbour_graph import build_neighbour_graph, window_weight
from latent_navigator.geometry.plane import principal_plane
from latent_navigator.model_config import LATENT_DIMS
from latent_utils import (
    UNUSED,
    Neighbourhood,
    digit_centroids,
    kl_per_dimension,
    neighbourhood,
    support_radius,
)

T = TypeVar("T")

ANCHORS = ("typical", "centroid")  # a class is represented by its prototype or its mean
ROUND_UP = 2  # the edge of the map is rounded up to the next 1 / ROUND_UP
# The corner of a map lies sqrt(2) of its range from its middle, and that from the centre of the
# prior at most the range: no coordinate of a plane exceeds sqrt(3) of it.
LIMIT = 2  # of coordinates above two dimensions, in ranges of the map


class LatentSpace:
    """A checkpoint with its model: encodings, centroids, prototypes, decoder and neighbours.

    N test images of C classes, D dimensions. Coordinates are in units of the prior's standard
    deviation.

    Attributes:
        info: what the images are. class_names, plurals: C names each.
        means: (N, D) mu of the test images. labels: (N,) int64. images: (N, 28, 28) uint8.
        anchors: by name of ANCHORS, (C, D).
        kl: (D,) the KL of each dimension, in nats, averaged over the test images.
        used: (K,) int64, the dimensions that the decoder does not ignore; distances from the data
            count these alone. In two dimensions both.
        plane: what the map shows: the principal plane of the encodings; in two dimensions, all.
        range: the map shows -range ... range on both axes; all encodings lie on it, whatever the
            plane.
        limit: the largest coordinate of a position; in two dimensions, the range.
        radius: within which encodings count as being at a position; see `support_radius`.

    Raises:
        ValueError: if the latent space has fewer or more dimensions than LATENT_DIMS.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        latent_dim = checkpoint.model_config.latent_dim
        check_dimensions(latent_dim)
        self.checkpoint = checkpoint
        self.latent_dim = latent_dim
        # Gradients are of z alone: recording those of the weights takes a third of the time.
        self.model = checkpoint.build_model().requires_grad_(False)
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
        self.kl = kl_per_dimension(self.means, checkpoint.logvars)
        self.plane = principal_plane(self.means)
        in_two = latent_dim == 2
        active = (self.kl >= UNUSED).nonzero().flatten()
        self.used = torch.arange(latent_dim) if in_two or len(active) == 0 else active
        self.radius = support_radius(self.means[:, self.used] if not in_two else self.means)
        reach = float(self.means.abs().max() if in_two else self.means.norm(dim=1).max())
        self.range = max(4.0, math.ceil(ROUND_UP * reach) / ROUND_UP)
        self.limit = self.range if in_two else LIMIT * self.range
        self._computed: dict[Hashable, Any] = {}
        self._locks: dict[Hashable, threading.RLock] = {}

    def once(self, compute: Callable[["LatentSpace"], T]) -> T:
        """compute(self), computed by the first call and kept; calls in the meantime wait for it."""
        with self._locks.setdefault(compute, threading.RLock()):
            if compute not in self._computed:
                self._computed[compute] = compute(self)
            result: T = self._computed[compute]
            return result

    def position(self, x: object, y: object = None) -> Tensor:
        """(D,) from a list of D numbers or, on the plane of the map, from two numbers x and y.

        Raises:
            ValueError: if it is not such a list, or if they are not numbers on the map.
        """
        if y is None and isinstance(x, list | tuple):
            return self._listed_position(x)
        limit = self.range
        xy = torch.tensor([number("x", x, -limit, limit), number("y", y, -limit, limit)])
        return self.plane.from_plane(xy)

    def _listed_position(self, z: list[object] | tuple[object, ...]) -> Tensor:
        if len(z) != self.latent_dim:
            form = "two numbers, [x, y]" if self.latent_dim == 2 else f"{self.latent_dim} numbers"
            raise ValueError(f"position is {z!r:.40}; give {form}")
        names = "xy" if self.latent_dim == 2 else [f"z{i + 1}" for i in range(self.latent_dim)]
        limits = -self.limit, self.limit
        return torch.tensor([number(n, value, *limits) for n, value in zip(names, z, strict=True)])

    def anchor(self, digit: object, anchor: object = "typical") -> Tensor:
        """(D,) the prototype ("typical") or the centroid of a class, given by its label.

        Raises:
            ValueError: if there is no such class or anchor.
        """
        points = self.anchors[choice("anchor", anchor, ANCHORS)]
        return points[whole_number("digit", digit, 0, len(self.class_names) - 1)]

    @functools.cached_property
    def tree(self) -> cKDTree:
        """The encodings (N, K) in the used dimensions, for searches of neighbours."""
        return cKDTree(self.means[:, self.used].numpy())

    def around(self, z: Tensor) -> Neighbourhood:
        """What the encoded test images around positions z (N, D) are; see `latent_utils`."""
        return neighbourhood(z[:, self.used], self.tree, self.labels, radius=self.radius)

    def is_known(self, z: Tensor) -> Tensor:
        """Whether an encoded test image lies within the radius of z (N, D), as (N,) bool."""
        distances, _ = self.tree.query(z[:, self.used].numpy(), distance_upper_bound=self.radius)
        return torch.from_numpy(np.isfinite(distances))

    def decode(self, z: Tensor) -> Tensor:
        """z (N, D) -> images (N, 784) in [0, 1]; differentiable."""
        return self.model.decode(z).flatten(1)

    def decode_used(self, z: Tensor) -> Tensor:
        """The same of positions (N, K) in the used dimensions, where the others are 0."""
        if len(self.used) == self.latent_dim:
            return self.decode(z)
        return self.decode(z.new_zeros(len(z), self.latent_dim).index_copy(1, self.used, z))

    def ink(self, z: Tensor) -> Tensor:
        """z (N, D) -> (N, 784): how much ink each pixel has, 0 on the ground; differentiable."""
        ground, ink = self.preparation.paper / 255, self.preparation.ink / 255
        x = self.decode(z)
        # Of MNIST, light on black, the pixels are the ink.
        return x if (ground, ink) == (0, 1) else ((x - ground) / (ink - ground)).clamp_min(0)

    @torch.inference_mode()
    def decode_images(self, z: Tensor) -> np.ndarray:
        """z (N, D) -> images (N, 28, 28) uint8."""
        use_one_thread()
        images = self.model.decode(z.float())  # (N, 1, 28, 28) in [0, 1]
        return (images[:, 0] * 255).round().byte().numpy()

    @torch.inference_mode()
    def encode(self, images: np.ndarray | Tensor) -> tuple[Tensor, Tensor]:
        """images (N, 28, 28) uint8 -> mu and logvar of their posteriors, (N, D) each."""
        x = torch.as_tensor(images)[:, None].float() / 255  # (N, 1, 28, 28)
        return self.model.encode(x)

    @property
    def graph(self) -> LatentGraph:
        """The graph of the used dimensions that geodesics start from; built in seconds."""
        return self.once(_build_graph)

    @property
    def data_graph(self) -> LatentGraph:
        """The same graph, weighted so that paths keep to the data."""
        return self.once(_weight_graph)


def check_dimensions(latent_dim: int) -> None:
    """Check that a latent space can be explored.

    Raises:
        ValueError: if it has fewer or more dimensions than LATENT_DIMS.
    """
    fewest, most = LATENT_DIMS
    if not fewest <= latent_dim <= most:
        raise ValueError(
            f"latent_dim is {latent_dim}; give a checkpoint trained with --latent-dim {fewest} "
            f"to {most}"
        )


def _build_graph(space: LatentSpace) -> LatentGraph:
    if space.latent_dim == 2:
        return build_graph(space.decode, space.range)
    return build_neighbour_graph(space.decode_used, space.means[:, space.used], space.limit)


def _weight_graph(space: LatentSpace) -> LatentGraph:
    if space.latent_dim == 2:
        return space.graph.weighted(data_weight(space.range, space.means))
    return space.graph.weighted(window_weight(space.means[:, space.used]))


def use_one_thread() -> None:
    """Let torch compute on the calling thread alone.

    One small image gains nothing from threads that compete for the cores with other requests. The
    number belongs to the calling thread, and Gradio answers on many.
    """
    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)


def as_dict(z: Tensor) -> dict[str, Any]:
    """(2,) -> {"x": float, "y": float}; in more dimensions {"z": D floats}."""
    if len(z) > 2:
        return {"z": z.tolist()}
    return {"x": float(z[0]), "y": float(z[1])}


def base64_of(array: np.ndarray) -> str:
    """The bytes of an array in base64, for JSON."""
    return base64.b64encode(array.tobytes()).decode()


def percent(share: float) -> str:
    """A share in [0, 1] as text: "42 %"; "under 1 %" and "over 99 %" for what rounds to 0 or 1."""
    if 0 < share < 0.01:
        return "under 1 %"
    if 0.995 <= share < 1:
        return "over 99 %"
    return f"{100 * share:.0f} %"
