"""`python demo.py` from the shell: what it says when it cannot start."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

import demo
from benchmarks.server import free_port


def run(*arguments: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, str(ROOT / "demo.py"), *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def busy_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_a_busy_port_is_one_clear_line(busy_port):
    done = run("--port", str(busy_port))
    assert done.returncode == 1
    assert done.stderr.startswith(f"demo.py: port {busy_port} on 127.0.0.1 is not free")
    assert done.stderr.count("\n") == 1 and done.stdout == ""


def test_the_environment_names_the_port(busy_port):
    done = run(GRADIO_SERVER_PORT=str(busy_port))
    assert done.returncode == 1 and f"port {busy_port}" in done.stderr
    # The option goes before the variable.
    assert demo.parse_arguments(["--port", "7000"]).port == 7000


def test_the_defaults(monkeypatch):
    monkeypatch.delenv("GRADIO_SERVER_PORT", raising=False)
    options = demo.parse_arguments([])
    assert (options.host, options.port) == ("127.0.0.1", 7862)
    names = ["pretrained/vae_mnist.pt", "pretrained/vae_low_beta.pt"]
    assert [str(path) for path in options.checkpoint] == names


@pytest.mark.parametrize("port", ["0", "-1", "65536", "http", "80.5", ""])
def test_a_wrong_port_is_named(port, capsys):
    with pytest.raises(SystemExit) as caught:
        demo.parse_arguments([f"--port={port}"])
    assert caught.value.code == 2
    assert f"{port!r} is no port" in capsys.readouterr().err


def test_a_wrong_checkpoint_is_one_clear_line(tmp_path):
    page = tmp_path / "page.pt"
    page.write_text("<html>not found</html>")
    for path, fault in ((tmp_path / "none.pt", "no such file"), (page, "web page")):
        done = run("--checkpoint", str(path), "--port", str(free_port()))
        assert done.returncode == 1 and done.stdout == ""
        assert done.stderr.startswith(f"demo.py: {path}: ") and fault in done.stderr
        assert done.stderr.count("\n") == 1


def test_it_starts_from_another_folder_when_the_checkpoint_is_named(tmp_path, busy_port):
    """It comes as far as the port, so checkpoint and page were found."""
    path = ROOT / "pretrained" / "vae_mnist.pt"
    done = run("--checkpoint", str(path), "--port", str(busy_port), folder=tmp_path)
    assert "is not free" in done.stderr
