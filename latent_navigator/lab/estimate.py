"""How long a run takes on this machine: from the newest run that was recorded, or measured."""

import threading
import time
from collections.abc import Sequence

import torch

from latent_navigator.device import resolve_precision
from latent_navigator.model_config import VAEConfig
from latent_navigator.training.progress import Record
from neural_network import VAE, vae_loss

TEST_COST = 0.35  # of an image that is only evaluated, in images that are trained on
BATCH, STEPS = 256, 5
START_SECONDS = 8.0  # of a process that imports torch and reads the data
SNAPSHOT_SECONDS = 1.5  # of all snapshots within the first epochs
TEST_SIZE = 10_000  # test images of the data sets in DATASETS
MINUTE = 60.0
MINUTE_EPOCHS = 10


def recorded_rate(records: Sequence[Record]) -> float | None:
    """Images per second in the last complete epoch of a run; None if none is complete."""
    start = next((r for r in records if r["kind"] == "start"), None)
    entries = [r["entry"] for r in records if r.get("entry")]
    if start is None or not entries:
        return None
    work = start["images"] + TEST_COST * start["test_images"]
    return float(work / max(entries[-1]["seconds"], 1e-3))


class Speed:
    """Images per second of this machine, measured when it is first asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rate: float | None = None

    def recorded(self, rate: float | None) -> None:
        """A run has been recorded, which tells more than a measurement."""
        if rate:
            self._rate = rate

    @property
    def rate(self) -> float:
        """Images per second; the first call may take a second."""
        with self._lock:
            if self._rate is None:
                self._rate = measure()
            return self._rate


def measure() -> float:
    """Images per second of a few steps of training, on random images."""
    model = VAE(VAEConfig())
    x = torch.rand(BATCH, 1, 28, 28)
    bf16 = resolve_precision("auto", torch.device("cpu")) == "bf16"
    begun = time.perf_counter()
    with torch.enable_grad():
        for step in range(STEPS):
            if step == 1:
                begun = time.perf_counter()  # the first one allocates
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                logits, mu, logvar = model(x)
            vae_loss(logits, x, mu, logvar, 1.0).loss.backward()
    return (STEPS - 1) * BATCH / max(time.perf_counter() - begun, 1e-6)


def seconds(rate: float, images: int, epochs: int, tests: int = TEST_SIZE) -> float:
    """How long a run takes in all."""
    work = epochs * (images + TEST_COST * tests)
    return START_SECONDS + SNAPSHOT_SECONDS + work / rate


def images_for(rate: float, total: float, epochs: int, tests: int = TEST_SIZE) -> int:
    """The images with which a run takes so many seconds, in steps of 500 from 1,000 on."""
    left = total - START_SECONDS - SNAPSHOT_SECONDS
    images = left * rate / epochs - TEST_COST * tests
    return max(1000, int(images // 500) * 500)


def in_words(time_left: float) -> str:
    """A duration as a reader says it: "40 seconds", "3 minutes"."""
    if time_left < 90:
        rounded = max(5, round(time_left / 5) * 5)
        return f"{rounded} seconds"
    if time_left < 5400:
        return f"{round(time_left / 60)} minutes"
    return f"{time_left / 3600:.1f} hours"
