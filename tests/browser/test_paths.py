"""Paths between two positions: compared, picked on the map, played and saved."""

import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from latent_navigator.explorer.interpolation import compare_paths, methods
from latent_navigator.explorer.latent_space import LatentSpace
from tests.browser.helpers import (
    READY,
    OpenPage,
    Visits,
    assert_fits,
    box_of,
    boxes_of,
    compare,
    drawn,
    fail_calls,
    hold_calls,
    map_point,
    open_tab,
    pairs,
    pixels_of,
    position,
    settle,
    unroute_calls,
    wait_for,
)

pytestmark = pytest.mark.browser


def strip(page: Page) -> Locator:
    return page.locator("#film-strip")


def message(page: Page) -> Locator:
    """What is wrong with the comparison, beside its button."""
    return page.locator("#paths .compare .failed")


@pytest.mark.guarantee("tabs-work")
def test_comparison_fills_strips_table_plot_and_map(
    open_page: OpenPage, space: LatentSpace
) -> None:
    page = open_page()
    open_tab(page, "Paths")
    expect(page.locator("#film-strip .example")).to_be_visible()
    compare(page)
    expect(page.locator("#film-strip .example")).to_be_hidden()
    compared = compare_paths(space, 5, 7, list(methods()), 12, False, "typical")
    rows = page.locator("#film-strip .row")
    expect(rows).to_have_count(4)
    lines = page.locator("#film-strip tbody tr")
    expect(lines).to_have_count(4)
    expect(page.locator("#film-strip figure path[stroke]")).to_have_count(4)
    smoothest = min(compared["rows"], key=lambda row: row["largest_step"])
    expect(page.locator("#film-strip .advice")).to_contain_text(f"Use “{smoothest['title']}”")
    expect(page.locator("#film-strip .advice")).to_be_in_viewport(ratio=1)
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
    expected = space.decode_images(torch.tensor(points))[5].astype(int)
    assert np.abs(pixels_of(frame.locator("canvas")) - expected).max() <= 1
    frame.click()
    assert math.dist(position(page), points[5]) < 0.002
    expect(frame).to_have_attribute("aria-current", "true")


@pytest.mark.guarantee("accessibility")
def test_paths_are_distinguishable_without_colour(open_page: OpenPage) -> None:
    page = open_page()
    open_tab(page, "Paths")
    compare(page)
    dashes = page.locator("#film-strip figure path[stroke]").evaluate_all(
        "(all) => all.map((path) => path.getAttribute('stroke-dasharray'))"
    )
    assert len(set(dashes)) == 4
    assert len({path["label"] for path in drawn(page)}) == 4


@pytest.mark.guarantee("accessibility")
def test_lines_follow_the_theme(open_page: OpenPage) -> None:
    page = open_page()
    open_tab(page, "Paths")
    compare(page)
    strokes = """() => [...document.querySelectorAll('#film-strip path[stroke]')]
        .map((path) => path.getAttribute('stroke'))"""
    light = page.evaluate(strokes)
    assert len(light) == 12, "a line in each heading, in the plot and in the table"
    page.get_by_label("Switch between light and dark").click()
    page.wait_for_function(
        f"(light) => ({strokes})().every((stroke, i) => stroke !== light[i])", arg=light
    )
    page.get_by_label("Switch between light and dark").click()
    page.wait_for_function(
        f"(light) => ({strokes})().every((stroke, i) => stroke === light[i])", arg=light
    )


def test_even_steps_change_the_image_evenly(
    open_page: OpenPage, visit: Visits, space: LatentSpace
) -> None:
    page = open_page()
    open_tab(page, "Paths")
    page.locator("#even").check()
    page.locator("#even").uncheck()
    assert visit.calls("compare") == [], "nothing to compare again"
    compare(page)
    largest = page.locator("#film-strip tbody tr").first.locator("td").nth(1)
    before = float(largest.inner_text())
    page.locator("#even").check()
    rows = compare_paths(space, 5, 7, list(methods()), 12, True, "typical")["rows"]
    after = rows[0]["largest_step"]
    assert after < 0.8 * before
    expect(largest).to_have_text(f"{after:.2f}")


def test_only_selected_methods_with_the_selected_number_of_images(open_page: OpenPage) -> None:
    page = open_page()
    open_tab(page, "Paths")
    for name in ("linear", "density-weighted geodesic"):
        page.locator("#methods").get_by_label(f"({name})").uncheck()
    page.locator("#steps").focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    expect(page.locator("output[for=steps]")).to_have_text("7")
    compare(page)
    assert [path["method"] for path in drawn(page)] == ["spherical", "geodesic"]
    assert [len(path["points"]) for path in drawn(page)] == [7, 7]
    for name in ("slerp", "geodesic"):
        page.locator("#methods").get_by_label(f"({name})", exact=False).first.uncheck()
    page.locator("#compare").click()
    expect(message(page)).to_have_text("no path is chosen; tick at least one")
    expect(strip(page)).to_have_attribute("aria-busy", "false")
    page.locator("#methods").get_by_label("(linear)").check()
    compare(page)
    expect(message(page)).to_have_text("")


def test_path_from_the_cursor_to_a_digit(open_page: OpenPage, space: LatentSpace) -> None:
    page = open_page()
    open_tab(page, "Paths")
    page.mouse.click(*map_point(page, -1.5, -1.5))
    start = position(page)
    page.get_by_label("From", exact=True).select_option("the cursor")
    compare(page)
    path = pairs(drawn(page)[0]["points"])
    assert path[0] == pytest.approx(start, abs=1e-6)
    assert path[-1] == pytest.approx(space.anchor(7).tolist(), abs=1e-6)


def test_ends_are_picked_on_the_map_and_kept_in_the_link(
    open_page: OpenPage, visit: Visits
) -> None:
    page = open_page()
    open_tab(page, "Paths")
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
    expect(page.locator("#path-from")).to_have_value("A")
    page.wait_for_function("() => location.hash.includes('from=A')")
    other = visit(page.url, fresh=True, ready=READY[:1])
    open_tab(other, "Paths")
    expect(other.locator("#path-to")).to_have_value("B")
    compare(other)
    assert math.dist(pairs(drawn(other)[0]["points"])[0], (-2, 1)) < 0.02


def test_picking_can_be_cancelled_and_done_by_keys(open_page: OpenPage) -> None:
    page = open_page()
    open_tab(page, "Paths")
    page.locator("#pick").click()
    page.mouse.click(*map_point(page, 1, 1))
    page.keyboard.press("Escape")
    expect(page.locator(".map-ask")).to_be_hidden()
    expect(page.locator("#path-from")).to_have_value("5")
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


def test_missing_points_are_picked_before_the_comparison(
    open_page: OpenPage, visit: Visits
) -> None:
    page = open_page()
    open_tab(page, "Paths")
    page.get_by_label("To", exact=True).select_option("B on the map")
    page.locator("#compare").click()
    expect(page.locator(".map-ask")).to_contain_text("starts (A)")
    page.keyboard.press("Escape")
    expect(page.locator(".map-ask")).to_be_hidden()
    page.locator("#compare").click()
    page.mouse.click(*map_point(page, 0, 2))
    page.mouse.click(*map_point(page, 1, -2))
    strip(page).locator(".comparison").wait_for()
    assert len(visit.calls("compare")) == 1, "who cancels wants no paths"
    path = pairs(drawn(page)[0]["points"])
    assert math.dist(path[-1], (1, -2)) < 0.02


@pytest.mark.guarantee("clients-isolated")
def test_failing_server_does_not_leave_the_page_waiting(open_page: OpenPage, visit: Visits) -> None:
    page = open_page()
    open_tab(page, "Paths")
    held = hold_calls(page, "compare")
    page.locator("#compare").click()
    wait_for(page, 1, held).abort()
    expect(message(page)).to_have_text("The server is not responding. Try again.")
    expect(strip(page)).to_have_attribute("aria-busy", "false")
    expect(page.locator("#compare")).to_have_text("Compare")
    assert strip(page).locator(".comparison").count() == 0
    unroute_calls(page)
    compare(page)
    expect(message(page)).to_have_text("")

    fail_calls(page)
    page.locator("#experiment-morph").click()
    expect(page.locator("#paths .experiments .failed")).to_have_text(
        "The server is not responding. Try again."
    )
    expect(strip(page).locator(".row")).to_have_count(4)
    unroute_calls(page)
    visit.errors.clear()  # the browser reports the rejected requests


def test_newest_request_is_shown(open_page: OpenPage) -> None:
    page = open_page()
    open_tab(page, "Paths")
    held = hold_calls(page, "compare", "experiment")
    page.locator("#compare").click()
    expect(page.locator("#compare")).to_have_text("Compare: computing paths…")
    expect(strip(page)).to_have_attribute("aria-busy", "true")
    page.locator("#compare").click()  # is being computed already
    page.locator("#experiment-random").click()
    wait_for(page, 2, held).continue_()
    expect(page.locator("#path-note")).to_contain_text("Random exploration")
    expect(page.locator("#compare")).to_have_text("Compare")
    with page.expect_response(lambda response: response.request == held[0].request):
        held[0].continue_()
    settle(page)
    expect(strip(page).locator(".frames button")).to_have_count(100)  # not those of the comparison
    assert len(held) == 2
    unroute_calls(page)
    compare(page)
    expect(page.locator("#path-note")).to_be_empty()


def test_late_morph_leaves_the_cursor_where_the_user_moved_it(open_page: OpenPage) -> None:
    page = open_page()
    open_tab(page, "Paths")
    held = hold_calls(page, "experiment")
    page.locator("#experiment-morph").click()
    request = wait_for(page, 1, held)
    page.mouse.click(*map_point(page, 2, 2))
    moved = position(page)
    request.continue_()
    expect(strip(page).locator(".frames button")).to_have_count(16)
    assert position(page) == moved


def test_rows_are_saved_as_files(open_page: OpenPage) -> None:
    page = open_page()
    open_tab(page, "Paths")
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


def test_save_menu_closes(open_page: OpenPage) -> None:
    page = open_page()
    open_tab(page, "Paths")
    page.locator("#experiment-morph").click()
    summary, first = strip(page).locator("summary"), strip(page).locator("[data-kind=png]")
    summary.click()
    expect(first).to_be_visible()
    first.focus()
    page.keyboard.press("Escape")
    expect(first).to_be_hidden()
    expect(summary).to_be_focused()
    summary.click()
    expect(first).to_be_visible()
    page.locator("#path-note").click()
    expect(first).to_be_hidden()


def test_play_moves_along_the_path(open_page: OpenPage) -> None:
    page = open_page(reduced_motion="no-preference")
    open_tab(page, "Paths")
    compare(page)
    page.locator("#film-strip .row").nth(1).locator(".play").click()
    page.wait_for_function("() => latentSpace.state.travelling")
    last = page.locator("#film-strip .row").nth(1).locator(".frames button").last
    expect(last).to_have_attribute("aria-current", "true")


def test_paths_and_directions_fit_a_small_screen(open_page: OpenPage) -> None:
    page = open_page(390, 844, has_touch=True)
    open_tab(page, "Paths")
    compare(page)
    for width in (390, 768):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_function("(width) => window.innerWidth === width", arg=width)
        page.get_by_role("tab", name="Paths").click()
        assert_fits(page, width)
        if width == 390:
            touched = page.locator("#paths :is(button, select, summary, .check, .classes label)")
            assert min(box["height"] for box in boxes_of(touched)) >= 44
        page.get_by_role("tab", name="Directions").click()
        page.wait_for_selector("#directions [data-state=shown]")
        assert_fits(page, width)
        for box in boxes_of(page.locator("#directions button")):
            assert box["width"] >= 44
            assert box["height"] >= 36
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
