"""The numbers of a comparison: as CSV, a row a theme and report, and as people read them, in per cent."""

from __future__ import annotations

import codecs
import csv
import math
from collections.abc import Iterator
from typing import IO, Any

from tagger.comparing.alignment import Change
from tagger.comparing.results import MOVED, Comparison, Report, Step
from tagger.rates import UNKNOWN, Estimate
from tagger.writing.table import Encoded, defuse

CHANGES = (*map(str, Change), MOVED)
_REPORT = ("report", "document", "country", "year", "passages", "unknown_words", "far_from_model")
_RATE = ("theme", "tagged", "share", "corrected", "corrected_low", "corrected_high")
_STEP = ("compared_with", "difference", "difference_low", "difference_high", *CHANGES)


def write_numbers(comparison: Comparison, stream: IO[bytes]) -> None:
    """Write the numbers; shares are between 0 and 1, a difference is one of corrected shares, and what can't be had is empty."""
    stream.write(codecs.BOM_UTF8)
    rows = csv.writer(Encoded(stream))
    rows.writerow([*_REPORT, *_RATE, *_STEP])
    for theme in comparison.themes:
        for report in comparison.reports:
            step = comparison.step_to(report)
            row = [*_facts(report), *_rate(report, theme), *(_change(step, theme) if step else [""] * len(_STEP))]
            rows.writerow([defuse(value) for value in row])


def _facts(report: Report) -> Iterator[Any]:
    document, drift = report.document, report.drift
    yield from (report.label, document.name, document.country, document.year, len(report.tagged), round(drift.share, 4))
    yield "" if math.isnan(drift.most) else int(drift.far)


def _rate(report: Report, theme: str) -> Iterator[Any]:
    rate = report.rates[theme]
    yield from (theme, rate.given, _shown(rate.share), *_estimate(rate.corrected))


def _change(step: Step, theme: str) -> Iterator[Any]:
    yield from (step.before.label, *_estimate(step.differences.get(theme, UNKNOWN)))
    counts = step.counts(theme)
    yield from ("" if step.matches is None else counts[name] for name in CHANGES)


def _estimate(estimate: Estimate) -> list[Any]:
    return [_shown(value) for value in (estimate.value, estimate.low, estimate.high)]


def _shown(value: float) -> float | str:
    return "" if math.isnan(value) else round(value, 4)


def percent(value: float, *, sign: bool = False) -> str:
    """A share in percent, with a true minus; a dash where it can't be had."""
    if math.isnan(value):
        return "–"
    shown = round(100 * value, 1) or 0.0  # no zero has a sign
    return f"{shown:{'+' if sign and shown else ''}.1f}".replace("-", "\u2212")


def interval(estimate: Estimate, *, sign: bool = False) -> str:
    """The ends of an interval in percent; nothing where there is none."""
    if math.isnan(estimate.low):
        return ""
    return f"{percent(estimate.low, sign=sign)} to {percent(estimate.high, sign=sign)}"
