"""What the page teaches: the ten questions of docs/teaching.md, and the tour from end to end."""

import math
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.helpers import (
    OpenPage,
    assert_fits,
    map_point,
    open_tab,
    pixels_of,
    settle,
    stored_position,
    wait_for_position,
    zoom,
)
from tests.fixtures import ROOT

pytestmark = pytest.mark.browser

SIZES = [(1280, 720), (390, 844)]
CARD = "#tour"
# The whole card beside the map and below the image or, on a phone, below the map.
CLEAR_OF_THE_MAP = """() => {
  const [card, map, digit] = ["#tour", "#latent-map .map-frame", "#digit .image"].map(
    (part) => document.querySelector(part).getBoundingClientRect());
  return card.top >= map.bottom - 1 || (card.left >= map.right && card.top >= digit.bottom);
}"""
# The pixels of each canvas on which something is drawn.
INKED = """(canvases) => canvases.map((canvas) =>
  canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
    .data.filter((level, j) => j % 4 === 3 && level > 0).length)"""


def layers(page: Page) -> list[str]:
    shown = page.evaluate("() => latentSpace.state.layers")
    return [key for key, on in shown.items() if on]


def opened_test_digit(page: Page) -> None:
    """Draw -> Random test digit."""
    open_tab(page, "Draw")
    page.locator("#own-digit .random").click()
    page.locator(".draw[data-state=shown]").wait_for()
    settle(page)


def see_encoder_and_decoder(page: Page) -> None:
    opened_test_digit(page)
    for name in ("seen", "decoded"):
        assert pixels_of(page.locator(f"#own-digit .{name}")).max() > 100, name
    assert page.locator("#own-digit .cloud-map").evaluate_all(INKED)[0] > 100
    expect(page.locator("#own-digit .cost")).to_contain_text("nats")
    mu = page.evaluate("() => latentSpace.state.reading.mu")
    assert stored_position(page) == pytest.approx(mu, abs=6e-4)


def see_distribution(page: Page) -> None:
    opened_test_digit(page)
    expect(page.locator("#own-digit .samples canvas")).to_have_count(8)
    x, y = page.evaluate(
        """() => latentSpace.state.reading.sigma.map(
          (sigma) => 2 * sigma * latentSpace.state.view.unit)"""
    )
    assert max(x, y) > 24, "the crosshair hides the cloud"


def open_comparison(page: Page) -> None:
    """Training -> What beta buys and costs."""
    open_tab(page, "Training")
    page.locator("#replay .replay[data-state=shown]").wait_for()
    page.locator("#beta-open").click()
    page.locator("#beta-comparison[data-state=shown]").wait_for()


def see_kl(page: Page) -> None:
    open_comparison(page)
    page.locator("#beta-clouds").scroll_into_view_if_needed()
    expect(page.locator("#beta-comparison .clouds canvas")).to_have_count(2)
    inked = page.locator("#beta-comparison .clouds canvas").evaluate_all(INKED)
    assert inked[0] > 2 * inked[1], "clouds of beta 4 overlap, those of beta 0.1 are islands"
    page.locator("#beta-comparison .back").click()


def see_beta(page: Page) -> None:
    open_comparison(page)
    expect(page.locator("#beta-comparison .figures tr")).to_have_count(6)
    expect(page.locator("#beta-comparison .digits canvas")).to_have_count(30)
    page.locator("#beta-comparison .back").click()


def see_neighbours(page: Page) -> None:
    open_tab(page, "Paths")
    page.locator("#experiment-boundary").click()
    expect(page.locator("#path-note")).to_contain_text("The boundary between 4 and 9")
    settle(page)
    page.wait_for_function("() => latentSpace.state.paths.length === 1")


def see_made_up(page: Page) -> None:
    page.locator("#latent-map .more summary").click()
    page.get_by_role("button", name="Prior vs. data").click()
    page.mouse.click(*map_point(page, 3.4, 3.4))
    expect(page.locator("#readout .support")).to_contain_text("No data here")


def see_mean(page: Page) -> None:
    open_tab(page, "Explore")
    page.locator("#jump-5").click()
    page.locator("#anchor label:last-child").click()
    expect(page.locator("#note")).to_contain_text("The mean position of all 5s lies among the 3s")


def see_paths(page: Page) -> None:
    open_tab(page, "Paths")
    page.locator("#compare").click()
    page.locator("#film-strip[aria-busy=false] .comparison").wait_for()
    assert len(page.evaluate("() => latentSpace.state.paths")) >= 3


def see_blur(page: Page) -> None:
    page.locator("#why-blurred summary").click()
    expect(page.locator("#why-blurred .explanation")).to_contain_text("mean")
    assert pixels_of(page.locator("#why-blurred .mean")).max() > 100
    page.keyboard.press("Escape")


def see_two_numbers(page: Page) -> None:
    open_tab(page, "About")
    page.locator("#about .gallery[data-state=shown]").scroll_into_view_if_needed()
    for kind in ("best", "worst"):
        expect(page.locator(f"#about [data-kind={kind}] canvas")).to_have_count(20)


# As in docs/teaching.md, in this order.
QUESTIONS: list[tuple[str, Callable[[Page], None]]] = [
    ("What do encoder and decoder do?", see_encoder_and_decoder),
    ("Why does the encoder give a distribution?", see_distribution),
    ("What does the KL do?", see_kl),
    ("What does beta do, and what does it cost?", see_beta),
    ("Why are these digits neighbours?", see_neighbours),
    ("Where does the model make things up?", see_made_up),
    ("Why not the mean of a class?", see_mean),
    ("Which path should I use?", see_paths),
    ("Why are the images blurred?", see_blur),
    ("Are two numbers enough?", see_two_numbers),
]


def test_each_question_is_answered_on_the_page(open_page: OpenPage) -> None:
    page = open_page(1280, 720, reduced_motion="no-preference")
    for question, see in QUESTIONS:
        page.evaluate("() => latentSpace.state.restore('#x=0&y=0')")
        see(page)
        assert page.locator("#latent-map .map-frame").is_visible(), question


def test_the_document_lists_the_questions() -> None:
    text = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| \d+\. (.+?) \|", text, re.MULTILINE)
    assert found == [question for question, _ in QUESTIONS]


def assert_step_is_shown(page: Page, step: dict[str, Any], width: int) -> None:
    """The text, the map and the image are on the screen, and nothing covers another."""
    card, key = page.locator(CARD), step["key"]
    expect(card).to_have_attribute("data-step", str(key))
    expect(card.locator(".title")).to_be_in_viewport(ratio=1)
    expect(card.locator(".text")).to_be_in_viewport(ratio=1)
    expect(card.locator(".next")).to_be_in_viewport(ratio=1)
    page.wait_for_function(CLEAR_OF_THE_MAP)
    digit = page.locator("#digit .image")
    expect(digit).to_be_in_viewport(ratio=1)
    assert sorted(layers(page)) == sorted(step["layers"])
    assert page.locator("[role=tabpanel]:visible").count() == bool(step["tab"])
    assert_fits(page, width)


@pytest.mark.guarantee("screen-sizes")
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_tour_leads_through_every_step_and_back(
    open_page: OpenPage, width: int, height: int
) -> None:
    page = open_page(width, height)
    assert not page.locator(CARD).is_visible()
    before = page.evaluate("() => latentSpace.state.link")
    page.locator("#heading .take-tour").click()
    for step in page.evaluate("() => latentSpace.props.tour"):
        end = step["route"][-1]
        wait_for_position(page, end["x"], end["y"])
        assert_step_is_shown(page, step, width)
        if step["opens"]:
            page.wait_for_function("() => latentSpace.state.reading")
        if step["press"] == "#compare":
            page.wait_for_function("() => latentSpace.state.paths.length > 2")
        page.locator(f"{CARD} .next").click()
    expect(page.locator(CARD)).to_be_hidden()
    assert page.evaluate("() => latentSpace.state.link") == before
    assert page.evaluate("() => latentSpace.state.tab") == "explore"


def test_keys_the_history_and_a_drag_in_the_tour(open_page: OpenPage) -> None:
    page = open_page(1280, 720, reduced_motion="no-preference")
    card = page.locator(CARD)
    page.locator("#heading .take-tour").click()
    expect(card).to_have_attribute("data-step", "decoder")
    settle(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageDown")
    expect(card).to_have_attribute("data-step", "cloud")
    page.wait_for_function("() => latentSpace.state.view.zoom > 3 && !latentSpace.state.travelling")
    page.keyboard.press("ArrowLeft")
    expect(card).to_have_attribute("data-step", "encoder")
    page.go_back()
    expect(card).to_have_attribute("data-step", "cloud")
    page.go_forward()
    expect(card).to_have_attribute("data-step", "encoder")
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    assert stored_position(page) == (0, 0)
    assert zoom(page) == 1
    # Whoever has moved the cursor keeps what they see; the tour goes on where it was left.
    page.locator("#heading .take-tour").click()
    expect(card).to_have_attribute("data-step", "encoder")
    page.mouse.click(*map_point(page, 2, -1))
    expect(card.locator(".after")).to_contain_text("keeps")
    card.locator(".leave").click()
    expect(card).to_be_hidden()
    assert stored_position(page) == pytest.approx((2, -1), abs=0.02)
    expect(page.get_by_role("button", name="Resume the tour").first).to_be_focused()


def test_the_step_on_beta_plays_the_training_with_its_curve_in_view(open_page: OpenPage) -> None:
    page = open_page(1280, 720)
    page.evaluate("() => { location.hash = '#tour=beta'; }")
    page.wait_for_function("() => latentSpace.state.epoch")  # though the replay was to be loaded
    expect(page.locator("#replay .plots > :last-child")).to_be_in_viewport(ratio=0.75)
    expect(page.locator("#replay .play")).to_be_in_viewport(ratio=1)
    assert_step_is_shown(page, page.evaluate("() => latentSpace.props.tour[4]"), 1280)


def test_the_layers_are_explained_where_no_mouse_hovers(open_page: OpenPage) -> None:
    page = open_page(390, 844, has_touch=True)
    open_tab(page, "About")
    explained = page.locator("#about .layers-explained")
    for layer in page.evaluate("() => latentSpace.props.layers"):
        expect(explained.get_by_role("term").filter(has_text=layer["label"])).to_be_visible()
        expect(explained.get_by_text(layer["help"], exact=True)).to_be_visible()
    assert_fits(page, 390)


def test_nats_are_explained_where_they_first_stand(open_page: OpenPage) -> None:
    page = open_page(1280, 720)
    opened_test_digit(page)
    explanation = "1 nat is 1.44 bits"
    assert math.exp(1.44 * math.log(2)) == pytest.approx(math.e, abs=0.02)
    expect(page.locator("#own-digit .answer")).to_contain_text(explanation)
    open_comparison(page)
    expect(page.locator("#beta-comparison")).to_contain_text(explanation)
    page.locator("#beta-comparison .back").click()
    expect(page.locator("#replay .replay")).to_contain_text(explanation)
    open_tab(page, "About")
    expect(page.locator("#about")).to_contain_text(explanation)


@pytest.mark.guarantee("links-restore-the-view")
def test_a_link_opens_a_step(open_page: OpenPage) -> None:
    page = open_page(1280, 720)
    page.evaluate("() => { location.hash = '#tour=cloud'; }")
    expect(page.locator(CARD)).to_have_attribute("data-step", "cloud")
    page.wait_for_function("() => latentSpace.state.reading && latentSpace.state.view.zoom > 3")
    page.evaluate("() => { location.hash = '#x=1&y=-1&layers=rings&tour=empty'; }")
    expect(page.locator(CARD)).to_have_attribute("data-step", "empty")
    assert stored_position(page) == (1, -1)
    assert layers(page) == ["rings"]
    page.evaluate("() => { location.hash = '#x=1&y=-1&tour=nowhere'; }")
    expect(page.locator(CARD)).to_be_hidden()
