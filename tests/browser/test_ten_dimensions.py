"""The page of a model of ten dimensions, of which two are unused."""

import math
import re
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page, expect

from latent_navigator.checkpoint.checkpoint import Checkpoint, save_checkpoint
from latent_navigator.explorer.dimensions import dimension_name
from latent_navigator.explorer.inference import infer_test_image
from latent_navigator.explorer.latent_space import LatentSpace
from tests.browser.helpers import (
    INKED,
    OpenPage,
    Visits,
    assert_decoded,
    assert_fits,
    compare,
    coordinates,
    decoded,
    open_tab,
    pixels_of,
    settle,
    view_point,
    wait_until,
)
from tests.fixtures import Demo

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(
    ten_checkpoint: Checkpoint,
    own_demo: Callable[..., Demo],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    path = tmp_path_factory.mktemp("ten_page") / "vae.pt"
    save_checkpoint(path, ten_checkpoint)
    process, found, log, _ = own_demo("--checkpoint", str(path))
    yield found
    assert process.poll() is None
    assert "Traceback" not in log.read_text()


@pytest.fixture
def open_ten(visit: Visits, address: str) -> OpenPage:
    def open_(link: str = "", width: int = 1440, height: int = 900) -> Page:
        return visit(f"{address}#{link}", width, height)

    return open_


def test_a_drag_decodes_the_plane_without_a_request(
    open_ten: OpenPage, visit: Visits, ten_space: LatentSpace
) -> None:
    page = open_ten()
    assert_decoded(page, ten_space)  # a prototype, off the plane
    legend = page.locator("#latent-map .map-legend")
    expect(legend).to_contain_text(re.compile(r"from the plane: under [\d.]+σ to over [\d.]+σ"))
    expect(page.locator("#plane .off")).to_have_text(re.compile(r"z lies [\d.]+σ from this plane"))
    page.mouse.move(*view_point(page, 0, 0))
    page.mouse.down()
    for step in (0.3, 0.6, 0.9):
        page.mouse.move(*view_point(page, step, -step))
    assert visit.calls() == []
    assert_decoded(page, ten_space)
    page.mouse.up()
    on_plane = ten_space.plane.from_plane(torch.tensor([[0.9, -0.9]]))[0]
    assert coordinates(page) == pytest.approx(on_plane.tolist(), abs=0.02)
    expect(page.locator("#plane .off")).to_have_text("z lies in this plane")
    share = round(100 * ten_space.plane.variance_share(ten_space.means))
    expect(page.locator("#plane .holds")).to_contain_text(f"explains {share} % of the variance")


def test_a_switch_leaves_the_points_near_the_plane(
    open_ten: OpenPage, ten_space: LatentSpace
) -> None:
    page = open_ten("layers=points")
    expect(page.locator("#latent-map .map-legend")).to_contain_text("from the plane")
    points, switch = page.locator("[data-layer=points]"), page.locator("#plane input")

    def ink() -> int:
        return int(page.locator("#latent-map .map-base").evaluate(INKED))

    everything = ink()
    points.click()
    wait_until(page, lambda: ink() < everything, "the points are hidden")
    axes = ink()
    points.click()
    wait_until(page, lambda: ink() == everything, "the points are shown")
    distances = ten_space.plane.distance(ten_space.means).sort().values
    near = math.ceil(100 * float(distances[len(distances) // 5])) / 100
    count = int((distances <= near).sum())
    expect(page.locator("#plane .check")).to_contain_text(
        f"Only the {count} digits within {near:.2f}"
    )
    switch.check()
    few = axes + (everything - axes) / 2
    wait_until(page, lambda: axes < ink() < few, "points far from the plane vanish")
    assert "near=true" in page.evaluate("() => latentSpace.state.link")
    switch.uncheck()
    wait_until(page, lambda: ink() == everything, "they come back")


def test_every_tab_works_off_the_plane(open_ten: OpenPage, ten_space: LatentSpace) -> None:
    page = open_ten("layers=points,images,regions,rings,labels,round_trips")
    page.locator("#jump-3").click()
    assert coordinates(page) == pytest.approx(ten_space.anchor(3).tolist(), abs=2e-3)
    assert_decoded(page, ten_space)
    open_tab(page, "Directions")
    page.wait_for_selector(".directions[data-state=shown]")
    open_tab(page, "Paths")
    compare(page)
    page.locator("#film-strip .rows .frames button").nth(3).click()
    assert_decoded(page, ten_space)
    open_tab(page, "Lessons")
    page.wait_for_selector(".lessons[data-state=shown]")
    page.locator("#readout .nearest button").first.click()
    page.wait_for_function("() => latentSpace.state.reading?.mu.length === 10")
    open_tab(page, "Training")
    page.wait_for_selector("#replay [data-state=shown]")
    page.locator("#replay .previous").click()
    expect(page.locator("#readout .epoch-note")).to_contain_text("nearest of 81 recorded digits")


def shows(canvas: Locator, image: NDArray[np.uint8]) -> bool:
    return np.array_equal(pixels_of(canvas), image)


def test_past_epochs_show_reconstructions_where_they_are_encoded(
    open_ten: OpenPage, ten_space: LatentSpace
) -> None:
    page = open_ten("layers=images,points&plane=1,2:" + ",".join("0" * 10))
    page.wait_for_function("() => latentSpace.state.plane.spec.kind === 'dimensions'")
    open_tab(page, "Training")
    page.wait_for_selector("#replay [data-state=shown]")
    recorded = ten_space.checkpoint.snapshots
    rows = recorded.reconstructed
    shown = page.locator("#digit .epoch-image")
    for epoch in (1, len(recorded.means) - 2):
        page.locator("#replay .epoch").fill(str(epoch))
        xy = ten_space.plane.to_plane(recorded.means[epoch, rows].float())
        page.mouse.click(*view_point(page, *xy[40].tolist()))
        at = page.evaluate("() => [latentSpace.state.z.x, latentSpace.state.z.y]")
        nearest = int((xy - torch.tensor(at)).norm(dim=1).argmin())
        wait_until(
            page,
            partial(shows, shown, recorded.grids[epoch].view(81, 28, 28)[nearest].numpy()),
            "the nearest reconstruction is shown",
        )
    note = page.locator("#readout .epoch-note")
    expect(note).to_contain_text("this epoch's reconstruction of the test digit encoded at")
    expect(note).to_contain_text("the principal plane of the trained model")


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ("z=1,2,3", "z in the link is “1,2,3”; give 10 numbers with commas between them."),
        ("z=NaN" + ",0" * 9, "give 10 numbers with commas between them."),
        ("plane=0,1:" + ",".join("0" * 10), "The plane in the link: dimension is 0; give"),
    ],
)
def test_a_link_that_cannot_be_read_says_why(open_ten: OpenPage, link: str, sentence: str) -> None:
    page = open_ten(link)
    notice = page.locator("#model-notice")
    expect(notice).to_contain_text(sentence)
    assert all(math.isfinite(v) for v in coordinates(page))
    notice.get_by_role("button").click()
    expect(notice).to_be_hidden()


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_dimensions_are_listed_moved_and_turned_to(
    open_ten: OpenPage, ten_space: LatentSpace, width: int, height: int
) -> None:
    page = open_ten("", width, height)
    assert_fits(page, width)
    open_tab(page, "Dimensions")
    rows = page.locator("#dimensions > .rows li")
    expect(rows).to_have_count(8)
    expect(page.locator("#dimensions .unused summary")).to_contain_text("2 unused dimensions")
    assert_fits(page, width)
    z = coordinates(page)
    most_used = int(ten_space.kl.argmax())
    rows.first.locator(".strip button").nth(1).click()
    z[most_used] = -2
    assert coordinates(page) == pytest.approx(z, abs=2e-3)
    assert_decoded(page, ten_space)

    def the_strip_shows_z() -> bool:
        """Up to 1 of 255, since links round z."""
        shown = pixels_of(rows.first.locator("canvas").nth(1)).astype(int)
        return bool(np.abs(shown - decoded(page)).max() <= 1)

    wait_until(page, the_strip_shows_z, "the strip shows the image at z")
    rows.first.locator(".name").click()
    expect(page.locator("#plane .off")).to_have_text("z lies in this plane")
    assert coordinates(page) == pytest.approx(z, abs=2e-3)
    assert page.evaluate("() => latentSpace.state.z.x") == pytest.approx(-2, abs=2e-3)
    # A link opens the same plane and position.
    link = page.evaluate("() => latentSpace.state.link")
    other = open_ten(link, width, height)
    other.wait_for_function("() => latentSpace.state.plane.spec.kind === 'dimensions'")
    assert coordinates(other) == pytest.approx(z, abs=2e-3)


def test_a_path_is_turned_to_and_one_press_leads_back(
    open_ten: OpenPage, ten_space: LatentSpace
) -> None:
    page = open_ten()
    compare(page)
    rows = page.locator("#film-strip .row")
    curves = page.evaluate("() => latentSpace.state.paths.map(({ curve }) => curve.length)")
    assert rows.count() == len(curves) == 4
    z, back = coordinates(page), page.locator("#plane .back")
    expect(back).to_be_hidden()
    spherical = rows.nth(1).locator(".own-plane")
    off = (
        "() => Math.max(...latentSpace.state.paths[1].curve.map((z) => Math.hypot(...z.off ?? [])))"
    )
    before = page.evaluate(off)
    expect(spherical).to_contain_text(f"leaves the map's plane by up to {before:.2f}σ")
    spherical.locator("button").click()
    expect(spherical.locator("button")).to_have_attribute("aria-pressed", "true")
    expect(spherical).to_contain_text("The path lies in the map's plane")  # an arc is flat
    assert page.evaluate(off) < 0.005 < before
    assert coordinates(page) == pytest.approx(z, abs=2e-3)
    straight = rows.nth(0).locator(".own-plane")
    straight.locator("button").click()
    expect(page.locator("#plane .off")).to_have_text("z lies in this plane")  # A, B and the cursor
    expect(straight).to_contain_text("The path lies in the map's plane")
    expect(spherical.locator("button")).to_have_attribute("aria-pressed", "false")
    back.click()
    expect(back).to_be_hidden()
    share = round(100 * ten_space.plane.variance_share(ten_space.means))
    expect(page.locator("#plane .holds")).to_contain_text(f"explains {share} % of the variance")
    assert coordinates(page) == pytest.approx(z, abs=2e-3)


def test_the_cloud_of_ten_dimensions_is_dragged_and_its_dimensions_are_listed(
    open_ten: OpenPage, ten_space: LatentSpace
) -> None:
    page = open_ten()
    page.evaluate("() => latentSpace.openImage(4)")
    open_tab(page, "Draw")
    tab = page.locator("#own-digit")
    expect(tab.locator(".title")).to_contain_text("Test digit 4")
    answer = infer_test_image(ten_space, 4)
    kl = sorted(answer["kl_of_dimensions"], reverse=True)
    listed = tab.locator(".carried li b")
    assert listed.all_inner_texts() == [f"{nats:.2f}" for nats in kl if nats >= 0.05]
    others = len(kl) - listed.count()
    expect(tab.locator(".carried .rest")).to_contain_text(f"The other {others} dimensions have")
    balance = tab.locator(".balance")
    expect(balance).to_contain_text(f"+ {answer['kl']:.1f} =")
    mu = ten_space.plane.to_plane(torch.tensor([answer["mu"]]))[0]
    expect(tab.locator(".mu-x")).to_have_text(f"{float(mu[0]):+.2f}".replace("-", "−"))
    # The cloud moves in the plane: its KL grows by the change of half the square of its mean.
    tab.locator(".cloud-map").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(balance).to_contain_text("Your cloud")
    posterior = page.evaluate("() => latentSpace.highlight.pointed.posterior")
    moved = float(posterior["mu"]["x"])
    assert moved > float(mu[0])
    off = ten_space.plane.offset(torch.tensor([answer["mu"]]))[0]
    assert posterior["mu"]["off"] == pytest.approx(off.tolist(), abs=1e-4)
    total = answer["kl"] + (moved**2 - float(mu[0]) ** 2) / 2
    expect(balance).to_contain_text(f"+ {total:.1f} =")
    # Turned to another plane, it is the encoder's again.
    page.evaluate("() => document.querySelector('#dimensions .name').click()")
    expect(tab.locator(".reset")).to_be_disabled()
    expect(balance).to_contain_text("Drag the cloud to compare")


@pytest.fixture(scope="module")
def sixteen(
    sixteen_space: LatentSpace,
    own_demo: Callable[..., Demo],
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """The address of a model of sixteen dimensions."""
    path = tmp_path_factory.mktemp("sixteen") / "vae.pt"
    save_checkpoint(path, sixteen_space.checkpoint)
    return own_demo("--checkpoint", str(path)).address


def ends_differ(row: Locator) -> bool:
    """Whether the first and the last image of a traversal are different."""
    first, last = (pixels_of(row.locator("canvas").nth(at)) for at in (0, 6))
    return not np.array_equal(first, last)


def test_three_questions_about_sixteen_dimensions_take_three_actions_each(
    visit: Visits, sixteen: str, sixteen_space: LatentSpace
) -> None:
    page = visit(sixteen)
    # Which dimensions are used? One action.
    open_tab(page, "Dimensions")
    names = page.locator("#dimensions > .rows .name")
    order = sixteen_space.kl.argsort(descending=True).tolist()
    used = len(sixteen_space.used)
    assert 3 < used < 14, "this model is no test case"
    assert names.all_inner_texts() == [dimension_name(i + 1) for i in order[:used]]
    expect(page.locator("#dimensions .unused summary")).to_have_text(
        f"{16 - used} unused dimensions: the decoder ignores them."
    )
    # What do three of them do? One action each: the strip shows it, and z moves along it.
    for i in range(3):
        row = page.locator("#dimensions > .rows li").nth(i)
        wait_until(page, partial(ends_differ, row), "a used dimension changes nothing")
        ends = []
        for button in (0, 6):
            row.locator(".strip button").nth(button).click()
            settle(page)
            ends.append(decoded(page).astype(int))
        assert np.abs(ends[1] - ends[0]).max() > 25
    # Why does slerp exist? The lesson, what it asks for, and what is learnt.
    open_tab(page, "Lessons")
    page.locator(".lessons .steps button[aria-label*='Find out why spherical paths exist']").click()
    page.locator(".lessons .show-me").click()
    learnt = page.locator(".lessons .solved")
    expect(learnt).to_contain_text("Solution shown")
    expect(learnt).to_contain_text("spherical interpolation (slerp) keeps |z|")


def test_a_lesson_of_ten_dimensions_is_solved_by_its_own_buttons(open_ten: OpenPage) -> None:
    page = open_ten()
    open_tab(page, "Lessons")
    lessons = page.locator(".lessons")
    expect(lessons.locator(".title")).to_have_text("Find an unused dimension")
    expect(lessons.locator(".closeness")).to_contain_text("The nearest known solution is")
    lessons.locator(".actions button").nth(0).click()
    expect(lessons.locator(".message")).to_contain_text("No dimension differs")
    expect(lessons.locator(".closeness")).to_contain_text("Warmer")
    lessons.locator(".actions button").nth(1).click()
    bar = page.locator("#lesson-bar")
    expect(bar).to_contain_text("Find an unused dimension")
    page.locator("#dimensions .unused summary").click()
    page.locator("#dimensions .unused .strip button").first.click()
    expect(bar).to_contain_text("✓ Lesson 1 solved")
    expect(bar).to_contain_text("the decoder ignores it")


def test_two_dimensions_show_no_plane(visit: Visits, served: str) -> None:
    page = visit(served)
    for selector in ("#plane", "#tab-dimensions", "#dimensions"):
        expect(page.locator(selector)).to_be_hidden()
    assert page.evaluate("() => latentSpace.state.link").startswith("x=")
