"""The blocks of a web page (headings, paragraphs, items, rows) in their order, whatever elements and classes it uses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import accumulate, groupby
from typing import Any, NamedTuple

from tagger.structure import header_line, heading

_UNSEEN = {"script", "style", "template", "noscript", "iframe", "object", "svg", "math", "select", "datalist", "textarea"}
_ASIDE = {"nav", "aside", "footer", "dialog", "menu", "figcaption"}
_ASIDE_ROLES = {"navigation", "complementary", "contentinfo", "dialog", "alertdialog", "search"}
_BLOCKS = _ASIDE.union(
    ("body", "main", "article", "section", "header", "hgroup", "div", "p", "center", "blockquote", "pre", "address", "hr"),
    ("h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tfoot", "tr"),
    ("details", "summary", "button", "figure", "form", "fieldset", "legend"),
    ("head", "item", "list", "quote", "row"),  # as trafilatura calls them
)
_ASIDE_NAMES = re.compile(
    r"(?<![a-z])(?:newsletter|related|share|social|cookies?|comments?|promo|breadcrumbs?|banner|footer)(?![a-z])", re.IGNORECASE
)
LITTLE = 500  # characters of prose: furniture has no more
_LINES = {"br", "td", "th", "lb", "cell"}
_KINDS = {"li": "item", "dd": "item", "tr": "row", "pre": "pre", "button": "link"}
_SENTENCE = re.compile(r"\w\w[.!?][\"'\u201d\u2019)]*(?:\s|$)")
_WORDS = 8  # so many are no label of a menu or a form, even without a full stop
_SHARE = 0.97  # of the page's prose that the element with the article holds
_MENU = 3  # so many headings of sections with nothing between them are a menu


class Block(NamedTuple):
    """Text that stands by itself, with a line end for each line break and between the cells of a row."""

    text: str
    prose: bool  # it has sentences
    named: bool  # it holds the heading of a section, or names a tier
    linked: bool  # most of it are links or buttons
    aside: bool  # it belongs to a menu, a footer or the like
    item: bool  # of a list
    row: bool  # of a table

    @property
    def keys(self) -> list[str]:
        """Its lines without spaces, to be compared."""
        return self.text.replace(" ", "").split("\n")


class Page(NamedTuple):
    """All blocks of a page, and which are in the smallest element that holds nearly all its prose and the headings of all sections."""

    blocks: list[Block]
    start: int
    end: int


def page_of(tree: Any) -> Page:
    """Cut a parsed page into blocks."""
    body = tree.find(".//body")
    body = tree if body is None else body
    walk = _Walk(body)
    if 2 * prose(block for block in walk.blocks if block.aside) > prose(walk.blocks):
        walk = _Walk(body, asides=False)  # the report itself stands in such an element
    blocks = list(_without_menus(walk.blocks))
    prosaic = list(accumulate((0 if block.aside else prose([block]) for block in blocks), initial=0))
    named = list(accumulate((block.named for block in blocks), initial=0))
    for start, end in walk.elements:
        if named[end] - named[start] == named[-1] and prosaic[end] - prosaic[start] >= _SHARE * prosaic[-1]:
            return Page(blocks, start, end)
    return Page(blocks, 0, len(blocks))


def blocks_of(body: Any) -> list[Block]:
    """The blocks of an element, of HTML or as trafilatura writes it."""
    return _Walk(body).blocks


def prose(blocks: Iterable[Block]) -> int:
    """Characters of prose."""
    return sum(len(block.text) for block in blocks if block.prose)


class _Walk:
    """Goes through the elements of a page; ``elements`` are the ranges of blocks in each, inner ones first."""

    def __init__(self, body: Any, *, asides: bool = True) -> None:
        from lxml.etree import iterwalk

        self.blocks: list[Block] = []
        self.elements: list[tuple[int, int]] = []
        self._asides = asides
        self._inside: Counter[str] = Counter()
        self._pieces: list[str] = []
        self._linked = 0  # characters in links
        self._opened: list[tuple[str, int]] = []
        events = iterwalk(body, events=("start", "end"))
        for event, node in events:
            tag = node.tag
            link = tag == "a" and node.get("href") is not None
            if event == "start":
                if tag in _BLOCKS:
                    self._open(node)
                elif tag in _LINES:
                    self._pieces.append("\n")
                elif tag in _UNSEEN:
                    events.skip_subtree()
                    continue
                self._inside["link"] += link
                self._add(node.text)
            else:
                if tag in _BLOCKS:
                    self._end(node)
                self._inside["link"] -= link
                self._add(node.tail)

    def _open(self, node: Any) -> None:
        self._close()
        kind = "aside" if node.tag in _ASIDE or node.get("role") in _ASIDE_ROLES else _KINDS.get(node.tag, "")
        self._inside[kind] += 1
        self._opened.append((kind, len(self.blocks)))

    def _end(self, node: Any) -> None:
        self._close()
        kind, start = self._opened.pop()
        self._inside[kind] -= 1
        self.elements.append((start, len(self.blocks)))
        if self._asides and start < len(self.blocks) and _ASIDE_NAMES.search(f"{node.get('class')} {node.get('id')}"):
            inside = self.blocks[start:]
            if prose(inside) < LITTLE and not any(block.named for block in inside):
                self.blocks[start:] = [block._replace(aside=True) for block in inside]

    def _add(self, text: str | None) -> None:
        if text:
            self._pieces.append(text if self._inside["pre"] else text.replace("\n", " "))
            if self._inside["link"]:
                self._linked += len(text)

    def _close(self) -> None:
        text = "".join(self._pieces)
        linked = 2 * self._linked > len(text)
        self._pieces.clear()
        self._linked = 0
        if not text or text.isspace():
            return
        lines = (" ".join(line.split()) for line in text.split("\n"))
        for written, group in groupby(lines, bool):
            if written:
                self.blocks.append(self._block(list(group), linked))

    def _block(self, lines: list[str], linked: bool) -> Block:
        text = "\n".join(lines)
        inside = self._inside
        aside = self._asides and inside["aside"] > 0
        named = not aside and any(_names(line) for line in lines)
        sentence = _SENTENCE.search(text) is not None
        linked = linked and not named and not sentence
        prose = sentence or (not linked and len(text.split()) >= _WORDS)
        return Block(text, prose, named, linked, aside, inside["item"] > 0, inside["row"] > 0)


def _names(line: str) -> bool:
    return bool(heading(line) or ((header := header_line(line)) and header.tier))


def _without_menus(blocks: list[Block]) -> Iterator[Block]:
    """Take headings with nothing between them for a menu; the last of them is a heading still if another of them says the same."""
    for alone, group in groupby(blocks, lambda block: block.named and all(map(heading, block.text.split("\n")))):
        row = list(group)
        if alone and len(row) >= _MENU:
            last = row.pop()
            repeated = any(block.text == last.text for block in row)
            yield from (block._replace(named=False, aside=True) for block in row)
            row = [last if repeated else last._replace(named=False, aside=True)]
        yield from row
