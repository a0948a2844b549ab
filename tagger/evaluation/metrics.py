"""How good a model is on labelled passages, and how sure that is: every figure with an interval by resampling documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tagger.errors import TrainingError
from tagger.evaluation.bootstrap import MIDDLE, draw, interval, number_documents, resample
from tagger.evaluation.figures import (
    COVERAGE,
    CURVE,
    MACRO,
    MICRO,
    PASSAGES,
    SAMPLES,
    Array,
    CeilingFigures,
    DecisionFigures,
    Decisions,
    Figures,
    PassageFigures,
    mean_known,
)
from tagger.evaluation.predictions import Predictions
from tagger.evaluation.results import Evaluation, Figure, ThemeFigures
from tagger.writing.text import many

FEW, FEW_DOCUMENTS = 20, 5
"""With fewer passages of a theme, or passages of it in fewer documents, its figures are mostly chance."""
_HIDDEN = 0.01  # what an interval of one point may hide without a word


def measure(
    predictions: Predictions,
    *,
    resamples: int = 1000,
    seed: int = 0,
    jobs: int = 1,
    thresholds: Array | None = None,
    review: Array | None = None,
    ceiling: Predictions | None = None,
    progress: bool = False,
) -> Evaluation:
    """Measure predictions.

    Parameters
    ----------
    predictions
        Scores of several fits are ranked together, as calibrated probabilities can be. Where a passage was scored several times
        (repeated cross-validation) all its rows are measured, but it is counted once.
    resamples, seed
        Intervals hold the middle 95 % of so many resamples of the documents. That of the calibration error lies high in a small
        sample, where resampling adds to what chance puts between score and share.
    jobs
        Threads to compute in; the result is the same for any number.
    thresholds
        (themes,), those that ``predicted`` came from, to tell how near to one a score is. Without them the middle between
        the lowest score with the label and the highest without it is taken, for each fold.
    review
        (themes, 2), the review bands: from the first number to below the second.
    ceiling
        Two annotators: the first one's labels as ``labels``, the second one's as ``predicted`` (see `tagger.evaluation.annotators`).
    progress
        Show a bar on a terminal.
    """
    documents, document = number_documents(predictions.documents)
    if not len(predictions):
        raise TrainingError("no passage to measure: give some that people have labelled")
    sample = _Sample(predictions, document, documents, _distances(predictions, thresholds), review)
    found, drawn = _resampled(sample, documents, sample.cells, resamples, seed, jobs, progress)
    if ceiling is not None:
        units, unit = number_documents(ceiling.documents)
        human = CeilingFigures(ceiling.labels, ceiling.predicted, unit, units)
        agreed, redrawn = _resampled(human, units, 1, resamples, seed, 1, False)
        found, drawn = found | agreed, drawn | redrawn
    return _evaluation(predictions, found, drawn, documents, resamples, seed)


class _Sample:
    """All figures of some predictions as a function of how often each document counts."""

    def __init__(
        self, predictions: Predictions, document: NDArray[np.int64], documents: int, distance: Array, review: Array | None
    ) -> None:
        labels, scores, predicted = predictions.labels, predictions.scores, predictions.predicted
        # What people did not read for a theme belongs, there, to one document more, which is never drawn.
        asked = np.ones(labels.shape, np.bool_) if predictions.asked is None else predictions.asked
        self._idle = int(not asked.all())
        place, documents = np.where(asked, document[:, None], documents), documents + self._idle
        band = None if review is None else (scores >= review[:, 0]) & (scores < review[:, 1])
        decisions = [
            Decisions(labels[:, t], scores[:, t], predicted[:, t], distance[:, t], None if band is None else band[:, t], place[:, t])
            for t in range(labels.shape[1])
        ]
        self._themes = [DecisionFigures(theme, documents) for theme in decisions]
        self._all = DecisionFigures(Decisions.joined(decisions), documents)
        self._passages = PassageFigures(labels, scores, predicted, band, place.max(axis=1), documents)
        self._supported = [bool(column.any()) for column in labels.T]
        self.cells = labels.size

    def __call__(self, times: Array) -> Figures:
        """Compute all figures, their first dimension that of ``times``."""
        times = np.pad(times, ((0, 0), (0, self._idle)))
        found = self._passages(times)
        themes = [theme(times) for theme in self._themes]
        found |= {(t, name): value for t, figures in enumerate(themes) for name, value in figures.items()}
        found |= {(MICRO, name): value for name, value in self._all(times).items()}
        occurring = [figures for figures, supported in zip(themes, self._supported, strict=True) if supported]
        for name in (name for name in themes[0] if name != CURVE):
            values = np.array([_in_macro(figures, name) for figures in occurring])
            found[MACRO, name] = mean_known(values) if occurring else np.full(len(times), np.nan)
        return found


def _in_macro(figures: dict[str, Array], name: str) -> Array:
    """What a theme adds to a macro figure: a theme that is never given, though passages carry it, has no precision and adds 0."""
    value = figures[name]
    return np.where(np.isnan(value) & (figures["recall"] == 0), 0.0, value) if name == "precision" else value


def _resampled(
    figures: Callable[[Array], Figures], documents: int, cells: int, resamples: int, seed: int, jobs: int, progress: bool
) -> tuple[Figures, Figures]:
    """The figures of the sample itself, and those of its resamples; of one document there are none."""
    found = figures(np.ones((1, documents)))
    times = draw(documents, resamples if documents > 1 else 0, seed)
    return found, resample(figures, times, cells=cells, jobs=jobs, progress=progress)


def _distances(predictions: Predictions, thresholds: Array | None) -> Array:
    """How far each score lies from its threshold, (n, themes); 0 where nobody read the passage for the theme."""
    scores, predicted = predictions.scores, predictions.predicted
    asked = np.ones(scores.shape, np.bool_) if predictions.asked is None else predictions.asked
    if thresholds is not None:
        return np.where(asked, np.abs(scores - thresholds), 0.0)
    distance = np.zeros(scores.shape)
    for fold in np.unique(predictions.fold):
        rows = predictions.fold == fold
        lowest = np.where(predicted[rows], scores[rows], np.inf).min(axis=0)
        highest = np.where(predicted[rows] | ~asked[rows], -np.inf, scores[rows]).max(axis=0)
        highest[~asked[rows].any(axis=0)] = 0.0
        middle = np.where(np.isinf(lowest), highest, np.where(np.isinf(highest), lowest, (lowest + highest) / 2))
        distance[rows] = np.where(asked[rows], np.abs(scores[rows] - middle), 0.0)
    return distance


def _evaluation(predictions: Predictions, found: Figures, drawn: Figures, documents: int, resamples: int, seed: int) -> Evaluation:
    """Put values and intervals together."""

    def figures(scope: int | str) -> dict[str, Figure]:
        return {
            name: Figure(float(value[0]), *(interval(drawn[of, name]) if (of, name) in drawn else ()))
            for (of, name), value in found.items()
            if of == scope and name != CURVE
        }

    def curve(scope: int | str) -> tuple[Figure, ...]:
        ends = np.percentile(drawn[scope, CURVE], MIDDLE, axis=0) if (scope, CURVE) in drawn else np.full((2, len(COVERAGE)), np.nan)
        return tuple(Figure(*map(float, point)) for point in zip(found[scope, CURVE][0], *ends, strict=True))

    labels, names, shares = predictions.labels, np.array(predictions.documents), predictions.shares()
    themes = tuple(
        ThemeFigures(
            theme,
            round(float(shares @ labels[:, t])),
            round(float(shares @ predictions.predicted[:, t])),
            len(set(names[labels[:, t] == 1])),
            figures(t),
            curve(t),
        )
        for t, theme in enumerate(predictions.themes)
    )
    return Evaluation(
        themes=themes,
        macro=figures(MACRO),
        micro=figures(MICRO),
        samples=figures(SAMPLES),
        passages=figures(PASSAGES),
        risk_coverage=curve(MICRO),
        count=round(float(shares.sum())),
        documents=documents,
        resamples=resamples if documents > 1 else 0,
        seed=seed,
        warnings=tuple(_warnings(themes, predictions, documents)),
    )


def _faultless(theme: ThemeFigures, documents: Mapping[str, int]) -> list[str]:
    """Say what an interval of one point hides: the exact lower limit of 95 % (Hanley and Lippman-Hand 1983).

    It is that of independent trials, for which the documents are taken that each figure rests on: passages of one resemble each other.
    """
    lowest = {name: 0.05 ** (1 / count) for name, count in documents.items() if theme.figures[name].value == 1}
    return [
        f"{theme.theme}: no error in {name} in {many(documents[name], 'document')}, so resampling finds none; it may be as low as {low:.2f}"
        for name, low in lowest.items()
        if 1 - low > _HIDDEN
    ]


def _warnings(themes: Sequence[ThemeFigures], predictions: Predictions, documents: int) -> list[str]:
    found, names = [], np.array(predictions.documents)
    if documents == 1:
        found.append("all passages are of one document: there are no intervals, as these come from resampling documents")
    for t, theme in enumerate(themes):
        if predictions.asked is not None and not predictions.asked[:, t].any():
            found.append(f"{theme.theme}: no passage was read for it, so it is not measured")
        elif not theme.support:
            found.append(f"{theme.theme}: no passage carries it, so it has no recall and no F1 and is left out of the macro figures")
        elif theme.support < FEW or theme.documents < FEW_DOCUMENTS:
            found.append(
                f"{theme.theme}: {many(theme.support, 'passage')} in {many(theme.documents, 'document')} with it: too few to say how good "
                f"the model is (fewer than {FEW}, or in fewer than {FEW_DOCUMENTS})"
            )
        else:
            found += _faultless(theme, {"precision": len(set(names[predictions.predicted[:, t]])), "recall": theme.documents})
    for t, theme in enumerate(themes):
        if predictions.scores[:, t].min() < 0 or predictions.scores[:, t].max() > 1:
            found.append(f"{theme.theme}: scores are no probabilities, so there is no Brier score and no calibration error")
    return found
