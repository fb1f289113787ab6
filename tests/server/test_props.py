"""The props of the page: plain JSON and server functions."""

import types

import pytest

from latent_navigator.app.api import json_endpoints
from latent_navigator.app.model_page import page_props
from latent_navigator.app.models import Models
from latent_navigator.app.server import build_blocks
from latent_navigator.app.workspace import Workspace
from latent_navigator.explorer import interpolation, map_layers
from latent_navigator.explorer.data_files import model_files
from latent_navigator.explorer.interpolation import INTERPOLATIONS, Interpolation
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.map_layers import LAYERS, MapLayer
from latent_navigator.explorer.packed import pack
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
    page, _ = in_loop(lambda: build_blocks(Models.of(space)))
    assert non_json(page.config["components"]) == []


def test_the_endpoints_and_props_of_ten_dimensions(ten_space: LatentSpace) -> None:
    page, _ = in_loop(lambda: build_blocks(Models.of(ten_space)))
    assert non_json(page.config["components"]) == []
    props = page_props(ten_space)
    assert props["latent_dim"] == len(props["dims"]) == len(props["plane"]["origin"]) == 10
    assert props["used"] == list(range(8))
    assert {len(z) for z in props["anchors"]["typical"]} == {10}
    assert "near" in [control["name"] for control in props["controls"]]
    answers = {function.__name__: function for function in json_endpoints(Models.of(ten_space))}
    z = answers["random_sample"](5)["z"]
    assert len(z) == len(answers["jump_to_digit"](3)["z"]) == 10
    assert len(answers["morph_toward"](z, None, 3, 0.5)["z"]) == 10
    assert len(answers["interpolate"](z, 3)["path"][0]) == 10
    assert len(answers["attributes"](z)["attributes"]["slant"]["vector"]) == 10
    assert len(answers["digit_directions"](z)) == 10
    assert len(answers["nudge"](z, None, "slant", 1)["path"][0]) == 10
    with pytest.raises(ValueError, match=r"position is .*give 10 numbers"):
        answers["attributes"](z[:9])


def test_a_registered_layer_and_method_reach_page_api_and_links(space: LatentSpace) -> None:
    """As CONTRIBUTING.md describes it; tests/browser/test_registries.py has their drawings."""
    layer = MapLayer(
        key="dummy",
        label="Dummy",
        term="nothing",
        help="Shows nothing of the {items}",
        compute=lambda space, _: {"count": len(space.labels)},
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
    LAYERS.append(layer)
    INTERPOLATIONS.append(method)
    try:
        page, _ = in_loop(lambda: build_blocks(Models.of(space)))
        props = next(b for b in page.blocks.values() if isinstance(b, Workspace)).props["page"]
        record = props["layers"][-1]
        assert (record["key"], record["help"]) == ("dummy", "Shows nothing of the digits")
        assert map_layers.layer_data(space, "dummy") == {"count": 10_000}
        assert model_files(space)["layers/dummy.bin"]() == pack({"count": 10_000})
        shown = props["methods"][-1]
        assert (shown["key"], shown["label"], shown["term"]) == ("detour", "a detour", "dummy")
        links = next(control for control in props["controls"] if control["name"] == "methods")
        assert links["options"][-1] == "detour"
        api = page.get_api_info()["named_endpoints"]["/interpolate"]
        assert '"detour" (dummy)' in api["description"]
        assert interpolation.interpolate(space, 1, 7, "detour")["method"] == "detour"
    finally:
        LAYERS.remove(layer)
        INTERPOLATIONS.remove(method)
