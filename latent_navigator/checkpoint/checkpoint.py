"""The checkpoint: one file with everything that the demo needs of a trained model.

The file contains tensors and plain Python values only. It is written completely or not at all, and
checked when it is read.
"""

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from latent_navigator.atomic_io import write_whole
from latent_navigator.checkpoint import archive, file_checks
from latent_navigator.checkpoint.file_checks import CheckpointError
from latent_navigator.checkpoint.packing import pack
from latent_navigator.checkpoint.snapshots import Snapshots
from latent_navigator.checkpoint.validation import (
    TRAIN_DATA,
    check_dict,
    check_encodings,
    check_history,
    check_images,
    check_model_config,
    check_snapshots,
    check_train_data,
    check_training_config,
    check_weights,
)
from latent_navigator.data.dataset_info import DatasetInfo, check_class_names, dataset_info
from latent_navigator.data.preparation import Preparation, learn_preparation
from latent_navigator.data.train_data import TrainData
from latent_navigator.model_config import VAEConfig
from neural_network import VAE

__all__ = ["FORMAT_VERSION", "Checkpoint", "CheckpointError", "load_checkpoint", "save_checkpoint"]

FORMAT_VERSION = 3
OLDEST_VERSION = 2  # lacks the reaches of the snapshots' grids
# Fields that the file keeps under another key.
FILE_KEYS = {"images": "pictures", "snapshots": "replay"}
UNSAVED_REMEDY = "nothing was written; if it diverged, lower --learning-rate"


@dataclass(frozen=True, eq=False)  # tensors cannot be compared to a single truth value
class Checkpoint:
    """The result of a training run, with N test images in C classes."""

    model_config: VAEConfig
    training_config: dict[str, Any]  # the hyperparameters, as plain values
    weights: dict[str, Tensor]  # state_dict of the VAE, float32
    history: list[dict[str, float]]  # one entry per epoch, losses in nats per image
    class_names: list[str]  # C of them, 2 ... 10, as shown on the page
    means: Tensor  # (N, latent_dim) float32: mu of the test images
    logvars: Tensor  # (N, latent_dim) float32: logvar of the test images
    labels: Tensor  # (N,) int64, 0 ... C - 1
    counts: Tensor  # (C,) int64: test images of each class
    centroids: Tensor  # (C, latent_dim) float32: mean mu of each class
    prototypes: Tensor  # (C, latent_dim) float32: most typical mu of each class
    images: Tensor  # (N, 28, 28) uint8: the test images
    snapshots: Snapshots  # of the latent space, as it was learned
    train_data: TrainData | None = None  # older files do not have it
    training_state: dict[str, Any] | None = None  # of the optimizer, while the run is unfinished

    @property
    def label(self) -> str:
        """A short name that tells models apart: "beta 4" or "10 dimensions, beta 4, no warm-up"."""
        dimensions = self.model_config.latent_dim
        space = "" if dimensions == 2 else f"{dimensions} dimensions, "
        warm_up = "" if self.training_config.get("warmup_epochs") else ", no warm-up"
        return f"{space}beta {self.training_config.get('beta', 0):g}{warm_up}"

    @property
    def dataset(self) -> str:
        """The data set it was trained on; older files do not name it, which is MNIST."""
        return str(self.training_config.get("dataset", "mnist"))

    @property
    def info(self) -> DatasetInfo:
        """What its images are."""
        return dataset_info(self.dataset, self.class_names)

    @property
    def preparation(self) -> Preparation:
        """How items stand in the training images; of older files, in the test images."""
        if self.train_data is None:
            return learn_preparation(self.images.numpy())
        return self.train_data.preparation

    def build_model(self) -> VAE:
        """The trained VAE on the CPU, in evaluation mode."""
        model = VAE(self.model_config)
        model.load_state_dict(self.weights)
        return model.eval()


FIELDS = [f.name for f in dataclasses.fields(Checkpoint) if f.name != "train_data"]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint completely or not at all; an existing file stays until then.

    It is checked as `load_checkpoint` checks it, so that whatever is saved can be loaded. Equal
    checkpoints give equal bytes.

    Raises:
        CheckpointError: if `load_checkpoint` would not open it.
        OSError: if the folder cannot be written or the disk is full; no partial file is left.
    """
    path = Path(path)
    contents = file_contents(checkpoint)
    try:
        _checked(contents)
    except ValueError as error:
        raise CheckpointError(path, str(error), UNSAVED_REMEDY) from None
    path.parent.mkdir(parents=True, exist_ok=True)
    unshared = _unshared(contents | {"format_version": FORMAT_VERSION})

    def write(file: BinaryIO) -> None:
        torch.save(unshared, file)
        if file.tell() > file_checks.MAX_BYTES:
            raise CheckpointError(path, file_checks.too_large(file.tell()), UNSAVED_REMEDY)

    write_whole(path, write)


def file_contents(checkpoint: Checkpoint) -> dict[str, object]:
    """What `save_checkpoint` writes and `load_checkpoint` reads, but for the format's version."""
    training_config = dict(checkpoint.training_config)
    if checkpoint.train_data is not None:
        train_data = checkpoint.train_data
        training_config[TRAIN_DATA] = {
            "counts": list(train_data.fingerprint.counts),
            "sha256": train_data.fingerprint.sha256,
            "preparation": dataclasses.asdict(train_data.preparation),
        }
    snapshots = checkpoint.snapshots
    replay = snapshots._asdict() | {"grids": pack(snapshots.grids)}
    if not len(snapshots.reconstructed):
        del replay["reconstructed"]  # version 3 knew of none
    changed = {
        "model_config": dataclasses.asdict(checkpoint.model_config),
        "training_config": training_config,
        "images": pack(checkpoint.images),
        "snapshots": replay,
    }
    values = {name: getattr(checkpoint, name) for name in FIELDS} | changed
    return {FILE_KEYS.get(name, name): value for name, value in values.items()}


def _unshared(value: object) -> object:
    """A deep copy whose tensors own their storage and whose equal strings are one object.

    torch.save writes an object once and refers to it afterwards. Without the copy, the bytes of a
    checkpoint would depend on which of its parts had been loaded from a file.
    """
    if isinstance(value, Tensor):
        return value.detach().cpu().clone()
    if isinstance(value, dict):
        return {_unshared(key): _unshared(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_unshared, value))
    return sys.intern(value) if type(value) is str else value


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read and check a checkpoint; tensors are on the CPU.

    Raises:
        CheckpointError: if the file cannot be read or its contents are invalid: missing, damaged,
            hostile, of a newer version, not finite, or of shapes that do not fit.
    """
    path = Path(path)
    contents = archive.read_archive(path)
    version = contents.pop("format_version", None)
    if type(version) is not int or version < OLDEST_VERSION:  # a tensor has no truth value
        supported = f"{OLDEST_VERSION} to {FORMAT_VERSION}"
        raise CheckpointError(path, f"its format version is {version!r:.40}, not {supported}")
    if version > FORMAT_VERSION:
        raise CheckpointError(
            path,
            f"it has format version {version!r:.40}, this program reads up to {FORMAT_VERSION}",
            "update the program",
        )
    expected = {FILE_KEYS.get(name, name) for name in FIELDS}
    if contents.keys() != expected:
        missing = sorted(expected - contents.keys())
        unknown = sorted(map(str, contents.keys() - expected))
        raise CheckpointError(path, f"its keys differ: missing {missing}, unknown {unknown}")
    try:
        return _checked(contents)
    except ValueError as error:
        raise CheckpointError(path, str(error)) from None


def _checked(contents: dict[str, object]) -> Checkpoint:
    """The checkpoint with these contents of a file."""
    config = check_model_config(contents["model_config"])
    weights = check_weights(contents["weights"], config)
    class_names = check_class_names(contents["class_names"])
    encodings = check_encodings(contents, len(class_names), config.latent_dim)
    training_config = dict(check_training_config(contents["training_config"]))
    train_data = training_config.pop(TRAIN_DATA, None)
    history = check_history(contents["history"])
    count, limit = len(encodings["labels"]), file_checks.MAX_BYTES
    state = contents["training_state"]
    return Checkpoint(
        model_config=config,
        training_config=training_config,
        weights=weights,
        history=history,
        class_names=class_names,
        **encodings,
        images=check_images(contents["pictures"], count, limit),
        snapshots=check_snapshots(
            contents["replay"], len(history), count, config.latent_dim, limit
        ),
        train_data=None if train_data is None else check_train_data(train_data, len(class_names)),
        training_state=None if state is None else check_dict("training_state", state),
    )
