"""Files of numbers and arrays: written by Python, read by web/core/packed.js in node."""

import json
from pathlib import Path

import numpy as np
import pytest

from latent_navigator.explorer.packed import pack
from tests.node import run_node


def test_the_page_reads_what_python_writes(tmp_path: Path) -> None:
    content = {
        "text": "σ, “quoted”",
        "bytes": np.array([[1], [2], [255]], np.uint8),
        "list": [1, 2.5, None],
        "small": np.array([-3, 32767], ">i2"),
        "large": np.array([4294967295], np.uint32),
        "numbers": np.array([0.5, -1.5, 2], np.float32),
        "empty": np.array([], np.float32),
    }
    file = tmp_path / "file.bin"
    file.write_bytes(pack(content))
    assert json.loads(run_node("tests/web/unpack_file.js", str(file))) == {
        "text": "σ, “quoted”",
        "bytes": ["Uint8Array", [1, 2, 255]],
        "list": [1, 2.5, None],
        "small": ["Int16Array", [-3, 32767]],
        "large": ["Uint32Array", [4294967295]],
        "numbers": ["Float32Array", [0.5, -1.5, 2]],
        "empty": ["Float32Array", []],
    }


def test_other_arrays_are_refused() -> None:
    with pytest.raises(ValueError, match="z is of type float64; give one of uint8"):
        pack({"z": np.zeros(2)})
