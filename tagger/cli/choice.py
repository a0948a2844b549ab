"""Which passages `tagger tag` prints and writes: `--theme`, `--section`, `--min-score`, `--only-tagged`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import typer

from tagger.passages import Passages
from tagger.records import Document, Tagged
from tagger.writing.about import About


@dataclass(frozen=True, slots=True)
class Choice:
    """A passage is kept if it passes all that was asked; nothing asked keeps all.

    ``themes`` keeps passages that carry one of them; with ``min_score``, those whose score for one of them (or for any
    theme) reaches it, below the threshold too. ``only_tagged`` keeps passages that carry a theme, one of ``themes`` if any.
    """

    themes: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    min_score: float | None = None
    only_tagged: bool = False
    seen: list[str] = field(default_factory=list)
    """The sections that came by."""

    @classmethod
    def of(cls, known: Sequence[str], themes: Sequence[str], sections: Sequence[str], min_score: float | None, only_tagged: bool) -> Choice:
        """Check what was asked against the model's themes."""
        for theme in themes:
            if theme not in known:
                raise typer.BadParameter(f"{theme!r} is no theme of the model; it knows {', '.join(known)}", param_hint="--theme")
        return cls(tuple(themes), tuple(sections), min_score, only_tagged)

    @property
    def active(self) -> bool:
        """Whether anything was asked."""
        return bool(self.themes or self.sections or self.min_score is not None or self.only_tagged)

    @property
    def asked(self) -> dict[str, Any]:
        """What was asked, in plain data."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items() if name != "seen"}

    def apply(self, results: Iterable[tuple[Document, Sequence[Tagged]]]) -> Iterator[tuple[Document, Sequence[Tagged]]]:
        """Yield each document with the passages kept; one with none stays, so that counts show it."""
        for document, passages in results:
            for name in dict.fromkeys(Passages.of(document.passages).section):
                if name is not None and name not in self.seen:
                    self.seen.append(name)
            yield document, [item for item in passages if self._keeps(item)] if self.active else passages

    def told(self, about: About) -> About:
        """What is said about results, with the scores for which they were kept."""
        return about if self.min_score is None else replace(about, kept=dict.fromkeys(self.themes or about.names, self.min_score))

    def complaints(self, seen: Sequence[str]) -> list[str]:
        """Say which wanted sections are not among those that were ``seen``, so that no passage lies in them."""
        known = ", ".join(seen) or "not marked in the text"
        return [f"--section {name}: no passage lies in it; sections are {known}" for name in self.sections if not _among(name, seen)]

    def _keeps(self, item: Tagged) -> bool:
        carries = any(theme in item.labels for theme in self.themes or item.labels)
        if self.sections and not _among(item.passage.section or "", self.sections):
            return False
        if self.only_tagged and not carries:
            return False
        if self.min_score is not None:
            return any(item.scores[theme] >= self.min_score for theme in self.themes or item.scores)
        return carries or not self.themes


def _among(name: str, names: Iterable[str]) -> bool:
    return name.casefold() in (other.casefold() for other in names)
