"""Reading a file written by torch.save, without trust in its contents."""

import zipfile
from pathlib import Path

import torch

from latent_navigator.checkpoint import file_checks
from latent_navigator.checkpoint.file_checks import CheckpointError, check_file


def read_archive(path: Path) -> dict[str, object]:
    """The dictionary in a file; tensors are on the CPU, and no code in the file ever runs.

    Raises:
        CheckpointError: if the file is missing, unreadable, too large, damaged, something else, or
            contains more than tensors and plain values.
    """
    check_file(path)
    try:
        # torch.load does not verify the checksums in its archive; zipfile does.
        with zipfile.ZipFile(path) as archive:
            unpacked_size = sum(entry.file_size for entry in archive.infolist())
            damaged = archive.testzip() if unpacked_size <= file_checks.MAX_BYTES else "archive"
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
