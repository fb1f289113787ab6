"""One call of trainer.py: prepare, train, write the results; report errors and stops."""

import contextlib
import dataclasses
import io
import os
import sys
import time
from pathlib import Path
from typing import NoReturn, Protocol

import torch

from latent_navigator.atomic_io import check_space
from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.checkpoint.file_checks import MAX_BYTES
from latent_navigator.checkpoint.size import largest_size
from latent_navigator.data.dataset_info import check_class_names, dataset_info
from latent_navigator.data.datasets import load_dataset
from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.device import resolve_device, resolve_precision
from latent_navigator.model_config import VAEConfig
from latent_navigator.training.command_line import Arguments, parse_arguments
from latent_navigator.training.config import TrainingConfig
from latent_navigator.training.distributed import (
    SINGLE_PROCESS,
    ProcessGroup,
    process_group_from_environment,
)
from latent_navigator.training.lock import locked
from latent_navigator.training.paths import REMEDY, RunPaths, check_output
from latent_navigator.training.results import write_results
from latent_navigator.training.resume import (
    check_nothing_is_lost,
    check_same_data,
    describe_state,
    load_resumable,
)
from latent_navigator.training.signals import Terminated, ignore_stop_signals, interruptible

REPORT_SECONDS = 5.0
FILES_AT_ONCE = 3  # the state, the next one while it is written, the checkpoint


class TrainFunction(Protocol):
    """trainer.train."""

    def __call__(
        self,
        config: TrainingConfig,
        model_config: VAEConfig,
        data: LabelledImages,
        resumed: Checkpoint | None,
        group: ProcessGroup,
        *,
        progress: bool,
    ) -> Checkpoint | None: ...


class TrainingError(RuntimeError):
    """A run that cannot continue; the message says at which step and why."""


def run(arguments: Arguments, group: ProcessGroup, train: TrainFunction) -> None:
    """Train from scratch or from a saved state, and write the results.

    Raises:
        ValueError: if an argument, a data file or the saved state is unusable, or the run would
            replace what another one has left.
        OSError: if a file cannot be read or written, or the data set cannot be downloaded.
        TrainingError: if the loss is not finite.
    """
    config, model_config = arguments.config, arguments.model_config
    paths = RunPaths(Path(config.output))
    device = group.local_device(resolve_device(config.device))
    state = None
    with contextlib.ExitStack() as until_the_end:
        if group.is_main:
            # The other processes get the result, so that an error is reported once.
            state = load_resumable(paths, model_config, config) if arguments.resume else None
            precision = resolve_precision(config.precision, device)
            if state is not None:  # perhaps of another machine
                precision = str(state.training_config.get("precision", precision))
            config = dataclasses.replace(config, precision=precision)
            check_output(paths)
            until_the_end.enter_context(locked(paths))
            if not arguments.resume and not arguments.discard:
                check_nothing_is_lost(paths)
        group.initialize(device)
        config, state = group.broadcast((config, state))
        if state is not None and state.training_state is None:
            if group.is_main:
                print(f"{paths.output} is finished ({config.epochs} epochs); nothing to do.")
            return
        if state is None or len(state.history) < config.epochs:
            skip = arguments.skip_damaged
            data = group.local_main_first(
                lambda: load_dataset(config.dataset, config.data_dir, skip_damaged=skip)
            ).limited(config.limit)
            size = check_data(data, state, paths, config, model_config)
            if group.is_main:
                check_space(paths.output.parent, FILES_AT_ONCE * size, REMEDY)
                announce(data, paths, config, device, group)
                if arguments.discard:
                    paths.state.unlink(missing_ok=True)
            state = train(config, model_config, data, state, group, progress=arguments.progress)
        if group.is_main and state is not None:
            write_results(state, paths)


def check_data(
    data: LabelledImages,
    state: Checkpoint | None,
    paths: RunPaths,
    config: TrainingConfig,
    model_config: VAEConfig,
) -> int:
    """Check, before the first step, whatever depends on the data.

    Returns:
        An upper limit of the bytes of the run's state.

    Raises:
        ValueError: if its class names are invalid, it is not the data of `state`, or the checkpoint
            would be larger than one that can be opened.
    """
    check_class_names(list(data.class_names))
    if state is not None:
        check_same_data(paths, state, data)
    size = largest_size(model_config, config.epochs, len(data.test_labels))
    if size > MAX_BYTES:
        raise ValueError(
            f"latent_dim is {model_config.latent_dim}, so the state of the run can take up to "
            f"{size:,} bytes, over the limit of {MAX_BYTES:,}; give a smaller --latent-dim, fewer "
            "--epochs or fewer test images"
        )
    return size


def announce(
    data: LabelledImages,
    paths: RunPaths,
    config: TrainingConfig,
    device: torch.device,
    group: ProcessGroup,
) -> None:
    """Say what is trained on what, and which checkpoint it replaces."""
    if data.found:
        print(data.found)
    items = dataset_info(config.dataset, data.class_names).items
    processes = f", {group.world_size} processes" if group.world_size > 1 else ""
    count = f"{len(data.train_images):,} {items}"
    print(f"Training on {count}, {device}, {config.precision}{processes}.")
    if paths.output.exists():
        print(f"{paths.output} stays as it is until the finished run replaces it.")


def run_command_line(argv: list[str], train: TrainFunction) -> int:
    """Run trainer.py with these arguments.

    Returns:
        The exit status: 0, 1 after an error, 130 after Ctrl-C, 143 after SIGTERM.

    Raises:
        SystemExit: from argparse, after --help or a usage error.
    """
    group = SINGLE_PROCESS
    try:
        group = process_group_from_environment()
        with contextlib.redirect_stderr(sys.stderr if group.is_main else io.StringIO()):
            arguments = parse_arguments(argv)
        paths = RunPaths(Path(arguments.config.output))
        with interruptible():
            try:
                try:
                    run(arguments, group, train)
                except RuntimeError as error:
                    ignore_stop_signals()
                    if not group.is_connection_error(error):
                        raise
                    return report_stop(error, paths, group, argv)
            except KeyboardInterrupt as error:  # perhaps raised as another error was caught
                return report_stop(error, paths, group, argv)
    except (ValueError, OSError, TrainingError) as error:
        # An OSError concerns the machine of this process alone.
        if group.is_main or isinstance(error, OSError):
            print(f"trainer.py: {error}", file=sys.stderr, flush=True)
        else:
            _wait_for_main_process()
        return 1
    except SystemExit:
        if not group.is_main:
            _wait_for_main_process()
        raise
    group.destroy()
    return 0


def _wait_for_main_process() -> None:
    """Give process 0 time to print: torchrun ends all processes as soon as one has failed."""
    time.sleep(REPORT_SECONDS)


def report_stop(error: BaseException, paths: RunPaths, group: ProcessGroup, argv: list[str]) -> int:
    """Print why the run stops and how to continue it; the exit status.

    Args:
        argv: the arguments that started the run.
    """
    if isinstance(error, Terminated):
        reason, status = "The run was terminated (SIGTERM)", 143
        if group.world_size > 1:
            reason = "Another process of the run has ended, or the run was terminated (SIGTERM)"
    elif isinstance(error, KeyboardInterrupt):
        reason, status = "Interrupted", 130
    else:
        reason, status = "Another process of the run has ended", 1
    if group.rank <= 1:  # not process 0 alone, which may be the one that has ended
        command = [*group.launch_command(), "trainer.py", *argv]
        print(f"\n{reason}; {describe_state(paths, command)}", flush=True)
    return status


def exit_process(status: int) -> NoReturn:
    """End this process with an exit status, also while other processes of its group are gone."""
    if status and "WORLD_SIZE" in os.environ:
        sys.stdout.flush()
        os._exit(status)  # a normal exit may wait for the others
    sys.exit(status)
