"""Routes with which the page trains: what goes on, and start, stop and resume.

They stand beside Gradio, so neither its API nor its tool server has them. A POST starts a process
on this machine, so it is answered only where `LabAccess` allows it: a page of another site cannot
send it, for JSON needs the consent of this server, and its Origin would be another.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from latent_navigator.app.data_routes import FOREVER
from latent_navigator.app.errors import NOT_FOUND
from latent_navigator.lab.lab import Lab

LOCAL_HOSTS = ("127.0.0.1", "::1", "localhost")
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host")
ON_NETWORK = (
    "Training is off because this server can be reached from other machines. To turn it on, "
    "start it with --allow-training."
)
TURNED_OFF = "Training is off because the server was started with --no-training."
THROUGH_PROXY = (
    "Training is off for users on other machines. To turn it on for them, start the server "
    "with --allow-training."
)
FOREIGN = "Only the page itself can start and stop runs; open it and try again."
NO_STORE = {"cache-control": "no-store"}


@dataclass(frozen=True)
class LabAccess:
    """Who may train.

    Args:
        allowed: True or False where --allow-training or --no-training says so; None: only users
            on this machine, if the server is bound to it.
        host: the server is bound to.
        proxied: whether it is served under a sub-path, by a proxy in front.
    """

    allowed: bool | None
    host: str
    proxied: bool = False

    @property
    def local(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in LOCAL_HOSTS and not self.proxied

    @property
    def message(self) -> str:
        """One sentence on why nobody may train, or nothing."""
        if self.allowed is False:
            return TURNED_OFF
        return "" if self.allowed or self.local else ON_NETWORK

    def trusts(self, headers: Mapping[str, str]) -> bool:
        """Whether this user is on the server's machine: may name folders, and stop any run."""
        return self.local and self._at_home(headers)

    def refusal(self, headers: Mapping[str, str]) -> str:
        """One sentence on why this user may not train, or nothing."""
        if self.message or self.allowed:
            return self.message
        # A name that another site has pointed at this machine is no name of this server.
        return "" if self._at_home(headers) else THROUGH_PROXY

    def _at_home(self, headers: Mapping[str, str]) -> bool:
        host = urlsplit(f"//{headers.get('host', '')}").hostname
        return host in LOCAL_HOSTS and not any(name in headers for name in FORWARDED)

    def forbids(self, headers: Mapping[str, str]) -> str:
        """One sentence on why this POST is not answered, or nothing."""
        if refusal := self.refusal(headers):
            return refusal
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return FOREIGN
        # Browsers of the last years say where a request comes from; all say its origin.
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return FOREIGN
        origin = headers.get("origin")
        hosts = {headers.get("host"), headers.get("x-forwarded-host")}
        return "" if origin is None or urlsplit(origin).netloc in hosts else FOREIGN


def lab_routes(lab: Lab, access: LabAccess) -> list[Route]:
    """The routes below /lab/."""

    def shown(look: Callable[[bool], dict[str, Any]]) -> Callable[..., Any]:
        async def get(request: Request) -> Response:
            if refusal := access.refusal(request.headers):
                return answer({"message": refusal})
            return answer(await run_in_threadpool(look, access.trusts(request.headers)))

        return get

    def action(act: Callable[[Any, bool], dict[str, Any]]) -> Callable[..., Any]:
        async def post(request: Request) -> Response:
            if forbidden := access.forbids(request.headers):
                return answer({"error": forbidden}, 403)
            local = access.trusts(request.headers)
            try:
                return answer(await run_in_threadpool(act, await request.json(), local))
            except (ValueError, OSError, RecursionError) as error:
                return answer({"error": sentence(error)})  # as server functions

        return post

    async def moments(request: Request) -> Response:
        return await moments_answer(lab, request)

    part = "/lab/moments/{name}/{starts:int}/{first:int}-{last:int}.bin"
    actions = {"check": lab.check, "start": lab.start, "stop": lab.stop, "resume": lab.resume}
    return [
        Route("/lab/status", shown(lab.status), methods=["GET"]),
        Route("/lab/form", shown(lab.form), methods=["GET"]),
        Route(part, moments, methods=["GET"]),
        *(
            Route(f"/lab/{name}", action(act), methods=["POST"], name=f"lab {name}")
            for name, act in actions.items()
        ),
    ]


async def moments_answer(lab: Lab, request: Request) -> Response:
    """A part of the snapshots of a run, which never changes."""
    keys = ("name", "starts", "first", "last")
    try:
        body = await run_in_threadpool(lab.moments, *(request.path_params[key] for key in keys))
    except ValueError:
        return JSONResponse({"detail": NOT_FOUND}, 404, NO_STORE)
    headers = {"cache-control": FOREVER.replace("public", "private"), "content-encoding": "gzip"}
    return Response(body, 200, headers, "application/octet-stream")


def answer(content: Mapping[str, object], status: int = 200) -> JSONResponse:
    """JSON that no cache keeps."""
    return JSONResponse(dict(content), status, NO_STORE)


def sentence(error: Exception) -> str:
    """The message of an error as a sentence."""
    text = str(error)
    # Those of Python's JSON reader are about its text, which no user has written.
    if re.match(r"(Expecting|Extra data|Invalid|Unterminated|maximum rec)", text):
        return "The request is not JSON."
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
