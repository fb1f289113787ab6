"""The props of the page's components: plain JSON and server functions."""

import types

import gradio as gr
import pytest
from latent_navigator.app.components import LatentMap

from latent_navigator.app.server import build_blocks
from latent_navigator.explorer import interpolation, map_layers
from latent_navigator.explorer.interpolation import INTERPOLATIONS, Interpolation
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.map_layers import LAYERS, MapLayer
from tests.server.stand_ins import in_loop

PLAIN = (str, int, float, bool, type(None), types.FunctionType)


def non_json(value: object, path: str = "") -> list[str]:
    """The paths of the values that are neither JSON nor functions."""
    if isinstance(value, dict):
        return [found for k, v in value.items() for found in non_json(v, f"{path}.{k}")]
    if isinstance(value, list | tuple):
        return [found for i, v in enumerate(value) for found in non_json(v, f"{path}[{i}]")]
    return [] if isinstance(value, PLAIN) else [f"{path}: {type(value)}"]


def test_props_are_json_or_server_functions(space: LatentSpace) -> None:
    """Gradio copies the configuration for each page that is opened.

    An object in it, such as the listener of an event that has the name of a prop, would be copied
    with everything that it refers to.
    """
    page = in_loop(lambda: build_blocks(space, {}))
    assert non_json(page.config["components"]) == []


def register_layer_and_method(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a layer and a method, as CONTRIBUTING.md describes it."""
    layer = MapLayer(
        key="dummy",
        label="Dummy",
        term="nothing",
        help="Shows nothing of the {items}",
        compute=lambda space: {"count": len(space.labels)},
    )
    method = Interpolation(
        key="detour",
        label="a detour",
        term="dummy",
        short_label="detour",
        help="For tests only.",
        curve=INTERPOLATIONS[0].curve,
        spacing=INTERPOLATIONS[0].spacing,
    )
    monkeypatch.setattr(map_layers, "LAYERS", [*LAYERS, layer])
    monkeypatch.setattr("latent_navigator.app.instrument.LAYERS", [*LAYERS, layer])
    monkeypatch.setattr(interpolation, "INTERPOLATIONS", [*INTERPOLATIONS, method])
    monkeypatch.setattr("latent_navigator.app.tabs.INTERPOLATIONS", [*INTERPOLATIONS, method])


def test_a_registered_layer_and_method_reach_page_api_and_links(
    space: LatentSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_layer_and_method(monkeypatch)
    page = in_loop(lambda: build_blocks(space, {}))
    latent_map = next(block for block in page.blocks.values() if isinstance(block, LatentMap))
    record = latent_map.props["map_layers"][-1]
    assert (record["key"], record["help"]) == ("dummy", "Shows nothing of the digits")
    assert map_layers.layer_data(space, "dummy") == {"count": 10_000}

    methods = next(b for b in page.blocks.values() if getattr(b, "elem_id", "") == "methods")
    assert isinstance(methods, gr.CheckboxGroup)
    assert ("a detour (dummy)", "detour") in methods.choices
    api = page.get_api_info()["named_endpoints"]["/interpolate"]
    assert '"detour" (dummy)' in api["description"]
    assert interpolation.interpolate(space, 1, 7, "detour")["method"] == "detour"
    links = [str(fn.js) for fn in page.fns.values() if "restoreControls" in str(fn.js)]
    assert len(links) == 1
    assert '"detour"' in links[0]
