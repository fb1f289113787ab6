"""What browsers fetch of a model: files that depend on the checkpoint alone.

Their addresses contain `model_hash`, so that a browser or a cache in between may keep them forever.
"""

import dataclasses
import hashlib
import json
from collections.abc import Callable

from torch import Tensor

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.checkpoint.decoder_file import pack_decoder
from latent_navigator.explorer.latent_space import LatentSpace

# Raise it when a file changes for the same checkpoint: browsers keep what they have of the old one.
DATA_VERSION = 1


def decoder_file(space: LatentSpace) -> bytes:
    """The decoder's configuration and weights; see `checkpoint.decoder_file`."""
    return pack_decoder(space.checkpoint)


def encodings_file(space: LatentSpace) -> bytes:
    """(N, latent_dim) float32, little-endian: mu of the test images."""
    return space.means.numpy().astype("<f4").tobytes()


def labels_file(space: LatentSpace) -> bytes:
    """(N,) uint8: the classes of the test images."""
    return space.labels.byte().numpy().tobytes()


# By name; made when a browser first asks for them.
DATA_FILES: dict[str, Callable[[LatentSpace], bytes]] = {
    "decoder.bin": decoder_file,
    "encodings.bin": encodings_file,
    "labels.bin": labels_file,
}


def model_hash(checkpoint: Checkpoint) -> str:
    """20 hexadecimal digits that differ for checkpoints whose files differ."""
    digest = hashlib.sha256()
    names = checkpoint.class_names
    plain = DATA_VERSION, dataclasses.asdict(checkpoint.model_config), checkpoint.dataset, names
    digest.update(json.dumps(plain).encode())
    snapshots = checkpoint.snapshots._asdict()
    for part in (checkpoint.weights, vars(checkpoint), snapshots):
        for name, values in sorted(part.items()):
            if isinstance(values, Tensor):
                digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
                digest.update(values.contiguous().numpy().tobytes())
    return digest.hexdigest()[:20]
