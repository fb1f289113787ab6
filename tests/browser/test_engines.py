"""The page in Firefox and in WebKitGTK: what Chromium alone may not stand for."""

import base64
import io
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from latent_navigator.checkpoint.checkpoint import Checkpoint, save_checkpoint
from tests.browser.engines import (
    FIREFOX,
    MINI_BROWSER,
    WEBKIT_DRIVER,
    XVFB,
    Engine,
    firefox,
    webkit,
)
from tests.browser.labs import serve_lab
from tests.fixtures import Demo
from tests.helpers import HANG, wait_until

needs_firefox = pytest.mark.skipif(FIREFOX is None, reason="Firefox is not installed")
needs_webkit = pytest.mark.skipif(
    None in (WEBKIT_DRIVER, MINI_BROWSER, XVFB),
    reason="WebKitGTK's driver and Xvfb are not installed (webkit2gtk-driver, xvfb)",
)
pytestmark = [
    pytest.mark.browser,
    # Selenium's own class for WebKitGTK still uses what Selenium has deprecated.
    pytest.mark.filterwarnings("ignore:setting remote_server_addr:DeprecationWarning"),
]

SEVEN = [(0.25, 0.21), (0.73, 0.21), (0.43, 0.84)]  # fractions of the pad
SAVED = """(HTMLAnchorElement.prototype.click = function () {
  fetch(this.href).then((file) => file.text()).then((text) => {
    window.saved = [this.download, text];
  });
}) && 0"""
COLOURED = """[...document.querySelectorAll("#latent-map canvas")].some((canvas) => {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    const [r, g, b, a] = [data[i], data[i + 1], data[i + 2], data[i + 3]];
    count += a > 100 && Math.max(r, g, b) - Math.min(r, g, b) > 60;
  }
  return count > 500;
})"""

# The text of the tour beside the map or, on a phone, below it.
CLEAR_OF_THE_MAP = """(([text, map]) => text.left >= map.right || text.top >= map.bottom)(
  ["#tour .text", "#latent-map .map-frame"].map(
    (part) => document.querySelector(part).getBoundingClientRect()))"""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(firefox, marks=needs_firefox, id="firefox"),
        pytest.param(webkit, marks=needs_webkit, id="webkit"),
    ],
)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    start: Callable[[Path], Any] = request.param
    with start(tmp_path_factory.mktemp("engine")) as started:
        yield started


def wait(engine: Engine, condition: str) -> None:
    """Wait until an expression is true."""
    wait_until(lambda: engine.run(condition), HANG, condition)


def load(engine: Engine, address: str, width: int = 1280, height: int = 720) -> None:
    """Open the page and wait until it is ready."""
    engine.resize(width, height)
    engine.open(address)
    wait(engine, "!!document.querySelector('#latent-map[data-ready=true]')")
    wait(engine, "!!document.querySelector('#readout[data-state=shown]')")


def box(engine: Engine, selector: str) -> tuple[float, float, float, float]:
    """Left, top, width and height of an element, scrolled into view."""
    left, top, width, height = engine.run(
        f"""((element) => {{
          element.scrollIntoView({{ block: "nearest" }});
          const {{ left, top, width, height }} = element.getBoundingClientRect();
          return [left, top, width, height];
        }})(document.querySelector({selector!r}))"""
    )
    return left, top, width, height


def drag(engine: Engine, selector: str, points: list[tuple[float, float]]) -> None:
    """Drag the mouse through points, in fractions of an element; one point is a click."""
    left, top, width, height = box(engine, selector)

    def move(x: float, y: float) -> dict[str, Any]:
        at = {"x": round(left + x * width), "y": round(top + y * height)}
        return {"type": "pointerMove", "duration": 20, **at}

    steps = [
        move(x0 + (x1 - x0) * i / 8, y0 + (y1 - y0) * i / 8)
        for (x0, y0), (x1, y1) in itertools.pairwise(points)
        for i in range(1, 9)
    ]
    down, up = ({"type": f"pointer{end}", "button": 0} for end in ("Down", "Up"))
    mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}}
    engine.act([mouse | {"actions": [move(*points[0]), down, *steps, up]}])


def click(engine: Engine, selector: str) -> None:
    drag(engine, selector, [(0.5, 0.5)])


def press(engine: Engine, key: str) -> None:
    keys = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
    engine.act([{"type": "key", "id": "keyboard", "actions": keys}])


def open_tab(engine: Engine, name: str) -> None:
    engine.run(f"document.querySelector('#tab-{name.lower()}').click()")


def position(engine: Engine) -> tuple[float, float]:
    """Where the cursor is once nothing moves."""
    wait(engine, "!latentSpace.state.travelling")
    z = engine.run("latentSpace.state.z")
    return z["x"], z["y"]


def test_a_drag_moves_the_cursor_and_the_image(engine: Engine, served: str) -> None:
    load(engine, served)
    assert engine.run(COLOURED), "the points have no colours"
    before = engine.run("document.querySelector('#digit .image').toDataURL()")
    drag(engine, "#latent-map .map-top", [(0.5, 0.5), (0.7, 0.4)])
    limit = engine.run("latentSpace.state.view.half")
    assert position(engine) == pytest.approx((0.4 * limit, 0.2 * limit), abs=0.05)
    wait(engine, "+document.querySelector('#digit .view').dataset.x === latentSpace.state.z.x")
    assert engine.run("document.querySelector('#digit .image').toDataURL()") != before


def test_arrow_keys_move_a_slider(engine: Engine, served: str) -> None:
    load(engine, served)
    x, y = position(engine)
    click(engine, "#x-slider input[type=range]")
    engine.run("latentSpace.state.set({ x: 0, y: 0 })")
    for _ in range(3):
        press(engine, "\ue014")  # the right arrow key, as WebDriver writes it
    found = position(engine)
    assert found[0] > 0
    assert found[1] == 0
    number = engine.run("+document.querySelector('#x-slider input[type=number]').value")
    assert number == found[0]
    assert (x, y) != found


def test_paths_are_compared_and_saved(engine: Engine, served: str) -> None:
    load(engine, served)
    open_tab(engine, "Paths")
    click(engine, "#compare")
    wait(engine, "!!document.querySelector('#film-strip[aria-busy=false] .comparison')")
    assert len(engine.run("latentSpace.state.paths")) == 4
    engine.run(SAVED)
    click(engine, "#film-strip .row summary")
    wait(engine, "document.querySelector('#film-strip .row details').open")
    click(engine, "#film-strip .row [data-kind=json]")
    wait(engine, "!!window.saved")
    name, text = engine.run("window.saved")
    assert name == "latent-path.json"
    assert '"positions"' in text


def drawn_seven(engine: Engine) -> str:
    """What the page says of a 7 that is drawn on the pad."""
    open_tab(engine, "Draw")
    drag(engine, ".paper", SEVEN)
    wait(engine, "!!latentSpace.state.reading")
    reading = engine.run("latentSpace.state.reading")
    return str(reading.get("message") or reading.get("error"))


def test_a_drawn_seven_is_read(engine: Engine, served: str) -> None:
    load(engine, served)
    assert "among the 7s" in drawn_seven(engine)


def test_the_training_is_replayed(engine: Engine, served: str) -> None:
    load(engine, served)
    open_tab(engine, "Training")
    wait(engine, "!!document.querySelector('#replay [data-epoch]')")
    epoch = "+document.querySelector('#replay [data-epoch]').dataset.epoch"
    engine.run("document.querySelector('#replay .epoch').focus()")
    press(engine, "\ue011")  # Home
    wait(engine, f"{epoch} === 0")
    click(engine, "#replay .play")
    wait(engine, f"{epoch} > 1")


@pytest.mark.guarantee("training-watched")
def test_a_model_is_trained_on_the_map_and_stopped(
    engine: Engine, small_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    shown = "+(document.querySelector('#lab .run').dataset.moments ?? 0)"
    with serve_lab(tmp_path, small_checkpoint) as lab:
        load(engine, lab.address)
        open_tab(engine, "Training")
        wait(engine, "!!document.querySelector('#replay .replay[data-has=true]')")
        click(engine, "#lab-open")
        wait(engine, "!!document.querySelector('#lab .presets button')")
        click(engine, "#lab .start")
        maps = []
        for count in (1, 3):
            lab.allow(count)
            wait(engine, f"{shown} === {count}")
            wait(engine, f"+document.querySelector('#lab .moment').value === {count - 1}")
            maps.append(engine.run("document.querySelector('#latent-map .map-base').toDataURL()"))
        assert maps[0] != maps[1]
        click(engine, "#lab .stop")
        wait(engine, "document.querySelector('#lab .message').textContent.startsWith('Stopped.')")


def test_a_link_restores_the_position_and_the_layers(engine: Engine, served: str) -> None:
    load(engine, f"{served}#x=1.5&y=-0.5&layers=regions")
    assert position(engine) == (1.5, -0.5)
    layers = engine.run("latentSpace.state.layers")
    assert [name for name, shown in layers.items() if shown] == ["regions"]
    click(engine, "#jump-3")
    assert position(engine) != (1.5, -0.5)
    wait(engine, "location.hash === `#${latentSpace.state.link}`")


def test_the_page_is_switched_to_dark_and_back(engine: Engine, served: str) -> None:
    load(engine, served)
    ground = "getComputedStyle(document.querySelector('.map-frame')).backgroundColor"
    before, grounds = engine.run(ground), []
    for _ in range(2):
        click(engine, "[aria-label='Switch between light and dark']")
        grounds.append(engine.run(ground))
        wait(engine, COLOURED)
    assert grounds[0] != before
    assert grounds[1] == before


def test_a_narrow_window_does_not_scroll_sideways(engine: Engine, served: str) -> None:
    """390 pixels; the window of WebKitGTK's MiniBrowser is at least 447 wide."""
    load(engine, served, 390, 844)
    for tab in ("Explore", "Paths", "Directions", "Draw", "Training", "Lessons", "About"):
        open_tab(engine, tab)
        sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert engine.run(sideways) <= 0, tab
    drag(engine, "#latent-map .map-top", [(0.5, 0.5), (0.6, 0.5)])
    assert position(engine)[0] > 0


def test_the_tour_runs_through(engine: Engine, served: str) -> None:
    for width, height in ((1280, 720), (390, 844)):
        load(engine, served, width, height)
        before = engine.run("latentSpace.state.link")
        click(engine, "#heading .take-tour")
        for key in engine.run("latentSpace.props.tour.map(({ key }) => key)"):
            wait(engine, f"document.querySelector('#tour').dataset.step === {key!r}")
            wait(engine, CLEAR_OF_THE_MAP)
            press(engine, "\ue014")
        wait(engine, "document.querySelector('#tour').hidden")
        assert engine.run("latentSpace.state.link") == before


@needs_firefox
def test_ten_dimensions_are_explored_through_planes(
    tmp_path: Path, own_demo: Callable[..., Demo], ten_checkpoint: Checkpoint
) -> None:
    save_checkpoint(tmp_path / "ten.pt", ten_checkpoint)
    served = own_demo("--checkpoint", str(tmp_path / "ten.pt")).address
    with firefox(tmp_path) as engine:
        load(engine, served)
        assert engine.run(COLOURED), "the points have no colours"
        drag(engine, "#latent-map .map-top", [(0.5, 0.5), (0.6, 0.45)])
        wait(engine, "document.querySelector('#plane .off').textContent === 'z lies in this plane'")
        open_tab(engine, "Dimensions")
        click(engine, "#dimensions > .rows .name")
        wait(engine, "latentSpace.state.plane.spec.kind === 'dimensions'")
        click(engine, "#plane .back")
        wait(engine, "latentSpace.state.plane.spec.kind === 'principal'")
        open_tab(engine, "Draw")
        wait(engine, "document.querySelectorAll('#own-digit .carried li').length > 1")


@needs_firefox
def test_drawings_and_photographs_are_read_where_no_canvas_can_be(
    tmp_path: Path, served: str, released: Checkpoint
) -> None:
    """Firefox's resistFingerprinting returns noise in place of what a canvas shows."""
    with firefox(tmp_path, **{"privacy.resistFingerprinting": True}) as engine:
        load(engine, served)
        assert "among the 7s" in drawn_seven(engine)
        corner = engine.run(
            """[...document.querySelector(".paper").getContext("2d")
              .getImageData(0, 0, 8, 8).data]"""
        )
        assert any(corner), "the canvas could be read"
        zero = int((released.labels == 0).nonzero()[3])
        photo = base64.b64encode(photograph(released.images[zero].numpy())).decode()
        engine.run(
            f"""((input, data) => {{
              const files = new DataTransfer();
              const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
              files.items.add(new File([bytes], "photo.png", {{ type: "image/png" }}));
              input.files = files.files;
              input.dispatchEvent(new Event("change"));
            }})(document.querySelector(".draw input"), {photo!r})"""
        )
        wait(engine, "latentSpace.state.reading?.message?.includes('among the 0s')")


def photograph(pixels: np.ndarray) -> bytes:
    """A PNG of more than 0.5 MB: a dark digit on a noisy sheet."""
    noise = np.random.default_rng(6).integers(200, 240, (1120, 1120), dtype=np.uint8)
    sheet, file = Image.fromarray(noise), io.BytesIO()
    sheet.paste(30, (280, 280), Image.fromarray(pixels).resize((560, 560)))
    sheet.save(file, "PNG")
    assert len(file.getvalue()) > 600_000
    return file.getvalue()
