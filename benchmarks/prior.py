"""What beta and its warm-up do to the latent space.

    python -m benchmarks.prior                                 # the two committed models
    python trainer.py --warmup-epochs 0 --batch-size 256 --learning-rate 4e-3 \\
        --output runs/no_warmup/vae.pt
    python -m benchmarks.prior pretrained/*mnist.pt pretrained/*beta.pt runs/no_warmup/vae.pt

Samples z from the prior N(0, I), as a VAE generates new digits, and measures how many of them are
near encoded digits, how close the encoder returns their images to z (the round trip), and how
evenly they spread over the ten digits. The last command writes the committed
benchmarks/prior.json.
"""

import argparse
import math
from pathlib import Path

import torch

from benchmarks.reports import Report, report_path, write_report
from latent_navigator.checkpoint.checkpoint import load_checkpoint
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.pretrained import COMPARED_PATH, DEFAULT_PATH
from latent_utils import RADIUS

SAMPLES = 10_000
BATCH = 500


def measure(path: Path) -> Report:
    """The figures of one checkpoint."""
    checkpoint = load_checkpoint(path)
    space = LatentSpace(checkpoint)
    z = torch.randn(SAMPLES, space.latent_dim, generator=torch.Generator().manual_seed(0))
    within, winners, distances = [], [], []
    for batch in z.split(BATCH):
        around = space.around(batch)
        within.append(around.within)
        winners.append(around.shares.argmax(1))
        mu, _ = space.encode(space.decode_images(batch))
        distances.append((mu - batch).norm(dim=1))
    shares = torch.cat(winners).bincount(minlength=10) / SAMPLES
    final = checkpoint.history[-1]
    return {
        "label": checkpoint.label,
        "recon": final["test_recon"],
        "kl": final["test_kl"],
        "elbo": final["test_elbo"],
        "radius_95": float(space.means.norm(dim=1).quantile(0.95)),
        "samples_near_data": float((torch.cat(within) > 0).float().mean()),
        "round_trip_median": float(torch.cat(distances).median()),
        "class_entropy_bits": float(torch.special.entr(shares).sum() / math.log(2)),
        "most_common_class": float(shares.max()),
    }


def main() -> None:
    """Measure, print and write the report."""
    parser = argparse.ArgumentParser(description="Compare samples from the prior across models.")
    parser.add_argument("checkpoints", type=Path, nargs="*", default=[DEFAULT_PATH, COMPARED_PATH])
    parser.add_argument("--output", type=Path, default=report_path("prior"))
    options = parser.parse_args()
    models = [measure(path) for path in options.checkpoints]
    for figures in models:
        print(
            "  ".join(f"{k} {v if isinstance(v, str) else round(v, 3)}" for k, v in figures.items())
        )
    write_report(options.output, {"samples": SAMPLES, "radius": RADIUS, "models": models})


if __name__ == "__main__":
    main()
