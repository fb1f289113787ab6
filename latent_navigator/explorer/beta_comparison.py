"""What beta buys and costs: two models of the same test images, side by side.

beta weighs the KL divergence in the loss. A small one leaves the encoder's clouds q(z|x) small:
each image is reconstructed well, and samples of the prior often fall into the gaps between clouds.
"""

import hashlib
from typing import Any

import numpy as np
import torch

from latent_navigator.explorer.inference import errors_by_image, reconstruction_errors
from latent_navigator.explorer.latent_space import LatentSpace, percent
from latent_navigator.explorer.packed import pack
from latent_navigator.explorer.posteriors import (
    REACH,
    cloud_sample,
    clouds,
    covered,
    posterior_widths,
)
from latent_navigator.explorer.reconstructions import ranked
from latent_utils import RADIUS

SAMPLES = 10_000  # of the prior
MEDIAN = 0.5


def comparison_name(replay: str, other: str) -> str:
    """20 hexadecimal digits that differ for comparisons that differ but in the label.

    Args:
        replay, other: `replay_hash` of both models.
    """
    return hashlib.sha256((replay + other).encode()).hexdigest()[:20]


def comparison_file(space: LatentSpace, other: LatentSpace, label: str) -> bytes:
    """The comparison of two models as a file; see `compare_models`."""
    return pack(compare_models(space, other, label))


def compare_models(space: LatentSpace, other: LatentSpace, label: str) -> dict[str, Any]:
    """Both models on the same test digits, prior samples and clouds.

    Args:
        other: a model with the same test images. label: its name.

    Returns:
        {"models": the figures of both (see `figures`), with their "label" and "beta",
        "verdict": a sentence, "samples", "radius", "reach", "indices": C test images, one of each
        class, "nats": two lists of C, "originals": (C, 28, 28) uint8, "images":
        (2, C, 28, 28) uint8, decoded at their means, "clouds": (2, K, 4) float32, mu and sigma of
        K test images, "cloud_labels": (K,) uint8}.

    Raises:
        ValueError: if the test images differ.
    """
    if not torch.equal(space.images, other.images):
        raise ValueError(f"{label} has different test images; compare models of one data set")
    both = (space, other)
    indices = ranked(space, MEDIAN)
    shown = cloud_sample(len(space.means))
    models = [
        {"label": name, "beta": float(some.checkpoint.history[-1]["beta"])} | figures(some)
        for name, some in zip((space.checkpoint.label, label), both, strict=True)
    ]
    images = space.images[indices]
    return {
        "models": models,
        "verdict": verdict(models, space.info.item),
        "samples": SAMPLES,
        "radius": RADIUS,
        "reach": REACH,
        "indices": indices.tolist(),
        "nats": [reconstruction_errors(s, images, s.means[indices]).tolist() for s in both],
        "originals": images.numpy(),
        "images": np.stack([s.decode_images(s.means[indices]) for s in both]),
        "clouds": np.stack([clouds(s, shown).numpy() for s in both]),
        "cloud_labels": space.labels[shown].byte().numpy(),
    }


def figures(space: LatentSpace) -> dict[str, float]:
    """What beta changes in a model, on its test images; errors in nats per image.

    Returns:
        {"recon", "kl": of the last epoch, where each image is decoded at a draw from its cloud,
        "recon_at_mean": where it is decoded at the cloud's mean, "near": the share of prior
        samples within RADIUS of an encoded test image, "width": the median sigma of the clouds,
        "covered": the median number of other encoded test images within a cloud}.
    """
    final = space.checkpoint.history[-1]
    return {
        "recon": float(final["test_recon"]),
        "kl": float(final["test_kl"]),
        "recon_at_mean": float(space.once(errors_by_image).mean()),
        "near": share_near_data(space),
        "width": float(posterior_widths(space).median()),
        "covered": float(covered(space, cloud_sample(len(space.means))).median()),
    }


def share_near_data(space: LatentSpace, samples: int = SAMPLES, seed: int = 0) -> float:
    """The share of draws from the prior that have an encoded test image within RADIUS."""
    z = torch.randn(samples, 2, generator=torch.Generator().manual_seed(seed))
    distances, _ = space.tree.query(z.numpy())
    return float(np.mean(distances <= RADIUS))


def verdict(models: list[dict[str, Any]], item: str) -> str:
    """One sentence on what the larger beta costs and buys, as the figures have it."""
    low, high = sorted(models, key=lambda model: model["beta"])
    figures = (
        f"its reconstruction error is {high['recon']:.1f} instead of {low['recon']:.1f} nats per "
        f"{item}, and {percent(high['near'])} instead of {percent(low['near'])} of the samples "
        f"from the prior land within {RADIUS:g} of an encoded test {item}."
    )
    change = f"Compared with {low['label']}, {high['label']}"
    if high["beta"] == low["beta"]:
        return f"{change} has the same beta; {figures}"
    if high["recon"] > low["recon"] and high["near"] > low["near"]:
        return f"{change} reconstructs worse but samples better: {figures}"
    return f"{change} has the larger beta; {figures}"
