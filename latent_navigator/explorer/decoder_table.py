"""The decoder as a table, from which a browser decodes images itself while the cursor moves.

The table holds the decoder's logits at the nodes of a grid over the map; between the nodes they
are interpolated (Catmull and Rom 1974). Logits curve less than pixels, which saturate at 0 and 1.
The nodes lie closer around the centre, where the prior is and the images change fastest:
along each axis a node at u in [-1, 1] lies at z = reach * sinh(BEND * u) / sinh(BEND).

web/decoder_table.js reads it; `look_up` does the same in PyTorch, and the tests compare the two.
"""

import base64
import gzip
import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from neural_network import VAE

SIDE = 72  # nodes a side
BEND = 2.5  # 0 would be an even grid; with 2.5 the middle cells are 0.42 times as wide
BOUND = 8.0  # logits are kept in [-8, 8]: sigmoid(8) is 0.9997
PIXELS = 784


class DecoderTable(NamedTuple):
    """Logits at the nodes; node (row, column) is at y = axis[row], x = axis[column]."""

    reach: float  # the grid covers -reach ... reach on both axes
    values: Tensor  # (SIDE, SIDE, 784) uint8; 0 ... 255 stands for -BOUND ... BOUND


@torch.inference_mode()
def build_table(model: VAE, reach: float) -> DecoderTable:
    """Decode every node. One to two seconds on one core."""
    axis = reach * torch.sinh(BEND * torch.linspace(-1, 1, SIDE)) / math.sinh(BEND)  # (SIDE,)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    nodes = torch.stack([x, y], dim=-1).reshape(-1, 2)  # (SIDE * SIDE, 2)
    logits = torch.cat([model.decoder(some).flatten(1) for some in nodes.split(512)])
    values = (logits.clamp(-BOUND, BOUND) + BOUND) * (255 / (2 * BOUND))
    return DecoderTable(reach, values.round().byte().reshape(SIDE, SIDE, PIXELS))


def pack_table(table: DecoderTable) -> bytes:
    """The table's values, compressed to a fifth.

    Each value is stored as its difference (modulo 256) from what its neighbours predict,
    left + below - below left, since neighbouring nodes are nearly equal; then gzip.
    """
    values = table.values.to(torch.int16)
    padded = torch.nn.functional.pad(values, (0, 0, 1, 0, 1, 0))  # (SIDE + 1, SIDE + 1, 784)
    residual = padded.diff(dim=0).diff(dim=1)  # (SIDE, SIDE, 784)
    return gzip.compress((residual % 256).to(torch.uint8).numpy().tobytes(), 9, mtime=0)


def browser_table(model: VAE, reach: float) -> dict[str, Any]:
    """The table as JSON, with what web/decoder_table.js needs to read it."""
    packed = pack_table(build_table(model, reach))
    return {
        "data": base64.b64encode(packed).decode(),
        "side": SIDE,
        "reach": reach,
        "bend": BEND,
        "bound": BOUND,
    }


@torch.inference_mode()
def look_up(table: DecoderTable, z: Tensor) -> Tensor:
    """The images that a browser decodes from the table: z (N, 2) -> (N, 28, 28) uint8."""
    scaled = (z.double() / table.reach).clamp(-1, 1) * math.sinh(BEND)
    place = (torch.asinh(scaled) / BEND + 1) / 2 * (SIDE - 1)  # (N, 2), in 0 ... SIDE - 1
    cell = place.floor().clamp(max=SIDE - 2).long()  # (N, 2)
    t = place - cell  # (N, 2) in [0, 1]
    weights = torch.stack(  # (N, 2, 4), of the nodes at -1, 0, 1, 2
        [
            (-t + 2 * t**2 - t**3) / 2,
            (2 - 5 * t**2 + 3 * t**3) / 2,
            (t + 4 * t**2 - 3 * t**3) / 2,
            (-(t**2) + t**3) / 2,
        ],
        dim=-1,
    )
    values = torch.zeros(len(z), PIXELS, dtype=torch.float64)
    for i in range(4):
        row = (cell[:, 1] + i - 1).clamp(0, SIDE - 1)
        for j in range(4):
            column = (cell[:, 0] + j - 1).clamp(0, SIDE - 1)
            weight = weights[:, 1, i] * weights[:, 0, j]  # (N,)
            values += weight[:, None] * table.values[row, column]
    images = torch.sigmoid(values * (2 * BOUND / 255) - BOUND)
    return (images * 255).round().byte().reshape(-1, 28, 28)
