"""Cause and effect are on the screen together: each control with what it changes, and the map."""

from typing import NamedTuple

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.helpers import OpenPage, box_of, open_tab, settle, wait_until

pytestmark = pytest.mark.browser

DESKTOPS = (1440, 900), (1280, 720)
PHONE = 390, 844

# Whether the whole element is on the screen, with nothing in front of it.
SHOWN = """(element) => {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  if (left < -1 || top < -1 || right > innerWidth + 1 || bottom > innerHeight + 1) return false;
  // The image on the map of a phone, through which one drags: hit tests do not find it.
  if (getComputedStyle(element).pointerEvents === 'none') return true;
  const points = [[left + 3, top + 3], [(left + right) / 2, (top + bottom) / 2],
    [(left + right) / 2, bottom - 3]];
  return points.every(([x, y]) => {
    const found = document.elementFromPoint(x, y);
    return !!found && (element.contains(found) || found.contains(element));
  });
}"""


class Action(NamedTuple):
    """A control, what it changes beside the map and the decoded image, and what shows its end."""

    control: str
    effect: str = "#digit"
    done: str = "body"


FIRST_ROW = "#film-strip[aria-busy=false] .row:first-child"
DRAWN = ".draw[data-state=shown]"
ACTIONS = {
    "Explore": [
        Action("#random-sample"),
        Action("#jump-0", "#note"),
        Action("#jump-9", "#note"),
        Action("#anchor label:last-child", "#note"),
        Action("#anchor label:nth-last-child(2)", "#note"),
        Action("#morph-digit label:last-child"),
        Action("#morph"),
        Action("#animate"),
    ],
    "Paths": [
        Action("#compare", FIRST_ROW, "#film-strip[aria-busy=false] .comparison"),
        Action("#experiment-morph", FIRST_ROW, "#film-strip .row:only-child"),
        Action("#experiment-boundary", FIRST_ROW, "#film-strip .row:only-child"),
        # Where no draw misses the data, the first row has all hundred images.
        Action(
            "#experiment-random",
            f"{FIRST_ROW} .frames button:first-child",
            "#film-strip .frames button:nth-child(20)",
        ),
        Action("#experiment-paths", FIRST_ROW, "#film-strip[aria-busy=false] .comparison"),
        Action("#film-strip .play"),
        Action("#film-strip .frames button:last-child"),
        Action("#pick", ".map-ask"),
    ],
    "Directions": [
        Action("#directions .attribute:first-child .more", "#directions .message:not(:empty)"),
        Action("#directions .attribute:last-child .less", "#directions .message:not(:empty)"),
        Action("#directions .toward button:first-child"),
        Action("#directions .toward button:last-child"),
    ],
    "Draw": [
        Action("#own-digit .random", "#own-digit .message", DRAWN),
        Action("#own-digit .clear", "#own-digit .paper", ".draw[data-state=empty]"),
    ],
    "Training": [Action("#replay .play", "#replay .now", "#replay [data-state=shown]")],
    "Lessons": [
        Action("#lessons .next", "#lessons .title"),
        Action("#lessons .back", "#lessons .title"),
        Action("#lessons .steps li:last-child button", "#lessons .title"),
    ],
    "About": [],
}


def assert_shown(page: Page, element: Locator, what: str) -> None:
    """It is on the screen and uncovered, at the latest once the page has settled.

    It is looked up anew each time: an answer that arrives may draw a row again.
    """
    wait_until(page, lambda: element.evaluate(SHOWN), what)
    assert element.is_visible(), what


def assert_map_in_view(page: Page, width: int, height: int, where: str) -> None:
    """Wholly on a desktop, at least a fifth of the screen of a phone; with it the image."""
    frame = box_of(page.locator("#latent-map .map-frame"))
    top, bottom = max(0, frame["y"]), min(height, frame["y"] + frame["height"])
    whole = frame["width"] * frame["height"]
    least = 0.2 * width * height if (width, height) == PHONE else 0.99 * whole
    assert (bottom - top) * frame["width"] >= least, where
    assert_shown(page, page.locator("#digit canvas:visible"), where)


@pytest.mark.guarantee("screen-sizes")
@pytest.mark.parametrize(("width", "height"), [*DESKTOPS, PHONE])
def test_each_control_is_in_view_with_its_effect(
    open_page: OpenPage, width: int, height: int
) -> None:
    page = open_page(width, height)
    for tab, actions in ACTIONS.items():
        open_tab(page, tab)
        assert_map_in_view(page, width, height, tab)
        for action in actions:
            control = page.locator(action.control).first
            control.click()
            page.locator(action.done).first.wait_for()
            settle(page)
            where = f"{tab}, {action.control}"
            assert_map_in_view(page, width, height, where)
            assert_shown(page, page.locator(action.effect).first, where)
            assert_shown(page, control, where)


@pytest.mark.guarantee("screen-sizes")
@pytest.mark.parametrize(("width", "height"), [*DESKTOPS, PHONE])
def test_a_drawing_and_its_reading_are_in_view_together(
    open_page: OpenPage, width: int, height: int
) -> None:
    page = open_page(width, height)
    open_tab(page, "Draw")
    paper = page.locator("#own-digit .paper")
    paper.scroll_into_view_if_needed()
    box = box_of(paper)
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.8 * box["height"], steps=5)
    page.mouse.up()
    expect(page.locator(DRAWN)).to_be_visible()
    settle(page)
    assert_map_in_view(page, width, height, "Draw")
    assert_shown(page, page.locator("#own-digit .message"), "Draw")
    assert_shown(page, paper, "Draw")
