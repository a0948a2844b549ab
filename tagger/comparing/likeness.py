"""How alike passages are: the cosine of their TF-IDF vectors of words and pairs of words.

Salton and Buckley 1988, "Term-weighting approaches in automatic text retrieval".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

WORD = re.compile(r"[^\W_]+")
Words = tuple[str, ...]


def words(text: str) -> Words:
    r"""What two passages must share to be unchanged: words and numbers, whatever the case, the punctuation and the white space.

    >>> words("In 2013, NGOs\nreported...")
    ('in', '2013', 'ngos', 'reported')
    """
    return tuple(word.casefold() for word in WORD.findall(text))


def cosines(one: Sequence[Words], other: Sequence[Words], every: Sequence[Words]) -> Iterator[NDArray[np.float64]]:
    """Yield for each passage of ``one`` its cosines with all of ``other``; ``every`` passage tells how rare a word is."""
    number: dict[Words, int] = {}
    frequency = np.bincount(np.array([term for key in every for term in _terms(key, number)], np.int64), minlength=1)
    rarity = np.log((1 + len(every)) / (1 + frequency)) + 1
    weights = rarity**2
    posted: dict[int, list[int]] = defaultdict(list)
    sizes = np.zeros(len(other))
    for b, key in enumerate(other):
        terms = _terms(key, number)
        sizes[b] = weights[terms].sum()
        for term in terms:
            posted[term].append(b)
    rows = {term: np.array(found) for term, found in posted.items()}
    for key in one:
        terms = _terms(key, number)
        shared = [term for term in terms if term in rows]
        places = np.concatenate([rows[term] for term in shared]) if shared else np.zeros(0, np.int64)
        adds = np.repeat(weights[shared], [len(rows[term]) for term in shared]) if shared else None
        length = np.sqrt(weights[terms].sum() * sizes)
        yield np.bincount(places, adds, minlength=len(other)) / np.maximum(length, 1e-12)


def _terms(key: Words, number: dict[Words, int]) -> list[int]:
    """Numbers of a passage's words and pairs of words, each once."""
    terms = dict.fromkeys([*((word,) for word in key), *pairwise(key)])
    return [number.setdefault(term, len(number)) for term in terms]
