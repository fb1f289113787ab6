"""The training replay, on small models that the tests train."""

import contextlib
import dataclasses
import itertools
import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page, Request, Route, expect
from torch import Tensor

from latent_navigator.app.drain import Drain
from latent_navigator.app.layout import page_head
from latent_navigator.app.models import Models
from latent_navigator.app.server import build_blocks
from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.explorer.beta_comparison import compare_models
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.training_replay import CURVES
from tests.browser.helpers import (
    INKED,
    OpenPage,
    Visits,
    after_timers,
    assert_fits,
    box_of,
    boxes_of,
    move_to,
    open_tab,
    pixels_of,
    view_of,
    view_point,
    wait_until,
    zoom_in,
)
from tests.helpers import in_epochs
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

MAP = "#latent-map .map-base"
COMPARED = "#replay .replay .compared"
EDGES = {"left": 60, "bottom": 50}  # pixels of a map that the numbers of its axes take


@contextlib.contextmanager
def serving(first: Checkpoint, others: dict[str, Checkpoint]) -> Iterator[str]:
    """The address of the page of a model, with those that its training is compared with."""
    blocks, files = in_loop(lambda: build_blocks(Models.of(LatentSpace(first), others)))
    with running_page(blocks, Drain(), files=files, head=page_head(*files)) as (_, address):
        yield address


@pytest.fixture(scope="module")
def checkpoints(small_checkpoint: Checkpoint) -> dict[str, Checkpoint]:
    """The small model, and the same one after fewer epochs."""
    snapshots = small_checkpoint.snapshots
    kept = slice(SHORT + 1)
    fewer = snapshots._replace(
        means=snapshots.means[kept], grids=snapshots.grids[kept], reaches=snapshots.reaches[kept]
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
    with serving(in_epochs(checkpoints["short"], LONG_RUN), {}) as found:
        yield found


@pytest.fixture
def open_replay(visit: Visits, address: str) -> OpenPage:
    """open_replay(width, layers, ...) -> the page with the replay loaded."""

    def open_(width: int = 1280, layers: str = "points", **options: Any) -> Page:
        page = visit(f"{address}#layers={layers}", width, **options)
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
    """Compare with the short training, or with none."""
    page.locator("#replay .model").select_option("short" if both else "")
    page.wait_for_selector(SHOWN)
    expect(page.locator("#replay .facts > *")).to_have_count(2 if both else 1)


def after_frame(page: Page) -> None:
    """Wait until the map is drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")


def ink_of(page: Page, canvas: str) -> NDArray[np.uint8]:
    """The opacity of each pixel of a square canvas, once it is drawn."""
    after_frame(page)
    text = page.locator(canvas).evaluate(ALPHA)
    ink = np.frombuffer(text.encode("latin-1"), np.uint8)
    side = math.isqrt(len(ink))
    return ink.reshape(side, side)


def assert_points(page: Page, canvas: str, means: Tensor) -> None:
    """A map shows 99 % of the points, each where it belongs, and no others."""
    ink = ink_of(page, canvas)
    side, half = len(ink), view_of(page)["half"]
    positions = means.float().numpy()
    held = positions[np.abs(positions).max(axis=1) < 0.995 * half]
    assert len(held) >= 0.99 * len(positions)
    columns, rows = ((held * [1, -1] + half) / (2 * half) * side).astype(int).T
    assert (ink[rows, columns] > 0).all()
    away = np.ones_like(ink, dtype=bool)
    for row, column in zip(rows, columns, strict=True):
        away[max(0, row - 5) : row + 6, max(0, column - 5) : column + 6] = False
    middle = slice(side // 2 - 2, side // 2 + 3)  # the axes
    away[middle], away[:, middle] = False, False
    away[-EDGES["bottom"] :], away[:, : EDGES["left"]] = False, False
    away[[0, 1]], away[:, -2:] = False, False  # points that the rim cuts
    assert not ink[away].any()


def assert_digit(page: Page, grids: Tensor, reach: float) -> None:
    """The image beside the map is the recorded one that is nearest to the cursor."""
    step = reach / 4
    move_to(page, 0.8 * step, -1.87 * step)  # nearest to (1, -2) steps
    np.testing.assert_array_equal(pixels_of(page.locator("#digit .epoch-image")), grids[6, 5])


def assert_curve(page: Page, name: str, epoch: int, value: str) -> None:
    """The marker of a curve is on its vertex of an epoch, and the value is shown."""
    plot = page.locator(f"#replay [data-curve={name}]")
    expect(plot.locator("b")).to_have_text(value)
    *dot, marker, curve = plot.evaluate(
        """(plot) => [["circle", "cx"], ["circle", "cy"], [".marker", "d"], [".curve", "d"]]
          .map(([part, name]) => plot.querySelector(part).getAttribute(name))"""
    )
    x, y = map(float, dot)
    assert marker.startswith((f"M{x:.1f}V", f"M{x:.1f} "))
    vertex = re.findall(r"[ML]([\d.]+) ([\d.]+)", curve)[epoch - 1]
    assert (x, y) == tuple(map(float, vertex))


def assert_trained(page: Page) -> None:
    """The first screen shows the trained model."""
    assert page.evaluate("() => latentSpace.state.epoch") is None
    for part in ("#latent-map .epoch-name", "#digit .epoch-image", "#readout .epoch-note"):
        expect(page.locator(part)).to_be_hidden()
    expect(page.locator("#readout .support")).to_be_visible()


@pytest.mark.guarantee("tabs-work")
def test_every_epoch_shows_what_was_recorded(
    open_replay: OpenPage, checkpoints: dict[str, Checkpoint]
) -> None:
    page, checkpoint = open_replay(), checkpoints["long"]
    replay = checkpoint.snapshots
    expect(page.locator("#replay .now")).to_have_text(f"Epoch {LAST} of {LAST}")
    assert_trained(page)
    for epoch in range(LAST + 1):
        scrub(page, epoch)
        if epoch < LAST:
            assert_digit(page, replay.grids[epoch], float(replay.reaches[epoch]))
            if epoch % 3 == 0:  # the pixels of the whole map take a third of a second
                assert_points(page, MAP, replay.means[epoch])
            expect(page.locator(".map-frame .epoch-name b")).to_have_text(
                f"Epoch {epoch} of {LAST}"
            )
        for name, decimals in (("recon", 1), ("kl", 2), ("beta", 2)):
            if epoch == 0:
                plot = page.locator(f"#replay [data-curve={name}]")
                expect(plot.locator("b")).to_have_text("–")
                expect(plot.locator("circle")).to_be_hidden()
            else:
                value = checkpoint.history[epoch - 1][CURVES[name]]
                unit = "" if name == "beta" else " nats"
                assert_curve(page, name, epoch, f"{value:.{decimals}f}{unit}")
    assert_trained(page)
    page.locator("#replay .epoch").press("Home")
    expect(page.locator("#replay .now")).to_have_text(f"Epoch 0 of {LAST}")
    page.locator("#replay .next").click()
    expect(page.locator("#replay .now")).to_have_text(f"Epoch 1 of {LAST}")
    page.locator("#replay .previous").click()
    expect(page.locator("#replay .now")).to_have_text(f"Epoch 0 of {LAST}")


def test_the_layer_of_images_shows_those_of_the_epoch(
    open_replay: OpenPage, checkpoints: dict[str, Checkpoint]
) -> None:
    page = open_replay(layers="images")
    for epoch in (1, 20):
        scrub(page, epoch)
        ink = ink_of(page, MAP)
        unit = len(ink) / (2 * view_of(page)["half"])
        step = unit * float(checkpoints["long"].snapshots.reaches[epoch]) / 4
        edges = (len(ink) / 2 + step * (np.arange(10) - 4.5)).round().astype(int)
        drawn = [
            [ink[a:b, c:d].mean() for c, d in itertools.pairwise(edges)]
            for a, b in itertools.pairwise(edges)
        ]
        recorded = checkpoints["long"].snapshots.grids[epoch].float().mean((2, 3)).numpy()
        off_axes = np.ones((9, 9), bool)
        off_axes[4], off_axes[:, 4] = False, False
        off_axes[-1], off_axes[:, 0] = False, False  # beneath the texts of the axes
        np.testing.assert_allclose(np.array(drawn)[off_axes], recorded[off_axes], atol=4)


@pytest.mark.guarantee("tabs-work")
def test_the_map_returns_to_the_trained_model_and_its_view(
    open_replay: OpenPage, visit: Visits
) -> None:
    page = open_replay(layers="points,rings,labels")
    zoom_in(page, 0.5, 0.5)
    page.mouse.move(0, 0)
    after_frame(page)
    before = page.locator(MAP).evaluate("(canvas) => canvas.toDataURL()")
    view = view_of(page)
    name = page.locator("#latent-map .epoch-name")
    exits: list[Callable[[], object]] = [
        lambda: open_tab(page, "Paths"),
        lambda: name.get_by_role("button").click(),
        lambda: page.locator("#replay .epoch").press("End"),
    ]
    for leave in exits:
        open_tab(page, TAB)
        link = page.evaluate("() => latentSpace.state.link")
        scrub(page, 3)
        expect(name).to_contain_text(f"Epoch 3 of {LAST}")
        expect(page.locator("#readout .support")).to_be_hidden()
        expect(page.locator("#readout .epoch-note")).to_contain_text("what this epoch decodes at")
        expect(page.locator("[data-layer=regions]")).to_be_disabled()
        assert view_of(page)["half"] > view["half"]
        assert page.evaluate("() => latentSpace.state.link") == link
        # A zoomed epoch: the map is as movable as ever, and the points of the model are not there.
        position = page.evaluate("() => latentSpace.encodings.then((all) => all.positionOf(0))")
        x, y = position["x"], position["y"]
        page.mouse.click(*view_point(page, x, y))
        zoom_in(page, x, y)
        page.mouse.move(0, 0)
        assert visit.calls("test_digit") == []
        leave()
        assert_trained(page)
        assert view_of(page) == view
        after_frame(page)
        assert page.locator(MAP).evaluate("(canvas) => canvas.toDataURL()") == before
        expect(page.locator("[data-layer=regions]")).to_be_enabled()


def test_each_stage_is_described(open_replay: OpenPage) -> None:
    page = open_replay()
    description = page.locator("#replay .description span")
    scrub(page, 0)
    expect(description).to_contain_text("Before training, every digit is encoded near the same")
    scrub(page, 7)
    expect(page.locator("#replay .now")).to_have_text(f"Epoch 7 of {LAST}")
    expect(description).to_contain_text("Beta is still increasing")
    scrub(page, 10)
    expect(description).to_contain_text("Beta has its final value")
    scrub(page, LAST)
    expect(description).to_contain_text("End of training. Beta has its final value")
    expect(page.locator("#replay .description small")).to_have_text(
        f"Trained for {LAST} epochs; beta rises to 1 over the first 10 (warm-up)."
    )


def test_playback_stops_at_the_end(open_replay: OpenPage) -> None:
    page = open_replay()
    play, root = page.locator("#replay .play"), page.locator("#replay .replay")
    scrub(page, LAST - 6)
    play.click()
    expect(play).to_have_text("❚❚ Pause")
    expect(root).to_have_attribute("data-playing", "false")
    expect(root).to_have_attribute("data-epoch", str(LAST))
    expect(play).to_have_text("▶ Play")
    assert_trained(page)
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
    assert_points(page, MAP, replay.means[paused])
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
      const canvas = document.querySelector('#latent-map .map-base');
      const [frames, epochs] = [new Set(), new Set()];
      const look = () => {
        frames.add(canvas.toDataURL());
        epochs.add(root.dataset.epoch);
        if (root.dataset.epoch < 4) return setTimeout(look, 15);
        document.querySelector('#replay .play').click();
        requestAnimationFrame(() => {
          frames.add(canvas.toDataURL());
          done([frames.size, epochs.size]);
        });
      };
      document.querySelector('#replay .play').click();
      requestAnimationFrame(look);
    })"""
    page = open_replay(reduced_motion="no-preference")
    frames, epochs = page.evaluate(count_frames)
    assert frames > epochs
    scrub(page, 0)
    page.emulate_media(reduced_motion="reduce")
    frames, epochs = page.evaluate(count_frames)
    assert frames == epochs


def test_two_models_are_compared_side_by_side(
    open_replay: OpenPage, checkpoints: dict[str, Checkpoint]
) -> None:
    page = open_replay()
    expect(page.locator(COMPARED)).to_be_hidden()
    compare(page)
    for epoch in (0, 5, SHORT, LAST):
        scrub(page, epoch)
        for canvas, checkpoint in zip((MAP, COMPARED), checkpoints.values(), strict=True):
            at = min(epoch, len(checkpoint.history))
            assert_points(page, canvas, checkpoint.snapshots.means[at])
    label = checkpoints["long"].label
    name = page.locator("#latent-map .epoch-name b, #replay .replay .epoch-name b")
    expect(name).to_have_text([f"{label}: epoch {LAST} of {LAST}", "short: epoch 12 of 12"])
    heading = page.locator("#replay .heading")
    expect(heading.nth(0)).to_contain_text(f"{label}epoch {LAST}")
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
    # What is done to the map is done to both: zooming, and a layer.
    before = ink_of(page, COMPARED)
    zoom_in(page, 0, 0)
    zoomed = ink_of(page, COMPARED)
    assert (zoomed != before).any()
    page.locator("[data-layer=images]").click()
    assert (ink_of(page, COMPARED) != zoomed).any()
    page.locator("#latent-map .epoch-name button").click()
    assert_trained(page)
    expect(page.locator(COMPARED)).to_be_hidden()
    expect(page.locator("#replay .model")).to_have_value("")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_comparison_of_two_betas_takes_the_panel(
    open_replay: OpenPage, checkpoints: dict[str, Checkpoint], width: int
) -> None:
    own, other = (LatentSpace(checkpoint) for checkpoint in checkpoints.values())
    expected = compare_models(own, other, "short")
    page = open_replay(width)
    scrub(page, SHORT)
    page.locator("#beta-open").click()
    shown = page.locator("#beta-comparison[data-state=shown]")
    expect(shown.locator(".verdict")).to_have_text(expected["verdict"])
    expect(page.locator("#beta-comparison .back")).to_be_focused()
    expect(page.locator("#replay .replay")).to_be_hidden()
    assert page.evaluate("() => latentSpace.state.epoch === null"), "the trained model is shown"
    assert shown.locator("thead th").all_inner_texts() == ["beta 1", "short"]
    errors = shown.locator("tbody tr").first.locator("td").all_inner_texts()
    assert errors == [f"{model['recon']:.1f}" for model in expected["models"]]

    third = shown.locator(".image-columns > li").nth(3)  # the first item has the titles
    assert third.locator("small").all_inner_texts() == [f"{n[2]:.0f}" for n in expected["nats"]]
    for canvas, image in zip(
        third.locator("canvas").all(),
        (expected["originals"][2], *expected["images"][:, 2]),
        strict=True,
    ):
        np.testing.assert_array_equal(pixels_of(canvas), image)
    for canvas in shown.locator("figure canvas").all():
        assert canvas.evaluate(INKED) > 100
    assert_fits(page, width)

    mu = checkpoints["long"].means[expected["indices"][2]].tolist()
    third.get_by_role("button").click()
    page.wait_for_function(
        "([x, y]) => Math.hypot(latentSpace.state.z.x - x, latentSpace.state.z.y - y) < 0.01",
        arg=mu,
    )
    shown.locator(".back").click()
    expect(page.locator("#beta-open")).to_be_focused()
    page.wait_for_function("() => latentSpace.state.epoch !== null")
    expect(page.locator("#replay .now")).to_contain_text(f"Epoch {SHORT}")


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 720), (390, 844)])
def test_both_maps_are_in_view_with_the_controls(
    open_replay: OpenPage, width: int, height: int
) -> None:
    page = open_replay(width)
    page.set_viewport_size({"width": width, "height": height})
    compare(page)
    page.locator(COMPARED).scroll_into_view_if_needed()
    for part in ("#latent-map .map-frame", COMPARED, "#replay .play", "#replay .epoch"):
        box = box_of(page.locator(part))
        assert box["y"] >= -1, part
        assert box["y"] + box["height"] <= height + 1, part
    assert box_of(page.locator(COMPARED))["width"] >= 300


def test_a_replay_is_loaded_once_when_it_is_first_wanted(visit: Visits, address: str) -> None:
    page = visit(address)
    after_timers(page, 0)
    assert fetched(visit) == [], "its tab is not open yet"
    open_tab(page, TAB)
    page.wait_for_selector(SHOWN)
    assert len(fetched(visit)) == 1
    for both in (True, False, True):
        compare(page, both)
    assert len(fetched(visit)) == 2
    open_tab(page, "Paths")
    open_tab(page, TAB)
    after_timers(page, 0)
    assert len({request.url for request in fetched(visit)}) == len(fetched(visit)) == 2


def test_a_closed_tab_pauses_and_is_drawn_anew_when_it_opens(open_replay: OpenPage) -> None:
    page = open_replay(color_scheme="light")
    compare(page)
    root, compared = page.locator("#replay .replay"), page.locator(COMPARED)
    page.locator("#replay .play").click()
    wait_for_epoch(page, ">= 1")
    open_tab(page, "Paths")
    expect(root).to_have_attribute("data-playing", "false")
    assert_trained(page)
    epoch = root.get_attribute("data-epoch")
    before = compared.get_attribute("width")
    page.set_viewport_size({"width": 900, "height": 900})
    page.locator("#theme").click()
    after_timers(page, 500)  # the longest that an epoch plays
    assert compared.get_attribute("width") == before
    open_tab(page, TAB)
    page.wait_for_function(
        "() => { const c = document.querySelector('#replay .replay .compared');"
        " return c.width === Math.round(c.clientWidth * devicePixelRatio); }"
    )
    assert compared.get_attribute("width") != before
    expect(root).to_have_attribute("data-epoch", str(epoch))
    expect(root).to_have_attribute("data-playing", "false")
    name = page.locator("#latent-map .epoch-name")
    expect(name).to_contain_text(f"epoch {epoch} of {LAST}")


def test_nothing_moves_while_the_replay_loads_and_plays(visit: Visits, address: str) -> None:
    held: list[Route] = []
    page = visit(address, fresh=True, reduced_motion="no-preference")
    page.route(REPLAYS, lambda route: held.append(route))
    open_tab(page, TAB)
    wait_until(page, lambda: len(held) == 1, "the replay is not requested")
    after_timers(page, 500)  # what moves this long after a click counts
    page.evaluate(
        """() => { window.shifted = 0; new PerformanceObserver((list) => {
             for (const { value, hadRecentInput } of list.getEntries())
               if (!hadRecentInput) shifted += value;
           }).observe({ type: 'layout-shift' }); }"""
    )
    held[0].continue_()
    page.wait_for_selector(SHOWN)
    page.locator("#replay .play").click()
    wait_for_epoch(page, ">= 12")
    assert page.evaluate("() => shifted") < 0.001


@pytest.mark.guarantee("clients-isolated")
def test_failing_server_is_reported_and_loading_can_be_repeated(
    visit: Visits, address: str
) -> None:
    held: list[Route] = []
    page = visit(address)
    page.route(REPLAYS, lambda route: held.append(route))
    open_tab(page, TAB)
    expect(page.locator("#replay .replay .loading")).to_have_text("Loading the training replay…")
    expect(page.locator("#replay .play")).to_be_hidden()
    assert_trained(page)
    wait_until(page, lambda: len(held) == 1, "the replay is not requested")
    page.route(REPLAYS, lambda route: route.abort())
    held[0].abort()
    failed = page.locator("#replay .replay .failed")
    expect(failed).to_contain_text("the server is not responding")
    assert_trained(page)
    page.unroute(REPLAYS)
    failed.get_by_role("button", name="Try again").click()
    page.wait_for_selector(SHOWN)
    expect(failed).to_be_hidden()

    # A second model that fails to load leaves the first on the page.
    page.route(REPLAYS, lambda route: route.fulfill(status=500, json={"error": "no"}))
    page.locator("#replay .model").select_option("short")
    expect(failed).to_be_visible()
    scrub(page, 3)
    expect(page.locator("#latent-map .epoch-name")).to_contain_text(f"Epoch 3 of {LAST}")
    compare(page, False)
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
            for box in boxes_of(page.locator("#replay :is(button, input, select)")):
                assert box["height"] >= 36
                assert box["width"] >= 36
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= width
            if both:
                assert box_of(page.locator(COMPARED))["width"] >= 160


def test_keyboard_reaches_the_controls_and_the_theme_changes_the_ink(
    open_replay: OpenPage,
) -> None:
    page = open_replay(color_scheme="light")
    page.locator("#replay .play").focus()
    for selector in (".previous", ".epoch", ".next", ".speed", "#lab-open", ".model"):
        page.keyboard.press("Tab")
        expect(page.locator(f"#replay {selector}")).to_be_focused()
    page.locator("#replay .epoch").focus()
    page.keyboard.press("Home")
    expect(page.locator("#replay .replay")).to_have_attribute("data-epoch", "0")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#replay .replay")).to_have_attribute("data-epoch", "1")
    compare(page)
    after_frame(page)
    drawn = """() => [%s].map((name) => document.querySelector(name).toDataURL())"""
    drawn %= ", ".join(map(json.dumps, (MAP, COMPARED)))
    before = page.evaluate(drawn)
    page.locator("#theme").click()
    page.wait_for_function(
        f"(before) => ({drawn})().every((image, i) => image !== before[i])", arg=before
    )


@pytest.mark.guarantee("replay-and-lessons")
def test_long_training_shows_the_moments_that_were_kept(visit: Visits, long_address: str) -> None:
    page = visit(long_address, 1280)
    open_tab(page, TAB)
    page.wait_for_selector(SHOWN)
    replay = page.locator("#replay")
    expect(replay.locator(".models label")).to_be_hidden()  # there is only one
    marks = {}
    for epoch, moment in ((0, 0), (3, 0), (4, 4), (303, 300), (600, 600), (601, 601)):
        replay.locator(".epoch").fill(str(epoch))
        expect(replay.locator(".now")).to_contain_text(f"Epoch {epoch} of 601")
        expect(replay.locator(".heading span")).to_have_text(f"epoch {moment}")
        if epoch < LONG_RUN:
            name = page.locator(".map-frame .epoch-name b")
            expect(name).to_have_text(f"Epoch {moment} of 601")
        marks[epoch] = replay.locator("[data-curve=kl] circle").get_attribute("cx")
    assert marks[601] is not None
    assert float(marks[601]) > float(marks[303] or "nan") > float(marks[4] or "nan")
    drawn = re.findall(r"[ML]", replay.locator("[data-curve=kl] .curve").get_attribute("d") or "")
    assert len(drawn) == 151
