"""Inference: the posterior q(z|x) of a user's own image or a test image, and what it decodes to."""

import base64
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from latent_navigator.data.image_reader import read_image
from latent_navigator.data.preprocessing import Crop, preprocess, preprocess_crop
from latent_navigator.data.strokes import PAD, PEN, Stroke, draw_strokes
from latent_navigator.explorer.arguments import number, whole_number
from latent_navigator.explorer.directions import degrees
from latent_navigator.explorer.latent_space import LatentSpace, base64_of, percent
from latent_utils import NEIGHBOURS, kl_per_dimension

SAMPLES = 8  # of the posterior
SHOWN = 6  # nearest test images
POOR_FIT = 0.95  # of the test images: a reconstruction worse than theirs counts as failed
UNLIKE_ANY = 0.999  # of the test images: one that is worse still looks like none of them
MAX_POINTS = 5000  # of a drawing, which takes some seconds to draw by hand and 0.5 s to rasterise


def infer_upload(space: LatentSpace, data: object, crop: object = None) -> dict[str, Any]:
    """The posterior of an uploaded image; see `_infer`.

    Args:
        data: the file's bytes in base64; PNG, JPEG, GIF, WebP or BMP.
        crop: where the digit is: [left, top, right, bottom] as fractions of the upright image;
            found where it is None.

    Returns:
        Also "crop", the box of the ink that was encoded, in the same form.

    Raises:
        ValueError: if it cannot be read, or is empty; if the crop is not inside the image.
    """
    if not isinstance(data, str):
        raise ValueError(f"image is {data!r:.40}; give the bytes of a file in base64")
    try:
        file = base64.b64decode(data, validate=True)
    except ValueError:  # binascii.Error is one; text that is not ASCII raises another
        raise ValueError("the image is not valid base64; give the bytes of a file") from None
    found = preprocess_crop(read_image(file), _crop(crop), space.preparation)
    return {**_infer(space, found.pixels, "Your image"), "crop": list(found.crop)}


def infer_drawing(space: LatentSpace, strokes: object) -> dict[str, Any]:
    """The posterior of what was drawn on the pad; see `_infer`.

    Args:
        strokes: [[[x, y], ...], ...] in pixels of the pad, from its top left corner; up to PEN
            pixels beyond its edges.

    Raises:
        ValueError: if these are not strokes, or nothing is drawn.
    """
    image = draw_strokes(_strokes(strokes), space.preparation.ink)
    return _infer(space, preprocess(image, space.preparation), "Your image")


def _strokes(value: object) -> list[Stroke]:
    form = "give lists of points [x, y]"
    if not isinstance(value, list) or not all(isinstance(stroke, list) for stroke in value):
        raise ValueError(f"strokes is {value!r:.40}; {form}")
    count = sum(len(stroke) for stroke in value)
    if count > MAX_POINTS:
        raise ValueError(f"The drawing has {count} points; draw with at most {MAX_POINTS}.")

    def point(value: object) -> tuple[float, float]:
        if not isinstance(value, list) or len(value) != 2:
            raise ValueError(f"a point is {value!r:.40}; {form}")
        x, y = (number(name, side, -PEN, PAD + PEN) for name, side in zip("xy", value, strict=True))
        return x, y

    return [[point(found) for found in stroke] for stroke in value]


def _crop(value: object) -> Crop | None:
    """A crop from outside: its type; `preprocess_crop` checks its range."""
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise ValueError(f"crop is {value!r:.60}; give left, top, right and bottom")
    left, top, right, bottom = (number("crop", side, 0, 1) for side in value)
    return left, top, right, bottom


def infer_test_image(space: LatentSpace, index: object) -> dict[str, Any]:
    """The posterior of a test image, given by its index; see `_infer`.

    Raises:
        ValueError: if there is no such test image.
    """
    i = whole_number("index", index, 0, len(space.labels) - 1)
    name = space.class_names[int(space.labels[i])]
    title = f"Test {space.info.item} {i}, labelled {name}"
    return _infer(space, space.images[i].numpy(), title, exclude=i)


@torch.inference_mode()
def reconstruction_errors(space: LatentSpace, images: np.ndarray | Tensor, mu: Tensor) -> Tensor:
    """-log p(x|mu) of images (N, 28, 28) uint8 at mu (N, D), in nats; (N,)."""
    x = torch.as_tensor(images).float().flatten(1) / 255  # (N, 784)
    logits = space.model.decoder(mu).flatten(1)  # (N, 784)
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)


def errors_by_image(space: LatentSpace) -> Tensor:
    """(N,) the reconstruction error of every test image at its own mean, in their order."""
    parts = zip(space.images.split(500), space.means.split(500), strict=True)
    return torch.cat([reconstruction_errors(space, images, means) for images, means in parts])


def all_test_errors(space: LatentSpace) -> Tensor:
    """(N,) the reconstruction error of every test image at its own mean, sorted."""
    return space.once(errors_by_image).sort().values


@torch.inference_mode()
def _infer(
    space: LatentSpace, image: np.ndarray, title: str, exclude: int | None = None
) -> dict[str, Any]:
    """Everything about one image (28, 28) uint8; web/draw/reading.js shows it.

    The page decodes positions and has the test images, so both come as numbers.

    Args:
        exclude: index of a test image that is not listed among the nearest.

    Returns:
        {"title", "pixels": base64 of the image, one byte a pixel, "mu", "sigma": D numbers
        each, "recon", "kl": in nats, "samples": positions drawn from the posterior, "nearest": the
        indices of test images, "message": a sentence}; above two dimensions also those of
        `_in_many_dimensions`.
    """
    mu, logvar = space.encode(image[None])  # (1, D) each
    sigma = (logvar / 2).exp()
    recon = float(reconstruction_errors(space, image[None], mu))
    kl = float((mu.square() + logvar.exp() - logvar - 1).sum() / 2)
    eps = torch.randn(SAMPLES, space.latent_dim, generator=torch.Generator().manual_seed(0))
    around = space.around(mu)
    nearest = around.neighbours[0]
    nearest = nearest[nearest != exclude][:SHOWN] if exclude is not None else nearest[:SHOWN]
    return {
        "title": title,
        "pixels": base64_of(image),
        "mu": mu[0].tolist(),
        "sigma": sigma[0].tolist(),
        "recon": recon,
        "kl": kl,
        "samples": (mu + eps * sigma).tolist(),
        "nearest": nearest.tolist(),
        "message": _describe(space, mu[0], sigma[0], around.shares[0], recon),
        **({} if space.latent_dim == 2 else _in_many_dimensions(space, mu, logvar)),
    }


def _in_many_dimensions(space: LatentSpace, mu: Tensor, logvar: Tensor) -> dict[str, Any]:
    """What a map shows of a posterior, mu and logvar (1, D), of more than two dimensions.

    Returns:
        {"kl_of_dimensions": D numbers in nats, "xy": of its mean on the plane of the map,
        "distance": of its mean from the plane, "ellipse": {"sigma": [larger, smaller], "direction":
        of the larger in degrees}, one standard deviation of its projection}.
    """
    plane = space.plane
    covariance = (plane.axes * logvar.exp()) @ plane.axes.T  # (2, 2), A diag(sigma^2) A^T
    variances, vectors = torch.linalg.eigh(covariance.double())  # ascending
    return {
        "kl_of_dimensions": kl_per_dimension(mu, logvar).tolist(),
        "xy": plane.to_plane(mu)[0].tolist(),
        "distance": float(plane.distance(mu)),
        "ellipse": {
            "sigma": variances.clamp_min(0).sqrt().flip(0).tolist(),
            "direction": degrees(vectors[:, 1]),
        },
    }


def _describe(space: LatentSpace, mu: Tensor, sigma: Tensor, shares: Tensor, recon: float) -> str:
    first = int(shares.argmax())
    plural, items = space.plurals[first], space.info.items
    votes = round(float(shares[first]) * NEIGHBOURS)
    worse = float((space.once(all_test_errors) < recon).float().mean())
    off_map = "" if mu.abs().max() <= space.limit else " It lands beyond the edge of the map."
    fit = f"Its reconstruction error is higher than that of {percent(worse)} of the test {items}"
    if worse > UNLIKE_ANY:
        fit += f": the image does not look like any {space.info.item} that the model has learnt."
    else:
        fit += ": the model cannot reproduce this image." if worse > POOR_FIT else "."
    return (
        f"It lands among the {plural}: {votes} of the {NEIGHBOURS} nearest encoded {items} are "
        f"{plural}.{off_map} {_describe_sigma(space, sigma)}{fit}"
    )


def _describe_sigma(space: LatentSpace, sigma: Tensor) -> str:
    if space.latent_dim == 2:
        return ""  # the page shows it, to scale
    used = sigma[space.used]
    if len(used) == 1:
        width = f"{float(used[0]):.2f} in the one dimension that is used"
    else:
        spread = f"from {float(used.min()):.2f} to {float(used.max()):.2f}"
        width = f"{spread} in the {len(used)} dimensions that are used"
    return f"The encoder's uncertainty (posterior σ) is {width}. "
