"""The recipe of the model of ten dimensions, chosen on images that it is not trained on.

    python -m benchmarks.ten_dimensions              # trains all recipes: about 40 minutes
    python -m benchmarks.ten_dimensions --epochs 3   # a quick look

Each recipe is trained on five sixths of the training images and measured on the last sixth, which
plays the part of the test images; the test images themselves are not looked at. The chosen one has
the best ELBO among those that leave at least one dimension unused, for the page to show, and at
most a third of them. Existing checkpoints in --runs are reused. Prints the command that trains the
chosen recipe on all training images and writes the committed checkpoint; once there, that is
measured on the test images. Writes benchmarks/ten_dimensions.json and docs/samples_10d.png.
"""

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import trainer
from benchmarks.quality import knn_accuracy
from benchmarks.reports import FOLDER, Report, report_path, write_report
from latent_navigator.checkpoint.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from latent_navigator.data.datasets import load_dataset
from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.device import resolve_device, resolve_precision
from latent_navigator.model_config import VAEConfig
from latent_navigator.pretrained import FORMER_DEFAULTS, TEN_DIMENSIONS_PATH
from latent_navigator.training.config import TrainingConfig
from latent_utils import UNUSED, encode_dataset, kl_per_dimension

LATENT_DIM = 10
EPOCHS = 30
HELD_OUT = 10_000  # of the training images, the last ones
ALLOWED = 1 / 3  # of the dimensions may be unused; none would leave nothing to show of it
# What differs between the recipes; everything else is FORMER_DEFAULTS or the trainer's default.
RECIPES: dict[str, dict[str, float]] = {
    "beta 1": {"beta": 1.0},
    "beta 1, long warm-up": {"beta": 1.0, "warmup_epochs": 20.0},
    "beta 1.5": {"beta": 1.5},
    "beta 2": {"beta": 2.0},
    "beta 2, no blanking": {"beta": 2.0, "blanking": 0.0},
}
SAMPLES = FOLDER.parent / "docs" / "samples_10d.png"
ROWS, COLUMNS, SCALE = 4, 24, 2  # of the image of samples


def split(digits: LabelledImages, held_out: int = HELD_OUT) -> LabelledImages:
    """The training images alone: the last `held_out` of them in place of the test images."""
    return digits._replace(
        train_images=digits.train_images[:-held_out],
        train_labels=digits.train_labels[:-held_out],
        test_images=digits.train_images[-held_out:],
        test_labels=digits.train_labels[-held_out:],
    )


def train_recipe(
    recipe: dict[str, float], epochs: int, data: LabelledImages, path: Path
) -> Checkpoint:
    """The checkpoint of a recipe, trained unless there is one at `path`."""
    if path.exists():
        return load_checkpoint(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    precision = resolve_precision("auto", resolve_device("auto"))
    config = TrainingConfig(epochs=epochs, precision=precision, output=str(path))
    config = dataclasses.replace(config, **FORMER_DEFAULTS, **recipe)  # type: ignore[arg-type]
    finished = trainer.train(config, VAEConfig(latent_dim=LATENT_DIM), data)
    assert finished is not None
    save_checkpoint(path, finished)
    return finished


def measure(checkpoint: Checkpoint, data: LabelledImages) -> Report:
    """The figures of a model on the held-out images, in nats per image."""
    final = checkpoint.history[-1]
    train = encode_dataset(checkpoint.build_model(), data.train_images, data.train_labels)
    kl = kl_per_dimension(checkpoint.means, checkpoint.logvars)
    return {
        "recon": final["test_recon"],
        "kl": final["test_kl"],
        "elbo": final["test_elbo"],
        "knn_accuracy": knn_accuracy(data, train.means, checkpoint.means),
        "kl_of_dimensions": sorted(kl.tolist(), reverse=True),
        "unused": int((kl < UNUSED).sum()),
    }


def choose(results: dict[str, Report], latent_dim: int = LATENT_DIM) -> str:
    """The name of the recipe with the best ELBO among those that use enough of the dimensions.

    Raises:
        ValueError: if none does.
    """
    enough = {
        name: found
        for name, found in results.items()
        if 1 <= found["unused"] <= ALLOWED * latent_dim
    }
    if not enough:
        raise ValueError(
            f"no recipe leaves at least one and at most {ALLOWED:.0%} of {latent_dim} dimensions "
            "unused; add one with another beta"
        )
    return max(enough, key=lambda name: float(enough[name]["elbo"]))


@torch.inference_mode()
def samples(checkpoint: Checkpoint) -> Image.Image:
    """Images that the model decodes from the prior, in rows."""
    z = torch.randn(
        (ROWS * COLUMNS, checkpoint.model_config.latent_dim),
        generator=torch.Generator().manual_seed(0),
    )
    ink = checkpoint.build_model().decode(z).squeeze(1).numpy()  # (N, 28, 28)
    grid = ink.reshape(ROWS, COLUMNS, 28, 28).swapaxes(1, 2).reshape(ROWS * 28, COLUMNS * 28)
    shades = np.round(255 * (1 - grid)).astype(np.uint8)
    return Image.fromarray(shades).resize((COLUMNS * 28 * SCALE, ROWS * 28 * SCALE), 0)


def command(recipe: dict[str, float], epochs: int) -> str:
    """The command that trains a recipe on all training images."""
    values = {"latent_dim": LATENT_DIM, "epochs": epochs, **recipe, **FORMER_DEFAULTS}
    options = " ".join(f"--{name.replace('_', '-')} {value:g}" for name, value in values.items())
    return f"python trainer.py {options} --output {TEN_DIMENSIONS_PATH}"


def main() -> None:
    """Train what is missing, measure, choose, print and write the report."""
    parser = argparse.ArgumentParser(description="Choose the recipe of the ten-dimensional model.")
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--output", type=Path, default=report_path("ten_dimensions"))
    options = parser.parse_args()

    digits = load_dataset("mnist", options.data_dir)
    data = split(digits)
    results: dict[str, Report] = {}
    for name, recipe in RECIPES.items():
        folder = "".join(c if c.isalnum() else "_" for c in f"ten {name} {options.epochs} epochs")
        checkpoint = train_recipe(recipe, options.epochs, data, options.runs / folder / "vae.pt")
        with torch.inference_mode():
            results[name] = measure(checkpoint, data)
        print(f"{name}: {results[name]}", flush=True)
    chosen = choose(results)
    print(f"Chosen: {chosen}\n{command(RECIPES[chosen], options.epochs)}")
    report = {"epochs": options.epochs, "held_out": HELD_OUT, "recipes": results, "chosen": chosen}
    if TEN_DIMENSIONS_PATH.exists():
        committed = load_checkpoint(TEN_DIMENSIONS_PATH)
        report["committed"] = measure(committed, digits)
        samples(committed).save(SAMPLES, optimize=True)
    write_report(options.output, report)


if __name__ == "__main__":
    main()
