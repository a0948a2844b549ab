from __future__ import annotations

import numpy as np

from tagger.evaluation import Predictions
from tagger.evaluation.errors import confusion, errors


def made(labels, predicted, scores=None, ids=None) -> Predictions:
    labels, predicted = np.array(labels), np.array(predicted, bool)
    names = ids or tuple(f"p{number}" for number in range(len(labels)))
    scores = np.array(scores, float) if scores is not None else predicted.astype(float)
    return Predictions(
        ("a", "b", "c"), tuple(names), ("c/d",) * len(labels), np.zeros(len(labels), np.int64), labels, scores, predicted, {}
    )


def test_errors_confusion_of_a_worked_example():
    found = confusion(
        made(
            [[1, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 0, 0], [0, 0, 1]],
            [[1, 0, 0], [0, 1, 0], [1, 0, 1], [0, 1, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0]],
        )
    )
    assert found.meant.tolist() == [4, 1, 1, 2]
    # Row a: two hits; b wrongly once, instead; c wrongly once, beside a. The b of the fourth passage is right.
    assert found.given.tolist() == [[2, 1, 1], [0, 1, 0], [0, 0, 0], [0, 1, 0]]
    assert found.instead.tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert found.nothing.tolist() == [1, 0, 1, 1]


def test_errors_confusion_counts_a_passage_of_repeated_cross_validation_once():
    repeated = made([[1, 0, 0]] * 3 + [[0, 0, 0]] * 3, [[1, 0, 0], [1, 0, 0], [0, 1, 0]] + [[0, 0, 0]] * 3, ids=("p",) * 3 + ("q",) * 3)
    found = confusion(repeated)
    assert found.meant.tolist() == [1, 0, 0, 1]
    assert found.given.tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert found.nothing.tolist() == [0, 0, 0, 1]


def test_errors_come_worst_first_both_ways():
    scores = [[0.9, 0, 0], [0.7, 0, 0], [0.8, 0, 0], [0.3, 0, 0], [0.1, 0, 0], [0.95, 0, 0]]
    predictions = made([[0, 1, 0], [0, 0, 0], [0, 0, 0], [1, 0, 0], [1, 0, 1], [1, 0, 0]], np.array(scores) >= 0.5, scores)
    given, missed = errors(predictions, "a")
    assert [error.id for error in given] == ["p0", "p2", "p1"]
    assert [(error.id, error.score, error.labels) for error in missed] == [("p4", 0.1, ("a", "c")), ("p3", 0.3, ("a",))]
    assert errors(predictions, "b")[0] == []


def test_errors_of_repeated_cross_validation_are_counted_once_a_passage():
    scores = [[0.9, 0, 0], [0.7, 0, 0], [0.2, 0, 0], [0.6, 0, 0], [0.1, 0, 0], [0.2, 0, 0]]
    predictions = made([[0, 0, 0]] * 6, np.array(scores) >= 0.5, scores, ids=("p", "p", "p", "q", "q", "q"))
    (error,), _ = errors(predictions, "a")
    assert (error.id, error.wrong, error.times) == ("p", 2, 3)
    assert abs(error.score - 0.6) < 1e-9
