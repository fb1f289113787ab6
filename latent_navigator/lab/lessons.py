"""Two lessons that train a model, each checked on the figures of the finished run."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.explorer.latent_space import percent
from latent_navigator.explorer.norms import chi_quantile
from latent_utils import UNUSED, kl_per_dimension

INSIDE = 1 - math.exp(-4.5)  # of the prior's draws: in two dimensions those within 3 sigma
FAR = 0.25  # of the encoded images farther out than those draws: the map has exploded
GAPS = 0.5  # of the area of the encodings that clouds cover: less is full of gaps
DRAWS = 2000  # positions in that area
BATCH = 200  # of them at once
AREA = 0.9  # of the encoded images are in it
REACH = 2.0  # sigma at which a cloud ends
LARGE = 20.0  # beta, from which a run is about collapse


@dataclass(frozen=True)
class Figures:
    """What the lessons look at in a finished model."""

    spread: float  # of the encoded test images: root mean square of a coordinate; the prior has 1
    ring: float  # radius that holds INSIDE of the prior's draws
    beyond: float  # share of the encoded test images farther out
    covered: float  # share of the area around the centre that holds AREA of them, in clouds q(z|x)
    kl: tuple[float, ...]  # nats, per dimension


def figures(checkpoint: Checkpoint) -> Figures:
    """The figures of a model, on its test images."""
    means = checkpoint.means
    norms = means.norm(dim=1)
    kl = kl_per_dimension(means, checkpoint.logvars)
    ring = chi_quantile(means.shape[1], INSIDE)
    return Figures(
        spread=float(means.square().mean().sqrt()),
        ring=ring,
        beyond=float((norms > ring).float().mean()),
        covered=covered(means, checkpoint.logvars, float(norms.quantile(AREA))),
        kl=tuple(kl.tolist()),
    )


def covered(means: Tensor, logvars: Tensor, radius: float) -> float:
    """The share of a ball around the centre, by random positions, that clouds cover.

    Args:
        means, logvars: (N, D) of the clouds, which end at REACH sigma.
    """
    dims = means.shape[1]
    generator = torch.Generator().manual_seed(0)
    draws = torch.randn(DRAWS, dims, generator=generator)
    lengths = radius * torch.rand(DRAWS, 1, generator=generator) ** (1 / dims)
    draws *= lengths / draws.norm(dim=1, keepdim=True)
    scale = (-logvars / 2).exp()  # 1 / sigma
    inside = 0
    for part in draws.split(BATCH):
        # |(z - mu) / sigma|^2, without a tensor of (BATCH, N, D).
        squares = (
            part.square() @ scale.square().T
            - 2 * part @ (means * scale.square()).T
            + (means * scale).square().sum(1)
        )
        inside += int((squares.min(1).values <= REACH**2).sum())
    return inside / DRAWS


@dataclass(frozen=True)
class LabLesson:
    """A task that a training run solves, in the words of the page."""

    key: str
    title: str
    task: str
    measured: str
    learnt: str
    values: dict[str, float]  # of the form; the rest is the preset of a minute
    belongs: Callable[[float], bool]  # whether a run with this beta is about it
    check: Callable[[Figures, str], tuple[bool, str]]  # of the figures, and what images are called

    def record(self, usual: dict[str, float]) -> dict[str, Any]:
        """The texts and all values of the form, as JSON."""
        return {
            "key": self.key,
            "title": self.title,
            "task": self.task,
            "measured": self.measured,
            "learnt": self.learnt,
            "values": {**usual, **self.values},
        }


def exploded(found: Figures, items: str) -> tuple[bool, str]:
    """Whether the encodings have left the region that the prior fills, with gaps between them."""
    gaps = ": the rest are gaps, for which the decoder was never trained"
    message = (
        f"{percent(found.beyond)} of the test {items} lie more than {found.ring:.2g}σ from the "
        f"centre, compared with {percent(1 - INSIDE)} of draws from the prior; the root mean "
        f"square of a coordinate is {found.spread:.1f} instead of 1. "
        f"The clouds q(z|x) cover {percent(found.covered)} of the area that the {items} take"
        f"{gaps * (found.covered < GAPS)}."
    )
    return found.beyond > FAR and found.covered < GAPS, message


def collapsed(found: Figures, _: str) -> tuple[bool, str]:
    """Whether a dimension tells the decoder nothing any more."""
    unused = sum(kl < UNUSED for kl in found.kl)
    *others, last = [f"{kl:.2f}" for kl in found.kl]
    listed = f"{', '.join(others)} and {last}" if others else last
    if not unused:
        return False, f"KL per dimension {listed} nats: all are used, so nothing has collapsed."
    which = f"{unused} of {len(found.kl)} {'is' if unused == 1 else 'are'}"
    return True, (
        f"KL per dimension {listed} nats: {which} unused (below {UNUSED:g}). Along an unused "
        "dimension the posterior of every image is the prior, so the decoder averages what it "
        "cannot tell apart."
    )


LESSONS = (
    LabLesson(
        key="explode",
        title="Train with beta 0 and see the map explode",
        task="Without the KL term nothing keeps the encodings together. Train for about a minute "
        "on part of the data and watch the axes: the map zooms out to fit the points.",
        measured=f"The share of the test images whose mean lies farther from the centre than "
        f"{percent(INSIDE)} of draws from the prior, 3σ in two dimensions (goal: over "
        f"{percent(FAR)}), and the share of the disc with {percent(AREA)} of "
        f"them that lies within {REACH:g}σ of a test image's posterior (goal: under "
        f"{percent(GAPS)}).",
        learnt="The KL term, not the reconstruction, is what makes the latent space one region "
        "without gaps, from which random draws decode to plausible images.",
        values={"beta": 0, "warmup_epochs": 0},
        belongs=lambda beta: beta == 0,
        check=exploded,
    ),
    LabLesson(
        key="collapse",
        title="Train with beta 20 and see it collapse",
        task="Now the KL term costs more than a dimension gains in reconstruction. Train for about "
        "a minute on part of the data and watch the points fall onto a line or a point.",
        measured=f"The KL divergence of each dimension on the test images; below {UNUSED:g} nats "
        "it is unused. The goal is at least one unused dimension.",
        learnt="A dimension is used only while it saves more reconstruction error than its KL "
        "costs; otherwise its posterior becomes the prior (posterior collapse).",
        values={"beta": LARGE, "warmup_epochs": 0},
        belongs=lambda beta: beta >= LARGE,
        check=collapsed,
    ),
)


def verdict(checkpoint: Checkpoint) -> dict[str, Any] | None:
    """What a finished run shows of the lesson that it belongs to; None if it belongs to none.

    Returns:
        {"key", "title", "done": whether the goal is met, "message": the figures, "learnt"}.
    """
    beta = float(checkpoint.training_config.get("beta", 1.0))
    lesson = next((one for one in LESSONS if one.belongs(beta)), None)
    if lesson is None:
        return None
    done, message = lesson.check(figures(checkpoint), checkpoint.info.items)
    return {
        "key": lesson.key,
        "title": lesson.title,
        "done": done,
        "message": message,
        "learnt": lesson.learnt if done else "",
    }
