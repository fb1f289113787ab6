"""The tests of the page's modules, which node runs: tests/web/*.test.js."""

from tests.node import run_node


def test_modules_pass_their_tests_in_node() -> None:
    output = run_node("--test", "--test-reporter=tap", "tests/web/*.test.js")
    assert "# fail 0" in output
    assert "# pass 0" not in output, "node found no tests"
