"""The decoder table: its error, its size and its lossless compression."""

import gzip

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from latent_navigator.explorer.decoder_table import (
    BEND,
    BOUND,
    SIDE,
    DecoderTable,
    build_table,
    look_up,
    pack_table,
)
from latent_navigator.explorer.latent_space import LatentSpace


@pytest.fixture(scope="module")
def table(space: LatentSpace) -> DecoderTable:
    return build_table(space.model, space.range)


def errors(space: LatentSpace, table: DecoderTable, z: torch.Tensor) -> NDArray[np.float64]:
    """z (N, 2) -> (N * 784,) the absolute errors of all pixels, in grey levels."""
    exact = space.decode_images(z).astype(float)
    return np.asarray(np.abs(look_up(table, z).numpy() - exact).ravel())


@pytest.mark.slow
@pytest.mark.guarantee("drag-paints-at-once")
@pytest.mark.parametrize("where", ["prior", "square"])
def test_its_error_on_random_positions_is_small(
    space: LatentSpace, table: DecoderTable, where: str
) -> None:
    generator = torch.Generator().manual_seed(0)
    if where == "prior":
        z = torch.randn(4000, 2, generator=generator).clamp(-space.range, space.range)
    else:
        z = (torch.rand(4000, 2, generator=generator) * 2 - 1) * space.range
    error = errors(space, table, z)
    assert error.mean() <= 2
    assert np.quantile(error, 0.999) <= 24
    # The check is sensitive enough to detect a table that is shifted by one cell.
    shifted = table._replace(values=table.values.roll(1, dims=0))
    assert errors(space, shifted, z).mean() > 2


def test_at_its_nodes_it_equals_the_decoder_up_to_quantisation(
    space: LatentSpace, table: DecoderTable
) -> None:
    """A step of the table is 16 / 255 of a logit, which changes a pixel by at most 2 of 255."""
    u = torch.linspace(-1, 1, SIDE)[[0, 7, 30, 36, 60, 71]]
    axis = space.range * torch.sinh(BEND * u) / np.sinh(BEND)
    z = torch.cartesian_prod(axis, axis)
    assert errors(space, table, z).max() <= np.ceil(2 * BOUND / 255 / 2 / 4 * 255) + 1


def test_packing_is_lossless_and_small(table: DecoderTable) -> None:
    packed = pack_table(table)
    assert len(packed) <= 1_300_000
    residual = np.frombuffer(gzip.decompress(packed), np.uint8).reshape(SIDE, SIDE, 784)
    restored = residual.astype(np.int64).cumsum(0).cumsum(1) % 256
    np.testing.assert_array_equal(restored, table.values.numpy())
