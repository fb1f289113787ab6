"""An independent digit classifier, a small CNN, to check what the VAE generates.

    python -m tests.classifier --data-dir data      # retrains tests/classifier.pt in a minute

It is trained on MNIST's 60,000 training digits, without the VAE; tests/unit/test_release.py checks
its accuracy on the test digits that ship with the tests.
"""

import argparse
import functools
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from latent_navigator.data.datasets import load_dataset

WEIGHTS = Path(__file__).parent / "classifier.pt"


class Classifier(nn.Module):
    """x (N, 1, 28, 28) in [0, 1] -> logits (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, 5, stride=2, padding=2),  # (N, 16, 14, 14)
            nn.ReLU(),
            nn.Conv2d(16, 32, 5, stride=2, padding=2),  # (N, 32, 7, 7)
            nn.ReLU(),
            nn.Conv2d(32, 32, 3, stride=2, padding=1),  # (N, 32, 4, 4)
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(512, 10),
        )

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.layers(x)
        return logits


@functools.cache
def load_classifier() -> Classifier:
    """The committed classifier in evaluation mode."""
    model = Classifier()
    model.load_state_dict(torch.load(WEIGHTS, weights_only=True))
    return model.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", default="data")
    options = parser.parse_args()
    digits = load_dataset("mnist", options.data_dir)
    torch.manual_seed(0)
    model = Classifier()
    epochs, batch_size = 5, 128
    optimizer = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for epoch in range(epochs):
        for batch in torch.randperm(len(digits.train_images)).split(batch_size):
            x = digits.train_images[batch].unsqueeze(1).float() / 255
            loss = F.cross_entropy(model(x), digits.train_labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
        with torch.inference_mode():
            predicted = model(digits.test_images.unsqueeze(1).float() / 255).argmax(1)
        accuracy = (predicted == digits.test_labels).float().mean()
        print(f"epoch {epoch + 1}: accuracy {accuracy:.4f} on the 10,000 test digits")
    torch.save(model.state_dict(), WEIGHTS)


if __name__ == "__main__":
    main()
