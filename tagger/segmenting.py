"""Text of a report -> passages: sentences, and the items of lists that are written as one long sentence.

Three passes: lines become paragraphs under section headings, while the furniture of archives (title, tier, list of
related documents) falls away; sentencex cuts paragraphs into sentences, and its slips on legal abbreviations, initials,
footnote marks and parentheses are mended; semicolon lists become one passage an item.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import sentencex

from tagger.records import Document, Passage

INTRODUCTION = "Introduction"
"""Section of what stands before the first heading of a report that has headings."""

RECOMMENDATIONS = "Recommendations"

SECTIONS = {
    "Profile": r"(?:human |current )?trafficking (?:profile|situation)|situation|profile|scope and magnitude",
    RECOMMENDATIONS: r"(?:prioritized )?recommendations?(?: for [^:]{1,60})?",
    "Prosecution": r"(?:prosecution|law enforcement(?: efforts)?|investigation and prosecution of traffickers)",
    "Protection": r"(?:protection|victim protection|protection and assistance(?: to victims)?)",
    "Prevention": r"prevention(?: of trafficking)?",
    "Government efforts": r"government(?:al)? (?:efforts|performance|response)|tier (?:ranking|rationale|placement)",
}
"""Canonical section -> what its heading looks like, older and newer reports alike (whole line, any case, colon or not)."""

_HEADING = re.compile("|".join(f"(?P<s{i}>{p})" for i, p in enumerate(SECTIONS.values())), re.IGNORECASE)
_INLINE_HEADING = re.compile(rf"(?:{SECTIONS[RECOMMENDATIONS]}):\s+", re.IGNORECASE)
_TITLE = re.compile(
    r"(?:(?P<y1>(?:19|20)\d\d) )?trafficking in persons report(?:,? (?P<y2>(?:19|20)\d\d))?(?: ?[-\u2013\u2014:] ?(?P<country>.{2,60}))?",
    re.IGNORECASE,
)
_TIER = re.compile(
    r"(?:(?P<country>[^\d()]{2,50}?) ?[(:\u2013-]? ?)?(?P<tier>tier (?:[123])(?:[ (:-]*watch ?list)?|special case)\)?", re.IGNORECASE
)
_FOOTER = re.compile(r"(?:associated|related) documents", re.IGNORECASE)
_BULLET = re.compile(r"(?:[\u2022\u25cf\u25aa\u2023*\u2013\u2014-]|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)])\s+")

_LONG_LINE = 200  # a line longer than this is a paragraph by itself; shorter ones may be hard-wrapped text
_CLOSED = re.compile(r"[.!?:;][\"'\u201d\u2019)\]]*$")

# Where sentencex cuts and should not: after these when the next piece begins as given.
_BEFORE_DIGIT = re.compile(r"\b(?:para|paras|approx|incl|ca|art|arts|sec|secs|no|nos|nr|p|pp|ch|vol|cf|fig|ann)\.$", re.IGNORECASE)
_BEFORE_LOWER = re.compile(r"\b(?:approx|incl|para|paras|est|etc|cf|int|vs|al|e\.g|i\.e|dept)\.$", re.IGNORECASE)
_BEFORE_NAME = re.compile(r"\b(?:Ft|St|Mt|Lt|Col|Gen|Sgt|Capt|Maj|Gov|Sen|Rep|Hon|Fr|Rev|Messrs|Drs|Adm|Cmdr|Insp|Supt|Amb)\.$")
_INITIAL = re.compile(r"(?:^|[\s(])[A-Z]\.$")
_NUMERAL = re.compile(r"^\(?(?:[ivxIVX]{1,5}|\d{1,3}|[A-Za-z])[.)]$")
# Where it does not cut and should: after a footnote mark, and after a sentence in parentheses.
_MISSED = re.compile(r"[a-z)\u201d\"]\.\d{1,3}(?=\s+[A-Z\u201c\"])|[.!?][)\]](?=\s+[A-Z\u201c])")
_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class _Paragraph:
    start: int
    end: int
    section: str | None


def segment(document: Document) -> Document:
    """Return the document with its passages and with what its header says (title, country, year, tier).

    Nothing is lost but white space, headings and furniture; offsets point into ``document.text``.
    """
    text = document.text
    header, paragraphs = _paragraphs(text)
    passages: list[Passage] = []
    for number, paragraph in enumerate(paragraphs, 1):
        for start, end in _pieces(text, paragraph):
            passages.append(
                Passage(
                    text=text[start:end],
                    id=f"{document.name}-{len(passages) + 1:04d}",
                    document=document.name,
                    section=paragraph.section,
                    paragraph=number,
                    start=start,
                    end=end,
                )
            )
    known = {key: value for key, value in header.items() if value is not None and getattr(document, key) is None}
    return replace(document, passages=tuple(passages), **known)  # type: ignore[arg-type]


def _paragraphs(text: str) -> tuple[dict[str, str | int | None], list[_Paragraph]]:
    """Cut the text into paragraphs, each under its section; return what the header says beside them."""
    header: dict[str, str | int | None] = {"title": None, "country": None, "year": None, "tier": None}
    found: list[_Paragraph] = []
    section: str | None = None
    open_lines: list[tuple[int, int]] = []

    def close() -> None:
        if open_lines:
            start, end = open_lines[0][0], open_lines[-1][1]
            found.append(_Paragraph(start, end, section))
            open_lines.clear()

    for start, end in _lines(text):
        line = text[start:end]
        if not line:
            close()
        elif _FOOTER.fullmatch(line):
            break
        elif not found and not open_lines and _is_header(line, header):
            continue
        elif heading := _HEADING.fullmatch(line.rstrip(":").rstrip()):
            close()
            section = list(SECTIONS)[int((heading.lastgroup or "s0")[1:])]
        else:
            if inline := _INLINE_HEADING.match(line):
                close()
                section = RECOMMENDATIONS
                start += inline.end()
            if open_lines and _starts_paragraph(text, open_lines, start, end):
                close()
            open_lines.append((start, end))
    close()
    if any(paragraph.section for paragraph in found):
        found = [paragraph if paragraph.section else replace(paragraph, section=INTRODUCTION) for paragraph in found]
    return header, found


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each line, without the white space around it; an empty range for a blank line."""
    for match in re.finditer(r"[^\n]*\n?", text):
        line = match.group()
        start = match.start() + len(line) - len(line.lstrip())
        yield start, max(start, match.start() + len(line.rstrip()))


def _is_header(line: str, header: dict[str, str | int | None]) -> bool:
    """Tell whether the line is an archive's title or a tier, and keep what it says."""
    if title := _TITLE.fullmatch(line):
        year = title["y1"] or title["y2"]
        header.update(title=line, country=title["country"] or header["country"], year=int(year) if year else None)
        return True
    if tier := _TIER.fullmatch(line):
        header.update(tier=tier["tier"], country=header["country"] or tier["country"])
        return True
    return False


def _starts_paragraph(text: str, open_lines: list[tuple[int, int]], start: int, end: int) -> bool:
    """Tell whether a line begins a paragraph or goes on with the hard-wrapped one above it."""
    above_start, above_end = open_lines[-1]
    if above_end - above_start > _LONG_LINE or end - start > _LONG_LINE or _BULLET.match(text, start, end):
        return True
    short = above_end - above_start < 0.8 * max(b - a for a, b in [*open_lines, (start, end)])
    return short and bool(_CLOSED.search(text, above_start, above_end)) and not text[start].islower()


def _pieces(text: str, paragraph: _Paragraph) -> Iterator[tuple[int, int]]:
    """Yield start and end of a paragraph's passages."""
    for start, end in _sentences(text, paragraph.start, paragraph.end):
        cuts = _semicolons(text, start, end)
        if len(cuts) < 2 and paragraph.section != RECOMMENDATIONS:
            cuts = []
        for left, right in zip([start, *cuts], [*cuts, end], strict=True):
            piece = text[left:right]
            left += len(piece) - len(piece.lstrip())
            yield left, left + len(piece.strip())


def _sentences(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cut ``text[start:end]`` into sentences: sentencex, then our own mending."""
    # Same length, but safe for sentencex: line breaks would end its paragraphs, and lone surrogates are not UTF-8.
    clean = re.sub(r"\s|[\ud800-\udfff]", lambda m: " " if m.group().isspace() else "?", text[start:end])
    cuts = [boundary["end_index"] for boundary in sentencex.get_sentence_boundaries("en", clean)]
    cuts += [match.end() for match in _MISSED.finditer(clean)]
    cuts = sorted({cut for cut in cuts if 0 < cut < len(clean)} | {len(clean)})
    sentences: list[tuple[int, int]] = []
    left, depth, quoted = 0, 0, 0
    for right in cuts:
        piece = clean[left:right].strip()
        last = clean[sentences[-1][0] : sentences[-1][1]].strip() if sentences else ""
        joined = bool(sentences) and (_belongs(last, piece) or ((depth > 0 or quoted > 0) and len(last) < 600))
        if not piece:
            left = right
            continue
        if joined:
            sentences[-1] = (sentences[-1][0], right)
        else:
            sentences.append((left, right))
            depth = quoted = 0
        rest = clean[right : right + 600]
        depth += piece.count("(") - piece.count(")")
        quoted += piece.count("\u201c") - piece.count("\u201d")
        # An opened parenthesis or quotation holds the sentence together only if it is closed soon after.
        depth = depth if ")" in rest else 0
        quoted = quoted if "\u201d" in rest else 0
        left = right
    trimmed = []
    for left, right in sentences:
        piece = clean[left:right]
        left += len(piece) - len(piece.lstrip())
        trimmed.append((start + left, start + left + len(piece.strip())))
    return trimmed


def _belongs(last: str, piece: str) -> bool:
    """Tell whether ``piece`` goes on with the sentence ``last`` that sentencex cut before it."""
    if not piece:
        return False
    if not _WORD.search(piece) or _NUMERAL.match(last):
        return True
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
