"""The training configuration, its schedules and its command line."""

import dataclasses
from itertools import pairwise
from typing import Any

import pytest

from latent_navigator.training.command_line import build_parser
from latent_navigator.training.config import TrainingConfig, beta_at, learning_rate_at


@pytest.mark.guarantee("schedule-and-seed")
def test_beta_rises_from_0_to_4_over_10_epochs_and_stays() -> None:
    config = TrainingConfig()
    assert [beta_at(p, config) for p in (0, 2.5, 5, 10, 10.1, 50)] == [0, 1, 2, 4, 4, 4]
    assert beta_at(0, dataclasses.replace(config, warmup_epochs=0)) == 4


def test_learning_rate_is_one_cycle() -> None:
    config = TrainingConfig()
    rates = [learning_rate_at(p / 10, config) for p in range(501)]
    peak = rates.index(max(rates))
    assert peak == 150
    assert rates[peak] == pytest.approx(config.learning_rate)
    assert all(a < b for a, b in pairwise(rates[: peak + 1]))
    assert all(a >= b for a, b in pairwise(rates[peak:]))
    assert 0 < rates[-1] < config.learning_rate / 1000


@pytest.mark.parametrize(
    "invalid",
    [
        {"epochs": 0},
        {"epochs": 2.5},
        {"batch_size": -1},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"beta": -1.0},
        {"beta": float("inf")},
        {"warmup_epochs": -1.0},
        {"grad_clip": 0.0},
        {"blanking": 1.0},
        {"precision": "fp8"},
        {"seed": -1},
        {"limit": -1},
    ],
)
def test_invalid_configuration_is_rejected_by_name(invalid: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(invalid))} is"):
        TrainingConfig(**invalid)


def test_options_default_to_the_configuration() -> None:
    options = vars(build_parser().parse_args([]))
    assert not any(options.pop(flag) for flag in ("resume", "discard", "skip_damaged", "progress"))
    assert options.pop("latent_dim") == 2
    assert TrainingConfig(**options) == TrainingConfig()


@pytest.mark.guarantee("other-datasets")
def test_output_is_never_next_to_the_committed_model() -> None:
    def output(**options: str) -> str:
        return str(TrainingConfig(**options).output_path())  # type: ignore[arg-type]  # strings only

    assert output() == "pretrained/vae_mnist.pt"
    assert output(dataset="kmnist") == "runs/kmnist/vae.pt"
    assert output(dataset="some/shoes") == "runs/shoes/vae.pt"
    assert output(dataset="kmnist", output="a/b.pt") == "a/b.pt"
    with pytest.raises(ValueError, match="folder of the committed MNIST model"):
        output(dataset="kmnist", output="pretrained/kmnist.pt")
