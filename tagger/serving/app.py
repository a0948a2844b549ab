"""The application: every part put together."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser
from starlette.middleware.cors import CORSMiddleware

from tagger import __version__, load
from tagger.errors import BusyError, MissingExtraError, TaggerError
from tagger.serving import api, assets, pages
from tagger.serving.documents import Shelf
from tagger.serving.engine import Engine, Line, keep_memory
from tagger.serving.metrics import Measured, Metrics
from tagger.serving.rendering import page
from tagger.serving.review import routes as review
from tagger.serving.review.learning import in_use
from tagger.serving.review.workbench import Workbench
from tagger.serving.security import HEADERS, Guard
from tagger.serving.settings import Settings
from tagger.serving.uploads import Uploads

_ABOUT = """Tags passages of human-trafficking country reports by theme, with a calibrated probability, the words that decided, and a mark
where a person should look."""

MultiPartParser.spool_max_size = sys.maxsize  # what is sent is in memory only, as the pages say; the guard bounds its size


def create_app(settings: Settings) -> FastAPI:
    """Make the application of one server; it holds one model.

    Raises
    ------
    ModelError
        The model can't be loaded.
    """
    keep_memory()
    app = FastAPI(
        title="tagger",
        version=__version__,
        description=_ABOUT,
        docs_url=None,  # those pages would fetch scripts from the network
        redoc_url=None,
        lifespan=_living,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.settings = settings
    app.state.engine = Engine(load(in_use(settings)))
    app.state.pages = Line(threads=1, waiting=64)  # to write a page takes long, too, and tagging goes on
    app.state.files = Line(threads=1, waiting=64)  # and longer what is written of all passages of a long document
    app.state.uploads = Uploads(settings.limits)
    app.state.shelf = Shelf(settings.opened, settings.characters)
    app.state.metrics = Metrics()
    app.include_router(api.router)
    if not settings.api_only:
        app.state.workbench = Workbench(settings, app.state.engine)
        for router in (assets.router, pages.router, review.router):
            app.include_router(router)
    for kind in (HTTPException, RequestValidationError, TaggerError, Exception):
        app.add_exception_handler(kind, _failed)
    app.add_middleware(Guard, settings=settings)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=settings.origins, allow_methods=["GET", "POST"], allow_headers=["Authorization", "Content-Type"]
        )
    app.add_middleware(Measured, metrics=app.state.metrics)
    return app


@asynccontextmanager
async def _living(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.uploads.close()
    if not app.state.settings.api_only:
        app.state.workbench.close()


def _failed(request: Request, error: Exception) -> Response:
    """Say what went wrong in one line: to programs as JSON, to people as a page."""
    status, message, headers = _told(error)
    if "text/html" in request.headers.get("accept", "") and not request.app.state.settings.api_only:
        answer: Response = page(request, "error.html", part="", status=status, message=message)
    else:
        answer = JSONResponse({"error": message}, status_code=status)
    answer.headers.update({**HEADERS, **(headers or {})})  # of what went wrong inside, the guard does not see the answer
    return answer


def _told(error: Exception) -> tuple[int, str, dict[str, str] | None]:
    match error:
        case HTTPException():
            return error.status_code, str(error.detail), dict(error.headers or {})
        case RequestValidationError():
            return 422, api.first_error(error.errors()), None
        case MissingExtraError():
            return 501, str(error), None
        case BusyError():
            return 503, str(error), None
        case TaggerError():
            return 422, str(error), None
        case _:
            return 500, "something went wrong inside the server: the terminal in which it runs tells what", None
