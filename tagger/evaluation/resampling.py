"""Training and test passages kept apart: folds by document, one corpus out, and near-duplicates across a split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.duplicates import NearDuplicates, Pair
from tagger.errors import TrainingError

_TRIES = 20  # orders in which the documents are dealt out, of which the best balanced is taken


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows to learn from and rows to measure on, in rising order; ``number`` counts the folds of a ``repeat``, both from 0."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    repeat: int
    number: int


def grouped_folds(
    labels: NDArray[Any],
    documents: Sequence[str],
    *,
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
    themes: Sequence[str] = (),
) -> list[Fold]:
    """Deal whole documents out to folds, so that each fold has its share of the passages and of every theme's.

    Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011, "On the stratification of multi-label data"), adapted to groups:
    documents come in the order of their rarest theme, those of one theme in a random order, and each goes to the fold that has least of
    what the document holds. The best balanced of twenty random orders is taken. Every training side has passages with and without each
    theme; every test side has them where the documents allow it. Where thresholds or parameters are chosen, split the training
    rows of a fold again.

    ``labels`` are (n, themes) 0 or 1, ``documents`` the (n,) documents of the passages, ``themes`` names for messages.

    Raises
    ------
    TrainingError
        There are fewer documents than folds, or a theme that would be lacking, or in every passage, where a fold learns.
    """
    labels = np.asarray(labels, np.int64)
    names, group = np.unique(np.array(documents, dtype=object).astype(str), return_inverse=True)
    _check(labels, len(names), folds, repeats)
    # Of each document: passages with each theme, then without.
    sums = _totals(np.hstack([labels, 1 - labels]), group, len(names))
    held = _totals(np.hstack([labels, np.ones((len(labels), 1))]), group, len(names))
    _check_themes(sums, themes)
    random = np.random.default_rng(seed)
    found = []
    for repeat in range(repeats):
        tries = [_deal(held, folds, random) for _ in range(_TRIES)]
        dealt = min(tries, key=lambda fold_of: _badness(fold_of, sums, held, folds))
        if _lacking(dealt, sums, folds):
            raise TrainingError(
                f"no way found to deal {len(names)} documents out to {folds} folds so that every fold learns from passages with and "
                "without each theme: label more documents, or take another number of folds"
            )
        fold_of = dealt[group]
        found += [Fold(np.flatnonzero(fold_of != number), np.flatnonzero(fold_of == number), repeat, number) for number in range(folds)]
    return found


def one_corpus_out(documents: Sequence[str]) -> list[Fold]:
    """Test on each corpus in turn what is learned from the others; ``documents`` are named corpus/document.

    Raises
    ------
    TrainingError
        There is one corpus only, or a document does not name its corpus.
    """
    for document in documents:
        if "/" not in document:
            raise TrainingError(f"document {document!r} does not name its corpus: write it as corpus/document")
    corpus = np.array([document.partition("/")[0] for document in documents], dtype=object).astype(str)
    names = np.unique(corpus)
    if len(names) < 2:
        raise TrainingError(f"leaving one corpus out needs at least two corpora, not {len(names)}: add one, or fold by document")
    return [Fold(np.flatnonzero(corpus != name), np.flatnonzero(corpus == name), 0, number) for number, name in enumerate(names)]


def leaks(fold: Fold, near: NearDuplicates) -> list[Pair]:
    """Return the training rows (``first``) that are near-duplicates of a test row, each with the one that is most like it (``second``)."""
    return near.nearest(fold.train.tolist(), fold.test.tolist())


def without_leaks(fold: Fold, near: NearDuplicates) -> Fold:
    """Return the fold without the training rows that are near-duplicates of a test row."""
    leaked = [pair.first for pair in leaks(fold, near)]
    return replace(fold, train=np.setdiff1d(fold.train, np.array(leaked, np.int64)))


def _check(labels: NDArray[np.int64], documents: int, folds: int, repeats: int) -> None:
    if folds < 2 or repeats < 1:
        raise TrainingError(f"cross-validation needs at least two folds and one repeat, not {folds} and {repeats}")
    if documents < 2:
        raise TrainingError("grouped folds need at least two documents: label passages of another, so that one can test the other")
    if documents < folds:
        raise TrainingError(f"{documents} documents can't fill {folds} folds: ask for at most {documents}, or label more documents")
    if not np.isin(labels, (0, 1)).all():
        raise TrainingError("labels must be 0 or 1, a row a passage and a column a theme")


def _check_themes(sums: NDArray[np.float64], themes: Sequence[str]) -> None:
    """Refuse a theme whose passages, or all others, stand in one document: the fold that tests it could not learn it."""
    width = sums.shape[1] // 2
    for column, count in enumerate((sums > 0).sum(axis=0)):
        if count < 2:
            name = repr(themes[column % width]) if len(themes) == width else f"number {column % width + 1}"
            kind = "with" if column < width else "without"
            raise TrainingError(
                f"theme {name} has passages {kind} it in {count} document(s): label some in two or more, so that one can test another"
            )


def _deal(held: NDArray[np.float64], folds: int, random: np.random.Generator) -> NDArray[np.int64]:
    """The fold of each document; ``held`` is what it holds, (documents, themes and then passages)."""
    total = held.sum(axis=0)
    rarest = np.where(held > 0, total, np.inf).min(axis=1)
    shares = held / total
    load = np.zeros((folds, held.shape[1]))
    dealt = np.zeros(len(held), np.int64)
    for document in np.lexsort((random.random(len(held)), rarest)):
        # The increase of the sum of squared shares, and with it of the imbalance, is least where this product is.
        taken = load @ shares[document]
        fold = random.choice(np.flatnonzero(taken <= taken.min() + 1e-12))
        dealt[document] = fold
        load[fold] += shares[document]
    return dealt


def _badness(dealt: NDArray[np.int64], sums: NDArray[np.float64], held: NDArray[np.float64], folds: int) -> tuple[int, int, float]:
    """What to avoid first, second and third: sides to learn from and then to test on that lack something, and imbalance."""
    share = _totals(held / held.sum(axis=0), dealt, folds)
    return _lacking(dealt, sums, folds), int((_totals(sums, dealt, folds) == 0).sum()), float((share**2).sum())


def _lacking(dealt: NDArray[np.int64], sums: NDArray[np.float64], folds: int) -> int:
    """How often a training side lacks passages with a theme, or without one."""
    parts = _totals(sums, dealt, folds)
    return int((sums.sum(axis=0) == parts).sum())


def _totals(values: NDArray[Any], group: NDArray[np.int64], groups: int) -> NDArray[np.float64]:
    """Sums of the rows of each group."""
    total = np.zeros((groups, values.shape[1]))
    np.add.at(total, group, values)
    return total
