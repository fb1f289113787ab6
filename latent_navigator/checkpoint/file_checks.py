"""What can be seen of a checkpoint's file before torch is imported."""

from pathlib import Path

MAX_BYTES = 256 * 2**20  # ten times any sensible model of this kind
REMEDY = "restore it with `git checkout pretrained`, or train one with `python trainer.py`"


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message names the file, the fault and the remedy."""

    def __init__(self, path: Path, fault: str, remedy: str = REMEDY) -> None:
        super().__init__(f"{path}: {fault}; {remedy}")


def check_file(path: Path) -> None:
    """Check that a file can be read and looks like one written by torch.save.

    Raises:
        CheckpointError: if it is missing, unreadable, too large or something else.
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
