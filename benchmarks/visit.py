"""What a browser with an empty cache asks for when it opens the page, as JSON.

    python -m benchmarks.visit http://127.0.0.1:7862/

The list comes from a real Chromium, because only a part of it is in the HTML: Gradio's scripts ask
for further ones, and the page for the images around the cursor once it rests.
"""

import json
import sys
from typing import NamedTuple

from playwright.sync_api import sync_playwright

from benchmarks.chromium import Traffic, launch_chromium, open_page

# How benchmarks.load and its users agree.
VISIT = "NAVIGATOR_VISIT"  # environment variable: a file with what this module prints
WHOLE_VISIT = "VISIT"  # in place of an HTTP method: all requests of opening the page as one
REST = 1500  # ms after which the page has asked for all that it shows
COMPONENT = """() => gradio_config.components.find(
  ({ props }) => props.elem_id === 'workspace').id"""


class Visit(NamedTuple):
    """A user's first visit.

    Args:
        requests: paths, in the order in which the browser asks for them.
        bytes: over the wire.
        component: the id of the component whose functions the page calls.
    """

    requests: list[str]
    bytes: int
    component: int


def record(address: str) -> Visit:
    """Open the page at an address; see `Visit`."""
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        traffic = Traffic(page)
        open_page(page, address)
        page.wait_for_timeout(REST)
        component = page.evaluate(COMPONENT)
        browser.close()
    host = address.rstrip("/")
    requests = [found.removeprefix(host) for found in traffic.addresses if found.startswith(host)]
    return Visit(requests, traffic.bytes, component)


if __name__ == "__main__":
    print(json.dumps(record(sys.argv[1])._asdict()))
