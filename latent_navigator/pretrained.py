"""The checkpoints that come with the repository; imports nothing heavy."""

from pathlib import Path

DEFAULT_PATH = Path("pretrained/vae_mnist.pt")
COMPARED_PATH = Path("pretrained/vae_low_beta.pt")
