"""Graceful shutdown: the Drain class, the server in this process, and `python demo.py`."""

import concurrent.futures
import re
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from latent_navigator.app import server, startup
from latent_navigator.app.drain import Drain
from latent_navigator.app.errors import SHUTTING_DOWN
from latent_navigator.app.models import Models
from latent_navigator.explorer.latent_space import LatentSpace
from tests.fixtures import ROOT, Demo
from tests.helpers import HANG, wait_until
from tests.server.stand_ins import (
    fetch,
    health,
    ignore_pandas,
    in_loop,
    running_page,
    small_page,
    submit,
    wait_for_drain,
)

pytestmark = ignore_pandas


def test_paths_are_computed_while_no_request_runs_and_until_the_server_stops(
    space: LatentSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain = Drain()
    computed: list[int] = []
    waited: list[int] = []

    def paths(_: LatentSpace) -> Iterator[None]:
        for i in range(10):
            computed.append(i)
            drain.running = 1 if i == 3 else 0  # a request arrives
            if i == 6:
                drain.start()
            yield

    def sleep(_: float) -> None:
        waited.append(len(computed))
        drain.running = 0 if len(waited) == 4 else 1  # it is answered at the fourth look

    monkeypatch.setattr(startup, "IDLE", 0)
    monkeypatch.setattr("os.setpriority", lambda *_: None)  # of the thread, here the tests' own
    monkeypatch.setattr(startup, "expected_work", paths)
    monkeypatch.setattr("latent_navigator.app.startup.time.sleep", sleep)
    startup.warm_up(space, drain)
    assert waited == [4] * 4
    assert computed == list(range(7))


class Clock:
    """A clock that tests advance."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.guarantee("sigterm-drains")
def test_draining_waits_for_running_requests(clock: Clock) -> None:
    drain = Drain(quiet=1, clock=clock)
    with drain.request():
        drain.start()
        clock.now += 20
        assert not drain.finished
        assert drain.running == 1
    assert not drain.finished
    clock.now += 1
    assert drain.finished
    assert drain.complete


@pytest.mark.guarantee("sigterm-drains")
def test_draining_waits_until_clients_have_fetched_their_results(clock: Clock) -> None:
    drain = Drain(quiet=1, clock=clock)
    clock.now += 10  # idle time before the stop does not count
    drain.start()
    for _ in range(4):
        clock.now += 0.9
        assert not drain.finished
        with drain.request():
            pass
    clock.now += 1
    assert drain.finished


@pytest.mark.guarantee("sigterm-drains")
def test_draining_ends_after_the_timeout(clock: Clock) -> None:
    drain = Drain(timeout=30, clock=clock)
    with drain.request():
        drain.start()
        clock.now += 29
        drain.start()  # a second signal does not extend it
        assert not drain.finished
        clock.now += 2
        assert drain.finished
        assert not drain.complete
        assert drain.describe() == "not done after 30 seconds: dropped 1 request"


def test_an_idle_server_without_a_stop_signal_never_finishes(clock: Clock) -> None:
    drain = Drain(clock=clock)
    clock.now += 1000
    assert drain.complete
    assert not drain.finished


# --- the server, in this process ---


@pytest.fixture
def temporary_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Gradio's cache, for pages that a test builds."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


@pytest.mark.guarantee("sigterm-drains")
@pytest.mark.usefixtures("temporary_cache")
def test_the_first_ctrl_c_waits_for_running_requests() -> None:
    release = threading.Event()

    def work() -> dict[str, int]:
        release.wait(HANG)
        return {"done": 1}

    drain = Drain(quiet=0.2)
    with (
        running_page(small_page(work), drain) as (running, address),
        ThreadPoolExecutor() as pool,
    ):
        answer = pool.submit(fetch, address, "work", submit(address, "work"))
        wait_until(lambda: drain.running)
        running.handle_exit(signal.SIGINT, None)
        wait_for_drain(address)
        assert not drain.finished
        release.set()
        assert answer.result() == {"done": 1}
        wait_until(lambda: drain.finished)
    assert running.status == 0


@pytest.mark.guarantee("sigterm-drains")
@pytest.mark.usefixtures("temporary_cache")
def test_a_second_sigterm_still_waits_but_ctrl_c_does_not(clock: Clock) -> None:
    drain = Drain(clock=clock)
    with running_page(small_page(), drain) as (running, _):
        for _ in range(2):
            running.handle_exit(signal.SIGTERM, None)
        assert not drain.hurried
        running.handle_exit(signal.SIGINT, None)
        assert drain.hurried


@pytest.mark.guarantee("cache-cleaned")
def test_files_in_the_cache_are_cleaned(
    temporary_cache: Path, monkeypatch: pytest.MonkeyPatch, space: LatentSpace
) -> None:
    monkeypatch.setattr(server, "CACHE_CLEANING", (1, 1))
    page, _ = in_loop(lambda: server.build_blocks(Models.of(space)))
    with running_page(page, Drain()) as (_, address):
        images = [fetch(address, "decode", submit(address, "decode", x, 0)) for x in range(3)]
        url = images[-1]["url"]
        assert httpx.get(url).status_code == 200
        wait_until(lambda: not list(temporary_cache.rglob("*.png")))
        assert httpx.get(url).status_code == 403
        assert health(address).status_code == 200


# --- the process ---


@pytest.mark.guarantee("sigterm-drains")
def test_sigterm_waits_for_results_but_not_for_open_pages(own_demo: Callable[..., Demo]) -> None:
    process, address, log, cache = own_demo()
    image = fetch(address, "decode", submit(address, "decode", 0.5, 0.5))
    assert list(cache.rglob("*.png"))
    jobs = [submit(address, "interpolate", 0, end, "geodesic", 24, False) for end in range(1, 7)]
    with (
        ThreadPoolExecutor() as pool,
        httpx.stream("GET", f"{address}gradio_api/heartbeat/page") as heartbeat,
    ):
        assert heartbeat.status_code == 200
        answers = [pool.submit(fetch, address, "interpolate", job) for job in jobs]
        wait_until(lambda: health(address).json()["running"])
        process.send_signal(signal.SIGTERM)
        wait_for_drain(address)
        with pytest.raises(httpx.HTTPStatusError) as rejected:
            submit(address, "decode", 0, 0)
        assert rejected.value.response.json() == {"detail": SHUTTING_DOWN}
        assert httpx.get(image["url"]).content.startswith(b"\x89PNG")
        assert [len(answer.result()["path"]) for answer in answers] == [24] * 6
        assert process.wait(timeout=HANG) == 0
    assert log.read_text().count("\n") == 1  # only the line printed at the start
    assert not list(cache.rglob("*.png"))


@pytest.mark.guarantee("sigterm-drains")
def test_sigterm_right_after_the_start_exits_cleanly(own_demo: Callable[..., Demo]) -> None:
    """A thread still computes what the first paths need."""
    process, _, log, _ = own_demo(quiet=False)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=HANG) == 0
    assert log.read_text().count("\n") == 1  # only the line printed at the start


# As what is computed in advance is, at the lowest priority, beside busy processes.
ENDLESS_DEMO = f"""
import runpy, sys, threading
sys.path[0] = {str(ROOT)!r}
from latent_navigator.app import startup
startup.warm_up = lambda *_: threading.Event().wait()
runpy.run_path({str(ROOT / "demo.py")!r}, run_name="__main__")
"""


@pytest.mark.guarantee("sigterm-drains")
def test_sigterm_does_not_wait_for_what_is_computed_in_advance(
    own_demo: Callable[..., Demo], tmp_path: Path
) -> None:
    (tmp_path / "demo.py").write_text(ENDLESS_DEMO)
    process, _, log, _ = own_demo(root=tmp_path, quiet=False)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=HANG) == 0
    assert log.read_text().count("\n") == 1  # only the line printed at the start


@pytest.mark.guarantee("sigterm-drains")
def test_a_second_ctrl_c_drops_running_requests(own_demo: Callable[..., Demo]) -> None:
    process, address, log, cache = own_demo()
    fetch(address, "decode", submit(address, "decode", 0.5, 0.5))
    pairs = [(a, b) for a in range(5) for b in range(5, 10)]
    jobs = [submit(address, "interpolate", *pair, "geodesic", 24, False) for pair in pairs]
    with ThreadPoolExecutor(len(jobs)) as pool:
        answers = [pool.submit(fetch, address, "interpolate", job) for job in jobs]
        wait_until(lambda: health(address).json()["running"] >= len(jobs) // 2)
        process.send_signal(signal.SIGINT)
        wait_for_drain(address)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=HANG) == 1
        concurrent.futures.wait(answers)
    assert any(answer.exception() for answer in answers), "every request was answered"
    _, last = log.read_text().splitlines()
    assert re.fullmatch(r"demo.py: second Ctrl-C: dropped \d+ requests", last), last
    assert not list(cache.rglob("*.png"))
