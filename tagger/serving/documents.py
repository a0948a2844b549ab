"""The documents that are open for reading: in memory only, so that nothing of them is left when the server ends."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence

from tagger.records import Document, Tagged
from tagger.tagging import Tagger
from tagger.writing.text import label

Results = list[tuple[Document, list[Tagged]]]
"""Documents with their tagged passages."""


class Opened:
    """A file that a person opened: one document, or one a country."""

    def __init__(self, name: str, documents: Sequence[Document]) -> None:
        self.key = secrets.token_urlsafe(9)
        self.name = name
        self.documents = tuple(documents)
        self.characters = sum(len(document.text) for document in documents)
        self.title = label(self.documents[0]) if len(self.documents) == 1 else name
        self.read: set[int] = set()
        """The places of the documents that were shown with the model's labels."""
        self.passages = sum(len(document.passages) for document in documents)
        self._tagged: tuple[Tagger, Results] | None = None

    def results(self, tagger: Tagger) -> Results:
        """The documents as this model tags them; it does so once."""
        if self._tagged is None or self._tagged[0] is not tagger:
            self._tagged = tagger, [(document, tagger.tag(document)) for document in self.documents]
        return self._tagged[1]


class Shelf:
    """The files that are open, the newest first; the oldest is closed where there would be too many or too much text."""

    def __init__(self, most: int, characters: int) -> None:
        self._most = most
        self._characters = characters
        self._opened: dict[str, Opened] = {}

    def add(self, opened: Opened) -> None:
        """Keep a file open."""
        self._opened[opened.key] = opened
        while len(self._opened) > 1 and (len(self._opened) > self._most or sum(one.characters for one in self) > self._characters):
            self.close(next(iter(self._opened)))

    def get(self, key: str) -> Opened | None:
        """Return the file of this key, if it is still open."""
        return self._opened.get(key)

    def close(self, key: str) -> None:
        """Forget a file."""
        self._opened.pop(key, None)

    def __iter__(self) -> Iterator[Opened]:
        return iter(reversed(list(self._opened.values())))
