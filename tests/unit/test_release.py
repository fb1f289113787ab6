"""The committed checkpoint, and the figures and links that the repository publishes."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import torch

from benchmarks import figures
from benchmarks.card import card, command
from benchmarks.reports import read_report
from benchmarks.ten_dimensions import RECIPES
from latent_navigator.checkpoint.checkpoint import Checkpoint, load_checkpoint
from latent_navigator.checkpoint.snapshots import SIDE
from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.pretrained import (
    COMPARED_PATH,
    DEFAULT_PATH,
    FORMER_DEFAULTS,
    TEN_DIMENSIONS_PATH,
)
from latent_navigator.training.command_line import parse_arguments
from latent_navigator.training.config import TrainingConfig
from latent_navigator.training.paths import RunPaths
from latent_utils import UNUSED, digit_centroids, digit_prototypes, kl_per_dimension
from neural_network import VAEConfig
from tests.classifier import load_classifier
from tests.fixtures import ROOT

PATH = ROOT / DEFAULT_PATH
MAX_BYTES = 12_000_000


def test_checkpoint_has_the_default_configs_or_the_former_ones(released: Checkpoint) -> None:
    assert released.model_config == VAEConfig()
    expected = TrainingConfig().hyperparameters() | FORMER_DEFAULTS
    found = dict(released.training_config)
    assert found.pop("precision") in ("bf16", "fp32")
    expected.pop("precision")
    assert expected.pop("dataset") == released.dataset == "mnist"  # the file predates the option
    assert found == expected
    assert len(released.history) == 50
    assert released.training_state is None
    assert PATH.stat().st_size < MAX_BYTES


@pytest.mark.parametrize("path", [DEFAULT_PATH, COMPARED_PATH, TEN_DIMENSIONS_PATH])
def test_the_card_gives_the_commands_that_trained_the_models(path: Path) -> None:
    checkpoint = load_checkpoint(ROOT / path)
    line = command(checkpoint)
    if path != COMPARED_PATH:
        assert line in card(PATH)
    parsed = parse_arguments(line.split()[2:])
    assert parsed.model_config == checkpoint.model_config
    found = parsed.config.hyperparameters() | {"precision": checkpoint.training_config["precision"]}
    assert found == {"dataset": "mnist", **checkpoint.training_config}


def test_compared_model_differs_only_in_beta(released: Checkpoint) -> None:
    path = ROOT / COMPARED_PATH
    other = load_checkpoint(path)
    assert path.stat().st_size < MAX_BYTES
    differing = {
        key
        for key in released.training_config
        if released.training_config[key] != other.training_config[key]
    }
    assert differing == {"beta"}
    assert other.label == "beta 0.1"
    assert released.label == "beta 4"
    assert torch.equal(other.labels, released.labels)


def test_the_model_of_ten_dimensions_is_that_of_its_report() -> None:
    path = ROOT / TEN_DIMENSIONS_PATH
    model, report = load_checkpoint(path), read_report("ten_dimensions")
    assert path.stat().st_size < 11_000_000
    assert model.model_config == VAEConfig(latent_dim=10)
    chosen = RECIPES[report["chosen"]]
    assert {key: model.training_config[key] for key in chosen} == chosen
    assert len(model.history) == report["epochs"]
    found = kl_per_dimension(model.means, model.logvars).sort(descending=True).values
    torch.testing.assert_close(found, torch.tensor(report["committed"]["kl_of_dimensions"]))
    unused = int((found < UNUSED).sum())
    assert unused == report["committed"]["unused"]
    assert 1 <= unused <= 3
    assert model.history[-1]["test_elbo"] == report["committed"]["elbo"] > -100


def test_small_beta_reconstructs_better_but_leaves_gaps() -> None:
    """Less weight on the prior: better reconstructions, but fewer samples near the data."""
    main, low, *others = read_report("prior")["models"]
    assert low["recon"] < main["recon"] - 2
    assert low["kl"] > 1.5 * main["kl"]
    assert low["samples_near_data"] < main["samples_near_data"] - 0.05
    assert low["most_common_class"] > 1.2 * main["most_common_class"]
    for other in others:
        gap = main["samples_near_data"] - other["samples_near_data"]
        assert gap < main["samples_near_data"] - low["samples_near_data"]


def test_replay_ends_with_the_model_itself(released: Checkpoint) -> None:
    sample, means, grids, reaches, _ = released.snapshots
    assert len(means) == len(grids) == len(reaches) == len(released.history) + 1
    assert len(sample) == 1000
    torch.testing.assert_close(means[-1].float(), released.means[sample], atol=2e-3, rtol=1e-3)
    assert means[0].float().std() < 0.2, "before training all encodings are close together"
    axis = torch.linspace(-1, 1, SIDE) * reaches[-1]
    with torch.inference_mode():
        z = torch.stack([axis[6], -axis[1]])[None]  # row 1 from the top, column 6
        image = released.build_model().decode(z)[0, 0] * 255  # (28, 28)
    assert (grids[-1, 1, 6].float() - image).abs().max() <= 2
    # As the page explains, the warm-up pulls the clusters together: KL falls while beta rises.
    kl = [entry["test_kl"] for entry in released.history]
    assert kl[1] < kl[0]


def test_checkpoint_encodes_all_test_digits(released: Checkpoint) -> None:
    # The class counts of MNIST's 10,000 test digits.
    assert released.counts.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.guarantee("committed-model")
def test_checkpoint_meets_its_targets(released: Checkpoint) -> None:
    final = released.history[-1]
    assert -(final["test_recon"] + 4 * final["test_kl"]) >= -155
    assert final["test_elbo"] >= -140
    mu, logvar = released.means, released.logvars
    kl_of_dimension = 0.5 * (mu.square() + logvar.exp() - logvar - 1).mean(0)  # (2,)
    assert kl_of_dimension.min() > 1, "a latent dimension is hardly used"
    assert abs(float(kl_of_dimension.sum()) - final["test_kl"]) < 0.01


def test_anchors_match_the_encodings(released: Checkpoint) -> None:
    torch.testing.assert_close(digit_centroids(released.means, released.labels), released.centroids)
    assert torch.equal(digit_prototypes(released.means, released.labels), released.prototypes)


def test_model_encodes_test_digits_as_stored(released: Checkpoint, digits: LabelledImages) -> None:
    """tests/digits.npz has the first 20 test digits of each class, in order."""
    mu, _ = released.build_model().encode(digits.test_images.unsqueeze(1).float() / 255)
    for digit in range(10):
        stored = released.means[released.labels == digit][:20]
        torch.testing.assert_close(mu[digits.test_labels == digit], stored, rtol=1e-3, atol=1e-3)


def test_classifier_recognises_all_prototypes(released: Checkpoint, digits: LabelledImages) -> None:
    classifier = load_classifier()
    with torch.inference_mode():
        predicted = classifier(digits.test_images.unsqueeze(1).float() / 255).argmax(1)
        accuracy = float((predicted == digits.test_labels).float().mean())
        assert accuracy >= 0.95, "the classifier itself is not reliable"
        prototypes = released.build_model().decode(released.prototypes)
        assert classifier(prototypes).argmax(1).tolist() == list(range(10))


def test_model_card_is_generated_from_the_checkpoint() -> None:
    assert PATH.with_name("README.md").read_text(encoding="utf-8") == card(PATH)


def test_metrics_match_the_checkpoint(released: Checkpoint) -> None:
    metrics = json.loads(RunPaths(PATH).metrics.read_text())
    assert metrics["history"] == released.history
    assert RunPaths(PATH).curves.read_bytes().startswith(b"\x89PNG")


def test_every_seed_meets_the_targets() -> None:
    seeds = read_report("quality")["seeds"]
    assert len(seeds) >= 5
    for seed, measured in seeds.items():
        assert measured["objective"] >= -155, seed
        assert measured["elbo"] >= -140, seed
        assert measured["knn_accuracy"] >= 0.80, seed
        assert measured["min_dimension_kl"] > 1, seed


@pytest.mark.guarantee("committed-model")
def test_documented_figures_are_those_of_the_reports() -> None:
    assert figures.DOCUMENT.read_text(encoding="utf-8") == figures.document()
    readme = figures.README.read_text(encoding="utf-8")
    assert figures.MARKS[0] + figures.headline() + figures.MARKS[1] in readme


@pytest.mark.guarantee("committed-model")
def test_measured_page_meets_its_targets() -> None:
    report = read_report("page_speed")
    for name in ("map", "slider", "ten dimensions"):
        key = f"{name}: {'key' if name == 'slider' else 'move'} to painted, ms"
        assert report[key]["n"] >= 100, name
    # The aims are 9 and 17 ms and 59 images a second. Without a GPU, on two cores that are shared,
    # waiting for a frame of 60 Hz takes 8 ms on average and drawing it 6. These notice a loss.
    for name in ("map", "ten dimensions"):
        assert report[f"{name}: move to painted, ms"]["p50"] <= 17
        assert report[f"{name}: move to painted, ms"]["p95"] <= 24
        assert report[f"{name}: images per second in a drag"] >= 57
        assert report[f"{name}: requests in a drag"] == 0
    assert report["slider: key to painted, ms"]["p50"] <= 20
    assert report["slider: key to painted, ms"]["p95"] <= 40
    assert report["map and slider: moves never painted"] == 0
    assert report["ten dimensions: moves never painted"] == 0
    assert report["slider: speed-up over plain Gradio, p50"] >= 4
    assert report["decoder in the browser: largest error of a pixel, of 255"] <= 1
    assert report["first visit: bytes over the wire"] <= 1_800_000
    assert report["second visit: bytes over the wire"] < 50_000
    assert report["first visit: time to interactive, s"] <= 3
    assert report["server: start to first response, s"] <= 10


@pytest.mark.guarantee("training-isolated")
def test_measured_answers_meet_their_target_while_a_model_trains() -> None:
    phases = read_report("lab")["answers"]["figures"]["phases"]
    training = [phase for phase in phases if phase["training"]]
    assert {phase["users"] for phase in training} == {1, 4}
    for phase in training:
        assert phase["ms"]["all"]["n"] >= 60
        assert phase["ms"]["all"]["p95"] <= 100, phase["users"]
        assert phase["images_per_second"] >= 1000


@pytest.mark.guarantee("committed-model")
def test_measured_lessons_that_train_take_about_a_minute() -> None:
    lessons = read_report("lab")["lessons"]["figures"]
    assert len(lessons) == 2
    for lesson in lessons:
        assert lesson["solved"], lesson["title"]
        assert lesson["seconds"] <= 90, lesson["title"]


def test_links_of_the_readme_and_the_model_card_exist() -> None:
    for document in (ROOT / "README.md", figures.DOCUMENT, PATH.with_name("README.md")):
        links = re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8"))
        assert links, document
        for link in links:
            assert link.startswith("http") or (document.parent / link).exists(), (document, link)


@pytest.mark.guarantee("committed-model")
def test_no_committed_file_names_local_paths() -> None:
    # Assembled here, so that this file does not match itself.
    pattern = r"\.\./sha" + r"red|/wo" + r"rk/|\.lib" + "rary"
    listed = subprocess.run(
        ["git", "grep", "-lE", pattern, "--", ":!.ci"], cwd=ROOT, capture_output=True, text=True
    )
    assert listed.returncode in (0, 1), listed.stderr
    assert listed.stdout == ""
