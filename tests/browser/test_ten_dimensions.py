"""The page of a model of ten dimensions, of which two are unused."""

import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

from latent_navigator.checkpoint.checkpoint import Checkpoint, save_checkpoint
from latent_navigator.explorer.latent_space import LatentSpace
from tests.browser.helpers import (
    OpenPage,
    Visits,
    assert_fits,
    compare,
    decoded,
    open_tab,
    pixels_of,
    settle,
    view_point,
    wait_until,
)
from tests.conftest import Demo

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


def coordinates(page: Page) -> list[float]:
    """The ten numbers of z."""
    found: list[float] = page.evaluate(
        "() => latentSpace.state.plane.coordinates(latentSpace.state.z)"
    )
    return found


def assert_decoded(page: Page, space: LatentSpace) -> None:
    """The image on the page is PyTorch's decoding of the ten numbers, up to 1 of 255."""
    settle(page)
    expected = space.decode_images(torch.tensor([coordinates(page)]))[0]
    assert np.abs(decoded(page).astype(int) - expected).max() <= 1


def test_a_drag_decodes_the_plane_without_a_request(
    open_ten: OpenPage, visit: Visits, ten_space: LatentSpace
) -> None:
    page = open_ten()
    assert_decoded(page, ten_space)  # a prototype, off the plane
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
    expect(page.locator("#plane .holds")).to_contain_text(f"holds {share} % of the variance")


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
    wait_until(
        page,
        lambda: np.array_equal(pixels_of(rows.first.locator("canvas").nth(1)), decoded(page)),
        "the strip shows the image at z",
    )
    rows.first.locator(".name").click()
    expect(page.locator("#plane .off")).to_have_text("z lies in this plane")
    assert coordinates(page) == pytest.approx(z, abs=2e-3)
    assert page.evaluate("() => latentSpace.state.z.x") == pytest.approx(-2, abs=2e-3)
    # A link opens the same plane and position.
    link = page.evaluate("() => latentSpace.state.link")
    other = open_ten(link, width, height)
    other.wait_for_function("() => latentSpace.state.plane.spec.kind === 'dimensions'")
    assert coordinates(other) == pytest.approx(z, abs=2e-3)


def test_two_dimensions_show_no_plane(visit: Visits, served: str) -> None:
    page = visit(served)
    for selector in ("#plane", "#tab-dimensions", "#dimensions"):
        expect(page.locator(selector)).to_be_hidden()
    assert page.evaluate("() => latentSpace.state.link").startswith("x=")
