"""Whatever can be saved can be loaded: at the limits of every option, and beyond them neither."""

import contextlib
import dataclasses
import math
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from latent_navigator.checkpoint import snapshots as snapshots_module
from latent_navigator.checkpoint.checkpoint import (
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    save_checkpoint,
)
from latent_navigator.checkpoint.file_checks import MAX_BYTES
from latent_navigator.checkpoint.size import largest_size
from latent_navigator.checkpoint.snapshots import (
    LEAST_REACH,
    MAX_SNAPSHOTS,
    SIDE,
    Snapshots,
    kept_epochs,
    no_snapshots,
    snapshot_epochs,
)
from latent_navigator.data.fingerprint import differences, fingerprint
from latent_navigator.data.train_data import describe_train_data
from latent_navigator.model_config import VAEConfig
from latent_navigator.training.config import TrainingConfig
from latent_navigator.training.metrics import epoch_metrics
from latent_utils import digit_centroids, digit_prototypes
from neural_network import VAE

LIMITS: dict[str, list[Any]] = {
    "dataset": ["mnist", "a/b/", "модели 模型", "\udcff", "./mnist", "x" * 5000],
    "epochs": [1, 256, 257, 4_226],  # and 100,000, which take seconds: in an example
    "batch_size": [1, 100_000],
    "learning_rate": [math.ulp(0), 1.0],
    "beta": [0.0, math.ulp(0), 1000.0],
    "warmup_epochs": [0.0, 100_000.0],
    "grad_clip": [math.ulp(0), 1.7e308],
    "blanking": [0.0, math.nextafter(1, 0)],
    "precision": ["auto", "bf16", "fp32"],
    "seed": [0, 2**31 - 1],
    "limit": [0, 1, 2**31 - 1],
    "device": ["auto"],
    "data_dir": ["data"],
    "output": ["vae.pt"],
}
configs = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in LIMITS.items()})
# One size at its upper limit at a time, and values that the limit of a file still allows.
SIZES = [field.name for field in dataclasses.fields(VAEConfig)]
TINY = dict.fromkeys(SIZES, 1)
architectures = st.sampled_from(
    [TINY, *({**TINY, name: size} for name in SIZES for size in (1024, 4096))]
)
printable = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30)
class_names = st.lists(printable, min_size=2, max_size=10, unique=True)


def made(config: TrainingConfig, model_config: VAEConfig, names: list[str]) -> Checkpoint:
    """What the run would save at its end, without the training: two test images of each class."""
    classes, generator = len(names), torch.Generator().manual_seed(config.seed)
    labels = torch.arange(2 * classes) % classes
    images = torch.randint(0, 256, (len(labels), 28, 28), generator=generator, dtype=torch.uint8)
    means = torch.randn(len(labels), model_config.latent_dim, generator=generator)
    none = no_snapshots(len(labels), model_config.latent_dim)
    kept = len(kept_epochs(config.epochs))
    entry = epoch_metrics(config.epochs, config, (700.0, 0.0), (1e30, 1e30), seconds=0.0)
    return Checkpoint(
        model_config=model_config,
        training_config=config.hyperparameters(),
        weights=VAE(model_config).state_dict(),
        history=[entry] * config.epochs,
        class_names=names,
        means=means,
        logvars=torch.zeros_like(means),
        labels=labels,
        counts=labels.bincount(minlength=classes),
        centroids=digit_centroids(means, labels, classes),
        prototypes=digit_prototypes(means, labels, classes=classes),
        images=images,
        snapshots=Snapshots(
            none.sample,
            torch.zeros(kept, len(none.sample), model_config.latent_dim, dtype=torch.float16),
            torch.zeros(kept, SIDE, SIDE, 28, 28, dtype=torch.uint8),
            torch.full((kept,), LEAST_REACH),
            none.reconstructed,
        ),
        train_data=describe_train_data(images, labels, classes),
    )


@pytest.mark.slow
@pytest.mark.guarantee("saved-files-load")
@settings(max_examples=30, deadline=None)
@given(options=configs, sizes=architectures, names=class_names)
@example(
    options={name: values[-1] for name, values in LIMITS.items()} | {"epochs": 100_000},
    sizes=TINY,
    names=["a", "b"],
)
@example(options={}, sizes={**TINY, "latent_dim": 4096}, names=list("0123456789"))
def test_what_is_saved_is_loaded(
    options: dict[str, Any], sizes: dict[str, int], names: list[str]
) -> None:
    config, model_config = TrainingConfig(**options), VAEConfig(**sizes)
    limit = largest_size(model_config, config.epochs, 2 * len(names))
    if limit > MAX_BYTES:
        return  # refused before training, see test_runs.py
    checkpoint = made(config, model_config, names)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vae.pt"
        save_checkpoint(path, checkpoint)
        loaded = load_checkpoint(path)
        size = path.stat().st_size
    assert loaded.training_config == checkpoint.training_config
    assert loaded.model_config == checkpoint.model_config
    assert loaded.history == checkpoint.history
    assert loaded.class_names == names
    assert loaded.train_data == checkpoint.train_data
    for name in ("means", "labels", "centroids", "prototypes", "images"):
        assert torch.equal(getattr(loaded, name), getattr(checkpoint, name))
    assert size <= largest_size(
        checkpoint.model_config, len(checkpoint.history), len(loaded.labels)
    )


def test_limits_are_those_of_every_option() -> None:
    assert LIMITS.keys() == {field.name for field in dataclasses.fields(TrainingConfig)}


@pytest.mark.guarantee("saved-files-load")
@given(
    names=st.lists(st.text(max_size=31), max_size=11),
    far=st.sampled_from([0.0, 1e4, 1.001e4, math.nan, math.inf]),
    recon=st.sampled_from([0.0, 1.7e308, math.nan, math.inf]),
)
@settings(deadline=None, max_examples=60)
def test_what_would_not_be_loaded_is_not_saved(
    small_checkpoint: Checkpoint, names: list[str], far: float, recon: float
) -> None:
    means = small_checkpoint.means.clone()
    means[0, 0] = far
    history = [small_checkpoint.history[0] | {"test_recon": recon}, *small_checkpoint.history[1:]]
    changed = dataclasses.replace(small_checkpoint, class_names=names, means=means, history=history)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vae.pt"
        with contextlib.suppress(CheckpointError):
            save_checkpoint(path, changed)
        if path.exists():
            assert load_checkpoint(path).class_names == names
        assert not list(Path(folder).glob("*.tmp"))


@pytest.mark.guarantee("saved-files-load")
def test_file_over_the_size_limit_is_not_saved(
    small_checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = small_checkpoint.snapshots
    short = dataclasses.replace(
        small_checkpoint,
        history=small_checkpoint.history[:2],
        snapshots=recorded._replace(
            means=recorded.means[:3], grids=recorded.grids[:3], reaches=recorded.reaches[:3]
        ),
    )
    save_checkpoint(tmp_path / "vae.pt", short)
    before = (tmp_path / "vae.pt").read_bytes()
    monkeypatch.setattr("latent_navigator.checkpoint.file_checks.MAX_BYTES", len(before) - 1)
    with pytest.raises(CheckpointError, match="over the limit"):
        save_checkpoint(tmp_path / "vae.pt", short)
    assert [path.name for path in tmp_path.iterdir()] == ["vae.pt"]
    assert (tmp_path / "vae.pt").read_bytes() == before


# --- snapshots ---


@pytest.mark.guarantee("saved-files-load")
@given(epochs=st.integers(1, 100_000), limit=st.integers(3, 300))
@example(epochs=100_000, limit=MAX_SNAPSHOTS)
def test_snapshots_are_few_evenly_spaced_and_kept_when_they_are_needed(
    epochs: int, limit: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshots_module, "MAX_SNAPSHOTS", limit)
        before, kept = kept_epochs(epochs - 1), kept_epochs(epochs)
        assert snapshot_epochs(len(kept), epochs) == kept
        assert snapshot_epochs(epochs + 1, epochs) == list(range(epochs + 1))
    assert len(kept) <= limit
    assert (kept[0], kept[-1]) == (0, epochs)
    assert set(kept) - {epochs} <= set(before)
    steps = {b - a for a, b in pairwise(kept[:-1])}
    assert len(steps) <= 1
    if epochs + 2 <= limit:
        assert kept == list(range(epochs + 1))
    else:
        assert len(kept) >= limit // 2


# --- fingerprints ---


@pytest.mark.guarantee("resume-compares-data")
@given(
    labels=st.lists(st.integers(0, 2), min_size=3, max_size=12),
    other=st.lists(st.integers(0, 2), min_size=3, max_size=12),
    pixel=st.integers(0, 255),
)
def test_data_differs_in_words_exactly_where_it_differs(
    labels: list[int], other: list[int], pixel: int
) -> None:
    names = ("a", "b", "c")
    images = [torch.zeros(len(row), 28, 28, dtype=torch.uint8) for row in (labels, other)]
    images[1][0, 0, 0] = pixel
    then, now = (
        fingerprint(x, torch.tensor(y), 3) for x, y in zip(images, (labels, other), strict=True)
    )
    found = differences(names, names, {"training": (then, now)})
    assert bool(found) == (labels != other or pixel != 0)
    assert differences(names, names, {"training": (then, then), "test": (now, now)}) == []
    assert differences(names, ("a", "b", "d"), {"test": (now, now)}) == ["'c' is now called 'd'"]
