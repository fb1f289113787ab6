"""Client errors are reported to the client, server errors logged: Gradio behind the middleware."""

import errno
import http.client
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
import httpx
import pytest
from fastapi import FastAPI

from latent_navigator.app.api import server_function
from latent_navigator.app.drain import Drain
from latent_navigator.app.errors import (
    INTERNAL,
    MALFORMED,
    NO_STORAGE,
    OVERLOADED,
    InternalError,
)
from latent_navigator.app.models import Models
from latent_navigator.app.server import (
    MAX_QUEUE,
    MAX_SESSION_NAME,
    MAX_SESSIONS,
    Sessions,
    build_app,
    build_blocks,
)
from latent_navigator.explorer.latent_space import LatentSpace
from tests.helpers import HANG
from tests.server.stand_ins import (
    fetch,
    ignore_pandas,
    in_loop,
    post,
    running_page,
    small_page,
    submit,
    visit,
)

FULL_DISK = OSError(errno.ENOSPC, "No space left on device", "/a/secret/image.png")


def with_page(
    use: Callable[[httpx.AsyncClient], Awaitable[None]],
    *functions: Callable[..., object],
    **options: Any,
) -> None:
    """Run `use(client)` with a client of a page that has these endpoints."""
    page = small_page(*functions)
    app = in_loop(lambda: build_app(page, Drain(), model="a model", **options))
    visit(app, use)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running page without endpoints."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("cache")))
        with running_page(small_page(), Drain()) as (_, served):
            yield served


@pytest.mark.guarantee("internal-errors-hidden")
@pytest.mark.guarantee("demo-folder-checked")
@pytest.mark.parametrize(
    ("error", "status", "message", "logged"),
    [
        (KeyError("'a secret'"), 500, INTERNAL, "Traceback"),
        (ValueError("x is 99; give less"), 400, "x is 99; give less", ""),
        (FULL_DISK, 500, NO_STORAGE, "temporary storage is unavailable: [Errno 28]"),
    ],
    ids=["internal", "invalid input", "full disk"],
)
def test_errors_of_endpoints(
    capfd: pytest.CaptureFixture[str], error: Exception, status: int, message: str, logged: str
) -> None:
    def fail() -> str:
        raise error

    async def use(client: httpx.AsyncClient) -> None:
        answer = await post(client, "fail")
        assert answer.status_code == status
        assert answer.json()["error"] == message

    with_page(use, fail)
    log = capfd.readouterr().err
    assert log.startswith(logged)
    assert bool(log) == bool(logged), log
    assert ("in fail" in log) == (logged == "Traceback")


@pytest.mark.guarantee("internal-errors-hidden")
def test_errors_of_server_functions(capfd: pytest.CaptureFixture[str]) -> None:
    def divide(a: float, b: float) -> float:
        if b == 0:
            raise ValueError("b is 0; give another number")
        return a / b

    function = server_function("divide", divide, 2)
    assert function.__name__ == "divide"
    assert function([6, 3]) == 2
    assert function([6, 0]) == {"error": "b is 0; give another number"}
    assert function([6]) == {"error": "expected 2 arguments, got [6]"}
    assert capfd.readouterr().err == ""
    with pytest.raises(InternalError):
        function([6, "3"])
    assert "in divide" in capfd.readouterr().err


@pytest.mark.guarantee("internal-errors-hidden")
def test_an_internal_error_of_a_server_function_is_a_500_without_details() -> None:
    def build() -> tuple[FastAPI, int]:
        with gr.Blocks(analytics_enabled=False) as page:
            html = gr.HTML(server_functions=[server_function("fail", lambda value: 1 / value)])
        return build_app(page, Drain(), model="a model"), html._id

    app, component = in_loop(build)

    async def use(client: httpx.AsyncClient) -> None:
        body = {"component_id": component, "fn_name": "fail", "session_hash": "s", "data": 0}
        answer = await client.post("/gradio_api/component_server", json=body)
        assert answer.status_code == 500
        assert answer.json() == {"detail": INTERNAL}

    visit(app, use)


# --- unreadable requests ---


def echo(number: int) -> int:
    return number


UNREADABLE = {
    "empty": b"",
    "text": b"x",
    "unfinished": b"{",
    "not UTF-8": b"\xff\xfe",
    "deep": b"[" * 100_000,
    "5000 digits": b"1" * 5000,
    "no object": b"[]",
    "no data": b"{}",
    "data of another type": b'{"data": 1}',
}


@pytest.mark.guarantee("malformed-requests-rejected")
@pytest.mark.parametrize("kind", UNREADABLE)
def test_unreadable_requests_are_malformed(kind: str) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        for path in ("run/echo", "call/echo", "queue/join", "component_server", "cancel"):
            answer = await client.post(
                f"/gradio_api/{path}",
                content=UNREADABLE[kind],
                headers={"content-type": "application/json"},
            )
            assert answer.status_code == 400, path
            assert answer.json() == {"detail": MALFORMED}

    with_page(use, echo)


@pytest.mark.guarantee("malformed-requests-rejected")
@pytest.mark.parametrize(
    "name",
    ['"' + "x" * (MAX_SESSION_NAME + 1) + '"', '"' + r"\u0078" * 1000 + '"', "7", '["x"]', "{}"],
    ids=["long", "long, escaped", "number", "list", "object"],
)
def test_invalid_session_names_are_rejected(name: str) -> None:
    page = small_page(echo)

    async def use(client: httpx.AsyncClient) -> None:
        for path in ("run/echo", "call/echo", "queue/join", "component_server"):
            for key in ("session_hash", r"\u0073ession_hash"):
                rest = '"data": [1], "fn_index": 0, "component_id": 1, "fn_name": "f"'
                answer = await client.post(
                    f"/gradio_api/{path}",
                    content=f'{{{rest}, "{key}": {name}}}',
                    headers={"content-type": "application/json"},
                )
                assert answer.status_code == 400, path
                assert answer.json() == {"detail": MALFORMED}

    app = in_loop(lambda: build_app(page, Drain(), model="a model"))
    visit(app, use)
    assert not page.state_holder.session_data
    assert not page._queue.pending_messages_per_session


@pytest.mark.guarantee("malformed-requests-rejected")
def test_only_the_newest_sessions_are_kept() -> None:
    """Each takes 140 KB; Gradio's default is to keep 10,000."""
    assert MAX_SESSIONS <= 500
    page = small_page(echo)
    app = in_loop(lambda: build_app(page, Drain(), model="a model"))
    assert isinstance(page.state_holder, Sessions)
    assert page.state_holder.capacity == MAX_SESSIONS
    page.state_holder.capacity = 3

    async def use(client: httpx.AsyncClient) -> None:
        for number in range(10):
            body = {"data": [number], "session_hash": f"{number}".rjust(MAX_SESSION_NAME)}
            answer = await post(client, "echo", json=body)
            assert answer.json()["data"] == [number]
        assert (await post(client, "echo", json={"data": [1], "session_hash": None})).is_success

    visit(app, use)
    names = [name.strip() for name in page.state_holder.session_data]
    assert names == ["7", "8", "9"]


# --- a full queue ---


@ignore_pandas
@pytest.mark.guarantee("overload-answered-politely")
def test_events_beyond_the_queue_are_rejected_and_the_others_answered() -> None:
    release = threading.Event()

    def square(number: int) -> dict[str, int]:
        release.wait(HANG)
        return {"square": number**2}

    page = small_page(square)
    page._queue.max_size = 4
    accepted: dict[int, str] = {}
    rejected = []
    with running_page(page, Drain()) as (_, address):
        for number in range(8):  # one runs, four wait
            try:
                accepted[number] = submit(address, "square", number)
            except httpx.HTTPStatusError as error:
                rejected.append(error.response)
        body = {"data": [1], "fn_index": 0, "session_hash": "s"}
        rejected.append(httpx.post(f"{address}gradio_api/queue/join", json=body))
        assert len(accepted) >= 4
        assert len(rejected) >= 3
        for answer in rejected:
            assert answer.status_code == 503
            assert answer.json() == {"detail": OVERLOADED}
            assert answer.headers["retry-after"] == "1"
        assert httpx.get(address).status_code == 200
        release.set()
        for number, event in accepted.items():
            assert fetch(address, "square", event) == {"square": number**2}
        assert fetch(address, "square", submit(address, "square", 9)) == {"square": 81}


@pytest.mark.guarantee("overload-answered-politely")
def test_the_queue_of_the_page_is_limited(space: LatentSpace) -> None:
    page, _ = in_loop(lambda: build_blocks(Models.of(space)))
    assert page._queue.max_size == MAX_QUEUE <= 100


@pytest.mark.guarantee("tool-server")
def test_tool_server_is_off_by_default() -> None:
    async def use(client: httpx.AsyncClient) -> None:
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        answer = await client.post("/gradio_api/mcp/", json=body)
        assert answer.status_code in (404, 405)

    with_page(use, echo)


@pytest.mark.guarantee("request-limits")
@pytest.mark.parametrize(
    ("path", "size", "chunked", "status"),
    [
        ("run/decode", 20_000_000, False, 413),
        ("run/decode", 20_000_000, True, 411),
        ("upload", 20_000_000, False, 403),
        ("process_recording", 7_000_000, False, 404),
    ],
    ids=["too large", "chunked", "upload", "blocked"],
)
def test_a_rejected_large_request_gets_its_answer_not_a_reset(
    address: str, path: str, size: int, chunked: bool, status: int
) -> None:
    # Unlike httpx, http.client reports a reset connection even if an answer has arrived.
    client = http.client.HTTPConnection(urlsplit(address).netloc, timeout=HANG)
    body = iter([b"x" * size]) if chunked else b"x" * size
    client.request("POST", f"/gradio_api/{path}", body, encode_chunked=chunked)
    answer = client.getresponse()
    assert answer.status == status
    assert json.loads(answer.read())["detail"]
    client.close()
