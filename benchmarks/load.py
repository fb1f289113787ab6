"""The server under load: response times, failures and memory with many users at once.

    python -m benchmarks.load

Starts `python demo.py` on one core, as docs/serving.md does, and simulates the users of
benchmarks/users.py (locust) on the others; where the system cannot keep processes on cores, they
share all. Samples the server's memory every second. Writes benchmarks/load.json. Exits with status
1 if a request failed, or if the memory grew by more than MAX_GROWTH after the warm-up.
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
from typing import Any, NamedTuple

import numpy as np
import psutil

from benchmarks.reports import FOLDER, Report, report_path, write_report
from benchmarks.server import ROOT, running_process, wait_until_idle
from benchmarks.visit import VISIT, WHOLE_VISIT

USERS, SECONDS = 1000, 300
SPAWN_RATE = 8.0  # new users per second: all have arrived after 125 seconds
WARM_UP = 0.5  # of the run; the memory must be flat afterwards
MAX_GROWTH = 50.0  # MB after the warm-up
PERCENTILES = 50, 95, 99
KEPT = 5  # seconds between two samples that the report keeps
MB = 1e6


class Load(NamedTuple):
    """What is simulated.

    Args:
        spawn_rate: new users per second.
        locustfile: what they do.
    """

    users: int = USERS
    seconds: int = SECONDS
    spawn_rate: float = SPAWN_RATE
    locustfile: Path = FOLDER / "users.py"

    @property
    def arrived(self) -> float:
        """Seconds after which all users have arrived."""
        return self.users / self.spawn_rate


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
    slope = float(np.polyfit(seconds, rss, 1)[0]) if len(warm) > 1 else 0.0
    return {
        "at_start_mb": samples[0]["rss_mb"],
        "after_warm_up_mb": round(early, 1),
        "at_end_mb": round(late, 1),
        "max_mb": max(one["rss_mb"] for one in samples),
        "growth_mb": round(late - early, 1),
        "slope_mb_per_minute": round(60 * slope, 1),
        "max_threads": max(one["threads"] for one in samples),
        "cached_files_at_end": samples[-1]["cached_files"],
    }


def cpu_share(samples: Sequence[dict[str, float]], start: float, end: float) -> float | None:
    """How many cores the server used between two seconds; None without samples in between."""
    within = [one for one in samples if start <= one["second"] <= end]
    if len(within) < 2:
        return None
    first, last = within[0], within[-1]
    return round((last["cpu_s"] - first["cpu_s"]) / (last["second"] - first["second"]), 2)


def server_core() -> int | None:
    """The core that the server gets for itself; None if the system cannot arrange that."""
    return max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def recorded_visit(address: str, file: Path) -> dict[str, Any]:
    """What benchmarks.visit finds, which also goes to a file.

    It runs in a process of its own, since a process can start Playwright only once.
    """
    command = [sys.executable, "-m", "benchmarks.visit", address]
    file.write_bytes(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)
    visit: dict[str, Any] = json.loads(file.read_text())
    return visit


def simulate(
    address: str, server: psutil.Process, load: Load, core: int | None, folder: Path
) -> tuple[list[dict[str, Any]], list[dict[str, float]], str]:
    """Run locust against a server.

    Args:
        core: of the server, which locust leaves alone.
        folder: holds the visit and the server's cache, and gets locust's files.

    Returns:
        Locust's statistics, the samples of the server, and what locust printed.

    Raises:
        RuntimeError: if locust fails.
    """
    command = [sys.executable, "-m", "locust", "-f", str(load.locustfile), "--headless"]
    command += ["-H", address.rstrip("/"), "-u", str(load.users), "-r", str(load.spawn_rate)]
    command += ["-t", f"{load.seconds}s", "--stop-timeout", "30", "--only-summary"]
    command += ["--json-file", str(folder / "statistics"), "--exit-code-on-error", "0"]
    environment = {"PYTHONPATH": str(ROOT), VISIT: str(folder / "visit")}
    log, samples = folder / "locust", []
    with log.open("w") as output:
        locust = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=output, env=os.environ | environment
        )
    if core is not None and (others := os.sched_getaffinity(0) - {core}):
        os.sched_setaffinity(locust.pid, others)
    started = time.perf_counter()
    while locust.poll() is None:
        samples.append(sample(server, folder / "cache", started))
        time.sleep(1)
    statistics = folder / "statistics.json"
    if locust.returncode or not statistics.exists():
        raise RuntimeError(f"locust failed: {log.read_text()}")
    return json.loads(statistics.read_text()), samples, log.read_text()


def run(load: Load) -> Report:
    """The report of a load.

    Raises:
        RuntimeError: if the server or locust fails.
    """
    core = server_core()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cache = folder / "cache"
        cache.mkdir()
        environment = {"GRADIO_TEMP_DIR": str(cache), "OMP_NUM_THREADS": "1"}
        with running_process(folder / "log", environment=environment, core=core) as started:
            address, process = started
            wait_until_idle(process)
            visit = recorded_visit(address, folder / "visit")
            server = psutil.Process(process.pid)
            entries, samples, output = simulate(address, server, load, core, folder)
        log = (folder / "log").read_text()
    requests = [entry for entry in entries if entry["method"] != WHOLE_VISIT]
    responses = sum(entry["num_requests"] for entry in requests)
    failures = sum(entry["num_failures"] for entry in requests)
    end = samples[-1]["second"]
    return {
        "users": load.users,
        "seconds": load.seconds,
        "users_per_second_arriving": load.spawn_rate,
        "cores": os.cpu_count(),
        "server_cores": os.cpu_count() if core is None else 1,
        "system": platform.system(),
        "visit": {"requests": len(visit["requests"]), "bytes": visit["bytes"]},
        "responses": responses,
        "failures": failures,
        "responses_per_second": round(responses / end, 1),
        "cpu_share": {
            "arriving": cpu_share(samples, 0, min(load.arrived, load.seconds)),
            "afterwards": cpu_share(samples, load.arrived, load.seconds),
        },
        "memory": memory(samples),
        "actions": dict(sorted((entry["name"], summary(entry)) for entry in entries)),
        "tracebacks": output.count("Traceback"),
        "output": output if failures or "Traceback" in output else "",
        "log": log.split("\n")[1:-1],
        "samples": samples[::KEPT],
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
    usual = Load()
    parser.add_argument("--users", type=int, default=usual.users)
    parser.add_argument("--seconds", type=int, default=usual.seconds)
    parser.add_argument(
        "--spawn-rate", type=float, default=usual.spawn_rate, help="new users per second"
    )
    parser.add_argument(
        "--locustfile", type=Path, default=usual.locustfile, help="what the users do"
    )
    parser.add_argument("--output", type=Path, default=report_path("load"), help="the report")
    options = parser.parse_args(argv)
    load = Load(options.users, options.seconds, options.spawn_rate, options.locustfile)
    report = run(load)
    for name, action in report["actions"].items():
        print(f"{name:32s} {action}")
    print(f"responses per second: {report['responses_per_second']}, {report['memory']}")
    print(f"cores used: {report['cpu_share']}")
    print(report["output"], end="")
    found = faults(report)
    for fault in found:
        print(f"benchmarks.load: {fault}", file=sys.stderr)
    write_report(options.output, report)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
