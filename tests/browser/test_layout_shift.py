"""Nothing jumps while the page loads, nor when a tab is opened for the first time."""

import pytest
from playwright.sync_api import Page

from tests.browser.helpers import OpenPage, after_timers

pytestmark = pytest.mark.browser

MOST = 0.02  # cumulative layout shift; below 0.1 a page counts as good (web.dev/articles/cls)
OBSERVE = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const { value, sources } of list.getEntries()) {
    shifts.push([value, sources.map(({ node }) => node?.id || node?.className || `${node}`)]);
  }
}).observe({ type: "layout-shift", buffered: true });
"""
TABS = ("paths", "directions", "draw", "training", "lessons", "about", "explore")


def assert_still(page: Page, when: str) -> None:
    """Nothing has moved since the last call, once the page is at rest."""
    page.wait_for_load_state("networkidle")
    after_timers(page, 500)
    shifts = page.evaluate("() => shifts.splice(0)")
    assert sum(value for value, _ in shifts) < MOST, (when, shifts)


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 720), (390, 844)])
def test_nothing_jumps_on_a_cold_load_and_in_a_new_tab(
    open_page: OpenPage, width: int, height: int
) -> None:
    page = open_page(
        width,
        height,
        fresh=True,
        before=lambda page: page.add_init_script(OBSERVE),
        reduced_motion="no-preference",
    )
    assert_still(page, "load")
    for tab in TABS:
        # By script: what follows a click within half a second is not counted.
        page.evaluate("(tab) => latentSpace.state.openTab(tab)", tab)
        assert_still(page, tab)
