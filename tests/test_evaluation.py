from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from sklearn import metrics as reference

from tagger.corpus import load as load_corpus
from tagger.errors import TrainingError
from tagger.evaluation import evaluate, evaluate_scores, macro_f1_difference
from tagger.evaluation.calibration import expected_calibration_error


def test_evaluation_equals_scikit_learn():
    random = np.random.default_rng(1)
    labels = (random.random((300, 3)) < 0.3).astype(np.int64)
    scores = np.clip(labels * 0.4 + random.random((300, 3)) * 0.6, 0, 1)
    predicted = scores >= 0.5
    found = evaluate_scores(("a", "b", "c"), labels, scores, predicted, [f"d{n % 20}" for n in range(300)])
    precision, recall, f1, support = reference.precision_recall_fscore_support(labels, predicted)
    assert [t.precision for t in found.themes] == pytest.approx(precision)
    assert [t.recall for t in found.themes] == pytest.approx(recall)
    assert [t.f1 for t in found.themes] == pytest.approx(f1)
    assert [t.support for t in found.themes] == support.tolist()
    assert [t.average_precision for t in found.themes] == pytest.approx(
        [reference.average_precision_score(labels[:, i], scores[:, i]) for i in range(3)]
    )
    assert found.macro_f1 == pytest.approx(reference.f1_score(labels, predicted, average="macro"))
    assert found.micro_f1 == pytest.approx(reference.f1_score(labels, predicted, average="micro"))
    assert found.macro_interval[0] < found.macro_f1 < found.macro_interval[1]
    assert (found.passages, found.documents) == (300, 20)


def test_evaluation_calibration_error_of_a_worked_example():
    # Bins 0.2 to 0.3 (two scores, none right) and 0.9 to 1 (two, one right): (2 x 0.25 + 2 x |0.95 - 0.5|) / 4.
    labels, scores = np.array([0, 0, 1, 0]), np.array([0.25, 0.25, 0.95, 0.95])
    assert expected_calibration_error(labels, scores) == pytest.approx((2 * 0.25 + 2 * 0.45) / 4)
    assert expected_calibration_error(np.array([1]), np.array([1.0])) == 0.0


def test_evaluation_difference_is_paired():
    random = np.random.default_rng(2)
    labels = (random.random((400, 2)) < 0.4).astype(np.int64)
    worse = labels ^ (random.random((400, 2)) < 0.3)
    better = np.where(random.random((400, 2)) < 0.2, labels, worse)
    documents = [f"d{n % 25}" for n in range(400)]
    macro = [reference.f1_score(labels, part, average="macro") for part in (better, worse)]
    difference, (low, high) = macro_f1_difference(labels, better.astype(bool), worse.astype(bool), documents)
    assert difference == pytest.approx(macro[0] - macro[1])
    assert 0 < low < difference < high
    alone = evaluate_scores(("a", "b"), labels, better.astype(float), better.astype(bool), documents).macro_interval
    assert high - low < alone[1] - alone[0]
    assert macro_f1_difference(labels, worse.astype(bool), worse.astype(bool), documents) == (0.0, (0.0, 0.0))


def test_evaluation_of_a_theme_without_passages_is_null_not_zero():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = evaluate_scores(("a",), np.zeros((4, 1), np.int64), np.zeros((4, 1)), np.zeros((4, 1), bool), ["d"] * 4)
    assert found.to_json()["themes"][0]["recall"] is None
    json.dumps(found.to_json(), allow_nan=False)


def test_evaluation_refuses_other_themes(default_tagger, tmp_path):
    (tmp_path / "passages.jsonl").write_text('{"id": "1", "text": "t", "labels": [], "document": "d"}')
    with pytest.raises(TrainingError, match="the corpus has the themes other, but the model complicity"):
        evaluate(default_tagger, load_corpus(tmp_path, ("other",)))


def test_evaluation_of_the_default_model_on_countries_it_never_saw(default_tagger, root):
    development = root.parent / "shared/development"
    if not development.is_dir():
        pytest.skip("the development set is not here")
    found = evaluate(default_tagger, load_corpus(development, default_tagger.themes))
    assert found.macro_f1 > 0.83
    assert all(theme.calibration_error < 0.05 for theme in found.themes)
