"""The lessons on the page, in a real Chromium: the first screen and the lessons alone."""

import re

import gradio as gr
import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

from benchmarks.server import free_port
from demo import launch_options
from latent_navigator.app.layout import build_instrument, build_lessons
from latent_navigator.checkpoint.checkpoint import DEFAULT_PATH, load_checkpoint
from latent_navigator.explorer.directions import sensitivities
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.lessons import check_lesson, lessons
from tests.browser.test_page import PIXELS, SERVER, map_point, wait_for
from tests.conftest import ROOT
from tests.unit.test_lessons import NAMES, meets_goal

pytestmark = pytest.mark.browser
LESSONS = lessons(LatentSpace(load_checkpoint(ROOT / DEFAULT_PATH)))


@pytest.fixture(scope="module")
def address(space):
    """Of a page with the first screen and the lessons beside another tab."""
    space.once(sensitivities)  # the graph, before the first question
    with gr.Blocks(analytics_enabled=False) as demo:
        build_instrument(space)
        with gr.Tabs():
            with gr.Tab("Other"):
                gr.Markdown("Nothing.")
            with gr.Tab("Lessons"):
                build_lessons(space)
    _, address, _ = demo.launch(
        server_port=free_port(), prevent_thread_lock=True, quiet=True, **launch_options()
    )
    yield address
    demo.close()


@pytest.fixture
def open_lessons(visit, address):
    """open_lessons(width, height, ...) -> the page on its tab."""

    def open_(*size: int, **options) -> Page:
        page = visit(address, *size, **options)
        page.get_by_role("tab", name="Lessons").click()
        page.wait_for_selector("#lessons [data-state=shown]")
        return page

    yield open_
    # A test that breaks the network on purpose makes the console say so.
    visit.forgive("Failed to load resource")


@pytest.fixture(scope="module")
def places(space):
    """For each lesson a position that meets its goal and one that does not, by brute force."""
    tried = torch.randn(800, 2, generator=torch.Generator().manual_seed(1)).clamp(-4, 4)
    tried = (tried.double() * 1000).round() / 1000
    found = {}
    for name in NAMES:
        done = meets_goal(space, name, tried, space.once(sensitivities).numpy())
        found[name] = tried[done][0].tolist(), tried[~done][0].tolist()
    return found


def go(page: Page, place: list[float]) -> None:
    page.evaluate("([x, y]) => latentSpace.set({ x, y })", place)
    page.wait_for_selector("#lessons [data-state=shown]")


def show(page: Page, name: str) -> None:
    page.locator("#lessons .steps button").nth(NAMES.index(name)).click()
    page.wait_for_selector("#lessons [data-state=shown]")


def test_a_lesson_is_solved_with_the_pointer(open_lessons, space, places):
    page = open_lessons()
    lesson = LESSONS[0]
    expect(page.locator("#lessons .count")).to_have_text("Lesson 1 of 6")
    expect(page.locator("#lessons .title")).to_have_text(lesson.title)
    expect(page.locator("#lessons .task")).to_have_text(lesson.task)
    expect(page.locator("#lessons .solved")).to_be_hidden()
    good, wrong = places[lesson.key]
    for place in (wrong, good):
        page.mouse.click(*map_point(page, *place))
        page.wait_for_selector("#lessons [data-state=shown]")
        z = page.evaluate("() => latentSpace.z")
        answer = check_lesson(space, lesson.key, z["x"], z["y"])
        expect(page.locator("#lessons .message")).to_have_text(answer["message"])
        if not answer["done"]:
            expect(page.locator("#lessons .solved")).to_be_hidden()
    if not answer["done"]:  # a pixel of the map may be too coarse: then the keys go on from there
        page.locator("#latent-map .map-top").focus()
        for key, gap in (("Right", good[0] - z["x"]), ("Up", good[1] - z["y"])):
            for _ in range(round(abs(gap) / 0.01)):
                key = {"Right": "Left", "Up": "Down"}.get(key, key) if gap < 0 else key
                page.keyboard.press(f"Arrow{key}")
    expect(page.locator("#lessons .solved")).to_contain_text("✓ Solved at (")
    expect(page.locator("#lessons .solved")).to_contain_text(lesson.why)
    expect(page.locator("#lessons .steps button").first).to_have_text("✓ 1")
    expect(page.locator("#lessons .next")).to_have_text("Next")


@pytest.mark.guarantee("tabs-work")
def test_all_lessons_can_be_solved_and_stay_done(open_lessons, space, places):
    page = open_lessons()
    steps = page.locator("#lessons .steps button")
    expect(steps).to_have_count(6)
    for i, lesson in enumerate(LESSONS):
        good, wrong = places[lesson.key]
        go(page, wrong)
        show(page, lesson.key)
        expect(page.locator("#lessons .title")).to_have_text(lesson.title)
        told = check_lesson(space, lesson.key, *wrong)["message"]
        expect(page.locator("#lessons .message")).to_have_text(told)
        expect(page.locator("#lessons .solved")).to_be_hidden()
        go(page, good)
        expect(page.locator("#lessons .solved")).to_contain_text(lesson.why)
        expect(steps.nth(i)).to_have_text(f"✓ {i + 1}")
        # It stays done elsewhere, and the words tell of the new place.
        go(page, wrong)
        expect(page.locator("#lessons .message")).to_have_text(told)
        expect(page.locator("#lessons .solved")).to_contain_text("✓ Solved at")
    expect(page.locator("#lessons .solved")).to_contain_text("All 6 lessons are done.")
    page.get_by_role("tab", name="Other").click()
    page.get_by_role("tab", name="Lessons").click()
    for i in range(6):
        expect(steps.nth(i)).to_have_text(f"✓ {i + 1}")
    page.locator("#lessons .next").click()
    expect(page.locator("#lessons .count")).to_have_text("Lesson 1 of 6")


def test_back_skip_and_hint(open_lessons):
    page = open_lessons()
    back, next_ = page.locator("#lessons .back"), page.locator("#lessons .next")
    count, hint = page.locator("#lessons .count"), page.locator("#lessons .hint p")
    expect(back).to_have_attribute("aria-disabled", "true")
    for i, lesson in enumerate(LESSONS):
        expect(count).to_have_text(f"Lesson {i + 1} of 6")
        expect(hint).to_be_hidden()
        page.locator("#lessons summary").click()
        expect(hint).to_be_visible()
        expect(hint).to_have_text(lesson.hint)
        current = page.locator("#lessons .steps [aria-current=step]")
        expect(current).to_have_accessible_name(re.compile(f"^Lesson {i + 1}: {lesson.title}"))
        if i < 5:
            expect(next_).to_have_text("Skip")
            next_.click()
    expect(next_).to_have_text("To lesson 1")
    back.click()
    expect(count).to_have_text("Lesson 5 of 6")
    # With keys alone.
    page.locator("#lessons .steps button").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(count).to_have_text("Lesson 2 of 6")


def test_the_small_digit_is_that_of_the_first_screen(open_lessons):
    page = open_lessons()
    go(page, [-1.2, 0.7])
    page.wait_for_selector("#digit [data-kind=exact]")
    page.wait_for_function("() => +document.querySelector('#digit .view').dataset.x === -1.2")
    live = page.locator("#lessons .live").evaluate(
        """(canvas) => { const d = canvas.getContext('2d').getImageData(0, 0, 28, 28).data;
             return Array.from({ length: 784 }, (_, i) => d[4 * i]); }"""
    )
    gap = np.abs(np.array(live) - np.array(page.evaluate(PIXELS)))
    assert max(live) > 100 and gap.mean() < 2


def test_out_of_sight_a_line_tells_and_leads_back(open_lessons, places):
    page = open_lessons(1440, 900)
    page.evaluate("() => window.scrollTo(0, 0)")
    bar = page.locator("#lessons .bar")
    expect(bar).to_contain_text(LESSONS[0].title)
    expect(bar.locator("span")).to_have_text(page.locator("#lessons .message").inner_text())
    box = bar.bounding_box()
    assert box["y"] + box["height"] <= 900
    tabs = [tab.bounding_box() for tab in page.get_by_role("tab").all()]
    assert all(box["x"] > tab["x"] + tab["width"] for tab in tabs), "it covers the tabs"
    note = page.locator("#note p").bounding_box()
    assert box["y"] > note["y"] + note["height"], "it covers the panel"
    go(page, places["no_data"][0])
    expect(bar).to_contain_text("✓ Lesson 1 done.")
    bar.locator(".return").click()
    expect(bar).to_be_hidden()
    expect(page.locator("#lessons .solved")).to_be_in_viewport()
    page.evaluate("() => window.scrollTo(0, 0)")
    expect(bar).to_be_visible()
    bar.locator(".hide").click()
    expect(bar).to_be_hidden()
    page.get_by_role("tab", name="Other").click()
    expect(bar).to_be_hidden()


def test_a_closed_tab_asks_nothing(open_lessons):
    page = open_lessons()
    asked = []
    page.on("request", lambda r: asked.append(r) if '"no_data"' in (r.post_data or "") else None)
    page.get_by_role("tab", name="Other").click()
    page.evaluate("() => latentSpace.set({ x: 1, y: 1 })")
    page.wait_for_timeout(500)
    assert not asked
    page.get_by_role("tab", name="Lessons").click()
    expect(page.locator("#lessons .message")).to_contain_text("encoded within 0.1")
    wait_for(page, 1, asked)


def test_the_newest_answer_wins(open_lessons, space, places):
    """An answer that comes late, for a place that was left, is not shown."""
    page = open_lessons()
    good, wrong = places["no_data"]
    held = []

    def hold(route):
        if str(good[0]) in (route.request.post_data or "") and "no_data" in route.request.post_data:
            held.append(route)
        else:
            route.continue_()

    page.route(SERVER, hold)
    page.evaluate("([x, y]) => latentSpace.set({ x, y })", good)
    wait_for(page, 1, held)
    go(page, wrong)
    for route in held:
        route.continue_()
    page.wait_for_timeout(500)
    told = check_lesson(space, "no_data", *wrong)["message"]
    expect(page.locator("#lessons .message")).to_have_text(told)
    expect(page.locator("#lessons .solved")).to_be_hidden()


@pytest.mark.guarantee("clients-isolated")
def test_a_server_that_fails_is_told(open_lessons, places):
    page = open_lessons()
    page.route(SERVER, lambda route: route.abort())
    page.evaluate("() => latentSpace.set({ x: 0.5, y: 0.5 })")
    expect(page.locator("#lessons .message")).to_have_text(
        "The server is not responding. Move on to try again."
    )
    expect(page.locator("#lessons .lessons")).to_have_attribute("data-state", "failed")
    page.unroute(SERVER)
    go(page, places["no_data"][0])
    expect(page.locator("#lessons .solved")).to_contain_text("✓ Solved at")


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_lessons_fit_the_screen(open_lessons, places, width):
    page = open_lessons(width, 844, has_touch=True)
    for lesson in LESSONS:
        go(page, places[lesson.key][0])
        show(page, lesson.key)
        page.locator("#lessons summary").click()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        for part in page.locator("#lessons .lessons > *:not(.bar), #lessons button").all():
            if not part.is_visible():
                continue
            box = part.bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= width + 0.5
        for button in page.locator("#lessons .steps button, #lessons .ways button").all():
            box = button.bounding_box()
            assert box["width"] >= 44 and box["height"] >= 40
    page.evaluate("() => window.scrollTo(0, 0)")
    bar = page.locator("#lessons .bar")
    expect(bar).to_be_visible()
    box = bar.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width and box["height"] < 130


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_stand_out_from_the_ground(open_lessons, places, theme):
    page = open_lessons()
    page.evaluate(f"() => document.body.classList.toggle('dark', {str(theme == 'dark').lower()})")
    go(page, places["no_data"][0])
    for part in (".title", ".told", ".count", ".solved b", ".steps [data-done=true]"):
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
        light = sorted(map(luminance, colours))
        assert (light[1] + 0.05) / (light[0] + 0.05) >= 4.5, (part, colours)


def luminance(rgb: list[float]) -> float:
    """Relative luminance after WCAG 2."""
    linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
