"""Ways and directions on the page, in a real Chromium, used as a person uses them."""

import io
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, expect

from latent_navigator.explorer.directions import attribute_directions, nudge_attribute
from latent_navigator.explorer.interpolation import compare_paths, methods
from latent_navigator.geometry.attributes import ATTRIBUTES
from tests.browser.test_page import PIXELS, assert_painted, map_point, position, settle

pytestmark = pytest.mark.browser

QUEUE = re.compile("/queue/join")  # where the page asks for ways


def compare(page: Page) -> None:
    page.locator("#compare").click()
    page.locator("#film-strip .comparison").wait_for()
    expect(page.locator("body")).not_to_have_class(re.compile("finding-paths"))


def drawn(page: Page) -> list[dict]:
    return page.evaluate("() => latentSpace.paths")


def pairs(points: list[dict]) -> list[list[float]]:
    return [[p["x"], p["y"]] for p in points]


def choose(page: Page, which: str, option: str) -> None:
    page.locator(f"#path-{which} input").click()
    page.get_by_role("option", name=option, exact=True).click()


@pytest.mark.guarantee("tabs-work")
def test_paths_are_compared_in_strips_table_plot_and_on_the_map(open_page, space):
    page = open_page()
    expect(page.locator("#film-strip .empty")).to_be_visible()
    compare(page)
    expect(page.locator("#film-strip .empty")).to_be_hidden()
    compared = compare_paths(space, 5, 7, list(methods()), 12, False, "typical")
    rows = page.locator("#film-strip .row")
    expect(rows).to_have_count(4)
    lines = page.locator("#film-strip tbody tr")
    expect(lines).to_have_count(4)
    expect(page.locator("#film-strip figure path[stroke]")).to_have_count(4)
    for i, (row, path) in enumerate(zip(compared["rows"], drawn(page), strict=True)):
        assert path["method"] == row["method"]
        np.testing.assert_allclose(pairs(path["points"]), row["points"], atol=1e-3)
        np.testing.assert_allclose(pairs(path["curve"]), row["curve"], atol=1e-3)
        expect(rows.nth(i).locator("b")).to_have_text(f"5 → 7, {row['title']}")
        told = lines.nth(i).inner_text()
        for part in (
            row["title"],
            f"{row['length']:.1f}",
            f"{row['largest_step']:.2f}",
            str(row["support"]),
            " → ".join(row["passes"]),
        ):
            assert part in told, (part, told)
    # The strips lie above each other: the same number of pictures, in the same columns.
    lefts = [
        [frame.bounding_box()["x"] for frame in row.locator(".frames button").all()]
        for row in rows.all()
    ]
    assert len(lefts[0]) == 12 and all(left == lefts[0] for left in lefts)
    # The pictures are those of the decoder, and a click on one goes there.
    frame = rows.nth(2).locator(".frames button").nth(5)
    pixels = frame.locator("canvas").evaluate(
        """(canvas) => { const d = canvas.getContext('2d').getImageData(0, 0, 28, 28).data;
             return Array.from({ length: 784 }, (_, i) => d[4 * i]); }"""
    )
    expected = space.decode_images(torch.tensor(compared["rows"][2]["points"]))[5]
    np.testing.assert_array_equal(np.array(pixels).reshape(28, 28), expected)
    frame.click()
    assert math.dist(position(page), compared["rows"][2]["points"][5]) < 0.002
    expect(frame).to_have_attribute("aria-current", "true")


@pytest.mark.guarantee("accessibility")
def test_paths_are_distinguishable_without_colour(open_page):
    page = open_page()
    compare(page)
    dashes = page.locator("#film-strip figure path[stroke]").evaluate_all(
        "(all) => all.map((path) => path.getAttribute('stroke-dasharray'))"
    )
    assert len(set(dashes)) == 4
    assert len({path["label"] for path in drawn(page)}) == 4


def test_even_steps_change_the_image_evenly(open_page, space):
    page = open_page()
    compare(page)
    largest = page.locator("#film-strip tbody tr").first.locator("td").nth(1)
    before = float(largest.inner_text())
    page.locator("#even input").check()
    after = compare_paths(space, 5, 7, list(methods()), 12, True, "typical")["rows"][0][
        "largest_step"
    ]
    assert after < 0.8 * before
    expect(largest).to_have_text(f"{after:.2f}")


def test_only_the_chosen_methods_and_as_many_images(open_page):
    page = open_page()
    for name in ("linear", "density-weighted geodesic"):
        page.locator("#methods").get_by_label(f"({name})").uncheck()
    page.locator("#steps input[type=number]").fill("7")
    page.locator("#steps input[type=number]").press("Tab")
    compare(page)
    assert [path["method"] for path in drawn(page)] == ["spherical", "geodesic"]
    assert [len(path["points"]) for path in drawn(page)] == [7, 7]
    for name in ("slerp", "geodesic"):
        page.locator("#methods").get_by_label(f"({name})", exact=False).first.uncheck()
    page.locator("#compare").click()
    expect(page.get_by_text("no path is chosen; tick at least one")).to_be_visible()
    expect(page.locator("body")).not_to_have_class(re.compile("finding-paths"))


def test_from_the_cursor_to_a_digit(open_page, space):
    page = open_page()
    page.mouse.click(*map_point(page, -1.5, -1.5))
    here = position(page)
    choose(page, "from", "the cursor")
    compare(page)
    path = pairs(drawn(page)[0]["points"])
    assert path[0] == pytest.approx(here, abs=1e-6)
    assert path[-1] == pytest.approx(space.anchor(7).tolist(), abs=1e-6)


def test_two_points_picked_on_the_map(open_page):
    page = open_page()
    before = position(page)
    page.locator("#pick").click()
    expect(page.locator(".map-ask")).to_contain_text("starts (A)")
    page.mouse.click(*map_point(page, -2.0, 1.0))
    expect(page.locator(".map-ask")).to_contain_text("ends (B)")
    page.mouse.click(*map_point(page, 1.0, 2.0))
    expect(page.locator(".map-ask")).to_be_hidden()
    page.locator("#film-strip .comparison").wait_for()
    for path in drawn(page):
        assert math.dist(pairs(path["points"])[0], (-2, 1)) < 0.02
        assert math.dist(pairs(path["points"])[-1], (1, 2)) < 0.02
    assert position(page) == before, "picking does not move the cursor"
    expect(page.locator("#path-from input")).to_have_value("A on the map")
    # The link holds both places.
    page.wait_for_function("() => location.hash.includes('from=A')")
    link = page.evaluate("() => latentSpace.link()")
    page.goto("about:blank")
    page.goto(link)
    page.wait_for_selector("#latent-map [data-ready=true]")
    expect(page.locator("#path-to input")).to_have_value("B on the map")
    compare(page)
    assert math.dist(pairs(drawn(page)[0]["points"])[0], (-2, 1)) < 0.02


def test_picking_can_be_cancelled_and_done_by_keys(open_page):
    page = open_page()
    page.locator("#pick").click()
    page.mouse.click(*map_point(page, 1, 1))
    page.keyboard.press("Escape")
    expect(page.locator(".map-ask")).to_be_hidden()
    page.wait_for_timeout(300)
    assert drawn(page) == []
    page.mouse.click(*map_point(page, -1, -1))
    assert math.dist(position(page), (-1, -1)) < 0.02, "the next click moves the cursor again"

    page.locator("#pick").click()
    page.locator("#latent-map .map-top").focus()
    page.keyboard.press("Enter")
    for _ in range(4):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    page.locator("#film-strip .comparison").wait_for()
    path = pairs(drawn(page)[0]["points"])
    assert math.dist(path[0], (-1, -1)) < 0.02 and math.dist(path[-1], (1, -1)) < 0.02


@pytest.mark.guarantee("clients-isolated")
def test_a_failing_server_does_not_leave_the_page_waiting(browser, served):
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(served)
    page.wait_for_selector("#latent-map [data-ready=true]")
    page.wait_for_selector("#digit [data-state=shown]")
    asked = []

    def refuse(route):
        asked.append(route.request.url)
        route.abort()

    page.route(QUEUE, refuse)
    page.locator("#compare").click()
    expect(page.locator("body")).to_have_class(re.compile("finding-paths"))
    expect(page.locator("body")).not_to_have_class(re.compile("finding-paths"))
    assert asked and page.locator("#film-strip .comparison").count() == 0
    page.unroute(QUEUE)
    compare(page)
    page.close()


@pytest.mark.parametrize("kind", ["png", "gif", "webp", "json"])
def test_a_row_is_saved_as_a_file(open_page, kind):
    page = open_page()
    compare(page)
    row = page.locator("#film-strip .row").nth(2)
    row.locator("summary").click()
    with page.expect_download() as caught:
        row.locator(f"[data-kind={kind}]").click()
    assert caught.value.suggested_filename == f"latent-path.{kind}"
    data = Path(caught.value.path()).read_bytes()
    if kind == "json":
        answer = json.loads(data)
        points = pairs(drawn(page)[2]["points"])
        np.testing.assert_allclose(answer["positions"], points, atol=1e-6)
        assert answer["method"] == "5 → 7, shortest in image space"
    else:
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.format == kind.upper()
            assert getattr(picture, "is_animated", False) == (kind != "png")
    expect(row.locator("summary")).to_have_text("Save")


def test_play_moves_along_the_path(open_page):
    page = open_page()
    compare(page)
    page.locator("#film-strip .row").nth(1).locator(".play").click()
    page.wait_for_function("() => latentSpace.travelling")
    last = page.locator("#film-strip .row").nth(1).locator(".frames button").last
    expect(last).to_have_attribute("aria-current", "true", timeout=15_000)


def test_the_layer_of_sensitivity(open_page):
    page = open_page()
    legend = page.locator("#latent-map .map-legend")
    expect(legend).to_be_hidden()
    inked = """() => {
      const canvas = document.querySelector('#latent-map .map-base');
      const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
      let n = 0; for (let i = 3; i < data.length; i += 4) n += data[i] > 0; return n; }"""
    before = page.evaluate(inked)
    page.locator("#latent-map .more summary").click()
    page.get_by_role("button", name="Sensitivity").click()
    expect(legend).to_contain_text("‖J‖: 0 to")
    page.wait_for_timeout(200)
    assert page.evaluate(inked) > 2 * before
    assert "sensitivity" in page.evaluate("() => latentSpace.link()")
    page.get_by_role("button", name="Sensitivity").click()
    expect(legend).to_be_hidden()


def open_directions(page: Page) -> None:
    page.get_by_role("tab", name="Directions").click()
    page.wait_for_selector("#directions [data-state=shown]")


def test_directions_describe_the_position_of_the_cursor(open_page, space):
    page = open_page()
    page.locator("#jump-3").click()
    settle(page)
    open_directions(page)
    x, y = position(page)
    answer = attribute_directions(space, x, y)
    for name in ATTRIBUTES:
        value = page.locator(f"#directions [data-name={name}] .value")
        expect(value).to_have_text(answer["attributes"][name]["message"])
    expect(page.locator("#directions .sensitivity")).to_have_text(answer["message"])
    page.mouse.click(*map_point(page, 1.2, 0.2))
    x, y = position(page)
    moved = attribute_directions(space, x, y)["attributes"]["slant"]["message"]
    expect(page.locator("#directions [data-name=slant] .value")).to_have_text(moved)


@pytest.mark.guarantee("tabs-work")
@pytest.mark.parametrize("name", ["ink", "slant"])
def test_nudges_change_one_attribute_step_by_step(open_page, space, name):
    page = open_page()
    page.locator("#jump-7").click()
    settle(page)
    open_directions(page)
    values = []
    told = page.locator("#directions .message")
    for _ in range(4):
        values.append(attribute_directions(space, *position(page))["attributes"][name]["value"])
        before = told.inner_text()
        page.locator(f"#directions [data-name={name}] .more").click()
        expect(told).not_to_have_text(before)
        page.wait_for_function("() => !latentSpace.travelling")
        page.wait_for_selector("#directions [data-state=shown]")
    assert values == sorted(values) and values[-1] > values[0] * 1.01
    assert "Still among the 7s" in told.inner_text()
    assert_painted(page, space)
    live = page.locator("#directions .live").evaluate(
        """(canvas) => { const d = canvas.getContext('2d').getImageData(0, 0, 28, 28).data;
             return Array.from({ length: 784 }, (_, i) => d[4 * i]); }"""
    )
    gap = np.abs(np.array(live) - np.array(page.evaluate(PIXELS)))
    assert gap.mean() < 2, "the small digit is not the one on the first screen"


def test_a_second_press_continues_from_the_end_of_the_first(open_page, space):
    page = open_page()
    page.locator("#jump-7").click()
    settle(page)
    open_directions(page)
    goal = position(page)
    for _ in range(2):
        goal = nudge_attribute(space, *goal, "ink", 1)["path"][-1]
        goal = [round(v, 3) for v in goal]
    # In the page itself, so that the second press comes in time whatever the machine does.
    page.evaluate(
        """() => new Promise((done) => {
          const bolder = document.querySelector("#directions [data-name=ink] .more");
          bolder.click();
          latentSpace.subscribe(() => {
            if (!latentSpace.travelling || done.pressed) return;
            done.pressed = true;
            bolder.click();
            done();
          });
        })"""
    )
    page.wait_for_function(
        "([x, y]) => Math.hypot(latentSpace.z.x - x, latentSpace.z.y - y) < 0.003", arg=goal
    )
    assert math.dist(position(page), goal) < 0.003


def test_a_nudge_says_when_it_has_to_stop(open_page):
    page = open_page()
    page.locator("#jump-4").click()
    settle(page)
    open_directions(page)
    told = page.locator("#directions .message")
    for _ in range(40):
        before = told.inner_text()
        page.locator("#directions [data-name=height] .more").click()
        expect(told).not_to_have_text(before)
        page.wait_for_function("() => !latentSpace.travelling")
        if "No further" in told.inner_text():
            break
    expect(told).to_contain_text("No further")
    expect(told).to_have_attribute("data-stopped", "barred")


def test_arrows_point_toward_the_classes(open_page, space):
    page = open_page()
    page.mouse.click(*map_point(page, 1, 1))
    open_directions(page)
    start, goal = position(page), space.anchor(1).tolist()
    chip = page.locator("#directions .toward button").nth(1)
    expect(chip.locator("span")).to_have_text(f"{math.dist(start, goal):.2f}")
    chip.click()
    page.wait_for_function("() => !latentSpace.travelling")
    assert math.dist(position(page), goal) == pytest.approx(math.dist(start, goal) - 0.25, abs=0.01)
    for _ in range(20):
        chip.click()
        page.wait_for_function("() => !latentSpace.travelling")
    assert math.dist(position(page), goal) < 0.002
    expect(chip.locator("span")).to_have_text("0.00")
    # The other anchor is another place.
    page.locator("#anchor").get_by_label("mean position").check()
    page.mouse.click(*map_point(page, 1, 1))
    centroid = space.anchor(1, "centroid").tolist()
    expect(chip.locator("span")).to_have_text(f"{math.dist(position(page), centroid):.2f}")


@pytest.mark.parametrize("width", [390, 768])
def test_paths_and_directions_fit_a_small_screen(open_page, width):
    page = open_page(width, 844, has_touch=True)
    compare(page)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    page.get_by_role("tab", name="Directions").click()
    page.wait_for_selector("#directions [data-state=shown]")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    for button in page.locator("#directions button").all():
        box = button.bounding_box()
        assert box["width"] >= 44 and box["height"] >= 36
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
