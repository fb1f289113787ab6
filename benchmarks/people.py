"""What a person does at the page, as requests: the locustfile of benchmarks/load.py.

The requests are those that the page makes in a browser, and each answer is looked into. The shares
of what people do and the times they take are all in the two tables below; they are estimates, on
the busy side: nobody here reads the page or leaves it.
"""

import base64
import io
import json
import math
import random
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import gevent
import numpy as np
from locust import FastHttpUser, between, task
from PIL import Image

# How often each is chosen when the one before is finished, of the sum.
OFTEN = {
    "drag": 18,
    "directions": 3,
    "draw": 3,
    "open a digit": 2,
    "compare ways": 2,
    "decode from a program": 1,
    "open the page": 1,
}
# Seconds.
THINKS = 0.5, 3.0  # between one thing and the next
RESTS = 0.2, 1.0  # within a drag, on a place of interest
QUESTION = 0.1  # from one question of a drag to the next: the newest place, when it was answered
PATIENCE = 30.0  # after which an answer counts as failed

MOVES = 8, 30  # questions in a stretch of a drag
STRETCHES = 3  # of a drag, at most, with rests between
REACH = 3.0  # sigma: how far from the centre people drag
AT_DIGITS = 0.7  # of the ends of ways are one of the ten digits, the others the cursor
WAYS = ["linear", "spherical", "geodesic", "data"]
ATTRIBUTES = ("ink", "stroke", "slant", "width", "height", "roundness")

DIGITS = Path(__file__).parent.parent / "tests" / "digits.npz"


def drawings() -> list[str]:
    """Real handwritten digits as the page sends a drawing: PNG files in base64."""
    found = []
    with np.load(DIGITS) as arrays:
        for pixels in arrays["test_images"]:  # (28, 28) uint8
            file = io.BytesIO()
            # The pad is larger than MNIST's pictures, and black on white.
            Image.fromarray(255 - pixels, "L").resize((280, 280)).save(file, "PNG")
            found.append(base64.b64encode(file.getvalue()).decode())
    return found


def failed(reply: Any, name: str, cause: str) -> None:
    """Count an answer as a failure, and tell why."""
    print(f"failed: {name}: {cause}", file=sys.stderr, flush=True)
    reply.failure(cause)


class Person(FastHttpUser):
    """One person at one page."""

    wait_time = between(*THINKS)
    network_timeout = connection_timeout = PATIENCE
    drawn = drawings()

    def on_start(self) -> None:
        self.z = [0.0, 0.0]
        self.open_the_page()

    def ask(self, name: str, method: str, path: str, key: str | None, **sent: Any) -> Any:
        """The answer as JSON, or as text if no key is expected; None if it is not as it must be."""
        with self.client.request(
            method, path, name=name, catch_response=True, headers={"Accept": "*/*"}, **sent
        ) as reply:
            if reply.status_code != 200:
                return failed(
                    reply, name, f"{reply.status_code}: {reply.text or reply.error!r:.200}"
                )
            if key is None:
                return reply.text
            answer = reply.json()
            if not isinstance(answer, dict) or key not in answer:
                return failed(reply, name, f"no {key}: {reply.text:.200}")
            return answer

    def serve(self, name: str, part: str, function: str, data: Any, key: str) -> Any:
        """What a server function of one of the page's components answers."""
        body = {
            "data": data,
            "component_id": self.parts[part],
            "fn_name": function,
            "session_hash": self.session,
        }
        return self.ask(name, "POST", "/gradio_api/component_server/", key, json=body)

    def queued(self, name: str, path: str, kind: str, ok: str) -> Any:
        """The data of the last event of a kind, from the stream of a queued computation."""
        with self.client.get(path, name=name, catch_response=True) as reply:
            if reply.status_code != 200 or kind not in (reply.text or "") or ok not in reply.text:
                return failed(
                    reply, name, f"{reply.status_code}: {reply.text or reply.error!r:.200}"
                )
            data = [line for line in reply.text.split("\n") if line.startswith("data: ")]
            return [json.loads(line.removeprefix("data: ")) for line in data]

    @task(OFTEN["open the page"])
    def open_the_page(self) -> None:
        self.session = uuid.uuid4().hex[:12]
        self.ask("open the page", "GET", "/", None)
        config = self.ask("open the page", "GET", "/config", "components")
        self.parts = {c["props"].get("elem_id"): c["id"] for c in config["components"]}
        self.comparing = next(
            d["id"]
            for d in config["dependencies"]
            if [self.parts["compare"], "click"] in d["targets"] and d["backend_fn"]
        )
        for function, key in (("points", "xy"), ("regions", "winners"), ("table", "data")):
            self.serve("open the page", "latent-map", function, [], key)
        self.look(True)

    def look(self, resting: bool) -> None:
        name = "look, at rest" if resting else "look, in a drag"
        self.serve(name, "digit", "look", [*self.z, resting], "pixels")

    @task(OFTEN["drag"])
    def drag(self) -> None:
        for _ in range(random.randint(1, STRETCHES)):
            turn, radius = random.uniform(0, 2 * math.pi), random.uniform(0.2, REACH)
            for _ in range(random.randint(*MOVES)):
                started = time.perf_counter()
                turn += random.uniform(0.02, 0.2)
                self.z = [radius * math.cos(turn), radius * math.sin(turn)]
                self.look(False)
                gevent.sleep(max(0.0, QUESTION - (time.perf_counter() - started)))
            self.look(True)
            gevent.sleep(random.uniform(*RESTS))

    @task(OFTEN["directions"])
    def directions(self) -> None:
        """Two or three nudges, and what is known at each place."""
        self.serve("here", "directions", "here", self.z, "attributes")
        for _ in range(random.randint(2, 3)):
            wish = [*self.z, random.choice(ATTRIBUTES), random.choice((1, -1))]
            if found := self.serve("nudge", "directions", "nudge", wish, "path"):
                self.z = found["path"][-1]
            self.look(True)
            self.serve("here", "directions", "here", self.z, "attributes")
            gevent.sleep(random.uniform(*RESTS))

    @task(OFTEN["draw"])
    def draw(self) -> None:
        self.serve("draw", "own-digit", "drawn", random.choice(self.drawn), "recon")

    @task(OFTEN["open a digit"])
    def open_a_digit(self) -> None:
        self.serve("open a digit", "digit", "test_digit", random.randrange(10_000), "recon")

    @task(OFTEN["compare ways"])
    def compare_ways(self) -> None:
        ends = [
            digit if random.random() < AT_DIGITS else self.z
            for digit in random.sample(range(10), 2)
        ]
        body = {
            "data": [*ends, WAYS, 12, False, "typical"],
            "fn_index": self.comparing,
            "trigger_id": self.parts["compare"],
            "session_hash": self.session,
        }
        name = "compare ways"
        if self.ask(f"{name}: ask", "POST", "/gradio_api/queue/join?", "event_id", json=body):
            path = f"/gradio_api/queue/data?session_hash={self.session}"
            self.queued(name, path, "process_completed", '"success":true')

    @task(OFTEN["decode from a program"])
    def decode(self) -> None:
        name, path = "decode from a program", "/gradio_api/call/decode"
        if asked := self.ask(f"{name}: ask", "POST", path, "event_id", json={"data": self.z}):
            events = self.queued(name, f"{path}/{asked['event_id']}", "event: complete", "url")
            if events:
                self.ask(f"{name}: picture", "GET", events[-1][0]["url"], None)
