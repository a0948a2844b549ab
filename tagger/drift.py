"""Is a report written in words that the model knows? Where it is not, what the model says of it is worth less.

A word is unknown if its column has no weight: it stood in too few training passages. What share of a report's words is usual is measured
in training, on each document against a model's vocabulary without it. Words share hashed columns, so that about one unknown word in ten
passes for known; that is so for the documents of training, too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.features import Counts, Features
from tagger.model import Model
from tagger.rates import wilson

_LEAST_WORDS, _LEAST_DOCUMENTS = 200, 5  # what training documents must have for their share to say something, and how many such
_MOST = 99  # the percentile of training documents from which a report is far
_SHOWN = 10  # passages
_LEAST_UNKNOWN = 3  # words of a passage that is shown: two are a name


@dataclass(frozen=True, slots=True)
class Strange:
    """A passage, by its row, with words that the model does not know: how many, of how many, and where they stand."""

    row: int
    unknown: int
    words: int
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """How many words of a report the model does not know, and what is usual: the median and nearly the most of training documents.

    ``usual`` and ``most`` are not a number where the model's card does not tell them. ``passages`` are those with more unknown words than
    chance puts into one, strangest first: they show why a report is far, or which part of another is of a strange kind.
    """

    unknown: int
    words: int
    usual: float
    most: float
    passages: tuple[Strange, ...]

    @property
    def share(self) -> float:
        """The share of unknown words."""
        return self.unknown / self.words if self.words else 0.0

    @property
    def far(self) -> bool:
        """Whether the report is far from what the model was trained on, beyond what its few words may be by chance."""
        return bool(self.words) and wilson(self.share, self.words)[0] > self.most


def measure(model: Model, texts: Sequence[str]) -> Drift:
    """Count the words of a report's passages that the model does not know."""
    found, column = model.features.words(texts)
    known = np.isin(column, model.columns)
    words = np.bincount(found.row, minlength=len(texts))
    unknown = np.bincount(found.row[~known], minlength=len(texts))
    usual, most = _reference(model.card)
    rows = np.flatnonzero(unknown >= _LEAST_UNKNOWN).tolist()
    far = [row for row in rows if wilson(unknown[row] / words[row], words[row])[0] > most]
    far.sort(key=lambda row: unknown[row] - words[row] * most, reverse=True)
    strange = []
    for row in far[:_SHOWN]:  # only these: looking up where a passage's words stand goes through all words of the report
        tokens = np.flatnonzero((found.row == row) & ~known)
        spans = tuple(zip(found.start[tokens].tolist(), found.end[tokens].tolist(), strict=True))
        strange.append(Strange(row, int(unknown[row]), int(words[row]), spans))
    return Drift(int(unknown.sum()), int(words.sum()), usual, most, tuple(strange))


def reference(features: Features, texts: Sequence[str], documents: NDArray[Any], counts: Counts, least: int) -> dict[str, Any]:
    """What a model's card says of unknown words: their share in each training document, were the model trained on the others.

    ``documents`` (n,) and ``counts`` are of the n training passages; ``least`` is in how many of them a column must stand to get a weight.
    Nothing is said of a model that counts no words, or that learned from few documents of some length.
    """
    if not features.settings.weights.get("word"):
        return {}
    columns = features.settings.columns
    _, number = np.unique(documents, return_inverse=True)
    found, column = features.words(texts)
    every = np.bincount(counts.indices, minlength=columns)
    keys, copies = np.unique(np.repeat(number, np.diff(counts.indptr)) * columns + counts.indices, return_counts=True)
    own = copies[np.searchsorted(keys, number[found.row] * columns + column)]
    unknown = every[column] - own < least
    words = np.bincount(number[found.row], minlength=1)
    shares = (np.bincount(number[found.row], unknown, len(words)) / np.maximum(words, 1))[words >= _LEAST_WORDS]
    if len(shares) < _LEAST_DOCUMENTS:
        return {}
    usual, most = np.percentile(shares, (50, _MOST))
    return {"documents": len(shares), "unknown_words_usual": round(float(usual), 4), "unknown_words_most": round(float(most), 4)}


def _reference(card: Mapping[str, Any]) -> tuple[float, float]:
    told = card.get("vocabulary")
    try:
        return float(told["unknown_words_usual"]), float(told["unknown_words_most"])  # type: ignore[index]
    except (KeyError, TypeError, ValueError):
        return math.nan, math.nan
