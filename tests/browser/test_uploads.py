"""Uploaded and dropped images: the frame around what is encoded, and what cannot be read."""

import base64
import http.server
import io
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.explorer.inference import infer_upload
from latent_navigator.explorer.latent_space import LatentSpace
from tests.browser.helpers import OpenPage, Visits, after_timers, box_of, called, pixels_of, reading

pytestmark = pytest.mark.browser


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """The page with the tab on which images are uploaded."""
    page = open_page()
    page.get_by_role("tab", name="Draw").click()
    page.locator(".paper").scroll_into_view_if_needed()
    return page


def large(pixels: np.ndarray) -> np.ndarray:
    return np.kron(pixels, np.ones((8, 8), np.uint8))


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels, "L").save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def two_digits(released: Checkpoint) -> bytes:
    """A sheet with a 0 on its left half and a 1 on its right half, 448 x 224, as a PNG."""
    zero, one = (
        released.images[int((released.labels == label).nonzero()[3])].numpy() for label in (0, 1)
    )
    return png(255 - np.hstack([large(zero), large(one)]))


def upload(page: Page, data: bytes) -> None:
    file = {"name": "mine.png", "mimeType": "image/png", "buffer": data}
    page.locator(".draw input").set_input_files(file)  # type: ignore[arg-type]


def wait_for_answer(page: Page) -> None:
    page.locator(".draw[data-state=shown]").wait_for()
    page.wait_for_function("() => !latentSpace.state.travelling")


def frame_of(page: Page) -> list[float]:
    """Left, top, right and bottom of the frame, as fractions of the sheet of two digits."""
    outer, inner = box_of(page.locator(".photo")), box_of(page.locator(".photo .frame"))
    width, height = outer["width"], outer["width"] / 2
    left, top = inner["x"] - outer["x"], inner["y"] - outer["y"] - (outer["height"] - height) / 2
    return [
        left / width,
        top / height,
        (left + inner["width"]) / width,
        (top + inner["height"]) / height,
    ]


def drag_frame(page: Page, *points: tuple[float, float]) -> None:
    """Drag from the first to the last of the points, fractions of the sheet of two digits."""
    outer = box_of(page.locator(".photo"))
    height = outer["width"] / 2
    top = outer["y"] + (outer["height"] - height) / 2
    for i, (x, y) in enumerate(points):
        page.mouse.move(outer["x"] + x * outer["width"], top + y * height, steps=4)
        if i == 0:
            page.mouse.down()
    with page.expect_response(lambda response: called(response.request) == "drawn"):
        page.mouse.up()
    wait_for_answer(page)


@pytest.mark.guarantee("crop-is-shown")
def test_the_frame_shows_what_is_encoded(page: Page, space: LatentSpace, two_digits: bytes) -> None:
    upload(page, two_digits)
    wait_for_answer(page)
    answer = infer_upload(space, base64.b64encode(two_digits).decode())
    for side, found, outward in zip(frame_of(page), answer["crop"], (-1, -1, 1, 1), strict=True):
        assert abs(side - min(1, max(0, found + outward * 0.03))) < 0.02
    np.testing.assert_array_equal(
        pixels_of(page.locator(".draw .seen")).ravel(),
        np.frombuffer(base64.b64decode(answer["pixels"]), np.uint8),
    )


@pytest.mark.guarantee("crop-is-shown")
def test_the_frame_can_be_drawn_moved_and_resized(page: Page, two_digits: bytes) -> None:
    upload(page, two_digits)
    wait_for_answer(page)
    message = page.locator(".draw .message")
    corner = frame_of(page)  # far from a new frame's start
    start = (0.99, 0.99) if corner[2] < 0.9 else (0.985, 0.02)
    end = (0.55, 0.03) if start[1] > 0.5 else (0.55, 0.98)
    drag_frame(page, start, end)
    expect(message).to_contain_text("among the 1s")
    assert abs(frame_of(page)[0] - 0.55) < 0.02, "it stays as it was drawn"
    # Moved by half a sheet to the left, it holds the 0.
    drag_frame(page, (0.75, 0.5), (0.25, 0.5))
    expect(message).to_contain_text("among the 0s")
    left, top, right, bottom = frame_of(page)
    drag_frame(page, (right, bottom), (right, bottom - 0.4))
    now = frame_of(page)
    assert abs(now[3] - (bottom - 0.4)) < 0.03
    assert np.allclose(now[:2], (left, top), atol=0.02)


@pytest.mark.guarantee("crop-is-shown")
def test_the_frame_moves_by_keyboard(page: Page, two_digits: bytes) -> None:
    upload(page, two_digits)
    wait_for_answer(page)
    drag_frame(page, (0.46, 0.01), (0.01, 0.98))
    expect(page.locator(".draw .message")).to_contain_text("among the 0s")
    before = frame_of(page)
    page.locator(".photo").focus()
    for _ in range(26):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".draw .message")).to_contain_text("among the 1s")
    moved = frame_of(page)
    assert abs(moved[0] - before[0] - 0.52) < 0.02
    with page.expect_response(lambda response: called(response.request) == "drawn"):
        page.keyboard.press("Shift+ArrowLeft")
    assert abs(frame_of(page)[2] - (moved[2] - 0.02)) < 0.01


def test_clear_brings_the_pad_back(page: Page, two_digits: bytes) -> None:
    upload(page, two_digits)
    wait_for_answer(page)
    expect(page.locator(".photo")).to_be_visible()
    page.locator(".draw .clear").click()
    expect(page.locator(".photo")).to_be_hidden()
    expect(page.locator(".draw .title")).to_contain_text("Example")


# --- drops ---


def drop(page: Page, at: Locator, *paths: Path) -> None:
    """Drop files or folders on an element, as the system would."""
    box = box_of(at)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": x, "y": y, "data": data})


@pytest.mark.guarantee("drops-are-answered")
@pytest.mark.parametrize("where", [".draw .paper", ".draw .result"])
def test_a_dropped_image_is_read_on_the_pad_and_beside_it(
    page: Page, served: str, two_digits: bytes, tmp_path: Path, where: str
) -> None:
    (tmp_path / "mine.png").write_bytes(two_digits)
    drop(page, page.locator(where), tmp_path / "mine.png")
    wait_for_answer(page)
    assert reading(page)["title"] == "Your image"
    assert page.url.startswith(served), "the browser has not opened the file instead"


@pytest.mark.guarantee("drops-are-answered")
def test_a_drop_on_another_tab_changes_nothing(
    page: Page, served: str, two_digits: bytes, tmp_path: Path, visit: Visits
) -> None:
    (tmp_path / "mine.png").write_bytes(two_digits)
    page.get_by_role("tab", name="Paths").click()
    drop(page, page.locator("#heading"), tmp_path / "mine.png")
    after_timers(page, 100)
    assert page.url.startswith(served)
    assert visit.calls("drawn") == []


@pytest.mark.guarantee("drops-are-answered")
def test_a_folder_is_no_image_and_leaves_the_drawing(page: Page, tmp_path: Path) -> None:
    box = box_of(page.locator(".paper"))
    page.mouse.move(box["x"] + 140, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 240, steps=5)
    page.mouse.up()
    wait_for_answer(page)
    drawn = page.locator(".paper").evaluate("(c) => c.toDataURL()")
    drop(page, page.locator(".paper"), tmp_path)
    expect(page.locator(".draw .error")).to_have_text(
        "The file cannot be read. Choose an image file, not a folder."
    )
    assert page.locator(".paper").evaluate("(c) => c.toDataURL()") == drawn


@pytest.fixture(scope="module")
def elsewhere(two_digits: bytes) -> Iterator[str]:
    """Another site: /shared.png may be read by every page, /private.png by its own pages."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "image/png")
            if "shared" in self.path:
                self.send_header("access-control-allow-origin", "*")
            self.end_headers()
            self.wfile.write(two_digits)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def drop_address(page: Page, address: str) -> None:
    """What the browser reports when an image of another page is dropped on the pad."""
    page.evaluate(
        """(address) => { const dataTransfer = new DataTransfer();
             dataTransfer.setData("text/uri-list", `# an image\\r\\n${address}`);
             const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
             document.querySelector(".paper").dispatchEvent(event);
             if (!event.defaultPrevented) throw new Error("the browser would leave the page"); }""",
        address,
    )


@pytest.mark.guarantee("drops-are-answered")
def test_an_image_of_another_page_is_read_where_that_page_allows(
    page: Page, elsewhere: str
) -> None:
    drop_address(page, f"{elsewhere}/shared.png")
    wait_for_answer(page)
    assert reading(page)["title"] == "Your image"


@pytest.mark.guarantee("drops-are-answered")
def test_an_image_that_another_page_keeps_is_explained(
    page: Page, elsewhere: str, visit: Visits
) -> None:
    drop_address(page, f"{elsewhere}/private.png")
    expect(page.locator(".draw .error")).to_contain_text("Save it, then upload the file")
    visit.ignore("private.png")
    visit.ignore("Failed to load resource")
