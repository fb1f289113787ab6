"""The demo as a tool server: the endpoints over the Model Context Protocol."""

import base64
import io
import signal
from collections.abc import Callable

import httpx
import numpy as np
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, ImageContent, TextContent, Tool
from PIL import Image

from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.navigation import go_to_class
from tests.fixtures import Demo
from tests.helpers import HANG, run_async

ENDPOINTS = {
    "decode",
    "random_sample",
    "jump_to_digit",
    "morph_toward",
    "interpolate",
    "attributes",
    "digit_directions",
    "nudge",
    "models",
}


def call_tools(
    address: str, *calls: tuple[str, dict[str, object]]
) -> tuple[dict[str, Tool], list[CallToolResult]]:
    """The tools by name, and the results of calls, each given as (name, arguments)."""

    async def session() -> tuple[dict[str, Tool], list[CallToolResult]]:
        async with (
            streamable_http_client(f"{address}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as tools,
        ):
            await tools.initialize()
            named = {tool.name: tool for tool in (await tools.list_tools()).tools}
            return named, [await tools.call_tool(*call) for call in calls]

    return run_async(session())


def text(result: CallToolResult) -> str:
    content = result.content[0]
    assert isinstance(content, TextContent)
    return content.text


UNREADABLE = {"text": b"x", "deep": b"[" * 100_000, "5000 digits": b"1" * 5000}


@pytest.mark.guarantee("tool-server")
def test_the_endpoints_are_tools(own_demo: Callable[..., Demo], space: LatentSpace) -> None:
    process, address, log, _ = own_demo("--mcp")
    tools, results = call_tools(
        address,
        ("jump_to_digit", {"digit": 3}),
        ("decode", {"x": 0.5, "y": -1}),
        ("jump_to_digit", {"digit": 3, "model": "vae_mnist"}),
        ("jump_to_digit", {"digit": 77}),
        ("no_such_tool", {}),
    )
    assert set(tools) == ENDPOINTS
    assert all(tool.description for tool in tools.values())
    position, image, other, *rejected = results
    assert [result.isError for result in results] == [False, False, False, True, True]
    assert text(other) == text(position)
    assert text(position) == str(go_to_class(space, 3))
    assert isinstance(image.content[0], ImageContent)
    with Image.open(io.BytesIO(base64.b64decode(image.content[0].data))) as decoded:
        expected = space.decode_images(space.position(0.5, -1)[None])[0]
        np.testing.assert_array_equal(np.asarray(decoded.convert("L")), expected)
    assert "digit is 77; give a whole number from 0 to" in text(rejected[0])
    for result in rejected:
        assert ".py" not in text(result)
        assert "Traceback" not in text(result)
    headers = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    for kind, content in UNREADABLE.items():
        answer = httpx.post(f"{address}gradio_api/mcp/", content=content, headers=headers)
        assert answer.status_code == 400, (kind, answer.text)
    # A client that stays connected does not prevent the server from stopping.
    with httpx.stream("GET", f"{address}gradio_api/heartbeat/page") as stream:
        assert stream.status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=HANG) == 0
    assert "Traceback" not in log.read_text()


@pytest.mark.guarantee("tool-server")
def test_demo_without_the_option_has_no_tools(served: str) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    assert httpx.post(f"{served}gradio_api/mcp/", json=body).status_code in (404, 405)
