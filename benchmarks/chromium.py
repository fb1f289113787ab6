"""How the tests and the benchmarks start a browser: the system's Chromium, else Playwright's."""

import shutil

from playwright.sync_api import Browser, Playwright

# --no-sandbox: as root, in containers, Chromium does not start otherwise. The rest keeps it from
# asking other hosts on its own account.
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
