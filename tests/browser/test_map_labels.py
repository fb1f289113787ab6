"""What stands on the map: labels, the note of an open image, the zoom to it, what makes way."""

import itertools
import math
import time
from collections.abc import Sequence

import numpy as np
import pytest
from playwright.sync_api import FloatRect, Page, expect

from latent_navigator.explorer.latent_space import LatentSpace
from tests.browser.helpers import (
    OpenPage,
    after_timers,
    box_of,
    boxes_of,
    compare,
    move_to,
    position,
    reading,
    settle,
    stored_position,
    view_of,
    view_point,
    wait_for_position,
    zoom,
    zoom_in,
)

pytestmark = pytest.mark.browser

AT_REST = 250  # ms, after which the labels stand around the cursor
LABELS = """() => { const labels = [...document.querySelectorAll(".map-labels span")];
  return Object.fromEntries(labels.map((label) => {
    const { x, y, width, height } = label.getBoundingClientRect();
    return [label.dataset.label, { x, y, width, height }]; })); }"""
ZOOMED = "() => latentSpace.state.view.zoom > 1.5"


def labels(page: Page) -> dict[str, FloatRect]:
    """The boxes of the labels once the cursor rests, by their keys."""
    after_timers(page, AT_REST)
    return dict(page.evaluate(LABELS))


def overlap(a: FloatRect, b: FloatRect) -> bool:
    """Whether two boxes overlap."""
    return (
        a["x"] < b["x"] + b["width"]
        and b["x"] < a["x"] + a["width"]
        and a["y"] < b["y"] + b["height"]
        and b["y"] < a["y"] + a["height"]
    )


def cursor_box(page: Page) -> FloatRect:
    """The box of the cursor's ring."""
    x, y = view_point(page, *stored_position(page))
    return {"x": x - 11, "y": y - 11, "width": 22, "height": 22}


def assert_apart(page: Page) -> dict[str, FloatRect]:
    """No label covers another or the cursor, and all are on the map; returns the labels."""
    boxes = labels(page)
    frame = box_of(page.locator("#latent-map .map-frame"))
    for (one, a), (other, b) in itertools.combinations(
        [*boxes.items(), ("cursor", cursor_box(page))], 2
    ):
        assert not overlap(a, b), (one, other)
    for name, box in boxes.items():
        assert frame["x"] <= box["x"] <= frame["x"] + frame["width"] - box["width"], name
        assert frame["y"] <= box["y"] <= frame["y"] + frame["height"] - box["height"], name
    return boxes


def middle(box: FloatRect) -> tuple[float, float]:
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def show_view(page: Page, z: Sequence[float], half: float) -> None:
    """Show the part of the map around a position."""
    page.evaluate(
        """([x, y, half]) => { latentSpace.state.view.show({ x, y }, half);
          latentSpace.state.viewChanged(); }""",
        [*z, half],
    )


# --- labels ---


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_no_label_covers_another_or_the_cursor(
    open_page: OpenPage, space: LatentSpace, width: int, height: int
) -> None:
    page = open_page(width, height)
    page.evaluate(
        """() => { const { state } = latentSpace;
          Object.assign(state.marks, { A: { x: -1.5, y: 1 }, B: { x: 1.6, y: -1.2 } });
          state.setValue("from", "A"); state.setValue("to", "B");
          state.setValue("methods", ["linear", "spherical", "geodesic", "data"]); }"""
    )
    compare(page)
    page.evaluate("() => window.scrollTo(0, 0)")
    anchors = space.anchors["typical"].tolist()
    for x, y in (anchors[3], anchors[8], (-1.5, 1.0)):
        move_to(page, x, y)
        shown = assert_apart(page)
    kinds = {key.split()[0] for key in shown}
    assert {"class", "path", "mark", "ring"} <= kinds
    for half in (2.0, 1.0, 0.3):
        show_view(page, anchors[3], half)
        move_to(page, *anchors[3])
        assert_apart(page)


def test_labels_stand_where_the_digit_buttons_go(open_page: OpenPage, space: LatentSpace) -> None:
    page = open_page()
    for anchor, name in (("typical", "most typical"), ("centroid", "mean position")):
        page.get_by_role("radio", name=name).check()
        show_view(page, space.anchors[anchor][5].tolist(), 0.8)
        move_to(page, *(space.anchors[anchor][5] + 0.5).tolist())
        at = middle(labels(page)["class 5"])
        assert math.dist(at, view_point(page, *space.anchors[anchor][5].tolist())) < 1
        other = space.anchors["centroid" if anchor == "typical" else "typical"][5].tolist()
        assert inked(page, *other), "the other position has a hollow mark"
    page.locator("[data-layer=labels]").click()
    after_timers(page, 0)
    assert not inked(page, *other)


def inked(page: Page, x: float, y: float) -> bool:
    """Whether something above the layers is drawn close to a position."""
    return bool(
        page.evaluate(
            """([x, y]) => { const canvas = document.querySelector('#latent-map .map-top');
              const { side } = latentSpace.state.view;
              const { px, py } = latentSpace.state.view.toPixels({ x, y });
              const ratio = canvas.width / side;
              const { data } = canvas.getContext('2d')
                .getImageData(px * ratio - 5, py * ratio - 5, 10, 10);
              return data.some((v, i) => i % 4 === 3 && v > 200); }""",
            [x, y],
        )
    )


def test_a_label_under_a_moving_cursor_fades_and_does_not_move(
    open_page: OpenPage, space: LatentSpace
) -> None:
    page = open_page()
    x, y = space.anchors["typical"][7].tolist()
    move_to(page, x - 1.5, y)
    before = labels(page)
    seven = page.locator("[data-label='class 7']")
    page.mouse.move(*view_point(page, x - 1.5, y))
    page.mouse.down()
    page.mouse.move(*view_point(page, x, y), steps=4)
    after_timers(page, AT_REST)
    assert page.evaluate(LABELS) == before, "a held cursor moves no label"
    assert float(seven.evaluate("(label) => getComputedStyle(label).opacity")) < 0.5
    page.mouse.up()
    assert_apart(page)
    assert seven.evaluate("(label) => getComputedStyle(label).opacity") == "1"
    moved = {name for name, box in labels(page).items() if box != before.get(name)}
    assert moved == {"class 7"}


def test_labels_of_picked_points_stand_at_the_ends_of_their_paths(open_page: OpenPage) -> None:
    page = open_page()
    ends = {"A": (-1.5, 1.0), "B": (1.6, -1.2)}
    page.evaluate(
        """({ A: [ax, ay], B: [bx, by] }) => { const { state } = latentSpace;
          Object.assign(state.marks, { A: { x: ax, y: ay }, B: { x: bx, y: by } });
          state.setValue("from", "A"); state.setValue("to", "B"); }""",
        ends,
    )
    compare(page)
    curve = page.evaluate("() => latentSpace.state.paths[0].curve")
    boxes = labels(page)
    for name, end in (("A", curve[0]), ("B", curve[-1])):
        assert math.dist((end["x"], end["y"]), ends[name]) < 0.01
        assert math.dist(middle(boxes[f"mark {name}"]), view_point(page, *ends[name])) < 1


# --- the open image ---


def click_on_point(page: Page, space: LatentSpace, index: int = 1234) -> tuple[float, float]:
    """Click on the point of a test image; where the view shows it then."""
    x, y = space.means[index].tolist()
    page.mouse.click(*view_point(page, x, y))
    expect(page.locator(".map-note")).to_be_visible()
    return x, y


def wait_for_view(page: Page) -> None:
    """Wait until a zoom that has begun, which draws in each frame, has ended."""
    page.evaluate(
        """() => new Promise((done) => { let last = 0; let still = 0;
          const look = () => { const { half } = latentSpace.state.view;
            still = half === last ? still + 1 : 0;
            last = half;
            if (still > 4) done(); else requestAnimationFrame(look); };
          look(); })"""
    )


def test_a_click_on_a_point_zooms_to_its_posterior_once(
    open_page: OpenPage, space: LatentSpace
) -> None:
    page = open_page(reduced_motion="no-preference")
    click_on_point(page, space)
    page.wait_for_function(ZOOMED)
    wait_for_view(page)
    read, view = reading(page), view_of(page)
    radius = 2 * max(read["sigma"]) * view["side"] / (2 * view["half"])
    assert radius == pytest.approx(40, abs=1)
    assert abs(read["mu"][0] - view["x"]) < view["half"]
    page.keyboard.press("Escape")
    wait_for_view(page)
    assert zoom(page) == 1
    page.evaluate("() => latentSpace.openImage(1234)")
    expect(page.locator(".map-note")).to_be_visible()
    after_timers(page, 500)
    assert zoom(page) == 1, "the same image is not zoomed to again"
    move_to(page, *read["mu"])
    expect(page.locator(".map-cursor")).to_have_attribute("data-faint", "")
    move_to(page, read["mu"][0] + 1, read["mu"][1])
    expect(page.locator(".map-cursor")).not_to_have_attribute("data-faint", "")


def test_no_zoom_where_the_posterior_is_seen(open_page: OpenPage, space: LatentSpace) -> None:
    page = open_page()
    x, y = space.means[1234].tolist()
    show_view(page, (x, y), 0.5)
    before = view_of(page)
    click_on_point(page, space)
    after_timers(page, 500)
    assert view_of(page) == before
    page.keyboard.press("Escape")
    after_timers(page, 500)
    assert view_of(page) == before


def test_the_zoom_is_at_once_with_reduced_motion(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate(
        """() => { window.halves = new Set();
          latentSpace.state.subscribe("view", () => halves.add(latentSpace.state.view.half)); }"""
    )
    page.evaluate("() => latentSpace.openImage(1234)")
    page.wait_for_function(ZOOMED)
    assert page.evaluate("() => halves.size") == 1


def test_a_zoom_of_the_user_has_the_last_word(open_page: OpenPage, space: LatentSpace) -> None:
    page = open_page(reduced_motion="no-preference")
    click_on_point(page, space)
    wait_for_view(page)
    page.locator("#latent-map .map-top").focus()
    page.keyboard.press("+")
    before = view_of(page)
    page.keyboard.press("Escape")
    after_timers(page, 500)
    assert view_of(page) == before
    expect(page.locator(".map-note")).to_be_hidden()


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_the_note_of_a_point_says_what_it_is(
    open_page: OpenPage, space: LatentSpace, width: int, height: int
) -> None:
    touch = {"has_touch": True, "is_mobile": True} if width < 500 else {}
    page = open_page(width, height, **touch)
    note, frame = page.locator(".map-note"), page.locator("#latent-map .map-frame")
    expect(note).to_be_hidden()
    for index in (1234, 77):
        page.keyboard.press("Escape")
        wait_for_view(page)
        x, y = click_on_point(page, space, index)
        wait_for_view(page)
        expect(note).to_contain_text(f"Test digit {index}, labelled {int(space.labels[index])}")
        assert_beside(page, x, y)
    show_view(page, (x + 0.2, y - 0.1), 0.6)
    after_timers(page, 0)
    assert_beside(page, x, y)
    show_view(page, (x + 2, y), 0.6)
    expect(note).to_be_hidden()
    show_view(page, (x, y), 0.6)
    expect(note).to_be_visible()
    if touch:
        for button in note.get_by_role("button").all():
            box = box_of(button)
            assert min(box["width"], box["height"]) >= 44
    note.get_by_role("button", name="Close").click()
    expect(note).to_be_hidden()
    expect(frame.locator(".map-top")).to_be_focused()
    after_timers(page, 500)
    assert page.evaluate("() => latentSpace.state.reading") is None
    assert "reading" not in labels(page), "the map still names the image"


def assert_beside(page: Page, x: float, y: float) -> None:
    """The note lies on the map and covers neither the point nor the cursor."""
    box, frame = box_of(page.locator(".map-note")), box_of(page.locator("#latent-map .map-frame"))
    px, py = view_point(page, x, y)
    point: FloatRect = {"x": px - 2, "y": py - 2, "width": 4, "height": 4}
    assert not overlap(box, point)
    assert not overlap(box, cursor_box(page))
    assert frame["x"] <= box["x"] <= frame["x"] + frame["width"] - box["width"]
    assert frame["y"] <= box["y"] <= frame["y"] + frame["height"] - box["height"]


def test_the_note_leads_to_the_reconstruction(open_page: OpenPage, space: LatentSpace) -> None:
    page = open_page()
    click_on_point(page, space)
    page.get_by_role("button", name="See the reconstruction").click()
    expect(page.get_by_role("tab", name="Draw")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".draw .title")).to_contain_text("Test digit 1234")
    expect(page.locator(".map-note")).to_be_hidden()
    assert "reading" in labels(page), "the map still names the image"


# --- double click ---


def test_a_double_click_moves_nothing_but_the_view(open_page: OpenPage, space: LatentSpace) -> None:
    page = open_page()
    move_to(page, -1.2, 0.4)
    x, y = space.means[1234].tolist()
    zoom_in(page, x, y)
    page.mouse.dblclick(*view_point(page, x, y))
    after_timers(page, 600)
    assert zoom(page) == 1
    assert position(page) == (-1.2, 0.4)
    expect(page.locator(".map-note")).to_be_hidden()
    assert page.evaluate("() => latentSpace.state.reading") is None


def test_a_double_tap_moves_nothing_but_the_view(open_page: OpenPage) -> None:
    page = open_page(390, 844, has_touch=True, is_mobile=True)
    move_to(page, -1.2, 0.4)
    show_view(page, (0, 0), 1)
    x, y = view_point(page, 0.5, 0.5)
    session = page.context.new_cdp_session(page)

    def tap(at: float) -> None:
        """Tap at a moment in seconds, however late the browser is told of it."""
        for kind, touched in (("touchStart", [{"x": x, "y": y}]), ("touchEnd", [])):
            session.send(
                "Input.dispatchTouchEvent",
                {"type": kind, "touchPoints": touched, "timestamp": at},
            )

    started = time.time()
    tap(started)
    wait_for_position(page, 0.5, 0.5)
    tap(started + 0.1)
    page.wait_for_function("() => latentSpace.state.view.zoom === 1")
    wait_for_position(page, -1.2, 0.4)


# --- what lies over the map ---


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 720), (390, 844)])
def test_nothing_covers_the_cursor(open_page: OpenPage, width: int, height: int) -> None:
    page = open_page(width, height)
    menu = page.locator("#latent-map .more")
    menu.locator("summary").click()
    menu.get_by_role("button", name="Sensitivity").click()
    expect(page.locator(".map-legend")).to_contain_text("‖J‖")
    show_view(page, (0, 0), 1)
    covers = ".map-legend, .reset-view, .more div"
    if width < 1000:
        covers += ", #digit .view"
    frame = box_of(page.locator("#latent-map .map-frame"))
    for px, py in itertools.product(np.linspace(0.04, 0.96, 8), repeat=2):
        page.evaluate(
            """([px, py]) => { const { state } = latentSpace;
              const { view } = state;
              state.set(view.toLatent({ px: px * view.side, py: py * view.side })); }""",
            [px, py],
        )
        cursor: FloatRect = {
            "x": frame["x"] + px * frame["width"] - 11,
            "y": frame["y"] + py * frame["height"] - 11,
            "width": 22,
            "height": 22,
        }
        assert not any(overlap(box, cursor) for box in boxes_of(page.locator(covers))), (px, py)
    settle(page)
