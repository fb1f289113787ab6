"""The classes that lessons, experiments and the page's controls start with."""

from latent_navigator.data.dataset_info import Presets
from latent_navigator.explorer.class_mixing import class_mixing
from latent_navigator.explorer.latent_space import LatentSpace
from latent_utils import semantic_directions


def presets(space: LatentSpace) -> Presets:
    """Those of the data set's record or, where it has none, chosen from the encodings."""
    return space.info.presets or space.once(_choose)


def _choose(space: LatentSpace) -> Presets:
    """The two classes that mix most as border and morph, the two furthest apart as ends."""
    classes = len(space.class_names)
    first, second = divmod(int(class_mixing(space).triu(1).argmax()), classes)
    distances = semantic_directions(space.anchors["typical"]).distances
    start, end = divmod(int(distances.triu(1).argmax()), classes)
    border = first, second
    return Presets(border=border, morph=border, ends=(start, end), target=end, little_ink=end)
