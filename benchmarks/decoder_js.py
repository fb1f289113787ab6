"""How long web/core/decoder.js takes for one image in a real Chromium.

    python -m benchmarks.decoder_js

Prints milliseconds from a position to the 784 grey levels, of the committed checkpoint.
"""

import json

from playwright.sync_api import Route, sync_playwright

from benchmarks.chromium import launch_chromium
from benchmarks.server import ROOT
from latent_navigator.checkpoint.checkpoint import load_checkpoint
from latent_navigator.checkpoint.decoder_file import pack_decoder
from latent_navigator.pretrained import DEFAULT_PATH

ADDRESS = "http://localhost/"
# Only an isolated page, from a host that counts as safe, has a clock finer than 0.1 ms.
ISOLATED = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
}
MEASURE = """async ([count, simd]) => {
  const { Decoder, PIXELS } = await import("/web/core/decoder.js");
  const file = await (await fetch("/decoder.bin")).arrayBuffer();
  const start = performance.now();
  const decoder = new Decoder(file, simd);
  const load = performance.now() - start;
  const [z, image, times] = [new Float32Array(2), new Uint8ClampedArray(PIXELS), []];
  for (let i = 0; i < count; i++) {
    z[0] = 3 * Math.cos(i);
    z[1] = 3 * Math.sin(i);
    const before = performance.now();
    decoder.pixels(z, image);
    times.push(performance.now() - before);
    // As in a drag, other tasks run in between.
    if (i % 10 === 0) await new Promise((done) => setTimeout(done));
  }
  const first = times[0];
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor(share * (count - 1))];
  return { load, first, p50: at(0.5), p95: at(0.95), p99: at(0.99), count };
}"""


def main() -> None:
    weights = pack_decoder(load_checkpoint(ROOT / DEFAULT_PATH))

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(ADDRESS)
        if path.endswith(".js"):
            route.fulfill(path=ROOT / path, content_type="text/javascript", headers=ISOLATED)
        else:
            body = weights if path else "<!doctype html>"
            route.fulfill(body=body, content_type="text/html", headers=ISOLATED)

    with sync_playwright() as playwright:
        chromium = launch_chromium(playwright)
        page = chromium.new_page()
        page.route(f"{ADDRESS}**", answer)
        page.goto(ADDRESS)
        for name, simd in (("WebAssembly", True), ("JavaScript alone", False)):
            times = page.evaluate(MEASURE, [1000, simd])
            print(name, json.dumps({key: round(value, 3) for key, value in times.items()}))
        chromium.close()


if __name__ == "__main__":
    main()
