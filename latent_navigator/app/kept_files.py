"""Gradio's own files, compressed once instead of for every user."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from latent_navigator.app.middleware import header

PATHS = "/assets/", "/static/"
MOST = 32 * 10**6  # bytes that are kept
# Requests for a part of a file, or for a file only if it has changed.
CONDITIONS = {b"range", b"if-none-match", b"if-modified-since"}


class KeptFiles:
    """Keeps what was answered for a file, and answers the same from then on.

    Gradio would read and compress its scripts and styles again for every page that is opened, which
    took half of the time of an opening. Their contents cannot change while the server runs.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._kept: dict[tuple[str, bool, bool], list[Message]] = {}
        self._size = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_plain_get(scope):
            return await self.app(scope, receive, send)
        accepted = header(scope, b"accept-encoding")
        key = scope["path"], b"br" in accepted, b"gzip" in accepted
        if key not in self._kept:
            return await self._pass_on(key, scope, receive, send)
        for message in self._kept[key]:
            await send(message)
        return None

    async def _pass_on(
        self, key: tuple[str, bool, bool], scope: Scope, receive: Receive, send: Send
    ) -> None:
        messages: list[Message] = []

        async def send_and_note(message: Message) -> None:
            messages.append(message)
            await send(message)

        await self.app(scope, receive, send_and_note)
        size = sum(len(message.get("body", b"")) for message in messages)
        complete = messages and not messages[-1].get("more_body")
        if complete and messages[0].get("status") == 200 and self._size + size <= MOST:
            self._kept[key] = messages
            self._size += size


def is_plain_get(scope: Scope) -> bool:
    """Whether a request asks for the whole of one of Gradio's files."""
    return (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and scope["path"].startswith(PATHS)
        and not CONDITIONS & dict(scope["headers"]).keys()
    )
