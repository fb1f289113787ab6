"""Steps of training on a CPU, each computed in shards by threads.

PyTorch splits each operation over threads of its own, which spin for one another at its end: beside
a busy process, which takes a core from one of them, training collapses. Here each thread computes a
shard of the batch, from the pixels to the gradient, and then sums and applies the gradient of a
part of the weights; they wait three times a step, asleep.
"""

import copy
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType
from typing import TypeVar

import torch
import torch.nn as nn
from torch import Tensor

from latent_navigator.training.distributed import SINGLE_PROCESS, ProcessGroup
from neural_network import VAE, VAELoss

MAX_SHARDS = 4  # of a batch on a CPU; smaller ones make the matrix products slower

LossFunction = Callable[..., VAELoss]  # of a VAE and the tensors of a batch; means over the batch
Item = TypeVar("Item")
Result = TypeVar("Result")


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


def parts_of_similar_size(tensors: Sequence[Tensor], count: int) -> list[list[int]]:
    """The indices of tensors in `count` parts, which have about as many elements each."""
    parts: list[list[int]] = [[] for _ in range(count)]
    sizes = [0] * count
    for index in sorted(range(len(tensors)), key=lambda i: -tensors[i].numel()):
        smallest = sizes.index(min(sizes))
        parts[smallest].append(index)
        sizes[smallest] += tensors[index].numel()
    return parts


class ShardedGradient(AbstractContextManager["ShardedGradient"]):
    """Computes gradients of a model's weights and steps along them; its threads end with it.

    The results are the same for any number of threads, bit for bit. While it lives, only `step`
    changes the weights.
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
        self._weights = list(model.parameters())
        self._rounded = list(self._computing.parameters())
        self._shards = shard_count(self.device)
        # One for each shard, written anew in each step.
        self._gradients = [
            [torch.zeros_like(weight) for weight in self._weights] for _ in range(self._shards)
        ]
        self._parts = parts_of_similar_size(self._weights, self._shards)
        self._group = group
        self._threads = threads or thread_count(self._shards)
        self._pool: ThreadPoolExecutor | None = None
        self._threads_before = torch.get_num_threads()
        if self._shards > 1:
            # One thread for each operation, here and in the pool: torch keeps the number by thread.
            torch.set_num_threads(1)
        if self._shards > 1 and self._threads > 1:
            self._pool = ThreadPoolExecutor(
                self._threads - 1, "shard", initializer=torch.set_num_threads, initargs=(1,)
            )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()
        if self._shards > 1:
            torch.set_num_threads(self._threads_before)

    def compute(self, losses_of: LossFunction, batch: Sequence[Tensor]) -> tuple[VAELoss, Tensor]:
        """Set the gradient of each parameter of `model` to that of the mean loss of a batch.

        Args:
            losses_of: called with a model of the same weights and a shard of each tensor of
                `batch`, in several threads at a time.
            batch: tensors (B, ...), the same in every process.

        Returns:
            The mean losses of the batch, over all processes, without their graph; and the norm of
            the gradient, a scalar.
        """
        rows, share = self._group.shard(len(batch[0]))
        shards = list(zip(*(part[rows].chunk(self._shards) for part in batch), strict=True))
        weight = share / sum(len(shard[0]) for shard in shards)
        of_shard = partial(self._gradient_of_shard, losses_of, weight, shards)
        means = torch.stack(self.in_threads(of_shard, range(len(shards)))).sum(0)
        norms = self.in_threads(partial(self._sum_of_part, len(shards)), self._parts)
        if self._group.world_size > 1:
            self._group.all_reduce_sum([*self._gradients[0], means])
            norms = [nn.utils.get_total_norm(self._gradients[0])]
        for parameter, gradient in zip(self._weights, self._gradients[0], strict=True):
            parameter.grad = gradient
        return VAELoss(*means), torch.stack(norms).norm()

    def in_threads(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """The results of a function for each item, as map has them, computed by all threads."""
        results: dict[int, Result] = {}
        left = iter(range(len(items)))  # each thread takes the next one that is left

        def work() -> None:
            for index in left:
                results[index] = function(items[index])

        others = [self._pool.submit(work) for _ in range(self._threads - 1)] if self._pool else []
        work()
        for other in others:
            other.result()
        return [results[index] for index in range(len(items))]

    def step(self, optimizer: torch.optim.Optimizer) -> None:
        """Do what optimizer.step() does, each thread for a part of the weights."""
        self.in_threads(partial(self._step_of_part, optimizer), self._parts)

    def _gradient_of_shard(
        self,
        losses_of: LossFunction,
        weight: float,
        shards: Sequence[Sequence[Tensor]],
        index: int,
    ) -> Tensor:
        """Write the gradient of a shard, each image weighted; its losses so weighted, (3,)."""
        losses = losses_of(self._computing, *shards[index])
        weight *= len(shards[index][0])
        parts = torch.autograd.grad(losses.loss * weight, self._rounded)
        for whole, part in zip(self._gradients[index], parts, strict=True):
            whole.copy_(part)
        return torch.stack(losses).detach() * weight

    @torch.no_grad()
    def _sum_of_part(self, shards: int, part: Sequence[int]) -> Tensor:
        """Add the gradients of the shards into the first, for a part of the weights; their norm."""
        total, *others = self._gradients[:shards]
        for index in part:
            for other in others:
                total[index].add_(other[index])
        return nn.utils.get_total_norm([total[index] for index in part])

    @torch.no_grad()
    def _step_of_part(self, optimizer: torch.optim.Optimizer, part: Sequence[int]) -> None:
        """Move a part of the weights, and round them for the next step."""
        weights = {self._weights[index] for index in part}
        of_part = copy.copy(optimizer)  # shares the state of each weight with it
        of_part.param_groups = [
            group | {"params": [weight for weight in group["params"] if weight in weights]}
            for group in optimizer.param_groups
        ]
        of_part.step()
        if self._computing is not self.model:
            for index in part:
                self._rounded[index].copy_(self._weights[index])
