"""A page that cannot start says why, instead of staying blank."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.helpers import box_of
from tests.helpers import HANG

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    context.set_default_timeout(1000 * HANG)
    yield context.new_page()
    context.close()


def framed(page: Page, address: str, sandbox: str) -> None:
    page.set_content(f'<iframe sandbox="{sandbox}" src="{address}" width=900 height=600></iframe>')


@pytest.mark.guarantee("startup-faults-described")
def test_a_sandboxed_frame_says_what_it_lacks(page: Page, served: str) -> None:
    framed(page, served, "allow-scripts")
    fault = page.frame_locator("iframe").get_by_role("alert")
    expect(fault).to_contain_text("cannot start in a sandboxed frame")
    expect(fault).to_contain_text("allow-same-origin")
    expect(fault.get_by_role("link")).to_have_attribute("href", served)


@pytest.mark.guarantee("startup-faults-described")
def test_without_scripts_the_page_asks_for_them(browser: Browser, served: str) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(served)
    # Playwright evaluates even where the page's own scripts are off.
    said = page.evaluate("getComputedStyle(document.body, '::before').content")
    assert said.startswith('"This page needs JavaScript.')
    page.context.close()


@pytest.mark.guarantee("startup-faults-described")
def test_a_frame_that_may_do_both_starts(page: Page, served: str) -> None:
    framed(page, served, "allow-scripts allow-same-origin")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Latent Space Navigator")).to_be_visible()
    expect(frame.locator(".startup-fault")).to_have_count(0)


@pytest.mark.guarantee("startup-faults-described")
@pytest.mark.parametrize("part", ["**/assets/index-*.js", "**/web/*/page.js"])
def test_a_part_that_does_not_load_is_reported(page: Page, served: str, part: str) -> None:
    page.route(part, lambda route: route.abort())
    page.goto(served)
    expect(page.get_by_role("alert")).to_contain_text("could not be loaded")


def test_a_layer_that_does_not_start_leaves_the_others(page: Page, served: str) -> None:
    whole = '$functions["map/layers/regions.js"] = (() => {'

    def break_it(route: Route) -> None:
        answer = route.fetch()
        assert whole in answer.text()
        broken = answer.text().replace(whole, f"{whole} throw new Error('lost');")
        route.fulfill(response=answer, body=broken)

    page.route("**/web/*/page.js", break_it)
    page.goto(served)
    page.wait_for_selector("#latent-map[data-ready=true]")
    page.locator("[data-layer=regions]").click()
    page.locator("[data-layer=images]").click()
    assert page.evaluate("() => latentSpace.state.layers.images")


@pytest.mark.guarantee("startup-faults-described")
@pytest.mark.parametrize(
    "older",
    [
        "CSS.supports = (condition) => !condition.includes(':has')",
        "delete CSSStyleRule.prototype.cssRules; delete CSSGroupingRule.prototype.cssRules",
    ],
)
def test_an_older_browser_is_told_so_and_what_can_work_does(
    page: Page, served: str, older: str
) -> None:
    page.add_init_script(older)
    page.goto(served)
    expect(page.get_by_role("alert").first).to_contain_text("Chrome 120, Firefox 121, Safari 17.2")
    page.wait_for_selector("#latent-map[data-ready=true]")
    page.locator("#jump-0").click()
    page.wait_for_function("() => latentSpace.state.z.x !== 0")


NEEDED = {
    "ResizeObserver": "delete window.ResizeObserver",
    "dialogs": "delete window.HTMLDialogElement",
    "pointer events": "delete window.PointerEvent",
    "reportError": "delete window.reportError",
    "style sheets of scripts": "delete Document.prototype.adoptedStyleSheets",
    "ARIA properties": "delete Element.prototype.ariaPressed",
}


@pytest.mark.guarantee("startup-faults-described")
@pytest.mark.parametrize("lacking", NEEDED)
def test_a_browser_without_what_the_page_needs_is_told_so(
    page: Page, served: str, lacking: str
) -> None:
    page.add_init_script(NEEDED[lacking])
    page.goto(served)
    expect(page.get_by_role("alert").first).to_contain_text("Chrome 120, Firefox 121, Safari 17.2")


REPLACED = {
    "WebAssembly": "delete window.WebAssembly",
    "workers": "delete window.Worker",
    "storage": "Object.defineProperty(window, 'localStorage', { get() { throw new Error(); } })",
    "room in storage": "Storage.prototype.setItem = () => { throw new Error(); }",
    "clipboard": "delete Navigator.prototype.clipboard",
    "coalesced events": "delete PointerEvent.prototype.getCoalescedEvents",
    "raw moves": """const add = EventTarget.prototype.addEventListener;
        EventTarget.prototype.addEventListener = function (type, ...rest) {
          if (type !== "pointerrawupdate") add.call(this, type, ...rest); }""",
    "streams of answers": "delete Response.prototype.body",
}


@pytest.mark.guarantee("startup-faults-described")
@pytest.mark.parametrize("lacking", REPLACED)
def test_what_a_browser_lacks_is_replaced(page: Page, served: str, lacking: str) -> None:
    page.add_init_script(REPLACED[lacking])
    faults: list[object] = []
    page.on("pageerror", lambda fault: faults.append(fault))
    page.goto(served)
    page.wait_for_selector("#latent-map[data-ready=true]")
    expect(page.locator(".startup-fault")).to_have_count(0)
    source = page.locator("#readout .source")
    expect(source).to_contain_text("Decoded in your browser")
    if lacking == "WebAssembly":
        expect(source).to_contain_text("no WebAssembly")
    large, copy = page.locator("#large-type"), page.locator("#copy-link")
    large.click()
    expect(large).to_have_attribute("aria-pressed", "true")
    copy.click()
    expect(copy).to_have_text(re.compile("Copied|In the address bar"))
    page.locator("[data-layer=images]").click()
    if lacking == "workers":
        expect(page.locator("#map-legend-lines")).to_contain_text("This browser has no workers")
    drag(page, "#latent-map .map-top")
    page.wait_for_function("() => latentSpace.state.z.x > 1")
    page.locator("#tab-draw").click()
    drag(page, "#own-digit .paper")
    page.locator(".draw[data-state=shown]").wait_for()
    assert faults == []


def drag(page: Page, place: str) -> None:
    """From the middle of an element to the right and down."""
    box = box_of(page.locator(place))
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + box["width"] / 5, y + box["height"] / 4, steps=8)
    page.mouse.up()


@pytest.mark.parametrize(
    ("file", "place", "message"),
    [
        ("decoder.bin", "#digit .wait", "The decoder could not be loaded."),
        ("encodings.bin", "#readout .support", "The encodings could not be loaded."),
    ],
)
def test_what_cannot_be_fetched_is_said_and_the_rest_works(
    page: Page, served: str, file: str, place: str, message: str
) -> None:
    page.route(f"**/{file}", lambda route: route.abort())
    page.goto(served)
    expect(page.locator(place)).to_contain_text(message)
    expect(page.locator(".map-wait")).to_contain_text("Part of the map could not be loaded.")
    page.locator("#jump-0").click()
    page.wait_for_function("() => latentSpace.state.z.x !== 0")
    shown = page.locator("#x-slider input[type=number]").input_value()
    assert float(shown) == page.evaluate("() => latentSpace.state.z.x")


def test_a_page_is_one_script_and_at_rest_asks_for_no_frame(page: Page, served: str) -> None:
    page.add_init_script("""window.frames_asked = 0;
        const request = window.requestAnimationFrame;
        window.requestAnimationFrame = (f) => { window.frames_asked++; return request(f); };""")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(served)
    page.wait_for_selector("#latent-map[data-ready=true]")
    page.wait_for_selector("#readout[data-state=shown] .nearest button")
    # A second without a frame: a loop asks 60 times.
    page.wait_for_function(
        """() => { const now = performance.now();
        if (window.frames_asked !== window.frames_seen) {
          window.frames_seen = window.frames_asked; window.still_since = now; }
        return now - window.still_since > 1000; }""",
        polling=50,
    )
    assert page.evaluate("window.frames_asked") > 0
    # And it has fetched its script and its styles alone, not a hundred modules.
    own = [url.rpartition("/")[2] for url in asked if "/web/" in url]
    assert sorted(own) == ["page.js", "styles.css"]
