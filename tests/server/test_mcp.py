"""The demo as a tool server: the endpoints over the Model Context Protocol."""

import asyncio
import base64
import io
import signal
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from PIL import Image

from latent_navigator.explorer.navigation import go_to_class

ENDPOINTS = {
    "decode",
    "random_sample",
    "jump_to_digit",
    "morph_toward",
    "interpolate",
    "attributes",
    "digit_directions",
    "nudge",
}


def ask(address: str, *questions: tuple[str, dict]):
    """The tools by name, and what they answer to (name, arguments) each."""

    async def session():
        async with (
            streamable_http_client(f"{address}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as tools,
        ):
            await tools.initialize()
            named = {tool.name: tool for tool in (await tools.list_tools()).tools}
            return named, [await tools.call_tool(*question) for question in questions]

    with ThreadPoolExecutor(1) as thread:  # this one may have a loop of Playwright's already
        return thread.submit(lambda: asyncio.run(session())).result()


@pytest.mark.guarantee("tool-server")
def test_the_endpoints_are_tools_where_they_are_asked_for(own_demo, space):
    process, address, log, _ = own_demo("--mcp")
    named, answers = ask(
        address,
        ("jump_to_digit", {"digit": 3}),
        ("decode", {"x": 0.5, "y": -1}),
        ("jump_to_digit", {"digit": 77}),
        ("no_such_tool", {}),
    )
    assert set(named) == ENDPOINTS
    assert all(tool.description for tool in named.values())
    place, picture, *refused = answers
    assert [answer.isError for answer in answers] == [False, False, True, True]
    assert place.content[0].text == str(go_to_class(space, 3))
    with Image.open(io.BytesIO(base64.b64decode(picture.content[0].data))) as image:
        expected = space.decode_images(space.position(0.5, -1)[None])[0]
        np.testing.assert_array_equal(np.asarray(image.convert("L")), expected)
    assert "digit is 77; give a whole number from 0 to" in refused[0].content[0].text
    for answer in refused:
        assert ".py" not in answer.content[0].text and "Traceback" not in answer.content[0].text
    # A client that stays connected does not keep the server from ending.
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    assert "Traceback" not in log.read_text()


@pytest.mark.guarantee("tool-server")
def test_without_the_option_there_are_no_tools(served):
    question = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    assert httpx.post(f"{served}gradio_api/mcp/", json=question).status_code in (404, 405)
