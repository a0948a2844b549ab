"""Text of a report -> passages: sentences, and the items of lists that are written as one long sentence.

Three passes: `structure` makes paragraphs under section headings of the lines, while the furniture of archives (title,
tier, list of related documents) falls away; sentencex cuts paragraphs into sentences, and its slips on legal
abbreviations, initials, footnote marks and parentheses are mended; semicolon lists become one passage an item.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from tagger.countries import known_country
from tagger.errors import InputError
from tagger.passages import Passages
from tagger.records import Document
from tagger.sentences import bare, sentences
from tagger.structure import MARK, MOST_PARAGRAPHS, RECOMMENDATIONS, SIGNS, Header, Paragraph, header_line, paragraphs

_WORD = re.compile(r"\w")


def segment(document: Document, most: int = MOST_PARAGRAPHS) -> Document:
    """Return the document with its passages and with what its header says (title, country, year, tier).

    Nothing is lost but white space, headings and furniture; a note tells if related documents at the end look like more. Offsets
    point into ``document.text``.

    Raises
    ------
    InputError
        The text has more than ``most`` paragraphs or passages: it can't be a report.
    """
    header, found, note = paragraphs(document.text, first_header(document.title), most)
    passages = tuple(cut(document.text, found, document.name, pages=document.pages, most=most))
    return described(replace(document, passages=passages, notes=(*document.notes, note) if note else document.notes), header)


def first_header(title: str | None) -> Header:
    """What a document's title alone says of it."""
    return (title and header_line(title)) or Header(title=title)


def described(document: Document, header: Header) -> Document:
    """The document with what its header says, where nothing else says it."""
    return replace(
        document,
        title=document.title or header.title,
        country=_written(document.country or header.country),
        year=document.year or header.year,
        tier=document.tier or header.tier,
    )


def cut(
    text: str,
    found: Sequence[Paragraph],
    name: str,
    *,
    pages: Sequence[tuple[int, int]] = (),
    place: tuple[int, int, int] = (0, 0, 0),
    most: int | None = None,
) -> Passages:
    """Return the passages of a document's paragraphs.

    ``place`` is where in its document the text begins, how many passages were before it, and how many paragraphs.
    """
    shift, count, first = place
    pieces = list(islice(_pieces(text, found), None if most is None else most + 1))
    if most is not None and len(pieces) > most:
        raise InputError(f"has more than {most:,} passages: cut it into several files, or raise the limit")
    starts, ends, numbers = zip(*pieces, strict=True) if pieces else ((), (), ())
    return Passages(
        text=[text[start:end] for start, end in zip(starts, ends, strict=True)],
        id=[f"{name}-{number:04d}" for number in range(count + 1, count + len(pieces) + 1)],
        document=[name] * len(pieces),
        section=[found[number].section for number in numbers],
        page=_pages(pages, starts) if pages else [None] * len(pieces),
        paragraph=[first + number + 1 for number in numbers],
        start=[shift + start for start in starts] if shift else starts,
        end=[shift + end for end in ends] if shift else ends,
    )


def _pages(pages: Sequence[tuple[int, int]], starts: Iterable[int]) -> list[int | None]:
    """The page of each place."""
    borders = [start for start, _ in pages]
    return [pages[bisect_right(borders, start) - 1][1] if start >= borders[0] else None for start in starts]


def _written(country: str | None) -> str | None:
    """A country's name as it is usually written, if the report has it in capitals."""
    return known_country(country) or country if country and country.isupper() else country


def _pieces(text: str, found: Sequence[Paragraph]) -> Iterator[tuple[int, int, int]]:
    """Yield start and end of the passages, and the number of their paragraph, without the marks of a list's items."""
    for columns in sentences(text, [(paragraph.start, paragraph.end) for paragraph in found]):
        for start, end, number in zip(*(column.tolist() for column in columns), strict=True):
            if text[start] in SIGNS or text.find(";", start, end) >= 0:
                for left, right in _items(text, start, end, found[number].section):
                    yield left, right, number
            else:
                yield start, end, number


def _items(text: str, start: int, end: int, section: str | None) -> Iterator[tuple[int, int]]:
    """Yield start and end of the items of a list written as one sentence, or of the sentence."""
    cuts = _semicolons(text, start, end)
    if len(cuts) < 2 and section != RECOMMENDATIONS:
        cuts = []
    for left, right in zip([start, *cuts], [*cuts, end], strict=True):
        if cuts:
            left, right = bare(text, left, right)
        if mark := MARK.match(text, left, right):
            left = mark.end()
        if left < right:
            yield left, right


def _semicolons(text: str, start: int, end: int) -> list[int]:
    """Positions after the semicolons outside parentheses that have words on both sides."""
    cuts: list[int] = []
    depth = 0
    word = _next_word(text, start, end)  # the first one after the last cut
    for match in re.finditer(r"[();]", text[start:end]):
        sign, position = match.group(), start + match.end()
        depth = max(0, depth + (sign == "(") - (sign == ")"))
        if sign == ";" and not depth and word < position:
            word = _next_word(text, position, end)
            if word == end:
                break
            cuts.append(position)
    return cuts


def _next_word(text: str, start: int, end: int) -> int:
    found = _WORD.search(text, start, end)
    return found.start() if found else end
