"""Data-parallel training: one process under plain python, several under torchrun.

All processes draw the same batches and the same noise, and each computes its shard of every batch;
the gradients are summed over the processes, and all take the same step.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

T = TypeVar("T")
VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")  # set by torchrun


@dataclass(frozen=True)
class ProcessGroup:
    """This process among those of the run; by default the only one."""

    rank: int = 0  # 0 ... world_size - 1
    world_size: int = 1
    local_rank: int = 0  # on this machine
    local_world_size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this is process 0: the only one that evaluates, prints and writes."""
        return self.rank == 0

    def local_device(self, device: torch.device) -> torch.device:
        """The device of this process: among several GPUs, the one numbered by its local rank.

        Raises:
            ValueError: if the machine has fewer GPUs than processes, or `device` names one GPU
                for several processes.
        """
        if self.world_size == 1 or device.type == "cpu":
            return device
        count = torch.accelerator.device_count()
        if device.index is not None or count < self.local_world_size:
            raise ValueError(
                f"device is '{device}' for {self.local_world_size} processes on a machine with "
                f"{count}; give --device {device.type} and torchrun --nproc-per-node={count}"
            )
        return torch.device(device.type, self.local_rank)

    def initialize(self, device: torch.device) -> None:
        """Connect to the other processes: through NCCL on NVIDIA GPUs, through Gloo elsewhere."""
        if self.world_size == 1:
            return
        if device.type == "cuda":
            torch.cuda.set_device(device)
            dist.init_process_group("nccl", device_id=device)
        else:
            dist.init_process_group("gloo")

    def destroy(self) -> None:
        """Disconnect from the other processes, after a run without errors."""
        if self.world_size > 1:
            dist.destroy_process_group()

    def broadcast(self, value: T) -> T:
        """The value of process 0, in every process."""
        if self.world_size == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values, src=0)
        return values[0]

    def local_main_first(self, function: Callable[[], T]) -> T:
        """Call `function` in every process: on each machine in one process before the others.

        For downloads: the first call fills the cache, the others read it.
        """
        if self.world_size == 1:
            return function()
        if self.local_rank == 0:
            result = function()
            dist.barrier()
            return result
        dist.barrier()
        return function()

    def shard(self, count: int) -> tuple[slice, float]:
        """The rows of a batch of `count` that this process computes, and their share of the batch.

        The shares of all processes sum to 1. A process without rows gets the first one with share
        0, since every process must take part in every step.
        """
        if self.rank >= count:
            return slice(0, 1), 0.0
        rows = slice(self.rank, None, self.world_size)
        return rows, len(range(count)[rows]) / count

    def all_reduce_sum(self, values: list[Tensor]) -> None:
        """Replace each tensor by its sum over all processes, in place."""
        if self.world_size == 1:
            return
        flat = torch.cat([value.flatten() for value in values])  # one message instead of many
        dist.all_reduce(flat)
        parts = flat.split([value.numel() for value in values])
        for value, part in zip(values, parts, strict=True):
            # In place: the strides stay those of the parameter, which the fused Adam relies on.
            value.copy_(part.view(value.shape))

    def is_connection_error(self, error: RuntimeError) -> bool:
        """Whether the error says that another process can no longer be reached."""
        # Gloo raises a plain RuntimeError that names its source file.
        return self.world_size > 1 and (
            isinstance(error, dist.DistError) or "gloo" in str(error).lower()
        )

    def launch_command(self) -> list[str]:
        """The command that starts as many processes, without the program."""
        if self.world_size == 1:
            return ["python"]
        command = ["torchrun", f"--nproc-per-node={self.local_world_size}"]
        if self.world_size > self.local_world_size:
            command.insert(1, f"--nnodes={self.world_size // self.local_world_size}")
            command += ["--rdzv-backend=c10d", "--rdzv-endpoint=HOST:29500"]
        return command


SINGLE_PROCESS = ProcessGroup()


def process_group_from_environment(environment: Mapping[str, str] = os.environ) -> ProcessGroup:
    """The process group that torchrun's variables describe; SINGLE_PROCESS without them.

    Raises:
        ValueError: if the variables contradict each other.
    """
    if any(name not in environment for name in VARIABLES):
        return SINGLE_PROCESS
    values = [environment[name] for name in VARIABLES]
    numbers = [int(value) if value.isdecimal() else -1 for value in values]
    rank, world_size, local_rank, local_world_size = numbers
    if not (0 <= rank < world_size and 0 <= local_rank < local_world_size <= world_size):
        found = ", ".join(f"{n}={v!r:.20}" for n, v in zip(VARIABLES, values, strict=True))
        raise ValueError(f"the environment has {found}; start with torchrun, or unset them")
    return ProcessGroup(rank, world_size, local_rank, local_world_size)
