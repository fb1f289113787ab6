"""The command that the About tab gives trains the model that it shows."""

import dataclasses
import re
import shlex

import pytest

from latent_navigator.app.model_card import describe_training, duration, training_command
from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.model_config import VAEConfig
from latent_navigator.training.command_line import build_parser, parse_arguments
from latent_navigator.training.config import TrainingConfig

UNUSUAL = TrainingConfig(
    dataset="kmnist",
    epochs=7,
    batch_size=31,
    learning_rate=1.25e-5,
    beta=0.1,
    warmup_epochs=2.5,
    grad_clip=1 / 3,
    blanking=0.0,
    precision="fp32",
    seed=12,
)


@pytest.mark.parametrize("config", [TrainingConfig(), UNUSUAL])
def test_the_command_has_all_hyperparameters(released: Checkpoint, config: TrainingConfig) -> None:
    checkpoint = dataclasses.replace(released, training_config=config.hyperparameters())
    python, script, *options = shlex.split(training_command(checkpoint))
    assert (python, script) == ("python", "trainer.py")
    parsed = parse_arguments(options)
    assert parsed.config.hyperparameters() == config.hyperparameters()
    assert parsed.model_config == released.model_config
    assert parsed.config.output.endswith("runs/again/vae.pt")


def test_the_place_of_a_folder_stays_on_the_server(released: Checkpoint) -> None:
    config = released.training_config | {"dataset": "/home/somebody/my letters"}
    command = training_command(dataclasses.replace(released, training_config=config))
    assert "somebody" not in command
    assert "--dataset 'path/to/my letters'" in command


def test_another_network_has_no_command(released: Checkpoint) -> None:
    other = dataclasses.replace(released, model_config=VAEConfig(hidden=48))
    assert training_command(other) == ""


def test_the_time_of_the_training_is_measured(released: Checkpoint) -> None:
    text = describe_training(released)
    minutes = sum(entry["seconds"] for entry in released.history) / 60
    assert f"Its 50 epochs took {minutes:.0f} minutes" in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1.2, "1 second"), (99.4, "99 seconds"), (100, "2 minutes"), (5980, "1.7 hours")],
)
def test_durations_in_words(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_help_says_what_is_good_for_more_than_two_dimensions() -> None:
    text = " ".join(build_parser().format_help().split())
    found = re.search(r"--latent-dim LATENT_DIM dimensions .*?\(default: 2\)", text)
    assert found is not None
    assert "2 to 64" in found.group()
    suggested = re.search(r"(\d+) with (--beta) ([\d.]+)", found.group())
    assert suggested is not None
    latent_dim, option, beta = suggested.groups()
    parsed = parse_arguments(["--latent-dim", latent_dim, option, beta])
    assert parsed.model_config.latent_dim > 2
    assert parsed.config.beta < TrainingConfig().beta, "which collapses most of them"


@pytest.mark.parametrize("latent_dim", ["0", "1", "65", "4096", "-3"])
def test_other_latent_dimensions_are_rejected_with_those_that_are_not(latent_dim: str) -> None:
    with pytest.raises(ValueError, match=rf"latent_dim is {latent_dim}; give --latent-dim 2 to 64"):
        parse_arguments([f"--latent-dim={latent_dim}"])
