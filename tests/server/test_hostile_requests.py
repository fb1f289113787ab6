"""What a stranger may send: every event and every server function, with values of every kind."""

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
from typing import Any

import httpx
import pytest
from PIL import Image

from benchmarks.server import free_port
from latent_navigator.app.errors import NO_UPLOADS, NOT_FOUND
from latent_navigator.app.middleware import RequestLimits
from tests.conftest import ROOT, Demo

# As JSON texts: Python's reader takes NaN and Infinity, which are not JSON.
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


@pytest.fixture(scope="module")
def hosts(own_demo: Callable[..., Demo]) -> Iterator[Any]:
    """A demo whose log and cache the tests may read."""
    process, address, log, cache = own_demo()
    with httpx.Client(base_url=address, timeout=120) as client:
        yield client, log, cache
    assert process.poll() is None
    assert "Traceback" not in log.read_text()


def config(client: Any) -> Any:
    return client.get("/config").json()


def events(client: Any) -> Any:
    """The events that reach Python, by id, with how many values each takes."""
    return {
        dependency["id"]: len(dependency["inputs"])
        for dependency in config(client)["dependencies"]
        if dependency["backend_fn"]
    }


def post(client: Any, path: Any, text: Any) -> Any:
    return client.post(path, content=text.encode(), headers=HEADERS)


def check_clear(answer: Any) -> None:
    """No fault of the server; a refusal says what is wrong, in words."""
    told = answer.json()
    if answer.status_code != 200:
        assert answer.status_code in (400, 404, 413, 422), answer.text
        sentence = told.get("error") or told.get("detail")
        assert sentence, told
    assert ".py" not in answer.text.replace("gradio_api", "")
    assert "Traceback" not in answer.text
    assert str(ROOT) not in answer.text


def still_well(client: Any) -> None:
    body = {"data": [3, "typical"]}
    answer = client.post("/gradio_api/run/jump_to_digit", json=body)
    assert answer.status_code == 200
    assert set(answer.json()["data"][0]) == {"x", "y"}


def test_there_is_much_to_attack(hosts: Any) -> None:
    client, *_ = hosts
    assert len(events(client)) > 20


@pytest.mark.guarantee("events-accept-any-json")
@pytest.mark.parametrize("kind", [*VALUES, "missing"])
def test_events_take_no_harm(hosts: Any, kind: Any) -> None:
    client, *_ = hosts
    for number, count in events(client).items():
        values = [] if kind == "missing" else [VALUES[kind]] * max(1, count)
        body = f'{{"fn_index": {number}, "session_hash": "s", "data": [{",".join(values)}]}}'
        check_clear(post(client, "/gradio_api/run/predict", body))
    still_well(client)


@pytest.mark.guarantee("events-accept-any-json")
@pytest.mark.parametrize("kind", [*VALUES, "missing"])
def test_the_queue_takes_no_harm(hosts: Any, kind: Any) -> None:
    """What is wrong is said in the stream of results; the event is not lost without a word."""
    client, *_ = hosts
    for name in ("decode", "interpolate", "nudge", "random_sample"):
        data = "" if kind == "missing" else ",".join([VALUES[kind]] * 5)
        joined = post(client, f"/gradio_api/call/{name}", f'{{"data": [{data}]}}')
        if joined.status_code == 200:
            told = client.get(f"/gradio_api/call/{name}/{joined.json()['event_id']}").text
            last = told.strip().split("\n\n")[-1]
            assert last.startswith(("event: error", "event: complete"))
            if last.startswith("event: error"):
                assert json.loads(last.split("data: ", 1)[1])["error"]
        else:
            check_clear(joined)
    still_well(client)


def server_functions(client: Any) -> Iterator[Any]:
    for component in config(client)["components"]:
        for name in component["props"].get("server_fns") or []:
            yield component["id"], name


@pytest.mark.guarantee("server-functions-accept-any-json")
def test_every_server_function_is_found(hosts: Any) -> None:
    names = {name for _, name in server_functions(hosts[0])}
    assert {
        "look",
        "test_digit",
        "layer",
        "table",
        "story",
        "nudge",
        "here",
        "export",
        "drawn",
        "check",
    } <= names


@pytest.mark.guarantee("server-functions-accept-any-json")
@pytest.mark.parametrize("kind", VALUES)
def test_server_functions_take_no_harm(hosts: Any, kind: Any) -> None:
    client, *_ = hosts
    for component, name in server_functions(client):
        for data in (VALUES[kind], f"[{VALUES[kind]}]", f"[{','.join([VALUES[kind]] * 3)}]"):
            body = (
                f'{{"component_id": {component}, "fn_name": "{name}", "session_hash": "s", '
                f'"data": {data}}}'
            )
            answer = post(client, "/gradio_api/component_server", body)
            check_clear(answer)
            if answer.status_code == 200 and "error" in answer.json():
                assert answer.json()["error"]
    still_well(client)


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
def test_requests_that_make_no_sense(hosts: Any, body: str) -> None:
    client, *_ = hosts
    for path in ("component_server", "run/predict", "run/nothing", "queue/join", "call/nothing"):
        answer = post(client, f"/gradio_api/{path}", body)
        assert 400 <= answer.status_code < 500, (path, answer.text)
        check_clear(answer)
    still_well(client)


@pytest.mark.guarantee("events-accept-any-json")
@pytest.mark.parametrize(
    "path", ["call/decode/nothing", "call/nothing/nothing", "queue/data?session_hash=nothing"]
)
def test_results_that_nobody_asked_for(hosts: Any, path: str) -> None:
    client, *_ = hosts
    answer = client.get(f"/gradio_api/{path}")
    assert answer.status_code < 500
    assert "Traceback" not in answer.text
    still_well(client)


@pytest.mark.guarantee("openapi-fuzzing")
def test_schemathesis_finds_no_fault_of_the_server(hosts: Any) -> None:
    """Calls made from the running application's own OpenAPI description."""
    client, log, _ = hosts
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run"),
            f"{client.base_url}gradio_api/openapi.json",
            *("--checks", "not_a_server_error", "--max-examples", "6"),
            *("--generation-deterministic", "--workers", "2"),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=log.parent,  # it keeps a folder of its own
        env={**os.environ, "COLUMNS": "200"},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    found = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert found, done.stdout
    assert int(found.group(1)) == int(found.group(2)) > 60, done.stdout[-3000:]
    still_well(client)


# --- files of this machine, and addresses that it can reach ---


@pytest.fixture(scope="module")
def bait() -> Iterator[Any]:
    """An address on this machine, and how often it was asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"secret")

        do_HEAD = do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/x.png", asked
    server.shutdown()
    server.server_close()


def cached(cache: Any) -> Any:
    return {path for path in cache.rglob("*") if path.is_file()}


@pytest.mark.guarantee("no-local-files")
def test_no_file_and_no_address_is_read_for_a_stranger(
    hosts: Any, bait: Any, tmp_path: Path
) -> None:
    client, _, cache = hosts
    url, asked = bait
    secret = tmp_path / "secret.png"
    Image.new("L", (28, 28)).save(secret)
    aims = [str(secret), "/etc/passwd", "README.md", "../../etc/passwd", url]
    aims += ["file:///etc/passwd", "data:image/png;base64,AAAA"]
    before = cached(cache)
    for aim in aims:
        meta = {"_type": "gradio.FileData"}
        for value in ({"path": aim, "meta": meta}, {"path": aim, "url": aim, "meta": meta}):
            for number, count in events(client).items():
                body = {"fn_index": number, "session_hash": "s", "data": [value] * max(1, count)}
                answer = client.post("/gradio_api/run/predict", json=body)
                check_clear(answer)
                assert "root:" not in answer.text
                assert "secret" not in answer.text.replace(aim, "")
            for component, name in server_functions(client):
                body = {
                    "component_id": component,
                    "fn_name": name,
                    "session_hash": "s",
                    "data": [value],
                }
                check_clear(client.post("/gradio_api/component_server", json=body))
    assert asked == []
    assert cached(cache) == before


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
def test_no_file_is_served_but_gradios_own(hosts: Any, bait: Any, path: str) -> None:
    client, *_ = hosts
    url, asked = bait
    port = url.split(":")[2].split("/")[0]
    for start in ("/gradio_api/", "/"):
        answer = client.get(start + path.format(port=port), follow_redirects=False)
        assert "root:" not in answer.text
        assert "import argparse" not in answer.text
        # Gradio answers a page for names that it does not know.
        assert answer.status_code in (302, 307, 400, 403, 404, 422) or "<html" in answer.text[:400]
    assert asked == []


@pytest.mark.guarantee("uploads-never-kept")
def test_uploads_leave_nothing(hosts: Any) -> None:
    client, _, cache = hosts
    before = cached(cache)
    for path in ("upload", "process_recording", "component_server", "run/predict"):
        for name in ("x.png", "../../x.png", "/etc/cron.d/x"):
            files = {"files": (name, b"x" * 1000), "video": (name, b"x" * 1000)}
            answer = client.post(f"/gradio_api/{path}", files=files)
            assert answer.status_code == 403
            assert answer.json() == {"detail": NO_UPLOADS}
    assert cached(cache) == before


@pytest.mark.guarantee("unused-routes-blocked")
def test_what_a_session_holds_is_not_written_to_a_file(hosts: Any) -> None:
    client, _, cache = hosts
    before = cached(cache)
    component, name = next(one for one in server_functions(client) if one[1] == "look")
    body = {"component_id": component, "fn_name": name, "session_hash": "s", "data": [0, 0, True]}
    assert client.post("/gradio_api/component_server", json=body).status_code == 200
    answer = client.get("/gradio_api/deep_link?session_hash=s")
    assert answer.status_code == 404
    assert answer.json() == {"detail": NOT_FOUND}
    assert cached(cache) == before


@pytest.mark.guarantee("unused-routes-blocked")
def test_visits_are_not_told_to_strangers_and_leave_no_line_in_the_log(hosts: Any) -> None:
    client, log, _ = hosts
    before = log.read_text()
    for path in ("monitoring", "monitoring/summary", "monitoring/x"):
        answer = client.get(f"/{path}")
        assert answer.status_code == 403
        assert "not enabled" in answer.json()["detail"]
    client.get("/gradio_api/custom_component/x/client/x/x%0ALatent Space Navigator")
    assert log.read_text() == before


@pytest.mark.guarantee("slow-uploads-time-out")
def test_requests_that_never_end_leave_room_for_others(own_demo: Callable[..., Demo]) -> None:
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
            still_well(client)
            connection.settimeout(60)
            assert connection.recv(1000).startswith(b"HTTP/1.1 408")
            still_well(client)


# --- pictures, through the page's own server function ---


def png(image: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    sum_ = zlib.crc32(kind + data).to_bytes(4, "big")
    return len(data).to_bytes(4, "big") + kind + data + sum_


def bomb(side: int = 9000) -> bytes:
    """A PNG of some 10 KB with 81 million pixels."""
    header = side.to_bytes(4, "big") * 2 + bytes([1, 0, 0, 0, 0])  # one bit a pixel
    rows = zlib.compress(bytes((side + 7) // 8 + 1) * side, 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


@pytest.fixture(scope="module")
def send(hosts: Any) -> Any:
    """send(bytes) -> what `drawn` answers."""
    client, *_ = hosts
    component = next(c for c, name in server_functions(client) if name == "drawn")

    def ask(data: bytes | str) -> Any:
        text = data if isinstance(data, str) else base64.b64encode(data).decode()
        body = {
            "component_id": component,
            "fn_name": "drawn",
            "session_hash": "s",
            "data": text,
        }
        return client.post("/gradio_api/component_server", json=body)

    return ask


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'


@pytest.mark.guarantee("images-read-or-explained")
@pytest.mark.parametrize(
    ("picture", "message"),
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
def test_pictures_that_cannot_be_read_are_told(send: Any, picture: Any, message: str) -> None:
    assert not isinstance(picture, bytes) or len(picture) < 60_000
    answer = send(picture)
    assert answer.status_code == 200, answer.text
    assert message in answer.json()["error"]


@pytest.mark.guarantee("oversized-input-rejected-early")
def test_a_picture_over_the_limit_is_refused_before_it_is_read(send: Any) -> None:
    assert "5 MB" in send(bytes(5_500_000)).json()["error"]
    assert send(bytes(7_000_000)).status_code == 413
