"""Shared fixtures: real digits, checkpoints, a running demo, a Chromium."""

import contextlib
import dataclasses
import inspect
import os
import ssl
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from hypothesis import settings
from playwright.sync_api import Browser, expect, sync_playwright

import trainer
from benchmarks.chromium import launch_chromium
from benchmarks.server import READY, Process, free_port, start_python
from latent_navigator.checkpoint.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.pretrained import DEFAULT_PATH
from latent_navigator.training.config import TrainingConfig
from tests.forks import ForkedPython, start_quiet_demo
from tests.forks.quick import compress_quickly
from tests.helpers import HANG, made_once, wait_until, without_last_dimensions
from tests.small import SMALL as SMALL
from tests.small import TEN, read_digits

# Playwright's default of five seconds is too short on a busy machine.
expect.set_options(timeout=1000 * HANG)

# So is httpx's of five seconds. All of a process's clients share a context of TLS, which no test
# uses: each would read the certificates of all authorities, for 25 ms.
TLS = ssl.create_default_context()
for function in (
    *(httpx.get, httpx.post, httpx.stream),
    *(httpx.Client.__init__, httpx.AsyncClient.__init__),
):
    defaults = inspect.unwrap(function).__kwdefaults__
    assert defaults is not None
    defaults.update(timeout=HANG, verify=TLS)

compress_quickly()

# So is Hypothesis' default of 0.2 seconds for an example.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")

HERE = Path(__file__).parent
ROOT = HERE.parent


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a browser test that skips itself; `skipif`, which states its reason, is allowed."""
    report = yield
    declared = item.get_closest_marker("skipif")
    if report.skipped and item.get_closest_marker("browser") and not declared:
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
        learning_rate=4e-3,
        warmup_epochs=10,
        beta=1.0,  # with 4 and so few images the posterior collapses
        precision="fp32",
        device="cpu",
        seed=1,
    )


@pytest.fixture(scope="session")
def shared_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers have in common; see `made_once`."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if hasattr(request.config, "workerinput") else folder


@pytest.fixture(scope="session")
def small_checkpoint(
    digits: LabelledImages, small_config: TrainingConfig, shared_folder: Path
) -> Checkpoint:
    """A small model, trained on the digits of the tests."""

    def train(path: Path) -> None:
        config = dataclasses.replace(small_config, output=str(path))
        checkpoint = trainer.train(config, SMALL, digits)
        assert checkpoint is not None
        save_checkpoint(path, checkpoint)

    return load_checkpoint(made_once(shared_folder / "small" / "vae.pt", train))


@pytest.fixture(scope="session")
def ten_checkpoint(
    digits: LabelledImages, small_config: TrainingConfig, shared_folder: Path
) -> Checkpoint:
    """A small model of ten dimensions, of which the last two are unused."""

    def train(path: Path) -> None:
        config = dataclasses.replace(
            small_config, epochs=20, warmup_epochs=5, beta=0.2, output=str(path)
        )
        checkpoint = trainer.train(config, TEN, digits)
        assert checkpoint is not None
        save_checkpoint(path, without_last_dimensions(checkpoint))

    return load_checkpoint(made_once(shared_folder / "ten" / "vae.pt", train))


@pytest.fixture(scope="session", params=[2, 10])
def any_space(request: pytest.FixtureRequest) -> LatentSpace:
    """The LatentSpace of a small model of two and of ten dimensions."""
    name = "small_checkpoint" if request.param == 2 else "ten_checkpoint"
    return LatentSpace(request.getfixturevalue(name))


@pytest.fixture(scope="session")
def ten_space(ten_checkpoint: Checkpoint) -> LatentSpace:
    """The LatentSpace of a small model of ten dimensions."""
    return LatentSpace(ten_checkpoint)


@pytest.fixture(scope="session")
def released() -> Checkpoint:
    """The committed checkpoint."""
    return load_checkpoint(ROOT / DEFAULT_PATH)


@pytest.fixture(scope="session")
def space(released: Checkpoint) -> LatentSpace:
    """The LatentSpace of the committed checkpoint."""
    return LatentSpace(released)


@pytest.fixture(scope="session", params=[DEFAULT_PATH.name, "vae_mnist_10d.pt"])
def trained(request: pytest.FixtureRequest) -> Checkpoint:
    """The committed checkpoints of two and of ten dimensions, trained on all of MNIST."""
    return load_checkpoint(ROOT / DEFAULT_PATH.parent / request.param)


@pytest.fixture(scope="session")
def trained_space(trained: Checkpoint) -> LatentSpace:
    """Its LatentSpace."""
    return LatentSpace(trained)


@pytest.fixture(params=[2, 10])
def either_space(
    request: pytest.FixtureRequest, space: LatentSpace, ten_space: LatentSpace
) -> LatentSpace:
    """The LatentSpace of the committed checkpoint, and of a small model of ten dimensions."""
    return space if request.param == 2 else ten_space


@pytest.fixture(scope="session")
def sixteen_space(
    digits: LabelledImages, small_config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory
) -> LatentSpace:
    """The LatentSpace of a small model of sixteen dimensions, some of them unused."""
    output = str(tmp_path_factory.mktemp("sixteen") / "vae.pt")
    config = dataclasses.replace(small_config, epochs=20, warmup_epochs=5, output=output)
    checkpoint = trainer.train(config, dataclasses.replace(SMALL, latent_dim=16), digits)
    assert checkpoint is not None
    return LatentSpace(checkpoint)


class Demo(NamedTuple):
    """A running `python demo.py`."""

    process: Process
    address: str
    log: Path
    cache: Path


def start_demo(
    folder: Path,
    *options: str,
    cwd: Path = ROOT,
    root: Path = ROOT,
    forked: bool = True,
    quiet: bool = True,
    **environment: str,
) -> Demo:
    """Run `python demo.py` with options and variables; its log and cache are in `folder`.

    Args:
        root: of the program that is run.
        forked: whether the fork server starts it, in a fifth of the time.
        quiet: whether a fork leaves out what it computes in advance; see forks/quiet_demo.py.
    """
    port, log, cache = free_port(), folder / "log", folder / "cache"
    with log.open("w") as output:
        fork: Callable[..., Process] = start_quiet_demo if quiet else ForkedPython
        start = fork if forked else start_python
        process = start(
            [str(root / "demo.py"), "--port", str(port), *options],
            cwd=cwd,
            stdout=output,
            stderr=output,
            env={**os.environ, "GRADIO_TEMP_DIR": str(cache), **environment},
        )
    return Demo(process, f"http://127.0.0.1:{port}/", log, cache)


def wait_for_demo(demo: Demo) -> None:
    """Wait until a demo listens."""
    process, _, log, _ = demo
    wait_until(lambda: READY in log.read_text() or process.poll() is not None, 180, log.read_text)
    assert process.poll() is None, log.read_text()


@contextlib.contextmanager
def started_demo(folder: Path, *options: str, **others: Any) -> Iterator[Demo]:
    """A demo that listens, until the end of the block; see `start_demo`."""
    demo = start_demo(folder, *options, **others)
    try:
        wait_for_demo(demo)
        yield demo
    finally:
        demo.process.kill()
        demo.process.wait()


@pytest.fixture(scope="session")
def served(shared_folder: Path) -> Iterator[str]:
    """The address of a demo of the committed checkpoint, shared by all: tests must not stop it."""

    def start(path: Path) -> None:
        demo = start_demo(path.parent)
        assert isinstance(demo.process, ForkedPython)
        demo.process.leave_running()
        wait_for_demo(demo)
        path.write_text(demo.address)

    path = made_once(shared_folder / "demo" / "address", start)
    address, log = path.read_text(), path.with_name("log")
    yield address
    assert httpx.get(f"{address}health").status_code == 200, log.read_text()
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="module")
def own_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Demo]]:
    """own_demo(...) -> a demo that the test may stop; see `started_demo`."""
    with contextlib.ExitStack() as stack:

        def start(*options: str, **others: Any) -> Demo:
            folder = tmp_path_factory.mktemp("own")
            return stack.enter_context(started_demo(folder, *options, **others))

        yield start


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium; without one the test fails."""
    with sync_playwright() as playwright:
        chromium = launch_chromium(playwright, "chromium-headless-shell")
        yield chromium
        chromium.close()
