"""How fast the page answers, in a real Chromium, and what it costs: the second table of the README.

    python -m benchmarks.page_speed

Painted is the time from the input event to the end of the first frame that shows the new picture.
Moves are made one after the other, each after the last was painted; then a drag without waiting.
Writes benchmarks/page_speed.json.
"""

import argparse
import asyncio
import json
import math
import tempfile
import time
import urllib.request
from pathlib import Path

import aiohttp
import numpy as np
import torch
from playwright.sync_api import Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from benchmarks.chromium import launch_chromium
from benchmarks.server import running_demo
from latent_navigator.checkpoint.checkpoint import DEFAULT_PATH, load_checkpoint
from latent_navigator.explorer.decoder_table import build_table, look_up
from latent_navigator.explorer.latent_space import LatentSpace

HERE = Path(__file__).parent

# In every frame: what the page shows. A new picture is painted at the end of the frame in which
# its signature changed; a message posted in a frame's callback arrives once the frame is drawn.
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
OURS = """(() => { const v = document.querySelector('#digit .view').dataset;
  return v.x + ' ' + v.y; })()"""
PLAIN = """(() => { const i = document.querySelector('#digit img');
  return i && i.complete ? i.src : ''; })()"""

# Milliseconds from the last input to the frame that shows PyTorch's digit of the last position.
SETTLED = """() => new Promise((done) => {
  const view = document.querySelector('#digit .view').dataset;
  const look = () => {
    const z = latentSpace.z;
    const here = +view.x === z.x && +view.y === z.y && view.kind === 'exact';
    if (here && inputs.length) done(performance.now() - inputs[inputs.length - 1]);
    else requestAnimationFrame(look);
  };
  look(); })"""


def percentiles(values: list[float]) -> dict[str, float]:
    return {
        "p50": round(float(np.percentile(values, 50)), 1),
        "p95": round(float(np.percentile(values, 95)), 1),
        "n": len(values),
    }


def one_by_one(page: Page, moves: int, move) -> tuple[list[float], int]:
    """Milliseconds from input to paint of `moves` calls of move(i), and how many calls were lost.

    A call is lost if nothing new is painted within two seconds.
    """
    times, lost = [], 0
    for i in range(moves + 5):
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
    return times[5:], lost  # the first five warm up


def drag_rate(page: Page, seconds: float, move) -> float:
    """Pictures painted a second while moves come at 60 a second or as fast as they are taken."""
    page.evaluate("() => { paints.length = 0; }")
    started, i = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        move(i)
        i += 1
        time.sleep(max(0, started + i / 60 - time.perf_counter()))
    took = time.perf_counter() - started
    return page.evaluate("() => paints.length") / took


def on_circle(box: dict[str, float], i: int) -> tuple[float, float]:
    angle, radius = 0.13 * i, box["width"] * (0.15 + 0.1 * math.sin(0.031 * i))
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    return middle[0] + radius * math.cos(angle), middle[1] + radius * math.sin(angle)


def slider_keys(page: Page):
    """move(i) that presses an arrow key on the x slider, back and forth."""
    page.locator("#x-slider input[type=range]").focus()
    return lambda i: page.keyboard.press("ArrowRight" if (i // 40) % 2 == 0 else "ArrowLeft")


def measure_ours(page: Page, address: str, moves: int) -> dict:
    transferred = []
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    urls: dict[str, str] = {}
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
    page.wait_for_selector("#digit [data-state=shown]")
    interactive = time.perf_counter() - started
    page.wait_for_timeout(500)
    component = sum(size for url, size in transferred if "component_server" in url)
    page.evaluate(WATCH, OURS)

    box = page.locator("#latent-map .map-top").bounding_box()
    page.mouse.move(*on_circle(box, 0))
    page.mouse.down()
    painted, lost = one_by_one(page, moves, lambda i: page.mouse.move(*on_circle(box, i + 1)))
    rate = drag_rate(page, 4.0, lambda i: page.mouse.move(*on_circle(box, i)))
    settled = []
    for i in range(moves):
        page.evaluate("() => { inputs.length = 0; }")
        page.mouse.move(*on_circle(box, 3 * i))
        page.mouse.move(*on_circle(box, 3 * i + 1))
        settled.append(page.evaluate(SETTLED))
    page.mouse.up()
    move = slider_keys(page)
    slider, lost_keys = one_by_one(page, moves, move)
    return {
        "map: move to painted, ms": percentiles(painted),
        "map and slider: moves never painted": lost + lost_keys,
        "map: pictures a second in a drag": round(rate, 1),
        "map: last move to exact digit painted, ms": percentiles(settled),
        "slider: key to painted, ms": percentiles(slider),
        "slider: pictures a second": round(drag_rate(page, 4.0, move), 1),
        "payload of map and digit, bytes over the wire": component,
        "whole page, bytes over the wire": sum(size for _, size in transferred),
        "page interactive after, s": round(interactive, 2),
    }


def measure_plain(page: Page, address: str, moves: int) -> dict:
    page.goto(address)
    page.wait_for_selector("#x-slider input[type=range]")
    page.evaluate(WATCH, PLAIN)
    move = slider_keys(page)
    painted, lost = one_by_one(page, moves, move)
    return {
        "plain Gradio: slider to painted, ms": percentiles(painted),
        "plain Gradio: moves never painted": lost,
    }


async def visitors(address: str, count: int, seconds: float) -> dict:
    """`count` people dragging: each asks for an exact digit ten times a second."""
    times, failures = [], []

    async def one(client: aiohttp.ClientSession, component: int, number: int) -> None:
        await asyncio.sleep(number / count / 10)
        ends = time.perf_counter() + seconds
        step = 0
        while time.perf_counter() < ends:
            started = time.perf_counter()
            z = [3 * math.sin(0.7 * step + number), 3 * math.cos(0.9 * step + number)]
            body = {
                "data": [*z, False],  # as the page asks within a drag
                "component_id": component,
                "fn_name": "look",
                "session_hash": f"visitor{number}",
            }
            async with client.post("/gradio_api/component_server/", json=body) as reply:
                answer = await reply.json()
            times.append(1000 * (time.perf_counter() - started))
            if reply.status != 200 or len(answer["shares"]) != 10:
                failures.append(reply.status)
            step += 1
            await asyncio.sleep(max(0, 0.1 - (time.perf_counter() - started)))

    async with aiohttp.ClientSession(address, connector=aiohttp.TCPConnector(limit=0)) as client:
        async with client.get("/config") as reply:
            config = await reply.json()
        component = next(
            c["id"] for c in config["components"] if c["props"].get("elem_id") == "digit"
        )
        await asyncio.gather(*(one(client, component, number) for number in range(count)))
    return {
        f"{count} people dragging: exact answer, ms": percentiles(times),
        f"{count} people dragging: answers a second": round(len(times) / seconds, 1),
        f"{count} people dragging: failures": len(failures),
    }


def table_error() -> dict[str, float]:
    """The table's error on 4,000 random positions, in steps of 1/255, as the tests measure it."""
    space = LatentSpace(load_checkpoint(DEFAULT_PATH))
    table = build_table(space.model, space.range)
    z = torch.randn(4000, 2, generator=torch.Generator().manual_seed(0))
    z = z.clamp(-space.range, space.range)
    error = np.abs(look_up(table, z).numpy() - space.decode_images(z).astype(float))
    return {
        "table: mean error on draws from the prior, of 255": round(float(error.mean()), 2),
        "table: 99.9th percentile of the error, of 255": float(np.quantile(error, 0.999)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moves", type=int, default=110)
    parser.add_argument("--visitors", type=int, default=50)
    options = parser.parse_args()

    report = table_error()
    folder = Path(tempfile.mkdtemp())
    started = time.perf_counter()
    with running_demo(folder / "log") as address:
        urllib.request.urlopen(address).close()
        report["server: start to first answer, s"] = round(time.perf_counter() - started, 2)
        with sync_playwright() as playwright:
            browser = launch_chromium(playwright)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            report |= measure_ours(page, address, options.moves)
            page.close()
            with running_demo(folder / "plain", module="benchmarks.plain_demo") as plain:
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                report |= measure_plain(page, plain, options.moves)
            browser.close()
        report |= asyncio.run(visitors(address, options.visitors, 10.0))
    ours, plain = (
        report[name]["p50"]
        for name in ("slider: key to painted, ms", "plain Gradio: slider to painted, ms")
    )
    report["slider: times faster than plain Gradio, p50"] = round(plain / ours, 1)
    for name, value in report.items():
        print(f"{name:50s} {value}")
    (HERE / "page_speed.json").write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
