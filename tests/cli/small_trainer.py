"""trainer.py on the digits of the tests with a small model: in this process or in its own."""

import os
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import trainer
from latent_navigator.data.labelled_images import LabelledImages
from tests.forks import FORKED_PYTHON
from tests.small import SMALL, WrittenFigure, read_digits

ROOT = Path(__file__).parents[2]
# Two steps per epoch.
OPTIONS = (
    *("--batch-size", "250", "--warmup-epochs", "1"),
    *("--device", "cpu", "--precision", "fp32", "--output", "vae.pt"),
)
PROGRAM = """
    import itertools, os, signal, sys, types
    from pathlib import Path
    sys.path.insert(0, {root!r})
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in background shells
    import trainer
    from latent_navigator.training import command_line, metrics, runner
    from latent_navigator.training.parent import stop_with_stdin
    from tests.small import SMALL, WrittenFigure, read_digits

    metrics.Figure = WrittenFigure
    runner.load_dataset = lambda *_, **__: read_digits()
    command_line.VAEConfig = lambda **_: SMALL
    {patch}
    if __name__ == "__main__":
        stop_with_stdin()
        trainer.exit_process(trainer.main(sys.argv[1:]))
"""


def write_program(folder: Path, patch: str = "") -> Path:
    """A program that runs trainer.py on the small model and data set.

    Args:
        patch: statements that change the trainer first.
    """
    indented = textwrap.indent(textwrap.dedent(patch).strip(), "    ").strip()
    path = folder / "program.py"
    path.write_text(textwrap.dedent(PROGRAM.format(root=str(ROOT), patch=indented)))
    return path


def start_process(
    folder: Path,
    *arguments: str,
    patch: str = "",
    encoding: str = "",
    shell: str = "",
    forked: bool = True,
) -> subprocess.Popen[str]:
    """The trainer as a process of its own, in this folder.

    Args:
        encoding: of its output, as in PYTHONIOENCODING.
        shell: redirections of its output, in Bash; the status is that of the trainer.
        forked: whether the fork server starts it.
    """
    python = FORKED_PYTHON if forked else [sys.executable]
    command = [*python, str(write_program(folder, patch)), *OPTIONS, *arguments]
    if shell:
        line = f"exec {shlex.join(command)} {shell}"
        if "|" in shell:
            line = f"{shlex.join(command)} {shell}; exit ${{PIPESTATUS[0]}}"
        command = ["bash", "-c", line]
    return subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONIOENCODING": encoding} if encoding else None,
    )


class SmallTrainer:
    """Runs trainer.py in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """The exit status, stdout and stderr of a run."""
        self.capsys.readouterr()
        status = trainer.main([*OPTIONS, *arguments])
        return status, *self.capsys.readouterr()

    def error(self, *arguments: str) -> str:
        """The only line on stderr, apart from the progress bar, of a run that fails."""
        status, _, stderr = self(*arguments)
        lines = [line for line in stderr.replace("\r", "\n").splitlines() if "img/s" not in line]
        lines = [line for line in lines if line.strip()]
        assert status == 1
        assert len(lines) == 1, stderr
        assert lines[0].startswith("trainer.py: ")
        return lines[0]


def use_small_model(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let trainer.main train the small model on the digits of the tests, in this folder."""

    def load_dataset(*_: object, **__: object) -> LabelledImages:
        return read_digits()

    monkeypatch.setattr("latent_navigator.training.runner.load_dataset", load_dataset)
    monkeypatch.setattr("latent_navigator.training.command_line.VAEConfig", lambda **_: SMALL)
    monkeypatch.setattr("latent_navigator.training.metrics.Figure", WrittenFigure)
    monkeypatch.chdir(folder)


@pytest.fixture
def small_trainer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> SmallTrainer:
    """trainer.py on the small model and data set, in tmp_path."""
    use_small_model(monkeypatch, tmp_path)
    return SmallTrainer(capsys)
