"""Images in a checkpoint: a zlib stream of their bytes."""

import contextlib
import math
import zlib

import torch
from torch import Tensor


def pack(images: Tensor) -> Tensor:
    """uint8 of any shape -> (K,) uint8, the zlib stream of its bytes: a quarter for digits."""
    # Level 1 for speed: the state of an unfinished run is written after every epoch.
    packed = zlib.compress(images.contiguous().numpy().tobytes(), 1)
    return torch.frombuffer(bytearray(packed), dtype=torch.uint8)


def unpack(name: str, packed: object, shape: tuple[int, ...], max_bytes: int) -> Tensor:
    """The images that `pack` packed.

    Args:
        name: of the images, for errors.
        packed: (K,) uint8, or anything else that a file contains in its place.
        shape: of the images.
        max_bytes: upper limit; larger images are not unpacked.

    Returns:
        uint8 of that shape.

    Raises:
        ValueError: if `packed` does not unpack to exactly that shape.
    """
    if not (isinstance(packed, Tensor) and packed.ndim == 1 and packed.dtype == torch.uint8):
        raise ValueError(f"{name} is not packed bytes")
    size, unpacked, decompressor = math.prod(shape), b"", zlib.decompressobj()
    if 0 < size <= max_bytes:
        with contextlib.suppress(zlib.error):
            unpacked = decompressor.decompress(packed.numpy().tobytes(), size + 1)
    if len(unpacked) != size or not decompressor.eof:
        raise ValueError(f"{name} does not unpack to {shape} bytes")
    return torch.frombuffer(bytearray(unpacked), dtype=torch.uint8).reshape(shape)
