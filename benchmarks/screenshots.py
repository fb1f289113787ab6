"""Take the pictures of the page that the README shows, into docs/.

python -m benchmarks.screenshots             # starts the demo on a free port itself
"""

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.chromium import launch_chromium
from benchmarks.server import running_demo

DOCS = Path(__file__).parent.parent / "docs"


def main() -> None:
    log = Path(tempfile.mkdtemp()) / "log"
    with running_demo(log) as address, sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        for name, width, height, scheme in (
            ("page", 1440, 900, "light"),
            ("page_dark", 1440, 900, "dark"),
            ("page_phone", 390, 844, "light"),
        ):
            page = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme=scheme
            )
            page.goto(address)
            page.wait_for_selector("#latent-map [data-ready=true]")
            page.locator("#jump-3").click()
            page.wait_for_timeout(1000)
            page.mouse.move(0, 0)
            page.screenshot(path=DOCS / f"{name}.png")
            if name == "page":
                page.locator("#experiment-paths").click()
                page.locator("#film-strip .row").nth(1).wait_for()
                page.wait_for_timeout(500)
                page.screenshot(path=DOCS / "paths.png", full_page=True)
        browser.close()


if __name__ == "__main__":
    main()
