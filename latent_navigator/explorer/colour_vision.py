"""How different colours look, with normal and with colour-blind eyes.

Colours are (N, 3) linear RGB in [0, 1] with the primaries of sRGB (IEC 61966-2-1).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float64]

# OKLab (Ottosson 2020, https://bottosson.github.io/posts/oklab/): linear RGB to cone responses, and
# their cube roots to lightness, green-red and blue-yellow.
CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
OPPONENTS = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
# What dichromats see, in linear RGB (Machado et al. 2009, severity 1.0).
VISIONS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
STEPS = 200  # in which saturation is reduced until a colour can be shown


def from_hex(codes: Sequence[str]) -> Colours:
    """(N, 3) from codes such as "#3f90da"."""
    values = np.array([tuple(bytes.fromhex(code.removeprefix("#"))) for code in codes]) / 255
    linear: Colours = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return linear


def to_hex(colours: Colours) -> list[str]:
    """The codes of colours, each channel rounded to one of 256 levels."""
    curve = 1.055 * colours ** (1 / 2.4) - 0.055
    values = np.where(colours <= 0.0031308, 12.92 * colours, curve)
    return ["#" + bytes(row).hex() for row in (values * 255).round().astype(np.uint8)]


def to_oklab(colours: Colours) -> Colours:
    """(N, 3) lightness in [0, 1], green-red and blue-yellow."""
    lab: Colours = np.cbrt(colours @ CONES.T) @ OPPONENTS.T
    return lab


def from_oklab(lab: Colours) -> Colours:
    """The inverse of `to_oklab`; beyond [0, 1] for what no screen can show."""
    return (lab @ np.linalg.inv(OPPONENTS).T) ** 3 @ np.linalg.inv(CONES).T


def with_lightness(colours: Colours, low: float, high: float) -> Colours:
    """Colours whose lightness is stretched to low ... high; hues stay.

    Saturation stays too, except where the screen cannot show it at that lightness.
    """
    lab = to_oklab(colours)
    lightness = np.interp(lab[:, 0], [lab[:, 0].min(), lab[:, 0].max()], [low, high])
    lab[:, 0] = lightness
    # (STEPS, N, 3), from full saturation down to grey, which every screen shows
    paler = lab * np.stack([np.ones(STEPS), *[np.linspace(1, 0, STEPS)] * 2], axis=1)[:, None]
    candidates = from_oklab(paler)
    shown = ((candidates > -1e-4) & (candidates < 1 + 1e-4)).all(axis=2)
    found: Colours = candidates[shown.argmax(axis=0), np.arange(len(lab))].clip(0, 1)
    return found


def distances(colours: Colours) -> dict[str, Colours]:
    """For each kind of vision, (N, N) distances in OKLab; 1 is black against white."""
    seen = {name: to_oklab((colours @ vision.T).clip(0, 1)) for name, vision in VISIONS.items()}
    return {name: np.linalg.norm(lab[:, None] - lab[None], axis=-1) for name, lab in seen.items()}
