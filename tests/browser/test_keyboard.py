"""The page by keyboard alone, as the ARIA Authoring Practices describe it."""

from itertools import count

import pytest
from playwright.sync_api import Page, expect

from tests.browser.helpers import OpenPage, position

pytestmark = [pytest.mark.browser, pytest.mark.guarantee("accessibility")]

# Of the radio buttons of a group only the chosen one takes part in the order.
CONTROLS = """() => {
  const kinds = "a[href], button, input, select, summary, [tabindex]";
  return [...document.querySelectorAll(`#workspace :is(${kinds})`)].filter(
    (control) => control.tabIndex >= 0 && !control.disabled
      && control.checkVisibility({ visibilityProperty: true })
      && (control.type !== "radio" || control.checked));
}"""
FOCUSED = f"""() => {{
  const controls = ({CONTROLS})(), control = document.activeElement;
  const {{ top, bottom }} = control.getBoundingClientRect();
  const ringed = [control, control.closest("label")].some((element) => {{
    const style = element && getComputedStyle(element);
    return style?.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2;
  }});
  return {{
    index: controls.indexOf(control),
    name: control.ariaLabel || control.id || control.textContent.trim(),
    last: control === controls.at(-1),
    shown: ringed && bottom > 0 && top < innerHeight,
  }};
}}"""
TABS = ("Explore", "Paths", "Directions", "Draw", "Training", "Lessons", "About")


def test_every_control_is_reached_in_reading_order_and_shows_the_focus(open_page: OpenPage) -> None:
    page = open_page(1280, 720)
    expect(page.locator("#readout .nearest button")).to_have_count(6)  # they follow the rest
    page.get_by_role("tab", name="Explore").focus()
    for i, name in enumerate(TABS):
        if i:
            page.keyboard.press("ArrowRight")
        tab = page.get_by_role("tab", name=name)
        expect(tab).to_be_focused()
        expect(tab).to_have_attribute("aria-selected", "true")
        walk(page, name)
        tab.focus()


def walk(page: Page, name: str) -> None:
    """Press Tab from the first control of the page to the last."""
    page.evaluate(f"({CONTROLS})()[0].focus()")
    for index in count():
        found = page.evaluate(FOCUSED)
        assert found["index"] == index, (name, found)
        assert found["shown"], (name, found)
        if found["last"]:
            return
        page.keyboard.press("Tab")


def test_keys_press_buttons(open_page: OpenPage) -> None:
    page = open_page()
    moved = []
    for button, key in (("#jump-3", "Enter"), ("#jump-7", "Space"), ("#morph", "Enter")):
        page.locator(button).press(key)
        page.wait_for_function("() => latentSpace.state.moves > 0")
        moved.append(position(page))
    assert len(set(moved)) == len(moved)
    layer = page.locator("[data-layer=regions]")
    for pressed in ("true", "false"):
        layer.press("Space")
        expect(layer).to_have_attribute("aria-pressed", pressed)


def test_escape_closes_the_menu_of_layers(open_page: OpenPage) -> None:
    page = open_page()
    summary = page.locator("#latent-map .more summary")
    summary.press("Enter")
    layer = page.get_by_role("button", name="Prior vs. data")
    expect(layer).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(layer).to_be_hidden()
    expect(summary).to_be_focused()
