"""How good the default recipe is, over several seeds: the table of the README.

    python -m benchmarks.quality                 # trains five seeds: about half an hour
    python -m benchmarks.quality --seeds 0

Each seed is `python trainer.py --seed N --output runs/seed_N.pt`; one that is there already is
not trained again. Writes benchmarks/quality.json.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

import torch

import trainer
from latent_navigator.checkpoint.checkpoint import load_checkpoint
from latent_navigator.data.datasets import LabelledImages, load_dataset
from latent_utils import encode_dataset

HERE = Path(__file__).parent
NEIGHBOURS = 15


def knn_accuracy(digits: LabelledImages, train: torch.Tensor, test: torch.Tensor) -> float:
    """Share of the test means whose 15 nearest training means vote for the right digit."""
    right = 0
    for i, some in enumerate(test.split(500)):
        nearest = torch.cdist(some, train).topk(NEIGHBOURS, largest=False).indices
        votes = digits.train_labels[nearest].mode(dim=1).values
        right += int((votes == digits.test_labels[500 * i : 500 * i + len(some)]).sum())
    return right / len(test)


def measure(path: Path, digits: LabelledImages) -> dict[str, float]:
    """The figures of one trained checkpoint, in nats per image of the test set."""
    checkpoint = load_checkpoint(path)
    final = checkpoint.history[-1]
    train = encode_dataset(checkpoint.build_model(), digits.train_images, digits.train_labels)
    mu, logvar = checkpoint.means, checkpoint.logvars
    kl_of_dimension = 0.5 * (mu.square() + logvar.exp() - logvar - 1).mean(0)
    return {
        "recon": final["test_recon"],
        "kl": final["test_kl"],
        "elbo": final["test_elbo"],
        "objective": -(final["test_recon"] + 4 * final["test_kl"]),
        "knn": knn_accuracy(digits, train.means, mu),
        "least_used_dimension_kl": float(kl_of_dimension.min()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--output", type=Path, default=HERE / "quality.json")
    options = parser.parse_args()

    digits = load_dataset("mnist", options.data_dir)
    results = {}
    for seed in options.seeds:
        path = options.runs / f"seed_{seed}.pt"
        command = ["--seed", str(seed), "--output", str(path), "--data-dir", options.data_dir]
        if not path.exists() and trainer.main(command) != 0:
            sys.exit(f"seed {seed} did not finish")
        results[seed] = measure(path, digits)
        print(f"seed {seed}: " + "  ".join(f"{k} {v:.3f}" for k, v in results[seed].items()))
    summary = {}
    for name in results[options.seeds[0]]:
        values = [result[name] for result in results.values()]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        summary[name] = {"mean": statistics.mean(values), "sd": spread}
        print(f"{name:24s} mean {summary[name]['mean']:9.3f}   sd {spread:.3f}")
    report = {"seeds": results, "summary": summary}
    options.output.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
