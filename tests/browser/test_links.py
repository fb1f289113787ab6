"""The link to a view: what it restores, and how invalid links are handled."""

import pytest
from playwright.sync_api import expect

from latent_navigator.explorer.navigation import start_class
from tests.browser.fixtures import Explored
from tests.browser.helpers import (
    READY,
    Visits,
    assert_decoded,
    coordinates,
    drag_to,
    map_range,
    open_tab,
    position,
    settle,
    view_of,
    zoom_in,
)

pytestmark = pytest.mark.browser

KIND = "latentSpace.state.plane.spec.kind"


@pytest.mark.guarantee("links-restore-the-view")
def test_link_restores_the_view(explored: Explored, visit: Visits) -> None:
    page = explored.open()
    in_two = explored.space.latent_dim == 2
    if not in_two:
        open_tab(page, "Dimensions")
        page.locator("#dimensions > .rows .name").first.click()
        page.wait_for_function("() => latentSpace.state.plane.spec.kind === 'dimensions'")
    open_tab(page, "Paths")
    drag_to(page, 1.3, -0.4)
    page.locator("[data-layer=regions]").click()
    page.locator("[data-layer=points]").click()
    zoom_in(page, 1.0, 0.0)
    page.locator("#methods").get_by_label("spherical").uncheck()
    page.locator("#even").check()
    open_tab(page, "Explore")
    page.locator("#morph-digit").get_by_text("2", exact=True).click()
    page.get_by_label("mean position (centroid)").check()
    page.wait_for_function(
        """() => location.hash === `#${latentSpace.state.link}`
          && ["layers", "methods", "even=true", "digit=2", "anchor=centroid"]
            .every((part) => location.hash.includes(part))"""
    )
    link, view, layers = page.url, view_of(page), page.evaluate("() => latentSpace.state.layers")
    other = visit(link)
    open_tab(other, "Paths")
    other.wait_for_function(f"(kind) => {KIND} === kind", arg=page.evaluate(f"() => {KIND}"))
    z = coordinates(page)
    assert coordinates(other) == (z if in_two else pytest.approx(z, abs=2e-4))  # four decimals
    for key, value in view.items():
        assert view_of(other)[key] == pytest.approx(value, abs=1e-3)
    assert other.evaluate("() => latentSpace.state.layers") == layers
    expect(other.locator("#methods").get_by_label("spherical")).not_to_be_checked()
    expect(other.locator("#methods").get_by_label("straight")).to_be_checked()
    expect(other.locator("#even")).to_be_checked()
    open_tab(other, "Explore")
    expect(other.get_by_label("mean position (centroid)")).to_be_checked()
    expect(other.locator("#morph-digit").get_by_label("2", exact=True)).to_be_checked()
    assert other.evaluate("() => latentSpace.state.link") == link.split("#")[1]


@pytest.mark.guarantee("links-restore-the-view")
def test_link_of_an_older_version_still_works(visit: Visits, served: str) -> None:
    """Of two dimensions: older versions had no others."""
    old = "#x=0.5&y=-1&layers=pictures,gaps,trips,numerals&ways=linear,data&pictures=7&digit=3"
    page = visit(served + old)
    open_tab(page, "Paths")
    assert position(page) == (0.5, -1)
    layers = page.evaluate("() => latentSpace.state.layers")
    assert {name for name, shown in layers.items() if shown} == {
        "images",
        "prior_vs_data",
        "round_trips",
        "labels",
    }
    methods = page.locator("#methods")
    expect(methods.get_by_label("straight")).to_be_checked()
    expect(methods.get_by_label("spherical")).not_to_be_checked()
    expect(methods.get_by_label("through the data")).to_be_checked()
    expect(page.locator("#steps")).to_have_value("7")
    open_tab(page, "Explore")
    expect(page.locator("#morph-digit").get_by_label("3", exact=True)).to_be_checked()


@pytest.mark.guarantee("links-restore-the-view")
def test_without_a_position_the_page_opens_at_a_typical_digit(
    explored: Explored, visit: Visits
) -> None:
    space, address = explored.space, explored.address
    start = space.anchor(start_class(space)).tolist()
    for link in ("", "#layers=rings"):
        page = visit(address + link)
        assert coordinates(page) == pytest.approx(start, abs=6e-4)
        assert_decoded(page, space)
    page.evaluate("() => { location.hash = '#x=2.5&y=-2'; }")
    page.wait_for_function("() => latentSpace.state.z.x === 2.5")
    page.evaluate("() => { location.hash = '#layers=points'; }")
    page.wait_for_function("() => latentSpace.state.z.x !== 2.5")
    assert coordinates(page) == pytest.approx(start, abs=6e-4)


@pytest.mark.guarantee("links-restore-the-view")
@pytest.mark.parametrize(
    "fragment",
    [
        "#x=nan&y=1",
        "#x=1e30&y=-1e30",
        "#view=1,2",
        "#layers=nonsense&digit=77&methods=up&from=C&A=1,x&even=2",
        "#%%%",
    ],
)
def test_malformed_link_opens_the_page(visit: Visits, served: str, fragment: str) -> None:
    page = visit(served + fragment, ready=READY[:1])
    open_tab(page, "Paths")
    x, y = position(page)
    assert max(abs(x), abs(y)) <= map_range()


def test_link_is_copied(explored: Explored) -> None:
    page = explored.open(permissions=["clipboard-read", "clipboard-write"])
    open_tab(page, "Paths")
    drag_to(page, 2, 1)
    settle(page)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied == page.evaluate(
        "() => `${location.href.split('#')[0]}#${latentSpace.state.link}`"
    )
