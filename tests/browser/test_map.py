"""The map as an instrument: zoom, touch, layers, the table before the server, the link."""

import math
import re

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

from latent_navigator.explorer.decoder_table import build_table, look_up
from latent_navigator.explorer.map_layers import regions
from tests.browser.test_page import LIMIT, SERVER, assert_painted, map_point, position, settle

pytestmark = pytest.mark.browser

VIEW = "() => ({ ...latentSpace.view.centre, half: latentSpace.view.half })"


def box_of(page: Page) -> dict[str, float]:
    page.evaluate("() => window.scrollTo(0, 0)")
    return page.locator("#latent-map .map-top").bounding_box()


def pixel_of(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where z = (x, y) is on the screen, by arithmetic of the test's own on the view."""
    box, view = box_of(page), page.evaluate(VIEW)
    unit = box["width"] / (2 * view["half"])
    return (
        box["x"] + (x - view["x"] + view["half"]) * unit,
        box["y"] + (view["y"] + view["half"] - y) * unit,
    )


def zoom_in(page: Page, x: float, y: float, turns: int = 5) -> None:
    page.mouse.move(*pixel_of(page, x, y))
    page.evaluate("() => { window.turned = 0; window.onwheel = () => { turned++; }; }")
    for turn in range(turns):
        page.mouse.wheel(0, -200)
        page.wait_for_function("(turn) => turned > turn", arg=turn)
    assert page.evaluate("() => latentSpace.view.zoom") > 2


def test_the_browsers_table_is_pythons(open_page, space):
    page = open_page()
    generator = torch.Generator().manual_seed(1)
    z = torch.cat(
        [torch.randn(40, 2, generator=generator), torch.tensor([[LIMIT, -LIMIT], [0, 0], [9, -9]])]
    )
    drawn = page.evaluate(
        """(places) => places.map(([x, y]) => {
          const out = new Uint8ClampedArray(784);
          decoderTable.decode({ x, y }, out);
          return Array.from(out); })""",
        z.tolist(),
    )
    table = build_table(space.model, space.range)
    expected = look_up(table, z).flatten(1).numpy().astype(int)
    assert np.abs(np.array(drawn) - expected).max() <= 2
    assert np.abs(np.array(drawn) - expected).mean() < 0.1


@pytest.mark.guarantee("drag-paints-at-once")
def test_the_table_answers_at_once_and_pytorch_replaces_it(open_page, space):
    page = open_page()
    held = []

    def hold(route):
        if '"look"' in route.request.post_data:
            held.append(route)
        else:  # the click may hit a point and open its digit
            route.continue_()

    page.route(SERVER, hold)
    page.mouse.click(*map_point(page, 1.2, 0.7))
    page.wait_for_selector("#digit [data-kind=table]")
    expect(page.locator("#digit .source")).to_contain_text("Preview (table)")
    z = page.evaluate("() => latentSpace.z")
    shown = page.evaluate("() => ({ ...document.querySelector('#digit .view').dataset })")
    assert (float(shown["x"]), float(shown["y"])) == (z["x"], z["y"])
    page.wait_for_timeout(200)
    assert len(held) == 1, "one request in flight"
    held[0].continue_()
    page.unroute(SERVER)
    page.wait_for_selector("#digit [data-kind=exact]")
    expect(page.locator("#digit .source")).to_contain_text(re.compile(r"PyTorch, \d+ ms"))
    assert_painted(page, space)


@pytest.mark.parametrize("scale", [1, 2, 1.25])
def test_the_transform_holds_at_any_zoom_and_pixel_ratio(open_page, space, scale):
    page = open_page(device_scale_factor=scale)
    zoom_in(page, 1.0, 1.0)
    view = page.evaluate(VIEW)
    for x, y in ((1.0, 1.0), (view["x"], view["y"]), (view["x"] + 0.3 * view["half"], view["y"])):
        page.mouse.click(*pixel_of(page, x, y))
        pixel = 2 * view["half"] / box_of(page)["width"]
        assert math.dist(position(page), (x, y)) <= pixel + 0.001
    assert_painted(page, space)
    # Back and forth, on random places of random views.
    worst = page.evaluate(
        """() => { let worst = 0; const view = new MapView(4.5); view.side = 700;
          for (let i = 0; i < 500; i++) {
            view.zoomAt(700 * Math.random(), 700 * Math.random(), 0.5 + Math.random());
            const z = { x: 9 * Math.random() - 4.5, y: 9 * Math.random() - 4.5 };
            const p = view.toPixels(z); const back = view.toLatent(p.px, p.py);
            worst = Math.max(worst, Math.hypot(back.x - z.x, back.y - z.y)); }
          return worst; }"""
    )
    assert worst < 1e-9


def test_a_page_zoomed_by_css_still_hits(open_page):
    page = open_page()
    page.evaluate("() => { document.body.style.zoom = 0.8; }")
    page.wait_for_timeout(200)
    page.mouse.click(*pixel_of(page, 1.5, -1.0))
    settle(page)
    z = page.evaluate("() => latentSpace.z")
    assert math.dist((z["x"], z["y"]), (1.5, -1.0)) < 0.03


def test_the_wheel_zooms_where_the_pointer_is(open_page):
    page = open_page()
    place = pixel_of(page, 1.5, -0.75)
    zoom_in(page, 1.5, -0.75)
    assert np.allclose(pixel_of(page, 1.5, -0.75), place, atol=1.5)
    assert position(page) == (0, 0), "zooming does not move"
    for _ in range(40):
        page.mouse.wheel(0, -500)
    page.wait_for_function("() => Math.abs(latentSpace.view.zoom - 64) < 1e-6")
    page.get_by_role("button", name="Whole map").click()
    assert page.evaluate("() => latentSpace.view.zoom") == 1
    expect(page.get_by_role("button", name="Whole map")).to_be_hidden()


def test_double_click_and_keys_zoom_too(open_page):
    page = open_page()
    zoom_in(page, 0.5, 0.5)
    page.mouse.dblclick(*pixel_of(page, 0.5, 0.5))
    assert page.evaluate("() => latentSpace.view.zoom") == 1
    page.locator("#latent-map .map-top").focus()
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert page.evaluate("() => latentSpace.view.zoom") == pytest.approx(2.25)
    page.keyboard.press("-")
    assert page.evaluate("() => latentSpace.view.zoom") == pytest.approx(1.5)
    page.keyboard.press("0")
    assert page.evaluate("() => latentSpace.view.zoom") == 1


def test_shift_drag_shifts_a_zoomed_map_and_not_the_cursor(open_page):
    page = open_page()
    zoom_in(page, 0, 0)
    before, z = page.evaluate(VIEW), position(page)
    page.keyboard.down("Shift")
    page.mouse.move(*pixel_of(page, 0.2, 0.2))
    page.mouse.down()
    page.mouse.move(*pixel_of(page, 0.0, 0.1), steps=5)
    page.mouse.up()
    page.keyboard.up("Shift")
    after = page.evaluate(VIEW)
    assert after["x"] > before["x"] + 0.1 and after["y"] > before["y"] + 0.02
    assert position(page) == z


def test_the_view_follows_what_leaves_it(open_page):
    page = open_page()
    zoom_in(page, 3, 3)
    page.locator("#jump-1").click()
    page.wait_for_function("() => latentSpace.z.y < -0.5")
    x, y = position(page)
    view = page.evaluate(VIEW)
    assert abs(x - view["x"]) <= view["half"] and abs(y - view["y"]) <= view["half"]


@pytest.mark.guarantee("accessibility")
def test_fingers_drag_and_pinch(open_page, space):
    page = open_page(390, 844, has_touch=True, is_mobile=True)
    touch = page.context.new_cdp_session(page)

    def fingers(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", pixel_of(page, -1, 0))
    for step in range(1, 11):
        fingers("touchMove", pixel_of(page, -1 + 0.2 * step, 0.1 * step))
    fingers("touchEnd")
    assert math.dist(position(page), (1, 1)) < 0.05
    assert_painted(page, space)
    assert page.evaluate("() => window.scrollY") == 0, "a drag on the map scrolls nothing"

    a, b = pixel_of(page, -0.5, 0), pixel_of(page, 0.5, 0)
    fingers("touchStart", a, b)
    for step in range(1, 11):
        spread = 6 * step
        fingers("touchMove", (a[0] - spread, a[1]), (b[0] + spread, b[1]))
    fingers("touchEnd")
    zoom = page.evaluate("() => latentSpace.view.zoom")
    assert zoom == pytest.approx((b[0] - a[0] + 120) / (b[0] - a[0]), rel=0.1)


def test_hovering_previews_without_moving(open_page, space):
    page = open_page()
    small = page.locator("#latent-map .map-preview")
    expect(small).to_be_hidden()
    page.mouse.move(*pixel_of(page, -0.7, -1.4))
    expect(small).to_be_visible()
    assert position(page) == (0, 0)
    drawn = small.evaluate(
        """(canvas) => { const d = canvas.getContext('2d').getImageData(0, 0, 28, 28).data;
             return Array.from({ length: 784 }, (_, i) => d[4 * i]); }"""
    )
    expected = space.decode_images(torch.tensor([[-0.7, -1.4]])).ravel().astype(int)
    assert np.abs(np.array(drawn) - expected).mean() < 6
    page.mouse.move(5, 5)
    expect(small).to_be_hidden()


CANVAS = """() => {
  const canvas = document.querySelector('#latent-map .map-base');
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let sum = 0; for (let i = 3; i < data.length; i += 4) sum += data[i]; return sum; }"""


@pytest.mark.parametrize("layer", ["points", "pictures", "regions", "rings"])
def test_layers_switch_on_and_off(open_page, layer):
    page = open_page()
    button = page.locator(f"[data-layer={layer}]")
    was_on = button.get_attribute("aria-pressed") == "true"
    before = page.evaluate(CANVAS)
    button.click()
    expect(button).to_have_attribute("aria-pressed", str(not was_on).lower())
    page.wait_for_function(f"(before) => ({CANVAS})() {'<' if was_on else '>'} before", arg=before)
    button.click()
    page.wait_for_function(f"(before) => ({CANVAS})() === before", arg=before)


def test_regions_are_blank_where_no_digit_was_encoded(space):
    import base64

    answer = regions(space, side=40)
    winners = np.frombuffer(base64.b64decode(answer["winners"]), np.uint8).reshape(40, 40)
    strength = np.frombuffer(base64.b64decode(answer["strength"]), np.uint8).reshape(40, 40)
    assert (strength == 0).mean() > 0.2 and (strength > 0).mean() > 0.2
    for row in range(0, 40, 3):
        for column in range(0, 40, 3):
            x = ((column + 0.5) / 40 * 2 - 1) * space.range
            y = -((row + 0.5) / 40 * 2 - 1) * space.range
            z = torch.tensor([[x, y]])
            around = space.around(z, radius=0.2)
            assert (strength[row, column] > 0) == (int(around.within) > 0)
            assert around.shares[0, winners[row, column]] == around.shares[0].max()


@pytest.mark.guarantee("links-restore-the-view")
def test_a_link_restores_what_one_sees(open_page, browser, served):
    page = open_page()
    page.mouse.click(*pixel_of(page, 1.3, -0.4))
    page.locator("[data-layer=regions]").click()
    page.locator("[data-layer=points]").click()
    zoom_in(page, 1.0, 0.0)
    page.locator("#methods").get_by_label("spherical").uncheck()
    page.locator("#even input").check()
    page.locator("#film-strip .comparison").wait_for()
    page.locator("#morph-digit").get_by_text("2", exact=True).click()
    page.get_by_label("mean position (centroid)").check()
    page.wait_for_timeout(700)
    page.wait_for_function("() => location.href === latentSpace.link()")
    link = page.url
    other = browser.new_page(viewport={"width": 1440, "height": 900})
    other.goto(link)
    other.wait_for_selector("#latent-map [data-ready=true]")
    assert position(other) == position(page)
    for key, value in page.evaluate(VIEW).items():
        assert other.evaluate(VIEW)[key] == pytest.approx(value, abs=1e-3)
    assert other.evaluate("() => latentSpace.layers") == page.evaluate("() => latentSpace.layers")
    expect(other.locator("#methods").get_by_label("spherical")).not_to_be_checked()
    expect(other.locator("#methods").get_by_label("straight")).to_be_checked()
    expect(other.locator("#even input")).to_be_checked()
    expect(other.get_by_label("mean position (centroid)")).to_be_checked()
    expect(other.locator("#morph-digit").get_by_label("2", exact=True)).to_be_checked()
    other.wait_for_timeout(700)
    other.wait_for_function("(link) => latentSpace.link() === link", arg=link)
    other.close()


@pytest.mark.guarantee("links-restore-the-view")
@pytest.mark.parametrize(
    "address",
    [
        "#x=nan&y=1",
        "#x=1e30&y=-1e30",
        "#view=1,2",
        "#layers=nonsense&digit=77&ways=up&from=C&A=1,x&even=2",
        "#%%%",
    ],
)
def test_a_wrong_link_still_opens(browser, served, address):
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(served + address)
    page.wait_for_selector("#latent-map [data-ready=true]")
    x, y = position(page)
    assert abs(x) <= LIMIT and abs(y) <= LIMIT
    assert faults == []
    page.close()


def test_the_link_is_copied(open_page, served):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.mouse.click(*pixel_of(page, 2, 1))
    settle(page)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied == page.evaluate("() => latentSpace.link()")
