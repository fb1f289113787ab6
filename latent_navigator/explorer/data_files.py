"""What browsers fetch of a model: files that depend on the checkpoint and on this code alone.

Their addresses contain `model_hash`, so that a browser or a cache in between may keep them forever.
"""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from torch import Tensor

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.checkpoint.decoder_file import pack_decoder
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.map_layers import layer_data, map_layers
from latent_navigator.explorer.packed import pack
from latent_navigator.explorer.reconstructions import best_and_worst

ROOT = Path(__file__).parents[2]
BLOCK = 64  # test images in a file: those around a position are in one to three of them

Maker = Callable[[], bytes]


def decoder_file(space: LatentSpace) -> bytes:
    """The decoder's configuration and weights; see `checkpoint.decoder_file`."""
    return pack_decoder(space.checkpoint)


def encodings_file(space: LatentSpace) -> bytes:
    """The encoded test images: mu (N, D), classes, and where each image is in the files of images.

    Image i is number places[i] % block_size of the file images/<places[i] // block_size>.bin.
    """
    order = space.once(image_order)
    places = np.empty(len(order), np.uint32)
    places[order] = np.arange(len(order), dtype=np.uint32)
    return pack(
        {
            "means": space.means.numpy().astype(np.float32),
            "labels": space.labels.byte().numpy(),
            "places": places,
            "block_size": BLOCK,
        }
    )


def image_order(space: LatentSpace) -> np.ndarray:
    """(N,) the test images, so that those of each block lie close to each other in z."""
    return np.concatenate(split_by_position(space.means.numpy(), np.arange(len(space.means))))


def split_by_position(
    means: np.ndarray, indices: np.ndarray, size: int = BLOCK
) -> list[np.ndarray]:
    """`indices` in blocks of `size`, as a k-d tree divides them (Bentley 1975).

    Args:
        means: (N, D) positions.
    """
    if len(indices) <= size:
        return [indices]
    axis = np.ptp(means[indices], axis=0).argmax()
    ordered = indices[means[indices, axis].argsort(kind="stable")]
    middle = -(-len(ordered) // (2 * size)) * size  # all blocks but the last are full
    return [
        *split_by_position(means, ordered[:middle], size),
        *split_by_position(means, ordered[middle:], size),
    ]


def image_block(space: LatentSpace, block: int) -> bytes:
    """(up to BLOCK, 28, 28) uint8: test images that lie close to each other."""
    indices = space.once(image_order)[block * BLOCK : (block + 1) * BLOCK]
    return space.images[indices].numpy().tobytes()


def reconstructions_file(space: LatentSpace) -> bytes:
    """The best and the worst reconstruction of each class, as the About tab shows them."""
    return pack(best_and_worst(space))


def layer_file(space: LatentSpace, key: str) -> bytes:
    """The data of a layer of the map."""
    return pack(layer_data(space, key))


def model_files(space: LatentSpace) -> dict[str, Maker]:
    """By name, a function that makes the file; called when a browser first asks for it."""
    blocks = -(-len(space.images) // BLOCK)
    computed = [layer.key for layer in map_layers(space) if layer.compute is not None]
    return {
        "decoder.bin": partial(decoder_file, space),
        "encodings.bin": partial(encodings_file, space),
        "reconstructions.bin": partial(reconstructions_file, space),
        **{f"images/{i}.bin": partial(image_block, space, i) for i in range(blocks)},
        **{f"layers/{key}.bin": partial(layer_file, space, key) for key in computed},
    }


def source_hash(root: Path = ROOT) -> str:
    """A hash of the code: other code may make other files of the same checkpoint."""
    digest = hashlib.sha256()
    package = root / "latent_navigator"
    for path in (*sorted(package.rglob("*.py")), *sorted(root.glob("*.py"))):
        digest.update(f"{path.relative_to(root)} {path.stat().st_size} ".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def model_hash(checkpoint: Checkpoint) -> str:
    """20 hexadecimal digits that differ for checkpoints, and releases, whose files may differ."""
    digest = hashlib.sha256()
    names = checkpoint.class_names
    plain = source_hash(), dataclasses.asdict(checkpoint.model_config), checkpoint.dataset, names
    digest.update(json.dumps(plain).encode())
    snapshots = checkpoint.snapshots._asdict()
    for part in (checkpoint.weights, vars(checkpoint), snapshots):
        for name, values in sorted(part.items()):
            if isinstance(values, Tensor):
                digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
                digest.update(values.contiguous().numpy().tobytes())
    return digest.hexdigest()[:20]
