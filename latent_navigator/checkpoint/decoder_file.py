"""The decoder as one file, for browsers: web/core/decoder.js reads it.

    uint32     length of the header, little-endian
    header     JSON, padded with spaces so that what follows starts at a multiple of 4 bytes
    tensors    one after the other

The header is {"config": the fields of VAEConfig, "tensors": {name: {"shape", "offset", "scale"}}},
with offsets in bytes from the end of the header. A tensor is float32, little-endian; or, where it
has a "scale", integers of 16 bits k: row i is k times the i-th of the float32 numbers there. They
are stored as 2 |k|, less 1 for a negative k, so that small numbers have small bytes: all high bytes
come first, then all low bytes, which compress well apart: the committed model takes 1.25 MB, where
float16 would take 1.57 MB, and changes by less than half a grey level in both.
"""

import dataclasses
import json
import struct

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call

from latent_navigator.checkpoint.checkpoint import Checkpoint
from neural_network import Decoder

# Grey levels of 255 that a pixel may differ, before it is rounded, from that of the exact weights.
# Under 1, so that rounded ones differ by 1 at most; the rest is for positions that are not tried.
MAX_DIFFERENCE = 0.8
SAMPLES = 500  # positions that are tried, from the prior and again from the map
# Bits of an integer of the largest layer. The others, of less weight in the file and more in the
# image, have MORE bits. If the most are too few, the file has float32.
BITS = 12, 13, 14
MORE = 2
LARGEST = "grid.weight"
ROUNDED = "hidden_2.weight", "hidden_3.weight", LARGEST, "conv.weight", "out.weight"
ALIGNMENT = 4  # bytes

State = dict[str, Tensor]


def pack_decoder(checkpoint: Checkpoint) -> bytes:
    """The decoder's configuration and weights; equal checkpoints give equal bytes.

    The weights are rounded, as far as no pixel then differs by more than 1 of 255.
    """
    decoder = checkpoint.build_model().decoder
    exact = {name: values.float() for name, values in decoder.state_dict().items()}
    z = tried_positions(checkpoint.model_config.latent_dim, float(checkpoint.means.abs().max()))
    images = decoded(decoder, exact, z)
    for bits in BITS:
        integers, scales = round_weights(exact, bits)
        rounded = {name: integers[name] * scales[name] for name in ROUNDED}
        difference = (decoded(decoder, exact | rounded, z) - images).abs().max()
        if difference <= MAX_DIFFERENCE:
            return _pack(checkpoint, exact, integers, scales)
    return _pack(checkpoint, exact, {}, {})


def round_weights(weights: State, bits: int) -> tuple[State, State]:
    """Integers and, for each output of a layer, the scale: integers * scale is about the weights.

    Args:
        bits: of the largest layer's integers, with their sign.
    """
    integers, scales = {}, {}
    for name in ROUNDED:
        most = 2 ** (bits - 1 + (0 if name == LARGEST else MORE)) - 1
        inputs = 1 if weights[name].ndim == 2 else 0  # the dimension, of Linear and ConvTranspose2d
        largest = weights[name].abs().amax(inputs, keepdim=True)
        scales[name] = torch.where(largest > 0, largest / most, 1.0)
        integers[name] = (weights[name] / scales[name]).round()
    return integers, scales


def tried_positions(latent_dim: int, reach: float) -> Tensor:
    """(2 * SAMPLES, D): half from the prior, half from the square -reach ... reach."""
    generator = torch.Generator().manual_seed(0)
    shape = SAMPLES, latent_dim
    prior = torch.randn(shape, generator=generator)
    square = reach * (2 * torch.rand(shape, generator=generator) - 1)
    return torch.cat([prior, square])


@torch.inference_mode()
def decoded(decoder: Decoder, weights: State, z: Tensor) -> Tensor:
    """z (N, D) -> images (N, 1, 28, 28) in grey levels, 0 to 255, by these weights."""
    logits: Tensor = functional_call(decoder, weights, z)
    return 255 * torch.sigmoid(logits)


def as_matrices(weights: State) -> State:
    """The weights, of every layer as a matrix with one row per output.

    So a reader needs no convolution. A row of conv.weight (4 * decoder_channels_2,
    decoder_channels) gives one channel at one position of the 2 x 2 patch, which do not overlap; a
    row of out.weight (16, decoder_channels_2) one position of the 4 x 4 kernel, and these add up.
    """
    matrices = dict(weights)
    for name, weight in weights.items():
        if weight.ndim == 4:  # (in, out, height, width)
            matrices[name] = weight.permute(2, 3, 1, 0).reshape(-1, weight.shape[0])
        elif name == "conv.bias":
            matrices[name] = weight.repeat(4)  # for each position of the patch
    return matrices


def _pack(checkpoint: Checkpoint, exact: State, integers: State, scales: State) -> bytes:
    """The file, with float32 of whatever has no integers."""
    exact, integers, scales = as_matrices(exact), as_matrices(integers), as_matrices(scales)
    floats = {name: values for name, values in exact.items() if name not in integers}
    tensors: dict[str, dict[str, object]] = {}
    body = b""
    for name, values in floats.items():
        tensors[name] = {"shape": list(values.shape), "offset": len(body)}
        body += _float_bytes(values)
    for name, values in integers.items():
        tensors[name] = {"shape": list(values.shape), "scale": len(body)}
        body += _float_bytes(scales[name])
    # The bytes last, since float32 numbers start at a multiple of 4.
    for name, values in integers.items():
        tensors[name]["offset"] = len(body)
        body += _integer_bytes(values)
    header = {"config": dataclasses.asdict(checkpoint.model_config), "tensors": tensors}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    return struct.pack("<I", len(text)) + text + body


def _float_bytes(values: Tensor) -> bytes:
    return values.numpy().astype("<f4").tobytes()


def _integer_bytes(values: Tensor) -> bytes:
    k = values.numpy().astype(np.int32)
    numbers = np.where(k < 0, -2 * k - 1, 2 * k).astype(">u2")
    planes = numbers.ravel().view(np.uint8).reshape(-1, 2).T  # (high and low, N)
    return planes.tobytes()
