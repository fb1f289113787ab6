"""The page in a real Chromium, used as a person uses it."""

import math
import re
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, Route, expect

from latent_navigator.checkpoint.checkpoint import DEFAULT_PATH, load_checkpoint
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.navigation import go_to_class
from latent_utils import morph_toward, neighbourhood
from tests.conftest import ROOT

pytestmark = pytest.mark.browser

LIMIT = LatentSpace(load_checkpoint(ROOT / DEFAULT_PATH)).range  # the map shows -LIMIT ... LIMIT
SERVER = re.compile("/component_server")  # where the page asks for pictures
PIXELS = """() => {
  const canvas = document.querySelector('#digit .image');
  const data = canvas.getContext('2d').getImageData(0, 0, 28, 28).data;
  return Array.from({ length: 784 }, (_, i) => data[4 * i]);
}"""


def settle(page: Page) -> None:
    """Wait until nothing moves and the digit shown is that of the current position."""
    page.wait_for_function(
        """() => {
          const view = document.querySelector('#digit .view').dataset;
          const z = latentSpace.z;
          const number = (id) => +document.querySelector(`#${id} input[type=number]`).value;
          return !latentSpace.travelling && view.kind === 'exact'
            && +view.x === z.x && +view.y === z.y
            && number('x-slider') === z.x && number('y-slider') === z.y;
        }"""
    )


def position(page: Page) -> tuple[float, float]:
    """The one position, after checking that every part of the page shows the same."""
    settle(page)
    z = page.evaluate("() => latentSpace.z")
    shown = [float(page.locator(f"#digit .{axis}").inner_text().replace("−", "-")) for axis in "xy"]
    assert shown == [z["x"], z["y"]]
    for axis in "xy":
        thumb = page.locator(f"#{axis}-slider input[type=range]")
        assert float(thumb.input_value()) == pytest.approx(z[axis], abs=0.0051)
    return z["x"], z["y"]


def assert_painted(page: Page, space: LatentSpace) -> None:
    """The picture on the page is PyTorch's decoding of the position, to the last bit."""
    z = torch.tensor([position(page)])
    painted = np.array(page.evaluate(PIXELS)).reshape(28, 28)
    np.testing.assert_array_equal(painted, space.decode_images(z)[0])


def map_point(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where z = (x, y) is on the screen, from the box of the map alone."""
    page.evaluate("() => window.scrollTo(0, 0)")
    box = page.locator("#latent-map .map-top").bounding_box()
    assert box["width"] == pytest.approx(box["height"], abs=0.5), "the axes are stretched"
    unit = box["width"] / (2 * LIMIT)
    return box["x"] + (x + LIMIT) * unit, box["y"] + (LIMIT - y) * unit


@pytest.mark.guarantee("screen-sizes")
def test_the_first_screen_holds_the_instrument(open_page):
    page = open_page(1440, 900)
    ids = ["latent-map", "digit", "x-slider", "y-slider", "random-sample", "anchor", "note"]
    ids += [f"jump-{digit}" for digit in range(10)]
    for name in ids:
        box = page.locator(f"#{name}").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 1440, name
        assert box["y"] >= 0 and box["y"] + box["height"] <= 900, name
    frame = page.locator("#latent-map .map-top").bounding_box()
    digit = page.locator("#digit .image").bounding_box()
    assert frame["width"] >= 640 and digit["width"] >= 250
    assert digit["x"] > frame["x"] + frame["width"], "the digit stands beside the map"


@pytest.mark.guarantee("screen-sizes")
@pytest.mark.parametrize("width", [390, 768, 1024, 1440])
def test_nothing_is_wider_than_the_screen(open_page, width):
    page = open_page(width, 900)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width


@pytest.mark.guarantee("screen-sizes")
def test_on_a_phone_map_digit_then_the_rest(open_page, space):
    page = open_page(390, 844, has_touch=True, is_mobile=True)
    tops = [
        page.locator(f"#{name}").bounding_box()["y"]
        for name in ("latent-map", "digit", "x-slider", "random-sample", "jump-0", "morph")
    ]
    assert tops == sorted(tops)
    assert page.locator("#latent-map .map-top").bounding_box()["width"] >= 340
    page.touchscreen.tap(*map_point(page, 1.0, -2.0))
    x, y = position(page)
    assert math.dist((x, y), (1.0, -2.0)) < 0.03
    assert_painted(page, space)
    page.locator("#jump-0").tap()
    settle(page)
    for name in ("x-slider", "random-sample", "jump-0", "morph", "compare"):
        box = page.locator(f"#{name}").bounding_box()
        assert box["width"] >= 24 and box["height"] >= 24, name


@pytest.mark.guarantee("drag-paints-at-once")
def test_dragging_over_the_map_paints_pytorchs_digit_everywhere(open_page, space):
    page = open_page()
    stations = [(0.0, 0.0), (1.5, 1.0), (-2.0, 0.5), (-1.0, -2.5), (2.5, -2.0), (3.9, 3.9)]
    page.mouse.move(*map_point(page, *stations[0]))
    page.mouse.down()
    for station in stations:
        page.mouse.move(*map_point(page, *station), steps=8)
        assert math.dist(position(page), station) < 0.02
        assert_painted(page, space)
    page.mouse.move(5000, -100)  # captured: it stops at the border instead of losing the finger
    assert position(page) == (LIMIT, LIMIT)
    page.mouse.up()
    page.mouse.move(*map_point(page, 0, 0))
    assert position(page) == (LIMIT, LIMIT), "a move without a press is no drag"


def test_sliders_move_the_map_and_the_digit(open_page, space):
    page = open_page()
    thumb = page.locator("#x-slider input[type=range]")
    thumb.focus()
    for _ in range(25):
        page.keyboard.press("ArrowRight")
    assert position(page) == (0.25, 0.0)
    assert_painted(page, space)
    page.locator("#y-slider input[type=number]").fill("-1.5")
    page.locator("#y-slider input[type=number]").press("Tab")
    assert position(page) == (0.25, -1.5)
    assert_painted(page, space)
    page.mouse.click(*map_point(page, -1, 1))
    assert math.dist(position(page), (-1, 1)) < 0.02
    # Nothing else on the sliders moves them: Gradio's reset would leave the map behind.
    expect(page.locator("#sliders button")).to_have_count(0)


def test_one_move_asks_the_server_once(open_page):
    """No event fires twice: one key on a slider is one decoding and nothing else."""
    page = open_page()
    settle(page)
    page.requested.clear()
    page.locator("#x-slider input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    assert position(page) == (0.01, 0.0)
    page.wait_for_timeout(400)
    asked = [url for url in page.requested if "/gradio_api/" in url]
    assert len(asked) == 1 and "component_server" in asked[0], asked

    page.requested.clear()
    page.locator("#jump-7").click()
    settle(page)
    page.wait_for_timeout(400)
    asked = [url.rsplit("/gradio_api/")[1] for url in page.requested if "/gradio_api/" in url]
    assert len(asked) == 2, asked
    assert sum("component_server" in url for url in asked) == 1, asked


def test_keys_move_the_cursor(open_page, space):
    page = open_page()
    page.locator("#latent-map .map-top").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    assert position(page) == (0.05, 0.05)
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowDown")
    assert position(page) == (-0.45, -0.45)
    assert_painted(page, space)
    expect(page.locator("#map-position")).to_have_text("x -0.45, y -0.45")


@pytest.mark.guarantee("accessibility")
def test_the_keyboard_reaches_every_control(open_page):
    page = open_page()
    reached = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                """() => { const e = document.activeElement;
                     return (e.closest('[id]') ?? e).id || e.className; }"""
            )
        )
    for name in ("random-sample", "jump-0", "jump-9", "morph", "animate", "compare", "pick"):
        assert name in reached, (name, reached)
    ring = page.evaluate(
        """() => { const b = document.querySelector('#morph'); b.focus();
             return getComputedStyle(b).outlineStyle; }"""
    )
    assert ring == "solid"


@pytest.mark.parametrize("anchor", ["typical", "centroid"])
def test_ten_buttons_jump_to_ten_digits(open_page, space, anchor):
    page = open_page()
    if anchor == "centroid":
        page.get_by_label("mean position (centroid)").check()
    centroids = space.anchors["centroid"]
    shares = neighbourhood(centroids, space.means, space.labels).shares
    for digit in range(10):
        page.locator(f"#jump-{digit}").click()
        goal = go_to_class(space, digit, anchor)
        page.wait_for_function(
            "([x, y]) => Math.hypot(latentSpace.z.x - x, latentSpace.z.y - y) < 0.002",
            arg=[goal["x"], goal["y"]],
        )
        position(page)
        warns = "lies among" in page.locator("#note").inner_text()
        assert warns == (anchor == "centroid" and int(shares[digit].argmax()) != digit)
    assert_painted(page, space)


def test_a_random_sample_moves_and_tells(open_page, space):
    page = open_page()
    seen = set()
    for _ in range(4):
        before = page.evaluate("() => latentSpace.z")
        page.locator("#random-sample").click()
        page.wait_for_function(
            "(b) => latentSpace.z.x !== b.x || latentSpace.z.y !== b.y", arg=before
        )
        seen.add(position(page))
        assert_painted(page, space)
    assert len(seen) == 4
    expect(page.locator("#note")).to_contain_text("N(0, I)")


def test_morph_goes_half_way_and_animate_takes_its_time(open_page, space):
    page = open_page()
    page.locator("#jump-1").click()
    page.wait_for_function("() => latentSpace.z.x !== 0")
    start = position(page)
    page.locator("#morph-digit").get_by_text("0", exact=True).click()
    page.locator("#morph").click()
    half = morph_toward(torch.tensor(start), space.anchor(0), 0.5).tolist()
    page.wait_for_function(
        "([x, y]) => Math.hypot(latentSpace.z.x - x, latentSpace.z.y - y) < 0.002", arg=half
    )
    position(page)
    page.evaluate(
        "() => { window.trail = []; latentSpace.subscribe((z) => trail.push([z.x, z.y])); }"
    )
    page.locator("#animate").click()
    quarter = morph_toward(torch.tensor(half), space.anchor(0), 0.5).tolist()
    page.wait_for_function(
        "([x, y]) => Math.hypot(latentSpace.z.x - x, latentSpace.z.y - y) < 0.002", arg=quarter
    )
    position(page)
    trail = torch.tensor(page.evaluate("() => trail"))
    ahead = (trail - torch.tensor(half)).norm(dim=1)
    assert len(trail) >= 10 and (ahead.diff() >= -1e-6).all(), "not step by step"
    assert_painted(page, space)


def test_the_hand_goes_before_an_animation(open_page):
    page = open_page()
    page.locator("#animate").click()
    page.wait_for_function("() => latentSpace.travelling")
    page.mouse.click(*map_point(page, -3, 3))
    assert math.dist(position(page), (-3, 3)) < 0.02


@pytest.mark.guarantee("clients-isolated")
@pytest.mark.parametrize("button", ["#random-sample", "#jump-7"])
def test_the_hand_goes_before_a_late_answer(open_page, button):
    page = open_page()
    asked = []
    page.route(re.compile("/run/predict"), lambda route: asked.append(route))
    page.click(button)
    wait_for(page, 1, asked)
    page.mouse.click(*map_point(page, -3, 2.5))
    with page.expect_response(re.compile("/run/predict")):
        asked.pop().continue_()
    expect(page.locator("#note")).to_contain_text(re.compile("random draw|7s"))  # it is here
    assert math.dist(position(page), (-3, 2.5)) < 0.02
    page.unroute(re.compile("/run/predict"))
    page.click(button)
    page.wait_for_function("() => Math.hypot(latentSpace.z.x + 3, latentSpace.z.y - 2.5) > 0.1")


def test_the_map_draws_points_paths_and_cursor(open_page):
    """Something of each is on the canvas: what is drawn changes it where it should."""
    page = open_page()
    inked = """(name) => {
      const canvas = document.querySelector(`#latent-map .${name}`);
      const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
      let n = 0; for (let i = 3; i < data.length; i += 4) n += data[i] > 0; return n; }"""
    assert page.evaluate(inked, "map-base") > 10_000
    before = page.evaluate(inked, "map-top")
    page.locator("#experiment-paths").click()
    page.wait_for_function("() => latentSpace.paths.length === 4")
    page.wait_for_function(f"(before) => ({inked})('map-top') > before + 500", arg=before)


@pytest.mark.parametrize(
    ("name", "rows", "frames", "words"),
    [
        ("morph", 1, 16, "3 morphs into 8"),
        ("boundary", 1, 12, "boundary between 4 and 9"),
        ("ways", 4, 48, "Which way is smoothest?"),
        ("random", 1, 12, "Random exploration"),
    ],
)
def test_experiments_are_one_click(open_page, name, rows, frames, words):
    page = open_page()
    page.locator(f"#experiment-{name}").click()
    expect(page.locator("#film-strip .row")).to_have_count(rows)
    expect(page.locator("#film-strip .frames button")).to_have_count(frames)
    expect(page.locator("#path-note")).to_contain_text(words)
    if name in ("morph", "boundary"):
        page.wait_for_function("() => latentSpace.travelling")
        last = page.locator("#film-strip .frames button").last
        expect(last).to_have_attribute("aria-current", "true", timeout=15_000)
        position(page)


@pytest.mark.guarantee("no-other-host")
def test_other_hosts_are_never_asked(open_page, served):
    page = open_page()
    page.locator("#jump-3").click()
    page.locator("#compare").click()
    expect(page.locator("#film-strip .row")).to_have_count(4)
    for name in ("Directions", "How VAEs work", "This model"):
        page.get_by_role("tab", name=name).click()
    page.wait_for_timeout(300)
    hosts = {urlsplit(url).netloc for url in page.requested if url.startswith("http")}
    assert hosts == {urlsplit(served).netloc}


def test_the_tabs_explain(open_page, released):
    page = open_page()
    page.get_by_role("tab", name="How VAEs work").click()
    expect(page.get_by_text("reparameterisation")).to_be_visible()
    page.get_by_role("tab", name="This model").click()
    elbo = f"{released.history[-1]['test_elbo']:.1f}"
    expect(page.get_by_text(f"ELBO {elbo}")).to_be_visible()


@pytest.mark.guarantee("accessibility")
def test_dark_mode_is_followed_and_switched(open_page):
    ground = "() => getComputedStyle(document.querySelector('.map-frame')).backgroundColor"
    light, dark = open_page(color_scheme="light"), open_page(color_scheme="dark")
    assert light.evaluate(ground) != dark.evaluate(ground)
    before = light.evaluate(ground)
    light.get_by_label("Switch between light and dark").click()
    assert light.evaluate(ground) == dark.evaluate(ground) != before


@pytest.mark.guarantee("clients-isolated")
def test_two_visitors_do_not_meet(open_page, space):
    first, second = open_page(), open_page()
    first.mouse.click(*map_point(first, 2, 2))
    second.locator("#jump-1").click()
    second.wait_for_function("() => latentSpace.z.x !== 0")
    assert math.dist(position(first), (2, 2)) < 0.02
    goal = go_to_class(space, 1)
    assert math.dist(position(second), (goal["x"], goal["y"])) < 0.002
    assert_painted(first, space)
    assert_painted(second, space)


def held_questions(page: Page) -> list[Route]:
    """What the page asks of places from now on, each unanswered until the test goes on with it."""
    asked: list[Route] = []

    def hold(route: Route) -> None:
        is_look = route.request.post_data_json["fn_name"] == "look"
        asked.append(route) if is_look else route.continue_()

    page.route(SERVER, hold)
    return asked


def wait_for(page: Page, count: int, asked: list[Any]) -> Any:
    """The newest of `count` questions."""
    for _ in range(500):
        if len(asked) >= count:
            return asked[-1]
        page.wait_for_timeout(10)
    raise AssertionError(f"{len(asked)} questions instead of {count}")


@pytest.mark.guarantee("clients-isolated")
def test_a_slow_server_is_asked_for_one_place_at_a_time(open_page, space):
    page = open_page()
    asked = held_questions(page)
    for x in (1, 2, 3, -1, -2, -3):
        page.mouse.click(*map_point(page, x, x / 2))
        wait_for(page, 1, asked)
    page.wait_for_timeout(300)  # twice the time after which a drag asks again
    assert len(asked) == 1, "one question in flight"
    asked[0].continue_()
    newest = wait_for(page, 2, asked).request.post_data_json["data"]
    assert math.dist(newest[:2], (-3, -1.5)) < 0.02, "places that were passed are left out"
    page.unroute(SERVER)  # which lets the second go on
    assert_painted(page, space)
    assert math.dist(position(page), (-3, -1.5)) < 0.02


@pytest.mark.guarantee("clients-isolated")
def test_an_answer_for_a_place_that_was_left_is_not_painted(open_page, space):
    page = open_page()
    page.wait_for_selector("#digit [data-state=shown]")
    settle(page)
    asked = held_questions(page)
    page.mouse.click(*map_point(page, 2, 1))
    first = wait_for(page, 1, asked)
    page.mouse.click(*map_point(page, -2, -1))
    there = page.evaluate("() => [latentSpace.z.x, latentSpace.z.y]")
    first.continue_()
    wait_for(page, 2, asked)  # asked when the first has been read
    view = page.evaluate("() => ({ ...document.querySelector('#digit .view').dataset })")
    assert view["kind"] == "table" and [float(view["x"]), float(view["y"])] == there
    page.unroute(SERVER)  # which lets the second go on
    assert_painted(page, space)


@pytest.mark.guarantee("clients-isolated")
def test_a_lost_answer_is_asked_for_again(browser, served, space):
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(served)
    page.wait_for_selector("#digit [data-state=shown]")
    settle(page)
    let_pass = "(ms) => new Promise((done) => setTimeout(done, ms))"
    page.evaluate(let_pass, 500)  # the click begins a drag of its own
    asked = held_questions(page)
    page.mouse.click(*map_point(page, 1, 1))
    page.evaluate(let_pass, 100)  # the cursor rests
    wait_for(page, 1, asked).abort()
    page.wait_for_selector("#digit [data-state=failed]")
    wait_for(page, 2, asked).continue_()  # and nobody has moved
    page.wait_for_selector("#digit [data-state=shown]")
    assert_painted(page, space)
    page.close()


@pytest.mark.guarantee("clients-isolated")
def test_a_server_that_fails_is_told_and_forgiven(browser, served, space):
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(served)
    page.wait_for_selector("#digit [data-state=shown]")
    page.route(SERVER, lambda route: route.abort())
    page.mouse.click(*map_point(page, 1, 1))
    page.wait_for_selector("#digit [data-state=failed]")
    expect(page.locator("#digit .support")).to_contain_text("is not responding")
    page.unroute(SERVER)
    page.mouse.click(*map_point(page, -1, 1))
    page.wait_for_selector("#digit [data-state=shown]")
    assert_painted(page, space)
    page.close()
