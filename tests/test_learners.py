from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import make_pipeline

from tagger import corpus
from tagger.errors import TrainingError
from tagger.learners import ClassifierLearner, TaggerLearner
from tagger.training import best_thresholds

THEMES = ("complicity", "forced_labor", "shelter_gaps", "data_quality")


@pytest.fixture(scope="module")
def halves(root):
    """Every fourth composed document to learn from, every tenth to test on."""
    composed = corpus.load(root / "corpora/composed", THEMES)
    names = sorted(set(composed["document"]))
    return tuple(
        composed.select([row for row, document in enumerate(composed["document"]) if document in names[start::step]])
        for start, step in ((0, 4), (1, 10))
    )


def bag(estimator):
    return ClassifierLearner(lambda: make_pipeline(TfidfVectorizer(ngram_range=(1, 2), min_df=2), OneVsRestClassifier(estimator)), folds=3)


@pytest.mark.parametrize("estimator", [LogisticRegression(), ComplementNB()])
def test_learners_take_any_classifier_and_choose_its_thresholds(halves, estimator):
    learned, held = halves
    scores, predicted = bag(estimator).learn(learned).predict(held)
    assert scores.shape == predicted.shape == (len(held), 4)
    assert ((scores >= 0) & (scores <= 1)).all()
    truth = corpus.label_matrix(held)
    assert f1_score(truth, predicted, average="macro") > max(0.45, f1_score(truth, scores >= 0.5, average="macro") - 0.02)


def test_learners_tagger_learns_better_than_a_bag_of_words(halves):
    learned, held = halves
    truth = corpus.label_matrix(held)
    own, bags = (
        f1_score(truth, learner.learn(learned).predict(held)[1], average="macro")
        for learner in (TaggerLearner(), bag(LogisticRegression()))
    )
    assert own > bags


class Broken:
    """Gives what no classifier should."""

    def __init__(self, value):
        self.value = value

    def fit(self, texts, labels):
        return self

    def decision_function(self, texts):
        return np.full((len(texts), 4 if self.value != self.value else 3), self.value)


@pytest.mark.parametrize(
    ("value", "message"), [(float("nan"), "Broken gives scores that are not finite"), (1.0, r"Broken gives scores of shape \(\d+, 3\)")]
)
def test_learners_refuse_scores_that_are_none(halves, value, message):
    with pytest.raises(TrainingError, match=message):
        ClassifierLearner(lambda: Broken(value)).learn(halves[1])


def test_learners_need_two_documents_and_a_passage_of_each_theme(halves):
    one = halves[1].filter(lambda document: document == halves[1]["document"][0], input_columns="document")
    with pytest.raises(TrainingError, match="one document"):
        bag(LogisticRegression()).learn(one)
    bare = halves[1].filter(lambda labels: 0 not in labels, input_columns="labels")
    with pytest.raises(TrainingError, match="theme 'complicity' has no passage"):
        ClassifierLearner(lambda: make_pipeline(TfidfVectorizer(), OneVsRestClassifier(ComplementNB()))).learn(bare)


def test_learners_take_no_threshold_among_equal_scores():
    labels, documents = np.array([[1], [0], [0], [0], [1], [0]]), np.array(["a", "a", "a", "b", "b", "b"])
    scores = np.array([[0.5], [0.5], [0.5], [0.5], [0.9], [0.1]])
    assert best_thresholds(labels, scores, documents)[0] in (0.3, 0.7)


def test_learners_of_all_themes_together_refuse_passages_that_were_not_read_for_all(halves):
    learned = halves[0]
    rows = learned.to_dict()
    rows["asked"][0] = [1]
    partly = type(learned).from_dict(rows, features=learned.features)
    with pytest.raises(TrainingError, match="not all passages were read for all themes"):
        bag(LogisticRegression()).learn(partly)
