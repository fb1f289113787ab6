"""Many people at one server at once: how long they wait, what fails, and what memory it takes.

    python -m benchmarks.load

Starts `python demo.py`, lets the people of benchmarks/people.py come (locust), and looks every
second at the server's memory. Writes benchmarks/load.json. Exit status 1 if a request failed or
the memory grew, after a warm-up, by more than MAX_GROWTH.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.server import ROOT, running_process

HERE = Path(__file__).parent
REPORT = HERE / "load.json"
PEOPLE, SECONDS = 50, 120
ARRIVING = 10  # people a second
WARM = 0.25  # of the run, after which memory must be flat
MAX_GROWTH = 50.0  # MB from there to the end; measured: 26, and 77 with glibc left to itself
PERCENTILES = 50, 95, 99
MB = 1e6


def sample(process: psutil.Process, cache: Path, started: float) -> dict[str, float]:
    """What the server takes just now."""
    files = [file for file in cache.rglob("*") if file.is_file()]
    return {
        "second": round(time.perf_counter() - started, 1),
        "rss_mb": round(process.memory_info().rss / MB, 1),
        "threads": process.num_threads(),
        "cached_files": len(files),
        "cpu_s": round(sum(process.cpu_times()[:2]), 1),
    }


def summary(entry: dict[str, Any]) -> dict[str, Any]:
    """One line of locust's statistics; times in ms, as locust rounds them."""
    times = sorted((float(ms), count) for ms, count in entry["response_times"].items())
    values, counts = np.array(times).T if times else np.zeros((2, 0))
    all_times = np.repeat(values, counts.astype(int))
    figures = {
        f"p{p}": float(np.percentile(all_times, p)) if len(all_times) else None for p in PERCENTILES
    }
    return {"count": entry["num_requests"], "failures": entry["num_failures"]} | figures


def memory(samples: list[dict[str, float]]) -> dict[str, float]:
    """How memory went, from WARM of the run on: medians of five samples at both ends."""
    warm = samples[int(WARM * len(samples)) :]
    seconds, rss = (np.array([one[name] for one in warm]) for name in ("second", "rss_mb"))
    early, late = float(np.median(rss[:5])), float(np.median(rss[-5:]))
    return {
        "at_start_mb": samples[0]["rss_mb"],
        "at_quarter_mb": round(early, 1),
        "at_end_mb": round(late, 1),
        "most_mb": max(one["rss_mb"] for one in samples),
        "growth_mb": round(late - early, 1),
        "slope_mb_a_minute": round(60 * float(np.polyfit(seconds, rss, 1)[0]), 1),
        "threads_most": max(one["threads"] for one in samples),
        "cached_files_at_end": samples[-1]["cached_files"],
        "cpu_share": round(
            (samples[-1]["cpu_s"] - samples[0]["cpu_s"])
            / (samples[-1]["second"] - samples[0]["second"]),
            2,
        ),
    }


def run(people: int, seconds: int, locustfile: Path) -> dict[str, Any]:
    """The report of `people` for `seconds`.

    Raises:
        RuntimeError: if locust does not run to its end.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cache = folder / "cache"
        cache.mkdir()
        environment = {"GRADIO_TEMP_DIR": str(cache)}
        with running_process(folder / "log", environment=environment) as (address, process):
            server = psutil.Process(process.pid)
            command = [sys.executable, "-m", "locust", "-f", str(locustfile), "--headless"]
            command += ["-H", address.rstrip("/"), "-u", str(people), "-r", str(ARRIVING)]
            command += ["-t", f"{seconds}s", "--stop-timeout", "30", "--only-summary"]
            command += ["--json-file", str(folder / "statistics"), "--exit-code-on-error", "0"]
            told = folder / "told"
            with open(told, "w") as output:
                crowd = subprocess.Popen(
                    command,
                    cwd=ROOT,
                    stdout=output,
                    stderr=output,
                    env=os.environ | {"PYTHONPATH": str(ROOT)},
                )
            started, samples = time.perf_counter(), []
            while crowd.poll() is None:
                samples.append(sample(server, cache, started))
                time.sleep(1)
            took = samples[-1]["second"]
            written = folder / "statistics.json"
            if crowd.returncode or not written.exists():
                raise RuntimeError(f"locust did not run to its end: {told.read_text()}")
            entries = json.loads(written.read_text())
        log, said = (folder / "log").read_text(), told.read_text()
        actions = {entry["name"]: summary(entry) for entry in entries}
        answers = sum(action["count"] for action in actions.values())
        failures = sum(action["failures"] for action in actions.values())
        return {
            "people": people,
            "seconds": seconds,
            "cores": os.cpu_count(),
            "system": platform.system(),
            "answers": answers,
            "failures": failures,
            "answers_a_second": round(answers / took, 1),
            "memory": memory(samples),
            "actions": dict(sorted(actions.items())),
            "stumbles": said.count("Traceback"),
            "told": said if failures or "Traceback" in said else "",
            "log": log.split("\n")[1:-1],
            "samples": samples,
        }


def faults(report: dict[str, Any]) -> list[str]:
    """What must not be, in sentences."""
    found = []
    if report["failures"]:
        found.append(f"{report['failures']} of {report['answers']} requests failed")
    if report["stumbles"]:
        found.append(f"the people of the load test stumbled {report['stumbles']} times")
    growth = report["memory"]["growth_mb"]
    if growth > MAX_GROWTH:
        found.append(f"memory grew by {growth} MB after the warm-up, more than {MAX_GROWTH}")
    if any("Traceback" in line for line in report["log"]):
        found.append("the server's log holds a traceback")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--output", type=Path, default=REPORT, help="where the report goes")
    parser.add_argument(
        "--locustfile", type=Path, default=HERE / "people.py", help="what the people do"
    )
    options = parser.parse_args(argv)
    report = run(options.people, options.seconds, options.locustfile)
    for name, action in report["actions"].items():
        print(f"{name:32s} {action}")
    print(f"answers a second: {report['answers_a_second']}, {report['memory']}")
    print(report["told"], end="")
    found = faults(report)
    for fault in found:
        print(f"benchmarks.load: {fault}", file=sys.stderr)
    options.output.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
