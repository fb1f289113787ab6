"""The lessons that train a model: their checks, on models whose figures are known."""

import dataclasses
import math
from pathlib import Path

import pytest
import torch

from benchmarks.server import ROOT
from latent_navigator.checkpoint.checkpoint import Checkpoint, load_checkpoint
from latent_navigator.lab.lessons import (
    LESSONS,
    Figures,
    collapsed,
    covered,
    exploded,
    figures,
    verdict,
)
from latent_navigator.lab.presets import USUAL, presets
from latent_navigator.lab.settings import parse_settings
from latent_navigator.pretrained import TEN_DIMENSIONS_PATH
from latent_navigator.training.config import TrainingConfig

USED = Figures(spread=1.0, ring=3.0, beyond=0.01, covered=0.99, kl=(3.0, 2.5))


def test_a_map_has_exploded_where_most_images_lie_beyond_the_ring() -> None:
    done, message = exploded(USED, "digits")
    assert not done
    assert message.endswith("The clouds q(z|x) cover 99 % of the area that the digits take.")
    assert not exploded(Figures(3.0, 3.0, 0.44, 0.9, (9.0, 9.0)), "digits")[0]  # without gaps
    done, message = exploded(Figures(3.6, 3.0, 0.44, 0.13, (13.0, 9.3)), "digits")
    assert done
    assert "44 % of the test digits lie more than 3σ from the centre, compared with 1 %" in message
    assert "a coordinate is 3.6 instead of 1. The clouds q(z|x) cover 13 % of the area" in message


def test_a_dimension_has_collapsed_where_it_tells_nothing() -> None:
    done, message = collapsed(USED, "digits")
    assert not done
    assert message.startswith("KL per dimension 3.00 and 2.50 nats: all are used")
    assert (
        "3.00, 2.50 and 2.00 nats"
        in collapsed(dataclasses.replace(USED, kl=(3.0, 2.5, 2.0)), "digits")[1]
    )
    done, message = collapsed(dataclasses.replace(USED, kl=(0.9, 0.002)), "digits")
    assert done
    assert "KL per dimension 0.90 and 0.00 nats: 1 of 2 is unused (below 0.05)" in message


def changed(checkpoint: Checkpoint, beta: float, scale: float, logvar: float) -> Checkpoint:
    return dataclasses.replace(
        checkpoint,
        training_config=checkpoint.training_config | {"beta": beta},
        means=checkpoint.means * scale,
        logvars=torch.full_like(checkpoint.logvars, logvar),
    )


def test_figures_are_those_of_the_model(released: Checkpoint) -> None:
    found = figures(changed(released, 4, 1, -2))
    means = released.means
    assert found.spread == pytest.approx(float((means**2).mean() ** 0.5), rel=1e-5)
    assert found.ring == pytest.approx(3)
    assert found.beyond == pytest.approx(float(((means**2).sum(1) > 9).float().mean()))
    expected = 0.5 * (means**2 + torch.tensor(-2.0).exp() + 2 - 1).mean(0)
    assert found.kl == pytest.approx(expected.tolist(), rel=1e-5)
    assert found.covered > 0.9
    assert figures(changed(released, 4, 50, -2)).covered < 0.5


def test_a_map_of_ten_dimensions_that_fills_the_prior_has_not_exploded() -> None:
    checkpoint = load_checkpoint(ROOT / TEN_DIMENSIONS_PATH)
    means = torch.randn(checkpoint.means.shape, generator=torch.Generator().manual_seed(0))
    found = figures(dataclasses.replace(checkpoint, means=means))
    assert float((means.norm(dim=1) > 3).float().mean()) > 0.5  # 3 sigma are near the centre there
    assert found.beyond == pytest.approx(math.exp(-4.5), abs=0.004)
    assert not exploded(found, "digits")[0]
    assert exploded(dataclasses.replace(found, beyond=0.44, covered=0.13), "digits")[0]


def test_covered_is_the_share_of_the_area_within_clouds() -> None:
    # One cloud of two sigma 0.5 covers a quarter of the disc of radius 2.
    one = torch.zeros(1, 2)
    assert covered(one, torch.full((1, 2), 2 * math.log(0.5)), 2.0) == pytest.approx(0.25, abs=0.03)
    ten = torch.zeros(1, 10)
    assert covered(ten, torch.zeros(1, 10), 2.0) == 1.0


def test_a_finished_run_is_judged_by_its_lesson(released: Checkpoint) -> None:
    assert verdict(released) is None  # beta 4 belongs to none
    found = verdict(changed(released, 0, 30, -8))
    assert found is not None
    assert (found["key"], found["done"]) == ("explode", True)
    assert found["learnt"]
    found = verdict(changed(released, 20, 0, 0))
    assert found is not None
    assert (found["key"], found["done"]) == ("collapse", True)
    found = verdict(changed(released, 20, 1, -3))
    assert found is not None
    assert (found["done"], found["learnt"]) == (False, "")


def test_the_lessons_take_about_a_minute_and_are_settings() -> None:
    minute = {preset["key"]: preset["values"] for preset in presets(6000, 60_000)}["minute"]
    for lesson in LESSONS:
        values = lesson.record(minute)["values"]
        assert set(values) == set(USUAL)
        settings = parse_settings({"dataset": "mnist", **values}, Path("data"), False)
        assert lesson.belongs(settings.config.beta)
        assert settings.config.limit == minute["limit"]
        assert settings.config.epochs < TrainingConfig.epochs
