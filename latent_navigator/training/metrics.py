"""The metrics of a training run: printed after each epoch, written and plotted at its end."""

import json
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from latent_navigator.atomic_io import write_whole
from latent_navigator.training.config import TrainingConfig, beta_at, learning_rate_at

History = list[dict[str, float]]  # one entry per epoch, made by `epoch_metrics`

TABLE_HEADER = (
    "epoch   beta   train: recon      kl   test: recon      kl      ELBO   seconds"
    "  images/s     left"
)


def epoch_metrics(
    epoch: int,
    config: TrainingConfig,
    train_losses: Sequence[float],
    test_losses: Sequence[float],
    seconds: float,
) -> dict[str, float]:
    """The history's entry of an epoch, counted from 1; losses are (recon, kl) in nats per image."""
    recon, kl = test_losses
    return {
        "epoch": epoch,
        "beta": beta_at(epoch, config),
        "learning_rate": learning_rate_at(epoch, config),
        "train_recon": train_losses[0],
        "train_kl": train_losses[1],
        "test_recon": recon,
        "test_kl": kl,
        "test_elbo": -(recon + kl),
        "seconds": seconds,
    }


def table_row(entry: dict[str, float], images: int, epochs: int) -> str:
    """One row under TABLE_HEADER; losses in nats per image, the ELBO at beta = 1.

    Args:
        entry: of `epoch_metrics`.
        images: of an epoch. epochs: of the whole run; the time left is that of the others at this
            epoch's speed.
    """
    left = round((epochs - entry["epoch"]) * entry["seconds"])
    return (
        f"{entry['epoch']:5d}  {entry['beta']:5.2f}        {entry['train_recon']:7.2f} "
        f"{entry['train_kl']:7.3f}       {entry['test_recon']:7.2f} {entry['test_kl']:7.3f}  "
        f"{entry['test_elbo']:8.2f}   {entry['seconds']:7.1f}  "
        f"{images / max(entry['seconds'], 1e-9):8,.0f}  {left // 60:4d}:{left % 60:02d}"
    )


def write_metrics(path: Path, history: History, **config: object) -> None:
    """Write the configuration and the history as JSON.

    Raises:
        ValueError: if a number is not finite (JSON has no NaN).
        OSError: if the file cannot be written.
    """
    text = json.dumps({**config, "history": history}, indent=1, allow_nan=False)
    write_whole(path, lambda file: file.write(f"{text}\n".encode()))


def plot_curves(path: Path, history: History) -> None:
    """Plot reconstruction, KL and ELBO per epoch as a PNG of 1200 x 380 pixels.

    Raises:
        OSError: if the file cannot be written.
    """
    epochs = [entry["epoch"] for entry in history]
    figure = Figure(figsize=(12, 3.8), dpi=100, layout="constrained")
    recon, kl, elbo = figure.subplots(1, 3)
    for name, style in (("train", "--"), ("test", "-")):
        recon.plot(epochs, [e[f"{name}_recon"] for e in history], style, label=name)
        kl.plot(epochs, [e[f"{name}_kl"] for e in history], style, label=name)
    elbo.plot(epochs, [e["test_elbo"] for e in history], label="test")
    beta = kl.twinx()
    beta.plot(epochs, [e["beta"] for e in history], ":", color="grey")
    beta.set(ylabel="beta (dotted)", ylim=(0, None))
    recon.set(title="Reconstruction", ylabel="nats per image")
    kl.set(title="KL to the prior", ylabel="nats per image")
    elbo.set(title="ELBO (beta = 1)", ylabel="nats per image")
    for axes in (recon, kl, elbo):
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        axes.legend()
    write_whole(path, lambda file: figure.savefig(file, format="png"))
