"""Pages for reading documents."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from tagger.serving.rendering import page

router = APIRouter(include_in_schema=False)


@router.get("/")
def start(request: Request) -> Response:
    """Where a person drops a report."""
    return page(request, "start.html", section="Read")
