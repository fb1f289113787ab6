"""What the page may ask for, and the command that is made of it."""

import shlex
from pathlib import Path
from typing import Any

import pytest

from latent_navigator.lab import estimate
from latent_navigator.lab.presets import USUAL, datasets, presets
from latent_navigator.lab.settings import FOLDER, MAX_EPOCHS, Settings, parse_settings
from latent_navigator.training.command_line import parse_arguments
from latent_navigator.training.config import TrainingConfig

NOWHERE = Path("data")


def parse(folders: bool = True, **values: object) -> Settings:
    return parse_settings({"dataset": "mnist", **values}, NOWHERE, folders)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"beta": -1}, "beta is -1.0; give a number in 0 ... 1000"),
        ({"beta": float("nan")}, "beta is nan; give a number"),
        ({"beta": "4"}, "beta is '4'; give a number"),
        ({"beta": True}, "beta is True; give a number"),
        ({"epochs": 1.5}, "the number of epochs is 1.5; give a whole number"),
        ({"epochs": 0}, "the number of epochs is 0; give 1"),
        (
            {"epochs": MAX_EPOCHS + 1},
            f"the number of epochs is {MAX_EPOCHS + 1}; give 1 ... {MAX_EPOCHS}",
        ),
        ({"latent_dim": 1}, "the number of latent dimensions is 1; give 2 to 64"),
        ({"latent_dim": 65}, "the number of latent dimensions is 65"),
        ({"limit": -1}, "the number of training images is -1"),
        ({"seed": 2**31}, "seed is 2147483648"),
        ({"warmup_epochs": []}, r"the warm-up is \[\]; give a number"),
        ({"output": "/etc/passwd"}, "'output' is not a setting"),
        ({"data_dir": "/"}, "'data_dir' is not a setting"),
        ({"dataset": "../secret"}, "dataset is '../secret'; give mnist"),
        ({"dataset": 3}, "dataset is 3; give mnist"),
        ({"dataset": "kmnist"}, "KMNIST is not on this disk; download it first"),
        ({"dataset": FOLDER}, "folder is None; give the path"),
        ({"dataset": FOLDER, "folder": "no/such/folder"}, "'no/such/folder' is not a folder"),
        ({"dataset": FOLDER, "folder": "a\0b"}, "is not a folder"),
    ],
)
def test_invalid_settings_are_named(
    values: dict[str, Any], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=sentence):
        parse(**values)


@pytest.mark.parametrize("values", [None, [], "mnist", 3])
def test_settings_are_an_object(values: object) -> None:
    with pytest.raises(ValueError, match="give an object"):
        parse_settings(values, NOWHERE, True)


def test_a_folder_is_named_only_where_the_server_is_local(tmp_path: Path) -> None:
    found = parse(dataset=FOLDER, folder=str(tmp_path))
    assert found.config.dataset == str(tmp_path)
    with pytest.raises(ValueError, match="only from the server"):
        parse(folders=False, dataset=FOLDER, folder=str(tmp_path))


def test_the_options_are_those_of_the_settings() -> None:
    settings = parse(beta=0.5, warmup_epochs=2.5, epochs=7, latent_dim=10, limit=600, seed=3)
    arguments = parse_arguments(settings.options("runs/some.pt"))
    assert arguments.config.hyperparameters() == settings.config.hyperparameters()
    assert arguments.model_config == settings.model
    assert arguments.config.output == "runs/some.pt"
    assert arguments.progress
    assert shlex.join(settings.options("runs/some.pt")) == (
        "--dataset mnist --epochs 7 --beta 0.5 --warmup-epochs 2.5 --seed 3 --limit 600 "
        "--latent-dim 10 --output runs/some.pt --progress"
    )
    assert settings.title == "MNIST, beta 0.5, 10 dimensions, 600 images, 7 epochs"


def test_a_data_set_is_offered_where_it_is_on_the_disk(tmp_path: Path) -> None:
    assert [one["label"] for one in datasets(tmp_path, False)] == ["MNIST (downloads 11 MB)"]
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte").touch()
    assert [one["key"] for one in datasets(tmp_path, True)] == ["mnist", "fashion-mnist", FOLDER]


@pytest.mark.parametrize("rate", [400.0, 6000.0, 1e9])
def test_presets_are_valid_and_differ(rate: float) -> None:
    found = presets(rate, 60_000)
    for preset in found:
        assert set(preset["values"]) == set(USUAL)
        parse(**preset["values"])
    assert len({str(preset["values"]) for preset in found}) == len(found)


def test_the_preset_of_a_minute_takes_about_a_minute() -> None:
    for rate in (4000.0, 12_000.0):
        values = {p["key"]: p["values"] for p in presets(rate, 60_000)}["minute"]
        images = values["limit"] or 60_000
        assert 45 <= estimate.seconds(rate, images, values["epochs"]) <= 62


def test_the_rate_is_that_of_the_newest_run() -> None:
    start = {"kind": "start", "images": 6000, "test_images": 10_000}
    entry = {"kind": "moment", "at": 1, "entry": {"seconds": 2.0}}
    assert estimate.recorded_rate([start, entry]) == (6000 + 0.35 * 10_000) / 2
    assert estimate.recorded_rate([start, {"kind": "moment", "at": 0, "entry": None}]) is None
    speed = estimate.Speed()
    speed.recorded(123.0)
    speed.recorded(None)
    assert speed.rate == 123.0


def test_the_rate_is_measured_where_none_is_recorded() -> None:
    assert 10 < estimate.Speed().rate < 1e6


@pytest.mark.parametrize(
    ("time_left", "text"),
    [(1, "5 seconds"), (62, "60 seconds"), (100, "2 minutes"), (9000, "2.5 hours")],
)
def test_durations_are_said_as_readers_do(time_left: float, text: str) -> None:
    assert estimate.in_words(time_left) == text


def test_the_usual_values_are_settings() -> None:
    assert TrainingConfig(**{k: v for k, v in USUAL.items() if k != "latent_dim"})  # type: ignore[arg-type]
