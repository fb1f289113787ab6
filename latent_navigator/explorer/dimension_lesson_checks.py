"""The checks of the lessons about a space of more than two dimensions.

See `lesson_checks` for the two functions of each. Distances from the centre count the used
dimensions alone, as distances from the data do: whatever is set in the others, nothing changes.
"""

import itertools
import math
from typing import NamedTuple

import torch
from torch import Tensor

from latent_navigator.data.dataset_info import with_article
from latent_navigator.explorer.dimensions import dimension_name
from latent_navigator.explorer.latent_space import LatentSpace, percent
from latent_navigator.explorer.lesson_checks import Verdict, missing_class, percent_rank, prevails
from latent_navigator.explorer.looks import look_ranks
from latent_navigator.explorer.presets import presets
from latent_navigator.explorer.readout import WELL_SUPPORTED, count_encoded
from latent_navigator.geometry.attributes import ATTRIBUTES, MINUS, describe, measure
from latent_utils import spherical_interpolation

SAMPLE = 1000  # encodings at most among which solutions are looked for
STILL = 0.05  # sigma: a dimension that differs by no more was not moved
FAR = 2.0  # sigma to move along an unused dimension
REACH = 3.0  # sigma to both sides along which a dimension is tried
TRIED = 61  # positions along it
MOST_OF = 0.8  # of the largest change of the slant that any dimension makes
LEVEL = 0.5  # sigma: how much closer to one end than to the other the middle may be
NEAR = 0.8  # of the distance between the ends: how far from each the middle may be
BAND = (0.25, 0.75)  # shares of the encodings that lie closer to the centre
SLANT = list(ATTRIBUTES).index("slant")


def encodings(space: LatentSpace) -> Tensor:
    """(N, D), evenly spaced among the encoded test images, at most SAMPLE."""
    return space.means[:: math.ceil(len(space.means) / SAMPLE)]


def used_norms(space: LatentSpace, z: Tensor) -> Tensor:
    """z (N, D) -> (N,) the distance from the centre in the used dimensions, as the page rounds."""
    norms: Tensor = z[:, space.used].double().norm(dim=1).round(decimals=2)
    return norms


def norm_band(space: LatentSpace) -> tuple[float, float]:
    """The distances from the centre that bound the middle half of the encodings."""
    low, high = space.once(_sorted_norms).quantile(torch.tensor(BAND, dtype=torch.float64)).tolist()
    return round(low, 2), round(high, 2)


def _sorted_norms(space: LatentSpace) -> Tensor:
    return used_norms(space, space.means).sort().values


def closer_share(space: LatentSpace, norm: float) -> float:
    """The share of the encodings that lie closer to the centre than `norm`."""
    return float((space.once(_sorted_norms) < norm).double().mean())


def _moved(space: LatentSpace, z: Tensor, label: int) -> Tensor:
    """z (N, D) -> (N, D) how far each dimension is from that of a prototype, rounded; else 0."""
    differences = (z - space.anchor(label)).double().round(decimals=2)
    return differences * (differences.abs() > STILL)


def _names(moved: Tensor) -> str:
    """The dimensions that differ from 0 in (D,), as in "z₂ and z₅"."""
    names = [dimension_name(i + 1) for i in moved.nonzero().flatten().tolist()]
    return " and ".join(names) if len(names) <= 2 else f"{len(names)} dimensions"


# --- an unused dimension ---


def unused_dimensions(space: LatentSpace) -> Tensor:
    """(K,) int64, those that the decoder ignores."""
    used = set(space.used.tolist())
    return torch.tensor([i for i in range(space.latent_dim) if i not in used], dtype=torch.int64)


def unused_met(space: LatentSpace, z: Tensor) -> Tensor:
    """Where only unused dimensions differ from the prototype, by FAR or more."""
    moved = _moved(space, z, presets(space).target)
    still = (moved[:, space.used] == 0).all(1)
    met: Tensor = still & (moved.norm(dim=1).round(decimals=2) >= FAR)
    return met


def unused(space: LatentSpace, z: Tensor) -> Verdict:
    """Goal: FAR along dimensions that the decoder ignores."""
    label = presets(space).target
    moved = _moved(space, z[None], label)[0]
    start = f"the most typical {space.class_names[label]}"
    if not moved.any():
        return Verdict(False, f"No dimension differs from {start} yet.")
    x, before = space.decode(torch.stack([z, space.anchor(label)])).detach()
    change = percent(round(min(1.0, float((x - before).norm() / before.norm())), 4))
    names, far = _names(moved), float(moved.norm())
    differ = "differs" if int(moved.count_nonzero()) == 1 else "differ"
    found = f"{names} {differ} from {start} by {far:.2f}, and the image by {change}"
    if unused_met(space, z[None]):
        return Verdict(True, f"{found}: the decoder ignores {names}.")
    if moved[space.used].any():
        return Verdict(
            False, f"{found}. Go back and move a dimension that does not change the image."
        )
    return Verdict(False, f"{found}. The goal is {FAR:g}σ or more.")


def unused_solutions(space: LatentSpace) -> Tensor:
    """(N, D) the prototype, moved along each of the unused dimensions."""
    unit = torch.eye(space.latent_dim)[unused_dimensions(space)]
    steps = [length * unit for length in (-FAR - STILL, FAR + STILL)]
    return space.anchor(presets(space).target) + torch.cat(steps)


# --- the dimension that slants ---


def slant_class(space: LatentSpace) -> int:
    """The class whose most typical image slants most as one dimension moves by 1 to both sides."""
    unit = torch.eye(space.latent_dim)[space.used]  # (K, D)
    anchors = space.anchors["typical"][:, None]  # (C, 1, D)
    ahead, behind = (_slants(space, (anchors + step * unit).flatten(0, 1)) for step in (1, -1))
    return int((ahead - behind).abs().argmax()) // len(unit)


class SlantGoal(NamedTuple):
    """The slant of the most typical image of the class, and the change to reach, in degrees."""

    start: float
    change: float


def slant_solutions(space: LatentSpace) -> Tensor:
    """(N, D) the prototype with each of the used dimensions moved from -REACH to REACH."""
    start = space.anchor(space.once(slant_class))
    tried = start.repeat(len(space.used), TRIED, 1)
    row = torch.arange(len(space.used))
    tried[row, :, space.used] = torch.linspace(-REACH, REACH, TRIED).round(decimals=3)
    return tried.flatten(0, 1)


@torch.no_grad()  # and not inference mode, whose tensors cannot be differentiated
def _slants(space: LatentSpace, z: Tensor) -> Tensor:
    """z (N, D) -> (N,) degrees, as the page rounds them."""
    return measure(space.ink(z))[:, SLANT].double().round(decimals=1)


def slant_goal(space: LatentSpace) -> SlantGoal:
    """MOST_OF of what the best dimension reaches while the class prevails; half a second."""
    label = space.once(slant_class)
    start = float(_slants(space, space.anchor(label)[None]))
    tried = slant_solutions(space)
    allowed = tried[prevails(label, space.around(tried))]
    changes = (_slants(space, allowed) - start).abs()
    return SlantGoal(start, float(math.floor(MOST_OF * float(changes.max()))))


def slants_met(space: LatentSpace, z: Tensor) -> Tensor:
    """Where one used dimension alone has moved, the class still prevails, and the slant has too."""
    label, goal = space.once(slant_class), space.once(slant_goal)
    alone = (_moved(space, z, label) != 0).sum(1) == 1
    met = alone & prevails(label, space.around(z))
    met[met.clone()] = (_slants(space, z[met]) - goal.start).abs() >= goal.change
    return met


def slants(space: LatentSpace, z: Tensor) -> Verdict:
    """Goal: the slant changes as far as one dimension alone can change it within the class."""
    label, goal = space.once(slant_class), space.once(slant_goal)
    moved = _moved(space, z[None], label)[0]
    name = space.class_names[label]
    count, before = int(moved.count_nonzero()), describe("slant", goal.start)
    if not count:
        return Verdict(
            False,
            f"This is the most typical {name}, with a slant of {describe('slant', goal.start)}.",
        )
    if count > 1:
        return Verdict(
            False,
            f"{_names(moved)} differ from the most typical {name}. Go back to it, and move one "
            "dimension alone.",
        )
    around = space.around(z[None])
    if not prevails(label, around) and (missing := missing_class(space, label, around)):
        wanted = f"The goal is {with_article(name)} that leans the other way."
        return Verdict(False, f"{missing} {wanted}")
    slant = float(_slants(space, z[None]))
    index = int(moved.nonzero())
    far = f"{float(moved[index]):+.2f}".replace("-", MINUS)
    return Verdict(
        bool(slants_met(space, z[None])),
        f"{dimension_name(index + 1)} moved by {far}: the slant changed from {before} to "
        f"{describe('slant', slant)}, by {abs(slant - goal.start):.1f}° (goal: {goal.change:g}° "
        "or more).",
    )


# --- between two prototypes ---


class Pair(NamedTuple):
    """Two classes, and the middle of the straight line between their prototypes."""

    first: int
    second: int
    middle: Tensor  # (D,)


def straight_pair(space: LatentSpace) -> Pair:
    """The pair whose straight line comes closest to the centre, measured by the spherical path.

    If possible, one for which the spherical path leads to what the lesson asks for, and the
    straight line does not; see `leaves_the_data`.
    """
    anchors = space.anchors["typical"]
    pairs = list(itertools.combinations(range(len(anchors)), 2))
    turned = torch.stack([spherical_interpolation(anchors[a], anchors[b], 3)[1] for a, b in pairs])
    ends = anchors[torch.tensor(pairs)]  # (P, 2, D)
    middles = ends.mean(1)
    dips = turned.norm(dim=1) - middles.norm(dim=1)
    good = _between(space, turned, ends.transpose(0, 1))
    good &= used_norms(space, middles) < norm_band(space)[0]
    best = int(torch.where(good, dips + dips.abs().max(), dips).argmax())
    return Pair(*pairs[best], middles[best])


def leaves_the_data(space: LatentSpace) -> bool:
    """Whether the middle of that straight line lies closer to the centre than most of the data."""
    middle = space.once(straight_pair).middle
    return bool(used_norms(space, middle[None]) < norm_band(space)[0])


def _between(space: LatentSpace, z: Tensor, ends: Tensor) -> Tensor:
    """Where z (N, D) is as far from both ends, (2, N, D) or (2, 1, D), and as far out as data."""
    low, high = norm_band(space)
    first, second = _distances(z, ends)
    near = (torch.maximum(first, second) - 1e-6) <= _farthest(ends)
    level = ((first - second).abs() <= LEVEL + 1e-6) & near
    norms = used_norms(space, z)
    met: Tensor = level & (norms >= low) & (norms <= high)
    return met


def _distances(z: Tensor, ends: Tensor) -> Tensor:
    """(2, N) of z (N, D) from both ends, as the page rounds them."""
    distances: Tensor = (ends - z).double().norm(dim=2).round(decimals=2)
    return distances


def _farthest(ends: Tensor) -> Tensor:
    """(N,) how far from the ends, (2, N, D), their middle may be, as the page rounds it."""
    farthest: Tensor = (NEAR * (ends[1] - ends[0]).double().norm(dim=1)).round(decimals=2)
    return farthest


def _ends(space: LatentSpace) -> Tensor:
    """(2, 1, D) the prototypes of the pair."""
    pair = space.once(straight_pair)
    return space.anchors["typical"][[pair.first, pair.second], None]


def between_met(space: LatentSpace, z: Tensor) -> Tensor:
    """Where both ends are as far, and the centre is as far as from the middle half of the data."""
    return _between(space, z, _ends(space))


def between(space: LatentSpace, z: Tensor) -> Verdict:
    """Goal: the middle of a path between two classes that stays as far out as the data."""
    pair, (low, high) = space.once(straight_pair), norm_band(space)
    first, second = _distances(z[None], _ends(space))[:, 0].tolist()
    one, other = (space.class_names[c] for c in (pair.first, pair.second))
    norm = float(used_norms(space, z[None]))
    items = space.info.items
    farthest = float(_farthest(_ends(space)))
    text = (
        f"{first:.2f} from the most typical {one}, {second:.2f} from the {other} (goal: "
        f"{farthest:.2f} or less, within {LEVEL:g} of each other). |z| is {norm:.2f}: "
        f"{percent(closer_share(space, norm))} of the encoded {items} lie closer to the centre "
        f"(goal: |z| from {low:.2f} to {high:.2f})."
    )
    if not between_met(space, z[None]):
        return Verdict(False, text)
    ranks = look_ranks(space, torch.stack([z, pair.middle]))[0].tolist()
    here, straight = (percent_rank(rank) for rank in ranks)
    return Verdict(
        True,
        f"{text} The image is more blurred than {here} of the decoded test {items}; in the middle "
        f"of the straight line it is more blurred than {straight}.",
    )


def between_solutions(space: LatentSpace) -> Tensor:
    """(N, D) positions as far from both ends: on the arc, and what encodings are projected to."""
    pair, high = space.once(straight_pair), norm_band(space)[1]
    a, b = space.anchor(pair.first), space.anchor(pair.second)
    along = (b - a) / (b - a).norm()
    turned = spherical_interpolation(a, b, 3)[1] - pair.middle
    outward = turned - (turned @ along) * along
    outward = outward / outward.norm().clamp_min(1e-6)
    arc = pair.middle + torch.linspace(0, 2 * high, 81)[:, None] * outward
    some = encodings(space)
    level = some - ((some - pair.middle) @ along)[:, None] * along
    return torch.cat([arc, level])


# --- how far out the data lives ---


def shell_met(space: LatentSpace, z: Tensor) -> Tensor:
    """Where the data supports a position farther out than three of four encodings."""
    far = used_norms(space, z) >= norm_band(space)[1]
    met: Tensor = far & (space.around(z).within >= WELL_SUPPORTED)
    return met


def shell(space: LatentSpace, z: Tensor) -> Verdict:
    """Goal: farther out than three of four encodings, and well supported."""
    norm, goal = float(used_norms(space, z[None])), norm_band(space)[1]
    within = int(space.around(z[None]).within)
    return Verdict(
        bool(shell_met(space, z[None])),
        f"|z| is {norm:.2f}: {percent(closer_share(space, norm))} of the encoded "
        f"{space.info.items} lie closer to the centre (goal: |z| of {goal:.2f} or more); "
        f"{count_encoded(space, within)} within {space.radius:g} (goal: {WELL_SUPPORTED} or more).",
    )
