"""The load test on a small scale: every action succeeds, and a failure would be reported."""

import json
import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks import load
from benchmarks.server import running_process
from tests.fixtures import ROOT, Demo
from tests.forks import start_quiet_demo

KINDS = {
    "compare paths",
    "decode by API",
    "decode by API: image",
    "decode by API: submit",
    "directions",
    "draw",
    "experiment",
    "images at rest",
    "nudge",
    "open a test digit",
    "open the page",
    "open the page: each request",
}

# Users who perform each of some actions once; the run ends when all have.
FAST_USER = """
import gevent
from locust.exception import StopUser
from benchmarks import users  # locust would take a class of this module for one to simulate

users.STRETCH = users.REST = 0.1, 0.2

class FastUser(users.User):
    done = 0

    def on_start(self):
        super().on_start()
        for action in {actions}:
            getattr(self, action)()
        FastUser.done += 1
        if FastUser.done == {users}:
            gevent.spawn(self.environment.runner.quit)  # which waits for all users, this one too
        raise StopUser

    def open_missing_digit(self):
        self.call("open a missing digit", "test_digit", -1, "recon")
"""
EVERY_ACTION = (
    *("draw", "open_test_digit", "directions", "compare_paths", "experiment", "decode"),
    "drag",
)


def run(tmp_path: Path, users: int, *actions: str) -> tuple[int, dict[str, Any]]:
    """The exit status and the report of a load test with users who perform these actions."""
    locustfile, output = tmp_path / "actions.py", tmp_path / "load.json"
    locustfile.write_text(FAST_USER.format(actions=f"{actions}", users=users))
    with pytest.MonkeyPatch.context() as patch:
        started = partial(running_process, start=start_quiet_demo)
        patch.setattr(load, "running_process", started)
        patch.setattr(load, "wait_until_idle", lambda _: None)  # as it is already
        patch.setattr(load, "KEPT", 1)
        status = load.main(
            [
                *("--users", str(users), "--seconds", "60", "--spawn-rate", "4"),
                *("--locustfile", str(locustfile), "--output", str(output)),
            ]
        )
    return status, json.loads(output.read_text())


@pytest.mark.guarantee("load")
def test_every_action_succeeds(tmp_path: Path) -> None:
    status, report = run(tmp_path, 4, *EVERY_ACTION)
    actions = report["actions"]
    assert set(actions) == KINDS
    assert all(action["count"] > 0 == action["failures"] for action in actions.values()), actions
    for action in actions.values():
        assert 0 < action["p50"] <= action["p95"] <= action["p99"] < 30_000
    each = actions["open the page: each request"]
    assert each["count"] == report["visit"]["requests"] * actions["open the page"]["count"]
    counts = [action["count"] for name, action in actions.items() if name != "open the page"]
    assert report["responses"] == sum(counts)
    assert report["failures"] == 0
    assert report["log"] == []
    # So short a run is all warm-up, so this bounds the memory itself, not its growth.
    assert 100 < report["memory"]["max_mb"] < 2500
    assert report["samples"]
    assert status == (1 if load.faults(report) else 0)


@pytest.mark.guarantee("load")
def test_a_failure_is_reported_with_its_cause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, report = run(tmp_path, 1, "open_missing_digit")
    assert status == 1
    assert report["actions"]["open a missing digit"]["failures"] > 0
    printed = capsys.readouterr()
    assert "requests failed" in printed.err
    assert "index" in printed.out


@pytest.mark.guarantee("load")
@pytest.mark.parametrize(
    ("slope", "grows"), [(0.0, False), (0.1, False), (1.0, True)], ids=["flat", "noise", "leak"]
)
def test_memory_growth_after_the_warm_up_is_reported(slope: float, grows: bool) -> None:
    samples = [
        {
            "second": float(i),
            "rss_mb": 500 + 200 * min(1.0, i / 25) + slope * max(0, i - 25) + (i % 3),
            "threads": 40,
            "cached_files": 0,
            "cpu_s": float(i),
        }
        for i in range(121)
    ]
    report = {
        "failures": 0,
        "responses": 1,
        "tracebacks": 0,
        "log": [],
        "memory": load.memory(samples),
    }
    found = load.faults(report)
    assert bool(found) == grows
    assert not grows or re.search("memory grew by 5", found[0])


@pytest.mark.guarantee("load")
def test_the_committed_report_shows_the_full_load_without_faults() -> None:
    report = json.loads((ROOT / "benchmarks" / "load.json").read_text())
    assert (report["users"], report["seconds"]) == (load.USERS, load.SECONDS)
    assert report["server_cores"] == 1
    assert set(report["actions"]) == KINDS
    assert load.faults(report) == []


@pytest.mark.guarantee("load")
@pytest.mark.guarantee("any-working-directory")
@pytest.mark.skipif(sys.platform != "linux", reason="counts glibc's heaps in /proc")
def test_many_threads_share_few_heaps(own_demo: Callable[..., Demo], tmp_path: Path) -> None:
    # From another folder: of the tests of `any-working-directory`, the one with a true start.
    process, address, _, _ = own_demo(cwd=tmp_path, forked=False)

    def jump(digit: int) -> int:
        body = {"data": [digit % 10, "typical"]}
        return httpx.post(f"{address}gradio_api/run/jump_to_digit", json=body).status_code

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(jump, range(160))) == {200}
    threads = len(list(Path(f"/proc/{process.pid}/task").iterdir()))
    # Each heap of glibc but the first starts at a multiple of its size: the used part, then the
    # reserved part, which is not accessible yet.
    size, heaps = 2**26, 0
    lines = Path(f"/proc/{process.pid}/maps").read_text().splitlines()
    for line, following in pairwise(lines):
        (start, used), (free, end) = (
            [int(bound, 16) for bound in text.split()[0].split("-")] for text in (line, following)
        )
        heaps += start % size == 0 and used == free and end - start == size and "---p" in following
    assert threads > 8
    assert heaps <= 3
