"""Take the screenshots that the README shows, into docs/. Starts the demo itself.

python -m benchmarks.screenshots
"""

import argparse
import io
import math
import tempfile
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from benchmarks.chromium import bounding_box, launch_chromium, open_page
from benchmarks.server import running_demo

DOCS = Path(__file__).parent.parent / "docs"
VIEWS: list[tuple[str, int, int, Literal["light", "dark"]]] = [
    ("page", 1440, 900, "light"),
    ("page_dark", 1440, 900, "dark"),
    ("page_phone", 390, 844, "light"),
]
LAYERS = {
    "images": "layers=images,rings",
    "regions": "layers=regions,rings,labels",
    "sensitivity": "layers=sensitivity,points,rings,labels",
    "zoomed": "x=-0.42&y=0.9&view=-0.2,0.95,0.75&layers=images,regions,rings,labels",
}
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
FRAMES, FRAME_MS = 48, 83
TRAINED = {"epochs": 8, "limit": 12_000, "warmup_epochs": 3}
TRAINING_FRAMES, TRAINING_EVERY, TRAINING_FRAME_MS = 40, 300, 250


def draw_seven(page: Page) -> None:
    """Draw a 7 on the pad and wait for what the model makes of it."""
    page.locator(".paper").scroll_into_view_if_needed()
    box = bounding_box(page.locator(".paper"))
    side = box["width"]
    page.mouse.move(box["x"] + 0.27 * side, box["y"] + 0.23 * side)
    page.mouse.down()
    for x, y in ((0.5, 0.21), (0.73, 0.22), (0.63, 0.46), (0.46, 0.84)):
        page.mouse.move(box["x"] + x * side, box["y"] + y * side, steps=6)
    page.mouse.up()
    page.locator(".draw[data-state=shown]").wait_for()


def take_views(browser: Browser, address: str, folder: Path) -> None:
    """The page on a screen, in dark mode and on a phone."""
    for name, width, height, scheme in VIEWS:
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        open_page(page, address)
        page.locator("#jump-3").click()
        page.wait_for_timeout(1000)
        page.mouse.move(0, 0)
        page.evaluate("() => window.scrollTo(0, 0)")
        page.screenshot(path=folder / f"{name}.png")
        page.close()


def take_tabs(browser: Browser, address: str, folder: Path) -> None:
    """The tabs, one after the other on one page."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    open_page(page, address)
    page.locator("#jump-3").click()
    page.wait_for_timeout(1000)
    for take in (take_paths, take_directions, take_drawing, take_replay):
        take(page, folder)
    page.close()


TABS = ("explore", "paths", "directions", "draw", "training", "lessons", "about")
SIZES = (1440, 900), (1280, 720), (390, 844)


def take_every_tab(browser: Browser, address: str, folder: Path) -> None:
    """Each tab at three sizes, light and dark: to look at, not for the README."""
    for width, height in SIZES:
        for scheme in SCHEMES:
            viewport: ViewportSize = {"width": width, "height": height}
            page = browser.new_page(viewport=viewport, color_scheme=scheme)
            open_page(page, address)
            for tab in TABS:
                page.locator(f"#tab-{tab}").click()
                page.wait_for_timeout(800)
                page.screenshot(path=folder / f"{tab}_{width}x{height}_{scheme}.png")
            page.close()


def take_paths(page: Page, folder: Path) -> None:
    """The comparison of all paths."""
    page.get_by_role("tab", name="Paths").click()
    page.locator("#experiment-paths").click()
    page.locator("#film-strip .comparison").wait_for()
    page.wait_for_timeout(500)
    page.screenshot(path=folder / "paths.png")


def take_directions(page: Page, folder: Path) -> None:
    """The directions after a nudge."""
    page.get_by_role("tab", name="Directions").click()
    page.wait_for_selector("#directions [data-state=shown]")
    page.locator("#directions [data-name=slant] .more").click()
    page.wait_for_timeout(1000)
    page.mouse.move(0, 0)
    page.screenshot(path=folder / "directions.png")


def take_drawing(page: Page, folder: Path) -> None:
    """A drawn 7 and its posterior."""
    page.get_by_role("tab", name="Draw").click()
    draw_seven(page)
    page.wait_for_timeout(600)
    page.screenshot(path=folder / "own_digit.png")


def take_replay(page: Page, folder: Path) -> None:
    """Both models side by side at epoch 12."""
    page.get_by_role("tab", name="Training").click()
    page.locator("#replay .model").select_option(index=1, timeout=60_000)
    page.locator("#replay .epoch").fill("12")
    page.wait_for_timeout(800)
    page.screenshot(path=folder / "replay.png")


def take_layers(browser: Browser, address: str, folder: Path) -> None:
    """The map with different layers."""
    for name, fragment in LAYERS.items():
        page = browser.new_page(viewport={"width": 1100, "height": 800})
        open_page(page, f"{address}#{fragment}")
        page.wait_for_timeout(300)
        page.wait_for_selector(
            "#latent-map .map-legend:not(:has-text('Measuring'))", state="attached"
        )
        page.wait_for_timeout(300)
        page.locator("#latent-map .map-frame").screenshot(path=folder / f"layer_{name}.png")
        page.close()


def take_drag(browser: Browser, address: str, folder: Path) -> None:
    """An animation of a drag through the digits: 4 seconds, 12 frames per second."""
    page = browser.new_page(viewport={"width": 1240, "height": 800})
    open_page(page, address)
    box = bounding_box(page.locator("#latent-map .map-top"))
    top = bounding_box(page.locator("#instrument"))["y"] - 6
    height = box["y"] + box["height"] + 6 - top
    frames = []
    for i in range(FRAMES):
        angle, radius = 2 * math.pi * i / FRAMES, 0.17 + 0.05 * math.sin(6 * math.pi * i / FRAMES)
        x = box["x"] + box["width"] * (0.5 + radius * math.cos(angle))
        y = box["y"] + box["height"] * (0.5 - radius * math.sin(angle))
        page.mouse.move(x, y)
        if i == 0:
            page.mouse.down()
        page.wait_for_timeout(60)
        shot = page.screenshot(clip={"x": 0, "y": top, "width": 1240, "height": height})
        frames.append(Image.open(io.BytesIO(shot)).convert("RGB"))
    page.close()
    small = [frame.resize((800, 800 * frame.height // frame.width)) for frame in frames]
    small[0].save(
        folder / "drag.webp",
        save_all=True,
        append_images=small[1:],
        duration=FRAME_MS,
        loop=0,
        quality=70,
    )


def take_training(browser: Browser, address: str, folder: Path) -> None:
    """An animation of a run that the page has started: the map as it forms."""
    page = browser.new_page(viewport={"width": 1240, "height": 800})
    open_page(page, address)
    page.get_by_role("tab", name="Training").click()
    page.locator("#lab-open").click()
    for name, value in TRAINED.items():
        page.locator(f"#lab [name={name}]").fill(str(value))
    page.locator("#lab .command code:has-text('--limit')").wait_for(state="attached")
    page.locator("#lab .start").click()
    page.locator("#lab .run[data-moments]").wait_for(timeout=120_000)
    frames: list[Image.Image] = []
    while not page.locator("#lab .explore").is_visible() or len(frames) < TRAINING_FRAMES:
        shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        frames.append(shot.resize((800, 800 * shot.height // shot.width)))
        page.wait_for_timeout(TRAINING_EVERY)
    page.close()
    kept = [frames[i * len(frames) // TRAINING_FRAMES] for i in range(TRAINING_FRAMES)]
    kept[0].save(
        folder / "training.webp",
        save_all=True,
        append_images=[*kept[1:], *[frames[-1]] * 6],
        duration=TRAINING_FRAME_MS,
        loop=0,
        quality=70,
    )


def main() -> None:
    """Take all screenshots."""
    parser = argparse.ArgumentParser(description="Take the screenshots of the README.")
    parser.add_argument("--folder", type=Path, default=DOCS, help="where they go")
    parser.add_argument(
        "--tabs", action="store_true", help="every tab at three sizes, light and dark, instead"
    )
    options = parser.parse_args()
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    usual = (take_views, take_tabs, take_layers, take_drag, take_training)
    takes = (take_every_tab,) if options.tabs else usual
    with tempfile.TemporaryDirectory() as logs:
        log = Path(logs) / "log"
        with running_demo(log) as address, sync_playwright() as playwright:
            browser = launch_chromium(playwright)
            for take in takes:
                take(browser, address, folder)
            browser.close()


if __name__ == "__main__":
    main()
