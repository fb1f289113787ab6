"""Train the VAE and save the checkpoint that the demo explores.

python trainer.py                         # a model as good as the committed one, in minutes
python trainer.py --dataset kmnist        # another data set
python trainer.py --resume                # continues an interrupted run
python trainer.py --discard               # discards an interrupted run and starts over
torchrun --nproc-per-node=2 trainer.py    # two processes, each with its shard of every batch
"""

import sys

from latent_navigator.training.command_line import answer_help
from latent_navigator.training.parent import stop_with_stdin

if __name__ == "__main__":  # before the import of torch, which takes seconds
    answer_help(sys.argv[1:])
    stop_with_stdin()

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
import torch.nn as nn
from torch import Tensor
from tqdm import tqdm

from latent_navigator.checkpoint.checkpoint import Checkpoint, save_checkpoint
from latent_navigator.checkpoint.snapshots import (
    Snapshots,
    add_snapshot,
    first_snapshot,
    newest,
    take_snapshot,
)
from latent_navigator.console import forgive_output
from latent_navigator.data.labelled_images import LabelledImages
from latent_navigator.data.train_data import describe_train_data
from latent_navigator.device import resolve_device
from latent_navigator.model_config import VAEConfig
from latent_navigator.training.config import TrainingConfig, beta_at, learning_rate_at
from latent_navigator.training.distributed import SINGLE_PROCESS, ProcessGroup
from latent_navigator.training.gradient import ShardedGradient
from latent_navigator.training.metrics import TABLE_HEADER, epoch_metrics, table_row
from latent_navigator.training.paths import RunPaths
from latent_navigator.training.progress import ProgressLog
from latent_navigator.training.resume import make_checkpoint
from latent_navigator.training.runner import TrainingError, exit_process, run_command_line
from latent_utils import Encodings, encode_dataset
from neural_network import VAE, VAELoss, vae_loss


def train_epoch(
    gradient: ShardedGradient,
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    epoch: int,
    config: TrainingConfig,
    bar: tqdm,
    on_step: Callable[[float], None] = lambda _: None,
) -> tuple[float, float]:
    """One pass over images (N, 28, 28) uint8, on the model's device; mean recon and kl in nats.

    All randomness depends on (seed, epoch) alone, so that a resumed run needs no generator state.
    It is drawn for whole batches, so that any number of threads and processes use the same.

    Args:
        gradient: of the model whose weights the optimizer moves.
        on_step: called after each step with the share of the epoch that is done.

    Raises:
        TrainingError: if the loss or its gradient is not finite, before the optimizer's step.
    """
    model, device = gradient.model, images.device
    order = torch.Generator().manual_seed(config.seed * 100_003 + epoch)
    noise = torch.Generator(device).manual_seed(config.seed * 100_003 + epoch)
    batches = torch.randperm(len(images), generator=order).to(device).split(config.batch_size)
    totals = torch.zeros(2, dtype=torch.float64)
    for step, batch in enumerate(batches):
        progress = epoch + step / len(batches)
        for parameters in optimizer.param_groups:
            parameters["lr"] = learning_rate_at(progress, config)
        # Blanked pixels keep the encoder from memorising the images (Im et al. 2017); the decoder
        # has to reconstruct all of them.
        keep = pixels_kept(len(batch), config.blanking, noise)  # (B, 28, 28)
        eps = torch.randn((len(batch), model.config.latent_dim), generator=noise, device=device)
        losses_of = partial(denoising_losses, config.precision, beta_at(progress, config))
        losses, norm = gradient.compute(losses_of, (images[batch], keep, eps))
        loss, *recon_and_kl = torch.stack(losses).tolist()
        position = f"epoch {epoch + 1}, step {step + 1}"
        clip_gradient(model, config, loss, norm, progress, position)
        gradient.step(optimizer)
        totals += torch.tensor(recon_and_kl, dtype=torch.float64) * len(batch)
        bar.update(len(batch))
        on_step((step + 1) / len(batches))
    recon, kl = (totals / len(images)).tolist()
    return recon, kl


def pixels_kept(count: int, blanking: float, generator: torch.Generator) -> Tensor:
    """Which pixels (count, 28, 28) the encoder sees, bool: each with probability 1 - blanking."""
    # A number of 64 bits for four pixels: four times as fast as one of each.
    whole = torch.empty((count, 28, 7), dtype=torch.int64, device=generator.device)
    sixteen = whole.random_(-(2**63), None, generator=generator).view(torch.int16)
    return sixteen >= min(round(blanking * 2**16) - 2**15, 2**15 - 1)


def denoising_losses(
    precision: str, beta: float, model: VAE, images: Tensor, keep: Tensor, eps: Tensor
) -> VAELoss:
    """The losses of images (B, 28, 28) uint8 that the encoder sees in part.

    Args:
        keep: (B, 28, 28) bool, the pixels it sees. eps: (B, latent_dim), the noise of z.
    """
    x = images.unsqueeze(1).float().div_(255)  # (B, 1, 28, 28)
    with torch.autocast(x.device.type, torch.bfloat16, enabled=precision == "bf16"):
        logits, mu, logvar = model(x * keep.unsqueeze(1), eps=eps)
    # Outside of autocast: bf16 cannot tell 140.0 from 140.5 nats.
    return vae_loss(logits, x, mu, logvar, beta)


def clip_gradient(
    model: nn.Module,
    config: TrainingConfig,
    loss: float,
    norm: Tensor,
    progress: float,
    position: str,
) -> None:
    """Scale the gradient down to a norm of at most config.grad_clip.

    Args:
        loss: whose gradient it is. norm: of the gradient.
        progress: epochs since the start of the run. position: the same in words.

    Raises:
        TrainingError: if the loss or the norm is not finite.
    """
    if not math.isfinite(loss + norm.item()):
        raise TrainingError(
            f"the loss is {loss} and the norm of its gradient {norm.item()} in {position}, at "
            f"learning rate {learning_rate_at(progress, config):.2e}; the step was not taken. Try "
            "a lower --learning-rate or another --seed"
        )
    if norm > config.grad_clip:
        nn.utils.clip_grads_with_norm_(model.parameters(), config.grad_clip, norm)


def evaluate(
    model: VAE,
    images: Tensor,
    labels: Tensor,
    seed: int = 0,
    in_threads: Callable[..., Iterable[tuple[VAELoss, Encodings]]] = map,
) -> tuple[float, float, Encodings]:
    """The losses and the encodings of a data set, in float32.

    Args:
        images: (N, 28, 28) uint8. labels: (N,) int64. seed: of one sample of z per image.
        in_threads: calls a function with each of a list's items, as map does.

    Returns:
        The mean recon and kl in nats per image, and the encodings.
    """
    generator = torch.Generator().manual_seed(seed)
    eps = torch.randn((len(images), model.config.latent_dim), generator=generator)
    batches = list(zip(images.split(500), labels.split(500), eps.split(500), strict=True))
    results = in_threads(lambda batch: evaluate_batch(model, *batch), batches)
    losses, encodings = zip(*results, strict=True)
    totals = torch.zeros(2, dtype=torch.float64)
    for loss, (means, *_) in zip(losses, encodings, strict=True):
        totals += torch.tensor([loss.recon, loss.kl], dtype=torch.float64) * len(means)
    recon, kl = (totals / len(images)).tolist()
    return recon, kl, Encodings(*map(torch.cat, zip(*encodings, strict=True)))


@torch.inference_mode()
def evaluate_batch(
    model: VAE, images: Tensor, labels: Tensor, eps: Tensor
) -> tuple[VAELoss, Encodings]:
    """The losses, with beta 1, and the encodings of a batch; eps (B, latent_dim) makes z."""
    encodings = encode_dataset(model, images, labels)
    mu, logvar = (part.to(images.device) for part in encodings[:2])  # (B, latent_dim)
    x = images.unsqueeze(1).float().div_(255)  # (B, 1, 28, 28)
    z = model.reparameterize(mu, logvar, eps=eps.to(images.device))
    return vae_loss(model.decoder(z), x, mu, logvar, beta=1.0), encodings


def build_model(
    config: TrainingConfig,
    model_config: VAEConfig,
    device: torch.device,
    resumed: Checkpoint | None,
) -> tuple[VAE, torch.optim.Optimizer]:
    """The model and its optimizer before the first epoch, or as the resumed run left them."""
    torch.manual_seed(config.seed)
    model = VAE(model_config).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)
    if resumed is not None:
        model.load_state_dict(resumed.weights)
        assert resumed.training_state is not None
        optimizer.load_state_dict(resumed.training_state)
    return model, optimizer


def train(
    config: TrainingConfig,
    model_config: VAEConfig,
    data: LabelledImages,
    resumed: Checkpoint | None = None,
    group: ProcessGroup = SINGLE_PROCESS,
    *,
    progress: bool = False,
) -> Checkpoint | None:
    """Train from scratch, or continue from `resumed`; process 0 saves the state of each epoch.

    With `progress` it also keeps the latent space as it forms; see training/progress.py.

    Returns:
        The finished checkpoint in process 0, None in the others.

    Raises:
        TrainingError: if the loss is not finite.
    """
    device = group.local_device(resolve_device(config.device))
    # On the device for the whole run: an epoch indexes tensors instead of loading files.
    images, test = data.train_images.to(device), (data.test_images.to(device), data.test_labels)
    model, optimizer = build_model(config, model_config, device, resumed)
    train_data = describe_train_data(data.train_images, data.train_labels, len(data.class_names))
    if resumed is None:
        history, snapshots = [], first_snapshot(model, *test)
    else:
        history, snapshots = list(resumed.history), resumed.snapshots
    state, epochs = resumed, range(len(history), config.epochs)
    paths = RunPaths(Path(config.output))
    log = ProgressLog(paths.progress if progress and group.is_main else None, config)
    log.start(len(history), data, snapshots, model_config)
    watcher = Watcher(log, model, *test, snapshots)
    if group.is_main:
        print(TABLE_HEADER)
    with (
        progress_bar(len(images), epochs, group.is_main) as bar,
        ShardedGradient(model, config.precision, group) as gradient,
    ):
        for epoch in epochs:
            started = time.perf_counter()
            on_step = watcher.begin(epoch)
            losses = train_epoch(gradient, optimizer, images, epoch, config, bar, on_step)
            if not group.is_main:
                continue
            *test_losses, encodings = evaluate(model, *test, in_threads=gradient.in_threads)
            seconds = time.perf_counter() - started
            history.append(epoch_metrics(epoch + 1, config, losses, test_losses, seconds))
            snapshots = add_snapshot(snapshots, model, encodings.means, epoch + 1)
            parts = (data, train_data, snapshots, optimizer.state_dict())
            state = make_checkpoint(model, config, history, encodings, *parts)
            save_checkpoint(paths.state, state)
            log.epoch(newest(snapshots), history[-1])
            tqdm.write(table_row(history[-1], len(images), config.epochs))
            sys.stdout.flush()  # so that a redirected log shows each epoch at once
    return replace(state, training_state=None) if group.is_main and state else None


class Watcher:
    """Takes the snapshots of a progress file that are due within an epoch.

    Args:
        log: the file. model: as it is trained.
        images: (N, 28, 28) the test images, on the model's device. labels: (N,).
        snapshots: of the run.
    """

    def __init__(
        self, log: ProgressLog, model: VAE, images: Tensor, labels: Tensor, snapshots: Snapshots
    ) -> None:
        self.log, self.model, sample = log, model, snapshots.sample
        self.reconstructed = snapshots.reconstructed
        self.images, self.labels = images[sample.to(images.device)], labels[sample]

    def begin(self, epoch: int) -> Callable[[float], None]:
        """What `train_epoch` calls after each step of this epoch."""
        self.log.begin_epoch(epoch)
        return partial(self._step, epoch)

    def _step(self, epoch: int, share: float) -> None:
        if self.log.step(share):
            recon, kl, encodings = evaluate(self.model, self.images, self.labels)
            taken = take_snapshot(self.model, encodings.means, self.reconstructed)
            self.log.moment(epoch + share, taken, (recon, kl))


def progress_bar(images: int, epochs: range, is_main: bool) -> tqdm:
    """A bar over the images of all epochs, of which those before `epochs` are done.

    Only in process 0, and only where stderr is a terminal: a log has the table's rows.
    """
    return tqdm(
        total=images * epochs.stop,
        initial=images * epochs.start,
        unit="img",
        unit_scale=True,
        leave=False,
        disable=None if is_main else True,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status: 0, 1 for an error, 130 for Ctrl-C, 143 for SIGTERM."""
    forgive_output()
    return run_command_line(list(sys.argv[1:] if argv is None else argv), train)


if __name__ == "__main__":
    exit_process(main())
