"""Data-parallel training under torchrun: one result, one log, clear failures."""

import dataclasses
import os
import subprocess
from pathlib import Path

import pytest
import torch
from torch import Tensor

import trainer
from latent_navigator.checkpoint.checkpoint import Checkpoint, load_checkpoint
from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.training import runner
from latent_navigator.training.config import TrainingConfig
from latent_navigator.training.distributed import (
    SINGLE_PROCESS,
    ProcessGroup,
    process_group_from_environment,
)
from tests.cli.small_trainer import SmallTrainer, write_program
from tests.forks import FORKED_PYTHON, forked_executable
from tests.small import SMALL

# It dies once process 0 has saved the third epoch, which takes it a moment.
DIE_IN_EPOCH_4 = """
    from latent_navigator.checkpoint.checkpoint import load_checkpoint
    train_epoch = trainer.train_epoch
    def train_or_die(model, optimizer, images, epoch, *rest):
        if epoch == 3 and os.environ["RANK"] == "{rank}":
            while len(load_checkpoint("vae.pt.resume").history) < 3:
                pass
            os.kill(os.getpid(), signal.SIGKILL)
        return train_epoch(model, optimizer, images, epoch, *rest)
    trainer.train_epoch = train_or_die
"""
NAN_IN_RANK_1 = """
    vae_loss = trainer.vae_loss
    def poisoned_loss(*arguments):
        losses = vae_loss(*arguments)
        factor = float("nan") if os.environ["RANK"] == "1" else 1.0
        return losses._replace(loss=losses.loss * factor)
    trainer.vae_loss = poisoned_loss
"""
# 500 digits in batches of 83: seven steps, the last with two images, so none for a third process.
CONFIG = TrainingConfig(
    epochs=6, batch_size=83, warmup_epochs=1, device="cpu", precision="fp32", output="vae.pt"
)
UNEVEN_BATCH = 7  # split among three processes as 3, 2 and 2 images


def options(config: TrainingConfig) -> list[str]:
    """The command-line options of a configuration."""
    values = dataclasses.asdict(config)
    return [f"--{name.replace('_', '-')}={value}" for name, value in values.items()]


def torchrun(
    folder: Path, processes: int, config: TrainingConfig, *arguments: str, patch: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the trainer in `processes` processes, in this folder."""
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    program = write_program(folder, patch)
    return subprocess.run(
        [*FORKED_PYTHON, *launch, str(program), *options(config), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "PYTHON_EXEC": str(forked_executable())},  # starts the processes
        check=False,
    )


def flat_weights(checkpoint: Checkpoint) -> Tensor:
    """All weights in one vector."""
    return torch.cat([value.flatten() for value in checkpoint.weights.values()])


def train_alone(
    config: TrainingConfig, digits: LabelledImages, folder: Path, seed: int = 0
) -> Checkpoint:
    """The checkpoint of the same run in a single process."""
    config = dataclasses.replace(config, seed=seed, output=str(folder / "alone" / "vae.pt"))
    checkpoint = trainer.train(config, SMALL, digits)
    assert checkpoint is not None
    return checkpoint


def assert_same_training(
    found: Checkpoint, config: TrainingConfig, digits: LabelledImages, folder: Path
) -> None:
    """The weights and losses are those of a single process, except for the order of sums.

    That order changes weights by 1e-7 after one epoch. If all shards had the same weight whatever
    their size, the relative distance would be 0.1; with another seed it is 1.
    """
    expected = train_alone(config, digits, folder)
    weights, expected_weights = flat_weights(found), flat_weights(expected)
    distance = float((weights - expected_weights).norm() / expected_weights.norm())
    assert distance < 1e-3
    for name in ("train_recon", "train_kl", "test_recon", "test_kl"):
        loss, expected_loss = found.history[-1][name], expected.history[-1][name]
        assert loss == pytest.approx(expected_loss, rel=1e-3, abs=1e-4)


@pytest.mark.guarantee("distributed-training")
def test_three_processes_train_the_same_model_as_one(
    tmp_path: Path, digits: LabelledImages
) -> None:
    config = dataclasses.replace(CONFIG, epochs=1, batch_size=UNEVEN_BATCH)
    done = torchrun(tmp_path, 3, config)
    assert done.returncode == 0, done.stderr
    # One log and one set of files.
    assert done.stdout.count("Training on 500 digits") == 1
    assert done.stdout.count("Saved") == 1
    assert "3 processes" in done.stdout
    assert "Warning" not in done.stderr
    files = {path.name for path in tmp_path.iterdir()}
    assert files == {"program.py", "vae.pt", "vae.pt.metrics.json", "vae.pt.curves.png"}
    found = load_checkpoint(tmp_path / "vae.pt")
    assert not any(name.startswith("module.") for name in found.weights)
    assert_same_training(found, config, digits, tmp_path)
    # The bound is meaningful: a run with another seed is far beyond it.
    other = flat_weights(train_alone(config, digits, tmp_path, seed=1))
    assert float((flat_weights(found) - other).norm() / other.norm()) > 0.3


@pytest.mark.guarantee("distributed-failures")
@pytest.mark.guarantee("distributed-training")
@pytest.mark.parametrize(("rank", "processes"), [(0, 3), (1, 1)])
def test_run_that_lost_a_process_resumes_with_any_number(
    tmp_path: Path,
    digits: LabelledImages,
    small_trainer: SmallTrainer,
    rank: int,
    processes: int,
) -> None:
    done = torchrun(tmp_path, 2, CONFIG, patch=DIE_IN_EPOCH_4.format(rank=rank))
    assert done.returncode != 0
    assert "Another process of the run has ended" in done.stdout, done.stderr
    assert len(load_checkpoint(tmp_path / "vae.pt.resume").history) == 3
    assert "epochs 1 to 3 are saved in vae.pt.resume" in done.stdout
    assert "torchrun --nproc-per-node=2 trainer.py" in done.stdout
    assert 'trainer.py", line' not in done.stderr  # torchrun has its own traceback
    assert not (tmp_path / "vae.pt").exists()
    assert not list(tmp_path.glob("*.tmp"))
    if processes == 1:
        status, _, stderr = small_trainer(*options(CONFIG), "--resume")
    else:
        again = torchrun(tmp_path, processes, CONFIG, "--resume")
        status, stderr = again.returncode, again.stderr
    assert status == 0, stderr
    found = load_checkpoint(tmp_path / "vae.pt")
    assert len(found.history) == 6
    assert not (tmp_path / "vae.pt.resume").exists()
    assert_same_training(found, CONFIG, digits, tmp_path)


@pytest.mark.guarantee("distributed-failures")
def test_loss_that_is_not_finite_in_one_process_ends_all_with_one_message(tmp_path: Path) -> None:
    done = torchrun(tmp_path, 2, dataclasses.replace(CONFIG, epochs=1), patch=NAN_IN_RANK_1)
    assert done.returncode != 0
    assert done.stderr.count("trainer.py: the loss is nan") == 1
    assert list(tmp_path.glob("*.pt")) == []


# --- in this process ---


@pytest.mark.guarantee("distributed-training")
@pytest.mark.parametrize(
    ("arguments", "message"), [(["--epochs=0"], "epochs is 0"), (["--what"], "--what")]
)
def test_invalid_options_are_reported_by_process_0_only(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    for rank, reports in (("0", 1), ("1", 0)):
        monkeypatch.setenv("RANK", rank)
        monkeypatch.setenv("LOCAL_RANK", rank)
        try:
            assert trainer.main(arguments) == 1
        except SystemExit as error:
            assert error.code == 2
        assert capsys.readouterr().err.count(message) == reports
    assert waits == [runner.REPORT_SECONDS]


@pytest.mark.guarantee("distributed-training")
@pytest.mark.parametrize("world_size", [1, 2, 3, 7])
@pytest.mark.parametrize("count", [1, 2, 5, 83])
def test_shards_of_a_batch_make_up_the_batch(world_size: int, count: int) -> None:
    rows = list(range(count))
    shards = [ProcessGroup(rank, world_size).shard(count) for rank in range(world_size)]
    assert sorted(row for part, share in shards if share for row in rows[part]) == rows
    assert sum(share for _, share in shards) == pytest.approx(1)
    for part, share in shards:
        assert len(rows[part]) == (round(share * count) if share else 1)


def test_without_torchrun_there_is_a_single_process() -> None:
    assert process_group_from_environment({}) is SINGLE_PROCESS
    assert SINGLE_PROCESS.shard(5) == (slice(0, None, 1), 1.0)
    assert SINGLE_PROCESS.launch_command() == ["python"]


def test_torchrun_variables_describe_the_process_group() -> None:
    variables = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}
    group = process_group_from_environment(variables)
    assert group == ProcessGroup(5, 8, 1, 4)
    assert not group.is_main
    assert group.launch_command()[:3] == ["torchrun", "--nnodes=2", "--nproc-per-node=4"]


@pytest.mark.parametrize(
    "invalid", [{"RANK": "8"}, {"RANK": "-1"}, {"WORLD_SIZE": "many"}, {"LOCAL_RANK": ""}]
)
def test_contradictory_torchrun_variables_are_named(invalid: dict[str, str]) -> None:
    variables = {"RANK": "0", "WORLD_SIZE": "8", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "4"}
    with pytest.raises(ValueError, match="torchrun") as caught:
        process_group_from_environment(variables | invalid)
    assert next(iter(invalid)) in str(caught.value)


@pytest.mark.guarantee("distributed-training")
def test_each_process_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.accelerator.device_count", lambda: 2)
    cuda, cpu, second = torch.device("cuda"), torch.device("cpu"), torch.device("cuda", 1)
    assert ProcessGroup(1, 2, 1, 2).local_device(cuda) == second
    assert ProcessGroup(1, 2, 1, 2).local_device(cpu) == cpu
    assert SINGLE_PROCESS.local_device(second) == second
    too_many, numbered = ProcessGroup(2, 3, 2, 3), torch.device("cuda", 0)
    for group, device in ((too_many, cuda), (ProcessGroup(1, 2, 1, 2), numbered)):
        with pytest.raises(ValueError, match="nproc-per-node=2"):
            group.local_device(device)
