"""The state of an unfinished run: written after every epoch, and read by --resume."""

import dataclasses
import shlex
from typing import Any

from latent_navigator.checkpoint.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from latent_navigator.checkpoint.snapshots import Snapshots
from latent_navigator.data.fingerprint import differences, fingerprint
from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.data.train_data import TrainData
from latent_navigator.model_config import VAEConfig
from latent_navigator.training.config import TrainingConfig, plain_dataset
from latent_navigator.training.metrics import History
from latent_navigator.training.paths import RunPaths
from latent_utils import Encodings, digit_centroids, digit_prototypes
from neural_network import VAE


def make_checkpoint(
    model: VAE,
    config: TrainingConfig,
    history: History,
    encodings: Encodings,
    data: LabelledImages,
    train_data: TrainData,
    snapshots: Snapshots,
    training_state: dict[str, Any] | None,
) -> Checkpoint:
    """A checkpoint of the model as it is now; tensors on the CPU.

    Args:
        encodings: of the test images, by this model.
        train_data: of the training images in `data`.
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
        train_data=train_data,
        training_state=training_state,
    )


def describe_state(paths: RunPaths, command: list[str]) -> str:
    """What a stopped run has saved, and the command that continues it.

    Args:
        command: the command that started the run.
    """
    if not paths.state.exists():
        return "nothing is saved: the first epoch was not completed."
    epochs = len(load_checkpoint(paths.state).history)
    resume = shlex.join([*(word for word in command if not _is_start_option(word)), "--resume"])
    return f"epochs 1 to {epochs} are saved in {paths.state}. To continue: {resume}"


def _is_start_option(word: str) -> bool:
    """Whether a word of the command line is --resume or --discard, which may be abbreviated."""
    return len(word) > 2 and any(option.startswith(word) for option in ("--resume", "--discard"))


def check_nothing_is_lost(paths: RunPaths) -> None:
    """Refuse to start a run where another one has left what this one would replace.

    A finished checkpoint is no such thing: it stays as it is until the new one is complete.

    Raises:
        ValueError: if there is the state of an unfinished run, or a file that is no checkpoint.
    """
    if paths.state.exists():
        try:
            epochs = len(load_checkpoint(paths.state).history)
        except CheckpointError as error:
            raise ValueError(f"{error}; to start over, add --discard") from None
        raise ValueError(
            f"epochs 1 to {epochs} of an unfinished run are saved in {paths.state}; add --resume "
            "to continue it, or --discard to start over"
        )
    if paths.output.exists():
        try:
            load_checkpoint(paths.output)
        except CheckpointError:
            raise ValueError(
                f"{paths.output} exists and is not a checkpoint that this program can open; choose "
                "another --output, or add --discard to replace it"
            ) from None


def load_resumable(paths: RunPaths, model_config: VAEConfig, config: TrainingConfig) -> Checkpoint:
    """The state of the unfinished run, else the finished checkpoint.

    Args:
        config: with the precision "auto", that of the run is accepted.

    Returns:
        A checkpoint of the same configuration; without `training_state` if the run is finished.

    Raises:
        ValueError: if there is no run to resume, or it has a different configuration.
    """
    earlier = paths.state_of_version_0_1
    if not paths.state.exists() and earlier.exists():
        raise ValueError(
            f"there is no {paths.state}, but version 0.1 has left the state of a run in {earlier}; "
            f"to continue that run, rename the file to {paths.state.name}; otherwise move it away"
        )
    path = paths.state if paths.state.exists() else paths.output
    if not path.exists():
        raise ValueError(f"there is no run to resume at {paths.state}; run without --resume")
    found = load_checkpoint(path)
    # Older files do not name their data set, which is MNIST.
    then = {"dataset": "mnist", **found.training_config, **dataclasses.asdict(found.model_config)}
    then["dataset"] = plain_dataset(str(then["dataset"]))
    now = {**config.hyperparameters(), **dataclasses.asdict(model_config)}
    if config.precision == "auto":
        now["precision"] = then.get("precision")
    differing = [
        f"{key} ({then.get(key)!r} then, {now.get(key)!r} now)"
        for key in sorted(then.keys() | now.keys())
        if then.get(key) != now.get(key)
    ]
    if differing:
        raise ValueError(
            f"{path} was trained with a different configuration: {', '.join(differing)}; give the "
            "same options, or start over with --discard"
        )
    if found.training_state is None and len(found.history) < config.epochs:
        raise ValueError(f"{path} has no state to resume from; run without --resume")
    return found


def check_same_data(paths: RunPaths, state: Checkpoint, data: LabelledImages) -> None:
    """Refuse to continue with different data from that of the epochs before.

    States of version 0.1 keep the test images, but nothing of the training images.

    Raises:
        ValueError: in one sentence, what differs.
    """
    classes_then, classes_now = len(state.class_names), len(data.class_names)
    parts = {
        "test": (
            fingerprint(state.images, state.labels, classes_then),
            fingerprint(data.test_images, data.test_labels, classes_now),
        )
    }
    if state.train_data is not None:
        now = fingerprint(data.train_images, data.train_labels, classes_now)
        parts = {"training": (state.train_data.fingerprint, now), **parts}
    differing = differences(state.class_names, data.class_names, parts)
    if differing:
        raise ValueError(
            f"{paths.state} was trained on different data ({', '.join(differing)}); restore that "
            "data, or start over with --discard"
        )
