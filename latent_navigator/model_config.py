"""The configuration of the VAE. Free of torch, so that trainer.py --help answers at once."""

from dataclasses import dataclass, fields

LATENT_DIMS = (2, 64)  # that can be explored: one is no map, and more are too many to compare


@dataclass(frozen=True)
class VAEConfig:
    """The architecture of the VAE. All sizes are integers from 1 to 4096.

    Raises:
        ValueError: naming the field, its value and the range.
    """

    latent_dim: int = 2
    encoder_channels: int = 32  # at 7 x 7: the features of each 4 x 4 patch
    encoder_channels_2: int = 64  # at 4 x 4
    hidden: int = 256  # width of the Linear layers, three in the encoder and three in the decoder
    decoder_channels: int = 56  # at 7 x 7
    decoder_channels_2: int = 16  # at 14 x 14

    def __post_init__(self) -> None:
        for field in fields(self):
            value: object = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 4096:
                raise ValueError(
                    f"{field.name} is {value!r}; give a whole number between 1 and 4096"
                )
