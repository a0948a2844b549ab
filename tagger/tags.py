"""Tagged passages as columns: what stages hand on of thousands at once, without an object for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress, islice
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from tagger.passages import Passages
from tagger.records import Span, Tagged

Int = NDArray[np.int64]


@dataclass(frozen=True)
class Spans:
    """Spans of evidence of several texts, in order of their pairs (a text and a theme); those of one pair strongest first.

    Attributes
    ----------
    row, theme : (pairs,) the texts and themes that evidence was wanted for, in order
    count : (pairs,) how many spans each has
    start, end : (spans,) characters of the text
    weight : (spans,) what the span adds to the log-odds
    """

    row: Int
    theme: Int
    count: Int
    start: Int
    end: Int
    weight: NDArray[np.float64]

    def between(self, first: int, last: int) -> Spans:
        """Those of the texts from ``first`` up to ``last``, which are counted from there."""
        left, right = np.searchsorted(self.row, (first, last)).tolist()
        start = int(self.count[:left].sum())
        some = slice(start, start + int(self.count[left:right].sum()))
        pairs = slice(left, right)
        return Spans(self.row[pairs] - first, self.theme[pairs], self.count[pairs], self.start[some], self.end[some], self.weight[some])

    def records(self, themes: Sequence[str], texts: int) -> list[dict[str, tuple[Span, ...]]]:
        """The spans of each text, by the name of their theme."""
        made = map(Span, self.start.tolist(), self.end.tolist(), self.weight.tolist())
        result: list[dict[str, tuple[Span, ...]]] = [{} for _ in range(texts)]
        for row, theme, count in zip(self.row.tolist(), self.theme.tolist(), self.count.tolist(), strict=True):
            result[row][themes[theme]] = tuple(islice(made, count))
        return result


@dataclass(frozen=True, eq=False)
class Tags(Sequence[Tagged]):
    """A sequence of `Tagged` that makes them when they are asked for.

    Attributes
    ----------
    themes : names of the themes, in column order
    passages : (n,) what was tagged
    scores : (n, themes) calibrated probabilities
    labelled, review : (n, themes) whether the score reaches the threshold, and whether it lies in the review band
    spans : evidence of the themes that are labelled
    """

    themes: tuple[str, ...]
    passages: Passages
    scores: NDArray[np.float32]
    labelled: NDArray[np.bool_]
    review: NDArray[np.bool_]
    spans: Spans

    def __len__(self) -> int:
        return len(self.passages)

    @overload
    def __getitem__(self, place: int) -> Tagged: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Tagged]: ...
    def __getitem__(self, place: int | slice) -> Tagged | Sequence[Tagged]:
        if not isinstance(place, slice) or place.step not in (None, 1):
            return self._items[place]
        first, last, _ = place.indices(len(self))
        columns: dict[str, Any] = {name: getattr(self, name)[first:last] for name in ("passages", "scores", "labelled", "review")}
        return replace(self, spans=self.spans.between(first, max(first, last)), **columns)

    def __iter__(self) -> Iterator[Tagged]:
        return iter(self._items)

    @cached_property
    def _items(self) -> list[Tagged]:
        named = (dict(zip(self.themes, row, strict=True)) for row in self.scores.tolist())
        labels, review = (names(self.themes, chosen) for chosen in (self.labelled, self.review))
        return list(map(Tagged, self.passages, labels, named, self.spans.records(self.themes, len(self)), review))


def names(themes: Sequence[str], chosen: NDArray[np.bool_]) -> list[tuple[str, ...]]:
    """Names of the themes chosen in each row; few combinations occur."""
    keys = np.ascontiguousarray(chosen).view(f"S{len(themes)}").ravel().tolist()  # a byte a theme, 0 or 1
    made = {key: tuple(compress(themes, key)) for key in set(keys)}
    return [made[key] for key in keys]
