"""What beta and its warm-up do to the space: which second model shows the lesson best.

    python -m benchmarks.prior                                 # the two committed models
    python trainer.py --warmup-epochs 0 --output runs/no_warmup/vae.pt
    python -m benchmarks.prior pretrained/*mnist.pt pretrained/*beta.pt runs/no_warmup/vae.pt

Draws from the prior N(0, I), the way a VAE makes new digits: how many land where digits were
encoded, whether the encoder takes their pictures back to where they came from, and how evenly they
spread over the ten digits. Writes benchmarks/prior.json.
"""

import argparse
import json
import math
from pathlib import Path

import torch

from latent_navigator.checkpoint.checkpoint import COMPARED_PATH, DEFAULT_PATH, load_checkpoint
from latent_navigator.explorer.latent_space import LatentSpace
from latent_utils import RADIUS, neighbourhood

HERE = Path(__file__).parent
DRAWS = 10_000


def measure(path: Path) -> dict[str, float | str]:
    """The figures of one checkpoint."""
    checkpoint = load_checkpoint(path)
    known = LatentSpace(checkpoint)
    z = torch.randn(DRAWS, 2, generator=torch.Generator().manual_seed(0))
    parts = [neighbourhood(some, known.means, known.labels) for some in z.split(500)]
    within = torch.cat([part.within for part in parts])
    winners = torch.cat([part.shares.argmax(1) for part in parts])
    shares = winners.bincount(minlength=10) / DRAWS
    trips = [(known.encode(known.pictures(some))[0] - some).norm(dim=1) for some in z.split(500)]
    final = checkpoint.history[-1]
    return {
        "label": checkpoint.label,
        "recon": final["test_recon"],
        "kl": final["test_kl"],
        "elbo": final["test_elbo"],
        "radius_95": float(known.means.norm(dim=1).quantile(0.95)),
        "draws_near_digits": float((within > 0).float().mean()),
        "round_trip_median": float(torch.cat(trips).median()),
        "digits_bits": float(torch.special.entr(shares).sum() / math.log(2)),
        "commonest_digit": float(shares.max()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", type=Path, nargs="*", default=[DEFAULT_PATH, COMPARED_PATH])
    parser.add_argument("--output", type=Path, default=HERE / "prior.json")
    options = parser.parse_args()
    report = {"draws": DRAWS, "radius": RADIUS, "models": [measure(p) for p in options.checkpoints]}
    for figures in report["models"]:
        print(
            "  ".join(f"{k} {v if isinstance(v, str) else round(v, 3)}" for k, v in figures.items())
        )
    options.output.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
