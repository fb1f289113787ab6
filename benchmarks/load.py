"""The server under load: response times, failures and memory with many users at once.

    python -m benchmarks.load

Starts `python demo.py`, simulates the users of benchmarks/users.py (locust) and samples the
server's memory every second. Writes benchmarks/load.json. Exits with status 1 if a request failed,
or if the memory grew by more than MAX_GROWTH after the warm-up.
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

from benchmarks.reports import FOLDER, Report, report_path, write_report
from benchmarks.server import ROOT, running_process

USERS, SECONDS = 50, 120
SPAWN_RATE = 10  # new users per second
WARM_UP = 0.25  # of the run; the memory must be flat afterwards
MAX_GROWTH = 50.0  # MB after the warm-up; measured: 26, and 77 with glibc's default heaps
PERCENTILES = 50, 95, 99
MB = 1e6


def sample(process: psutil.Process, cache: Path, started: float) -> dict[str, float]:
    """The server's memory, threads, cached files and CPU time at this moment."""
    files = [file for file in cache.rglob("*") if file.is_file()]
    return {
        "second": round(time.perf_counter() - started, 1),
        "rss_mb": round(process.memory_info().rss / MB, 1),
        "threads": process.num_threads(),
        "cached_files": len(files),
        "cpu_s": round(sum(process.cpu_times()[:2]), 1),
    }


def summary(entry: dict[str, Any]) -> dict[str, Any]:
    """Count, failures and percentiles of one entry of locust's statistics; times in ms."""
    times = sorted((float(ms), count) for ms, count in entry["response_times"].items())
    values, counts = np.array(times).T if times else np.zeros((2, 0))
    all_times = np.repeat(values, counts.astype(int))
    figures = {
        f"p{p}": float(np.percentile(all_times, p)) if len(all_times) else None for p in PERCENTILES
    }
    return {"count": entry["num_requests"], "failures": entry["num_failures"]} | figures


def memory(samples: Sequence[dict[str, float]]) -> dict[str, float]:
    """Memory before and after, with the growth after WARM_UP between medians of five samples."""
    warm = samples[int(WARM_UP * len(samples)) :]
    seconds, rss = (np.array([one[name] for one in warm]) for name in ("second", "rss_mb"))
    early, late = float(np.median(rss[:5])), float(np.median(rss[-5:]))
    first, last = samples[0], samples[-1]
    return {
        "at_start_mb": first["rss_mb"],
        "at_quarter_mb": round(early, 1),
        "at_end_mb": round(late, 1),
        "max_mb": max(one["rss_mb"] for one in samples),
        "growth_mb": round(late - early, 1),
        "slope_mb_per_minute": round(60 * float(np.polyfit(seconds, rss, 1)[0]), 1),
        "max_threads": max(one["threads"] for one in samples),
        "cached_files_at_end": last["cached_files"],
        "cpu_share": round(
            (last["cpu_s"] - first["cpu_s"]) / (last["second"] - first["second"]), 2
        ),
    }


def simulate(
    address: str, server: psutil.Process, users: int, seconds: int, locustfile: Path, folder: Path
) -> tuple[dict[str, dict[str, Any]], list[dict[str, float]], str]:
    """Run locust against a server.

    Returns:
        The summary of each action, the samples of the server, and what locust printed.

    Raises:
        RuntimeError: if locust fails.
    """
    command = [sys.executable, "-m", "locust", "-f", str(locustfile), "--headless"]
    command += ["-H", address.rstrip("/"), "-u", str(users), "-r", str(SPAWN_RATE)]
    command += ["-t", f"{seconds}s", "--stop-timeout", "30", "--only-summary"]
    command += ["--json-file", str(folder / "statistics"), "--exit-code-on-error", "0"]
    log, samples = folder / "locust", []
    with log.open("w") as output:
        locust = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=output,
            stderr=output,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
    started = time.perf_counter()
    while locust.poll() is None:
        samples.append(sample(server, folder / "cache", started))
        time.sleep(1)
    statistics = folder / "statistics.json"
    if locust.returncode or not statistics.exists():
        raise RuntimeError(f"locust failed: {log.read_text()}")
    entries = json.loads(statistics.read_text())
    actions = {entry["name"]: summary(entry) for entry in entries}
    return dict(sorted(actions.items())), samples, log.read_text()


def run(users: int, seconds: int, locustfile: Path) -> Report:
    """The report of `users` simulated for `seconds`.

    Raises:
        RuntimeError: if the server or locust fails.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cache = folder / "cache"
        cache.mkdir()
        environment = {"GRADIO_TEMP_DIR": str(cache)}
        with running_process(folder / "log", environment=environment) as (address, process):
            server = psutil.Process(process.pid)
            actions, samples, output = simulate(address, server, users, seconds, locustfile, folder)
        log = (folder / "log").read_text()
    responses = sum(action["count"] for action in actions.values())
    failures = sum(action["failures"] for action in actions.values())
    return {
        "users": users,
        "seconds": seconds,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "responses": responses,
        "failures": failures,
        "responses_per_second": round(responses / samples[-1]["second"], 1),
        "memory": memory(samples),
        "actions": actions,
        "tracebacks": output.count("Traceback"),
        "output": output if failures or "Traceback" in output else "",
        "log": log.split("\n")[1:-1],
        "samples": samples,
    }


def faults(report: Report) -> list[str]:
    """What is wrong with a report, in sentences."""
    found = []
    if report["failures"]:
        found.append(f"{report['failures']} of {report['responses']} requests failed")
    if report["tracebacks"]:
        found.append(f"the simulated users raised {report['tracebacks']} exceptions")
    growth = report["memory"]["growth_mb"]
    if growth > MAX_GROWTH:
        found.append(f"memory grew by {growth} MB after the warm-up, more than {MAX_GROWTH}")
    if any("Traceback" in line for line in report["log"]):
        found.append("the server's log has a traceback")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and write the report; 1 if it has faults, else 0."""
    parser = argparse.ArgumentParser(
        description="Measure the server with many users at once.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--users", type=int, default=USERS)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--output", type=Path, default=report_path("load"), help="the report")
    parser.add_argument(
        "--locustfile", type=Path, default=FOLDER / "users.py", help="what the users do"
    )
    options = parser.parse_args(argv)
    report = run(options.users, options.seconds, options.locustfile)
    for name, action in report["actions"].items():
        print(f"{name:32s} {action}")
    print(f"responses per second: {report['responses_per_second']}, {report['memory']}")
    print(report["output"], end="")
    found = faults(report)
    for fault in found:
        print(f"benchmarks.load: {fault}", file=sys.stderr)
    write_report(options.output, report)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
