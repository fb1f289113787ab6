"""The committed reports of the benchmarks: benchmarks/<name>.json."""

import contextlib
import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent

Report = dict[str, Any]


def report_path(name: str) -> Path:
    """Where the benchmark of that name writes its report."""
    return FOLDER / f"{name}.json"


def read_report(name: str) -> Report:
    """The committed report of the benchmark of that name."""
    report: Report = json.loads(report_path(name).read_text(encoding="utf-8"))
    return report


def percentiles(values: list[float], digits: int = 1) -> dict[str, float]:
    """Median, 95th percentile and count."""
    return {
        "p50": round(float(np.percentile(values, 50)), digits),
        "p95": round(float(np.percentile(values, 95)), digits),
        "n": len(values),
    }


def processor() -> str:
    """The processor's name and its cores, as far as the system tells."""
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                name = value.strip()
                break
    cores = os.cpu_count() or 1
    return f"{name}, {cores} core{'s' * (cores != 1)}"


def write_report(path: Path, report: Mapping[str, object]) -> None:
    """Write a report, and the processor that it was measured on; see `write_json`."""
    write_json(path, {"processor": processor(), **report})


def write_json(path: Path, report: Mapping[str, object]) -> None:
    """Write a report.

    Raises:
        ValueError: if it holds a number that is not finite.
    """
    path.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")
