"""What identifies the images that a model was trained on, and how two such sets differ."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Fingerprint:
    """The training or the test images of a data set with C classes."""

    counts: tuple[int, ...]  # C of them: images of each class
    sha256: str  # of the labels and the pixels, in their order; 64 hexadecimal digits


def fingerprint(images: Tensor, labels: Tensor, classes: int) -> Fingerprint:
    """The fingerprint of images (N, 28, 28) uint8 with labels (N,) int64 in 0 ... classes - 1."""
    digest = hashlib.sha256(labels.cpu().numpy().astype("<i8").tobytes())
    digest.update(images.cpu().contiguous().numpy().data)
    counts = labels.bincount(minlength=classes).tolist()
    return Fingerprint(tuple(counts), digest.hexdigest())


def differences(
    names_then: Sequence[str],
    names_now: Sequence[str],
    parts: dict[str, tuple[Fingerprint, Fingerprint]],
) -> list[str]:
    """How the data has changed, in phrases; empty if it has not.

    Args:
        names_then, names_now: of the classes, by label.
        parts: the fingerprints then and now, by what they are of: "training", "test".
    """
    found = _class_differences(names_then, names_now, parts)
    for part, (then, now) in parts.items():
        before = dict(zip(names_then, then.counts, strict=True))
        after = dict(zip(names_now, now.counts, strict=True))
        for name in (name for name in names_now if name in before):
            surplus = after[name] - before[name]
            if surplus:
                word = "more" if surplus > 0 else "fewer"
                images = f"{word} {part} image{'s' * (abs(surplus) != 1)}"
                found.append(f"{name!r} has {abs(surplus):,} {images}")
    changed = [part for part, (then, now) in parts.items() if then.sha256 != now.sha256]
    if changed and not found:
        found.append(f"the {' and '.join(changed)} images are equal in number but differ")
    return found


def _class_differences(
    names_then: Sequence[str],
    names_now: Sequence[str],
    parts: dict[str, tuple[Fingerprint, Fingerprint]],
) -> list[str]:
    """How the class names have changed, in phrases."""
    if all(then == now for then, now in parts.values()):
        pairs = zip(names_then, names_now, strict=True)
        return [f"{then!r} is now called {now!r}" for then, now in pairs if then != now]
    missing = [f"the class {name!r} is missing" for name in names_then if name not in names_now]
    return missing + [f"the class {name!r} is new" for name in names_now if name not in names_then]
