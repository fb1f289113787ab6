"""The page of models of other data sets: long class names, hostile ones, no digits."""

import dataclasses
import re
from collections.abc import Callable, Iterator

import pytest
import torch
from playwright.sync_api import Dialog, Page, expect

import trainer
from latent_navigator.checkpoint.checkpoint import Checkpoint, save_checkpoint
from latent_navigator.data.dataset_info import dataset_info
from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.presets import presets
from latent_navigator.training.config import TrainingConfig
from tests.browser.helpers import (
    OpenPage,
    Visits,
    after_timers,
    assert_fits,
    box_of,
    open_tab,
    pixels_of,
)
from tests.fixtures import SMALL, Demo

NAMES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Ankle boot", "Bag")
# Names that HTML, Markdown, LaTeX or a template would interpret.
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "<b>bold</b> &amp; _so_",
    "[a](javascript:alert(1))",
    "$$x^2$$ **y** `z`",
    "${1+1} \"'\\",
    "</script><svg onload=alert(1)>",
)
pytestmark = pytest.mark.browser

DemoOf = Callable[[tuple[str, ...], str], str]


TABS = ("Explore", "Paths", "Directions", "Draw", "Training", "Lessons", "About")


@pytest.fixture(scope="module")
def six_classes(
    digits: LabelledImages,
    small_config: TrainingConfig,
    tmp_path_factory: pytest.TempPathFactory,
) -> Checkpoint:
    """A small model of the shipped digits, dark on light, in six classes."""
    others = digits._replace(
        train_images=255 - digits.train_images,
        test_images=255 - digits.test_images,
        train_labels=digits.train_labels % 6,
        test_labels=digits.test_labels % 6,
        class_names=NAMES,
    )
    path = tmp_path_factory.mktemp("six") / "vae.pt"
    config = dataclasses.replace(small_config, epochs=12, output=str(path))
    checkpoint = trainer.train(config, SMALL, others)
    assert checkpoint is not None
    return checkpoint


@pytest.fixture(scope="module")
def demo_of(
    six_classes: Checkpoint,
    own_demo: Callable[..., Demo],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[DemoOf]:
    """demo_of(names, dataset) -> the address of a demo of the model, under other names."""
    started = []

    def start(names: tuple[str, ...], dataset: str) -> str:
        config = six_classes.training_config | {"dataset": dataset}
        renamed = dataclasses.replace(six_classes, class_names=list(names), training_config=config)
        path = tmp_path_factory.mktemp("others") / "vae.pt"
        save_checkpoint(path, renamed)
        process, address, log, _ = own_demo("--checkpoint", str(path))
        started.append((process, log))
        return address

    yield start
    for process, log in started:
        assert process.poll() is None
        assert "Traceback" not in log.read_text()


@pytest.fixture(scope="module")
def address(demo_of: DemoOf) -> str:
    return demo_of(NAMES, "fashion-mnist")


@pytest.fixture
def open_garments(visit: Visits, address: str) -> OpenPage:
    def open_(width: int, height: int) -> Page:
        return visit(address, width, height)

    return open_


@pytest.mark.guarantee("other-datasets")
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_class_names_replace_digits_everywhere(
    open_garments: OpenPage, width: int, height: int
) -> None:
    page = open_garments(width, height)
    expect(page.locator("#digits button")).to_have_text(list(NAMES))
    texts = [page.evaluate("document.body.innerText")]
    for tab in TABS:
        open_tab(page, tab)
        if tab == "Training":
            page.wait_for_selector("#replay [data-state=shown]")
        texts.append(page.evaluate("document.body.innerText"))
        assert_fits(page, width)
    text = "\n".join(texts)
    assert not re.search(r"digit", text, re.IGNORECASE), re.findall(r".*digit.*", text, re.I)[:5]
    assert "garment" in text
    assert "MNIST of 60,000" not in text
    assert all(name in text for name in NAMES)


@pytest.mark.guarantee("other-polarities")
def test_the_pad_has_the_polarity_of_the_training_images(open_garments: OpenPage) -> None:
    page = open_garments(1440, 900)
    open_tab(page, "Draw")
    paper = page.locator(".paper")
    paper.scroll_into_view_if_needed()
    expect(paper).to_have_css("background-color", "rgb(255, 255, 255)")
    box = box_of(paper)
    x, side = box["x"] + box["width"] / 2, box["width"]
    page.mouse.move(x, box["y"] + 0.15 * side)
    page.mouse.down()
    page.mouse.move(x, box["y"] + 0.85 * side, steps=5)
    page.mouse.up()
    page.locator(".draw[data-state=shown]").wait_for()
    ink = paper.evaluate("(c) => [...c.getContext('2d').getImageData(140, 140, 1, 1).data]")
    assert max(ink[:3]) < 40
    assert ink[3] == 255
    seen = pixels_of(page.locator(".draw .seen"))
    assert seen.mean() > 200, "the model sees dark strokes on white"
    assert seen.min() < 40


def test_first_screen_holds_long_names(open_garments: OpenPage) -> None:
    page = open_garments(1440, 900)
    for button in page.locator("#digits button").all():
        box = box_of(button)
        assert box["y"] + box["height"] <= 900
        # The name is not cut off.
        assert button.evaluate("b => b.scrollWidth <= b.clientWidth + 1"), button.inner_text()


@pytest.mark.guarantee("other-datasets")
def test_controls_use_class_names(open_garments: OpenPage) -> None:
    page = open_garments(1440, 900)
    page.get_by_role("button", name="Ankle boot", exact=True).first.click()
    expect(page.locator("#note")).to_contain_text("most typical Ankle boot")
    expect(page.locator("#readout")).to_contain_text(re.compile("|".join(NAMES)))
    open_tab(page, "Paths")
    page.locator("#compare").click()
    expect(page.locator("#film-strip .row")).to_have_count(4)
    heading = page.locator("#film-strip .row b").first.inner_text()
    assert any(name in heading for name in NAMES)
    for name in ("morph", "boundary", "paths", "random"):
        page.locator(f"#experiment-{name}").click()
        expect(page.locator("#path-note")).not_to_be_empty()
    assert not re.search(r"digit", page.locator("#path-note").inner_text(), re.IGNORECASE)


@pytest.mark.guarantee("names-shown-literally")
def test_names_are_shown_literally(demo_of: DemoOf, visit: Visits) -> None:
    page = visit(demo_of(HOSTILE, f"/pictures/{HOSTILE[0]}"))
    dialogs = []

    def dismiss(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    expect(page.locator("#digits button")).to_have_text(list(HOSTILE))
    for digit, name in enumerate(HOSTILE):
        for anchor in ("mean position", "most typical"):
            page.locator("#anchor").get_by_text(anchor).click()
            page.locator(f"#jump-{digit}").click()
            start = "The most typical " if anchor == "most typical" else ""
            expect(page.locator("#note")).to_contain_text(f"{start}{name}")
    open_tab(page, "Paths")
    for experiment, pattern in (
        ("morph", "{} morphs into {}."),
        ("boundary", "The boundary between {} and {}."),
    ):
        page.locator(f"#experiment-{experiment}").click()
        note = page.locator("#path-note strong")
        options = (re.escape(pattern.format(a, b)) for a in HOSTILE for b in HOSTILE)
        expect(note).to_have_text(re.compile("|".join(options)))
    for tab in TABS:
        open_tab(page, tab)
        if tab == "Training":
            page.wait_for_selector("#replay [data-state=shown]")
        after_timers(page, 100)
        foreign = "img[src=x], svg[onload], b b, a[href^=javascript], .katex"
        assert page.locator(foreign).count() == 0, tab
    expect(page.locator("#about").get_by_text(f"the folder {HOSTILE[0]}")).to_be_visible()
    assert dialogs == []
    page.remove_listener("dialog", dismiss)


def test_presets_are_classes_that_share_a_border() -> None:
    class Line(LatentSpace):
        """Four classes on a line; the second and third overlap."""

        def __init__(self) -> None:
            generator = torch.Generator().manual_seed(0)
            centres = torch.tensor([-3.0, -0.1, 0.1, 3.0])
            self.labels = torch.arange(4).repeat_interleave(100)
            noise = torch.randn(400, 2, generator=generator) * 0.2
            points = torch.stack([centres, centres * 0], 1)
            self.means = noise + points[self.labels]
            self.used, self.radius = torch.arange(2), 0.1
            self.class_names = ["a", "b", "c", "d"]
            self.info = dataset_info("letters", self.class_names)
            self.anchors = {"typical": points}
            self._computed, self._locks = {}, {}

    found = presets(Line())
    assert found.border == (1, 2)
    assert found.morph == (1, 2)
    assert found.ends == (0, 3)
