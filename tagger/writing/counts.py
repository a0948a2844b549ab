"""Counts of passages and themes, for the tables of several writers and of the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tagger.records import Tagged
from tagger.tags import Tags

NO_SECTION = "(no section)"


@dataclass(slots=True)
class Tally:
    """How many passages there are, carry a theme, and lie in a review band; and how many carry each theme."""

    passages: int = 0
    tagged: int = 0
    review: int = 0
    themes: Counter[str] = field(default_factory=Counter)

    def add(self, items: Iterable[Tagged]) -> Tally:
        """Count further passages."""
        if isinstance(items, Tags):
            self.passages += len(items)
            self.tagged += int(items.labelled.any(axis=1).sum())
            self.review += int(items.review.any(axis=1).sum())
            counts = zip(items.themes, items.labelled.sum(axis=0).tolist(), strict=True)
            self.themes.update({theme: count for theme, count in counts if count})
            return self
        for item in items:
            self.passages += 1
            self.tagged += bool(item.labels)
            self.review += bool(item.review)
            self.themes.update(item.labels)
        return self


def add_sections(sections: dict[str, Tally], items: Iterable[Tagged]) -> dict[str, Tally]:
    """Count passages under the name of their section, in the order in which sections first come."""
    for item in items:
        sections.setdefault(item.passage.section or NO_SECTION, Tally()).add([item])
    return sections
