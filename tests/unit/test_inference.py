"""Inference, round trips and the computed layers, against independent computations."""

import base64
import io
import json
import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.explorer.inference import (
    MAX_POINTS,
    infer_drawing,
    infer_test_image,
    infer_upload,
    reconstruction_errors,
)
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.layer_fields import aggregate_posterior, prior_vs_data, round_trips
from latent_navigator.explorer.readout import decode_position
from latent_utils import RADIUS
from neural_network import vae_loss


def unpack(text: str) -> NDArray[np.uint8]:
    """base64 -> images (N, 28, 28)."""
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, 28, 28)


def file_of(image: NDArray[np.uint8]) -> str:
    """A PNG file in base64."""
    file = io.BytesIO()
    Image.fromarray(image, "L").save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def test_test_images_are_encoded_as_in_the_checkpoint(
    trained_space: LatentSpace, trained: Checkpoint
) -> None:
    for index in range(0, 10_000, 499):
        answer = infer_test_image(trained_space, index)
        np.testing.assert_allclose(answer["mu"], trained.means[index], atol=1e-4)
        sigma = (trained.logvars[index] / 2).exp()
        np.testing.assert_allclose(answer["sigma"], sigma, rtol=1e-3)
        assert answer["title"] == f"Test digit {index}, labelled {trained.labels[index]}"
        np.testing.assert_array_equal(unpack(answer["pixels"])[0], trained.images[index])
    json.dumps(answer, allow_nan=False)


def test_the_images_of_the_checkpoint_are_those_of_mnist(
    released: Checkpoint, digits: LabelledImages
) -> None:
    """The digits that ship with the tests are among them, with the same labels."""
    indices = {image.numpy().tobytes(): i for i, image in enumerate(released.images)}
    found = [indices[image.numpy().tobytes()] for image in digits.test_images]
    assert torch.equal(released.labels[found], digits.test_labels)


@pytest.mark.guarantee("preprocessing")
def test_reconstruction_and_kl_are_those_of_the_loss(
    trained_space: LatentSpace, trained: Checkpoint
) -> None:
    model = trained.build_model()
    for index in (3, 77, 4242):
        answer = infer_test_image(trained_space, index)
        x = trained.images[index][None, None].float() / 255
        with torch.inference_mode():
            mu, logvar = model.encode(x)
            loss = vae_loss(model.decoder(mu), x, mu, logvar, beta=1.0)
        assert answer["recon"] == pytest.approx(float(loss.recon), rel=1e-4)
        assert answer["kl"] == pytest.approx(float(loss.kl), rel=1e-4)


def test_the_samples_are_of_the_posterior(trained_space: LatentSpace) -> None:
    """They are mu + eps sigma, with the same eight draws eps of N(0, I) for every image."""
    latent_dim = trained_space.model.config.latent_dim
    eps = torch.randn(8, latent_dim, generator=torch.Generator().manual_seed(0)).numpy()
    for index in range(0, 10_000, 999):
        answer = infer_test_image(trained_space, index)
        samples, mu, sigma = (np.array(answer[name]) for name in ("samples", "mu", "sigma"))
        np.testing.assert_allclose(samples, mu + eps * sigma, atol=1e-5)


def test_the_ellipses_contain_the_expected_share_of_samples(trained_space: LatentSpace) -> None:
    """1 and 2 sigma contain 39.3 % and 86.5 % of a posterior in any two dimensions."""
    answer = infer_test_image(trained_space, 1234)
    mu, sigma = torch.tensor(answer["mu"])[:2], torch.tensor(answer["sigma"])[:2]
    draws = mu + sigma * torch.randn(100_000, 2, generator=torch.Generator().manual_seed(1))
    radius = ((draws - mu) / sigma).norm(dim=1)
    for k in (1, 2):
        assert float((radius <= k).float().mean()) == pytest.approx(
            1 - math.exp(-k * k / 2), abs=0.01
        )


def test_the_nearest_images_are_the_nearest(
    trained_space: LatentSpace, trained: Checkpoint
) -> None:
    answer = infer_test_image(trained_space, 500)
    distances = (trained.means - torch.tensor(answer["mu"])).norm(dim=1)
    distances[500] = math.inf
    expected = distances.topk(6, largest=False).values
    torch.testing.assert_close(distances[answer["nearest"]], expected)


@pytest.mark.guarantee("preprocessing")
def test_a_drawn_digit_is_recognised(trained_space: LatentSpace, trained: Checkpoint) -> None:
    seven = int((trained.labels == 7).nonzero()[5])
    large = np.kron(trained.images[seven].numpy(), np.ones((10, 10), np.uint8))
    answer = infer_upload(trained_space, file_of(large))
    assert answer["title"] == "Your image"
    assert math.dist(answer["mu"], trained.means[seven].tolist()) < 0.4
    assert "among the 7s" in answer["message"]


SEVEN = [[[70, 60], [205, 60], [120, 235]]]
ONE = [[[140, 40], [140, 240]]]


def test_strokes_are_read_as_the_digit_that_they_show(trained_space: LatentSpace) -> None:
    assert "among the 7s" in infer_drawing(trained_space, SEVEN)["message"]
    assert "among the 1s" in infer_drawing(trained_space, ONE)["message"]


def test_a_tap_is_a_dot(trained_space: LatentSpace) -> None:
    dot = unpack(infer_drawing(trained_space, [[[140, 140]]])["pixels"])[0]
    assert 250 < (dot > 127).sum() < 350  # a disc with a diameter of 20 pixels has 314


def test_ink_beyond_the_edge_of_the_pad_is_cut_off(trained_space: LatentSpace) -> None:
    whole = infer_drawing(trained_space, [*ONE, [[-24, -24], [-24, 304]]])
    assert whole == infer_drawing(trained_space, ONE)


@pytest.mark.parametrize(
    ("strokes", "message"),
    [
        ([], "blank"),
        ([[]], "blank"),
        ([[[-20, 5]]], "blank"),
        (None, "strokes is None"),
        ("7", "strokes is '7'"),
        ([3], "give lists of points"),
        ([[3]], "a point is 3"),
        ([[[1, 2, 3]]], "a point is"),
        ([[["1", 2]]], "x is '1'"),
        ([[[1, math.nan]]], "y is nan"),
        ([[[1, 400]]], "y is 400; give a number from -24 to 304"),
        ([[[1, 1]] * 3000, [[2, 2]] * 2001], f"at most {MAX_POINTS}"),
    ],
)
def test_what_is_no_drawing_is_explained(
    trained_space: LatentSpace, strokes: object, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        infer_drawing(trained_space, strokes)


def test_an_image_that_the_model_cannot_draw_is_reported(trained_space: LatentSpace) -> None:
    errors = reconstruction_errors(trained_space, trained_space.images, trained_space.means)
    hundredth = int(errors.topk(100).indices[-1])  # from the worst: the 99th percentile
    assert (
        "the model cannot reproduce this image"
        in infer_test_image(trained_space, hundredth)["message"]
    )


def test_what_looks_like_no_test_digit_is_said_to_look_like_none(
    trained_space: LatentSpace,
) -> None:
    """Above the 99.9th percentile of the test digits' own errors, and only there."""
    said = "does not look like any digit that the model has learnt"
    block = np.zeros((280, 280), np.uint8)
    block[20:260, 20:260] = 255  # a solid block: far from any digit
    assert said in infer_upload(trained_space, file_of(block))["message"]
    messages = [infer_test_image(trained_space, i)["message"] for i in range(0, 10_000, 100)]
    assert sum(said in message for message in messages) <= 1


def test_a_crop_is_answered_and_can_be_given_back(trained_space: LatentSpace) -> None:
    bar = np.zeros((280, 280), np.uint8)
    bar[70:210, 126:154] = 255
    answer = infer_upload(trained_space, file_of(bar))
    assert answer["crop"] == [126 / 280, 0.25, 154 / 280, 0.75]
    assert infer_upload(trained_space, file_of(bar), answer["crop"]) == answer
    half = infer_upload(trained_space, file_of(bar), [0, 0, 1, 0.5])
    assert half["crop"] == [126 / 280, 0.25, 154 / 280, 0.5]


@pytest.mark.parametrize(
    "crop", [3, "0011", [], [0, 0, 1], [0, 0, 1, "1"], [0, 0, 0, 1], [0, 0, 2, 1], [0, 0, 1, True]]
)
def test_what_is_no_crop_is_rejected(trained_space: LatentSpace, crop: object) -> None:
    bar = np.zeros((280, 280), np.uint8)
    bar[70:210, 126:154] = 255
    with pytest.raises(ValueError, match=r"crop is .*give"):
        infer_upload(trained_space, file_of(bar), crop)


@pytest.mark.parametrize(
    "data",
    [None, 3, [], {}, "", "%%%", "aGVsbG8=", base64.b64encode(b"<svg></svg>").decode(), "é"],
)
def test_data_that_is_not_an_image_is_rejected(trained_space: LatentSpace, data: object) -> None:
    with pytest.raises(ValueError, match="image") as caught:
        infer_upload(trained_space, data)
    assert len(str(caught.value)) > 20
    assert "Traceback" not in str(caught.value)


def test_a_blank_image_is_explained(trained_space: LatentSpace) -> None:
    with pytest.raises(ValueError, match="The image is blank"):
        infer_upload(trained_space, file_of(np.zeros((280, 280), np.uint8)))


@pytest.mark.parametrize("index", [-1, 10_000, 1.5, True, None, "3", math.nan])
def test_unknown_test_images_are_named(trained_space: LatentSpace, index: object) -> None:
    with pytest.raises(ValueError, match="index is"):
        infer_test_image(trained_space, index)


# --- round trips and layers ---


def test_the_round_trip_encodes_the_decoded_image(
    trained_space: LatentSpace, trained: Checkpoint
) -> None:
    model = trained.build_model()
    for x, y in ((0.0, 0.0), (1.2, -0.7), (-4.0, 4.0)):
        answer = decode_position(trained_space, x, y)
        image = torch.from_numpy(unpack(answer["pixels"]).astype(np.float32) / 255)
        with torch.inference_mode():
            mu, _ = model.encode(image[None])
        np.testing.assert_allclose(answer["round_trip"], mu[0], atol=1e-4)


def test_the_aggregate_posterior_is_the_mean_of_all_posteriors(released: Checkpoint) -> None:
    axis = torch.linspace(-4.5, 4.5, 9)
    found = aggregate_posterior(released.means, released.logvars, axis)
    sigma = (released.logvars / 2).exp()
    for row in (3, 4, 6):
        for column in (2, 4, 5):
            z = torch.stack([axis[column], axis[row]])
            exponent = -((z - released.means) / sigma).square().sum(1) / 2
            densities = exponent.exp() / (2 * math.pi * sigma.prod(1))
            assert float(found[row, column]) == pytest.approx(float(densities.mean()), rel=1e-3)


@pytest.mark.slow
def test_the_aggregate_posterior_integrates_to_one(released: Checkpoint) -> None:
    axis = torch.linspace(-6, 6, 1201)
    density = aggregate_posterior(released.means, released.logvars, axis)
    assert float(density.sum()) * 0.01**2 == pytest.approx(1, abs=0.01)


def test_prior_vs_data_is_high_where_the_prior_is_greater(
    space: LatentSpace, released: Checkpoint
) -> None:
    """A layer of two dimensions alone: see `MapLayer.flat`."""
    layer = prior_vs_data(space, space.plane)
    side = layer["side"]
    cells = layer["strength"].reshape(side, side)
    centres = ((torch.arange(side) + 0.5) / side * 2 - 1) * space.range
    density = aggregate_posterior(released.means, released.logvars, centres)
    signs = set()
    for row in range(4, side, 7):
        for column in range(4, side, 7):
            x, y = float(centres[column]), float(-centres[row])  # the first row is the top
            prior = math.exp(-(x * x + y * y) / 2) / (2 * math.pi)
            q = float(density[side - 1 - row, column])
            cell = int(cells[row, column])
            if max(prior, q) * math.pi * RADIUS**2 * 10_000 < 1:
                assert cell == 0
                continue
            expected = 128 + 127 * min(1, max(-1, math.log(prior / q) / math.log(16)))
            assert cell == pytest.approx(expected, abs=1)
            signs.add(cell > 128)
    assert signs == {True, False}


def test_round_trips_are_shorter_where_the_data_is(
    space: LatentSpace, released: Checkpoint
) -> None:
    """Of two dimensions: hardly any data lies in a plane through more, and all trips leave it."""
    trips = round_trips(space, space.plane)
    start, end = np.array(trips["from"]), np.array(trips["to"])
    assert start.shape == end.shape
    assert len(start) == 24**2
    i = 300
    answer = decode_position(space, *start[i].tolist())
    np.testing.assert_allclose(answer["round_trip"], end[i], atol=1e-3)
    moved = np.linalg.norm(end - start, axis=1)
    nearest = torch.cdist(torch.tensor(start).float(), released.means).min(1).values.numpy()
    assert np.median(moved[nearest > 1]) > 3 * np.median(moved[nearest < 0.05])
