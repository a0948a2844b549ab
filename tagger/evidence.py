"""Which words decided: what each token adds to a theme's score, joined into spans, for whole batches of texts at once.

A feature's part of the log-odds is shared equally among the places where it stands, and there between its tokens. Tokens that add
at least a quarter of what the strongest one adds are evidence; neighbours make one span.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagger.features import Features, Occurrences, Weights, Words
from tagger.tags import Int, Spans

Floats = NDArray[np.float64]

_AT_ONCE = 320  # texts: a processor's cache holds what is added up
_PAIRS = 1 << 20  # of classes in these texts: each takes about 100 bytes
_SPANS = 6  # at most so many spans of evidence a theme
_SHARE = 0.25  # a token is evidence if it adds at least this share of what the strongest one adds
_NONE = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)


def find_spans(features: Features, weights: Weights, texts: Sequence[str], wanted: NDArray[np.bool_]) -> Spans:
    """Find what decided, for each text and each theme that is ``wanted`` (n, themes)."""
    row, theme = np.nonzero(wanted)
    batches = [slice(start, start + _AT_ONCE) for start in range(0, len(row), _AT_ONCE)]
    found = [_some(features, weights, [texts[place] for place in row[some].tolist()], theme[some]) for some in batches] or [_NONE]
    return Spans(row, theme, *(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _some(features: Features, weights: Weights, texts: Sequence[str], themes: Int) -> tuple[Int, Int, Int, Floats]:
    """Find what decided on one theme in each text: how many spans, where they start and end, and what they add."""
    tokens, members = features.read(texts)
    if len(texts) > 1 and features.pairs(tokens, members) > _PAIRS:
        half = len(texts) // 2
        parts = (_some(features, weights, texts[some], themes[some]) for some in (slice(half), slice(half, None)))
        count, start, end, adds = (np.concatenate(part) for part in zip(*parts, strict=True))
        return count, start, end, adds
    words, found = features.occurrences(tokens, members)
    settings, table = features.settings, weights.columns.ravel()
    sums, square = np.zeros(len(words.row)), np.zeros(len(texts))
    for kinds in found:
        times, distinct = _times(kinds, len(texts), (settings.columns - 1).bit_length())
        square += kinds.weight**2 * distinct
        adds = table.take(kinds.column * weights.columns.shape[1] + themes.take(kinds.row)) * (kinds.weight / 2 / times)
        for token in (kinds.first, kinds.second):
            sums += np.bincount(token, adds, len(sums))
    return _joined(words, sums, settings.scale / np.maximum(square ** (settings.norm / 2), 1e-12))


def _times(found: Occurrences, texts: int, bits: int) -> tuple[Floats | float, Int]:
    """How often the feature of each occurrence stands in its text, 1 if all stand once; and how many different ones each text has."""
    count = len(found.row)
    # One number says text, feature and place, so that sorting plain numbers, which is fast, brings equal features together.
    shift = count.bit_length()
    ranked = found.row << bits
    ranked |= found.column
    ranked <<= shift
    ranked |= np.arange(count)
    ranked.sort()
    distinct = np.diff(np.searchsorted(ranked, np.arange(texts + 1) << (bits + shift)))
    again = np.flatnonzero((ranked[1:] ^ ranked[:-1]) < 1 << shift)  # the next one is the same feature
    if not len(again):
        return 1.0, distinct
    opens = np.flatnonzero(np.diff(again, prepend=-2) > 1)
    sizes = np.diff(opens, append=len(again)) + 1
    members = np.repeat(again[opens] - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
    place = ranked & ((1 << shift) - 1)
    times = np.ones(count)
    times[place[members]] = np.repeat(sizes, sizes)
    return times, distinct - np.bincount(found.row[place[again]], minlength=texts)


def _joined(words: Words, sums: Floats, factor: Floats) -> tuple[Int, Int, Int, Floats]:
    """Join the tokens of each text that add most; ``factor`` is what the sums of a text are multiplied by."""
    opens = np.flatnonzero(np.diff(words.row, prepend=-1))
    best = np.maximum.reduceat(sums, opens) if len(opens) else sums
    size = np.diff(opens, append=len(sums))
    chosen = np.flatnonzero(sums >= np.repeat(np.where(best > 0, _SHARE * best, np.inf), size))
    row = words.row[chosen]
    first = np.flatnonzero((np.diff(chosen, prepend=-2) > 1) | (np.diff(row, prepend=-1) > 0))
    last = np.append(first[1:], len(chosen)) - 1
    row = row[first]
    weight = np.round((np.add.reduceat(sums[chosen], first) if len(first) else np.zeros(0)) * factor[row], 4)
    order = np.lexsort((-weight, row))
    count = np.bincount(row, minlength=len(factor))
    order = order[np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count) < _SPANS]
    first, last = chosen[first[order]], chosen[last[order]]
    return np.minimum(count, _SPANS), words.start[first], words.end[last], weight[order]
