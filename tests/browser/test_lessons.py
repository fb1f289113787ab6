"""The Lessons tab."""

import re

import pytest
import torch
from playwright.sync_api import Page, expect

from latent_navigator.explorer.directions import sensitivities
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.lesson import Lesson
from latent_navigator.explorer.lesson_solutions import check_lesson, solve_lesson
from latent_navigator.explorer.lessons import lessons
from tests.browser.helpers import (
    READY,
    OpenPage,
    Visits,
    after_timers,
    assert_fits,
    box_of,
    boxes_of,
    fail_calls,
    hold_calls,
    map_point,
    move_to,
    open_tab,
    pixels_of,
    settle,
    stored_position,
    unroute_calls,
    wait_for,
    wait_until,
)
from tests.browser.test_in_view import DESKTOPS, PHONE, assert_shown
from tests.unit.test_lessons import NAMES, meets_goal

pytestmark = pytest.mark.browser

Solutions = dict[str, tuple[list[float], list[float]]]
SHOWS_SENSITIVITY = "() => latentSpace.state.layers.sensitivity"


@pytest.fixture(scope="module")
def texts(space: LatentSpace) -> list[Lesson]:
    return lessons(space)


@pytest.fixture(scope="module")
def solutions(space: LatentSpace) -> Solutions:
    """For each lesson a position that meets its goal and one that does not, by brute force."""
    z = torch.randn(20, 2, generator=torch.Generator().manual_seed(1)).clamp(-4, 4)
    z = (z.double() * 1000).round() / 1000
    norms = space.once(sensitivities).numpy()
    found = {}
    for name in NAMES:
        solution = solve_lesson(space, name, 0, 0)["goal"]
        assert meets_goal(space, name, [solution], norms)[0]
        other = z[~meets_goal(space, name, z, norms)][0].tolist()
        found[name] = solution, other
    return found


@pytest.fixture
def open_lessons(open_page: OpenPage) -> OpenPage:
    """open_lessons(width, height, ...) -> the page on its Lessons tab."""

    def open_(width: int = 1440, height: int = 900, **options: bool) -> Page:
        page = open_page(width, height, **options)
        open_tab(page, "Lessons")
        wait_for_check(page)
        return page

    return open_


def wait_for_check(page: Page) -> None:
    page.wait_for_selector("#lessons [data-state=shown]")


def go(page: Page, target: list[float]) -> None:
    """Move the cursor and wait for the check there."""
    if stored_position(page) != tuple(target):
        move_to(page, *target)
    wait_for_check(page)


def show(page: Page, name: str) -> None:
    """Show a lesson and wait for its check."""
    page.locator("#lessons .steps button").nth(NAMES.index(name)).click()
    wait_for_check(page)


def press_arrows(page: Page, dx: float, dy: float) -> None:
    """Move the cursor by (dx, dy), in steps of 0.05."""
    page.locator("#latent-map .map-top").focus()
    for distance, more, less in ((dx, "ArrowRight", "ArrowLeft"), (dy, "ArrowUp", "ArrowDown")):
        for _ in range(round(abs(distance) / 0.05)):
            page.keyboard.press(more if distance > 0 else less)


def test_lesson_is_solved_with_the_pointer(
    open_lessons: OpenPage, space: LatentSpace, solutions: Solutions, texts: list[Lesson]
) -> None:
    page, lesson = open_lessons(), texts[0]
    expect(page.locator("#lessons .count")).to_have_text("Lesson 1 of 6")
    expect(page.locator("#lessons .title")).to_have_text(lesson.title)
    expect(page.locator("#lessons .task")).to_have_text(lesson.task)
    expect(page.locator("#lessons .solved")).to_be_hidden()
    solution, other = solutions[lesson.key]
    for target in (other, solution):
        page.mouse.click(*map_point(page, *target))
        wait_for_check(page)
        x, y = stored_position(page)
        answer = check_lesson(space, lesson.key, x, y)
        expect(page.locator("#lessons .message")).to_have_text(answer["message"])
        if not answer["done"]:
            expect(page.locator("#lessons .solved")).to_be_hidden()
    if not answer["done"]:  # a pixel of the map may be too coarse
        press_arrows(page, solution[0] - x, solution[1] - y)
    expect(page.locator("#lessons .solved")).to_contain_text("✓ Solved at (")
    expect(page.locator("#lessons .solved")).to_contain_text(lesson.learnt)
    expect(page.locator("#lessons .steps button").first).to_have_text("✓ 1")
    expect(page.locator("#lessons .next")).to_have_text("Next")


@pytest.mark.guarantee("tabs-work")
def test_all_lessons_can_be_solved_and_stay_solved(
    open_lessons: OpenPage,
    visit: Visits,
    space: LatentSpace,
    solutions: Solutions,
    texts: list[Lesson],
) -> None:
    page = open_lessons()
    steps, solved = page.locator("#lessons .steps button"), page.locator("#lessons .solved")
    message = page.locator("#lessons .message")
    expect(steps).to_have_count(6)
    for i, lesson in enumerate(texts):
        solution, other = solutions[lesson.key]
        go(page, other)
        show(page, lesson.key)
        expect(page.locator("#lessons .title")).to_have_text(lesson.title)
        described = check_lesson(space, lesson.key, *other)["message"]
        expect(message).to_have_text(described)
        expect(solved).to_be_hidden()
        go(page, solution)
        expect(solved).to_contain_text(lesson.learnt)
        expect(steps.nth(i)).to_have_text(f"✓ {i + 1}")
        # It is frozen: at another position nothing contradicts it.
        won = message.inner_text()
        assert won == check_lesson(space, lesson.key, *solution)["message"]
        visit.requests.clear()
        move_to(page, *other)
        settle(page)
        after_timers(page, 200)
        assert visit.calls("check") == []
        expect(message).to_have_text(won)
        expect(solved).to_contain_text("✓ Solved at")
    expect(solved).to_contain_text("All 6 lessons are solved.")
    open_tab(page, "About")
    open_tab(page, "Lessons")
    for i in range(6):
        expect(steps.nth(i)).to_have_text(f"✓ {i + 1}")
    page.locator("#lessons .next").click()
    expect(page.locator("#lessons .count")).to_have_text("Lesson 1 of 6")


def test_a_lesson_is_not_solved_by_the_position_at_which_it_is_opened(
    open_lessons: OpenPage, solutions: Solutions, texts: list[Lesson]
) -> None:
    page, lesson = open_lessons(), texts[3]
    solution, other = solutions[lesson.key]
    go(page, solution)
    show(page, lesson.key)
    expect(page.locator("#lessons .message")).to_contain_text("This position already solves it")
    expect(page.locator("#lessons .solved")).to_be_hidden()
    go(page, other)
    go(page, solution)
    expect(page.locator("#lessons .solved")).to_contain_text(lesson.learnt)


def test_back_skip_and_hint(open_lessons: OpenPage, texts: list[Lesson]) -> None:
    page = open_lessons()
    back, forward = page.locator("#lessons .back"), page.locator("#lessons .next")
    count, hint = page.locator("#lessons .count"), page.locator("#lessons .hint p")
    expect(back).to_have_attribute("aria-disabled", "true")
    for i, lesson in enumerate(texts):
        expect(count).to_have_text(f"Lesson {i + 1} of 6")
        expect(hint).to_be_hidden()
        page.locator("#lessons .hint summary").click()
        expect(hint).to_be_visible()
        expect(hint).to_have_text(lesson.hint)
        current = page.locator("#lessons .steps [aria-current=step]")
        expect(current).to_have_accessible_name(re.compile(f"^Lesson {i + 1}: {lesson.title}"))
        if i < 5:
            expect(forward).to_have_text("Skip")
            forward.click()
    expect(forward).to_have_text("Go to lesson 1")
    expect(page.locator("#lessons .start-again")).to_be_hidden()
    back.click()
    expect(count).to_have_text("Lesson 5 of 6")
    # By keyboard.
    page.locator("#lessons .steps button").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(count).to_have_text("Lesson 2 of 6")


def test_bar_repeats_the_message_above_other_tabs(
    open_lessons: OpenPage, solutions: Solutions, texts: list[Lesson]
) -> None:
    page = open_lessons(1440, 900)
    bar = page.locator("#lesson-bar")
    expect(bar).to_be_hidden()
    open_tab(page, "Explore")
    expect(bar).to_contain_text(texts[0].title)
    expect(bar).to_contain_text(texts[0].task)
    expect(bar.locator(".feedback")).to_have_text(
        page.locator("#lessons .closeness").text_content() or "missing"
    )
    box, digits = box_of(bar), box_of(page.locator("#digits"))
    assert box["y"] + box["height"] <= digits["y"], "it covers what the lesson asks for"
    move_to(page, *solutions["no_data"][0])
    expect(bar).to_contain_text("✓ Lesson 1 solved.")
    bar.locator(".return").click()
    expect(bar).to_be_hidden()
    expect(page.locator("#lessons .solved")).to_be_in_viewport()
    open_tab(page, "Paths")
    expect(bar).to_be_visible()
    bar.locator(".hide").click()
    expect(bar).to_be_hidden()
    open_tab(page, "About")
    expect(bar).to_be_hidden()


def test_feedback_says_warmer_and_colder(
    open_lessons: OpenPage, solutions: Solutions, space: LatentSpace
) -> None:
    page = open_lessons()
    (x, y), _ = solutions["no_data"]
    closeness = page.locator("#lessons .closeness")
    for far, word in ((0.9, "The nearest"), (0.6, "Warmer"), (1.2, "Colder")):
        go(page, [x, y - far])
        distance = check_lesson(space, "no_data", x, y - far)["distance"]
        if word == "The nearest":  # the first check was where the page opened
            expect(closeness).to_contain_text(f"nearest solution is {distance:.2f} away")
            before = distance
            continue
        expect(closeness).to_contain_text("Warmer" if distance < before else "Colder")
        expect(closeness).to_contain_text(f"{distance:.2f} away, {abs(distance - before):.2f} ")
        before = distance


def test_show_me_walks_to_a_solution_and_it_can_be_tried_again(
    open_lessons: OpenPage, space: LatentSpace, texts: list[Lesson]
) -> None:
    page = open_lessons()
    index = NAMES.index("sensitive")
    show(page, "sensitive")
    start = stored_position(page)
    page.locator("#lessons .show-me").click()
    solved = page.locator("#lessons .solved")
    expect(solved).to_contain_text("Solution shown at (")
    expect(solved).to_contain_text(texts[index].learnt)
    goal = solve_lesson(space, "sensitive", *start)["goal"]
    assert stored_position(page) == tuple(goal)
    assert page.evaluate(SHOWS_SENSITIVITY)
    step = page.locator("#lessons .steps button").nth(index)
    expect(step).to_have_text(f"{index + 1}")  # it was not solved by the user
    page.locator("#lessons .show-me").click()
    wait_for_check(page)
    assert not page.evaluate(SHOWS_SENSITIVITY), "only the solution needed the layer"
    expect(page.locator("#lessons .message")).to_contain_text("This position already solves it")
    go(page, list(start))
    expect(page.locator("#lessons .show-me")).to_have_text("Show me")
    go(page, goal)
    expect(page.locator("#lessons .show-me")).to_have_text("Try again")
    expect(step).to_have_text(f"✓ {index + 1}")


def test_layers_of_a_solution_go_with_its_lesson_and_the_users_own_stay(
    open_lessons: OpenPage,
) -> None:
    page = open_lessons()
    page.evaluate("() => latentSpace.state.toggleLayer('images')")
    before = page.evaluate("() => ({ ...latentSpace.state.layers })")
    assert not before["regions"]
    show(page, "border")
    page.locator("#lessons .show-me").click()
    expect(page.locator("#lessons .solved")).to_contain_text("Solution shown at (")
    assert page.evaluate("() => latentSpace.state.layers.regions")
    open_tab(page, "Explore")  # the lesson goes on in the bar
    assert page.evaluate("() => latentSpace.state.layers.regions")
    page.locator("#lesson-bar .hide").click()
    assert page.evaluate("() => ({ ...latentSpace.state.layers })") == before
    open_tab(page, "Lessons")
    show(page, "mixed")
    page.locator("#lessons .show-me").click()
    expect(page.locator("#lessons .solved")).to_contain_text("Solution shown at (")
    for _ in range(2):  # off and on again: from now on it is the user's
        page.locator("#latent-map [data-layer=regions]").click()
    show(page, "no_data")
    assert page.evaluate("() => latentSpace.state.layers.regions")


def test_both_sides_of_a_boundary_are_seen(open_lessons: OpenPage, space: LatentSpace) -> None:
    page = open_lessons(1280, 720)
    show(page, "border")
    page.locator("#lessons .show-me").click()
    canvases = page.locator("#lessons .solved canvas")
    expect(canvases).to_have_count(2)
    expect(canvases.last).to_be_in_viewport(ratio=1)
    expect(page.locator("#lessons .solved figcaption").last).to_contain_text("Among the 9s")
    answer = check_lesson(space, "border", *stored_position(page))
    for canvas, image in zip(canvases.all(), answer["images"], strict=True):
        expected = space.decode_images(torch.tensor([image["position"]]))[0].astype(int)
        assert abs(pixels_of(canvas) - expected).max() <= 1


def test_a_verdict_is_marked_as_old_while_the_cursor_is_dragged(open_lessons: OpenPage) -> None:
    page = open_lessons()
    head, feedback = page.locator("#lessons .now b"), page.locator("#lesson-bar .feedback")
    expect(head).to_have_text("At the cursor")
    x, y = map_point(page, 0.5, 0.5)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y)
    expect(head).to_have_text("At the previous position. Release to check here.")
    expect(feedback).to_have_text("Release to check here.")
    page.mouse.up()
    expect(head).to_have_text("At the cursor")
    expect(feedback).to_contain_text(re.compile("Warmer|Colder"))


@pytest.mark.guarantee("tabs-work")
def test_progress_survives_a_reload_until_it_is_started_again(
    open_lessons: OpenPage, solutions: Solutions, texts: list[Lesson]
) -> None:
    page = open_lessons()
    go(page, solutions["no_data"][0])
    show(page, "far_out")
    page.locator("#lessons .show-me").click()
    steps, solved = page.locator("#lessons .steps button"), page.locator("#lessons .solved")
    expect(solved).to_contain_text("Solution shown at (")
    page.reload()
    page.wait_for_selector(READY[0])
    open_tab(page, "Lessons")
    expect(page.locator("#lessons .count")).to_have_text("Lesson 6 of 6")
    expect(solved).to_contain_text(texts[5].learnt)
    expect(steps.first).to_have_text("✓ 1")
    page.get_by_role("button", name="Start again").click()
    expect(steps.first).to_be_focused()
    expect(page.locator("#lessons .count")).to_have_text("Lesson 1 of 6")
    assert steps.all_inner_texts() == list("123456")
    expect(page.locator("#lessons .start-again")).to_be_hidden()


def test_lesson_on_ink_is_solved_within_its_tab(open_lessons: OpenPage) -> None:
    page = open_lessons(1280, 720)
    show(page, "little_ink")
    go_there, less = page.locator("#lessons .actions button").all()
    go_there.click()
    settle(page)
    solved = page.locator("#lessons .solved")
    acted = page.locator("#lessons .acted")
    for _ in range(8):
        moves = page.evaluate("() => latentSpace.state.moves")
        less.click()
        page.wait_for_function(  # a click while an earlier one is unanswered does nothing
            """(moves) => latentSpace.state.moves > moves
              || document.querySelector("#lessons .acted").textContent""",
            arg=moves,
        )
        settle(page)
        wait_for_check(page)
        if solved.is_visible():
            break
    # Otherwise it says why it stops, and what to do.
    stopped = acted.filter(has_text="start from another")
    expect(solved.or_(stopped).first).to_be_visible()


@pytest.mark.guarantee("screen-sizes")
@pytest.mark.parametrize(("width", "height"), [*DESKTOPS, PHONE])
def test_task_and_feedback_are_in_view_in_every_tab(
    open_lessons: OpenPage, texts: list[Lesson], width: int, height: int
) -> None:
    page = open_lessons(width, height)
    assert_shown(page, page.locator("#lessons .task"), "Lessons")
    assert_shown(page, page.locator("#lessons .closeness"), "Lessons")
    assert_shown(page, page.locator("#lessons .show-me"), "Lessons")
    for tab in ("Explore", "Paths", "Directions", "Draw", "Training", "About"):
        open_tab(page, tab)
        bar = page.locator("#lesson-bar")
        assert_shown(page, bar.locator("b"), tab)
        assert_shown(page, bar.locator(".feedback"), tab)
        expect(bar).to_contain_text(texts[0].title)
        bottom = box_of(bar)["y"] + box_of(bar)["height"]
        panel = box_of(page.locator("#panels > :visible").first)
        assert bottom <= panel["y"] + 1, f"the bar covers {tab}"


def test_a_lesson_out_of_sight_sends_no_checks(open_lessons: OpenPage, visit: Visits) -> None:
    page = open_lessons()
    open_tab(page, "About")
    page.locator("#lesson-bar .hide").click()
    visit.requests.clear()
    move_to(page, 1, 1)
    settle(page)
    after_timers(page, 200)  # the delay after which an open tab sends one
    assert visit.calls("check") == []
    open_tab(page, "Lessons")
    wait_until(page, lambda: visit.calls("check"), "the open tab sends none")
    expect(page.locator("#lessons .message")).to_contain_text("encoded within 0.1")


def test_newest_check_is_shown(
    open_lessons: OpenPage, space: LatentSpace, solutions: Solutions
) -> None:
    """A late answer for an earlier position is dropped."""
    page = open_lessons()
    solution, other = solutions["no_data"]
    held = hold_calls(page, "check")
    move_to(page, *solution)
    late = wait_for(page, 1, held)
    move_to(page, *other)
    wait_for(page, 2, held).continue_()
    wait_for_check(page)
    with page.expect_response(lambda response: response.request == late.request):
        late.continue_()
    after_timers(page, 0)
    message = check_lesson(space, "no_data", *other)["message"]
    expect(page.locator("#lessons .message")).to_have_text(message)
    expect(page.locator("#lessons .solved")).to_be_hidden()


@pytest.mark.guarantee("clients-isolated")
def test_failing_server_is_reported(
    open_lessons: OpenPage, visit: Visits, solutions: Solutions
) -> None:
    page = open_lessons()
    fail_calls(page)
    move_to(page, 0.5, 0.5)
    expect(page.locator("#lessons .message")).to_have_text(
        "The server is not responding. Move the cursor to retry."
    )
    expect(page.locator("#lessons .lessons")).to_have_attribute("data-state", "failed")
    unroute_calls(page)
    go(page, solutions["no_data"][0])
    expect(page.locator("#lessons .solved")).to_contain_text("✓ Solved at")
    visit.ignore("Failed to load resource")


def test_lessons_fit_the_screen(
    open_lessons: OpenPage, solutions: Solutions, texts: list[Lesson]
) -> None:
    page = open_lessons(1280, 844, has_touch=True)
    for width in (1280, 768, 390):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_function("(width) => window.innerWidth === width", arg=width)
        for lesson in texts:
            go(page, solutions[lesson.key][0])
            show(page, lesson.key)
            page.locator("#lessons .hint summary").click()
            assert_fits(page, width)
            assert_parts_fit(page, width)
        open_tab(page, "Explore")
        bar = box_of(page.locator("#lesson-bar"))
        assert bar["x"] >= 0
        assert bar["x"] + bar["width"] <= width
        assert bar["height"] < 130
        open_tab(page, "Lessons")


def assert_parts_fit(page: Page, width: int) -> None:
    """All parts of the tab are on the screen, its buttons large enough for a finger."""
    for box in boxes_of(page.locator("#lessons .lessons > *, #lessons button")):
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width + 0.5
    buttons = page.locator("#lessons .steps button, #lessons .navigation button")
    for box in boxes_of(buttons):
        assert box["width"] >= 44
        assert box["height"] >= 40


def test_text_has_contrast_in_both_themes(open_lessons: OpenPage, solutions: Solutions) -> None:
    page = open_lessons()
    go(page, solutions["no_data"][0])
    for dark in (False, True):
        page.evaluate("(dark) => document.body.classList.toggle('dark', dark)", dark)
        for part in (".title", ".message", ".count", ".solved b", ".steps [data-done=true]"):
            colours = page.locator(f"#lessons {part}").first.evaluate(
                """(part) => {
                  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
                  const ink = numbers(getComputedStyle(part).color);
                  for (; part; part = part.parentElement) {
                    const [r, g, b, alpha = 1] = numbers(getComputedStyle(part).backgroundColor);
                    if (alpha === 1) return [ink, [r, g, b]];
                  }
                  return [ink, [255, 255, 255]];
                }"""
            )
            darker, lighter = sorted(map(luminance, colours))
            contrast = (lighter + 0.05) / (darker + 0.05)
            assert contrast >= 4.5, (part, dark, colours)


def luminance(rgb: list[float]) -> float:
    """The relative luminance of WCAG 2."""
    linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
