"""A simulated user of the page: the locustfile of benchmarks/load.py.

It makes the requests that the page makes in a browser, and checks each response. The frequency of
each action and the pauses between them, in the constants below, are estimates on the busy side:
these users never stop to read and never leave.
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
from locust.contrib.fasthttp import ResponseContextManager
from PIL import Image

# Relative frequency of each action.
WEIGHTS = {
    "drag": 18,
    "directions": 3,
    "draw": 3,
    "open a test digit": 2,
    "compare paths": 2,
    "decode by API": 1,
    "open the page": 1,
}
# Seconds.
PAUSE = 0.5, 3.0  # between two actions
REST = 0.2, 1.0  # within a drag, at a position of interest
INTERVAL = 0.1  # between two requests of a drag; the page asks again once it has the response
TIMEOUT = 30.0

MOVES = 8, 30  # requests per stretch of a drag
STRETCHES = 3  # maximum per drag, with rests between them
REACH = 3.0  # maximum distance of a drag from the centre, in sigma
CLASS_ENDS = 0.7  # of the ends of paths are classes, the others the cursor
METHODS = ["linear", "spherical", "geodesic", "data"]
ATTRIBUTES = ("ink", "stroke", "slant", "width", "height", "roundness")

DIGITS = Path(__file__).parent.parent / "tests" / "digits.npz"


def drawings() -> list[str]:
    """Real handwritten digits as the page sends a drawing: PNG files in base64."""
    encoded = []
    with np.load(DIGITS) as arrays:
        for pixels in arrays["test_images"]:  # (28, 28) uint8
            file = io.BytesIO()
            # The pad is larger than an MNIST image, and black on white.
            Image.fromarray(255 - pixels, "L").resize((280, 280)).save(file, "PNG")
            encoded.append(base64.b64encode(file.getvalue()).decode())
    return encoded


def fail(response: ResponseContextManager, name: str, cause: str) -> None:
    """Count a response as a failure and print why."""
    print(f"failed: {name}: {cause}", file=sys.stderr, flush=True)
    response.failure(cause)


class User(FastHttpUser):
    """One user with one page open."""

    wait_time = between(*PAUSE)
    network_timeout = connection_timeout = TIMEOUT
    drawn = drawings()

    def on_start(self) -> None:
        self.z = [0.0, 0.0]
        self.open_page()

    def request(
        self, name: str, method: str, path: str, key: str | None, body: object = None
    ) -> dict[str, Any]:
        """The response as a JSON object that has `key`.

        Returns:
            An empty dict if `key` is None, where no JSON is expected, and if the request failed or
            `key` is missing; both of these count as failures.
        """
        with self.client.request(
            method, path, name=name, catch_response=True, headers={"Accept": "*/*"}, json=body
        ) as response:
            if response.status_code != 200:
                cause = response.text or f"{response.error!r:.200}"
                fail(response, name, f"{response.status_code}: {cause}")
            elif key is not None:
                answer = response.json()
                if isinstance(answer, dict) and key in answer:
                    return answer
                fail(response, name, f"no {key}: {response.text:.200}")
            return {}

    def call(
        self, name: str, component: str, function: str, data: object, key: str
    ) -> dict[str, Any]:
        """The result of a server function of one of the page's components."""
        body = {
            "data": data,
            "component_id": self.components[component],
            "fn_name": function,
            "session_hash": self.session,
        }
        return self.request(name, "POST", "/gradio_api/component_server/", key, body)

    def events(self, name: str, path: str, kind: str, ok: str) -> list[Any]:
        """The data of all events in the stream of a queued computation; empty if it failed."""
        with self.client.get(path, name=name, catch_response=True) as response:
            text = response.text or ""
            if response.status_code != 200 or kind not in text or ok not in text:
                cause = text or f"{response.error!r:.200}"
                fail(response, name, f"{response.status_code}: {cause}")
                return []
            data = [line for line in text.split("\n") if line.startswith("data: ")]
            return [json.loads(line.removeprefix("data: ")) for line in data]

    @task(WEIGHTS["open the page"])
    def open_page(self) -> None:
        name = "open the page"
        self.session = uuid.uuid4().hex[:12]
        self.request(name, "GET", "/", None)
        config = self.request(name, "GET", "/config", "components")
        self.components = {c["props"].get("elem_id"): c["id"] for c in config["components"]}
        self.compare_event = next(
            event["id"]
            for event in config["dependencies"]
            if [self.components["compare"], "click"] in event["targets"] and event["backend_fn"]
        )
        self.call(name, "latent-map", "layer", "points", "xy")
        self.call(name, "latent-map", "layer", "regions", "winners")
        decoder = next(
            c["props"]["props"]["decoder"]
            for c in config["components"]
            if c["props"].get("elem_id") == "latent-map"
        )
        for address in decoder.values():
            self.request(name, "GET", f"/{address}", None)
        self.readout(resting=True)

    def readout(self, resting: bool) -> None:
        name = "readout, at rest" if resting else "readout, while dragging"
        self.call(name, "digit", "look", [*self.z, resting], "pixels")

    @task(WEIGHTS["drag"])
    def drag(self) -> None:
        for _ in range(random.randint(1, STRETCHES)):
            angle, radius = random.uniform(0, 2 * math.pi), random.uniform(0.2, REACH)
            for _ in range(random.randint(*MOVES)):
                started = time.perf_counter()
                angle += random.uniform(0.02, 0.2)
                self.z = [radius * math.cos(angle), radius * math.sin(angle)]
                self.readout(resting=False)
                gevent.sleep(max(0.0, INTERVAL - (time.perf_counter() - started)))
            self.readout(resting=True)
            gevent.sleep(random.uniform(*REST))

    @task(WEIGHTS["directions"])
    def directions(self) -> None:
        """Two or three nudges, each with the readout and the directions at its end."""
        self.call("directions", "directions", "here", self.z, "attributes")
        for _ in range(random.randint(2, 3)):
            arguments = [*self.z, random.choice(ATTRIBUTES), random.choice((1, -1))]
            if nudged := self.call("nudge", "directions", "nudge", arguments, "path"):
                self.z = nudged["path"][-1]
            self.readout(resting=True)
            self.call("directions", "directions", "here", self.z, "attributes")
            gevent.sleep(random.uniform(*REST))

    @task(WEIGHTS["draw"])
    def draw(self) -> None:
        self.call("draw", "own-digit", "drawn", [random.choice(self.drawn), None], "recon")

    @task(WEIGHTS["open a test digit"])
    def open_test_digit(self) -> None:
        index = random.randrange(10_000)
        self.call("open a test digit", "digit", "test_digit", index, "recon")

    @task(WEIGHTS["compare paths"])
    def compare_paths(self) -> None:
        ends = [
            label if random.random() < CLASS_ENDS else self.z
            for label in random.sample(range(10), 2)
        ]
        body = {
            "data": [*ends, METHODS, 12, False, "typical"],
            "fn_index": self.compare_event,
            "trigger_id": self.components["compare"],
            "session_hash": self.session,
        }
        name, path = "compare paths", "/gradio_api/queue/join?"
        if self.request(f"{name}: submit", "POST", path, "event_id", body):
            path = f"/gradio_api/queue/data?session_hash={self.session}"
            self.events(name, path, "process_completed", '"success":true')

    @task(WEIGHTS["decode by API"])
    def decode(self) -> None:
        name, path = "decode by API", "/gradio_api/call/decode"
        body = {"data": self.z}
        if submitted := self.request(f"{name}: submit", "POST", path, "event_id", body):
            path = f"{path}/{submitted['event_id']}"
            if events := self.events(name, path, "event: complete", "url"):
                self.request(f"{name}: image", "GET", events[-1][0]["url"], None)
