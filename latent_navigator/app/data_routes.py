"""Routes of our own for files that never change: a model's data, and the modules of web/.

The address of a file contains a hash of what the file depends on. So browsers and caches in between
keep it without asking again, and a page can never get a file of another model or release.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from latent_navigator.app.compression import COMPRESSIONS, accepted_encoding
from latent_navigator.app.errors import NOT_FOUND
from latent_navigator.app.web_files import web_contents

MEDIA_TYPES = {
    ".bin": "application/octet-stream",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
}
BEST = next(iter(COMPRESSIONS))  # what browsers accept from this machine and over HTTPS
FOREVER = "public, max-age=31536000, immutable"


class Body(NamedTuple):
    """A file as it is, and compressed by those of COMPRESSIONS that a client has accepted."""

    plain: bytes
    compressed: dict[str, bytes]


class HashedFiles:
    """Files below /<folder>/<digest>/, each made and compressed once, when it is first asked for.

    Args:
        folder: first part of the path.
        digest: a hash of what the files depend on; under any other one there is nothing.
        makers: by name, which may have slashes, a function that returns the file.
    """

    def __init__(self, folder: str, digest: str, makers: Mapping[str, Callable[[], bytes]]) -> None:
        self.folder, self.digest, self.makers = folder, digest, makers
        self._bodies: dict[str, Body] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def root(self) -> str:
        """What the addresses of all files begin with."""
        return f"{self.folder}/{self.digest}/"

    def address(self, name: str) -> str:
        """The address of a file, relative to the page's.

        Raises:
            KeyError: if there is no such file.
        """
        if name not in self.makers:
            raise KeyError(name)
        return f"{self.root}{name}"

    def route(self) -> Route:
        """The route that answers for all of them."""
        return Route(f"/{self.folder}/{{digest}}/{{name:path}}", self.answer, methods=["GET"])

    def prepare(self, name: str, encoding: str | None = BEST) -> Body:
        """Make and compress a file, so that its first request need not wait.

        Args:
            encoding: one of COMPRESSIONS, or None for the file as it is.
        """
        body = self._bodies.get(name) or Body(self.makers[name](), {})
        if encoding is not None and encoding not in body.compressed:
            body.compressed[encoding] = COMPRESSIONS[encoding](body.plain)
        self._bodies[name] = body
        return body

    def has(self, name: str) -> bool:
        """Whether a file is known, without looking for it; see `makers`."""
        return dict.__contains__(self.makers, name) if isinstance(self.makers, dict) else False

    @property
    def bodies(self) -> list[Body]:
        """The files that have been made, which take memory."""
        return list(self._bodies.values())

    async def answer(self, request: Request) -> Response:
        """The file that a request names, or 404."""
        name = request.path_params["name"]
        if request.path_params["digest"] != self.digest or name not in self.makers:
            return not_found()
        encoding = accepted_encoding(request.headers.get("accept-encoding", ""))
        body = await self._body(name, encoding)
        headers = {
            "cache-control": FOREVER,
            "vary": "accept-encoding",
            "x-content-type-options": "nosniff",
            "x-uncompressed-length": str(len(body.plain)),  # for the page's progress
        }
        media_type = MEDIA_TYPES[PurePosixPath(name).suffix]
        if encoding is None:
            return Response(body.plain, 200, headers, media_type)
        headers["content-encoding"] = encoding
        return Response(body.compressed[encoding], 200, headers, media_type)

    async def _body(self, name: str, encoding: str | None) -> Body:
        if not self._is_ready(name, encoding):
            # The others wait without a thread, of which there are forty for all requests.
            async with self._locks[name]:
                if not self._is_ready(name, encoding):
                    await run_in_threadpool(self.prepare, name, encoding)
        return self._bodies[name]

    def _is_ready(self, name: str, encoding: str | None) -> bool:
        body = self._bodies.get(name)
        return body is not None and (encoding is None or encoding in body.compressed)


def not_found() -> Response:
    """What a request for a file that does not exist gets; no cache keeps it."""
    return JSONResponse({"detail": NOT_FOUND}, 404, {"cache-control": "no-store"})


def web_files() -> HashedFiles:
    """The modules and styles of the page, below /web/, as they are now."""
    makers = web_contents()
    digest = hashlib.sha256()
    for name, make in makers.items():
        content = make()
        digest.update(f"{name} {len(content)} ".encode() + content)
    return HashedFiles("web", digest.hexdigest()[:20], makers)
