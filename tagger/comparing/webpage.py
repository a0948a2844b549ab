"""A comparison as one HTML page that needs nothing else: rates as small multiples, passages side by side, words the model does not know."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, NamedTuple

from tagger.comparing.alignment import Change, Match
from tagger.comparing.changes import Runs, changed
from tagger.comparing.numbers import CHANGES, interval, percent
from tagger.comparing.results import Comparison, Report, Step
from tagger.drift import Strange
from tagger.records import Tagged
from tagger.writing.about import AboutTheme
from tagger.writing.text import clean, many
from tagger.writing.webpage import STYLES, render

_PAGE = Path(__file__).parent / "page"
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)


class Theme(NamedTuple):
    """A theme with its colour, shape and underline in the style sheet."""

    style: int
    about: AboutTheme


class Bar(NamedTuple):
    """A report's rate of a theme as it is shown, and where it lies on a line from 0 to 100: raw, corrected, low, high."""

    label: str
    tagged: str
    share: str
    corrected: str
    interval: str
    raw: float
    line: tuple[float, float, float] | None
    difference: str
    range: str
    clear: bool
    base: str


class Panel(NamedTuple):
    """One of the small multiples: a theme's rates in all reports."""

    theme: Theme
    bars: list[Bar]


class Side(NamedTuple):
    """A passage in one of the two reports."""

    section: str
    page: int | None
    runs: Runs
    carries: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """A passage as it was and as it became; a side is None where it is not."""

    change: Change
    moved: bool
    before: Side | None
    after: Side | None


class Group(NamedTuple):
    """The passages of a theme between two reports, and how many there are of each kind."""

    theme: Theme
    counts: list[tuple[str, int]]
    pairs: list[Pair]


class StepView(NamedTuple):
    """Two reports side by side."""

    anchor: str
    before: str
    after: str
    groups: list[Group]


class StrangeView(NamedTuple):
    """A passage whose unknown words are marked."""

    section: str
    unknown: int
    words: int
    runs: Runs


class DriftView(NamedTuple):
    """How far a report is from what the model knows, with the passages that show it."""

    label: str
    share: str
    far: bool
    passages: list[StrangeView]


def write_page(comparison: Comparison, stream: IO[bytes]) -> None:
    """Write the page."""
    themes = [Theme(place % STYLES, theme) for place, theme in enumerate(comparison.about.themes)]
    most = _most(comparison)
    step = next(tick for tick in _TICKS if most / tick <= 6)
    top = step * math.ceil(most / step - 1e-9)
    drift = comparison.reports[0].drift
    page = render(
        _PAGE,
        reports=[report.label for report in comparison.reports],
        facts=[f"{report.label}: {many(len(report.tagged), 'passage')}" for report in comparison.reports],
        themes=themes,
        panels=[Panel(theme, list(_bars(comparison, theme.about.name, top))) for theme in themes],
        ticks=[(100 * number * step / top, f"{100 * number * step:.0f}") for number in range(round(top / step) + 1)],
        steps=[_step(number, one, themes) for number, one in enumerate(comparison.steps, 1) if one.matches is not None],
        changes=CHANGES,
        drifts=[_drift(report) for report in comparison.reports],
        usual=None if math.isnan(drift.most) else (f"{100 * drift.usual:.1f} %", f"{100 * drift.most:.1f} %"),
        warnings=comparison.warnings,
        model=comparison.about.model,
    )
    for piece in page:
        stream.write(piece)


def _most(comparison: Comparison) -> float:
    """The highest share that is drawn."""
    rates = [rate for report in comparison.reports for rate in report.rates.values()]
    shown = [value for rate in rates for value in (rate.share, rate.corrected.high) if not math.isnan(value)]
    return max([0.05, *shown])


def _bars(comparison: Comparison, theme: str, top: float) -> Iterator[Bar]:
    for report in comparison.reports:
        rate, step = report.rates[theme], comparison.step_to(report)
        estimate = rate.corrected
        ends = (estimate.low, estimate.value, estimate.high)
        difference = step.differences[theme] if step else None
        yield Bar(
            label=report.label,
            tagged=f"{rate.given} of {rate.passages}",
            share=percent(rate.share),
            corrected=percent(estimate.value),
            interval=interval(estimate),
            raw=0.0 if math.isnan(rate.share) else 100 * rate.share / top,
            line=None if math.isnan(estimate.value) else (100 * ends[0] / top, 100 * ends[1] / top, 100 * ends[2] / top),
            difference=percent(difference.value, sign=True) if difference else "",
            range=interval(difference, sign=True) if difference else "",
            clear=difference is not None and difference.clear,
            base=step.before.label if step else "",
        )


def _step(number: int, step: Step, themes: Sequence[Theme]) -> StepView:
    groups = []
    for theme in themes:
        name = theme.about.name
        counts = step.counts(name)
        pairs = [_pair(step, match, name) for match in step.of(name)]
        groups.append(Group(theme, [(change, counts[change]) for change in CHANGES], pairs))
    return StepView(f"step-{number}", step.before.label, step.after.label, groups)


def _pair(step: Step, match: Match, theme: str) -> Pair:
    before = None if match.before is None else step.before.tagged[match.before]
    after = None if match.after is None else step.after.tagged[match.after]
    one, other = changed(before.text, after.text) if before and after else ([], [])
    return Pair(match.change, match.moved, _side(before, one, theme), _side(after, other, theme))


def _side(item: Tagged | None, runs: Runs, theme: str) -> Side | None:
    if item is None:
        return None
    cleaned = [(clean(text), marked) for text, marked in runs or [(item.text, False)]]
    return Side(clean(item.passage.section or ""), item.passage.page, cleaned, theme in item.labels)


def _drift(report: Report) -> DriftView:
    drift = report.drift
    shown = [_strange(report.tagged[one.row], one) for one in drift.passages]
    return DriftView(report.label, f"{100 * drift.share:.1f} %", drift.far, shown)


def _strange(item: Tagged, found: Strange) -> StrangeView:
    cuts = [0, *(place for span in found.spans for place in span), len(item.text)]
    runs = [(clean(item.text[start:end]), bool(place % 2)) for place, (start, end) in enumerate(pairwise(cuts))]
    return StrangeView(clean(item.passage.section or ""), found.unknown, found.words, [run for run in runs if run[0]])
