"""Reports held against each other: how often each theme comes, how sure that is, and what became of its passages.

>>> import tagger
>>> from tagger.comparing import compare
>>> found = compare([tagger.read(path) for path in ("mexico-2014.txt", "mexico-2015.txt")])  # doctest: +SKIP
>>> found.steps[0].counts("complicity")["new"]  # doctest: +SKIP
2
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import TypeVar

from rich.console import Console
from rich.progress import track

from tagger.comparing.alignment import Change, Match, align
from tagger.comparing.results import Comparison, Report, Step
from tagger.countries import plain_name
from tagger.drift import Drift, measure
from tagger.errors import InputError
from tagger.rates import Counted, Errors, Estimate, Rate, change, errors_of, estimate
from tagger.records import Document, Tagged
from tagger.tagging import Tagger, load
from tagger.writing.text import clean, label

__all__ = ["Change", "Comparison", "Drift", "Errors", "Estimate", "Match", "Rate", "Report", "Step", "compare"]

Item = TypeVar("Item")


def compare(
    documents: Iterable[Document],
    *,
    tagger: Tagger | None = None,
    progress: bool = False,
) -> Comparison:
    """Compare two or more reports: of one country over years, of several countries, or both.

    Reports of one country are put in the order of their years; where a year is missing, or comes twice, they keep their place among the
    others, and a warning says so. Each is held against the one before it, passage by passage. The first report of another country is held
    against the first of all by its rates alone. A report that does not name its country is of the one that the others name, if that is one;
    where they name several, it is held against no other passage by passage, and a warning says so.

    Parameters
    ----------
    documents
        Reports with their passages, as `tagger.read` and `tagger.read_all` give them.
    tagger
        The model that tags them; the default one if left out. Rates are corrected by the cross-validation in its card.
    progress
        Show a bar on a terminal.

    Raises
    ------
    InputError
        There are fewer than two reports, or one has too many passages to be aligned.
    """
    series = _series(list(documents))
    ordered = [document for one in series for document in one]
    if len(ordered) < 2:
        raise InputError(f"a comparison needs at least two reports, not {len(ordered)}: name another file")
    tagger = tagger or load()
    errors = errors_of(tagger.model.card)
    tagged = [tuple(tagger.tag(document)) for document in _tracked(ordered, "Tagging", progress)]
    reports = [
        Report(document, said, items, _rates(items, tagger.themes, errors), measure(tagger.model, [item.text for item in items]))
        for document, said, items in zip(ordered, _labels(ordered), tagged, strict=True)
    ]
    steps = [
        _step(reports[a], reports[b], errors, aligned=same) for a, b, same in _tracked(list(_held_against(series)), "Aligning", progress)
    ]
    return Comparison(
        tuple(reports), tuple(steps), tagger.about, (*_warnings(reports, tagger.themes, errors), *_disordered(_split(reports, series)))
    )


def _series(documents: Sequence[Document]) -> list[list[Document]]:
    """The reports of each country, in the order of their years."""
    countries = [plain_name(document.country or "") for document in documents]
    alone = len({country for country in countries if country}) <= 1
    found: dict[str | int, list[Document]] = {}
    for number, (document, country) in enumerate(zip(documents, countries, strict=True)):
        found.setdefault("" if alone else country or number, []).append(document)
    return [_by_year(one) for one in found.values()]


def _by_year(documents: list[Document]) -> list[Document]:
    """Put those whose year is known in the order of years; the others stay where they are."""
    known = iter(sorted((document for document in documents if document.year is not None), key=lambda document: document.year or 0))
    return [document if document.year is None else next(known) for document in documents]


def _held_against(series: Sequence[Sequence[Document]]) -> Iterator[tuple[int, int, bool]]:
    """Yield the places of two reports to compare, and whether they are of one country."""
    start = 0
    for one in series:
        if start:
            yield 0, start, False
        yield from ((a, b, True) for a, b in pairwise(range(start, start + len(one))))
        start += len(one)


def _rates(items: Sequence[Tagged], themes: Sequence[str], errors: Mapping[str, Errors]) -> dict[str, Rate]:
    found = {}
    for theme in themes:
        given = sum(theme in item.labels for item in items)
        found[theme] = Rate(given, len(items), estimate((given, len(items)), errors.get(theme)))
    return found


def _step(before: Report, after: Report, errors: Mapping[str, Errors], *, aligned: bool) -> Step:
    matches = tuple(_aligned(before, after)) if aligned else None
    differences = {theme: change(*_stretches(before, after, matches or (), theme), errors.get(theme)) for theme in before.rates}
    return Step(before, after, differences, matches)


def _aligned(before: Report, after: Report) -> list[Match]:
    try:
        return align(*([item.text for item in report.tagged] for report in (before, after)))
    except InputError as error:
        raise InputError(f"{before.document.name}, {after.document.name}: {error}") from error


def _stretches(before: Report, after: Report, matches: Sequence[Match], theme: str) -> tuple[Counted, Counted, Counted]:
    """Count what both reports hold word for word, as long as the model says the same of it, and what only the one or the other holds."""
    carry = [[theme in item.labels for item in report.tagged] for report in (before, after)]
    kept = [
        carry[1][match.after]
        for match in matches
        if match.change is Change.UNCHANGED
        and match.before is not None
        and match.after is not None
        and carry[0][match.before] == carry[1][match.after]
    ]
    one, other = ((sum(found) - sum(kept), len(found) - len(kept)) for found in carry)
    return (sum(kept), len(kept)), one, other


def _labels(documents: Sequence[Document]) -> list[str]:
    """Country and year, or a title; with its name where that is not enough to tell a report from the others."""
    said = list(map(label, documents))
    same = Counter(said)
    return [
        one if same[one] == 1 else clean(document.name) if one == clean(document.name) else f"{one} ({clean(document.name)})"
        for one, document in zip(said, documents, strict=True)
    ]


def _split(reports: Sequence[Report], series: Sequence[Sequence[Document]]) -> list[list[Report]]:
    """The reports of each country."""
    left = iter(reports)
    return [list(islice(left, len(one))) for one in series]


def _disordered(series: Sequence[Sequence[Report]]) -> Iterator[str]:
    """Say of which reports of one country the order is not that of years."""
    for reports in series:
        years: dict[int | None, list[str]] = {}
        for report in reports:
            years.setdefault(report.document.year, []).append(report.label)
        for year, labels in years.items():
            if len(reports) > 1 and year is None:
                yield f"{', '.join(labels)}: of no known year, so compared in the order given: what is called a change may go back in time"
            elif len(labels) > 1:
                yield f"{', '.join(labels)}: of the same year, so compared in the order given"


def _warnings(reports: Sequence[Report], themes: Sequence[str], errors: Mapping[str, Errors]) -> Iterator[str]:
    several = len({plain_name(report.document.country or "") for report in reports} - {""}) > 1
    for report in reports:
        if several and not plain_name(report.document.country or ""):
            yield f"{report.label}: does not name its country, and the others name several: it is compared by its rates alone"
        if (drift := report.drift).far:
            share, usual, most = (f"{100 * value:.1f} %" for value in (drift.share, drift.usual, drift.most))
            yield (
                f"{report.label}: the model does not know {share} of its words; of a training document's it would not know {usual}, and "
                f"nearly never more than {most}: its figures may be wrong, so read the passages that show it"
            )
    if math.isnan(reports[0].drift.most):
        yield "the model's card does not say how many unknown words are usual, so no report is told to be far from it: train it anew"
    if raw := [theme for theme in themes if theme not in errors]:
        yield f"the model's card has no cross-validation of {', '.join(raw)}: these rates are not corrected, and have no intervals"
    for theme, one in errors.items():
        if theme in themes and one.worth <= 0:
            yield f"{theme}: the model does no better than chance in its cross-validation, so its rates can't be corrected"


def _tracked(items: Sequence[Item], said: str, progress: bool) -> Iterable[Item]:
    console = Console(stderr=True)
    return track(items, said, console=console, transient=True) if progress and console.is_terminal else items
