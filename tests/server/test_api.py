"""The named endpoints, through gradio_client, as a program would use them."""

import asyncio
import errno
import json
from concurrent.futures import ThreadPoolExecutor

import gradio as gr
import httpx
import numpy as np
import pytest
import torch
from gradio.routes import App
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image

from latent_navigator.app import middleware as gate
from latent_navigator.app.api import NO_FILES, Application, readable


@pytest.fixture(scope="module")
def client(served):
    return Client(served, verbose=False)


def test_every_endpoint_is_named_and_described(client):
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
    }
    names = {
        endpoint: [p["parameter_name"] for p in about["parameters"]]
        for endpoint, about in named.items()
    }
    assert names == {
        "/decode": ["x", "y"],
        "/random_sample": ["seed"],
        "/jump_to_digit": ["digit", "anchor"],
        "/morph_toward": ["x", "y", "digit", "amount"],
        "/interpolate": ["start", "end", "method", "steps", "even"],
        "/attributes": ["x", "y"],
        "/digit_directions": ["x", "y"],
        "/nudge": ["x", "y", "attribute", "sign"],
    }
    assert all(about["description"] for about in named.values())


def test_decode_is_the_decoders_picture_as_png(client, released):
    path = client.predict(0.5, -1.25, api_name="/decode")
    with Image.open(path) as picture:
        assert picture.format == "PNG" and picture.size == (28, 28)
        pixels = np.asarray(picture.convert("L"))
    with torch.inference_mode():
        expected = released.build_model().decode(torch.tensor([[0.5, -1.25]]))
    np.testing.assert_array_equal(pixels, (expected[0, 0] * 255).round().byte().numpy())


def test_random_sample(client):
    first = client.predict(42, api_name="/random_sample")
    assert set(first) == {"x", "y"}
    assert client.predict(42, api_name="/random_sample") == first
    assert client.predict(43, api_name="/random_sample") != first
    assert client.predict(api_name="/random_sample") != client.predict(api_name="/random_sample")


def test_jump_to_digit(client, released):
    typical = client.predict(4, api_name="/jump_to_digit")
    assert [typical["x"], typical["y"]] == released.prototypes[4].tolist()
    centroid = client.predict(4, "centroid", api_name="/jump_to_digit")
    expected = released.means[released.labels == 4].mean(0).tolist()
    assert [centroid["x"], centroid["y"]] == pytest.approx(expected, abs=1e-5)


def test_morph_toward(client, released):
    answer = client.predict(0.0, 0.0, 1, 0.5, api_name="/morph_toward")
    half = (released.prototypes[1] / 2).tolist()
    assert [answer["x"], answer["y"]] == pytest.approx(half, abs=1e-6)


def test_interpolate(client, released):
    answer = client.predict(3, 8, "spherical", 7, api_name="/interpolate")
    assert np.shape(answer["path"]) == (7, 2)
    assert answer["path"][0] == released.prototypes[3].tolist()
    assert answer["path"][-1] == released.prototypes[8].tolist()
    json.dumps(answer, allow_nan=False)


def test_interpolate_between_positions_evenly(client):
    answer = client.predict([-1.0, 0.5], [1.5, 0.25], "geodesic", 9, api_name="/interpolate")
    assert [answer["path"][0], answer["path"][-1]] == [[-1.0, 0.5], [1.5, 0.25]]
    changes = np.array(answer["changes"])
    assert len(changes) == 8 and np.abs(changes / changes.mean() - 1).max() < 0.1
    straight = client.predict([-1.0, 0.5], [1.5, 0.25], "linear", 9, True, api_name="/interpolate")
    assert answer["length"] <= straight["length"]
    even = np.array(straight["changes"])
    assert np.abs(even / even.mean() - 1).max() < 0.1


def test_attributes_and_nudge(client):
    before = client.predict(-0.1, -0.4, api_name="/attributes")["attributes"]["slant"]["value"]
    walk = client.predict(-0.1, -0.4, "slant", 1, api_name="/nudge")
    after = client.predict(*walk["path"][-1], api_name="/attributes")["attributes"]["slant"]
    assert walk["values"][0] == pytest.approx(before, abs=1e-3)
    assert after["value"] == pytest.approx(walk["values"][-1], abs=1e-3) and after["value"] > before


def test_digit_directions(client, released):
    ways = client.predict(0.5, -0.5, api_name="/digit_directions")
    assert len(ways) == 10
    dx, dy = (released.prototypes[7] - torch.tensor([0.5, -0.5])).tolist()
    assert ways[7]["distance"] == pytest.approx(np.hypot(dx, dy), abs=1e-5)
    assert ways[7]["direction"] == pytest.approx(np.degrees(np.arctan2(dy, dx)), abs=1e-3)


@pytest.mark.guarantee("positions-validated")
@pytest.mark.parametrize(
    ("endpoint", "arguments", "message"),
    [
        ("/decode", (True, 0), "x is True"),
        ("/decode", ("1", 0), "x is"),
        ("/decode", (99, 0), "x is 99; give a number from -4"),
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
def test_wrong_arguments_are_readable_errors(client, endpoint, arguments, message):
    with pytest.raises(AppError) as caught:
        client.predict(*arguments, api_name=endpoint)
    assert message in str(caught.value)
    assert "Traceback" not in str(caught.value) and ".py" not in str(caught.value)
    # The server goes on.
    assert set(client.predict(1, api_name="/random_sample")) == {"x", "y"}


FULL_DISK = OSError(errno.ENOSPC, "No space left on device", "/a/secret/image.png")


@pytest.mark.guarantee("internal-errors-hidden")
@pytest.mark.guarantee("demo-folder-checked")
@pytest.mark.parametrize(
    ("error", "status", "told", "logged"),
    [
        (KeyError("'a secret'"), 500, gate.FAULT, "Traceback"),
        (ValueError("'a secret'"), 400, "'a secret'", ""),
        (FULL_DISK, 500, NO_FILES, "a file cannot be kept: [Errno 28] No space left on device"),
    ],
    ids=["of ours", "of the request", "of the disk"],
)
def test_a_fault_of_ours_is_told_without_what_it_is_and_logged(capfd, error, status, told, logged):
    def stumble() -> str:
        raise error

    async def ask() -> httpx.Response:
        with Application() as demo:
            gr.api(readable(stumble), api_name="stumble")
        transport = httpx.ASGITransport(gate.Gate({}).around(App.create_app(demo)))
        async with httpx.AsyncClient(transport=transport, base_url="http://page") as visitor:
            return await visitor.post("/gradio_api/run/stumble", json={"data": []})

    with ThreadPoolExecutor(1) as thread:  # this one may have a loop of Playwright's already
        answer = thread.submit(lambda: asyncio.run(ask())).result()
    assert answer.status_code == status
    assert answer.json()["error"] == told
    log = capfd.readouterr().err
    assert log.startswith(logged) and bool(log) == bool(logged), log
    assert ("in stumble" in log) == (logged == "Traceback")
