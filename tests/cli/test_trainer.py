"""Training, interrupting and resuming a small model; the command line of trainer.py."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import trainer
from latent_navigator.checkpoint.checkpoint import Checkpoint, load_checkpoint
from latent_navigator.data.datasets import load_dataset
from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.training import command_line, runner
from latent_navigator.training.config import TrainingConfig
from latent_navigator.training.gradient import ShardedGradient
from latent_navigator.training.paths import RunPaths
from latent_navigator.training.resume import load_resumable
from latent_navigator.training.runner import TrainingError
from neural_network import VAE, VAELoss, vae_loss
from tests.cli.small_trainer import ROOT, SmallTrainer, start_process
from tests.helpers import HANG
from tests.small import SMALL
from tests.unit.test_image_folder import write_folder


def test_training_reduces_the_loss(
    small_checkpoint: Checkpoint, small_config: TrainingConfig
) -> None:
    history = small_checkpoint.history
    assert len(history) == small_config.epochs
    assert history[-1]["test_recon"] < history[0]["test_recon"] - 50
    assert history[-1]["test_elbo"] == -(history[-1]["test_recon"] + history[-1]["test_kl"])
    assert all(small_checkpoint.means.std(dim=0) > 0.1)
    assert small_checkpoint.training_state is None


def test_evaluation_equals_the_loss_of_the_whole_set(
    small_checkpoint: Checkpoint, digits: LabelledImages
) -> None:
    model = small_checkpoint.build_model()
    recon, kl, encodings = trainer.evaluate(model, digits.test_images, digits.test_labels, seed=7)
    x = digits.test_images.unsqueeze(1).float() / 255
    with torch.inference_mode():
        mu, logvar = model.encode(x)
        z = model.reparameterize(mu, logvar, torch.Generator().manual_seed(7))
        loss = vae_loss(model.decoder(z), x, mu, logvar, 1.0)
    assert recon == pytest.approx(float(loss.recon), rel=1e-4)
    assert kl == pytest.approx(float(loss.kl), rel=1e-4)
    torch.testing.assert_close(encodings.means, mu)


def train_small(
    config: TrainingConfig, digits: LabelledImages, folder: Path, **changes: Any
) -> tuple[TrainingConfig, Checkpoint]:
    """The configuration and the checkpoint of a run of four epochs."""
    config = dataclasses.replace(config, epochs=4, output=str(folder / "vae.pt"), **changes)
    checkpoint = trainer.train(config, SMALL, digits)
    assert checkpoint is not None
    return config, checkpoint


@pytest.mark.guarantee("schedule-and-seed")
def test_same_seed_gives_the_same_weights(
    small_config: TrainingConfig, digits: LabelledImages, tmp_path: Path
) -> None:
    _, first = train_small(small_config, digits, tmp_path / "a")
    _, second = train_small(small_config, digits, tmp_path / "b")
    _, other = train_small(small_config, digits, tmp_path / "c", seed=2)
    assert all(torch.equal(first.weights[name], second.weights[name]) for name in first.weights)
    assert not torch.equal(first.means, other.means)


@pytest.mark.guarantee("interrupts-keep-the-run")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_resumed_run_equals_an_uninterrupted_one_bit_for_bit(
    small_config: TrainingConfig,
    digits: LabelledImages,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    precision: str,
) -> None:
    config, whole = train_small(small_config, digits, tmp_path / "whole", precision=precision)
    stopped = dataclasses.replace(config, output=str(tmp_path / "stopped" / "vae.pt"))
    train_epoch = trainer.train_epoch

    def interrupted(*arguments: Any) -> tuple[float, float]:
        if arguments[3] == 2:
            raise KeyboardInterrupt
        return train_epoch(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "train_epoch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            trainer.train(stopped, SMALL, digits)
    found = load_resumable(RunPaths(Path(stopped.output)), SMALL, stopped)
    assert len(found.history) == 2
    torch.rand(1000)  # the state of the global generator must not matter
    resumed = trainer.train(stopped, SMALL, digits, found)
    assert resumed is not None
    for name, value in whole.weights.items():
        assert torch.equal(value, resumed.weights[name]), name
    assert torch.equal(whole.means, resumed.means)
    assert without_seconds(whole) == without_seconds(resumed)


def without_seconds(checkpoint: Checkpoint) -> list[dict[str, float]]:
    """The history without the duration of each epoch."""
    return [{k: v for k, v in entry.items() if k != "seconds"} for entry in checkpoint.history]


def test_resuming_another_configuration_names_the_differences(
    small_config: TrainingConfig, digits: LabelledImages, tmp_path: Path
) -> None:
    config, _ = train_small(small_config, digits, tmp_path)
    paths = RunPaths(Path(config.output))
    other = dataclasses.replace(config, seed=9, beta=2.0)
    with pytest.raises(ValueError, match="a different configuration") as caught:
        load_resumable(paths, SMALL, other)
    assert "seed (1 then, 9 now)" in str(caught.value)
    assert "beta" in str(caught.value)
    assert "epochs" not in str(caught.value)
    with pytest.raises(ValueError, match="latent_dim"):
        load_resumable(paths, dataclasses.replace(SMALL, latent_dim=3), config)


@pytest.mark.parametrize("source", ["loss", "gradient"])
def test_loss_that_is_not_finite_stops_the_run_before_the_step(
    small_config: TrainingConfig,
    digits: LabelledImages,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
) -> None:
    steps: list[int] = []

    def poisoned(logits: Tensor, x: Tensor, mu: Tensor, logvar: Tensor, beta: float) -> VAELoss:
        loss = vae_loss(logits, x, mu, logvar, beta)
        if len(steps) < 6:
            return loss
        infinite_slope = (mu * 0).abs().sum().sqrt()
        return loss._replace(
            loss=loss.loss * torch.nan if source == "loss" else loss.loss + infinite_slope
        )

    monkeypatch.setattr(trainer, "vae_loss", poisoned)
    model = VAE(SMALL)
    optimizer = torch.optim.Adam(model.parameters())
    bar = trainer.progress_bar(len(digits.train_images), range(4), is_main=False)
    gradient = ShardedGradient(model, threads=1)
    take_step = gradient.step

    def counted(optimizer: torch.optim.Optimizer) -> None:
        take_step(optimizer)
        steps.append(1)

    monkeypatch.setattr(gradient, "step", counted)
    with gradient, pytest.raises(TrainingError) as caught:
        trainer.train_epoch(gradient, optimizer, digits.train_images, 3, small_config, bar)
    assert "epoch 4, step 7" in str(caught.value)
    assert "learning rate" in str(caught.value)
    assert len(steps) == 6
    assert all(parameter.isfinite().all() for parameter in model.parameters())


# --- the command line ---


def test_command_line_from_start_to_end(tmp_path: Path, small_trainer: SmallTrainer) -> None:
    options = ("--epochs", "2", "--output", "out/vae.pt")
    drawn = "from matplotlib.figure import Figure; metrics.Figure = Figure"
    process = start_process(tmp_path, *options, patch=drawn, forked=False)
    stdout, stderr = process.communicate(timeout=HANG)
    assert process.returncode == 0, stderr
    lines = stdout.splitlines()
    assert any(line.startswith("epoch") and "ELBO" in line for line in lines)
    rows = [line.split() for line in lines if line.strip()[:1] in "12"]
    assert [row[0] for row in rows] == ["1", "2"]
    assert stderr == "", "a log has no bar"
    assert "python demo.py --checkpoint out/vae.pt" in lines[-1]
    out = tmp_path / "out"
    files = {path.name for path in out.iterdir()}
    assert files == {"vae.pt.metrics.json", "vae.pt.curves.png", "vae.pt"}
    metrics = json.loads((out / "vae.pt.metrics.json").read_text())
    assert metrics["history"] == load_checkpoint(out / "vae.pt").history
    rates = [f"{500 / epoch['seconds']:,.0f}" for epoch in metrics["history"]]
    assert [row[-2] for row in rows] == rates
    assert rows[1][-1] == "0:00", "time left"
    assert (out / "vae.pt.curves.png").read_bytes().startswith(b"\x89PNG")
    status, stdout, _ = small_trainer("--epochs", "2", "--output", "out/vae.pt", "--resume")
    assert status == 0
    assert "nothing to do" in stdout
    line = small_trainer.error("--epochs", "3", "--output", "out/vae.pt", "--resume")
    assert "epochs (2 then, 3 now)" in line


@pytest.mark.guarantee("interrupts-keep-the-run")
def test_ctrl_c_saves_the_last_epoch(tmp_path: Path) -> None:
    process = start_process(tmp_path, "--epochs", "4000")
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip().startswith("2 "):
            break
    process.send_signal(signal.SIGINT)
    try:
        stdout, stderr = process.communicate(timeout=HANG)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert "To continue: python trainer.py" in stdout
    assert stdout.strip().endswith("--resume")
    epochs = len(load_checkpoint(tmp_path / "vae.pt.resume").history)
    assert epochs >= 2
    assert f"epochs 1 to {epochs} are saved" in stdout
    assert not (tmp_path / "vae.pt").exists()


@pytest.mark.guarantee("folders-recognised")
def test_a_folder_with_damaged_images_is_trained_on_request(
    tmp_path: Path,
    digits: LabelledImages,
    small_trainer: SmallTrainer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runner, "load_dataset", load_dataset)
    write_folder(tmp_path / "shoes" / "train", digits)
    damaged = tmp_path / "shoes" / "train" / "coat" / "3.png"
    damaged.write_bytes(damaged.read_bytes()[:100])
    options = ("--dataset", "shoes/", "--epochs", "1")
    line = small_trainer.error(*options)
    assert "shoes/train/coat/3.png: The image file is damaged" in line
    assert "--skip-damaged" in line
    status, stdout, _ = small_trainer(*options, "--skip-damaged")
    assert status == 0
    assert (
        "shoes/: found 3 classes, 254 images for training in train/ and 51 for testing (every 6th "
        "of a class). Damaged and skipped: 1 file (shoes/train/coat/3.png).\n"
    ) in stdout


@pytest.mark.parametrize("latent_dim", [2, 3])
def test_the_demo_is_advised_after_the_training(
    small_trainer: SmallTrainer, monkeypatch: pytest.MonkeyPatch, latent_dim: int
) -> None:
    model_config = dataclasses.replace(SMALL, latent_dim=latent_dim)
    monkeypatch.setattr(command_line, "VAEConfig", lambda **_: model_config)
    status, stdout, _ = small_trainer("--epochs", "1")
    assert status == 0
    assert "Next: python demo.py --checkpoint" in stdout


@pytest.mark.guarantee("options-validated")
def test_resuming_without_a_run_is_an_error(small_trainer: SmallTrainer) -> None:
    assert "no run to resume" in small_trainer.error("--resume", "--output", "nowhere/vae.pt")


def test_help_is_fast_and_does_not_import_torch() -> None:
    program = (
        "import runpy, sys\n"
        "sys.argv = ['trainer.py', '--help']\n"
        "try:\n"
        "    runpy.run_path('trainer.py', run_name='__main__')\n"
        "finally:\n"
        "    assert not {'torch', 'numpy', 'matplotlib', 'torchvision'} & set(sys.modules)\n"
    )
    started, cpu_started = time.perf_counter(), os.times().children_user
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    # On a busy machine the wall-clock time includes other processes' work.
    elapsed = min(time.perf_counter() - started, os.times().children_user - cpu_started)
    assert done.returncode == 0, done.stderr
    assert "--learning-rate" in done.stdout
    assert elapsed < 1


@pytest.mark.guarantee("imports-have-no-effects")
def test_importing_has_no_effects(tmp_path: Path) -> None:
    """No files, no output, no parsing, no seeding; torchvision only for a download."""
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv = ['x', '--nonsense']\n"
        "import latent_navigator.training.command_line\n"
        "assert 'torch' not in sys.modules\n"
        "import torch; before = torch.random.get_rng_state()\n"
        "import demo, latent_utils, neural_network, trainer\n"
        "import importlib, pkgutil, latent_navigator\n"
        "for module in pkgutil.walk_packages(latent_navigator.__path__, 'latent_navigator.'):\n"
        "    importlib.import_module(module.name)\n"
        "assert 'torchvision' not in sys.modules\n"
        "assert torch.equal(before, torch.random.get_rng_state())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []
    assert TrainingConfig().epochs == 50
