"""The server's door: sizes, numbers, health, and an end that drops nothing."""

import asyncio
import json
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from latent_navigator.app import middleware as gate
from latent_navigator.app.middleware import Gate
from latent_navigator.explorer.readout import readout


class Inner:
    """An application that answers when it is let go, and keeps what it was sent."""

    def __init__(self):
        self.let_go = asyncio.Event()
        self.seen = []
        self.read = []

    async def __call__(self, scope, receive, send):
        name = scope["path"].split("/")[-1]
        self.seen.append(scope["path"])
        if name == "stumble":
            json.loads("{")
        if name == "broken":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"half", "more_body": True})
            json.loads("{")
        if name == "queue":
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b"Queue is full. Max size is 64"})
            return
        if name == "slow":
            await self.let_go.wait()
        if scope["method"] == "POST":
            message = await receive()
            assert not message["more_body"]
            self.read.append(message["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"answer"})


def ask(client: httpx.AsyncClient, name: str, **content):
    """What the page asks, or `content` instead of it."""
    return client.post(f"/gradio_api/run/{name}", **(content or {"json": {"data": []}}))


def behind_gate(visit, root: str = "") -> Gate:
    """Run `visit(client, inner, gate)` against an Inner behind a Gate, served under a path."""

    async def run():
        inner, door = Inner(), Gate({"model": "a model"})
        transport = httpx.ASGITransport(
            door.around(inner), raise_app_exceptions=False, root_path=root
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
            async with asyncio.timeout(20):  # a gate that lets all in would wait for ever
                await visit(client, inner, door)
        return door

    with ThreadPoolExecutor(1) as thread:  # this one may have a loop of Playwright's already
        return thread.submit(lambda: asyncio.run(run())).result()


@pytest.mark.guarantee("oversized-input-rejected-early")
def test_what_is_too_large_is_refused_unread():
    async def visit(client, inner, door):
        answer = await ask(client, "", content=b"x" * (gate.MAX_BODY + 1))
        assert answer.status_code == 413 and "8 MB" in answer.json()["detail"]

        async def pieces():
            yield b"x"

        answer = await ask(client, "", content=pieces())
        assert answer.status_code == 411 and "Content-Length" in answer.json()["detail"]
        assert inner.seen == []
        most = b'"' + b"x" * (gate.MAX_BODY - 2) + b'"'
        assert (await ask(client, "", content=most)).text == "answer"
        assert inner.read == [most]

    behind_gate(visit)


@pytest.mark.guarantee("uploads-never-kept")
def test_uploads_are_refused():
    async def visit(client, inner, door):
        for path in ("upload", "upload/", "process_recording", "component_server", "queue/join"):
            sent = {"files": ("../../x.png", b"x")}
            answer = await client.post(f"/gradio_api/{path}", files=sent)
            assert answer.status_code == 403 and answer.json() == {"detail": gate.NO_UPLOADS}
        assert inner.seen == []

    behind_gate(visit)


SHUT = [
    ("POST", "/gradio_api/process_recording"),  # keeps what it is sent, and runs ffmpeg on it
    ("POST", "/gradio_api/vibe-edit"),
    ("POST", "/gradio_api/run-history/connect"),
    ("POST", "/gradio_api/stream/x"),
    ("POST", "/login"),
    ("POST", "/"),
    ("GET", "/gradio_api/deep_link?session_hash=x"),  # writes a file
    ("GET", "/gradio_api/custom_component/x/client/x/x%0Aline"),  # writes lines into the log
    ("GET", "/gradio_api/file=https://example.org/x.png"),  # fetches it, for as long as it takes
    ("HEAD", "/gradio_api/file=HTTP://example.org/x.png"),
    ("GET", "/gradio_api/file/https://example.org/x.png"),
    ("GET", "/gradio_api/proxy=https://example.hf.space/x"),
    ("GET", "/gradio_api/stream/s/r/1/playlist.m3u8"),
    ("GET", "/gradio_api/upload_progress?upload_id=x"),
]


@pytest.mark.guarantee("unused-routes-blocked")
@pytest.mark.parametrize(("method", "path"), SHUT)
def test_routes_that_nobody_needs_here_are_shut(method, path):
    async def visit(client, inner, door):
        for before in ("", "/digits"):  # where GRADIO_ROOT_PATH is /digits
            content = {"json": {}} if method == "POST" else {}
            answer = await client.request(method, before + path, **content)
            assert answer.status_code == 404
            assert method == "HEAD" or answer.json() == {"detail": gate.NO_DOOR}
        assert inner.seen == []
        for needed in ("/", "/config", "/assets/x.js", "/gradio_api/file=cache/x/image.png"):
            assert (await client.get(needed)).text == "answer"

    behind_gate(visit, root="/digits")


@pytest.mark.guarantee("malformed-requests-rejected")
def test_what_is_no_question_is_refused():
    async def visit(client, inner, door):
        for content in (b"", b"x", b"{", b"\xff\xfe", b"[" * 100_000, b"1" * 5000):
            answer = await ask(client, "", content=content)
            assert answer.status_code == 400 and answer.json() == {"detail": gate.SENSELESS}
        # Gradio keeps things under the names of sessions.
        for name in ("x" * (gate.MAX_SESSION + 1), 7, ["x"], {}):
            answer = await ask(client, "", json={"data": [], "session_hash": name})
            assert answer.status_code == 400 and answer.json() == {"detail": gate.SENSELESS}
        assert inner.seen == []
        for name in ("x" * gate.MAX_SESSION, None):
            answer = await ask(client, "", json={"data": [], "session_hash": name})
            assert answer.text == "answer"

    behind_gate(visit)


@pytest.mark.guarantee("slow-uploads-time-out")
def test_who_sends_slowly_takes_no_place_and_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(gate, "MAX_RUNNING", 2)
    monkeypatch.setattr(gate, "MAX_LARGE", 2)
    monkeypatch.setattr(gate, "ARRIVAL", 1.0)

    async def never():
        yield b"{"
        await asyncio.sleep(600)

    async def visit(client, inner, door):
        def trickle(length):
            headers = {"content-length": f"{length}"}
            sent = ask(client, "", content=never(), headers=headers)
            return asyncio.create_task(sent)

        slow = [trickle(10) for _ in range(5)] + [trickle(gate.LARGE + 1) for _ in range(2)]
        while door.large < 2:
            await asyncio.sleep(0)
        assert door.running == 0
        assert (await ask(client, "quick")).text == "answer"
        picture = b'"' + b"x" * gate.LARGE + b'"'
        refused = await ask(client, "", content=picture)
        assert refused.status_code == 503 and refused.json() == {"detail": gate.FULL}
        for waiting in slow:
            answer = await waiting
            assert answer.status_code == 408 and answer.json() == {"detail": gate.TOO_SLOW}
            assert answer.headers["connection"] == "close"
        assert door.large == 0 and inner.seen == ["/gradio_api/run/quick"]
        assert (await ask(client, "", content=picture)).text == "answer"

    behind_gate(visit)


@pytest.mark.guarantee("sigterm-drains")
def test_what_has_arrived_too_late_is_refused():
    """The server may be full, or about to end, by the time that all of a request is there."""

    async def visit(client, inner, door):
        rest = asyncio.Event()

        async def halved():
            yield b"["
            await rest.wait()
            yield b"]"

        sent = asyncio.create_task(
            ask(client, "", content=halved(), headers={"content-length": "2"})
        )
        await asyncio.sleep(0.1)
        door.ending = True
        rest.set()
        answer = await sent
        assert answer.status_code == 503 and answer.json() == {"detail": gate.ENDING}
        assert inner.seen == []

    behind_gate(visit)


@pytest.mark.guarantee("slow-uploads-time-out")
def test_a_large_picture_has_longer_to_arrive(monkeypatch):
    monkeypatch.setattr(gate, "ARRIVAL", 0.0)
    monkeypatch.setattr(gate, "SLOWEST", 10)

    pieces = b'{"data": ', b'"0123456789"}'

    async def slowly():
        yield pieces[0]
        await asyncio.sleep(0.3)
        yield pieces[1]

    async def visit(client, inner, door):
        whole = b"".join(pieces)
        length = {"content-length": f"{len(whole)}"}
        assert (await ask(client, "", content=slowly(), headers=length)).text == "answer"
        assert inner.read == [whole]

    behind_gate(visit)


@pytest.mark.guarantee("overload-answered-politely")
def test_too_many_at_once_are_refused_and_the_others_answered(monkeypatch):
    monkeypatch.setattr(gate, "MAX_RUNNING", 3)

    async def visit(client, inner, door):
        waiting = [asyncio.create_task(ask(client, "slow")) for _ in range(3)]
        while door.running < 3:
            await asyncio.sleep(0)
        refused = await ask(client, "slow")
        assert refused.status_code == 503 and refused.headers["retry-after"] == "1"
        assert refused.json() == {"detail": gate.FULL}
        assert (await client.get("/page")).text == "answer"  # reading goes on
        inner.let_go.set()
        assert [(await answer).text for answer in waiting] == ["answer"] * 3
        assert (await ask(client, "slow")).text == "answer"
        assert door.running == 0

    behind_gate(visit)


@pytest.mark.guarantee("overload-answered-politely")
def test_a_full_queue_is_told_in_plain_words():
    async def visit(client, inner, door):
        answer = await ask(client, "queue")
        assert answer.status_code == 503 and answer.json() == {"detail": gate.FULL}

    behind_gate(visit)


@pytest.mark.guarantee("events-accept-any-json")
def test_what_stumbles_over_a_request_is_no_fault_of_the_server(capsys):
    async def visit(client, inner, door):
        answer = await ask(client, "stumble")
        # The error arises in the test's file, which is not of this program.
        assert answer.status_code == 400 and answer.json() == {"detail": gate.SENSELESS}
        assert door.running == 0

    behind_gate(visit)
    assert capsys.readouterr().err == ("refused: POST '/gradio_api/run/stumble': JSONDecodeError\n")


@pytest.mark.guarantee("events-accept-any-json")
def test_a_stream_that_breaks_off_ends(capsys):
    async def visit(client, inner, door):
        assert (await client.get("/broken")).text == "half"
        assert door.running == 0

    behind_gate(visit)
    assert capsys.readouterr().err == "refused: GET '/broken': JSONDecodeError\n"


@pytest.mark.guarantee("internal-errors-hidden")
def test_a_fault_of_the_server_is_logged_with_its_place_and_told_without(capsys, monkeypatch):
    monkeypatch.setattr(gate, "is_own", lambda error: True)

    async def visit(client, inner, door):
        answer = await ask(client, "stumble")
        assert answer.status_code == 500 and answer.json() == {"detail": gate.FAULT}

    behind_gate(visit)
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.guarantee("internal-errors-hidden")
def test_only_errors_of_this_program_are_its_own(space):
    with pytest.raises(ValueError) as caught:
        readout(space, "left", 0)
    assert gate.is_own(caught.value)
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads("{")
    assert not gate.is_own(caught.value)


@pytest.mark.guarantee("sigterm-drains")
def test_a_draining_gate_answers_what_runs_and_refuses_what_comes(monkeypatch):
    monkeypatch.setattr(gate, "QUIET", 0.2)

    async def visit(client, inner, door):
        running = asyncio.create_task(ask(client, "slow"))
        while not door.running:
            await asyncio.sleep(0)
        drained = asyncio.create_task(asyncio.to_thread(door.drain, 30.0))
        while not door.ending:
            await asyncio.sleep(0)
        assert (await client.get("/health")).status_code == 503
        assert (await client.get("/health")).json()["status"] == "ending"
        refused = await ask(client, "slow")
        assert refused.status_code == 503 and refused.json() == {"detail": gate.ENDING}
        assert (await client.get("/result")).text == "answer"
        assert not drained.done()
        inner.let_go.set()
        assert (await running).text == "answer"
        assert await drained

    behind_gate(visit)


@pytest.mark.guarantee("sigterm-drains")
def test_draining_waits_for_those_who_have_asked_and_not_yet_fetched(monkeypatch):
    monkeypatch.setattr(gate, "QUIET", 1.0)

    async def visit(client, inner, door):
        drained = asyncio.create_task(asyncio.to_thread(door.drain, 30.0))
        for _ in range(4):  # longer than QUIET, but never so long without a request
            await asyncio.sleep(0.4)
            assert not drained.done()
            assert (await client.get("/result")).text == "answer"
        last = time.monotonic()
        assert await drained
        assert time.monotonic() - last > 0.9

    behind_gate(visit)


@pytest.mark.guarantee("sigterm-drains")
def test_draining_does_not_wait_for_ever():
    async def visit(client, inner, door):
        running = asyncio.create_task(ask(client, "slow"))
        while not door.running:
            await asyncio.sleep(0)
        assert not await asyncio.to_thread(door.drain, 0.1)
        inner.let_go.set()
        await running

    behind_gate(visit)


# --- the server itself ---


def call(address: str, endpoint: str, *data) -> str:
    """The id of a computation in Gradio's queue.

    Raises:
        httpx.HTTPStatusError: if it is refused.
    """
    answer = httpx.post(f"{address}gradio_api/call/{endpoint}", json={"data": data})
    return answer.raise_for_status().json()["event_id"]


def result(address: str, endpoint: str, event: str):
    """What a computation in Gradio's queue found; waits for it."""
    told = httpx.get(f"{address}gradio_api/call/{endpoint}/{event}", timeout=120).text
    kind, data = told.strip().split("\n\n")[-1].split("\n")
    assert kind == "event: complete", told
    return json.loads(data.removeprefix("data: "))[0]


def health(address: str) -> httpx.Response:
    return httpx.get(f"{address}health")


@pytest.mark.guarantee("health")
def test_health(served, released):
    answer = health(served)
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "running": 0, "model": released.label}


@pytest.mark.guarantee("overload-answered-politely")
def test_beyond_the_queues_limit_one_is_refused_and_the_others_go_on(served, released):
    """More than wait at most; those that were let in are answered, rightly."""
    asked = [(a, b) for a in range(10) for b in range(10)]
    with ThreadPoolExecutor(32) as pool:

        def ask(pair):
            try:
                return pair, call(served, "interpolate", *pair, "geodesic", 24, False)
            except httpx.HTTPStatusError as error:
                return pair, error.response

        answers = list(pool.map(ask, asked))
        refused = [found for _, found in answers if not isinstance(found, str)]
        taken = [(pair, found) for pair, found in answers if isinstance(found, str)]
        assert refused and len(taken) >= gate.QUEUED
        assert {(r.status_code, r.json()["detail"]) for r in refused} == {(503, gate.FULL)}
        # Another visitor's digit does not wait for the queue.
        assert httpx.get(served).status_code == 200
        ways = list(pool.map(lambda one: result(served, "interpolate", one[1]), taken))
    for ((start, end), _), way in zip(taken, ways, strict=True):
        assert way["path"][0] == released.prototypes[start].tolist()
        assert way["path"][-1] == released.prototypes[end].tolist()
    assert len(taken) + len(refused) == len(asked)
    assert result(served, "random_sample", call(served, "random_sample", 1))


@pytest.mark.guarantee("sigterm-drains")
@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_the_server_first_answers_what_it_was_asked(own_demo, told):
    process, address, log, cache = own_demo()
    picture = result(address, "decode", call(address, "decode", 0.5, 0.5))
    assert list(cache.rglob("*.png"))
    events = [call(address, "interpolate", 0, end, "geodesic", 24, False) for end in range(1, 7)]
    with ThreadPoolExecutor() as pool:
        results = [pool.submit(result, address, "interpolate", event) for event in events]
        while not health(address).json()["running"]:
            assert not any(waiting.done() for waiting in results)
        process.send_signal(told)
        while health(address).status_code == 200:
            pass
        with pytest.raises(httpx.HTTPStatusError) as refused:
            call(address, "decode", 0, 0)
        assert refused.value.response.json() == {"detail": gate.ENDING}
        assert httpx.get(picture["url"]).content.startswith(b"\x89PNG")
        assert [len(waiting.result()["path"]) for waiting in results] == [24] * 6
    assert process.wait(timeout=60) == 0
    assert log.read_text().count("\n") == 1  # the line that it started with
    assert not list(cache.rglob("*.png"))


@pytest.mark.guarantee("sigterm-drains")
def test_a_second_ctrl_c_does_not_wait_for_answers(own_demo):
    process, address, log, cache = own_demo()
    result(address, "decode", call(address, "decode", 0.5, 0.5))
    pairs = [(a, b) for a in range(5) for b in range(5, 10)]
    events = [call(address, "interpolate", *pair, "geodesic", 24, False) for pair in pairs]
    with ThreadPoolExecutor(len(events)) as pool:
        results = [pool.submit(result, address, "interpolate", event) for event in events]
        while health(address).json()["running"] < len(events) // 2:
            pass
        process.send_signal(signal.SIGINT)
        while health(address).status_code == 200:
            pass
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 1
    assert [waiting for waiting in results if waiting.exception()], "all were answered"
    _, last = log.read_text().splitlines()
    assert re.fullmatch(r"demo.py: Ctrl-C again: \d+ requests are dropped", last), last
    assert not list(cache.rglob("*.png"))


@pytest.mark.guarantee("sigterm-drains")
def test_told_to_end_at_once_it_ends_in_order(own_demo):
    """While it still computes, in a thread of its own, what the first path will need."""
    process, _, log, _ = own_demo()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    assert log.read_text().count("\n") == 1


@pytest.mark.guarantee("cache-cleaned")
def test_files_in_the_cache_are_cleaned(own_demo):
    program = ("-c", "import demo, sys; demo.CLEANED = 1, 1; sys.exit(demo.main())")
    _, address, _, cache = own_demo(program=program)
    for x in range(3):
        picture = result(address, "decode", call(address, "decode", x, 0))
        assert httpx.get(picture["url"]).status_code == 200
    assert len(list(cache.rglob("*.png"))) >= 1
    until = time.monotonic() + 60
    while list(cache.rglob("*.png")):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert httpx.get(picture["url"]).status_code == 403
    assert health(address).status_code == 200
