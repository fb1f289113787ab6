"""Training over HTTP: who may, what is answered, and that nobody else can."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

import demo
from latent_navigator.app.drain import Drain
from latent_navigator.app.lab_routes import (
    FOREIGN,
    ON_NETWORK,
    THROUGH_PROXY,
    TURNED_OFF,
    LabAccess,
    lab_routes,
)
from latent_navigator.app.middleware import RequestLimits
from latent_navigator.app.server import build_middleware
from latent_navigator.lab.lab import NOT_YOURS, Lab
from latent_navigator.lab.supervisor import Supervisor
from tests.helpers import run_async, wait_until
from tests.unit.test_lab_supervisor import STOPPABLE, write_stand_in

HERE = "http://127.0.0.1:7862"
JSON = {"content-type": "application/json"}
VALUES = {"dataset": "mnist", "beta": 0.5, "epochs": 4}


class Client:
    """Requests to the application with these routes, without a socket.

    Args:
        folder: of the runs. allowed, host: see LabAccess.
    """

    def __init__(
        self, folder: Path, allowed: bool | None = None, host: str = "127.0.0.1", body: str = ""
    ) -> None:
        command = [sys.executable, str(write_stand_in(folder, body or STOPPABLE))]
        self.supervisor = Supervisor(folder / "runs", command, threads=1)
        routes = lab_routes(Lab(self.supervisor, folder), LabAccess(allowed, host))
        middleware = build_middleware(Drain(), RequestLimits(), "a model")
        self.app = FastAPI(openapi_url=None, routes=list(routes), middleware=middleware)

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
                return await client.request(method, f"/lab/{path}", **options)

        return run_async(call())

    def get(self, path: str, **options: Any) -> Any:
        return self.send("GET", path, **options).json()

    def start(self, **options: Any) -> httpx.Response:
        return self.send("POST", "start", **{"json": VALUES, **options})


def is_waiting(client: Client, **options: Any) -> bool:
    """Whether the stand-in of the trainer waits after its third epoch."""
    return "waiting" in client.get("status", **options)["run"]["log"]


def assert_stops(client: Client, token: dict[str, str], **options: Any) -> None:
    """The run that goes on is stopped by a request; it may end before the answer is written."""
    answer = client.send("POST", "stop", json=token, **options).json()
    assert answer["run"]["state"] in ("stopping", "stopped")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    made = Client(tmp_path)
    yield made
    made.supervisor.close()


@pytest.mark.guarantee("training-isolated")
def test_a_run_over_http(client: Client) -> None:
    assert client.get("status") == {"message": "", "may_stop": True, "run": None, "runs": []}
    form = client.get("form")
    assert {preset["key"] for preset in form["presets"]} >= {"tidy", "minute"}
    checked = client.send("POST", "check", json=VALUES).json()
    assert "--beta 0.5" in checked["command"]
    assert "of this machine" in checked["estimate"]
    assert client.supervisor.runs() == []  # asking starts nothing
    started = client.start().json()["run"]
    assert started["state"] == "running"
    assert started["command"].startswith("python ")

    wait_until(lambda: is_waiting(client))
    # A second user finds it, and cannot start another one.
    status = client.get("status")["run"]
    assert (status["name"], status["at"], status["epochs"]) == (started["name"], 3, 4)
    refused = client.start()
    assert refused.json()["error"].startswith("A run is already in progress (MNIST, beta 0.5")
    assert_stops(client, {})
    wait_until(lambda: client.get("status")["run"]["state"] == "stopped")
    resumed = client.send("POST", "resume", json={"name": started["name"]}).json()["run"]
    assert resumed["state"] == "running"
    wait_until(lambda: client.get("status")["run"]["state"] == "finished")


@pytest.mark.guarantee("training-access")
@pytest.mark.parametrize(
    ("allowed", "host", "sentence"),
    [
        (None, "0.0.0.0", ON_NETWORK),
        (None, "192.168.1.2", ON_NETWORK),
        (False, "127.0.0.1", TURNED_OFF),
        (False, "0.0.0.0", TURNED_OFF),
    ],
)
def test_where_training_is_off_nothing_starts_and_one_sentence_says_how_to_turn_it_on(
    tmp_path: Path, allowed: bool | None, host: str, sentence: str
) -> None:
    client = Client(tmp_path, allowed, host)
    assert client.get("status") == {"message": sentence}
    assert client.get("form") == {"message": sentence}
    for action in ("check", "start", "stop", "resume"):
        refused = client.send("POST", action, json=VALUES)
        assert (refused.status_code, refused.json()) == (403, {"error": sentence})
    assert client.supervisor.runs() == []


@pytest.mark.guarantee("training-access")
def test_allow_training_turns_it_on_elsewhere_but_no_folder_is_read_there(tmp_path: Path) -> None:
    client = Client(tmp_path, True, "0.0.0.0")
    at = {"host": "lab.example", "origin": "https://lab.example", "x-forwarded-for": "1.2.3.4"}
    refused = client.start(json={"dataset": "folder", "folder": "/"}, headers=at)
    assert "only from the server's own machine" in refused.json()["error"]
    assert all(one["key"] != "folder" for one in client.get("form", headers=at)["datasets"])
    assert client.start(headers=at).status_code == 200
    client.supervisor.close()


@pytest.mark.guarantee("training-access")
def test_a_user_from_elsewhere_stops_only_a_run_of_their_own(tmp_path: Path) -> None:
    client = Client(tmp_path, True, "0.0.0.0")
    at = {"host": "lab.example", "origin": "https://lab.example"}
    assert client.send("POST", "stop", json={}, headers=at).json() == {"run": None}
    started = client.start(headers=at).json()
    status = client.get("status", headers=at)
    assert not status["may_stop"]
    assert started["token"] not in str(status)
    wrong: list[object] = [{}, [], {"token": ""}, {"token": 1}, {"token": "é\ud800"}]
    for values in wrong:
        refused = client.send("POST", "stop", content=json.dumps(values), headers=JSON | at)
        assert refused.json() == {"error": NOT_YOURS}
    wait_until(lambda: is_waiting(client, headers=at))  # an epoch is complete
    token = {"token": started["token"]}
    assert_stops(client, token, headers=at)
    wait_until(lambda: not client.supervisor.busy)
    # Who resumes it has it from then on.
    name = {"name": started["run"]["name"]}
    resumed = client.send("POST", "resume", json=name, headers=at).json()
    assert resumed["token"] != started["token"]
    client.supervisor.close()


@pytest.mark.guarantee("training-access")
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},  # another program of this machine
        {"origin": HERE, "sec-fetch-site": "cross-site"},
        {"content-type": "text/plain"},  # what a foreign page can send unasked
        {"content-type": "application/x-www-form-urlencoded"},
    ],
    ids=str,
)
def test_a_foreign_page_cannot_start_a_run(client: Client, headers: dict[str, str]) -> None:
    content = b'{"dataset": "mnist"}'
    usual = {"content-type": "application/json"}
    for action in ("start", "stop", "resume"):
        refused = client.send("POST", action, content=content, headers=usual | headers)
        assert (refused.status_code, refused.json()) == (403, {"error": FOREIGN})
    assert client.supervisor.runs() == []
    own = {"origin": HERE, "sec-fetch-site": "same-origin"}
    assert client.start(headers=own).status_code == 200


@pytest.mark.guarantee("training-access")
@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example:7862", "origin": "http://evil.example:7862"},  # DNS rebinding
        {"x-forwarded-for": "1.2.3.4"},
        {"forwarded": "for=1.2.3.4"},
    ],
    ids=str,
)
def test_a_local_server_trains_for_this_machine_only(
    client: Client, headers: dict[str, str]
) -> None:
    refused = client.start(headers=headers)
    assert (refused.status_code, refused.json()) == (403, {"error": THROUGH_PROXY})
    assert client.get("status", headers=headers) == {"message": THROUGH_PROXY}
    assert client.supervisor.runs() == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_loopback_addresses_are_this_machine(host: str) -> None:
    bracketed = f"[{host}]" if ":" in host else host
    assert LabAccess(None, host).refusal({"host": f"{bracketed}:7862"}) == ""
    assert LabAccess(None, host, proxied=True).refusal({"host": bracketed}) == ON_NETWORK


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"NaN", b'{"beta": 1e999}', b"[" * 100_000, b"9" * 5000],
)
def test_any_json_is_answered_with_a_sentence(client: Client, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    for action in ("check", "start", "resume"):
        answer = client.send("POST", action, content=content, headers=headers)
        assert answer.json()["error"].endswith(".")
    assert client.supervisor.runs() == []


def test_unknown_snapshots_are_not_found(client: Client) -> None:
    for path in ("../a/1/0-1.bin", "a/1/0-1.bin", "a/1/1-0.bin", "a/x/0-1.bin"):
        assert client.send("GET", f"moments/{path}").status_code == 404


def test_snapshots_are_kept_by_browsers(tmp_path: Path) -> None:
    body = """
    from latent_navigator.training.progress import encode_array
    import numpy as np
    begin()
    write(kind="start", epoch=0, config={"epochs": 4, "dataset": "mnist", "beta": 4.0},
          model={"latent_dim": 2}, images=1, test_images=1, items="digits", class_names=["0", "1"],
          labels=encode_array(np.zeros(3, np.uint8)))
    for at in (0, 0.5):
        write(kind="moment", at=at, entry=None, recon=at or None, kl=0, beta=0, reach=3,
              means=encode_array(np.zeros((3, 2), np.float16)),
              grid=encode_array(np.zeros((9, 9, 28, 28), np.uint8)))
    """
    client = Client(tmp_path, body=body)
    name = client.start().json()["run"]["name"]
    wait_until(lambda: client.get("status")["run"]["state"] != "running")
    status = client.get("status")["run"]
    assert status["moments"] == 2
    answer = client.send("GET", f"moments/{name}/{status['starts']}/0-2.bin")
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert b'"epochs": [0, 0.5]' in answer.content
    assert client.send("GET", f"moments/{name}/9/0-2.bin").status_code == 404
    assert client.send("GET", f"moments/{name}/{status['starts']}/0-3.bin").status_code == 404


@pytest.mark.guarantee("training-access")
def test_the_demo_trains_for_its_own_page_only(served: str) -> None:
    assert httpx.get(f"{served}lab/form").json()["presets"]
    before = httpx.get(f"{served}lab/status").json()
    evil = {"origin": "https://evil.example"}
    refused = httpx.post(f"{served}lab/start", json={"dataset": "mnist"}, headers=evil)
    assert (refused.status_code, refused.json()) == (403, {"error": FOREIGN})
    # Without the consent to a foreign origin, a browser does not send its JSON at all.
    preflight = {**evil, "access-control-request-method": "POST"}
    answer = httpx.options(f"{served}lab/start", headers=preflight)
    assert "access-control-allow-origin" not in answer.headers
    # Neither the API nor a server function has to do with it.
    endpoints = httpx.get(f"{served}gradio_api/info").json()["named_endpoints"]
    assert not any("lab" in name or "train" in name for name in endpoints)
    assert httpx.get(f"{served}lab/status").json() == before


@pytest.mark.parametrize(
    ("options", "training"),
    [([], None), (["--allow-training"], True), (["--no-training"], False)],
)
def test_the_command_line_says_who_may_train(options: list[str], training: bool | None) -> None:
    assert demo.parse_arguments(options).training is training


def test_training_is_not_both_allowed_and_forbidden(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        demo.parse_arguments(["--allow-training", "--no-training"])
    assert "not allowed with" in capsys.readouterr().err
