"""Passages that say nearly the same: candidates by MinHash, then compared word for word."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.errors import MissingExtraError

try:
    from datasketch import MinHash, MinHashLSH
except ImportError as error:
    raise MissingExtraError("datasketch", "train") from error

NEAR = 0.6
"""Jaccard similarity of word trigrams from which two passages are near-duplicates."""

Shingles = frozenset[tuple[str, ...]]

_BANDS, _ROWS = 60, 3  # of two passages as similar as NEAR, less than one pair in a million shares no band: (1 - 0.6 ** 3) ** 60


class Pair(NamedTuple):
    """Two near-duplicates, by their rows, and the Jaccard similarity of their word trigrams."""

    first: int
    second: int
    similarity: float


@dataclass(frozen=True)
class NearDuplicates:
    """Which of ``n`` texts are near-duplicates. Equal ones are told by the first of them, so that many take no more room than few.

    Attributes
    ----------
    same : (n,) for each text the row of the first that has the same words
    pairs : near-duplicates among these first texts, in the order of their rows (``first`` before ``second``)
    """

    same: list[int]
    pairs: list[Pair]

    def nearest(self, rows: Iterable[int], others: Iterable[int]) -> list[Pair]:
        """Return, for each of some rows that has a near-duplicate among others, the row and that one of them which is most like it."""
        standing: dict[int, int] = {}
        for other in others:
            standing.setdefault(self.same[other], other)
        found = {text: (1.0, other) for text, other in standing.items()}
        for pair in self.pairs:
            for text, near in ((pair.first, pair.second), (pair.second, pair.first)):
                if near in standing and pair.similarity > found.get(text, (0.0, 0))[0]:
                    found[text] = pair.similarity, standing[near]
        return [Pair(row, other, similarity) for row in rows if self.same[row] in found for similarity, other in [found[self.same[row]]]]


def words(text: str) -> list[str]:
    """Words in lower case, without punctuation."""
    return re.findall(r"[^\W_]+", text.lower())


def shingles(text: str, size: int = 3) -> Shingles:
    """All runs of ``size`` words; of a shorter text its words as they are."""
    found = words(text)
    return frozenset(tuple(found[i : i + size]) for i in range(len(found) - size + 1)) or frozenset([tuple(found)])


def same_words(texts: Sequence[str]) -> list[int]:
    """Return for each text the row of the first that has the same words.

    >>> same_words(["No shelter.", "no shelter", "None."])
    [0, 0, 2]
    """
    first: dict[str, int] = {}
    return [first.setdefault(_plain(text), row) for row, text in enumerate(texts)]


def hash_words(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Return a short hash of each text's words, (n,): equal for texts of the same words, and all but never for others."""
    digests = (hashlib.blake2b(_plain(text).encode(errors="replace"), digest_size=8).digest() for text in texts)
    return np.array([int.from_bytes(digest) for digest in digests], np.uint64)


def _plain(text: str) -> str:
    return " ".join(words(text))


def near_duplicates(texts: Sequence[str]) -> NearDuplicates:
    """Find the near-duplicates among texts.

    Candidates share a band of their MinHash signatures (Broder 1997, "On the resemblance and containment of documents"; Leskovec,
    Rajaraman and Ullman 2020, "Mining of Massive Datasets", chapter 3), so that not every passage is compared with every other.

    >>> near_duplicates(["Police arrested two men in May.", "No shelter was open.", "Police arrested two men in May, 2014."]).pairs
    [Pair(first=0, second=2, similarity=0.8)]
    """
    same = same_words(texts)
    rows: dict[Shingles, list[int]] = defaultdict(list)
    for row in dict.fromkeys(same):
        rows[shingles(texts[row])].append(row)
    pairs = [Pair(a, b, 1.0) for alike in rows.values() for a, b in combinations(alike, 2)]
    for one, other in _candidates(list(rows)):
        similarity = len(one & other) / len(one | other)
        if similarity >= NEAR:
            pairs += [Pair(min(a, b), max(a, b), similarity) for a, b in product(rows[one], rows[other])]
    return NearDuplicates(same, sorted(pairs))


def _candidates(sets: Sequence[Shingles]) -> Iterator[tuple[Shingles, Shingles]]:
    """Pairs of different sets that share a band, each pair once."""
    signatures = MinHash.bulk([[" ".join(shingle).encode() for shingle in one] for one in sets], num_perm=_BANDS * _ROWS)
    seen = MinHashLSH(num_perm=_BANDS * _ROWS, params=(_BANDS, _ROWS))
    for number, (one, signature) in enumerate(zip(sets, signatures, strict=True)):
        for other in seen.query(signature):
            yield one, sets[other]
        seen.insert(number, signature)
