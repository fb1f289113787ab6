"""The decoder as a table: its error, its size, and that packing loses nothing."""

import gzip
from typing import Any

import numpy as np
import pytest
import torch

from latent_navigator.explorer.decoder_table import (
    BOUND,
    SIDE,
    DecoderTable,
    build_table,
    look_up,
    pack_table,
)
from latent_navigator.explorer.latent_space import LatentSpace


@pytest.fixture(scope="module")
def table(space: LatentSpace) -> Any:
    return build_table(space.model, space.range)


def errors(space: LatentSpace, table: DecoderTable, z: torch.Tensor) -> Any:
    exact = space.decode_images(z).astype(float)
    return np.abs(look_up(table, z).numpy() - exact).ravel()


@pytest.mark.slow
@pytest.mark.guarantee("drag-paints-at-once")
@pytest.mark.parametrize("where", ["prior", "square"])
def test_its_error_on_random_positions_is_small(space: LatentSpace, table: Any, where: str) -> None:
    generator = torch.Generator().manual_seed(0)
    if where == "prior":
        z = torch.randn(4000, 2, generator=generator).clamp(-space.range, space.range)
    else:
        z = (torch.rand(4000, 2, generator=generator) * 2 - 1) * space.range
    error = errors(space, table, z)
    assert error.mean() <= 2
    assert np.quantile(error, 0.999) <= 24
    # The check can fail: a table that is off by a cell is caught.
    shifted = table._replace(values=table.values.roll(1, dims=0))
    assert errors(space, shifted, z).mean() > 2


def test_at_its_nodes_it_is_the_decoder_within_its_steps(space: LatentSpace, table: Any) -> None:
    """A step of the table is 16 / 255 of a logit, which moves a pixel by at most 2 of 255."""
    from latent_navigator.explorer.decoder_table import BEND

    u = torch.linspace(-1, 1, SIDE)[[0, 7, 30, 36, 60, 71]]
    axis = space.range * torch.sinh(BEND * u) / np.sinh(BEND)
    z = torch.cartesian_prod(axis, axis)
    assert errors(space, table, z).max() <= np.ceil(2 * BOUND / 255 / 2 / 4 * 255) + 1


def test_packing_loses_nothing_and_is_small(table: Any) -> None:
    packed = pack_table(table)
    assert len(packed) <= 1_300_000
    residual = np.frombuffer(gzip.decompress(packed), np.uint8).reshape(SIDE, SIDE, 784)
    restored = residual.astype(np.int64).cumsum(0).cumsum(1) % 256
    np.testing.assert_array_equal(restored, table.values.numpy())
