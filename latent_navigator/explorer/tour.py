"""The guided tour: how a VAE works, step by step on the map, with what each step shows of a model.

To add a step, add a function that returns its Step to STEPS. A step may open a tab and press one
of its controls: `tab="draw", press="#own-digit .random"`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from latent_navigator.data.dataset_info import with_article
from latent_navigator.explorer.interpolation import methods
from latent_navigator.explorer.latent_space import LatentSpace, percent
from latent_navigator.explorer.navigation import start_class
from latent_navigator.explorer.presets import presets
from latent_navigator.explorer.readout import NAT, count_encoded
from latent_navigator.explorer.tour_positions import (
    View,
    emptiest,
    example,
    least_typical_mean,
    most_mixed,
    share_near_data,
    view_of,
)
from latent_utils import NEIGHBOURS

PRESENT = NEIGHBOURS // 10  # of the neighbours from which on a class is named


@dataclass(frozen=True)
class Step:
    """One idea, and what the page does to show it.

    Attributes:
        key: in links. title, text: what is read; `more` is folded away under "Details".
        route: positions that the cursor travels through; it rests at the last.
        layers: keys of the map layers that are shown; no others are.
        view: centre x, y and half the side of the part of the map; None for the whole map.
        image: index of a test image that stands beside the text. opens: whether its posterior is
            shown on the map.
        tab: the tab that opens below the text. press: a selector of what is pressed in it.
        show: a selector of what its panel then scrolls to. values: of controls, by their names.
    """

    key: str
    title: str
    text: str
    route: Tensor  # (N, 2), N >= 1
    layers: tuple[str, ...]
    more: str = ""
    view: View | None = None
    image: int | None = None
    opens: bool = False
    tab: str = ""
    press: str = ""
    show: str = ""
    values: dict[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """The step as JSON; see the type Step of web/tour/steps.js."""
        names = "key", "title", "text", "more", "image", "opens", "tab", "press", "show", "values"
        x, y, half = self.view or (0, 0, 0)
        return {name: getattr(self, name) for name in names} | {
            "route": [{"x": x, "y": y} for x, y in self.route.tolist()],
            "layers": list(self.layers),
            "view": {"centre": {"x": x, "y": y}, "half": half} if half else None,
        }


def _at(*positions: Tensor) -> Tensor:
    return torch.stack(positions)


def _decoder(space: LatentSpace) -> Step:
    item = space.info.item
    first, last = presets(space).morph
    return Step(
        key="decoder",
        title=f"Two numbers become {with_article(item)}",
        text=f"The decoder turns a position on this map into an image. Watch the cursor: at each "
        f"position the decoder draws a different {item}.",
        route=_at(*(space.anchor(c) for c in (start_class(space), first, last))),
        layers=("images",),
    )


def _encoder(space: LatentSpace) -> Step:
    info, found = space.info, space.once(example)
    names = space.plurals[int(space.labels[found.number])]
    return Step(
        key="encoder",
        title="The encoder goes the other way",
        text=f"It reads an image and returns its position: this test {info.item} lands among the "
        f"{names}. Each point is one of {len(space.labels):,} {info.items} that the model never "
        "saw in training.",
        route=_at(found.mu),
        layers=("points", "labels"),
        image=found.number,
    )


def _cloud(space: LatentSpace) -> Step:
    found = space.once(example)
    name = space.class_names[int(space.labels[found.number])]
    x, y = 2 * torch.diag(found.sigma)
    corners = [found.mu + step for step in (x, y, -x, -y)]
    return Step(
        key="cloud",
        title="Not a point but a cloud",
        text="The encoder answers with a distribution; the ellipses show how certain it is. "
        "Training decodes random positions from the cloud, so the decoder learns to return the "
        f"same {name} everywhere in it, without gaps.",
        more="The cloud is the posterior q(z|x), a Gaussian with mean μ and standard deviation σ; "
        "the ellipses are at 1σ and 2σ. In training z = μ + σ · ε with ε from N(0, I) "
        "(reparameterisation): the noise stays outside the network, and gradients reach μ and σ.",
        route=_at(*corners, found.mu),
        layers=("points",),
        view=found.view(),
        image=found.number,
        opens=True,
    )


def _kl(space: LatentSpace) -> Step:
    info = space.info
    return Step(
        key="kl",
        title="The KL pulls the clouds together",
        text="Training minimises two costs: the reconstruction error, and the KL, which charges "
        "clouds for differing from the prior N(0, I) in position or width. So the "
        f"{info.items} gather in the centre, and random draws make sense: "
        f"{percent(share_near_data(space))} land within {space.radius:g} of a test {info.item}.",
        more="Loss = reconstruction + beta · KL. The reconstruction term asks whether the decoder "
        "returns the original from a position in its cloud; alone, it would scatter tiny clouds "
        "far apart. The KL divergence from q(z|x) to the prior N(0, I), alone, would make "
        "every cloud equal to the prior, and the clouds would carry no information.",
        route=torch.zeros(1, 2),
        layers=("points", "rings"),
    )


def _beta(space: LatentSpace) -> Step:
    final, info = space.checkpoint.history[-1], space.info
    bits = final["test_kl"] / math.log(2)
    return Step(
        key="beta",
        title="Beta sets the price of the KL",
        text=f"Beta weights the KL term. Watch the training: {describe_beta(space)}. The larger "
        "beta, the tighter the map and the softer the images: here a position carries, on "
        f"average, at most {final['test_kl']:.1f} nats ({bits:.1f} bits) about its {info.item}.",
        more=f"After the last epoch, on average over the test {info.items}: KL "
        f"{final['test_kl']:.2f} nats, reconstruction {final['test_recon']:.1f} nats. At beta = 1 "
        f"the negative loss is the ELBO, a lower bound of log p(x). {NAT}",
        route=torch.zeros(1, 2),
        layers=("points", "rings"),
        tab="training",
        press="#replay .replay[data-state=shown] .play",
        show="#replay .plots",
    )


def _neighbours(space: LatentSpace) -> Step:
    first, second = presets(space).border
    ones, others = space.plurals[first], space.plurals[second]
    return Step(
        key="neighbours",
        title="Neighbours look alike",
        text=f"From the {ones} to the {others} the image changes little by little. So do the bars, "
        f"the classes of the {NEIGHBOURS} nearest {space.info.items}: clouds overlap, and similar "
        "shapes share a region.",
        route=_at(space.anchor(first), space.anchor(second)),
        layers=("points", "regions", "labels"),
        view=view_of(space.anchor(first), space.anchor(second)),
    )


def _empty(space: LatentSpace) -> Step:
    info, z = space.info, emptiest(space)
    around = space.around(z[None])
    count = count_encoded(space, int(around.within))
    return Step(
        key="empty",
        title="It draws even where there is no data",
        text=f"Here {count} within {space.radius:g}; the nearest is "
        f"{float(around.nearest):.2f} away. The decoder extrapolates; only the dashed "
        "frame and the note beside the image say so. The colours show where the prior expects more "
        f"{info.items} than there are, and where fewer.",
        route=_at(z),
        layers=("points", "rings", "prior_vs_data"),
    )


def _mean(space: LatentSpace) -> Step:
    info, label = space.info, least_typical_mean(space)
    own, name = space.plurals[label], space.class_names[label]
    z = space.anchor(label, "centroid")
    shares = space.around(z[None]).shares[0]
    winner = int(shares.argmax())
    found = f"only {percent(float(shares[label]))} of the {NEIGHBOURS} nearest {info.items}"
    if winner == label:
        where = f"At the mean position of all {own}, {found.removeprefix('only ')} are {own}"
    else:
        where = f"The mean position of all {own} lies among the {space.plurals[winner]}: {found} "
        where += f"are {own}"
    return Step(
        key="mean",
        title="The mean is not the most typical",
        text=f"{where}. The cursor then moves to the prototype, the most typical {name}, which the "
        "label marks.",
        more="The mean position is the centroid of a class. Its prototype is an encoded position "
        "where its own class is dense and others are rare.",
        route=_at(z, z, space.anchor(label)),
        layers=("points", "regions", "labels"),
        view=view_of(z, space.anchor(label)),
    )


def _path(space: LatentSpace) -> Step:
    first, last = presets(space).ends
    one, other = space.class_names[first], space.class_names[last]
    return Step(
        key="path",
        title="Which path from one to the other?",
        text=f"Several paths lead from {one} to {other}. The straight line is the simplest; the "
        "geodesic, the shortest in image space, changes the image least; the density-weighted one "
        f"prefers dense regions. Which of them cross other {space.info.class_word}?",
        route=_at(space.anchor(first)),
        layers=("regions", "labels"),
        view=view_of(space.anchor(first), space.anchor(last)),
        tab="paths",
        press="#compare",
        show="#film-strip[aria-busy=false] .row",
        values={"from": first, "to": last, "methods": list(methods()), "anchor": "typical"},
    )


def _blur(space: LatentSpace) -> Step:
    info, z = space.info, most_mixed(space)
    counts = (space.around(z[None]).shares[0] * NEIGHBOURS).round().int()
    order = counts.argsort(descending=True, stable=True).tolist()
    named = [f"{space.plurals[c]} ({counts[c]})" for c in order if counts[c] >= PRESENT]
    listed = f"{', '.join(named[:-1])} and {named[-1]}" if named[1:] else named[0]
    return Step(
        key="blur",
        title="Two numbers are not enough",
        text=f"The {NEIGHBOURS} nearest {info.items} here are {listed}. One position stands for "
        "all of them, so the decoder draws their average, a blur. More dimensions would keep them "
        "apart, but a map could then show only one plane through the space.",
        more=f"What the two numbers lose: {info.lost_detail}.",
        route=_at(z),
        layers=("points", "labels"),
    )


def describe_beta(space: LatentSpace) -> str:
    """How beta changed while the model was trained, after a colon."""
    config = space.checkpoint.training_config
    beta, warmup = float(config.get("beta", 0)), float(config.get("warmup_epochs") or 0)
    if warmup > 0:
        return f"beta rises from 0 to {beta:g} over the first {warmup:g} epochs"
    return f"beta is {beta:g} from the start"


STEPS: list[Callable[[LatentSpace], Step]] = [
    _decoder,
    _encoder,
    _cloud,
    _kl,
    _beta,
    _neighbours,
    _empty,
    _mean,
    _path,
    _blur,
]


def tour(space: LatentSpace) -> list[Step]:
    """The steps for a model, in their order; none above two dimensions. Computed once."""
    return space.once(_tour)


def _tour(space: LatentSpace) -> list[Step]:
    return [make(space) for make in STEPS] if space.latent_dim == 2 else []
