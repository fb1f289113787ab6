"""Hostile clients: every event and every server function, with values of every kind."""

import base64
import http.server
import io
import json
import os
import re
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from PIL import Image

from latent_navigator.app.errors import NO_UPLOADS, NOT_FOUND
from tests.conftest import ROOT, Demo

# As text, because Python parses NaN and Infinity, which are not JSON.
VALUES = {
    "nan": "NaN",
    "infinite": "Infinity",
    "overflowing": "1e999",
    "true": "true",
    "null": "null",
    "text": '"text"',
    "list": "[]",
    "object": "{}",
    "huge": "1e30",
    "huge integer": "1" + "0" * 400,
    "surrogate": '"\\ud800"',
    "long list": f"[{','.join(['1'] * 20_000)}]",
    "deep": "[" * 5000 + "]" * 5000,
    "long text": json.dumps("x" * 1_000_000),
}
HEADERS = {"content-type": "application/json"}


class Target(NamedTuple):
    """The demo that all tests share."""

    client: httpx.Client
    log: Path
    cache: Path


@pytest.fixture(scope="module")
def target(served_demo: Demo) -> Iterator[Target]:
    with httpx.Client(base_url=served_demo.address, timeout=120) as client:
        yield Target(client, served_demo.log, served_demo.cache)
    assert served_demo.process.poll() is None
    assert "Traceback" not in served_demo.log.read_text()


def events(client: httpx.Client) -> dict[int, int]:
    """How many values each event that reaches Python has, by the event's id."""
    return {
        dependency["id"]: len(dependency["inputs"])
        for dependency in client.get("/config").json()["dependencies"]
        if dependency["backend_fn"]
    }


def server_functions(client: httpx.Client) -> list[tuple[int, str]]:
    """Each component's id with the name of each of its server functions."""
    return [
        (component["id"], name)
        for component in client.get("/config").json()["components"]
        for name in component["props"].get("server_fns") or []
    ]


def post(client: httpx.Client, path: str, text: str) -> httpx.Response:
    return client.post(path, content=text.encode(), headers=HEADERS)


def assert_clear(answer: httpx.Response) -> None:
    """No server error, and a sentence that says what is wrong."""
    content = answer.json()
    if answer.status_code != 200:
        assert answer.status_code in (400, 404, 413), answer.text
        assert content.get("error") or content.get("detail"), content
    assert ".py" not in answer.text.replace("gradio_api", "")
    assert "Traceback" not in answer.text
    assert str(ROOT) not in answer.text


def assert_healthy(client: httpx.Client) -> None:
    body = {"data": [3, "typical"]}
    answer = client.post("/gradio_api/run/jump_to_digit", json=body)
    assert answer.status_code == 200
    assert set(answer.json()["data"][0]) == {"x", "y"}


def test_there_are_many_events_to_attack(target: Target) -> None:
    assert len(events(target.client)) > 20


@pytest.mark.guarantee("events-accept-any-json")
@pytest.mark.parametrize("kind", [*VALUES, "missing"])
def test_events_handle_any_json(target: Target, kind: str) -> None:
    for number, count in events(target.client).items():
        values = [] if kind == "missing" else [VALUES[kind]] * max(1, count)
        body = f'{{"fn_index": {number}, "session_hash": "s", "data": [{",".join(values)}]}}'
        assert_clear(post(target.client, "/gradio_api/run/predict", body))
    assert_healthy(target.client)


@pytest.mark.guarantee("events-accept-any-json")
@pytest.mark.parametrize("kind", [*VALUES, "missing"])
def test_the_queue_handles_any_json(target: Target, kind: str) -> None:
    """The stream of results says what is wrong; no event is lost without a word."""
    client = target.client
    for name in ("decode", "interpolate", "nudge", "random_sample"):
        data = "" if kind == "missing" else ",".join([VALUES[kind]] * 5)
        joined = post(client, f"/gradio_api/call/{name}", f'{{"data": [{data}]}}')
        if joined.status_code != 200:
            assert_clear(joined)
            continue
        stream = client.get(f"/gradio_api/call/{name}/{joined.json()['event_id']}").text
        last = stream.strip().split("\n\n")[-1]
        assert last.startswith(("event: error", "event: complete"))
        if last.startswith("event: error"):
            assert json.loads(last.split("data: ", 1)[1])["error"]
    assert_healthy(client)


@pytest.mark.guarantee("server-functions-accept-any-json")
def test_every_server_function_is_found(target: Target) -> None:
    names = {name for _, name in server_functions(target.client)}
    assert {"look", "test_digit", "layer", "nudge", "here", "export", "drawn", "check"} <= names


@pytest.mark.guarantee("server-functions-accept-any-json")
@pytest.mark.parametrize("kind", VALUES)
def test_server_functions_handle_any_json(target: Target, kind: str) -> None:
    for component, name in server_functions(target.client):
        for data in (VALUES[kind], f"[{VALUES[kind]}]", f"[{','.join([VALUES[kind]] * 3)}]"):
            body = (
                f'{{"component_id": {component}, "fn_name": "{name}", "session_hash": "s", '
                f'"data": {data}}}'
            )
            answer = post(target.client, "/gradio_api/component_server", body)
            assert_clear(answer)
            if answer.status_code == 200 and "error" in answer.json():
                assert answer.json()["error"]
    assert_healthy(target.client)


@pytest.mark.guarantee("events-accept-any-json")
@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "hello",
        "null",
        "{}",
        '{"component_id": 99999, "fn_name": "look", "session_hash": "s", "data": []}',
        '{"component_id": "../..", "fn_name": "look", "session_hash": "s", "data": []}',
        '{"component_id": [], "fn_name": [], "session_hash": [], "data": []}',
        '{"fn_index": 99999, "data": [], "session_hash": "s"}',
        '{"fn_index": -1, "data": [], "session_hash": "s"}',
        '{"fn_index": "x", "data": {}, "session_hash": 1}',
        '{"component_id": 1, "fn_name": "__class__", "session_hash": "s", "data": []}',
        '{"component_id": 1, "fn_name": "launch", "session_hash": "s", "data": []}',
    ],
)
def test_malformed_requests_are_client_errors(target: Target, body: str) -> None:
    for path in ("component_server", "run/predict", "run/nothing", "queue/join", "call/nothing"):
        answer = post(target.client, f"/gradio_api/{path}", body)
        assert 400 <= answer.status_code < 500, (path, answer.text)
        assert_clear(answer)
    assert_healthy(target.client)


@pytest.mark.guarantee("events-accept-any-json")
@pytest.mark.parametrize(
    "path", ["call/decode/nothing", "call/nothing/nothing", "queue/data?session_hash=nothing"]
)
def test_results_of_unknown_events(target: Target, path: str) -> None:
    answer = target.client.get(f"/gradio_api/{path}")
    assert answer.status_code < 500
    assert "Traceback" not in answer.text
    assert_healthy(target.client)


@pytest.mark.guarantee("openapi-fuzzing")
def test_schemathesis_finds_no_server_error(target: Target, tmp_path: Path) -> None:
    """Requests generated from the running application's own OpenAPI description."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run"),
            f"{target.client.base_url}gradio_api/openapi.json",
            *("--checks", "not_a_server_error", "--max-examples", "6"),
            *("--generation-deterministic", "--workers", "2"),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,  # it keeps a folder of its own
        env={**os.environ, "COLUMNS": "200"},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    found = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert found, done.stdout[-3000:]
    assert int(found.group(1)) == int(found.group(2)) > 60, done.stdout[-3000:]
    assert_healthy(target.client)


# --- files of this machine, and addresses that it can reach ---


class Bait(NamedTuple):
    """An address on this machine, and the paths that were requested from it."""

    url: str
    port: int
    requested: list[str]


@pytest.fixture(scope="module")
def bait() -> Iterator[Bait]:
    requested: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requested.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"secret")

        do_HEAD = do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_port
    yield Bait(f"http://127.0.0.1:{port}/x.png", port, requested)
    server.shutdown()
    server.server_close()


def cached(cache: Path) -> set[Path]:
    return {path for path in cache.rglob("*") if path.is_file()}


@pytest.mark.guarantee("no-local-files")
def test_no_file_and_no_address_is_read_for_a_client(
    target: Target, bait: Bait, tmp_path: Path
) -> None:
    client, before = target.client, cached(target.cache)
    secret = tmp_path / "secret.png"
    Image.new("L", (28, 28)).save(secret)
    paths = [str(secret), "/etc/passwd", "README.md", "../../etc/passwd", bait.url]
    paths += ["file:///etc/passwd", "data:image/png;base64,AAAA"]
    for path in paths:
        meta = {"_type": "gradio.FileData"}
        for value in ({"path": path, "meta": meta}, {"path": path, "url": path, "meta": meta}):
            for number, count in events(client).items():
                body: dict[str, object] = {"fn_index": number, "data": [value] * max(1, count)}
                body["session_hash"] = "s"
                answer = client.post("/gradio_api/run/predict", json=body)
                assert_clear(answer)
                assert "root:" not in answer.text
                assert "secret" not in answer.text.replace(path, "")
            for component, name in server_functions(client):
                body = {"component_id": component, "fn_name": name, "data": [value]}
                body["session_hash"] = "s"
                assert_clear(client.post("/gradio_api/component_server", json=body))
    assert bait.requested == []
    assert cached(target.cache) <= before


@pytest.mark.guarantee("no-local-files")
@pytest.mark.parametrize(
    "path",
    [
        "file=/etc/passwd",
        "file=../../../../etc/passwd",
        "file=..%2f..%2f..%2fetc%2fpasswd",
        "file/etc/passwd",
        "file=pretrained/vae_mnist.pt",
        "file=README.md",
        "file=demo.py",
        "static/../../../../etc/passwd",
        "assets/..%2f..%2f..%2fetc%2fpasswd",
        "file=https://example.org/x.png",
        "proxy=http://127.0.0.1:{port}/x",
        "file=http://127.0.0.1:{port}/x",
    ],
)
def test_only_gradios_own_files_are_served(target: Target, bait: Bait, path: str) -> None:
    for prefix in ("/gradio_api/", "/"):
        answer = target.client.get(prefix + path.format(port=bait.port), follow_redirects=False)
        assert "root:" not in answer.text
        assert "import argparse" not in answer.text
        # Gradio answers unknown names with a page.
        assert answer.status_code in (302, 307, 400, 403, 404) or "<html" in answer.text[:400]
    assert bait.requested == []


@pytest.mark.guarantee("uploads-never-kept")
def test_uploads_leave_nothing(target: Target) -> None:
    before = cached(target.cache)
    for path in ("upload", "process_recording", "component_server", "run/predict"):
        for name in ("x.png", "../../x.png", "/etc/cron.d/x"):
            files = {"files": (name, b"x" * 1000), "video": (name, b"x" * 1000)}
            answer = target.client.post(f"/gradio_api/{path}", files=files)
            assert answer.status_code == 403
            assert answer.json() == {"detail": NO_UPLOADS}
    assert cached(target.cache) <= before


@pytest.mark.guarantee("unused-routes-blocked")
def test_a_sessions_state_is_not_written_to_a_file(target: Target) -> None:
    client, before = target.client, cached(target.cache)
    component, name = next(one for one in server_functions(client) if one[1] == "look")
    body = {"component_id": component, "fn_name": name, "session_hash": "s", "data": [0, 0, True]}
    assert client.post("/gradio_api/component_server", json=body).status_code == 200
    answer = client.get("/gradio_api/deep_link?session_hash=s")
    assert answer.status_code == 404
    assert answer.json() == {"detail": NOT_FOUND}
    assert cached(target.cache) <= before


@pytest.mark.guarantee("unused-routes-blocked")
def test_usage_is_not_reported_and_paths_leave_no_line_in_the_log(target: Target) -> None:
    before = target.log.read_text()
    for path in ("monitoring", "monitoring/summary", "monitoring/x"):
        answer = target.client.get(f"/{path}")
        assert answer.status_code == 403
        assert "not enabled" in answer.json()["detail"]
    target.client.get("/gradio_api/custom_component/x/client/x/x%0ALatent Space Navigator")
    assert target.log.read_text() == before


# --- images, through the page's own server function ---


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data).to_bytes(4, "big")
    return len(data).to_bytes(4, "big") + kind + data + checksum


def bomb(side: int = 9000) -> bytes:
    """A PNG of some 10 KB with 81 million pixels."""
    header = side.to_bytes(4, "big") * 2 + bytes([1, 0, 0, 0, 0])  # one bit a pixel
    rows = zlib.compress(bytes((side + 7) // 8 + 1) * side, 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


Send = Callable[[bytes | str], httpx.Response]


@pytest.fixture(scope="module")
def send(target: Target) -> Send:
    """send(file) -> the answer of `drawn`."""
    component = next(c for c, name in server_functions(target.client) if name == "drawn")

    def ask(data: bytes | str) -> httpx.Response:
        text = data if isinstance(data, str) else base64.b64encode(data).decode()
        body: dict[str, Any] = {"component_id": component, "fn_name": "drawn", "data": text}
        return target.client.post("/gradio_api/component_server", json=body | {"session_hash": "s"})

    return ask


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'


@pytest.mark.guarantee("images-read-or-explained")
@pytest.mark.parametrize(
    ("image", "message"),
    [
        (png(Image.new("L", (28, 28))), "nothing drawn"),
        (png(Image.new("RGBA", (300, 300))), "nothing drawn"),
        (png(Image.new("L", (1, 1))), "nothing drawn"),
        (png(Image.new("L", (4000, 3), 255)), "nothing drawn"),
        (png(Image.new("L", (5000, 10))), "4096"),
        (b"", "PNG"),
        (b"hello, I am named digit.png", "PNG"),
        (SVG, "PNG"),
        (os.urandom(5000), "PNG"),
        (png(Image.effect_noise((200, 200), 90))[:2000], "damaged"),
        (bomb(), "4096"),
        ("data:image/png;base64,AAAA", "base64"),
        ("/etc/passwd", "base64"),
        ("x" * 100, "PNG"),
    ],
)
def test_unreadable_images_are_explained(send: Send, image: bytes | str, message: str) -> None:
    assert not isinstance(image, bytes) or len(image) < 60_000
    answer = send(image)
    assert answer.status_code == 200
    assert message in answer.json()["error"], answer.text


@pytest.mark.guarantee("oversized-input-rejected-early")
def test_an_image_over_the_limit_is_rejected_before_it_is_decoded(send: Send) -> None:
    assert "5 MB" in send(bytes(5_500_000)).json()["error"]
    assert send(bytes(7_000_000)).status_code == 413
