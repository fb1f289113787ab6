"""Your own digit and what is known at a place, in a real Chromium, used as a person uses them."""

import base64
import io
import math

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, expect

from latent_navigator.explorer.inference import Reader
from latent_navigator.explorer.readout import readout
from tests.browser.test_page import SERVER, assert_painted, map_point, position, wait_for

pytestmark = pytest.mark.browser

READ_28 = """(canvas) => { const d = canvas.getContext('2d').getImageData(0, 0, 28, 28).data;
  return Array.from({ length: 784 }, (_, i) => d[4 * i]); }"""
SEVEN = [(70, 60), (205, 60), (120, 235)]
ONE = [(140, 40), (140, 240)]


def open_pad(page: Page) -> None:
    page.get_by_role("tab", name="Your digit").click()
    page.locator(".paper").scroll_into_view_if_needed()


def draw(page: Page, *strokes: list[tuple[int, int]]) -> None:
    """Strokes in pixels of the 280 x 280 pad, with a real pointer."""
    for stroke in strokes:
        box = page.locator(".paper").bounding_box()
        scale = box["width"] / 280
        places = [(box["x"] + x * scale, box["y"] + y * scale) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=10)
        page.mouse.up()


def shown(page: Page) -> None:
    page.locator(".draw[data-state=shown]").wait_for()
    page.wait_for_function("() => !latentSpace.travelling")


def reading(page: Page) -> dict:
    return page.evaluate("() => latentSpace.reading")


@pytest.mark.guarantee("tabs-work")
def test_a_drawn_seven_lands_among_the_sevens(open_page, space):
    page = open_page()
    open_pad(page)
    expect(page.locator(".draw .empty")).to_be_visible()
    draw(page, SEVEN)
    shown(page)
    expect(page.locator(".draw .title")).to_have_text("Your image")
    expect(page.locator(".draw .message")).to_contain_text("It lands among the 7s")
    # What the page shows is what the reader says of the very pixels of the pad.
    data = page.locator(".paper").evaluate("(c) => c.toDataURL('image/png').split(',')[1]")
    answer = Reader(space).drawn(data)
    pixels = np.frombuffer(base64.b64decode(answer["pixels"]), np.uint8)
    np.testing.assert_array_equal(page.locator(".seen").evaluate(READ_28), pixels)
    decoded = np.frombuffer(base64.b64decode(answer["decoded"]), np.uint8)
    np.testing.assert_array_equal(page.locator(".decoded").evaluate(READ_28), decoded)
    expect(page.locator(".draw .recon")).to_have_text(f"{answer['recon']:.1f} nats")
    expect(page.locator(".draw .kl")).to_have_text(f"{answer['kl']:.2f} nats")
    np.testing.assert_allclose(reading(page)["mu"], answer["mu"], atol=1e-6)
    np.testing.assert_allclose(reading(page)["sigma"], answer["sigma"], atol=1e-6)
    assert math.dist(position(page), answer["mu"]) < 0.002, "the cursor goes there"
    expect(page.locator(".draw .samples canvas")).to_have_count(6)
    expect(page.locator(".draw .similar button")).to_have_count(6)


def test_the_ellipses_are_drawn_to_scale(open_page):
    """On a zoomed map, ink appears at 1 and 2 sigma of the posterior and not between."""
    page = open_page()
    page.evaluate("() => latentSpace.open(1234)")
    page.wait_for_function("() => latentSpace.reading")
    for name in ("points", "numerals", "rings"):
        page.locator(f"[data-layer={name}]").click()
    read = reading(page)
    page.evaluate(
        """([x, y]) => { const v = latentSpace.view;
             v.half = v.range / 32; v.centre = { x: 0, y: 0 };
             v.moveBy(x, y); latentSpace.layersChanged(); }""",
        read["mu"],
    )
    page.wait_for_timeout(300)
    profile = page.evaluate(
        """([x, y]) => { const c = document.querySelector('.map-top'); const v = latentSpace.view;
             const ratio = c.width / v.side; const p = v.toPixels({ x, y });
             const top = Math.round(p.py * ratio);
             const row = c.getContext('2d').getImageData(0, top, c.width, 1).data;
             return { alphas: Array.from({ length: c.width }, (_, i) => row[4 * i + 3]),
                      centre: p.px * ratio, unit: v.side / (2 * v.half) * ratio }; }""",
        read["mu"],
    )
    inked = [i for i, alpha in enumerate(profile["alphas"]) if alpha > 100]
    gaps = sorted((i - profile["centre"]) / profile["unit"] / read["sigma"][0] for i in inked)
    edges = [g for g in gaps if abs(g) > 0.4]
    for k in (-2, -1, 1, 2):
        assert min(abs(g - k) for g in edges) < 0.12, (k, edges)
    assert not [g for g in edges if 1.25 < abs(g) < 1.75 or abs(g) > 2.3]


@pytest.mark.guarantee("clients-isolated")
def test_the_newest_digit_is_the_one_told_of(open_page):
    """Of two that were opened, and of one that was drawn and one opened, whichever comes first."""
    page = open_page()
    open_pad(page)
    held = []
    is_of = ("test_digit", "drawn")
    page.route(
        SERVER,
        lambda r: held.append(r) if r.request.post_data_json["fn_name"] in is_of else r.continue_(),
    )

    def let_go(which: int) -> None:
        with page.expect_response(lambda response: response.request == held[which].request):
            held[which].continue_()
        page.evaluate("() => new Promise((done) => setTimeout(done, 200))")

    page.evaluate("() => latentSpace.open(10)")
    page.evaluate("() => latentSpace.open(20)")
    wait_for(page, 2, held)
    let_go(1)
    assert "digit 20," in reading(page)["title"]
    let_go(0)
    assert "digit 20," in reading(page)["title"]
    draw(page, SEVEN)
    wait_for(page, 3, held)
    page.evaluate("() => latentSpace.open(30)")
    wait_for(page, 4, held)
    let_go(3)
    assert "digit 30," in reading(page)["title"]
    let_go(2)
    assert "digit 30," in reading(page)["title"]


def test_touch_draws_too(open_page):
    page = open_page(390, 844, has_touch=True, is_mobile=True)
    page.get_by_role("tab", name="Your digit").click()
    page.locator(".paper").scroll_into_view_if_needed()
    box = page.locator(".paper").bounding_box()
    session = page.context.new_cdp_session(page)
    scale = box["width"] / 280

    def touch(kind, *at):
        points = [{"x": box["x"] + x * scale, "y": box["y"] + y * scale} for x, y in at]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", ONE[0])
    for i in range(1, 11):
        touch("touchMove", (140, 40 + 20 * i))
    touch("touchEnd")
    shown(page)
    expect(page.locator(".draw .message")).to_contain_text("among the 1s")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_undo_and_clear(open_page):
    page = open_page()
    open_pad(page)
    draw(page, ONE, [(40, 140), (240, 140)])
    shown(page)
    page.locator(".draw .undo").click()
    expect(page.locator(".draw .message")).to_contain_text("among the 1s")
    page.locator(".draw .clear").click()
    expect(page.locator(".draw .empty")).to_be_visible()
    expect(page.locator(".draw .answer")).to_be_hidden()
    assert reading(page) is None


def picture_file(released, index, **how):
    pixels = np.kron(released.pictures[index].numpy(), np.ones((8, 8), np.uint8))
    held = io.BytesIO()
    Image.fromarray(255 - pixels if how.get("inverted") else pixels, "L").save(held, "PNG")
    return {"name": "mine.png", "mimeType": "image/png", "buffer": held.getvalue()}


@pytest.mark.parametrize("inverted", [False, True])
def test_an_uploaded_picture_is_read(open_page, released, inverted):
    page = open_page()
    open_pad(page)
    zero = int((released.labels == 0).nonzero()[3])
    page.locator(".draw input").set_input_files(picture_file(released, zero, inverted=inverted))
    shown(page)
    expect(page.locator(".draw .message")).to_contain_text("among the 0s")
    assert math.dist(reading(page)["mu"], released.means[zero].tolist()) < 0.5


@pytest.mark.guarantee("images-read-or-explained")
def test_what_is_no_digit_gets_a_sentence_that_helps(open_page):
    page = open_page()
    open_pad(page)
    garbage = {"name": "mine.png", "mimeType": "image/png", "buffer": b"this is no picture"}
    page.locator(".draw input").set_input_files(garbage)
    fault = page.locator(".draw .error")
    expect(fault).to_be_visible()
    assert len(fault.inner_text()) > 20 and "server" not in fault.inner_text()
    large = {"name": "big.png", "mimeType": "image/png", "buffer": bytes(6_000_000)}
    page.locator(".draw input").set_input_files(large)
    expect(fault).to_contain_text("MB")
    draw(page, SEVEN)
    shown(page)
    expect(fault).to_be_hidden()


def test_a_click_on_a_point_opens_the_digit(open_page, released):
    page = open_page()
    # A point that stands alone, so that it is the one that is meant.
    gaps = torch.cdist(released.means, released.means)
    gaps.fill_diagonal_(math.inf)
    index = int(gaps.min(1).values.argmax())
    page.mouse.click(*map_point(page, *released.means[index].tolist()))
    page.wait_for_function("() => latentSpace.reading")
    open_pad(page)
    label = int(released.labels[index])
    expect(page.locator(".draw .title")).to_have_text(f"Test digit {index}, labelled {label}")
    np.testing.assert_array_equal(
        page.locator(".seen").evaluate(READ_28), released.pictures[index].flatten()
    )


def test_a_drag_opens_nothing(open_page, released):
    page = open_page()
    page.mouse.move(*map_point(page, -1, 0))
    page.mouse.down()
    page.mouse.move(*map_point(page, 0, 0), steps=5)
    page.mouse.up()
    page.wait_for_timeout(300)
    assert reading(page) is None


def test_the_nearest_real_digits_are_shown_and_open(open_page, space):
    page = open_page()
    page.locator("#jump-2").click()
    page.wait_for_function("() => latentSpace.z.x !== 0")
    expected = readout(space, *position(page))["nearest"]
    pixels = np.frombuffer(base64.b64decode(expected["pixels"]), np.uint8).reshape(-1, 784)
    buttons = page.locator("#digit .nearest button")
    expect(buttons).to_have_count(6)
    for i in range(6):
        found = buttons.nth(i).locator("canvas").evaluate(READ_28)
        np.testing.assert_array_equal(found, pixels[i])
    digit = expected["digits"][3]
    buttons.nth(3).click()
    page.wait_for_function("() => latentSpace.reading")
    assert math.dist(position(page), (digit["x"], digit["y"])) < 0.002
    assert reading(page)["title"].startswith(f"Test digit {digit['index']}, labelled")
    assert_painted(page, space)


def test_the_round_trip_of_the_cursor_and_the_layers(open_page, space):
    page = open_page()
    page.locator("#latent-map .more summary").click()
    legend = page.locator("#latent-map .map-legend")
    page.get_by_role("button", name="Prior vs. data").click()
    expect(legend).to_contain_text("the prior expects up to 16")
    page.get_by_role("button", name="Round trips").click()
    expect(legend).to_contain_text("round trip")
    expect(page.locator("#latent-map .more summary")).to_contain_text("More (2)")
    page.mouse.click(*map_point(page, 3.9, 3.9))
    x, y = position(page)
    returned = page.evaluate("() => latentSpace.known.round_trip")
    np.testing.assert_allclose(returned, readout(space, x, y)["round_trip"], atol=1e-4)
    assert math.dist((x, y), returned) > 0.5


def test_a_layer_that_fails_is_told_and_can_be_tried_again(browser, served):
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(served)
    page.wait_for_selector("#latent-map [data-ready=true]")
    page.wait_for_selector("#digit [data-state=shown]")
    page.route(SERVER, lambda route: route.abort())
    page.locator("#latent-map .more summary").click()
    page.get_by_role("button", name="Prior vs. data").click()
    expect(page.locator("#latent-map .map-legend")).to_contain_text("did not arrive")
    expect(page.locator("[data-layer=prior_vs_data]")).to_have_attribute("aria-pressed", "false")
    page.unroute(SERVER)
    page.get_by_role("button", name="Prior vs. data").click()
    expect(page.locator("#latent-map .map-legend")).to_contain_text("the prior expects")
    page.close()
