"""How long the page's own computations take in a real Chromium: web/core/.

    python -m benchmarks.core_modules

Prints milliseconds for the committed checkpoint: from a position to the 784 grey levels of its
image, with and without WebAssembly, and to its neighbours among the 10,000 encodings.
"""

import json

from playwright.sync_api import Page, Route, sync_playwright

from benchmarks.chromium import launch_chromium
from benchmarks.server import ROOT
from latent_navigator.checkpoint.checkpoint import Checkpoint, load_checkpoint
from latent_navigator.checkpoint.decoder_file import pack_decoder
from latent_navigator.pretrained import DEFAULT_PATH

ADDRESS = "http://localhost/"
CALLS = 1000
# Only an isolated page, from a host that counts as safe, has a clock finer than 0.1 ms.
ISOLATED = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
}
LOAD = """async () => {
  const { Decoder, PIXELS } = await import("/web/core/decoder.js");
  const { Neighbours } = await import("/web/core/neighbours.js");
  const bytes = async (name) => (await fetch(name)).arrayBuffer();
  const means = new Float32Array(await bytes("/means"));
  const labels = new Uint8Array(await bytes("/labels"));
  const file = await bytes("/decoder");
  const [z, image] = [new Float32Array(2), new Uint8ClampedArray(PIXELS)];
  const makers = {
    simd: () => new Decoder(file, true),
    loops: () => new Decoder(file, false),
    neighbours: () => new Neighbours(means, labels, 10),
  };
  window.measure = async (name, count) => {
    const times = [];
    const start = performance.now();
    const made = makers[name]();
    const load = performance.now() - start;
    for (let i = 0; i < count; i++) {
      z[0] = 3 * Math.cos(i);
      z[1] = 3 * Math.sin(i);
      const before = performance.now();
      if (made.find) made.find(z);
      else made.pixels(z, image);
      times.push(performance.now() - before);
      // As in a drag, other tasks run in between.
      if (i % 10 === 0) await new Promise((done) => setTimeout(done));
    }
    const first = times[0];
    times.sort((a, b) => a - b);
    const at = (share) => times[Math.floor(share * (count - 1))];
    return { load, first, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
  };
}"""


def serve(page: Page, checkpoint: Checkpoint) -> None:
    """Answer the page's requests with the modules and the model's files."""
    files = {
        "": b"<!doctype html>",
        "decoder": pack_decoder(checkpoint),
        "means": checkpoint.means.numpy().tobytes(),
        "labels": checkpoint.labels.byte().numpy().tobytes(),
    }

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(ADDRESS)
        if path in files:
            route.fulfill(body=files[path], content_type="text/html", headers=ISOLATED)
        else:
            route.fulfill(path=ROOT / path, content_type="text/javascript", headers=ISOLATED)

    page.route(f"{ADDRESS}**", answer)


def main() -> None:
    with sync_playwright() as playwright:
        chromium = launch_chromium(playwright)
        page = chromium.new_page()
        serve(page, load_checkpoint(ROOT / DEFAULT_PATH))
        page.goto(ADDRESS)
        page.evaluate(LOAD)
        for name in ("simd", "loops", "neighbours"):
            times = page.evaluate("([name, count]) => measure(name, count)", [name, CALLS])
            print(name, json.dumps({key: round(value, 3) for key, value in times.items()}))
        chromium.close()


if __name__ == "__main__":
    main()
