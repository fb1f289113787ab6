"""The layers of the map: what each shows, and the function that computes its data.

The map shows a plane through the latent space (`geometry.plane`), in two dimensions the whole of
it. Each layer is computed on that plane from the full space, by a function of layer_fields.py or of
a module of its own. CONTRIBUTING.md says how to add one.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from latent_navigator.data.dataset_info import DatasetInfo
from latent_navigator.explorer.arguments import choice
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.layer_fields import (
    posterior_width,
    prior_vs_data,
    regions,
    round_trips,
    sensitivity_field,
)
from latent_navigator.geometry.plane import Plane
from latent_utils import RADIUS

# JSON values and numpy arrays of the types that `packed.pack` takes, by the names under which the
# drawing in JavaScript receives them.
Compute = Callable[[LatentSpace, Plane], dict[str, Any]]


@dataclass(frozen=True)
class MapLayer:
    """A layer, declared once for the page and the links.

    Texts may hold {item}, {items} and {radius}.
    """

    key: str  # in links
    label: str  # on its button
    term: str  # of the field
    help: str  # one sentence, on the button
    compute: Compute | None = None  # its data for `packed.pack`; None: the page has what it needs
    busy: str = ""  # what the map says while the data is computed
    default: bool = False  # whether it is shown when the page opens
    more: bool = False  # whether its button is folded away under "More"
    flat: bool = False  # whether it is of two dimensions only
    aliases: tuple[str, ...] = ()  # keys of the past, which saved links may hold

    def record(self, info: DatasetInfo, radius: float = RADIUS) -> dict[str, Any]:
        """What the page needs to know, as JSON.

        Args:
            radius: within which encodings count as being at a position.
        """
        words = {"item": info.item, "items": info.items, "radius": f"{radius:.3g}"}
        texts = {
            name: getattr(self, name).format(**words) for name in ("label", "term", "help", "busy")
        }
        return texts | {
            "key": self.key,
            "computed": self.compute is not None,
            "default": self.default,
            "more": self.more,
            "aliases": list(self.aliases),
        }


LAYERS: list[MapLayer] = [
    MapLayer(
        key="points",
        label="Points",
        term="means of q(z|x)",
        help="The encoded test {items}, coloured by class",
        default=True,
    ),
    MapLayer(
        key="images",
        label="Images",
        term="decoded manifold",
        help="What the decoder draws at each position (the decoded manifold)",
        aliases=("pictures",),
    ),
    MapLayer(
        key="regions",
        label="Regions",
        term="nearest-neighbour classes",
        help="The most common class among the 50 nearest encoded {items}. Striped: two classes "
        "mix. Hatched: none within {radius}",
        compute=regions,
    ),
    MapLayer(
        key="rings",
        label="Rings",
        term="prior N(0, I)",
        help="1, 2 and 3 standard deviations of the prior N(0, I)",
        default=True,
    ),
    MapLayer(
        key="labels",
        label="Labels",
        term="prototypes, centroids",
        help="Each class, at the position that its button goes to: its prototype or its mean "
        "position (centroid). A hollow mark shows the other one",
        default=True,
        aliases=("numerals",),
    ),
    MapLayer(
        key="sensitivity",
        label="Sensitivity",
        term="‖J‖",
        help="Where a small move changes the image most: the norm of the decoder's Jacobian",
        compute=sensitivity_field,
        busy="Measuring the sensitivity…",
        more=True,
    ),
    MapLayer(
        key="prior_vs_data",
        label="Prior vs. data",
        term="p(z) / q(z)",
        help="Where the prior expects more {items} than were encoded, or fewer (prior vs. "
        "aggregate posterior)",
        compute=prior_vs_data,
        busy="Comparing prior and {items}…",
        more=True,
        flat=True,
        aliases=("gaps",),
    ),
    MapLayer(
        key="posterior_width",
        label="Posterior width",
        term="σ of q(z|x)",
        help="How uncertain the encoder is: the mean width (posterior σ) of the clouds of the "
        "{items} encoded nearby, in units of the prior's σ. Hatched: none within {radius}",
        compute=posterior_width,
        busy="Measuring the posteriors…",
        more=True,
        flat=True,
    ),
    MapLayer(
        key="round_trips",
        label="Round trips",
        term="encode(decode(z))",
        help="Decodes each position and encodes the resulting image: the arrow shows where it "
        "lands. The encoder never maps a decoded image to a region that no arrow reaches",
        compute=round_trips,
        busy="Decoding and encoding again…",
        more=True,
        aliases=("trips",),
    ),
]


def map_layers(space: LatentSpace) -> list[MapLayer]:
    """Those of LAYERS that a space has."""
    return [layer for layer in LAYERS if space.latent_dim == 2 or not layer.flat]


def layer_data(space: LatentSpace, key: object, plane: Plane | None = None) -> dict[str, Any]:
    """The data of a layer, on the plane of the space (computed once) or on another one.

    Raises:
        ValueError: if there is no layer of that key with data.
    """
    computed = {
        layer.key: layer.compute for layer in map_layers(space) if layer.compute is not None
    }
    compute = computed[choice("layer", key, tuple(computed))]
    if plane is not None:
        return compute(space, plane)
    return space.once(_on_own_plane(compute))


@functools.cache
def _on_own_plane(compute: Compute) -> Callable[[LatentSpace], dict[str, Any]]:
    """One function for each `compute`, by which `LatentSpace.once` knows its result."""
    return lambda space: compute(space, space.plane)
