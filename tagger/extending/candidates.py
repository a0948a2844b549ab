"""Passages worth labelling for a new theme: by its words, by similarity to its definition or to passages that carry it, and by chance.

Passages are ranked by maximal marginal relevance (Carbonell and Goldstein 1998), so that they are relevant and unlike each other. Every
second is drawn by chance from all the others: a classifier that never sees what the words and the definition miss, nor ordinary
passages without the theme, learns the finder's taste and not the theme (see ``experiments/new-theme``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagger.duplicates import NEAR, shingles
from tagger.errors import MissingExtraError
from tagger.records import Passage
from tagger.themes import Theme

try:
    import scipy.sparse
    from sklearn.feature_extraction.text import TfidfVectorizer
except ImportError as error:
    raise MissingExtraError("scikit-learn", "train") from error

_RELEVANT = 0.5  # how much relevance counts, and the rest how unlike the passages taken before
_ENOUGH = 2  # different words of a theme: more make a passage no more relevant
_BY_CHANCE = 2  # every second


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage to label. ``why`` are the theme's words that stand in it, "similar" or "chance"; ``similarity`` is a cosine."""

    passage: Passage
    why: str
    similarity: float


def find_candidates(
    passages: Sequence[Passage], theme: Theme, *, seeds: Sequence[str] = (), known: Sequence[str] = (), count: int = 200, seed: int = 0
) -> list[Candidate]:
    """Return passages to label for a theme, those first that tell most; no two are near-duplicates of each other or of a known one.

    Parameters
    ----------
    passages
        Those of the reports.
    theme
        Its title, definition and words are looked for.
    seeds
        Texts that carry the theme, to look for similar ones.
    known
        Texts that need no label any more.
    count
        How many to return at most.
    seed
        Of the draws by chance.
    """
    if not passages:
        return []
    texts = [passage.text for passage in passages]
    found = [_words_in(text, theme.words) for text in texts]
    vectors, similar = _similarities(texts, [f"{theme.title}. {theme.definition}", *seeds])
    hits = np.array([min(len(words), _ENOUGH) / _ENOUGH for words in found])
    relevance = (similar / max(similar.max(), 1e-9) + hits) / 2
    chosen = _chosen(texts, vectors, relevance, known, count, np.random.default_rng(seed))
    return [
        Candidate(passages[row], "chance" if by_chance else ", ".join(found[row]) or "similar", round(float(similar[row]), 3))
        for row, by_chance in chosen
    ]


def _words_in(text: str, words: Sequence[str]) -> list[str]:
    """The words, as in the lexicon beginnings of words or with ``$`` whole ones, that stand in a text."""
    return [
        word for word in words if re.search(rf"\b{re.escape(word.removesuffix('$'))}" + r"\b" * word.endswith("$"), text, re.IGNORECASE)
    ]


def _similarities(texts: Sequence[str], wanted: Sequence[str]) -> tuple[scipy.sparse.csr_matrix, NDArray[np.float64]]:
    """TF-IDF vectors of the texts, and the highest cosine of each with what is wanted."""
    vectorizer = TfidfVectorizer(sublinear_tf=True, stop_words="english", token_pattern=r"(?u)\b\w+\b")
    vectors = vectorizer.fit_transform([*texts, *wanted])
    similar = (vectors[: len(texts)] @ vectors[len(texts) :].T).toarray().max(axis=1)
    return vectors[: len(texts)], similar


def _chosen(
    texts: Sequence[str],
    vectors: scipy.sparse.csr_matrix,
    relevance: NDArray[np.float64],
    known: Sequence[str],
    count: int,
    random: np.random.Generator,
) -> Iterator[tuple[int, bool]]:
    """Yield rows, and whether they were drawn by chance."""
    taken = [shingles(text) for text in known]
    open_rows = np.ones(len(texts), np.bool_)
    alike = np.zeros(len(texts))
    number = 0
    while number < count and open_rows.any():
        by_chance = number % _BY_CHANCE == _BY_CHANCE - 1
        worth = _RELEVANT * relevance - (1 - _RELEVANT) * alike
        row = int(random.choice(np.flatnonzero(open_rows)) if by_chance else np.argmax(np.where(open_rows, worth, -np.inf)))
        open_rows[row] = False
        own = shingles(texts[row])
        if any(len(own & other) >= NEAR * len(own | other) for other in taken):
            continue
        taken.append(own)
        alike = np.maximum(alike, (vectors @ vectors[row].T).toarray()[:, 0])
        number += 1
        yield row, by_chance
