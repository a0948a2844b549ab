from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold

from tagger.corpus import passages
from tagger.errors import TrainingError
from tagger.evaluation import Fold, grouped_folds, leaks, near_duplicates, one_corpus_out, without_leaks

THEMES = ("complicity", "forced_labor", "shelter_gaps", "data_quality")


@pytest.fixture(scope="module")
def composed(root):
    rows = passages(root / "corpora/composed")
    return np.array([[int(theme in row["labels"]) for theme in THEMES] for row in rows]), [row["document"] for row in rows]


def _refused_for_a_reason(labels, documents, folds):
    """Too few documents, or themes in so few that two folds may not suffice."""
    names = np.array(documents)
    least = [len(set(names[labels[:, theme] == value])) for theme in range(labels.shape[1]) for value in (0, 1)]
    assert len(set(documents)) < folds or min(least) <= 3, (least, folds)


@st.composite
def labelled(draw):
    documents = draw(st.lists(st.integers(0, 14), min_size=1, max_size=120))
    width = draw(st.integers(0, 4))
    rows = draw(st.lists(st.lists(st.integers(0, 1), min_size=width, max_size=width), min_size=len(documents), max_size=len(documents)))
    return np.array(rows).reshape(len(documents), width), [f"d{number}" for number in documents]


@settings(max_examples=150, deadline=None)
@given(labelled(), st.integers(2, 6), st.integers(1, 3), st.integers(0, 5))
def test_resampling_folds_are_fair_or_refused(data, folds, repeats, seed):
    labels, documents = data
    try:
        found = grouped_folds(labels, documents, folds=folds, repeats=repeats, seed=seed)
    except TrainingError:
        _refused_for_a_reason(labels, documents, folds)
        return
    assert [(fold.repeat, fold.number) for fold in found] == [(r, n) for r in range(repeats) for n in range(folds)]
    names = np.array(documents)
    for fold in found:
        assert len(fold.train)
        assert len(fold.test)
        assert not set(names[fold.train]) & set(names[fold.test])
        assert sorted([*fold.train, *fold.test]) == list(range(len(names)))
        learned = labels[fold.train]
        assert (learned.any(axis=0) & ~learned.all(axis=0)).all()
    for repeat in range(repeats):
        tested = np.concatenate([fold.test for fold in found if fold.repeat == repeat])
        assert sorted(tested) == list(range(len(names)))
    again = grouped_folds(labels, documents, folds=folds, repeats=repeats, seed=seed)
    assert [fold.test.tolist() for fold in again] == [fold.test.tolist() for fold in found]


def test_resampling_folds_are_balanced_and_repeats_differ(composed):
    labels, documents = composed

    def spread(tests):
        held = np.array([np.append(labels[test].sum(axis=0), len(test)) for test in tests]) * len(tests)
        return np.abs(held / np.append(labels.sum(axis=0), len(labels)) - 1).mean()

    found = grouped_folds(labels, documents, repeats=4)
    assert all(0 < labels[fold.test, theme].mean() < 1 for fold in found for theme in range(4))
    groups = np.unique(documents, return_inverse=True)[1]
    for repeat in range(4):
        plain = [test for _, test in GroupKFold(5, shuffle=True, random_state=repeat).split(labels, groups=groups)]
        ours = [fold.test for fold in found if fold.repeat == repeat]
        assert spread(ours) < min(0.08, spread(plain))
    assert len({tuple(fold.test) for fold in found}) == len(found)
    assert found[0].test.tolist() != grouped_folds(labels, documents, seed=1)[0].test.tolist()


def test_resampling_a_rare_theme_goes_to_as_many_folds_as_it_has_documents():
    random = np.random.default_rng(0)
    documents = [f"d{number}" for number in range(20) for _ in range(10)]
    labels = np.zeros((200, 2), int)
    labels[:, 0] = random.random(200) < 0.3
    labels[[5, 15, 25], 1] = 1
    for seed in range(10):
        found = grouped_folds(labels, documents, seed=seed)
        assert sorted(labels[fold.test, 1].sum() for fold in found) == [0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("labels", "documents", "options", "message"),
    [
        ([[1], [0]], ["d", "d"], {}, "grouped folds need at least two documents"),
        ([], [], {}, "grouped folds need at least two documents"),
        ([[1], [0], [1], [0]], list("aabb"), {}, "2 documents can't fill 5 folds: ask for at most 2"),
        ([[1], [0]], list("ab"), {"folds": 1}, "at least two folds and one repeat, not 1 and 1"),
        ([[1], [0]], list("ab"), {"folds": 2, "repeats": 0}, "at least two folds and one repeat, not 2 and 0"),
        ([[2], [0]], list("ab"), {"folds": 2}, "labels must be 0 or 1"),
        ([[0], [0]], list("ab"), {"folds": 2, "themes": ("x",)}, r"theme 'x' has passages with it in 0 document\(s\)"),
        (
            [[0, 1], [0, 0], [1, 0], [0, 1]],
            list("aabb"),
            {"folds": 2, "themes": ("x", "y")},
            r"theme 'x' has passages with it in 1 document",
        ),
        ([[1], [1]], list("ab"), {"folds": 2}, r"theme number 1 has passages without it in 0 document\(s\)"),
        # Each of three themes stands in two of three documents: one side of two folds always lacks one.
        (
            [[1, 0, 1], [0, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 1], [0, 0, 0]],
            list("aabbcc"),
            {"folds": 2},
            "no way found to deal 3 documents",
        ),
    ],
)
def test_resampling_refuses_what_cannot_be_split(labels, documents, options, message):
    with pytest.raises(TrainingError, match=message):
        grouped_folds(np.array(labels).reshape(len(documents), -1 if documents else 1), documents, **options)


def test_resampling_one_corpus_out():
    found = one_corpus_out(["b/1", "a/1", "b/2/x", "a/1", "c/1"])
    assert [(fold.train.tolist(), fold.test.tolist(), fold.repeat, fold.number) for fold in found] == [
        ([0, 2, 4], [1, 3], 0, 0),
        ([1, 3, 4], [0, 2], 0, 1),
        ([0, 1, 2, 3], [4], 0, 2),
    ]
    with pytest.raises(TrainingError, match="at least two corpora, not 1"):
        one_corpus_out(["a/1", "a/2"])
    with pytest.raises(TrainingError, match="document '1' does not name its corpus"):
        one_corpus_out(["a/1", "1"])


def test_resampling_leaks_are_listed_and_dropped():
    texts = [
        "Police arrested two men in May.",
        "No shelter was open.",
        "Police arrested two men in May, 2014.",
        "Police arrested two men in May!",
    ]
    pairs = near_duplicates(texts)
    fold = Fold(np.array([0, 1, 3]), np.array([2]), 0, 4)
    assert leaks(fold, pairs) == [(0, 2, pytest.approx(0.8)), (3, 2, pytest.approx(0.8))]
    assert leaks(Fold(np.array([2]), np.array([0, 1, 3]), 0, 0), pairs) == [(2, 0, pytest.approx(0.8))]
    clean = without_leaks(fold, pairs)
    assert (clean.train.tolist(), clean.test.tolist(), clean.number) == ([1], [2], 4)
    assert leaks(clean, pairs) == []
