"""What the server knows of a model without holding it in memory: its name, and what it was made of.

The models are the files given by --checkpoint, the committed ones and those trained into runs/. A
file that cannot be opened is listed too, with the reason.
"""

import hashlib
import re
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from latent_navigator.checkpoint.checkpoint import Checkpoint, load_checkpoint
from latent_navigator.explorer.data_files import model_hash
from latent_navigator.explorer.latent_space import LatentSpace, check_dimensions
from latent_navigator.explorer.training_replay import replay_hash

UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")  # in a key, which stands in addresses
LONGEST_KEY = 80

Stamp = tuple[int, int]  # the time of a file's last change, in ns, and its size


def _nothing() -> Checkpoint:
    raise ValueError("this file has no model")


@dataclass(frozen=True)
class ModelEntry:
    """A model that can be chosen, or a file that cannot and why.

    Args:
        key: what links and the API call it; made from the file's name, never a path.
        label: its name on the page. description: one line: key, dimensions, beta, epochs.
        fault: a sentence, for a file that cannot be opened; "" for a model.
        revision: of the file's content; a page that was opened with another is told.
        digest: its files are below /data/<digest>/. replay: `replay_hash` of its training.
        images: a hash of its test images and classes: models that share it can be compared.
        short_label: see `Checkpoint.label`.
    """

    key: str
    label: str
    description: str
    fault: str = ""
    revision: str = ""
    digest: str = ""
    replay: str = ""
    images: str = ""
    latent_dim: int = 0
    short_label: str = ""
    load: Callable[[], Checkpoint] = field(default=_nothing, repr=False, compare=False)

    def record(self) -> dict[str, Any]:
        """What the page and the API are told."""
        return {
            "key": self.key,
            "label": self.label,
            "description": self.description,
            "usable": not self.fault,
            "reason": self.fault,
            "images": self.images,
            "latent_dim": self.latent_dim,
        }


def make_key(path: Path, taken: Container[str]) -> str:
    """A key of a file that none of the others has: its stem, as far as addresses can hold it."""
    stem = UNSAFE.sub("-", path.stem).strip("-.")[:LONGEST_KEY] or "model"
    numbered = (f"{stem}-{i}" for i in range(2, 10**6))
    return stem if stem not in taken else next(key for key in numbered if key not in taken)


def stamp_of(path: Path) -> Stamp | None:
    """What changes when a file is replaced; None if it is gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def files_in(folders: Iterable[Path]) -> list[Path]:
    """The checkpoints in some folders, by name; a folder that does not exist has none."""
    return [path for folder in folders for path in sorted(folder.glob("*.pt")) if path.is_file()]


def read_entry(path: Path, key: str) -> ModelEntry:
    """The entry of a file; one that cannot be opened has the reason as its fault."""
    try:
        return describe_file(load_explorable(path), key, path)
    except (ValueError, OSError) as error:
        # Where the file lies on this machine is nobody's business.
        reason = str(error).removeprefix(f"{path}: ").replace(str(path), path.name)
        return ModelEntry(key, key, f"{path.name} cannot be opened", fault=f"{path.name}: {reason}")


def load_explorable(path: Path) -> Checkpoint:
    """The checkpoint in a file, if the page can show its latent space.

    Raises:
        ValueError: with the path, if the page cannot.
    """
    checkpoint = load_checkpoint(path)
    try:
        check_dimensions(checkpoint.model_config.latent_dim)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return checkpoint


def describe_file(checkpoint: Checkpoint, key: str, path: Path) -> ModelEntry:
    """The entry of a model that was read from a file.

    Raises:
        OSError: if the file cannot be read again.
    """
    with path.open("rb") as file:
        revision = hashlib.file_digest(file, "sha256").hexdigest()[:12]
    return describe_entry(checkpoint, key, revision, partial(load_checkpoint, path))


def describe_entry(
    checkpoint: Checkpoint, key: str, revision: str, load: Callable[[], Checkpoint]
) -> ModelEntry:
    """The entry of a model, which `load` reads again."""
    latent_dim, epochs = checkpoint.model_config.latent_dim, len(checkpoint.history)
    title = checkpoint.info.title
    images = hashlib.sha256(repr(checkpoint.class_names).encode())
    images.update(checkpoint.images.numpy().tobytes())
    return ModelEntry(
        key=key,
        label=f"{title[0].upper()}{title[1:]}, {checkpoint.label}",
        description=f"{key}: {latent_dim} dimensions, beta "
        f"{checkpoint.training_config.get('beta', 0):g}, {epochs} epoch{'s' * (epochs != 1)}",
        revision=revision,
        digest=model_hash(checkpoint),
        replay=replay_hash(checkpoint),
        images=images.hexdigest()[:20],
        latent_dim=latent_dim,
        short_label=checkpoint.label,
        load=load,
    )


def memory_of(root: object) -> int:
    """About how many bytes an object and all that it refers to take: arrays, tensors and files."""
    seen: set[int] = set()
    total, left = 0, [root]
    while left:
        value = left.pop()
        if id(value) in seen or isinstance(value, type):
            continue
        seen.add(id(value))
        size = getattr(value, "nbytes", None)  # of tensors and arrays
        if isinstance(size, int):
            total += size
        elif isinstance(value, bytes):
            total += len(value)
        elif isinstance(value, dict):
            left.extend(list(value.values()))
        elif isinstance(value, list | tuple) and not (value and isinstance(value[0], int | float)):
            left.extend(value)
        elif isinstance(value, LatentSpace) or type(value).__module__.startswith(
            ("latent_navigator", "neural_network", "torch.nn", "scipy.sparse")
        ):
            left.append(vars(value) if hasattr(value, "__dict__") else None)
    return total
