"""What a training run leaves on the disk while it lasts, and how it goes on from there."""

import dataclasses
import hashlib
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from latent_navigator.atomic_io import check_folder
from latent_navigator.checkpoint import checkpoint as checkpoints
from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.checkpoint.snapshots import Replay
from latent_navigator.training import metrics as records
from latent_navigator.training.config import TrainingConfig
from latent_utils import Encodings, digit_centroids, digit_prototypes
from neural_network import VAE, VAEConfig


def resume_path(output: Path) -> Path:
    """Where an unfinished run keeps its state: vae_mnist.pt -> vae_mnist.resume.pt."""
    return output.with_suffix(".resume.pt")


def snapshot(
    model: VAE,
    config: TrainingConfig,
    history: list[dict[str, float]],
    encodings: Encodings,
    pictures: Tensor,
    replay: Replay,
    training_state: dict[str, Any] | None,
    class_names: Sequence[str],
) -> Checkpoint:
    """All that the demo needs of the model as it stands; tensors on the CPU.

    Args:
        pictures: (N, 28, 28) uint8, those of the encodings.
    """
    means, logvars, labels = encodings
    return Checkpoint(
        model_config=model.config,
        training_config=config.recipe(),
        weights={name: value.detach().cpu().clone() for name, value in model.state_dict().items()},
        history=history,
        class_names=list(class_names),
        means=means,
        logvars=logvars,
        labels=labels,
        counts=labels.bincount(minlength=len(class_names)),
        centroids=digit_centroids(means, labels, len(class_names)),
        prototypes=digit_prototypes(means, labels, classes=len(class_names)),
        pictures=pictures,
        replay=replay,
        training_state=training_state,
    )


def check_output(output: Path) -> None:
    """Make sure, before hours of training, that its result can be written; makes the folder.

    Raises:
        ValueError: if `output` cannot be a file.
        OSError: if nothing can be written beside it.
    """
    if os.path.isdir(output) or not output.name:
        raise ValueError(f"output is '{output}', a folder; name a file in it, such as vae.pt")
    check_folder(output.parent, "choose another --output")


def kept(output: Path, command: list[str]) -> str:
    """What an interrupted run has left, and how to go on.

    Args:
        command: the words that started it.
    """
    path = resume_path(output)
    if not path.exists():
        return "nothing is kept: the first epoch was not complete."
    epochs = len(checkpoints.load_checkpoint(path).history)
    again = [word for word in command if word != "--resume"]
    return f"epochs 1 to {epochs} are kept in {path}. To go on: {shlex.join([*again, '--resume'])}"


def load_resumable(output: Path, model_config: VAEConfig, config: TrainingConfig) -> Checkpoint:
    """The unfinished run beside `output`, else the finished one there, without training state.

    Raises:
        ValueError: if there is no run to resume, or it has another configuration.
    """
    unfinished = resume_path(output)
    path = unfinished if unfinished.exists() else output
    if not path.exists():
        raise ValueError(f"there is no run to resume at {unfinished}; run without --resume")
    found = checkpoints.load_checkpoint(path)
    then = {"dataset": "mnist", **found.training_config, **dataclasses.asdict(found.model_config)}
    now = {**config.recipe(), **dataclasses.asdict(model_config)}
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
        raise ValueError(f"{path} holds no state to resume from; run without --resume")
    return found


def finish(final: Checkpoint, output: Path) -> None:
    """Save the finished run, its metrics and its curves, and say where they are."""
    checkpoints.save_checkpoint(output, final)
    resume_path(output).unlink(missing_ok=True)
    metrics, curves = output.with_name("metrics.json"), output.with_name("training_curves.png")
    recipe = {
        "model": dataclasses.asdict(final.model_config),
        "training": final.training_config,
    }
    records.write_metrics(metrics, final.history, **recipe)
    records.draw_curves(curves, final.history)
    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    print(f"Saved {output} (SHA-256 {digest}),\n      {metrics} and {curves}.")
    is_default = output == checkpoints.DEFAULT_PATH
    print("Next: python demo.py" + ("" if is_default else f" --checkpoint {output}"))
