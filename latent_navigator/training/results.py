"""The files of a finished run: the checkpoint, metrics.json and training_curves.png."""

import dataclasses
import hashlib
from pathlib import Path

from latent_navigator.atomic_io import check_folder
from latent_navigator.checkpoint.checkpoint import Checkpoint, save_checkpoint
from latent_navigator.pretrained import DEFAULT_PATH
from latent_navigator.training.metrics import plot_curves, write_metrics
from latent_navigator.training.resume import resume_path
from latent_navigator.training.signals import ignore_stop_signals

MAP_DIMENSIONS = 2  # of the latent space, that demo.py can draw


def check_output(output: Path) -> None:
    """Make sure, before hours of training, that the checkpoint can be written; make its folder.

    Raises:
        ValueError: if `output` is a folder.
        OSError: if its folder cannot be written, or its name is too long.
    """
    try:
        is_folder = output.is_dir() or not output.name
    except OSError as error:
        raise OSError(
            f"nothing can be written to {output} ({error.strerror}); choose another --output"
        ) from None
    if is_folder:
        raise ValueError(f"output is '{output}', a folder; name a file in it, such as vae.pt")
    check_folder(output.parent, "choose another --output")


def write_results(state: Checkpoint, output: Path) -> None:
    """Write the files of a finished run next to `output`, then remove its state.

    The state goes last: a run that is stopped between any two writes keeps it, and --resume writes
    all files again. Each is a function of the state alone, so that its bytes are the same.

    Raises:
        OSError: if a file cannot be written.
    """
    metrics, curves = output.with_name("metrics.json"), output.with_name("training_curves.png")
    save_checkpoint(output, dataclasses.replace(state, training_state=None))
    model_config = dataclasses.asdict(state.model_config)
    write_metrics(metrics, state.history, model=model_config, training=state.training_config)
    plot_curves(curves, state.history)
    ignore_stop_signals()  # nothing is left to continue
    resume_path(output).unlink(missing_ok=True)
    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    print(f"Saved {output} (SHA-256 {digest}),\n      {metrics} and {curves}.")
    print(_next_step(state.model_config.latent_dim, output))


def _next_step(latent_dim: int, output: Path) -> str:
    if latent_dim != MAP_DIMENSIONS:
        return (
            f"This model has latent_dim {latent_dim}; demo.py shows models with {MAP_DIMENSIONS} "
            "only. Metrics and curves are complete."
        )
    return "Next: python demo.py" + ("" if output == DEFAULT_PATH else f" --checkpoint {output}")
