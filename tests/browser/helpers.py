"""Helpers of the browser tests: opening pages, positions on the map, decoded pixels, waiting."""

import functools
import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    FloatRect,
    Locator,
    Page,
    Request,
    Route,
)

from latent_navigator.checkpoint.checkpoint import load_checkpoint
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.pretrained import DEFAULT_PATH
from tests.fixtures import ROOT
from tests.helpers import HANG

# Whether a run goes on is asked soon after a page has opened, whatever the user does.
LAB = re.compile(r"/lab/status$")
SERVER = re.compile("/component_server")  # the server functions of the components
FILES = re.compile("/data/")  # the model's files
READY = ("#latent-map[data-ready=true]", "#readout[data-state=shown]")
PIXELS_28 = """(canvas) => {
  const data = canvas.getContext('2d').getImageData(0, 0, 28, 28).data;
  return Array.from({ length: 784 }, (_, i) => data[4 * i]); }"""
INKED = """(canvas) => {
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let n = 0; for (let i = 3; i < data.length; i += 4) n += data[i] > 0; return n; }"""

OpenPage = Callable[..., Page]


MEDIA = "color_scheme", "reduced_motion"  # options that a page can change


# Keeps what a test may change outside of what is drawn anew: type size, zoom, theme.
LOADED = """() => {
  window.loaded = [document.documentElement, document.body].map(
    (element) => [element, [...element.attributes].map(({ name, value }) => [name, value])]); }"""
# Starts the page anew as the choice of another model does, in a third of a reload's time.
RESTART = """async ({ link, width, height }) => {
  while (innerWidth !== width || innerHeight !== height)  // of a viewport that has just changed
    await new Promise(requestAnimationFrame);
  const { models, state } = latentSpace, { key } = models.current;
  history.replaceState(null, "", location.href.split("#")[0] + link);
  document.activeElement.blur();
  for (const [element, attributes] of window.loaded) {
    for (const { name } of [...element.attributes]) element.removeAttribute(name);
    for (const pair of attributes) element.setAttribute(...pair);
  }
  document.body.classList.toggle("dark", matchMedia("(prefers-color-scheme: dark)").matches);
  state.openTab("explore");
  scrollTo(0, 0);
  models.list = null;
  models.current = { ...models.current, key: "" };
  history.replaceState = () => {};  // the page that ends must not write its own link meanwhile
  const done = await models.choose(key, "address").finally(() => delete history.replaceState);
  if (!done) throw new Error(models.notice); }"""


class SharedPages:
    """Pages that tests restart or reload: much faster than new browser contexts.

    There is one for each set of options of a context, but for those of MEDIA.
    """

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.pages: dict[str, Page] = {}
        self.restartable: set[Page] = set()

    def get(self, options: dict[str, Any]) -> Page:
        """The page with these options."""
        media = {name: options.get(name, "null") for name in MEDIA}
        others = {name: value for name, value in options.items() if name not in MEDIA}
        key = repr(sorted(others.items()))
        if key not in self.pages:
            self.pages[key] = self.browser.new_context(**others).new_page()
        self.pages[key].emulate_media(**media)
        return self.pages[key]

    def open(self, page: Page, address: str, restart: bool) -> None:
        """Show an address; if `restart`, start the page anew where it shows the same model."""
        base, _, link = address.partition("#")
        same = page in self.restartable and page.url.split("#")[0] == base
        # A page that a test has reloaded itself no longer knows how it was.
        if restart and same and page.evaluate("() => 'loaded' in window"):
            page.evaluate(RESTART, {"link": f"#{link}", **(page.viewport_size or {})})
            # After a click of the test before, a scripted focus would have no ring.
            page.keyboard.press("F2")
            return
        # Otherwise an address that differs only after the # would not be reloaded.
        page.goto("about:blank")
        page.goto(address)

    def discard(self) -> None:
        """Close the pages; the next tests get new ones."""
        for page in self.pages.values():
            page.context.close()
        self.pages.clear()
        self.restartable.clear()


class Visits:
    """The pages that one test opens, with their console errors and requests.

    The first page is a shared one, unless `fresh`; all others have contexts of their own.
    """

    def __init__(self, browser: Browser, shared: SharedPages) -> None:
        self.browser = browser
        self.shared = shared
        self.contexts: list[BrowserContext] = []
        self.pages: list[Page] = []
        self.errors: list[str] = []
        self.requests: list[Request] = []
        self.changed = False  # whether a page had a function `before`, whose effects may last

    def __call__(
        self,
        address: str,
        width: int = 1440,
        height: int = 900,
        *,
        ready: tuple[str, ...] = READY,
        fresh: bool = False,
        before: Callable[[Page], object] | None = None,
        **options: Any,
    ) -> Page:
        """The page at an address, once all selectors of `ready` are visible.

        Args:
            fresh: whether the page needs a context of its own.
            before: called with the page before it is loaded, to install routes.
            options: of the browser context. Motion is reduced, so that no test waits for a path to
                be travelled, unless it has reduced_motion="no-preference".
        """
        page = self._page(fresh, {"reduced_motion": "reduce", **options})
        page.set_default_timeout(1000 * HANG)
        page.set_viewport_size({"width": width, "height": height})
        if before:
            before(page)
            self.changed = True
        self.pages.append(page)
        page.on("pageerror", self._keep_error)
        page.on("console", self._keep_message)
        page.on("request", self._keep_request)
        self.shared.open(page, address, not before and ready == READY)
        for selector in ready:
            page.wait_for_selector(selector)
        page.evaluate(LOADED)
        return page

    def _page(self, fresh: bool, options: dict[str, Any]) -> Page:
        if not fresh and not any(page in self.pages for page in self.shared.pages.values()):
            return self.shared.get(options)
        context = self.browser.new_context(**options)
        self.contexts.append(context)
        return context.new_page()

    def _keep_error(self, error: Error) -> None:
        self.errors.append(str(error))

    def _keep_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _keep_request(self, request: Request) -> None:
        if not LAB.search(request.url):
            self.requests.append(request)

    def ignore(self, text: str) -> None:
        """Drop the errors that contain a text: those that a test causes on purpose."""
        self.errors = [error for error in self.errors if text not in error]

    def calls(self, *functions: str) -> list[Request]:
        """The requests so far that call server functions of these names."""
        return [request for request in self.requests if called(request) in functions]

    def leave(self) -> None:
        """Leave the server, which is about to end and which the pages would ask again."""
        for page in self.pages:
            page.goto("about:blank")

    def close(self, reusable: bool) -> None:
        """Close all pages but the shared one, and reset that if it is `reusable`."""
        for context in self.contexts:
            context.close()
        page = next((page for page in self.shared.pages.values() if page in self.pages), None)
        if page is None:
            return
        if not reusable:
            self.shared.discard()
            return
        if self.changed:
            self.shared.restartable.discard(page)
        else:
            self.shared.restartable.add(page)
        page.remove_listener("pageerror", self._keep_error)
        page.remove_listener("console", self._keep_message)
        page.remove_listener("request", self._keep_request)
        page.unroute_all(behavior="ignoreErrors")
        page.evaluate("() => { try { localStorage.clear(); } catch {} }")  # of the lessons
        page.mouse.move(0, 0)


def called(request: Request) -> str | None:
    """The name of the server function that a request calls."""
    if not SERVER.search(request.url):
        return None
    body = request.post_data_json or {}
    return str(body["fn_name"])


def arguments_of(request: Request) -> list[Any]:
    """What a request asks a server function, without the model at the end."""
    data: list[Any] = (request.post_data_json or {})["data"]
    assert isinstance(data[-1], str)
    return data[:-1]


# --- the map and the decoded image ---


@functools.cache
def map_range() -> float:
    """The map of the committed checkpoint shows -range ... range."""
    return LatentSpace(load_checkpoint(ROOT / DEFAULT_PATH)).range


def box_of(locator: Locator) -> FloatRect:
    """The box of a visible element, in CSS pixels of the viewport."""
    box = locator.bounding_box()
    assert box is not None
    return box


def boxes_of(elements: Locator) -> list[FloatRect]:
    """The boxes of those that are visible, asked at once: `box_of` takes two calls for each."""
    boxes: list[FloatRect] = elements.evaluate_all(
        """(all) => all.filter((one) => one.checkVisibility({ visibilityProperty: true }))
          .map((one) => { const { x, y, width, height } = one.getBoundingClientRect();
            return { x, y, width, height }; }).filter(({ width, height }) => width && height)"""
    )
    assert boxes
    return boxes


def scroll_to_top(page: Page) -> None:
    page.evaluate("() => window.scrollTo(0, 0)")


def map_point(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where z = (x, y) is on the screen, computed from the box of the map."""
    scroll_to_top(page)
    box = box_of(page.locator("#latent-map .map-top"))
    assert box["width"] == pytest.approx(box["height"], abs=0.5), "the axes are stretched"
    limit = map_range()
    unit = box["width"] / (2 * limit)
    return box["x"] + (x + limit) * unit, box["y"] + (limit - y) * unit


def view_of(page: Page) -> dict[str, float]:
    """What the map shows: its centre x, y, half its range, and its side in pixels."""
    return dict(
        page.evaluate(
            """() => { const { centre, half, side } = latentSpace.state.view;
                 return { ...centre, half, side }; }"""
        )
    )


def view_point(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where z = (x, y) is on the screen, computed from the view."""
    scroll_to_top(page)
    box, view = box_of(page.locator("#latent-map .map-top")), view_of(page)
    unit = box["width"] / (2 * view["half"])
    return (
        box["x"] + (x - view["x"] + view["half"]) * unit,
        box["y"] + (view["y"] + view["half"] - y) * unit,
    )


def drag_to(page: Page, x: float, y: float) -> None:
    """Drag the cursor to z = (x, y) on the map: a click might open the test image encoded there."""
    page.mouse.move(*view_point(page, 0, 0))
    page.mouse.down()
    page.mouse.move(*view_point(page, x, y))
    page.mouse.up()


def zoom(page: Page) -> float:
    return float(page.evaluate("() => latentSpace.state.view.zoom"))


def zoom_in(page: Page, x: float, y: float, turns: int = 5) -> None:
    """Turn the wheel at (x, y)."""
    page.mouse.move(*view_point(page, x, y))
    page.evaluate("() => { window.turned = 0; window.onwheel = () => { turned++; }; }")
    for turn in range(turns):
        page.mouse.wheel(0, -200)
        page.wait_for_function("(turn) => turned > turn", arg=turn)
    assert zoom(page) > 2


def settle(page: Page) -> None:
    """Wait until nothing moves. Whatever shows the position has followed it by then."""
    page.wait_for_function("() => !latentSpace.state.travelling")


def wait_for_position(page: Page, x: float, y: float) -> None:
    """Wait until the cursor is at (x, y)."""
    page.wait_for_function(
        "([x, y]) => Math.hypot(latentSpace.state.z.x - x, latentSpace.state.z.y - y) < 0.003",
        arg=[x, y],
    )


def stored_position(page: Page) -> tuple[float, float]:
    """The position as the page stores it, without waiting."""
    z = page.evaluate("() => latentSpace.state.z")
    return float(z["x"]), float(z["y"])


# The position at which nothing moves and every part of the page shows the same; false before.
AGREED = """() => {
  const { z, travelling } = latentSpace.state, view = document.querySelector("#digit .view");
  const part = (selector) => document.querySelector(selector);
  const value = (axis, type) => +part(`#${axis}-slider input[type=${type}]`).value;
  return !travelling && ["x", "y"].every((axis) =>
    +view.dataset[axis] === z[axis] &&
    +part(`#readout .${axis}`).innerText.replace("−", "-") === z[axis] &&
    value(axis, "number") === z[axis] &&
    Math.abs(value(axis, "range") - z[axis]) <= 0.0051) && [z.x, z.y]; }"""


def position(page: Page) -> tuple[float, float]:
    """The position, once every part of the page shows the same."""
    x, y = page.wait_for_function(AGREED).json_value()
    return float(x), float(y)


def move_to(page: Page, x: float, y: float) -> None:
    """Set the position from within the page."""
    page.evaluate("([x, y]) => latentSpace.state.set({ x, y })", [x, y])


def coordinates(page: Page) -> list[float]:
    """All numbers of z, once nothing moves."""
    settle(page)
    found: list[float] = page.evaluate(
        "() => latentSpace.state.plane.coordinates(latentSpace.state.z)"
    )
    return found


def move_to_coordinates(page: Page, z: list[float]) -> None:
    """Set all numbers of z from within the page."""
    page.evaluate("(z) => latentSpace.state.set(latentSpace.state.plane.position(z))", z)


def pixels_of(canvas: Locator) -> NDArray[np.uint8]:
    """(28, 28) the grey levels of a canvas."""
    return np.array(canvas.evaluate(PIXELS_28), np.uint8).reshape(28, 28)


# The position and the image there, read at once: what a test has started may move the cursor again.
SETTLED_IMAGE = f"""() => {{
  const z = ({AGREED})();
  return z && [z, ({PIXELS_28})(document.querySelector("#digit .image"))]; }}"""


def decoded(page: Page) -> NDArray[np.uint8]:
    """(28, 28) the image on the first screen."""
    return pixels_of(page.locator("#digit .image"))


def assert_painted(page: Page, space: LatentSpace) -> None:
    """The image on the page is PyTorch's decoding of the position, up to 1 of 255."""
    z, pixels = page.wait_for_function(SETTLED_IMAGE).json_value()
    expected = space.decode_images(torch.tensor([z]))[0].astype(int)
    assert np.abs(np.reshape(pixels, (28, 28)) - expected).max() <= 1


def assert_decoded(page: Page, space: LatentSpace) -> None:
    """The same where positions are not those of a plane."""
    expected = space.decode_images(torch.tensor([coordinates(page)]))[0]
    assert np.abs(decoded(page).astype(int) - expected).max() <= 1


def assert_same_image(canvas: Locator, page: Page) -> None:
    """A small copy shows the image of the first screen."""
    copy = pixels_of(canvas)
    assert copy.max() > 100
    np.testing.assert_array_equal(copy, decoded(page))


def reading(page: Page) -> dict[str, Any]:
    """The inference of the open image: what the encoder and the decoder make of it."""
    page.wait_for_function("() => latentSpace.state.reading")
    return dict(page.evaluate("() => latentSpace.state.reading"))


# --- tabs and paths ---


def open_tab(page: Page, name: str) -> None:
    """Open a tab, whose name may go on: that of the lab says that a model is being trained."""
    page.get_by_role("tab", name=re.compile(rf"^{name}( ?,|$)")).click()


def compare(page: Page) -> None:
    """Compare the chosen paths."""
    open_tab(page, "Paths")
    page.locator("#compare").click()
    page.locator("#film-strip[aria-busy=false] .comparison").wait_for()


def drawn(page: Page) -> list[dict[str, Any]]:
    """The paths on the map."""
    return list(page.evaluate("() => latentSpace.state.paths"))


def pairs(points: list[dict[str, float]]) -> list[list[float]]:
    """[{"x", "y"}] as [[x, y]]."""
    return [[point["x"], point["y"]] for point in points]


def assert_fits(page: Page, width: int) -> None:
    """The page does not scroll sideways."""
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width


# --- waiting ---


def wait_until(page: Page, condition: Callable[[], object], what: str) -> None:
    """Handle the page's events until a condition of the test holds."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, what
        page.evaluate("() => new Promise((done) => setTimeout(done, 20))")


def after_timers(page: Page, ms: int) -> None:
    """Wait until every timer of up to `ms` that the page has set by now has fired.

    For what must not happen: browsers run timers in the order in which they are due.
    """
    page.evaluate(
        """(ms) => new Promise((done) =>
          setTimeout(() => requestAnimationFrame(() => setTimeout(done)), ms))""",
        ms,
    )


def hold_calls(page: Page, *functions: str) -> list[Route]:
    """The calls of server functions from now on, unanswered until a test continues them."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        if called(route.request) in functions:
            held.append(route)
        else:
            route.continue_()

    page.route(SERVER, hold)
    return held


def wait_for(page: Page, count: int, held: list[Route]) -> Route:
    """The newest of `count` held calls."""
    wait_until(page, lambda: len(held) >= count, f"fewer than {count} calls")
    return held[-1]


def fail_calls(page: Page) -> None:
    """Let every call of a server function, and every file of the model, fail from now on."""
    for some in (SERVER, FILES):
        page.route(some, lambda route: route.abort())


def unroute_calls(page: Page) -> None:
    """Let the server answer again, including the calls that are held."""
    for some in (SERVER, FILES):
        page.unroute(some)  # the browser then sends the intercepted requests
