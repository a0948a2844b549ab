"""What the lines of a report are: header, section headings, furniture, paragraphs; and where the next country begins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

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
_SIGN = rf"[{''.join(BULLETS)}*\u2013\u2014-]"
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
    if len(line) > 100 or not (found := _HEADING.fullmatch(" ".join(line.rstrip(":").split()))):
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


def paragraphs(text: str, header: Header = _NOTHING, most: int = MOST_PARAGRAPHS) -> tuple[Header, list[Paragraph]]:
    """Cut a report into at most so many paragraphs, each under its section; return what its header says beside them."""
    found: list[Paragraph] = []
    section: str | None = None
    first = widest = 0
    above: tuple[int, int] | None = None  # the last line of the paragraph that is open

    def close() -> None:
        nonlocal above
        if above:
            if len(found) == most:
                raise InputError(f"has more than {most:,} paragraphs: cut it into several files, or raise the limit")
            found.append(Paragraph(first, above[1], section))
            above = None

    header, skipped = _titles(text, header)
    for start, end in _whole_headings(text):
        line = text[start : min(end, start + _LONG_LINE + 1)]
        if start < skipped:
            continue
        if not line:
            close()
        elif FOOTER.fullmatch(line):
            break
        elif not found and not above and (more := header_line(line, header)):
            header = more
        elif named := heading(line):
            close()
            section = named
        else:
            if inline := INLINE_HEADING.match(line):
                close()
                section = RECOMMENDATIONS
                start += inline.end()
            widest = max(widest if above else 0, end - start)
            if above and _starts_paragraph(text, above, start, end, widest):
                close()
            if not above:
                first, widest = start, end - start
            above = (start, end)
    close()
    if any(paragraph.section not in (None, FOOTNOTES) for paragraph in found):
        found = [paragraph if paragraph.section else replace(paragraph, section=INTRODUCTION) for paragraph in found]
    return header, found


def _titles(text: str, header: Header) -> tuple[Header, int]:
    """Find the country with its tier below lines of another title; return what they say, and where they end (0 if there are none)."""
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
            break
        else:
            title, titles = title or line, titles + 1
    return header, 0


def _whole_headings(text: str) -> Iterator[tuple[int, int]]:
    """Yield the `lines`; those of a heading that was wrapped as one."""
    last: tuple[int, int] | None = None
    for start, end in lines(text):
        if last is None:
            last = start, end
        elif last[0] < last[1] <= last[0] + _SHORT_LINE and one_heading(text[last[0] : last[1]], text[start : min(end, start + 100)]):
            last = last[0], end
        else:
            yield last
            last = start, end
    if last is not None:
        yield last


def lines(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each line, without the white space around it; an empty range for a blank line."""
    for match in re.finditer(r"[^\n]*\n?", text):
        line = match.group()
        start = match.start() + len(line) - len(line.lstrip())
        yield start, max(start, match.start() + len(line.rstrip()))


def _starts_paragraph(text: str, above: tuple[int, int], start: int, end: int, widest: int) -> bool:
    """Tell whether a line begins a paragraph or goes on with the hard-wrapped one above it."""
    width = above[1] - above[0]
    if width > _LONG_LINE or end - start > _LONG_LINE or BULLET.match(text, start, end):
        return True
    return width < 0.8 * widest and bool(CLOSED.search(text, max(above[0], above[1] - 20), above[1])) and not text[start].islower()


def reports(text: str) -> list[tuple[int, int]]:
    """Cut a text that holds the reports of several countries: the ranges, which together are the whole text.

    A report begins at a title that names a country, at a country with its tier, or at a country's name above a tier.
    """
    starts: list[int] = []
    country, header, begin = "", Header(), -1
    for start, end in lines(text):
        if start == end:
            continue
        more = header_line(text[start:end], header) if end - start <= _LONG_LINE else None
        if more:
            header, begin = more, start if begin < 0 else begin
            if header.country and known_country(header.country) and (header.tier or header.title) and header.country.lower() != country:
                starts.append(begin)
                country = header.country.lower()
        else:
            header, begin = Header(), -1
    cuts = [start for start, end in zip(starts, [*starts, len(text)][1:], strict=True) if end - start >= _LEAST_REPORT]
    if cuts and len(text[: cuts[0]].strip()) < _LEAST_REPORT:
        cuts[0] = 0
    bounds = sorted({0, *cuts, len(text)})
    return list(pairwise(bounds)) if len(cuts) > 1 else [(0, len(text))]
