"""Gradio's files, kept as they were first answered."""

import httpx
from starlette.types import Message, Receive, Scope, Send

from latent_navigator.app.kept_files import MOST, KeptFiles
from tests.server.stand_ins import visit


class Files:
    """Answers with the path in two pieces, and counts how often it is asked."""

    def __init__(self, status: int = 200, size: int = 0) -> None:
        self.status, self.size, self.calls = status, size, 0

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.calls += 1
        encoding = dict(scope["headers"]).get(b"accept-encoding", b"").split(b",")[0]
        headers = [(b"x-encoding", encoding)]
        start: Message = {"type": "http.response.start", "status": self.status, "headers": headers}
        await send(start)
        body = scope["path"].encode() + b" " * self.size
        await send({"type": "http.response.body", "body": body[:3], "more_body": True})
        await send({"type": "http.response.body", "body": body[3:]})


def calls(files: Files, *requests: tuple[str, dict[str, str]]) -> list[int]:
    """How often the files were asked, after each of some requests."""
    counts = []

    async def use(client: httpx.AsyncClient) -> None:
        for path, headers in requests:
            answer = await client.get(path, headers=headers)
            assert answer.status_code == files.status
            assert answer.text.rstrip() == path
            counts.append(files.calls)

    visit(KeptFiles(files), use)
    return counts


def test_a_file_is_asked_for_once_for_each_encoding() -> None:
    brotli, gzip = {"accept-encoding": "br, gzip"}, {"accept-encoding": "gzip"}
    asked = [("/assets/a.js", gzip), ("/assets/a.js", gzip), ("/assets/a.js", brotli)]
    assert calls(Files(), *asked, *asked) == [1, 1, 2, 2, 2, 2]


def test_pages_parts_and_failures_are_never_kept() -> None:
    part = ("/assets/a.js", {"range": "bytes=0-1"})
    same = ("/static/a.js", {"if-none-match": "x"})
    assert calls(Files(), part, part, same, same) == [1, 2, 3, 4]
    assert calls(Files(), ("/", {}), ("/", {}), ("/config", {}), ("/config", {})) == [1, 2, 3, 4]
    assert calls(Files(404), ("/assets/a.js", {}), ("/assets/a.js", {})) == [1, 2]


def test_what_is_kept_has_a_limit() -> None:
    paths: list[tuple[str, dict[str, str]]] = [(f"/assets/{i}", {}) for i in range(3)]
    assert calls(Files(size=MOST // 2), *paths, *paths) == [1, 2, 3, 3, 4, 5]
