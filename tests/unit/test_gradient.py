"""The gradient of a batch does not depend on the threads that compute it."""

import copy
import threading
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

import trainer
from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.training.gradient import ShardedGradient, shard_count, thread_count
from neural_network import VAE, VAELoss
from tests.helpers import HANG
from tests.small import SMALL

BATCH = 83  # an odd number, so that the shards differ in size


def batch_of(digits: LabelledImages) -> tuple[Tensor, Tensor, Tensor]:
    """Images, the pixels that are kept, and the noise of z."""
    generator = torch.Generator().manual_seed(1)
    keep = trainer.pixels_kept(BATCH, 0.1, generator)
    return digits.train_images[:BATCH], keep, torch.randn(BATCH, 2, generator=generator)


def gradient_with(
    threads: int, precision: str, digits: LabelledImages
) -> tuple[list[Tensor], VAELoss]:
    """The gradient of the same model and batch, and its losses, by so many threads."""
    torch.manual_seed(0)
    model = VAE(SMALL)
    with ShardedGradient(model, precision, threads=threads) as gradient:
        losses_of = partial(trainer.denoising_losses, precision, 4.0)
        losses, norm = gradient.compute(losses_of, batch_of(digits))
    expected = torch.cat(
        [p.grad.flatten() for p in model.parameters() if p.grad is not None]
    ).norm()
    torch.testing.assert_close(norm, expected)
    return [p.grad for p in model.parameters() if p.grad is not None], losses


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_any_number_of_threads_gives_the_same_gradient_bit_for_bit(
    precision: str, digits: LabelledImages
) -> None:
    alone, losses = gradient_with(1, precision, digits)
    for threads in (2, 3):
        shared, other = gradient_with(threads, precision, digits)
        assert all(torch.equal(one, two) for one, two in zip(alone, shared, strict=True))
        assert torch.equal(torch.stack(losses), torch.stack(other))


def test_the_gradient_is_that_of_the_mean_loss(digits: LabelledImages) -> None:
    found, losses = gradient_with(2, "fp32", digits)
    torch.manual_seed(0)
    model = VAE(SMALL)
    expected = trainer.denoising_losses("fp32", 4.0, model, *batch_of(digits))
    expected.loss.backward()
    for part, parameter in zip(found, model.parameters(), strict=True):
        torch.testing.assert_close(part, parameter.grad, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(torch.stack(losses), torch.stack(expected).detach())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_step_is_that_of_the_optimizer_bit_for_bit(
    precision: str, digits: LabelledImages
) -> None:
    torch.manual_seed(0)
    start = VAE(SMALL)
    losses_of = partial(trainer.denoising_losses, precision, 4.0)

    def trained(threads: int | None) -> tuple[list[Tensor], dict[str, Any]]:
        model = copy.deepcopy(start)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01, fused=True)
        if threads is None:
            for _ in range(3):  # each with a gradient of its own, which rounds the weights anew
                with ShardedGradient(model, precision, threads=1) as gradient:
                    gradient.compute(losses_of, batch_of(digits))
                optimizer.step()
        else:
            with ShardedGradient(model, precision, threads=threads) as gradient:
                for _ in range(3):
                    gradient.compute(losses_of, batch_of(digits))
                    gradient.step(optimizer)
        return [p.detach() for p in model.parameters()], optimizer.state_dict()

    weights, state = trained(None)
    assert not torch.equal(weights[0], next(start.parameters()))
    for threads in (1, 2, 3):
        others, other_state = trained(threads)
        assert all(torch.equal(one, two) for one, two in zip(weights, others, strict=True))
        torch.testing.assert_close(other_state, state, rtol=0, atol=0)


def test_each_thread_computes_with_one_thread_and_the_own_number_returns(
    digits: LabelledImages,
) -> None:
    seen: set[tuple[int, int]] = set()
    meet = threading.Barrier(2, timeout=HANG)  # passes only if two shards are computed at a time

    def watched(model: VAE, *batch: Tensor) -> VAELoss:
        meet.wait()
        seen.add((threading.get_ident(), torch.get_num_threads()))
        return trainer.denoising_losses("fp32", 4.0, model, *batch)

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with ShardedGradient(VAE(SMALL), threads=2) as gradient:
            gradient.compute(watched, [part[:2] for part in batch_of(digits)])  # two shards
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert len(seen) == 2
    assert {number for _, number in seen} == {1}


def test_shards_depend_on_the_machine_and_threads_on_the_user() -> None:
    cpu = torch.device("cpu")
    assert [shard_count(cpu, cores) for cores in (1, 2, 3, 4, 64)] == [2, 2, 3, 4, 4]
    assert shard_count(torch.device("cuda"), 64) == 1
    assert thread_count(4, {"OMP_NUM_THREADS": "3"}) == 3
    assert thread_count(4, {"OMP_NUM_THREADS": "2,1"}) == 2
    assert thread_count(2, {"OMP_NUM_THREADS": "64"}) == 2
    assert 1 <= thread_count(2, {}) <= 2
    assert thread_count(2, {"OMP_NUM_THREADS": "many"}) == thread_count(2, {})


def test_the_share_of_hidden_pixels_is_as_asked() -> None:
    generator = torch.Generator().manual_seed(0)
    for blanking in (0.0, 0.1, 0.75, 0.9999999):
        keep = trainer.pixels_kept(400, blanking, generator)
        assert keep.shape == (400, 28, 28)
        assert keep.float().mean().item() == pytest.approx(1 - blanking, abs=0.005)
