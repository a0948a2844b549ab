"""In which order to see passages. Every order is the same for all annotators; each sees of it what he has not decided.

``random``       for estimates: the model's labels stay hidden until the decision
``uncertain``    where the model is nearest to deciding otherwise
``informative``  uncertain about one theme and unlike each other and what was decided: what a model learns most from
``suspects``     an annotator's own decisions against what the model is sure of
``candidates``   what `tagger theme find` found for a theme

Orders that look at scores leave held-out documents alone: a sample that a model's doubts had chosen could not measure it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tagger.features import Features, FeatureSettings
from tagger.likeness import Index, rarity
from tagger.review.store import Decision, Entry, ReviewDocument

QUEUES = ("uncertain", "informative", "suspects", "random", "candidates")
_DIVERSE = 200  # so many passages a theme are picked for their diversity; the others follow by uncertainty
_CANDIDATES = 2000  # the most uncertain passages, of which they are picked


class Vectors:
    """Texts as vectors of unit length: the model's features by inverse document frequency."""

    def __init__(self, texts: Sequence[str], features: Features) -> None:
        self.features, self._counts = features, features.counts(texts)
        self._index = Index(self._counts, rarity(self._counts, features.settings.columns))

    def like(self, text: str) -> NDArray[np.float64]:
        """Cosines of all texts with another one, (n,)."""
        counts = self.features.counts([text])
        return self._index.cosines(counts.indices, counts.data)

    def like_row(self, row: int) -> NDArray[np.float64]:
        """Cosines of all texts with one of them, (n,)."""
        own = slice(*self._counts.indptr[row : row + 2])
        return self._index.cosines(self._counts.indices[own], self._counts.data[own])


@dataclass(frozen=True)
class Pool:
    """All passages in review, with what the model in use says of them."""

    entries: Sequence[Entry]
    themes: tuple[str, ...]
    thresholds: NDArray[np.float64]
    review: NDArray[np.float64]
    """The model's review bands, (themes, 2)."""
    settings: FeatureSettings
    documents: Sequence[ReviewDocument] = ()

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """Probabilities, (n, themes)."""
        rows = [[entry.line["scores"][theme] for theme in self.themes] for entry in self.entries]
        return np.array(rows, np.float64).reshape(len(rows), len(self.themes))

    @cached_property
    def place(self) -> Mapping[int, int]:
        """The row of each passage, by its key."""
        return {entry.key: row for row, entry in enumerate(self.entries)}

    @cached_property
    def doubt(self) -> NDArray[np.float64]:
        """How near each score is to its threshold, in log-odds: from 0 (far) to 1 (at it), (n, themes)."""
        doubt: NDArray[np.float64] = np.exp(-np.abs(_log_odds(self.scores) - _log_odds(self.thresholds)))
        return doubt

    @cached_property
    def open(self) -> NDArray[np.bool_]:
        """Whether a passage may be chosen by its scores, (n,)."""
        held_out = {document.id for document in self.documents if document.held_out}
        return np.array([entry.document not in held_out for entry in self.entries], bool)

    @cached_property
    def random(self) -> list[int]:
        """Keys in random order."""
        return [entry.key for entry in sorted(self.entries, key=lambda entry: (entry.chance, entry.key))]

    @cached_property
    def uncertain(self) -> list[int]:
        """Keys, the least certain first: by the theme that is nearest to its threshold."""
        return self._by(self.doubt.max(axis=1, initial=0)) if self.entries else []

    @cached_property
    def _informative(self) -> dict[str, list[int]]:
        return {}

    def informative(self, theme: str) -> list[int]:
        """Keys, the most informative about a theme first.

        Of the most uncertain passages, each next one is that whose doubt, times its cosine distance from the nearest one picked before, is
        greatest: uncertainty and diversity at once, greedily (as in batch-mode active learning, Zhdanov 2019, "Diverse mini-batch active
        learning", which clusters instead).
        """
        if theme not in self._informative:
            doubt = self.doubt[:, self.themes.index(theme)] if self.entries else np.zeros(0)
            ranked = self._by(doubt)
            picked = diverse([self.entries[self.place[key]] for key in ranked[:_CANDIDATES]], doubt, self.place, self.settings)
            self._informative[theme] = picked + [key for key in ranked if key not in set(picked)]
        return self._informative[theme]

    def _by(self, doubt: NDArray[np.float64]) -> list[int]:
        order = np.argsort(-doubt, kind="stable")
        return [self.entries[row].key for row in order if self.open[row]]


def diverse(candidates: Sequence[Entry], doubt: NDArray[np.float64], place: Mapping[int, int], settings: FeatureSettings) -> list[int]:
    """Pick uncertain passages that are unlike each other, the best first; return their keys."""
    if not candidates:
        return []
    vectors = Vectors([entry.text for entry in candidates], Features(settings))
    worth = doubt[[place[entry.key] for entry in candidates]]
    distance = np.ones(len(candidates))
    picked = []
    for _ in range(min(_DIVERSE, len(candidates))):
        best = int(np.argmax(worth * distance))
        picked.append(candidates[best].key)
        distance = np.minimum(distance, 1 - vectors.like_row(best).clip(0, 1))
        distance[best] = -1.0
    return picked


def suspects(pool: Pool, mine: Iterable[Decision]) -> list[int]:
    """Keys of an annotator's decisions against what the model is sure of, the least likely first.

    It is sure outside its review band, where it seldom errs. What he has looked at again in this order is left out.
    """
    kept = [
        decision
        for decision in mine
        if decision.labels is not None and decision.queue != "suspects" and decision.passage in pool.place
        if pool.open[pool.place[decision.passage]]
    ]
    given = np.array([[theme in (decision.labels or ()) for theme in pool.themes] for decision in kept], bool).reshape(
        len(kept), len(pool.themes)
    )
    scores = pool.scores[[pool.place[decision.passage] for decision in kept]].reshape(given.shape)
    asked = np.array([[theme in decision.asked for theme in pool.themes] for decision in kept], bool).reshape(given.shape)
    contradicted = asked & np.where(given, scores < pool.review[:, 0], scores >= pool.review[:, 1])
    own = np.where(contradicted, np.where(given, scores, 1 - scores), np.inf).min(axis=1, initial=np.inf)
    return [kept[row].passage for row in np.argsort(own, kind="stable") if np.isfinite(own[row])]


def _log_odds(values: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped = np.clip(values, 1e-6, 1 - 1e-6)
    odds: NDArray[np.float64] = np.log(clipped / (1 - clipped))
    return odds
