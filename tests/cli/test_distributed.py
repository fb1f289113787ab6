"""Training by several processes under torchrun: the same result, one voice, an orderly end."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

import trainer
from latent_navigator.checkpoint.checkpoint import load_checkpoint
from latent_navigator.training import distributed as ranks
from latent_navigator.training.config import TrainingConfig
from latent_navigator.training.distributed import ALONE, Ranks, find_ranks
from tests.conftest import ROOT, SMALL

# What torchrun starts: the trainer on the digits that ship with the tests, with a small model.
PROGRAM = """
    import os, signal, sys
    sys.path[:0] = [{root!r}, {tests!r}]
    import torch
    import trainer
    from conftest import SMALL, read_digits
    trainer.load_dataset = lambda name, folder: read_digits()
    trainer.VAEConfig = lambda latent_dim=2: SMALL
    {sabotage}
    if __name__ == "__main__":
        trainer.end(trainer.main(sys.argv[1:]))
"""
DIES = """
    real = trainer.train_epoch
    def train_epoch(model, optimizer, images, epoch, *rest):
        if epoch == 3 and os.environ["RANK"] == "{rank}":
            os.kill(os.getpid(), signal.SIGKILL)
        return real(model, optimizer, images, epoch, *rest)
    trainer.train_epoch = train_epoch
"""
STRAYS = """
    real = trainer.vae_loss
    def vae_loss(*arguments):
        losses = real(*arguments)
        stray = float("nan") if os.environ["RANK"] == "1" else 1.0
        return losses._replace(loss=losses.loss * stray)
    trainer.vae_loss = vae_loss
"""
# 500 digits in batches of 83: seven steps.
QUICK = ["--batch-size", "83", "--warmup-epochs", "1", "--device", "cpu", "--precision", "fp32"]
UNEVEN = 3  # digits in a batch: no two processes have the same share, and the last batch is of two
EPOCHS_KILLED = ["--epochs", "6"]


def write_program(folder: Path, sabotage: str = "") -> Path:
    about = {"root": str(ROOT), "tests": str(ROOT / "tests")}
    path = folder / "program.py"
    text = textwrap.dedent(PROGRAM).format(**about, sabotage=textwrap.dedent(sabotage))
    path.write_text(text)
    return path


def torchrun(folder: Path, processes: int, *arguments: str, sabotage: str = ""):
    program = write_program(folder, sabotage)
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    return subprocess.run(
        [sys.executable, *launch, str(program), *QUICK, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def weights(path: Path) -> torch.Tensor:
    return torch.cat([value.flatten() for value in load_checkpoint(path).weights.values()])


@pytest.fixture(scope="module")
def alone(tmp_path_factory, digits):
    """alone(seed) -> the weights after one epoch in a single process, and its history."""

    def train(seed: int):
        output = tmp_path_factory.mktemp("alone") / "vae.pt"
        config = TrainingConfig(
            epochs=1,
            batch_size=UNEVEN,
            warmup_epochs=1,
            device="cpu",
            precision="fp32",
            seed=seed,
            output=str(output),
        )
        final = trainer.train(config, SMALL, digits)
        trainer.finish(final, output)
        return weights(output), final.history[-1]

    return train


@pytest.mark.guarantee("distributed-training")
@pytest.mark.parametrize("processes", [2, 3])
def test_several_processes_give_what_one_gives(tmp_path, alone, processes):
    uneven = ["--batch-size", f"{UNEVEN}"]
    done = torchrun(tmp_path, processes, "--epochs", "1", "--output", "vae.pt", *uneven)
    assert done.returncode == 0, done.stderr
    found, (expected, history) = weights(tmp_path / "vae.pt"), alone(0)
    # float32 sums in another order: 1e-7 here. Parts that count the same whatever their size are
    # 0.1 away, another seed 1.
    apart = float((found - expected).norm() / expected.norm())
    other = float((alone(1)[0] - expected).norm() / expected.norm())
    assert apart < 1e-3 and other > 300 * apart
    told = load_checkpoint(tmp_path / "vae.pt").history[-1]
    for name in ("train_recon", "train_kl", "test_recon", "test_kl"):
        assert told[name] == pytest.approx(history[name], rel=1e-3, abs=1e-4)
    # One voice: each line once, and one set of files.
    assert done.stdout.count("Training on 500 digits") == 1 and done.stdout.count("Saved") == 1
    assert f"{processes} processes" in done.stdout
    assert "Warning" not in done.stderr
    files = {path.name for path in tmp_path.iterdir()}
    assert files == {"program.py", "vae.pt", "metrics.json", "training_curves.png"}
    assert not any(
        name.startswith("module.") for name in load_checkpoint(tmp_path / "vae.pt").weights
    )


@pytest.mark.guarantee("distributed-failures")
@pytest.mark.parametrize("rank", [0, 1])
def test_when_a_process_dies_the_run_ends_and_goes_on_later(tmp_path, rank):
    arguments = [*EPOCHS_KILLED, "--output", "vae.pt"]
    done = torchrun(tmp_path, 2, *arguments, sabotage=DIES.format(rank=rank))
    assert done.returncode != 0
    assert "Another process of the run has ended" in done.stdout
    kept = load_checkpoint(tmp_path / "vae.resume.pt")
    assert len(kept.history) == 3
    assert "epochs 1 to 3 are kept in vae.resume.pt" in done.stdout
    assert "torchrun --nproc-per-node=2 trainer.py" in done.stdout
    assert 'trainer.py", line' not in done.stderr  # torchrun's own words are its own
    assert not (tmp_path / "vae.pt").exists() and not list(tmp_path.glob("*.tmp"))
    # With another number of processes.
    processes = 1 if rank else 3
    again = torchrun(tmp_path, processes, *arguments, "--resume")
    assert again.returncode == 0, again.stderr
    assert len(load_checkpoint(tmp_path / "vae.pt").history) == 6
    assert not (tmp_path / "vae.resume.pt").exists()


@pytest.mark.guarantee("distributed-failures")
def test_a_loss_that_is_not_finite_in_one_process_ends_all_with_one_message(tmp_path):
    done = torchrun(tmp_path, 2, "--epochs", "1", "--output", "vae.pt", sabotage=STRAYS)
    assert done.returncode != 0
    assert done.stderr.count("trainer.py: the loss is nan") == 1
    assert list(tmp_path.glob("*.pt")) == []


@pytest.mark.guarantee("distributed-training")
def test_wrong_options_are_said_once(tmp_path):
    done = torchrun(tmp_path, 2, "--epochs", "0", "--output", "vae.pt")
    assert done.returncode != 0 and done.stderr.count("epochs is 0") == 1


# --- in this process ---


@pytest.mark.guarantee("distributed-training")
@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("count", [1, 2, 5, 83])
def test_the_parts_of_a_batch_are_the_batch(size, count):
    rows = list(range(count))
    parts = [Ranks(rank=rank, size=size).part(count) for rank in range(size)]
    taken = [row for part, share in parts if share for row in rows[part]]
    assert sorted(taken) == rows
    assert sum(share for _, share in parts) == pytest.approx(1)
    for part, share in parts:
        assert len(rows[part]) == (round(share * count) if share else 1)


def test_without_torchrun_the_process_is_alone():
    assert find_ranks({}) is ALONE
    assert ALONE.part(5) == (slice(0, None, 1), 1.0)
    assert ALONE.command() == ["python"]


def test_torchruns_variables():
    said = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}
    found = find_ranks(said)
    assert found == Ranks(5, 8, 1, 4) and not found.first
    assert found.command()[:3] == ["torchrun", "--nnodes=2", "--nproc-per-node=4"]


@pytest.mark.parametrize(
    "wrong", [{"RANK": "8"}, {"RANK": "-1"}, {"WORLD_SIZE": "many"}, {"LOCAL_RANK": ""}]
)
def test_variables_that_make_no_sense_are_named(wrong):
    said = {"RANK": "0", "WORLD_SIZE": "8", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "4"}
    with pytest.raises(ValueError) as caught:
        find_ranks(said | wrong)
    assert next(iter(wrong)) in str(caught.value) and "torchrun" in str(caught.value)


@pytest.mark.guarantee("distributed-training")
def test_each_process_has_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setattr(ranks.torch.accelerator, "device_count", lambda: 2)
    cuda = torch.device("cuda")
    assert Ranks(1, 2, 1, 2).place(cuda) == torch.device("cuda", 1)
    assert Ranks(1, 2, 1, 2).place(torch.device("cpu")) == torch.device("cpu")
    assert ALONE.place(torch.device("cuda", 1)) == torch.device("cuda", 1)
    for group, device in ((Ranks(2, 3, 2, 3), cuda), (Ranks(1, 2, 1, 2), torch.device("cuda", 0))):
        with pytest.raises(ValueError, match="nproc-per-node=2"):
            group.place(device)
