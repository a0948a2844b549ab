"""scikit-learn: our training as a classifier of texts, our features as a transformer."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagger.duplicates import same_words
from tagger.errors import MissingExtraError, TrainingError
from tagger.features import FeatureSettings
from tagger.model import logistic
from tagger.training import FeatureTransformer, TextsMixin, TrainingSettings, fit_model

try:
    from scipy.sparse import issparse
    from scipy.special import log_expit, logit, softmax
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.preprocessing import MultiLabelBinarizer
    from sklearn.utils import assert_all_finite, check_consistent_length, check_random_state, column_or_1d
    from sklearn.utils.multiclass import check_classification_targets, type_of_target
    from sklearn.utils.validation import check_is_fitted
except ImportError as error:
    raise MissingExtraError("scikit-learn", "train") from error

__all__ = ["FeatureTransformer", "TaggerClassifier"]

_SURE = 1e-6  # thresholds are taken to lie at least so far from 0 and 1


class TaggerClassifier(TextsMixin, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of texts: what `tagger train` does, as an estimator of scikit-learn.

    Parameters
    ----------
    features
        What is counted; ``tagger.load().model.settings`` is that of the shipped model, with its lexicon. A text is judged alone.
    C
        Inverse strength of the penalty; of several, the one with the highest mean average precision out of fold.
    class_weight
        None or ``"balanced"``.
    inverse_frequency
        Whether a feature counts for more the fewer texts it stands in.
    least
        In how many texts a feature must stand to get a weight.
    folds
        So many folds, or fewer where there are few texts, give the penalty, the calibration and the thresholds.
    random_state
        Deals out the folds.

    Attributes
    ----------
    classes_ : the names of the themes or columns of a multi-label ``y``; else the classes
    multilabel_ : whether ``y`` was multi-label
    model_ : a `tagger.model.Model`; ``tagger.Tagger(classifier.model_)`` tags with it and shows the words that decided

    Examples
    --------
    >>> from tagger.integrations.sklearn import TaggerClassifier
    >>> texts = ["Police took bribes.", "Shelters were full."] * 5
    >>> TaggerClassifier().fit(texts, [["complicity"], ["shelter_gaps"]] * 5).predict(["The police took bribes."])
    array([[1, 0]])
    """

    def __init__(
        self,
        *,
        features: FeatureSettings | None = None,
        C: float | Sequence[float] = (0.01, 0.03, 0.1, 0.3, 1.0),
        class_weight: str | None = None,
        inverse_frequency: bool = True,
        least: int = 2,
        folds: int = 5,
        random_state: Any = 0,
    ) -> None:
        self.features = features
        self.C = C
        self.class_weight = class_weight
        self.inverse_frequency = inverse_frequency
        self.least = least
        self.folds = folds
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def fit(self, X: Sequence[str], y: Any, groups: ArrayLike | None = None) -> TaggerClassifier:
        """Learn from ``n`` texts.

        Parameters
        ----------
        X
            Texts: a list, an array, a Series.
        y
            Several labels a text: lists of names, or a matrix (n, themes) of 0 and 1, whose columns a data frame names. Or one a text.
        groups
            The document of each text: its texts stay together when folds are dealt out. Without it, each text stands for itself,
            and those of the same words stay together.

        Raises
        ------
        TrainingError
            Something in ``X`` is not a text, or a label stands in too few texts or groups. It is a ValueError.
        """
        texts = self._texts(X)
        classes, labels, multilabel = _encoded(y)
        documents = np.asarray(same_words(texts) if groups is None else groups)
        check_consistent_length(texts, labels, documents)
        names = tuple(map(str, classes[-labels.shape[1] :]))  # of two classes, the second
        if len(set(names)) < len(names):
            raise TrainingError(f"two labels are called {max(names, key=names.count)!r}: give each a name of its own")
        self.model_ = fit_model(names, texts, labels, documents.astype(str), [None] * len(texts), self._settings()).model
        self.classes_, self.multilabel_ = classes, multilabel
        return self

    def decision_function(self, X: Sequence[str]) -> NDArray[np.float64]:
        """Log-odds, (n, classes), or (n,) of the second of two classes; of a multi-label ``y`` above those of the label's threshold."""
        check_is_fitted(self)
        odds: NDArray[np.float64] = self.model_.decision(self._texts(X))
        if self.multilabel_:
            return np.asarray(odds - logit(np.clip(self.model_.thresholds, _SURE, 1 - _SURE)))
        return odds if odds.shape[1] > 1 else odds.ravel()

    def predict(self, X: Sequence[str]) -> NDArray[Any]:
        """0 or 1 for each label, (n, classes), at the thresholds with the highest F1; or the most probable class of each text, (n,)."""
        decisions = self.decision_function(X)
        if self.multilabel_:
            return (decisions >= 0).astype(np.int64)
        chosen = decisions > 0 if decisions.ndim == 1 else np.argmax(decisions, axis=1)
        return self.classes_[chosen.astype(np.int64)]

    def predict_proba(self, X: Sequence[str]) -> NDArray[np.float64]:
        """Calibrated probabilities, (n, classes): of each label, or of the classes, whose sum is 1."""
        check_is_fitted(self)
        odds = self.model_.decision(self._texts(X))
        if self.multilabel_:
            return logistic(odds)
        if odds.shape[1] == 1:
            return np.hstack([logistic(-odds), logistic(odds)])
        return np.asarray(softmax(log_expit(odds), axis=1))

    def score(self, X: Sequence[str], y: Any, sample_weight: ArrayLike | None = None) -> float:
        """The share of texts that get exactly the right labels."""
        check_is_fitted(self)
        if _are_names(y):
            y = MultiLabelBinarizer(classes=self.classes_).fit_transform(y)
        return float(super().score(X, y, sample_weight))

    def _settings(self) -> TrainingSettings:
        state = self.random_state
        return TrainingSettings(
            features=self.features or FeatureSettings(),
            C=tuple(np.atleast_1d(self.C).tolist()),
            class_weight=self.class_weight,
            inverse_frequency=self.inverse_frequency,
            least=self.least,
            folds=self.folds,
            seed=int(state) if isinstance(state, Integral) else int(check_random_state(state).randint(1 << 31)),
        )


def _encoded(y: Any) -> tuple[NDArray[Any], NDArray[np.int64], bool]:
    """The classes, 0 or 1 for each text and each of them (for the second of two), and whether a text may have several."""
    if _are_names(y):
        binarizer = MultiLabelBinarizer()
        labels = binarizer.fit_transform(y)
        if not len(binarizer.classes_):
            raise TrainingError("y has no label at all: label some texts")
        return binarizer.classes_, labels.astype(np.int64), True
    columns = getattr(y, "columns", None)
    y = y.toarray() if issparse(y) else y
    if np.asarray(y).dtype.kind == "f":
        assert_all_finite(y, input_name="y")
    kind = type_of_target(y, input_name="y", raise_unknown=True)
    flags = np.isin(np.asarray(y), (0, 1)).all()
    if kind == "multilabel-indicator" and not flags:
        raise TrainingError("a column of y holds other values than 0 and 1")
    if kind == "multilabel-indicator" or (columns is not None and flags):
        labels = np.asarray(y).astype(np.int64)
        return np.arange(labels.shape[1]) if columns is None else np.asarray(columns), labels, True
    check_classification_targets(y)
    classes, number = np.unique(column_or_1d(y, warn=True), return_inverse=True)
    if len(classes) < 2:
        raise TrainingError("all of y is of one class: give texts of two or more")
    matrix = (number[:, None] == np.arange(len(classes))).astype(np.int64)
    return classes, matrix[:, 1:] if len(classes) == 2 else matrix, False


def _are_names(y: Any) -> bool:
    """Tell whether y is a list, an array or a Series of lists of names."""
    if not isinstance(y, (list, tuple)):
        y = np.asarray(y)
        if y.dtype != object or y.ndim != 1:
            return False
    several = all(isinstance(labels, (list, tuple, set, frozenset)) for labels in y)
    return several and all(isinstance(name, str) for labels in y for name in labels)
