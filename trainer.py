"""Train the VAE and save the checkpoint that the demo explores.

python trainer.py                    # the committed checkpoint's recipe
python trainer.py --dataset kmnist   # other pictures
python trainer.py --resume           # go on after an interruption
"""

import argparse
import dataclasses
import hashlib
import math
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
import torch.nn as nn
from torch import Tensor
from tqdm import tqdm

import checkpoint as checkpoints
import records
from checkpoint import Checkpoint
from datasets import Digits, load_dataset
from device import resolve_device, resolve_precision
from latent_utils import Encodings, digit_centroids, digit_prototypes, encode_dataset
from neural_network import VAE, VAEConfig, vae_loss
from recipe import TrainingConfig, beta_at, learning_rate_at
from replay import Replay, record, record_start
from words import noun_of


class TrainingError(RuntimeError):
    """A run that cannot go on; the message says where it stood."""


def train_epoch(
    model: VAE,
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    epoch: int,
    config: TrainingConfig,
    bar: tqdm,
) -> tuple[float, float]:
    """One pass over images (N, 28, 28) uint8, on the model's device; mean recon and kl in nats.

    All randomness comes from (seed, epoch), so that a resumed run needs no generator's state.

    Raises:
        TrainingError: if the loss or gradient is not finite, before the step would be taken.
    """
    device, n = images.device, len(images)
    order = torch.Generator().manual_seed(config.seed * 100_003 + epoch)
    noise = torch.Generator(device).manual_seed(config.seed * 100_003 + epoch)
    batches = torch.randperm(n, generator=order).to(device).split(config.batch_size)
    totals = torch.zeros(2, dtype=torch.float64)
    for step, batch in enumerate(batches):
        progress = epoch + step / len(batches)
        lr = learning_rate_at(progress, config)
        for group in optimizer.param_groups:
            group["lr"] = lr
        x = images[batch].unsqueeze(1).float().div_(255)  # (B, 1, 28, 28)
        # Blanking pixels keeps the encoder from learning pictures by heart (Im et al. 2017); the
        # decoder is asked for all of them.
        shown = x * (torch.rand(x.shape, generator=noise, device=device) >= config.blanking)
        with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16"):
            logits, mu, logvar = model(shown, noise)
        # Outside of autocast: bf16 cannot tell 140.0 from 140.5 nats.
        loss, recon, kl = vae_loss(logits, x, mu, logvar, beta_at(progress, config))
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.get_total_norm([p.grad for p in model.parameters()])
        if not math.isfinite(loss.item() + norm.item()):
            raise TrainingError(
                f"the loss is {loss.item()} and the norm of its gradient {norm.item()} in epoch "
                f"{epoch + 1}, step {step + 1}, at learning rate {lr:.2e}; the step was not "
                "taken. Try a lower --learning-rate or another --seed"
            )
        if norm > config.grad_clip:
            nn.utils.clip_grads_with_norm_(model.parameters(), config.grad_clip, norm)
        optimizer.step()
        totals += torch.tensor([recon.item(), kl.item()], dtype=torch.float64) * len(batch)
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


def resume_path(output: Path) -> Path:
    """Where an unfinished run keeps its state: vae_mnist.pt -> vae_mnist.resume.pt."""
    return output.with_suffix(".resume.pt")


def snapshot(
    model: VAE,
    config: TrainingConfig,
    history: list[dict[str, float]],
    encodings: Encodings,
    pictures: Tensor,
    replay: Replay,
    training_state: dict[str, Any] | None,
    class_names: Sequence[str],
) -> Checkpoint:
    """All that the demo needs of the model as it stands; tensors on the CPU.

    Args:
        pictures: (N, 28, 28) uint8, those of the encodings.
    """
    means, logvars, labels = encodings
    return Checkpoint(
        model_config=model.config,
        training_config=config.recipe(),
        weights={name: value.detach().cpu().clone() for name, value in model.state_dict().items()},
        history=history,
        class_names=list(class_names),
        means=means,
        logvars=logvars,
        labels=labels,
        counts=labels.bincount(minlength=len(class_names)),
        centroids=digit_centroids(means, labels, len(class_names)),
        prototypes=digit_prototypes(means, labels, classes=len(class_names)),
        pictures=pictures,
        replay=replay,
        training_state=training_state,
    )


def load_resumable(
    output: Path, model_config: VAEConfig, config: TrainingConfig
) -> Checkpoint | None:
    """The unfinished run beside `output`; None if the run at `output` is finished.

    Raises:
        ValueError: if there is no run to resume, or it has another configuration.
    """
    unfinished = resume_path(output)
    path = unfinished if unfinished.exists() else output
    if not path.exists():
        raise ValueError(f"there is no run to resume at {unfinished}; run without --resume")
    found = checkpoints.load_checkpoint(path)
    then = {"dataset": "mnist", **found.training_config, **dataclasses.asdict(found.model_config)}
    now = {**config.recipe(), **dataclasses.asdict(model_config)}
    differing = [
        f"{key} ({then.get(key)!r} then, {now.get(key)!r} now)"
        for key in sorted(then.keys() | now.keys())
        if then.get(key) != now.get(key)
    ]
    if differing:
        raise ValueError(
            f"{path} was trained with another configuration: {', '.join(differing)}; give the "
            "same options, or run without --resume"
        )
    if found.training_state is None and len(found.history) < config.epochs:
        raise ValueError(f"{path} holds no state to resume from; run without --resume")
    return None if found.training_state is None else found


def train(
    config: TrainingConfig,
    model_config: VAEConfig,
    digits: Digits,
    resumed: Checkpoint | None = None,
) -> Checkpoint:
    """Train from scratch, or on from `resumed`; the state is on disk after each epoch.

    Raises:
        TrainingError: if the loss is not finite.
        KeyboardInterrupt: passed on; the last complete epoch is in `resume_path(output)`.
    """
    device = resolve_device(config.device)
    torch.manual_seed(config.seed)
    model = VAE(model_config).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)
    history: list[dict[str, float]] = []
    if resumed is not None:
        model.load_state_dict(resumed.weights)
        optimizer.load_state_dict(resumed.training_state)
        history = list(resumed.history)
    images = digits.train_images.to(device)  # resident: an epoch indexes, it does not load
    test_images = digits.test_images.to(device)
    if resumed is None:
        replay = record_start(model, test_images, digits.test_labels)
    else:
        replay = resumed.replay
    done, total = len(history) * len(images), config.epochs * len(images)
    print(records.HEADER)
    with tqdm(total=total, initial=done, unit="img", unit_scale=True, leave=False) as bar:
        for epoch in range(len(history), config.epochs):
            started = time.perf_counter()
            train_recon, train_kl = train_epoch(model, optimizer, images, epoch, config, bar)
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


def run(options: dict[str, Any], command: str) -> None:
    """Train as the command line's options say, save, and say where."""
    resume = options.pop("resume")
    model_config = VAEConfig(latent_dim=options.pop("latent_dim"))
    config = TrainingConfig(**options)
    device = resolve_device(config.device)
    config = dataclasses.replace(config, precision=resolve_precision(config.precision, device))
    output = config.output_path()
    config = dataclasses.replace(config, output=str(output))
    resumed = None
    if resume:
        resumed = load_resumable(output, model_config, config)
        if resumed is None:
            print(f"{output} is finished ({config.epochs} epochs); nothing to do.")
            return
    digits = load_dataset(config.dataset, config.data_dir)
    noun = noun_of(config.dataset).many
    print(f"Training on {len(digits.train_images):,} {noun}, {device}, {config.precision}.")
    try:
        final = train(config, model_config, digits, resumed)
    except KeyboardInterrupt:
        if resume_path(output).exists():
            kept = len(checkpoints.load_checkpoint(resume_path(output)).history)
            print(f"\nInterrupted; epochs 1 to {kept} are kept. To go on: {command} --resume")
        else:
            print("\nInterrupted before the first epoch was complete; nothing is kept.")
        raise
    checkpoints.save_checkpoint(output, final)
    resume_path(output).unlink(missing_ok=True)
    metrics, curves = output.with_name("metrics.json"), output.with_name("training_curves.png")
    recipe = {"model": dataclasses.asdict(model_config), "training": config.recipe()}
    records.write_metrics(metrics, final.history, **recipe)
    records.draw_curves(curves, final.history)
    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    print(f"Saved {output} (SHA-256 {digest}),\n      {metrics} and {curves}.")
    is_default = output == checkpoints.DEFAULT_PATH
    print("Next: python demo.py" + ("" if is_default else f" --checkpoint {output}"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status: 0, 1 for an error, 130 for Ctrl-C."""
    argv = list(sys.argv[1:] if argv is None else argv)
    options = vars(build_parser().parse_args(argv))
    command = shlex.join(["python", "trainer.py", *(a for a in argv if a != "--resume")])
    try:
        run(options, command)
    except KeyboardInterrupt:
        return 130
    except (ValueError, OSError, TrainingError) as error:
        print(f"trainer.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
