"""docs/guarantees.md is generated from the markers of the tests."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests import guarantees
from tests.fixtures import ROOT
from tests.forks import FORKED_PYTHON
from tests.helpers import HANG


@pytest.mark.guarantee("guarantees-have-tests")
def test_each_guarantee_is_checked_by_a_test() -> None:
    checked = {guarantee for guarantee, _ in guarantees.marked_tests()}
    assert checked == set(guarantees.GUARANTEES)


@pytest.mark.slow
def test_document_is_generated_from_the_markers() -> None:
    assert guarantees.DOCUMENT.read_text(encoding="utf-8") == guarantees.document()


@pytest.mark.slow
@pytest.mark.guarantee("skipped-browser-tests-fail")
def test_skipped_browser_test_fails(tmp_path: Path) -> None:
    (tmp_path / "test_any.py").write_text(
        "import pytest\n"
        "@pytest.mark.browser\ndef test_page(): pytest.skip('no Chromium')\n"
        "@pytest.mark.browser\n@pytest.mark.skip\ndef test_map(): pass\n"
        "def test_heaps(): pytest.skip('another system')\n"
    )
    done = subprocess.run(
        [*FORKED_PYTHON, "-m", "pytest", "-p", "tests.fixtures", "-c", "/dev/null", tmp_path],
        cwd=ROOT,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=HANG,
    )
    assert done.returncode == 1, done.stdout
    failures = dict(re.findall(r"(FAILED|ERROR) .*::(\w+)", done.stdout))
    assert failures == {"FAILED": "test_page", "ERROR": "test_map"}
    assert "1 skipped" in done.stdout
