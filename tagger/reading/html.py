"""Web pages: trafilatura tells the article from menus, notices and comments; its text is that of the page's `blocks`. Nothing is fetched.

trafilatura knows an article by the names of elements and classes. Where it knows none it gives the ``<p>`` alone, without lists and
headings, and it drops buttons, forms and hidden parts, in which pages keep whole sections. So its text only says where the article
begins and ends: all blocks between are taken, but for menus and the like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import takewhile
from typing import Any

from tagger.errors import InputError, MissingExtraError
from tagger.reading.blocks import LITTLE, Block, Page, blocks_of, page_of, prose
from tagger.reading.content import Columns, Content, Limits, clean
from tagger.reading.plain import decode
from tagger.structure import header_line

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?\s*([\w-]{1,40})", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_BANNER = 250  # characters of prose; a paragraph of a report has more
_ABOUT = re.compile(
    r"(?:publisher|author|publication date|cite as|comments|disclaimer|source|original link|document id)\s*(?:[:\n]|$)", re.IGNORECASE
)


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
        tree = document_fromstring(_DECLARATION.sub("", text), parser=HTMLParser(no_network=True, remove_comments=True, remove_pis=True))
    except (LxmlError, ValueError) as error:
        raise InputError("is a web page without any text") from error
    title = _title(tree)
    page = page_of(tree)
    found = bare_extraction(tree, include_comments=False, include_tables=True, deduplicate=False, fast=True)
    body = getattr(found, "body", None)
    article = _article(page, set() if body is None else {key for block in blocks_of(body) for key in block.keys})
    if all(block.named and not block.prose for block in article):
        raise InputError("is a web page with no article in it: save the page of the report itself")
    if title and title == article[0].text.partition("\n")[0]:
        title = None
    notes = tuple(filter(None, (note, _about_left_out(prose(page.blocks) - prose(article), prose(article)))))
    return Content(clean("\n\n".join(block.text for block in article)), title=title, notes=notes)


def _article(page: Page, known: set[str]) -> list[Block]:
    """The blocks of the article, from where it names itself to its last prose or list; above its first only what belongs to a title."""
    found = [known.issuperset(block.keys) for block in page.blocks]
    reach = _reach(page, found)
    pairs = zip(page.blocks[reach], found[reach], strict=True)
    blocks = [block for block, one in pairs if not block.aside and (one or not block.linked)]
    blocks = blocks[_begin(blocks) :]
    told = _ends(block.named or (block.prose and not (block.row and _ABOUT.match(block.text))) for block in blocks)
    first, last = told.start, told.stop
    while 0 < first < last and blocks[first].item and blocks[first - 1].item:
        first -= 1
    while last < len(blocks) and blocks[last].item:
        last += 1
    # Of a page of a few words nothing is told by sentences.
    return [*filter(lambda block: header_line(block.text), blocks[:first]), *blocks[first:last]] or [
        one for one in blocks if not one.linked
    ]


def _reach(page: Page, found: list[bool]) -> slice:
    """From the first block that was found or is named to the last, with what adjoins; all where little was found."""
    inside = list(zip(page.blocks, found, strict=True))[page.start : page.end]
    ends = slice(0, len(inside))
    if 2 * prose(block for block, one in inside if one) >= prose(block for block, _ in inside):
        ends = _ends(one or block.named for block, one in inside)

    def adjoins(place: int) -> bool:
        block = page.blocks[place]
        return found[place] or block.aside or block.linked or block.item or block.prose

    first, last = page.start + ends.start, page.start + ends.stop
    above = takewhile(adjoins, range(first - 1, -1, -1))
    below = takewhile(adjoins, range(last, len(found)))
    return slice(first - len(list(above)), last + len(list(below)))


def _ends(wanted: Iterable[bool]) -> slice:
    """From the first wanted place to the last one."""
    places = [place for place, one in enumerate(wanted) if one]
    return slice(places[0], places[-1] + 1) if places else slice(0, 0)


def _begin(blocks: list[Block]) -> int:
    """Where a report names itself, if no more than a banner stands above."""
    for place, block in enumerate(blocks):
        header = header_line(block.text)
        if header and (header.title or (header.tier and header.country)):
            return place if prose(blocks[:place]) < _BANNER else 0
    return 0


def _about_left_out(left: int, taken: int) -> str | None:
    """A note where much of the page's prose is no part of the article."""
    if left < max(LITTLE, taken / 20):
        return None
    return f"{left / (left + taken):.0%} of the page's text are left out as no part of the report: see whether anything is missing"


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
