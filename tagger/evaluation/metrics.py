"""Precision, recall, F1, average precision and calibration a theme, with intervals by bootstrap over documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.errors import MissingExtraError, TrainingError
from tagger.evaluation.calibration import expected_calibration_error
from tagger.tagging import Tagger

try:
    import datasets
    from sklearn.metrics import average_precision_score
except ImportError as error:
    raise MissingExtraError("scikit-learn", "train") from error

_RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class ThemeMetrics:
    """One theme's figures. ``f1_interval`` holds 95 % of the bootstrap over documents; a figure without support is not a number."""

    theme: str
    precision: float
    recall: float
    f1: float
    f1_interval: tuple[float, float]
    average_precision: float
    calibration_error: float
    support: int
    predicted: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model measured on a corpus."""

    themes: tuple[ThemeMetrics, ...]
    macro_f1: float
    macro_interval: tuple[float, float]
    micro_precision: float
    micro_recall: float
    micro_f1: float
    passages: int
    documents: int

    def to_json(self) -> dict[str, Any]:
        """Plain values; what is not a number becomes null."""
        return {**_plain(asdict(self)), "macro_average_precision": _plain(float(np.mean([t.average_precision for t in self.themes])))}


def evaluate(tagger: Tagger, corpus: datasets.Dataset, *, seed: int = 0) -> Evaluation:
    """Measure a tagger, at its own thresholds, on a labelled corpus (see `tagger.corpus.load`).

    Raises
    ------
    TrainingError
        The corpus has other themes than the model.
    """
    themes = tuple(corpus.features["labels"].feature.names)
    if themes != tagger.themes:
        raise TrainingError(f"the corpus has the themes {', '.join(themes)}, but the model {', '.join(tagger.themes)}")
    labels = np.zeros((len(corpus), len(themes)), np.int64)
    for row, numbers in enumerate(corpus["labels"]):
        labels[row, numbers] = 1
    scores = tagger.scores(list(corpus["text"])).astype(np.float64)
    predicted = scores >= tagger.model.thresholds.astype(np.float32)
    return evaluate_scores(themes, labels, scores, predicted, list(corpus["document"]), seed=seed)


def evaluate_scores(
    themes: Sequence[str],
    labels: NDArray[np.int64],
    scores: NDArray[np.float64],
    predicted: NDArray[np.bool_],
    documents: Sequence[str],
    *,
    seed: int = 0,
) -> Evaluation:
    """Measure scores and predictions, all (n, themes), of passages of the named documents."""
    by_document, times = _sums(labels, predicted, documents), _resamples(documents, seed)
    resampled = _f1(*(times @ part for part in by_document))
    totals = [part.sum(axis=0) for part in by_document]
    f1 = _f1(*totals)
    figures = []
    for t, theme in enumerate(themes):
        hit, support, marked = (float(part[t]) for part in totals)
        figures.append(
            ThemeMetrics(
                theme=theme,
                precision=hit / marked if marked else float("nan"),
                recall=hit / support if support else float("nan"),
                f1=float(f1[t]),
                f1_interval=_interval(resampled[:, t]),
                average_precision=float(average_precision_score(labels[:, t], scores[:, t])) if support else float("nan"),
                calibration_error=expected_calibration_error(labels[:, t], scores[:, t]),
                support=int(support),
                predicted=int(marked),
            )
        )
    hit, support, marked = (float(part.sum()) for part in totals)
    return Evaluation(
        themes=tuple(figures),
        macro_f1=float(f1.mean()),
        macro_interval=_interval(resampled.mean(axis=1)),
        micro_precision=hit / marked if marked else float("nan"),
        micro_recall=hit / support if support else float("nan"),
        micro_f1=2 * hit / (support + marked) if support + marked else float("nan"),
        passages=len(labels),
        documents=len(set(documents)),
    )


def macro_f1_difference(
    labels: NDArray[np.int64], one: NDArray[np.bool_], other: NDArray[np.bool_], documents: Sequence[str], *, seed: int = 0
) -> tuple[float, tuple[float, float]]:
    """Macro-F1 of predictions ``one`` less that of ``other`` on the same passages, all (n, themes), with a 95 % interval.

    The bootstrap is paired: each resample of documents measures both (Efron and Tibshirani 1993, chapter 16).
    """
    times = _resamples(documents, seed)
    macro, resampled = zip(
        *(
            (_f1(*(part.sum(axis=0) for part in sums)).mean(), _f1(*(times @ part for part in sums)).mean(axis=1))
            for sums in (_sums(labels, predicted, documents) for predicted in (one, other))
        ),
        strict=True,
    )
    return float(macro[0] - macro[1]), _interval(resampled[0] - resampled[1])


def _sums(labels: NDArray[np.int64], predicted: NDArray[np.bool_], documents: Sequence[str]) -> list[NDArray[np.float64]]:
    """Hits, support and marked passages of each document, (documents, themes) each: a resample of documents is then a weighted sum."""
    names, number = np.unique(np.array(documents, dtype=object).astype(str), return_inverse=True)
    parts = (labels * predicted, labels, predicted)
    return [np.stack([np.bincount(number, part[:, t], len(names)) for t in range(part.shape[1])], 1) for part in parts]


def _resamples(documents: Sequence[str], seed: int) -> NDArray[np.int64]:
    """How often each document is drawn, (resamples, documents)."""
    count = len(set(documents))
    return np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=_RESAMPLES)


def _f1(hits: NDArray[Any], support: NDArray[Any], marked: NDArray[Any]) -> NDArray[np.float64]:
    """F1, 0 where a theme neither occurs nor is predicted (as scikit-learn counts it)."""
    f1: NDArray[np.float64] = np.divide(2.0 * hits, support + marked, out=np.zeros(hits.shape), where=support + marked > 0)
    return f1


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return None if np.isnan(value) else round(value, 4)
    return value
