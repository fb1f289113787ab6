"""The functions below those of the page and the API, and the middleware, for any input."""

import argparse
import json
import math
import re
from typing import Any

import httpx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import demo
from latent_navigator.app.drain import Drain
from latent_navigator.checkpoint.packing import pack, unpack
from latent_navigator.data.dataset_info import literal, plural, with_article
from latent_navigator.device import resolve_device
from latent_navigator.explorer.arguments import choice, number, whole_number
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.geometry.attributes import (
    ATTRIBUTES,
    attributes_at,
    describe,
    jacobian_norm,
    measure,
)
from latent_navigator.geometry.geodesics import DecodedPath, geodesic
from latent_navigator.geometry.latent_graph import (
    LatentGraph,
    build_graph,
    data_weight,
    shortest_path,
)
from latent_navigator.training.config import TrainingConfig, beta_at, learning_rate_at
from latent_navigator.training.distributed import VARIABLES, process_group_from_environment
from latent_utils import semantic_directions
from neural_network import vae_loss
from tests.fuzz.test_answers import JSON, fuzz, mostly
from tests.server.stand_ins import Inner, behind_middleware, post, visit

REACH = 4.0
Points = list[list[float]]  # positions (x, y)
POINT = st.lists(st.floats(-REACH, REACH, width=32), min_size=2, max_size=2)
POINTS = st.lists(POINT, min_size=1)
ENDS = st.lists(POINT, min_size=2, max_size=2)


@pytest.fixture(scope="module")
def graph(space: LatentSpace) -> LatentGraph:
    """A coarse graph with weights from 1 to 5."""
    plain = build_graph(space.decode, REACH, side=24)
    return plain.weighted(data_weight(REACH, space.means))


# --- values and texts ---


@pytest.mark.guarantee("functions-hold-for-any-input")
@fuzz
@given(value=mostly(st.integers(-9, 9)))
def test_checked_values_have_their_type_and_range(value: Any) -> None:
    for check, kind in ((number, float), (whole_number, int)):
        try:
            found = check("value", value, -5, 5)
        except ValueError as error:
            assert str(error).startswith("value is ")
        else:
            assert type(found) is kind
            assert -5 <= found <= 5
            assert found == value
    with pytest.raises(ValueError, match="value is"):
        choice("value", value, ("none of these",))


@pytest.mark.guarantee("functions-hold-for-any-input")
@fuzz
@given(name=st.text(min_size=1, max_size=30))
def test_plural_article_and_literal_of_any_name(name: str) -> None:
    assert plural(name)
    assert with_article(name).endswith(name)
    assert re.sub(r"\\(.)", r"\1", literal(name)) == name
    assert not re.search(r"(?<!\\)[<>&*_`\[$]", literal(name.replace("\\", "")))


@pytest.mark.guarantee("functions-hold-for-any-input")
@fuzz
@given(text=st.text(max_size=12))
def test_port_and_device_of_any_text(text: str) -> None:
    try:
        assert 1 <= demo.port_number(text) <= 65535
    except argparse.ArgumentTypeError as error:
        assert "from 1 to 65535" in str(error)
    try:
        assert resolve_device(text).type in ("cpu", "cuda", "mps", "xpu")
    except ValueError as error:
        assert str(error).startswith("device is ")


@pytest.mark.guarantee("functions-hold-for-any-input")
@fuzz
@given(values=st.fixed_dictionaries({n: mostly(st.integers(-1, 4)).map(str) for n in VARIABLES}))
def test_variables_of_torchrun(values: dict[str, str]) -> None:
    try:
        found = process_group_from_environment(values)
    except ValueError as error:
        assert "torchrun" in str(error)
    else:
        assert 0 <= found.rank < found.world_size
        assert 0 <= found.local_rank < found.local_world_size


# --- files and schedules ---


@pytest.mark.guarantee("functions-hold-for-any-input")
@fuzz
@given(data=st.binary(max_size=64), limit=st.integers(0, 100), junk=st.binary(max_size=64))
def test_only_packed_data_is_unpacked(data: bytes, limit: int, junk: bytes) -> None:
    images = torch.frombuffer(bytearray(data or b"x"), dtype=torch.uint8)
    if len(images) <= limit:
        assert torch.equal(unpack("it", pack(images), tuple(images.shape), limit), images)
    else:
        with pytest.raises(ValueError, match="it "):
            unpack("it", pack(images), tuple(images.shape), limit)
    with pytest.raises(ValueError, match="it "):
        unpack("it", torch.frombuffer(bytearray(junk + b"!"), dtype=torch.uint8), (3, 5), 100)


@pytest.mark.guarantee("functions-hold-for-any-input")
@fuzz
@given(
    share=st.floats(0, 1),
    epochs=st.integers(1, 1000),
    warmup=st.floats(0, 2000),
    beta=st.floats(0, 1000),
)
def test_schedules_stay_in_range(share: float, epochs: int, warmup: float, beta: float) -> None:
    config = TrainingConfig(epochs=epochs, warmup_epochs=warmup, beta=beta)
    assert 0 <= beta_at(share * epochs, config) <= beta
    assert 0 < learning_rate_at(share * epochs, config) <= config.learning_rate * (1 + 1e-9)


# --- mathematics ---


@pytest.mark.guarantee("functions-hold-for-any-input")
@fuzz
@given(seed=st.integers(0, 999), beta=st.floats(0, 100), size=st.floats(0, 30))
def test_the_loss_is_finite_and_its_parts_add_up(seed: int, beta: float, size: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = size * torch.randn(3, 1, 28, 28, generator=generator)
    mu, logvar = size * torch.randn(2, 3, 2, generator=generator).clamp(-0.5, 0.5)
    x = torch.rand(3, 1, 28, 28, generator=generator)
    loss, recon, kl = vae_loss(logits, x, mu, logvar, beta)
    assert loss.isfinite()
    assert recon >= 0
    assert kl >= -1e-4
    assert float(loss) == pytest.approx(float(recon + beta * kl), rel=1e-5, abs=1e-3)


@pytest.mark.guarantee("functions-hold-for-any-input")
@settings(fuzz, max_examples=30)
@given(points=POINTS)
def test_attributes_and_sensitivity_of_any_position(space: LatentSpace, points: Points) -> None:
    z = torch.tensor(points)
    found = measure(space.decode(z)).detach()
    assert found.shape == (len(z), len(ATTRIBUTES))
    assert bool(found.isfinite().all())
    assert all(
        describe(name, float(value)) for name, value in zip(ATTRIBUTES, found[0], strict=True)
    )
    values, gradients = attributes_at(space.decode, z[0])
    assert torch.allclose(values, found[0], rtol=1e-3, atol=1e-3)
    assert gradients.shape == (len(ATTRIBUTES), 2)
    assert bool(gradients.isfinite().all())
    norms = jacobian_norm(space.decode, z)
    assert norms.shape == (len(z),)
    assert bool((norms >= 0).all() and norms.isfinite().all())


@pytest.mark.guarantee("functions-hold-for-any-input")
@fuzz
@given(anchors=POINTS)
def test_directions_lead_from_each_anchor_to_each(anchors: Points) -> None:
    z = torch.tensor(anchors)  # (C, 2)
    found = semantic_directions(z)
    ends = z[:, None] + found.distances[..., None] * found.directions
    assert torch.allclose(ends, z[None].expand_as(ends), atol=1e-4)


@pytest.mark.guarantee("functions-hold-for-any-input")
@settings(fuzz, max_examples=30)
@given(points=POINTS, ends=ENDS)
def test_shortest_paths_between_any_positions(
    graph: LatentGraph, points: Points, ends: Points
) -> None:
    z = torch.tensor(points)
    weights = graph.weight(z)
    assert weights.shape == (len(z),)
    assert bool((weights >= 1).all() and weights.isfinite().all())
    start, end = torch.tensor(ends)
    path, costs = shortest_path(graph, start, end)
    assert len(costs) == len(path) - 1
    assert torch.equal(path[0], start)
    assert torch.equal(path[-1], end)
    assert float(path.abs().max()) <= REACH


@pytest.mark.guarantee("functions-hold-for-any-input")
@settings(fuzz, max_examples=8)
@given(ends=ENDS)
def test_geodesics_between_any_positions(
    space: LatentSpace, graph: LatentGraph, ends: Points
) -> None:
    start, end = torch.tensor(ends)
    for path in (
        geodesic(space.decode, graph, start, end),
        DecodedPath.along(space.decode, geodesic(space.decode, graph, start, end)).retime(7),
    ):
        assert torch.equal(path[0], start)
        assert torch.equal(path[-1], end)
        assert bool(path.isfinite().all())
        assert float(path.abs().max()) <= REACH
    with pytest.raises(ValueError, match="finite"):
        geodesic(space.decode, graph, start, torch.tensor([math.nan, 0.0]))


# --- the middleware ---

SEGMENTS = st.sampled_from(
    [
        "gradio_api",
        "run",
        "call",
        "queue/join",
        "file=x",
        "file=http:",
        "deep_link",
        "upload",
        "",
    ]
)


@pytest.mark.guarantee("functions-hold-for-any-input")
@settings(fuzz, max_examples=200)
@given(
    method=st.sampled_from(["POST", "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "BREW"]),
    segments=st.one_of(
        st.just(["gradio_api", "run", "x"]),
        st.lists(st.one_of(SEGMENTS, SEGMENTS, st.text("ab/.%é ", max_size=5)), max_size=5),
    ),
    body=st.one_of(JSON.map(json.dumps).map(str.encode), st.binary(max_size=40)),
    kind=st.sampled_from(["application/json", "multipart/form-data; boundary=x", "", "text/plain"]),
)
def test_middleware_answers_any_request(
    method: str, segments: list[str], body: bytes, kind: str
) -> None:
    inner, drain = Inner(), Drain()

    async def use(client: httpx.AsyncClient) -> None:
        path = "/" + "/".join(segments).lstrip("/")  # httpx would read // as the start of a host
        answer = await client.request(method, path, content=body, headers={"content-type": kind})
        assert answer.status_code in (200, 400, 403, 404, 411, 413)
        if answer.status_code != 200:
            assert inner.paths == []
        elif inner.bodies:
            assert path.startswith("/gradio_api")
        assert drain.running == 0
        assert (await post(client, "after")).text == "answer"

    visit(behind_middleware(inner, drain), use)
