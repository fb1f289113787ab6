"""Paths between two positions: compared, picked on the map, played and saved."""

import io
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, Route, expect

from latent_navigator.explorer.interpolation import compare_paths, methods
from latent_navigator.explorer.latent_space import LatentSpace
from tests.browser.helpers import (
    QUEUE,
    READY,
    OpenPage,
    Visits,
    assert_fits,
    box_of,
    compare,
    drawn,
    map_point,
    pairs,
    pixels_of,
    position,
)

pytestmark = pytest.mark.browser

FINDING = re.compile("finding-paths")


def choose(page: Page, which: str, option: str) -> None:
    """Choose where the paths start ("from") or end ("to")."""
    page.locator(f"#path-{which} input").click()
    page.get_by_role("option", name=option, exact=True).click()


@pytest.mark.guarantee("tabs-work")
def test_comparison_fills_strips_table_plot_and_map(
    open_page: OpenPage, space: LatentSpace
) -> None:
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
        line = lines.nth(i).inner_text()
        for part in (
            row["title"],
            f"{row['length']:.1f}",
            f"{row['largest_step']:.2f}",
            str(row["support"]),
            " → ".join(row["passes"]),
        ):
            assert part in line, (part, line)
    # The strips are aligned: the same number of images, in the same columns.
    lefts = [
        [box_of(frame)["x"] for frame in row.locator(".frames button").all()] for row in rows.all()
    ]
    assert len(lefts[0]) == 12
    assert all(left == lefts[0] for left in lefts)
    # The images are the decoder's, and a click on one goes there.
    frame = rows.nth(2).locator(".frames button").nth(5)
    points = compared["rows"][2]["points"]
    expected = space.decode_images(torch.tensor(points))[5]
    np.testing.assert_array_equal(pixels_of(frame.locator("canvas")), expected)
    frame.click()
    assert math.dist(position(page), points[5]) < 0.002
    expect(frame).to_have_attribute("aria-current", "true")


@pytest.mark.guarantee("accessibility")
def test_paths_are_distinguishable_without_colour(open_page: OpenPage) -> None:
    page = open_page()
    compare(page)
    dashes = page.locator("#film-strip figure path[stroke]").evaluate_all(
        "(all) => all.map((path) => path.getAttribute('stroke-dasharray'))"
    )
    assert len(set(dashes)) == 4
    assert len({path["label"] for path in drawn(page)}) == 4


def test_even_steps_change_the_image_evenly(open_page: OpenPage, space: LatentSpace) -> None:
    page = open_page()
    compare(page)
    largest = page.locator("#film-strip tbody tr").first.locator("td").nth(1)
    before = float(largest.inner_text())
    page.locator("#even input").check()
    rows = compare_paths(space, 5, 7, list(methods()), 12, True, "typical")["rows"]
    after = rows[0]["largest_step"]
    assert after < 0.8 * before
    expect(largest).to_have_text(f"{after:.2f}")


def test_only_selected_methods_with_the_selected_number_of_images(open_page: OpenPage) -> None:
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
    expect(page.locator("body")).not_to_have_class(FINDING)


def test_path_from_the_cursor_to_a_digit(open_page: OpenPage, space: LatentSpace) -> None:
    page = open_page()
    page.mouse.click(*map_point(page, -1.5, -1.5))
    start = position(page)
    choose(page, "from", "the cursor")
    compare(page)
    path = pairs(drawn(page)[0]["points"])
    assert path[0] == pytest.approx(start, abs=1e-6)
    assert path[-1] == pytest.approx(space.anchor(7).tolist(), abs=1e-6)


def test_ends_are_picked_on_the_map_and_kept_in_the_link(
    open_page: OpenPage, visit: Visits
) -> None:
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
    page.wait_for_function("() => location.hash.includes('from=A')")
    other = visit(page.evaluate("() => latentSpace.link()"), ready=READY[:1])
    expect(other.locator("#path-to input")).to_have_value("B on the map")
    compare(other)
    assert math.dist(pairs(drawn(other)[0]["points"])[0], (-2, 1)) < 0.02


def test_picking_can_be_cancelled_and_done_by_keys(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#pick").click()
    page.mouse.click(*map_point(page, 1, 1))
    page.keyboard.press("Escape")
    expect(page.locator(".map-ask")).to_be_hidden()
    expect(page.locator("#path-from input")).to_have_value("5")
    page.mouse.click(*map_point(page, -1, -1))
    assert math.dist(position(page), (-1, -1)) < 0.02, "a click moves the cursor again"
    assert drawn(page) == []

    page.locator("#pick").click()
    page.locator("#latent-map .map-top").focus()
    page.keyboard.press("Enter")
    for _ in range(4):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    page.locator("#film-strip .comparison").wait_for()
    path = pairs(drawn(page)[0]["points"])
    assert math.dist(path[0], (-1, -1)) < 0.02
    assert math.dist(path[-1], (1, -1)) < 0.02


@pytest.mark.guarantee("clients-isolated")
def test_failing_server_does_not_leave_the_page_waiting(open_page: OpenPage, visit: Visits) -> None:
    page = open_page()
    rejected = []

    def reject(route: Route) -> None:
        rejected.append(route.request.url)
        route.abort()

    page.route(QUEUE, reject)
    page.locator("#compare").click()
    expect(page.locator("body")).to_have_class(FINDING)
    expect(page.locator("body")).not_to_have_class(FINDING)
    assert rejected
    assert page.locator("#film-strip .comparison").count() == 0
    page.unroute(QUEUE)
    compare(page)
    visit.errors.clear()  # the browser and Gradio report the rejected request


def test_rows_are_saved_as_files(open_page: OpenPage) -> None:
    page = open_page()
    compare(page)
    row = page.locator("#film-strip .row").nth(2)
    for kind in ("png", "gif", "webp", "json"):
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
            with Image.open(io.BytesIO(data)) as image:
                assert image.format == kind.upper()
                assert getattr(image, "is_animated", False) == (kind != "png")
        expect(row.locator("summary")).to_have_text("Save")


def test_play_moves_along_the_path(open_page: OpenPage) -> None:
    page = open_page()
    compare(page)
    page.locator("#film-strip .row").nth(1).locator(".play").click()
    page.wait_for_function("() => latentSpace.travelling")
    last = page.locator("#film-strip .row").nth(1).locator(".frames button").last
    expect(last).to_have_attribute("aria-current", "true", timeout=15_000)


def test_paths_and_directions_fit_a_small_screen(open_page: OpenPage) -> None:
    page = open_page(390, 844, has_touch=True)
    compare(page)
    for width in (390, 768):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_function("(width) => window.innerWidth === width", arg=width)
        page.get_by_role("tab", name="Paths").click()
        assert_fits(page, width)
        page.get_by_role("tab", name="Directions").click()
        page.wait_for_selector("#directions [data-state=shown]")
        assert_fits(page, width)
        for button in page.locator("#directions button").all():
            box = box_of(button)
            assert box["width"] >= 44
            assert box["height"] >= 36
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
