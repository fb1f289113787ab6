"""What PyTorch decodes, as the reference of web/core/decoder.js in node and in a browser."""

import dataclasses
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.checkpoint.decoder_file import pack_decoder
from latent_navigator.model_config import VAEConfig
from neural_network import VAE

# One of each kind: the least, odd sizes, more dimensions.
CONFIGS = [
    VAEConfig(latent_dim=1, hidden=1, decoder_channels=1, decoder_channels_2=1),
    VAEConfig(latent_dim=1, hidden=48, decoder_channels=16),
    VAEConfig(latent_dim=2, hidden=7, decoder_channels=3, decoder_channels_2=5),
    VAEConfig(latent_dim=3, hidden=64, decoder_channels=2, decoder_channels_2=33),
    VAEConfig(latent_dim=10, hidden=30, decoder_channels=9, decoder_channels_2=6),
]


class Reference(NamedTuple):
    """A decoder's file, N positions, and the images that PyTorch decodes there in float32."""

    file: bytes
    positions: np.ndarray  # (N, latent_dim) float32
    images: np.ndarray  # (N, 28, 28) uint8

    def difference(self, images: bytes) -> int:
        """The largest difference of a pixel from those in `images`, in grey levels of 255."""
        other = np.frombuffer(images, np.uint8).reshape(self.images.shape)
        return int(np.abs(self.images.astype(int) - other).max())

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Files with the decoder and the positions."""
        decoder, positions = folder / "decoder.bin", folder / "positions.f32"
        decoder.write_bytes(self.file)
        positions.write_bytes(self.positions.tobytes())
        return decoder, positions


def random_model(checkpoint: Checkpoint, config: VAEConfig, scale: float = 30.0) -> Checkpoint:
    """The checkpoint with a random model of that configuration.

    Args:
        scale: of the last layer, so that the images have both black and white.
    """
    torch.manual_seed(0)
    model = VAE(config)
    with torch.no_grad():
        model.decoder.out.weight *= scale
    means = torch.randn(100, config.latent_dim)
    return dataclasses.replace(
        checkpoint, model_config=config, weights=model.state_dict(), means=means
    )


def positions(latent_dim: int, reach: float, count: int = 2000) -> Tensor:
    """(count, latent_dim): from the prior, around the map's corners, and on straight paths."""
    generator = torch.Generator().manual_seed(1)
    part, steps = count // 4, 10
    prior = torch.randn(part, latent_dim, generator=generator)
    signs = torch.randint(0, 2, (part, latent_dim), generator=generator) * 2 - 1
    corners = signs * (reach - torch.rand(part, latent_dim, generator=generator) / 2)
    corners[:4] = signs[:4] * reach
    rest = count - 2 * part
    ends = torch.randn(2, rest // steps, 1, latent_dim, generator=generator)
    paths = torch.lerp(ends[0], ends[1], torch.linspace(0, 1, steps)[:, None])
    return torch.cat([prior, corners, paths.reshape(-1, latent_dim)])


@torch.inference_mode()
def reference(checkpoint: Checkpoint, count: int = 2000) -> Reference:
    """The decoder of a checkpoint and what it decodes at `count` positions."""
    reach = float(checkpoint.means.abs().max())
    z = positions(checkpoint.model_config.latent_dim, reach, count)
    images = (checkpoint.build_model().decode(z)[:, 0] * 255).round().byte()
    assert int(images.min()) < 64
    assert int(images.max()) > 192
    return Reference(pack_decoder(checkpoint), z.numpy(), images.numpy())
