"""The gradient of a batch, computed in shards by threads.

PyTorch splits each operation over threads of its own, which spin for one another at its end: beside
a busy process, which takes a core from one of them, training collapses. Here each thread computes a
shard of the batch, from the pixels to the gradient, and they wait once a step, asleep.
"""

import copy
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType

import torch
from torch import Tensor

from latent_navigator.training.distributed import SINGLE_PROCESS, ProcessGroup
from neural_network import VAE, VAELoss

MAX_SHARDS = 4  # of a batch on a CPU; smaller ones make the matrix products slower

LossFunction = Callable[..., VAELoss]  # of a VAE and the tensors of a batch; means over the batch


def shard_count(device: torch.device, cores: int | None = None) -> int:
    """The shards of each batch: one on an accelerator, else one for each core, but two to four.

    It depends on the machine alone, not on the threads in use: and so do the weights.
    """
    if device.type != "cpu":
        return 1
    return max(2, min(MAX_SHARDS, cores or os.cpu_count() or 1))


def thread_count(shards: int, environment: Mapping[str, str] = os.environ) -> int:
    """The threads for so many shards: OMP_NUM_THREADS if it is set, else one for each core."""
    asked = environment.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(shards, max(1, int(asked) if asked.isdecimal() else cores or 1))


class ShardedGradient(AbstractContextManager["ShardedGradient"]):
    """Computes gradients of a model's weights; its threads end when the context does.

    The result is the same for any number of threads, bit for bit.
    """

    def __init__(
        self,
        model: VAE,
        precision: str = "fp32",
        group: ProcessGroup = SINGLE_PROCESS,
        threads: int | None = None,
    ) -> None:
        self.model = model
        self.device = next(model.parameters()).device
        # With bf16 a copy computes: its weights are cast once a step, not in each operation.
        self._computing = copy.deepcopy(model).bfloat16() if precision == "bf16" else model
        self._shards = shard_count(self.device)
        # One for each shard, written anew in each step.
        self._gradients = [
            [torch.zeros_like(parameter) for parameter in model.parameters()]
            for _ in range(self._shards)
        ]
        self._group = group
        self._threads = threads or thread_count(self._shards)
        self._pool: ThreadPoolExecutor | None = None
        self._threads_before = torch.get_num_threads()
        if self._shards > 1:
            # One thread for each operation, here and in the pool: torch keeps the number by thread.
            torch.set_num_threads(1)
            self._pool = ThreadPoolExecutor(
                self._threads, "shard", initializer=torch.set_num_threads, initargs=(1,)
            )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()
            torch.set_num_threads(self._threads_before)

    def compute(self, losses_of: LossFunction, batch: Sequence[Tensor]) -> VAELoss:
        """Set the gradient of each parameter of `model` to that of the mean loss of a batch.

        Args:
            losses_of: called with a model of the same weights and a shard of each tensor of
                `batch`, in several threads at a time.
            batch: tensors (B, ...), the same in every process.

        Returns:
            The mean losses of the batch, over all processes, without their graph.
        """
        self._copy_weights()
        rows, share = self._group.shard(len(batch[0]))
        shards = list(zip(*(part[rows].chunk(self._shards) for part in batch), strict=True))
        weight = share / sum(len(shard[0]) for shard in shards)
        of_shard = partial(self._gradient_of_shard, losses_of, weight)
        if self._pool is None or self._threads == 1:
            losses = list(map(of_shard, shards, self._gradients))
        else:
            losses = list(self._pool.map(of_shard, shards, self._gradients))
        total, *others = self._gradients[: len(shards)]
        for other in others:
            for whole, part in zip(total, other, strict=True):
                whole.add_(part)
        means = torch.stack(losses).sum(0)
        self._group.all_reduce_sum([*total, means])
        for parameter, part in zip(self.model.parameters(), total, strict=True):
            parameter.grad = part
        return VAELoss(*means)

    def _gradient_of_shard(
        self,
        losses_of: LossFunction,
        weight: float,
        shard: Sequence[Tensor],
        gradient: Sequence[Tensor],
    ) -> Tensor:
        """Write the gradient of a shard, each image weighted; its losses so weighted, (3,)."""
        losses = losses_of(self._computing, *shard)
        weight *= len(shard[0])
        parts = torch.autograd.grad(losses.loss * weight, list(self._computing.parameters()))
        for whole, part in zip(gradient, parts, strict=True):
            whole.copy_(part)
        return torch.stack(losses).detach() * weight

    @torch.no_grad()
    def _copy_weights(self) -> None:
        if self._computing is not self.model:
            pairs = zip(self._computing.parameters(), self.model.parameters(), strict=True)
            for rounded, exact in pairs:
                rounded.copy_(exact)
