"""The command line of trainer.py. Free of torch, so that --help answers at once."""

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from latent_navigator.model_config import LATENT_DIMS, VAEConfig
from latent_navigator.training.config import TrainingConfig


@dataclass(frozen=True)
class Arguments:
    """The parsed and validated arguments of trainer.py."""

    config: TrainingConfig
    model_config: VAEConfig
    resume: bool
    discard: bool
    skip_damaged: bool
    progress: bool = False


def build_parser() -> argparse.ArgumentParser:
    """The parser of trainer.py, with the defaults of TrainingConfig and VAEConfig."""
    parser = argparse.ArgumentParser(
        prog="trainer.py",
        description="Train the VAE and save the checkpoint that demo.py explores.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    fewest, most = LATENT_DIMS
    groups = {name: parser.add_argument_group(name) for name in ("training", "model", "run")}
    for f in dataclasses.fields(TrainingConfig):
        groups[f.metadata["group"]].add_argument(
            "--" + f.name.replace("_", "-"), type=f.type, default=f.default, help=f.metadata["help"]
        )
    groups["model"].add_argument(
        "--latent-dim",
        type=int,
        default=VAEConfig().latent_dim,
        help=f"dimensions of the latent space, {fewest} to {most}. With 2 the map shows all of it. "
        "More dimensions reconstruct better, and the map shows planes through them: 10 with --beta "
        "1 is a good start. A higher beta leaves more of them unused",
    )
    start = groups["run"].add_mutually_exclusive_group()
    start.add_argument(
        "--resume", action="store_true", help="continue the unfinished run of --output"
    )
    start.add_argument(
        "--discard",
        action="store_true",
        help="start over: discard the unfinished run of --output, or replace a file there that "
        "is not a checkpoint",
    )
    groups["run"].add_argument(
        "--skip-damaged",
        action="store_true",
        help="skip images that cannot be read (data sets from folders only)",
    )
    groups["run"].add_argument(
        "--progress",
        action="store_true",
        help="record snapshots of the latent space during training in a file next to the output; "
        "demo.py shows them",
    )
    return parser


def parse_arguments(argv: Sequence[str]) -> Arguments:
    """Parse and validate the arguments of trainer.py.

    Raises:
        ValueError: if a value is out of range.
        OSError: if --output cannot be reached.
        SystemExit: from argparse, after --help or a usage error.
    """
    options = vars(build_parser().parse_args(argv))
    flags = {name: options.pop(name) for name in ("resume", "discard", "skip_damaged", "progress")}
    model_config = VAEConfig(latent_dim=checked_latent_dim(options.pop("latent_dim")))
    config = TrainingConfig(**options)
    config = dataclasses.replace(config, output=str(config.output_path()))
    return Arguments(config, model_config, **flags)


def checked_latent_dim(value: int) -> int:
    """`value`, if the latent space can be explored.

    Raises:
        ValueError: if it has fewer or more dimensions than LATENT_DIMS.
    """
    fewest, most = LATENT_DIMS
    if not fewest <= value <= most:
        raise ValueError(f"latent_dim is {value}; give --latent-dim {fewest} to {most}")
    return value


def command_line(values: Mapping[str, object]) -> list[str]:
    """The options that `parse_arguments` reads as these hyperparameters; other keys are left out.

    Args:
        values: by field of TrainingConfig, and "latent_dim", as a checkpoint keeps them.
    """
    names = [f.name for f in dataclasses.fields(TrainingConfig) if f.metadata["group"] != "run"]
    options = ((name, values[name]) for name in (*names, "latent_dim") if name in values)
    return [
        part
        for name, value in options
        for part in (
            f"--{name.replace('_', '-')}",
            str(value).removesuffix(".0") if isinstance(value, float) else str(value),
        )
    ]


def answer_help(argv: Sequence[str]) -> None:
    """Print the help and exit, if it is among the arguments.

    Raises:
        SystemExit: after the help.
    """
    if "-h" in argv or "--help" in argv:
        build_parser().parse_args(argv)
