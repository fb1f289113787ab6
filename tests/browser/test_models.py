"""Switching between models in the page, their links, and two of them side by side."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from latent_navigator.checkpoint.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from latent_navigator.explorer.inference import infer_test_image
from latent_navigator.explorer.latent_space import LatentSpace
from tests.browser.helpers import READY, SERVER, Visits, open_tab
from tests.fixtures import ROOT, Demo

pytestmark = pytest.mark.browser

DEFAULT, OTHER, TEN = "vae_mnist", "vae_low_beta", "ten"
MENU, OPTIONS, SECOND = "#models summary", "#models [role=option]", "#side-by-side .compare-map"
LOADING = 120_000  # ms that the server may take to load a model beside other tests
SHOWN = "(key) => window.latentSpace?.props.model.key === key"
# What is alive that outlives the page of a model unless it is ended.
COUNT = """
window.alive = { listeners: 0, observers: 0, workers: 0 };
for (const target of [window, document]) {
  const add = target.addEventListener.bind(target);
  target.addEventListener = (kind, listener, options) => {
    add(kind, listener, options);
    if (options?.once) return;
    window.alive.listeners++;
    options?.signal?.addEventListener('abort', () => window.alive.listeners--);
  };
}
for (const name of ['ResizeObserver', 'MutationObserver']) {
  const Former = window[name];
  window[name] = class extends Former {
    observe(...values) { window.alive.observers++; super.observe(...values); }
    disconnect() { window.alive.observers--; super.disconnect(); }
  };
}
const FormerWorker = window.Worker;
window.Worker = class extends FormerWorker {
  constructor(...values) { super(...values); window.alive.workers++; }
  terminate() { window.alive.workers--; super.terminate(); }
};
"""


@pytest.fixture(scope="module")
def folder(ten_checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory whose runs/ has a model of other images and a broken file."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "runs").mkdir()
    save_checkpoint(folder / "runs" / f"{TEN}.pt", ten_checkpoint)
    (folder / "runs" / "broken.pt").write_bytes(b"<html>")
    return folder


@pytest.fixture(scope="module")
def demo(folder: Path, own_demo: Callable[..., Demo]) -> Demo:
    return own_demo(cwd=folder)


def choose(page: Page, key: str) -> None:
    """Choose a model in the menu."""
    page.click(MENU)
    page.click(f"#models [data-key={key}]")
    page.wait_for_function(SHOWN, arg=key, timeout=LOADING)
    page.wait_for_selector("#latent-map[data-ready=true]")


@pytest.mark.guarantee("models-listed")
def test_the_menu_changes_the_whole_page_by_keyboard(visit: Visits, demo: Demo) -> None:
    page = visit(demo.address)
    page.evaluate("window.kept = true")
    open_tab(page, "About")
    expect(page.locator("#about")).to_contain_text("beta 4")
    page.focus(MENU)
    page.keyboard.press("Enter")
    expect(page.locator(OPTIONS)).to_have_count(5)
    names = page.locator(OPTIONS).all_inner_texts()
    assert ["beta 4" in names[0], "beta 0.1" in names[1]] == [True, True]
    broken = page.locator("#models [data-key=broken]")
    expect(broken).to_have_attribute("aria-disabled", "true")
    expect(broken).to_contain_text("Cannot be opened")
    expect(broken).to_contain_text("broken.pt: it is a web page")
    expect(page.locator(":focus")).to_have_attribute("data-key", DEFAULT)
    page.keyboard.press("End")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_function(SHOWN, arg=OTHER, timeout=LOADING)
    expect(page.locator(MENU)).to_be_focused()
    expect(page.locator(MENU)).to_have_text("Model: MNIST, beta 0.1")
    assert page.url.endswith(f"?model={OTHER}")
    assert page.evaluate("window.kept"), "the page was not reloaded"
    expect(page.locator("#tab-about")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#about")).to_contain_text("beta 0.1")
    # A broken file is not chosen; a list that has not changed stays under the pointer.
    page.keyboard.press("Enter")
    expect(broken).to_be_visible()
    kept = broken.element_handle()
    page.evaluate("latentSpace.models.refresh()")
    assert kept.evaluate("(option) => option.isConnected")
    broken.click(force=True)
    page.keyboard.press("Escape")
    expect(page.locator("#models")).not_to_have_attribute("open", "")
    assert page.evaluate(SHOWN, OTHER)


@pytest.mark.guarantee("models-kept-apart")
def test_each_question_is_answered_by_the_model_that_is_shown(visit: Visits, demo: Demo) -> None:
    page = visit(demo.address)
    choose(page, OTHER)
    expected = infer_test_image(low_beta(), 7)
    page.evaluate("latentSpace.openImage(7)")
    page.wait_for_function("latentSpace.state.reading?.title?.includes('7')")
    reading = page.evaluate("latentSpace.state.reading")
    assert reading["mu"] == pytest.approx(expected["mu"], abs=1e-5)
    assert reading["recon"] == pytest.approx(expected["recon"], abs=1e-3)
    choose(page, TEN)
    expect(page.locator("#tab-dimensions")).to_be_visible()
    assert page.evaluate("latentSpace.state.reading") is None, "positions start anew"
    page.click("#random-sample")
    expect(page.locator("#plane")).to_contain_text("variance")


def low_beta() -> LatentSpace:
    return LatentSpace(load_checkpoint(ROOT / "pretrained" / f"{OTHER}.pt"))


@pytest.mark.guarantee("links-restore-the-view")
def test_the_model_is_part_of_the_link_and_of_the_history(visit: Visits, demo: Demo) -> None:
    page = visit(f"{demo.address}#x=0.5&y=0.25")
    choose(page, OTHER)
    page.evaluate("latentSpace.state.set({ x: 1.5, y: -0.5 })")
    page.wait_for_function("location.hash.startsWith('#x=1.5&y=-0.5')")
    assert f"?model={OTHER}#x=1.5" in page.url
    page.go_back()
    page.wait_for_function(SHOWN, arg=DEFAULT)
    page.wait_for_function("latentSpace.state.z.x === 0.5 && latentSpace.state.z.y === 0.25")
    assert "model=" not in page.url
    page.go_forward()
    page.wait_for_function(SHOWN, arg=OTHER)
    page.wait_for_function("latentSpace.state.z.x === 1.5 && latentSpace.state.z.y === -0.5")
    second = visit(page.url)
    assert second.evaluate(SHOWN, OTHER)
    assert second.evaluate("latentSpace.state.z.x") == 1.5


@pytest.mark.guarantee("models-listed")
@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("nothing", "this server has no such model; choose one of vae_mnist, vae_low_beta"),
        ("broken", "it is a web page"),
    ],
)
def test_a_link_to_a_model_that_is_not_there_says_so(
    visit: Visits, demo: Demo, key: str, reason: str
) -> None:
    page = visit(f"{demo.address}?model={key}#x=0.5&y=0.25")
    notice = page.locator("#model-notice")
    expect(notice).to_contain_text(f"“{key}” could not be opened")
    expect(notice).to_contain_text(reason)
    expect(notice).to_contain_text("This page shows MNIST, beta 4.")
    assert page.evaluate(SHOWN, DEFAULT)
    assert "model=" not in page.url
    assert page.evaluate("latentSpace.state.z.x") == 0.5
    page.click("#model-notice button")
    expect(notice).to_be_hidden()


@pytest.mark.guarantee("models-listed")
def test_a_failure_leaves_the_page_as_it_is(visit: Visits, demo: Demo) -> None:
    page = visit(f"{demo.address}#x=0.5&y=0.25", fresh=True)
    page.click(MENU)
    expect(page.locator(OPTIONS)).to_have_count(5)
    page.route(SERVER, lambda route: route.abort())
    page.click(f"#models [data-key={OTHER}]")
    expect(page.locator("#model-notice")).to_contain_text(
        "The server is not responding. Try again."
    )
    expect(page.locator(MENU)).to_have_text("Model: MNIST, beta 4")
    assert page.evaluate(SHOWN, DEFAULT)
    assert page.evaluate("latentSpace.state.z.x") == 0.5
    page.unroute(SERVER)
    choose(page, OTHER)
    expect(page.locator("#model-notice")).to_be_hidden()
    visit.ignore("Failed to load resource")
    visit.ignore("ERR_FAILED")


def test_ten_switches_leave_nothing_behind(visit: Visits, demo: Demo) -> None:
    """No listener, observer or worker, and no element of the pages before."""
    page = visit(
        f"{demo.address}#layers=points,images",
        fresh=True,
        before=lambda some: some.add_init_script(COUNT),
    )
    session = page.context.new_cdp_session(page)

    def measure() -> tuple[dict[str, int], dict[str, Any]]:
        for _ in range(2):
            session.send("HeapProfiler.collectGarbage")
        return page.evaluate("window.alive"), session.send("Memory.getDOMCounters")

    def switch() -> None:
        for key in (OTHER, DEFAULT):
            page.evaluate("(key) => latentSpace.models.choose(key)", key)
            # Not wait_for_selector: its handle of the element would keep the page.
            page.wait_for_function(
                "document.querySelector('#latent-map[data-ready=true]') !== null"
            )

    old = page.evaluate_handle("latentSpace")
    for _ in range(2):
        switch()
    first, before = measure()
    for _ in range(5):
        switch()
    last, after = measure()
    assert last == first
    assert after["jsEventListeners"] < 1.1 * before["jsEventListeners"] + 50
    assert after["nodes"] < 1.1 * before["nodes"] + 200
    told = page.evaluate(
        """(old) => {
          let told = 0;
          old.state.subscribe('position', () => told++);
          old.state.set({ x: 1, y: 1 });
          return told;
        }""",
        old,
    )
    assert told == 0, "the old state tells nobody"


def test_a_run_that_finishes_appears_without_a_reload(
    visit: Visits, demo: Demo, folder: Path
) -> None:
    page = visit(demo.address)
    run = folder / "runs" / "again.pt"
    shutil.copy(ROOT / "pretrained" / f"{OTHER}.pt", run)
    try:
        page.click(MENU)
        expect(page.locator("#models [data-key=again]")).to_contain_text("MNIST, beta 0.1 (again)")
        page.keyboard.press("Escape")
        open_tab(page, "Training")
        options = page.locator("#replay select.model option")
        expect(options).to_have_text(
            ["none", "beta 0.1", "10 dimensions, beta 1", "beta 0.1, again"]
        )
    finally:
        run.unlink()


def compare(page: Page) -> None:
    """Open the comparison."""
    page.click(MENU)
    page.click("#models .compare")
    page.wait_for_selector("#side-by-side[data-state=shown]")


def test_pointing_at_either_map_marks_the_image_on_both(visit: Visits, demo: Demo) -> None:
    page = visit(f"{demo.address}#x=0&y=0")
    compare(page)
    options = page.locator("#side-by-side option")
    expect(options).to_have_count(4)
    expect(page.locator("#side-by-side option:disabled")).to_have_count(2)
    expect(page.locator("#side-by-side option[value=ten]")).to_contain_text("different test images")
    index = 7
    point = page.evaluate(
        """async (i) => {
          const { state, encodings } = latentSpace;
          const { px, py } = state.view.toPixels((await encodings).positionOf(i));
          const box = document.querySelector('.map-top').getBoundingClientRect();
          return [box.left + px, box.top + py];
        }""",
        index,
    )
    page.mouse.move(*point)
    caption = page.locator("#side-by-side caption")
    expect(caption).to_have_text(f"Test digit {index}, labelled 9")
    spaces = [LatentSpace(load_checkpoint(ROOT / "pretrained" / f"{DEFAULT}.pt")), low_beta()]
    rows = page.locator("#side-by-side tbody tr")
    for row, space in enumerate(spaces):
        found = infer_test_image(space, index)
        x, y = found["mu"]
        for text in (
            f"x {x:.2f}, y {y:.2f}".replace("-", "−"),
            f"{found['recon']:.1f} nats",
            f"{found['kl']:.2f} nats",
        ):
            expect(rows.nth(row)).to_contain_text(text)
    expect(page.locator("#compare-said")).to_contain_text(f"Test digit {index}")
    assert page.evaluate("latentSpace.highlight.pointed.z") is not None
    # From the second map: by pointer, then by keys.
    page.hover(SECOND, position={"x": 200, "y": 210})
    expect(caption).not_to_have_text(f"Test digit {index}, labelled 9")
    marked = page.evaluate("latentSpace.highlight.pointed.z")
    page.focus(SECOND)
    before = caption.inner_text()
    page.keyboard.press("ArrowRight")
    expect(caption).not_to_have_text(before)
    assert page.evaluate("latentSpace.highlight.pointed.z") != marked
    page.click("#side-by-side .close")
    expect(page.locator("#side-by-side")).to_be_hidden()
    expect(page.locator(MENU)).to_be_focused()
    assert page.evaluate("latentSpace.highlight.pointed") is None


@pytest.mark.guarantee("links-restore-the-view")
def test_a_comparison_is_part_of_the_link_and_of_the_history(visit: Visits, demo: Demo) -> None:
    page = visit(f"{demo.address}#x=0.5&y=0.25")
    side = page.locator("#side-by-side")
    compare(page)
    page.wait_for_function("(key) => location.hash.includes(`&compare=${key}`)", arg=OTHER)
    link = page.url
    page.go_back()
    expect(side).to_be_hidden()
    assert page.evaluate("latentSpace.state.z") == {"x": 0.5, "y": 0.25}
    page.go_forward()
    expect(side).to_have_attribute("data-state", "shown")
    second = visit(link, ready=READY[:1])  # the readout gives way
    expect(second.locator("#side-by-side")).to_have_attribute("data-state", "shown")
    expect(second.locator("#side-by-side select")).to_have_value(OTHER)
    expect(second.locator("#side-by-side tbody tr")).to_have_count(2)
    second.click("#side-by-side .close")
    expect(second.locator("#side-by-side")).to_be_hidden()
    second.wait_for_function("!location.hash.includes('compare')")


@pytest.mark.guarantee("models-listed")
@pytest.mark.parametrize("key", [TEN, "nothing"])
def test_a_link_to_a_comparison_that_is_impossible_says_so(
    visit: Visits, demo: Demo, key: str
) -> None:
    page = visit(f"{demo.address}#x=0.5&y=0.25&compare={key}", ready=READY[:1])
    expect(page.locator("#side-by-side .compare-note")).to_have_text(
        f"“{key}” is not a model with the same test images on this server. Choose another one."
    )
    page.select_option("#side-by-side select", OTHER)
    expect(page.locator("#side-by-side")).to_have_attribute("data-state", "shown")
    page.wait_for_function("(key) => location.hash.includes(`&compare=${key}`)", arg=OTHER)


def test_a_tour_takes_the_place_of_the_comparison(visit: Visits, demo: Demo) -> None:
    page = visit(f"{demo.address}#x=0.5&y=0.25&compare={OTHER}", ready=READY[:1])
    expect(page.locator("#side-by-side")).to_have_attribute("data-state", "shown")
    page.locator("#heading button.take-tour").click()
    expect(page.locator("#side-by-side")).to_be_hidden()
    expect(page.locator("#tour")).to_be_visible()


def test_the_second_map_can_show_the_same_part_as_the_first(visit: Visits, demo: Demo) -> None:
    page = visit(f"{demo.address}#x=0&y=0&view=1,0.5,1&compare={OTHER}", ready=READY[:1])
    expect(page.locator("#side-by-side")).to_have_attribute("data-state", "shown")
    rows = page.locator("#side-by-side tbody tr")

    def pointed() -> list[float]:
        side = page.locator(SECOND).evaluate("(canvas) => canvas.clientWidth")
        for x in (side / 2 - 3, side / 2):  # of its middle
            page.hover(SECOND, position={"x": x, "y": side / 2})
        text = rows.nth(1).locator("td").nth(1).inner_text().replace("−", "-")
        return [float(part.split()[-1]) for part in text.split(",")]

    whole = pointed()
    assert max(map(abs, whole)) < 0.5  # the whole map has 0 in its middle
    page.get_by_label("Show the same part as the first map").check()
    page.wait_for_function("() => new Promise((done) => requestAnimationFrame(() => done(true)))")
    assert pointed() == pytest.approx([1, 0.5], abs=0.15)
    # It follows the first map.
    page.evaluate("latentSpace.state.view.show({ x: -1, y: -0.5 }, 1)")
    page.evaluate("latentSpace.state.viewChanged()")
    assert pointed() == pytest.approx([-1, -0.5], abs=0.15)
    page.get_by_label("Show the same part as the first map").uncheck()
    assert pointed() == pytest.approx(whole, abs=0.3)


def test_without_a_second_model_of_the_same_images_a_sentence_says_so(
    visit: Visits, demo: Demo
) -> None:
    page = visit(f"{demo.address}?model={TEN}")
    page.click(MENU)
    page.click("#models .compare")
    expect(page.locator("#side-by-side .compare-note")).to_contain_text(
        "There is no other model with the same test images"
    )


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 720), (390, 844)])
def test_menu_and_comparison_fit_the_screen(
    visit: Visits, demo: Demo, width: int, height: int
) -> None:
    page = visit(demo.address, width, height, ready=READY[:1])
    page.click(MENU)
    expect(page.locator(OPTIONS)).to_have_count(5)
    panel = page.locator(".models-panel").bounding_box()
    assert panel is not None
    assert panel["x"] >= 0
    assert panel["x"] + panel["width"] <= width
    least = 44 if width < 1000 else 24
    for target in (*page.locator(OPTIONS).all(), page.locator(MENU)):
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= least
    page.keyboard.press("Escape")
    compare(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sizes = page.eval_on_selector_all(
        "#side-by-side :is(button, select, td, th, label), .models-panel :is(p, b, span)",
        "(all) => all.map((one) => parseFloat(getComputedStyle(one).fontSize))",
    )
    assert min(sizes) >= 14
