"""The decoder's file, and web/core/decoder.js in node against PyTorch."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.checkpoint.decoder_file import (
    BITS,
    LARGEST,
    MORE,
    ROUNDED,
    pack_decoder,
    round_weights,
)
from latent_navigator.model_config import VAEConfig
from tests.decoder_reference import CONFIGS, Reference, random_model, reference
from tests.node import run_node


def read_header(file: bytes) -> dict[str, object]:
    length = int.from_bytes(file[:4], "little")
    header: dict[str, object] = json.loads(file[4 : 4 + length])
    return header


def is_rounded(file: bytes) -> bool:
    """Whether the weights are integers."""
    tensors: Any = read_header(file)["tensors"]
    rounded = {name for name, tensor in tensors.items() if "scale" in tensor}
    assert rounded in ({*ROUNDED}, set())
    return bool(rounded)


def difference_in_node(expected: Reference, folder: Path, kind: str = "simd") -> int:
    """The largest difference of a pixel between node and PyTorch, in grey levels of 255.

    Args:
        kind: "simd", or "loops" without WebAssembly.
    """
    decoder, positions = expected.write(folder)
    images = folder / "images.u8"
    run_node("tests/web/decode_files.js", str(decoder), str(positions), str(images), kind)
    return expected.difference(images.read_bytes())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["simd", "loops"])
def test_node_decodes_the_released_model_as_pytorch_does(
    released: Checkpoint, kind: str, tmp_path: Path
) -> None:
    expected = reference(released)
    assert is_rounded(expected.file)
    assert len(expected.positions) == 2000
    assert difference_in_node(expected, tmp_path, kind) <= 1
    # The check is sensitive enough to detect neighbouring positions.
    moved = expected._replace(positions=expected.positions + 0.02)
    assert difference_in_node(moved, tmp_path, kind) > 1


@pytest.mark.parametrize("kind", ["simd", "loops"])
@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_node_decodes_models_of_any_size(
    released: Checkpoint, config: VAEConfig, kind: str, tmp_path: Path
) -> None:
    expected = reference(random_model(released, config), 200)
    assert difference_in_node(expected, tmp_path, kind) <= 1


def test_weights_whose_rounding_would_show_stay_float32(
    released: Checkpoint, tmp_path: Path
) -> None:
    config = VAEConfig(hidden=32, decoder_channels=8)
    expected = reference(random_model(released, config, scale=30_000), 200)
    assert not is_rounded(expected.file)
    assert difference_in_node(expected, tmp_path) <= 1


def test_rows_of_zeros_stay_zeros(released: Checkpoint, tmp_path: Path) -> None:
    model = random_model(released, VAEConfig(hidden=32, decoder_channels=8))
    model.weights["decoder.hidden_2.weight"][3:7] = 0
    model.weights["decoder.out.weight"][0] = 0
    expected = reference(model, 200)
    assert is_rounded(expected.file)
    assert difference_in_node(expected, tmp_path) <= 1


@pytest.mark.parametrize("bits", BITS)
def test_rounded_weights_are_half_a_step_off_at_most(released: Checkpoint, bits: int) -> None:
    exact = released.build_model().decoder.state_dict()
    integers, scales = round_weights(exact, bits)
    for name, steps in integers.items():
        difference = (steps * scales[name] - exact[name]).abs() / scales[name]
        assert float(difference.max()) <= 0.51
        most = 2 ** (bits - 1 + (0 if name == LARGEST else MORE)) - 1
        assert float(steps.abs().max()) == most


def test_equal_checkpoints_give_equal_files(released: Checkpoint) -> None:
    model = random_model(released, CONFIGS[0])
    other = random_model(released, CONFIGS[0])
    file = pack_decoder(model)
    assert file == pack_decoder(other)
    assert read_header(file)["config"] == dataclasses.asdict(CONFIGS[0])
    other.weights["decoder.out.bias"] += 1
    assert file != pack_decoder(other)
