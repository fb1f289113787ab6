"""Images per second while training: trainer.py against a plain PyTorch implementation.

    python -m benchmarks.training_speed

The plain version is what one would write first: DataLoader with ToTensor per sample, batch size
128, float32, 3 x 3 convolutions with stride 2, ReLU, Adam, and as many parameters. Both alternate
in one process, so that any other load on the machine affects both. Writes
benchmarks/training_speed.json.
"""

import argparse
import statistics
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, Subset
from torchvision import transforms
from torchvision.datasets import MNIST
from tqdm import tqdm

import trainer
from benchmarks.reports import Report, report_path, write_report
from latent_navigator.data.datasets import load_dataset
from latent_navigator.device import resolve_device, resolve_precision
from latent_navigator.training.config import TrainingConfig
from neural_network import VAE

BETA = 4
BATCH_SIZE = 128
WARM_UP = 2_000  # images


class PlainVAE(nn.Module):
    """A plain convolutional VAE with as many parameters as `neural_network.VAE`."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 32, 3, stride=2, padding=1),  # (N, 32, 14, 14)
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1),  # (N, 64, 7, 7)
            nn.ReLU(),
            nn.Conv2d(64, 128, 3, stride=2, padding=1),  # (N, 128, 4, 4)
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(2048, 256),
            nn.ReLU(),
            nn.Linear(256, 4),
        )
        self.decoder = nn.Sequential(
            nn.Linear(2, 256),
            nn.ReLU(),
            nn.Linear(256, 2048),
            nn.ReLU(),
            nn.Unflatten(1, (128, 4, 4)),
            nn.ConvTranspose2d(128, 64, 3, stride=2, padding=1),  # (N, 64, 7, 7)
            nn.ReLU(),
            nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1),  # (N, 32, 14, 14)
            nn.ReLU(),
            nn.ConvTranspose2d(32, 1, 4, stride=2, padding=1),  # (N, 1, 28, 28)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x (N, 1, 28, 28) in [0, 1] -> logits (N, 1, 28, 28), mu and logvar (N, 2)."""
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        return self.decoder(z), mu, logvar


def train_plain(
    model: PlainVAE, optimizer: torch.optim.Optimizer, data: MNIST, images: int
) -> float:
    """Train on the first `images` images of `data`; the seconds it takes."""
    subset = Subset(data, range(images))
    started = time.perf_counter()
    for x, _ in DataLoader(subset, batch_size=BATCH_SIZE, shuffle=True):
        logits, mu, logvar = model(x)
        recon = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        kl = -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum()
        loss = (recon + BETA * kl) / len(x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return time.perf_counter() - started


def measure(data_dir: str, rounds: int, count: int) -> Report:
    """Alternate both versions for `rounds` rounds of `count` images each."""
    images = load_dataset("mnist", data_dir).train_images[:count]
    data = MNIST(data_dir, train=True, transform=transforms.ToTensor())
    precision = resolve_precision("auto", resolve_device("cpu"))
    config = TrainingConfig(device="cpu", precision=precision)

    torch.manual_seed(0)
    plain, ours = PlainVAE(), VAE()
    plain_optimizer = torch.optim.Adam(plain.parameters())
    our_optimizer = torch.optim.Adam(ours.parameters(), fused=True)
    sizes = [sum(p.numel() for p in model.parameters()) for model in (plain, ours)]
    print(f"parameters: plain {sizes[0]:,}, trainer.py {sizes[1]:,} ({config.precision})")

    train_plain(plain, plain_optimizer, data, WARM_UP)
    plain_rates, our_rates = [], []  # images per second
    for epoch in range(rounds):
        plain_rates.append(count / train_plain(plain, plain_optimizer, data, count))
        started = time.perf_counter()
        with tqdm(disable=True) as bar:
            trainer.train_epoch(ours, our_optimizer, images, epoch, config, bar)
        our_rates.append(count / (time.perf_counter() - started))
        print(
            f"round {epoch + 1}: plain {plain_rates[-1]:7,.0f} images/s   "
            f"trainer.py {our_rates[-1]:7,.0f} images/s"
        )
    ratios = [our / other for our, other in zip(our_rates, plain_rates, strict=True)]
    return {
        "rounds": rounds,
        "cores": torch.get_num_threads(),
        "plain": statistics.median(plain_rates),
        "trainer": statistics.median(our_rates),
        "ratio": statistics.median(ratios),
        "min_ratio": min(ratios),
        "max_ratio": max(ratios),
    }


def main() -> None:
    """Measure, print and write the report."""
    parser = argparse.ArgumentParser(
        description="Compare the speed of training with plain PyTorch."
    )
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=20_000, help="per round and version")
    options = parser.parse_args()
    report = measure(options.data_dir, options.rounds, options.images)
    print(
        f"median: plain {report['plain']:7,.0f} images/s   trainer.py "
        f"{report['trainer']:7,.0f} images/s   {report['ratio']:.2f} x "
        f"(min {report['min_ratio']:.2f}, max {report['max_ratio']:.2f})"
    )
    write_report(report_path("training_speed"), report)


if __name__ == "__main__":
    main()
