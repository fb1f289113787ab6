"""The page while the server is slow, late or unreachable."""

import math
import re

import pytest
from playwright.sync_api import Page, Route, expect

from latent_navigator.explorer.latent_space import LatentSpace
from tests.browser.helpers import (
    OpenPage,
    Visits,
    after_timers,
    assert_painted,
    fail_calls,
    hold_calls,
    map_point,
    position,
    settle,
    stored_position,
    unroute_calls,
    wait_for,
)

pytestmark = [pytest.mark.browser, pytest.mark.guarantee("clients-isolated")]

PREDICT = re.compile("/run/predict")  # Gradio's events without a queue


def test_user_has_priority_over_a_late_answer(open_page: OpenPage) -> None:
    page = open_page()
    held: list[Route] = []
    for button, note in (("#random-sample", "random sample"), ("#jump-7", "7s")):
        page.route(PREDICT, lambda route: held.append(route))
        page.click(button)
        wait_for(page, 1, held)
        page.mouse.click(*map_point(page, -3, 2.5))
        with page.expect_response(PREDICT):
            held.pop().continue_()
        expect(page.locator("#note")).to_contain_text(note)  # the answer has arrived
        assert math.dist(position(page), (-3, 2.5)) < 0.02
        page.unroute(PREDICT)
        page.click(button)
        page.wait_for_function("() => Math.hypot(latentSpace.z.x + 3, latentSpace.z.y - 2.5) > 0.1")


def test_slow_server_gets_one_request_at_a_time(open_page: OpenPage, space: LatentSpace) -> None:
    page = open_page()
    held = hold_calls(page, "look")
    for x in (1, 2, 3, -1, -2, -3):
        page.mouse.click(*map_point(page, x, x / 2))
        wait_for(page, 1, held)
    after_timers(page, 150)  # the interval at which a drag sends requests
    assert len(held) == 1, "one request is in flight"
    held[0].continue_()
    x, y, _ = (wait_for(page, 2, held).request.post_data_json or {})["data"]
    assert math.dist((x, y), (-3, -1.5)) < 0.02, "earlier positions are skipped"
    unroute_calls(page)
    assert_painted(page, space)
    assert math.dist(position(page), (-3, -1.5)) < 0.02


def test_answer_for_an_earlier_position_is_not_painted(
    open_page: OpenPage, space: LatentSpace
) -> None:
    page = open_page()
    settle(page)
    held = hold_calls(page, "look")
    page.mouse.click(*map_point(page, 2, 1))
    first = wait_for(page, 1, held)
    page.mouse.click(*map_point(page, -2, -1))
    first.continue_()
    wait_for(page, 2, held)  # sent once the first answer has been read
    view = page.evaluate("() => ({ ...document.querySelector('#digit .view').dataset })")
    assert view["kind"] == "browser"
    assert (float(view["x"]), float(view["y"])) == stored_position(page)
    unroute_calls(page)
    assert_painted(page, space)


def test_failed_request_is_repeated(open_page: OpenPage, visit: Visits, space: LatentSpace) -> None:
    page = open_page()
    settle(page)
    after_timers(page, 400)  # a request this soon after another would belong to the same drag
    held = hold_calls(page, "look")
    page.mouse.click(*map_point(page, 1, 1))
    wait_for(page, 1, held).abort()
    page.wait_for_selector("#digit [data-state=failed]")
    wait_for(page, 2, held).continue_()  # although the cursor has not moved
    page.wait_for_selector("#digit [data-state=shown]")
    unroute_calls(page)
    assert_painted(page, space)
    visit.ignore("Failed to load resource")


def test_failing_server_is_reported_until_it_answers(
    open_page: OpenPage, visit: Visits, space: LatentSpace
) -> None:
    page = open_page()
    fail_calls(page)
    page.mouse.click(*map_point(page, 1, 1))
    page.wait_for_selector("#digit [data-state=failed]")
    expect(page.locator("#digit .support")).to_have_text(
        "The server is not responding. Move the cursor to retry."
    )
    unroute_calls(page)
    page.mouse.click(*map_point(page, -1, 1))
    page.wait_for_selector("#digit [data-state=shown]")
    assert_painted(page, space)
    visit.ignore("Failed to load resource")


def test_newest_image_is_shown(open_page: OpenPage) -> None:
    """Of two opened images, and of one drawn and one opened, in whatever order answers arrive."""
    page = open_page()
    page.get_by_role("tab", name="Your digit").click()
    held = hold_calls(page, "test_digit", "drawn")

    def open_image(index: int) -> None:
        page.evaluate("(index) => latentSpace.open(index)", index)

    def answer(which: int) -> str:
        with page.expect_response(lambda response: response.request == held[which].request):
            held[which].continue_()
        after_timers(page, 0)
        return str(page.evaluate("() => latentSpace.reading.title"))

    open_image(10)
    open_image(20)
    wait_for(page, 2, held)
    assert "digit 20," in answer(1)
    assert "digit 20," in answer(0)
    draw_a_stroke(page)
    wait_for(page, 3, held)
    open_image(30)
    wait_for(page, 4, held)
    assert "digit 30," in answer(3)
    assert "digit 30," in answer(2)


def draw_a_stroke(page: Page) -> None:
    paper = page.locator(".paper")
    paper.scroll_into_view_if_needed()
    paper.hover(position={"x": 140, "y": 40})
    page.mouse.down()
    paper.hover(position={"x": 140, "y": 240})
    page.mouse.up()


def test_failed_layer_is_reported_and_can_be_retried(open_page: OpenPage, visit: Visits) -> None:
    page = open_page()
    fail_calls(page)
    page.locator("#latent-map .more summary").click()
    layer, legend = page.get_by_role("button", name="Prior vs. data"), page.locator(".map-legend")
    layer.click()
    expect(legend).to_contain_text("could not be loaded")
    expect(layer).to_have_attribute("aria-pressed", "false")
    unroute_calls(page)
    layer.click()
    expect(legend).to_contain_text("the prior expects")
    visit.ignore("Failed to load resource")
