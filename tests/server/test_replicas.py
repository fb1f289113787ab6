"""Two replicas of the demo behind a real nginx with docs/nginx.conf; tests kill or drain one."""

import contextlib
import getpass
import math
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import torch
from gradio_client import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from benchmarks.server import Process, free_port, running_process
from latent_navigator.app.data_routes import web_files
from latent_navigator.app.errors import SHUTTING_DOWN
from latent_navigator.app.middleware import RequestLimits
from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.explorer.data_files import model_hash
from latent_navigator.explorer.latent_space import LatentSpace
from tests.browser.helpers import (
    SERVER,
    assert_painted,
    box_of,
    compare,
    drawn,
    map_point,
    open_tab,
    position,
    settle,
    wait_for_position,
)
from tests.fixtures import ROOT
from tests.forks import start_quiet_demo
from tests.helpers import wait_until
from tests.server.stand_ins import api_client

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        NGINX is None, reason="no nginx; Debian: apt install nginx, macOS: brew install nginx"
    ),
]

CONFIGURATION = ROOT / "docs" / "nginx.conf"


def api_answers(client: Client) -> tuple[object, bytes]:
    """The answers of two endpoints to an API client: a JSON value and an image file."""
    jump = client.predict(3, "typical", api_name="/jump_to_digit")
    return jump, Path(client.predict(0.5, -1.2, api_name="/decode")).read_bytes()


class Replicas:
    """Two replicas of the demo behind one address; `folder` holds nginx's files and the logs."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder, self.stack = folder, stack
        self.starts = 0
        self.processes: dict[str, Process] = {}  # by "host:port"
        ports = free_port(), free_port()
        with ThreadPoolExecutor() as pool:  # each start needs one core for some seconds
            list(pool.map(self.start, ports))
        self.address = f"http://127.0.0.1:{self._start_nginx()}/"

    def start(self, port: int) -> None:
        self.starts += 1
        log = self.folder / f"replica-{self.starts}-{port}.log"
        demo = running_process(log, port=port, start=start_quiet_demo)
        self.processes[f"127.0.0.1:{port}"] = self.stack.enter_context(demo)[1]

    def _start_nginx(self) -> int:
        port, text = free_port(), CONFIGURATION.read_text()
        first, second = self.processes
        for original, replacement in (
            ("listen 8080;", f"listen 127.0.0.1:{port};"),
            ("server 127.0.0.1:7862 ", f"server {first} "),
            ("server 127.0.0.1:7863 ", f"server {second} "),
            ("/run/nginx.pid", f"{self.folder}/nginx.pid"),
            ("/var/log/nginx/", f"{self.folder}/"),
            ("/var/cache/nginx/navigator", f"{self.folder}/kept"),
        ):
            assert original in text, original
            text = text.replace(original, replacement)
        # Its workers must be able to write there.
        (self.folder / "nginx.conf").write_text(f"user {getpass.getuser()};\n{text}")
        errors = self.folder / "error.log"
        settings = f"{self.folder}/nginx.conf"
        command = [str(NGINX), "-c", settings, "-e", f"{errors}", "-g", "daemon off;"]
        nginx = subprocess.Popen(command)
        self.stack.callback(nginx.wait)
        self.stack.callback(nginx.terminate)
        while True:
            assert nginx.poll() is None, errors.read_text()
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                return port

    def logged(self) -> int:
        """The number of requests in nginx's log, where each appears shortly after its answer."""
        return len((self.folder / "access.log").read_text().splitlines())

    def serving(self, path: str, since: int) -> str:
        """The replica that answered the newest request of a path, of those logged after `since`."""
        deadline = time.monotonic() + 30
        while True:
            lines = (self.folder / "access.log").read_text().splitlines()[since:]
            if found := [line for line in lines if path in line]:
                return found[-1].split()[-2]
            assert time.monotonic() < deadline, path
            time.sleep(0.01)

    def replica_of(self, client: httpx.Client) -> str:
        """The replica to which nginx sends a client's requests."""
        before, mark = self.logged(), uuid.uuid4().hex
        assert client.get(f"{self.address}health?{mark}").status_code == 200
        return self.serving(mark, before)

    def kill(self, name: str) -> None:
        """End a replica with SIGKILL, and wait until its process is gone."""
        self.processes[name].kill()
        self.processes[name].wait()

    def restore(self) -> None:
        """Restart replicas that have ended, and wait until nginx sends requests to both."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                self.start(int(name.split(":")[1]))
        seen: set[str] = set()

        def both_serve() -> bool:
            with httpx.Client(cookies={"replica": uuid.uuid4().hex}) as client:
                seen.add(self.replica_of(client))
            return seen == set(self.processes)

        wait_until(both_serve, describe=seen)


@pytest.fixture(scope="module")
def shared_replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    folder = tmp_path_factory.mktemp("replicas")
    with contextlib.ExitStack() as stack:
        yield Replicas(folder, stack)
    for log in folder.glob("replica-*.log"):
        assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture
def replicas(shared_replicas: Replicas) -> Replicas:
    """Two replicas that are running, whatever the test before has done."""
    shared_replicas.restore()
    return shared_replicas


def component_ids(client: httpx.Client) -> dict[str, int]:
    """The ids of the page's components, by their HTML ids."""
    components = client.get("config").json()["components"]
    return {component["props"].get("elem_id"): component["id"] for component in components}


@pytest.mark.guarantee("replicas")
def test_each_client_stays_at_one_of_two_identical_replicas(replicas: Replicas) -> None:
    text = CONFIGURATION.read_text()
    assert f"client_max_body_size {RequestLimits().max_body};" in text
    configs = [httpx.get(f"http://{name}/config").json() for name in replicas.processes]
    for config in configs:
        for component in config["components"]:
            # Gradio's descriptions of server functions contain their addresses in memory.
            component["props"] = {k: v for k, v in component["props"].items() if "0x" not in str(v)}
    for key in ("components", "dependencies", "layout"):
        assert configs[0][key] == configs[1][key]

    # Many browsers at one address: both replicas are used, and each browser stays at one.
    used = set()
    for _ in range(16):
        with httpx.Client(base_url=replicas.address) as browser:
            assert "replica" in browser.get("/").cookies
            assert "replica" not in browser.get("/").headers.get("set-cookie", "")
            found = {replicas.replica_of(browser) for _ in range(4)}
            assert len(found) == 1
            used |= found
    assert used == set(replicas.processes)
    # API clients without cookies stay at one replica too.
    found = set()
    for _ in range(8):
        with httpx.Client() as program:
            found.add(replicas.replica_of(program))
    assert len(found) == 1
    too_large = httpx.post(f"{replicas.address}gradio_api/queue/join", content=b"x" * 8_000_001)
    assert too_large.status_code == 413


@pytest.mark.guarantee("replicas")
def test_data_comes_from_either_replica_through_nginx_as_it_is(
    replicas: Replicas, released: Checkpoint
) -> None:
    path = f"data/{model_hash(released)}/decoder.bin"
    addresses = [replicas.address, *(f"http://{name}/" for name in replicas.processes)]
    answers = [httpx.get(f"{address}{path}") for address in addresses]
    for answer in answers:
        assert answer.status_code == 200
        assert answer.content == answers[0].content
        for header in ("cache-control", "content-encoding", "content-length", "vary"):
            assert answer.headers[header] == answers[1].headers[header]
    module = f"{replicas.address}{web_files().address('core/decoder.js')}"
    for _ in range(2):
        assert httpx.get(module).headers["content-type"].startswith("text/javascript")
    # nginx has kept both, and asks no replica again.
    since = replicas.logged()
    httpx.get(f"{replicas.address}{path}")
    assert replicas.serving(path, since) == "-"
    assert httpx.get(module).status_code == 200
    assert replicas.serving("core/decoder.js", since) == "-"


def drag_in_a_circle(page: Page, seconds: float) -> None:
    """Move the held pointer around the centre of the map."""
    started, angle = time.monotonic(), 0.0
    while time.monotonic() - started < seconds:
        angle += 0.1
        page.mouse.move(*map_point(page, 1.5 * math.cos(angle), 1.5 * math.sin(angle)))


@pytest.mark.guarantee("replicas")
def test_nothing_is_lost_when_a_replica_is_killed_during_a_drag(
    replicas: Replicas, browser: Browser, space: LatentSpace
) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page, start = context.new_page(), replicas.logged()
    errors: list[tuple[str, str]] = []  # text and address

    def record_error(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append((message.text, message.location["url"]))

    page.on("pageerror", lambda error: errors.append((str(error), "")))
    page.on("console", record_error)
    page.goto(replicas.address)
    page.wait_for_selector("#latent-map[data-ready=true]")
    compare(page)
    paths = drawn(page)
    assert len(paths) == 4

    # All requests of the page go to one replica.
    page.mouse.move(*map_point(page, 1.5, 0))
    page.mouse.down()
    drag_in_a_circle(page, 0.5)
    served = replicas.serving("/component_server", start)
    other = next(name for name in replicas.processes if name != served)

    assert errors == []

    # An API client at the same replica, which depends on its user agent. (The header's name is in
    # lower case, like the client's own: otherwise both are sent, and nginx reads the first.)
    for number in range(32):
        since = replicas.logged()
        agent = {"user-agent": f"program {number}"}
        program = api_client(replicas.address, headers=agent)
        answers = api_answers(program)
        if replicas.serving("/gradio_api/queue/data", since) == served:
            break
    else:
        raise AssertionError("that replica serves no API client")

    killed = threading.Timer(0.7, replicas.kill, [served])
    killed.start()
    drag_in_a_circle(page, 1.5)
    killed.join()
    since = replicas.logged()
    page.mouse.up()
    page.mouse.click(*map_point(page, -1, -1))
    wait_for_position(page, -1, -1)
    assert_painted(page, space)
    nearest = space.around(torch.tensor([[-1.0, -1.0]])).neighbours[0, 0]
    expect(page.locator("#readout .nearest button").first).to_have_attribute(
        "title", f"Test digit {int(nearest)}, labelled {int(space.labels[nearest])}"
    )
    assert errors == []

    since = replicas.logged()
    assert api_answers(program) == answers
    assert replicas.serving("/gradio_api/queue/data", since) == other

    # Paths, a nudge and a drawing work without a reload.
    since = replicas.logged()
    page.locator("#even").check()
    expect(page.locator("body")).not_to_have_class(re.compile("finding-paths"))
    compare(page)
    assert replicas.serving("/component_server", since) == other
    assert [path["curve"] for path in drawn(page)] == [path["curve"] for path in paths]
    open_tab(page, "Directions")
    before = position(page)
    page.locator("#directions").get_by_role("button", name="bolder", exact=True).click()
    page.wait_for_function(
        "(z) => latentSpace.state.z.x !== z[0] || latentSpace.state.z.y !== z[1]", arg=before
    )
    settle(page)
    open_tab(page, "Draw")
    pad = box_of(page.locator("#own-digit .paper"))
    page.mouse.move(pad["x"] + pad["width"] / 2, pad["y"] + pad["height"] / 5)
    page.mouse.down()
    page.mouse.move(pad["x"] + pad["width"] / 2, pad["y"] + 4 * pad["height"] / 5, steps=8)
    page.mouse.up()
    expect(page.locator("#own-digit")).to_contain_text("It lands among the 1s")
    settle(page)

    # The link opens the same view, served by the replica that is left.
    assert_painted(page, space)
    z = position(page)
    page.wait_for_function(
        """([x, y]) => {
          const link = new URLSearchParams(location.hash.slice(1));
          return +link.get("x") === x && +link.get("y") === y;
        }""",
        arg=z,
    )
    reopened = context.new_page()
    reopened.goto(page.url)
    reopened.wait_for_selector("#latent-map[data-ready=true]")
    assert position(reopened) == pytest.approx(z, abs=0.001)
    assert reopened.locator("#even").is_checked()
    context.close()
    assert errors == []


def test_a_computation_lost_with_its_replica_is_repeated_by_the_other(
    replicas: Replicas, browser: Browser
) -> None:
    context, before = browser.new_context(), replicas.logged()
    page = context.new_page()
    page.goto(replicas.address)
    page.wait_for_selector("#latent-map[data-ready=true]")
    open_tab(page, "Directions")
    page.wait_for_selector("#directions [data-state=shown]")
    served = replicas.serving("/component_server", before)
    open_tab(page, "Paths")
    with page.expect_request(SERVER):
        page.locator("#compare").click()
    replicas.kill(served)  # paths that are not in the cache yet take a second
    since = replicas.logged()
    compare(page)
    assert len(drawn(page)) == 4
    assert replicas.serving("/component_server", since) != served
    context.close()


def request_image(client: httpx.Client, component: int) -> None:
    """Request the image of a position as the page does."""
    body = {
        "data": [0.5, -1.2],
        "component_id": component,
        "fn_name": "decode",
        "session_hash": "client",
    }
    answer = client.post("gradio_api/component_server/", json=body)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["round_trip"]) == 2


@pytest.mark.guarantee("replicas")
def test_clients_do_not_notice_a_draining_replica(replicas: Replicas) -> None:
    with httpx.Client(base_url=replicas.address) as client:
        client.get("/")
        component = component_ids(client)["workspace"]
        served = replicas.replica_of(client)
        request_image(client, component)
        replicas.processes[served].send_signal(signal.SIGTERM)
        while httpx.get(f"http://{served}/health").status_code == 200:
            time.sleep(0.01)
        # A queued event is rejected, not sent to the other replica: the request for its result
        # would still come here.
        rejected = client.post("gradio_api/call/jump_to_digit", json={"data": [3, "typical"]})
        assert rejected.status_code == 503
        assert rejected.json() == {"detail": SHUTTING_DOWN}
        while replicas.processes[served].poll() is None:
            request_image(client, component)
        since = replicas.logged()
        request_image(client, component)
        assert replicas.processes[served].poll() == 0
        assert replicas.serving("/component_server", since) != served
