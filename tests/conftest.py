"""How the processes of a test run start: the fork server, and workers forked from it.

With workers, this process only starts them, and need not import what the fixtures do.
"""

import contextlib
import os
from typing import Any

import pytest

from tests.forks import fork_server, forked_executable
from tests.forks.client import ADDRESS

# Set before torch is imported, and inherited by the processes that tests start: with several
# threads in each of several workers, they would mostly wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Plugins of Hypothesis, which no test uses, take a second in each worker.
os.environ.setdefault("HYPOTHESIS_NO_PLUGINS", "1")

FIXTURES = ("tests.fixtures", "tests.browser.fixtures", "tests.cli.small_trainer")


def pytest_configure(config: pytest.Config) -> None:
    """Run one fork server for all workers, which inherit its address."""
    if ADDRESS not in os.environ:
        stack = contextlib.ExitStack()
        stack.enter_context(fork_server())
        config.add_cleanup(stack.close)
    if hasattr(config, "workerinput") or not getattr(config.option, "tx", None):
        for name in FIXTURES:
            config.pluginmanager.import_plugin(name)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(specs: list[Any]) -> None:
    """Fork the workers too, which then need not import torch and Gradio."""
    for spec in specs:
        spec.python = str(forked_executable())
