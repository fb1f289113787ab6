"""Accessibility of the page: what axe-core finds in each tab, light and dark."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.helpers import OpenPage, compare, open_tab, reading
from tests.fixtures import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
# A selector that each tab shows once it has its results.
SHOWN = {
    "Explore": "#explore",
    "Paths": "#film-strip .comparison",
    "Directions": "#directions [data-state=shown]",
    "Draw": ".draw[data-state=shown]",
    "Training": "#replay [data-state=shown]",
    "Lessons": ".lessons[data-state=shown]",
    "About": "#about",
}
PAGE, PANEL = "#workspace", "[role=tabpanel]:not([hidden])"
# Everything that axe-core can tell of WCAG 2.2 A and AA, and its best practices; as sentences.
CHECK = """async (part) => {
  const ending = document.getAnimations().filter(
    ({ effect }) => Number.isFinite(effect.getComputedTiming().endTime));
  await Promise.allSettled(ending.map(({ finished }) => finished)); // colours fade in
  const { violations } = await axe.run(part, {
    resultTypes: ["violations"],
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    rules: { "label-content-name-mismatch": { enabled: true } },
  });
  return violations.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} (${impact}): ${target}: ${failureSummary}`));
}"""
# Whether the map has a pixel of a colour, up to the rounding of its transparency.
PAINTED = """(colour) => {
  const canvas = document.querySelector("#latent-map .map-top");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] === 255 && colour.every((v, c) => Math.abs(data[i + c] - v) < 2)) return true;
  }
  return false; }"""
pytestmark = pytest.mark.browser


def fill_tabs(page: Page) -> None:
    """A compared path and an opened test digit, which several tabs show."""
    compare(page)
    page.evaluate("() => latentSpace.openImage(5)")
    reading(page)
    page.add_script_tag(path=AXE)


def check_tabs(page: Page) -> list[str]:
    """What axe-core finds on the page with its menus open, and in each tab with its results."""
    bar = page.locator("#lesson-bar .hide")
    if bar.is_visible():  # an opened menu covers it
        bar.click()
    menus = page.locator("#readout .details, #latent-map .more")
    menus.evaluate_all("(menus) => { for (const menu of menus) menu.open = true; }")
    found: list[str] = page.evaluate(CHECK, PAGE)
    menus.evaluate_all("(menus) => { for (const menu of menus) menu.open = false; }")
    for tab, shown in SHOWN.items():
        open_tab(page, tab)
        page.locator(shown).first.wait_for()
        found += [f"{tab}: {sentence}" for sentence in page.evaluate(CHECK, PANEL)]
    return found


def test_axe_would_find_a_control_without_a_name(open_page: OpenPage) -> None:
    page = open_page()
    page.add_script_tag(path=AXE)
    page.locator("#digits button").first.evaluate("(button) => { button.textContent = ''; }")
    found = page.evaluate(CHECK, PAGE)
    assert [sentence.split(":")[0] for sentence in found] == ["button-name (critical)"]


def test_buttons_toward_a_class_are_named_by_what_they_show(open_page: OpenPage) -> None:
    page = open_page()
    open_tab(page, "Directions")
    page.locator(SHOWN["Directions"]).wait_for()
    button = page.locator("#directions .toward button").nth(3)
    distance = button.locator(".distance").inner_text()
    expect(button).to_have_accessible_name(f"Toward 3 at a distance of {distance}")


def test_native_controls_follow_the_theme(open_page: OpenPage) -> None:
    page = open_page(color_scheme="dark")
    expect(page.locator("#x-number")).to_have_css("color-scheme", "dark")
    page.locator("#theme").click()
    expect(page.locator("#x-number")).not_to_have_css("color-scheme", "dark")


def test_classes_change_their_colours_with_the_theme(open_page: OpenPage) -> None:
    page = open_page()
    palette = page.evaluate("() => latentSpace.props.palette")
    button = page.locator("#jump-3")
    for theme in ("light", "dark"):
        code = bytes.fromhex(palette[theme][3].removeprefix("#"))
        expect(button).to_have_css("border-bottom-color", "rgb({}, {}, {})".format(*code))
        page.wait_for_function(PAINTED, arg=list(code))
        page.locator("#theme").click()


def test_axe_finds_nothing_in_any_tab_of_either_theme(open_page: OpenPage) -> None:
    page = open_page()
    fill_tabs(page)
    assert check_tabs(page) == []
    page.locator("#theme").click()
    assert check_tabs(page) == []


def test_axe_finds_nothing_on_a_phone(open_page: OpenPage) -> None:
    page = open_page(390, 844)
    fill_tabs(page)
    assert check_tabs(page) == []
