"""Which passage of one report became which of another: unchanged, reworded, dropped, new; and what has moved.

Passages of the same words are each other's. Of the others, those most alike are paired first, each passage once, down to `ALIKE`. That
greedy rule pairs what is each other's best; how it does beside the assignment with the highest sum stands in ``experiments/comparing``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tagger.errors import InputError
from tagger.likeness import cosines, words

ALIKE = 0.3
"""The least cosine of two passages that are said to be one, reworded."""
MOST_PASSAGES = 10_000
_CANDIDATES = 10  # of a passage, those most like it
_NEAR = 0.02  # what standing at the same part of the report adds to a cosine: it decides between equals


class Change(StrEnum):
    """What happened to a passage between two reports."""

    NEW = "new"
    DROPPED = "dropped"
    REWORDED = "reworded"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Match:
    """A passage of the earlier report and the one it became in the later, by their rows; None where there is none."""

    change: Change
    before: int | None
    after: int | None
    similarity: float = 0.0
    moved: bool = False
    """Whether it stands elsewhere among the passages that stayed."""


def align(before: Sequence[str], after: Sequence[str]) -> list[Match]:
    """Pair the passages of two reports; in the order of the later one, what was dropped where it stood.

    Raises
    ------
    InputError
        A report has more than `MOST_PASSAGES` passages.

    Examples
    --------
    >>> for match in align(["Two men were tried.", "No shelter was open."], ["One shelter was open.", "Two men were tried."]):
    ...     print(match.change, match.before, match.after, match.moved)
    reworded 1 0 False
    unchanged 0 1 True
    """
    if max(len(before), len(after)) > MOST_PASSAGES:
        raise InputError(f"has {max(len(before), len(after)):,} passages; two reports of at most {MOST_PASSAGES:,} each can be aligned")
    one, other = [list(map(words, texts)) for texts in (before, after)]
    pairs = {a: (b, 1.0) for a, b in _same(one, other)}
    pairs |= _alike(one, other, pairs)
    stayed = set(_longest_rising([pairs[a][0] for a in sorted(pairs)]))
    matches = {
        a: Match(Change.UNCHANGED if one[a] == other[b] else Change.REWORDED, a, b, similarity, b not in stayed)
        for a, (b, similarity) in pairs.items()
    }
    return list(_in_order(len(one), len(other), matches))


def _same(one: Sequence[tuple[str, ...]], other: Sequence[tuple[str, ...]]) -> Iterator[tuple[int, int]]:
    """Pair passages of the same words: the first of several with the first, and so on."""
    places = defaultdict(list)
    for b in reversed(range(len(other))):
        places[other[b]].append(b)
    for a, key in enumerate(one):
        if places.get(key):
            yield a, places[key].pop()


def _alike(
    one: Sequence[tuple[str, ...]], other: Sequence[tuple[str, ...]], taken: dict[int, tuple[int, float]]
) -> dict[int, tuple[int, float]]:
    """Pair what is left, most alike first."""
    rows = [a for a in range(len(one)) if a not in taken]
    gone = {b for b, _ in taken.values()}
    columns = np.array([b for b in range(len(other)) if b not in gone], np.int64)
    found: list[tuple[float, int, int, float]] = []
    for a, likeness in zip(rows, cosines([one[a] for a in rows], [other[b] for b in columns], [*one, *other]), strict=True):
        near = likeness + _NEAR * (1 - np.abs(columns / len(other) - a / len(one)))
        best = np.argsort(-near, kind="stable")[:_CANDIDATES]
        found += [(-near[i], a, int(columns[i]), float(likeness[i])) for i in best.tolist() if likeness[i] >= ALIKE]
    pairs: dict[int, tuple[int, float]] = {}
    for _, a, b, cosine in sorted(found):
        if a not in pairs and b not in gone:
            pairs[a] = b, cosine
            gone.add(b)
    return pairs


def _longest_rising(values: Sequence[int]) -> list[int]:
    """The longest rising subsequence (Schensted 1961): what has kept its order, so that as few as can be have moved."""
    ends: list[int] = []  # the least last value of a rising run of each length, and its place
    places: list[int] = []
    previous = [-1] * len(values)
    for place, value in enumerate(values):
        length = bisect_left(ends, value)
        previous[place] = places[length - 1] if length else -1
        ends[length : length + 1] = [value]
        places[length : length + 1] = [place]
    found, place = [], places[-1] if places else -1
    while place >= 0:
        found.append(values[place])
        place = previous[place]
    return found[::-1]


def _in_order(before: int, after: int, pairs: Mapping[int, Match]) -> Iterator[Match]:
    """All passages in the order of the later report; what was dropped comes after the passage that it followed and that stayed."""
    dropped: dict[int | None, list[Match]] = defaultdict(list)
    last: int | None = None
    for row in range(before):
        match = pairs.get(row)
        if match is None:
            dropped[last].append(Match(Change.DROPPED, row, None))
        elif not match.moved:
            last = match.after
    became = {match.after: match for match in pairs.values()}
    yield from dropped[None]
    for row in range(after):
        yield became.get(row) or Match(Change.NEW, None, row)
        yield from dropped[row]
