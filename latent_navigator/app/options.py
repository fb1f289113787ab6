"""What a server is started with, checked at once: before torch and Gradio are imported."""

import errno
import importlib.util
import os
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path

from latent_navigator.atomic_io import check_folder
from latent_navigator.checkpoint.file_checks import check_file


def check_options(checkpoints: Sequence[Path], host: str, port: int, *, mcp: bool) -> None:
    """Check whatever can be checked before the models are loaded.

    Raises:
        ValueError, OSError: if the server could not work, with the remedy.
    """
    if mcp and importlib.util.find_spec("mcp") is None:
        raise ValueError("--mcp needs another package: pip install 'gradio[mcp]'")
    check_address(host, port)
    check_folder(upload_folder(), "set GRADIO_TEMP_DIR to a folder of your own")
    for path in checkpoints:
        check_file(path)


def upload_folder() -> Path:
    """Where Gradio keeps what is uploaded."""
    usual = Path(tempfile.gettempdir()) / "gradio"
    return Path(os.environ.get("GRADIO_TEMP_DIR") or usual.resolve())


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
