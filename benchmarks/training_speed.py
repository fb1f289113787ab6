"""How many images a second training takes: trainer.py against the plain version.

    python -m benchmarks.training_speed

Plain is what anyone would write first: DataLoader with ToTensor per sample, batch 128, float32,
kernel-3 stride-2 convolutions, ReLU, Adam; as many parameters. Both are measured in alternation
in one process, so that whatever else the machine does meets both. Writes
benchmarks/training_speed.json.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import MNIST
from tqdm import tqdm

import trainer
from latent_navigator.data.datasets import load_dataset
from latent_navigator.device import resolve_device, resolve_precision
from latent_navigator.training.config import TrainingConfig
from neural_network import VAE


class PlainVAE(nn.Module):
    def __init__(self):
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

    def forward(self, x):
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        return self.decoder(z), mu, logvar


def plain_round(model, optimizer, data: MNIST, images: int) -> float:
    """Seconds for `images` images."""
    subset = torch.utils.data.Subset(data, range(images))
    started = time.perf_counter()
    for x, _ in DataLoader(subset, batch_size=128, shuffle=True):
        logits, mu, logvar = model(x)
        recon = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        kl = -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum()
        loss = (recon + 4 * kl) / len(x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=20_000, help="per round and version")
    options = parser.parse_args()

    images = load_dataset("mnist", options.data_dir).train_images[: options.images]
    data = MNIST(options.data_dir, train=True, transform=transforms.ToTensor())
    device = resolve_device("cpu")
    config = TrainingConfig(device="cpu", precision=resolve_precision("auto", device))

    torch.manual_seed(0)
    plain, ours = PlainVAE(), VAE()
    plain_optimizer = torch.optim.Adam(plain.parameters())
    our_optimizer = torch.optim.Adam(ours.parameters(), fused=True)
    sizes = [sum(p.numel() for p in model.parameters()) for model in (plain, ours)]
    print(f"parameters: plain {sizes[0]:,}, trainer.py {sizes[1]:,} ({config.precision})")

    plain_round(plain, plain_optimizer, data, 2_000)  # warm-up
    ratios, rates = [], ([], [])
    for round_ in range(options.rounds):
        slow = plain_round(plain, plain_optimizer, data, options.images)
        started = time.perf_counter()
        with tqdm(disable=True) as bar:
            trainer.train_epoch(ours, our_optimizer, images, round_, config, bar)
        fast = time.perf_counter() - started
        rates[0].append(options.images / slow)
        rates[1].append(options.images / fast)
        ratios.append(slow / fast)
        print(
            f"round {round_ + 1}: plain {rates[0][-1]:7,.0f} img/s   "
            f"trainer.py {rates[1][-1]:7,.0f} img/s   {ratios[-1]:.2f} x"
        )
    middle = [statistics.median(rate) for rate in rates]
    print(
        f"median : plain {middle[0]:7,.0f} img/s   trainer.py {middle[1]:7,.0f} img/s   "
        f"{statistics.median(ratios):.2f} x (least {min(ratios):.2f}, most {max(ratios):.2f})"
    )
    report = {
        "rounds": options.rounds,
        "cores": torch.get_num_threads(),
        "plain": middle[0],
        "trainer": middle[1],
        "ratio": statistics.median(ratios),
        "least": min(ratios),
        "most": max(ratios),
    }
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
