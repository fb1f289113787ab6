"""Which path between two digits is smoothest: all 45 pairs of the committed model, every method.

python -m benchmarks.paths

Each path has IMAGES images from the prototype of one digit to that of the other, as the page shows
it, and once more with equal visual change per step. Times are those of one thread,
warm.
Writes benchmarks/paths.json.
"""

import argparse
import itertools
import json
import time
from pathlib import Path

import numpy as np

from latent_navigator.checkpoint.checkpoint import DEFAULT_PATH, load_checkpoint
from latent_navigator.explorer.interpolation import INTERPOLATIONS, endpoint, interpolate
from latent_navigator.explorer.latent_space import LatentSpace

HERE = Path(__file__).parent
IMAGES = 16


def measure(space: LatentSpace) -> dict[str, list[dict]]:
    """For every method, the measures of the 45 pairs in the order of itertools.combinations."""
    found: dict[str, list[dict]] = {method.key: [] for method in INTERPOLATIONS}
    for start, end in itertools.combinations(range(10), 2):
        for method in INTERPOLATIONS:
            ends = endpoint(space, start, "typical"), endpoint(space, end, "typical")
            began = time.perf_counter()
            method.curve(space, *ends)
            seconds = time.perf_counter() - began
            plain = interpolate(space, start, end, method.key, IMAGES)
            even = interpolate(space, start, end, method.key, IMAGES, even=True)
            found[method.key].append(
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
    return found


def summarise(found: dict[str, list[dict]]) -> dict[str, dict]:
    """What holds for each way, against the straight one of the same pair."""

    def column(way: str, name: str) -> np.ndarray:
        return np.array([pair[name] for pair in found[way]], dtype=float)

    summary = {}
    for way in found:
        ratio = column(way, "length") / column("linear", "length")
        step = column(way, "largest_step") / column("linear", "largest_step")
        even = column(way, "largest_even_step") / column("linear", "largest_step")
        ms = column(way, "milliseconds")
        support = column(way, "support") - column("linear", "support")
        summary[way] = {
            "length": float(column(way, "length").mean()),
            "ratio": float(ratio.mean()),
            "median_ratio": float(np.median(ratio)),
            "least_ratio": float(ratio.min()),
            "greatest_ratio": float(ratio.max()),
            "shorter": int((ratio < 0.99).sum()),
            "below_0.9": int((ratio < 0.9).sum()),
            "above_1.1": int((ratio > 1.1).sum()),
            "largest_step": float(column(way, "largest_step").mean()),
            "largest_step_smaller": int((step < 0.99).sum()),
            "largest_even_step": float(column(way, "largest_even_step").mean()),
            "even_to_straight": float(even.mean()),
            "support": float(column(way, "support").mean()),
            "less_support": int((support < 0).sum()),
            "touches_nothing": int((column(way, "support") == 0).sum()),
            "radius": float(column(way, "radius").max()),
            "digits_passed": float(column(way, "passes").mean()),
            "ms_p50": float(np.percentile(ms, 50)),
            "ms_p95": float(np.percentile(ms, 95)),
            "ms_most": float(ms.max()),
        }
    return summary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_PATH)
    parser.add_argument("--output", type=Path, default=HERE / "paths.json")
    options = parser.parse_args()

    space = LatentSpace(load_checkpoint(options.checkpoint))
    began = time.perf_counter()
    _ = space.data_graph
    graph_s = time.perf_counter() - began
    # Warm: the first optimisation imports what torch.optim needs.
    interpolate(space, [0.0, 0.0], [1.0, 1.0], "geodesic")
    found = measure(space)
    summary = summarise(found)
    for way, figures in summary.items():
        print(f"{way:10s}", "  ".join(f"{k} {v:.3g}" for k, v in figures.items()))
    report = {"pictures": IMAGES, "graph_s": graph_s, "summary": summary, "pairs": found}
    options.output.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
