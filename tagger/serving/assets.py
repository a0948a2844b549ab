"""Scripts and styles of the pages: a few small files, read once."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, HTTPException, Request, Response

from tagger.serving.rendering import HERE
from tagger.writing.webpage import LAYOUT

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_PAGE = LAYOUT.parent / "page"

router = APIRouter(include_in_schema=False)


class _Asset(NamedTuple):
    data: bytes
    type: str
    tag: str


def _asset(path: Path) -> _Asset:
    data = path.read_bytes()
    return _Asset(data, _TYPES[path.suffix], f'"{hashlib.sha256(data).hexdigest()[:32]}"')


_OWN = [path for folder in (HERE / "static", HERE / "review" / "static") if folder.is_dir() for path in folder.iterdir()]
_ASSETS = {path.name: _asset(path) for path in _OWN if path.suffix in _TYPES} | {
    # What the page that `tagger tag` writes is made of.
    "base.css": _asset(LAYOUT / "base.css"),
    "page.css": _asset(_PAGE / "style.css"),
    "page.js": _asset(_PAGE / "script.js"),
}


@router.get("/static/{name}")
async def static(name: str, request: Request) -> Response:
    """Return an asset, or say that the browser has it already."""
    asset = _ASSETS.get(name)
    if asset is None:
        raise HTTPException(404, "no such file")
    headers = {"ETag": asset.tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == asset.tag:
        return Response(status_code=304, headers=headers)
    return Response(asset.data, media_type=asset.type, headers=headers)
