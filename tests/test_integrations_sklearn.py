from __future__ import annotations

import pickle
from string import ascii_letters

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import VarianceThreshold
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data

from tagger import corpus
from tagger.features import FeatureSettings
from tagger.integrations.sklearn import FeatureTransformer, TaggerClassifier
from tagger.tagging import Tagger
from tagger.training import TrainingSettings, train

LEVELS = np.concatenate([np.arange(start, start + 6, 0.0625) for start in (-3, 97)])  # where the numbers of its checks lie
WORDS = FeatureSettings(weights={"word": 1.0}, bits=12)


class OfNumbers:
    """Takes the numbers that scikit-learn's checks give, as texts: a word for each column and each level that its number is above."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.two_d_array = False, True
        return tags

    def fit(self, X, y=None, **options):
        validate_data(self, X)
        return super().fit(X, y, **options)

    def _texts(self, X):
        above = validate_data(self, X, reset=False)[:, :, None] > LEVELS
        return [
            " ".join(
                f"{ascii_letters[column]}x{ascii_letters[level // 9]}{ascii_letters[level % 9]}"
                for column, level in np.argwhere(row).tolist()
            )
            for row in above
        ]


class NumbersClassifier(OfNumbers, TaggerClassifier):
    pass


class NumbersFeatures(OfNumbers, FeatureTransformer):
    pass


CANNOT = {
    "check_class_weight_classifiers": "gives weights of single classes, which mean nothing where each is told from the rest and calibrated"
}


@parametrize_with_checks(
    [NumbersClassifier(features=WORDS, C=0.1, folds=2), NumbersFeatures(WORDS)],
    expected_failed_checks=lambda estimator: CANNOT if isinstance(estimator, TaggerClassifier) else {},
)
def test_integrations_sklearn_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", [TaggerClassifier(), FeatureTransformer()])
def test_integrations_sklearn_passes_the_checks_that_need_no_numbers(estimator):
    """Of an estimator of texts, `check_estimator` skips all, these too."""
    name = type(estimator).__name__
    for check in (
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_estimator_tags_renamed,
        estimator_checks.check_valid_tag_types,
        estimator_checks.check_estimator_repr,
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
        estimator_checks.check_mixin_order,
        estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_set_params,
    ):
        check(name, estimator)
    tags = get_tags(estimator)
    assert tags.input_tags.string
    assert not tags.input_tags.two_d_array
    assert tags.target_tags.required == (tags.classifier_tags is not None)


@pytest.fixture(scope="module")
def passages(root, codebook):
    """Every tenth composed document."""
    composed = corpus.load(root / "corpora/composed", codebook.names)
    names = sorted(set(composed["document"]))[::10]
    return composed.select([row for row, document in enumerate(composed["document"]) if document in names])


@pytest.fixture(scope="module")
def labelled(passages, codebook):
    """Texts, labels (n, themes) named by their columns, and documents."""
    return list(passages["text"]), pd.DataFrame(corpus.label_matrix(passages), columns=list(codebook.names)), np.array(passages["document"])


@pytest.fixture(scope="module")
def classifier(labelled):
    texts, labels, documents = labelled
    return TaggerClassifier(C=0.1, folds=3).fit(texts, labels, groups=documents)


def test_integrations_sklearn_classifier_is_what_training_makes(classifier, passages, labelled):
    settings = TrainingSettings(features=FeatureSettings().alone(), C=(0.1,), folds=3)
    model = train({"x": passages}, settings=settings).model
    texts, labels, _ = labelled
    assert classifier.classes_.tolist() == list(labels.columns) == list(model.themes)
    assert np.abs(classifier.predict_proba(texts) - model.scores(texts)).max() < 1e-6
    tagged = Tagger(classifier.model_).tag(texts)
    assert [tuple(classifier.classes_[row == 1]) for row in classifier.predict(texts)] == [item.labels for item in tagged]
    assert np.array_equal(classifier.decision_function(texts) >= 0, classifier.predict(texts) == 1)


def test_integrations_sklearn_takes_names_and_matrices_alike(labelled):
    texts, labels, documents = labelled
    names = [labels.columns[row == 1].tolist() for row in labels.to_numpy()]
    classifier = TaggerClassifier(features=WORDS, C=0.1, folds=2).fit(texts, labels, groups=documents)
    by_name = clone(classifier).fit(pd.Series(texts), pd.Series(names), groups=documents)
    order = [by_name.classes_.tolist().index(name) for name in labels.columns]
    assert np.array_equal(by_name.predict_proba(texts)[:, order], classifier.predict_proba(texts))
    assert by_name.score(texts, names) == classifier.score(texts, labels) > 0.8
    of_matrix = clone(classifier).fit(np.array(texts), csr_matrix(labels.to_numpy()), groups=documents)
    assert np.array_equal(of_matrix.predict(texts), classifier.predict(texts))
    assert of_matrix.classes_.tolist() == [0, 1, 2, 3]


def test_integrations_sklearn_one_class_a_text(labelled):
    texts, labels, _ = labelled
    one = labels.index[labels.sum(axis=1) == 1]
    y, given = labels.loc[one].idxmax(axis=1), [texts[row] for row in one]
    fitted = TaggerClassifier(features=WORDS, C=0.1, folds=2).fit(given, y)
    assert fitted.score(given, y) > 0.9
    assert np.allclose(fitted.predict_proba(given).sum(axis=1), 1)
    assert set(fitted.predict(["Police officers took bribes from traffickers."])) == {"complicity"}
    two = np.where(y == "complicity", "yes", "no")
    with pytest.warns(DataConversionWarning):
        column = TaggerClassifier(features=WORDS, C=0.1, folds=2).fit(given, pd.DataFrame({"complicity": two}))
    assert column.classes_.tolist() == ["no", "yes"]
    assert column.predict_proba(given[:5]).shape == (5, 2)
    theme = TaggerClassifier(features=WORDS, C=0.1, folds=2).fit(given, pd.DataFrame({"complicity": two == "yes"}))
    assert theme.classes_.tolist() == ["complicity"]
    assert theme.predict(given).shape == (len(given), 1)


def test_integrations_sklearn_in_pipelines_searches_and_cross_validation(labelled):
    texts, labels, documents = labelled
    folds = GroupKFold(2)
    pipe = make_pipeline(
        FunctionTransformer(lambda texts: [text.upper() for text in texts]), TaggerClassifier(features=WORDS, C=0.1, folds=2)
    )
    search = GridSearchCV(pipe, {"taggerclassifier__least": [2, 100]}, scoring="f1_macro", cv=folds, error_score="raise")
    search.fit(texts, labels, groups=documents)
    assert search.best_params_ == {"taggerclassifier__least": 2}
    assert search.predict(texts[:3]).shape == (3, 4)
    said = cross_val_predict(pipe, texts, labels.to_numpy(), groups=documents, cv=folds, method="predict_proba")
    predicted = cross_val_predict(pipe, texts, labels.to_numpy(), groups=documents, cv=folds)
    assert said.shape == predicted.shape == labels.shape
    assert f1_score(labels, predicted, average="macro") > 0.6
    assert average_precision_score(labels, said, average="macro") > 0.6


def test_integrations_sklearn_clones_and_pickles(classifier, labelled):
    texts = labelled[0][:20]
    again = pickle.loads(pickle.dumps(classifier))
    assert np.array_equal(again.predict_proba(texts), classifier.predict_proba(texts))
    bare = clone(classifier)
    assert bare.get_params() == classifier.get_params()
    with pytest.raises(NotFittedError):
        bare.predict(texts)


def test_integrations_sklearn_transformer_joins_others(labelled):
    texts, labels, _ = labelled
    both = make_union(make_pipeline(FeatureTransformer(WORDS), VarianceThreshold()), TfidfVectorizer())
    y = labels["complicity"]
    fitted = make_pipeline(both, LogisticRegression(max_iter=1000)).fit(pd.Series(texts), y)
    assert fitted.score(texts, y) > 0.8
    with pytest.raises(NotFittedError):
        FeatureTransformer().transform(texts)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ("one text", [["a"]], "must be a list of texts"),
        (pd.DataFrame({"text": ["x"]}), [["a"]], "must be a list of texts"),
        (["x", None], [["a"], []], r"X\[1\] is None, not a text"),
        (["x", "y"], [[], []], "no label at all"),
        (["x", "y"], ["a", "a"], "one class"),
        (["x", "y"], pd.DataFrame({"a": [2, 0], "b": [0, 2]}), "other values than 0 and 1"),
        (["x", "y"], pd.DataFrame([[1, 0], [0, 1]], columns=[1, "1"]), "two labels are called '1'"),
        (["x", "y"], [["a"]], "inconsistent numbers"),
        (["a b", "c d"] * 2, [["a"], []] * 2, "no word stands in 3 passages"),
        (["x"] * 3, [["a"], ["b"], ["b"]], "theme 'a' has passages in 1 document"),
    ],
)
def test_integrations_sklearn_refuses_what_it_cannot_learn_from(X, y, message):
    with pytest.raises(ValueError, match=message):
        TaggerClassifier(least=3).fit(X, y)
