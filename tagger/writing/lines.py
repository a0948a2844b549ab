"""JSON lines of thousands of passages at once, without an object for each number or span.

Numbers are written digit by digit, for all passages together, into a matrix of bytes with a row for each. What shorter ones leave free is
filled with NUL bytes, which are taken away when the rows are cut apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from json.encoder import encode_basestring as quoted

import numpy as np
from numpy.typing import NDArray

from tagger.passages import Passages
from tagger.tags import Int, Spans, Tags, names

Block = NDArray[np.uint8]

_SPLIT = "\x7f"  # texts that were read have none
_BLANK = ord(" ")  # JSON has escapes for what comes before it
_SMALL = 100  # Python writes fewer millionths as 1e-06
_LARGE = 1e9
_ZERO = ord("0")


def json_lines(tags: Tags) -> bytes:
    """The lines of all passages: what `json` makes of `tagged_to_json`."""
    if not tags:
        return b""
    passages, opening = tags.passages, b'{"id": "'
    columns = (
        _escaped(passages.id),
        _places(passages),
        [b'%d, "end": %d, "text": "' % where for where in zip(passages.start, passages.end, strict=True)],
        _escaped(passages.text),
        _lists(tags.themes, tags.labelled, b'", "labels": %b, "scores": {'),
        _scores(tags.themes, tags.scores),
        _evidence(tags.themes, tags.spans, len(tags)),
        _lists(tags.themes, tags.review, b'}, "review": %b}\n' + opening),
    )
    pieces = [b""] * (len(columns) * len(tags))
    for place, column in enumerate(columns):
        pieces[place :: len(columns)] = column
    return b"".join([opening, *pieces])[: -len(opening)]


def place_of(document: str, section: str | None, page: int | None, paragraph: int | None) -> str:
    """The fields of a line that say where its passage stands."""
    where = "null" if section is None else quoted(section)
    page_, paragraph_ = ("null" if number is None else number for number in (page, paragraph))
    return f'"document": {quoted(document)}, "section": {where}, "page": {page_}, "paragraph": {paragraph_}'


def listed(themes: Sequence[str]) -> str:
    """A list of names."""
    return f"[{', '.join(map(quoted, themes))}]"


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _escaped(texts: Sequence[str]) -> list[bytes]:
    """What stands between the quotation marks of each text."""
    joined = _utf8(_SPLIT.join(texts))
    split = _SPLIT.encode()
    if joined.count(split) >= len(texts) or np.frombuffer(joined, np.uint8).min(initial=_BLANK) < _BLANK:
        return [_utf8(quoted(text)[1:-1]) for text in texts]
    return joined.replace(b"\\", b"\\\\").replace(b'"', b'\\"').split(split)


def _places(passages: Passages) -> list[bytes]:
    """Where each passage stands; several of a paragraph follow each other."""
    known, made, found = None, b"", []
    for place in zip(passages.document, passages.section, passages.page, passages.paragraph, strict=True):
        if place != known:
            known, made = place, _utf8(f'", {place_of(*place)}, "start": ')
        found.append(made)
    return found


def _lists(themes: Sequence[str], chosen: NDArray[np.bool_], around: bytes) -> list[bytes]:
    """The list of each row's names, with what stands ``around`` it; few combinations occur."""
    found = names(themes, chosen)
    made = {combination: around % _utf8(listed(combination)) for combination in set(found)}
    return [made[combination] for combination in found]


def _scores(themes: Sequence[str], scores: NDArray[np.float32]) -> list[bytes]:
    """The scores of each row, by the names of their themes."""
    numbers = _decimals(scores.ravel().astype(np.float64), 6).reshape(*scores.shape, -1)
    parts: list[Block | str] = []
    for place, theme in enumerate(themes):
        parts += [f"{', ' if parts else ''}{quoted(theme)}: ", numbers[:, place]]
    return _rows(len(scores), *parts, '}, "evidence": {\n')


def _evidence(themes: Sequence[str], spans: Spans, texts: int) -> list[bytes]:
    """The evidence of each text; a row of bytes is a span, or a theme without any."""
    sizes = np.maximum(spans.count, 1)
    pair = np.repeat(np.arange(len(sizes)), sizes)
    opens, closes = _borders(pair)
    first, last = _borders(spans.row[pair])
    span = _matrix(
        len(spans.start),
        '{"start": ',
        _digits(spans.start),
        ', "end": ',
        _digits(spans.end),
        ', "weight": ',
        _decimals(spans.weight, 4),
        "}",
    )
    there = np.zeros((len(pair), span.shape[1]), np.uint8)
    there[np.repeat(spans.count > 0, sizes)] = span
    heads = _padded([f"{quoted(theme)}: [" for theme in themes])[spans.theme[pair]]
    made = np.full(texts, b"", object)
    made[spans.row[pair[last]]] = _rows(
        len(pair), _only(~first, ", "), heads * opens[:, None], there, _only(closes, "]"), _only(last, "\n")
    )
    return list(made)


def _borders(values: Int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each is the first, and the last, of those that are alike."""
    return np.diff(values, prepend=-1) != 0, np.diff(values, append=-1) != 0


def _only(where: NDArray[np.bool_], text: str) -> Block:
    return where[:, None].view(np.uint8) * np.frombuffer(_utf8(text), np.uint8)


def _padded(texts: Sequence[str]) -> Block:
    """Texts of different lengths, a row each."""
    return np.array(list(map(_utf8, texts))).view(np.uint8).reshape(len(texts), -1)


def _digits(values: Int) -> Block:
    """Whole numbers from 0 on."""
    block, rest = np.zeros((len(values), len(str(values.max(initial=0)))), np.uint8), values
    for place in range(block.shape[1] - 1, -1, -1):
        left = rest // 10
        shown = (rest > 0) | (place == block.shape[1] - 1)  # no zeros before the number, but the last
        block[:, place] = np.where(shown, rest - 10 * left + _ZERO, 0)
        rest = left
    return block


def _decimals(values: NDArray[np.float64], places: int) -> Block:
    """Numbers from 0 on, rounded to an even number of places, as `repr` writes them."""
    if not values.max(initial=0) < _LARGE:
        return _padded([repr(round(value, places)) for value in values.tolist()])
    scaled = np.rint(values * 10**places).astype(np.int64)
    whole, rest = np.divmod(scaled, 10**places)
    upper, lower = np.divmod(rest, 10 ** (places // 2))
    uppers, lowers, small = _tables(places)
    upper += (lower > 0) * len(lowers)
    block = _matrix(len(values), _digits(whole), ".", uppers[upper], lowers[lower])
    few = np.flatnonzero(scaled < _SMALL)
    block[few] = 0
    block[few, : small.shape[1]] = small[scaled[few]]
    return block


@lru_cache(maxsize=2)
def _tables(places: int) -> tuple[Block, Block, Block]:
    """Digits of a fraction by the number that each half of them makes, and what `repr` writes of the smallest fractions.

    Of the first half there is each number twice, before a second half of zeros and before another: no zeros are written after a
    fraction, but the first.
    """
    size = places // 2
    full = [f"{number:0{size}d}" for number in range(10**size)]
    bare = [digits.rstrip("0") for digits in full]
    return _padded(["0", *bare[1:], *full]), _padded(bare), _padded([repr(number / 10**places) for number in range(_SMALL)])


def _matrix(count: int, *parts: Block | str) -> Block:
    """Put parts of all rows beside each other."""
    blocks = [
        np.broadcast_to(np.frombuffer(_utf8(part), np.uint8), (count, len(_utf8(part)))) if isinstance(part, str) else part
        for part in parts
    ]
    return np.concatenate(blocks, axis=1)


def _rows(count: int, *parts: Block | str) -> list[bytes]:
    """Put parts beside each other, and cut apart what ends with a line."""
    return _matrix(count, *parts).tobytes().translate(None, b"\0").split(b"\n")[:-1]
