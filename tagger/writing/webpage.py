"""What all HTML pages share: a layout, a base style, and a policy by which only the page's own script and style run.

A page is a folder with ``page.html.j2`` and ``style.css``, and ``script.js`` where the filters of ``layout/filter.js`` are not enough;
``layout/`` holds what they extend. Its parts are told to the browser by their hashes, and the page can fetch nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tagger.errors import MissingExtraError
from tagger.writing.text import clean, many

LAYOUT = Path(__file__).parent / "layout"
STYLES = 8
"""Colours, shapes and underlines of themes in ``layout/base.css``; the letters go on where they begin anew."""


class Part(NamedTuple):
    """A script or style that stands in the page, and the hash by which the page's policy lets it run."""

    text: Any  # Markup
    hash: str


def render(folder: Path, **values: Any) -> Iterator[bytes]:
    """Render the page of a folder, piece by piece; every value is escaped."""
    template = _template(folder)
    css = _part(LAYOUT / "base.css", folder / "style.css")
    own = folder / "script.js"
    js = _part(own if own.exists() else LAYOUT / "filter.js")
    for piece in template.generate(css=css, js=js, **values):
        yield clean(piece).encode()


@cache
def _part(*paths: Path) -> Part:
    text = "".join(path.read_text(encoding="utf-8") for path in paths)
    from markupsafe import Markup

    return Part(Markup(text), f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}")


@cache
def _template(folder: Path) -> Any:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise MissingExtraError("jinja2", "documents") from error

    environment = Environment(
        loader=FileSystemLoader([folder, LAYOUT]), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["many"] = many
    return environment.get_template("page.html.j2")
