"""A simulated user: the locustfile of benchmarks/load.py, which sets VISIT.

A user makes the requests that the page makes in a browser, and checks each response. A drag
makes none; where it rests, the browser fetches the files of the nearest images that it has not got.
The frequency of each action and the pauses between them, in the constants below, are estimates:
these users use everything the page has, and none of them leaves.
"""

import base64
import functools
import io
import json
import math
import os
import random
import re
import sys
import time
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import gevent
import numpy as np
import numpy.typing as npt
from gevent.pool import Pool
from locust import FastHttpUser, task
from locust.contrib.fasthttp import ResponseContextManager
from PIL import Image

from benchmarks.visit import VISIT, WHOLE_VISIT, Visit
from latent_navigator.explorer.packed import ALIGNMENT

CONNECTIONS = 6  # of a browser to one server

# Relative frequency of each action.
WEIGHTS = {
    "drag": 44,
    "open a test digit": 4,
    "directions": 3,
    "draw": 3,
    "open the page": 3,
    "compare paths": 1,
    "experiment": 1,
    "decode by API": 1,
}
# Seconds.
PAUSE = 15.0, 75.0  # between two actions, while a user reads and looks
STRETCH = 1.0, 4.0  # of a drag, up to a rest
REST = 0.3, 1.0  # at a position of interest
TIMEOUT = 30.0

STRETCHES = 3  # maximum per drag
REACH = 3.0  # maximum distance of a drag from the centre, in sigma
CLASS_ENDS = 0.7  # of the ends of paths are classes, the others the cursor
METHODS = ["linear", "spherical", "geodesic", "data"]
EXPERIMENTS = ("morph", "boundary", "paths", "random")
ATTRIBUTES = ("ink", "stroke", "slant", "width", "height", "roundness")
NEAREST = 6  # test images that the page shows

DIGITS = Path(__file__).parent.parent / "tests" / "digits.npz"


class Encodings(NamedTuple):
    """The encoded test images: means (N, 2), and the file of images that each is in (N,)."""

    means: npt.NDArray[np.float32]
    blocks: npt.NDArray[np.uint32]


def read_encodings(file: bytes) -> Encodings:
    """What the page reads in encodings.bin; see explorer/packed.py for the form of the file."""
    length = 4 + int.from_bytes(file[:4], "little")
    header = json.loads(file[4:length])
    start = -(-length // ALIGNMENT) * ALIGNMENT
    arrays = {
        array["name"]: np.frombuffer(file, array["type"], array["length"], start + array["offset"])
        for array in header["arrays"]
    }
    blocks = arrays["places"] // header["values"]["block_size"]
    return Encodings(arrays["means"].reshape(-1, 2), blocks)


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


@functools.cache
def visit() -> Visit:
    """The recorded visit, which is the same for every user."""
    return Visit(**json.loads(Path(os.environ[VISIT]).read_text()))


def fail(response: ResponseContextManager, name: str, cause: str) -> None:
    """Count a response as a failure and print why."""
    print(f"failed: {name}: {cause}", file=sys.stderr, flush=True)
    response.failure(cause)


class User(FastHttpUser):
    """One user with one page open, and what the browser keeps."""

    network_timeout = connection_timeout = TIMEOUT
    concurrency = CONNECTIONS
    drawn = drawings()
    encodings: Encodings | None = None  # one copy for all users

    def on_start(self) -> None:
        self.open_page()

    def wait_time(self) -> float:
        """Seconds between two actions."""
        # The server closes idle connections after five seconds, and browsers notice.
        self.client.client.clientpool.close()
        return random.uniform(*PAUSE)

    def request(
        self, name: str, method: str, path: str, key: str | None, body: object = None
    ) -> dict[str, Any]:
        """The response as a JSON object that has `key`.

        Returns:
            An empty dict if the request failed or `key` is missing; both count as failures.
        """
        with self.client.request(
            method, path, name=name, catch_response=True, headers={"Accept": "*/*"}, json=body
        ) as response:
            if response.status_code != 200:
                cause = response.text or f"{response.error!r:.200}"
                fail(response, name, f"{response.status_code}: {cause}")
                return {}
            answer = response.json()
            if isinstance(answer, dict) and key in answer:
                return answer
            fail(response, name, f"no {key}: {response.text:.200}")
            return {}

    def fetch(self, name: str, path: str) -> bytes | None:
        """The contents of a file; None if the request failed."""
        with self.client.get(
            path, name=name, catch_response=True, headers={"Accept": "*/*"}
        ) as response:
            if response.status_code == 200:
                return response.content or b""
            fail(response, name, f"{path}: {response.status_code}: {response.error!r:.200}")
            return None

    def call(self, name: str, function: str, data: object, key: str) -> dict[str, Any]:
        """The answer of one of the page's functions of Python."""
        body = {
            "data": data,
            "component_id": visit().component,
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
        """A first visit: the browser has nothing yet."""
        self.session = uuid.uuid4().hex[:12]
        self.z = np.zeros(2)
        self.kept = {found[0] for path in visit().requests if (found := block_name(path))}
        first, *others = visit().requests
        started = time.perf_counter()
        sizes = [self.open_file(first), *Pool(CONNECTIONS).map(self.open_file, others)]
        took = 1000 * (time.perf_counter() - started)
        missing = sum(size is None for size in sizes)
        self.environment.events.request.fire(
            request_type=WHOLE_VISIT,
            name="open the page",
            response_time=took,
            response_length=sum(filter(None, sizes)),
            exception=RuntimeError(f"{missing} files are missing") if missing else None,
            context={},
        )

    def open_file(self, path: str) -> int | None:
        """The size of one of the files of a visit; None if the request failed."""
        content = self.fetch("open the page: each request", path)
        if content and User.encodings is None and path.endswith("/encodings.bin"):
            User.encodings = read_encodings(content)
        return None if content is None else len(content)

    def show(self, indices: npt.NDArray[np.intp]) -> None:
        """Fetch the files of test images that the browser has not kept."""
        if self.encodings is None:
            return
        blocks = set(self.encodings.blocks[indices].tolist())
        paths = [f"{image_folder()}{block}.bin" for block in blocks]
        missing = [path for path in paths if path not in self.kept]
        self.kept.update(missing)
        Pool(CONNECTIONS).map(lambda path: self.fetch("images at rest", path), missing)

    def rest_at(self, z: npt.ArrayLike) -> None:
        """Stay at a position; the page shows the nearest test images."""
        self.z = np.clip(np.asarray(z, float), -REACH, REACH)
        gevent.sleep(random.uniform(*REST))
        if self.encodings is not None:
            distances = np.square(self.encodings.means - self.z).sum(1)
            self.show(distances.argpartition(NEAREST)[:NEAREST])

    @task(WEIGHTS["drag"])
    def drag(self) -> None:
        for _ in range(random.randint(1, STRETCHES)):
            gevent.sleep(random.uniform(*STRETCH))
            angle, radius = random.uniform(0, 2 * math.pi), random.uniform(0.2, REACH)
            self.rest_at([radius * math.cos(angle), radius * math.sin(angle)])

    @task(WEIGHTS["directions"])
    def directions(self) -> None:
        """Two or three nudges, with the directions at the end of each."""
        self.call("directions", "here", self.z.tolist(), "attributes")
        for _ in range(random.randint(2, 3)):
            arguments = [*self.z.tolist(), random.choice(ATTRIBUTES), random.choice((1, -1))]
            if nudged := self.call("nudge", "nudge", arguments, "path"):
                self.rest_at(nudged["path"][-1])
            self.call("directions", "here", self.z.tolist(), "attributes")

    @task(WEIGHTS["draw"])
    def draw(self) -> None:
        if answer := self.call("draw", "drawn", [random.choice(self.drawn), None], "recon"):
            self.show(np.array(answer["nearest"]))
            self.rest_at(answer["mu"])

    @task(WEIGHTS["open a test digit"])
    def open_test_digit(self) -> None:
        index = random.randrange(10_000)
        if answer := self.call("open a test digit", "test_digit", index, "recon"):
            self.rest_at(answer["mu"])

    @task(WEIGHTS["compare paths"])
    def compare_paths(self) -> None:
        ends = [
            label if random.random() < CLASS_ENDS else self.z.tolist()
            for label in random.sample(range(10), 2)
        ]
        self.call("compare paths", "compare", [*ends, METHODS, 12, False, "typical"], "rows")

    @task(WEIGHTS["experiment"])
    def experiment(self) -> None:
        self.call("experiment", "experiment", random.choice(EXPERIMENTS), "rows")

    @task(WEIGHTS["decode by API"])
    def decode(self) -> None:
        name, path = "decode by API", "/gradio_api/call/decode"
        body = {"data": self.z.tolist()}
        if submitted := self.request(f"{name}: submit", "POST", path, "event_id", body):
            path = f"{path}/{submitted['event_id']}"
            if events := self.events(name, path, "event: complete", "url"):
                self.fetch(f"{name}: image", events[-1][0]["url"])


def block_name(path: str) -> re.Match[str] | None:
    """A match if the path is one of a file of images."""
    return re.fullmatch(r"(/data/\w+/images/)\d+\.bin", path)


@functools.cache
def image_folder() -> str:
    """What the paths of all files of images begin with."""
    return next(found[1] for path in visit().requests if (found := block_name(path)))
