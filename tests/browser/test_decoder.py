"""web/core/decoder.js in Chromium, as the demo serves it, against PyTorch."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route

from latent_navigator.app.data_routes import web_files
from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.explorer.data_files import model_hash
from tests.decoder_reference import CONFIGS, Reference, random_model, reference
from tests.fixtures import ROOT

pytestmark = pytest.mark.browser

# Decodes all positions; the images go back as the body of a request, since Playwright passes JSON.
DECODE = """async ([decoder, positions, simd]) => {
  const { decodeAll } = await import("/tests/web/decode_all.js");
  const [file, z] = await Promise.all(
    [decoder, positions].map(async (address) => (await fetch(address)).arrayBuffer()));
  await fetch("/images", { method: "POST", body: decodeAll(file, new Float32Array(z), simd) });
}"""


class Modules:
    """A page without a server, which has the repository's files and those of a test."""

    def __init__(self, page: Page) -> None:
        self.page, self.files, self.images = page, dict[str, bytes](), b""
        page.route("http://modules/**", self._answer)
        page.goto("http://modules/")

    def _answer(self, route: Route) -> None:
        path = route.request.url.removeprefix("http://modules/")
        if path == "images":
            self.images = route.request.post_data_buffer or b""
            route.fulfill(status=204)
        elif path in self.files:
            route.fulfill(body=self.files[path])
        elif path:
            route.fulfill(path=ROOT / path, content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    def difference(self, expected: Reference, simd: bool = True) -> int:
        """The largest difference of a pixel between this browser and PyTorch, of 255."""
        self.files = {"decoder": expected.file, "positions": expected.positions.tobytes()}
        self.page.evaluate(DECODE, ["/decoder", "/positions", simd])
        return expected.difference(self.images)


@pytest.fixture(scope="module")
def modules(browser: Browser) -> Iterator[Modules]:
    page = browser.new_page()
    yield Modules(page)
    page.close()


@pytest.mark.parametrize("simd", [True, False])
def test_chromium_decodes_the_released_model_as_pytorch_does(
    modules: Modules, released: Checkpoint, simd: bool
) -> None:
    expected = reference(released)
    assert len(expected.positions) == 2000
    assert modules.difference(expected, simd) <= 1


def test_chromium_decodes_models_of_any_size(modules: Modules, released: Checkpoint) -> None:
    for config in CONFIGS:
        assert modules.difference(reference(random_model(released, config), 200)) <= 1, config


def test_the_demo_serves_the_decoder_and_its_weights(
    browser: Browser, served: str, released: Checkpoint
) -> None:
    """The second page of a browser takes both from its cache."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{served}health")
    decode = """async ([module, weights]) => {
      const { Decoder } = await import(module);
      const decoder = new Decoder(await (await fetch(weights)).arrayBuffer());
      return Array.from(decoder.decode([0.5, -1.2]));
    }"""
    module = f"/{web_files().address('core/decoder.js')}"
    weights = f"/data/{model_hash(released)}/decoder.bin"
    logits = page.evaluate(decode, [module, weights])
    again = context.new_page()
    again.goto(f"{served}health")
    assert again.evaluate(decode, [module, weights]) == logits
    assert len(logits) == 784
    transferred = again.evaluate(
        """(paths) => paths.map((path) =>
          performance.getEntriesByName(new URL(path, location.origin))[0].transferSize)""",
        [module, weights],
    )
    assert transferred == [0, 0]
    context.close()
