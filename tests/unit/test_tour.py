"""The guided tour: what its steps say and show is true of the model, whatever its classes are."""

import dataclasses
import json

import pytest
import torch

from latent_navigator.app.controls import page_controls
from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.data.dataset_info import DATASETS
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.map_layers import LAYERS
from latent_navigator.explorer.tour import STEPS, Step, tour

TABS = ("", "explore", "paths", "directions", "draw", "training", "lessons", "about")
KMNIST = DATASETS["kmnist"].class_names


def renamed(checkpoint: Checkpoint, names: tuple[str, ...], dataset: str) -> LatentSpace:
    """The same encodings as those of another data set, with its class names."""
    return LatentSpace(
        dataclasses.replace(
            checkpoint,
            class_names=list(names),
            labels=checkpoint.labels % len(names),
            prototypes=checkpoint.prototypes[: len(names)],
            training_config=checkpoint.training_config | {"dataset": dataset},
        )
    )


@pytest.fixture(params=["mnist", "kmnist", "two"])
def any_space(request: pytest.FixtureRequest, released: Checkpoint) -> LatentSpace:
    if request.param == "kmnist":
        return renamed(released, KMNIST, "kmnist")
    if request.param == "two":
        return renamed(released, ("cat", "dog"), "some/animals")
    return LatentSpace(released)


def named(space: LatentSpace) -> dict[str, Step]:
    return {step.key: step for step in tour(space)}


@pytest.mark.guarantee("other-datasets")
def test_every_step_can_be_shown(any_space: LatentSpace) -> None:
    steps = tour(any_space)
    assert len(named(any_space)) == len(STEPS)
    controls = {control.name for control in page_controls(any_space)}
    for step in steps:
        assert len(step.text) < 260, f"{step.key} is too long for large type"
        assert float(step.route.abs().max()) <= any_space.range
        assert set(step.layers) <= {layer.key for layer in LAYERS}
        assert step.tab in TABS
        assert bool(step.tab) >= bool(step.press)
        assert set(step.values) <= controls
        assert not step.opens or step.image is not None
        json.dumps(step.record(), allow_nan=False)


@pytest.mark.guarantee("other-datasets")
def test_texts_name_the_classes_of_the_model(released: Checkpoint) -> None:
    texts = " ".join(step.title + step.text for step in tour(renamed(released, KMNIST, "kmnist")))
    assert "digit" not in texts
    assert "character" in texts
    assert all(f"{digit}s" not in texts for digit in range(10))


def test_the_tour_ends_where_the_decoder_extrapolates_and_classes_mix(space: LatentSpace) -> None:
    steps = named(space)
    distances = (space.means - steps["empty"].route[-1]).norm(dim=1)
    assert float(distances.min()) > 0.1
    assert f"{float(distances.min()):.2f} away" in steps["empty"].text
    nearest = (space.means - steps["blur"].route[-1]).norm(dim=1).topk(50, largest=False).indices
    counts = torch.bincount(space.labels[nearest], minlength=10).sort(descending=True)
    assert int(counts.values[2]) >= 5, "fewer than three classes mix"
    for count, label in zip(counts.values[:3].tolist(), counts.indices[:3].tolist(), strict=True):
        assert f"{label}s ({count})" in steps["blur"].text


def test_the_mean_lies_among_another_class(space: LatentSpace) -> None:
    step = named(space)["mean"]
    nearest = (space.means - step.route[0]).norm(dim=1).topk(50, largest=False).indices
    counts = torch.bincount(space.labels[nearest], minlength=10)
    winner = int(counts.argmax())
    label = int((space.anchors["centroid"] - step.route[0]).norm(dim=1).argmin())
    assert winner != label
    assert f"of all {label}s lies among the {winner}s" in step.text
    assert f"only {2 * int(counts[label])} %" in step.text
    assert torch.equal(step.route[-1], space.anchor(label))


def test_the_cloud_is_the_posterior_of_its_image(space: LatentSpace) -> None:
    step = named(space)["cloud"]
    assert step.image is not None
    mu, logvar = space.encode(space.images[step.image][None])
    assert torch.allclose(step.route[-1], mu[0], atol=2e-3)
    steps = (step.route[:-1] - mu) / (logvar[0] / 2).exp()
    assert torch.allclose(steps.norm(dim=1), torch.tensor(2.0), atol=0.05)
