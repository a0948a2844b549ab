"""Pages from templates: every value is escaped, and no script or style stands in a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tagger import __version__
from tagger.writing.text import clean, many
from tagger.writing.webpage import LAYOUT

HERE = Path(__file__).parent
PARTS = {"Read": "/", "Review": "/review", "Learn": "/learn"}
"""What the head of every page leads to."""

_ENVIRONMENT = Environment(
    loader=FileSystemLoader([HERE / "templates", HERE / "review" / "templates", LAYOUT]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.globals.update(many=many, version=__version__)


def page(request: Request, template: str, *, part: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Render a template that extends ``base.html``; ``part`` is the one of `PARTS` that it belongs to."""
    text = _ENVIRONMENT.get_template(template).render(parts=PARTS, part=part, about=request.app.state.engine.tagger.about, **values)
    return HTMLResponse(clean(text), status_code=status)
