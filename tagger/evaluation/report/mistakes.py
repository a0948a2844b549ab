"""The errors of the report, as its page shows them: counts by pairs of themes, and the worst of each theme."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tagger.evaluation.errors import Confusion, Error, confusion, errors
from tagger.evaluation.predictions import Predictions
from tagger.evaluation.report.themes import Theme
from tagger.records import Passage, Span, Tagged
from tagger.writing.counts import NO_SECTION
from tagger.writing.text import runs

WORST = 20
"""So many errors of a theme are shown each way."""


class Pair(NamedTuple):
    """A cell of the confusion: passages, their share of the row in words and as one of five depths, and how many lack the row's theme."""

    passages: int
    share: str
    depth: int
    instead: int
    right: bool


class Row(NamedTuple):
    """What the model gave to the passages of a theme; None stands for no theme."""

    theme: Theme | None
    meant: int
    pairs: list[Pair]
    nothing: Pair


@dataclass(frozen=True, slots=True)
class ErrorView:
    """An error as the page shows it; ``runs`` are None where texts may not be shown."""

    theme: Theme
    missed: bool
    id: str
    document: str
    section: str | None
    score: str
    times: str
    labels: list[Theme]
    runs: list[tuple[str, list[Theme]]] | None


class Worst(NamedTuple):
    """A theme's worst errors each way, and how many there are in all."""

    theme: Theme
    given: list[ErrorView]
    missed: list[ErrorView]
    all_given: int
    all_missed: int


def confused(predictions: Predictions, themes: Sequence[Theme]) -> list[Row]:
    """The confusion by pairs of themes, a row a theme that people gave and one for none."""
    found = confusion(predictions)
    return [_row(found, number, theme) for number, theme in enumerate([*themes, None])]


def _row(found: Confusion, number: int, theme: Theme | None) -> Row:
    meant = int(found.meant[number])

    def pair(count: int, instead: int, right: bool) -> Pair:
        share = count / meant if meant else 0.0
        shown = f"{100 * share:.0f} %" if not count or share >= 0.01 else "<1 %"
        depth = math.ceil(4 * share) if right else int(20 * share + 0.8)  # a wrong one stands out from 1 % on, and most from 16 %
        return Pair(count, shown, min(4, depth), instead, right)

    pairs = [
        pair(int(given), int(instead), column == number)
        for column, (given, instead) in enumerate(zip(found.given[number], found.instead[number], strict=True))
    ]
    return Row(theme, meant, pairs, pair(int(found.nothing[number]), 0, theme is None))


def worst(
    predictions: Predictions,
    themes: Sequence[Theme],
    texts: Mapping[str, str] | None,
    sections: Mapping[str, str | None] | None,
    evidence: Mapping[str, Mapping[str, Sequence[Span]]] | None,
) -> list[Worst]:
    """The worst errors of each theme; the words that raised its score marked."""
    by_name = {theme.name: theme for theme in themes}

    def view(error: Error) -> ErrorView:
        theme = by_name[error.theme]
        shown = None
        if texts is not None and error.id in texts:
            spans = tuple((evidence or {}).get(error.id, {}).get(theme.name, ()))
            marked = runs(Tagged(Passage(texts[error.id]), evidence={theme.name: spans}))
            shown = [(text, [theme] if found else []) for text, found in marked]
        section = None if sections is None else sections.get(error.id) or NO_SECTION
        times = "" if error.times == 1 else f", wrong {error.wrong} of {error.times} times"
        labels = [by_name[label] for label in error.labels]
        return ErrorView(theme, error.missed, error.id, error.document, section, f"{error.score:.2f}", times, labels, shown)

    found = []
    for theme in themes:
        given, missed = errors(predictions, theme.name)
        found.append(Worst(theme, [*map(view, given[:WORST])], [*map(view, missed[:WORST])], len(given), len(missed)))
    return found
