"""Reading a file written by torch.save, without trust in its contents."""

import zipfile
from pathlib import Path

import torch

MAX_BYTES = 256 * 2**20  # ten times any sensible model of this kind
REMEDY = "restore it with `git checkout pretrained`, or train one with `python trainer.py`"


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message names the file, the fault and the remedy."""

    def __init__(self, path: Path, fault: str, remedy: str = REMEDY) -> None:
        super().__init__(f"{path}: {fault}; {remedy}")


def read_archive(path: Path) -> dict[str, object]:
    """The dictionary in a file; tensors are on the CPU, and no code in the file ever runs.

    Raises:
        CheckpointError: if the file is missing, unreadable, too large, damaged, something else, or
            contains more than tensors and plain values.
    """
    if path.is_dir():
        raise CheckpointError(path, "it is a folder", "name the .pt file in it")
    if not path.is_file():
        raise CheckpointError(path, "there is no such file")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise CheckpointError(path, f"it cannot be read ({error.strerror})") from None
    _check_kind(path, size, head)
    try:
        # torch.load does not verify the checksums in its archive; zipfile does.
        with zipfile.ZipFile(path) as archive:
            unpacked_size = sum(entry.file_size for entry in archive.infolist())
            damaged = archive.testzip() if unpacked_size <= MAX_BYTES else "archive"
        contents = None
        if damaged is None:
            contents = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # which errors a hostile file causes is not documented
        raise CheckpointError(
            path, "it is damaged, or contains more than tensors and plain values"
        ) from error
    if damaged is not None:
        raise CheckpointError(path, f"it is damaged (in {damaged})")
    if not isinstance(contents, dict):
        raise CheckpointError(path, f"it contains a {type(contents).__name__}, not a checkpoint")
    return contents


def too_large(size: int) -> str:
    """The fault of a file of so many bytes."""
    return f"it has {size:,} bytes, over the limit of {MAX_BYTES:,}"


def _check_kind(path: Path, size: int, head: bytes) -> None:
    """Recognise other kinds of files by their size and first bytes."""
    if size == 0:
        raise CheckpointError(path, "it is empty")
    if size > MAX_BYTES:
        raise CheckpointError(path, too_large(size))
    if head.startswith(b"version https://git-lfs"):
        raise CheckpointError(
            path, "it is a Git LFS pointer, not the file itself", "run `git lfs pull`"
        )
    if head.lstrip()[:1] == b"<":
        raise CheckpointError(path, "it is a web page, not a checkpoint (a failed download?)")
    if not head.startswith(b"PK\x03\x04"):
        raise CheckpointError(path, "it is not a file written by torch.save")
