"""Write the model card of the committed checkpoints, pretrained/README.md, from the files.

python -m benchmarks.card
"""

import hashlib
from pathlib import Path

from latent_navigator.checkpoint.archive import read_archive
from latent_navigator.checkpoint.checkpoint import Checkpoint, load_checkpoint
from latent_navigator.model_config import VAEConfig
from latent_navigator.pretrained import COMPARED_PATH, DEFAULT_PATH, TEN_DIMENSIONS_PATH
from latent_navigator.training.config import TrainingConfig
from latent_utils import UNUSED, kl_per_dimension

CARD = Path(DEFAULT_PATH).with_name("README.md")

TEXT = """# vae_mnist.pt

The model that `python demo.py` opens. It was trained with
`{command}`; today's defaults are faster and give
models as good. This card is generated from the file by `python -m benchmarks.card`.

| | |
|---|---|
| SHA-256 | `{sha256}` |
| size | {size:,} bytes |
| format | version {version}, tensors and plain values only, loaded with `weights_only=True` |
| parameters | {parameters:,} |
| model | {model} |
| training config | {config} |
| training time | {minutes:.1f} minutes, {epochs} epochs, on a CPU shared with other work |

## Figures

On the 10,000 test digits, in nats per image, with one sample of z each. The test digits were not
used to choose the training config.

| reconstruction | KL | ELBO (beta = 1) | -(recon + 4 KL) |
|---|---|---|---|
| {recon:.2f} | {kl:.3f} | {elbo:.2f} | {objective:.2f} |

[docs/benchmarks.md](../docs/benchmarks.md) has the figures of several seeds, including the accuracy
of nearest neighbours on z.

## Contents

- weights, model config and training config
- losses of every epoch
- for each of the 10,000 test digits: image, label, mean and log-variance of its posterior
- for each of the ten classes: name, count, centroid and prototype
- for the training replay, before training and after each epoch: the means of 1,000 test digits
  and the decoded images of a 9 x 9 grid

## vae_low_beta.pt

The same model and training config, but for its beta of {other_beta}, to compare with in the
training replay. [docs/benchmarks.md](../docs/benchmarks.md) shows the effect of beta.
SHA-256 `{other_sha256}`.

## vae_mnist_10d.pt

A model with ten dimensions ({ten_unused} of them unused), trained with
`{ten_command}`:
reconstruction {ten_recon:.2f}, KL {ten_kl:.2f}, ELBO {ten_elbo:.2f} nats per test image.
[docs/benchmarks.md](../docs/benchmarks.md#ten-dimensions) says how its training config was chosen.
SHA-256 `{ten_sha256}`.

## Data

MNIST (Y. LeCun, C. Cortes, C. J. C. Burges; 60,000 training and 10,000 test digits, 28 x 28,
grey), derived from NIST's Special Databases 1 and 3 and available under the Creative Commons
Attribution-Share Alike 3.0 licence. The trainer checks the four files against their SHA-256.

## Limits

Two numbers cannot describe a handwritten digit completely: thickness, style and rare shapes are
averaged out, and neighbouring classes (4 and 9; 3, 5 and 8) overlap. beta = 4 packs the digits
around the centre at the cost of blurry images. Where no digit was encoded, the decoder
extrapolates. The digits were written in the United States in the early 1990s. This is a teaching
model, not a classifier.
"""


def command(checkpoint: Checkpoint) -> str:
    """The command that trains such a model: the options that differ from today's defaults."""
    defaults = vars(VAEConfig()) | TrainingConfig().hyperparameters()
    found = vars(checkpoint.model_config) | checkpoint.training_config
    options = (
        f" --{name.replace('_', '-')} {value:g}"
        for name, value in found.items()
        if not isinstance(value, str) and value != defaults[name]
    )
    return "python trainer.py" + "".join(options)


def card(path: Path) -> str:
    """The text of the card for the checkpoint at `path`."""
    checkpoint = load_checkpoint(path)
    final = checkpoint.history[-1]
    model = vars(checkpoint.model_config)
    other, ten = map(load_checkpoint, (COMPARED_PATH, TEN_DIMENSIONS_PATH))
    ten_unused = int((kl_per_dimension(ten.means, ten.logvars) < UNUSED).sum())
    return TEXT.format(
        command=command(checkpoint),
        other_beta=other.training_config["beta"],
        ten_command=command(ten),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        other_sha256=hashlib.sha256(COMPARED_PATH.read_bytes()).hexdigest(),
        ten_sha256=hashlib.sha256(TEN_DIMENSIONS_PATH.read_bytes()).hexdigest(),
        ten_recon=ten.history[-1]["test_recon"],
        ten_kl=ten.history[-1]["test_kl"],
        ten_elbo=ten.history[-1]["test_elbo"],
        ten_unused=("none", "one", "two", "three")[ten_unused],
        size=path.stat().st_size,
        version=read_archive(path)["format_version"],
        parameters=sum(value.numel() for value in checkpoint.weights.values()),
        model=", ".join(f"{key} {value}" for key, value in model.items()),
        config=", ".join(f"{key} {value}" for key, value in checkpoint.training_config.items()),
        minutes=sum(entry["seconds"] for entry in checkpoint.history) / 60,
        epochs=len(checkpoint.history),
        recon=final["test_recon"],
        kl=final["test_kl"],
        elbo=final["test_elbo"],
        objective=-(final["test_recon"] + 4 * final["test_kl"]),
    )


if __name__ == "__main__":
    CARD.write_text(card(Path(DEFAULT_PATH)), encoding="utf-8")
