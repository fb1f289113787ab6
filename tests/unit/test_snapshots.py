"""Snapshots: the images that they keep, and how far a grid of them reaches."""

import pytest
import torch

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.checkpoint.snapshots import (
    LEAST_REACH,
    MOST_REACH,
    SIDE,
    add_snapshot,
    grid_reach,
    no_snapshots,
    rows_to_reconstruct,
)


def encoded(extent: float) -> torch.Tensor:
    """(1000, 2) encodings whose coordinates are spread evenly over -extent ... extent."""
    spread = torch.linspace(-extent, extent, 1000)
    return torch.stack([spread, spread.flip(0) / 2], 1)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_grid_reaches_as_far_as_99_percent_of_the_encodings(axis: int) -> None:
    means = encoded(6) if axis == 0 else encoded(6).flip(1)
    reach = float(grid_reach(means))
    inside = (means.abs() <= reach).all(1).float().mean()
    assert inside == pytest.approx(0.99)
    assert (means.abs() < reach).all(1).float().mean() < 0.99, "a smaller one covers fewer"


@pytest.mark.parametrize(("extent", "reach"), [(0.1, LEAST_REACH), (9000.0, MOST_REACH)])
def test_a_grid_reaches_neither_less_than_the_rings_nor_beyond_the_map(
    extent: float, reach: float
) -> None:
    assert float(grid_reach(encoded(extent))) == reach


def test_few_distant_encodings_do_not_widen_a_grid() -> None:
    means = encoded(1)
    means[:10] = 50
    assert float(grid_reach(means)) == LEAST_REACH
    means[:11] = 50
    assert float(grid_reach(means)) == 50


def test_a_snapshot_keeps_what_is_decoded_at_its_reach(released: Checkpoint) -> None:
    model, means = released.build_model(), encoded(6).half().float()
    snapshots = add_snapshot(no_snapshots(1000, 2), model, encoded(1), epoch=0)
    snapshots = add_snapshot(snapshots, model, means, epoch=1)
    reach = float(snapshots.reaches[1])
    assert snapshots.reaches.tolist() == [LEAST_REACH, float(grid_reach(means))]
    with torch.inference_mode():
        corner = model.decode(torch.tensor([[reach, reach]]))[0, 0] * 255
    assert (snapshots.grids[1, 0, SIDE - 1].float() - corner).abs().max() <= 1
    assert (snapshots.grids[0, 0, SIDE - 1].float() - corner).abs().max() > 50


def test_above_two_dimensions_a_snapshot_keeps_reconstructions(
    ten_checkpoint: Checkpoint,
) -> None:
    recorded, model = ten_checkpoint.snapshots, ten_checkpoint.build_model()
    assert recorded.reconstructed.tolist() == [k * len(recorded.sample) // 81 for k in range(81)]
    taken = add_snapshot(recorded, model, ten_checkpoint.means, len(recorded.means))
    with torch.inference_mode():
        shown = recorded.sample[recorded.reconstructed]
        expected = model.decode(ten_checkpoint.means[shown])[:, 0] * 255
    assert (taken.grids[-1].view(81, 28, 28).float() - expected).abs().max() <= 1
    assert (recorded.grids[0] != recorded.grids[-1]).any(), "nothing was learned"


def test_few_images_are_repeated() -> None:
    assert rows_to_reconstruct(3, 10).bincount().tolist() == [27, 27, 27]
    assert rows_to_reconstruct(1000, 2).tolist() == []


def test_a_run_of_an_older_version_goes_on_as_it_began(ten_checkpoint: Checkpoint) -> None:
    older = ten_checkpoint.snapshots._replace(reconstructed=torch.zeros(0, dtype=torch.int64))
    model, epoch = ten_checkpoint.build_model(), len(older.means)
    taken = add_snapshot(older, model, ten_checkpoint.means, epoch)
    with torch.inference_mode():
        middle = model.decode(torch.zeros(1, 10))[0, 0] * 255
    assert (taken.grids[-1, SIDE // 2, SIDE // 2].float() - middle).abs().max() <= 1
    assert not len(taken.reconstructed)
