"""Web pages: trafilatura finds the article among menus, notices and related documents; nothing is fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tagger.errors import InputError, MissingExtraError
from tagger.reading.content import Columns, Content, Limits, clean
from tagger.reading.plain import decode

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?\s*([\w-]{1,40})", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_BLOCKS = {"head", "p", "item", "row", "quote", "code", "fw", "ab"}
_ABOUT = re.compile(r"(?:publisher|author|publication date|cite as|comments|disclaimer|source|original link|document id)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"\w\w[.!?][\"'\u201d\u2019)]*(?:\s|$)")


def read_html(data: bytes, columns: Columns, limits: Limits) -> Content:
    """Take the article out of a web page; each heading, paragraph, list item and table row is a line."""
    try:
        from lxml.etree import LxmlError
        from lxml.html import HTMLParser, document_fromstring
        from trafilatura import bare_extraction
    except ImportError as error:
        raise MissingExtraError("trafilatura with lxml_html_clean", "documents") from error
    if len(data) > limits.html:
        raise InputError(f"is a web page of more than {limits.html >> 20} MiB: cut it into several files, or raise the limit")
    text, note = _decoded(data)
    try:
        tree = document_fromstring(_DECLARATION.sub("", text), parser=HTMLParser(no_network=True, remove_comments=True))
    except (LxmlError, ValueError) as error:
        raise InputError("is a web page without any text") from error
    title = _title(tree)
    found = bare_extraction(tree, include_comments=False, include_tables=True, deduplicate=False)
    body = getattr(found, "body", None)
    lines = [] if body is None else list(_lines(body))
    if not lines:
        raise InputError("is a web page with no article in it: save the page of the report itself")
    if title and title in (lines[0], lines[0].partition("\n")[0]):
        title = None
    return Content(clean("\n\n".join(lines)), title=title, notes=(note,) if note else ())


def _decoded(data: bytes) -> tuple[str, str | None]:
    """Decode by the page's own word where that works, else as other text."""
    declared = _CHARSET.search(data[:4096])
    if declared and not data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        name = declared[1].decode().lower()
        # As browsers do: pages that say Latin-1 or ASCII are written in Windows-1252.
        name = "windows-1252" if name in ("iso-8859-1", "latin1", "us-ascii", "ascii") else name
        try:
            return clean(data.decode(name)), None
        except (LookupError, UnicodeError):
            pass
    try:
        return decode(data.replace(b"\0", b"") if not data.startswith((b"\xff\xfe", b"\xfe\xff")) and data[1:2] != b"\0" else data)
    except InputError:
        return clean(data.decode("utf-8", "replace")), "holds bytes that are not UTF-8: they show as \ufffd"


def _title(tree: Any) -> str | None:
    """The report's title: of the heading or the page's title, that which speaks of such a report, else the heading."""
    options = [" ".join("".join(node.itertext()).split()) for tag in ("h1", "title") for node in tree.iter(tag)]
    options = [option for option in options if 0 < len(option) < 200]
    return next((option for option in options if "trafficking in persons report" in option.lower()), options[0] if options else None)


def _lines(body: Any) -> Iterator[str]:
    """Yield the text of each block; of a table above the article only what has sentences and is not about the page."""
    if len(body) == 1 and not len(body[0]) and "\n" in (body[0].text or ""):
        # Of a page with too few words to tell what is what, all blocks come in one, a line each.
        yield from filter(None, (" ".join(line.split()) for line in body[0].text.split("\n")))
        return
    begun = False
    for node in body:
        blocks = [node] if node.tag in _BLOCKS else list(node.iter(*_BLOCKS)) or [node]
        if node.tag == "table":
            blocks = list(node.iter("row"))
        for block in blocks:
            text = _text(block)
            above = not begun and block.tag == "row"
            if text and not (above and (_ABOUT.match(text) or not _SENTENCE.search(text))):
                begun = begun or block.tag != "row"
                yield text


def _text(block: Any) -> str:
    pieces: list[str] = []
    for node in block.iter():
        if node.tag == "lb" or (node.tag in ("cell", "p") and node is not block and pieces):
            pieces.append("\n")
        pieces.append((node.text or "").replace("\n", " "))
        if node is not block:
            pieces.append((node.tail or "").replace("\n", " "))
    return "\n".join(filter(None, (" ".join(line.split()) for line in "".join(pieces).split("\n"))))
