"""The tab on which users draw, upload or open an image; the images encoded near the cursor."""

import base64
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, expect

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.data.strokes import draw_strokes
from latent_navigator.explorer.inference import infer_drawing, reconstruction_errors
from latent_navigator.explorer.latent_space import LatentSpace
from tests.browser.helpers import (
    FILES,
    OpenPage,
    Visits,
    after_timers,
    arguments_of,
    assert_fits,
    assert_painted,
    box_of,
    map_point,
    pixels_of,
    position,
    reading,
    wait_until,
)

pytestmark = pytest.mark.browser

SEVEN = [(70, 60), (205, 60), (120, 235)]
ONE = [(140, 40), (140, 240)]
OPACITY = """(canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return Array.from({ length: data.length / 4 }, (_, i) => data[4 * i + 3]); }"""


def open_pad(page: Page) -> Locator:
    """The root of the tab, with its pad in view."""
    page.get_by_role("tab", name="Draw").click()
    # Below the map, which stays at the top of a phone.
    page.locator(".paper").evaluate("(paper) => paper.scrollIntoView({ block: 'end' })")
    return page.locator(".draw")


def draw(page: Page, *strokes: list[tuple[int, int]]) -> None:
    """Draw strokes, in pixels of the 280 x 280 pad, with the pointer."""
    for stroke in strokes:
        box = box_of(page.locator(".paper"))
        scale = box["width"] / 280
        points = [(box["x"] + x * scale, box["y"] + y * scale) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=10)
        page.mouse.up()


def wait_for_answer(page: Page) -> None:
    page.locator(".draw[data-state=shown]").wait_for()
    page.wait_for_function("() => !latentSpace.state.travelling")


def image_of(data: str) -> NDArray[np.uint8]:
    """A (28, 28) image from base64."""
    return np.frombuffer(base64.b64decode(data), np.uint8).reshape(28, 28)


def assert_decoded(
    canvases: list[Locator], positions: list[list[float]], space: LatentSpace
) -> None:
    """The canvases show what PyTorch decodes at the positions, up to 1 of 255."""
    expected = space.decode_images(torch.tensor(positions))
    for canvas, image in zip(canvases, expected, strict=True):
        assert np.abs(pixels_of(canvas).astype(int) - image).max() <= 1


def assert_test_images(canvases: Locator, indices: list[int], space: LatentSpace) -> None:
    """The canvases show these test images, once they are loaded."""
    expect(canvases).to_have_count(len(indices))
    expected = space.images[indices].numpy()

    def are_shown() -> bool:
        shown = [pixels_of(canvas) for canvas in canvases.all()]
        return np.array_equal(shown, expected)

    wait_until(canvases.page, are_shown, f"test images {indices}")


@pytest.mark.guarantee("tabs-work")
def test_drawn_seven_lands_among_the_sevens(
    open_page: OpenPage, visit: Visits, space: LatentSpace
) -> None:
    page = open_page()
    tab = open_pad(page)
    expect(tab.locator(".title")).to_contain_text("Example: test digit")
    draw(page, SEVEN)
    wait_for_answer(page)
    expect(tab.locator(".title")).to_have_text("Your image")
    expect(tab.locator(".message")).to_contain_text("It lands among the 7s")
    # The page shows what Python infers from the strokes.
    (sent,) = visit.calls("strokes")
    answer = infer_drawing(space, *arguments_of(sent))
    np.testing.assert_array_equal(pixels_of(tab.locator(".seen")), image_of(answer["pixels"]))
    assert_decoded([tab.locator(".decoded")], answer["samples"][:1], space)
    assert_decoded(tab.locator(".samples canvas").all(), answer["samples"], space)
    assert_test_images(tab.locator(".similar canvas"), answer["nearest"], space)
    tab.locator("summary").click()
    expect(tab.locator(".recon")).to_have_text(f"{answer['recon']:.1f} nats")
    expect(tab.locator(".kl")).to_have_text(f"{answer['kl']:.2f} nats")
    np.testing.assert_allclose(reading(page)["mu"], answer["mu"], atol=1e-6)
    np.testing.assert_allclose(reading(page)["sigma"], answer["sigma"], atol=1e-6)
    assert math.dist(position(page), answer["mu"]) < 0.002, "the cursor moves there"


def test_python_draws_the_strokes_as_the_pad_shows_them(open_page: OpenPage, visit: Visits) -> None:
    """Their opacities differ by less than 3 of 255 on average where there is ink."""
    page = open_page()
    open_pad(page)
    strokes = [SEVEN, [(60, 150), (60, 150)], [(200, 200), (330, 200), (240, 120)]]
    draw(page, *strokes)
    wait_for_answer(page)
    shown = page.locator(".paper").evaluate(OPACITY)
    (sent,) = arguments_of(visit.calls("strokes")[-1])
    assert len(sent) == len(strokes)
    drawn = np.asarray(draw_strokes(sent, 255).getchannel("A"), int).ravel()
    change = np.abs(drawn - shown)
    assert change[drawn > 0].mean() < 3
    assert change.mean() < 1


def test_posterior_ellipses_are_drawn_to_scale(open_page: OpenPage) -> None:
    """On a zoomed map there is ink at 1 and 2 sigma of the posterior, and none in between."""
    page = open_page()
    page.evaluate("() => latentSpace.openImage(1234)")
    read = reading(page)
    for name in ("points", "labels", "rings"):
        page.locator(f"[data-layer={name}]").click()
    page.evaluate(
        """([x, y]) => { const v = latentSpace.state.view;
             v.half = v.range / 32; v.centre = { x: 0, y: 0 };
             v.moveBy(x, y); latentSpace.state.viewChanged(); }""",
        read["mu"],
    )
    after_timers(page, 0)  # the map is drawn in the next frame
    profile = page.evaluate(
        """([x, y]) => { const c = document.querySelector('.map-top');
             const v = latentSpace.state.view;
             const ratio = c.width / v.side; const p = v.toPixels({ x, y });
             const top = Math.round(p.py * ratio);
             const row = c.getContext('2d').getImageData(0, top, c.width, 1).data;
             return { alphas: Array.from({ length: c.width }, (_, i) => row[4 * i + 3]),
                      centre: p.px * ratio, unit: v.side / (2 * v.half) * ratio }; }""",
        read["mu"],
    )
    inked = [i for i, alpha in enumerate(profile["alphas"]) if alpha > 100]
    offsets = sorted((i - profile["centre"]) / profile["unit"] / read["sigma"][0] for i in inked)
    edges = [offset for offset in offsets if abs(offset) > 0.4]
    for k in (-2, -1, 1, 2):
        assert min(abs(edge - k) for edge in edges) < 0.12, (k, edges)
    assert not [edge for edge in edges if 1.25 < abs(edge) < 1.75 or abs(edge) > 2.3]


def test_fingers_draw_too(open_page: OpenPage) -> None:
    page = open_page(390, 844, has_touch=True, is_mobile=True)
    tab = open_pad(page)
    box = box_of(page.locator(".paper"))
    session = page.context.new_cdp_session(page)
    scale = box["width"] / 280

    def touch(kind: str, *at: tuple[int, int]) -> None:
        points = [{"x": box["x"] + x * scale, "y": box["y"] + y * scale} for x, y in at]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", ONE[0])
    for i in range(1, 11):
        touch("touchMove", (140, 40 + 20 * i))
    touch("touchEnd")
    wait_for_answer(page)
    expect(tab.locator(".message")).to_contain_text("among the 1s")
    assert_fits(page, 390)


def test_undo_and_clear(open_page: OpenPage) -> None:
    page = open_page()
    tab = open_pad(page)
    draw(page, ONE, [(40, 140), (240, 140)])
    wait_for_answer(page)
    tab.locator(".undo").click()
    expect(tab.locator(".message")).to_contain_text("among the 1s")
    tab.locator(".clear").click()
    expect(tab.locator(".title")).to_contain_text("Example: test digit")
    assert page.evaluate("() => latentSpace.state.reading") is None


def image_file(pixels: NDArray[np.uint8]) -> FilePayload:
    """A PNG, eight times as large."""
    large, file = np.kron(pixels, np.ones((8, 8), np.uint8)), io.BytesIO()
    Image.fromarray(large, "L").save(file, "PNG")
    return {"name": "mine.png", "mimeType": "image/png", "buffer": file.getvalue()}


def test_uploads_are_read_light_on_dark_and_dark_on_light(
    open_page: OpenPage, released: Checkpoint
) -> None:
    page = open_page()
    tab = open_pad(page)
    zero = int((released.labels == 0).nonzero()[3])
    pixels = released.images[zero].numpy()
    for image in (pixels, 255 - pixels):
        page.evaluate("() => latentSpace.state.showReading(null)")
        tab.locator("input").set_input_files(image_file(image))
        wait_for_answer(page)
        expect(tab.locator(".message")).to_contain_text("among the 0s")
        assert math.dist(reading(page)["mu"], released.means[zero].tolist()) < 0.5


def large_photo(pixels: NDArray[np.uint8], kind: str) -> bytes:
    """A digit on a noisy sheet of 48 megapixels, on its side as its EXIF data says; or a PNG of 9
    megapixels, over the limit in bytes, with nothing but strokes of black ink."""
    file, rng = io.BytesIO(), np.random.default_rng(6)
    width, height = (8000, 6000) if kind == "JPEG" else (3000, 3000)
    digit = Image.fromarray(pixels, "L").resize((height // 2, height // 2))
    ink = Image.new("L", (width, height))
    ink.paste(digit, (width // 4, height // 4))
    if kind == "PNG":
        noise = Image.fromarray(rng.integers(0, 90, (height, width, 3), dtype=np.uint8))
        noise.putalpha(ink.point(lambda v: max(v, 1)))
        noise.save(file, "PNG", compress_level=0)
    else:
        sheet = Image.fromarray(rng.integers(190, 240, (height, width), dtype=np.uint8))
        sheet.paste(30, (0, 0), ink)
        exif = Image.Exif()
        exif[0x0112] = 6  # orientation: rotate by 90 degrees clockwise
        sheet.transpose(Image.Transpose.ROTATE_90).save(file, "JPEG", quality=90, exif=exif)
    return file.getvalue()


@pytest.mark.guarantee("large-photos-scaled-down")
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_large_photo_is_scaled_down_before_it_is_sent(
    open_page: OpenPage, visit: Visits, released: Checkpoint, kind: str, tmp_path: Path
) -> None:
    page = open_page()
    tab = open_pad(page)
    two = int((released.labels == 2).nonzero()[3])
    photo = tmp_path / f"photo.{kind.lower()}"  # a file: Playwright takes long to pass on bytes
    photo.write_bytes(large_photo(released.images[two].numpy(), kind))
    assert photo.stat().st_size > 15_000_000
    tab.locator("input").set_input_files(photo)
    wait_for_answer(page)
    (sent,) = visit.calls("drawn")
    data = base64.b64decode((sent.post_data_json or {})["data"][0])
    assert len(data) < 2_000_000
    image = Image.open(io.BytesIO(data))
    assert max(image.size) == 1600
    assert image.format == kind, "PNG keeps the transparency"
    assert image.getexif().get(0x0112, 1) == 1, "it is upright already"
    assert math.dist(reading(page)["mu"], released.means[two].tolist()) < 0.5


@pytest.mark.guarantee("images-read-or-explained")
def test_unreadable_files_are_explained(open_page: OpenPage) -> None:
    page = open_page()
    tab = open_pad(page)
    garbage: FilePayload = {
        "name": "mine.png",
        "mimeType": "image/png",
        "buffer": b"this is not an image",
    }
    tab.locator("input").set_input_files(garbage)
    error = tab.locator(".error")
    expect(error).to_be_visible()
    assert len(error.inner_text()) > 20
    assert "server" not in error.inner_text()
    large: FilePayload = {
        "name": "big.png",
        "mimeType": "image/png",
        "buffer": bytes(6_000_000),
    }
    tab.locator("input").set_input_files(large)
    expect(error).to_have_text("The file is larger than 5 MB. Choose a smaller image.")
    draw(page, SEVEN)
    wait_for_answer(page)
    expect(error).to_be_hidden()


def test_click_on_a_point_opens_its_image(open_page: OpenPage, released: Checkpoint) -> None:
    page = open_page()
    # The most isolated point: no other is within reach of the click.
    gaps = torch.cdist(released.means, released.means)
    gaps.fill_diagonal_(math.inf)
    index = int(gaps.min(1).values.argmax())
    page.mouse.click(*map_point(page, *released.means[index].tolist()))
    reading(page)
    tab = open_pad(page)
    label = int(released.labels[index])
    expect(tab.locator(".title")).to_have_text(f"Test digit {index}, labelled {label}")
    np.testing.assert_array_equal(pixels_of(tab.locator(".seen")), released.images[index].numpy())


def test_drag_opens_no_image(open_page: OpenPage, visit: Visits) -> None:
    page = open_page()
    page.mouse.move(*map_point(page, -1, 0))
    page.mouse.down()
    page.mouse.move(*map_point(page, 0, 0), steps=5)
    page.mouse.up()
    after_timers(page, 0)
    assert visit.calls("test_digit") == []
    assert page.evaluate("() => latentSpace.state.reading") is None


def test_nearest_images_are_shown_and_open(open_page: OpenPage, space: LatentSpace) -> None:
    page = open_page()
    page.locator("#jump-2").click()
    nearest = space.around(torch.tensor([position(page)])).neighbours[0, :6].tolist()
    titles = [f"Test digit {i}, labelled {int(space.labels[i])}" for i in nearest]
    buttons = page.locator("#readout .nearest button")
    expect(buttons.first).to_have_attribute("title", titles[0])
    assert [button.get_attribute("title") for button in buttons.all()] == titles
    assert_test_images(buttons.locator("canvas"), nearest, space)
    buttons.nth(3).click()
    assert reading(page)["title"] == titles[3]
    assert math.dist(position(page), space.means[nearest[3]].tolist()) < 0.002
    assert_painted(page, space)


def test_similar_images_open(open_page: OpenPage, space: LatentSpace) -> None:
    page = open_page()
    tab = open_pad(page)
    page.evaluate("() => latentSpace.openImage(77)")
    wait_for_answer(page)
    similar = reading(page)["nearest"]
    assert_test_images(tab.locator(".similar canvas"), similar, space)
    name = str(int(space.labels[similar[2]]))
    button = tab.locator(".similar button").nth(2)
    expect(button).to_have_text(name)
    article = "an" if name == "8" else "a"
    expect(button).to_have_accessible_name(f"Open test digit {similar[2]}, {article} {name}")
    button.click()
    expect(tab.locator(".title")).to_have_text(f"Test digit {similar[2]}, labelled {name}")


def test_images_that_cannot_be_loaded_are_said_to_be_missing(
    open_page: OpenPage, visit: Visits
) -> None:
    page = open_page()
    tab = open_pad(page)
    page.route(FILES, lambda route: route.abort())
    page.evaluate("() => latentSpace.openImage(1234)")
    expect(tab.locator(".lost")).to_have_text(
        "The server is not responding; the nearest images are missing."
    )
    expect(tab.locator(".similar button")).to_have_count(6)
    page.unroute(FILES)
    page.evaluate("() => latentSpace.openImage(1234)")
    expect(tab.locator(".lost")).to_be_hidden()
    visit.ignore("Failed to load resource")


def test_random_test_image_opens_and_moves_the_cursor(
    open_page: OpenPage, space: LatentSpace
) -> None:
    page = open_page()
    tab = open_pad(page)
    tab.get_by_role("button", name="Random test digit").click()
    wait_for_answer(page)
    expect(tab.locator(".title")).to_have_text(reading(page)["title"])
    assert math.dist(position(page), reading(page)["mu"]) < 0.002
    assert_painted(page, space)


def numbers(tab: Locator, name: str) -> list[float]:
    """x and y of mu, sigma or z, as they stand below the cloud."""
    texts = [tab.locator(f".{name}-{axis}").inner_text() for axis in "xy"]
    return [float(text.replace("−", "-")) for text in texts]


def pointed(page: Page) -> Any:
    """What the map points out."""
    return page.evaluate("() => latentSpace.highlight.pointed")


def test_pipeline_shows_what_is_lost_and_points_at_the_map(
    open_page: OpenPage, space: LatentSpace
) -> None:
    page = open_page(reduced_motion="no-preference")
    tab = open_pad(page)
    page.evaluate("() => latentSpace.openImage(1234)")
    wait_for_answer(page)
    read = reading(page)
    z = torch.tensor(read["samples"])
    assert_decoded(tab.locator(".samples canvas").all(), read["samples"], space)
    recon = reconstruction_errors(space, space.images[1234].expand(8, 28, 28), z)
    names = [button.get_attribute("aria-label") for button in tab.locator(".samples button").all()]
    assert names == [f"Sample {i + 1}: {cost:.0f} nats" for i, cost in enumerate(recon)]
    x = space.images[1234].double() / 255
    floor = float(-(torch.xlogy(x, x) + torch.xlogy(1 - x, 1 - x)).sum())
    expect(tab.locator(".nats")).to_have_text(f"{recon[0] - floor:.0f} nats")
    expect(tab.locator(".cost")).to_contain_text(f"cost {floor:.1f} nats even in a perfect copy")
    seen, shown = (pixels_of(tab.locator(f".{name}")).astype(int) for name in ("seen", "decoded"))
    lost = pixels_of(tab.locator(".difference"))
    assert np.abs(lost - (128 + (seen - shown) / 2)).max() <= 1
    assert pointed(page) is None
    tab.locator(".cloud").hover()
    assert pointed(page)["posterior"]["mu"] == dict(zip("xy", read["mu"], strict=True))
    tab.locator(".output").hover()
    assert math.dist(pointed(page)["z"].values(), read["samples"][0]) < 1e-6
    page.mouse.move(0, 0)
    assert pointed(page) is None


def test_cloud_is_dragged_and_reset(open_page: OpenPage, space: LatentSpace) -> None:
    page = open_page()
    tab = open_pad(page)
    page.evaluate("() => latentSpace.openImage(1234)")
    wait_for_answer(page)
    read, reset = reading(page), tab.locator(".reset")
    balance = tab.locator(".balance").inner_text()
    expect(reset).to_be_disabled()
    box = box_of(tab.locator(".cloud-map"))
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + box["width"] / 4, y, steps=4)
    page.mouse.up()
    half = 0.25  # of the part of the map: the larger sigma is 0.05
    moved = half / 2
    assert numbers(tab, "mu") == pytest.approx([read["mu"][0] + moved, read["mu"][1]], abs=0.01)
    tab.locator(".cloud-map").focus()
    for _ in range(5):
        page.keyboard.press("Shift+ArrowUp")
    sigma = [read["sigma"][0], read["sigma"][1] + 5 * half / 50]
    assert numbers(tab, "sigma") == pytest.approx(sigma, abs=0.01)
    noise = (np.array(read["samples"]) - read["mu"]) / read["sigma"]
    samples = np.array(read["mu"]) + [moved, 0] + noise * sigma
    shown = [pixels_of(canvas).astype(int) for canvas in tab.locator(".samples canvas").all()]
    expected = space.decode_images(torch.tensor(samples)).astype(int)
    assert np.abs(np.array(shown) - expected).mean() < 2, "up to the width of a pixel"
    expect(tab.locator(".balance")).to_contain_text("Your cloud")
    reset.click()
    expect(tab.locator(".balance")).to_have_text(balance)
    expect(reset).to_be_disabled()
    tab.locator(".resample").click()
    page.wait_for_function("() => !latentSpace.state.travelling")
    assert position(page) == pytest.approx(numbers(tab, "z"), abs=0.006), "the cursor goes to z"
