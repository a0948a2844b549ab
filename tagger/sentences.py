"""Paragraphs -> sentences: sentencex cuts, and its slips on legal abbreviations, initials, footnote marks and parentheses are mended.

Where sentences begin and end is found for many paragraphs at once, in numpy; only where the letters around a cut leave open whether it is
one, and in a paragraph with an opened parenthesis or quotation, is it decided piece by piece.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from string import ascii_lowercase, ascii_uppercase, digits

import numpy as np
import sentencex
from numpy.typing import NDArray

Int = NDArray[np.int64]
Range = tuple[int, int]

# Where sentencex cuts and should not: after these when the next piece begins as given.
_BEFORE_DIGIT = re.compile(r"\b(?:para|paras|approx|incl|ca|art|arts|sec|secs|no|nos|nr|p|pp|ch|vol|cf|fig|ann)\.$", re.IGNORECASE)
_BEFORE_LOWER = re.compile(r"\b(?:approx|incl|para|paras|est|etc|cf|int|vs|al|e\.g|i\.e|dept)\.$", re.IGNORECASE)
_BEFORE_NAME = re.compile(r"\b(?:Ft|St|Mt|Lt|Col|Gen|Sgt|Capt|Maj|Gov|Sen|Rep|Hon|Fr|Rev|Messrs|Drs|Adm|Cmdr|Insp|Supt|Amb)\.$")
_INITIAL = re.compile(r"(?:^|[\s(])[A-Z]\.$")
_NUMERAL = re.compile(r"^\(?(?:[ivxIVX]{1,5}|\d{1,3}|[A-Za-z])[.)]$")
_LONGEST = 8  # characters: no abbreviation and no numeral with its stop is longer
# Where it does not cut and should: after a footnote mark, and after a sentence in parentheses.
_MISSED = re.compile(r"[.!?](?:(?<=[a-z)\u201d\"]\.)\d{1,3}(?=\s+[A-Z\u201c\"])|[)\]](?=\s+[A-Z\u201c]))")
_WORD = re.compile(r"\w")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_SPACES = [character for character in map(chr, range(0x3001)) if character.isspace() and character != " "]
_ASCII_SPACES = [character for character in _SPACES if character.isascii()]
_LAST = 700  # characters of a sentence that tell whether the next piece belongs to it
_PART = 4000  # characters; few paragraphs are as long
_BREAK = re.compile(r"[a-z]{3}[.!?]\s+(?=[A-Z])")
_AT_ONCE = 1 << 17  # characters of paragraphs that are cut at once: what is made of them stays in the cache

_BLANK, _UPPER, _LOWER, _DIGIT, _STOP, _CLOSING, _NESTING = (1 << place for place in range(7))


def _character_kinds() -> NDArray[np.uint8]:
    table = np.zeros(1 << 14, np.uint8)
    for kind, characters in (
        (_BLANK, " "),
        (_UPPER, ascii_uppercase),
        (_LOWER, ascii_lowercase),
        (_DIGIT, digits),
        (_STOP, ".!?"),
        (_CLOSING, ")]"),
        (_NESTING, "()\u201c\u201d"),
    ):
        table[[ord(character) for character in characters]] |= kind
    return table


_KINDS = _character_kinds()


def sentences(text: str, ranges: Sequence[Range]) -> Iterator[tuple[Int, Int, Int]]:
    """Cut the paragraphs of a text, which stand in these ranges, one after the other.

    Yields where sentences begin, where they end, and the numbers of their paragraphs, for some paragraphs at a time.
    """
    first = 0
    for number, (_, end) in enumerate(ranges):
        if end - ranges[first][0] >= _AT_ONCE or number == len(ranges) - 1:
            begin, end_, owner = _cut(text, ranges[first : number + 1])
            yield begin, end_, owner + first
            first = number + 1


def _cut(text: str, ranges: Sequence[Range]) -> tuple[Int, Int, Int]:
    """Cut paragraphs in bulk, but for those that have to be cut piece by piece."""
    shift = ranges[0][0]
    pieces = _Pieces(_even(text[shift : ranges[-1][1]]), np.array(ranges) - shift)
    nested = pieces.nested()
    begin, end, owner = pieces.sentences(~np.isin(pieces.owner, nested))
    if len(nested):
        singly = [(*place, number) for number in nested.tolist() for place in paragraph_sentences(text, *ranges[number])]
        found = np.concatenate([np.stack((begin + shift, end + shift, owner)), np.array(singly).T], axis=1)
        begin, end, owner = found[:, np.argsort(found[0])]
        return begin, end, owner
    return begin + shift, end + shift, owner


class _Pieces:
    """What lies between the cuts of paragraphs: from ``left`` to ``right``, without the white space around it ``begin`` to ``end``."""

    def __init__(self, clean: str, ranges: Int) -> None:
        self.clean = clean
        self.codes = np.frombuffer(clean.encode("utf-32-le"), np.uint32)
        self.kinds = _KINDS.take(self.codes, mode="clip")
        starts, ends = ranges.T
        cuts = [cut for start, end in ranges.tolist() for cut in accumulate(_parts(clean[start:end]), initial=start)]
        cut = np.unique(np.concatenate([cuts, ends, self._missed()]))
        number = np.searchsorted(starts, cut) - 1  # of the paragraph that the piece before the cut lies in
        inside = np.flatnonzero((number >= 0) & (cut <= ends[number]))
        right, number = cut[inside], number[inside]
        left = np.maximum(np.append(0, right[:-1]), starts[number])
        solid = np.flatnonzero(self.kinds != _BLANK)
        first, last = np.searchsorted(solid, left), np.searchsorted(solid, right) - 1
        full = np.flatnonzero(first <= last)
        self.left, self.right, self.owner = left[full], right[full], number[full]
        self.begin, self.end = solid[first[full]], solid[last[full]] + 1

    def _missed(self) -> Int:
        """Where sentencex should have cut."""
        places = np.flatnonzero((self.kinds[:-1] & _STOP > 0) & (self.kinds[1:] & (_DIGIT | _CLOSING) > 0))
        found = (_MISSED.match(self.clean, place) for place in places.tolist())
        return np.array([match.end() for match in found if match], np.int64)

    def nested(self) -> Int:
        """Return the paragraphs with a piece in which more parentheses or quotations are opened than closed."""
        place = np.flatnonzero((self.kinds & _NESTING) != 0)
        piece = np.searchsorted(self.end, place, side="right")
        inside = place >= np.append(self.begin, len(self.clean))[piece]  # not in what stands between paragraphs
        piece, code = piece[inside], self.codes[place[inside]]
        more = np.where((code == ord("(")) | (code == ord("\u201c")), 1, -1)
        quotes = code > ord(")")
        opened = [np.bincount(piece, more * some, len(self.owner)) > 0 for some in (quotes, ~quotes)]
        paragraphs: Int = np.unique(self.owner[opened[0] | opened[1]])
        return paragraphs

    def sentences(self, some: NDArray[np.bool_]) -> tuple[Int, Int, Int]:
        """Join pieces that are no sentences of their own; of ``some``, which are all those of their paragraphs."""
        joined = self._joined(self._doubtful(some))
        kept = np.flatnonzero(some)
        opens = np.flatnonzero(~joined[kept])
        closes = np.append(opens[1:], len(kept)) - 1 if len(opens) else opens
        return self.begin[kept[opens]], self.end[kept[closes]], self.owner[kept[opens]]

    def _doubtful(self, some: NDArray[np.bool_]) -> Int:
        """Return the pieces that may belong to the sentence before them; that this can't miss one makes `_belongs` rare."""
        piece = np.flatnonzero(some & (np.diff(self.owner, prepend=-1) == 0))
        before = self.end[piece - 1]
        window = self.kinds[np.maximum(before[:, None] - np.arange(2, _LONGEST + 1), 0)]
        initial = self.kinds[self.begin[piece]]
        abbreviated = self.codes[before - 1] == ord(".")
        abbreviated &= (window & (_UPPER | _LOWER) == 0).any(axis=1)  # the last word is short
        abbreviated &= (initial & (_DIGIT | _LOWER) > 0) | (window & _UPPER > 0).any(axis=1)
        short = before - self.begin[piece - 1] <= _LONGEST
        doubtful: Int = piece[abbreviated | short | (initial & (_DIGIT | _LOWER | _UPPER) == 0)]
        return doubtful

    def _joined(self, doubtful: Int) -> NDArray[np.bool_]:
        heads: dict[int, int] = {}  # of each piece that is joined, the first one of its sentence
        for piece in doubtful.tolist():
            head, until = heads.get(piece - 1, piece - 1), int(self.right[piece - 1])
            last = self.clean[max(int(self.left[head]), until - _LAST) : until].strip()
            if _belongs(last, self.clean[self.begin[piece] : self.end[piece]]):
                heads[piece] = head
        joined = np.zeros(len(self.owner), bool)
        joined[list(heads)] = True
        return joined


def bare(text: str, start: int, end: int) -> tuple[int, int]:
    """Start and end without the white space around."""
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    return start, max(start, start + len(piece.strip()))


def paragraph_sentences(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cut ``text[start:end]`` into sentences: sentencex, then our own mending."""
    clean = _even(text[start:end])
    found = {*accumulate(_parts(clean)), *(match.end() for match in _MISSED.finditer(clean)), len(clean)}
    cuts = sorted(cut for cut in found if 0 < cut <= len(clean))
    held = any(map(clean.__contains__, "()\u201c\u201d"))
    sentences: list[tuple[int, int]] = []  # without the white space around them
    first = until = left = depth = quoted = 0  # the last sentence goes from first to until, the next piece begins at left
    for right in cuts:
        begin, end = bare(clean, left, right)
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
    for space in _ASCII_SPACES if text.isascii() else _SPACES:
        if space in text:
            text = text.replace(space, " ")
    try:
        text.isascii() or text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("?", text)
    return text


def _parts(text: str) -> Iterable[int]:
    """Lengths of what sentencex cuts a text into; a long one in parts, as its time is quadratic in quotation marks without an end."""
    return map(len, sentencex.segment("en", text)) if len(text) <= _PART else _parts_of_long(text)


def _parts_of_long(text: str) -> Iterator[int]:
    start = left = 0
    while start < len(text):
        end = min(len(text), start + _PART)
        if end < len(text):
            breaks = [match.end() for match in _BREAK.finditer(text, start + _PART // 2, end)]
            end = breaks[-1] if breaks else max(text.rfind(" ", start + _PART // 2, end) + 1, 0) or end
        for cut in accumulate(map(len, sentencex.segment("en", text[start:end])), initial=start):
            if cut > start and (cut < end or end == len(text) or breaks):
                yield cut - left
                left = cut
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
