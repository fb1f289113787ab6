"""The committed checkpoints, relative to the root of the repository."""

from pathlib import Path

DEFAULT_PATH = Path("pretrained/vae_mnist.pt")
COMPARED_PATH = Path("pretrained/vae_low_beta.pt")  # for comparison: the same but for its beta
TEN_DIMENSIONS_PATH = Path("pretrained/vae_mnist_10d.pt")
# All three were trained with these, before the trainer's defaults changed for speed; models as good
# (docs/benchmarks.md) would not be worth links that no longer show what they did.
FORMER_DEFAULTS = {"batch_size": 256, "learning_rate": 4e-3}
