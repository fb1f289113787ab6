"""How fast the page responds in a real Chromium, and how much it transfers.

    python -m benchmarks.page_speed

Paint is the end of the first frame that shows the new image; times run from the input event to
paint. First each move waits for the paint of the one before, then a drag moves without waiting.
Writes benchmarks/page_speed.json.
"""

import argparse
import asyncio
import base64
import math
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import aiohttp
import numpy as np
import torch
from playwright.sync_api import FloatRect, Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from benchmarks.chromium import bounding_box, launch_chromium
from benchmarks.reports import Report, report_path, write_report
from benchmarks.server import running_demo
from latent_navigator.checkpoint.checkpoint import load_checkpoint
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.pretrained import DEFAULT_PATH

RATE = 60  # moves per second of a drag that does not wait
DRAG_SECONDS = 4.0
WARM_UP = 5  # moves that are not counted
VIEWPORT = 1440, 900

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
DIGIT_SIGNATURE = """(() => { const v = document.querySelector('#digit .view').dataset;
  return v.x + ' ' + v.y; })()"""
PLAIN_SIGNATURE = """(() => { const i = document.querySelector('#digit img');
  return i && i.complete ? i.src : ''; })()"""

# Milliseconds from the last input to the frame with PyTorch's image of the last position.
SETTLED = """() => new Promise((done) => {
  const view = document.querySelector('#digit .view').dataset;
  const look = () => {
    const z = latentSpace.state.z;
    const here = +view.x === z.x && +view.y === z.y && view.kind === 'exact';
    if (here && inputs.length) done(performance.now() - inputs[inputs.length - 1]);
    else requestAnimationFrame(look);
  };
  look(); })"""


# All images as base64, and the milliseconds that each took.
DECODE = """(positions) => {
  const grey = new Uint8ClampedArray(784), all = new Uint8Array(784 * positions.length);
  const times = positions.map(([x, y], i) => { const started = performance.now();
    liveDecoder.decode({ x, y }, grey);
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


def paint_times(page: Page, moves: int, move: Move) -> tuple[list[float], int]:
    """Milliseconds from input to paint of calls of move(i), each made after the last paint.

    Returns:
        `moves` times after WARM_UP, and the number of calls that painted nothing in two seconds.
    """
    times: list[float] = []
    lost = 0
    for i in range(moves + WARM_UP):
        page.evaluate("() => { paints.length = 0; inputs.length = 0; }")
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


def settling_times(page: Page, moves: int, move: Move) -> list[float]:
    """Milliseconds from the last of two quick moves to the exact image of its position."""
    times: list[float] = []
    for i in range(moves):
        page.evaluate("() => { inputs.length = 0; }")
        move(3 * i)
        move(3 * i + 1)
        times.append(page.evaluate(SETTLED))
    return times


def on_circle(box: FloatRect, i: int) -> tuple[float, float]:
    """The i-th position of a drag around the middle of the map, in pixels of the page."""
    angle, radius = 0.13 * i, box["width"] * (0.15 + 0.1 * math.sin(0.031 * i))
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    return x + radius * math.cos(angle), y + radius * math.sin(angle)


def slider_keys(page: Page) -> Move:
    """move(i) that presses an arrow key on the x slider, back and forth."""
    page.locator("#x-slider input[type=range]").focus()
    return lambda i: page.keyboard.press("ArrowRight" if (i // 40) % 2 == 0 else "ArrowLeft")


def open_page(page: Page, address: str) -> Report:
    """Open the page; what it transferred, and when it reacted."""
    transferred: list[tuple[str, int]] = []
    urls: dict[str, str] = {}
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on(
        "Network.requestWillBeSent", lambda e: urls.update({e["requestId"]: e["request"]["url"]})
    )
    network.on(
        "Network.loadingFinished",
        lambda e: transferred.append((urls.get(e["requestId"], ""), e["encodedDataLength"])),
    )
    started = time.perf_counter()
    page.goto(address)
    page.wait_for_selector("#latent-map [data-ready=true]")
    page.wait_for_selector("#readout[data-state=shown]")
    interactive = time.perf_counter() - started
    page.wait_for_timeout(500)
    parts = ("component_server", "/data/", "/web/")
    data = sum(size for url, size in transferred if any(part in url for part in parts))
    return {
        "map and digit: data transferred, bytes": data,
        "page: data transferred, bytes": sum(size for _, size in transferred),
        "page: time to interactive, s": round(interactive, 2),
    }


def measure_page(page: Page, address: str, moves: int) -> Report:
    """The figures of this project's page."""
    opened = open_page(page, address)
    page.evaluate(WATCH, DIGIT_SIGNATURE)
    box = bounding_box(page.locator("#latent-map .map-top"))

    def drag(i: int) -> None:
        page.mouse.move(*on_circle(box, i))

    drag(0)
    page.mouse.down()
    painted, lost = paint_times(page, moves, lambda i: drag(i + 1))
    rate = paint_rate(page, drag)
    settled = settling_times(page, moves, drag)
    page.mouse.up()
    press = slider_keys(page)
    slider, lost_keys = paint_times(page, moves, press)
    return {
        "map: move to paint, ms": percentiles(painted),
        "map and slider: moves never painted": lost + lost_keys,
        "map: images per second while dragging": round(rate, 1),
        "map: last move to exact digit, ms": percentiles(settled),
        "slider: key to paint, ms": percentiles(slider),
        "slider: images per second": round(paint_rate(page, press), 1),
        **opened,
    }


def measure_plain(page: Page, address: str, moves: int) -> Report:
    """The figures of benchmarks/plain_demo.py."""
    page.goto(address)
    page.wait_for_selector("#x-slider input[type=range]")
    page.evaluate(WATCH, PLAIN_SIGNATURE)
    painted, lost = paint_times(page, moves, slider_keys(page))
    return {
        "plain Gradio: slider to paint, ms": percentiles(painted),
        "plain Gradio: moves never painted": lost,
    }


async def measure_users(address: str, count: int, seconds: float) -> Report:
    """`count` users who drag: each asks for an exact digit ten times per second."""
    times: list[float] = []
    failures = 0

    async def drag(client: aiohttp.ClientSession, component: int, user: int) -> None:
        nonlocal failures
        await asyncio.sleep(user / count / 10)
        end, step = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            started = time.perf_counter()
            z = [3 * math.sin(0.7 * step + user), 3 * math.cos(0.9 * step + user)]
            body = {
                "data": [*z, False],  # as the page asks within a drag
                "component_id": component,
                "fn_name": "look",
                "session_hash": f"user{user}",
            }
            async with client.post("/gradio_api/component_server/", json=body) as response:
                answer = await response.json()
            times.append(1000 * (time.perf_counter() - started))
            failures += response.status != 200 or len(answer["shares"]) != 10
            step += 1
            await asyncio.sleep(max(0, 0.1 - (time.perf_counter() - started)))

    async with aiohttp.ClientSession(address, connector=aiohttp.TCPConnector(limit=0)) as client:
        async with client.get("/config") as response:
            config = await response.json()
        component = next(
            c["id"] for c in config["components"] if c["props"].get("elem_id") == "digit"
        )
        await asyncio.gather(*(drag(client, component, user) for user in range(count)))
    return {
        f"{count} users dragging: exact response, ms": percentiles(times),
        f"{count} users dragging: responses per second": round(len(times) / seconds, 1),
        f"{count} users dragging: failures": failures,
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


def measure(folder: Path, moves: int, users: int) -> Report:
    """All figures; logs go to `folder`."""
    report: Report = {}
    width, height = VIEWPORT
    started = time.perf_counter()
    with running_demo(folder / "log") as address:
        urllib.request.urlopen(address).close()
        report["server: start to first response, s"] = round(time.perf_counter() - started, 2)
        with sync_playwright() as playwright:
            browser = launch_chromium(playwright)
            page = browser.new_page(viewport={"width": width, "height": height})
            report |= measure_page(page, address, moves) | decoder_figures(page)
            page.close()
            with running_demo(folder / "plain", module="benchmarks.plain_demo") as plain:
                page = browser.new_page(viewport={"width": width, "height": height})
                report |= measure_plain(page, plain, moves)
            browser.close()
        report |= asyncio.run(measure_users(address, users, 10.0))
    slow, fast = report["plain Gradio: slider to paint, ms"], report["slider: key to paint, ms"]
    report["slider: speed-up over plain Gradio, p50"] = round(slow["p50"] / fast["p50"], 1)
    return report


def main() -> None:
    """Measure, print and write the report."""
    parser = argparse.ArgumentParser(description="Measure how fast the page responds.")
    parser.add_argument("--moves", type=int, default=110, help="inputs of each kind")
    parser.add_argument("--users", type=int, default=50, help="who drag at the same time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = measure(Path(folder), options.moves, options.users)
    for name, value in report.items():
        print(f"{name:50s} {value}")
    write_report(report_path("page_speed"), report)


if __name__ == "__main__":
    main()
