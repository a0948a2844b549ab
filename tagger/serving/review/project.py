"""One project: the store, the model in use and the codebook, put together for the pages and the API."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tagger.errors import ReviewError
from tagger.records import Document, Tagged
from tagger.review.agreement import Verdict, verdicts
from tagger.review.estimates import Estimates, estimate, random_part, sample
from tagger.review.export import export
from tagger.review.store import BLIND, Decision, Entry, Store, digest
from tagger.serving.engine import Engine
from tagger.serving.review.queues import QUEUES, Pool, suspects
from tagger.tagging import Tagger

_SAME = 0.5  # a document of which such a share of passages stands in a corpus is part of it
_AROUND = 2  # so many passages before and after one are shown with it


@dataclass(frozen=True, slots=True)
class Task:
    """A passage as an annotator sees it, with those before and after it, and what he said of it."""

    entry: Entry
    document: str
    """What its document is called."""
    before: tuple[str, ...]
    after: tuple[str, ...]
    mine: Decision | None
    queue: str

    def to_json(self) -> dict[str, Any]:
        """Plain values. What the model says is left out where it is hidden; the line is otherwise one of `tagger tag`."""
        blind = self.queue in BLIND
        hidden: dict[str, Any] = {"labels": [], "scores": {}, "evidence": {}, "review": []} if blind else {}
        return {
            "key": self.entry.key,
            "document": self.document,
            "line": {**self.entry.line, **hidden},
            "before": list(self.before),
            "after": list(self.after),
            "mine": None if self.mine is None or self.mine.labels is None else list(self.mine.labels),
            "blind": blind,
            "queue": self.queue,
        }


class Project:
    """What is in review, under the model in use."""

    def __init__(self, store: Store, engine: Engine, corpora: Sequence[Path] = ()) -> None:
        self.store, self.engine, self.corpora = store, engine, tuple(corpora)
        self._lock = threading.Lock()
        self._pool: tuple[tuple[int, str], Pool] | None = None
        self._known: tuple[tuple[int, str], set[int]] | None = None

    @property
    def model(self) -> str:
        """The digest of the model in use."""
        return digest(self.engine.tagger)

    def add(self, document: Document, tagged: Sequence[Tagged], *, read: bool = False) -> tuple[int, bool]:
        """Save a document to be reviewed; see `Store.add`."""
        return self.store.add(document, tagged, model=self.model, read=read)

    def pool(self) -> Pool:
        """Return all passages; those that an earlier model tagged are tagged anew first."""
        with self._lock:
            tagger = self.engine.tagger
            model = digest(tagger)
            if self._pool is None or self._pool[0] != (self.store.revision, model):
                known = [place for place, theme in enumerate(tagger.themes) if theme in self.store.themes]
                themes = tuple(tagger.themes[place] for place in known)
                own = Tagger(replace(tagger.model), name=tagger.name)  # what a model remembers of words is for one thread
                for document in self.store.documents():
                    entries = self.store.entries(document.id)
                    if document.model != model or any(theme not in entries[0].line["scores"] for theme in themes):
                        self.store.retag(document.id, own.tag([entry.passage for entry in entries]), model=model)
                revision = self.store.revision
                review = tagger.model.thresholds[known], tagger.model.review[known], tagger.model.settings
                pool = Pool(tuple(self.store.entries()), themes, *review, tuple(self.store.documents()))
                self._pool = (revision, model), pool
            return self._pool[1]

    def tasks(self, annotator: str, queue: str, *, theme: str | None = None, count: int = 20) -> tuple[list[Task], int]:
        """Return the next passages of an order that an annotator has not decided, and how many there are.

        Raises
        ------
        ReviewError
            There is no such order, or its theme is missing.
        """
        annotator, pool = self.store.annotator(annotator), self.pool()
        decisions = self.store.decisions()
        mine = {decision.passage: decision for decision in decisions if decision.annotator == annotator}
        if queue == "suspects":
            closed = self.store.compared()
            keys = [key for key in suspects(pool, mine.values()) if key not in closed]
        else:
            others = Counter(item.passage for item in decisions if item.annotator != annotator and item.labels is not None)
            ordered = self._ordered(pool, queue, theme)
            fresh = [key for key in ordered if key not in mine and others[key] < 2]
            # What was skipped comes again when nothing else is left.
            keys = fresh or [key for key in ordered if key in mine and mine[key].labels is None and others[key] < 2]
        if queue not in BLIND:
            self.store.show(keys[:count], annotator)
        return [self.task(key, mine.get(key), queue) for key in keys[:count]], len(keys)

    def _ordered(self, pool: Pool, queue: str, theme: str | None) -> list[int]:
        if queue == "random":
            return pool.random
        if queue == "uncertain":
            return pool.uncertain
        if queue == "candidates":
            return self.store.candidates().get(str(theme), [])
        if queue == "informative" and theme in pool.themes:
            return pool.informative(str(theme))
        if queue == "informative":
            raise ReviewError(f"name the theme to learn about: {', '.join(pool.themes)}")
        raise ReviewError(f"there is no order {queue!r}: known are {', '.join(QUEUES)}")

    def task(self, key: int, mine: Decision | None, queue: str) -> Task:
        """Return one passage as an annotator sees it."""
        pool = self.pool()
        row = pool.place.get(key)
        if row is None:
            raise ReviewError("this passage is not in review any more: load the page again")
        entry = pool.entries[row]
        running = entry.line["paragraph"] is not None  # rows of a table have nothing to do with each other
        around = [
            tuple(other.text for other in pool.entries[max(0, left) : right] if running and other.document == entry.document)
            for left, right in ((row - _AROUND, row), (row + 1, row + 1 + _AROUND))
        ]
        name = next(document.label for document in pool.documents if document.id == entry.document)
        return Task(entry, name, around[0], around[1], mine, queue)

    def learned(self) -> set[int]:
        """Return the documents that the model in use has learned from: here, or as part of a corpus that is at hand."""
        if self._known is None or self._known[0] != (self.store.revision, self.model):
            pool, texts = self.pool(), _learned_texts(self.engine.tagger, self.corpora)
            known = Counter(entry.document for entry in pool.entries if entry.text in texts)
            found = {document.id for document in pool.documents if known[document.id] >= _SAME * document.passages}
            named = [self.model, *_learned_corpora(self.engine.tagger)]
            self._known = (self.store.revision, self.model), found.union(*map(self.store.learned, named))
        return self._known[1]

    def export(self, folder: Path) -> int:
        """Write the reviewed passages to a corpus; return how many."""
        self.pool()  # tagged by the model in use
        if not (count := export(self.store, folder).passages):
            raise ReviewError("no passage was reviewed yet: decide some first, or settle those on which annotators differ")
        return count

    def verdicts(self) -> dict[int, Verdict]:
        """Return what was decided of each passage."""
        return verdicts(self.store.decisions(), self.store.firsts(), self.store.settlements())

    def estimates(self) -> Estimates:
        """Estimate how good the model in use is, on documents in review that it has not learned from."""
        pool, found, learned = self.pool(), self.verdicts(), self.learned()
        unseen = [entry for entry in pool.entries if entry.document not in learned]
        drawn = sample(unseen, found, pool.themes)
        sampled = {entry.document for entry in random_part(unseen, found).entries}
        labelled = {key: verdict.labels for key, verdict in found.items() if verdict.labels is not None}
        inside = [entry for entry in unseen if entry.document in sampled]
        known_wrong = sum(entry.key in labelled and _wrong(entry, found[entry.key], pool.themes) for entry in inside)
        undecided = sum(entry.key not in labelled for entry in inside)
        return estimate(drawn, pool.themes, known_wrong=known_wrong, undecided=undecided)


def _wrong(entry: Entry, verdict: Verdict, themes: Sequence[str]) -> bool:
    """Whether the model is wrong about a theme that it knows and for which somebody read the passage."""
    return bool((set(verdict.labels or ()) ^ set(entry.line["labels"])) & verdict.asked & set(themes))


def _learned_texts(tagger: Tagger, corpora: Sequence[Path]) -> set[str]:
    """Return the passages of those corpora from which, by its card, a model has learned."""
    from tagger import corpus

    hashes = _learned_corpora(tagger)
    at_hand = (folder for folder in corpora if (folder / "passages.jsonl").is_file())
    return {row["text"] for folder in at_hand if corpus.digest(folder) in hashes for row in corpus.passages(folder)}


def _learned_corpora(tagger: Tagger) -> set[str]:
    """Return the digests of the corpora from which, by its card, a model has learned."""
    card = tagger.model.card.get("corpora")
    return {str(part.get("sha256")) for part in card if isinstance(part, dict)} if isinstance(card, list) else set()
