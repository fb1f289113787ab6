"""The map: pointer, touch, zoom, layers and decoding."""

import math
import re

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page, Response, expect

from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.layer_fields import CLEAR, regions
from latent_navigator.explorer.readout import decode_position
from tests.browser.helpers import (
    INKED,
    OpenPage,
    Visits,
    after_timers,
    assert_painted,
    fail_calls,
    map_point,
    move_to,
    pixels_of,
    position,
    settle,
    stored_position,
    view_of,
    view_point,
    zoom,
    zoom_in,
)

pytestmark = pytest.mark.browser

BASE = "document.querySelector('#latent-map .map-base')"
OPACITY = """(canvas) => {
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let sum = 0; for (let i = 3; i < data.length; i += 4) sum += data[i]; return sum; }"""


@pytest.mark.guarantee("drag-paints-at-once")
def test_a_move_is_painted_before_it_returns(open_page: OpenPage, space: LatentSpace) -> None:
    page = open_page()
    shown = page.evaluate(
        """() => { latentSpace.state.set({ x: 1.2, y: 0.7 });
          return { ...document.querySelector('#digit .view').dataset }; }"""
    )
    assert (float(shown["x"]), float(shown["y"])) == (1.2, 0.7)
    source = page.locator("#readout .source")
    expect(source).to_have_text(re.compile(r"Decoded in your browser, [\d.]+ ms"))
    assert_painted(page, space)


def test_the_image_can_be_compared_with_pytorchs(open_page: OpenPage, visit: Visits) -> None:
    page = open_page()
    page.locator("#readout").get_by_text("Details").click()
    source = page.locator("#readout .source")
    source.click()
    expect(source).to_have_text(re.compile("PyTorch's image differs by [01] of 255 at most"))
    page.keyboard.press("Tab")
    page.mouse.click(*map_point(page, 1, 1))
    expect(source).to_have_text(re.compile("Decoded in your browser"))
    fail_calls(page)
    source.click()
    expect(source).to_have_text("The server is not responding. Try again.")
    visit.ignore("Failed to load resource")


@pytest.mark.parametrize("scale", [1, 2, 1.25])
def test_transform_holds_at_any_zoom_and_pixel_ratio(
    open_page: OpenPage, space: LatentSpace, scale: float
) -> None:
    page = open_page(device_scale_factor=scale)
    zoom_in(page, 1.0, 1.0)
    view = view_of(page)
    for x, y in ((1.0, 1.0), (view["x"], view["y"]), (view["x"] + 0.3 * view["half"], view["y"])):
        page.mouse.click(*view_point(page, x, y))
        pixel = 2 * view["half"] / view["side"]
        assert math.dist(position(page), (x, y)) <= pixel + 0.001
    assert_painted(page, space)


def test_click_hits_on_a_page_scaled_by_css(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate("() => { document.body.style.zoom = 0.8; }")
    after_timers(page, 0)  # the page is laid out anew
    page.mouse.click(*view_point(page, 1.5, -1.0))
    settle(page)
    assert math.dist(stored_position(page), (1.5, -1.0)) < 0.03


def test_wheel_zooms_at_the_pointer(open_page: OpenPage) -> None:
    page = open_page()
    before = view_point(page, 1.5, -0.75)
    zoom_in(page, 1.5, -0.75)
    # The browser rounds the pointer's place to a pixel, which the zoom makes larger.
    assert np.allclose(view_point(page, 1.5, -0.75), before, atol=zoom(page))
    assert position(page) == (0, 0), "zooming does not move the cursor"
    for _ in range(40):
        page.mouse.wheel(0, -500)
    page.wait_for_function("() => Math.abs(latentSpace.state.view.zoom - 64) < 1e-6")
    page.get_by_role("button", name="Whole map").click()
    assert zoom(page) == 1
    expect(page.get_by_role("button", name="Whole map")).to_be_hidden()


def test_double_click_and_keys_zoom_too(open_page: OpenPage) -> None:
    page = open_page()
    zoom_in(page, 0.5, 0.5)
    page.mouse.dblclick(*view_point(page, 0.5, 0.5))
    assert zoom(page) == 1
    page.locator("#latent-map .map-top").focus()
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert zoom(page) == pytest.approx(2.25)
    page.keyboard.press("-")
    assert zoom(page) == pytest.approx(1.5)
    page.keyboard.press("0")
    assert zoom(page) == 1


def test_shift_drag_pans_a_zoomed_map(open_page: OpenPage) -> None:
    page = open_page()
    zoom_in(page, 0, 0)
    before, z = view_of(page), position(page)
    page.keyboard.down("Shift")
    page.mouse.move(*view_point(page, 0.2, 0.2))
    page.mouse.down()
    page.mouse.move(*view_point(page, 0.0, 0.1), steps=5)
    page.mouse.up()
    page.keyboard.up("Shift")
    after = view_of(page)
    assert after["x"] > before["x"] + 0.1
    assert after["y"] > before["y"] + 0.02
    assert position(page) == z, "panning does not move the cursor"


def test_view_follows_a_cursor_that_leaves_it(open_page: OpenPage) -> None:
    page = open_page()
    zoom_in(page, 3, 3)
    page.locator("#jump-1").click()
    page.wait_for_function("() => latentSpace.state.z.y < -0.5")
    x, y = position(page)
    view = view_of(page)
    assert abs(x - view["x"]) <= view["half"]
    assert abs(y - view["y"]) <= view["half"]


@pytest.mark.guarantee("accessibility")
def test_one_finger_drags_and_two_zoom(open_page: OpenPage, space: LatentSpace) -> None:
    page = open_page(390, 844, has_touch=True, is_mobile=True)
    touch = page.context.new_cdp_session(page)

    def fingers(kind: str, *positions: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(positions)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", view_point(page, -1, 0))
    for step in range(1, 11):
        fingers("touchMove", view_point(page, -1 + 0.2 * step, 0.1 * step))
    fingers("touchEnd")
    assert math.dist(position(page), (1, 1)) < 0.05
    assert_painted(page, space)
    assert page.evaluate("() => window.scrollY") == 0, "a drag on the map does not scroll"

    a, b = view_point(page, -0.5, 0), view_point(page, 0.5, 0)
    fingers("touchStart", a, b)
    for step in range(1, 11):
        spread = 6 * step
        fingers("touchMove", (a[0] - spread, a[1]), (b[0] + spread, b[1]))
    assert zoom(page) == pytest.approx((b[0] - a[0] + 120) / (b[0] - a[0]), rel=0.1)
    before = view_of(page)
    for step in range(1, 11):
        up = 4 * step
        fingers("touchMove", (a[0] - 60, a[1] - up), (b[0] + 60, b[1] - up))
    fingers("touchEnd")
    after = view_of(page)
    assert before["y"] - after["y"] == pytest.approx(
        40 * 2 * after["half"] / after["side"], rel=0.1
    )
    assert after["x"] == pytest.approx(before["x"], abs=0.02)
    assert page.evaluate("() => window.scrollY") == 0, "nor do two fingers"


def test_hover_previews_without_moving(open_page: OpenPage, space: LatentSpace) -> None:
    page = open_page()
    preview = page.locator("#latent-map .map-preview")
    expect(preview).to_be_hidden()
    page.mouse.move(*view_point(page, -0.7, -1.4))
    expect(preview).to_be_visible()
    assert position(page) == (0, 0)
    expected = space.decode_images(torch.tensor([[-0.7, -1.4]]))[0].astype(int)
    assert np.abs(pixels_of(preview) - expected).max() <= 1
    page.mouse.move(5, 5)
    expect(preview).to_be_hidden()


# --- layers ---


def test_layers_switch_on_and_off(open_page: OpenPage) -> None:
    page = open_page()
    for layer in ("points", "images", "regions", "rings"):
        button = page.locator(f"[data-layer={layer}]")
        was_on = button.get_attribute("aria-pressed") == "true"
        before = page.locator("#latent-map .map-base").evaluate(OPACITY)
        button.click()
        expect(button).to_have_attribute("aria-pressed", str(not was_on).lower())
        change = f"({OPACITY})({BASE}) {'<' if was_on else '>'} before"
        page.wait_for_function(f"(before) => {change}", arg=before)
        button.click()
        page.wait_for_function(f"(before) => ({OPACITY})({BASE}) === before", arg=before)


SHEET = """([x, y]) => {
  const canvas = document.querySelector('#latent-map .map-base');
  const { px, py } = latentSpace.state.view.toPixels({ x, y });
  const ratio = canvas.width / latentSpace.state.view.side;
  const side = Math.round(34 * ratio);
  const [left, top] = [Math.round((px - 17) * ratio), Math.round((py - 17) * ratio)];
  const { data } = canvas.getContext('2d').getImageData(left, top, side, side);
  let sum = 0; for (let i = 3; i < data.length; i += 4) sum += data[i];
  return sum / (255 * side * side); }"""


def only_images(page: Page) -> None:
    """Show the layer of images alone."""
    for layer in ("points", "rings", "labels"):
        page.locator(f"[data-layer={layer}]").click()
    page.locator("[data-layer=images]").click()


def tile_near(page: Page, x: float, y: float) -> tuple[float, float]:
    """The middle of the tile of the layer of images that holds a position."""
    found = page.evaluate(
        """([x, y]) => { const { side, half, centre } = latentSpace.state.view;
          const tiles = Math.max(8, Math.round(side / 36));
          const middle = (v, from) => (Math.floor((v - from) / (2 * half) * tiles) + 0.5)
            / tiles * 2 * half + from;
          return [middle(x, centre.x - half), centre.y + half - (middle(centre.y + half - y, 0))];
        }""",
        [x, y],
    )
    return found[0], found[1]


def test_images_of_the_layer_are_those_of_their_tiles(
    open_page: OpenPage, space: LatentSpace
) -> None:
    page = open_page()
    only_images(page)
    # Away from the axes, whose lines lie over the images.
    for zoomed, goals in ((False, ((0.9, 1.0), (-0.6, -1.1))), (True, ((0.3, 0.2), (0.4, 0.1)))):
        if zoomed:
            zoom_in(page, 0.3, 0.2)
        for goal in goals:
            z = tile_near(page, *goal)
            expected = space.decode_images(torch.tensor([z])).mean() / 255
            page.wait_for_function(
                f"([z, expected]) => Math.abs(({SHEET})(z) - expected) < 0.03",
                arg=[z, float(expected)],
            )


@pytest.mark.guarantee("drag-paints-at-once")
def test_a_drag_with_the_layer_of_images_blocks_no_frame(open_page: OpenPage) -> None:
    """The page's own tasks: sheets are asked for, a position is painted, within a frame each."""
    page = open_page()
    page.evaluate(
        """() => { window.slow = [];
          const set = latentSpace.state.set.bind(latentSpace.state);
          latentSpace.state.set = (...values) => { const started = performance.now();
            set(...values);
            slow.push(performance.now() - started); }; }"""
    )
    only_images(page)
    zoom_in(page, 0.3, 0.2)  # asks for a new sheet, which is drawn while the cursor is dragged
    page.mouse.move(*view_point(page, 0.3, 0.2))
    page.mouse.down()
    for i in range(60):
        page.mouse.move(*view_point(page, 0.3 + i / 300, 0.2))
    page.mouse.up()
    times = sorted(page.evaluate("() => slow"))
    assert len(times) >= 60
    assert times[-4] < 16, times[-4:]


def test_without_workers_the_layer_is_drawn_all_the_same(served: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script("delete window.Worker")
    page = context.new_page()
    page.goto(served)
    page.wait_for_selector("#latent-map[data-ready=true]")
    only_images(page)
    z = tile_near(page, 0.3, 0.2)
    page.wait_for_function(f"(z) => ({SHEET})(z) > 0.05", arg=list(z))
    expect(page.locator(".map-legend")).to_contain_text("This browser has no workers")
    context.close()


def test_regions_tell_clear_mixed_and_unknown_apart(space: LatentSpace) -> None:
    answer = regions(space, space.plane, side=40)
    first, second, known = (answer[name].reshape(40, 40) for name in ("first", "second", "known"))
    assert 0.2 < known.mean() < 0.8
    assert 0.1 < (second != first)[known > 0].mean() < 0.5
    for row in range(0, 40, 3):
        for column in range(0, 40, 3):
            x = ((column + 0.5) / 40 * 2 - 1) * space.range
            y = -((row + 0.5) / 40 * 2 - 1) * space.range
            around = space.around(torch.tensor([[x, y]]))
            assert known[row, column] == (int(around.within) > 0)
            if not known[row, column]:
                continue
            shares, most = around.shares[0], float(around.shares.max())
            assert shares[first[row, column]] == most
            if most < CLEAR:
                assert second[row, column] != first[row, column]
                rest = shares[torch.arange(len(shares)) != first[row, column]]
                assert shares[second[row, column]] == rest.max()
            else:
                assert second[row, column] == first[row, column]


def test_the_unknown_looks_different(open_page: OpenPage, space: LatentSpace) -> None:
    """A badge and a dashed frame where nothing was encoded, by the radius of the sentence."""
    page = open_page()
    badge = "(text) => getComputedStyle(text, '::before').content"
    for x, y in ((0.0, 0.0), (2.2, 2.2), (3.9, 3.9), (2.9, 0.6)):
        move_to(page, x, y)
        within = int(space.around(torch.tensor([[x, y]])).within)
        icon = "⚠" if within == 0 else "✓" if within >= 5 else "◐"
        assert icon in page.locator("#readout .support").evaluate(badge), within
        outline = page.locator("#digit .image").evaluate("(i) => getComputedStyle(i).outlineStyle")
        assert (outline == "dashed") == (within == 0)


def switch_layer(page: Page, name: str) -> None:
    """Switch a layer of the folded menu."""
    menu = page.locator("#latent-map .more")
    if menu.get_attribute("open") is None:
        menu.locator("summary").click()
    menu.get_by_role("button", name=name).click()


def test_sensitivity_layer(open_page: OpenPage) -> None:
    page = open_page()
    legend = page.locator("#latent-map .map-legend")
    expect(legend).to_be_hidden()
    before = page.locator("#latent-map .map-base").evaluate(INKED)
    switch_layer(page, "Sensitivity")
    expect(legend).to_contain_text("‖J‖: 0 to")
    page.wait_for_function(f"(before) => ({INKED})({BASE}) > 2 * before", arg=before)
    assert "sensitivity" in page.evaluate("() => latentSpace.state.link")
    switch_layer(page, "Sensitivity")
    expect(legend).to_be_hidden()


def test_posterior_width_layer_and_its_explanation(open_page: OpenPage) -> None:
    page = open_page(390, 844)
    legend = page.locator("#latent-map .map-legend")
    before = page.locator("#latent-map .map-base").evaluate(INKED)
    switch_layer(page, "Posterior width")
    page.wait_for_function(f"(before) => ({INKED})({BASE}) > 2 * before", arg=before)
    page.keyboard.press("Escape")  # the menu
    legend.get_by_role("button", name="Legend").click()
    expect(legend).to_contain_text("of the prior's")
    explain = legend.get_by_role("button", name="What does Posterior width show?")
    explain.click()
    expect(explain).to_have_attribute("aria-expanded", "true")
    expect(legend).to_contain_text("How uncertain the encoder is")
    explain.click()
    expect(legend).not_to_contain_text("How uncertain the encoder is")


def test_round_trips_and_prior_layers(open_page: OpenPage, space: LatentSpace) -> None:
    page = open_page()
    legend = page.locator("#latent-map .map-legend")
    switch_layer(page, "Prior vs. data")
    expect(legend).to_contain_text("more expected than encoded (to over 16 ×)")
    switch_layer(page, "Round trips")
    expect(legend).to_contain_text("round trip")
    expect(page.locator("#latent-map .more summary")).to_contain_text("More (2)")
    x, y = 3.9, 3.9

    def is_of_here(response: Response) -> bool:
        sent = (response.request.post_data_json or {}).get("data", [])
        return list(sent)[:2] == [x, y]

    with page.expect_response(is_of_here) as asked:  # once the cursor rests
        move_to(page, x, y)
    returned = asked.value.json()["round_trip"]
    np.testing.assert_allclose(returned, decode_position(space, x, y)["round_trip"], atol=1e-4)
    assert math.dist((x, y), returned) > 0.5
    # The arrow is drawn from the cursor to there.
    middle = [(x + returned[0]) / 2, (y + returned[1]) / 2]
    page.wait_for_function(
        """([x, y]) => { const canvas = document.querySelector('#latent-map .map-top');
          const { px, py } = latentSpace.state.view.toPixels({ x, y });
          const ratio = canvas.width / latentSpace.state.view.side;
          const { data } = canvas.getContext('2d')
            .getImageData(px * ratio - 2, py * ratio - 2, 5, 5);
          return data.some((v, i) => i % 4 === 3 && v > 200); }""",
        arg=middle,
    )
