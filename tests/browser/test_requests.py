"""The page while the server is slow, late or unreachable."""

import math

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, Route, expect

from latent_navigator.explorer.latent_space import LatentSpace
from tests.browser.helpers import (
    FILES,
    SERVER,
    OpenPage,
    Visits,
    after_timers,
    box_of,
    fail_calls,
    hold_calls,
    map_point,
    move_to,
    open_tab,
    pixels_of,
    position,
    reading,
    settle,
    stored_position,
    unroute_calls,
    wait_for,
    wait_until,
)

pytestmark = [pytest.mark.browser, pytest.mark.guarantee("clients-isolated")]


@pytest.mark.parametrize("moves", [True, False])
def test_a_late_answer_moves_no_cursor_that_the_user_has_moved(
    open_page: OpenPage, moves: bool
) -> None:
    page = open_page()
    open_tab(page, "Directions")
    held = hold_calls(page, "nudge")
    page.locator("#directions .more").first.click()
    wait_for(page, 1, held)
    before = stored_position(page)
    if moves:
        page.mouse.click(*map_point(page, -3, 2.5))
        before = stored_position(page)
    with page.expect_response(SERVER):
        held.pop().continue_()
    expect(page.locator("#directions .message")).not_to_be_empty()  # the answer has arrived
    settle(page)
    assert (stored_position(page) == before) == moves


def test_nearest_images_follow_the_newest_rest(open_page: OpenPage, space: LatentSpace) -> None:
    page = open_page()
    early: list[Route] = []
    page.route(FILES, lambda route: early.append(route))
    move_to(page, 2, 1)
    wait_until(page, lambda: len(early) > 0, "no image is asked for")
    page.route(FILES, lambda route: route.continue_())
    move_to(page, -2, -1)
    nearest = space.around(torch.tensor([[-2.0, -1.0]])).neighbours[0, :6].tolist()
    shown = [f"Test digit {i}, labelled {int(space.labels[i])}" for i in nearest]
    buttons = page.locator("#readout .nearest button")
    expect(buttons.first).to_have_attribute("title", shown[0])
    for route in early:
        route.continue_()
    after_timers(page, 100)
    assert [button.get_attribute("title") for button in buttons.all()] == shown
    np.testing.assert_array_equal(
        pixels_of(buttons.first.locator("canvas")), space.images[nearest[0]].numpy()
    )


def test_failing_server_is_reported_until_it_answers(open_page: OpenPage, visit: Visits) -> None:
    """Decoding and the readout go on; what is missing is said."""
    page = open_page()
    after_timers(page, 300)
    fail_calls(page)
    page.mouse.click(*map_point(page, 1, 1))
    expect(page.locator("#readout .lost")).to_have_text(
        "The server is not responding; the nearest images are missing. Move the cursor to retry."
    )
    expect(page.locator("#readout .support")).to_contain_text("encoded within 0.1")
    assert math.dist(position(page), (1, 1)) < 0.02
    unroute_calls(page)
    page.mouse.click(*map_point(page, -1, 1))
    expect(page.locator("#readout .lost")).to_be_empty()
    visit.ignore("Failed to load resource")


def test_newest_image_is_shown(open_page: OpenPage) -> None:
    """Of two opened images, and of one drawn and one opened, in whatever order answers arrive."""
    page = open_page()
    open_tab(page, "Draw")
    held = hold_calls(page, "test_digit", "strokes")

    def open_image(index: int) -> None:
        page.evaluate("(index) => { latentSpace.openImage(index); }", index)

    def answer(which: int) -> str:
        with page.expect_response(lambda found: found.request == held[which].request) as response:
            held[which].continue_()
        response.value.finished()
        after_timers(page, 0)
        return str(reading(page)["title"])

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
    side = box_of(paper)["width"]
    paper.hover(position={"x": side / 2, "y": 0.15 * side})
    page.mouse.down()
    paper.hover(position={"x": side / 2, "y": 0.85 * side})
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
    expect(legend).to_contain_text("more expected than encoded")
    visit.ignore("Failed to load resource")
