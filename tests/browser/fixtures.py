"""Fixtures of the browser tests: pages whose console errors fail the test."""

from collections.abc import Generator, Iterator
from functools import partial
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser

from latent_navigator.checkpoint.checkpoint import load_checkpoint
from latent_navigator.explorer.latent_space import LatentSpace
from latent_navigator.pretrained import TEN_DIMENSIONS_PATH
from tests.browser.helpers import OpenPage, SharedPages, Visits
from tests.fixtures import ROOT

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


class Explored(NamedTuple):
    """A page on which a model is explored: where and how it is opened, and what it explores."""

    address: str
    space: LatentSpace
    open: OpenPage


@pytest.fixture(scope="session")
def ten_released() -> LatentSpace:
    """The LatentSpace of the committed checkpoint of ten dimensions."""
    return LatentSpace(load_checkpoint(ROOT / TEN_DIMENSIONS_PATH))


@pytest.fixture(scope="module", params=[2, 10])
def dimensions(request: pytest.FixtureRequest) -> int:
    """The dimensions of `explored`: first those tests of a module run that explore two."""
    return int(request.param)


@pytest.fixture
def explored(
    request: pytest.FixtureRequest, dimensions: int, visit: Visits, served: str, space: LatentSpace
) -> Explored:
    """The page of the committed checkpoint of two and of ten dimensions, at (0, 0) of the map."""
    address = served
    if dimensions == 10:
        address += f"?model={TEN_DIMENSIONS_PATH.stem}"
        space = request.getfixturevalue("ten_released")
    return Explored(address, space, partial(visit, f"{address}#x=0&y=0"))
