"""What is done to the HTML of Gradio's page on its way to the browser."""

import functools
from typing import NamedTuple
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from latent_navigator.app.compression import COMPRESSIONS, accepted_encoding
from latent_navigator.app.middleware import header


class Head(NamedTuple):
    """What the page's <head> begins with, where its address names a model and where it does not."""

    named_model: str = ""
    default_model: str = ""


EMPTY = Head()


class HeadContent:
    """Inserts content at the start of the page's <head>, and compresses the page.

    It stands within Gradio's application. Gradio adds its own `head` option by a script that runs
    late, or not at all if it cannot load.
    """

    def __init__(self, app: ASGIApp, head: Head) -> None:
        self.app, self.head = app, head

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            return await self.app(scope, receive, send)
        is_named = b"model" in parse_qs(scope["query_string"])  # as web/models/address.js has it
        content = self.head.named_model if is_named else self.head.default_model
        start: Message = {}
        pieces = []

        async def send_changed(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            pieces.append(message.get("body", b""))
            if message.get("more_body"):
                return
            body = b"".join(pieces).replace(b"<head>", b"<head>" + content.encode(), 1)
            added = [(b"vary", b"accept-encoding")]
            if encoding := accepted_encoding(header(scope, b"accept-encoding").decode("latin-1")):
                body = compressed(body, encoding)
                added.append((b"content-encoding", encoding.encode()))
            added.append((b"content-length", str(len(body)).encode()))
            kept = [pair for pair in start["headers"] if pair[0] not in dict(added)]
            await send({**start, "headers": [*kept, *added]})
            await send({"type": "http.response.body", "body": body})

        return await self.app(scope, receive, send_changed)


@functools.lru_cache(maxsize=8)
def compressed(page: bytes, encoding: str) -> bytes:
    """The page, compressed by one of COMPRESSIONS; mostly it is the same for every user."""
    return COMPRESSIONS[encoding](page)
