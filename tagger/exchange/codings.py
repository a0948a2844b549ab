"""Documents with spans: how passages become codings of their document's characters, and codings passages."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from tagger.errors import InputError
from tagger.exchange.items import FINAL, Corpus, Item, Labels, Voted, detailed
from tagger.exchange.jsons import objects, place
from tagger.reading.content import clean
from tagger.records import Document
from tagger.segmenting import segment


@dataclass(frozen=True, slots=True)
class Span:
    """Characters of a document to which an annotator gave a theme."""

    start: int
    end: int
    theme: str
    annotator: str


@dataclass(frozen=True, slots=True)
class Coded:
    """A document's text and its passages, each with its place in it.

    ``joined`` says that the text was made of the passages, a line each, because nobody knows in which text they stand.
    """

    name: str
    text: str
    items: tuple[Item, ...]
    joined: bool = False


def documents(corpus: Corpus) -> list[Coded]:
    """Lay a corpus out as documents, in the order in which they first come."""
    groups: dict[str, list[Item]] = {}
    for item in corpus.items:
        groups.setdefault(item.document, []).append(item)
    return [_coded(name, items, corpus.texts.get(name)) for name, items in groups.items()]


def _coded(name: str, items: Sequence[Item], text: str | None) -> Coded:
    if text is not None and all(item.start is not None and text[item.start : item.end] == item.text for item in items):
        return Coded(name, text, tuple(items))
    placed, place = [], 0
    for item in items:
        placed.append(replace(item, start=place, end=place + len(item.text)))
        place += len(item.text) + 1
    return Coded(name, "\n".join(item.text for item in items), tuple(placed), joined=True)


def document_data(one: Coded) -> dict[str, Any]:
    """What is known of a document's passages, for a format that keeps fields which it does not know."""
    passages = []
    for item in one.items:
        known = {name: value for name, value in item.details().items() if name != "document"}
        passages.append(known | ({"once": True} if item.first is not None and item.second is None else {}))
    return {"document": one.name, "passages": passages, **({"joined": True} if one.joined else {})}


def document_name(data: Mapping[str, Any], otherwise: str) -> str:
    """What a document is called, if that came with it."""
    return clean(str(data.get("document") or otherwise))


def votes_of(
    data: Mapping[str, Any], document: str, raw: str, spans: Sequence[Span], annotators: Sequence[str], labels: Labels, where: str
) -> tuple[list[Voted], str | None]:
    """The passages of a document that these annotators labelled, cut as `document_data` says or else as `tagger.read` does.

    Returns, too, the text with line feeds at its line ends, unless it was made of passages.
    """
    text = clean(raw)
    if "\r" in raw:
        counted = offsets(raw)
        spans = [replace(span, start=bisect_left(counted, span.start), end=bisect_left(counted, span.end)) for span in spans]
    items = _passages(data, document, text, where) or cut(document, text)
    once = {row.get("id") for row in objects(data.get("passages"), "passages", where) if row.get("once")}
    one = [*sorted(name for name in annotators if name != FINAL)[:1], *(name for name in annotators if name == FINAL)]
    voted = vote(items, spans, labels, {item.id: one if item.id in once else annotators for item in items})
    if data.get("joined"):
        return unplaced(voted), None
    return voted, text


def offsets(raw: str, *, two_ends: bool = True, wide: bool = False) -> list[int]:
    """At which position of a raw text each character of it with line feeds begins, and where it ends.

    Some count a line end of two characters as one, or, ``wide``, a character beyond the first plane of Unicode as two.
    """
    lengths = [2 if (two_ends and c == "\0") or (wide and c >= "\U00010000") else 1 for c in raw.replace("\r\n", "\0")]
    return [0, *accumulate(lengths)]


def unplaced(voted: Sequence[Voted]) -> list[Voted]:
    """Passages of a text that was only made of them, as they were before."""
    return [replace(one, item=replace(one.item, start=None, end=None)) for one in voted]


def check_range(start: Any, end: Any, text: str, where: str) -> tuple[int, int]:
    """A range of a text, if it is one."""
    start, end = place(start, "start", where), place(end, "end", where)
    if not start < end <= len(text):
        raise InputError(f"{where}: a range goes from {start} to {end} in a text of {len(text)} characters")
    return start, end


def _passages(data: Mapping[str, Any], document: str, text: str, where: str) -> list[Item]:
    found = []
    for row in objects(data.get("passages"), "passages", where):
        start, end = check_range(row.get("start"), row.get("end"), text, where)
        found.append(detailed(text[start:end], {**row, "document": document}, where))
    return found


def cut(name: str, text: str) -> list[Item]:
    """Cut a document into passages as `tagger.read` does, for codings that know nothing of passages."""
    found = segment(Document(name, text)).passages
    return [Item(p.text, (), p.id, p.document, p.section, p.page, p.paragraph, p.start, p.end) for p in found]


def vote(items: Sequence[Item], spans: Sequence[Span], labels: Labels, seen: Mapping[str, Sequence[str]] | None = None) -> list[Voted]:
    """Give passages the themes of the codings that lie on them.

    A coding lies on a passage if they have at least half of the shorter one in common: so a phrase marks its sentence, a coding of a
    paragraph all its sentences, and a slip of the mouse nothing. ``seen`` tells by id who labelled a passage; left out, all did who coded
    anything in the document.
    """
    everybody = sorted({span.annotator for span in spans})
    found: list[dict[str, set[str]]] = [{name: set() for name in (everybody if seen is None else seen.get(item.id, ()))} for item in items]
    order = sorted(range(len(items)), key=lambda number: _start(items[number]))
    starts = [_start(items[number]) for number in order]
    furthest = list(accumulate((_end(items[number]) for number in order), max))
    for span in spans:
        place = bisect_left(starts, span.end) - 1
        while place >= 0 and furthest[place] > span.start:
            item = items[order[place]]
            common = min(span.end, _end(item)) - max(span.start, _start(item))
            if common > 0 and 2 * common >= min(span.end - span.start, _end(item) - _start(item)):
                found[order[place]].setdefault(span.annotator, set()).add(span.theme)
            place -= 1
    return [Voted(item, {name: labels.ordered(themes) for name, themes in votes.items()}) for item, votes in zip(items, found, strict=True)]


def _start(item: Item) -> int:
    return item.start or 0


def _end(item: Item) -> int:
    return item.end or 0
