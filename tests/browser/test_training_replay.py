"""The training replay, on small models that the tests train."""

import contextlib
import dataclasses
import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page, Request, Route, expect
from torch import Tensor

from latent_navigator.app.drain import Drain
from latent_navigator.app.layout import page_head
from latent_navigator.app.server import build_blocks
from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.training_replay import CURVES, shown_range
from tests.browser.helpers import (
    OpenPage,
    Visits,
    after_timers,
    assert_fits,
    box_of,
    open_tab,
    wait_until,
)
from tests.helpers import prolonged
from tests.server.stand_ins import in_loop, running_page

pytestmark = pytest.mark.browser

LONG_RUN = 601  # epochs: every fourth is kept, and the last
LAST = 40  # epochs of the small training
SHORT = 12  # epochs of the model it is compared with
TAB = "Training"
SHOWN = "#replay [data-state=shown]"
REPLAYS = re.compile("/replay/")  # the files of the replays
ALPHA = """(canvas) => {
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let text = ''; for (let i = 3; i < data.length; i += 4) text += String.fromCharCode(data[i]);
  return text; }"""

BRIGHTEST = """(canvas) => {
  const data = canvas.getContext('2d').getImageData(0, 0, 252, 252).data;
  return data.reduce((most, v, i) => (i % 4 < 3 ? Math.max(most, v) : most), 0); }"""


@contextlib.contextmanager
def serving(first: Checkpoint, others: dict[str, Checkpoint]) -> Iterator[str]:
    """The address of the page of a model, with those that its training is compared with."""
    blocks, files = in_loop(lambda: build_blocks(LatentSpace(first), others))
    with running_page(blocks, Drain(), files=files, head=page_head(*files)) as (_, address):
        yield address


@pytest.fixture(scope="module")
def checkpoints(small_checkpoint: Checkpoint) -> dict[str, Checkpoint]:
    """The small model, and the same one after fewer epochs."""
    snapshots = small_checkpoint.snapshots
    fewer = snapshots._replace(
        means=snapshots.means[: SHORT + 1], grids=snapshots.grids[: SHORT + 1]
    )
    history = small_checkpoint.history[:SHORT]
    short = dataclasses.replace(small_checkpoint, snapshots=fewer, history=history)
    return {"long": small_checkpoint, "short": short}


@pytest.fixture(scope="module")
def address(checkpoints: dict[str, Checkpoint]) -> Iterator[str]:
    """The address of a page with the replays of both models."""
    with serving(checkpoints["long"], {"short": checkpoints["short"]}) as found:
        yield found


@pytest.fixture(scope="module")
def long_address(checkpoints: dict[str, Checkpoint]) -> Iterator[str]:
    """The address of a page with the replay of a training so long that snapshots are thin."""
    with serving(prolonged(checkpoints["short"], LONG_RUN), {}) as found:
        yield found


@pytest.fixture
def open_replay(visit: Visits, address: str) -> OpenPage:
    """open_replay(width, ...) -> the page with the replay loaded."""

    def open_(width: int = 1280, **options: Any) -> Page:
        page = visit(address, width, **options)
        open_tab(page, TAB)
        page.wait_for_selector(SHOWN)
        return page

    return open_


def fetched(visit: Visits) -> list[Request]:
    """The requests for replays so far."""
    return [request for request in visit.requests if REPLAYS.search(request.url)]


def scrub(page: Page, epoch: int) -> None:
    """Move the slider to an epoch."""
    page.locator("#replay .epoch").fill(str(epoch))
    page.wait_for_selector(f"#replay [data-epoch='{epoch}']")


def wait_for_epoch(page: Page, condition: str) -> None:
    """Wait until the epoch meets a condition such as "> 3"."""
    page.wait_for_function(
        f"() => +document.querySelector('#replay .replay').dataset.epoch {condition}"
    )


def compare(page: Page, both: bool = True) -> None:
    """Show both models, or one."""
    page.locator("#replay .compare").set_checked(both)
    expect(page.locator("#replay .grid")).to_have_count(2 if both else 1)


def alpha(page: Page, canvas: str, panel: int = 0) -> NDArray[np.uint8]:
    """The opacity of each pixel of a square canvas."""
    text = page.locator(f"#replay .{canvas}").nth(panel).evaluate(ALPHA)
    ink = np.frombuffer(text.encode("latin-1"), np.uint8)
    side = math.isqrt(len(ink))
    return ink.reshape(side, side)


def tiled(grids: Tensor) -> NDArray[np.uint8]:
    """(9, 9, 28, 28) images as one."""
    image: NDArray[np.uint8] = grids.permute(0, 2, 1, 3).reshape(252, 252).numpy()
    return image


def assert_points(ink: NDArray[np.uint8], means: Tensor, limit: float) -> None:
    """There is ink where each digit is encoded, and none elsewhere."""
    side = len(ink)
    positions = means.float().clamp(-limit, limit).numpy() * [1, -1]
    pixels = (positions + limit) / (2 * limit) * side
    dot = max(3, side / 110)
    columns, rows = np.clip(pixels, dot / 2, side - dot / 2 - 1e-3).astype(int).T
    assert (ink[rows, columns] > 0).all()
    away = np.ones_like(ink, dtype=bool)
    for row, column in zip(rows, columns, strict=True):
        away[max(0, row - 5) : row + 6, max(0, column - 5) : column + 6] = False
    assert not ink[away].any()


def assert_curve(page: Page, name: str, epoch: int, value: str) -> None:
    """The marker of a curve is on its vertex of an epoch, and the value is shown."""
    plot = page.locator(f"#replay [data-curve={name}]")
    expect(plot.locator("b")).to_have_text(value)
    dot = plot.locator("circle")
    x, y = (float(dot.get_attribute(axis) or "nan") for axis in ("cx", "cy"))
    marker = plot.locator(".marker").get_attribute("d") or ""
    assert marker.startswith((f"M{x:.1f}V", f"M{x:.1f} "))
    curve = plot.locator(".curve").get_attribute("d") or ""
    vertex = re.findall(r"[ML]([\d.]+) ([\d.]+)", curve)[epoch - 1]
    assert (x, y) == tuple(map(float, vertex))


@pytest.mark.guarantee("tabs-work")
def test_every_epoch_shows_what_was_recorded(
    open_replay: OpenPage, checkpoints: dict[str, Checkpoint]
) -> None:
    page, checkpoint = open_replay(), checkpoints["long"]
    replay, limit = checkpoint.snapshots, shown_range(checkpoint.snapshots.means.float())
    seen = set()
    for epoch in range(LAST + 1):
        scrub(page, epoch)
        ink = alpha(page, "points")
        assert_points(ink, replay.means[epoch], limit)
        seen.add(ink.tobytes())
        np.testing.assert_array_equal(alpha(page, "grid"), tiled(replay.grids[epoch]))
        for name, decimals in (("recon", 1), ("kl", 2), ("beta", 2)):
            if epoch == 0:
                plot = page.locator(f"#replay [data-curve={name}]")
                expect(plot.locator("b")).to_have_text("–")
                expect(plot.locator("circle")).to_be_hidden()
            else:
                value = checkpoint.history[epoch - 1][CURVES[name]]
                unit = "" if name == "beta" else " nats"
                assert_curve(page, name, epoch, f"{value:.{decimals}f}{unit}")
    assert len(seen) == LAST + 1
    page.locator("#replay .epoch").press("Home")
    expect(page.locator("#replay .now")).to_have_text(f"Epoch 0 of {LAST}, before training")


def test_each_stage_is_described(open_replay: OpenPage, checkpoints: dict[str, Checkpoint]) -> None:
    page = open_replay()
    description = page.locator("#replay .description span")
    expect(description).to_contain_text("Before training, every digit is encoded near the same")
    scrub(page, 7)
    beta = checkpoints["long"].history[6]["beta"]
    expect(page.locator("#replay .now")).to_have_text(f"Epoch 7 of {LAST}, beta {beta:.2f}")
    expect(description).to_contain_text("beta is still increasing")
    scrub(page, 10)
    expect(description).to_contain_text("beta has its final value")
    scrub(page, LAST)
    expect(description).to_contain_text("End of training. beta has its final value")
    expect(page.locator("#replay .description small")).to_have_text(
        f"Trained for {LAST} epochs; beta rises to 1 over the first 10 (warm-up)."
    )


def test_playback_stops_at_the_end(open_replay: OpenPage) -> None:
    page = open_replay()
    play, root = page.locator("#replay .play"), page.locator("#replay .replay")
    scrub(page, LAST - 6)
    play.click()
    expect(play).to_have_text("❚❚ Pause")
    expect(root).to_have_attribute("data-playing", "false", timeout=15_000)
    expect(root).to_have_attribute("data-epoch", str(LAST))
    expect(play).to_have_text("▶ Play")
    # From the end it starts again.
    play.click()
    wait_for_epoch(page, f"< {LAST}")
    expect(root).to_have_attribute("data-playing", "true")


def test_pause_keeps_a_recorded_epoch(
    open_replay: OpenPage, checkpoints: dict[str, Checkpoint]
) -> None:
    page = open_replay()
    play, root = page.locator("#replay .play"), page.locator("#replay .replay")
    replay = checkpoints["long"].snapshots
    play.click()
    wait_for_epoch(page, ">= 2")
    play.click()
    expect(root).to_have_attribute("data-playing", "false")
    paused = int(root.get_attribute("data-epoch") or -1)
    assert 2 <= paused < LAST
    # What is shown is an epoch that was recorded, not a frame between two.
    assert_points(alpha(page, "points"), replay.means[paused], shown_range(replay.means.float()))
    after_timers(page, 500)  # the longest that an epoch plays
    expect(root).to_have_attribute("data-epoch", str(paused))
    # Using the slider during playback pauses too.
    play.click()
    wait_for_epoch(page, f"> {paused}")
    scrub(page, 5)
    expect(root).to_have_attribute("data-playing", "false")


@pytest.mark.guarantee("accessibility")
def test_points_move_between_epochs_unless_motion_is_reduced(open_replay: OpenPage) -> None:
    count_frames = """() => new Promise((done) => {
      const root = document.querySelector('#replay .replay');
      const canvas = document.querySelector('#replay .points');
      const [frames, epochs] = [new Set(), new Set()];
      const look = () => {
        frames.add(canvas.toDataURL());
        epochs.add(root.dataset.epoch);
        if (root.dataset.epoch < 4) return setTimeout(look, 15);
        done([frames.size, epochs.size]);
      };
      document.querySelector('#replay .play').click();
      look();
    })"""
    page = open_replay()
    frames, epochs = page.evaluate(count_frames)
    assert frames > epochs
    page.locator("#replay .play").click()
    scrub(page, 0)
    page.emulate_media(reduced_motion="reduce")
    frames, epochs = page.evaluate(count_frames)
    page.emulate_media(reduced_motion="null")
    assert frames == epochs


def test_two_models_are_compared_side_by_side(
    open_replay: OpenPage, checkpoints: dict[str, Checkpoint]
) -> None:
    page = open_replay()
    page.locator("#replay").get_by_label("Compare side by side").check()
    expect(page.locator("#replay .grid")).to_have_count(2)
    limit = max(
        shown_range(checkpoint.snapshots.means.float()) for checkpoint in checkpoints.values()
    )
    for epoch in (0, 5, SHORT, LAST):
        scrub(page, epoch)
        for panel, checkpoint in enumerate(checkpoints.values()):
            at = min(epoch, len(checkpoint.history))
            assert_points(alpha(page, "points", panel), checkpoint.snapshots.means[at], limit)
            np.testing.assert_array_equal(
                alpha(page, "grid", panel), tiled(checkpoint.snapshots.grids[at])
            )
    heading = page.locator("#replay .heading")
    expect(heading.nth(0)).to_contain_text(f"{checkpoints['long'].label}epoch {LAST}")
    expect(heading.nth(1)).to_contain_text(f"finished at epoch {SHORT}")
    kl = page.locator("#replay [data-curve=kl]")
    values = [checkpoint.history[-1]["test_kl"] for checkpoint in checkpoints.values()]
    expect(kl.locator("b")).to_have_text([f"{value:.2f} nats" for value in values])
    # Distinguishable without colour: one of the two lines is dashed.
    dashes = kl.locator("svg[role=img] .curve").evaluate_all(
        "(all) => all.map((path) => getComputedStyle(path).strokeDasharray)"
    )
    assert dashes[0] == "none"
    assert dashes[1] != "none"
    compare(page, False)
    page.locator("#replay .model").select_option("short")
    expect(page.locator("#replay .now")).to_contain_text(f"Epoch {SHORT} of {SHORT}")
    expect(page.locator("#replay .grid")).to_have_attribute("aria-label", re.compile("^short:"))


def test_a_replay_is_loaded_once_when_it_is_first_wanted(visit: Visits, address: str) -> None:
    page = visit(address)
    after_timers(page, 0)
    assert fetched(visit) == [], "its tab is not open yet"
    open_tab(page, TAB)
    page.wait_for_selector(SHOWN)
    assert len(fetched(visit)) == 1
    compare(page)
    assert len(fetched(visit)) == 2
    page.locator("#replay .model").select_option("short")
    expect(page.locator("#replay .heading").nth(0)).to_contain_text("short")
    open_tab(page, "Paths")
    open_tab(page, TAB)
    after_timers(page, 0)
    assert len({request.url for request in fetched(visit)}) == len(fetched(visit)) == 2


def test_a_closed_tab_pauses_and_is_drawn_anew_when_it_opens(open_replay: OpenPage) -> None:
    page = open_replay(color_scheme="light")
    root, points = page.locator("#replay .replay"), page.locator("#replay .points")
    page.locator("#replay .play").click()
    wait_for_epoch(page, ">= 1")
    open_tab(page, "Paths")
    expect(root).to_have_attribute("data-playing", "false")
    epoch = root.get_attribute("data-epoch")
    before = points.get_attribute("width")
    page.set_viewport_size({"width": 900, "height": 900})
    page.locator("#theme").click()
    after_timers(page, 500)  # the longest that an epoch plays
    assert points.get_attribute("width") == before
    open_tab(page, TAB)
    page.wait_for_function(
        "() => { const c = document.querySelector('#replay .points');"
        " return c.width === Math.round(c.clientWidth * devicePixelRatio); }"
    )
    assert points.get_attribute("width") != before
    assert page.locator("#replay .grid").evaluate(BRIGHTEST) == 255
    expect(root).to_have_attribute("data-epoch", str(epoch))
    expect(root).to_have_attribute("data-playing", "false")


@pytest.mark.guarantee("clients-isolated")
def test_failing_server_is_reported_and_loading_can_be_repeated(
    visit: Visits, address: str
) -> None:
    held: list[Route] = []
    page = visit(address)
    page.route(REPLAYS, lambda route: held.append(route))
    open_tab(page, TAB)
    expect(page.locator("#replay .loading")).to_have_text("Loading the training replay…")
    expect(page.locator("#replay .play")).to_be_hidden()
    wait_until(page, lambda: len(held) == 1, "the replay is not requested")
    page.route(REPLAYS, lambda route: route.abort())
    held[0].abort()
    failed = page.locator("#replay .failed")
    expect(failed).to_contain_text("the server is not responding")
    page.unroute(REPLAYS)
    failed.get_by_role("button", name="Try again").click()
    page.wait_for_selector(SHOWN)
    expect(failed).to_be_hidden()

    # A second model that fails to load leaves the first on the page.
    page.route(REPLAYS, lambda route: route.fulfill(status=500, json={"error": "no"}))
    page.locator("#replay .compare").check()
    expect(failed).to_be_visible()
    expect(page.locator("#replay .grid")).to_have_count(1)
    page.locator("#replay .compare").uncheck()
    expect(failed).to_be_hidden()
    page.unroute(REPLAYS)
    compare(page)
    visit.ignore("Failed to load resource")


def test_replay_fits_the_screen(open_replay: OpenPage) -> None:
    page = open_replay(1280, has_touch=True)
    for width in (1280, 768, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("(width) => window.innerWidth === width", arg=width)
        for both in (False, True):
            compare(page, both)
            assert_fits(page, width)
            for control in page.locator("#replay").locator("button, input, select, .pair").all():
                if not control.is_visible() or control.get_attribute("type") == "checkbox":
                    continue
                box = box_of(control)
                assert box["height"] >= 36
                assert box["width"] >= 36
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= width
            assert box_of(page.locator("#replay .points").first)["width"] >= 160


def test_keyboard_reaches_the_controls_and_the_theme_changes_the_ink(
    open_replay: OpenPage,
) -> None:
    page = open_replay(color_scheme="light")
    page.locator("#replay .play").focus()
    for name in ("epoch", "model", "compare"):
        page.keyboard.press("Tab")
        expect(page.locator(f"#replay .{name}")).to_be_focused()
    page.locator("#replay .epoch").focus()
    page.keyboard.press("End")
    expect(page.locator("#replay .replay")).to_have_attribute("data-epoch", str(LAST))
    grid = page.locator("#replay .grid")
    assert grid.evaluate(BRIGHTEST) == 0
    page.locator("#theme").click()
    page.wait_for_function(f"([grid]) => ({BRIGHTEST})(grid) === 255", arg=[grid.element_handle()])


@pytest.mark.guarantee("replay-and-lessons")
def test_long_training_shows_the_moments_that_were_kept(visit: Visits, long_address: str) -> None:
    page = visit(long_address, 1280)
    open_tab(page, TAB)
    page.wait_for_selector(SHOWN)
    replay = page.locator("#replay")
    expect(replay.locator(".models")).to_be_hidden()  # there is only one
    marks = {}
    for epoch, moment in ((0, 0), (3, 0), (4, 4), (303, 300), (600, 600), (601, 601)):
        replay.locator(".epoch").fill(str(epoch))
        expect(replay.locator(".now")).to_contain_text(f"Epoch {epoch} of 601")
        expect(replay.locator(".heading span")).to_have_text(f"epoch {moment}")
        marks[epoch] = replay.locator("[data-curve=kl] circle").get_attribute("cx")
    assert marks[601] is not None
    assert float(marks[601]) > float(marks[303] or "nan") > float(marks[4] or "nan")
    drawn = re.findall(r"[ML]", replay.locator("[data-curve=kl] .curve").get_attribute("d") or "")
    assert len(drawn) == 151
