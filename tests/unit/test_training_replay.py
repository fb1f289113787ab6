"""What the page is told of how a model was learned."""

import base64
import dataclasses
import gzip
import json

import numpy as np
import pytest
import torch

from latent_navigator.explorer.training_replay import FAR, Story, shown_range, summary


@pytest.fixture(scope="module")
def story(small_checkpoint):
    return Story({"small": small_checkpoint, "the other": small_checkpoint})


def unpack(text: str, dtype: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype)


@pytest.mark.guarantee("replay-and-lessons")
def test_a_story_is_the_checkpoints_replay(story, small_checkpoint):
    told, replay = story.story("small"), small_checkpoint.replay
    json.dumps(told, allow_nan=False)
    assert (told["label"], told["epochs"]) == ("small", len(small_checkpoint.history) + 1)
    points = told["points"]
    xy = unpack(points["xy"], "<i2").reshape(replay.means.shape)
    gap = np.abs(xy * points["scale"] - replay.means.float().clamp(-FAR, FAR).numpy())
    assert gap.max() <= points["scale"] / 2 * 1.001
    np.testing.assert_array_equal(
        unpack(points["labels"], "u1"), small_checkpoint.labels[replay.sample].numpy()
    )
    grids = np.frombuffer(gzip.decompress(base64.b64decode(told["grids"])), "u1")
    side = told["grid_side"]
    np.testing.assert_array_equal(grids.reshape(-1, side, side, 28, 28), replay.grids.numpy())
    assert (side, told["grid_reach"]) == (9, 3.0)


def test_its_curves_are_the_history(story, small_checkpoint):
    curves = story.story("small")["curves"]
    for name, key in (("recon", "test_recon"), ("kl", "test_kl"), ("beta", "beta")):
        assert curves[name] == [entry[key] for entry in small_checkpoint.history]


def test_it_is_made_once_for_each_label(story):
    assert story.labels == ["small", "the other"]
    assert story.story("small") is story.story("small")
    assert story.story("the other")["label"] == "the other"


@pytest.mark.parametrize("label", ["nobody", "", None, 1, ["small"], {"label": "small"}])
def test_an_unknown_label_is_told_the_labels(story, label):
    with pytest.raises(ValueError, match="give one of small, the other"):
        story.story(label)


def test_a_story_needs_two_dimensions_and_a_checkpoint(small_checkpoint):
    config = dataclasses.replace(small_checkpoint.model_config, latent_dim=3)
    with pytest.raises(ValueError, match="solid: latent_dim is 3"):
        Story({"solid": dataclasses.replace(small_checkpoint, model_config=config)})
    with pytest.raises(ValueError, match="at least one"):
        Story({})


@pytest.mark.parametrize(
    ("reach", "expected"), [(0.1, 4.0), (4.0, 4.0), (6.1, 6.5), (12.0, 12.0), (500.0, 12.0)]
)
def test_the_square_holds_the_points_within_bounds(reach, expected):
    means = torch.zeros(5, 100, 2)
    means[0] = 1000  # before training: not of interest
    means[1:, 10:, 1] = -reach
    assert shown_range(means) == expected


def test_few_outliers_do_not_widen_the_square():
    means = torch.zeros(11, 100, 2)
    means[1:, 0, 0] = torch.tensor([9.0] * 5 + [5.0] * 5)  # 5 of 1000 points lie at 9
    assert shown_range(means) == 5.0
    means[1:, 1, 0] = 9
    assert shown_range(means) == 9.0
    assert shown_range(means[:1]) == 4.0


def test_a_point_thrown_far_does_not_coarsen_the_others(small_checkpoint):
    replay = small_checkpoint.replay
    means = replay.means.clone()
    means[1, 0] = 60000
    thrown = dataclasses.replace(small_checkpoint, replay=replay._replace(means=means))
    points = Story({"thrown": thrown}).story("thrown")["points"]
    xy = unpack(points["xy"], "<i2").reshape(means.shape) * points["scale"]
    assert xy[1, 0] == pytest.approx([FAR, FAR])
    assert np.abs(xy[2:] - means[2:].float().numpy()).max() <= points["scale"] / 2 * 1.001 < 0.0011


@pytest.mark.parametrize(
    ("beta", "recipe", "expected"),
    [
        (4.0, {"warmup_epochs": 10.0}, "Trained for 40 epochs; beta rises to 4 over the first 10"),
        (0.2, {"warmup_epochs": 0}, "with beta 0.2 from the start."),
        (0.2, {}, "with beta 0.2 from the start."),
        (2.0, {"warmup_epochs": 80.0}, "in which beta rose to 2 (the warm-up was cut short)."),
        (0.0, {"warmup_epochs": 10.0}, "with beta 0: no prior at all (a plain autoencoder)."),
    ],
)
def test_the_summary_tells_of_the_recipe(small_checkpoint, beta, recipe, expected):
    history = [entry | {"beta": beta} for entry in small_checkpoint.history]
    run = dataclasses.replace(small_checkpoint, history=history, training_config=recipe)
    assert expected in summary(run)
    once = dataclasses.replace(run, history=history[:1])
    assert summary(once).startswith("Trained for 1 epoch")
    assert "epochs" not in summary(once)
