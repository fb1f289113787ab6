"""How fast the page follows a pointer or a key: from an input to the paint that it causes."""

import math
import time
from collections.abc import Callable

import numpy as np
from playwright.sync_api import FloatRect, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from benchmarks.chromium import Traffic, bounding_box
from benchmarks.reports import Report, percentiles

RATE = 60  # moves per second of a drag that does not wait
DRAG_SECONDS = 4.0
FRAME = 1 / 60  # seconds
WARM_UP = 5  # moves that are not counted

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


def start_drag(page: Page) -> Move:
    """Press the pointer on the map of an open page; move(i) then moves it around the middle."""
    page.evaluate(WATCH, IMAGE_SIGNATURE)
    box = bounding_box(page.locator("#latent-map .map-top"))

    def move(i: int) -> None:
        page.mouse.move(*on_circle(box, i))

    move(0)
    page.mouse.down()
    return move


def measure_drag(page: Page, drag: Move, moves: int, name: str) -> tuple[Report, int]:
    """The figures of a drag that has begun, and the number of moves that painted nothing.

    Args:
        moves: that each wait for the paint of the one before. name: begins those of the figures.
    """
    painted, lost = paint_times(page, moves, lambda i: drag(i + 1))
    traffic = Traffic(page)
    rate = paint_rate(page, drag)
    figures: Report = {
        f"{name}: move to painted, ms": percentiles(painted),
        f"{name}: images per second in a drag": round(rate, 1),
        f"{name}: requests in a drag": len(traffic.addresses),
    }
    return figures, lost
