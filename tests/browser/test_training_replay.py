"""The replay of training in a real Chromium, on small models really trained."""

import dataclasses
import math
import re

import gradio as gr
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from benchmarks.server import free_port
from demo import launch_options
from latent_navigator.app.api import readable
from latent_navigator.app.components import Replay
from latent_navigator.data.dataset_info import Noun
from latent_navigator.explorer.training_replay import CURVES, Story, shown_range

pytestmark = pytest.mark.browser

SERVER = re.compile("/component_server")
LAST = 40  # epochs of the small training
SHORT = 12  # of the one beside it
ALPHA = """(canvas) => {
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let text = ''; for (let i = 3; i < data.length; i += 4) text += String.fromCharCode(data[i]);
  return text; }"""


@pytest.fixture(scope="module")
def checkpoints(small_checkpoint):
    """The small model, and the same one as it stood after fewer epochs."""
    replay = small_checkpoint.replay
    fewer = replay._replace(means=replay.means[: SHORT + 1], grids=replay.grids[: SHORT + 1])
    history = small_checkpoint.history[:SHORT]
    short = dataclasses.replace(small_checkpoint, replay=fewer, history=history)
    return {"this one": small_checkpoint, "the short one": short}


@pytest.fixture(scope="module")
def address(checkpoints):
    """The address of a page with nothing but the replay."""
    told = Story(checkpoints)
    names = checkpoints["this one"].class_names

    def story(label):
        return readable(told.story)(label)

    with gr.Blocks(analytics_enabled=False) as demo:
        Replay(told.labels, names, Noun("digit", "digits"), story, elem_id="replay")
        gr.HTML("<div style='height: 2000px'></div>")
        Replay(told.labels[:1], names, Noun("digit", "digits"), story, elem_id="alone")
    # A gr.HTML alone does not fill the page, as the map on the real one does.
    options = launch_options()
    options["css"] += ".gradio-container { width: 100%; }"
    _, address, _ = demo.launch(
        server_port=free_port(), quiet=True, prevent_thread_lock=True, **options
    )
    yield address
    demo.close()


@pytest.fixture
def open_replay(visit, address):
    """open_replay(width, ...) -> the page with the replay fetched."""

    def open_(width: int = 1280, **options) -> Page:
        return visit(address, width, ready=("#replay [data-state=shown]",), **options)

    return open_


def scrub(page: Page, epoch: int) -> None:
    page.locator("#replay .epoch").fill(str(epoch))
    page.wait_for_selector(f"#replay [data-epoch='{epoch}']")


def alpha(page: Page, canvas: str, panel: int = 0) -> np.ndarray:
    """How much ink lies on each pixel of a canvas (square)."""
    text = page.locator(f"#replay .{canvas}").nth(panel).evaluate(ALPHA)
    ink = np.frombuffer(text.encode("latin-1"), "u1")
    return ink.reshape(2 * [math.isqrt(len(ink))])


def sheet(grids) -> np.ndarray:
    """(9, 9, 28, 28) pictures as one sheet."""
    return grids.permute(0, 2, 1, 3).reshape(252, 252).numpy()


def assert_points(ink: np.ndarray, means, limit: float) -> None:
    """There is ink where each digit lies, and none but around those places."""
    side = len(ink)
    places = means.float().clamp(-limit, limit).numpy() * [1, -1]
    pixels = (places + limit) / (2 * limit) * side
    dot = max(3, side / 110)
    columns, rows = np.clip(pixels, dot / 2, side - dot / 2 - 1e-3).astype(int).T
    assert (ink[rows, columns] > 0).all()
    away = np.ones_like(ink, dtype=bool)
    for row, column in zip(rows, columns, strict=True):
        away[max(0, row - 5) : row + 6, max(0, column - 5) : column + 6] = False
    assert not ink[away].any()


@pytest.mark.guarantee("tabs-work")
def test_every_epoch_shows_what_was_recorded(open_replay, checkpoints):
    page = open_replay()
    checkpoint = checkpoints["this one"]
    replay, limit = checkpoint.replay, shown_range(checkpoint.replay.means.float())
    seen = set()
    for epoch in range(LAST + 1):
        scrub(page, epoch)
        ink = alpha(page, "points")
        assert_points(ink, replay.means[epoch], limit)
        seen.add(ink.tobytes())
        np.testing.assert_array_equal(alpha(page, "grid"), sheet(replay.grids[epoch]))
        # The marker stands on the curve, and says its value.
        for name, decimals in (("recon", 1), ("kl", 2), ("beta", 2)):
            plot = page.locator(f"#replay [data-curve={name}]")
            if epoch == 0:
                expect(plot.locator("b")).to_have_text("–")
                expect(plot.locator("circle")).to_be_hidden()
                continue
            value = checkpoint.history[epoch - 1][CURVES[name]]
            unit = "" if name == "beta" else " nats"
            expect(plot.locator("b")).to_have_text(f"{value:.{decimals}f}{unit}")
            marker = plot.locator(".marker").get_attribute("d")
            x, y = (float(plot.locator("circle").get_attribute(c)) for c in ("cx", "cy"))
            assert float(re.match(r"M([\d.]+)", marker).group(1)) == x
            curve = plot.locator(".curve").get_attribute("d")
            vertex = re.findall(r"[ML]([\d.]+) ([\d.]+)", curve)[epoch - 1]
            assert (x, y) == tuple(map(float, vertex))
    assert len(seen) == LAST + 1
    page.locator("#replay .epoch").press("Home")
    expect(page.locator("#replay .now")).to_have_text(f"epoch 0 of {LAST}: before training")


def test_a_line_tells_what_to_see_at_each_stage(open_replay, checkpoints):
    page = open_replay()
    about = page.locator("#replay .about span")
    expect(about).to_contain_text("Before training, nothing is learned")
    scrub(page, 7)
    beta = checkpoints["this one"].history[6]["beta"]
    expect(page.locator("#replay .now")).to_have_text(f"epoch 7 of {LAST}: beta {beta:.2f}")
    expect(about).to_contain_text("beta is still rising")
    scrub(page, 10)
    expect(about).to_contain_text("beta is at its full weight")
    scrub(page, LAST)
    expect(about).to_contain_text("Training ends here. beta is at its full weight")
    expect(page.locator("#replay .about small")).to_have_text(
        f"Trained for {LAST} epochs; beta rises to 1 over the first 10 (the warm-up)."
    )


def test_it_plays_to_the_end_and_stops(open_replay):
    page = open_replay()
    play, root = page.locator("#replay .play"), page.locator("#replay .replay")
    scrub(page, LAST - 6)
    play.click()
    expect(play).to_have_text("❚❚ Pause")
    expect(root).to_have_attribute("data-playing", "false", timeout=15_000)
    expect(root).to_have_attribute("data-epoch", str(LAST))
    expect(play).to_have_text("▶ Play")
    # From the end it begins anew.
    play.click()
    page.wait_for_function(
        f"() => +document.querySelector('#replay .replay').dataset.epoch < {LAST}"
    )
    expect(root).to_have_attribute("data-playing", "true")


def test_pause_pauses(open_replay, checkpoints):
    page = open_replay()
    play, root = page.locator("#replay .play"), page.locator("#replay .replay")
    replay = checkpoints["this one"].replay
    play.click()
    page.wait_for_function("() => +document.querySelector('#replay .replay').dataset.epoch >= 2")
    play.click()
    expect(root).to_have_attribute("data-playing", "false")
    paused = int(root.get_attribute("data-epoch"))
    assert 2 <= paused < LAST
    # What stands still is an epoch that was recorded, not a picture between two.
    assert_points(alpha(page, "points"), replay.means[paused], shown_range(replay.means.float()))
    page.wait_for_timeout(700)
    expect(root).to_have_attribute("data-epoch", str(paused))
    # Taking the slider while it plays pauses too.
    play.click()
    page.wait_for_function(
        f"() => +document.querySelector('#replay .replay').dataset.epoch > {paused}"
    )
    scrub(page, 5)
    expect(root).to_have_attribute("data-playing", "false")


@pytest.mark.guarantee("accessibility")
def test_points_glide_between_epochs_unless_motion_is_reduced(open_replay):
    changes = """() => new Promise((done) => {
      const root = document.querySelector('#replay .replay');
      const canvas = document.querySelector('#replay .points');
      const [seen, epochs] = [new Set(), new Set()];
      const look = () => {
        seen.add(canvas.toDataURL());
        epochs.add(root.dataset.epoch);
        if (root.dataset.epoch < 8) return setTimeout(look, 15);
        done([seen.size, epochs.size]);
      };
      document.querySelector('#replay .play').click();
      look();
    })"""
    pictures, epochs = open_replay().evaluate(changes)
    assert pictures > epochs
    pictures, epochs = open_replay(reduced_motion="reduce").evaluate(changes)
    assert pictures == epochs


def test_two_models_stand_side_by_side_in_step(open_replay, checkpoints):
    page = open_replay()
    expect(page.locator("#alone .models")).to_be_hidden()
    page.locator("#replay").get_by_label("Compare side by side").check()
    expect(page.locator("#replay .grid")).to_have_count(2)
    limit = max(shown_range(one.replay.means.float()) for one in checkpoints.values())
    for epoch in (0, 5, SHORT, LAST):
        scrub(page, epoch)
        for panel, one in enumerate(checkpoints.values()):
            at = min(epoch, len(one.history))
            assert_points(alpha(page, "points", panel), one.replay.means[at], limit)
            np.testing.assert_array_equal(alpha(page, "grid", panel), sheet(one.replay.grids[at]))
    which = page.locator("#replay .which")
    expect(which.nth(0)).to_contain_text(f"this oneepoch {LAST}")
    expect(which.nth(1)).to_contain_text(f"stays at its last epoch, {SHORT}")
    kl = page.locator("#replay [data-curve=kl]")
    values = [one.history[-1]["test_kl"] for one in checkpoints.values()]
    expect(kl.locator("b")).to_have_text([f"{value:.2f} nats" for value in values])
    # Told apart without colour too: one of the two lines is dashed.
    dashes = kl.locator("svg[role=img] .curve").evaluate_all(
        "(all) => all.map((path) => getComputedStyle(path).strokeDasharray)"
    )
    assert dashes[0] == "none" and dashes[1] != "none"
    page.locator("#replay").get_by_label("Compare side by side").uncheck()
    expect(page.locator("#replay .grid")).to_have_count(1)
    page.locator("#replay .model").select_option("the short one")
    expect(page.locator("#replay .now")).to_contain_text(f"epoch {SHORT} of {SHORT}")
    expect(page.locator("#replay .grid")).to_have_attribute(
        "aria-label", re.compile("^the short one")
    )


def test_it_is_fetched_when_its_tab_is_opened(browser, served):
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    asked = []
    page.on("request", lambda r: asked.append(r) if '"story"' in (r.post_data or "") else None)
    page.goto(served)
    page.wait_for_selector("#latent-map [data-ready=true]")
    page.wait_for_timeout(500)
    assert not asked, "nobody has opened it yet"
    page.get_by_role("tab", name="How it was learned").click()
    page.wait_for_selector("#replay [data-state=shown]")
    assert len(asked) == 1
    page.close()


def test_each_model_is_fetched_once(browser, address):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    asked = []
    page.on("request", lambda r: asked.append(r.url) if SERVER.search(r.url) else None)
    page.goto(address)
    page.wait_for_selector("#replay [data-state=shown]")
    page.wait_for_selector("#alone [data-state=shown]")
    assert len(asked) == 2, "one for each of the two on this page"
    page.locator("#replay .compare").check()
    expect(page.locator("#replay .grid")).to_have_count(2)
    page.locator("#replay .model").select_option("the short one")
    page.wait_for_timeout(200)
    assert len(asked) == 3
    page.close()


@pytest.mark.guarantee("clients-isolated")
def test_a_server_that_fails_is_told_and_can_be_asked_again(browser, address):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    held = []
    page.route(SERVER, lambda route: held.append(route))
    page.goto(address)
    expect(page.get_by_text("Fetching the replay…").first).to_be_visible()
    expect(page.locator("#replay .play")).to_be_hidden()
    page.wait_for_timeout(200)
    for route in held:
        route.abort()
    failed = page.locator("#replay .failed")
    expect(failed).to_contain_text("the server is not responding")
    page.unroute(SERVER)
    failed.get_by_role("button", name="Try again").click()
    page.wait_for_selector("#replay [data-state=shown]")
    expect(failed).to_be_hidden()

    # A second model that does not come leaves the first where it is.
    page.route(SERVER, lambda route: route.fulfill(status=500, json={"error": "no"}))
    page.locator("#replay .compare").check()
    expect(failed).to_be_visible()
    expect(page.locator("#replay .grid")).to_have_count(1)
    page.locator("#replay .compare").uncheck()
    expect(failed).to_be_hidden()
    page.unroute(SERVER)
    page.locator("#replay .compare").check()
    expect(page.locator("#replay .grid")).to_have_count(2)
    page.close()


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_it_fits_the_screen(open_replay, width):
    page = open_replay(width, has_touch=True)
    for count in (1, 2):
        page.locator("#replay .compare").set_checked(count == 2)
        expect(page.locator("#replay .grid")).to_have_count(count)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        for control in page.locator("#replay").locator("button, input, select, .pair").all():
            if not control.is_visible() or control.get_attribute("type") == "checkbox":
                continue
            box = control.bounding_box()
            assert box["height"] >= 36 and box["width"] >= 36
            assert box["x"] >= 0 and box["x"] + box["width"] <= width
        assert page.locator("#replay .points").first.bounding_box()["width"] >= 160


def test_the_keyboard_reaches_all_of_it_and_the_theme_changes_the_ink(open_replay):
    page = open_replay(color_scheme="light")
    page.locator("#replay .play").focus()
    for name in ("epoch", "model", "beside"):
        page.keyboard.press("Tab")
        expect(page.locator(f"#replay .{name}")).to_be_focused()
    page.locator("#replay .epoch").focus()
    page.keyboard.press("End")
    expect(page.locator("#replay .replay")).to_have_attribute("data-epoch", str(LAST))
    brightest = """(canvas) => {
      const data = canvas.getContext('2d').getImageData(0, 0, 252, 252).data;
      return data.reduce((most, v, i) => (i % 4 < 3 ? Math.max(most, v) : most), 0); }"""
    grid = page.locator("#replay .grid")
    assert grid.evaluate(brightest) == 0
    page.evaluate("() => switchTheme()")
    page.wait_for_function(
        f"([grid, most]) => ({brightest})(grid) === most", arg=[grid.element_handle(), 255]
    )
