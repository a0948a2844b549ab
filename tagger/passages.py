"""Passages as columns: what stages hand on of thousands at once, without an object for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from operator import attrgetter
from typing import Any, overload

from tagger.records import Passage

_FIELDS = tuple(field.name for field in fields(Passage))
_VALUES = attrgetter(*_FIELDS)


@dataclass(frozen=True, eq=False)
class Passages(Sequence[Passage]):
    """A sequence of `Passage` that makes them when they are asked for; a column for each of their fields."""

    text: Sequence[str]
    id: Sequence[str]
    document: Sequence[str]
    section: Sequence[str | None]
    page: Sequence[int | None]
    paragraph: Sequence[int | None]
    start: Sequence[int]
    end: Sequence[int]

    @classmethod
    def of(cls, passages: Sequence[Passage]) -> Passages:
        """The columns of these passages."""
        if isinstance(passages, Passages):
            return passages
        made = cls(*(zip(*map(_VALUES, passages), strict=True) if passages else [()] * len(_FIELDS)))
        made.__dict__["_items"] = passages
        return made

    @classmethod
    def alone(cls, texts: Sequence[str]) -> Passages:
        """Columns of texts that stand in no document."""
        empty, nothing = [""] * len(texts), [None] * len(texts)
        return cls(texts, empty, empty, nothing, nothing, nothing, [0] * len(texts), list(map(len, texts)))

    def __len__(self) -> int:
        return len(self.text)

    @overload
    def __getitem__(self, place: int) -> Passage: ...
    @overload
    def __getitem__(self, place: slice) -> Passages: ...
    def __getitem__(self, place: int | slice) -> Passage | Passages:
        if not isinstance(place, slice):
            return self._items[place]
        made = Passages(*(column[place] for column in self.columns))
        if "_items" in self.__dict__:
            made.__dict__["_items"] = self._items[place]
        return made

    def __iter__(self) -> Iterator[Passage]:
        return iter(self._items)

    @property
    def columns(self) -> list[Sequence[Any]]:
        """The columns, in the order of the fields."""
        return [getattr(self, name) for name in _FIELDS]

    @cached_property
    def _items(self) -> Sequence[Passage]:
        return list(map(Passage, *self.columns))
