"""The record of a training run: printed while it lasts, written and drawn when it ends."""

import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from latent_navigator.atomic_io import write_whole

History = list[dict[str, float]]  # one entry an epoch, as `trainer.train` makes them

HEADER = "epoch   beta   train: recon      kl   test: recon      kl      ELBO   seconds"


def epoch_line(entry: dict[str, float]) -> str:
    """One line under HEADER; figures in nats per image, the ELBO at beta = 1."""
    return (
        f"{entry['epoch']:5d}  {entry['beta']:5.2f}        {entry['train_recon']:7.2f} "
        f"{entry['train_kl']:7.3f}       {entry['test_recon']:7.2f} {entry['test_kl']:7.3f}  "
        f"{entry['test_elbo']:8.2f}   {entry['seconds']:7.1f}"
    )


def write_metrics(path: Path, history: History, **about: Any) -> None:
    """Write `about` and the history as JSON.

    Raises:
        ValueError: if a figure is not finite (NaN is not JSON).
    """
    text = json.dumps({**about, "history": history}, indent=1, allow_nan=False)
    write_whole(path, lambda file: file.write(f"{text}\n".encode()))


def draw_curves(path: Path, history: History) -> None:
    """Draw reconstruction, KL and ELBO over the epochs into a PNG of 1200 x 380 pixels."""
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
