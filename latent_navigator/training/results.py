"""The files of a finished run: the checkpoint, its metrics and its curves."""

import dataclasses
import hashlib

from latent_navigator.checkpoint.checkpoint import Checkpoint, save_checkpoint
from latent_navigator.pretrained import DEFAULT_PATH
from latent_navigator.training.metrics import plot_curves, write_metrics
from latent_navigator.training.paths import RunPaths
from latent_navigator.training.signals import ignore_stop_signals
from latent_utils import UNUSED, kl_per_dimension


def write_results(state: Checkpoint, paths: RunPaths) -> None:
    """Write the files of a finished run, then remove its state.

    The state goes last: a run that is stopped between any two writes keeps it, and --resume writes
    all files again. Each is a function of the state alone, so that its bytes are the same.

    Raises:
        OSError: if a file cannot be written.
    """
    output = paths.output
    save_checkpoint(output, dataclasses.replace(state, training_state=None))
    model_config = dataclasses.asdict(state.model_config)
    write_metrics(paths.metrics, state.history, model=model_config, training=state.training_config)
    plot_curves(paths.curves, state.history)
    ignore_stop_signals()  # nothing is left to continue
    paths.state.unlink(missing_ok=True)
    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    print(f"Saved {output} (SHA-256 {digest}),\n      {paths.metrics} and {paths.curves}.")
    if collapsed := describe_collapse(state):
        print(collapsed)
    print("Next: python demo.py" + ("" if output == DEFAULT_PATH else f" --checkpoint {output}"))


def describe_collapse(state: Checkpoint) -> str:
    """One sentence if more than a third of the dimensions are unused; else empty."""
    kl = kl_per_dimension(state.means, state.logvars)
    unused = int((kl < UNUSED).sum())
    if 3 * unused <= len(kl):
        return ""
    are = "is" if unused == 1 else "are"
    return (
        f"Of the {len(kl)} dimensions {unused} {are} unused (KL under {UNUSED:g} nats), and the "
        "decoder ignores them: a smaller --latent-dim would do as well; a lower --beta uses more."
    )
