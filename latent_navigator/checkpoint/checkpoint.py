"""The checkpoint: one file that holds all the demo needs, written whole and read with distrust.

The file holds tensors and plain Python values only and is read with weights_only=True, so that
no code in it is ever run.
"""

import dataclasses
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from latent_navigator.atomic_io import write_whole
from latent_navigator.checkpoint.packing import pack, unpack
from latent_navigator.checkpoint.snapshots import SIDE, Replay
from latent_navigator.data.dataset_info import MAX_CLASSES, MAX_NAME, DatasetInfo, dataset_info
from neural_network import VAE, VAEConfig

FORMAT_VERSION = 2
DEFAULT_PATH = Path("pretrained/vae_mnist.pt")
COMPARED_PATH = Path("pretrained/vae_low_beta.pt")  # trained to be compared with it
MAX_BYTES = 256 * 2**20  # ten times any sensible model of this kind
FAR = 10_000.0  # sigma from the centre: no map shows digits as far out
FIGURES = (
    *("epoch", "beta", "train_recon", "train_kl"),
    *("test_recon", "test_kl", "test_elbo", "seconds"),
)
WRAPPERS = {"_orig_mod.": "torch.compile", "module.": "DistributedDataParallel"}
REMEDY = "restore it with `git checkout pretrained`, or make one with `python trainer.py`"


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message names the file, the fault and the remedy."""

    def __init__(self, path: Path, fault: str, remedy: str = REMEDY):
        super().__init__(f"{path}: {fault}; {remedy}")


@dataclass(frozen=True)
class Checkpoint:
    """What a training run leaves behind. N is the number of test digits."""

    model_config: VAEConfig
    training_config: dict[str, Any]  # the recipe, as plain values
    weights: dict[str, Tensor]  # state_dict of the VAE, float32
    history: list[dict[str, float]]  # one entry an epoch, figures in nats per image
    class_names: list[str]  # C of them, 2 ... 10, as printed on the page
    means: Tensor  # (N, latent_dim) float32: mu of the test digits
    logvars: Tensor  # (N, latent_dim) float32: logvar of the test digits
    labels: Tensor  # (N,) int64, 0 ... C - 1
    counts: Tensor  # (C,) int64: test digits of each class
    centroids: Tensor  # (C, latent_dim) float32: mean mu of each class
    prototypes: Tensor  # (C, latent_dim) float32: most typical mu of each class
    pictures: Tensor  # (N, 28, 28) uint8: the test digits themselves
    replay: Replay  # how the space was learned
    training_state: dict[str, Any] | None = None  # only in the file of an unfinished run

    @property
    def label(self) -> str:
        """What tells the model from others: "beta 4", or "beta 4, no warm-up"."""
        recipe = self.training_config
        told = f"beta {recipe.get('beta', 0):g}"
        return told if recipe.get("warmup_epochs") else f"{told}, no warm-up"

    @property
    def dataset(self) -> str:
        """What it was trained on; older files do not say, and mean MNIST."""
        return str(self.training_config.get("dataset", "mnist"))

    @property
    def info(self) -> DatasetInfo:
        """What its images are."""
        return dataset_info(self.dataset, self.class_names)

    def build_model(self) -> VAE:
        """The trained VAE on the CPU, in evaluation mode."""
        model = VAE(self.model_config)
        model.load_state_dict(self.weights)
        return model.eval()


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint whole or not at all: an existing file stays until the new one is safe.

    Raises:
        OSError: if the folder cannot be written or the disk is full; no partial file is left.
    """
    contents = {
        field.name: getattr(checkpoint, field.name) for field in dataclasses.fields(checkpoint)
    }
    contents["model_config"] = dataclasses.asdict(checkpoint.model_config)
    contents["format_version"] = FORMAT_VERSION
    contents["pictures"] = pack(checkpoint.pictures)
    replay = checkpoint.replay._asdict()
    contents["replay"] = replay | {"grids": pack(replay["grids"])}
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda file: torch.save(contents, file))


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read and check a checkpoint; tensors are on the CPU.

    Raises:
        CheckpointError: for whatever is wrong with the file (missing, damaged, foreign, hostile,
            of a newer version, with values that are not finite or shapes that do not fit).
    """
    path = Path(path)
    contents = _read(path)
    version = contents.get("format_version")
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise CheckpointError(
            path,
            f"it has format version {version}, this program reads up to {FORMAT_VERSION}",
            "update the program",
        )
    if version != FORMAT_VERSION:
        raise CheckpointError(path, f"its format version is {version!r}, not {FORMAT_VERSION}")
    contents = {key: value for key, value in contents.items() if key != "format_version"}
    expected = {field.name for field in dataclasses.fields(Checkpoint)}
    if set(contents) != expected:
        missing, unknown = sorted(expected - set(contents)), sorted(set(contents) - expected)
        raise CheckpointError(path, f"its keys differ: missing {missing}, unknown {unknown}")
    try:
        contents["model_config"] = VAEConfig(**contents["model_config"])
        checkpoint = Checkpoint(**contents)
        _check_weights(checkpoint)
        _check_encodings(checkpoint)
        _check_history(checkpoint)
        checkpoint = _unpacked(checkpoint)
        _check_replay(checkpoint)
    except (TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(path, str(error)) from None
    return checkpoint


def _check_kind(path: Path, size: int, head: bytes) -> None:
    """Refuse, by their size and first bytes, files that are something else."""
    if size == 0:
        raise CheckpointError(path, "it is empty")
    if size > MAX_BYTES:
        raise CheckpointError(path, f"it has {size:,} bytes, over the limit of {MAX_BYTES:,}")
    if head.startswith(b"version https://git-lfs"):
        raise CheckpointError(
            path, "it is a Git LFS pointer, not the file itself", "run `git lfs pull`"
        )
    if head.lstrip()[:1] == b"<":
        raise CheckpointError(path, "it is a web page, not a checkpoint (a failed download?)")
    if not head.startswith(b"PK\x03\x04"):
        raise CheckpointError(path, "it is not a file written by torch.save")


def _read(path: Path) -> dict[str, Any]:
    if path.is_dir():
        raise CheckpointError(path, "it is a folder", "name the .pt file in it")
    if not path.is_file():
        raise CheckpointError(path, "there is no such file")
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            head = file.read(512)
    except OSError as error:
        raise CheckpointError(path, f"it cannot be read ({error.strerror})") from None
    _check_kind(path, size, head)
    try:
        # torch does not compare the sums that its own archive carries.
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            damaged = archive.testzip() if unpacked <= MAX_BYTES else "archive"
        if damaged is None:
            contents = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # what a damaged or hostile file makes the readers raise is not documented
        raise CheckpointError(
            path, "it is damaged, or holds more than tensors and plain values"
        ) from None
    if damaged is not None:
        raise CheckpointError(path, f"it is damaged (in {damaged})")
    if not isinstance(contents, dict):
        raise CheckpointError(path, f"it holds a {type(contents).__name__}, not a checkpoint")
    return contents


def _require(condition: bool, fault: str) -> None:
    if not condition:
        raise ValueError(fault)


def _check_tensor(name: str, value: Any, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    _require(isinstance(value, Tensor), f"{name} is a {type(value).__name__}, not a tensor")
    _require(
        value.layout == torch.strided and not value.is_quantized, f"{name} is not a dense tensor"
    )
    _require(
        tuple(value.shape) == shape and value.dtype == dtype,
        f"{name} is {tuple(value.shape)} {value.dtype}, expected {shape} {dtype}",
    )
    _require(bool(value.isfinite().all()), f"{name} holds values that are not finite")


def _check_weights(checkpoint: Checkpoint) -> None:
    weights = checkpoint.weights
    _require(isinstance(weights, dict), "weights is not a dictionary")
    with torch.device("meta"):
        expected = VAE(checkpoint.model_config).state_dict()
    for prefix, maker in WRAPPERS.items():
        if any(str(name).startswith(prefix) for name in weights):
            raise ValueError(
                f"its weights are those of a model wrapped by {maker} (names begin with {prefix}): "
                "save those of the model within"
            )
    if set(weights) != set(expected):
        differing = sorted(map(str, set(weights) ^ set(expected)))
        raise ValueError(f"its weights do not fit its configuration: {', '.join(differing)}")
    for name, value in expected.items():
        _check_tensor(name, weights[name], tuple(value.shape), value.dtype)


def _check_encodings(checkpoint: Checkpoint) -> None:
    names = checkpoint.class_names
    good = isinstance(names, list) and 2 <= len(names) <= MAX_CLASSES
    good = good and all(
        isinstance(n, str) and 0 < len(n) <= MAX_NAME and n.isprintable() and n.strip()
        for n in names
    )
    _require(
        good and len(set(names)) == len(names),
        f"class_names are not 2 to {MAX_CLASSES} distinct texts of 1 to {MAX_NAME} characters",
    )
    classes = len(names)
    labels = checkpoint.labels
    _require(isinstance(labels, Tensor) and labels.ndim == 1, "labels is not a vector")
    n, d = len(labels), checkpoint.model_config.latent_dim
    _check_tensor("labels", labels, (n,), torch.int64)
    _check_tensor("means", checkpoint.means, (n, d), torch.float32)
    _check_tensor("logvars", checkpoint.logvars, (n, d), torch.float32)
    _check_tensor("counts", checkpoint.counts, (classes,), torch.int64)
    _check_tensor("centroids", checkpoint.centroids, (classes, d), torch.float32)
    _check_tensor("prototypes", checkpoint.prototypes, (classes, d), torch.float32)
    in_range = n > 0 and int(labels.min()) >= 0 and int(labels.max()) < classes
    _require(in_range, f"labels are not digits 0 ... {classes - 1}")
    _require(
        torch.equal(labels.bincount(minlength=classes), checkpoint.counts),
        "counts do not agree with labels",
    )
    reach = float(checkpoint.means.abs().max())
    _require(reach <= FAR, f"means lie {reach:g} from the centre, further than {FAR:g}")
    for name in ("centroids", "prototypes"):
        inside = float(getattr(checkpoint, name).abs().max()) <= reach * 1.001
        _require(inside, f"{name} lie beyond the means")


def _check_history(checkpoint: Checkpoint) -> None:
    history, recipe = checkpoint.history, checkpoint.training_config
    _require(isinstance(recipe, dict), "training_config is not a dictionary")
    for name in ("beta", "warmup_epochs", "seed"):
        _require(_is_finite(recipe.get(name, 0)), f"{name} of its training is not a number")
    _require(isinstance(recipe.get("dataset", ""), str), "dataset of its training is not a text")
    _require(isinstance(history, list) and len(history) > 0, "history is not a list of epochs")
    for entry in history:
        told = isinstance(entry, dict) and all(_is_finite(value) for value in entry.values())
        _require(told, "history holds values that are not finite numbers")
        missing = [name for name in FIGURES if name not in entry]
        _require(not missing, f"history does not tell of {', '.join(missing)}")


def _is_finite(value: Any) -> bool:
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return numeric and abs(value) <= sys.float_info.max


def _unpacked(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint of a file, whose pictures are still packed, with its pictures."""
    replay = checkpoint.replay
    _require(isinstance(replay, dict), "replay is not a dictionary")
    n, moments = len(checkpoint.labels), len(checkpoint.history) + 1
    shape = (moments, SIDE, SIDE, 28, 28)
    grids = unpack("replay grids", replay.get("grids"), shape, MAX_BYTES)
    return dataclasses.replace(
        checkpoint,
        pictures=unpack("pictures", checkpoint.pictures, (n, 28, 28), MAX_BYTES),
        replay=Replay(**replay | {"grids": grids}),
    )


def _check_replay(checkpoint: Checkpoint) -> None:
    replay, n = checkpoint.replay, len(checkpoint.labels)
    sampled = isinstance(replay.sample, Tensor) and replay.sample.ndim == 1
    _require(sampled, "the replay's sample is not a vector")
    _check_tensor("replay sample", replay.sample, (len(replay.sample),), torch.int64)
    within = (
        len(replay.sample) > 0 and 0 <= int(replay.sample.min()) <= int(replay.sample.max()) < n
    )
    _require(within, "the replay's sample is not of the test digits")
    shape = (len(checkpoint.history) + 1, len(replay.sample), checkpoint.model_config.latent_dim)
    _check_tensor("replay means", replay.means, shape, torch.float16)
