"""Which words decided: what each token adds to a theme's score, joined into spans, for whole batches of texts at once.

A feature's part of the log-odds is shared equally among the places where it stands, and there between its tokens. Tokens that add
at least a quarter of what the strongest one adds are evidence; neighbours make one span.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.features import Features, Occurrences, Weights, Words
from tagger.tags import Int, Spans

Floats = NDArray[np.float64]

_SPANS = 6  # at most so many spans of evidence a theme
_SHARE = 0.25  # a token is evidence if it adds at least this share of what the strongest one adds


def find_spans(features: Features, weights: Weights, texts: Sequence[str], wanted: NDArray[np.bool_]) -> Spans:
    """Find what decided, for each text and each theme that is ``wanted`` (n, themes)."""
    words, found = features.occurrences(texts)
    pairs = _Pairs(words, wanted)
    square = np.zeros(len(texts))
    for kind in found:
        weight = features.settings.weights[kind.kind]
        times, distinct = _times(kind, len(texts), (features.settings.columns - 1).bit_length())
        square += weight**2 * distinct
        pairs.add(kind, weights.columns, weight if times is None else weight / times)
    settings = features.settings
    return pairs.spans(settings.scale / np.maximum(square ** (settings.norm / 2), 1e-12))


def _times(found: Occurrences, texts: int, bits: int) -> tuple[Floats | None, Int]:
    """How often the feature of each occurrence stands in its text, None if all stand once; and how many different ones a text has."""
    count = len(found.row)
    distinct = np.bincount(found.row, minlength=texts)
    # One number says text, feature and place, so that sorting plain numbers, which is fast, brings equal features together.
    shift = count.bit_length()
    ranked = np.sort((found.row << bits | found.column) << shift | np.arange(count))
    again = np.flatnonzero((ranked[1:] ^ ranked[:-1]) < 1 << shift)  # the next one is the same feature
    if not len(again):
        return None, distinct
    opens = np.flatnonzero(np.diff(again, prepend=-2) > 1)
    sizes = np.diff(opens, append=len(again)) + 1
    members = np.repeat(again[opens] - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
    place = ranked[members] & ((1 << shift) - 1)
    times = np.ones(count)
    times[place] = np.repeat(sizes, sizes)
    return times, distinct - np.bincount(found.row[ranked[again] & ((1 << shift) - 1)], minlength=texts)


class _Pairs:
    """Pairs of a text and a theme, each with a sum for every token of the text."""

    def __init__(self, words: Words, wanted: NDArray[np.bool_]) -> None:
        self.row, self.theme = np.nonzero(wanted)
        self.words = words
        rows = np.arange(len(wanted))
        left, right = np.searchsorted(words.row, rows), np.searchsorted(words.row, rows, side="right")
        self.size = (right - left)[self.row]
        self.border = np.cumsum(self.size) - self.size  # where the sums of a pair begin
        self.shift = self.border - left[self.row]  # from a token to its sum
        self.sums = np.zeros(self.size.sum())
        # The first pairs of all texts, then the second ones of those that have two, and so on.
        rank = np.arange(len(self.row)) - np.searchsorted(self.row, self.row)
        self.layers = [self._layer(np.flatnonzero(rank == layer), len(wanted)) for layer in range(rank.max(initial=-1) + 1)]

    def _layer(self, pairs: Int, texts: int) -> Int:
        """The pair of each text, or -1."""
        pair = np.full(texts, -1)
        pair[self.row[pairs]] = pairs
        return pair

    def add(self, found: Occurrences, table: NDArray[np.float32], weight: float | Floats) -> None:
        """Add what the occurrences of a kind of feature add, in the ``table`` of columns, times ``weight``."""
        flat, place = table.ravel(), found.column * table.shape[1]
        for layer in self.layers:
            pair = layer.take(found.row)
            some: Any = slice(None)
            if (layer < 0).any():
                some = np.flatnonzero(pair >= 0)
                pair = pair.take(some)
            adds = flat.take(place[some] + self.theme.take(pair)) * (weight if isinstance(weight, float) else weight[some])
            shift = self.shift.take(pair)
            if found.first is found.second:
                self.sums += np.bincount(shift + found.first[some], adds, len(self.sums))
                continue
            adds /= 2
            self.sums += np.bincount(shift + found.first[some], adds, len(self.sums))
            self.sums += np.bincount(shift + found.second[some], adds, len(self.sums))

    def spans(self, factor: Floats) -> Spans:
        """Join the tokens of each pair that add most; ``factor`` is what the sums of a text are multiplied by."""
        full = np.flatnonzero(self.size)
        border, size = self.border[full], self.size[full]
        best = np.maximum.reduceat(self.sums, border) if len(full) else np.zeros(0)
        least = np.repeat(np.where(best > 0, _SHARE * best, np.inf), size)
        chosen = np.flatnonzero(self.sums >= least)
        pair = np.repeat(full, size)[chosen]
        opens = np.flatnonzero((np.diff(chosen, prepend=-2) > 1) | (np.diff(pair, prepend=-1) > 0))
        closes = np.append(opens[1:], len(chosen)) - 1
        owner = pair[opens]
        weight = np.add.reduceat(self.sums[chosen], opens) if len(opens) else np.zeros(0)
        weight = np.round(weight * factor[self.row[owner]], 4)
        order = np.lexsort((-weight, owner))
        count = np.bincount(owner, minlength=len(self.row))
        within = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)
        order = order[within < _SPANS]
        first, last = chosen[opens[order]], chosen[closes[order]]
        shift = self.shift[owner[order]]
        return Spans(
            self.row,
            self.theme,
            np.minimum(count, _SPANS),
            self.words.start[first - shift],
            self.words.end[last - shift],
            weight[order],
        )
