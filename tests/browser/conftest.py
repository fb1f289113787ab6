"""Fixtures of the browser tests: pages whose console errors fail the test."""

from collections.abc import Generator, Iterator
from functools import partial

import pytest
from playwright.sync_api import Browser

from tests.browser.helpers import OpenPage, SharedPages, Visits

FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture(scope="session")
def shared_pages(browser: Browser) -> SharedPages:
    """The pages that tests share; the browser closes them."""
    return SharedPages(browser)


@pytest.fixture
def visit(
    browser: Browser, shared_pages: SharedPages, request: pytest.FixtureRequest
) -> Iterator[Visits]:
    """visit(address, ...) -> the page, ready; errors in its console fail the test."""
    visits = Visits(browser, shared_pages)
    yield visits
    visits.close(reusable=not (visits.errors or request.node.stash.get(FAILED, False)))
    assert visits.errors == []


@pytest.fixture
def open_page(visit: Visits, served: str) -> OpenPage:
    """open_page(width, height, ...) -> the page of the committed checkpoint, ready, at (0, 0)."""
    return partial(visit, f"{served}#x=0&y=0")
