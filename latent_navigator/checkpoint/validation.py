"""From the raw values in a checkpoint file to the fields of a Checkpoint.

Each function takes a value as the file has it, and returns it typed and checked.

Raises (every function):
    ValueError: naming the key in the file and the fault.
"""

import functools
import re
import sys
from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from latent_navigator.checkpoint.packing import unpack
from latent_navigator.checkpoint.snapshots import (
    LEAST_REACH,
    MOST_REACH,
    SIDE,
    Snapshots,
    kept_epochs,
)
from latent_navigator.data.fingerprint import Fingerprint
from latent_navigator.data.preparation import Preparation
from latent_navigator.data.train_data import TrainData
from latent_navigator.model_config import VAEConfig
from neural_network import VAE

TRAIN_DATA = "train_data"  # a key of training_config: older versions refuse keys beside it
MAX_DISTANCE = 10_000.0  # of an encoding from the origin, in units of the prior's sigma
METRICS = (
    *("epoch", "beta", "train_recon", "train_kl"),
    *("test_recon", "test_kl", "test_elbo", "seconds"),
)
WRAPPERS = {"_orig_mod.": "torch.compile", "module.": "DistributedDataParallel"}


def require(condition: bool, fault: str) -> None:
    """Raise ValueError with the fault unless the condition holds."""
    if not condition:
        raise ValueError(fault)


def check_tensor(name: str, value: object, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """A dense tensor of this shape and type, all of whose values are finite."""
    if not isinstance(value, Tensor):
        raise ValueError(f"{name} is a {type(value).__name__}, not a tensor")
    require(
        value.layout == torch.strided and not value.is_quantized, f"{name} is not a dense tensor"
    )
    require(
        tuple(value.shape) == shape and value.dtype == dtype,
        f"{name} is {tuple(value.shape)} {value.dtype}, expected {shape} {dtype}",
    )
    require(bool(value.isfinite().all()), f"{name} has values that are not finite")
    return value


def check_dict(name: str, value: object) -> dict[str, object]:
    """A dictionary with strings as keys."""
    if not isinstance(value, dict):
        raise ValueError(f"{name} is a {type(value).__name__}, not a dictionary")
    require(all(isinstance(key, str) for key in value), f"{name} has keys that are not strings")
    return value


def check_model_config(value: object) -> VAEConfig:
    """The architecture."""
    fields = check_dict("model_config", value)
    try:
        return VAEConfig(**fields)  # type: ignore[arg-type]  # VAEConfig checks its fields itself
    except TypeError as error:
        raise ValueError(f"model_config does not fit: {error}") from None


class _SkipInitialization(TorchFunctionMode):
    """Leaves parameters as they are: on the meta device, random numbers import SymPy (seconds)."""

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: Iterable[type],
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        if getattr(func, "__module__", None) == "torch.nn.init":
            return None
        return func(*args, **(kwargs or {}))


@functools.lru_cache(maxsize=8)
def expected_weights(config: VAEConfig) -> Mapping[str, Tensor]:
    """The state_dict of a VAE of this configuration, without memory for its values."""
    with torch.device("meta"), _SkipInitialization():
        return VAE(config).state_dict()


def check_weights(value: object, config: VAEConfig) -> dict[str, Tensor]:
    """The state_dict of a VAE of this configuration."""
    weights = check_dict("weights", value)
    for prefix, wrapper in WRAPPERS.items():
        if any(name.startswith(prefix) for name in weights):
            raise ValueError(
                f"its weights are those of a model wrapped by {wrapper} (names begin with "
                f"{prefix}): save the state_dict of the model inside the wrapper"
            )
    expected = expected_weights(config)
    if weights.keys() != expected.keys():
        differing = sorted(weights.keys() ^ expected.keys())
        raise ValueError(f"its weights do not fit its model_config: {', '.join(differing)}")
    return {
        name: check_tensor(name, weights[name], tuple(tensor.shape), tensor.dtype)
        for name, tensor in expected.items()
    }


def check_encodings(
    contents: dict[str, object], classes: int, latent_dim: int
) -> dict[str, Tensor]:
    """The fields means, logvars, labels, counts, centroids and prototypes, which fit together.

    Args:
        contents: all of the file. classes: C, the number of class names.
    """
    raw_labels = contents["labels"]
    if not (isinstance(raw_labels, Tensor) and raw_labels.ndim == 1):
        raise ValueError("labels is not a vector")
    n = len(raw_labels)
    shapes = {
        "means": (n, latent_dim),
        "logvars": (n, latent_dim),
        "centroids": (classes, latent_dim),
        "prototypes": (classes, latent_dim),
    }
    found = {
        "labels": check_tensor("labels", raw_labels, (n,), torch.int64),
        "counts": check_tensor("counts", contents["counts"], (classes,), torch.int64),
    }
    for name, shape in shapes.items():
        found[name] = check_tensor(name, contents[name], shape, torch.float32)
    labels, means = found["labels"], found["means"]
    require(
        n > 0 and int(labels.min()) >= 0 and int(labels.max()) < classes,
        f"labels are not in 0 ... {classes - 1}",
    )
    require(
        torch.equal(labels.bincount(minlength=classes), found["counts"]),
        "counts do not agree with labels",
    )
    reach = float(means.abs().max())
    require(
        reach <= MAX_DISTANCE,
        f"means lie {reach:g} from the origin, farther than {MAX_DISTANCE:g}",
    )
    for name in ("centroids", "prototypes"):
        within = float(found[name].abs().max()) <= reach * 1.001
        require(within, f"{name} lie beyond the means")
    return found


def check_training_config(value: object) -> dict[str, object]:
    """The hyperparameters of the run; those that the program reads have the right type."""
    config = check_dict("training_config", value)
    for name in ("beta", "warmup_epochs", "seed", "limit"):
        require(_is_finite(config.get(name, 0)), f"{name} in training_config is not a number")
    dataset = config.get("dataset", "")
    require(isinstance(dataset, str), "dataset in training_config is not a string")
    return config


def check_train_data(value: object, classes: int) -> TrainData:
    """The record of the training images, in the training_config of the file."""
    raw = check_dict(TRAIN_DATA, value)
    counts, sha256 = raw.get("counts"), raw.get("sha256")
    require(
        isinstance(counts, list)
        and len(counts) == classes
        and all(type(count) is int and 0 <= count < 2**63 for count in counts),
        f"counts in {TRAIN_DATA} are not {classes} whole numbers",
    )
    require(
        isinstance(sha256, str) and re.fullmatch(r"[0-9a-f]{64}", sha256) is not None,
        f"sha256 in {TRAIN_DATA} is not 64 hexadecimal digits",
    )
    assert isinstance(counts, list)
    preparation = check_dict(f"preparation in {TRAIN_DATA}", raw.get("preparation"))
    try:
        found = Preparation(**preparation)  # type: ignore[arg-type]  # checks its fields itself
    except TypeError as error:
        raise ValueError(f"preparation in {TRAIN_DATA} does not fit: {error}") from None
    return TrainData(Fingerprint(tuple(counts), str(sha256)), found)


def check_history(value: object) -> list[dict[str, float]]:
    """One entry per epoch, each with all METRICS, all of them finite numbers."""
    if not isinstance(value, list) or len(value) == 0:
        raise ValueError("history is not a list of epochs")
    for entry in value:
        numeric = isinstance(entry, dict) and all(map(_is_finite, entry.values()))
        require(numeric, "history has values that are not finite numbers")
        missing = [name for name in METRICS if name not in entry]
        require(not missing, f"history lacks {', '.join(missing)}")
    return value


def _is_finite(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max  # also for integers that no float can represent


def check_images(value: object, count: int, max_bytes: int) -> Tensor:
    """(count, 28, 28) uint8, unpacked; the key in the file is "pictures"."""
    return unpack("pictures", value, (count, 28, 28), max_bytes)


def check_snapshots(
    value: object, epochs: int, images: int, latent_dim: int, max_bytes: int
) -> Snapshots:
    """The snapshots, unpacked; the key in the file is "replay".

    Format 2 has no reaches: all of its grids have the least. Files of two dimensions have nothing
    reconstructed, nor have older ones of more.

    Args:
        epochs: of the history, which determines how many snapshots there are.
        images: in the test set.
    """
    raw = check_dict("replay", value)
    raw_means = raw.get("means")
    # Version 0.1 kept all of them, and opened up to 4,226.
    every = isinstance(raw_means, Tensor) and raw_means.ndim == 3 and len(raw_means) == epochs + 1
    count = epochs + 1 if every else len(kept_epochs(epochs))
    grids = unpack("replay grids", raw.get("grids"), (count, SIDE, SIDE, 28, 28), max_bytes)
    absent = {
        "reaches": torch.full((count,), LEAST_REACH),
        "reconstructed": torch.zeros(0, dtype=torch.int64),
    }
    raw = absent | raw
    if raw.keys() != set(Snapshots._fields):
        unexpected = ", ".join(sorted(raw.keys() ^ set(Snapshots._fields)))
        raise ValueError(f"replay has missing or unknown keys: {unexpected}")
    raw_sample = raw["sample"]
    if not (isinstance(raw_sample, Tensor) and raw_sample.ndim == 1):
        raise ValueError("replay sample is not a vector")
    size = len(raw_sample)
    sample = check_tensor("replay sample", raw_sample, (size,), torch.int64)
    require(
        size > 0 and int(sample.min()) >= 0 and int(sample.max()) < images,
        "replay sample has indices outside the test set",
    )
    means = check_tensor("replay means", raw["means"], (count, size, latent_dim), torch.float16)
    reaches = check_tensor("replay reaches", raw["reaches"], (count,), torch.float32)
    require(
        bool(((reaches >= LEAST_REACH) & (reaches <= MOST_REACH)).all()),
        f"replay reaches are not within {LEAST_REACH:g} ... {MOST_REACH:g}",
    )
    return Snapshots(sample, means, grids, reaches, _reconstructed(raw["reconstructed"], size))


def _reconstructed(value: object, sampled: int) -> Tensor:
    """The rows of so many sampled images that are reconstructed."""
    count = SIDE * SIDE if isinstance(value, Tensor) and value.numel() else 0
    rows = check_tensor("replay reconstructed", value, (count,), torch.int64)
    require(
        not count or (int(rows.min()) >= 0 and int(rows.max()) < sampled),
        "replay reconstructed has rows outside the sample",
    )
    return rows
