"""What the tests share: real digits, checkpoints, a running demo, a Chromium."""

import os

# Before torch is imported, and for the processes that tests start: several threads in each of
# several workers would spend their time waiting for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import dataclasses
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, sync_playwright

import trainer
from benchmarks.chromium import launch_chromium
from benchmarks.server import free_port, running_demo
from latent_navigator.checkpoint.checkpoint import DEFAULT_PATH, Checkpoint, load_checkpoint
from latent_navigator.data.datasets import LabelledImages
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.training.config import TrainingConfig
from neural_network import VAEConfig

HERE = Path(__file__).parent
ROOT = HERE.parent
SMALL = VAEConfig(hidden=48, encoder_channels_2=16, decoder_channels=16)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport]:
    """A browser test that is skipped has failed: what nobody has seen work does not work."""
    report = yield
    if report.skipped and item.get_closest_marker("browser"):
        report.outcome, report.longrepr = "failed", f"a browser test was skipped: {report.longrepr}"
    return report


def read_digits() -> LabelledImages:
    """The 500 training and 200 test digits that ship with the tests; see make_digits.py."""
    with np.load(HERE / "digits.npz") as arrays:
        return LabelledImages(
            torch.from_numpy(arrays["train_images"]),
            torch.from_numpy(arrays["train_labels"]).long(),
            torch.from_numpy(arrays["test_images"]),
            torch.from_numpy(arrays["test_labels"]).long(),
        )


@pytest.fixture(scope="session")
def digits() -> LabelledImages:
    return read_digits()


@pytest.fixture(scope="session")
def small_config() -> TrainingConfig:
    """A training of seconds: a few hundred digits, few epochs, float32 everywhere."""
    return TrainingConfig(
        epochs=40,
        batch_size=25,
        warmup_epochs=10,
        beta=1.0,  # so few digits do not pay for more: with 4 the posterior collapses
        precision="fp32",
        device="cpu",
        seed=1,
    )


@pytest.fixture(scope="session")
def small_checkpoint(digits, small_config, tmp_path_factory) -> Checkpoint:
    """A small model really trained on the digits that ship with the tests."""
    output = tmp_path_factory.mktemp("small") / "vae.pt"
    config = dataclasses.replace(small_config, output=str(output))
    return trainer.train(config, SMALL, digits)


@pytest.fixture(scope="session")
def released() -> Checkpoint:
    """The committed checkpoint."""
    return load_checkpoint(ROOT / DEFAULT_PATH)


@pytest.fixture(scope="session")
def space(released) -> LatentSpace:
    """The committed checkpoint, ready to be asked."""
    return LatentSpace(released)


@pytest.fixture(scope="session")
def served(tmp_path_factory) -> Iterator[str]:
    """The address of `python demo.py` on the committed checkpoint, on a free port."""
    log = tmp_path_factory.mktemp("demo") / "log"
    with running_demo(log) as address:
        yield address
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="module")
def own_demo(tmp_path_factory):
    """own_demo(...) -> a demo that the test may end: its process, address, log and cache."""
    started = []

    def start(
        *options: str,
        program: tuple[str, ...] = (str(ROOT / "demo.py"),),
        folder: Path = ROOT,
        **environment: str,
    ):
        kept, port = tmp_path_factory.mktemp("own"), free_port()
        log, cache = kept / "log", kept / "cache"
        with open(log, "w") as output:
            process = subprocess.Popen(
                [sys.executable, *program, "--port", str(port), *options],
                cwd=folder,
                stdout=output,
                stderr=output,
                env={**os.environ, "GRADIO_TEMP_DIR": str(cache), **environment},
            )
        started.append(process)
        until = time.monotonic() + 180
        while "Ctrl-C ends it" not in log.read_text():
            assert process.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        return process, f"http://127.0.0.1:{port}/", log, cache

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium; where there is none the test fails."""
    with sync_playwright() as playwright:
        chromium = launch_chromium(playwright)
        yield chromium
        chromium.close()
