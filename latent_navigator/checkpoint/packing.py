"""Pictures in a checkpoint: a zlib stream of their bytes, unpacked with distrust."""

import contextlib
import math
import zlib
from typing import Any

import torch
from torch import Tensor


def pack(pictures: Tensor) -> Tensor:
    """uint8 of any shape -> the zlib stream of its bytes, as uint8: a quarter for digits."""
    # Level 1: the state of an unfinished run is written after every epoch.
    packed = zlib.compress(pictures.contiguous().numpy().tobytes(), 1)
    return torch.frombuffer(bytearray(packed), dtype=torch.uint8)


def unpack(name: str, packed: Any, shape: tuple[int, ...], most: int) -> Tensor:
    """The pictures of that shape that `pack` packed.

    Args:
        name: what they are called in errors. packed: (K,) uint8, or whatever a file holds there.
        most: bytes; more are not unpacked.

    Returns:
        uint8 of that shape.

    Raises:
        ValueError: if it does not unpack to exactly so many bytes.
    """
    if not (isinstance(packed, Tensor) and packed.ndim == 1 and packed.dtype == torch.uint8):
        raise ValueError(f"{name} is not packed bytes")
    size, unpacked, reader = math.prod(shape), b"", zlib.decompressobj()
    if 0 < size <= most:
        with contextlib.suppress(zlib.error):
            unpacked = reader.decompress(packed.numpy().tobytes(), size + 1)
    if len(unpacked) != size or not reader.eof:
        raise ValueError(f"{name} does not unpack to {shape} bytes")
    return torch.frombuffer(bytearray(unpacked), dtype=torch.uint8).reshape(shape)
