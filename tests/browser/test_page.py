"""The page as a whole: layout, controls, experiments, tabs, themes."""

import math
from urllib.parse import urlsplit

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from latent_navigator.app.model_card import training_command
from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.explorer.latent_space import ANCHORS, LatentSpace
from latent_navigator.explorer.navigation import describe_anchor, go_to_class, start_class
from latent_navigator.explorer.reconstructions import best_and_worst
from latent_utils import RADIUS, morph_toward
from tests.browser.helpers import (
    FILES,
    INKED,
    OpenPage,
    Visits,
    after_timers,
    assert_fits,
    assert_painted,
    assert_same_image,
    box_of,
    boxes_of,
    compare,
    map_point,
    map_range,
    move_to,
    open_tab,
    pixels_of,
    position,
    settle,
    stored_position,
    wait_for_position,
)

pytestmark = pytest.mark.browser


@pytest.mark.guarantee("screen-sizes")
def test_first_screen_holds_map_digit_and_controls(open_page: OpenPage) -> None:
    page = open_page(1440, 900)
    ids = ["latent-map", "digit", "readout", "x-slider", "random-sample", "anchor", "note", "morph"]
    ids += [f"jump-{digit}" for digit in range(10)]
    for name in ids:
        box = box_of(page.locator(f"#{name}"))
        assert box["x"] >= 0, name
        assert box["x"] + box["width"] <= 1440, name
        assert box["y"] >= 0, name
        assert box["y"] + box["height"] <= 900, name
    frame = box_of(page.locator("#latent-map .map-top"))
    digit = box_of(page.locator("#digit .image"))
    assert frame["width"] >= 760
    assert digit["width"] >= 170
    assert digit["x"] > frame["x"] + frame["width"], "the digit is beside the map"


@pytest.mark.guarantee("screen-sizes")
def test_nothing_is_wider_than_the_screen(open_page: OpenPage) -> None:
    page = open_page(1440, 900)
    for width in (1440, 1024, 768, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("(width) => window.innerWidth === width", arg=width)
        assert_fits(page, width)


@pytest.mark.guarantee("screen-sizes")
def test_phone_shows_map_then_digit_then_controls(open_page: OpenPage, space: LatentSpace) -> None:
    page = open_page(390, 844, has_touch=True, is_mobile=True)
    assert page.evaluate("scrollY") == 0
    assert_fits(page, 390)
    tops = [
        box_of(page.locator(f"#{name}"))["y"]
        for name in (
            "latent-map",
            "digit",
            "readout",
            "x-slider",
            "random-sample",
            "jump-0",
            "morph",
        )
    ]
    assert tops == sorted(tops)
    assert box_of(page.locator("#latent-map .map-top"))["width"] >= 340
    page.touchscreen.tap(*map_point(page, 1.0, -2.0))
    assert math.dist(position(page), (1.0, -2.0)) < 0.03
    assert_painted(page, space)
    page.locator("#jump-0").tap()
    settle(page)
    for name in ("x-slider", "random-sample", "jump-0", "morph"):
        box = box_of(page.locator(f"#{name}"))
        assert box["width"] >= 24, name
        assert box["height"] >= 24, name


@pytest.mark.guarantee("drag-paints-at-once")
def test_drag_paints_pytorchs_image_everywhere(open_page: OpenPage, space: LatentSpace) -> None:
    page, limit = open_page(), map_range()
    stops = [(0.0, 0.0), (1.5, 1.0), (-2.0, 0.5), (-1.0, -2.5), (2.5, -2.0), (3.9, 3.9)]
    page.mouse.move(*map_point(page, *stops[0]))
    page.mouse.down()
    for stop in stops:
        page.mouse.move(*map_point(page, *stop), steps=8)
        assert math.dist(position(page), stop) < 0.02
        assert_painted(page, space)
    page.mouse.move(5000, -100)  # the pointer is captured, and the position clamped to the map
    assert position(page) == (limit, limit)
    page.mouse.up()
    page.mouse.move(*map_point(page, 0, 0))
    assert position(page) == (limit, limit), "a move without a pressed button is no drag"


def test_sliders_move_map_and_digit(open_page: OpenPage, space: LatentSpace) -> None:
    page = open_page()
    page.locator("#x-slider input[type=range]").focus()
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


def test_keys_move_the_cursor(open_page: OpenPage, space: LatentSpace) -> None:
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
def test_question_mark_lists_the_shortcuts(open_page: OpenPage) -> None:
    page = open_page()
    listed, random = page.locator("#shortcuts"), page.locator("#random-sample")
    random.focus()
    page.keyboard.press("?")
    expect(listed).to_be_visible()
    for key in ("←", "Shift", "+", "−", "0", "Enter", "Home", "End", "Escape", "?"):
        expect(listed.locator("kbd").get_by_text(key, exact=True).first).to_be_visible()
    page.keyboard.press("Escape")
    expect(listed).to_be_hidden()
    expect(random).to_be_focused()
    button = page.get_by_role("button", name="Keyboard shortcuts")
    button.click()
    expect(listed).to_be_visible()
    listed.get_by_role("button", name="Close").click()
    expect(listed).to_be_hidden()
    expect(button).to_be_focused()
    page.locator("#x-number").focus()
    page.keyboard.press("?")
    expect(listed).to_be_hidden()


SMALL_TEXT = """() => {
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement, textContent } = walker.currentNode;
    if (!textContent.trim() || !parentElement.checkVisibility()) continue;
    const size = parseFloat(getComputedStyle(parentElement).fontSize);
    if (size < (parentElement.closest('svg') ? 12 : 14)) found.push([textContent.trim(), size]);
  }
  return found;
}"""


@pytest.mark.guarantee("accessibility")
def test_all_text_is_at_least_14_pixels_and_larger_on_demand(open_page: OpenPage) -> None:
    """Of the axes of plots 12 pixels."""
    page = open_page(fresh=True)
    compare(page)
    page.get_by_role("tab", name="Training").click()
    page.wait_for_selector("#replay [data-state=shown]")
    for tab in TABS:
        open_tab(page, tab)
        assert page.evaluate(SMALL_TEXT) == [], tab
    size = "() => parseFloat(getComputedStyle(document.querySelector('#note')).fontSize)"
    tick = """() => document.querySelector('.map-base').getContext('2d').font"""
    usual, usual_tick = page.evaluate(size), page.evaluate(tick)
    page.get_by_role("button", name="Larger type").click()
    assert page.evaluate(size) == pytest.approx(1.25 * usual)
    page.wait_for_function(f"(usual) => ({tick})() !== usual", arg=usual_tick)
    page.reload()
    expect(page.get_by_role("button", name="Larger type", pressed=True)).to_be_visible()
    assert page.evaluate(size) == pytest.approx(1.25 * usual), "it is kept"


def test_class_buttons_go_to_prototypes_and_centroids(
    open_page: OpenPage, space: LatentSpace
) -> None:
    page = open_page()
    shares = space.around(space.anchors["centroid"]).shares
    for anchor in ("typical", "centroid"):
        if anchor == "centroid":
            page.get_by_label("mean position (centroid)").check()
        for digit in range(10):
            page.locator(f"#jump-{digit}").click()
            goal = go_to_class(space, digit, anchor)
            wait_for_position(page, goal["x"], goal["y"])
            position(page)
            warns = "lies among" in page.locator("#note").inner_text()
            assert warns == (anchor == "centroid" and int(shares[digit].argmax()) != digit)
        assert_painted(page, space)


def test_choosing_prototype_or_mean_position_acts_at_once(
    open_page: OpenPage, space: LatentSpace
) -> None:
    """It takes the cursor there, for the digit last gone to; both images are side by side."""
    page = open_page()

    def assert_goes(choice: str, anchor: str, digit: int) -> None:
        page.get_by_label(choice).check()
        goal = go_to_class(space, digit, anchor)
        wait_for_position(page, goal["x"], goal["y"])
        expect(page.locator("#note")).to_have_text(describe_anchor(space, digit, anchor))
        expect(page.get_by_label(f"Prototype: the most typical {digit}")).to_be_visible()
        expect(page.get_by_label(f"Mean position (centroid) of all {digit}s")).to_be_visible()
        for canvas, name in zip(page.locator("#anchor canvas").all(), ANCHORS, strict=True):
            expected = space.decode_images(space.anchor(digit, name)[None])[0].astype(int)
            assert np.abs(pixels_of(canvas) - expected).max() <= 1

    assert_goes("Mean position", "centroid", start_class(space))
    page.locator("#jump-5").click()
    assert_goes("Prototype", "typical", 5)
    assert_goes("Mean position", "centroid", 5)
    move_to(page, **go_to_class(space, 3))
    page.get_by_label("Prototype").check()
    assert_goes("Mean position", "centroid", 3)


def test_random_sample_moves_the_cursor_and_names_the_prior(
    open_page: OpenPage, space: LatentSpace
) -> None:
    page = open_page()
    seen = set()
    for _ in range(4):
        before = page.evaluate("() => latentSpace.state.z")
        page.locator("#random-sample").click()
        page.wait_for_function(
            "(b) => latentSpace.state.z.x !== b.x || latentSpace.state.z.y !== b.y", arg=before
        )
        seen.add(position(page))
        assert_painted(page, space)
    assert len(seen) == 4
    expect(page.locator("#note")).to_contain_text("N(0, I)")


def test_morph_jumps_and_animate_moves_gradually(open_page: OpenPage, space: LatentSpace) -> None:
    page = open_page(reduced_motion="no-preference")
    page.locator("#jump-1").click()
    page.wait_for_function("() => latentSpace.state.z.x !== 0")
    start = position(page)
    page.locator("#morph-digit").get_by_text("0", exact=True).click()
    page.locator("#morph").click()
    half = morph_toward(torch.tensor(start), space.anchor(0), 0.5).tolist()
    wait_for_position(page, *half)
    position(page)
    page.evaluate(
        """() => { window.trail = [];
          latentSpace.state.subscribe('position', () => {
            trail.push([latentSpace.state.z.x, latentSpace.state.z.y]); }); }"""
    )
    page.locator("#animate").click()
    quarter = morph_toward(torch.tensor(half), space.anchor(0), 0.5).tolist()
    wait_for_position(page, *quarter)
    position(page)
    trail = torch.tensor(page.evaluate("() => trail"))
    travelled = (trail - torch.tensor(half)).norm(dim=1)
    assert len(trail) >= 10
    assert (travelled.diff() >= -1e-6).all(), "the cursor never moves backwards"
    assert_painted(page, space)


def test_user_interrupts_an_animation(open_page: OpenPage) -> None:
    page = open_page(reduced_motion="no-preference")
    page.locator("#animate").click()
    page.wait_for_function("() => latentSpace.state.travelling")
    page.mouse.click(*map_point(page, -3, 3))
    assert math.dist(position(page), (-3, 3)) < 0.02


def test_map_draws_points_and_paths(open_page: OpenPage) -> None:
    page = open_page()
    assert page.locator("#latent-map .map-base").evaluate(INKED) > 10_000
    before = page.locator("#latent-map .map-top").evaluate(INKED)
    open_tab(page, "Paths")
    page.locator("#experiment-paths").click()
    page.wait_for_function("() => latentSpace.state.paths.length === 4")
    page.wait_for_function(
        f"(before) => ({INKED})(document.querySelector('.map-top')) > before + 500", arg=before
    )


def test_experiments_take_one_click(open_page: OpenPage) -> None:
    page = open_page(reduced_motion="no-preference")
    open_tab(page, "Paths")
    for name, rows, frames, text in (
        ("morph", 1, 16, "3 morphs into 8"),
        ("boundary", 1, 12, "boundary between 4 and 9"),
        ("paths", 4, 48, "Which path is smoothest?"),
        ("random", 2, 100, "Random exploration"),
    ):
        page.locator(f"#experiment-{name}").click()
        expect(page.locator("#path-note")).to_contain_text(text)
        expect(page.locator("#film-strip .frames button")).to_have_count(frames)
        if " 0 missed the data" in page.locator("#path-note").inner_text():
            rows = 1  # one set of a hundred in forty
        expect(page.locator("#film-strip .row")).to_have_count(rows)
        if name in ("morph", "boundary"):
            page.wait_for_function("() => latentSpace.state.travelling")
            last = page.locator("#film-strip .frames button").last
            expect(last).to_have_attribute("aria-current", "true")
            position(page)


@pytest.mark.guarantee("no-other-host")
def test_page_contacts_no_other_host(open_page: OpenPage, visit: Visits, served: str) -> None:
    page = open_page()
    page.locator("#jump-3").click()
    compare(page)
    expect(page.locator("#film-strip .row")).to_have_count(4)
    page.get_by_role("tab", name="Directions").click()
    page.wait_for_selector("#directions [data-state=shown]")
    page.get_by_role("tab", name="Training").click()
    page.wait_for_selector("#replay [data-state=shown]")
    page.get_by_role("tab", name="About").click()
    page.wait_for_function("() => document.fonts.status === 'loaded'")
    hosts = {urlsplit(r.url).netloc for r in visit.requests if r.url.startswith("http")}
    assert hosts == {urlsplit(served).netloc}


def test_tabs_explain_vaes_and_the_model(open_page: OpenPage, released: Checkpoint) -> None:
    page = open_page()
    page.get_by_role("tab", name="About").click()
    expect(page.get_by_text("How a variational autoencoder works")).to_be_visible()
    expect(page.locator("#about .take-tour")).to_be_visible()
    elbo = f"{released.history[-1]['test_elbo']:.1f}"
    expect(page.get_by_text(f"ELBO {elbo}")).to_be_visible()
    assert page.locator("#about pre").inner_text() == training_command(released)


def test_best_and_worst_reconstructions_open_on_the_map(
    open_page: OpenPage, visit: Visits, space: LatentSpace
) -> None:
    page = open_page()
    asked = [request for request in visit.requests if "reconstructions.bin" in request.url]
    assert asked == []
    open_tab(page, "About")
    page.wait_for_selector("#about .gallery[data-state=shown]")
    expected = best_and_worst(space)
    for kind in ("best", "worst"):
        grid = page.locator(f"#about [data-kind={kind}]")
        nats = [f"{value:.0f}" for value in expected[f"{kind}_nats"]]
        assert grid.locator("small").all_inner_texts() == nats
        column = grid.locator("li").nth(8)
        original, decoded = column.locator("canvas").all()
        np.testing.assert_array_equal(pixels_of(original), expected[f"{kind}_originals"][7])
        np.testing.assert_array_equal(pixels_of(decoded), expected[f"{kind}_images"][7])
    grid.get_by_role("button").nth(7).click()
    wait_for_position(page, *space.means[expected["worst_indices"][7]].tolist())


@pytest.mark.guarantee("accessibility")
def test_dark_mode_follows_the_system_and_can_be_switched(open_page: OpenPage) -> None:
    ground = "() => getComputedStyle(document.querySelector('.map-frame')).backgroundColor"
    page, dark = open_page(), open_page(color_scheme="dark")
    light_ground, dark_ground = page.evaluate(ground), dark.evaluate(ground)
    assert light_ground != dark_ground
    page.get_by_label("Switch between light and dark").click()
    assert page.evaluate(ground) == dark_ground


@pytest.mark.guarantee("clients-isolated")
def test_two_clients_are_isolated(open_page: OpenPage, space: LatentSpace) -> None:
    first, second = open_page(), open_page()
    first.mouse.click(*map_point(first, 2, 2))
    second.locator("#jump-1").click()
    second.wait_for_function("() => latentSpace.state.z.x !== 0")
    assert math.dist(position(first), (2, 2)) < 0.02
    goal = go_to_class(space, 1)
    assert math.dist(position(second), (goal["x"], goal["y"])) < 0.002
    assert_painted(first, space)
    assert_painted(second, space)


@pytest.mark.guarantee("drag-paints-at-once")
def test_moving_the_cursor_sends_no_request(open_page: OpenPage, visit: Visits) -> None:
    """By drag, hover, slider, keys, buttons and along a path; at rest, images that are kept."""
    page = open_page(reduced_motion="no-preference")
    after_timers(page, 400)
    page.route(FILES, lambda route: route.fulfill(body=b"0" * 64 * 784))
    visit.requests.clear()
    page.mouse.move(*map_point(page, -2, -2))
    page.mouse.down()
    for i in range(60):
        page.mouse.move(*map_point(page, -2 + i / 15, -2 + i / 20))
        assert visit.requests == [], "during a drag"
    page.mouse.up()
    page.mouse.move(*map_point(page, 0.4, 0.6), steps=10)
    page.locator("#x-slider input[type=range]").focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    page.locator("#latent-map .map-top").focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    for name in ("#jump-3", "#random-sample", "#morph", "#animate"):
        page.locator(name).click()
    settle(page)
    after_timers(page, 500)
    asked = [request.url for request in visit.requests if "/images/" not in request.url]
    assert asked == []
    assert len(visit.requests) > 0, "the nearest images, once the cursor rested"


def test_every_way_to_move_agrees_everywhere(open_page: OpenPage) -> None:
    """Map, image, sliders, readout and address show one position, whatever moved it."""
    page = open_page(fresh=True, reduced_motion="no-preference")

    def agree(source: str) -> tuple[float, float]:
        z = position(page)  # compares image, readout and sliders
        x, y = map_point(page, *z)
        cursor = box_of(page.locator("#latent-map .map-cursor"))
        assert math.dist((cursor["x"], cursor["y"]), (x, y)) < 1, source
        page.wait_for_function("([x, y]) => location.hash.startsWith(`#x=${x}&y=${y}&`)", arg=z)
        return z

    page.mouse.move(*map_point(page, -1, -1))
    page.mouse.down()
    page.mouse.move(*map_point(page, 1, 0.5), steps=5)
    page.mouse.up()
    assert math.dist(agree("drag"), (1, 0.5)) < 0.02
    before = stored_position(page)
    page.mouse.move(*map_point(page, -2, 2), steps=3)
    assert agree("hover") == before, "hovering moves nothing"
    page.locator("#x-slider input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    assert agree("slider") != before
    page.locator("#y-slider input[type=number]").fill("-1.25")
    assert agree("number")[1] == -1.25
    page.locator("#latent-map .map-top").focus()
    page.keyboard.press("Shift+ArrowUp")
    assert agree("keys")[1] == -0.75
    page.locator("#jump-6").click()
    jumped = agree("button")
    open_tab(page, "Paths")
    page.locator("#experiment-morph").click()
    page.wait_for_function("() => latentSpace.state.travelling")
    expect(page.locator("#film-strip .frames button").last).to_have_attribute(
        "aria-current", "true"
    )
    travelled = agree("path")
    assert math.dist(travelled, jumped) > 0.1
    page.evaluate("() => { location.hash = '#x=2.5&y=-2'; }")
    page.wait_for_function("() => latentSpace.state.z.x === 2.5")
    assert agree("link") == (2.5, -2)
    page.go_back()
    page.wait_for_function("() => latentSpace.state.z.x !== 2.5")
    assert agree("Back") == travelled


def test_entries_that_are_no_numbers_move_nothing(open_page: OpenPage) -> None:
    page = open_page()
    number = page.locator("#x-slider input[type=number]")
    number.fill("1.5")
    number.fill("")
    number.press("Tab")
    assert position(page) == (1.5, 0)
    number.fill("99")
    assert position(page) == (map_range(), 0)


TABS = ("Explore", "Paths", "Directions", "Draw", "Training", "Lessons", "About")


@pytest.mark.guarantee("screen-sizes")
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 720)])
def test_the_whole_map_is_in_view_with_any_tab(
    open_page: OpenPage, width: int, height: int
) -> None:
    """The page does not scroll; the panel of the open tab does."""
    page = open_page(width, height)
    for tab in TABS:
        open_tab(page, tab)
        page.locator("#panels").evaluate("(panels) => panels.scrollTo(0, 1e6)")
        assert page.evaluate("() => document.documentElement.scrollHeight") <= height, tab
        frame = box_of(page.locator("#latent-map .map-frame"))
        assert frame["y"] >= 0
        assert frame["y"] + frame["height"] <= height, tab
        assert frame["width"] == pytest.approx(frame["height"], abs=1)
        assert frame["height"] >= height - 120, tab
        expect(page.locator("#digit")).to_be_in_viewport(ratio=1)


@pytest.mark.guarantee("screen-sizes")
def test_on_a_phone_the_map_stays_while_any_tab_scrolls(open_page: OpenPage) -> None:
    page = open_page(390, 844, has_touch=True, is_mobile=True)
    for tab in TABS:
        open_tab(page, tab)
        for share in (0, 0.5, 1):
            page.evaluate("(t) => scrollTo(0, t * document.documentElement.scrollHeight)", share)
            frame = box_of(page.locator("#latent-map .map-frame"))
            top, bottom = max(0, frame["y"]), min(844, frame["y"] + frame["height"])
            assert (bottom - top) * frame["width"] >= 0.2 * 390 * 844, (tab, share)
            expect(page.locator("#digit .image")).to_be_in_viewport(ratio=1)
        expect(page.get_by_role("tab", name=tab, exact=True)).to_be_in_viewport(ratio=0.9)


def test_switching_a_layer_moves_nothing(open_page: OpenPage) -> None:
    page = open_page()
    boxes = boxes_of(page.locator(".layers button"))
    for button in page.locator(".layers button").all():
        button.click()
        assert boxes_of(page.locator(".layers button")) == boxes


@pytest.mark.parametrize(("x", "y"), [(0.218, 0.157), (4, 4)])
def test_blur_is_explained_by_the_mean_of_the_nearest(
    open_page: OpenPage, space: LatentSpace, x: float, y: float
) -> None:
    page = open_page()
    move_to(page, x, y)
    page.locator("#why-blurred summary").click()
    explanation = page.locator("#why-blurred .explanation")
    away = (space.means - torch.tensor([x, y])).norm(dim=1)
    nearest = away.argsort()[:24][away.sort().values[:24] <= RADIUS]
    overlaid = page.locator("#why-blurred .overlaid canvas")
    if len(nearest) == 0:  # no black square: the nearest, and how far away it is
        expect(explanation).to_contain_text("the decoder extrapolates")
        distance = f"{float(away.min()):.2f} away"
        expect(explanation).to_contain_text(f"The nearest test digit is {distance}.")
        expect(page.locator("#why-blurred .count")).to_have_text(f"Nearest, {distance}")
        for canvas, index in zip(overlaid.all(), away.argsort()[:12], strict=True):
            np.testing.assert_array_equal(pixels_of(canvas), space.images[index])
        shown = pixels_of(page.locator("#why-blurred .mean"))
        np.testing.assert_array_equal(shown, space.images[away.argmin()])
        return
    expect(overlaid).to_have_count(len(nearest))
    expect(explanation).to_contain_text("The 24 nearest test digits")
    mean = space.images[nearest].double().mean(0).numpy()
    assert np.abs(pixels_of(page.locator("#why-blurred .mean")) - mean).max() <= 0.51
    assert_same_image(page.locator("#why-blurred .there"), page)
    page.keyboard.press("Escape")
    expect(explanation).to_be_hidden()
