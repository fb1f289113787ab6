"""`python demo.py` from the shell: its defaults, and its messages when it cannot start."""

import dataclasses
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from gradio.utils import get_upload_folder
from packaging.version import Version

import demo
from benchmarks.server import free_port
from latent_navigator.app.models import Models
from latent_navigator.app.options import check_address, upload_folder
from latent_navigator.checkpoint.checkpoint import Checkpoint, save_checkpoint
from tests.fixtures import ROOT, Demo, start_demo
from tests.helpers import HANG, with_unused_dimensions


def run(
    *arguments: str, folder: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The result of `python demo.py` with these arguments and variables, for runs that fail."""
    return subprocess.run(
        [sys.executable, str(ROOT / "demo.py"), *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=HANG,
    )


@pytest.fixture
def busy_port() -> Iterator[int]:
    """A port on which something else listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


@pytest.mark.guarantee("any-working-directory")
def test_busy_port_is_reported_in_one_line(busy_port: int) -> None:
    done = run("--port", str(busy_port))
    assert done.returncode == 1
    assert done.stderr.startswith(f"demo.py: port {busy_port} on 127.0.0.1 is in use")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_port_is_read_from_the_environment(busy_port: int) -> None:
    done = run(GRADIO_SERVER_PORT=str(busy_port))
    assert done.returncode == 1
    assert f"port {busy_port}" in done.stderr
    # The option overrides the variable.
    assert demo.parse_arguments(["--port", "7000"]).port == 7000


def test_default_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRADIO_SERVER_PORT", raising=False)
    options = demo.parse_arguments([])
    assert (options.host, options.port) == ("127.0.0.1", 7862)
    names = ["pretrained/vae_mnist.pt", "pretrained/vae_low_beta.pt"]
    assert [str(path) for path in options.checkpoint] == names


@pytest.mark.guarantee("options-validated")
@pytest.mark.parametrize("port", ["0", "-1", "65536", "http", "80.5", ""])
def test_invalid_port_is_named(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        demo.parse_arguments([f"--port={port}"])
    assert caught.value.code == 2
    assert f"{port!r} is not a port" in capsys.readouterr().err


def test_unusable_checkpoint_is_reported_in_one_line(tmp_path: Path) -> None:
    page = tmp_path / "page.pt"
    page.write_text("<html>not found</html>")
    for path, message in ((tmp_path / "none.pt", "no such file"), (page, "web page")):
        done = run("--checkpoint", str(path), "--port", str(free_port()))
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr.startswith(f"demo.py: {path}: ")
        assert message in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.guarantee("options-validated")
@pytest.mark.parametrize("latent_dim", [1, 65, 4096])
def test_a_checkpoint_of_other_dimensions_is_reported_in_one_line(
    ten_checkpoint: Checkpoint, tmp_path: Path, latent_dim: int
) -> None:
    path = tmp_path / "vae.pt"
    save_checkpoint(path, with_unused_dimensions(ten_checkpoint, latent_dim))
    process, _, log, _ = start_demo(tmp_path, "--checkpoint", str(path))
    assert process.wait(180) == 1
    assert log.read_text() == (
        f"demo.py: {path}: latent_dim is {latent_dim}; give a checkpoint trained with "
        "--latent-dim 2 to 64\n"
    )


@pytest.mark.guarantee("messages-never-decide")
def test_a_path_in_another_script_is_told_with_any_encoding() -> None:
    name = "модель \udcff.pt"
    for encoding in ("cp1252:strict", "utf-8:strict"):
        # The usual port may be in use on the machine of whoever tests.
        port = str(free_port())
        done = run("--checkpoint", name, "--port", port, PYTHONIOENCODING=encoding)
        assert (done.returncode, done.stdout) == (1, "")
        assert "there is no such file" in done.stderr
        assert done.stderr.count("\n") == 1
    helped = run("--help", PYTHONIOENCODING="ascii:strict")
    assert (helped.returncode, helped.stderr) == (0, "")


@pytest.mark.guarantee("messages-never-decide")
@pytest.mark.parametrize("redirection", [">/dev/full", ">&-", "2>/dev/full", ">&- 2>&-"])
def test_messages_that_cannot_be_written_leave_the_status(redirection: str) -> None:
    for options, status in (("--help", 0), ("--port 0", 2), ("--checkpoint none.pt", 1)):
        line = f"{sys.executable} {ROOT / 'demo.py'} {options} {redirection}"
        assert subprocess.run(["bash", "-c", line], check=False, timeout=HANG).returncode == status


@pytest.mark.guarantee("demo-folder-checked")
def test_unwritable_temporary_folder_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("--port", str(free_port()), GRADIO_TEMP_DIR=str(tmp_path / "file"))
    message = f"demo.py: nothing can be written to {tmp_path}/file (File exists); set "
    assert done.returncode == 1
    assert done.stderr.startswith(f"{message}GRADIO_TEMP_DIR")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_uploads_are_kept_where_gradio_keeps_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    assert upload_folder() == Path(get_upload_folder())
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    assert upload_folder() == Path(get_upload_folder()) == tmp_path


def test_a_start_that_fails_does_not_wait_for_torch_and_gradio(busy_port: int) -> None:
    program = (
        "import sys, demo; "
        f"assert demo.main(['--port', '{busy_port}']) == 1; "
        "assert not {'torch', 'gradio'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=HANG)


@pytest.mark.guarantee("any-working-directory")
def test_demo_starts_from_any_folder(
    own_demo: Callable[..., Demo],
    tmp_path: Path,
    released: Checkpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, address, *_ = own_demo(cwd=tmp_path)
    assert httpx.get(f"{address}health").json()["model"] == released.label
    monkeypatch.chdir(tmp_path)
    defaults = demo.parse_arguments([]).checkpoint
    assert defaults == [ROOT / "pretrained" / name for name in ("vae_mnist.pt", "vae_low_beta.pt")]
    Path("pretrained").mkdir()
    Path("pretrained/vae_mnist.pt").write_bytes(b"trained here")
    assert demo.parse_arguments([]).checkpoint == [Path("pretrained/vae_mnist.pt"), defaults[1]]


@pytest.mark.guarantee("options-validated")
@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("", "unknown host ''"),
        ("no such host", "unknown host 'no such host'"),
        ("x" * 300, "unknown host"),
        ("999.1.1.1", "unknown host '999.1.1.1'"),
        # An address that is reserved for documentation.
        ("192.0.2.1", "host '192.0.2.1' is not an address of this machine"),
    ],
)
def test_invalid_host_is_named(host: str, message: str) -> None:
    with pytest.raises(ValueError, match="host") as caught:
        check_address(host, free_port())
    assert message in str(caught.value)
    assert "0.0.0.0" in str(caught.value)


def test_invalid_host_is_reported_in_one_line() -> None:
    done = run("--host", "999.1.1.1", "--port", str(free_port()))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("demo.py: unknown host '999.1.1.1'; give")
    assert done.stderr.count("\n") == 1


@pytest.mark.guarantee("other-datasets")
def test_models_with_different_classes_are_not_compared(
    tmp_path: Path, small_checkpoint: Checkpoint
) -> None:
    names = list("abcdefghij")
    other = dataclasses.replace(small_checkpoint, class_names=names)
    save_checkpoint(tmp_path / "digits.pt", small_checkpoint)
    save_checkpoint(tmp_path / "letters.pt", other)
    models = Models([tmp_path / "digits.pt", tmp_path / "letters.pt"])
    assert [entry.key for entry in models.entries()] == ["digits", "letters"]
    assert [replay["label"] for replay in models.replays(models.find())] == ["beta 1"]


def test_models_of_two_and_ten_dimensions_open_together(
    tmp_path: Path, small_checkpoint: Checkpoint, ten_checkpoint: Checkpoint
) -> None:
    two, ten = tmp_path / "two.pt", tmp_path / "ten.pt"
    save_checkpoint(two, small_checkpoint)
    save_checkpoint(ten, ten_checkpoint)
    models = Models([ten, two])
    assert [models.space(key).latent_dim for key in (None, "ten", "two")] == [10, 10, 2]


@pytest.mark.guarantee("options-validated")
def test_unknown_options_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--sharing"], ["--checkpoint"], ["--mcp=yes"], ["--model-memory=0"]):
        with pytest.raises(SystemExit) as caught:
            demo.parse_arguments(arguments)
        assert caught.value.code == 2
        assert arguments[0].split("=")[0] in capsys.readouterr().err


@pytest.mark.guarantee("tool-server")
def test_missing_tool_server_package_is_reported_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert demo.main(["--mcp", "--port", str(free_port())]) == 1
    assert capsys.readouterr().err == (
        "demo.py: --mcp needs another package: pip install 'gradio[mcp]'\n"
    )


@pytest.mark.guarantee("hugging-face-space")
def test_hugging_face_space_needs_no_options(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SPACE_ID", "somebody/navigator")
    options = demo.parse_arguments([])
    assert (options.host, options.port) == ("0.0.0.0", 7860)
    monkeypatch.setenv("GRADIO_SERVER_NAME", "127.0.0.2")
    assert demo.parse_arguments([]).host == "127.0.0.2"


@pytest.mark.guarantee("hugging-face-space")
def test_front_matter_of_the_readme_fits_this_repository() -> None:
    """A Hugging Face Space reads its settings there."""
    _, block, _ = (ROOT / "README.md").read_text().split("---\n", 2)
    settings = dict(line.split(": ", 1) for line in block.splitlines())
    assert settings["sdk"] == "gradio"
    assert (ROOT / settings["app_file"]).is_file()
    requirements = (ROOT / "requirements.txt").read_text()
    bounds = re.search(r"gradio>=([\d.]+),<([\d.]+)", requirements)
    assert bounds
    low, high = bounds.groups()
    version = settings["sdk_version"]
    assert Version(low) <= Version(version) < Version(high)
    required = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert required
    assert Version(settings["python_version"].strip('"')) >= Version(required.group(1))
