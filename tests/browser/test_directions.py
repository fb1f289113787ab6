"""The Directions tab: attributes, nudges, and steps toward each class."""

import math

import pytest
from playwright.sync_api import Page, expect

from latent_navigator.explorer.directions import attribute_directions, nudge_attribute
from latent_navigator.geometry.attributes import ATTRIBUTES
from tests.browser.fixtures import Explored
from tests.browser.helpers import (
    Visits,
    after_timers,
    arguments_of,
    assert_decoded,
    coordinates,
    drag_to,
    fail_calls,
    move_to,
    move_to_coordinates,
    open_tab,
    settle,
    unroute_calls,
)

pytestmark = pytest.mark.browser

NEAR = """(z) => Math.hypot(...latentSpace.state.plane.coordinates(latentSpace.state.z)
  .map((value, i) => value - z[i])) < 0.003"""


def open_directions(page: Page) -> None:
    page.get_by_role("tab", name="Directions").click()
    wait_for_rest(page)


def wait_for_rest(page: Page) -> None:
    """Wait until nothing moves and the directions of the position are shown."""
    page.wait_for_function("() => !latentSpace.state.travelling")
    page.wait_for_selector("#directions [data-state=shown]")


def go_to_digit(page: Page, digit: int) -> None:
    page.locator(f"#jump-{digit}").click()
    page.wait_for_function("() => latentSpace.state.z.x || latentSpace.state.z.y")
    settle(page)


def press(page: Page, attribute: str) -> str:
    """Press the button for more of an attribute; the new message."""
    message = page.locator("#directions .message")
    before = message.inner_text()
    page.locator(f"#directions [data-name={attribute}] .more").click()
    expect(message).not_to_have_text(before)
    return message.inner_text()


def test_directions_describe_the_position(explored: Explored) -> None:
    page, space = explored.open(), explored.space
    go_to_digit(page, 3)
    open_directions(page)
    answer = attribute_directions(space, coordinates(page))
    for name in ATTRIBUTES:
        value = page.locator(f"#directions [data-name={name}] .value")
        expect(value).to_have_text(answer["attributes"][name]["message"])
    expect(page.locator("#directions .sensitivity")).to_have_text(answer["message"])
    drag_to(page, 1.2, 0.2)
    moved = attribute_directions(space, coordinates(page))["attributes"]["slant"]["message"]
    expect(page.locator("#directions [data-name=slant] .value")).to_have_text(moved)


@pytest.mark.guarantee("tabs-work")
def test_nudges_change_one_attribute_step_by_step(explored: Explored) -> None:
    page, space = explored.open(), explored.space
    go_to_digit(page, 7)
    start = coordinates(page)
    open_directions(page)
    for name in ("ink", "slant"):
        move_to_coordinates(page, start)
        wait_for_rest(page)
        values, message = [], ""
        for _ in range(4):
            at = coordinates(page)
            values.append(attribute_directions(space, at)["attributes"][name]["value"])
            message = press(page, name)
            wait_for_rest(page)
        assert values == sorted(values)
        assert values[-1] > values[0] * 1.01
        assert "Still among the 7s" in message
        assert_decoded(page, space)


def test_second_press_continues_from_the_end_of_the_first(explored: Explored) -> None:
    page = explored.open(reduced_motion="no-preference")
    go_to_digit(page, 7)
    open_directions(page)
    goal = coordinates(page)
    for _ in range(2):
        end = nudge_attribute(explored.space, goal, None, "ink", 1)["path"][-1]
        goal = [round(value, 3) for value in end]
    # Within the page, so that the second press comes in time on any machine.
    page.evaluate(
        """() => new Promise((done, fail) => {
          setTimeout(fail, 30_000, new Error("the first press moved nothing"));
          const bolder = document.querySelector("#directions [data-name=ink] .more");
          bolder.click();
          latentSpace.state.subscribe("position", () => {
            if (done.pressed) return;
            done.pressed = true;
            bolder.click();
            done();
          });
        })"""
    )
    page.wait_for_function(NEAR, arg=goal)
    assert math.dist(coordinates(page), goal) < 0.003


def test_nudge_reports_why_it_stops(explored: Explored) -> None:
    page = explored.open()
    go_to_digit(page, 4)
    open_directions(page)
    for _ in range(40):
        message = press(page, "height")
        page.wait_for_function("() => !latentSpace.state.travelling")
        if "the limit" in message:
            break
    expect(page.locator("#directions .message")).to_contain_text("This is the limit for a 4")
    expect(page.locator("#directions .message")).to_have_attribute("data-stopped", "barred")


def test_arrows_lead_to_the_classes(explored: Explored) -> None:
    page, space = explored.open(), explored.space
    drag_to(page, 1, 1)
    open_directions(page)
    start, goal = coordinates(page), space.anchor(1).tolist()
    button = page.locator("#directions .toward button").nth(1)
    expect(button.locator(".distance")).to_have_text(f"{math.dist(start, goal):.2f}")
    button.click()
    left = math.dist(coordinates(page), goal)
    assert left == pytest.approx(math.dist(start, goal) - 0.25, abs=0.01)
    # The last of the steps is as short as it needs to be.
    move_to_coordinates(page, [goal[0] + 0.4, goal[1] - 0.4, *goal[2:]])
    for _ in range(3):
        button.click()
        page.wait_for_function("() => !latentSpace.state.travelling")
    assert math.dist(coordinates(page), goal) < 0.002
    expect(button.locator(".distance")).to_have_text("0.00")
    # The other anchor is another position.
    open_tab(page, "Explore")
    page.locator("#anchor").get_by_label("mean position").check()
    open_directions(page)
    centroid = space.anchor(1, "centroid").tolist()
    away = math.dist(coordinates(page), centroid)
    expect(button.locator(".distance")).to_have_text(f"{away:.2f}")


def test_attributes_are_asked_for_where_the_cursor_rests(explored: Explored, visit: Visits) -> None:
    page = explored.open()
    move_to(page, 1, 0)
    after_timers(page, 200)
    assert visit.calls("here") == [], "the tab is closed"
    open_directions(page)
    visit.requests.clear()
    page.evaluate(
        """async () => { for (let i = 0; i < 30; i++) {
             latentSpace.state.set({ x: i / 30, y: 0.5 });
             await new Promise((done) => setTimeout(done, 20)); } }"""
    )
    assert visit.calls("here", "nudge") == []
    wait_for_rest(page)
    (call,) = visit.calls("here")
    z = coordinates(page)
    assert arguments_of(call) == (z if len(z) == 2 else [z, None])


@pytest.mark.guarantee("clients-isolated")
def test_failing_server_is_reported(explored: Explored, visit: Visits) -> None:
    page = explored.open()
    open_directions(page)
    fail_calls(page)
    move_to(page, 0.5, 0.5)
    message = page.locator("#directions .message")
    expect(message).to_have_text("The server is not responding. Move the cursor to retry.")
    expect(message).to_be_in_viewport()
    page.locator("#directions .more").first.click()
    expect(message).to_have_text("The server is not responding. Try again.")
    unroute_calls(page)
    move_to(page, 0.6, 0.5)
    wait_for_rest(page)
    expect(message).to_have_text("")
    visit.ignore("Failed to load resource")
