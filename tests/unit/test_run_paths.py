"""The files of a run: their names, and what is no place for one."""

import os
import socket
import string
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent_navigator.atomic_io import regular_file, write_whole
from latent_navigator.training.config import TrainingConfig, plain_dataset
from latent_navigator.training.paths import RESERVED, RunPaths, check_output, resolve_output

FILE_NAMES = st.builds(
    "".join,
    st.lists(
        st.sampled_from([*"abm", ".", ".pt", ".pth", ".beta0", *RESERVED, *string.digits[:3]]),
        min_size=1,
        max_size=5,
    ),
).filter(lambda name: name not in (".", ".."))


def files(paths: RunPaths) -> set[Path]:
    """Everything that a run may write."""
    return {paths.output, paths.state, paths.metrics, paths.curves, paths.lock}


@pytest.mark.guarantee("runs-kept-apart")
@given(one=FILE_NAMES, other=FILE_NAMES)
def test_two_outputs_share_no_file(one: str, other: str) -> None:
    try:
        first, second = RunPaths(resolve_output(one)), RunPaths(resolve_output(other))
    except ValueError as error:
        assert one.endswith(RESERVED) or other.endswith(RESERVED)
        assert "choose another --output" in str(error)
        return
    assert len(files(first)) == 5
    assert one == other or not files(first) & files(second)


@pytest.mark.guarantee("runs-kept-apart")
@pytest.mark.parametrize("suffix", [*RESERVED, ".RESUME", ".Metrics.JSON"])
def test_name_of_a_record_is_no_output(suffix: str) -> None:
    with pytest.raises(ValueError, match="choose another --output"):
        TrainingConfig(output=f"runs/vae.pt{suffix}").output_path()


def make(path: Path, kind: str) -> socket.socket | None:
    """Something that is no regular file."""
    if kind == "a folder":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a device":
        path.symlink_to(os.devnull)
    else:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        return listening
    return None


@pytest.mark.guarantee("output-checked-before-training")
@pytest.mark.parametrize("kind", ["a folder", "a pipe", "a device", "a socket"])
@pytest.mark.parametrize("linked", [False, True])
def test_what_is_no_regular_file_is_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, linked: bool
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    path = Path("there")
    listening = make(path, kind)
    if linked:
        path = Path("link")
        path.symlink_to("there")
    before = path.stat()
    with pytest.raises(ValueError, match=f"{path}', {kind}"):
        resolve_output(str(path))
    with pytest.raises(ValueError, match=kind):
        write_whole(path, lambda file: file.write(b"x"))
    paths = RunPaths(Path("run"))
    for record in files(paths) - {paths.output}:
        record.symlink_to("there")
        with pytest.raises(ValueError, match=f"the run would write '{record}', {kind}"):
            check_output(paths)
        record.unlink()
    assert path.stat() == before
    assert not list(tmp_path.glob("*.tmp"))
    if listening is not None:
        listening.close()


@pytest.mark.guarantee("output-checked-before-training")
def test_devices_of_the_shell_are_refused() -> None:
    for device in ("/dev/null", "/dev/full"):
        with pytest.raises(ValueError, match="a device"):
            resolve_output(device)


def write_text(text: bytes, file: BinaryIO) -> None:
    file.write(text)


def test_links_are_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link, target = tmp_path / "link.pt", tmp_path / "real" / "vae.pt"
    link.symlink_to(target)
    for text in (b"first", b"second"):  # the target does not exist, then it does
        assert resolve_output(str(link)) == regular_file(link) == target
        write_whole(link, partial(write_text, text))
        assert link.is_symlink()
        assert target.read_bytes() == text
    link.unlink()
    link.symlink_to(link)
    with pytest.raises(OSError, match="choose another --output"):
        resolve_output(str(link))


@pytest.mark.parametrize("output", ["", ".", "..", "/", "new/", "a/../"])
def test_output_needs_a_name(output: str) -> None:
    with pytest.raises(ValueError, match="a folder; name a"):
        resolve_output(output)


@pytest.mark.guarantee("output-checked-before-training")
def test_name_that_is_too_long_for_a_record_is_found(tmp_path: Path) -> None:
    longest = 255 - len(f".metrics.json.{os.getpid()}.tmp")
    check_output(RunPaths(tmp_path / ("x" * longest)))
    with pytest.raises(OSError, match=r"metrics.json cannot be written \(File name too long\)"):
        check_output(RunPaths(tmp_path / ("x" * (longest + 1))))
    with pytest.raises(OSError, match="File name too long"):
        check_output(RunPaths(tmp_path / ("я" * 127)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.guarantee("resume-compares-data")
@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("mnist", "mnist"),
        ("shoes/", "shoes"),
        ("./shoes", "shoes"),
        ("./a//shoes/.", "a/shoes"),
        ("/data/shoes/", "/data/shoes"),
        ("../shoes", "../shoes"),
        ("./mnist", "./mnist"),
        ("mnist/", "./mnist"),
    ],
)
def test_spelling_of_a_folder_makes_no_difference(name: str, plain: str) -> None:
    assert plain_dataset(name) == plain
    assert plain_dataset(plain) == plain
    assert TrainingConfig(dataset=name).hyperparameters()["dataset"] == plain
