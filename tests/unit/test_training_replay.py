"""The training replay of a checkpoint, as the page receives it."""

import dataclasses
import re
from typing import Any

import numpy as np
import pytest

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.checkpoint.snapshots import MAX_SNAPSHOTS
from latent_navigator.explorer.packed import pack
from latent_navigator.explorer.training_replay import (
    FAR,
    replay_files,
    summary,
    training_replay,
)
from tests.helpers import in_epochs


@pytest.mark.guarantee("replay-and-lessons")
def test_a_replay_is_what_the_checkpoint_recorded(small_checkpoint: Checkpoint) -> None:
    replay, recorded = training_replay(small_checkpoint), small_checkpoint.snapshots
    assert replay["epochs"] == list(range(len(small_checkpoint.history) + 1))
    xy = replay["xy"] * replay["scale"]
    error = np.abs(xy - recorded.means.float().clamp(-FAR, FAR).numpy())
    # A float32 of up to 32767 is rounded by up to 0.002 itself.
    assert error.max() <= replay["scale"] / 2 * 1.004
    np.testing.assert_array_equal(
        replay["labels"], small_checkpoint.labels[recorded.sample].numpy()
    )
    side = replay["grid_side"]
    images = replay["images"].reshape(-1, side, side, 28, 28)
    np.testing.assert_array_equal(images, recorded.grids.numpy())
    assert side == 9
    assert replay["grid_reaches"] == recorded.reaches.tolist()


def test_curves_are_the_history(small_checkpoint: Checkpoint) -> None:
    curves = training_replay(small_checkpoint)["curves"]
    for name, key in (("recon", "test_recon"), ("kl", "test_kl"), ("beta", "beta")):
        assert curves[name] == [entry[key] for entry in small_checkpoint.history]


def test_long_training_is_replayed_at_the_moments_that_were_kept(
    small_checkpoint: Checkpoint,
) -> None:
    long = in_epochs(small_checkpoint, 1001)
    answer = training_replay(long)
    assert answer["epochs"] == [*range(0, 1001, 4), 1001]
    assert len(answer["epochs"]) == len(long.snapshots.means) <= MAX_SNAPSHOTS
    expected = [long.history[epoch - 1]["test_kl"] for epoch in answer["epochs"][1:]]
    assert answer["curves"]["kl"] == expected
    assert answer["summary"].startswith("Trained for 1001 epochs")


def test_files_have_the_replays_and_are_named_after_what_they_contain(
    small_checkpoint: Checkpoint,
) -> None:
    history = [entry | {"beta": 2.0} for entry in small_checkpoint.history]
    checkpoints = {
        "small": small_checkpoint,
        "another label": small_checkpoint,
        "other curves": dataclasses.replace(small_checkpoint, history=history),
        "another summary": dataclasses.replace(small_checkpoint, training_config={}),
        "other moments": in_epochs(small_checkpoint, 60),
    }
    files = replay_files(checkpoints)
    assert list(files) == list(checkpoints)
    for label, checkpoint in checkpoints.items():
        assert re.fullmatch(r"replay/[0-9a-f]{20}\.bin", files[label].name)
        assert files[label].make() == pack(training_replay(checkpoint))
    names = [file.name for file in files.values()]
    assert names[0] == names[1]
    assert len(set(names)) == 4


def test_a_file_is_made_when_it_is_asked_for(
    small_checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Checkpoint] = []

    def make(checkpoint: Checkpoint) -> dict[str, Any]:
        made.append(checkpoint)
        return {}

    monkeypatch.setattr("latent_navigator.explorer.training_replay.training_replay", make)
    file = replay_files({"small": small_checkpoint})["small"]
    assert made == []
    file.make()
    assert made == [small_checkpoint]


def test_a_replay_needs_a_checkpoint() -> None:
    with pytest.raises(ValueError, match="at least one"):
        replay_files({})


def test_a_distant_point_does_not_reduce_the_precision_of_others(
    small_checkpoint: Checkpoint,
) -> None:
    snapshots = small_checkpoint.snapshots
    means = snapshots.means.clone()
    means[1, 0] = 60000
    far = dataclasses.replace(small_checkpoint, snapshots=snapshots._replace(means=means))
    replay = training_replay(far)
    xy, scale = replay["xy"] * replay["scale"], replay["scale"]
    assert xy[1, 0] == pytest.approx([FAR, FAR])
    assert np.abs(xy[2:] - means[2:].float().numpy()).max() <= scale / 2 * 1.001 < 0.0011


@pytest.mark.parametrize(
    ("beta", "config", "expected"),
    [
        (4.0, {"warmup_epochs": 10.0}, "Trained for 40 epochs; beta rises to 4 over the first 10"),
        (0.2, {"warmup_epochs": 0}, "with beta 0.2 from the start."),
        (0.2, {}, "with beta 0.2 from the start."),
        (2.0, {"warmup_epochs": 80.0}, "in which beta rose to 2 (the warm-up was cut short)."),
        (
            0.0,
            {"warmup_epochs": 10.0},
            "with beta 0: no KL term, so in effect a plain autoencoder.",
        ),
    ],
)
def test_the_summary_describes_the_schedule(
    small_checkpoint: Checkpoint, beta: float, config: dict[str, Any], expected: str
) -> None:
    history = [entry | {"beta": beta} for entry in small_checkpoint.history]
    run = dataclasses.replace(small_checkpoint, history=history, training_config=config)
    assert expected in summary(run)
    once = dataclasses.replace(run, history=history[:1])
    assert summary(once).startswith("Trained for 1 epoch")
    assert "epochs" not in summary(once)
