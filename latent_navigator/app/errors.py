"""What a client is told when a request fails, and the exceptions that say whose fault it is.

`InvalidInput` and `MalformedRequest` are the client's, `InternalError` is the server's. The
functions that Gradio calls are entered through `client_errors`, which raises only these; any other
exception under a request comes from Gradio or FastAPI reading it, so the request is malformed.
"""

import contextlib
import errno
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import gradio as gr
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

OVERLOADED = "The server is busy; wait a moment and try again."
SHUTTING_DOWN = "The server is shutting down; try again in a moment."
NO_UPLOADS = "Uploads are not accepted; send an image within a request."
NOT_FOUND = "Not found; see the API's description at /gradio_api/info."
LENGTH_REQUIRED = "Content-Length is required."
TIMED_OUT = "The request took too long to arrive; try again, with a smaller image if it has one."
MALFORMED = "Malformed request; see the API's description at /gradio_api/info."
INTERNAL = "Internal server error; the server's log has the details."
NO_STORAGE = "Temporary storage is unavailable; everything else still works."

# The disk is full, or the folder belongs to somebody else.
STORAGE_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG}


class InvalidInput(gr.Error):
    """An argument was rejected; the message names the value and the remedy."""

    def __init__(self, message: str) -> None:
        super().__init__(message, print_exception=False)


class MalformedRequest(Exception):
    """A request that no client of the page or the API sends."""


class InternalError(Exception):
    """A function of this program failed; the log has the traceback."""


def is_storage_error(error: Exception) -> bool:
    """Whether `error` says that a file cannot be written, as on a full disk."""
    return isinstance(error, OSError) and error.errno in STORAGE_ERRORS


@contextlib.contextmanager
def client_errors() -> Iterator[None]:
    """Run a function of this program for a client.

    Raises:
        InvalidInput: for a ValueError, with its message.
        OSError: if a file cannot be written; see `is_storage_error`.
        InternalError: for any other exception, after its traceback is in the log.
    """
    try:
        yield
    except gr.Error:
        raise
    except ValueError as error:
        raise InvalidInput(str(error)) from None
    except Exception as error:
        if is_storage_error(error):
            raise
        traceback.print_exception(error)
        raise InternalError from error


def explain(error: Exception) -> tuple[str, bool]:
    """What the client of a failed request is told, and whether the request is to blame."""
    if isinstance(error, gr.Error):
        return error.message, True
    if is_storage_error(error):
        print(f"temporary storage is unavailable: {error}", file=sys.stderr)
        return NO_STORAGE, False
    if isinstance(error, InternalError):
        return INTERNAL, False
    return MALFORMED, True


def log_rejected(method: str, path: str, error: Exception) -> None:
    """One line in the log; `repr` keeps line breaks in a client's path out of it."""
    print(f"rejected: {method} {path!r:.60}: {type(error).__name__}", file=sys.stderr)


def sentence(status: int, text: str) -> Callable[..., Awaitable[JSONResponse]]:
    """An exception handler that answers with a sentence."""
    headers = {"retry-after": "1"} if status == 503 else None

    async def answer(*_: object) -> JSONResponse:
        return JSONResponse({"detail": text}, status, headers)

    return answer


# By the type of an exception, or by the status of an HTTPException that Gradio raises.
EXCEPTION_HANDLERS: dict[Any, Any] = {
    RequestValidationError: sentence(400, MALFORMED),
    MalformedRequest: sentence(400, MALFORMED),
    InternalError: sentence(500, INTERNAL),
    400: sentence(400, MALFORMED),
    503: sentence(503, OVERLOADED),  # the queue is full
}
