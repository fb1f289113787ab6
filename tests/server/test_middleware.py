"""Each class of the middleware, in front of an application that only answers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from latent_navigator.app.drain import Drain
from latent_navigator.app.errors import (
    LENGTH_REQUIRED,
    MALFORMED,
    NO_UPLOADS,
    NOT_FOUND,
    OVERLOADED,
    SHUTTING_DOWN,
    TIMED_OUT,
)
from latent_navigator.app.middleware import (
    BlockedRoutes,
    BodyLimits,
    Concurrency,
    Draining,
    ErrorMessages,
    Health,
    RequestLimits,
    SubPath,
)
from latent_navigator.app.page_head import Head, HeadContent
from tests.helpers import until
from tests.server.stand_ins import Inner, behind_middleware, post, visit


def assert_rejected(answer: httpx.Response, status: int, message: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.json() == {"detail": message}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers.get("retry-after") == ("1" if status == 503 else None)


# --- sub-path ---


@pytest.mark.parametrize("root", ["/digits", "/digits/", "https://example.org/digits"])
def test_sub_path_is_removed_from_paths_that_have_it(root: str) -> None:
    inner = Inner()

    async def use(client: httpx.AsyncClient) -> None:
        for path in ("/digits/config", "/config", "/digits", "/digits/", "/digitsx", "/x/digits"):
            await client.get(path)

    visit(SubPath(inner, root), use)
    assert inner.paths == ["/config", "/config", "/", "/", "/digitsx", "/x/digits"]


def test_without_a_sub_path_nothing_is_removed() -> None:
    inner = Inner()

    async def use(client: httpx.AsyncClient) -> None:
        await client.get("/digits/config")

    visit(SubPath(inner, ""), use)
    assert inner.paths == ["/digits/config"]


# --- health ---


@pytest.mark.guarantee("health")
def test_health_reports_state_and_model() -> None:
    inner, drain = Inner(), Drain()

    async def use(client: httpx.AsyncClient) -> None:
        answer = await client.get("/health")
        assert answer.status_code == 200
        assert answer.json() == {"status": "ok", "running": 0, "model": "a model"}
        drain.start()
        with drain.request():
            answer = await client.get("/health")
        assert answer.status_code == 503
        assert answer.json() == {"status": "ending", "running": 1, "model": "a model"}
        assert (await client.get("/healthy")).text == "answer"

    visit(Health(inner, drain, "a model"), use)
    assert inner.paths == ["/healthy"]


# --- blocked routes ---

BLOCKED = [
    ("POST", "/gradio_api/process_recording"),  # stores its body and runs ffmpeg on it
    ("POST", "/gradio_api/vibe-edit"),
    ("POST", "/gradio_api/run-history/connect"),
    ("POST", "/gradio_api/stream/x"),
    ("POST", "/login"),
    ("POST", "/"),
    ("GET", "/gradio_api/deep_link?session_hash=x"),  # writes a file
    ("GET", "/gradio_api/custom_component/x/client/x/x%0Aline"),  # writes lines into the log
    ("GET", "/gradio_api/file=https://example.org/x.png"),  # fetches it, without a timeout
    ("HEAD", "/gradio_api/file=HTTP://example.org/x.png"),
    ("GET", "/gradio_api/file/https://example.org/x.png"),
    ("GET", "/gradio_api/proxy=https://example.hf.space/x"),
    ("GET", "/gradio_api/stream/s/r/1/playlist.m3u8"),
    ("GET", "/gradio_api/upload_progress?upload_id=x"),
]


@pytest.mark.guarantee("unused-routes-blocked")
@pytest.mark.parametrize(("method", "path"), BLOCKED)
@pytest.mark.parametrize("prefix", ["", "/digits"])
def test_unused_routes_are_blocked_under_a_sub_path_too(
    method: str, path: str, prefix: str
) -> None:
    inner = Inner()

    async def use(client: httpx.AsyncClient) -> None:
        content: dict[str, Any] = {"json": {}} if method == "POST" else {}
        answer = await client.request(method, prefix + path, **content)
        assert answer.status_code == 404
        assert method == "HEAD" or answer.json() == {"detail": NOT_FOUND}

    visit(behind_middleware(inner, root="/digits"), use)
    assert inner.paths == []


def test_routes_of_the_page_and_the_api_are_served() -> None:
    inner = Inner()
    pages = ["/", "/config", "/assets/x.js", "/gradio_api/file=cache/x/image.png"]
    posted = [
        f"/gradio_api/{path}" for path in ("run/x", "call/x", "queue/join", "component_server")
    ]

    async def use(client: httpx.AsyncClient) -> None:
        for path in pages:
            assert (await client.get(path)).text == "answer"
        for path in posted:
            assert (await client.post(path, json={})).text == "answer"

    visit(BlockedRoutes(inner), use)
    assert inner.paths == pages + posted


@pytest.mark.guarantee("uploads-never-kept")
def test_uploads_are_rejected() -> None:
    inner = Inner()

    async def use(client: httpx.AsyncClient) -> None:
        for path in ("upload", "upload/", "process_recording", "component_server", "queue/join"):
            files = {"files": ("../../x.png", b"x")}
            answer = await client.post(f"/gradio_api/{path}", files=files)
            assert_rejected(answer, 403, NO_UPLOADS)

    visit(BlockedRoutes(inner), use)
    assert inner.paths == []


# --- size and duration of requests ---


@pytest.mark.guarantee("oversized-input-rejected-early")
def test_oversized_requests_are_rejected_unread() -> None:
    inner, limits = Inner(), RequestLimits()
    largest = b'"' + b"x" * (limits.max_body - 2) + b'"'

    async def chunked() -> AsyncIterator[bytes]:
        yield b"x"

    async def use(client: httpx.AsyncClient) -> None:
        answer = await post(client, "", content=largest + b" ")
        assert_rejected(answer, 413, "The request is too large; send at most 8 MB.")
        assert_rejected(await post(client, "", content=chunked()), 411, LENGTH_REQUIRED)
        assert inner.paths == []
        assert (await post(client, "", content=largest)).text == "answer"

    visit(BodyLimits(inner, limits), use)
    assert inner.bodies == [largest]


async def stalled() -> AsyncIterator[bytes]:
    """A body of which only the first byte arrives."""
    yield b"{"
    await asyncio.Event().wait()


@pytest.mark.guarantee("slow-uploads-time-out")
def test_slow_uploads_time_out_and_never_block_other_clients() -> None:
    inner, drain = Inner(), Drain()
    limits = RequestLimits(max_running=2, large=100, max_large=2, arrival=0.5, slowest=1e9)
    body_limits = BodyLimits(Concurrency(Draining(inner, drain), drain, limits.max_running), limits)
    image = b'"' + b"x" * limits.large + b'"'

    async def use(client: httpx.AsyncClient) -> None:
        slow = [
            asyncio.create_task(
                post(client, "", content=stalled(), headers={"content-length": f"{length}"})
            )
            for length in [10] * 5 + [len(image)] * 2
        ]
        await until(lambda: body_limits.large == 2)
        assert drain.running == 0
        assert (await post(client, "quick")).text == "answer"
        assert_rejected(await post(client, "", content=image), 503, OVERLOADED)
        for waiting in slow:
            answer = await waiting
            assert_rejected(answer, 408, TIMED_OUT)
            assert answer.headers["connection"] == "close"
        assert body_limits.large == 0
        assert inner.paths == ["/gradio_api/run/quick"]
        assert (await post(client, "", content=image)).text == "answer"

    visit(body_limits, use)


@pytest.mark.guarantee("slow-uploads-time-out")
@pytest.mark.parametrize(("slowest", "status"), [(1.0, 200), (float("inf"), 408)])
def test_large_requests_may_take_longer(slowest: float, status: int) -> None:
    inner, pieces = Inner(), [b'{"data": ', b'"0123456789"}']
    limits = RequestLimits(arrival=0.0, slowest=slowest)

    async def in_pieces() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece
            for _ in range(10):
                await asyncio.sleep(0)

    async def use(client: httpx.AsyncClient) -> None:
        headers = {"content-length": f"{len(b''.join(pieces))}"}
        answer = await post(client, "", content=in_pieces(), headers=headers)
        assert answer.status_code == status

    visit(BodyLimits(inner, limits), use)
    assert inner.bodies == ([b"".join(pieces)] if status == 200 else [])


def test_the_deadline_grows_with_the_length() -> None:
    assert RequestLimits().deadline(0) == 10
    assert RequestLimits().deadline(8_000_000) == 170


# --- concurrency ---


@pytest.mark.guarantee("overload-answered-politely")
def test_requests_beyond_the_limit_are_rejected_and_the_others_answered() -> None:
    inner, drain = Inner(), Drain()

    async def use(client: httpx.AsyncClient) -> None:
        waiting = [asyncio.create_task(post(client, "slow")) for _ in range(3)]
        await until(lambda: drain.running == 3)
        assert_rejected(await post(client, "slow"), 503, OVERLOADED)
        assert (await client.get("/page")).text == "answer"  # pages and results are served
        inner.release.set()
        assert [(await answer).text for answer in waiting] == ["answer"] * 3
        assert (await post(client, "slow")).text == "answer"
        assert drain.running == 0

    visit(Concurrency(Draining(inner, drain), drain, 3), use)


@pytest.mark.parametrize("name", ["fail", "broken"])
def test_failed_requests_are_no_longer_counted_as_running(name: str) -> None:
    inner, drain = Inner(), Drain()

    async def use(client: httpx.AsyncClient) -> None:
        await post(client, name)
        assert inner.paths == [f"/gradio_api/run/{name}"]
        assert drain.running == 0

    visit(behind_middleware(inner, drain), use)


# --- draining ---


@pytest.mark.guarantee("sigterm-drains")
def test_while_draining_running_requests_are_answered_and_new_ones_rejected() -> None:
    inner, drain = Inner(), Drain(quiet=0)

    async def use(client: httpx.AsyncClient) -> None:
        running = asyncio.create_task(post(client, "slow"))
        await until(lambda: drain.running)
        drain.start()
        assert_rejected(await post(client, "slow"), 503, SHUTTING_DOWN)
        assert (await client.get("/result")).text == "answer"
        assert not drain.finished
        inner.release.set()
        assert (await running).text == "answer"
        assert drain.finished

    visit(Draining(inner, drain), use)


@pytest.mark.guarantee("sigterm-drains")
def test_a_request_that_arrives_too_late_is_rejected() -> None:
    """The server may receive SIGTERM before a request has arrived completely."""
    inner, drain, sent = Inner(), Drain(), []

    async def use(client: httpx.AsyncClient) -> None:
        rest = asyncio.Event()

        async def halved() -> AsyncIterator[bytes]:
            sent.append(b"[")
            yield b"["
            await rest.wait()
            yield b"]"

        waiting = asyncio.create_task(
            post(client, "", content=halved(), headers={"content-length": "2"})
        )
        await until(lambda: sent)
        drain.start()
        rest.set()
        assert_rejected(await waiting, 503, SHUTTING_DOWN)

    visit(behind_middleware(inner, drain), use)
    assert inner.paths == []


@pytest.mark.guarantee("sigterm-drains")
@pytest.mark.parametrize("path", ["/gradio_api/heartbeat/slow", "/gradio_api/mcp/slow"])
def test_draining_does_not_wait_for_the_streams_of_open_pages(path: str) -> None:
    inner, drain = Inner(), Drain(quiet=0)

    async def use(client: httpx.AsyncClient) -> None:
        stream = asyncio.create_task(client.get(path))
        await until(lambda: inner.paths)
        drain.start()
        assert drain.finished
        inner.release.set()
        await stream

    visit(Draining(inner, drain), use)


# --- error messages ---


@pytest.mark.guarantee("events-accept-any-json")
def test_a_request_that_gradio_cannot_read_is_malformed(capsys: pytest.CaptureFixture[str]) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        assert_rejected(await post(client, "fail"), 400, MALFORMED)

    visit(ErrorMessages(Inner()), use)
    assert capsys.readouterr().err == "rejected: POST '/gradio_api/run/fail': KeyError\n"


@pytest.mark.guarantee("events-accept-any-json")
def test_a_stream_that_fails_ends(capsys: pytest.CaptureFixture[str]) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        assert (await client.get("/broken")).text == "half"

    visit(ErrorMessages(Inner()), use)
    assert capsys.readouterr().err == "rejected: GET '/broken': KeyError\n"


def test_a_line_break_in_a_path_does_not_reach_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        await client.get("/x%0Aa line of its own/fail")

    visit(ErrorMessages(Inner()), use)
    assert capsys.readouterr().err.count("\n") == 1


# --- content of the head ---


def test_content_is_inserted_into_the_page_and_nowhere_else() -> None:
    async def inner(scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/html"), (b"content-length", b"38")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for piece in (
            b"<html><he",
            b"ad></head>" + scope["path"].encode() + b"</html>" + b" " * 11,
        ):
            more = piece.startswith(b"<html")
            await send({"type": "http.response.body", "body": piece, "more_body": more})

    async def use(client: httpx.AsyncClient) -> None:
        changed = await client.get("/")
        assert changed.text.startswith("<html><head><b>é</b></head>/")
        assert changed.headers["content-encoding"] == "br"
        assert changed.headers["vary"] == "accept-encoding"
        plain = await client.get("/", headers={"accept-encoding": "identity"})
        assert plain.text == changed.text
        assert int(plain.headers["content-length"]) == len(plain.content)
        other = await client.get("/config")
        assert "<b>" not in other.text
        assert "<b>" not in (await client.post("/")).text

        named = await client.get("/?__theme=dark&model=ten")
        assert named.text.startswith("<html><head><i>é</i></head>/")
        unnamed = await client.get("/?model=&view=api")
        assert unnamed.text == changed.text

    visit(HeadContent(inner, Head("<i>é</i>", "<b>é</b>")), use)
