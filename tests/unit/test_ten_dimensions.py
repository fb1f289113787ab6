"""The choice of the recipe of ten dimensions, without its training."""

import numpy as np
import pytest
import torch

from benchmarks.ten_dimensions import RECIPES, choose, command, measure, samples, split
from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.training.command_line import parse_arguments


def test_the_test_images_are_not_looked_at(digits: LabelledImages) -> None:
    data = split(digits, held_out=100)
    assert torch.equal(torch.cat([data.train_images, data.test_images]), digits.train_images)
    assert torch.equal(torch.cat([data.train_labels, data.test_labels]), digits.train_labels)
    assert len(data.test_images) == len(data.test_labels) == 100


def test_a_model_is_measured(ten_checkpoint: Checkpoint, digits: LabelledImages) -> None:
    found = measure(ten_checkpoint, digits)
    assert found["unused"] == 2
    assert found["kl_of_dimensions"] == sorted(found["kl_of_dimensions"], reverse=True)
    assert 0.2 < found["knn_accuracy"] <= 1  # 0.1 by chance


def test_samples_are_drawn_in_rows(ten_checkpoint: Checkpoint) -> None:
    drawn = samples(ten_checkpoint)
    assert drawn.size == (24 * 56, 4 * 56)
    shades = np.asarray(drawn)
    assert shades.min() < 128 < shades.mean() < shades.max(), "ink on paper"


def test_the_best_recipe_that_uses_its_dimensions_is_chosen() -> None:
    results = {
        "best, collapsed": {"elbo": -90.0, "unused": 4},
        "good": {"elbo": -95.0, "unused": 3},
        "worse": {"elbo": -96.0, "unused": 1},
        "nothing to show": {"elbo": -92.0, "unused": 0},
    }
    assert choose(results) == "good"
    for name in ("best, collapsed", "nothing to show"):
        with pytest.raises(ValueError, match="add one with another beta"):
            choose({name: results[name]})


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_a_command_of_the_trainer(name: str) -> None:
    words = command(RECIPES[name], 30).split()
    assert words[:2] == ["python", "trainer.py"]
    parsed = parse_arguments(words[2:])
    assert parsed.model_config.latent_dim == 10
    assert parsed.config.epochs == 30
    assert {key: getattr(parsed.config, key) for key in RECIPES[name]} == RECIPES[name]
