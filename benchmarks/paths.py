"""Which path between two digits is smoothest: all 45 pairs of digits, every method.

    python -m benchmarks.paths

Each path has IMAGES images from the prototype of one digit to that of the other, once as the page
shows it by default and once with equal visual change per step. Times are those of a single warm
thread. Writes benchmarks/paths.json.
"""

import argparse
import itertools
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.reports import Report, report_path, write_report
from latent_navigator.checkpoint.checkpoint import load_checkpoint
from latent_navigator.explorer.interpolation import INTERPOLATIONS, endpoint, interpolate
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.pretrained import DEFAULT_PATH

IMAGES = 16


def measure(space: LatentSpace) -> dict[str, list[Report]]:
    """For each method, the measures of the 45 pairs in the order of itertools.combinations."""
    measured: dict[str, list[Report]] = {method.key: [] for method in INTERPOLATIONS}
    for start, end in itertools.combinations(range(10), 2):
        for method in INTERPOLATIONS:
            ends = endpoint(space, start, "typical"), endpoint(space, end, "typical")
            began = time.perf_counter()
            method.curve(space, *ends)
            seconds = time.perf_counter() - began
            plain = interpolate(space, start, end, method.key, IMAGES)
            even = interpolate(space, start, end, method.key, IMAGES, even=True)
            measured[method.key].append(
                {
                    "pair": f"{start}-{end}",
                    "length": plain["length"],
                    "largest_step": plain["largest_step"],
                    "largest_even_step": even["largest_step"],
                    "support": plain["support"],
                    "radius": plain["radius"],
                    "passes": len(plain["passes"]),
                    "milliseconds": 1000 * seconds,
                }
            )
    return measured


def summarise(measured: dict[str, list[Report]]) -> dict[str, dict[str, float]]:
    """Aggregates per method; ratios and counts are relative to the straight line of each pair."""

    def column(method: str, name: str) -> npt.NDArray[np.float64]:
        return np.array([pair[name] for pair in measured[method]], dtype=float)

    summary: dict[str, dict[str, float]] = {}
    for method in measured:
        ratio = column(method, "length") / column("linear", "length")
        step = column(method, "largest_step") / column("linear", "largest_step")
        even = column(method, "largest_even_step") / column("linear", "largest_step")
        ms = column(method, "milliseconds")
        support = column(method, "support") - column("linear", "support")
        summary[method] = {
            "length": float(column(method, "length").mean()),
            "ratio": float(ratio.mean()),
            "median_ratio": float(np.median(ratio)),
            "min_ratio": float(ratio.min()),
            "max_ratio": float(ratio.max()),
            "shorter": int((ratio < 0.99).sum()),
            "below_0.9": int((ratio < 0.9).sum()),
            "above_1.1": int((ratio > 1.1).sum()),
            "largest_step": float(column(method, "largest_step").mean()),
            "largest_step_smaller": int((step < 0.99).sum()),
            "largest_even_step": float(column(method, "largest_even_step").mean()),
            "even_to_straight": float(even.mean()),
            "support": float(column(method, "support").mean()),
            "less_support": int((support < 0).sum()),
            "zero_support": int((column(method, "support") == 0).sum()),
            "radius": float(column(method, "radius").max()),
            "classes_passed": float(column(method, "passes").mean()),
            "ms_p50": float(np.percentile(ms, 50)),
            "ms_p95": float(np.percentile(ms, 95)),
            "ms_max": float(ms.max()),
        }
    return summary


def main() -> None:
    """Measure, print and write the report."""
    parser = argparse.ArgumentParser(description="Compare the paths between all pairs of digits.")
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_PATH)
    parser.add_argument("--output", type=Path, default=report_path("paths"))
    options = parser.parse_args()

    space = LatentSpace(load_checkpoint(options.checkpoint))
    began = time.perf_counter()
    _ = space.data_graph
    graph_s = time.perf_counter() - began
    # Warm-up: the first optimisation imports what torch.optim needs.
    interpolate(space, [0.0, 0.0], [1.0, 1.0], "geodesic")
    measured = measure(space)
    summary = summarise(measured)
    for method, figures in summary.items():
        print(f"{method:10s}", "  ".join(f"{k} {v:.3g}" for k, v in figures.items()))
    report = {"images": IMAGES, "graph_s": graph_s, "summary": summary, "pairs": measured}
    write_report(options.output, report)


if __name__ == "__main__":
    main()
