"""The quality of the default training config over several seeds.

    python -m benchmarks.quality                 # trains five seeds: about half an hour
    python -m benchmarks.quality --seeds 0

Each seed is `python trainer.py --seed N --output runs/seed_N.pt`; existing checkpoints are reused.
Writes benchmarks/quality.json.
"""

import argparse
import statistics
import sys
from pathlib import Path

import torch
from torch import Tensor

import trainer
from benchmarks.reports import report_path, write_report
from latent_navigator.checkpoint.checkpoint import load_checkpoint
from latent_navigator.data.datasets import load_dataset
from latent_navigator.data.labelled_images import LabelledImages
from latent_utils import encode_dataset, kl_per_dimension

NEIGHBOURS = 15
BATCH = 500


def knn_accuracy(digits: LabelledImages, train: Tensor, test: Tensor) -> float:
    """The accuracy of a vote of the NEIGHBOURS nearest training means on z.

    Args:
        train, test: (N, 2) and (M, 2) means, in the order of the images.
    """
    correct = 0
    for means, labels in zip(test.split(BATCH), digits.test_labels.split(BATCH), strict=True):
        nearest = torch.cdist(means, train).topk(NEIGHBOURS, largest=False).indices
        votes = digits.train_labels[nearest].mode(dim=1).values
        correct += int((votes == labels).sum())
    return correct / len(test)


def measure(path: Path, digits: LabelledImages) -> dict[str, float]:
    """The figures of one trained checkpoint, in nats per test image."""
    checkpoint = load_checkpoint(path)
    final = checkpoint.history[-1]
    train = encode_dataset(checkpoint.build_model(), digits.train_images, digits.train_labels)
    mu, logvar = checkpoint.means, checkpoint.logvars
    kl_of_dimension = kl_per_dimension(mu, logvar)
    return {
        "recon": final["test_recon"],
        "kl": final["test_kl"],
        "elbo": final["test_elbo"],
        "objective": -(final["test_recon"] + 4 * final["test_kl"]),
        "knn_accuracy": knn_accuracy(digits, train.means, mu),
        "min_dimension_kl": float(kl_of_dimension.min()),
    }


def summarise(results: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Mean and standard deviation of each figure over the seeds."""
    summary = {}
    for name in results[0]:
        values = [result[name] for result in results]
        sd = statistics.stdev(values) if len(values) > 1 else 0.0
        summary[name] = {"mean": statistics.mean(values), "sd": sd}
    return summary


def main() -> None:
    """Train what is missing, measure, print and write the report."""
    parser = argparse.ArgumentParser(description="Measure the quality over several seeds.")
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--output", type=Path, default=report_path("quality"))
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
    summary = summarise(list(results.values()))
    for name, figure in summary.items():
        print(f"{name:24s} mean {figure['mean']:9.3f}   sd {figure['sd']:.3f}")
    write_report(options.output, {"seeds": results, "summary": summary})


if __name__ == "__main__":
    main()
