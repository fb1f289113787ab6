"""Take the pictures of the page that the README shows, into docs/.

python -m benchmarks.screenshots             # starts the demo on a free port itself
"""

import io
import math
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.chromium import launch_chromium
from benchmarks.server import running_demo

DOCS = Path(__file__).parent.parent / "docs"


def ready(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("#latent-map [data-ready=true]")
    page.wait_for_selector("#digit [data-kind=exact]")


def draw_a_seven(page: Page) -> None:
    page.locator(".paper").scroll_into_view_if_needed()
    box = page.locator(".paper").bounding_box()
    page.mouse.move(box["x"] + 75, box["y"] + 65)
    page.mouse.down()
    for x, y in ((140, 60), (205, 62), (175, 130), (130, 235)):
        page.mouse.move(box["x"] + x, box["y"] + y, steps=6)
    page.mouse.up()
    page.locator(".draw[data-state=shown]").wait_for()


def take_pages(browser: Browser, address: str) -> None:
    for name, width, height, scheme in (
        ("page", 1440, 900, "light"),
        ("page_dark", 1440, 900, "dark"),
        ("page_phone", 390, 844, "light"),
    ):
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        ready(page, address)
        page.locator("#jump-3").click()
        page.wait_for_timeout(1000)
        page.mouse.move(0, 0)
        page.evaluate("() => window.scrollTo(0, 0)")
        page.screenshot(path=DOCS / f"{name}.png")
        if name == "page":
            page.locator("#experiment-paths").click()
            page.locator("#film-strip .comparison").wait_for()
            page.wait_for_timeout(500)
            page.screenshot(path=DOCS / "paths.png", full_page=True)
            page.get_by_role("tab", name="Directions").click()
            page.wait_for_selector("#directions [data-state=shown]")
            page.locator("#directions [data-name=slant] .more").click()
            page.wait_for_timeout(1000)
            page.mouse.move(0, 0)
            page.locator("#directions").screenshot(path=DOCS / "directions.png")
            page.get_by_role("tab", name="Your digit").click()
            draw_a_seven(page)
            page.wait_for_timeout(600)
            page.locator("#own-digit").screenshot(path=DOCS / "own_digit.png")
            page.get_by_role("tab", name="How it was learned").click()
            page.locator("#replay .compare").check(timeout=60_000)
            page.locator("#replay .epoch").fill("12")
            page.wait_for_timeout(800)
            page.locator("#replay").screenshot(path=DOCS / "replay.png")
        page.close()


def take_layers(browser: Browser, address: str) -> None:
    for name, fragment in (
        ("pictures", "layers=pictures,rings"),
        ("regions", "layers=regions,rings,numerals"),
        ("sensitivity", "layers=sensitivity,points,rings,numerals"),
        ("zoomed", "x=-0.42&y=0.9&view=-0.2,0.95,0.75&layers=pictures,regions,rings,numerals"),
    ):
        page = browser.new_page(viewport={"width": 1100, "height": 800})
        ready(page, f"{address}#{fragment}")
        page.wait_for_timeout(300)
        page.wait_for_selector(
            "#latent-map .map-legend:not(:has-text('Measuring'))", state="attached"
        )
        page.wait_for_timeout(300)
        page.locator("#latent-map .map-frame").screenshot(path=DOCS / f"layer_{name}.png")
        page.close()


def take_drag(browser: Browser, address: str) -> None:
    """A moving picture of a drag through the digits, 4 seconds, 12 pictures a second."""
    page = browser.new_page(viewport={"width": 1240, "height": 800})
    ready(page, address)
    box = page.locator("#latent-map .map-top").bounding_box()
    top = page.locator("#instrument").bounding_box()["y"] - 6
    clip = {"x": 0, "y": top, "width": 1240, "height": box["y"] + box["height"] + 6 - top}
    frames = []
    for i in range(48):
        angle, radius = 2 * math.pi * i / 48, 0.17 + 0.05 * math.sin(6 * math.pi * i / 48)
        x = box["x"] + box["width"] * (0.5 + radius * math.cos(angle))
        y = box["y"] + box["height"] * (0.5 - radius * math.sin(angle))
        page.mouse.move(x, y)
        if i == 0:
            page.mouse.down()
        page.wait_for_timeout(60)
        frames.append(Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB"))
    page.close()
    small = [frame.resize((800, 800 * frame.height // frame.width)) for frame in frames]
    small[0].save(
        DOCS / "drag.webp", save_all=True, append_images=small[1:], duration=83, loop=0, quality=70
    )


def main() -> None:
    log = Path(tempfile.mkdtemp()) / "log"
    with running_demo(log) as address, sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        take_pages(browser, address)
        take_layers(browser, address)
        take_drag(browser, address)
        browser.close()


if __name__ == "__main__":
    main()
