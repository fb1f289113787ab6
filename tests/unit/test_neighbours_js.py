"""web/core/neighbours.js in node against latent_utils."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from latent_navigator.explorer.latent_space import LatentSpace
from latent_utils import neighbourhood
from tests.decoder_reference import positions
from tests.node import run_node


def find_in_node(
    means: Tensor, labels: Tensor, z: Tensor, classes: int, folder: Path
) -> list[dict[str, Any]]:
    """What neighbours.js finds around each position."""
    files = [folder / name for name in ("means.f32", "labels.u8", "positions.f32")]
    for file, values in zip(files, (means, labels.byte(), z), strict=True):
        file.write_bytes(values.contiguous().numpy().tobytes())
    names = [str(file) for file in files]
    output = run_node("tests/web/neighbours_files.js", *names[:2], str(classes), names[2])
    found: list[dict[str, Any]] = json.loads(output)
    return found


def assert_equal(found: list[dict[str, Any]], means: Tensor, labels: Tensor, z: Tensor) -> None:
    """Shares and numbers are those of `neighbourhood`, and so are the distances of the nearest."""
    expected = neighbourhood(z, cKDTree(means.numpy()), labels)
    shares = torch.tensor([some["shares"] for some in found])
    assert torch.allclose(shares, expected.shares, atol=1e-6)
    assert [some["within"] for some in found] == expected.within.tolist()
    distances = torch.tensor([some["distance"] for some in found])
    assert torch.allclose(distances, expected.nearest, rtol=1e-5)
    # By their distances: equal encodings come in any order.
    indices = torch.tensor([some["indices"] for some in found])
    difference = means[indices] - means[expected.neighbours]  # (N, k, latent_dim)
    assert float(difference.abs().max()) < 1e-5


def test_it_finds_what_latent_utils_finds(space: LatentSpace, tmp_path: Path) -> None:
    z = positions(2, space.range)
    classes = len(space.class_names)
    found = find_in_node(space.means, space.labels, z, classes, tmp_path)
    assert len(found) == 2000
    assert_equal(found, space.means, space.labels, z)
    assert max(some["within"] for some in found) > 50
    assert min(some["within"] for some in found) == 0
    shares = neighbourhood(z, cKDTree(space.means.numpy()), space.labels).shares
    bits = torch.special.entr(shares).sum(1) / math.log(2)
    for some, position, entropy in zip(found, z, bits.tolist(), strict=True):
        assert some["entropy"] == pytest.approx(entropy, abs=1e-6)
        assert some["radius"] == pytest.approx(float(position.norm()), abs=1e-6)
        assert some["beyond"] == pytest.approx(math.exp(-float(position.square().sum()) / 2))


@pytest.mark.parametrize(("latent_dim", "count"), [(1, 200), (3, 7), (10, 1000), (2, 51), (2, 50)])
def test_it_finds_the_nearest_in_any_dimension(latent_dim: int, count: int, tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(count)
    means = torch.randn(count, latent_dim, generator=generator)
    labels = torch.arange(count) % 4
    z = torch.randn(100, latent_dim, generator=generator)
    assert_equal(find_in_node(means, labels, z, 4, tmp_path), means, labels, z)
