"""From `tagger theme` to the workbench: candidates go into review. What was decided comes back by `export`."""

from __future__ import annotations

from collections.abc import Sequence

from tagger.extending import Candidate
from tagger.records import Document, Passage
from tagger.review.store import Entry, Store, digest
from tagger.tagging import Tagger


def send(store: Store, tagger: Tagger, documents: Sequence[Document], theme: str, candidates: Sequence[Candidate]) -> int:
    """Put candidates for a theme into review, with the documents that they stand in; return how many.

    Those of a document that is held out are left out, for nothing is learned from it.
    """
    wanted = {candidate.passage for candidate in candidates}
    keys: dict[Passage, Entry] = {}
    for document in documents:
        if not wanted.isdisjoint(document.passages):
            number, _ = store.add(document, tagger.tag(document), model=digest(tagger), learn=True)
            keys |= {passage: entry for passage, entry in zip(document.passages, store.entries(number), strict=True) if passage in wanted}
    held_out = {document.id for document in store.documents() if document.held_out}
    entries = [keys[candidate.passage] for candidate in candidates]
    open_keys = [entry.key for entry in entries if entry.document not in held_out]
    store.queue(theme, open_keys)
    return len(open_keys)
