"""Images per second while training: trainer.py against a plain PyTorch implementation.

    python -m benchmarks.training_speed

The plain version is what one would write first: DataLoader with ToTensor per sample, batch size
128, float32, 3 x 3 convolutions with stride 2, ReLU, Adam, and as many parameters. Both alternate,
each in a process of its own with PyTorch's own choice of threads, so that any other load on the
machine affects both. trainer.py is also measured beside one and two processes that never rest.
Writes benchmarks/training_speed.json, which keeps the figures of other processors.
"""

import argparse
import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, Subset
from torchvision import transforms
from torchvision.datasets import MNIST
from tqdm import tqdm

import trainer
from benchmarks.reports import Report, processor, read_report, report_path, write_json
from latent_navigator.data.datasets import load_dataset
from latent_navigator.device import resolve_device, resolve_precision
from latent_navigator.training.config import TrainingConfig
from latent_navigator.training.gradient import ShardedGradient
from neural_network import VAE

BETA = 4
BATCH_SIZE = 128
WARM_UP = 2_000  # images
BUSY = (1, 2)  # processes that never rest, beside trainer.py
VERSIONS = ("plain", "trainer")


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


def time_plain(data_dir: str, count: int) -> float:
    """Images per second of the plain version, over `count` images after a warm-up."""
    data = MNIST(data_dir, train=True, transform=transforms.ToTensor())
    torch.manual_seed(0)
    model = PlainVAE()
    optimizer = torch.optim.Adam(model.parameters())
    train_plain(model, optimizer, data, WARM_UP)
    return count / train_plain(model, optimizer, data, count)


def time_trainer(data_dir: str, count: int) -> float:
    """Images per second of trainer.py, over `count` images after a warm-up."""
    images = load_dataset("mnist", data_dir).train_images[:count]
    precision = resolve_precision("auto", resolve_device("cpu"))
    config = TrainingConfig(device="cpu", precision=precision)
    torch.manual_seed(0)
    model = VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)
    with ShardedGradient(model, precision) as gradient, tqdm(disable=True) as bar:
        trainer.train_epoch(gradient, optimizer, images[:WARM_UP], 0, config, bar)
        started = time.perf_counter()
        trainer.train_epoch(gradient, optimizer, images, 0, config, bar)
        return count / (time.perf_counter() - started)


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """So many processes that never rest."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def time_in_process(version: str, data_dir: str, count: int) -> float:
    """Images per second of a version, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.training_speed", "--only", version]
    command += ["--data-dir", str(Path(data_dir).resolve()), "--images", str(count)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(printed)


def measure(data_dir: str, rounds: int, count: int) -> Report:
    """Alternate both versions, and trainer.py beside busy processes, of `count` images each."""
    rates: dict[str, list[float]] = {name: [] for name in (*VERSIONS, *map(str, BUSY))}
    for number in range(rounds):
        for version in VERSIONS:
            rates[version].append(time_in_process(version, data_dir, count))
        for processes in BUSY:
            with busy(processes):
                rates[str(processes)].append(time_in_process("trainer", data_dir, count))
        shown = (f"{name} {values[-1]:7,.0f}" for name, values in rates.items())
        print(f"round {number + 1}, images/s: " + "   ".join(shown), flush=True)
    ratios = [ours / plain for ours, plain in zip(rates["trainer"], rates["plain"], strict=True)]
    quiet = statistics.median(rates["trainer"])
    beside = {str(processes): statistics.median(rates[str(processes)]) for processes in BUSY}
    return {
        "rounds": rounds,
        "cores": torch.get_num_threads(),
        "precision": resolve_precision("auto", resolve_device("cpu")),
        "plain": statistics.median(rates["plain"]),
        "trainer": quiet,
        "ratio": statistics.median(ratios),
        "min_ratio": min(ratios),
        "max_ratio": max(ratios),
        "beside_busy_processes": beside,
        "shares_beside": {name: rate / quiet for name, rate in beside.items()},
    }


def main() -> None:
    """Measure, print and write the report."""
    parser = argparse.ArgumentParser(
        description="Compare the speed of training with plain PyTorch."
    )
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=20_000, help="per round and version")
    parser.add_argument("--only", choices=VERSIONS, help="print the images/s of one version, once")
    options = parser.parse_args()
    if options.only:
        timed = {"plain": time_plain, "trainer": time_trainer}[options.only]
        print(timed(options.data_dir, options.images))
        return
    report = measure(options.data_dir, options.rounds, options.images)
    print(
        f"median: plain {report['plain']:7,.0f} images/s   trainer.py "
        f"{report['trainer']:7,.0f} images/s   {report['ratio']:.2f} x "
        f"(min {report['min_ratio']:.2f}, max {report['max_ratio']:.2f})   beside busy processes: "
        + ", ".join(f"{n}: {share:.0%}" for n, share in report["shares_beside"].items())
    )
    path = report_path("training_speed")
    processors = read_report("training_speed")["processors"] | {processor(): report}
    write_json(path, {"processors": processors})


if __name__ == "__main__":
    main()
