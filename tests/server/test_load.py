"""The load test, small: every kind of action, no failure, and that it would tell of one."""

import json
import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks import load
from tests.conftest import ROOT, Demo

KINDS = {
    "compare paths",
    "compare paths: submit",
    "decode by API",
    "decode by API: image",
    "decode by API: submit",
    "directions",
    "draw",
    "nudge",
    "open a test digit",
    "open the page",
    "readout, at rest",
    "readout, while dragging",
}

# People who first do everything once, in haste, so that ten seconds suffice.
HASTY = """
from benchmarks.users import User

class Hasty(User):
    def wait_time(self):
        return 0.1

    def on_start(self):
        super().on_start()
        for task in (Hasty.draw, Hasty.open_test_digit, Hasty.directions, Hasty.compare_paths,
                     Hasty.decode, Hasty.drag{more}):
            task(self)
"""
FAULTY = """

def fail(self):
    self.call("a digit that is not", "digit", "test_digit", -1, "recon")
"""


def run(tmp_path: Path, people: int, seconds: int, locustfile: str) -> tuple[int, dict[str, Any]]:
    actions, output = tmp_path / "actions.py", tmp_path / "load.json"
    actions.write_text(locustfile)
    status = load.main(
        [
            *("--users", str(people), "--seconds", str(seconds)),
            *("--locustfile", str(actions), "--output", str(output)),
        ]
    )
    return status, json.loads(output.read_text())


@pytest.mark.guarantee("load-of-50")
def test_people_do_everything_without_a_failure(tmp_path: Path) -> None:
    status, report = run(tmp_path, 4, 12, HASTY.format(more=""))
    actions = report["actions"]
    assert set(actions) == KINDS
    assert all(action["count"] > 0 == action["failures"] for action in actions.values()), actions
    for action in actions.values():
        assert 0 < action["p50"] <= action["p95"] <= action["p99"] < 30_000
    assert report["responses"] == sum(action["count"] for action in actions.values())
    assert report["failures"] == 0
    assert report["log"] == []
    # So short a run is all warm-up: a bound for the whole, not for its growth.
    assert 100 < report["memory"]["max_mb"] < 2500
    assert len(report["samples"]) >= 8
    assert status == (1 if load.faults(report) else 0)


@pytest.mark.guarantee("load-of-50")
def test_a_failure_is_told_with_its_cause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faulty = HASTY.format(more=", fail") + FAULTY
    status, report = run(tmp_path, 1, 3, faulty)
    assert status == 1
    assert report["actions"]["a digit that is not"]["failures"] > 0
    told = capsys.readouterr()
    assert "requests failed" in told.err
    assert "index" in told.out


@pytest.mark.guarantee("load-of-50")
@pytest.mark.parametrize(
    ("slope", "grows"), [(0.0, False), (0.1, False), (1.0, True)], ids=["flat", "noise", "leak"]
)
def test_growth_after_the_warm_up_is_a_fault(slope: float, grows: bool) -> None:
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
    assert not grows or re.search("memory grew by 8", found[0])


@pytest.mark.guarantee("load-of-50")
def test_the_committed_report_is_of_the_full_load_and_without_a_fault() -> None:
    report = json.loads((ROOT / "benchmarks" / "load.json").read_text())
    assert (report["users"], report["seconds"]) == (load.USERS, load.SECONDS)
    assert set(report["actions"]) == KINDS
    assert load.faults(report) == []


@pytest.mark.guarantee("load-of-50")
@pytest.mark.skipif(sys.platform != "linux", reason="heaps are counted in /proc, and are glibc's")
def test_many_threads_share_few_heaps(own_demo: Callable[..., Demo]) -> None:
    process, address, _, _ = own_demo()

    def jump(digit: int) -> int:
        body = {"data": [digit % 10, "typical"]}
        return httpx.post(f"{address}gradio_api/run/jump_to_digit", json=body).status_code

    with ThreadPoolExecutor(16) as people:
        assert set(people.map(jump, range(160))) == {200}
    threads = len(list(Path(f"/proc/{process.pid}/task").iterdir()))
    # glibc's heaps but the first begin at multiples of their size, and what is not yet used is
    # reserved behind what is.
    size, heaps = 2**26, 0
    lines = Path(f"/proc/{process.pid}/maps").read_text().splitlines()
    for line, following in pairwise(lines):
        (start, used), (free, end) = (
            [int(place, 16) for place in text.split()[0].split("-")] for text in (line, following)
        )
        heaps += start % size == 0 and used == free and end - start == size and "---p" in following
    assert threads > 8
    assert heaps <= 3
