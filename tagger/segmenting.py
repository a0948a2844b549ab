"""Text of a report -> passages: sentences, and the items of lists that are written as one long sentence.

Three passes: `structure` makes paragraphs under section headings of the lines, while the furniture of archives (title,
tier, list of related documents) falls away; sentencex cuts paragraphs into sentences, and its slips on legal
abbreviations, initials, footnote marks and parentheses are mended; semicolon lists become one passage an item.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import sentencex

from tagger.countries import known_country
from tagger.errors import InputError
from tagger.records import Document, Passage
from tagger.structure import MARK, MOST_PARAGRAPHS, RECOMMENDATIONS, Header, Paragraph, header_line, paragraphs

# Where sentencex cuts and should not: after these when the next piece begins as given.
_BEFORE_DIGIT = re.compile(r"\b(?:para|paras|approx|incl|ca|art|arts|sec|secs|no|nos|nr|p|pp|ch|vol|cf|fig|ann)\.$", re.IGNORECASE)
_BEFORE_LOWER = re.compile(r"\b(?:approx|incl|para|paras|est|etc|cf|int|vs|al|e\.g|i\.e|dept)\.$", re.IGNORECASE)
_BEFORE_NAME = re.compile(r"\b(?:Ft|St|Mt|Lt|Col|Gen|Sgt|Capt|Maj|Gov|Sen|Rep|Hon|Fr|Rev|Messrs|Drs|Adm|Cmdr|Insp|Supt|Amb)\.$")
_INITIAL = re.compile(r"(?:^|[\s(])[A-Z]\.$")
_NUMERAL = re.compile(r"^\(?(?:[ivxIVX]{1,5}|\d{1,3}|[A-Za-z])[.)]$")
# Where it does not cut and should: after a footnote mark, and after a sentence in parentheses.
_MISSED = re.compile(r"[.!?](?:(?<=[a-z)\u201d\"]\.)\d{1,3}(?=\s+[A-Z\u201c\"])|[)\]](?=\s+[A-Z\u201c]))")
_WORD = re.compile(r"\w")
_UNEVEN = re.compile(r"[^\S ]|[\ud800-\udfff]")
_SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f"  # of ASCII, all but the space itself
_LAST = 700  # characters of a sentence that tell whether the next piece belongs to it
_PART = 4000  # characters; few paragraphs are as long
_BREAK = re.compile(r"[a-z]{3}[.!?]\s+(?=[A-Z])")


def segment(document: Document, most: int = MOST_PARAGRAPHS) -> Document:
    """Return the document with its passages and with what its header says (title, country, year, tier).

    Nothing is lost but white space, headings and furniture; offsets point into ``document.text``.

    Raises
    ------
    InputError
        The text has more than ``most`` paragraphs or passages: it can't be a report.
    """
    header, found = paragraphs(document.text, first_header(document.title), most)
    passages = tuple(cut(document.text, found, document.name, pages=document.pages, most=most))
    return described(replace(document, passages=passages), header)


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
    found: Iterable[Paragraph],
    name: str,
    *,
    pages: Sequence[tuple[int, int]] = (),
    place: tuple[int, int, int] = (0, 0, 0),
    most: int = sys.maxsize,
) -> Iterator[Passage]:
    """Yield the passages of a document's paragraphs.

    ``place`` is where in its document the text begins, how many passages were before it, and how many paragraphs.
    """
    shift, count, first = place
    starts = [start for start, _ in pages]
    last = count + most
    for number, paragraph in enumerate(found, first + 1):
        for start, end in _pieces(text, paragraph):
            if count == last:
                raise InputError(f"has more than {most:,} passages: cut it into several files, or raise the limit")
            count += 1
            page = pages[bisect_right(starts, start) - 1][1] if starts and start >= starts[0] else None
            yield Passage(text[start:end], f"{name}-{count:04d}", name, paragraph.section, page, number, start + shift, end + shift)


def _written(country: str | None) -> str | None:
    """A country's name as it is usually written, if the report has it in capitals."""
    return known_country(country) or country if country and country.isupper() else country


def _pieces(text: str, paragraph: Paragraph) -> Iterator[tuple[int, int]]:
    """Yield start and end of a paragraph's passages, without the marks of a list's items."""
    for start, end in _sentences(text, paragraph.start, paragraph.end):
        cuts = _semicolons(text, start, end) if text.find(";", start, end) >= 0 else []
        if len(cuts) < 2 and paragraph.section != RECOMMENDATIONS:
            cuts = []
        for left, right in zip([start, *cuts], [*cuts, end], strict=True):
            if cuts:
                left, right = _bare(text, left, right)
            if mark := MARK.match(text, left, right):
                left = mark.end()
            if left < right:
                yield left, right


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """Start and end without the white space around."""
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    return start, max(start, start + len(piece.strip()))


def _sentences(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cut ``text[start:end]`` into sentences: sentencex, then our own mending."""
    clean = _even(text[start:end])
    found = {*_boundaries(clean), *(match.end() for match in _MISSED.finditer(clean)), len(clean)}
    cuts = sorted(cut for cut in found if 0 < cut <= len(clean))
    held = any(map(clean.__contains__, "()\u201c\u201d"))
    sentences: list[tuple[int, int]] = []  # without the white space around them
    first = until = left = depth = quoted = 0  # the last sentence goes from first to until, the next piece begins at left
    for right in cuts:
        begin, end = _bare(clean, left, right)
        if begin == end:
            left = right
            continue
        piece = clean[begin:end]
        # Only so much of the last sentence as the decision needs: a text of joined pieces would else take quadratic time.
        last = clean[max(first, until - _LAST) : until].strip() if sentences else ""
        if sentences and (((depth > 0 or quoted > 0) and until - first < 600) or _belongs(last, piece)):
            sentences[-1] = (sentences[-1][0], start + end)
        else:
            sentences.append((start + begin, start + end))
            first, depth, quoted = left, 0, 0
        if held:
            rest = clean[right : right + 600]
            depth += piece.count("(") - piece.count(")")
            quoted += piece.count("\u201c") - piece.count("\u201d")
            # An opened parenthesis or quotation holds the sentence together only if it is closed soon after.
            depth = depth if ")" in rest else 0
            quoted = quoted if "\u201d" in rest else 0
        left = until = right
    return sentences


def _even(text: str) -> str:
    """A text of the same length, but safe for sentencex: line breaks would end its paragraphs, and lone surrogates are not UTF-8."""
    if text.isascii() and not any(map(text.__contains__, _SPACES)):
        return text
    return _UNEVEN.sub(lambda match: " " if match.group().isspace() else "?", text)


def _boundaries(text: str) -> Iterator[int]:
    """Yield where sentencex cuts; a long text goes to it in parts, as its time is quadratic in quotation marks without an end."""
    start = 0
    while start < len(text):
        end = min(len(text), start + _PART)
        if end < len(text):
            breaks = [match.end() for match in _BREAK.finditer(text, start + _PART // 2, end)]
            end = breaks[-1] if breaks else max(text.rfind(" ", start + _PART // 2, end) + 1, 0) or end
        for boundary in sentencex.get_sentence_boundaries("en", text[start:end]):
            if start + boundary["end_index"] < end or end == len(text) or breaks:
                yield start + boundary["end_index"]
        start = end


def _belongs(last: str, piece: str) -> bool:
    """Tell whether ``piece`` goes on with the sentence ``last`` that sentencex cut before it."""
    if not piece:
        return False
    if not _WORD.search(piece) or _NUMERAL.match(last):
        return True
    last = last[-8:]  # longer than any abbreviation
    if piece[0].isdigit():
        return bool(_BEFORE_DIGIT.search(last))
    if piece[0].islower():
        return bool(_BEFORE_LOWER.search(last))
    return bool(_BEFORE_NAME.search(last) or _INITIAL.search(last))


def _semicolons(text: str, start: int, end: int) -> list[int]:
    """Positions after the semicolons outside parentheses that have words on both sides."""
    cuts: list[int] = []
    depth = 0
    for match in re.finditer(r"[();]", text[start:end]):
        sign, position = match.group(), start + match.end()
        depth = max(0, depth + (sign == "(") - (sign == ")"))
        left = cuts[-1] if cuts else start
        if sign == ";" and not depth and _WORD.search(text, left, position) and _WORD.search(text, position, end):
            cuts.append(position)
    return cuts
