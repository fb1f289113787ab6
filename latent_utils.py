"""Mathematics of the latent space: centroids, prototypes, neighbours, directions, interpolation.

All functions are pure. Distances are Euclidean, in units of the standard deviation of the prior
N(0, I).
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from latent_navigator.density import NEIGHBOURS as NEIGHBOURS
from latent_navigator.density import RADIUS as RADIUS
from latent_navigator.density import support_radius as support_radius
from latent_navigator.density import window_bandwidth as window_bandwidth
from neural_network import VAE

UNUSED = 0.05  # nats: a dimension with a smaller KL does not tell the decoder anything
BATCH = 500  # positions whose distances to all encodings are computed at once
TREE_DIMENSIONS = 10  # in more, a k-d tree has to look at nearly every point
MIN_ARC = 1e-3  # with a smaller radius, or angle from 0 or pi radians, an arc is ill-posed


class Encodings(NamedTuple):
    """The posteriors q(z|x) = N(means, diag(exp(logvars))) of N labelled images."""

    means: Tensor  # (N, latent_dim) float32
    logvars: Tensor  # (N, latent_dim) float32
    labels: Tensor  # (N,) int64, 0 ... C - 1


class Directions(NamedTuple):
    """For each start and each class, the direction and distance to the class's anchor."""

    directions: Tensor  # (N, C, latent_dim) unit vectors; zero where start and anchor coincide
    distances: Tensor  # (N, C) >= 0


class Neighbourhood(NamedTuple):
    """The encodings around each of N positions (see `neighbourhood`)."""

    shares: Tensor  # (N, C) share of each class among the nearest encodings; rows sum to 1
    within: Tensor  # (N,) int64 number of encodings within `radius`
    nearest: Tensor  # (N,) distance to the nearest encoding
    neighbours: Tensor  # (N, k) int64 indices of the nearest encodings, nearest first


@torch.inference_mode()
def encode_dataset(model: VAE, images: Tensor, labels: Tensor, batch_size: int = 1000) -> Encodings:
    """Encode images into their posterior means and log-variances.

    Args:
        model: the VAE, in its current mode and on its current device.
        images: (N, 28, 28) or (N, 1, 28, 28); uint8 in 0 ... 255 or float in [0, 1].
        labels: (N,) integers 0 ... C - 1.

    Returns:
        Encodings on the CPU, in the order of the images.

    Raises:
        ValueError: if images and labels differ in number, or images have another shape.
    """
    if images.shape[-2:] != (28, 28) or images.numel() != len(images) * 784:
        raise ValueError(f"images have shape {tuple(images.shape)}; give (N, 28, 28)")
    if len(images) != len(labels):
        raise ValueError(f"{len(images)} images but {len(labels)} labels; give one label each")
    device = next(model.parameters()).device
    means, logvars = [], []
    for batch in images.split(batch_size):
        x = batch.reshape(-1, 1, 28, 28).to(device)  # (B, 1, 28, 28)
        x = x.float() / 255 if x.dtype == torch.uint8 else x.float()
        mu, logvar = model.encode(x)
        means.append(mu.float().cpu())
        logvars.append(logvar.float().cpu())
    return Encodings(torch.cat(means), torch.cat(logvars), labels.long().cpu())


def _check_labelled(means: Tensor, labels: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    if means.ndim != 2 or labels.shape != means.shape[:1]:
        raise ValueError(
            f"means {tuple(means.shape)} and labels {tuple(labels.shape)} do not match; "
            "give (N, latent_dim) and (N,)"
        )
    labels = labels.long()
    missing = sorted(set(range(classes)) - set(labels.unique().tolist()))
    if missing or len(labels.unique()) != classes:
        raise ValueError(f"labels must contain each class 0 ... {classes - 1}; missing: {missing}")
    return means.float(), labels


@torch.inference_mode()
def digit_centroids(means: Tensor, labels: Tensor, classes: int = 10) -> Tensor:
    """The mean position of each class.

    Args:
        means: (N, latent_dim). labels: (N,) integers; each of 0 ... classes - 1 at least once.

    Returns:
        (classes, latent_dim). In two dimensions a centroid can lie among points of another class;
        a prototype (`digit_prototypes`) does not.

    Raises:
        ValueError: if the shapes do not match or a class is missing.
    """
    means, labels = _check_labelled(means, labels, classes)
    sums = torch.zeros(classes, means.shape[1], dtype=torch.float64)
    sums.index_add_(0, labels, means.double())
    return (sums / labels.bincount(minlength=classes)[:, None]).float()


@torch.inference_mode()
def kl_per_dimension(means: Tensor, logvars: Tensor) -> Tensor:
    """KL(q(z_i|x) || N(0, 1)), averaged over images, in nats.

    Args:
        means, logvars: (N, latent_dim).

    Returns:
        (latent_dim,) >= 0; their sum is the KL of the loss. A dimension below UNUSED has collapsed:
        its posterior is the prior whatever the image.
    """
    kl: Tensor = 0.5 * (means.square() + logvars.exp() - logvars - 1).mean(0)
    return kl


@torch.inference_mode()
def digit_prototypes(
    means: Tensor, labels: Tensor, candidates: int = 100, classes: int = 10
) -> Tensor:
    """The most typical encoding of each class.

    Among the encodings of class c, the one where p_c * (p_c / p) is greatest: the density of the
    class times its share of the density of all classes. Both are Gaussian kernel density estimates
    (Parzen 1962) of the bandwidth that `window_bandwidth` gives.

    Args:
        means: (N, latent_dim). labels: (N,) integers; each of 0 ... classes - 1 at least once.
        candidates: encodings per class to evaluate, evenly spaced in the order of `means`; the
            densities always use all N.

    Returns:
        (classes, latent_dim), each row one of `means`.

    Raises:
        ValueError: if the shapes do not match or a class is missing.
    """
    means, labels = _check_labelled(means, labels, classes)
    one_hot = torch.nn.functional.one_hot(labels, classes).float()  # (N, classes)
    scaled = means / window_bandwidth(means)  # (N, latent_dim)
    halves = scaled.square().sum(1) / 2  # (N,)
    prototypes = []
    for label in range(classes):
        own = (labels == label).nonzero().squeeze(1)  # (M,) indices
        tried = own[:: math.ceil(len(own) / candidates)]  # (T,) indices
        scores = []
        for batch in tried.split(25):  # so few that (25, N) fits into the processor's cache
            # -|a - b|^2 / 2 = a.b - |a|^2 / 2 - |b|^2 / 2
            exponent = torch.addmm(-halves, scaled[batch], scaled.T) - halves[batch, None]
            density = exponent.exp_() @ one_hot  # (25, classes)
            scores.append(density[:, label].square() / density.sum(1))
        prototypes.append(means[tried[torch.cat(scores).argmax()]])
    return torch.stack(prototypes)


def neighbourhood(
    z: Tensor, tree: cKDTree, labels: Tensor, neighbours: int = NEIGHBOURS, radius: float = RADIUS
) -> Neighbourhood:
    """The encodings around each position: their classes, their number, the nearest of them.

    The shares are the k-nearest-neighbour estimate of the class probabilities (k = `neighbours`).
    They are defined even far from all data, so read them together with `within`.

    Args:
        z: (N, latent_dim). tree: of the M means. labels: (M,) integers 0 ... C - 1, at least one
            of them C - 1.
        radius: in units of the prior's standard deviation.
    """
    positions, k = z.double().numpy(), min(neighbours, tree.n)
    search = _search_tree if tree.m <= TREE_DIMENSIONS else _search_all
    distances, indices, within = search(positions, tree, k, radius)  # (N, k) twice, (N,)
    votes = torch.nn.functional.one_hot(labels[indices], int(labels.max()) + 1)  # (N, k, C)
    return Neighbourhood(votes.float().mean(1), within, distances[:, 0].float(), indices)


def _search_tree(
    positions: np.ndarray, tree: cKDTree, k: int, radius: float
) -> tuple[Tensor, Tensor, Tensor]:
    distances, indices = map(torch.from_numpy, tree.query(positions, k=np.arange(1, k + 1)))
    within = tree.query_ball_point(positions, radius, return_length=True)
    return distances, indices, torch.from_numpy(within)


def _search_all(
    positions: np.ndarray, tree: cKDTree, k: int, radius: float
) -> tuple[Tensor, Tensor, Tensor]:
    points = torch.from_numpy(tree.data)  # (M, latent_dim)
    parts = []
    for z in torch.from_numpy(positions).split(BATCH):
        distances = torch.cdist(z, points)  # (B, M)
        nearest = distances.topk(k, largest=False)
        parts.append((nearest.values, nearest.indices, (distances <= radius).sum(1)))
    distances, indices, within = map(torch.cat, zip(*parts, strict=True))
    return distances, indices, within


@torch.inference_mode()
def semantic_directions(anchors: Tensor, start: Tensor | None = None) -> Directions:
    """The direction and distance from each start to each class.

    Args:
        anchors: (C, latent_dim), from `digit_centroids` or `digit_prototypes`.
        start: (N, latent_dim) positions; by default the anchors themselves.

    Returns:
        Directions; `directions[n, c]` has length 1 and points from start n to anchor c, and
        `start[n] + distances[n, c] * directions[n, c]` is `anchors[c]`.
    """
    origin = anchors if start is None else start
    difference = anchors[None, :] - origin[:, None]  # (N, C, latent_dim)
    distances = difference.norm(dim=-1)  # (N, C)
    safe = distances.clamp_min(torch.finfo(anchors.dtype).tiny)
    return Directions(difference / safe[..., None], distances)


def check_pair(start: Tensor, end: Tensor) -> None:
    """Make sure that two positions are finite vectors of the same length.

    Raises:
        ValueError: if they are not.
    """
    if start.ndim != 1 or start.shape != end.shape:
        raise ValueError(
            f"positions have shapes {tuple(start.shape)} and {tuple(end.shape)}; "
            "give two vectors of the same length"
        )
    if not (start.isfinite().all() and end.isfinite().all()):
        raise ValueError(f"positions must be finite: {start.tolist()} and {end.tolist()}")


def check_steps(steps: int) -> None:
    """Make sure that a number of steps is an integer of at least 2.

    Raises:
        ValueError: if it is not.
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 2:
        raise ValueError(f"steps is {steps!r}; give a whole number of at least 2")


def morph_toward(z: Tensor, target: Tensor, amount: float) -> Tensor:
    """(1 - amount) * z + amount * target.

    Args:
        z, target: (latent_dim,). amount: in [0, 1]; 0 gives exactly z, 1 exactly target.

    Returns:
        (latent_dim,).

    Raises:
        ValueError: if the shapes differ, a number is not finite or amount is outside [0, 1].
    """
    check_pair(z, target)
    if isinstance(amount, bool) or not 0 <= amount <= 1:
        raise ValueError(f"amount is {amount!r}; give a number between 0 and 1")
    return torch.lerp(z, target, float(amount))


def linear_interpolation(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Evenly spaced positions on the straight line from start to end.

    Args:
        start, end: (latent_dim,). steps: number of positions, both ends included; at least 2.

    Returns:
        (steps, latent_dim); the first row is exactly start and the last exactly end.

    Raises:
        ValueError: if the shapes differ, a number is not finite or steps is below 2.
    """
    check_pair(start, end)
    check_steps(steps)
    t = torch.linspace(0, 1, steps, dtype=start.dtype)[:, None]  # (steps, 1)
    path = torch.lerp(start, end, t)
    # Rounding errors of t would move the ends.
    path[0], path[-1] = start, end
    return path


def spherical_interpolation(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Positions on the shorter arc around the origin from start to end, evenly spaced in angle.

    Slerp (Shoemake 1985; in latent spaces: White 2016, Sampling Generative Networks) is defined
    for unit vectors. For ends of different norm its formula leaves the arc, and it diverges as the
    ends become antipodal. Here slerp gives the direction, and the radius is interpolated linearly,
    so that every radius lies between those of the ends. Where an arc is undefined or ambiguous
    (an end within MIN_ARC of the origin, or an angle within MIN_ARC of 0 or pi radians), the path
    is the straight line.

    Args:
        start, end: (latent_dim,). steps: number of positions, both ends included; at least 2.

    Returns:
        (steps, latent_dim); the first row is exactly start and the last exactly end.

    Raises:
        ValueError: if the shapes differ, a number is not finite or steps is below 2.
    """
    straight = linear_interpolation(start, end, steps)  # (steps, latent_dim)
    a, b = start.double(), end.double()
    r_a, r_b = a.norm(), b.norm()
    if min(r_a, r_b) < MIN_ARC:
        return straight
    u_a, u_b = a / r_a, b / r_b
    # Stable at all angles; acos of the dot product loses half its digits near 0 and pi.
    angle = 2 * torch.atan2((u_a - u_b).norm(), (u_a + u_b).norm())
    if min(angle, math.pi - angle) < MIN_ARC:
        return straight
    t = torch.linspace(0, 1, steps, dtype=torch.float64)[:, None]  # (steps, 1)
    direction = (((1 - t) * angle).sin() * u_a + (t * angle).sin() * u_b) / angle.sin()
    path: Tensor = ((1 - t) * r_a + t * r_b) * direction  # (steps, latent_dim)
    path = path.to(start.dtype)
    path[0], path[-1] = start, end
    return path
