"""How fast the page opens and responds in a real Chromium, and how much it transfers.

    python -m benchmarks.page_speed

Painted is the end of the first frame that shows the new image; times run from the input event.
First each move waits for the paint of the one before, then a drag moves without waiting. Times of
opening run from the start of the navigation. Writes benchmarks/page_speed.json.
"""

import argparse
import base64
import json
import math
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from playwright.sync_api import Browser, BrowserContext, FloatRect, Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from benchmarks.chromium import MAP, READOUT, Traffic, bounding_box, launch_chromium, open_page
from benchmarks.reports import Report, report_path, write_report
from benchmarks.server import running_demo, running_process, wait_until_idle
from benchmarks.switching import switch_times
from latent_navigator.checkpoint.checkpoint import load_checkpoint
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.pretrained import DEFAULT_PATH

RATE = 60  # moves per second of a drag that does not wait
DRAG_SECONDS = 4.0
FRAME = 1 / 60  # seconds
WARM_UP = 5  # moves that are not counted
WIDTH, HEIGHT = 1440, 900
SETTLE = 2000  # ms after which the page has fetched all that it shows
SLOW = 1.5e6, 300  # bits per second, and ms of latency of each request
SLOW_SECONDS = 120  # at most, to open the page on such a line
TASKS = "disabled-by-default-devtools.timeline"  # Chromium's traces of single tasks

Move = Callable[[int], None]

# Runs in every frame. A new image is painted at the end of the frame in which `signature` changed:
# a message posted in a frame's callback arrives once the frame is drawn.
WATCH = """(signature) => {
  const shown = new Function('return ' + signature);
  const channel = new MessageChannel();
  window.paints = []; window.inputs = []; let last = shown();
  channel.port1.onmessage = ({ data }) => paints.push([data, performance.now()]);
  const look = () => {
    const now = shown();
    if (now && now !== last) { last = now; channel.port2.postMessage(now); }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  for (const kind of ['pointermove', 'pointerdown', 'input'])
    addEventListener(kind, (event) => inputs.push(event.timeStamp), true);
}"""
IMAGE_SIGNATURE = """(() => { const v = document.querySelector('#digit .view').dataset;
  return v.x + ' ' + v.y; })()"""
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


def percentiles(values: list[float], digits: int = 1) -> dict[str, float]:
    """Median, 95th percentile and count."""
    return {
        "p50": round(float(np.percentile(values, 50)), digits),
        "p95": round(float(np.percentile(values, 95)), digits),
        "n": len(values),
    }


# --- moving ---


def paint_times(page: Page, moves: int, move: Move) -> tuple[list[float], int]:
    """Milliseconds from input to paint of calls of move(i), each made after the last paint.

    They come at any moment of a frame, as a user's do: right after the page has answered the
    script, a frame has just ended, and a pointer's move always waits for the next one.

    Returns:
        `moves` times after WARM_UP, and the number of calls that painted nothing in two seconds.
    """
    times: list[float] = []
    lost = 0
    moments = np.random.default_rng(0)
    for i in range(moves + WARM_UP):
        page.evaluate("() => { paints.length = 0; inputs.length = 0; }")
        time.sleep(moments.random() * FRAME)
        move(i)
        try:
            page.wait_for_function("() => paints.length > 0", polling=10, timeout=2_000)
        except PlaywrightTimeout:
            lost += 1
            continue
        painted, entered = page.evaluate("() => [paints[0][1], inputs[inputs.length - 1]]")
        times.append(painted - entered)
        page.wait_for_timeout(30)
    return times[WARM_UP:], lost


def paint_rate(page: Page, move: Move) -> float:
    """Images painted per second while moves come at RATE, or as fast as the page takes them."""
    page.evaluate("() => { paints.length = 0; }")
    started, i = time.perf_counter(), 0
    while time.perf_counter() - started < DRAG_SECONDS:
        move(i)
        i += 1
        time.sleep(max(0, started + i / RATE - time.perf_counter()))
    elapsed = time.perf_counter() - started
    return float(page.evaluate("() => paints.length")) / elapsed


def on_circle(box: FloatRect, i: int) -> tuple[float, float]:
    """The i-th position of a drag around the middle of the map, in pixels of the page."""
    angle, radius = 0.13 * i, box["width"] * (0.15 + 0.1 * math.sin(0.031 * i))
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    return x + radius * math.cos(angle), y + radius * math.sin(angle)


def slider_keys(page: Page) -> Move:
    """move(i) that presses an arrow key on the x slider, back and forth."""
    page.locator("#x-slider input[type=range]").focus()
    return lambda i: page.keyboard.press("ArrowRight" if (i // 40) % 2 == 0 else "ArrowLeft")


def largest_task(browser: Browser, page: Page, drag: Move) -> float:
    """Milliseconds of the page's longest task in a drag that begins as the layer of images does."""
    browser.start_tracing(page=page, categories=[TASKS])
    page.locator("#latent-map [data-layer=images]").evaluate("(button) => button.click()")
    paint_rate(page, drag)
    events = json.loads(browser.stop_tracing())["traceEvents"]
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
    page.evaluate(WATCH, IMAGE_SIGNATURE)
    box = bounding_box(page.locator("#latent-map .map-top"))

    def drag(i: int) -> None:
        page.mouse.move(*on_circle(box, i))

    drag(0)
    page.mouse.down()
    painted, lost = paint_times(page, moves, lambda i: drag(i + 1))
    traffic = Traffic(page)
    rate = paint_rate(page, drag)
    asked = len(traffic.addresses)
    task = largest_task(browser, page, drag)
    page.mouse.up()
    press = slider_keys(page)
    slider, lost_keys = paint_times(page, moves, press)
    slider_rate = paint_rate(page, press)
    decoder = decoder_figures(page)
    page.close()
    return {
        "map: move to painted, ms": percentiles(painted),
        "map: images per second in a drag": round(rate, 1),
        "map: requests in a drag": asked,
        "map: largest task in a drag with the layer of images, ms": round(task, 1),
        "slider: key to painted, ms": percentiles(slider),
        "slider: images per second": round(slider_rate, 1),
        "map and slider: moves never painted": lost + lost_keys,
        **decoder,
    }


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
