"""The committed reports of the benchmarks: benchmarks/<name>.json."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent

Report = dict[str, Any]


def report_path(name: str) -> Path:
    """Where the benchmark of that name writes its report."""
    return FOLDER / f"{name}.json"


def read_report(name: str) -> Report:
    """The committed report of the benchmark of that name."""
    report: Report = json.loads(report_path(name).read_text(encoding="utf-8"))
    return report


def write_report(path: Path, report: Mapping[str, object]) -> None:
    """Write a report.

    Raises:
        ValueError: if it holds a number that is not finite.
    """
    path.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")
