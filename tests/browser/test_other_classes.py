"""The page of a model of other pictures: six classes with long names, and no digits."""

import dataclasses
import re
from functools import partial

import pytest
import torch
from playwright.sync_api import expect

import trainer
from latent_navigator.checkpoint.checkpoint import save_checkpoint
from tests.conftest import SMALL

NAMES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Ankle boot", "Bag")
TABS = (
    "Paths",
    "Directions",
    "Your garment",
    "How it was learned",
    "Lessons",
    "How VAEs work",
    "This model",
)
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def demo_of(digits, small_config, own_demo, tmp_path_factory):
    """demo_of(names, dataset) -> a demo of a small model that takes the shipped digits for them."""
    started = []

    def start(names: tuple[str, ...], dataset: str) -> str:
        others = digits._replace(
            train_labels=digits.train_labels % len(names),
            test_labels=digits.test_labels % len(names),
            class_names=names,
        )
        path = tmp_path_factory.mktemp("others") / "vae.pt"
        config = dataclasses.replace(small_config, dataset=dataset, epochs=12, output=str(path))
        save_checkpoint(path, trainer.train(config, SMALL, others))
        process, address, log, _ = own_demo("--checkpoint", str(path))
        started.append((process, log))
        return address

    yield start
    for process, log in started:
        assert process.poll() is None and "Traceback" not in log.read_text()


@pytest.fixture(scope="module")
def address(demo_of):
    return demo_of(NAMES, "fashion-mnist")


@pytest.fixture
def open_garments(visit, address):
    return partial(visit, address)


def open_tab(page, name: str) -> None:
    """Where there is no room for all, the last ones are in a menu."""
    tab = page.get_by_role("tab", name=name, exact=True)
    if not tab.is_visible():
        page.locator(".overflow-menu > button").click()
        tab = page.locator(".overflow-dropdown button", has_text=name)
    tab.click()


def visible_words(page) -> str:
    return page.evaluate("document.body.innerText")


@pytest.mark.guarantee("other-datasets")
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_names_stand_wherever_digits_would(open_garments, width, height):
    page = open_garments(width, height)
    expect(page.locator("#digits button")).to_have_text(list(NAMES))
    words = [visible_words(page)]
    for tab in TABS:
        open_tab(page, tab)
        if tab == "How it was learned":
            page.wait_for_selector("#replay canvas")
        words.append(visible_words(page))
        assert page.evaluate("document.documentElement.scrollWidth") <= width, tab
    text = "\n".join(words)
    assert not re.search(r"digit", text, re.IGNORECASE), re.findall(r".*digit.*", text, re.I)[:5]
    assert "garment" in text and "MNIST of 60,000" not in text
    assert all(name in text for name in NAMES)


def test_the_first_screen_holds_long_names(open_garments):
    page = open_garments(1440, 900)
    for button in page.locator("#digits button").all():
        box = button.bounding_box()
        assert box["y"] + box["height"] <= 900
        # The name is not cut off.
        assert button.evaluate("b => b.scrollWidth <= b.clientWidth + 1"), button.inner_text()


@pytest.mark.guarantee("other-datasets")
def test_controls_go_by_names(open_garments):
    page = open_garments(1440, 900)
    page.get_by_role("button", name="Ankle boot", exact=True).first.click()
    expect(page.locator("#note")).to_contain_text("most typical Ankle boot")
    expect(page.locator("#digit")).to_contain_text(re.compile("|".join(NAMES)))
    page.locator("#compare").click()
    expect(page.locator("#film-strip .row")).to_have_count(4, timeout=60_000)
    heading = page.locator("#film-strip .row b").first.inner_text()
    assert any(name in heading for name in NAMES)
    for name in ("morph", "boundary", "ways", "random"):
        page.locator(f"#experiment-{name}").click()
        expect(page.locator("#path-note")).not_to_be_empty()
    assert not re.search(r"digit", page.locator("#path-note").inner_text(), re.IGNORECASE)


# Texts that HTML, Markdown, LaTeX or a template would take for something else.
ODD = (
    "<img src=x onerror=alert(1)>",
    "<b>bold</b> &amp; _so_",
    "[a](javascript:alert(1))",
    "$$x^2$$ **y** `z`",
    "${1+1} \"'\\",
    "</script><svg onload=alert(1)>",
)


@pytest.mark.guarantee("names-shown-literally")
def test_names_are_never_taken_for_anything_else(demo_of, visit):
    page, said = visit(demo_of(ODD, f"/pictures/{ODD[0]}")), []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    expect(page.locator("#digits button")).to_have_text(list(ODD))
    for digit, name in enumerate(ODD):
        for anchor in ("average", "typical"):
            page.locator("#anchor").get_by_text(anchor).click()
            page.locator(f"#jump-{digit}").click()
            start = "The most typical " if anchor == "typical" else ""
            expect(page.locator("#note")).to_contain_text(f"{start}{name}")
    for experiment, pattern in (
        ("morph", "{} morphs into {}."),
        ("boundary", "The boundary between {} and {}."),
    ):
        page.locator(f"#experiment-{experiment}").click()
        story = page.locator("#path-note strong")
        expect(story).to_have_text(
            re.compile("|".join(re.escape(pattern.format(a, b)) for a in ODD for b in ODD))
        )
    for tab in TABS:
        open_tab(page, tab.replace("garment", "picture"))
        page.wait_for_timeout(300)  # for what must not happen
        foreign = "img[src=x], svg[onload], b b, a[href^=javascript], .katex"
        assert page.locator(foreign).count() == 0, tab
    expect(page.get_by_text(f"the folder {ODD[0]}")).to_be_visible()
    assert said == []


def test_a_shared_border_is_found_in_the_data(digits):
    from latent_navigator.data.dataset_info import dataset_info
    from latent_navigator.explorer.latent_space import LatentSpace
    from latent_navigator.explorer.presets import presets

    class Line(LatentSpace):
        """Four classes side by side on a line; the second and third overlap."""

        def __init__(self):
            generator = torch.Generator().manual_seed(0)
            middles = torch.tensor([-3.0, -0.1, 0.1, 3.0])
            self.labels = torch.arange(4).repeat_interleave(100)
            noise = torch.randn(400, 2, generator=generator) * 0.2
            self.means = noise + torch.stack([middles, middles * 0], 1)[self.labels]
            self.class_names = ["a", "b", "c", "d"]
            self.info = dataset_info("letters", self.class_names)
            self.anchors = {"typical": torch.stack([middles, middles * 0], 1)}
            self._computed, self._locks = {}, {}

    found = presets(Line())
    assert found.border == found.morph == (1, 2) and found.ends == (0, 3)
