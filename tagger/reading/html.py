"""Web pages: trafilatura finds the article among menus, notices and related documents; nothing is fetched.

It knows an article by the names of elements and classes. Of a page where it knows none, it gives the ``<p>`` alone, without lists and
headings, and nothing of text that only line breaks part; buttons, forms and hidden parts, in which pages keep whole sections, it
drops. So what it found is held against all `blocks` of the page, and where prose or a section's heading is missing, the
article is read from those. Its own settings for more recall, and jusText, leave out lists and headings of the same pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from itertools import takewhile
from typing import Any

from tagger.errors import InputError, MissingExtraError
from tagger.reading.blocks import Block, Page, has_sentence, page_of
from tagger.reading.content import Columns, Content, Limits, clean
from tagger.reading.plain import decode
from tagger.structure import header_line

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?\s*([\w-]{1,40})", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_BLOCKS = {"head", "p", "item", "row", "quote", "code", "fw", "ab"}
_ABOUT = re.compile(r"(?:publisher|author|publication date|cite as|comments|disclaimer|source|original link|document id)\b", re.IGNORECASE)
_MUCH = 500  # characters of prose: a paragraph


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
    found = bare_extraction(tree, include_comments=False, include_tables=True, deduplicate=False)
    body = getattr(found, "body", None)
    page = page_of(tree)
    lines = _completed([] if body is None else list(_lines(body)), page)
    if not lines:
        raise InputError("is a web page with no article in it: save the page of the report itself")
    if title and title in (lines[0], lines[0].partition("\n")[0]):
        title = None
    return Content(clean("\n\n".join(lines)), title=title, notes=tuple(filter(None, (note, _about_left_out(lines, page)))))


def _completed(lines: list[str], page: Page) -> list[str]:
    """The lines of the article as they were found if nothing of it is missing, else its blocks; from where it names itself."""
    known = _known(lines)
    article = _article(page, known)
    whole = [block.text for block in article]
    missing = any(not _among(block, known) for block in article if block.prose or block.named or block.item)
    chosen = whole if missing and _left_out(page.blocks, _known(whole)) < _left_out(page.blocks, known) + _MUCH else lines
    return chosen[_begin(chosen) :]


def _article(page: Page, known: Set[str]) -> list[Block]:
    """The blocks of the article, from where it names itself to its last prose or list."""
    blocks = [block for block in page.blocks[_reach(page, known)] if not block.beside or _among(block, known)]
    blocks = blocks[_begin([block.text for block in blocks]) :]
    told = _ends(block.named or (block.prose and not (block.row and _ABOUT.match(block.text))) for block in blocks)
    above = [block for block in blocks[: told.start] if header_line(block.text)]
    below = takewhile(lambda block: block.item, blocks[told.stop :])
    return [*above, *blocks[told], *below]


def _reach(page: Page, known: Set[str]) -> slice:
    """From the first block that was found or is named to the last, with what adjoins; all where little was found."""
    inside = page.blocks[page.start : page.end]
    found = slice(0, len(inside))
    if 2 * _left_out(inside, known) <= _left_out(inside, set()):
        found = _ends(block.named or _among(block, known) for block in inside)

    def adjoins(place: int) -> bool:
        block = page.blocks[place]
        own = page.apart and page.start <= place < page.end
        return block.beside or block.item or (own and block.prose) or _among(block, known)

    first, last = page.start + found.start, page.start + found.stop
    above = takewhile(adjoins, range(first - 1, -1, -1))
    below = takewhile(adjoins, range(last, len(page.blocks)))
    return slice(first - len(list(above)), last + len(list(below)))


def _ends(wanted: Iterable[bool]) -> slice:
    """From the first wanted place to the last one."""
    places = [place for place, one in enumerate(wanted) if one]
    return slice(places[0], places[-1] + 1) if places else slice(0, 0)


def _begin(texts: list[str]) -> int:
    """Where a report names itself: little that stands above can be anything but furniture."""
    for place, text in enumerate(texts):
        header = header_line(text)
        if header and (header.title or (header.tier and header.country)):
            return place if sum(len(above) for above in texts[:place] if has_sentence(above)) < _MUCH else 0
    return 0


def _known(texts: Iterable[str]) -> set[str]:
    """The lines of texts, to be compared without spaces."""
    return {line.replace(" ", "") for text in texts for line in text.split("\n")}


def _among(block: Block, known: Set[str]) -> bool:
    return known >= _known([block.text])


def _left_out(blocks: Iterable[Block], known: Set[str]) -> int:
    """Characters of prose that are not among the known lines."""
    return sum(len(block.text) for block in blocks if block.prose and not _among(block, known))


def _about_left_out(lines: list[str], page: Page) -> str | None:
    """A note where much of the page's prose is in no line."""
    left, prose = _left_out(page.blocks, _known(lines)), _left_out(page.blocks, set())
    if left < max(_MUCH, prose / 20):
        return None
    return f"{left / prose:.0%} of the page's text are left out as no part of the report: see whether anything is missing"


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
            if text and not (above and (_ABOUT.match(text) or not has_sentence(text))):
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
