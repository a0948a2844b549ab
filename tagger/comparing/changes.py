"""The words that differ between two passages, marked in both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise

from tagger.likeness import WORD

_MOST_CELLS = 1_000_000  # of words times words: what is longer is marked as one changed stretch

Runs = list[tuple[str, bool]]
"""Pieces of a text, in order, and whether their words are changed."""


def changed(before: str, after: str) -> tuple[Runs, Runs]:
    """Cut both passages into runs that are the same and runs that are not (Ratcliff and Metzener 1988, on whole words).

    Case, punctuation and white space count for nothing.

    >>> changed("Two men were tried.", "Six men were tried, too.")[1]
    [('Six', True), (' men were tried, ', False), ('too', True), ('.', False)]
    """
    spans = [[match.span() for match in WORD.finditer(text)] for text in (before, after)]
    one, other = ([text[start:end].casefold() for start, end in found] for text, found in zip((before, after), spans, strict=True))
    marked: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
    for left, right, low, high in _differing(one, other):
        if left < right:
            marked[0].append((spans[0][left][0], spans[0][right - 1][1]))
        if low < high:
            marked[1].append((spans[1][low][0], spans[1][high - 1][1]))
    return _runs(before, marked[0]), _runs(after, marked[1])


def _differing(one: Sequence[str], other: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Yield stretches of words that are not the same: where they begin and end in the one and in the other."""
    short = min(len(one), len(other))
    first = next((i for i in range(short) if one[i] != other[i]), short)
    last = next((i for i in range(short - first) if one[-1 - i] != other[-1 - i]), short - first)
    left, right = one[first : len(one) - last], other[first : len(other) - last]
    if len(left) * len(right) > _MOST_CELLS:
        yield first, first + len(left), first, first + len(right)
        return
    for kind, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if kind != "equal":
            yield first + a, first + b, first + c, first + d


def _runs(text: str, marked: Sequence[tuple[int, int]]) -> Runs:
    cuts = [0, *(place for span in marked for place in span), len(text)]
    return [(text[start:end], bool(number % 2)) for number, (start, end) in enumerate(pairwise(cuts)) if start < end]
