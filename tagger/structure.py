"""What the lines of a report are: header, section headings, furniture, paragraphs; and where the next country begins."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise

from tagger.countries import known_country
from tagger.errors import InputError

INTRODUCTION = "Introduction"
"""Section of what stands before the first heading of a report that has headings."""

RECOMMENDATIONS = "Recommendations"
FOOTNOTES = "Footnotes"

SECTIONS = {
    "Profile": r"(?:human |current )?trafficking (?:profile|situation)|situation|profile|scope and magnitude",
    RECOMMENDATIONS: r"(?:prioritized |priority )?recommendations?(?: for [^:]{1,60})?",
    "Prosecution": r"(?:prosecution|law enforcement(?: efforts)?|investigation and prosecution of traffickers)",
    "Protection": r"(?:protection|victim protection|protection (?:and assistance(?: to victims)?|of victims))",
    "Prevention": r"prevention(?: of trafficking)?",
    "Government efforts": r"government(?:al)? (?:efforts|performance|response)|tier (?:ranking|rationale|placement)",
    FOOTNOTES: r"footnotes",
}
"""Canonical section -> what its heading looks like, older and newer reports alike (whole line, any case, colon or not)."""

INLINE_HEADING = re.compile(rf"(?:{SECTIONS[RECOMMENDATIONS]}):\s+", re.IGNORECASE)
BULLETS = ("\u2022", "\u25cf", "\u25aa", "\u2023", "\u25e6", "\uf0b7")
"""Signs that stand before the items of a list; the last is what Word's own font has for them."""
SIGNS = (*BULLETS, "*", "\u2013", "\u2014", "-")
_SIGN = f"[{''.join(SIGNS)}]"
BULLET = re.compile(rf"{_SIGN}(?:\s+|$)|\(?(?:\d{{1,2}}|[a-z]|[ivx]{{1,4}})[.)]\s+")
MARK = re.compile(rf"(?:{_SIGN}(?:\s+|$))+")
"""The marks of a list's item that are no part of what it says; numbers and letters are, as the text may name them."""
CLOSED = re.compile(r"[.!?:;][\"'\u201d\u2019)\]]*$")
FOOTER = re.compile(r"(?:associated|related) documents", re.IGNORECASE)

_HEADING = re.compile("|".join(f"(?P<s{i}>{p})" for i, p in enumerate(SECTIONS.values())), re.IGNORECASE)
_SITE = re.compile(
    r"^refworld \| | [|\u2013-] (?:refworld|ecoi\.net|(?:united states|u\.s\.) department of state|state\.gov).{0,40}$", re.IGNORECASE
)
_TITLE = re.compile(
    r"(?:(?:u\.?s\.? |united states )?department of state )?(?:(?P<y1>(?:19|20)\d\d) )?trafficking in persons report"
    r"(?:,? (?:june |july )?(?P<y2>(?:19|20)\d\d))?(?: ?[-\u2013\u2014:] ?(?P<country>.{2,60}))?",
    re.IGNORECASE,
)
_TIER = re.compile(
    r"(?:(?P<country>[^\d()]{2,50}?) ?[(:|\u2013-]? ?)?(?P<tier>tier (?:[123])(?:[ (:-]*watch ?list)?|special case)\)?", re.IGNORECASE
)
_SPECIAL = re.compile(r"(?P<tier>special case)s?: (?P<country>[^\d()]{2,50})", re.IGNORECASE)
_HEADING_LINE, _FOOTER = 100, 20  # no heading, and no footer, is longer
_INLINE_LETTERS = "PRpr"  # what an inline heading begins with
_SHORT_LINE = 45  # longer lines are not the first line of a heading that takes two
_MOST_TITLES = 4  # lines above the one that names the country and its tier
_LONG_LINE = 200  # a line longer than this is a paragraph by itself; shorter ones may be hard-wrapped text
MOST_PARAGRAPHS = 500_000
"""Far above any report, and low enough that a hostile text fits into memory; passages have the same bound if no other is given."""

_LEAST_REPORT = 300  # a "report" with fewer characters is a line of a list of countries


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A range of the text, and the section under which it stands."""

    start: int
    end: int
    section: str | None


@dataclass(frozen=True, slots=True)
class Header:
    """What a report says of itself before it begins."""

    title: str | None = None
    country: str | None = None
    year: int | None = None
    tier: str | None = None


_NOTHING = Header()


def heading(line: str) -> str | None:
    """Return the canonical section if the whole line is a section's heading.

    >>> heading("PRIORITIZED RECOMMENDATIONS:"), heading("Prevention of trafficking is hard.")
    ('Recommendations', None)
    """
    if len(line) > _HEADING_LINE or not (found := _HEADING.fullmatch(" ".join(line.rstrip(":").split()))):
        return None
    return list(SECTIONS)[int((found.lastgroup or "s0")[1:])]


def one_heading(first: str, second: str) -> bool:
    """Tell whether two lines are one heading that was wrapped.

    >>> one_heading("PRIORITIZED", "RECOMMENDATIONS:"), one_heading("Recommendations for Mali", "Train police")
    (True, False)
    """
    if len(first) > _SHORT_LINE or first[:1].islower() or not (section := heading(f"{first} {second}")):
        return False
    # After "Recommendations for" anything may stand, so the colon at the end must tell that the second line belongs to it.
    return section != RECOMMENDATIONS or not heading(first) or (second.endswith(":") and not first.endswith(":"))


def header_line(line: str, header: Header = _NOTHING) -> Header | None:
    """Return the header with what this line adds to it, or None if the line is no part of a header."""
    if len(line) > _LONG_LINE:
        return None
    lower = line.lower()
    if "trafficking in persons report" in lower and (title := _TITLE.fullmatch(_SITE.sub("", line))):
        year = title["y1"] or title["y2"]
        country = title["country"] or header.country
        return replace(header, title=line, country=country, year=int(year) if year else header.year)
    if ("tier " in lower or "special case" in lower) and (tier := _TIER.fullmatch(line) or _SPECIAL.fullmatch(line)):
        if tier["country"] and not known_country(tier["country"]) and not re.search("[(:|\u2013-]", line):
            return None  # part of a sentence: "Therefore it remained on Tier 2"
        return replace(header, tier=tier["tier"], country=header.country or tier["country"])
    if line[-1:] not in ".,;:" and known_country(line):
        return replace(header, country=header.country or line)
    return None


def names_report(line: str) -> bool:
    """Tell whether a line is a title, a tier or a country's name: of any text, not only at its beginning as `header_line`.

    >>> names_report("MALI: Tier 2"), names_report("therefore Mali remained on Tier 2")
    (True, False)
    """
    header = header_line(line)
    return header is not None and (header.country is None or known_country(header.country) is not None)


class Structure:
    """Cuts a report into paragraphs under their sections, whether it is given at once or part by part.

    ``header`` is what the report says of itself, as far as it has been seen; ``note`` tells of text that was left out at its end.
    """

    def __init__(self, header: Header = _NOTHING, most: int = MOST_PARAGRAPHS) -> None:
        self.header = header
        self.note: str | None = None
        self._most = most
        self._count = 0
        self._section: str | None = None
        self._skipped: int | None = None

    def feed(self, text: str, *, last: bool = True) -> tuple[list[Paragraph], int]:
        """Return the paragraphs that are whole whatever follows, and where the text begins that must be given again, with more after it.

        Of the ``last`` part all is whole.
        """
        text = text if last else text[: text.rfind("\n") + 1]
        if self._skipped is None:
            titles = _titles(text, self.header, last=last)
            if titles is None:
                return [], 0
            self.header, self._skipped = titles
        found, rest = self._cut(text, last)
        self._count += len(found)
        self._skipped = max(0, self._skipped - rest)
        return found, rest

    def _cut(self, text: str, last: bool) -> tuple[list[Paragraph], int]:
        found: list[Paragraph] = []
        section = self._section
        first = widest = 0
        above: tuple[int, int] | None = None  # the last line of the paragraph that is open
        opened: tuple[int, str | None] = 0, section  # where the first line of that paragraph begins, and the section before it
        footer: tuple[int, str | None, int] | None = None  # where it begins, the section, how many paragraphs are above; a heading ends it
        rest = len(text)

        def close() -> None:
            nonlocal above
            if above:
                if self._count + len(found) == self._most:
                    raise InputError(f"has more than {self._most:,} paragraphs: cut it into several files, or raise the limit")
                found.append(Paragraph(first, above[1], section))
                above = None

        for (start, end), following in pairwise(chain(_whole_headings(text, last=last), [(-1, -1)])):
            if following[0] < 0 and not last:
                rest = start  # it may be the first half of a heading
                break
            line = text[start : min(end, start + _LONG_LINE + 1)]
            if start < (self._skipped or 0):
                continue
            if not line:
                close()
            elif end - start <= _FOOTER and FOOTER.fullmatch(line):
                close()
                footer = footer or (start, section, len(found))
            elif not self._count and not found and not above and (more := header_line(line, self.header)):
                self.header = more
            elif end - start <= _HEADING_LINE and (named := heading(line)):
                close()
                section = named
                footer = footer if named == FOOTNOTES else None
            else:
                begin = start, section
                if line[0] in _INLINE_LETTERS and (inline := INLINE_HEADING.match(line)):
                    close()
                    section, footer = RECOMMENDATIONS, None
                    start += inline.end()
                widest = max(widest if above else 0, end - start)
                if above and _starts_paragraph(text, above, start, end, widest):
                    close()
                if not above:
                    first, widest, opened = start, end - start, begin
                above = (start, end)
        if above and not last:
            rest, self._section = opened
        else:
            close()
            self._section = section
        if footer:
            start, before, kept = footer
            if last:
                self.note = _about_left_out(text, found[kept:], start)
            else:
                rest, self._section = start, before  # a heading may follow
            del found[kept:]
        return found, rest


def _about_left_out(text: str, found: Sequence[Paragraph], start: int) -> str | None:
    """A note if what stands below a footer is more than names of documents."""
    if not any(text[paragraph.end - 1] in ".!?" for paragraph in found):
        return None
    footer, left = " ".join(text[start : start + _FOOTER].partition("\n")[0].split()), len(found)
    return f"{left:,} paragraph{'s' if left > 1 else ''} below {footer!r} left out: take that line away if they belong to the report"


def paragraphs(text: str, header: Header = _NOTHING, most: int = MOST_PARAGRAPHS) -> tuple[Header, list[Paragraph], str | None]:
    """Cut a report into at most so many paragraphs, each under its section; return what its header says, these, and a note."""
    structure = Structure(header, most)
    found, _ = structure.feed(text)
    if any(map(in_section, found)):
        found = [introduced(paragraph) for paragraph in found]
    return structure.header, found, structure.note


def in_section(paragraph: Paragraph) -> bool:
    """Tell whether a paragraph stands under a heading; in a report with such, what comes before is its introduction."""
    return paragraph.section not in (None, FOOTNOTES)


def introduced(paragraph: Paragraph) -> Paragraph:
    """The paragraph in a report that has headings."""
    return paragraph if paragraph.section else replace(paragraph, section=INTRODUCTION)


def _titles(text: str, header: Header, *, last: bool) -> tuple[Header, int] | None:
    """Find the country with its tier below lines of another title; return what they say, and where they end (0 if there are none).

    None where that depends on what follows.
    """
    found, title, titles = header, None, 0
    for start, end in lines(text):
        line = text[start : min(end, start + _LONG_LINE + 1)]
        if not line:
            continue
        if more := header_line(line, found):
            found = more
            if found.tier and found.country and known_country(found.country):
                return replace(found, title=found.title or title), end
        elif titles == _MOST_TITLES or len(line) > 100 or heading(line) or MARK.match(line) or CLOSED.search(line):
            return header, 0
        else:
            title, titles = title or line, titles + 1
    return (header, 0) if last else None


def _whole_headings(text: str, *, last: bool) -> Iterator[tuple[int, int]]:
    """Yield the `lines`; those of a heading that was wrapped as one. Whatever is not the ``last`` of a text has a line end at its end."""
    above: tuple[int, int] | None = None
    for start, end in lines(text) if last else islice(lines(text), text.count("\n")):
        if above is None:
            above = start, end
        elif above[0] < above[1] <= above[0] + _SHORT_LINE and one_heading(text[above[0] : above[1]], text[start : min(end, start + 100)]):
            above = above[0], end
        else:
            yield above
            above = start, end
    if above is not None:
        yield above


def lines(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each line, without the white space around it; an empty range for a blank line."""
    place = 0
    for line in text.split("\n"):
        end = place + len(line)
        length = len(line.strip())
        start = place if length == len(line) else end - len(line.lstrip())
        yield start, start + length
        place = end + 1


def _starts_paragraph(text: str, above: tuple[int, int], start: int, end: int, widest: int) -> bool:
    """Tell whether a line begins a paragraph or goes on with the hard-wrapped one above it."""
    width = above[1] - above[0]
    if width > _LONG_LINE or end - start > _LONG_LINE or BULLET.match(text, start, end):
        return True
    return width < 0.8 * widest and bool(CLOSED.search(text, max(above[0], above[1] - 20), above[1])) and not text[start].islower()


def reports(parts: Iterable[str]) -> list[tuple[int, int]]:
    """Cut a text that holds the reports of several countries, given in parts of whole lines: the ranges, together the whole text.

    A report begins at a title that names a country, at a country with its tier, or at a country's name above a tier.
    """
    starts, befores = array("q"), array("q")  # where a report begins, and where the text before it ends
    country, header, begin, before = "", Header(), -1, 0
    length = ended = 0
    written = -1  # where the first line that is not blank begins
    for text in parts:
        for start, end in lines(text):
            if start == end:
                continue
            more = header_line(text[start:end], header) if end - start <= _LONG_LINE else None
            if more:
                if begin < 0:
                    begin, before = length + start, ended
                header = more
                if header.country and known_country(header.country) and (header.tier or header.title) and header.country.lower() != country:
                    starts.append(begin)
                    befores.append(before)
                    country = header.country.lower()
            else:
                header, begin = Header(), -1
            written = length + start if written < 0 else written
            ended = length + end
        length += len(text)
    kept = [
        place for place, start in enumerate(starts) if (starts[place + 1] if place + 1 < len(starts) else length) - start >= _LEAST_REPORT
    ]
    if len(kept) < 2:
        return [(0, length)]
    cuts = [starts[place] for place in kept]
    if befores[kept[0]] - written < _LEAST_REPORT:
        cuts[0] = 0
    return list(pairwise(sorted({0, *cuts, length})))
