"""The application: every part put together."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.middleware.cors import CORSMiddleware

from tagger import __version__, load
from tagger.serving import assets, pages
from tagger.serving.engine import Engine
from tagger.serving.review import routes as review
from tagger.serving.security import Guard
from tagger.serving.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    """Make the application of one server; it holds one model.

    Raises
    ------
    ModelError
        The model can't be loaded.
    """
    app = FastAPI(title="tagger", version=__version__, docs_url=None, redoc_url=None)
    app.state.settings = settings
    app.state.engine = Engine(load(settings.model))
    if not settings.api_only:
        for router in (assets.router, pages.router, review.router):
            app.include_router(router)
    app.add_exception_handler(AnyHTTPException, _failed)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_middleware(Guard, settings=settings)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=settings.origins, allow_methods=["GET", "POST"], allow_headers=["Authorization", "Content-Type"]
        )
    return app


def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, AnyHTTPException)
    return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=error.headers)


def _invalid(request: Request, error: Exception) -> Response:
    """Say in one line what of a request is wrong, without what was sent."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return JSONResponse({"error": f"{place}: {first['msg']}"}, status_code=422)
