"""What is tuned and loaded before the server listens."""

import ctypes
import os
import sys
import threading
import time
from collections.abc import Iterator

from latent_navigator.app.drain import Drain
from latent_navigator.explorer.experiments import measure_all_pairs
from latent_navigator.explorer.inference import infer_test_image
from latent_navigator.explorer.interpolation import prototype_geodesics
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.explorer.lesson_solutions import solutions
from latent_navigator.explorer.lessons import lessons

M_ARENA_MAX, M_MMAP_THRESHOLD = -8, -3  # from malloc.h of glibc
MAX_HEAPS = 2
MMAP_THRESHOLD = 2**20  # bytes
LOWEST = 19  # priority, as of `nice`
IDLE = 5.0  # seconds without a request, after which usual paths are computed in advance
GRACE = 3.0  # seconds that the thread has to end once the server has stopped
PAUSE = 0.1  # seconds between two looks at whether the server is idle
SWITCH_INTERVAL = 0.0005  # seconds; Python's 0.005 lets a thread that computes delay answers


def tune_process() -> None:
    """Keep the process small and its answers prompt.

    glibc allots eight heaps a core by default, and each of Gradio's forty threads fills one with
    memory that it no longer needs, so that the process grows for as long as it has users; see
    benchmarks/load.py. Two heaps, and large blocks that return to the system at once, keep it
    flat. Other C libraries are left alone.
    """
    sys.setswitchinterval(SWITCH_INTERVAL)
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(M_ARENA_MAX, MAX_HEAPS)
            mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD)


def warm_up(space: LatentSpace, drain: Drain) -> None:
    """Compute what the first image and the usual paths would otherwise wait for.

    Paths are computed while no request has run for IDLE seconds, and until the server stops.
    """
    _ = space.data_graph
    infer_test_image(space, 0)
    if sys.platform == "linux":  # where threads have priorities of their own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST)
    for _ in expected_work(space):
        while not (drain.started or drain.idle_for(IDLE)):
            time.sleep(PAUSE)
        if drain.started:
            return


def end_warming(warming: threading.Thread, status: int) -> None:
    """Wait for the thread of `warm_up` in a server that has stopped, or else end the process.

    Python cannot exit cleanly while a thread computes in torch; at the lowest priority, beside busy
    processes, one of its paths may take minutes.

    Args:
        status: with which the process ends.
    """
    warming.join(GRACE)
    if warming.is_alive():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def expected_work(space: LatentSpace) -> Iterator[object]:
    """What users are likely to ask for, each part computed when it is asked for, and then kept."""
    for lesson in lessons(space):
        yield solutions(space, lesson.key)
    yield from prototype_geodesics(space)
    yield from measure_all_pairs(space)
