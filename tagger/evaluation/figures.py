"""Every figure as a function of how often each document counts: once each for its value, by resample for its interval.

Most figures are made of sums over documents, so that resamples of them are one product of matrices. Those that hang on an order
(average precision, ROC AUC, risk by coverage) are sorted once and then summed up with the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.evaluation.calibration import BINS, bins_of

Array = NDArray[np.float64]
Figures = dict[tuple[str | int, str], Array]
"""(theme's number, "macro", "micro", "samples" or "passages"; name of the figure) -> its value for each row of weights."""

MACRO, MICRO, SAMPLES, PASSAGES = "macro", "micro", "samples", "passages"
CURVE = "risk_coverage"
COVERAGE = np.arange(1, 101) / 100
"""At these shares of the decisions, surest first, the curve of risk by coverage is read."""


@dataclass(frozen=True)
class Decisions:
    """Decisions whether passages carry a theme, (n,) each: those about one theme, or all of a sample.

    ``distance`` is that of the score from its threshold, ``band`` whether a person should look, ``document`` a number.
    """

    label: NDArray[np.int64]
    score: Array
    predicted: NDArray[np.bool_]
    distance: Array
    band: NDArray[np.bool_] | None
    document: NDArray[np.int64]

    @classmethod
    def joined(cls, parts: Sequence[Decisions]) -> Decisions:
        """Take decisions about several themes together."""
        bands = [part.band for part in parts if part.band is not None]
        label, score, predicted, distance, document = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("label", "score", "predicted", "distance", "document")
        )
        return cls(label, score, predicted, distance, np.concatenate(bands) if bands else None, document)


class DecisionFigures:
    """The figures of some decisions."""

    def __init__(self, decisions: Decisions, documents: int) -> None:
        label, score = decisions.label.astype(float), decisions.score
        wrong = (decisions.predicted != decisions.label).astype(float)
        sums = [label * decisions.predicted, label, decisions.predicted, np.ones(len(label)), wrong]
        self._probable = bool(len(score)) and score.min() >= 0 and score.max() <= 1
        if self._probable:
            bins = bins_of(score)
            sums += [(score - label) ** 2, *((score - label) * (bins == number) for number in range(BINS))]
        self._banded = decisions.band is not None
        if decisions.band is not None:
            sums += [decisions.band, wrong * decisions.band]
        self._sums = by_document(sums, decisions.document, documents)
        self._ranked = _Ranked(-score, label, decisions.document)
        self._surest = _Ranked(-decisions.distance, wrong, decisions.document)

    def __call__(self, times: Array) -> dict[str, Array]:
        """Compute the figures by name, (batch,) each, and CURVE, (batch, 100)."""
        hits, support, marked, count, wrong, *rest = (times @ self._sums).T
        nan = np.full(len(times), np.nan)
        found = {
            "precision": ratio(hits, marked),
            "recall": ratio(hits, support),
            "f1": f1_of(hits, support, marked),
            "brier": nan,
            "calibration_error": nan,
        }
        if self._probable:
            square, *gaps = rest[: 1 + BINS]
            found |= {"brier": ratio(square, count), "calibration_error": ratio(np.abs(gaps).sum(axis=0), count)}
        if self._banded:
            inside, wrong_inside = rest[-2:]
            found |= {
                "coverage": ratio(count - inside, count),
                "risk_outside": ratio(wrong - wrong_inside, count - inside),
                "risk_inside": ratio(wrong_inside, inside),
            }
        found["average_precision"], found["roc_auc"] = _ranking(self._ranked, times)
        found["risk_coverage_area"], found[CURVE] = _risk_by_coverage(self._surest, times)
        return found


class _Ranked:
    """Passages in the order of a key, some of them marked; those of one key make a step.

    Only the steps with marked passages, a small part, are looked at where that is enough.
    """

    def __init__(self, key: Array, mark: Array, document: NDArray[np.int64]) -> None:
        order = np.argsort(key, kind="stable")
        new = np.diff(key[order], prepend=np.nan) != 0
        step, marked = new.cumsum() - 1, mark[order] > 0
        self._document, self._marked = document[order], document[order][marked]
        self._last = np.flatnonzero(np.append(new[1:], True))
        self.steps, self._first = np.unique(step[marked], return_index=True)
        """The numbers of the steps with marked passages."""

    def seen(self, times: Array) -> Array:
        """How many passages there are down to each step, (batch, steps)."""
        seen = times.take(self._document, axis=1).cumsum(axis=1)
        return seen if len(self._last) == len(self._document) else seen.take(self._last, axis=1)

    def marked(self, times: Array) -> Array:
        """How many marked passages each of ``steps`` has, (batch, steps with marked passages)."""
        if not len(self.steps):
            return np.zeros((len(times), 0))
        return np.add.reduceat(times.take(self._marked, axis=1), self._first, axis=1)


def _ranking(ranked: _Ranked, times: Array) -> tuple[Array, Array]:
    """Average precision, and ROC AUC: the share of pairs of a positive and a negative in which the positive is higher, ties for half."""
    seen, hits = ranked.seen(times), ranked.marked(times)
    hit = hits.cumsum(axis=1)
    support, count = hits.sum(axis=1), seen[:, -1]
    through = seen.take(ranked.steps, axis=1)
    above = np.where(ranked.steps > 0, seen.take(ranked.steps - 1, axis=1), 0.0) - (hit - hits)
    lower = (count - support)[:, None] - (above + (through - hit)) / 2
    return ratio((hits * ratio(hit, through, 0.0)).sum(axis=1), support), ratio((hits * lower).sum(axis=1), support * (count - support))


def _risk_by_coverage(ranked: _Ranked, times: Array) -> tuple[Array, Array]:
    """The area under the curve of risk by coverage, and the curve at COVERAGE.

    A decision counts at the coverage that is reached when it is taken, as in Geifman, Uziel and El-Yaniv (2019), "Bias-reduced
    uncertainty estimation for deep neural classifiers"; decisions of one distance are taken together.
    """
    seen, wrong = ranked.seen(times), ranked.marked(times)
    # An error adds 1 / seen to the risk at its own step and at each later one.
    adds = (np.diff(seen, axis=1, prepend=0.0) / np.maximum(seen, 1.0)).cumsum(axis=1)
    before = np.where(ranked.steps > 0, adds.take(ranked.steps - 1, axis=1), 0.0)
    area = ratio((wrong * (adds[:, -1:] - before)).sum(axis=1), seen[:, -1])
    places = np.array([np.searchsorted(row, COVERAGE * row[-1] - 1e-9) for row in seen])  # a little less, as the product is rounded
    so_far = np.concatenate([np.zeros((len(times), 1)), wrong.cumsum(axis=1)], axis=1)
    errors = np.take_along_axis(so_far, np.searchsorted(ranked.steps, places, side="right"), axis=1)
    return area, ratio(errors, np.take_along_axis(seen, places, axis=1))


class PassageFigures:
    """What is measured passage by passage, over all its themes."""

    def __init__(
        self,
        labels: NDArray[np.int64],
        scores: Array,
        predicted: NDArray[np.bool_],
        band: NDArray[np.bool_] | None,
        document: NDArray[np.int64],
        documents: int,
    ) -> None:
        hits, support, marked = (part.sum(axis=1).astype(float) for part in (labels * predicted, labels, predicted))
        wrong = (predicted != labels).sum(axis=1)
        exact = (wrong == 0).astype(float)
        sums = [np.ones(len(labels)), exact, wrong / labels.shape[1], label_ranking(labels, scores)]
        sums += [ratio(hits, marked, 0.0), marked > 0, ratio(hits, support, 0.0), support > 0]
        sums += [ratio(2 * hits, support + marked, 0.0), support + marked > 0]
        if band is not None:
            looked = band.any(axis=1)
            sums += [looked, (1 - exact) * looked]
        self._sums, self._banded = by_document(sums, document, documents), band is not None

    def __call__(self, times: Array) -> Figures:
        """Compute the figures, (batch,) each."""
        count, exact, wrong, ranking, precision, marked, recall, support, f1, either, *band = (times @ self._sums).T
        found: Figures = {
            (SAMPLES, "precision"): ratio(precision, marked),
            (SAMPLES, "recall"): ratio(recall, support),
            (SAMPLES, "f1"): ratio(f1, either),
            (PASSAGES, "exact_match"): ratio(exact, count),
            (PASSAGES, "hamming_loss"): ratio(wrong, count),
            (PASSAGES, "label_ranking_average_precision"): ratio(ranking, count),
        }
        if self._banded:
            looked, wrong_looked = band
            outside = count - looked
            found[PASSAGES, "coverage"] = ratio(outside, count)
            found[PASSAGES, "risk_outside"] = ratio(count - exact - wrong_looked, outside)
            found[PASSAGES, "risk_inside"] = ratio(wrong_looked, looked)
        return found


def label_ranking(labels: NDArray[np.int64], scores: Array) -> Array:
    """Label-ranking average precision of each passage, 1 where it carries no theme or all (as scikit-learn counts it)."""
    total = np.zeros(len(labels))
    for theme in range(labels.shape[1]):
        above = scores >= scores[:, theme, None]
        total += labels[:, theme] * (above & (labels == 1)).sum(axis=1) / above.sum(axis=1)
    support = labels.sum(axis=1)
    return np.where((support == 0) | (support == labels.shape[1]), 1.0, ratio(total, support.astype(float)))


class CeilingFigures:
    """Agreement of two annotators on each theme: F1 of the second measured against the first, and Krippendorff's alpha."""

    def __init__(self, first: NDArray[np.int64], second: NDArray[np.bool_], document: NDArray[np.int64], documents: int) -> None:
        themes = range(first.shape[1])
        sums = [part[:, t] for part in (first, second, first * second) for t in themes]
        self._sums = by_document([*sums, np.ones(len(first))], document, documents)

    def __call__(self, times: Array) -> Figures:
        """Compute both for each theme and their means, (batch,) each."""
        *sums, count = (times @ self._sums).T
        first, second, both = np.array(sums).reshape(3, -1, len(times))
        used = first + second
        f1 = ratio(2 * both, used)
        # For two annotators, a nominal yes or no and nothing missing (see tagger.corpus.krippendorff_alpha), in sums.
        values = 2 * count
        expected = ratio(2 * used * (values - used), values * (values - 1))
        alpha = 1 - ratio(ratio(used - 2 * both, count), expected)
        found: Figures = {(MACRO, "human_f1"): mean_known(f1), (MACRO, "human_alpha"): mean_known(alpha)}
        for theme in range(len(f1)):
            found[theme, "human_f1"], found[theme, "human_alpha"] = f1[theme], alpha[theme]
        return found


def by_document(columns: Sequence[NDArray[Any]], document: NDArray[np.int64], documents: int) -> Array:
    """Sums of columns over the passages of each document, (documents, columns)."""
    return np.stack([np.bincount(document, column, documents) for column in columns], axis=1)


def ratio(part: NDArray[Any], whole: NDArray[Any], otherwise: float = np.nan) -> Array:
    """Divide; ``otherwise`` where there is nothing to divide by."""
    shape = np.broadcast_shapes(part.shape, whole.shape)
    divided: Array = np.divide(part, whole, out=np.full(shape, otherwise), where=whole > 0)
    return divided


def f1_of(hits: Array, support: Array, marked: Array) -> Array:
    """F1 of counts; not a number where no passage carries the theme."""
    return np.where(support > 0, ratio(2 * hits, support + marked), np.nan)


def mean_known(values: Array) -> Array:
    """The mean over the first dimension of what is a number."""
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0.0).sum(axis=0), known.sum(axis=0))
