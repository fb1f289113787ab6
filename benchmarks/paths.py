"""Which path between two digits is smoothest: all 45 pairs of digits, every method.

    python -m benchmarks.paths

Each path has IMAGES images from the prototype of one digit to that of the other, once as the page
shows it by default and once with equal visual change per step. Times are those of a single warm
thread, its processor time beside the wall-clock time, which other programs lengthen. Geodesics are
also computed by the previous method, pair by pair in turn; lengths are compared on the same fine
polylines, of density-weighted ones with their weights. Writes benchmarks/paths.json.
"""

import argparse
import functools
import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchmarks import previous_geodesics as previous
from benchmarks.reports import Report, report_path, write_report
from latent_navigator.checkpoint.checkpoint import load_checkpoint
from latent_navigator.explorer.interpolation import (
    INTERPOLATIONS,
    compare_paths,
    endpoint,
    interpolate,
    methods,
)
from latent_navigator.explorer.latent_space import LatentSpace, use_one_thread
from latent_navigator.geometry.geodesics import geodesic, subdivide
from latent_navigator.geometry.latent_graph import Weight
from latent_navigator.pretrained import DEFAULT_PATH

T = TypeVar("T")

IMAGES = 16
FINE = 32  # chords per segment, when the lengths of two methods are compared
FRESH = 30  # pairs of positions that no path was computed for


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


def timed(function: Callable[[], T]) -> tuple[T, dict[str, float]]:
    """A result and the milliseconds that it took, of the clock and of this thread."""
    began, worked = time.perf_counter(), time.thread_time()
    result = function()
    wall, cpu = time.perf_counter() - began, time.thread_time() - worked
    return result, {"ms": 1000 * wall, "cpu_ms": 1000 * cpu}


def weighted_length(space: LatentSpace, weight: Weight, path: Tensor) -> float:
    """The length of a path in image space, each part times its weight, in FINE chords a segment."""
    vertices = subdivide(path, FINE)
    with torch.no_grad():
        changes = torch.cat([space.decode(z) for z in vertices.split(512)]).diff(dim=0).norm(dim=1)
        return float((changes * weight((vertices[1:] + vertices[:-1]) / 2)).sum())


def against_previous(space: LatentSpace) -> dict[str, list[Report]]:
    """For each kind of geodesic, time and length of the 45 pairs by both methods."""
    old_graph = previous.latent_graph.build_graph(space.decode, space.range)
    old_weights = previous.latent_graph.data_weights(old_graph, space.means)
    graphs = {
        "geodesic": (space.graph, old_graph),
        "data": (space.data_graph, old_graph.weighted(old_weights)),
    }
    compared: dict[str, list[Report]] = {}
    for method, (graph, old) in graphs.items():
        rows = compared[method] = []
        for a, b in itertools.combinations(range(10), 2):
            ends = space.anchor(a), space.anchor(b)
            row: Report = {"pair": f"{a}-{b}"}
            for name, find in (
                ("new", functools.partial(geodesic, space.decode, graph, *ends)),
                ("old", functools.partial(previous.geodesics.geodesic, space.decode, old, *ends)),
            ):
                path, times = timed(find)
                row[name] = times | {"length": weighted_length(space, graph.weight, path)}
            rows.append(row)
    return compared


def summarise_comparison(rows: list[Report]) -> dict[str, float]:
    """Times of both methods and the new length as a multiple of the old one."""
    ratio = np.array([row["new"]["length"] / row["old"]["length"] for row in rows])
    summary = {
        f"{name}_{unit}_p{percent}": float(
            np.percentile([row[name][unit] for row in rows], percent)
        )
        for name in ("new", "old")
        for unit in ("ms", "cpu_ms")
        for percent in (50, 95)
    }
    return summary | {"ratio": float(ratio.mean()), "max_ratio": float(ratio.max())}


def comparison_times(space: LatentSpace) -> dict[str, float]:
    """Milliseconds that a comparison of all paths takes: warm, and between fresh positions."""
    generator = torch.Generator().manual_seed(0)
    fresh = (torch.rand(FRESH, 2, 2, generator=generator) * 4 - 2).tolist()
    pairs = list(itertools.combinations(range(10), 2))
    found = {}
    for name, ends in (("warm", pairs), ("fresh", fresh)):
        asked = [*methods()], 12, False, "typical"
        times = [timed(functools.partial(compare_paths, space, a, b, *asked))[1] for a, b in ends]
        for unit in ("ms", "cpu_ms"):
            for percent in (50, 95):
                measured = [some[unit] for some in times]
                found[f"{name}_{unit}_p{percent}"] = float(np.percentile(measured, percent))
    return found


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

    use_one_thread()
    space = LatentSpace(load_checkpoint(options.checkpoint))
    began = time.perf_counter()
    _ = space.data_graph
    graph_s = time.perf_counter() - began
    interpolate(space, [0.0, 0.0], [1.0, 1.0], "geodesic")  # warm-up
    compared = against_previous(space)
    measured = measure(space)
    summary = summarise(measured)
    for method, figures in summary.items():
        print(f"{method:10s}", "  ".join(f"{k} {v:.3g}" for k, v in figures.items()))
    previously = {method: summarise_comparison(rows) for method, rows in compared.items()}
    comparison = comparison_times(space)
    for method, figures in (previously | {"comparison": comparison}).items():
        print(f"{method:10s}", "  ".join(f"{k} {v:.4g}" for k, v in figures.items()))
    report = {
        "images": IMAGES,
        "graph_s": graph_s,
        "summary": summary,
        "previous": {"commit": previous.COMMIT, "summary": previously, "pairs": compared},
        "comparison": comparison,
        "pairs": measured,
    }
    write_report(options.output, report)


if __name__ == "__main__":
    main()
