"""Schedules, a short real training, interruption and resumption, what the command line says."""

import dataclasses
import json
import signal
import subprocess
import sys
import textwrap
from itertools import pairwise
from pathlib import Path

import pytest
import torch

import trainer
from latent_navigator.checkpoint.checkpoint import load_checkpoint
from latent_navigator.training import config as recipe
from latent_navigator.training.config import TrainingConfig, beta_at, learning_rate_at
from neural_network import VAE
from tests.conftest import ROOT, SMALL


@pytest.mark.guarantee("schedule-and-seed")
def test_beta_rises_from_0_to_4_over_10_epochs_and_stays():
    config = TrainingConfig()
    assert [beta_at(p, config) for p in (0, 2.5, 5, 10, 10.1, 50)] == [0, 1, 2, 4, 4, 4]
    assert beta_at(0, dataclasses.replace(config, warmup_epochs=0)) == 4


def test_learning_rate_is_one_cycle():
    config = TrainingConfig()
    rates = [learning_rate_at(p / 10, config) for p in range(501)]
    top = rates.index(max(rates))
    assert rates[top] == pytest.approx(config.learning_rate) and top == 150
    assert all(a < b for a, b in pairwise(rates[: top + 1]))
    assert all(a >= b for a, b in pairwise(rates[top:]))
    assert 0 < rates[-1] < config.learning_rate / 1000


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"epochs": 2.5},
        {"batch_size": -1},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"beta": -1.0},
        {"beta": float("inf")},
        {"warmup_epochs": -1.0},
        {"grad_clip": 0.0},
        {"blanking": 1.0},
        {"precision": "fp8"},
        {"seed": -1},
    ],
)
def test_a_wrong_configuration_is_named(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} is"):
        TrainingConfig(**wrong)


def test_every_option_has_the_default_of_the_configuration():
    options = vars(trainer.build_parser().parse_args([]))
    assert options.pop("resume") is False and options.pop("latent_dim") == 2
    assert TrainingConfig(**options) == TrainingConfig()


def test_a_short_training_learns(small_checkpoint, small_config):
    history = small_checkpoint.history
    assert len(history) == small_config.epochs
    assert history[-1]["test_recon"] < history[0]["test_recon"] - 50
    assert history[-1]["test_elbo"] == -(history[-1]["test_recon"] + history[-1]["test_kl"])
    assert all(small_checkpoint.means.std(dim=0) > 0.1)
    assert small_checkpoint.training_state is None


def test_evaluation_is_the_loss_of_the_whole_set(small_checkpoint, digits):
    from neural_network import vae_loss

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


def run_small(small_config, digits, folder: Path, **changes):
    config = dataclasses.replace(small_config, epochs=4, output=str(folder / "vae.pt"), **changes)
    return config, trainer.train(config, SMALL, digits)


@pytest.mark.guarantee("schedule-and-seed")
def test_the_same_seed_gives_the_same_weights(small_config, digits, tmp_path):
    _, first = run_small(small_config, digits, tmp_path / "a")
    _, second = run_small(small_config, digits, tmp_path / "b")
    _, other = run_small(small_config, digits, tmp_path / "c", seed=2)
    assert all(torch.equal(first.weights[name], second.weights[name]) for name in first.weights)
    assert not torch.equal(first.means, other.means)


@pytest.mark.guarantee("interrupts-keep-the-run")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_resumed_run_ends_bitwise_equal(small_config, digits, tmp_path, monkeypatch, precision):
    config, whole = run_small(small_config, digits, tmp_path / "whole", precision=precision)
    broken = dataclasses.replace(config, output=str(tmp_path / "broken" / "vae.pt"))
    real = trainer.train_epoch

    def interrupted(model, optimizer, images, epoch, *rest):
        if epoch == 2:
            raise KeyboardInterrupt
        return real(model, optimizer, images, epoch, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "train_epoch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            trainer.train(broken, SMALL, digits)
    found = trainer.load_resumable(Path(broken.output), SMALL, broken)
    assert len(found.history) == 2
    torch.rand(1000)  # the global generator's state must not matter
    resumed = trainer.train(broken, SMALL, digits, found)
    for name, value in whole.weights.items():
        assert torch.equal(value, resumed.weights[name]), name
    assert torch.equal(whole.means, resumed.means)
    without_time = [{k: v for k, v in e.items() if k != "seconds"} for e in whole.history]
    assert without_time == [{k: v for k, v in e.items() if k != "seconds"} for e in resumed.history]


def test_resuming_with_another_configuration_names_what_differs(small_config, digits, tmp_path):
    config, _ = run_small(small_config, digits, tmp_path)
    other = dataclasses.replace(config, seed=9, beta=2.0)
    with pytest.raises(ValueError, match="another configuration") as caught:
        trainer.load_resumable(Path(config.output), SMALL, other)
    assert "seed (1 then, 9 now)" in str(caught.value) and "beta" in str(caught.value)
    assert "epochs" not in str(caught.value)
    with pytest.raises(ValueError, match="latent_dim"):
        trainer.load_resumable(
            Path(config.output), dataclasses.replace(SMALL, latent_dim=3), config
        )


def test_resuming_nothing_is_an_error(small_config, tmp_path):
    with pytest.raises(ValueError, match="no run to resume"):
        trainer.load_resumable(tmp_path / "vae.pt", SMALL, small_config)


@pytest.mark.parametrize("where", ["loss", "gradient"])
def test_a_loss_that_is_not_finite_stops_before_the_step(
    small_config, digits, tmp_path, monkeypatch, where
):
    seen = {}

    def poisoned(logits, x, mu, logvar, beta):
        loss = real(logits, x, mu, logvar, beta)
        seen["calls"] = seen.get("calls", 0) + 1
        if seen["calls"] < 7:
            return loss
        bad = loss.loss * torch.nan if where == "loss" else (mu * 0).abs().sum().sqrt() + loss.loss
        return loss._replace(loss=bad)

    real = trainer.vae_loss
    monkeypatch.setattr(trainer, "vae_loss", poisoned)
    model = VAE(SMALL)
    optimizer = torch.optim.Adam(model.parameters())
    steps = []
    optimizer.register_step_post_hook(lambda *_: steps.append(1))
    with trainer.tqdm(disable=True) as bar, pytest.raises(trainer.TrainingError) as caught:
        trainer.train_epoch(model, optimizer, digits.train_images, 3, small_config, bar)
    assert "epoch 4, step 7" in str(caught.value) and "learning rate" in str(caught.value)
    assert len(steps) == 6
    assert all(parameter.isfinite().all() for parameter in model.parameters())


# The command line, in processes of its own, on the digits that ship with the tests.
PROGRAM = """
    import signal, sys
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run with `&`
    sys.path[:0] = [{root!r}, {tests!r}]
    import trainer
    from conftest import read_digits
    trainer.load_dataset = lambda name, folder: read_digits()
    sys.exit(trainer.main({arguments!r}))
"""
QUICK = ["--batch-size", "100", "--warmup-epochs", "1", "--device", "cpu", "--precision", "fp32"]


def command(*arguments: str) -> list[str]:
    program = PROGRAM.format(
        root=str(ROOT), tests=str(ROOT / "tests"), arguments=[*QUICK, *arguments]
    )
    return [sys.executable, "-c", textwrap.dedent(program)]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command(*arguments), cwd=folder, capture_output=True, text=True, timeout=300
    )


def test_the_command_line_from_start_to_end(tmp_path):
    done = run(tmp_path, "--epochs", "2", "--output", "out/vae.pt")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert any(line.startswith("epoch") and "ELBO" in line for line in lines)
    assert [line.split()[0] for line in lines if line.strip()[:1] in "12"] == ["1", "2"]
    assert "python demo.py --checkpoint out/vae.pt" in lines[-1]
    out = tmp_path / "out"
    assert sorted(entry.name for entry in out.iterdir()) == [
        "metrics.json",
        "training_curves.png",
        "vae.pt",
    ]
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["history"] == load_checkpoint(out / "vae.pt").history
    assert (out / "training_curves.png").read_bytes().startswith(b"\x89PNG")
    again = run(tmp_path, "--epochs", "2", "--output", "out/vae.pt", "--resume")
    assert again.returncode == 0 and "nothing to do" in again.stdout
    other = run(tmp_path, "--epochs", "3", "--output", "out/vae.pt", "--resume")
    assert other.returncode == 1 and "epochs (2 then, 3 now)" in other.stderr


@pytest.mark.guarantee("interrupts-keep-the-run")
def test_ctrl_c_keeps_the_last_epoch_and_resume_finishes(tmp_path):
    arguments = ["--epochs", "4000", "--output", "vae.pt"]
    process = subprocess.Popen(
        command(*arguments), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if line.strip().startswith("2 "):
            break
    process.send_signal(signal.SIGINT)
    try:
        rest, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "To go on: python trainer.py" in rest and rest.strip().endswith("--resume")
    kept = load_checkpoint(tmp_path / "vae.resume.pt")
    assert f"epochs 1 to {len(kept.history)} are kept" in rest and len(kept.history) >= 2
    assert not (tmp_path / "vae.pt").exists()


@pytest.mark.guarantee("options-validated")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "epochs is 0"),
        (["--latent-dim", "0"], "latent_dim is 0"),
        (["--device", "abacus"], "device is 'abacus'"),
        (["--resume", "--output", "nowhere/vae.pt"], "no run to resume"),
    ],
)
def test_wrong_options_are_one_line(tmp_path, arguments, message):
    done = run(tmp_path, *arguments)
    assert done.returncode == 1 and message in done.stderr
    assert done.stderr.startswith("trainer.py: ") and done.stderr.count("\n") == 1


@pytest.mark.guarantee("imports-have-no-effects")
def test_importing_has_no_effects(tmp_path):
    """No I/O, no argparse, no seeding; and the demo's modules do not import torchvision."""
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv = ['x', '--nonsense']\n"
        "import torch; before = torch.random.get_rng_state()\n"
        "import demo, latent_utils, neural_network\n"
        "import latent_navigator.app.layout, latent_navigator.training.config\n"
        "assert 'torchvision' not in sys.modules\n"
        "import trainer, latent_navigator.data.datasets, latent_navigator.training.metrics\n"
        "assert torch.equal(before, torch.random.get_rng_state())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "" and list(tmp_path.iterdir()) == []
    assert recipe.TrainingConfig().epochs == 50
