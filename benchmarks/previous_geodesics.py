"""Geodesics as they were computed before SciPy: Bellman-Ford's algorithm, refined by L-BFGS.

The old modules are read from the history of this repository, so that `benchmarks.paths` measures
both in one run.
"""

import subprocess
import sys
from types import ModuleType

COMMIT = "0a35420"
PACKAGE = "latent_navigator.geometry"


def load_module(name: str) -> ModuleType:
    """A module of the package as it was, under another name."""
    path = f"{COMMIT}:{PACKAGE.replace('.', '/')}/{name}.py"
    shown = subprocess.run(["git", "show", path], capture_output=True, text=True, check=False)
    if shown.returncode:
        raise SystemExit(f"{path} is not in the history here; clone the repository in full")
    module = ModuleType(f"previous_{name}")
    sys.modules[module.__name__] = module
    source = shown.stdout.replace(f"{PACKAGE}.latent_graph", "previous_latent_graph")
    exec(compile(source, path, "exec"), module.__dict__)
    return module


latent_graph = load_module("latent_graph")
geodesics = load_module("geodesics")
