"""The processes that train together: one under plain python, several under torchrun.

All draw the same batches and the same noise, and each computes its share of every batch;
PyTorch's DistributedDataParallel averages the gradients.
"""

import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
import torch.nn as nn
from torch import Tensor

T = TypeVar("T")
VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")  # set by torchrun


@dataclass(frozen=True)
class Ranks:
    """This process's place among those of the run; by default it is alone."""

    rank: int = 0  # 0 ... size - 1; process 0 alone evaluates, writes and prints
    size: int = 1
    local_rank: int = 0  # on its machine
    local_size: int = 1

    @property
    def first(self) -> bool:
        return self.rank == 0

    def place(self, device: torch.device) -> torch.device:
        """The device of this process: of several GPUs, the one of its local rank.

        Raises:
            ValueError: if there are fewer than processes, or one was named for all.
        """
        if self.size == 1 or device.type == "cpu":
            return device
        found = torch.accelerator.device_count()
        if device.index is not None or found < self.local_size:
            raise ValueError(
                f"device is '{device}' for {self.local_size} processes on a machine with {found}; "
                f"give --device {device.type} and torchrun --nproc-per-node={found}"
            )
        return torch.device(device.type, self.local_rank)

    def join(self, device: torch.device) -> None:
        """Meet the other processes: through NCCL on NVIDIA's GPUs, through Gloo elsewhere."""
        if self.size == 1:
            return
        if device.type == "cuda":
            torch.cuda.set_device(device)
            dist.init_process_group("nccl", device_id=device)
        else:
            dist.init_process_group("gloo")

    def leave(self) -> None:
        """Part from the others, after a run that went well."""
        if self.size > 1:
            dist.destroy_process_group()

    def share(self, value: T) -> T:
        """The value of process 0, in every process."""
        if self.size == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values, src=0)
        return values[0]

    def in_turn(self, make: Callable[[], T]) -> T:
        """`make()` in every process: in the first of each machine before its others."""
        if self.size == 1:
            return make()
        if self.local_rank == 0:
            made = make()
        dist.barrier()
        return made if self.local_rank == 0 else make()

    def part(self, count: int) -> tuple[slice, float]:
        """Which of a batch's `count` rows are this process's, and their share of all.

        The shares of all processes sum to 1. Where there is no row left the first is taken, with
        share 0, since every process must take part in every step.
        """
        if self.rank >= count:
            return slice(0, 1), 0.0
        rows = slice(self.rank, None, self.size)
        return rows, len(range(count)[rows]) / count

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model with process 0's weights, whose gradients are averaged from now on."""
        if self.size == 1:
            return model
        # A remark on speed, about the 16 x 16 numbers of one small convolution.
        warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
        return nn.parallel.DistributedDataParallel(model)

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all processes, the same in each; in place."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def lost(self, error: RuntimeError) -> bool:
        """Whether the error says that another process cannot be reached any more."""
        # Gloo has no class of its own for it: it names the place in its source.
        return self.size > 1 and (isinstance(error, dist.DistError) or "gloo" in str(error).lower())

    def command(self) -> list[str]:
        """The words that start so many processes of a program."""
        if self.size == 1:
            return ["python"]
        start = ["torchrun", f"--nproc-per-node={self.local_size}"]
        if self.size > self.local_size:
            start.insert(1, f"--nnodes={self.size // self.local_size}")
            start += ["--rdzv-backend=c10d", "--rdzv-endpoint=HOST:29500"]
        return start


ALONE = Ranks()


def find_ranks(environment: Mapping[str, str] = os.environ) -> Ranks:
    """This process's place, as torchrun's variables say; ALONE without them.

    Raises:
        ValueError: if the variables make no sense.
    """
    if any(name not in environment for name in VARIABLES):
        return ALONE
    values = [environment[name] for name in VARIABLES]
    numbers = [int(value) if value.isdecimal() else -1 for value in values]
    rank, size, local_rank, local_size = numbers
    if not (0 <= rank < size and 0 <= local_rank < local_size <= size):
        told = ", ".join(f"{n}={v!r:.20}" for n, v in zip(VARIABLES, values, strict=True))
        raise ValueError(f"the environment says {told}; start with torchrun, or unset them")
    return Ranks(rank, size, local_rank, local_size)
