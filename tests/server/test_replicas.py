"""Two replicas of the demo behind a real nginx with docs/nginx.conf, one of which dies."""

import contextlib
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
from gradio_client import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from benchmarks.server import free_port, running_process
from latent_navigator.app.errors import SHUTTING_DOWN
from latent_navigator.app.middleware import RequestLimits
from latent_navigator.explorer.latent_space import LatentSpace
from tests.browser.helpers import (
    assert_painted,
    box_of,
    compare,
    drawn,
    map_point,
    position,
    settle,
)
from tests.conftest import ROOT

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        NGINX is None, reason="no nginx; Debian: apt install nginx, macOS: brew install nginx"
    ),
]

CONFIGURATION = ROOT / "docs" / "nginx.conf"

# What a program asks: one answer is JSON, one an image.
PROGRAM = (
    lambda client: client.predict(3, "typical", api_name="/jump_to_digit"),
    lambda client: Path(client.predict(0.5, -1.2, api_name="/decode")).read_bytes(),
)


class Copies:
    """Two copies of the demo behind one address; `folder` holds nginx's files and the logs."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder, self.stack = folder, stack
        self.starts = 0
        self.processes: dict[str, subprocess.Popen[bytes]] = {}  # by "host:port"
        ports = free_port(), free_port()
        with ThreadPoolExecutor() as pool:  # each start needs one core for some seconds
            list(pool.map(self.start, ports))
        self.address = f"http://127.0.0.1:{self._start_nginx()}/"

    def start(self, port: int) -> None:
        self.starts += 1
        log = self.folder / f"copy-{self.starts}-{port}.log"
        process = self.stack.enter_context(running_process(log, port=port))[1]
        self.processes[f"127.0.0.1:{port}"] = process

    def _start_nginx(self) -> int:
        port, text = free_port(), CONFIGURATION.read_text()
        first, second = self.processes
        for given, ours in (
            ("listen 8080;", f"listen 127.0.0.1:{port};"),
            ("server 127.0.0.1:7862 ", f"server {first} "),
            ("server 127.0.0.1:7863 ", f"server {second} "),
            ("/run/nginx.pid", f"{self.folder}/nginx.pid"),
            ("/var/log/nginx/", f"{self.folder}/"),
        ):
            assert given in text, given
            text = text.replace(given, ours)
        (self.folder / "nginx.conf").write_text(text)
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
        """How many requests nginx has logged; it does so a moment after the answer."""
        return len((self.folder / "access.log").read_text().splitlines())

    def serving(self, path: str, since: int) -> str:
        """The copy that answered the newest request of a path, of those logged after `since`."""
        until = time.monotonic() + 30
        while True:
            lines = (self.folder / "access.log").read_text().splitlines()[since:]
            if found := [line for line in lines if path in line]:
                return found[-1].split()[-2]
            assert time.monotonic() < until, path
            time.sleep(0.01)

    def home(self, client: httpx.Client) -> str:
        """The copy at which a client is kept."""
        before, mark = self.logged(), uuid.uuid4().hex
        assert client.get(f"{self.address}health?{mark}").status_code == 200
        return self.serving(mark, before)

    def kill(self, name: str) -> None:
        """End a copy in the hardest way, and wait until it is gone."""
        self.processes[name].kill()
        self.processes[name].wait()

    def complete(self) -> None:
        """Start anew what was killed, and wait until nginx sends requests to every copy."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                self.start(int(name.split(":")[1]))
        seen: set[str] = set()
        while seen != set(self.processes):
            with httpx.Client(cookies={"copy": uuid.uuid4().hex}) as client:
                seen.add(self.home(client))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copies]:
    folder = tmp_path_factory.mktemp("copies")
    with contextlib.ExitStack() as stack:
        yield Copies(folder, stack)
    for log in folder.glob("copy-*.log"):
        assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture
def copies(both: Copies) -> Copies:
    both.complete()
    return both


def part_ids(client: httpx.Client) -> dict[str, int]:
    components = client.get("config").json()["components"]
    return {part["props"].get("elem_id"): part["id"] for part in components}


@pytest.mark.guarantee("replicas")
def test_clients_stay_at_one_of_two_identical_replicas(copies: Copies) -> None:
    text = CONFIGURATION.read_text()
    assert f"client_max_body_size {RequestLimits().max_body};" in text
    configs = [httpx.get(f"http://{name}/config").json() for name in copies.processes]
    for config in configs:
        for part in config["components"]:
            # What Gradio tells of server functions holds their addresses in memory.
            part["props"] = {k: v for k, v in part["props"].items() if "0x" not in str(v)}
    for part in ("components", "dependencies", "layout"):
        assert configs[0][part] == configs[1][part]

    # One address, many browsers: both copies are used, each browser has one.
    used = set()
    for _ in range(16):
        with httpx.Client(base_url=copies.address) as visitor:
            assert "copy" in visitor.get("/").cookies
            assert "copy" not in visitor.get("/").headers.get("set-cookie", "")
            homes = {copies.home(visitor) for _ in range(4)}
            assert len(homes) == 1
            used |= homes
    assert used == set(copies.processes)
    # A program takes no cookie and is kept too.
    homes = set()
    for _ in range(8):
        with httpx.Client() as program:
            homes.add(copies.home(program))
    assert len(homes) == 1
    too_large = httpx.post(f"{copies.address}gradio_api/queue/join", content=b"x" * 8_000_001)
    assert too_large.status_code == 413


def stay_on(page: Page, seconds: float, turn: float) -> None:
    """Move the held pointer on a circle about the middle of the map."""
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        turn += 0.1
        page.mouse.move(*map_point(page, 1.5 * math.cos(turn), 1.5 * math.sin(turn)))


@pytest.mark.guarantee("replicas")
def test_a_replica_killed_during_a_drag_loses_nothing(
    copies: Copies, browser: Browser, space: LatentSpace
) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page, start = context.new_page(), copies.logged()
    faults: list[tuple[str, str]] = []  # text and address

    def keep(message: ConsoleMessage) -> None:
        if message.type == "error":
            faults.append((message.text, message.location["url"]))

    page.on("pageerror", lambda error: faults.append((str(error), "")))
    page.on("console", keep)
    page.goto(copies.address)
    page.wait_for_selector("#latent-map [data-ready=true]")
    page.wait_for_selector("#digit [data-state=shown]")
    compare(page)
    first = drawn(page)
    assert len(first) == 4

    # The visitor is kept at one copy, whatever is asked.
    page.mouse.move(*map_point(page, 1.5, 0))
    page.mouse.down()
    stay_on(page, 0.5, 0)
    served = copies.serving("/component_server", start)
    assert served == copies.serving("/queue/join", start) == copies.serving("/queue/data", start)
    other = next(name for name in copies.processes if name != served)

    assert faults == []

    # A program at the same copy; which it is depends on its name. (In small letters, as the client
    # writes its own: with capitals both would be sent, and nginx reads the first.)
    for number in range(32):
        since = copies.logged()
        program = Client(copies.address, verbose=False, headers={"user-agent": f"program {number}"})
        answers = [ask(program) for ask in PROGRAM]
        if copies.serving("/gradio_api/queue/data", since) == served:
            break
    else:
        raise AssertionError("no program is served by that copy")

    killed = threading.Timer(0.7, copies.kill, [served])
    killed.start()
    stay_on(page, 1.5, 0)
    killed.join()
    since = copies.logged()
    page.mouse.up()
    page.mouse.click(*map_point(page, -1, -1))
    settle(page)
    assert_painted(page, space)
    assert copies.serving("/component_server", since) == other
    # An answer of which a part had gone out cannot be asked of another copy by nginx, only by the
    # page: one of its questions is in flight at a time, so one at most fails.
    for text, url in faults:
        assert text.startswith("Failed to load resource: net::ERR_"), text
        assert "/component_server" in url
    assert len(faults) <= 1
    faults.clear()

    since = copies.logged()
    assert [ask(program) for ask in PROGRAM] == answers
    assert copies.serving("/gradio_api/queue/data", since) == other

    # Without a reload: paths, a drawing, a nudge.
    since = copies.logged()
    page.locator("#even input").check()
    expect(page.locator("body")).not_to_have_class(re.compile("finding-paths"))
    compare(page)
    assert copies.serving("/queue/join", since) == copies.serving("/queue/data", since) == other
    assert [path["curve"] for path in drawn(page)] == [path["curve"] for path in first]
    page.get_by_role("tab", name="Directions").click()
    before = position(page)
    page.locator("#directions").get_by_role("button", name="bolder", exact=True).click()
    page.wait_for_function(
        "(z) => latentSpace.z.x !== z[0] || latentSpace.z.y !== z[1]", arg=before
    )
    settle(page)
    page.get_by_role("tab", name="Your digit").click()
    pad = box_of(page.locator("#own-digit .paper"))
    page.mouse.move(pad["x"] + pad["width"] / 2, pad["y"] + pad["height"] / 5)
    page.mouse.down()
    page.mouse.move(pad["x"] + pad["width"] / 2, pad["y"] + 4 * pad["height"] / 5, steps=8)
    page.mouse.up()
    expect(page.locator("#own-digit")).to_contain_text("It lands among the 1s")
    settle(page)

    # The link opens the same, on whatever copy is left.
    assert_painted(page, space)
    here = position(page)
    page.wait_for_function(
        """([x, y]) => {
          const asked = new URLSearchParams(location.hash.slice(1));
          return +asked.get("x") === x && +asked.get("y") === y;
        }""",
        arg=here,
    )
    again = context.new_page()
    again.goto(page.url)
    again.wait_for_selector("#latent-map [data-ready=true]")
    assert position(again) == pytest.approx(here, abs=0.001)
    assert again.locator("#even input").is_checked()
    context.close()
    assert faults == []


def test_a_computation_lost_with_its_replica_is_reported_and_can_be_repeated(
    copies: Copies, browser: Browser
) -> None:
    context, before = browser.new_context(), copies.logged()
    page = context.new_page()
    page.goto(copies.address)
    page.wait_for_selector("#digit [data-state=shown]")
    served = copies.serving("/component_server", before)
    with page.expect_response(re.compile("/queue/join")):
        page.locator("#compare").click()
    copies.kill(served)  # ways that nobody asked for before take a second
    since = copies.logged()
    expect(page.locator("[data-testid=toast-body]")).to_contain_text("onnection")
    expect(page.locator("body")).not_to_have_class(re.compile("finding-paths"))
    compare(page)
    assert len(drawn(page)) == 4
    assert copies.serving("/queue/join", since) != served
    context.close()


def look(client: httpx.Client, component: int) -> None:
    """Ask for a digit as the page does."""
    body = {
        "data": [0.5, -1.2, False],
        "component_id": component,
        "fn_name": "look",
        "session_hash": "visitor",
    }
    answer = client.post("gradio_api/component_server/", json=body)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["shares"]) == 10


@pytest.mark.guarantee("replicas")
def test_a_replica_that_drains_is_not_noticed(copies: Copies) -> None:
    with httpx.Client(base_url=copies.address) as client:
        client.get("/")
        component = part_ids(client)["digit"]
        served = copies.home(client)
        look(client, component)
        copies.processes[served].send_signal(signal.SIGTERM)
        while httpx.get(f"http://{served}/health").status_code == 200:
            time.sleep(0.01)
        # What is asked with one request and answered in another is refused, not passed on: the
        # second would still come here.
        refused = client.post("gradio_api/call/jump_to_digit", json={"data": [3, "typical"]})
        assert refused.status_code == 503
        assert refused.json() == {"detail": SHUTTING_DOWN}
        while copies.processes[served].poll() is None:
            look(client, component)
        since = copies.logged()
        look(client, component)
        assert copies.processes[served].returncode == 0
        assert copies.serving("/component_server", since) != served
