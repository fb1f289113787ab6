"""What beta buys and costs, and how wide the clouds are, against independent computations."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.explorer.beta_comparison import (
    SAMPLES,
    compare_models,
    share_near_data,
    verdict,
)
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.layer_fields import WIDTH_CELLS, posterior_width
from latent_navigator.explorer.posteriors import REACH, cloud_sample, posterior_widths, width_field
from latent_navigator.explorer.reconstructions import best_and_worst, ranked
from latent_utils import RADIUS
from neural_network import vae_loss
from tests.fixtures import ROOT

NARROWER = 4.0  # of the other model's log-variances


@pytest.fixture(scope="module")
def own(small_checkpoint: Checkpoint) -> LatentSpace:
    return LatentSpace(small_checkpoint)


@pytest.fixture(scope="module")
def other(small_checkpoint: Checkpoint) -> LatentSpace:
    """The same model with a smaller beta on record, narrower clouds and another decoder's bias."""
    last = small_checkpoint.history[-1] | {"beta": 0.5}
    weights = dict(small_checkpoint.weights)
    weights["decoder.out.bias"] = weights["decoder.out.bias"] - 0.5
    return LatentSpace(
        dataclasses.replace(
            small_checkpoint,
            history=[*small_checkpoint.history[:-1], last],
            logvars=small_checkpoint.logvars - NARROWER,
            weights=weights,
        )
    )


def cost(space: LatentSpace, index: int) -> float:
    """The reconstruction error of one test image at its mean, by the training's own loss."""
    x = space.images[index][None, None].float() / 255
    mu, logvar = space.means[index, None], space.checkpoint.logvars[index, None]
    with torch.inference_mode():
        return float(vae_loss(space.model.decoder(mu), x, mu, logvar, beta=1.0).recon)


def costs_of_class(space: LatentSpace, label: int) -> dict[int, float]:
    """The costs of a class's test images, by index, from the smallest."""
    members = [i for i, found in enumerate(space.labels.tolist()) if found == label]
    return dict(sorted(((i, cost(space, i)) for i in members), key=lambda item: item[1]))


def test_both_models_reconstruct_the_median_digit_of_each_class(
    own: LatentSpace, other: LatentSpace
) -> None:
    found = compare_models(own, other, "other")
    assert len(found["indices"]) == 10
    for label, index in enumerate(found["indices"]):
        costs = list(costs_of_class(own, label).values())
        below = sum(value < cost(own, index) - 1e-3 for value in costs)
        assert abs(below - (len(costs) - 1) / 2) <= 1
        assert int(own.labels[index]) == label
        np.testing.assert_array_equal(found["originals"][label], own.images[index].numpy())
    for k, space in enumerate((own, other)):
        expected = [cost(space, i) for i in found["indices"]]
        np.testing.assert_allclose(found["nats"][k], expected, rtol=1e-4)
        decoded = space.decode_images(space.means[found["indices"]])
        np.testing.assert_array_equal(found["images"][k], decoded)
    assert found["nats"][0] != found["nats"][1]
    json.dumps({k: v for k, v in found.items() if not isinstance(v, np.ndarray)}, allow_nan=False)


def test_figures_count_what_they_say(own: LatentSpace, other: LatentSpace) -> None:
    found = compare_models(own, other, "other")
    z = torch.randn(SAMPLES, 2, generator=torch.Generator().manual_seed(0)).double()
    near = torch.cdist(z, own.means.double()).amin(dim=1) <= RADIUS
    for model, space in zip(found["models"], (own, other), strict=True):
        assert model["near"] == pytest.approx(float(near.float().mean()), abs=2 / SAMPLES)
        sigma = (space.checkpoint.logvars / 2).exp()
        assert model["width"] == pytest.approx(float(sigma.prod(dim=1).sqrt().median()), rel=1e-4)
        counts = []
        for mu, own_sigma in zip(space.means, sigma, strict=True):
            offset = (space.means - mu) / own_sigma
            counts.append(int((offset.norm(dim=1) <= REACH).sum()) - 1)
        assert model["covered"] == float(torch.tensor(counts).median())
        assert model["recon"] == space.checkpoint.history[-1]["test_recon"]
        every = [cost(space, i) for i in range(len(space.means))]
        assert model["recon_at_mean"] == pytest.approx(sum(every) / len(every), rel=1e-4)
    wide, narrow = (np.median(some[:, 2:]) for some in found["clouds"])
    assert wide == pytest.approx(narrow * np.exp(NARROWER / 2), rel=1e-4)
    assert found["models"][0]["covered"] > found["models"][1]["covered"]


def test_the_share_near_data_is_the_published_one(space: LatentSpace) -> None:
    """benchmarks/prior.py measures it by other code."""
    published = json.loads((ROOT / "benchmarks/prior.json").read_text())
    shares = {model["label"]: model["samples_near_data"] for model in published["models"]}
    assert share_near_data(space) == pytest.approx(shares[space.checkpoint.label], abs=1e-6)


def model_of(beta: float, recon: float, near: float) -> dict[str, Any]:
    return {"label": f"beta {beta:g}", "beta": beta, "recon": recon, "near": near}


@pytest.mark.parametrize("swapped", [False, True])
def test_the_verdict_is_about_the_larger_beta(swapped: bool) -> None:
    models = [model_of(4, 130.44, 0.967), model_of(0.1, 125.88, 0.839)]
    assert verdict(models[::-1] if swapped else models, "digit") == (
        "Compared with beta 0.1, beta 4 reconstructs worse but samples better: its reconstruction "
        "error is 130.4 instead of 125.9 nats per digit, and 97 % instead of 84 % of the samples "
        "from the prior land within 0.1 of an encoded test digit."
    )


def test_the_verdict_claims_only_what_the_figures_show() -> None:
    worse = verdict([model_of(4, 130, 0.8), model_of(0.1, 126, 0.9)], "digit")
    assert worse.startswith("Compared with beta 0.1, beta 4 has the larger beta; its")
    same = verdict([model_of(4, 130, 0.8), model_of(4, 126, 0.7)], "digit")
    assert "has the same beta; its" in same


def test_only_models_of_the_same_test_images_are_compared(
    own: LatentSpace, other: LatentSpace
) -> None:
    flipped = dataclasses.replace(other.checkpoint, images=other.images.flip(2))
    with pytest.raises(
        ValueError, match="flipped has different test images; compare models of one"
    ):
        compare_models(own, LatentSpace(flipped), "flipped")


def test_the_best_and_the_worst_of_each_class(own: LatentSpace) -> None:
    found = best_and_worst(own)
    for label in range(10):
        costs = costs_of_class(own, label)
        for kind, expected in (("best", min(costs.values())), ("worst", max(costs.values()))):
            index = found[f"{kind}_indices"][label]
            assert int(own.labels[index]) == label
            assert costs[index] == pytest.approx(expected, rel=1e-5)
            assert found[f"{kind}_nats"][label] == pytest.approx(expected, rel=1e-5)
            original = own.images[index].numpy()
            np.testing.assert_array_equal(found[f"{kind}_originals"][label], original)
    with pytest.raises(ValueError, match=r"share is 1\.1; give a number in \[0, 1\]"):
        ranked(own, 1.1)


# --- the width of the clouds over the map ---


def expected_width(space: LatentSpace, z: Tensor) -> float:
    """A Gaussian-weighted mean, with the squared distances themselves."""
    squared = (space.means - z).double().square().sum(dim=1)
    weights = torch.exp(-squared / (2 * RADIUS**2))
    return float((weights * posterior_widths(space)).sum() / weights.sum())


def test_the_width_is_the_mean_of_the_clouds_nearby(own: LatentSpace) -> None:
    axis = torch.linspace(-2, 2, 41)
    field = width_field(own, axis)
    known = 0
    for row, y in enumerate(axis):
        for column, x in enumerate(axis):
            z = torch.stack([x, y])
            nearest = float((own.means - z).norm(dim=1).min())
            if abs(nearest - RADIUS) < 1e-5:
                continue
            width = float(field[row, column])
            if nearest > RADIUS:
                assert np.isnan(width)
            else:
                known += 1
                assert width == pytest.approx(expected_width(own, z), rel=1e-3)
    assert 20 < known < 41**2 - 20


def test_the_layer_is_logarithmic_and_empty_where_nothing_is_encoded(own: LatentSpace) -> None:
    data = posterior_width(own, own.plane)
    strength, least, most = data["strength"].reshape(data["side"], -1), data["least"], data["most"]
    middle = ((torch.arange(WIDTH_CELLS) + 0.5) / WIDTH_CELLS * 2 - 1) * own.range
    field = width_field(own, middle).flip(0).numpy()  # the first row is the top
    np.testing.assert_array_equal(strength == 0, np.isnan(field))
    shown = strength > 0
    widths = least * (most / least) ** ((strength[shown] - 1.0) / 254)
    clipped = field[shown].clip(least, most)
    np.testing.assert_allclose(widths, clipped, rtol=np.log(most / least) / 254)
    assert most > least > 0


def test_the_sample_of_clouds_is_even() -> None:
    assert cloud_sample(5, 10).tolist() == [0, 1, 2, 3, 4]
    assert cloud_sample(10, 4).tolist() == [0, 2, 5, 7]
