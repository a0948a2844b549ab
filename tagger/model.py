"""Counts -> calibrated scores -> labels, with the words that decided: a linear model over hashed features.

A model is a table of weights, a column a feature and a row a theme, and an intercept a theme; the calibration is folded
into both, so that a score is the logistic function of one sum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.evidence import find_spans
from tagger.features import Features, FeatureSettings, Weights
from tagger.records import Span
from tagger.tags import Spans


@dataclass(frozen=True)
class Model:
    """A linear tagger.

    Attributes
    ----------
    themes : names of the themes, in column order
    settings : what is counted
    columns : (k,) uint32, sorted: the features that have a weight
    weights : (k, themes) float32, in log-odds
    intercepts : (themes,) float64, in log-odds
    thresholds : (themes,) a label is given from this probability on
    review : (themes, 2) between these probabilities a person should look
    card : what else the manifest says: codebook, corpora, metrics, versions
    readme : the model card for people, in Markdown
    learned : (m,) uint64, sorted: short hashes of the passages that it learned from (`tagger.duplicates.hash_words`); none in older models

    Threads may share it: what it makes on first use is the same whoever makes it.
    """

    themes: tuple[str, ...]
    settings: FeatureSettings
    columns: NDArray[np.uint32]
    weights: NDArray[np.float32]
    intercepts: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    review: NDArray[np.float64]
    card: Mapping[str, Any] = field(default_factory=dict)
    readme: str = ""
    learned: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone: what is made of them on first use is large, and another thread may be making it."""
        return {part.name: getattr(self, part.name) for part in fields(self)}

    @cached_property
    def features(self) -> Features:
        """The counter of this model's features; it remembers the words it has seen."""
        return Features(self.settings)

    @cached_property
    def _table(self) -> Weights:
        return self.features.weights(self.columns, self.weights)

    def decision(self, texts: Sequence[str], documents: Sequence[str | None] | None = None) -> NDArray[np.float64]:
        """Calibrated log-odds, (n, themes); ``documents`` as in `Features.counts`."""
        if documents is None or not self.settings.hears:
            return self.features.sums(texts, self._table) + self.intercepts
        counts = self.features.counts(texts, documents)
        rows = np.repeat(np.arange(len(texts)), np.diff(counts.indptr))
        weights = self._table.columns[counts.indices]
        sums = [np.bincount(rows, weights[:, theme] * counts.data, minlength=len(texts)) for theme in range(len(self.themes))]
        return np.stack(sums, axis=1) + self.intercepts

    def scores(self, texts: Sequence[str], documents: Sequence[str | None] | None = None) -> NDArray[np.float32]:
        """Calibrated probabilities, (n, themes) float32; ``documents`` as in `Features.counts`."""
        return logistic(self.decision(texts, documents)).astype(np.float32)

    def evidence(self, texts: Sequence[str], wanted: NDArray[np.bool_]) -> list[dict[str, tuple[Span, ...]]]:
        """Return, for each text and each theme that is ``wanted`` (n, themes), the spans that decided, strongest first.

        A feature's part of the log-odds is shared equally among the places where it stands, and there between its
        tokens. Tokens that add at least a quarter of what the strongest one adds are evidence; neighbours make one span.
        What the passages around a text add to its score is no evidence.
        """
        return self.spans(texts, wanted).records(self.themes, len(texts))

    def spans(self, texts: Sequence[str], wanted: NDArray[np.bool_]) -> Spans:
        """Return what `evidence` does, as columns."""
        return find_spans(self.features, self._table, texts, wanted)


def logistic(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logistic function, without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * values))
