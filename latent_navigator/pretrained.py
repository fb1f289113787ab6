"""The committed checkpoints, relative to the root of the repository."""

from pathlib import Path

DEFAULT_PATH = Path("pretrained/vae_mnist.pt")
COMPARED_PATH = Path("pretrained/vae_low_beta.pt")  # for comparison: the same but for its beta
TEN_DIMENSIONS_PATH = Path("pretrained/vae_mnist_10d.pt")
