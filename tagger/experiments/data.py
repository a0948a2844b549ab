"""The passages of an experiment, as one corpus, and which of them are learned from and tested on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import datasets
import numpy as np
from numpy.typing import NDArray

from tagger.corpus import asked_matrix, digest, label_matrix, load
from tagger.duplicates import NearDuplicates, near_duplicates, same_words
from tagger.errors import TrainingError
from tagger.evaluation.resampling import Fold, grouped_folds, one_corpus_out, without_leaks
from tagger.experiments.files import Experiment, Keys
from tagger.experiments.settings import CrossValidation, OneCorpusOut, Search, Settings, Split, TestCorpora
from tagger.themes import Codebook, load_codebook


@dataclass(frozen=True)
class Data:
    """All passages, those to learn from first; documents are named corpus/document."""

    corpus: datasets.Dataset
    labels: NDArray[np.int64]
    documents: tuple[str, ...]
    codebook: Codebook
    digests: Mapping[str, str]
    """Name of a corpus -> SHA-256 of its passages, in their order."""
    learned: int
    """How many passages are not of corpora to test on only."""

    @cached_property
    def asked(self) -> NDArray[np.bool_]:
        """Whether each passage was read for each theme."""
        return asked_matrix(self.corpus)

    @cached_property
    def near_duplicates(self) -> NearDuplicates:
        """The near-duplicates among the passages, by their rows."""
        return near_duplicates(list(self.corpus["text"]))

    @cached_property
    def equal(self) -> NearDuplicates:
        """The passages that have the same words."""
        return NearDuplicates(same_words(self.corpus["text"]), [])

    @property
    def digest(self) -> str:
        """SHA-256 of all that a fit sees of the data: passages, their order, themes and lexicon."""
        seen = (list(self.digests.items()), self.codebook.names, sorted(self.codebook.lexicon.items()))
        return hashlib.sha256(repr(seen).encode()).hexdigest()


def read_data(experiment: Experiment) -> Data:
    """Read the corpora and the themes.

    Raises
    ------
    ExperimentError
        A corpus or the file of themes is missing, or two corpora have one name.
    CorpusError
        A passage is broken, or has a label that is no theme.
    """
    settings = experiment.settings
    codebook = load_codebook(_there(experiment, ("themes",), settings.themes, "themes.toml"))
    tested = settings.split.corpora if isinstance(settings.split, TestCorpora) else []
    digests: dict[str, str] = {}
    parts = []
    for part, keys in ((settings.corpora, ("corpora",)), (tested, ("split", "corpora"))):
        for number, written in enumerate(part):
            folder = _there(experiment, (*keys, number), written, "passages.jsonl")
            name = folder.resolve().name
            if name in digests:
                raise experiment.wrong((*keys, number), f"a second corpus is called {name!r}: rename a folder")
            try:
                found = digest(folder)
                parts.append(_named(load(folder, codebook.names), name))
            except OSError as error:
                raise experiment.wrong((*keys, number), f"{folder}: can't be read: {error.strerror or error}") from error
            if same := [other for other, known in digests.items() if known == found]:
                raise experiment.wrong((*keys, number), f"{name!r} holds the very same passages as {same[0]!r}: name them once")
            digests[name] = found
    corpus = datasets.concatenate_datasets(parts)
    learned = sum(len(part) for part in parts[: len(settings.corpora)])
    return Data(corpus, label_matrix(corpus), tuple(corpus["document"]), codebook, digests, learned)


def folds(experiment: Experiment, data: Data) -> list[tuple[int, Fold]]:
    """Return what is learned from and tested on, for each seed; what is tested in the same words is not learned from.

    Raises
    ------
    TrainingError
        The documents can't be split so, or nothing is left to learn from.
    """
    split = experiment.settings.split
    found = [(seed, fold) for seed in experiment.settings.seeds for fold in _folds(split, data, seed)]
    return [(seed, _without_leaks(split, data, fold)) for seed, fold in found]


def search_folds(settings: Settings, search: Search, data: Data, train: NDArray[np.int64], seed: int) -> list[Fold]:
    """Return the folds, by document, of what is learned from, on which a search compares; duplicates are dropped as in `folds`.

    Raises
    ------
    TrainingError
        The documents can't be split so, or nothing is left to learn from.
    """
    parts = grouped_folds(
        data.labels[train],
        [data.documents[row] for row in train],
        folds=search.folds,
        seed=seed,
        themes=data.codebook.names,
    )
    return [_without_leaks(settings.split, data, replace(part, train=train[part.train], test=train[part.test])) for part in parts]


def _without_leaks(split: Split, data: Data, fold: Fold) -> Fold:
    """The fold without training rows that say what a test row says in the same words, or nearly so, where the settings ask for that."""
    fold = without_leaks(fold, data.near_duplicates if split.drop_near_duplicates else data.equal)
    if not len(fold.train):
        raise TrainingError("every passage to learn from is a near-duplicate of one to test on: split otherwise")
    return fold


def _folds(split: Split, data: Data, seed: int) -> list[Fold]:
    if isinstance(split, CrossValidation):
        return grouped_folds(data.labels, data.documents, folds=split.folds, seed=seed, themes=data.codebook.names)
    if isinstance(split, OneCorpusOut):
        return one_corpus_out(data.documents)
    rows = np.arange(len(data.corpus))
    return [Fold(rows[: data.learned], rows[data.learned :], 0, 0)]


def _there(experiment: Experiment, keys: Keys, written: str, file: str) -> Path:
    path = experiment.folder / written
    if not (path if path.suffix == ".toml" else path / file).is_file():
        raise experiment.wrong(keys, f"there is no {path if path.suffix == '.toml' else path / file} (paths start at this file's folder)")
    return path


def _named(corpus: datasets.Dataset, name: str) -> datasets.Dataset:
    """The corpus with its documents named corpus/document."""
    columns = {**corpus.to_dict(), "document": [f"{name}/{document}" for document in corpus["document"]]}
    return datasets.Dataset.from_dict(columns, features=corpus.features)
