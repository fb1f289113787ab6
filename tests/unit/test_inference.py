"""What the model makes of pictures, and what is said to be known: against other computations."""

import base64
import io
import json
import math

import numpy as np
import pytest
import torch
from PIL import Image

from latent_navigator.explorer.inference import Reader
from latent_navigator.explorer.map_layers import aggregate_posterior, gaps_layer, round_trips
from latent_utils import RADIUS
from neural_network import vae_loss


@pytest.fixture(scope="module")
def reader(navigator):
    return Reader(navigator)


def unpack(text):
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, 28, 28)


def file_of(picture):
    held = io.BytesIO()
    Image.fromarray(picture, "L").save(held, "PNG")
    return base64.b64encode(held.getvalue()).decode()


def test_test_digits_land_where_the_checkpoint_says(reader, released):
    for index in range(0, 10_000, 499):
        answer = reader.test_digit(index)
        np.testing.assert_allclose(answer["mu"], released.means[index], atol=1e-4)
        sigma = (released.logvars[index] / 2).exp()
        np.testing.assert_allclose(answer["sigma"], sigma, rtol=1e-3)
        assert answer["title"] == f"Test digit {index}, labelled {released.labels[index]}"
        np.testing.assert_array_equal(unpack(answer["pixels"])[0], released.pictures[index])
    json.dumps(answer, allow_nan=False)


def test_the_pictures_of_the_checkpoint_are_those_of_mnist(released, digits):
    """Those that ship with the tests are among them, with the same labels."""
    known = {picture.numpy().tobytes(): i for i, picture in enumerate(released.pictures)}
    found = [known[picture.numpy().tobytes()] for picture in digits.test_images]
    assert torch.equal(released.labels[found], digits.test_labels)


@pytest.mark.guarantee("preprocessing")
def test_reconstruction_and_kl_are_those_of_the_loss(reader, released):
    model = released.build_model()
    for index in (3, 77, 4242):
        answer = reader.test_digit(index)
        x = released.pictures[index][None, None].float() / 255
        with torch.inference_mode():
            mu, logvar = model.encode(x)
            loss = vae_loss(model.decoder(mu), x, mu, logvar, beta=1.0)
            decoded = (model.decode(mu)[0, 0] * 255).round().byte().numpy()
        assert answer["recon"] == pytest.approx(float(loss.recon), rel=1e-4)
        assert answer["kl"] == pytest.approx(float(loss.kl), rel=1e-4)
        assert np.abs(unpack(answer["decoded"])[0].astype(int) - decoded).max() <= 1
        assert len(unpack(answer["samples"])) == 6


def test_the_ellipses_hold_as_many_draws_as_those_of_a_gaussian(reader):
    """1 and 2 sigma of two dimensions hold 39.3 % and 86.5 % of the posterior."""
    answer = reader.test_digit(1234)
    mu, sigma = torch.tensor(answer["mu"]), torch.tensor(answer["sigma"])
    draws = mu + sigma * torch.randn(100_000, 2, generator=torch.Generator().manual_seed(1))
    out = ((draws - mu) / sigma).norm(dim=1)
    for k in (1, 2):
        assert float((out <= k).float().mean()) == pytest.approx(1 - math.exp(-k * k / 2), abs=0.01)


def test_the_nearest_digits_are_the_nearest(reader, navigator, released):
    answer = reader.test_digit(500)
    gaps = (released.means - torch.tensor(answer["mu"])).norm(dim=1)
    gaps[500] = math.inf
    expected = gaps.topk(6, largest=False).values
    chosen = [digit["index"] for digit in answer["nearest"]["digits"]]
    torch.testing.assert_close(gaps[chosen], expected)
    np.testing.assert_array_equal(
        unpack(answer["nearest"]["pixels"]), released.pictures[chosen].numpy()
    )
    for digit in answer["nearest"]["digits"]:
        i = digit["index"]
        assert [digit["x"], digit["y"]] == released.means[i].tolist()
        assert digit["name"] == str(int(released.labels[i]))


@pytest.mark.guarantee("preprocessing")
def test_a_drawn_digit_is_read(reader, released):
    seven = int((released.labels == 7).nonzero()[5])
    big = np.kron(released.pictures[seven].numpy(), np.ones((10, 10), np.uint8))
    answer = reader.drawn(file_of(big))
    assert answer["title"] == "Your picture"
    assert math.dist(answer["mu"], released.means[seven].tolist()) < 0.4
    assert "among the 7s" in answer["message"]


def test_what_the_model_cannot_draw_is_said(reader):
    cross = np.zeros((280, 280), np.uint8)
    cross[20:260:40], cross[:, 20:260:40] = 255, 255
    assert "the model cannot draw this" in reader.drawn(file_of(cross))["message"]


@pytest.mark.parametrize(
    "data",
    [None, 3, [], {}, "", "%%%", "aGVsbG8=", base64.b64encode(b"<svg></svg>").decode(), "é"],
)
def test_what_is_no_picture_is_refused(reader, data):
    with pytest.raises(ValueError) as caught:
        reader.drawn(data)
    assert len(str(caught.value)) > 20 and "Traceback" not in str(caught.value)


def test_a_blank_picture_gets_a_sentence_that_helps(reader):
    with pytest.raises(ValueError, match="[Nn]othing"):
        reader.drawn(file_of(np.zeros((280, 280), np.uint8)))


@pytest.mark.parametrize("index", [-1, 10_000, 1.5, True, None, "3", math.nan])
def test_unknown_test_digits_are_named(reader, index):
    with pytest.raises(ValueError, match="index is"):
        reader.test_digit(index)


# --- what is known at the cursor ---


def test_look_tells_entropy_neighbours_and_the_round_trip(navigator, released):
    model = released.build_model()
    for x, y in ((0.0, 0.0), (1.2, -0.7), (-4.0, 4.0)):
        answer = navigator.look(x, y)
        gaps = (released.means.double() - torch.tensor([x, y]).double()).norm(dim=1)
        nearest = gaps.argsort()[:50]
        shares = released.labels[nearest].bincount(minlength=10) / 50
        np.testing.assert_allclose(answer["shares"], shares, atol=0.021)
        told = np.array(answer["shares"])
        bits = -sum(p * math.log2(p) for p in told if p > 0)
        assert answer["entropy"] == pytest.approx(bits, abs=1e-4)
        shown = [digit["index"] for digit in answer["nearest"]["digits"]]
        torch.testing.assert_close(gaps[shown], gaps[nearest[:6]], atol=1e-5, rtol=0)
        picture = torch.from_numpy(unpack(answer["pixels"]).astype(np.float32) / 255)
        with torch.inference_mode():
            mu, _ = model.encode(picture[None])
        np.testing.assert_allclose(answer["round_trip"], mu[0], atol=1e-4)


def test_the_aggregate_posterior_is_the_mean_of_all(released):
    axis = torch.linspace(-4.5, 4.5, 9)
    found = aggregate_posterior(released.means, released.logvars, axis)
    sigma = (released.logvars / 2).exp()
    for row in (3, 4, 6):
        for column in (2, 4, 5):
            z = torch.stack([axis[column], axis[row]])
            exponent = -((z - released.means) / sigma).square().sum(1) / 2
            each = exponent.exp() / (2 * math.pi * sigma.prod(1))
            assert float(found[row, column]) == pytest.approx(float(each.mean()), rel=1e-3)


def test_it_integrates_to_one(released):
    axis = torch.linspace(-6, 6, 1201)
    density = aggregate_posterior(released.means, released.logvars, axis)
    assert float(density.sum()) * 0.01**2 == pytest.approx(1, abs=0.01)


def test_gaps_are_where_the_prior_is_greater(navigator, released):
    layer = gaps_layer(navigator)
    side = layer["side"]
    cells = np.frombuffer(base64.b64decode(layer["strength"]), np.uint8).reshape(side, side)
    middle = ((torch.arange(side) + 0.5) / side * 2 - 1) * navigator.range
    density = aggregate_posterior(released.means, released.logvars, middle)
    seen = set()
    for row in range(4, side, 7):
        for column in range(4, side, 7):
            x, y = float(middle[column]), float(-middle[row])  # the first row is the top
            prior = math.exp(-(x * x + y * y) / 2) / (2 * math.pi)
            q = float(density[side - 1 - row, column])
            cell = int(cells[row, column])
            if max(prior, q) * math.pi * RADIUS**2 * 10_000 < 1:
                assert cell == 0
                continue
            expected = 128 + 127 * min(1, max(-1, math.log(prior / q) / math.log(16)))
            assert cell == pytest.approx(expected, abs=1)
            seen.add(cell > 128)
    assert seen == {True, False}


def test_round_trips_come_back_to_where_digits_are(navigator, released):
    trips = round_trips(navigator)
    start, end = np.array(trips["from"]), np.array(trips["to"])
    assert start.shape == end.shape and len(start) == 24**2
    i = 300
    answer = navigator.look(*start[i])
    np.testing.assert_allclose(answer["round_trip"], end[i], atol=1e-3)
    moved = np.linalg.norm(end - start, axis=1)
    gaps = torch.cdist(torch.tensor(start).float(), released.means).min(1).values.numpy()
    assert np.median(moved[gaps > 1]) > 3 * np.median(moved[gaps < 0.05])
