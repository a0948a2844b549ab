"""What a reader found -> documents with passages: one a country, one of a table's rows; and several made one again."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tagger.countries import known_country, plain_name
from tagger.reading.content import LIMITS, Content, Limits, Rows
from tagger.records import Document, Passage
from tagger.segmenting import segment
from tagger.structure import Header, header_line, reports

_YEAR = re.compile(r"trafficking in persons report.{0,12}?\b((?:19|20)\d\d)\b|\b((?:19|20)\d\d) trafficking in persons report", re.I | re.S)


def documents(name: str, content: Content, limits: Limits = LIMITS) -> list[Document]:
    """Make documents of a file's content, each with its passages; their texts together are the content's text."""
    if content.rows is not None:
        notes = (*content.notes, *_repeated(content.rows))
        return [Document(name, content.text, passages=tuple(_rows(name, content.text, content.rows)), notes=notes)]
    ranges = reports(content.text)
    title = content.title if len(ranges) == 1 else None
    year = _YEAR.search(f"{content.title or ''}\n{content.text[:5000]}") if len(ranges) > 1 else None
    found: list[Document] = []
    for start, end in ranges:
        document = Document(name, content.text[start:end], title=title, pages=_pages(content.pages, start, end), notes=content.notes)
        if len(ranges) > 1:
            country = _country(document.text)
            document = replace(
                document,
                name=_unused(f"{name}-{_slug(country or 'introduction')}", found),
                country=country,
                year=int(year[1] or year[2]) if year else None,
                notes=() if found else content.notes,
            )
        found.append(segment(document, limits.passages))
    return found


def _rows(name: str, text: str, rows: Rows) -> Iterator[Passage]:
    start = 0
    for given, length in zip(rows.ids, rows.lengths, strict=True):
        end = start + length
        yield Passage(text[start:end], given if isinstance(given, str) else f"{name}-{given:04d}", name, start=start, end=end)
        start = end + 1


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
    return Document(whole, text, year=parts[-1].year, passages=tuple(passages), pages=tuple(pages), notes=parts[0].notes)


def _pages(pages: Sequence[tuple[int, int]], start: int, end: int) -> tuple[tuple[int, int], ...]:
    """The pages of a part of the text, counted from its beginning."""
    first = bisect_right(pages, start, key=lambda page: page[0]) - 1
    return tuple((max(place - start, 0), page) for place, page in pages[max(first, 0) :] if place < end)


def _country(text: str) -> str | None:
    header = Header()
    for line in filter(None, map(str.strip, text[:2000].split("\n"))):
        header = header_line(line, header) or header
        if header.country and known_country(header.country):
            return header.country
    return None


def _slug(country: str) -> str:
    return re.sub(r"[^a-z]+", "-", plain_name(country)).strip("-")


def _unused(name: str, taken: Sequence[Document]) -> str:
    names = {document.name for document in taken}
    return next(option for option in (name, *(f"{name}-{count}" for count in range(2, len(taken) + 3))) if option not in names)
