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

import pytest
from playwright.sync_api import Browser, sync_playwright

import trainer
from benchmarks.chromium import launch_chromium
from benchmarks.server import free_port, running_demo
from latent_navigator.checkpoint.checkpoint import Checkpoint, load_checkpoint
from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.pretrained import DEFAULT_PATH
from latent_navigator.training.config import TrainingConfig
from tests.small import SMALL as SMALL
from tests.small import read_digits

HERE = Path(__file__).parent
ROOT = HERE.parent


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport]:
    """A browser test that is skipped has failed: what nobody has seen work does not work."""
    report = yield
    if report.skipped and item.get_closest_marker("browser"):
        report.outcome, report.longrepr = "failed", f"a browser test was skipped: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def digits() -> LabelledImages:
    return read_digits()


@pytest.fixture(scope="session")
def small_config() -> TrainingConfig:
    """A run of seconds: few epochs, in float32 on the CPU."""
    return TrainingConfig(
        epochs=40,
        batch_size=25,
        warmup_epochs=10,
        beta=1.0,  # with 4 and so few images the posterior collapses
        precision="fp32",
        device="cpu",
        seed=1,
    )


@pytest.fixture(scope="session")
def small_checkpoint(
    digits: LabelledImages,
    small_config: TrainingConfig,
    tmp_path_factory: pytest.TempPathFactory,
) -> Checkpoint:
    """A small model, trained on the digits of the tests."""
    output = tmp_path_factory.mktemp("small") / "vae.pt"
    config = dataclasses.replace(small_config, output=str(output))
    checkpoint = trainer.train(config, SMALL, digits)
    assert checkpoint is not None
    return checkpoint


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
