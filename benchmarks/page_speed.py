"""How fast the page opens and responds in a real Chromium, and how much it transfers.

    python -m benchmarks.page_speed

Painted is the end of the first frame that shows the new image; times run from the input event.
First each move waits for the paint of the one before, then a drag moves without waiting. Times of
opening run from the start of the navigation. Writes benchmarks/page_speed.json.
"""

import argparse
import base64
import json
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
import torch
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.chromium import MAP, READOUT, Traffic, launch_chromium, open_page
from benchmarks.dragging import WATCH, Move, measure_drag, paint_rate, paint_times, start_drag
from benchmarks.reports import Report, percentiles, report_path, write_report
from benchmarks.server import running_demo, running_process, wait_until_idle
from benchmarks.switching import switch_times
from latent_navigator.checkpoint.checkpoint import load_checkpoint
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.pretrained import DEFAULT_PATH, TEN_DIMENSIONS_PATH

WIDTH, HEIGHT = 1440, 900
SETTLE = 2000  # ms after which the page has fetched all that it shows
SLOW = 1.5e6, 300  # bits per second, and ms of latency of each request
SLOW_SECONDS = 120  # at most, to open the page on such a line
DRAGS = 5  # with the layer of images
TASKS = "disabled-by-default-devtools.timeline"  # Chromium's traces of single tasks

PLAIN_SIGNATURE = """(() => { const i = document.querySelector('#digit img');
  return i && i.complete ? i.src : ''; })()"""

# While the page opens: the milliseconds after which each of these is there.
STAGES = {
    "map": "#latent-map .map-wait:empty",  # its points are drawn
    "digit": "#digit .view[data-x]",
    "map ready": MAP,
    "readout ready": READOUT,
}
REACHED = """(stages) => {
  window.reached = {};
  const look = () => {
    for (const [stage, selector] of Object.entries(stages))
      if (!(stage in reached) && document.querySelector(selector))
        reached[stage] = performance.now();
    if (Object.keys(reached).length < Object.keys(stages).length) requestAnimationFrame(look);
  };
  look();
}"""

# All images as base64, and the milliseconds that each took.
DECODE = """async (positions) => {
  const address = (end) => document.querySelector(`link[href$="${end}"]`).href;
  const { loadDecoder } = await import(new URL("core/decoder.js", address("page.js")));
  const decoder = await loadDecoder(address("decoder.bin"));
  const grey = new Uint8ClampedArray(784), all = new Uint8Array(784 * positions.length);
  const times = positions.map((z, i) => {
    const started = performance.now();
    decoder.pixels(z, grey);
    const time = performance.now() - started;
    all.set(grey, 784 * i);
    return time; });
  let text = ''; for (let i = 0; i < all.length; i++) text += String.fromCharCode(all[i]);
  return [btoa(text), times]; }"""


# --- moving ---


def slider_keys(page: Page) -> Move:
    """move(i) that presses an arrow key on the x slider, back and forth."""
    page.locator("#x-slider input[type=range]").focus()
    return lambda i: page.keyboard.press("ArrowRight" if (i // 40) % 2 == 0 else "ArrowLeft")


def largest_task(browser: Browser, page: Page, drag: Move) -> float:
    """Milliseconds of the page's longest task in a drag that begins as the layer of images does."""
    layer = page.locator("#latent-map [data-layer=images]")
    browser.start_tracing(page=page, categories=[TASKS])
    layer.evaluate("(button) => button.click()")
    paint_rate(page, drag)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    layer.evaluate("(button) => button.click()")
    main_threads = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks = [
        float(event["dur"])
        for event in events
        if event["name"] == "RunTask"
        and (event["pid"], event["tid"]) in main_threads
        and "dur" in event  # not the one that the end of the tracing cuts off
    ]
    return max(tasks) / 1000


# --- opening ---


def stages(page: Page, address: str, timeout_s: float = 30) -> dict[str, float]:
    """Open the page; the seconds after which each of STAGES was reached."""
    page.add_init_script(f"({REACHED})({json.dumps(STAGES)})")
    page.goto(address, wait_until="commit")
    count = len(STAGES)
    condition = "(count) => Object.keys(reached).length === count"
    page.wait_for_function(condition, arg=count, timeout=1000 * timeout_s)
    reached: dict[str, float] = page.evaluate("() => reached")
    return {stage: round(ms / 1000, 2) for stage, ms in reached.items()}


def measure_visit(context: BrowserContext, address: str, name: str) -> Report:
    """What a visit transfers, and when the page reacts; its page is closed."""
    page = context.new_page()
    traffic = Traffic(page)
    reached = stages(page, address)
    page.wait_for_timeout(SETTLE)
    page.close()
    return {
        f"{name}: bytes over the wire": traffic.bytes,
        f"{name}: time to interactive, s": max(reached.values()),
    }


def measure_opening(browser: Browser, address: str) -> Report:
    """The figures of a first visit, of a second one, and of a first one on a slow line."""
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
    first = measure_visit(context, address, "first visit")
    second = measure_visit(context, address, "second visit")
    context.close()
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    bits, latency = SLOW
    Traffic(page).throttle(latency, bits)
    reached = stages(page, address, SLOW_SECONDS)
    page.close()
    line = f"first visit at {bits / 1e6:g} Mbit/s and {latency} ms"
    slow = {f"{line}: {stage} shown, s": reached[stage] for stage in ("map", "digit")}
    return first | second | slow


# --- all figures ---


def measure_page(browser: Browser, address: str, moves: int) -> Report:
    """The figures of this project's page, once it is open."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    open_page(page, address)
    page.wait_for_timeout(SETTLE)
    drag = start_drag(page)
    dragged, lost = measure_drag(page, drag, moves, "map")
    # The longest task of a single drag is often the system's doing.
    tasks = [largest_task(browser, page, drag) for _ in range(DRAGS)]
    page.mouse.up()
    press = slider_keys(page)
    slider, lost_keys = paint_times(page, moves, press)
    slider_rate = paint_rate(page, press)
    decoder = decoder_figures(page)
    page.close()
    return {
        **dragged,
        f"map: largest task in a drag with the layer of images, median of {DRAGS}, ms": round(
            statistics.median(tasks), 1
        ),
        "slider: key to painted, ms": percentiles(slider),
        "slider: images per second": round(slider_rate, 1),
        "map and slider: moves never painted": lost + lost_keys,
        **decoder,
    }


def measure_ten_dimensions(browser: Browser, address: str, moves: int) -> Report:
    """The drag's figures of the page of the committed model of ten dimensions."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    open_page(page, f"{address}?model={TEN_DIMENSIONS_PATH.stem}")
    page.wait_for_timeout(SETTLE)
    dragged, lost = measure_drag(page, start_drag(page), moves, "ten dimensions")
    page.close()
    return {**dragged, "ten dimensions: moves never painted": lost}


def measure_plain(browser: Browser, address: str, moves: int) -> Report:
    """The figures of benchmarks/plain_demo.py."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    page.goto(address)
    page.wait_for_selector("#x-slider input[type=range]")
    page.evaluate(WATCH, PLAIN_SIGNATURE)
    painted, lost = paint_times(page, moves, slider_keys(page))
    page.close()
    return {
        "plain Gradio: slider to painted, ms": percentiles(painted),
        "plain Gradio: moves never painted": lost,
    }


def decoder_figures(page: Page) -> Report:
    """The browser's own decoding of 2,000 samples from the prior: its error and its time."""
    space = LatentSpace(load_checkpoint(DEFAULT_PATH))
    z = torch.randn(2000, 2, generator=torch.Generator().manual_seed(0))
    z = z.clamp(-space.range, space.range)
    images, times = page.evaluate(DECODE, z.tolist())
    found = np.frombuffer(base64.b64decode(images), np.uint8).reshape(-1, 28, 28)
    error = np.abs(found - space.decode_images(z).astype(float))
    return {
        "decoder in the browser: largest error of a pixel, of 255": int(error.max()),
        "decoder in the browser: time for one image, ms": percentiles(times, 2),
    }


def measure(folder: Path, moves: int) -> Report:
    """All figures; logs go to `folder`."""
    report: Report = {}
    started = time.perf_counter()
    with running_process(folder / "log") as (address, process):
        urllib.request.urlopen(address).close()
        report["server: start to first response, s"] = round(time.perf_counter() - started, 2)
        wait_until_idle(process)
        with sync_playwright() as playwright:
            browser = launch_chromium(playwright)
            report |= measure_opening(browser, address) | measure_page(browser, address, moves)
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            open_page(page, address)
            report["model: choice to shown, ms"] = percentiles(switch_times(page))
            page.close()
            report |= measure_ten_dimensions(browser, address, moves)
            with running_demo(folder / "plain", module="benchmarks.plain_demo") as plain:
                report |= measure_plain(browser, plain, moves)
            browser.close()
    slow, fast = report["plain Gradio: slider to painted, ms"], report["slider: key to painted, ms"]
    report["slider: speed-up over plain Gradio, p50"] = round(slow["p50"] / fast["p50"], 1)
    return report


def main() -> None:
    """Measure, print and write the report."""
    parser = argparse.ArgumentParser(description="Measure how fast the page opens and responds.")
    parser.add_argument("--moves", type=int, default=110, help="inputs of each kind")
    parser.add_argument("--output", type=Path, default=report_path("page_speed"), help="the report")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = measure(Path(folder), options.moves)
    for name, value in report.items():
        print(f"{name:60s} {value}")
    write_report(options.output, report)


if __name__ == "__main__":
    main()
