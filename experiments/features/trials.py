"""Kinds of features and learners that the shipped model does without: is it missing something?

    python experiments/features/trials.py [path/to/development]

Each trial adds one kind of feature to the shipped ones, or changes the learner, and prints mean average precision out of fold on the
Mexico report and the composed documents (8 folds by document) and, where a development set is given, on real passages of other countries.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from rich.progress import track
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GroupKFold
from sklearn.svm import LinearSVC

from tagger.corpus import digest, load
from tagger.errors import TaggerError
from tagger.features import Features, FeatureSettings, neighbours
from tagger.themes import load_codebook
from tagger.tokens import Lexicon, Tokens, multiplier
from tagger.writing.whole import whole

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FOLDERS = [ROOT / "corpora/mexico-2014", ROOT / "corpora/composed"]
CODEBOOK = load_codebook(ROOT / "corpora/themes.toml")
SETTINGS = FeatureSettings(lexicon=CODEBOOK.lexicon)
WEIGHT, BITS = 0.7, 20

MORE_CLASSES = {
    "but": [
        "but",
        "although",
        "though",
        "however",
        "while",
        "despite",
        "whereas",
        "yet",
        "nevertheless",
        "nonetheless",
        "even",
        "except",
    ],
    "person": [
        "women",
        "woman",
        "girl",
        "girls",
        "boy",
        "boys",
        "men$",
        "man$",
        "child",
        "children",
        "migrant",
        "refugee",
        "people",
        "person",
        "citizen",
        "students",
        "family",
        "families",
    ],
    "money": [
        "pay$",
        "pays$",
        "paid$",
        "payment",
        "fee$",
        "fees$",
        "money$",
        "wage",
        "wages",
        "salary",
        "cash$",
        "debt",
        "debts",
        "loan",
        "loans",
        "earnings",
        "bribe",
        "dollars",
        "euros",
    ],
    "papers": [
        "passport",
        "document$",
        "documents$",
        "papers$",
        "visa",
        "permit$",
        "permits$",
        "certificate",
        "card$",
        "identity$",
        "registration",
        "contract$",
    ],
    "place": [
        "abroad",
        "overseas",
        "foreign$",
        "destination",
        "transit",
        "source$",
        "internal$",
        "transnational",
        "international$",
        "neighboring",
        "border",
        "local$",
    ],
    "compare": [
        "compared",
        "comparison",
        "previous",
        "earlier",
        "preceding",
        "prior$",
        "last$",
        "rose$",
        "fell$",
        "year$",
        "years$",
        "consecutive",
        "first$",
        "second$",
        "again",
    ],
    "all": [
        "any$",
        "all$",
        "some$",
        "most$",
        "many$",
        "several$",
        "each$",
        "every$",
        "none$",
        "few$",
        "other$",
    ],
}

Rows = tuple[np.ndarray, np.ndarray]
"""Text numbers and 64-bit hashes of what stands in them."""


def ngrams(tokens: Tokens, *steps: int) -> Rows:
    """Tokens at fixed distances from a first one."""
    first = np.flatnonzero(tokens.row[: -steps[-1]] == tokens.row[steps[-1] :])
    value = tokens.hash[first]
    for step in steps:
        value = value * multiplier(step) + tokens.hash[first + step]
    return tokens.row[first], value


def characters(tokens: Tokens, size: int) -> Rows:
    """Letters in a row inside a word."""
    found = []
    for offset in range(20):
        long = np.flatnonzero(tokens.end - tokens.start >= offset + size)
        found.append((tokens.row[long], tokens.piece(tokens.start[long] + offset, tokens.start[long] + offset + size)))
    return np.concatenate([rows for rows, _ in found]), np.concatenate([values for _, values in found])


def endings(tokens: Tokens, size: int) -> Rows:
    long = np.flatnonzero(tokens.end - tokens.start > size)
    return tokens.row[long], tokens.piece(tokens.end[long] - size, tokens.end[long])


def stems(tokens: Tokens, size: int) -> Rows:
    long = np.flatnonzero(tokens.end - tokens.start > size)
    return tokens.row[long], tokens.piece(tokens.start[long], tokens.start[long] + size)


def triples(tokens: Tokens, window: int) -> Rows:
    """Three classes in their order, each within the window of the one before."""
    members = LEXICON.members(tokens)
    token, number = members.token, members.number
    left, right = neighbours(tokens, token, window)
    order = np.argsort(left, kind="stable")
    left, right = left[order], right[order]
    start, count = np.searchsorted(left, right), np.searchsorted(left, right, "right") - np.searchsorted(left, right)
    first = np.repeat(np.arange(len(left)), count)
    second = start[first] + np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    name = LEXICON.names[number]
    return tokens.row[token[left[first]]], (name[left[first]] * multiplier(1) + name[right[first]]) * multiplier(2) + name[right[second]]


def in_clause(tokens: Tokens, window: int) -> Rows:
    """Two classes with no comma, semicolon or bracket between them."""
    members = LEXICON.members(tokens)
    token, number = members.token, members.number
    clause = np.cumsum(np.isin(tokens.raw, np.frombuffer(b",;:()", np.uint8)))[tokens.start]
    left, right = neighbours(tokens, token, window)
    same = clause[token[left]] == clause[token[right]]
    name = LEXICON.names[number]
    return tokens.row[token[left[same]]], name[left[same]] * multiplier(1) + name[right[same]]


LEXICON = Lexicon(CODEBOOK.lexicon)
FEATURES: dict[str, Callable[[Tokens], Rows]] = {
    "three words in a row": lambda tokens: ngrams(tokens, 1, 2),
    "two words with one between": lambda tokens: ngrams(tokens, 2),
    "4 letters of a word": lambda tokens: characters(tokens, 4),
    "5 letters of a word": lambda tokens: characters(tokens, 5),
    "last 3 letters": lambda tokens: endings(tokens, 3),
    "first 4 letters": lambda tokens: stems(tokens, 4),
    "first 7 letters": lambda tokens: stems(tokens, 7),
    "three classes": lambda tokens: triples(tokens, 8),
    "two classes in a clause": lambda tokens: in_clause(tokens, 25),
}

Learner = Callable[[sp.csr_matrix, np.ndarray, sp.csr_matrix], np.ndarray]


def linear(train: sp.csr_matrix, y: np.ndarray, test: sp.csr_matrix) -> np.ndarray:
    """As the shipped model learns: see its card."""
    return LinearSVC(C=0.3, max_iter=10_000, random_state=0).fit(train, y).decision_function(test)


def log_count_ratios(train: sp.csr_matrix, y: np.ndarray, test: sp.csr_matrix) -> np.ndarray:
    """Wang and Manning (2012), "Baselines and bigrams"."""
    with_theme, rest = (1 + np.asarray(train[y == value].sum(0)).ravel() for value in (1, 0))
    ratio = sp.diags_array(np.log((with_theme / with_theme.sum()) / (rest / rest.sum())))
    return linear(train @ ratio, y, test @ ratio)


def bag(pick: Callable[[np.random.Generator, sp.csr_matrix], tuple[np.ndarray, np.ndarray]]) -> Learner:
    """Five models, each of a part of the passages or of the features."""

    def learn(train: sp.csr_matrix, y: np.ndarray, test: sp.csr_matrix) -> np.ndarray:
        random = np.random.default_rng(0)
        picks = [pick(random, train) for _ in range(5)]
        return np.mean([linear(train[rows] @ sp.diags_array(keep), y[rows], test @ sp.diags_array(keep)) for rows, keep in picks], axis=0)

    return learn


LEARNERS: dict[str, Learner] = {
    "log-count ratios as weights": log_count_ratios,
    "a bag over passages": bag(lambda random, matrix: (random.integers(0, matrix.shape[0], matrix.shape[0]), np.ones(matrix.shape[1]))),
    "a bag over features": bag(lambda random, matrix: (np.arange(matrix.shape[0]), 2.0 * (random.random(matrix.shape[1]) < 0.5))),
}


def matrix(texts: Sequence[str], settings: FeatureSettings, more: Callable[[Tokens], Rows] | None = None) -> sp.csr_matrix:
    """The shipped features, with another kind beside them in columns of its own."""
    counts = Features(settings).counts(texts)
    base = sp.csr_matrix((counts.data, counts.indices, counts.indptr), shape=(len(texts), settings.columns))
    if more is None:
        return base
    row, value = more(Tokens(texts))
    key = np.unique(row << BITS | (value * multiplier(77) >> np.uint64(64 - BITS)).astype(np.int64))
    added = sp.csr_matrix((np.ones(len(key)), (key >> BITS, key & ((1 << BITS) - 1))), shape=(len(texts), 1 << BITS))
    # The shipped features are divided by a power of their length: the new ones by the same power of the number of the shipped.
    length = np.maximum(np.diff(counts.indptr), 1.0) ** (settings.norm / 2)
    return sp.hstack([base, sp.diags_array(WEIGHT * settings.scale / length) @ added], format="csr")


def labelled(folders: Iterable[Path]) -> tuple[list[str], np.ndarray, np.ndarray]:
    texts, labels, documents = [], [], []
    for folder in folders:
        corpus = load(folder, CODEBOOK.names)
        texts += list(corpus["text"])
        documents += list(corpus["document"])
        labels += [[int(theme in numbers) for theme in range(len(CODEBOOK.names))] for numbers in corpus["labels"]]
    return texts, np.array(labels), np.array(documents)


def main(development: Path | None) -> None:
    texts, labels, documents = labelled(FOLDERS)
    real = labelled([development]) if development else None
    folds = list(GroupKFold(8, shuffle=True, random_state=1).split(texts, groups=documents))

    def rarity(train: sp.csr_matrix) -> sp.dia_array:
        count = np.bincount(train.indices, minlength=train.shape[1])
        return sp.diags_array(np.where(count >= 2, np.log((1 + train.shape[0]) / (1 + count)) + 1, 0.0))

    def precision(make: Callable[[Sequence[str]], sp.csr_matrix], learner: Learner) -> dict[str, float]:
        every, tests = make(texts), [make(real[0])] if real else []
        scores, real_scores = np.zeros(labels.shape), []
        for theme in range(labels.shape[1]):
            for train, test in folds:
                weights = rarity(every[train])
                scores[test, theme] = learner((every[train] @ weights).tocsr(), labels[train, theme], (every[test] @ weights).tocsr())
            weights = rarity(every)
            real_scores += [learner((every @ weights).tocsr(), labels[:, theme], (part @ weights).tocsr()) for part in tests]
        found = {"composed": float(average_precision_score(labels, scores))}
        if real:
            found["development"] = float(average_precision_score(real[1], np.stack(real_scores, 1)))
        return found

    wider: Mapping[str, Sequence[str]] = {**CODEBOOK.lexicon, **MORE_CLASSES}
    trials: dict[str, tuple[Callable[[Sequence[str]], sp.csr_matrix], Learner]] = {
        "shipped features": (lambda t: matrix(t, SETTINGS), linear)
    }
    trials |= {f"with {name}": (lambda t, more=more: matrix(t, SETTINGS, more), linear) for name, more in FEATURES.items()}
    trials["with seven more classes"] = (lambda t: matrix(t, replace(SETTINGS, lexicon=wider)), linear)
    trials |= {name: (lambda t: matrix(t, SETTINGS), learner) for name, learner in LEARNERS.items()}
    corpora = {folder.name: digest(folder) for folder in FOLDERS}
    results = {}
    for name, trial in track(trials.items(), "Trials", transient=True):
        results[name] = {key: round(value, 4) for key, value in precision(*trial).items()}
        print(f"{name:<34}" + "  ".join(f"{key} {value:.4f}" for key, value in results[name].items()), flush=True)
        with whole(HERE / "results.json") as stream:
            stream.write(json.dumps({"corpora": corpora, "trials": results}, indent=1).encode() + b"\n")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    except TaggerError as error:
        sys.exit(f"error: {error}")
