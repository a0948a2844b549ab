"""What a reader found -> documents with passages: one a country, one of a table's rows; and several made one again."""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from itertools import accumulate
from typing import TextIO

from tagger.countries import known_country, plain_name
from tagger.errors import InputError
from tagger.passages import Passages
from tagger.reading.content import LIMITS, Content, Limits, Rows, clean
from tagger.reading.language import NOTE, looks_english
from tagger.reading.large import PART, VisibleText, whole_lines
from tagger.records import Document, Passage
from tagger.segmenting import cut, described, segment
from tagger.structure import Header, Paragraph, Structure, header_line, in_section, introduced, reports

_YEAR = re.compile(r"trafficking in persons report.{0,12}?\b((?:19|20)\d\d)\b|\b((?:19|20)\d\d) trafficking in persons report", re.I | re.S)

NO_PASSAGE = "has no passage: there is no text in it but headings"
_START = 5000  # characters of a file in which its year is named
_TOP = 2000  # characters of a report in which its country is named


def documents(name: str, content: Content, limits: Limits = LIMITS, taken: Counter[str] | None = None) -> list[Document]:
    """Make documents of a file's content, each with its passages; their texts together are the content's text.

    ``taken`` are names that other documents have; those of the countries of this file are added.

    Raises
    ------
    InputError
        There is no passage in it, or more than the limits allow.
    """
    if content.rows is not None:
        notes = (*content.notes, *_repeated(content.rows))
        return [Document(name, content.text, passages=tuple(_rows(name, content.text, content.rows)), notes=notes)]
    ranges = reports([content.text])
    several = len(ranges) > 1
    title, year = (None, _year(f"{content.title or ''}\n{content.text[:_START]}")) if several else (content.title, None)
    taken = Counter() if taken is None else taken
    found: list[Document] = []
    for start, end in ranges:
        notes = () if found else content.notes
        document = Document(name, content.text[start:end], title=title, year=year, pages=_pages(content.pages, start, end), notes=notes)
        found.append(segment(_of_country(document, document.text, taken) if several else document, limits.passages))
    if not any(document.passages for document in found):
        raise InputError(NO_PASSAGE)
    return found


def text_parts(name: str, raw: TextIO, limits: Limits = LIMITS, taken: Counter[str] | None = None) -> Iterator[Document]:
    """Make the documents of a large text, as `documents` does, each in parts that hold its passages in turn and no text."""
    stream = VisibleText(raw)
    origin = stream.tell()
    ranges = reports(whole_lines(stream, limits))
    stream.seek(origin)
    several = len(ranges) > 1
    year = _year(clean(stream.read(_START), decoded=True)) if several else None
    stream.seek(origin)
    taken = Counter() if taken is None else taken
    for start, end in ranges:
        text = clean(stream.read(min(max(PART, _TOP), end - start)), decoded=True)
        document = Document(name, "", year=year, notes=() if start or looks_english(text) else (NOTE,))
        document = _of_country(document, text, taken) if several else document
        yield from _report_parts(document, text, stream, end - start - len(text), limits)


def _report_parts(document: Document, text: str, stream: VisibleText, left: int, limits: Limits) -> Iterator[Document]:
    """Make parts of a document that begins with this text and goes on with so many characters of the stream."""
    structure = Structure(most=sys.maxsize)
    shift = passages = paragraphs = 0
    sectioned: bool | None = None
    while True:
        found, rest = structure.feed(text, last=not left)
        if found and not sectioned:
            sectioned = any(map(in_section, found)) or (sectioned is None and _has_sections(structure, text[rest:], stream, left, limits))
        if sectioned:
            found = [introduced(paragraph) for paragraph in found]
        made = cut(text, found, document.name, place=(shift, passages, paragraphs))
        if made or not left:
            notes = (*document.notes, structure.note) if structure.note else document.notes
            yield described(replace(document, passages=made, notes=notes), structure.header)
            document = replace(document, notes=())
        if not left:
            return
        shift, passages, paragraphs = shift + rest, passages + len(made), paragraphs + len(found)
        text = text[rest:]
        if len(text) > limits.characters:
            raise InputError(f"has a paragraph of more than {limits.characters:,} characters, {' '.join(text[:40].split())!r}: cut it")
        text, left = _longer(text, stream, left)


def _has_sections(structure: Structure, text: str, stream: VisibleText, left: int, limits: Limits) -> bool:
    """Look ahead whether any paragraph stands under a heading; the stream stays where it is."""
    structure, place = copy(structure), stream.tell()
    found: list[Paragraph] = []
    while left and len(text) <= limits.characters and not any(map(in_section, found)):
        text, left = _longer(text, stream, left)
        found, rest = structure.feed(text, last=not left)
        text = text[rest:]
    stream.seek(place)
    return any(map(in_section, found))


def _longer(text: str, stream: VisibleText, left: int) -> tuple[str, int]:
    """The text with more of the stream, twice as long at least, and what is left then."""
    more = stream.read(min(left, max(PART, len(text))))
    if not more:
        raise InputError("became shorter while it was read")
    return text + clean(more, decoded=True), left - len(more)


def table_parts(name: str, batches: Iterable[Content]) -> Iterator[Document]:
    """Make one document of a large table, in parts that hold its passages in turn and no text; ids are not compared."""
    start = 0
    for content in batches:
        passages = _rows(name, content.text, content.rows, start) if content.rows else ()
        notes = content.notes if start or looks_english(content.text) else (*content.notes, NOTE)
        yield Document(name, "", passages=passages, notes=notes)
        start += len(content.text) + bool(passages)


def _rows(name: str, text: str, rows: Rows, shift: int = 0) -> Passages:
    """The passages of a table; between the texts of two rows stands a line end."""
    count = len(rows.lengths)
    ends = list(accumulate(rows.lengths, lambda end, length: end + 1 + length, initial=-1))[1:]
    starts = [end - length for end, length in zip(ends, rows.lengths, strict=True)]
    return Passages(
        text=[text[start:end] for start, end in zip(starts, ends, strict=True)],
        id=[given if isinstance(given, str) else f"{name}-{given:04d}" for given in rows.ids],
        document=[name] * count,
        section=[None] * count,
        page=[None] * count,
        paragraph=[None] * count,
        start=[start + shift for start in starts],
        end=[end + shift for end in ends],
    )


def _repeated(rows: Rows) -> Iterator[str]:
    """Yield a note if several rows have the same id."""
    if len(set(rows.ids)) < len(rows.ids):
        counts = Counter(rows.ids)
        first = next(name for name in rows.ids if counts[name] > 1)
        several = sum(count > 1 for count in counts.values())
        yield f"{several:,} id{'s' if several > 1 else ''} not unique: {first!r} stands in {counts[first]:,} rows" + (
            "; ..." if several > 1 else ""
        )


def joined(parts: Sequence[Document], whole: str) -> Document:
    """Make one document of all that a file holds; sections, pages and paragraphs of its passages stay."""
    if len(parts) == 1:
        return parts[0]
    passages: list[Passage] = []
    pages: list[tuple[int, int]] = []
    shift = paragraph = 0
    for part in parts:
        for old in part.passages:
            number = f"{whole}-{len(passages) + 1:04d}"
            passages.append(
                replace(
                    old,
                    id=number,
                    document=whole,
                    start=old.start + shift,
                    end=old.end + shift,
                    paragraph=(old.paragraph or 0) + paragraph,
                )
            )
        pages += [(start + shift, page) for start, page in part.pages if not pages or page != pages[-1][1]]
        shift += len(part.text)
        paragraph = passages[-1].paragraph or 0 if passages else 0
    text = "".join(part.text for part in parts)
    notes = dict.fromkeys(note for part in parts for note in part.notes)
    return Document(whole, text, year=parts[-1].year, passages=tuple(passages), pages=tuple(pages), notes=tuple(notes))


def _pages(pages: Sequence[tuple[int, int]], start: int, end: int) -> tuple[tuple[int, int], ...]:
    """The pages of a part of the text, counted from its beginning."""
    first = bisect_right(pages, start, key=lambda page: page[0]) - 1
    return tuple((max(place - start, 0), page) for place, page in pages[max(first, 0) :] if place < end)


def _year(start: str) -> int | None:
    """The year of a file of several reports."""
    found = _YEAR.search(start)
    return int(found[1] or found[2]) if found else None


def _of_country(document: Document, text: str, taken: Counter[str]) -> Document:
    """One of the documents of a file of several reports, named after its country, with a number where that name is taken."""
    country = _country(text)
    wanted = name = f"{document.name}-{_slug(country or 'introduction')}"
    while name in taken:
        taken[wanted] += 1
        name = f"{wanted}-{taken[wanted]}"
    taken[name] = 1
    return replace(document, name=name, country=country)


def _country(text: str) -> str | None:
    header = Header()
    for line in filter(None, map(str.strip, text[:_TOP].split("\n"))):
        header = header_line(line, header) or header
        if header.country and known_country(header.country):
            return header.country
    return None


def _slug(country: str) -> str:
    return re.sub(r"[^a-z]+", "-", plain_name(country)).strip("-")
