"""How alike texts are: the cosine of their TF-IDF vectors, for passages of reports of words and pairs of words.

Salton and Buckley 1988, "Term-weighting approaches in automatic text retrieval".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from tagger.features import Counts

WORD = re.compile(r"[^\W_]+")
Words = tuple[str, ...]

_LEAST = 1e-12  # a vector without columns has no length


def words(text: str) -> Words:
    r"""What two passages must share to be unchanged: words and numbers, whatever the case, the punctuation and the white space.

    >>> words("In 2013, NGOs\nreported...")
    ('in', '2013', 'ngos', 'reported')
    """
    return tuple(word.casefold() for word in WORD.findall(text))


def cosines(one: Sequence[Words], other: Sequence[Words], every: Sequence[Words]) -> Iterator[NDArray[np.float64]]:
    """Yield for each passage of ``one`` its cosines with all of ``other``; ``every`` passage tells how rare a word is."""
    number: dict[Words, int] = {}
    rare = rarity(_counts(every, number), len(number))
    index = Index(_counts(other, number), rare)
    for key in one:
        terms = np.array(_terms(key, number), np.int64)
        yield index.cosines(terms, np.ones(len(terms)))


def rarity(counts: Counts, columns: int) -> NDArray[np.float64]:
    """How rare each of so many columns is among texts: its inverse document frequency, (columns,)."""
    frequency = np.bincount(counts.indices, minlength=columns)
    weights: NDArray[np.float64] = np.log(len(counts.indptr) / (1 + frequency)) + 1
    return weights


class Index:
    """Texts as vectors of unit length, their columns weighted by how rare these are; of each column, the texts in which it stands."""

    def __init__(self, counts: Counts, rare: NDArray[np.float64]) -> None:
        self._rare, self._texts = rare, len(counts.indptr) - 1
        row = np.repeat(np.arange(self._texts), np.diff(counts.indptr))
        data = counts.data * rare[counts.indices]
        data /= np.maximum(np.sqrt(np.bincount(row, data**2, minlength=self._texts)), _LEAST)[row]
        order = np.argsort(counts.indices, kind="stable")
        self._row, self._data = row[order], data[order]
        self._sizes = np.bincount(counts.indices, minlength=len(rare))
        self._starts = np.cumsum(self._sizes) - self._sizes

    def cosines(self, columns: NDArray[np.int64], data: NDArray[np.float64]) -> NDArray[np.float64]:
        """Cosines of all texts with another one, which holds so much of these columns, each named once: (n,)."""
        vector = data * self._rare[columns]
        vector /= max(float(np.sqrt((vector**2).sum())), _LEAST)
        sizes = self._sizes[columns]
        places = np.arange(sizes.sum()) + np.repeat(self._starts[columns] - np.cumsum(sizes) + sizes, sizes)
        parts = self._data[places] * np.repeat(vector, sizes)
        cosines: NDArray[np.float64] = np.bincount(self._row[places], parts, self._texts).astype(np.float64)
        return cosines


def _counts(keys: Sequence[Words], number: dict[Words, int]) -> Counts:
    found = [_terms(key, number) for key in keys]
    indices = np.fromiter(chain.from_iterable(found), np.int64)
    return Counts(np.cumsum([0, *map(len, found)]), indices, np.ones(len(indices)))


def _terms(key: Words, number: dict[Words, int]) -> list[int]:
    """Numbers of a passage's words and pairs of words, each once."""
    terms = dict.fromkeys([*((word,) for word in key), *pairwise(key)])
    return [number.setdefault(term, len(number)) for term in terms]
