"""What is checked, tuned and loaded before the server listens."""

import ctypes
import errno
import importlib.util
import socket
import sys
from pathlib import Path

from gradio.utils import get_upload_folder

from latent_navigator.atomic_io import check_folder
from latent_navigator.checkpoint.checkpoint import Checkpoint, load_checkpoint
from latent_navigator.explorer.inference import infer_test_image
from latent_navigator.explorer.latent_space import LatentSpace

M_ARENA_MAX, M_MMAP_THRESHOLD = -8, -3  # from malloc.h of glibc
MAX_HEAPS = 2
MMAP_THRESHOLD = 2**20  # bytes
SWITCH_INTERVAL = 0.0005  # seconds; Python's 0.005 lets a thread that computes delay answers


def check_options(host: str, port: int, *, mcp: bool) -> None:
    """Check whatever can be checked before the models are loaded.

    Raises:
        ValueError, OSError: if the server could not work, with the remedy.
    """
    if mcp and importlib.util.find_spec("mcp") is None:
        raise ValueError("--mcp needs another package: pip install 'gradio[mcp]'")
    check_address(host, port)
    check_folder(Path(get_upload_folder()), "set GRADIO_TEMP_DIR to a folder of your own")


def check_address(host: str, port: int) -> None:
    """Check that a server can listen at an address.

    Raises:
        ValueError: if not, with the remedy.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise ValueError(
            f"unknown host {host!r:.80}; give an address of this machine, or 0.0.0.0 for all"
        ) from None
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except PermissionError:
            raise ValueError(f"port {port} is privileged; give one above 1023") from None
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise ValueError(
                    f"port {port} on {host} is in use; choose another with --port, or stop the "
                    "program that uses it"
                ) from None
            raise ValueError(
                f"host {host!r:.80} is not an address of this machine; give 127.0.0.1, or 0.0.0.0 "
                "for all"
            ) from None


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


def load_models(paths: list[Path]) -> tuple[LatentSpace, dict[str, Checkpoint]]:
    """The model to explore and, by label, those whose training is compared with its own.

    Raises:
        ValueError, OSError: if one cannot be read, or has other classes than the first.
    """
    first, *rest = [load_checkpoint(path) for path in paths]
    others: dict[str, Checkpoint] = {}
    for path, checkpoint in zip(paths[1:], rest, strict=True):
        if checkpoint.class_names != first.class_names:
            raise ValueError(
                f"{path} has other classes than {paths[0]}; compare models of one data set"
            )
        taken = checkpoint.label in (first.label, *others)
        others[f"{checkpoint.label}, {path}" if taken else checkpoint.label] = checkpoint
    return LatentSpace(first), others


def warm_up(space: LatentSpace) -> None:
    """Compute what the first path and the first image would otherwise wait for."""
    _ = space.data_graph
    infer_test_image(space, 0)
