"""MNIST is downloaded by a run that the page starts, from stand-ins for the mirrors."""

import gzip
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.lab.lab import Lab
from latent_navigator.lab.run import FAILED, FINISHED, STOPPED, Run
from latent_navigator.lab.settings import DOWNLOAD_MB
from latent_navigator.lab.supervisor import Supervisor
from tests.cli.small_trainer import write_program
from tests.forks import FORKED_PYTHON
from tests.helpers import wait_until
from tests.unit.test_download import Handler, Server
from tests.unit.test_download import server as server

pytestmark = pytest.mark.slow  # each starts a process

VALUES = {"dataset": "mnist", "epochs": 1, "warmup_epochs": 0}
# The true load_dataset, with the archives and addresses of the stand-ins.
MIRRORS = """
    from torchvision.datasets import MNIST
    from latent_navigator.data import datasets
    from latent_navigator.data.download import Patience
    MNIST.mirrors, MNIST.resources = {mirrors!r}, {resources!r}
    datasets.MNIST_SHA256, datasets.MORE_MIRRORS = {{}}, {{}}
    patience = Patience(timeout=5, attempts=1)
    runner.load_dataset = lambda name, folder, **options: datasets.load_dataset(
        name, folder, patience=patience, **options)
"""
FULL_DISK = """
    def fsync(_):
        raise OSError(28, "No space left on device")
    os.fsync = fsync
"""
FIRST = "train-images-idx3-ubyte.gz"


def idx(array: np.ndarray) -> bytes:
    """An archive of an array of bytes, in MNIST's format."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes(), 1, mtime=0)


@pytest.fixture
def archives(digits: LabelledImages) -> dict[str, bytes]:
    """The digits of the tests as MNIST's four files."""
    parts = {
        FIRST: digits.train_images,
        "train-labels-idx1-ubyte.gz": digits.train_labels,
        "t10k-images-idx3-ubyte.gz": digits.test_images,
        "t10k-labels-idx1-ubyte.gz": digits.test_labels,
    }
    return {name: idx(values.byte().numpy()) for name, values in parts.items()}


@pytest.fixture
def train(
    server: Server, archives: dict[str, bytes], tmp_path: Path
) -> Iterator[Callable[..., tuple[Lab, Run]]]:
    """train(kind, patch) -> a lab, and its run that downloads from a mirror of this kind."""

    class Mirror(Handler):
        def good(self) -> None:
            self.answer(archives[self.path.rpartition("/")[2]])

        def held(self) -> None:
            """Sends nothing until the test says so."""
            self.server.stop.wait(30)
            self.good()

        def interrupted(self) -> None:
            """Breaks off in the second file."""
            if self.path.endswith(FIRST):
                self.good()
            else:
                self.answer(b"x" * 10, length=28)

    server.RequestHandlerClass = Mirror
    labs = []

    def train(kind: str, patch: str = "") -> tuple[Lab, Run]:
        mirrors = [server.url(kind).removesuffix("file.gz")]
        md5s = [(name, hashlib.md5(content).hexdigest()) for name, content in archives.items()]
        patch = MIRRORS.format(mirrors=mirrors, resources=md5s) + patch
        command = [*FORKED_PYTHON, str(write_program(tmp_path, patch))]
        lab = Lab(Supervisor(tmp_path / "runs", command, threads=1), tmp_path / "data")
        lab.supervisor.speed.recorded(1000.0)
        labs.append(lab)
        lab.start(VALUES, local=True)
        assert lab.supervisor.current is not None
        return lab, lab.supervisor.current

    yield train
    server.stop.set()
    for lab in labs:
        lab.supervisor.close()


def ended(run: Run) -> Run:
    wait_until(lambda: not run.live, describe=lambda: list(run.lines))
    return run


def test_the_data_set_is_offered_with_its_size_and_downloaded(
    train: Callable[..., tuple[Lab, Run]], server: Server, tmp_path: Path
) -> None:
    lab, run = train("held")
    assert lab.form(local=True)["datasets"][0]["label"] == f"MNIST (downloads {DOWNLOAD_MB} MB)"
    # While it waits for a file, its name is the newest line, which the page shows.
    wait_until(lambda: run.lines[-1].startswith("Downloading "), describe=lambda: list(run.lines))
    assert run.lines[-1].endswith(FIRST)
    server.stop.set()
    assert ended(run).state == FINISHED, list(run.lines)
    assert sum(line.startswith("Downloading ") for line in run.lines) == 4
    assert run.start is not None
    assert run.start["images"] == 500
    assert lab.form(local=True)["datasets"][0]["label"] == "MNIST"
    assert list((tmp_path / "data").rglob("*.tmp")) == []


@pytest.mark.guarantee("training-failures")
def test_an_interrupted_download_is_one_sentence_and_keeps_what_is_whole(
    train: Callable[..., tuple[Lab, Run]], server: Server
) -> None:
    _, run = train("interrupted")
    assert ended(run).state == FAILED
    assert run.message.startswith("Mnist: train-labels-idx1-ubyte.gz could not be downloaded (http")
    assert "ended after 10 of 28 bytes" in run.message
    assert "; check the network and run again, or download the official" in run.message
    assert run.message.endswith(" No epoch was completed.")
    assert not run.can_resume
    before = len(server.requests)
    _, run = train("good")  # starting it again asks for the rest only
    assert ended(run).state == FINISHED, list(run.lines)
    assert not any(FIRST in path for path in server.requests[before:])


@pytest.mark.guarantee("training-failures")
def test_a_disk_that_fills_up_during_the_download_is_one_sentence(
    train: Callable[..., tuple[Lab, Run]], tmp_path: Path
) -> None:
    _, run = train("good", FULL_DISK)
    assert ended(run).state == FAILED
    path = tmp_path / "data" / "MNIST" / "raw" / FIRST
    assert run.message == (
        f"Mnist: {path} cannot be written (No space left on device); free some space or choose "
        "another location. No epoch was completed."
    )
    assert not path.exists()
    assert list(path.parent.iterdir()) == []


def test_a_download_is_stopped(train: Callable[..., tuple[Lab, Run]], tmp_path: Path) -> None:
    lab, run = train("held")
    wait_until(lambda: run.lines[-1].startswith("Downloading "), describe=lambda: list(run.lines))
    lab.stop({}, local=True)
    assert ended(run).state == STOPPED
    assert run.message == "Stopped. No epoch was completed."
    assert list((tmp_path / "data").rglob("*.gz*")) == []


@pytest.mark.guarantee("training-isolated")
def test_a_download_ends_with_the_server(train: Callable[..., tuple[Lab, Run]]) -> None:
    lab, run = train("held")
    wait_until(lambda: run.lines[-1].startswith("Downloading "), describe=lambda: list(run.lines))
    process = lab.supervisor._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()  # as the system does with that of a server that is killed
    assert ended(run).state == STOPPED
    assert process.returncode == 143
