"""The structure of the code: imports run one way, modules and functions stay small."""

import ast
from pathlib import Path

import pytest

from latent_navigator.explorer.interpolation import INTERPOLATIONS
from latent_navigator.explorer.map_layers import LAYERS
from tests.fixtures import ROOT

PACKAGE = "latent_navigator"
# From top to bottom: a module imports only from its own level and those below.
LEVELS = [
    ("demo", "trainer"),
    (f"{PACKAGE}.app",),
    (f"{PACKAGE}.lab",),
    (f"{PACKAGE}.explorer",),
    (f"{PACKAGE}.training",),
    (f"{PACKAGE}.checkpoint",),
    (f"{PACKAGE}.geometry",),
    (f"{PACKAGE}.data",),
    ("latent_utils",),
    ("neural_network",),
    tuple(
        f"{PACKAGE}.{name}"
        for name in ("density", "model_config", "pretrained", "atomic_io", "console", "device")
    ),
]
MAX_MODULE, MAX_FUNCTION = 300, 50  # lines
SLACK = 1.1  # the limits are approximate


def sources() -> dict[str, Path]:
    """The modules of the product, by name."""
    paths = [*ROOT.glob("*.py"), *(ROOT / PACKAGE).rglob("*.py")]
    names = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths}
    return {name: path for path, name in names.items() if not name.endswith("__init__")}


SOURCES = sources()


def imports(name: str) -> set[str]:
    """The modules of the product that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(SOURCES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found & set(SOURCES)


def level(name: str) -> int:
    """The index of a module's level."""
    return next(
        i
        for i, prefixes in enumerate(LEVELS)
        if any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)
    )


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_imports_run_one_way(name: str) -> None:
    upward = {other for other in imports(name) if level(other) < level(name)}
    assert upward == set()


def test_there_are_no_import_cycles() -> None:
    """Remove modules whose imports have all been removed; a cycle would remain."""
    left = {name: imports(name) for name in SOURCES}
    while removable := [name for name, needed in left.items() if not needed & set(left)]:
        for name in removable:
            del left[name]
    assert left == {}


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_modules_and_functions_are_small(name: str) -> None:
    text = SOURCES[name].read_text(encoding="utf-8")
    count, most = len(text.splitlines()), int(MAX_MODULE * SLACK)
    assert count <= most, f"{name} has {count} lines; move a part into a module of its own ({most})"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < MAX_FUNCTION * SLACK, (
                f"{node.name} in {name} is too long; divide it ({MAX_FUNCTION * SLACK:g} lines)"
            )


def test_every_layer_and_interpolation_has_its_drawing_and_its_word() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8").lower()
    for folder, records in (("map/layers", LAYERS), ("paths/styles", INTERPOLATIONS)):
        drawn = {path.stem for path in (ROOT / "web" / folder).glob("*.js")}
        assert {record.key for record in records} <= drawn, f"web/{folder}/<key>.js is missing"
    for layer in LAYERS:
        assert layer.label.lower() in readme, f"README.md does not name the layer {layer.label!r}"


@pytest.mark.parametrize(
    ("library", "allowed"),
    [("gradio", f"{PACKAGE}.app."), ("torchvision", f"{PACKAGE}.data.datasets")],
)
def test_gradio_and_torchvision_are_imported_in_one_place_only(library: str, allowed: str) -> None:
    importing = {
        name
        for name, path in SOURCES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (
            isinstance(node, ast.Import)
            and any(a.name.split(".")[0] == library for a in node.names)
        )
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == library)
    }
    assert importing
    assert all(name.startswith(allowed) for name in importing), importing
