"""The decoder as one file, for browsers: web/core/decoder.js reads it.

    uint32     length of the header, little-endian
    header     JSON, padded with spaces so that the numbers start at a multiple of 4 bytes
    numbers    float16 or float32, little-endian, one tensor after the other

The header is {"config": the fields of VAEConfig, "dtype": "float16" or "float32", "tensors":
{name: {"shape", "offset" in bytes from the first number}}}.
"""

import dataclasses
import json
import struct

import numpy as np
import torch
from torch import Tensor

from latent_navigator.checkpoint.checkpoint import Checkpoint
from neural_network import VAE, Decoder

MAX_DIFFERENCE = 1.0  # grey levels of 255, from float16 weights; beyond, the file has float32
SAMPLES = 500  # positions that are compared, from the prior and again from the map
ALIGNMENT = 4  # bytes


def pack_decoder(checkpoint: Checkpoint) -> bytes:
    """The decoder's configuration and weights; equal checkpoints give equal bytes."""
    model = checkpoint.build_model()
    difference = float16_difference(model, float(checkpoint.means.abs().max()))
    # not >, so that NaN from an overflow gives float32 too
    dtype = np.dtype("<f2" if difference <= MAX_DIFFERENCE else "<f4")
    tensors: dict[str, dict[str, object]] = {}
    numbers = b""
    for name, values in as_matrices(model.decoder).items():
        tensors[name] = {"shape": list(values.shape), "offset": len(numbers)}
        numbers += values.numpy().astype(dtype).tobytes()
    header = {
        "config": dataclasses.asdict(checkpoint.model_config),
        "dtype": dtype.name,
        "tensors": tensors,
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    return struct.pack("<I", len(text)) + text + numbers


def as_matrices(decoder: Decoder) -> dict[str, Tensor]:
    """The weights by name, every layer's as a matrix of one row per output.

    So a reader needs no convolution. A row of conv.weight (4 * decoder_channels_2,
    decoder_channels) gives one channel at one position of the 2 x 2 patch, which do not overlap; a
    row of out.weight (16, decoder_channels_2) one position of the 4 x 4 kernel, and these add up.
    """
    tensors = {name: values.detach().float() for name, values in decoder.state_dict().items()}
    for name in ("conv.weight", "out.weight"):  # (in, out, height, width)
        weight = tensors[name]
        tensors[name] = weight.permute(2, 3, 1, 0).reshape(-1, weight.shape[0])
    tensors["conv.bias"] = tensors["conv.bias"].repeat(4)  # one for each position of the patch
    return tensors


@torch.inference_mode()
def float16_difference(model: VAE, reach: float) -> float:
    """The largest difference of a pixel, in grey levels, that rounding the weights makes.

    Args:
        reach: half of the positions lie in the square -reach ... reach, half come from the prior.
    """
    generator = torch.Generator().manual_seed(0)
    shape = SAMPLES, model.config.latent_dim
    prior = torch.randn(shape, generator=generator)
    square = reach * (2 * torch.rand(shape, generator=generator) - 1)
    rounded = VAE(model.config)
    rounded.load_state_dict({k: v.half().float() for k, v in model.state_dict().items()})
    z = torch.cat([prior, square])
    return 255 * float((model.decode(z) - rounded.decode(z)).abs().max())
