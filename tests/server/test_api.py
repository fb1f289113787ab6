"""The named endpoints, called through gradio_client."""

import json

import numpy as np
import pytest
import torch
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image

from latent_navigator.checkpoint.checkpoint import Checkpoint
from tests.server.stand_ins import api_client


@pytest.fixture(scope="module")
def client(served: str) -> Client:
    return api_client(served)


def test_every_endpoint_is_named_and_described(client: Client) -> None:
    named = client.view_api(return_format="dict")["named_endpoints"]
    assert set(named) == {
        "/decode",
        "/random_sample",
        "/jump_to_digit",
        "/morph_toward",
        "/interpolate",
        "/attributes",
        "/digit_directions",
        "/nudge",
        "/models",
    }
    names = {
        endpoint: [p["parameter_name"] for p in description["parameters"]]
        for endpoint, description in named.items()
    }
    assert names == {
        "/models": [],
        "/decode": ["x", "y", "model"],
        "/random_sample": ["seed", "model"],
        "/jump_to_digit": ["digit", "anchor", "model"],
        "/morph_toward": ["x", "y", "digit", "amount", "model"],
        "/interpolate": ["start", "end", "method", "steps", "even", "model"],
        "/attributes": ["x", "y", "model"],
        "/digit_directions": ["x", "y", "model"],
        "/nudge": ["x", "y", "attribute", "sign", "model"],
    }
    assert all(description["description"] for description in named.values())


def test_decode_returns_the_decoders_image_as_png(client: Client, released: Checkpoint) -> None:
    path = client.predict(0.5, -1.25, api_name="/decode")
    with Image.open(path) as image:
        assert (image.format, image.size) == ("PNG", (28, 28))
        pixels = np.asarray(image.convert("L"))
    with torch.inference_mode():
        expected = released.build_model().decode(torch.tensor([[0.5, -1.25]]))
    np.testing.assert_array_equal(pixels, (expected[0, 0] * 255).round().byte().numpy())


def test_a_position_can_be_a_list(client: Client) -> None:
    images = []
    for arguments in ((0.5, -1.25), ([0.5, -1.25],), ([0.5, -1.25], None)):
        with Image.open(client.predict(*arguments, api_name="/decode")) as image:
            images.append(image.tobytes())
    assert len(set(images)) == 1
    two, one = (0.5, -1.25, 7, 0.5), ([0.5, -1.25], None, 7, 0.5)
    assert client.predict(*two, api_name="/morph_toward") == client.predict(
        *one, api_name="/morph_toward"
    )


def test_random_sample(client: Client) -> None:
    first = client.predict(42, api_name="/random_sample")
    assert set(first) == {"x", "y"}
    assert client.predict(42, api_name="/random_sample") == first
    assert client.predict(43, api_name="/random_sample") != first
    assert client.predict(api_name="/random_sample") != client.predict(api_name="/random_sample")


def test_jump_to_digit(client: Client, released: Checkpoint) -> None:
    typical = client.predict(4, api_name="/jump_to_digit")
    assert [typical["x"], typical["y"]] == released.prototypes[4].tolist()
    centroid = client.predict(4, "centroid", api_name="/jump_to_digit")
    expected = released.means[released.labels == 4].mean(0).tolist()
    assert [centroid["x"], centroid["y"]] == pytest.approx(expected, abs=1e-5)


def test_morph_toward(client: Client, released: Checkpoint) -> None:
    answer = client.predict(0.0, 0.0, 1, 0.5, api_name="/morph_toward")
    half = (released.prototypes[1] / 2).tolist()
    assert [answer["x"], answer["y"]] == pytest.approx(half, abs=1e-6)


def test_interpolate(client: Client, released: Checkpoint) -> None:
    answer = client.predict(3, 8, "spherical", 7, api_name="/interpolate")
    assert np.shape(answer["path"]) == (7, 2)
    assert answer["path"][0] == released.prototypes[3].tolist()
    assert answer["path"][-1] == released.prototypes[8].tolist()
    json.dumps(answer, allow_nan=False)


def test_interpolate_between_positions_evenly(client: Client) -> None:
    answer = client.predict([-1.0, 0.5], [1.5, 0.25], "geodesic", 9, api_name="/interpolate")
    assert [answer["path"][0], answer["path"][-1]] == [[-1.0, 0.5], [1.5, 0.25]]
    changes = np.array(answer["changes"])
    assert len(changes) == 8
    assert np.abs(changes / changes.mean() - 1).max() < 0.1
    straight = client.predict([-1.0, 0.5], [1.5, 0.25], "linear", 9, True, api_name="/interpolate")
    assert answer["length"] <= straight["length"]
    even = np.array(straight["changes"])
    assert np.abs(even / even.mean() - 1).max() < 0.1


def test_attributes_and_nudge(client: Client) -> None:
    before = client.predict(-0.1, -0.4, api_name="/attributes")["attributes"]["slant"]["value"]
    path = client.predict(-0.1, -0.4, "slant", 1, api_name="/nudge")
    after = client.predict(*path["path"][-1], api_name="/attributes")["attributes"]["slant"]
    assert path["values"][0] == pytest.approx(before, abs=1e-3)
    assert after["value"] == pytest.approx(path["values"][-1], abs=1e-3)
    assert after["value"] > before


def test_digit_directions(client: Client, released: Checkpoint) -> None:
    directions = client.predict(0.5, -0.5, api_name="/digit_directions")
    assert len(directions) == 10
    dx, dy = (released.prototypes[7] - torch.tensor([0.5, -0.5])).tolist()
    assert directions[7]["distance"] == pytest.approx(np.hypot(dx, dy), abs=1e-5)
    assert directions[7]["direction"] == pytest.approx(np.degrees(np.arctan2(dy, dx)), abs=1e-3)


@pytest.mark.guarantee("positions-validated")
@pytest.mark.parametrize(
    ("endpoint", "arguments", "message"),
    [
        ("/decode", (True, 0), "x is True"),
        ("/decode", ("1", 0), "x is"),
        ("/decode", (99, 0), "x is 99; give a number from -4"),
        ("/decode", ([0, 1, 2],), "position is [0, 1, 2]; give two numbers, [x, y]"),
        ("/decode", ([0, None],), "y is None; give a number from -4"),
        ("/attributes", ([0, 99],), "y is 99"),
        ("/random_sample", (-1,), "seed is -1"),
        ("/jump_to_digit", (10,), "digit is 10"),
        ("/jump_to_digit", (1, "nowhere"), "anchor is 'nowhere'"),
        ("/morph_toward", (0, 0, 3, 2), "amount is 2"),
        ("/morph_toward", (None, 0, 3, 1), "x is"),
        ("/interpolate", (3, 8, "teleport", 7), "method is 'teleport'"),
        ("/interpolate", (3, 8, "linear", 10**6), "steps is 1000000"),
        ("/interpolate", ([0, 99], 8), "y is 99"),
        ("/interpolate", ([0, 1, 2], 8), "two numbers"),
        ("/interpolate", ("here", 8), "digit is 'here'"),
        ("/interpolate", (None, 8), "digit is None"),
        ("/interpolate", (3, 8, "linear", 9, "yes"), "even is 'yes'"),
        ("/attributes", (0, None), "y is None"),
        ("/digit_directions", (99, 0), "x is 99"),
        ("/nudge", (0, 0, "beauty", 1), "attribute is 'beauty'"),
        ("/nudge", (0, 0, "ink", 0), "sign is 0"),
    ],
)
def test_invalid_arguments_are_explained(
    client: Client, endpoint: str, arguments: tuple[object, ...], message: str
) -> None:
    with pytest.raises(AppError) as caught:
        client.predict(*arguments, api_name=endpoint)
    assert message in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert ".py" not in str(caught.value)
    # The server still works.
    assert set(client.predict(1, api_name="/random_sample")) == {"x", "y"}
