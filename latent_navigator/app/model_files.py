"""The files of all models, below /data/<digest>/, whichever of them are in memory."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from latent_navigator.app.data_routes import HashedFiles, not_found
from latent_navigator.app.models import Models


class ModelFiles:
    """What browsers fetch of the models of a server; a digest names the model."""

    def __init__(self, models: Models) -> None:
        self._models = models

    @property
    def default(self) -> HashedFiles:
        """Those of the model that the page opens with."""
        return self._models.loaded(self._models.find()).files

    def address(self, name: str) -> str:
        """The address of a file of the default model, relative to the page's.

        Raises:
            KeyError: if there is no such file.
        """
        return self.default.address(name)

    def route(self) -> Route:
        """The route that answers for the files of all models."""
        return Route("/data/{digest}/{name:path}", self._answer, methods=["GET"])

    async def _answer(self, request: Request) -> Response:
        digest, name = request.path_params["digest"], request.path_params["name"]
        files = self._models.held_files(digest)
        if files is None or not files.has(name):
            # A model may have to be loaded first.
            files = await run_in_threadpool(self._find, digest, name)
        return await files.answer(request) if files else not_found()

    def _find(self, digest: str, name: str) -> HashedFiles | None:
        try:
            files = self._models.files_of(digest)
        except (ValueError, OSError):  # the file was removed, or replaced by a broken one
            return None
        return files if files is not None and name in files.makers else None
