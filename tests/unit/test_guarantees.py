"""docs/promises.md names tests that exist, and every file of tests."""

import os
import re
import subprocess
import sys

from tests.conftest import HERE, ROOT

NAMED = re.findall(r"`(test_\w+)::(\w+)`", (ROOT / "docs" / "promises.md").read_text())


def test_every_promise_is_kept_by_a_test_that_exists():
    missing = [
        f"{file}::{name}"
        for file, name in NAMED
        if f"\ndef test_{name.removeprefix('test_')}(" not in (HERE / f"{file}.py").read_text()
        and f"\ndef {name}(" not in (HERE / f"{file}.py").read_text()
    ]
    assert missing == [] and len(NAMED) > 100


def test_every_row_names_a_test():
    rows = [
        line
        for line in (ROOT / "docs" / "promises.md").read_text().splitlines()
        if line.startswith("| ") and not line.startswith("| promise")
    ]
    assert len(rows) > 40 and all("::" in row for row in rows)


def test_no_file_of_tests_is_left_out():
    files = {path.stem for path in HERE.glob("test_*.py")} - {"test_promises"}
    assert files - {file for file, _ in NAMED} == set()


def test_a_browser_test_that_is_skipped_has_failed(tmp_path):
    (tmp_path / "test_any.py").write_text(
        "import pytest\n"
        "@pytest.mark.browser\ndef test_page(): pytest.skip('no Chromium')\n"
        "@pytest.mark.browser\n@pytest.mark.skip\ndef test_map(): pass\n"
        "def test_heaps(): pytest.skip('another system')\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-c", "/dev/null", tmp_path],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1, done.stdout
    told = dict(re.findall(r"(FAILED|ERROR) .*::(\w+)", done.stdout))
    assert told == {"FAILED": "test_page", "ERROR": "test_map"} and "1 skipped" in done.stdout
