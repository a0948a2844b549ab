"""`tagger compare`: reports held against each other, in the terminal, as a page or as numbers."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagger.cli import app, inform, places
from tagger.cli.options import IdColumn, Inputs, Limit, TextColumn, columns, limits
from tagger.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from tagger.comparing import Comparison, Report, Step
    from tagger.reading import Columns, Limits
    from tagger.records import Document

_HELP = """Compare reports: one country over years, or several countries.

For each theme it shows the share of passages that carry it, corrected for the model's errors, with a 95 % interval, and how much that
differs from the report before. Reports of one country are aligned passage by passage: what is new, dropped, reworded or unchanged, and what
has moved. The page shows these side by side, the changed words marked. A note names a report whose words the model does not know.

**Example**: `tagger compare mexico-2014.pdf mexico-2015.pdf -o page.html -o numbers.csv`
"""
_WIDTH = 120
_SHOWN = 3  # passages of a report whose words the model does not know


@app.command("compare", help=_HELP)
def compare_cli(
    given: Inputs,
    out: Annotated[
        list[Path] | None, typer.Option("-o", "--out", help="File to write: a page (.html) or numbers (.csv); may be given again.")
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            callback=places.model_to_use, help="Folder of a saved model; if left out the project's, or the one that comes with tagger."
        ),
    ] = None,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    limit: Limit = None,
) -> None:
    """Parse, compare, write or print."""
    from tagger.comparing import compare
    from tagger.comparing.writing import check_output, write
    from tagger.tagging import load

    used, table = limits(limit), columns(text_column, id_column)
    targets = [check_output(path).resolve() for path in out or []]
    if same := [path for path in given if path.resolve() in targets]:
        raise OutputError(f"{same[0]}: is an input too: name another file to write")
    tagger = load(model)
    found = compare(_documents(given, targets, table, used), tagger=tagger, progress=True)
    for warning in found.warnings:
        inform(warning)
    for path in out or []:
        write(path, found)
        print(f"{path}: {len(found.reports)} reports compared", file=sys.stderr)
    if not out:
        _print(found)


def _documents(given: list[Path], targets: list[Path], columns: Columns, limits: Limits) -> Iterator[Document]:
    """Read the reports; what an earlier run wrote is none of them."""
    from tagger.reading import find_documents, without_own
    from tagger.tagging import read_all

    found = find_documents(given, tables=columns.text is not None)
    files = without_own([(path, name) for path, name in found if path.resolve() not in targets], inform)
    taken = Counter(name for _, name in files)
    for path, name in files:
        for document in read_all(path, name=name, columns=columns, limits=limits, taken=taken):
            for note in document.notes:
                inform(f"{path}: {note}")
            yield document


def _print(found: Comparison) -> None:
    """Print the rates of each theme, and what became of its passages."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False, markup=False)
    console.print()
    console.print(_rates(found))
    console.print(
        "In per cent of a report's passages; corrected for the model's errors, with 95 % intervals. A star marks a change whose interval "
        "leaves out 0."
    )
    if any(step.matches is not None for step in found.steps):
        console.print()
        console.print(_passages(found))
        console.print("Passages that carry the theme in either report; moved ones are counted as reworded or unchanged, too.")
    for report in found.reports:
        if report.drift.far:
            console.print(f"\n{report.label}: passages with words that the model does not know (between asterisks)")
            for strange in report.drift.passages[:_SHOWN]:
                console.print(f"  {_starred(report.tagged[strange.row].text, strange.spans)}")


def _starred(text: str, spans: Sequence[tuple[int, int]]) -> str:
    for start, end in reversed(spans):
        text = f"{text[:start]}*{text[start:end]}*{text[end:]}"
    return text


def _rates(found: Comparison) -> Table:
    table = _table("theme", "report", "tagged", "given", "corrected", "interval", "change", "interval")
    for theme in found.themes:
        for place, report in enumerate(found.reports):
            table.add_row("" if place else theme, report.label, *_figures(report, found.step_to(report), theme))
        table.add_section()
    return table


def _figures(report: Report, step: Step | None, theme: str) -> Iterator[str]:
    from tagger.comparing.numbers import interval, percent

    rate = report.rates[theme]
    yield from (f"{rate.given} of {rate.passages}", percent(rate.share), percent(rate.corrected.value), interval(rate.corrected))
    if step:
        difference = step.differences[theme]
        yield from (percent(difference.value, sign=True), interval(difference, sign=True) + " *" * difference.clear)


def _passages(found: Comparison) -> Table:
    from tagger.comparing.numbers import CHANGES

    table = _table("theme", "reports", *CHANGES)
    for theme in found.themes:
        for place, step in enumerate(step for step in found.steps if step.matches is not None):
            counts = step.counts(theme)
            shown = (str(counts[name]) if counts[name] else "." for name in CHANGES)
            table.add_row("" if place else theme, f"{step.before.label} to {step.after.label}", *shown)
        table.add_section()
    return table


def _table(*names: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for place, name in enumerate(names):
        table.add_column(name, justify="left" if place < 2 else "right", overflow="fold")
    return table
