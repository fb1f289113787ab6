"""Train the VAE and save the checkpoint that the demo explores.

python trainer.py                    # the committed checkpoint's recipe
python trainer.py --dataset kmnist   # other pictures
python trainer.py --resume           # go on after an interruption
torchrun --nproc-per-node=2 trainer.py    # by two processes, each with its share of every batch
"""

import argparse
import contextlib
import dataclasses
import io
import math
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import NoReturn

import torch
import torch.nn as nn
from torch import Tensor
from tqdm import tqdm

from latent_navigator.checkpoint import checkpoint as checkpoints
from latent_navigator.checkpoint.checkpoint import Checkpoint
from latent_navigator.checkpoint.snapshots import record, record_start
from latent_navigator.data.dataset_info import dataset_info
from latent_navigator.data.datasets import LabelledImages, load_dataset
from latent_navigator.device import resolve_device, resolve_precision
from latent_navigator.training import metrics as records
from latent_navigator.training.config import TrainingConfig, beta_at, learning_rate_at
from latent_navigator.training.distributed import ALONE, Ranks, find_ranks
from latent_navigator.training.resume import (
    check_output,
    finish,
    kept,
    load_resumable,
    resume_path,
    snapshot,
)
from latent_navigator.training.signals import Terminated, hold, stoppable
from latent_utils import Encodings, encode_dataset
from neural_network import VAE, VAEConfig, vae_loss

SPEECH = 5  # seconds: torchrun ends all processes with the first to end, which should be process 0


class TrainingError(RuntimeError):
    """A run that cannot go on; the message says where it stood."""


def train_epoch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    epoch: int,
    config: TrainingConfig,
    bar: tqdm,
    ranks: Ranks = ALONE,
) -> tuple[float, float]:
    """One pass over images (N, 28, 28) uint8, on the model's device; mean recon and kl in nats.

    All randomness comes from (seed, epoch), so that a resumed run needs no generator's state, and
    is drawn for the whole batch, so that the processes of a run share what one alone would draw.

    Args:
        model: a VAE, or one wrapped by `ranks`.

    Raises:
        TrainingError: if the loss or gradient is not finite, before the step would be taken.
    """
    device, n = images.device, len(images)
    latent_dim = getattr(model, "module", model).config.latent_dim  # within, if it is wrapped
    order = torch.Generator().manual_seed(config.seed * 100_003 + epoch)
    noise = torch.Generator(device).manual_seed(config.seed * 100_003 + epoch)
    batches = torch.randperm(n, generator=order).to(device).split(config.batch_size)
    totals = torch.zeros(2, dtype=torch.float64)
    for step, batch in enumerate(batches):
        progress = epoch + step / len(batches)
        lr = learning_rate_at(progress, config)
        for group in optimizer.param_groups:
            group["lr"] = lr
        rows, share = ranks.part(len(batch))
        keep = torch.rand((len(batch), 1, 28, 28), generator=noise, device=device)
        x = images[batch[rows]].unsqueeze(1).float().div_(255)  # (B, 1, 28, 28)
        # Blanking pixels keeps the encoder from learning pictures by heart (Im et al. 2017); the
        # decoder is asked for all of them.
        shown = x * (keep[rows] >= config.blanking)
        eps = torch.randn((len(batch), latent_dim), generator=noise, device=device)[rows]
        with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16"):
            logits, mu, logvar = model(shown, eps=eps)
        # Outside of autocast: bf16 cannot tell 140.0 from 140.5 nats.
        losses = vae_loss(logits, x, mu, logvar, beta_at(progress, config))
        optimizer.zero_grad()
        (
            losses.loss * (share * ranks.size)
        ).backward()  # the mean over processes is that of the batch
        loss, recon, kl = ranks.sum(torch.stack(losses).detach() * share).tolist()
        norm = nn.utils.get_total_norm([p.grad for p in model.parameters()])
        if not math.isfinite(loss + norm.item()):
            raise TrainingError(
                f"the loss is {loss} and the norm of its gradient {norm.item()} in epoch "
                f"{epoch + 1}, step {step + 1}, at learning rate {lr:.2e}; the step was not "
                "taken. Try a lower --learning-rate or another --seed"
            )
        if norm > config.grad_clip:
            nn.utils.clip_grads_with_norm_(model.parameters(), config.grad_clip, norm)
        optimizer.step()
        totals += torch.tensor([recon, kl], dtype=torch.float64) * len(batch)
        bar.update(len(batch))
    return tuple((totals / n).tolist())


@torch.inference_mode()
def evaluate(
    model: VAE, images: Tensor, labels: Tensor, seed: int = 0
) -> tuple[float, float, Encodings]:
    """Mean recon and kl in nats per image, in float32 with one sample of z each; the encodings.

    Args:
        images: (N, 28, 28) uint8. labels: (N,) int64. seed: of the samples.
    """
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    encodings = encode_dataset(model, images, labels)
    totals = torch.zeros(2, dtype=torch.float64)
    for batch in torch.arange(len(images)).split(1000):
        x = images[batch.to(images.device)].unsqueeze(1).to(device).float().div_(255)
        mu, logvar = encodings.means[batch], encodings.logvars[batch]  # (B, latent_dim)
        z = model.reparameterize(mu, logvar, generator).to(device)
        loss = vae_loss(model.decoder(z), x, mu.to(device), logvar.to(device), beta=1.0)
        totals += torch.tensor([loss.recon.item(), loss.kl.item()]).double() * len(batch)
    recon, kl = (totals / len(images)).tolist()
    return recon, kl, encodings


def train(
    config: TrainingConfig,
    model_config: VAEConfig,
    digits: LabelledImages,
    resumed: Checkpoint | None = None,
    ranks: Ranks = ALONE,
) -> Checkpoint | None:
    """Train from scratch, or on from `resumed`; the state is on disk after each epoch.

    Returns:
        The finished checkpoint in process 0, None in the others.

    Raises:
        TrainingError: if the loss is not finite.
        KeyboardInterrupt: passed on; the last complete epoch is in `resume_path(output)`.
    """
    device = ranks.place(resolve_device(config.device))
    torch.manual_seed(config.seed)
    model = VAE(model_config).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)
    history: list[dict[str, float]] = []
    if resumed is not None:
        model.load_state_dict(resumed.weights)
        optimizer.load_state_dict(resumed.training_state)
        history = list(resumed.history)
    learner = ranks.wrap(model)
    images = digits.train_images.to(device)  # resident: an epoch indexes, it does not load
    test_images = digits.test_images.to(device)
    if not ranks.first:
        with tqdm(disable=True) as bar:
            for epoch in range(len(history), config.epochs):
                train_epoch(learner, optimizer, images, epoch, config, bar, ranks)
        return None
    if resumed is None:
        replay = record_start(model, test_images, digits.test_labels)
    else:
        replay = resumed.replay
    done, total = len(history) * len(images), config.epochs * len(images)
    print(records.HEADER)
    with tqdm(total=total, initial=done, unit="img", unit_scale=True, leave=False) as bar:
        for epoch in range(len(history), config.epochs):
            started = time.perf_counter()
            train_recon, train_kl = train_epoch(
                learner, optimizer, images, epoch, config, bar, ranks
            )
            recon, kl, encodings = evaluate(model, test_images, digits.test_labels)
            entry = {
                "epoch": epoch + 1,
                "beta": beta_at(epoch + 1, config),
                "learning_rate": learning_rate_at(epoch + 1, config),
                "train_recon": train_recon,
                "train_kl": train_kl,
                "test_recon": recon,
                "test_kl": kl,
                "test_elbo": -(recon + kl),
                "seconds": time.perf_counter() - started,
            }
            history.append(entry)
            replay = record(replay, model, encodings.means)
            state = optimizer.state_dict()
            names = digits.class_names
            latest = snapshot(
                model, config, history, encodings, digits.test_images, replay, state, names
            )
            checkpoints.save_checkpoint(resume_path(Path(config.output)), latest)
            tqdm.write(records.epoch_line(entry))
            sys.stdout.flush()  # a log that is a file shows each epoch when it is done
    return dataclasses.replace(latest, training_state=None)


def build_parser() -> argparse.ArgumentParser:
    """The command line; every default is that of `TrainingConfig` and `VAEConfig`."""
    parser = argparse.ArgumentParser(
        description="Train the VAE and save the checkpoint that demo.py explores.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    groups = {name: parser.add_argument_group(name) for name in ("recipe", "model", "run")}
    for f in fields(TrainingConfig):
        groups[f.metadata["group"]].add_argument(
            "--" + f.name.replace("_", "-"), type=f.type, default=f.default, help=f.metadata["help"]
        )
    groups["model"].add_argument(
        "--latent-dim", type=int, default=VAEConfig().latent_dim, help="the demo needs 2"
    )
    groups["run"].add_argument(
        "--resume", action="store_true", help="go on with the unfinished run of --output"
    )
    return parser


def run(config: TrainingConfig, model_config: VAEConfig, resume: bool, ranks: Ranks) -> None:
    """Train, save, and say where."""
    device = ranks.place(resolve_device(config.device))
    output = Path(config.output)
    resumed = None
    if ranks.first:
        # The others follow: what is wrong is said once.
        precision = resolve_precision(config.precision, device)
        config = dataclasses.replace(config, precision=precision)
        resumed = load_resumable(output, model_config, config) if resume else None
        check_output(output)
    ranks.join(device)
    config, resumed = ranks.share((config, resumed))
    if resumed is not None and resumed.training_state is None:
        if ranks.first:
            print(f"{output} is finished ({config.epochs} epochs); nothing to do.")
        return
    digits = ranks.in_turn(lambda: load_dataset(config.dataset, config.data_dir))
    if ranks.first:
        processes = f", {ranks.size} processes" if ranks.size > 1 else ""
        count = (
            f"{len(digits.train_images):,} {dataset_info(config.dataset, digits.class_names).items}"
        )
        print(f"Training on {count}, {device}, {config.precision}{processes}.")
    final = train(config, model_config, digits, resumed, ranks)
    if final is not None:
        finish(final, output)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status: 0, 1 for an error, 130 for Ctrl-C, 143 for SIGTERM."""
    argv = list(sys.argv[1:] if argv is None else argv)
    ranks, options = ALONE, {}
    try:
        ranks = find_ranks()
        with contextlib.redirect_stderr(sys.stderr if ranks.first else io.StringIO()):
            options = vars(build_parser().parse_args(argv))
        resume = options.pop("resume")
        model_config = VAEConfig(latent_dim=options.pop("latent_dim"))
        config = TrainingConfig(**options)
        output = config.output_path()
        config = dataclasses.replace(config, output=str(output))
        with stoppable():
            try:
                run(config, model_config, resume, ranks)
            except (KeyboardInterrupt, RuntimeError) as error:
                hold()
                if isinstance(error, RuntimeError) and not ranks.lost(error):
                    raise
                return stopped(error, output, ranks, argv)
    except (ValueError, OSError, TrainingError) as error:
        if ranks.first or isinstance(error, OSError):
            print(f"trainer.py: {error}", file=sys.stderr, flush=True)
        else:
            time.sleep(SPEECH)
        return 1
    except SystemExit:
        time.sleep(0 if ranks.first else SPEECH)
        raise
    ranks.leave()
    return 0


def stopped(error: BaseException, output: Path, ranks: Ranks, argv: list[str]) -> int:
    """Say why the run ends and how it can go on; the exit status."""
    if isinstance(error, Terminated):
        why, status = "The run was told to end (SIGTERM)", 143
    elif isinstance(error, KeyboardInterrupt):
        why, status = "Interrupted", 130
    else:
        why, status = "Another process of the run has ended", 1
    if ranks.size > 1 and status == 143:
        why = "Another process of the run has ended, or all were told to (SIGTERM)"
    if ranks.rank <= 1:  # process 0 may be the one that is gone
        print(f"\n{why}; {kept(output, [*ranks.command(), 'trainer.py', *argv])}", flush=True)
    return status


def end(status: int) -> NoReturn:
    """End this process."""
    if status and "WORLD_SIZE" in os.environ:
        sys.stdout.flush()
        os._exit(status)  # an orderly end may wait for processes that are gone
    sys.exit(status)


if __name__ == "__main__":
    end(main())
