"""Hostile requests: every event and every server function, with values of every kind."""

import base64
import contextlib
import http.server
import io
import json
import os
import re
import socket
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

from benchmarks.server import free_port
from latent_navigator.app.errors import NO_UPLOADS, NOT_FOUND
from latent_navigator.app.middleware import RequestLimits
from tests.fixtures import ROOT, Demo
from tests.helpers import HANG

# As JSON texts: Python's parser accepts NaN and Infinity, although they are not JSON.
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
    """A running demo: a client of it, its log and Gradio's cache."""

    client: httpx.Client
    log: Path
    cache: Path


@pytest.fixture(scope="module")
def target(own_demo: Callable[..., Demo]) -> Iterator[Target]:
    """A demo of which no request may cause a traceback in the log."""
    demo = own_demo()
    with httpx.Client(base_url=demo.address) as client:
        yield Target(client, demo.log, demo.cache)
    assert demo.process.poll() is None
    assert "Traceback" not in demo.log.read_text()


@pytest.fixture(scope="module")
def client(target: Target) -> httpx.Client:
    return target.client


def page_config(client: httpx.Client) -> dict[str, Any]:
    """Gradio's description of the page."""
    return dict(client.get("/config").json())


def event_inputs(client: httpx.Client) -> dict[int, int]:
    """The events that call Python, by id, with the number of their inputs."""
    return {
        dependency["id"]: len(dependency["inputs"])
        for dependency in page_config(client)["dependencies"]
        if dependency["backend_fn"]
    }


def server_functions(client: httpx.Client) -> Iterator[tuple[int, str]]:
    """(component id, name) of each server function."""
    for component in page_config(client)["components"]:
        for name in component["props"].get("server_fns") or []:
            yield component["id"], name


def post(client: httpx.Client, path: str, text: str) -> httpx.Response:
    """Send a text as JSON, whether it is or not."""
    return client.post(path, content=text.encode(), headers=HEADERS)


def assert_no_server_error(answer: httpx.Response) -> None:
    """Success or a client error with a message, and neither a traceback nor a local path."""
    body = answer.json()
    if answer.status_code != 200:
        assert answer.status_code in (400, 404, 413, 422), answer.text
        assert body.get("error") or body.get("detail"), body
    assert ".py" not in answer.text.replace("gradio_api", "")
    assert "Traceback" not in answer.text
    assert str(ROOT) not in answer.text


def assert_still_works(client: httpx.Client) -> None:
    body = {"data": [3, "typical"]}
    answer = client.post("/gradio_api/run/jump_to_digit", json=body)
    assert answer.status_code == 200
    assert set(answer.json()["data"][0]) == {"x", "y"}


def test_every_event_is_found(client: httpx.Client) -> None:
    """Those of the API's endpoints: the page has none of its own."""
    assert len(event_inputs(client)) == 9


@pytest.mark.guarantee("events-accept-any-json")
@pytest.mark.parametrize("kind", [*VALUES, "missing"])
def test_events_handle_any_json(client: httpx.Client, kind: str) -> None:
    for number, count in event_inputs(client).items():
        values = [] if kind == "missing" else [VALUES[kind]] * max(1, count)
        body = f'{{"fn_index": {number}, "session_hash": "s", "data": [{",".join(values)}]}}'
        assert_no_server_error(post(client, "/gradio_api/run/predict", body))
    assert_still_works(client)


@pytest.mark.guarantee("events-accept-any-json")
@pytest.mark.parametrize("kind", [*VALUES, "missing"])
def test_queued_events_handle_any_json(client: httpx.Client, kind: str) -> None:
    """An error is reported in the stream of results: no event ends without a message."""
    for name in ("decode", "interpolate", "nudge", "random_sample"):
        data = "" if kind == "missing" else ",".join([VALUES[kind]] * 5)
        joined = post(client, f"/gradio_api/call/{name}", f'{{"data": [{data}]}}')
        if joined.status_code == 200:
            stream = client.get(f"/gradio_api/call/{name}/{joined.json()['event_id']}").text
            last = stream.strip().split("\n\n")[-1]
            assert last.startswith(("event: error", "event: complete"))
            if last.startswith("event: error"):
                assert json.loads(last.split("data: ", 1)[1])["error"]
        else:
            assert_no_server_error(joined)
    assert_still_works(client)


@pytest.mark.guarantee("server-functions-accept-any-json")
def test_every_server_function_is_found(client: httpx.Client) -> None:
    names = {name for _, name in server_functions(client)}
    assert names == {
        "decode",
        "test_digit",
        "drawn",
        "strokes",
        "compare",
        "experiment",
        "export",
        "here",
        "nudge",
        "check",
        "solve",
        "plane",
        "layer",
        "table",
        "models",
        "model",
    }


@pytest.mark.guarantee("server-functions-accept-any-json")
@pytest.mark.parametrize("kind", VALUES)
def test_server_functions_handle_any_json(client: httpx.Client, kind: str) -> None:
    for component, name in server_functions(client):
        for data in (VALUES[kind], f"[{VALUES[kind]}]", f"[{','.join([VALUES[kind]] * 3)}]"):
            body = (
                f'{{"component_id": {component}, "fn_name": "{name}", "session_hash": "s", '
                f'"data": {data}}}'
            )
            answer = post(client, "/gradio_api/component_server", body)
            assert_no_server_error(answer)
            if answer.status_code == 200 and "error" in answer.json():
                assert answer.json()["error"]
    assert_still_works(client)


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
def test_malformed_requests_are_client_errors(client: httpx.Client, body: str) -> None:
    for path in ("component_server", "run/predict", "run/nothing", "queue/join", "call/nothing"):
        answer = post(client, f"/gradio_api/{path}", body)
        assert 400 <= answer.status_code < 500, (path, answer.text)
        assert_no_server_error(answer)
    assert_still_works(client)


@pytest.mark.guarantee("events-accept-any-json")
@pytest.mark.parametrize(
    "path", ["call/decode/nothing", "call/nothing/nothing", "queue/data?session_hash=nothing"]
)
def test_unknown_results_are_not_server_errors(client: httpx.Client, path: str) -> None:
    answer = client.get(f"/gradio_api/{path}")
    assert answer.status_code < 500
    assert "Traceback" not in answer.text
    assert_still_works(client)


@pytest.mark.guarantee("openapi-fuzzing")
def test_schemathesis_finds_no_server_error(target: Target) -> None:
    """Requests generated from the running application's own OpenAPI description."""
    client, log, _ = target
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run"),
            f"{client.base_url}gradio_api/openapi.json",
            *("--checks", "not_a_server_error", "--max-examples", "6"),
            *("--generation-deterministic", "--workers", "8"),
        ],
        capture_output=True,
        text=True,
        timeout=HANG,
        cwd=log.parent,  # it writes a folder of its own there
        env={**os.environ, "COLUMNS": "200"},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    found = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert found, done.stdout
    assert int(found.group(1)) == int(found.group(2)) > 60, done.stdout[-3000:]
    assert_still_works(client)


# --- local files and addresses ---


class Canary(NamedTuple):
    """An address on this machine, and the requests that reached it."""

    url: str
    requests: list[str]


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    """A local HTTP server that the demo must never contact."""
    requests: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"secret")

        do_HEAD = do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Canary(f"http://127.0.0.1:{server.server_port}/x.png", requests)
    server.shutdown()
    server.server_close()


def files_in(cache: Path) -> set[Path]:
    return {path for path in cache.rglob("*") if path.is_file()}


@pytest.mark.guarantee("no-local-files")
def test_file_data_never_makes_the_server_read_files_or_addresses(
    target: Target, canary: Canary, tmp_path: Path
) -> None:
    client, _, cache = target
    secret = tmp_path / "secret.png"
    Image.new("L", (28, 28)).save(secret)
    paths = [str(secret), "/etc/passwd", "README.md", "../../etc/passwd", canary.url]
    paths += ["file:///etc/passwd", "data:image/png;base64,AAAA"]
    before = files_in(cache)
    for path in paths:
        meta = {"_type": "gradio.FileData"}
        for value in ({"path": path, "meta": meta}, {"path": path, "url": path, "meta": meta}):
            for number, count in event_inputs(client).items():
                body = {"fn_index": number, "session_hash": "s", "data": [value] * max(1, count)}
                answer = client.post("/gradio_api/run/predict", json=body)
                assert_no_server_error(answer)
                assert "root:" not in answer.text
                assert "secret" not in answer.text.replace(path, "")
            for component, name in server_functions(client):
                body = {
                    "component_id": component,
                    "fn_name": name,
                    "session_hash": "s",
                    "data": [value],
                }
                assert_no_server_error(client.post("/gradio_api/component_server", json=body))
    assert canary.requests == []
    assert files_in(cache) == before


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
def test_only_gradios_own_files_are_served(client: httpx.Client, canary: Canary, path: str) -> None:
    port = canary.url.split(":")[2].split("/")[0]
    for prefix in ("/gradio_api/", "/"):
        answer = client.get(prefix + path.format(port=port), follow_redirects=False)
        assert "root:" not in answer.text
        assert "import argparse" not in answer.text
        # For an unknown name Gradio answers with a page.
        assert answer.status_code in (302, 307, 400, 403, 404, 422) or "<html" in answer.text[:400]
    assert canary.requests == []


@pytest.mark.guarantee("uploads-never-kept")
def test_uploads_are_rejected_and_not_stored(target: Target) -> None:
    client, _, cache = target
    before = files_in(cache)
    for path in ("upload", "process_recording", "component_server", "run/predict"):
        for name in ("x.png", "../../x.png", "/etc/cron.d/x"):
            files = {"files": (name, b"x" * 1000), "video": (name, b"x" * 1000)}
            answer = client.post(f"/gradio_api/{path}", files=files)
            assert answer.status_code == 403
            assert answer.json() == {"detail": NO_UPLOADS}
    assert files_in(cache) == before


@pytest.mark.guarantee("unused-routes-blocked")
def test_session_state_is_never_written_to_a_file(target: Target) -> None:
    client, _, cache = target
    before = files_in(cache)
    component = next(id_ for id_, name in server_functions(client) if name == "decode")
    body = {"component_id": component, "fn_name": "decode", "session_hash": "s", "data": [0, 0]}
    assert client.post("/gradio_api/component_server", json=body).status_code == 200
    answer = client.get("/gradio_api/deep_link?session_hash=s")
    assert answer.status_code == 404
    assert answer.json() == {"detail": NOT_FOUND}
    assert files_in(cache) == before


@pytest.mark.guarantee("unused-routes-blocked")
def test_monitoring_is_disabled_and_no_request_writes_to_the_log(target: Target) -> None:
    client, log, _ = target
    before = log.read_text()
    for path in ("monitoring", "monitoring/summary", "monitoring/x"):
        answer = client.get(f"/{path}")
        assert answer.status_code == 403
        assert "not enabled" in answer.json()["detail"]
    client.get("/gradio_api/custom_component/x/client/x/x%0ALatent Space Navigator")
    assert log.read_text() == before


@pytest.mark.guarantee("slow-uploads-time-out")
def test_endless_requests_do_not_block_other_clients(own_demo: Callable[..., Demo]) -> None:
    _, address, *_ = own_demo()
    host, port = address.split("/")[2].split(":")
    head = (
        "POST /gradio_api/run/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Content-Length: 1000\r\n\r\n{"
    )
    with contextlib.ExitStack() as stack:
        for _ in range(RequestLimits().max_running + 20):
            connection = stack.enter_context(socket.create_connection((host, int(port))))
            connection.sendall(head.encode())
        with httpx.Client(base_url=address) as client:
            assert client.get("/health").json()["running"] == 0
            assert_still_works(client)
            connection.settimeout(HANG)
            assert connection.recv(1000).startswith(b"HTTP/1.1 408")
            assert_still_works(client)


# --- images, through the server function of the drawing pad ---


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file: length, type, data, checksum."""
    checksum = zlib.crc32(kind + data).to_bytes(4, "big")
    return len(data).to_bytes(4, "big") + kind + data + checksum


def bomb(side: int = 9000) -> bytes:
    """A PNG file of about 10 KB that has 81 million pixels."""
    header = side.to_bytes(4, "big") * 2 + bytes([1, 0, 0, 0, 0])  # one bit per pixel
    rows = zlib.compress(bytes((side + 7) // 8 + 1) * side, 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


Send = Callable[[bytes | str], httpx.Response]


@pytest.fixture(scope="module")
def send(client: httpx.Client) -> Send:
    """send(data) -> the answer of `drawn` to a file's bytes, or to a text in place of base64."""
    component = next(id_ for id_, name in server_functions(client) if name == "drawn")

    def send_data(data: bytes | str) -> httpx.Response:
        text = data if isinstance(data, str) else base64.b64encode(data).decode()
        body = {
            "component_id": component,
            "fn_name": "drawn",
            "session_hash": "s",
            "data": [text, None],
        }
        return client.post("/gradio_api/component_server", json=body)

    return send_data


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'


@pytest.mark.guarantee("images-read-or-explained")
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (png(Image.new("L", (28, 28))), "blank"),
        (png(Image.new("RGBA", (300, 300))), "blank"),
        (png(Image.new("L", (1, 1))), "blank"),
        (png(Image.new("L", (4000, 3), 255)), "blank"),
        (png(Image.new("L", (5000, 10))), "4096"),
        (b"", "not a supported image"),
        (b"hello, I am named digit.png", "not a supported image"),
        (SVG, "not a supported image"),
        (os.urandom(5000), "not a supported image"),
        (png(Image.effect_noise((200, 200), 90))[:2000], "damaged"),
        (bomb(), "4096"),
        ("data:image/png;base64,AAAA", "base64"),
        ("/etc/passwd", "not valid base64"),
        ("x" * 100, "not a supported image"),
    ],
)
def test_unreadable_images_are_explained(send: Send, data: bytes | str, message: str) -> None:
    assert not isinstance(data, bytes) or len(data) < 60_000
    answer = send(data)
    assert answer.status_code == 200, answer.text
    assert message in answer.json()["error"]


@pytest.mark.guarantee("oversized-input-rejected-early")
def test_oversized_images_are_rejected_before_they_are_read(send: Send) -> None:
    assert "5 MB" in send(bytes(5_500_000)).json()["error"]
    assert send(bytes(7_000_000)).status_code == 413
