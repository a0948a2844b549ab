"""What a comparison found, as plain records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tagger.comparing.alignment import Match
from tagger.drift import Drift
from tagger.rates import Estimate, Rate
from tagger.records import Document, Tagged
from tagger.writing.about import About

MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Report:
    """A report with its tagged passages, its rate of each theme, and how far its words are from what the model knows."""

    document: Document
    label: str
    """Its country and year, or what else tells it from the others."""
    tagged: tuple[Tagged, ...]
    rates: Mapping[str, Rate]
    drift: Drift


@dataclass(frozen=True, slots=True)
class Step:
    """A report held against another: of the same country, the one before it; else the first of all.

    ``matches`` are None where the two are of different countries, whose passages are not each other's.
    """

    before: Report
    after: Report
    differences: Mapping[str, Estimate]
    """By theme, how much more of the later report carries it, as shares of all passages."""
    matches: tuple[Match, ...] | None

    def of(self, theme: str) -> Iterator[Match]:
        """Yield the passages that carry a theme in either report."""
        for match in self.matches or ():
            sides = ((self.before, match.before), (self.after, match.after))
            if any(row is not None and theme in report.tagged[row].labels for report, row in sides):
                yield match

    def counts(self, theme: str) -> Counter[str]:
        """Count these passages by what happened to them; `MOVED` ones are counted as reworded or unchanged, too."""
        found: Counter[str] = Counter()
        for match in self.of(theme):
            found[match.change] += 1
            found[MOVED] += match.moved
        return found


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several reports, country by country and year by year, and the steps between them."""

    reports: tuple[Report, ...]
    steps: tuple[Step, ...]
    about: About
    warnings: tuple[str, ...]
    """What a reader should know before any figure: reports far from what the model knows, themes whose rates can't be corrected."""

    @property
    def themes(self) -> tuple[str, ...]:
        """Names of the themes."""
        return self.about.names

    def step_to(self, report: Report) -> Step | None:
        """The step that leads to a report; None for the first."""
        return next((step for step in self.steps if step.after is report), None)
