"""Browsers other than Chromium, with what the core tests need of them.

Selenium drives both. WebKitGTK has a WebDriver of its own; Debian has none for Firefox, which
therefore takes the commands of WebDriver BiDi directly.
"""

import contextlib
import functools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from selenium import webdriver
from selenium.common import WebDriverException
from selenium.webdriver.common.bidi.common import command_builder
from selenium.webdriver.remote.command import Command
from selenium.webdriver.remote.websocket_connection import WebSocketConnection
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

from benchmarks.server import free_port
from tests.helpers import HANG, wait_until

FIREFOX = shutil.which("firefox") or shutil.which("firefox-esr")
WEBKIT_DRIVER, XVFB = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
MINI_BROWSER = next(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"), None)
PREFERENCES = {"browser.shell.checkDefaultBrowser": False, "app.update.enabled": False}


class Engine(Protocol):
    """A window of a browser."""

    def open(self, address: str) -> None:
        """Load an address anew, even if only its fragment is new."""

    def resize(self, width: int, height: int) -> None:
        """Give the page this size, in CSS pixels."""

    def run(self, expression: str) -> Any:
        """The value of an expression of JavaScript, as JSON."""

    def act(self, actions: list[dict[str, Any]]) -> None:
        """Perform actions of the WebDriver standard, as the user's hands."""


class Firefox:
    """A Firefox by WebDriver BiDi."""

    def __init__(self, socket: WebSocketConnection) -> None:
        self.socket = socket
        self._send("session.new", capabilities={})
        self.context = self._send("browsingContext.getTree")["contexts"][0]["context"]

    def _send(self, method: str, **parameters: Any) -> Any:
        return self.socket.execute(command_builder(method, parameters))

    def open(self, address: str) -> None:
        for url in ("about:blank", address):
            # Now and then Firefox never answers when it is asked to wait for the page itself.
            self._send("browsingContext.navigate", context=self.context, url=url, wait="none")
            wait_until(functools.partial(self._is_at, url), HANG, url)

    def _is_at(self, address: str) -> bool:
        """Whether a page is complete, whatever it has written after the #."""
        try:
            state, href = self.run("[document.readyState, location.href]")
        except WebDriverException:  # it is about to be replaced
            return False
        return bool(state == "complete" and href.split("#")[0] == address.split("#")[0])

    def resize(self, width: int, height: int) -> None:
        viewport = {"width": width, "height": height}
        self._send("browsingContext.setViewport", context=self.context, viewport=viewport)

    def run(self, expression: str) -> Any:
        answer = self._send(
            "script.evaluate",
            expression=f"JSON.stringify({expression}) ?? 'null'",
            target={"context": self.context},
            awaitPromise=False,
        )
        assert answer["type"] == "success", (expression, answer)
        return json.loads(answer["result"]["value"])

    def act(self, actions: list[dict[str, Any]]) -> None:
        self._send("input.performActions", context=self.context, actions=actions)


class WebKit:
    """MiniBrowser of WebKitGTK by its WebDriver."""

    def __init__(self, driver: webdriver.WebKitGTK) -> None:
        self.driver = driver

    def open(self, address: str) -> None:
        for url in ("about:blank", address):
            self.driver.get(url)

    def resize(self, width: int, height: int) -> None:
        self.driver.set_window_size(width, height)
        frame = self.run("[outerWidth - innerWidth, outerHeight - innerHeight]")
        self.driver.set_window_size(width + frame[0], height + frame[1])

    def run(self, expression: str) -> Any:
        return self.driver.execute_script(f"return {expression}")

    def act(self, actions: list[dict[str, Any]]) -> None:
        self.driver.execute(Command.W3C_ACTIONS, {"actions": actions})


@contextlib.contextmanager
def firefox(folder: Path, **preferences: object) -> Iterator[Firefox]:
    """A Firefox with a profile of its own in `folder`."""
    assert FIREFOX is not None
    lines = [
        f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
        for name, value in {**PREFERENCES, **preferences}.items()
    ]
    (folder / "user.js").write_text("".join(lines))
    port, log = free_port(), folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [
                *(FIREFOX, "--headless", "--no-remote", "--profile", folder),
                *("--remote-debugging-port", str(port), "about:blank"),
            ],
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: "WebDriver BiDi listening" in log.read_text(), HANG, log.read_text)
        socket = WebSocketConnection(f"ws://127.0.0.1:{port}/session", HANG, 0.01)
        yield Firefox(socket)
        socket.close()
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def webkit(folder: Path) -> Iterator[WebKit]:
    """A WebKitGTK on a screen of its own."""
    assert XVFB is not None
    read, write = os.pipe()
    screen = subprocess.Popen(
        [XVFB, "-displayfd", str(write), "-screen", "0", "1600x1200x24"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    try:
        os.close(write)
        with os.fdopen(read) as number:
            display = f":{number.readline().strip()}"
        options = Options()
        options.binary_location = str(MINI_BROWSER)
        options.add_argument("--automation")
        options.set_capability("browserName", "MiniBrowser")
        # Without this variable it draws 5 frames a second where there is no graphics card.
        env = {**os.environ, "DISPLAY": display, "WEBKIT_DISABLE_DMABUF_RENDERER": "1"}
        service = Service(WEBKIT_DRIVER, log_output=str(folder / "log"), env=env)
        driver = webdriver.WebKitGTK(options=options, service=service)
        try:
            yield WebKit(driver)
        finally:
            driver.quit()
    finally:
        screen.terminate()
        screen.wait()
