"""How the tests and the benchmarks start a browser: the system's Chromium, else Playwright's."""

import shutil

from playwright.sync_api import Browser, FloatRect, Locator, Playwright

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


def launch_chromium(playwright: Playwright) -> Browser:
    """A headless Chromium.

    Raises:
        playwright.sync_api.Error: if there is none; `make test` installs one.
    """
    system = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    return playwright.chromium.launch(executable_path=system, args=FLAGS)


def bounding_box(element: Locator) -> FloatRect:
    """Where an element is on the page, in CSS pixels.

    Raises:
        ValueError: if it is not visible.
    """
    box = element.bounding_box()
    if box is None:
        raise ValueError(f"{element} is not visible; show it before measuring it")
    return box
