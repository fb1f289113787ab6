"""How the tests and the benchmarks start a browser, and what they measure of its traffic.

The browser is the system's Chromium, else Playwright's.
"""

import shutil
from typing import Any

from playwright.sync_api import Browser, FloatRect, Locator, Page, Playwright

# As root, for example in a container, Chromium needs --no-sandbox. The other flags keep it from
# contacting other hosts on its own.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]
# By name, what is on the page once that part of it works.
MAP = "#latent-map[data-ready=true]"
READOUT = "#readout[data-state=shown]"


def launch_chromium(playwright: Playwright, *preferred: str) -> Browser:
    """A headless Chromium.

    Args:
        preferred: names of programs to take where they are installed.

    Raises:
        playwright.sync_api.Error: if there is none; `make test` installs one.
    """
    names = (*preferred, "chromium", "chromium-browser")
    system = next(filter(None, map(shutil.which, names)), None)
    return playwright.chromium.launch(executable_path=system, args=FLAGS)


def open_page(page: Page, address: str) -> None:
    """Open this project's page and wait until the map and the readout work."""
    page.goto(address)
    for selector in (MAP, READOUT):
        page.wait_for_selector(selector)


def bounding_box(element: Locator) -> FloatRect:
    """Where an element is on the page, in CSS pixels.

    Raises:
        ValueError: if it is not visible.
    """
    box = element.bounding_box()
    if box is None:
        raise ValueError(f"{element} is not visible; show it before measuring it")
    return box


class Traffic:
    """The requests of a page from now on, and the bytes that came over the wire for them.

    Unlike the events of Playwright, those of Chromium include its own request for the icon, and
    give sizes as compressed, with headers; what comes from the cache counts nothing.
    """

    def __init__(self, page: Page) -> None:
        self.addresses: list[str] = []
        self.bytes = 0
        self.session = page.context.new_cdp_session(page)
        self.session.on("Network.requestWillBeSent", self._sent)
        self.session.on("Network.loadingFinished", self._finished)
        self.session.send("Network.enable")

    def _sent(self, event: dict[str, Any]) -> None:
        address = event["request"]["url"]
        if address.startswith("http"):  # not data:
            self.addresses.append(address)

    def _finished(self, event: dict[str, Any]) -> None:
        self.bytes += event["encodedDataLength"]

    def throttle(self, latency_ms: float, bits_per_second: float) -> None:
        """Make the line slow in both directions."""
        self.session.send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": latency_ms,
                "downloadThroughput": bits_per_second / 8,
                "uploadThroughput": bits_per_second / 8,
            },
        )
