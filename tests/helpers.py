"""Helpers shared by several test folders."""

import asyncio
import dataclasses
import functools
import math
import tempfile
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from filelock import FileLock
from torch import Tensor

from latent_navigator.checkpoint.checkpoint import Checkpoint, save_checkpoint
from latent_navigator.checkpoint.snapshots import Snapshots, kept_epochs
from latent_navigator.explorer.latent_space import LatentSpace

T = TypeVar("T")

# Seconds after which what a test waits for does not come any more. Long, since it only ends a hang,
# and beside busy processes Linux has kept a whole run of tests waiting for half a minute.
HANG = 300


def wait_until(condition: Callable[[], T], timeout: float = HANG, describe: object = "") -> T:
    """Poll until `condition()` is true, and return its result.

    Raises:
        AssertionError: after `timeout` seconds, with `describe` or, if callable, its result.
    """
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"timed out: {describe() if callable(describe) else describe}")
        time.sleep(0.01)
    return found


def made_once(path: Path, make: Callable[[Path], object]) -> Path:
    """The path, once `make(path)` has created it in one of the processes that ask for it."""
    path.parent.mkdir(exist_ok=True)
    with FileLock(path.with_name(f"{path.name}.making")):
        if not path.exists():
            make(path)
    return path


async def until(condition: Callable[[], object], timeout: float = HANG) -> None:
    """Let other tasks run until `condition()` is true.

    Raises:
        TimeoutError: after `timeout` seconds.
    """
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.sleep(0)


def run_async(coroutine: Coroutine[object, object, T]) -> T:
    """Run a coroutine in a thread of its own: this one may already run Playwright's loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def beside_encoding(space: LatentSpace, index: int, distance: float = 0.2) -> Tensor:
    """(D,) a position near the encoding of a test image, in a direction that the index decides."""
    direction = torch.randn(space.latent_dim, generator=torch.Generator().manual_seed(index))
    return space.means[index] + distance * F.normalize(direction, dim=0)


def coordinates(answer: dict[str, Any]) -> list[float]:
    """All coordinates of a position as it is answered, with x and y in two dimensions alone."""
    found: list[float] = answer["z"] if "z" in answer else [answer["x"], answer["y"]]
    return found


def direction_of(answer: dict[str, Any]) -> Tensor:
    """(D,) the unit vector of a direction as it is answered, as an angle in two dimensions."""
    if "vector" in answer:
        return torch.tensor(answer["vector"])
    angle = math.radians(answer["direction"])
    return torch.tensor([math.cos(angle), math.sin(angle)])


def in_epochs(checkpoint: Checkpoint, epochs: int) -> Checkpoint:
    """The same training as if it had taken so many epochs, of which files keep some snapshots."""
    sample, means, grids, reaches, reconstructed = checkpoint.snapshots
    recorded = len(checkpoint.history)
    history = [
        checkpoint.history[epoch * recorded // epochs] | {"epoch": epoch + 1}
        for epoch in range(epochs)
    ]
    rows = [epoch * recorded // epochs for epoch in kept_epochs(epochs)]
    snapshots = Snapshots(sample, means[rows], grids[rows], reaches[rows], reconstructed)
    return dataclasses.replace(checkpoint, history=history, snapshots=snapshots)


@functools.lru_cache(maxsize=2)
def file_contents(checkpoint: Checkpoint) -> dict[str, Any]:
    """What the file of a checkpoint has, packed once: it is most of the work of saving."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vae.pt"
        save_checkpoint(path, checkpoint)
        contents: dict[str, Any] = torch.load(path, weights_only=True)
    return contents


def write_unchecked(path: Path, checkpoint: Checkpoint, **changes: object) -> None:
    """Save the checkpoint with other values under some keys of the file; ... removes a key."""
    contents = file_contents(checkpoint) | changes
    torch.save({key: v for key, v in contents.items() if v is not ...}, path)


def without_last_dimensions(checkpoint: Checkpoint, count: int = 2) -> Checkpoint:
    """The same model as if its last dimensions had collapsed.

    Their posterior is the prior for every image, and the decoder does not read them.
    """
    weights = {name: values.clone() for name, values in checkpoint.weights.items()}
    latent_dim = checkpoint.model_config.latent_dim
    unused = slice(latent_dim - count, latent_dim)
    weights["decoder.hidden.weight"][:, unused] = 0
    for name in ("encoder.out.weight", "encoder.out.bias"):  # mu above logvar
        weights[name].view(2, latent_dim, -1)[:, unused] = 0
    changed = {
        name: getattr(checkpoint, name).clone()
        for name in ("means", "logvars", "centroids", "prototypes")
    }
    for values in changed.values():
        values[:, unused] = 0
    return dataclasses.replace(checkpoint, weights=weights, **changed)


def with_unused_dimensions(checkpoint: Checkpoint, latent_dim: int) -> Checkpoint:
    """The same model with further dimensions, which are unused: the prior, for every image.

    With fewer, it has only the first ones.
    """
    more = latent_dim - checkpoint.model_config.latent_dim
    weights = dict(checkpoint.weights)
    weights["decoder.hidden.weight"] = F.pad(weights["decoder.hidden.weight"], (0, more))
    for name in ("encoder.out.weight", "encoder.out.bias"):  # mu above logvar
        parts = weights[name].chunk(2)
        rows = (0, 0) * (parts[0].ndim - 1) + (0, more)
        weights[name] = torch.cat([F.pad(part, rows) for part in parts])
    snapshots = checkpoint.snapshots
    return dataclasses.replace(
        checkpoint,
        model_config=dataclasses.replace(checkpoint.model_config, latent_dim=latent_dim),
        weights=weights,
        snapshots=snapshots._replace(means=F.pad(snapshots.means, (0, more))),
        means=F.pad(checkpoint.means, (0, more)),
        logvars=F.pad(checkpoint.logvars, (0, more)),
        centroids=F.pad(checkpoint.centroids, (0, more)),
        prototypes=F.pad(checkpoint.prototypes, (0, more)),
    )
