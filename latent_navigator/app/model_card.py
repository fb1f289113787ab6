"""The text of the About tab: what the model is."""

import shlex
from html import escape
from pathlib import Path

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.data.dataset_info import DATASETS, with_article
from latent_navigator.explorer.readout import NAT
from latent_navigator.model_config import VAEConfig
from latent_navigator.training.command_line import command_line


def _spelled(latent_dim: int) -> str:
    return "two" if latent_dim == 2 else str(latent_dim)


def describe_model(checkpoint: Checkpoint) -> str:
    """What the model is, how well it does and what it cannot do, as HTML."""
    final, config, info = checkpoint.history[-1], checkpoint.training_config, checkpoint.info
    count = config.get("limit") or info.train_size
    size = f"{count:,} " if count else ""
    latent_dim = checkpoint.model_config.latent_dim
    limits = _spelled(latent_dim).capitalize()
    # What is lost is described for two dimensions, which lose the most.
    lost = info.lost_detail if latent_dim == 2 else "fine detail and rare shapes are smoothed away"
    parameters = sum(value.numel() for value in checkpoint.weights.values())
    return (
        f"<h3>This model</h3><p>A convolutional VAE with {parameters:,} parameters and "
        f"{latent_dim} latent dimensions, trained on the {size}training "
        f"{info.items} of {escape(info.title)} for {len(checkpoint.history)} epochs "
        f"(beta {config.get('beta')}, seed {config.get('seed')}).</p>"
        f"<p>On the {len(checkpoint.labels):,} test {info.items}, in nats per image: "
        f"reconstruction {final['test_recon']:.1f}, KL {final['test_kl']:.2f}, ELBO "
        f"{final['test_elbo']:.1f}. {NAT}</p>"
        f"<p><b>Limits.</b> {limits} numbers cannot capture everything about "
        f"{with_article(info.described_item)}: {lost}. The larger beta is, the more "
        f"tightly the prior packs the {info.items}: the map has fewer gaps, but the images are "
        "softer. Far from all points the decoder still draws something: it extrapolates, and the "
        "page says so.</p>"
    )


def training_command(checkpoint: Checkpoint) -> str:
    """The command that trains such a model again; empty if trainer.py cannot build its network."""
    config = checkpoint.model_config
    if config != VAEConfig(latent_dim=config.latent_dim):
        return ""
    known = checkpoint.dataset in DATASETS
    # A folder's place on the server is nobody's business, and of no use elsewhere.
    dataset = checkpoint.dataset if known else f"path/to/{Path(checkpoint.dataset).name}"
    values = {**checkpoint.training_config, "dataset": dataset, "latent_dim": config.latent_dim}
    output = "runs/again/vae.pt"  # never over the model that is shown
    return shlex.join(["python", "trainer.py", *command_line(values), "--output", output])


def describe_training(checkpoint: Checkpoint) -> str:
    """What the training command gives, and how long it took, as HTML."""
    history = checkpoint.history
    seconds = sum(entry.get("seconds", 0) for entry in history)
    took = f" took {duration(seconds)} on the machine that trained it" if seconds else ""
    epochs = f"{len(history)} epoch{'s' * (len(history) != 1)}"
    return (
        f"This command includes all hyperparameters of the model. Its {epochs}{took} and gave the "
        "figures above; other hardware may round differently and give slightly different ones."
    )


def duration(seconds: float) -> str:
    """A length of time in words: "48 seconds", "9 minutes", "2.5 hours"."""
    for unit, length, most in (("second", 1, 99), ("minute", 60, 99)):
        count = round(seconds / length)
        if count <= most:
            return f"{count} {unit}{'s' * (count != 1)}"
    return f"{seconds / 3600:.1f} hours"
