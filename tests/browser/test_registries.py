"""A layer and an interpolation take two files each: a record in Python and a drawing in web/."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.helpers import Visits, compare
from tests.fixtures import ROOT, started_demo

pytestmark = pytest.mark.browser

# What a contributor adds to explorer/map_layers.py and to explorer/interpolation.py.
RECORDS = {
    "map_layers.py": """
import numpy as np
LAYERS.append(MapLayer(
    key="chess", label="Chess", term="checkerboard", help="Alternate fields",
    compute=lambda space, plane: {"fields": np.arange(64, dtype=np.uint8) // 8, "side": 8}))
""",
    "interpolation.py": """
from dataclasses import replace
INTERPOLATIONS.append(replace(INTERPOLATIONS[0], key="detour", label="a detour", term="dummy"))
""",
}
LAYER = """
import { drawCells, makeCells } from "../cells.js";
export function createLayer() {
  return {
    order: -5,
    prepare: ({ fields, side }) =>
      makeCells(side, (i) => (i + fields[i]) % 2 ? [0, 200, 0, 255] : [0, 0, 0, 0]),
    draw: (scene, canvas) => drawCells(scene, canvas, false),
    legend: ({ side }) => [["", `a board of ${side} fields`]],
  };
}
"""
STYLE = 'export const style = { dash: [1, 1], light: "#ff00ff", dark: "#ff00ff" };'


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A demo whose copy of the program has one layer and one method more."""
    folder = tmp_path_factory.mktemp("extended")
    copied = folder / "program"
    for part in ("latent_navigator", "web", "pretrained"):
        shutil.copytree(ROOT / part, copied / part)
    for module in ROOT.glob("*.py"):
        shutil.copy(module, copied)
    (copied / "web/map/layers/chess.js").write_text(LAYER)
    (copied / "web/paths/styles/detour.js").write_text(STYLE)
    for name, record in RECORDS.items():
        extended = copied / "latent_navigator/explorer" / name
        extended.write_text(extended.read_text() + record)
    with started_demo(folder, cwd=copied, root=copied) as demo:
        yield demo.address


def test_a_layer_is_a_record_and_a_drawing(visit: Visits, extended: str) -> None:
    page = visit(f"{extended}#layers=chess")
    expect(page.locator("[data-layer=chess]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#map-legend-lines")).to_have_text("a board of 8 fields")
    greens = """() => { const canvas = document.querySelector('#latent-map .map-base');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let n = 0; for (let i = 0; i < data.length; i += 4)
        n += data[i] === 0 && data[i + 1] === 200;
      return 4 * n / data.length; }"""
    page.wait_for_function(f"() => Math.abs(({greens})() - 0.5) < 0.03")
    page.locator("[data-layer=chess]").click()
    expect(page.locator("#latent-map .map-legend")).to_be_hidden()
    assert page.evaluate(greens) == 0


def test_a_method_is_a_record_and_a_style(visit: Visits, extended: str) -> None:
    page = visit(f"{extended}#methods=detour")
    box = page.locator("#methods").get_by_label("a detour (dummy)")
    expect(box).to_be_checked()
    compare(page)
    expect(page.locator("#film-strip .row")).to_have_count(1)
    stroke = page.locator("#film-strip .sample path").first
    assert stroke.evaluate("(line) => getComputedStyle(line).stroke") == "rgb(255, 0, 255)"
