"""What can be trained and compared: tagger's own learner, and any classifier of texts in scikit-learn's manner.

A learner learns from a labelled corpus (see `tagger.corpus.load`) and hands back what it learned; that gives scores and labels for the
passages of another corpus. Thresholds and calibration are part of the learning: they come from documents of the training corpus only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tagger.corpus import asked_matrix, label_matrix, running
from tagger.duplicates import same_words
from tagger.errors import MissingExtraError, TrainingError
from tagger.model import Model, logistic
from tagger.training import TrainingSettings, best_thresholds, document_folds, train

try:
    import datasets
    from sklearn.linear_model import LogisticRegression
except ImportError as error:
    raise MissingExtraError("scikit-learn", "train") from error

Said = tuple[NDArray[np.float64], NDArray[np.bool_]]
"""Probabilities (n, themes) and whether a label is given (n, themes)."""


class Learned(Protocol):
    """What a learner learned."""

    def predict(self, corpus: datasets.Dataset) -> Said:
        """Return probabilities and labels, both (n, themes), of the passages of a corpus."""


class Learner(Protocol):
    """Learns the themes of a corpus."""

    def learn(self, corpus: datasets.Dataset) -> Learned:
        """Learn from a corpus, whose ``document`` column tells what must stay together when it is split."""


class Classifier(Protocol):
    """A multi-label classifier of texts, as scikit-learn has them: it also has ``decision_function`` or ``predict_proba``."""

    def fit(self, texts: Sequence[str], labels: NDArray[np.int64]) -> Any:
        """Learn from texts and 0 or 1 for each theme, (n, themes)."""


@dataclass(frozen=True)
class TaggerLearner:
    """tagger's own features and training."""

    settings: TrainingSettings = field(default_factory=TrainingSettings)

    def learn(self, corpus: datasets.Dataset) -> LearnedModel:
        """Train a model."""
        return LearnedModel(train({"corpus": corpus}, settings=self.settings).model)


@dataclass(frozen=True)
class LearnedModel:
    """A model as a learner's result."""

    model: Model

    def predict(self, corpus: datasets.Dataset) -> Said:
        """Score at the model's own thresholds; passages of running text hear their neighbours, if the model does."""
        scores = self.model.scores(list(corpus["text"]), running(corpus))
        return scores.astype(np.float64), scores >= self.model.thresholds.astype(np.float32)


@dataclass(frozen=True)
class ClassifierLearner:
    """Any classifier of texts, calibrated (Platt 1999) and with thresholds from documents that it did not see.

    ``make`` returns a new classifier that has not learned; it is called once a fold and once for all passages.
    """

    make: Callable[[], Classifier]
    folds: int = 5
    seed: int = 0

    def learn(self, corpus: datasets.Dataset) -> LearnedClassifier:
        """Fit the classifier on all passages, its calibration and thresholds by grouped cross-validation.

        Raises
        ------
        TrainingError
            The corpus has one document only or lacks a theme, or the classifier's scores are not finite numbers of the right shape.
        """
        texts, labels = list(corpus["text"]), label_matrix(corpus)
        documents = np.array(corpus["document"])
        for theme, count in zip(corpus.features["labels"].feature.names, labels.sum(axis=0), strict=True):
            if not count:
                raise TrainingError(f"theme {theme!r} has no passage to learn from: label some, or leave the theme out")
        if not asked_matrix(corpus).all():
            raise TrainingError(
                'not all passages were read for all themes, and this classifier learns these together: take the estimator "tagger", or '
                "passages that were read for all"
            )
        if len(set(documents)) < 2:
            raise TrainingError("all passages are of one document: grouped cross-validation needs two or more")
        splits = document_folds(labels, documents, same_words(texts), self.folds, self.seed)
        if not splits:
            raise TrainingError("no way to split the documents so that each fold has all themes to learn from: label more documents")
        decisions = np.zeros(labels.shape)
        for fit, held in splits:
            fitted = self.make()
            fitted.fit([texts[row] for row in fit], labels[fit])
            decisions[held] = decide(fitted, [texts[row] for row in held], labels.shape[1])
        slopes, intercepts = _calibrated(decisions, labels)
        thresholds = best_thresholds(labels, logistic(decisions * slopes + intercepts), documents, self.seed)
        classifier = self.make()
        classifier.fit(texts, labels)
        return LearnedClassifier(classifier, slopes, intercepts, thresholds)


@dataclass(frozen=True)
class LearnedClassifier:
    """A fitted classifier with its calibration and thresholds, (themes,) each."""

    classifier: Classifier
    slopes: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    thresholds: NDArray[np.float64]

    def predict(self, corpus: datasets.Dataset) -> Said:
        """Score every passage by itself."""
        scores = logistic(decide(self.classifier, list(corpus["text"]), len(self.slopes)) * self.slopes + self.intercepts)
        return scores, scores >= self.thresholds


def decide(classifier: Any, texts: Sequence[str], themes: int) -> NDArray[np.float64]:
    """Return a fitted classifier's decisions (n, themes): ``decision_function``, else the log-odds of ``predict_proba``."""
    if hasattr(classifier, "decision_function"):
        found = np.asarray(classifier.decision_function(texts), np.float64)
    else:
        probability = np.asarray(classifier.predict_proba(texts), np.float64).clip(1e-9, 1 - 1e-9)
        found = np.log(probability) - np.log1p(-probability)
    if found.ndim == 1 and themes == 1:
        found = found[:, None]
    if found.shape != (len(texts), themes):
        raise TrainingError(f"the classifier {type(classifier).__name__} gives scores of shape {found.shape}, not {(len(texts), themes)}")
    if not np.isfinite(found).all():
        raise TrainingError(f"the classifier {type(classifier).__name__} gives scores that are not finite numbers: mend it")
    return found


def _calibrated(decisions: NDArray[np.float64], labels: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slope and intercept that turn each theme's decisions into log-odds."""
    slopes, intercepts = np.ones(labels.shape[1]), np.zeros(labels.shape[1])
    for theme, y in enumerate(labels.T):
        if 0 < y.sum() < len(y):
            scale = decisions[:, theme].std() or 1.0
            fitted = LogisticRegression(C=1e6).fit(decisions[:, theme, None] / scale, y)
            slopes[theme], intercepts[theme] = fitted.coef_[0, 0] / scale, fitted.intercept_[0]
    return slopes, intercepts
