"""Write the card of the committed checkpoint, pretrained/README.md, from the checkpoint itself.

python -m benchmarks.card
"""

import hashlib
from pathlib import Path

from latent_navigator.checkpoint.checkpoint import FORMAT_VERSION, load_checkpoint
from latent_navigator.pretrained import COMPARED_PATH, DEFAULT_PATH

CARD = Path(DEFAULT_PATH).with_name("README.md")

TEXT = """# vae_mnist.pt

The model that `python demo.py` opens. Made by `python trainer.py` and nothing else; this card is
written from the file by `python -m benchmarks.card`.

| | |
|---|---|
| SHA-256 | `{sha256}` |
| size | {size:,} bytes |
| format | version {version}, tensors and plain values only, loaded with `weights_only=True` |
| parameters | {parameters:,} |
| model | {model} |
| recipe | {recipe} |
| training time | {minutes:.1f} minutes, {epochs} epochs, on a CPU busy with other work too |

## Figures

On the 10,000 test digits, in nats per image, one sample of z each; the test digits were not
used to choose the recipe.

| reconstruction | KL | ELBO (beta = 1) | -(recon + 4 KL) |
|---|---|---|---|
| {recon:.2f} | {kl:.3f} | {elbo:.2f} | {objective:.2f} |

Several seeds, and the accuracy of nearest neighbours on z: `benchmarks/quality.json`, made by
`python -m benchmarks.quality`.

## What is in it

Weights; both configurations; the history of every epoch; mean and log-variance of the posterior
of the 10,000 test digits with their labels, and their pictures; count, centroid and most typical
point of each class; the ten class names; and for the replay of the training, before it and after
each epoch, where 1,000 of the test digits were encoded and what 9 x 9 places were decoded to.

## vae_low_beta.pt

The same model and recipe trained with `python trainer.py --beta 0.1`, for the replay's comparison;
what it shows is in `benchmarks/prior.json`, made by `python -m benchmarks.prior`. SHA-256
`{other_sha256}`.

## Data

MNIST (Y. LeCun, C. Cortes, C. J. C. Burges; 60,000 training and 10,000 test digits, 28 x 28,
grey), made from NIST's Special Databases 1 and 3 and available under the Creative Commons
Attribution-Share Alike 3.0 licence. The four files are checked against their SHA-256 before each
training.

## Limits

Two numbers cannot hold all that makes a handwritten digit: thickness, style and rare shapes are
averaged away, and neighbouring classes (4 and 9; 3, 5 and 8) overlap. beta = 4 packs the digits
around the centre at the price of soft pictures. Where no digit was encoded the decoder still
draws something. The digits are American ones of the early 1990s; it is a teaching model, not a
classifier.
"""


def card(path: Path) -> str:
    """The card's text for the checkpoint at `path`."""
    checkpoint = load_checkpoint(path)
    final = checkpoint.history[-1]
    plain = vars(checkpoint.model_config).items()
    return TEXT.format(
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        other_sha256=hashlib.sha256(COMPARED_PATH.read_bytes()).hexdigest(),
        size=path.stat().st_size,
        version=FORMAT_VERSION,
        parameters=sum(value.numel() for value in checkpoint.weights.values()),
        model=", ".join(f"{key} {value}" for key, value in plain),
        recipe=", ".join(f"{key} {value}" for key, value in checkpoint.training_config.items()),
        minutes=sum(entry["seconds"] for entry in checkpoint.history) / 60,
        epochs=len(checkpoint.history),
        recon=final["test_recon"],
        kl=final["test_kl"],
        elbo=final["test_elbo"],
        objective=-(final["test_recon"] + 4 * final["test_kl"]),
    )


if __name__ == "__main__":
    CARD.write_text(card(Path(DEFAULT_PATH)), encoding="utf-8")
