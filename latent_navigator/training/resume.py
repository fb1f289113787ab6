"""The state of an unfinished run: written after every epoch, and read by --resume."""

import dataclasses
import shlex
from pathlib import Path
from typing import Any

from latent_navigator.checkpoint.checkpoint import Checkpoint, load_checkpoint
from latent_navigator.checkpoint.snapshots import Snapshots
from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.model_config import VAEConfig
from latent_navigator.training.config import TrainingConfig
from latent_navigator.training.metrics import History
from latent_utils import Encodings, digit_centroids, digit_prototypes
from neural_network import VAE


def resume_path(output: Path) -> Path:
    """Where a run keeps its state until it is finished: vae_mnist.pt -> vae_mnist.resume.pt."""
    return output.with_suffix(".resume.pt")


def make_checkpoint(
    model: VAE,
    config: TrainingConfig,
    history: History,
    encodings: Encodings,
    data: LabelledImages,
    snapshots: Snapshots,
    training_state: dict[str, Any] | None,
) -> Checkpoint:
    """A checkpoint of the model as it is now; tensors on the CPU.

    Args:
        encodings: of the test images, by this model.
        training_state: the optimizer's state_dict, for a run that is not finished.
    """
    means, logvars, labels = encodings
    classes = len(data.class_names)
    return Checkpoint(
        model_config=model.config,
        training_config=config.hyperparameters(),
        weights={name: value.detach().cpu().clone() for name, value in model.state_dict().items()},
        history=list(history),
        class_names=list(data.class_names),
        means=means,
        logvars=logvars,
        labels=labels,
        counts=labels.bincount(minlength=classes),
        centroids=digit_centroids(means, labels, classes),
        prototypes=digit_prototypes(means, labels, classes=classes),
        images=data.test_images,
        snapshots=snapshots,
        training_state=training_state,
    )


def describe_state(output: Path, command: list[str]) -> str:
    """What a stopped run has saved, and the command that continues it.

    Args:
        command: the command that started the run.
    """
    path = resume_path(output)
    if not path.exists():
        return "nothing is saved: the first epoch was not complete."
    epochs = len(load_checkpoint(path).history)
    resume = shlex.join([*(word for word in command if word != "--resume"), "--resume"])
    return f"epochs 1 to {epochs} are saved in {path}. To continue: {resume}"


def load_resumable(output: Path, model_config: VAEConfig, config: TrainingConfig) -> Checkpoint:
    """The state of the unfinished run of `output`, else the finished checkpoint there.

    Returns:
        A checkpoint of the same configuration; without `training_state` if the run is finished.

    Raises:
        ValueError: if there is no run to resume, or it has another configuration.
    """
    unfinished = resume_path(output)
    path = unfinished if unfinished.exists() else output
    if not path.exists():
        raise ValueError(f"there is no run to resume at {unfinished}; run without --resume")
    found = load_checkpoint(path)
    # Older files do not name their data set, which is MNIST.
    then = {"dataset": "mnist", **found.training_config, **dataclasses.asdict(found.model_config)}
    now = {**config.hyperparameters(), **dataclasses.asdict(model_config)}
    differing = [
        f"{key} ({then.get(key)!r} then, {now.get(key)!r} now)"
        for key in sorted(then.keys() | now.keys())
        if then.get(key) != now.get(key)
    ]
    if differing:
        raise ValueError(
            f"{path} was trained with another configuration: {', '.join(differing)}; give the "
            "same options, or run without --resume"
        )
    if found.training_state is None and len(found.history) < config.epochs:
        raise ValueError(f"{path} has no state to resume from; run without --resume")
    return found
