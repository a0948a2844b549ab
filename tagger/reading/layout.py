"""Pieces of lines with their boxes -> text in reading order: columns, paragraphs, and what is mended at line ends.

The order in which a producer painted the pieces plays no part: some paint column after column, others line by line across
the columns. Coordinates are those of PDF: y grows upwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from statistics import median
from typing import NamedTuple

from tagger.reading.furniture import without_furniture
from tagger.reading.geometry import Page, Segment, rows
from tagger.reading.hyphens import Vocabulary
from tagger.structure import BULLET, BULLETS, heading, names_report, one_heading

__all__ = ["Page", "Segment", "lay_out"]

_ENDED = re.compile(r"[.!?:][\"'\u201d\u2019)\]]*\d{0,3}$")
_AFTER_SUSPENDED = ("and ", "or ", "to ")
_DASHES = ("\u2014", "\u2013", "/")


class _Line(NamedTuple):
    """A line of one column."""

    text: str
    x0: float
    x1: float
    y: float
    size: float
    left: float  # of the column
    right: float
    page: int
    block: int  # lines of one stretch of one column have the same


def lay_out(pages: Sequence[Page]) -> tuple[str, list[tuple[int, int]], str | None]:
    """Return the text, where each page starts in it, and the title that stands in running heads, if any."""
    kept, title = without_furniture(pages)
    lines = list(_whole_headings(_lines(kept)))
    vocabulary = Vocabulary(line.text for line in lines)
    pitch = _pitch(lines)
    pieces: list[str] = []
    starts: list[tuple[int, int]] = []
    length, last, was = 0, None, None
    for line in lines:
        text = line.text
        stands = _stands_alone(text)
        if last is None:
            joint = ""
        elif _begins(last, line, was, stands, pitch):
            joint = "\n\n"
        elif (above := last.text)[-1].isalpha():
            joint = " "
        elif above[-1] == "-" and text.startswith(_AFTER_SUSPENDED):
            joint = " "  # "16- and 17-year-old"
        elif above[-1] == "-" and above[-2:-1].isalnum():
            joint = ""
            if not vocabulary.keeps_hyphen(above, text):
                pieces[-1] = pieces[-1][:-1]
                length -= 1
        else:
            joint = "" if above[-1] in _DASHES and above[-2:-1].strip() else " "
        if not starts or starts[-1][1] != line.page:
            starts.append((length + len(joint), line.page))
        pieces += [joint, text]
        length += len(joint) + len(text)
        last, was = line, stands
    return "".join(pieces), starts, title


def _begins(last: _Line, line: _Line, was: str | None, stands: str | None, pitch: float) -> bool:
    """Tell whether a line begins a paragraph; ``was`` and ``stands`` are why the two lines stand alone, if they do."""
    if not 0.87 < line.size / last.size < 1.15 or "heading" in (was, stands) or line.text.startswith(BULLETS):
        return True
    ended = not last.text[-1].isalpha() and bool(_ENDED.search(last.text[-8:]))
    if was or (stands and ended):
        return True
    if line.text[0].islower() and not ended:
        return False
    if line.block == last.block and last.y - line.y > 1.25 * pitch:
        return True
    if not ended or line.text[0].islower():
        return False
    short = last.x1 < last.right - 0.2 * (last.right - last.left)
    indented = line.x0 > line.left + 0.8 * line.size and line.x0 > last.x0 + 0.5 * line.size
    return short or indented or bool(BULLET.match(line.text) and not line.text[0].isalpha())


def _whole_headings(lines: Iterable[_Line]) -> Iterator[_Line]:
    """Make one line of a heading that was wrapped."""
    last: _Line | None = None
    for line in lines:
        if last is not None and last.block == line.block and one_heading(last.text, line.text):
            last = line._replace(text=f"{last.text} {line.text}")
            continue
        if last is not None:
            yield last
        last = line
    if last is not None:
        yield last


def _stands_alone(line: str) -> str | None:
    if line[0].islower():
        return None  # in the middle of a sentence
    return "heading" if heading(line) else "header" if names_report(line) else None


def _pitch(lines: Sequence[_Line]) -> float:
    """The usual distance from line to line."""
    steps = [last.y - line.y for last, line in pairwise(lines) if last.block == line.block and last.y > line.y]
    return median(steps) if steps else 0.0


def _lines(pages: Sequence[Page]) -> Iterator[_Line]:
    block = 0
    gutters = [_gutter(page.segments) for page in pages]
    found = [gutter for gutter in gutters if gutter is not None]
    usual = median(found) if found else None
    for page, own in zip(pages, gutters, strict=True):
        gutter = own if own is not None or usual is None else _fitting(page.segments, usual)
        for part in _ordered(page.segments, gutter):
            left, right = min([segment.x0 for segment in part]), max([segment.x1 for segment in part])
            for row in rows(part):
                text, x0, x1, y0, y1 = row[0]
                size = y1 - y0
                if len(row) > 1:
                    text, x1 = " ".join(segment.text for segment in row), row[-1].x1
                    size = max(row, key=lambda segment: len(segment.text)).size
                if text := text.strip():
                    yield _Line(text, x0, x1, y0, size, left, right, page.number, block)
            block += 1


def _ordered(segments: Sequence[Segment], gutter: float | None, depth: int = 0) -> Iterator[Sequence[Segment]]:
    """Yield the stretches of columns in reading order: what goes across the gutter parts those above from those below."""
    if gutter is None:
        if segments:
            yield segments
        return
    band: list[Segment] = []
    across: list[Segment] = []
    for row in rows(segments):
        crossing = any(x0 < gutter < x1 for _, x0, x1, _, _ in row)
        full, other = (across, band) if crossing else (band, across)
        if other:
            yield from _parted(other, gutter, depth) if other is band else [list(other)]
            other.clear()
        full += row
    if band:
        yield from _parted(band, gutter, depth)
    if across:
        yield across


def _parted(band: Sequence[Segment], gutter: float, depth: int) -> Iterator[Sequence[Segment]]:
    for side in (True, False):
        column = [segment for segment in band if (segment.x1 <= gutter) is side]
        if column:
            yield from _ordered(column, _gutter(column) if depth < 3 else None, depth + 1)


def _fitting(segments: Sequence[Segment], gutter: float) -> float | None:
    """The gutter of the other pages, if a page with few lines in a column keeps to it."""
    across = sum(segment.x0 < gutter < segment.x1 for segment in segments)
    return gutter if across <= len(segments) / 4 and any(segment.x0 > gutter for segment in segments) else None


def _gutter(segments: Sequence[Segment]) -> float | None:
    """The middle of the space between two columns, or None if there is but one column."""
    if len(segments) < 8:
        return None
    lefts, rights = [segment.x0 for segment in segments], [segment.x1 for segment in segments]
    left, right = min(lefts), max(rights)
    width = int(right - left) + 1
    long = 0.7 * width
    if not 0 < width < 20_000 or 2 * sum([x1 - x0 > long for x0, x1 in zip(lefts, rights, strict=True)]) > len(segments):
        return None  # most lines go from side to side
    steps = [0] * (width + 1)
    for x0 in lefts:
        steps[int(x0 - left)] += 1
    for x1 in rights:
        steps[int(x1 - left) + 1] -= 1
    margin = width // 5
    inner = list(accumulate(steps))[margin : width - margin]
    spaces = bytes(map(min(inner).__eq__, inner))  # 1 where the fewest pieces are
    widest = max(spaces.split(b"\0"), key=len)
    gutter = left + margin + spaces.index(widest) + (len(widest) - 1) // 2
    on_left, on_right = sum([x1 <= gutter for x1 in rights]), sum([x0 >= gutter for x0 in lefts])
    if min(on_left, on_right) < 4 or len(segments) - on_left - on_right > len(segments) / 2:
        return None
    return gutter
