"""How fast the server answers while it trains a model, and how long the two lessons take.

    python -m benchmarks.lab                  # both, in about three minutes
    python -m benchmarks.lab --only answers   # in less than a minute

Starts `python demo.py` in an empty folder with a link to the data, and trains as the page does: by
its routes. Each user asks RATE times a second, in turns for the directions at a position, for a
test image, and for an image by the API; while a run goes on, each follows it too. An answer counts
from the moment at which it was due to be asked for. Writes benchmarks/lab.json.
"""

import argparse
import asyncio
import itertools
import os
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

from benchmarks.reports import Report, percentiles, read_report, report_path, write_report
from benchmarks.server import Process, running_process, wait_until_idle
from latent_navigator.data.dataset_info import DATASETS
from latent_navigator.lab.settings import on_disk

RATE = 10  # questions of a user, per second
USERS = (1, 4)
SECONDS = 6.0  # with each number of users, idle and while it trains
FOLLOW = 0.7  # seconds between two questions about the run, as in web/lab/index.js
TIMEOUT = 60.0
LESSON_SECONDS = 600  # after which a lesson has failed
RUN = {"dataset": "mnist", "beta": 4, "warmup_epochs": 4, "epochs": 60}
PARTS = ("answers", "lessons")
Times = dict[str, list[float]]  # milliseconds


class Users:
    """Pages that ask a server, and how long the answers took."""

    def __init__(self, client: httpx.AsyncClient, component: int) -> None:
        self.client, self.component = client, component
        self.times: Times = defaultdict(list)
        self.rates: list[float] = []  # images/s of the run, as its status says
        self._draw = random.Random(0)

    async def stay(self, count: int, training: bool) -> None:
        """So many users ask for SECONDS."""
        end = time.perf_counter() + SECONDS
        visits = [self._visit(i / count / RATE, end) for i in range(count)]
        follow = [self._follow(end) for _ in range(count if training else 0)]
        await asyncio.gather(*visits, *follow)

    async def _visit(self, delay: float, end: float) -> None:
        due = time.perf_counter() + delay
        asked = []
        for name, ask in self._questions():
            await asyncio.sleep(due - time.perf_counter())
            if due > end:
                ask.close()
                break
            # A late answer does not delay the next question.
            asked.append(asyncio.create_task(self._timed(name, ask, due)))
            due += 1 / RATE
        await asyncio.gather(*asked)

    def _questions(self) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
        while True:
            z = [self._draw.uniform(-2, 2), self._draw.uniform(-2, 2)]
            yield "directions", self._function("here", z)
            yield "open a test digit", self._function("test_digit", self._draw.randrange(10_000))
            yield "decode by API", self._decode(z)

    async def _timed(self, name: str, ask: Coroutine[Any, Any, None], due: float) -> None:
        await ask
        self.times[name].append(1000 * (time.perf_counter() - due))

    async def _function(self, name: str, data: object) -> None:
        body = {"data": data, "component_id": self.component, "fn_name": name, "session_hash": "b"}
        answer = await self.client.post("gradio_api/component_server/", json=body)
        if "error" in answer.raise_for_status().json():
            raise RuntimeError(f"{name}: {answer.text:.200}")

    async def _decode(self, z: list[float]) -> None:
        path = "gradio_api/call/decode"
        submitted = (await self.client.post(path, json={"data": z})).raise_for_status().json()
        events = await self.client.get(f"{path}/{submitted['event_id']}")
        if "event: complete" not in events.text:
            raise RuntimeError(f"decode: {events.text:.200}")

    async def _follow(self, end: float) -> None:
        """A page that shows the run asks how far it is, and for what is new."""
        seen = None
        while (begun := time.perf_counter()) < end:
            run = (await self.client.get("lab/status")).json()["run"]
            if run["state"] != "running":
                raise RuntimeError(f"the run has ended too early: {run['message']}")
            self.times["status of the run"].append(1000 * (time.perf_counter() - begun))
            self.rates.append(run["rate"])
            if seen not in (None, run["moments"]):
                part = f"{run['name']}/{run['starts']}/{seen}-{run['moments']}.bin"
                (await self.client.get(f"lab/moments/{part}")).raise_for_status()
            seen = run["moments"]
            await asyncio.sleep(FOLLOW)


async def measure(client: httpx.AsyncClient, training: bool) -> list[dict[str, Any]]:
    """The figures of each number of users."""
    components = (await client.get("config")).json()["components"]
    component = next(c["id"] for c in components if c["props"].get("elem_id") == "workspace")
    await Users(client, component).stay(1, training)  # what is computed once
    found = []
    for count in USERS:
        users = Users(client, component)
        await users.stay(count, training)
        answers = list(itertools.chain(*users.times.values()))
        figures: dict[str, Any] = {"users": count, "training": training}
        figures["ms"] = {"all": percentiles(answers)} | {
            name: percentiles(times) for name, times in sorted(users.times.items())
        }
        if training:
            figures["images_per_second"] = round(statistics.median(users.rates))
        found.append(figures)
    return found


async def start(client: httpx.AsyncClient, values: dict[str, Any]) -> None:
    """Start a run as the page does."""
    answer = (await client.post("lab/start", json=values)).json()
    if "run" not in answer:
        raise RuntimeError(f"the run did not start: {answer}")


async def until(client: httpx.AsyncClient, states: Sequence[str], epochs: float) -> dict[str, Any]:
    """The run, once it is in one of these states and has come so far.

    Raises:
        RuntimeError: if it fails, or takes longer than LESSON_SECONDS.
    """
    deadline = time.perf_counter() + LESSON_SECONDS
    while time.perf_counter() < deadline:
        run: dict[str, Any] = (await client.get("lab/status")).json()["run"]
        if run["state"] == "failed":
            raise RuntimeError(f"the run failed: {run['message']} {run['log']}")
        if run["state"] in states and run["at"] >= epochs:
            return run
        await asyncio.sleep(FOLLOW)
    raise RuntimeError(f"the run is not {' or '.join(states)} after {LESSON_SECONDS} s")


async def answers(client: httpx.AsyncClient) -> Report:
    """The answers of a server that is idle, and of one that trains."""
    found = await measure(client, training=False)
    await start(client, RUN)
    run = await until(client, ["running"], 0.05)
    found += await measure(client, training=True)
    await client.post("lab/stop", json={})
    await until(client, ["stopped"], 0)
    return {"rate": RATE, "seconds": SECONDS, "images": run["images"], "phases": found}


async def lessons(client: httpx.AsyncClient) -> list[Report]:
    """Each lesson from Start to "Explore this model", and what its run shows."""
    form = (await client.get("lab/form")).json()
    found = []
    for lesson in form["lessons"]:
        begun = time.perf_counter()
        await start(client, {"dataset": "mnist", **lesson["values"]})
        run = await until(client, ["finished"], 0)
        seconds = time.perf_counter() - begun
        values, verdict = lesson["values"], run["lesson"]
        found.append(
            {
                "title": lesson["title"],
                "seconds": round(seconds, 1),
                "images": run["images"],
                "epochs": values["epochs"],
                "threads": form["threads"],
                "solved": verdict["done"],
                "message": verdict["message"],
            }
        )
    return found


async def run(address: str, process: Process, parts: Sequence[str]) -> Report:
    """The report of these parts, and the machine's load before them."""
    wait_until_idle(process)
    found: Report = {}
    async with httpx.AsyncClient(base_url=address, timeout=TIMEOUT) as client:
        for part in parts:
            load = os.getloadavg()[0]
            figures = await {"answers": answers, "lessons": lessons}[part](client)
            found[part] = {"load_average": round(load, 2), "figures": figures}
    return found


def main() -> None:
    """Measure, print and write the report."""
    parser = argparse.ArgumentParser(description="Measure the server while it trains.")
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--only", choices=PARTS, help="keep the other figures of the report")
    options = parser.parse_args()
    if not on_disk(DATASETS["mnist"], options.data_dir):
        sys.exit(
            f"benchmarks.lab: {options.data_dir} has no MNIST; give --data-dir, or run: "
            "python trainer.py --epochs 1 --output runs/mnist.pt"
        )
    report = read_report("lab") if options.only else {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").symlink_to(options.data_dir.resolve())
        with running_process(folder / "log", folder=folder) as (address, process):
            parts = [options.only] if options.only else PARTS
            report |= asyncio.run(run(address, process, parts))
    for figures in report["answers"]["figures"]["phases"]:
        print(figures)
    for figures in report["lessons"]["figures"]:
        print(figures)
    write_report(report_path("lab"), report)


if __name__ == "__main__":
    main()
