"""Training from the page, on the digits of the tests with a small model."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from latent_navigator.app.lab_routes import ON_NETWORK, LabAccess
from latent_navigator.checkpoint.checkpoint import Checkpoint, load_checkpoint
from latent_navigator.lab.lessons import LESSONS
from tests.browser.helpers import (
    INKED,
    OpenPage,
    Visits,
    assert_fits,
    map_point,
    move_to,
    open_tab,
    stored_position,
)
from tests.browser.labs import EVERYTHING, Served, serve_lab
from tests.helpers import HANG

pytestmark = pytest.mark.browser

SHOWN = "(key) => window.latentSpace?.props.model.key === key"
MAP = "#latent-map .map-base"
HASH = """(canvas) => { let h = 0;
  for (const v of canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data)
    h = (31 * h + v) | 0;
  return h; }"""


@pytest.fixture
def lab(visit: Visits, small_checkpoint: Checkpoint, tmp_path: Path) -> Iterator[Served]:
    with serve_lab(tmp_path, small_checkpoint) as served:
        yield served
        visit.leave()


def open_lab(page: Page) -> None:
    open_tab(page, "Training")
    page.locator("#lab-open").click()


def wait_for_moments(page: Page, count: int) -> None:
    """Wait until the map rests at the last of so many snapshots."""
    # The first one takes as long as a process that imports torch.
    page.wait_for_selector(f"#lab .run[data-moments='{count}']", timeout=1000 * HANG)
    at_last = "(last) => +document.querySelector('#lab .moment').value === last"
    page.wait_for_function(at_last, arg=count - 1)


def hash_of(page: Page, selector: str = MAP) -> int:
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    return int(page.locator(selector).evaluate(HASH))


def drag(page: Page, x: float) -> None:
    """Another user drags, and the cursor follows at once."""
    page.bring_to_front()
    page.mouse.move(*map_point(page, 0, 0))
    page.mouse.down()
    page.mouse.move(*map_point(page, x, 0.5), steps=20)
    page.mouse.up()
    position = stored_position(page)
    assert position == pytest.approx((x, 0.5), abs=0.1)
    assert page.evaluate("() => latentSpace.state.epoch") is None  # the live map is for who asks


@pytest.mark.guarantee("training-watched")
def test_a_model_is_trained_stopped_resumed_and_compared(visit: Visits, lab: Served) -> None:
    other = visit(lab.address, fresh=True)
    page = visit(lab.address, reduced_motion="no-preference")
    open_lab(page)
    expect(page.locator("#lab .presets button")).to_have_count(5)
    page.locator("#lab [name=epochs]").fill("6")
    page.locator("#lab [name=beta]").fill("0.5")
    page.locator("#lab [name=warmup_epochs]").fill("1")
    expect(page.locator("#lab .command code")).to_contain_text("--epochs 6 --beta 0.5")
    expect(page.locator("#lab .outcome")).to_contain_text("About ")
    page.locator("#lab .start").click()
    # The map changes, snapshot by snapshot, before the run ends.
    seen = []
    for count in range(1, 8):
        lab.allow(count)
        page.bring_to_front()
        wait_for_moments(page, count)
        seen.append(hash_of(page))
        drag(other, 0.2 * count - 1)
    assert len(set(seen)) >= 6
    expect(page.locator("#lab .message")).to_have_text("Training…")
    name = re.compile("^Training ?, a model is being trained$")  # Playwright adds the space
    training = page.get_by_role("tab", name=name)
    expect(training.locator(".sign")).to_be_visible()
    expect(page.locator("#lab .plot")).to_have_count(3)
    expect(page.locator("#latent-map .epoch-name b")).to_have_text(re.compile("^Epoch 3"))
    # It decodes: what the run draws at the cursor is on the first screen.
    assert page.locator("#digit .epoch-image").evaluate(INKED) > 700

    # A second user finds the run, with its whole history.
    open_lab(other)
    wait_for_moments(other, 7)
    other.locator("#lab .back").click()
    assert other.evaluate("() => latentSpace.state.epoch") is None

    page.bring_to_front()
    page.locator("#lab .stop").click()
    expect(page.locator("#lab .message")).to_have_text("Stopped. Epochs 1 to 3 are saved.")
    expect(page.locator("#tab-training .sign")).to_be_hidden()
    page.locator("#lab .resume").click()
    expect(page.locator("#lab .message")).to_have_text("Training…")
    lab.allow(EVERYTHING)
    expect(page.locator("#lab .message")).to_have_text("Finished after 6 epochs.")
    wait_for_moments(page, 10)
    expect(page.locator("#lab .explore")).to_be_visible()
    run = lab.supervisor.runs()[0]
    assert len(load_checkpoint(run.paths.output).history) == 6

    # Back in its history, and beside the training of the model that is explored.
    page.locator("#lab .moment").fill("1")
    expect(page.locator("#lab .scrub output")).to_have_text("epoch 0.5 of 6")
    assert hash_of(page) in seen[:3]
    page.locator("#lab .follow").click()
    expect(page.locator("#lab .scrub output")).to_have_text("epoch 6 of 6")
    page.locator("#lab .against select").select_option(index=1)
    expect(page.locator("#lab .frame")).to_be_visible()
    assert page.locator("#lab .compared").evaluate(INKED) > 100
    expect(page.locator("#lab .frame .epoch-name")).to_have_text(re.compile("epoch 6 of 40"))

    # Outside of the lab, the map shows the trained model again.
    open_tab(page, "Explore")
    move_to(page, 0.3, 0.4)
    assert page.evaluate("() => latentSpace.state.epoch") is None
    assert_fits(page, 1440)

    # The new model is explored, compared, and opened by its link in a second browser.
    open_tab(page, "Training")
    page.locator("#lab .explore").click()
    page.wait_for_function(SHOWN, arg=run.name)
    assert urlsplit(page.url).query == f"model={run.name}"
    move_to(page, 0.6, 0.2)
    drag(other, 0.5)
    page.bring_to_front()
    page.click("#models summary")
    page.click("#models .compare")
    expect(page.locator("#side-by-side .compare-map")).to_be_visible()
    page.wait_for_function("latentSpace.state.link.startsWith('x=0.6&y=0.2')")
    other.goto(page.url.split("#")[0] + "#x=0.6&y=0.2")
    other.wait_for_function(SHOWN, arg=run.name)
    assert stored_position(other) == pytest.approx((0.6, 0.2))
    assert other.locator(MAP).evaluate(INKED) > 500


@pytest.mark.guarantee("training-failures")
def test_a_run_that_fails_says_why_and_the_form_names_what_is_wrong(
    visit: Visits, lab: Served
) -> None:
    page = visit(lab.address, 390, 844)
    open_lab(page)
    page.locator("#lab [name=latent_dim]").fill("1")
    expect(page.locator("#lab .outcome")).to_have_text(
        "The number of latent dimensions is 1; give 2 to 64."
    )
    page.locator("#lab .start").click()
    expect(page.locator("#lab .outcome")).to_have_class(re.compile("wrong"))
    assert lab.supervisor.runs() == []
    page.locator("#lab [name=latent_dim]").fill("2")
    page.locator("#lab [name=limit]").fill("501")  # of 500
    expect(page.locator("#lab .command code")).to_contain_text("--limit 501")
    lab.allow(EVERYTHING)
    page.locator("#lab .start").click()
    expect(page.locator("#lab .message")).to_have_text(
        "Limit is 501; the data set has 500 training images. No epoch was completed.",
        timeout=1000 * HANG,  # a process that imports torch
    )
    page.locator("#lab .log summary").click()
    expect(page.locator("#lab .log pre")).to_contain_text("trainer.py: limit is 501")
    assert_fits(page, 390)
    for button in page.locator("#lab button:visible, #lab summary:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 43.5, button.inner_text()


@pytest.mark.guarantee("training-watched")
def test_ten_dimensions_are_trained_and_explored(visit: Visits, lab: Served) -> None:
    page = visit(lab.address, reduced_motion="no-preference")
    open_lab(page)
    page.locator("#lab").get_by_role("button", name="Ten dimensions").click()
    page.locator("#lab [name=epochs]").fill("2")
    page.locator("#lab [name=beta]").fill("0.1")
    expect(page.locator("#lab .command code")).to_contain_text("--latent-dim 10")
    page.locator("#lab .start").click()
    wait_for_moments(page, 1)
    before = hash_of(page)
    lab.allow(EVERYTHING)
    expect(page.locator("#lab .message")).to_have_text("Finished after 2 epochs.")
    page.wait_for_function("() => latentSpace.state.epoch")
    assert hash_of(page) != before
    page.locator("#lab .explore").click()
    page.wait_for_function(SHOWN, arg=lab.supervisor.runs()[0].name)
    page.wait_for_selector("#latent-map[data-ready=true]")
    assert page.evaluate("latentSpace.props.latent_dim") == 10
    expect(page.locator("#plane")).to_contain_text("variance")
    open_tab(page, "Dimensions")
    expect(page.locator("#dimensions > .rows .name")).to_have_count(10)
    page.locator("#dimensions > .rows .name").first.click()
    page.wait_for_function("latentSpace.state.plane.spec.kind === 'dimensions'")


@pytest.mark.guarantee("training-access")
def test_only_who_has_started_a_run_stops_it(
    visit: Visits, small_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    access = LabAccess(True, "0.0.0.0")  # --allow-training, for any user
    with serve_lab(tmp_path, small_checkpoint, access) as lab:
        page, other = visit(lab.address), visit(lab.address)
        open_lab(page)
        page.locator("#lab .start").click()
        expect(page.locator("#lab .stop")).to_be_visible()
        other.bring_to_front()
        open_lab(other)
        expect(other.locator("#lab .others")).to_have_text(
            "Another user started this run; only they can stop it."
        )
        expect(other.locator("#lab .stop")).to_be_hidden()
        # The user who has started it may close the page meanwhile.
        page.bring_to_front()
        page.reload()
        open_lab(page)
        expect(page.locator("#lab .others")).to_be_hidden()
        page.locator("#lab .stop").click()
        expect(page.locator("#lab .message")).to_have_text("Stopped. No epoch was completed.")
        visit.leave()


def test_the_course_ends_with_the_lessons_that_train(visit: Visits, lab: Served) -> None:
    page = visit(lab.address)
    open_tab(page, "Lessons")
    course = page.locator("#lessons .train-too")
    count = page.evaluate("latentSpace.props.lessons.length")
    expect(course.get_by_role("button")).to_have_text(
        [f"{count + 1 + i}. {lesson.title}" for i, lesson in enumerate(LESSONS)]
    )
    expect(course.locator("p")).to_contain_text("trains a small model in the Training tab")
    course.get_by_role("button").nth(1).click()
    expect(page.locator("#tab-training")).to_have_attribute("aria-selected", "true")
    task = page.locator("#lab [data-lesson=collapse]")
    expect(task).to_have_attribute("open", "")
    expect(task.get_by_role("button")).to_be_in_viewport()


def test_the_buttons_of_the_training_tab_stand_in_one_row(open_page: OpenPage) -> None:
    page = open_page(1280, 720)
    open_tab(page, "Training")
    parts = [part.bounding_box() for part in page.locator("#replay .models > *").all()]
    assert len({part["y"] for part in parts if part}) == 1
    menu = page.locator("#replay .models select").bounding_box()
    assert menu is not None
    assert menu["width"] >= 145  # its first line is legible


def test_where_training_is_off_one_sentence_says_how_to_turn_it_on(
    open_page: OpenPage,
) -> None:
    def off(page: Page) -> None:
        page.route(
            re.compile("/lab/status"), lambda route: route.fulfill(json={"message": ON_NETWORK})
        )

    page = open_page(before=off)
    open_lab(page)
    expect(page.locator("#lab .off")).to_have_text(ON_NETWORK)
    expect(page.locator("#lab .start")).to_be_hidden()
    open_tab(page, "Lessons")
    expect(page.locator("#lessons .train-too p")).to_have_text(ON_NETWORK)


def test_a_server_that_does_not_answer_is_named_and_asked_again(
    open_page: OpenPage, visit: Visits
) -> None:
    page = open_page()
    page.route(re.compile("/lab/"), lambda route: route.abort())
    open_lab(page)
    expect(page.locator("#lab .failed")).to_contain_text("The server is not responding")
    page.unroute(re.compile("/lab/"))
    page.locator("#lab .retry").click()
    expect(page.locator("#lab .start")).to_be_visible()
    visit.ignore("Failed to load")
