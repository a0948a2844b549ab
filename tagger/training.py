"""Corpora -> a model, with scikit-learn: a calibrated linear support vector machine a theme over `tagger.features`.

Columns are weighted by their inverse document frequency, which is folded into the weights. The penalty, the calibration (Platt 1999) and
the thresholds come from predictions for documents that the classifier did not see: grouped cross-validation, then resampling of documents.
What says the same as a passage of those documents in the same words is not learned from either.
A theme is learned from the passages that were read for it, and from no other (see `tagger.corpus`).
A model learns from a passage's neighbours where most passages stand in running text, their places known.
"""

from __future__ import annotations

import platform
import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.corpus import asked_matrix, label_matrix, running
from tagger.drift import reference
from tagger.duplicates import hash_words, same_words
from tagger.errors import MissingExtraError, TrainingError
from tagger.features import Counts, Features, FeatureSettings
from tagger.model import Model, logistic

try:
    import datasets
    import scipy.sparse
    import sklearn
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.metrics import average_precision_score
    from sklearn.model_selection import GroupKFold
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.svm import LinearSVC
    from sklearn.utils.validation import check_is_fitted
except ImportError as error:
    raise MissingExtraError("scikit-learn", "train") from error

Progress = Callable[[int, int], None]
"""Is told how many of how many steps are done."""

_BOOTSTRAPS = 200
_RUNNING = 0.5  # the share of passages with neighbours from which a model hears them: else there is too little to learn it from
_SURE = 0.97  # the share of passages that the review band must leave on the right side


@dataclass(frozen=True)
class TrainingSettings:
    """How the classifiers are fitted; the defaults are those of the shipped model."""

    features: FeatureSettings = field(default_factory=FeatureSettings)
    C: Sequence[float] = (0.01, 0.03, 0.1, 0.3, 1.0)
    """Inverse strengths of the penalty to try; that with the highest mean average precision out of fold is taken, one for all themes that
    are labelled in the same passages."""
    class_weight: str | None = None
    inverse_frequency: bool = True
    """Whether a feature counts for more the fewer passages it stands in."""
    least: int = 2
    """In how many passages a feature must stand to get a weight."""
    folds: int = 5
    seed: int = 0


@dataclass(frozen=True)
class Trained:
    """A model, and the scikit-learn objects it came from: what they predict of `FeatureTransformer.matrix` is what it scores."""

    model: Model
    transformer: FeatureTransformer
    classifiers: Mapping[str, CalibratedClassifierCV]
    labels: NDArray[np.int64]
    """(n, themes) 0 or 1 for the training passages."""
    asked: NDArray[np.bool_]
    """(n, themes) whether the passage was read for the theme."""
    documents: tuple[str, ...]
    """The document of each training passage, as corpus/document."""
    out_of_fold: NDArray[np.float64]
    """(n, themes) probabilities for the training passages, by classifiers that saw neither its document nor its words in another one;
    penalty and calibration did.

    Not a number where the passage was not read for the theme.
    """


class TextsMixin:
    """An estimator of scikit-learn that takes texts, a text a sample."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.string, tags.input_tags.two_d_array = True, False
        return tags

    def _texts(self, X: Any) -> list[str]:
        """The texts of one column: a list, an array, a Series."""
        texts = [] if isinstance(X, str) else list(X)
        if isinstance(X, str) or getattr(X, "ndim", 1) != 1:
            raise TrainingError("X must be a list of texts, or one column of them, not one text or a table")
        for row, text in enumerate(texts):
            if not isinstance(text, str):
                raise TrainingError(f"X[{row}] is {reprlib.repr(text)}, not a text: drop it or put a text there")
        return texts


class FeatureTransformer(TextsMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """scikit-learn's view of `tagger.features.Features`: ``n`` texts -> a sparse matrix, (n, columns).

    Most of the hashed columns are empty; `sklearn.feature_selection.VarianceThreshold` after it drops them.

    Parameters
    ----------
    settings
        What is counted; ``tagger.load().model.settings`` is that of the shipped model, with its lexicon.
    """

    def __init__(self, settings: FeatureSettings | None = None) -> None:
        self.settings = settings

    def fit(self, X: Sequence[str], y: Any = None) -> FeatureTransformer:
        """Learn nothing: features are hashed."""
        self._texts(X)
        self.features_ = Features(self.settings or FeatureSettings())
        return self

    def transform(self, X: Sequence[str]) -> scipy.sparse.csr_matrix:
        """Return the features of ``n`` texts, (n, columns)."""
        check_is_fitted(self)
        return self.matrix(self._texts(X))

    def matrix(self, texts: Sequence[str], documents: Sequence[str | None] | None = None) -> scipy.sparse.csr_matrix:
        """Return the features of ``n`` texts with their neighbours' (see `Features.counts`), (n, columns)."""
        counts = self.features_.counts(texts, documents)
        return scipy.sparse.csr_matrix((counts.data, counts.indices, counts.indptr), shape=(len(texts), self.features_.settings.columns))


@dataclass(frozen=True)
class _Part:
    """Themes, by their columns, that are labelled in the same passages (n,)."""

    themes: list[int]
    rows: NDArray[np.bool_]


def train(
    corpora: Mapping[str, datasets.Dataset],
    *,
    settings: TrainingSettings | None = None,
    only: Sequence[str] | None = None,
    progress: Progress = lambda done, steps: None,
) -> Trained:
    """Fit a model on named corpora (see `tagger.corpus.load`), a theme for each class label; ``progress`` is told of every step.

    Where ``only`` names some themes, a model of these is fitted on the passages that were read for one of them, with their neighbours.

    Raises
    ------
    TrainingError
        The corpora disagree about the themes, a theme has too few passages, or all are of one document.
    """
    joined = _join(corpora, only)
    trained = fit_model(
        joined.themes,
        joined.texts,
        joined.labels,
        joined.groups,
        joined.running,
        settings or TrainingSettings(),
        progress,
        asked=joined.asked,
    )
    return trained if only is None else _read_passages(trained)


def fit_model(
    themes: tuple[str, ...],
    texts: list[str],
    labels: NDArray[np.int64],
    groups: NDArray[np.str_],
    documents: Sequence[str | None],
    settings: TrainingSettings,
    progress: Progress = lambda done, steps: None,
    *,
    asked: NDArray[np.bool_] | None = None,
) -> Trained:
    """Fit a model on texts (n,) with labels (n, themes); those of a group stay together when the texts are split.

    ``documents`` as in `Features.counts`; ``progress`` is told of every step; ``asked`` (n, themes) says for
    which themes a text was read, for all if it is left out.

    Raises
    ------
    TrainingError
        A theme has too few passages, or all are of one group.
    """
    asked = np.ones(labels.shape, np.bool_) if asked is None else asked
    parts = _parts(themes, asked)
    read = np.flatnonzero(asked.any(axis=1)).tolist()
    if sum(documents[row] is not None for row in read) < _RUNNING * len(read):
        settings = replace(settings, features=settings.features.alone())
    transformer = FeatureTransformer(settings.features).fit(texts)
    matrix = transformer.matrix(texts, documents)
    known = matrix[read]
    counts = Counts(known.indptr, known.indices, known.data)
    vocabulary = reference(transformer.features_, [texts[row] for row in read], groups[read], counts, settings.least)
    frequent = [np.bincount(matrix[part.rows].indices, minlength=matrix.shape[1]) >= settings.least for part in parts]
    used = np.flatnonzero(np.any(frequent, axis=0))
    if not len(used):
        raise TrainingError(f"no word stands in {settings.least} passages, so there is nothing to learn from: give more, or lower 'least'")
    classifiers: dict[str, CalibratedClassifierCV] = {}
    strengths: dict[str, float] = {}
    out_of_fold = np.full(labels.shape, np.nan)
    thresholds, review = np.zeros(len(themes)), np.zeros((len(themes), 2))
    same = np.array(same_words(texts))
    done, steps = count(1), (len(settings.C) + 1) * len(themes)

    def step() -> None:
        progress(next(done), steps)

    for part, often in zip(parts, frequent, strict=True):
        seen, given, inside = _without(matrix[part.rows], ~often)[:, used], labels[part.rows][:, part.themes], groups[part.rows]
        splits = [_splits(y, inside, same[part.rows], themes[theme], settings) for theme, y in zip(part.themes, given.T, strict=True)]
        strength, decisions = _choose(seen, given, splits, settings, step)
        for place, theme in enumerate(part.themes):
            calibrated = CalibratedClassifierCV(estimator(settings, strength), method="sigmoid", cv=splits[place], ensemble=False)
            classifiers[themes[theme]] = calibrated.fit(seen, given[:, place])
            step()
            strengths[themes[theme]] = strength
            out_of_fold[part.rows, theme] = _calibrate(calibrated, decisions[:, place])
        scores = out_of_fold[part.rows][:, part.themes]
        thresholds[part.themes], review[part.themes] = _decide(given, scores, inside, settings.seed)
    weights, intercepts = _fold_in(classifiers, themes)
    model = Model(
        themes=themes,
        settings=settings.features,
        columns=used.astype(np.uint32),
        weights=weights,
        intercepts=intercepts,
        thresholds=thresholds,
        review=review,
        card={
            "penalty": strength if len(set(strengths.values())) == 1 else strengths,
            "vocabulary": vocabulary,
            "repeated": _repeated(same[read], groups[read]),
            "versions": {"python": platform.python_version(), "scikit-learn": sklearn.__version__, "numpy": np.__version__},
        },
        learned=np.unique(hash_words([texts[row] for row in read])),
    )
    return Trained(model, transformer, classifiers, labels, asked, tuple(groups.tolist()), out_of_fold)


def _parts(themes: Sequence[str], asked: NDArray[np.bool_]) -> list[_Part]:
    """Put together the themes that are labelled in the same passages."""
    parts: dict[bytes, _Part] = {}
    for column, (theme, rows) in enumerate(zip(themes, asked.T, strict=True)):
        if not rows.any():
            raise TrainingError(f"theme {theme!r} has passages in 0 document(s): label some in two or more, so that one can test another")
        parts.setdefault(rows.tobytes(), _Part([], rows)).themes.append(column)
    return list(parts.values())


def _without(matrix: scipy.sparse.csr_matrix, columns: NDArray[np.bool_]) -> scipy.sparse.csr_matrix:
    """The matrix with nothing in some columns: what the passages of other themes bring is not learned from."""
    kept = matrix.copy()
    kept.data[columns[kept.indices]] = 0
    kept.eliminate_zeros()
    return kept


@dataclass(frozen=True)
class _Joined:
    """The passages of all corpora together: ``labels`` and ``asked`` are (n, themes), ``groups`` and ``running`` documents."""

    themes: tuple[str, ...]
    texts: list[str]
    labels: NDArray[np.int64]
    asked: NDArray[np.bool_]
    groups: NDArray[np.str_]
    running: list[str | None]


def _join(corpora: Mapping[str, datasets.Dataset], only: Sequence[str] | None) -> _Joined:
    """Join the passages of all corpora, with the labels of ``only`` some themes; what nobody read for these is a neighbour of what was."""
    if not corpora:
        raise TrainingError("no corpus given: name at least one folder with passages.jsonl")
    texts: list[str] = []
    groups: list[str] = []
    documents: list[str | None] = []
    labels: list[NDArray[np.int64]] = []
    asked: list[NDArray[np.bool_]] = []
    known: tuple[str, ...] | None = None
    for name, corpus in corpora.items():
        themes = tuple(corpus.features["labels"].feature.names)
        if known not in (None, themes):
            raise TrainingError(f"corpus {name}: its themes ({', '.join(themes)}) are not those of the others ({', '.join(known or ())})")
        known = themes
        texts += corpus["text"]
        labels.append(label_matrix(corpus))
        asked.append(asked_matrix(corpus))
        groups += [f"{name}/{document}" for document in corpus["document"]]
        documents += [document and f"{name}/{document}" for document in running(corpus)]
    joined = _Joined(known or (), texts, np.concatenate(labels), np.concatenate(asked), np.array(groups), documents)
    if only is None:
        return joined
    columns = [joined.themes.index(theme) for theme in only]
    return replace(joined, themes=tuple(only), labels=joined.labels[:, columns], asked=joined.asked[:, columns])


def _read_passages(trained: Trained) -> Trained:
    """What was learned, with the passages alone that were read for one of its themes."""
    rows = np.flatnonzero(trained.asked.any(axis=1))
    return replace(
        trained,
        labels=trained.labels[rows],
        asked=trained.asked[rows],
        documents=tuple(trained.documents[row] for row in rows),
        out_of_fold=trained.out_of_fold[rows],
    )


def _repeated(same: NDArray[np.int64], groups: NDArray[np.str_]) -> int:
    """Count the texts whose words stand in another group, too."""
    texts, _ = np.unique(np.stack([same, np.unique(groups, return_inverse=True)[1]]), axis=1)
    return int(np.isin(same, np.flatnonzero(np.bincount(texts) > 1)).sum())


def _splits(
    y: NDArray[np.int64], groups: NDArray[np.str_], same: NDArray[np.int64], theme: str, settings: TrainingSettings
) -> list[tuple[Any, Any]]:
    """Folds by document, each with and without the theme on both sides."""
    positive = len(set(groups[y == 1]))
    if positive < 2:
        raise TrainingError(
            f"theme {theme!r} has passages in {positive} document(s): label some in two or more, so that one can test another"
        )
    if splits := document_folds(y[:, None], groups, same, settings.folds, settings.seed, both_sides=True):
        return splits
    raise TrainingError(
        f"theme {theme!r}: no way to split the documents so that each side has passages with and without it: label more documents"
    )


def document_folds(
    labels: NDArray[np.int64],
    documents: Sequence[str] | NDArray[np.str_],
    same: Sequence[int] | NDArray[np.int64],
    most: int,
    seed: int,
    *,
    both_sides: bool = False,
) -> list[tuple[Any, Any]]:
    """Deal documents out to at most so many folds, each with and without every theme (n, themes) in what is learned from.

    With ``both_sides``, in what is tested on, too. Where that can't be had with ``most`` folds, fewer are tried; none is an empty list.
    What has the same words (n,) as something that is tested on is not learned from (see `tagger.duplicates.same_words`).
    """
    same = np.asarray(same)
    for folds in range(min(most, len(set(documents))), 1, -1):
        for shuffle in range(seed, seed + 20):
            dealt = GroupKFold(folds, shuffle=True, random_state=shuffle).split(labels, groups=documents)
            splits = [(learned[~np.isin(same[learned], same[tested])], tested) for learned, tested in dealt]
            parts = [part for split in splits for part in (split if both_sides else split[:1])]
            if all(((count > 0) & (count < len(part))).all() for part in parts for count in [labels[part].sum(axis=0)]):
                return splits
    return []


def estimator(settings: TrainingSettings, strength: float) -> Pipeline:
    """The classifier of one theme, not fitted."""
    linear = LinearSVC(C=strength, class_weight=settings.class_weight, dual=True, max_iter=10_000, random_state=settings.seed)
    return make_pipeline(TfidfTransformer(norm=None, use_idf=settings.inverse_frequency), linear)


def _choose(
    matrix: scipy.sparse.csr_matrix,
    labels: NDArray[np.int64],
    splits: Sequence[list[tuple[Any, Any]]],
    settings: TrainingSettings,
    step: Callable[[], None],
) -> tuple[float, NDArray[np.float64]]:
    """Choose the penalty; return it with the decisions (n, themes) that classifiers make on documents they did not see."""
    tried = np.zeros((len(settings.C), *labels.shape))
    for place, strength in enumerate(settings.C):
        for column, parts in enumerate(splits):
            for train_rows, test_rows in parts:
                fitted = estimator(settings, strength).fit(matrix[train_rows], labels[train_rows, column])
                tried[place, test_rows, column] = fitted.decision_function(matrix[test_rows])
            step()
    precision = [average_precision_score(labels, decisions, average="macro") for decisions in tried]
    best = int(np.argmax(precision))
    return settings.C[best], tried[best]


def _calibrate(classifier: CalibratedClassifierCV, decisions: NDArray[np.float64]) -> NDArray[np.float64]:
    sigmoid = classifier.calibrated_classifiers_[0].calibrators[0]
    return logistic(-(sigmoid.a_ * decisions + sigmoid.b_))


def _fold_in(classifiers: Mapping[str, CalibratedClassifierCV], themes: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Weights (k, themes) and intercepts with the calibration multiplied in."""
    weights, intercepts = [], []
    for theme in themes:
        part = classifiers[theme].calibrated_classifiers_[0]
        sigmoid, (frequency, linear) = part.calibrators[0], (step for _, step in part.estimator.steps)
        weights.append(-sigmoid.a_ * linear.coef_[0] * (frequency.idf_ if frequency.use_idf else 1.0))
        intercepts.append(-sigmoid.a_ * linear.intercept_[0] - sigmoid.b_)
    return np.stack(weights, axis=1).astype(np.float32), np.array(intercepts)


def _decide(
    labels: NDArray[np.int64], scores: NDArray[np.float64], groups: NDArray[np.str_], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Choose thresholds and review bands from out-of-fold scores.

    Below the review band lie at most 3 % of a theme's passages; above it, at least 97 % of the passages carry the theme.
    """
    thresholds, bands = best_thresholds(labels, scores, groups, seed), np.zeros((labels.shape[1], 2))
    for theme in range(labels.shape[1]):
        y, score = labels[:, theme], scores[:, theme]
        order = np.argsort(-score, kind="stable")
        positives = np.cumsum(y[order])
        recall = positives / positives[-1]
        precision = positives / np.arange(1, len(y) + 1)
        falling = score[order]
        low = falling[np.searchsorted(recall, _SURE)]
        sure = np.flatnonzero((precision >= _SURE) & np.append(falling[1:] < falling[:-1], True))  # of equal scores at the last
        high = falling[sure[-1]] if len(sure) else 1.0
        bands[theme] = min(low, thresholds[theme]), max(high, thresholds[theme])
    return thresholds.round(4), bands.round(4)


def best_thresholds(labels: NDArray[np.int64], scores: NDArray[np.float64], groups: NDArray[np.str_], seed: int = 0) -> NDArray[np.float64]:
    """Choose a threshold for each theme from out-of-fold scores (n, themes): the median, over resamples of the documents (n,), of that
    with the highest F1. Every theme needs a passage.
    """
    random = np.random.default_rng(seed)
    names, number = np.unique(groups, return_inverse=True)
    drawn = [np.bincount(random.integers(len(names), size=len(names)), minlength=len(names))[number] for _ in range(_BOOTSTRAPS)]
    thresholds = np.zeros(labels.shape[1])
    for theme in range(labels.shape[1]):
        order = np.argsort(-scores[:, theme], kind="stable")
        found = [_best(labels[order, theme], scores[order, theme], times[order]) for times in drawn]
        thresholds[theme] = np.median([value for value in found if value is not None])
    return thresholds


def _best(y: NDArray[np.int64], score: NDArray[np.float64], weight: NDArray[np.int64]) -> float | None:
    """The threshold with the highest F1; scores fall. It lies half-way between two scores, never among equal ones."""
    positives = np.cumsum(y * weight)
    if not positives[-1]:
        return None
    f1 = 2 * positives / (np.cumsum(weight) + positives[-1])
    f1[:-1][score[:-1] == score[1:]] = 0.0
    place = int(np.argmax(f1))
    after = score[place + 1] if place + 1 < len(score) else score[place]
    return float((score[place] + after) / 2)
