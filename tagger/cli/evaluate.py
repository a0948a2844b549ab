"""`tagger evaluate`: a model measured on a labelled corpus."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagger.cli import app, inform, places, put
from tagger.writing.text import many

if TYPE_CHECKING:
    from rich.table import Table

    from tagger.evaluation import Evaluation, Figure

_HELP = """Measure a model on a labelled corpus, at the model's own thresholds.

Every figure has a 95 % interval, by resampling documents; where a theme has too few passages to say anything, a note says so. A dot stands
for a figure that can't be had.

**Examples**: `tagger evaluate models/default corpora/mexico-2014 --by section -o figures.json` and `... -o report.html`, a page to read
"""
_WIDTH = 100


class By(StrEnum):
    """By what passages can be measured apart."""

    SECTION = "section"
    LENGTH = "length"
    DOCUMENT = "document"


@app.command("evaluate", help=_HELP)
def evaluate_cli(
    model: Annotated[Path, typer.Argument(callback=places.model, help="Folder of a saved model.")],
    corpus: Annotated[Path, typer.Argument(callback=places.corpus, help="Folder with a passages.jsonl.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    by: Annotated[list[By] | None, typer.Option(help="Measure passages apart by this, too; may be given again.")] = None,
    resamples: Annotated[int, typer.Option(min=1, help="How many resamples of the documents make an interval.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Where the random numbers of the resampling begin.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="How many resamples to measure at a time; the figures are the same for any number.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Write all figures to this file (.json), or a report (.html)."),
    ] = None,
) -> None:
    """Parse, evaluate, print."""
    from tagger.evaluation import evaluate
    from tagger.tagging import load
    from tagger.writing.whole import check_place, whole

    if out is not None:
        check_place(out, [".json", ".html"])
        if out.suffix.lower() == ".html":
            from tagger.evaluation.report.models import write_model_report  # what is missing for it is said before any work
    names = [part.value for part in dict.fromkeys(by or [])]
    tagger = load(model)
    found = evaluate(tagger, corpus, by=names, resamples=resamples, seed=seed, jobs=jobs, progress=True)
    figures = json.dumps(found.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    if as_json:
        put(figures)
    else:
        _print(found)
    for warning in found.warnings:
        inform(warning)
    if out is not None and out.suffix.lower() == ".html":
        write_model_report(out, tagger, corpus, found)
    elif out is not None:
        with whole(out) as stream:
            stream.write(figures.encode())


def _print(found: Evaluation) -> None:
    """Print the figures of each theme and over all, then the parts."""
    from rich.console import Console

    from tagger.evaluation.calibration import BINS

    console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False, markup=False)
    intervals = f"; 95 % intervals from {found.resamples} resamples of documents" if found.resamples else ""
    console.print(f"\n{many(found.count, 'passage')} of {many(found.documents, 'document')}{intervals}\n")
    console.print(_labels(found))
    console.print(_scores(found))
    if "coverage" in found.micro:
        console.print(_band(found))
    if not math.isnan(found.passages["exact_match"].value):
        console.print(_whole(found))
    console.print(
        "macro: mean over the themes that occur, with precision 0 for one that is never given; calibration error: the expected one, "
        f"in {BINS} bins of equal width."
    )
    if "human_alpha" in found.macro:
        agreement = ", ".join(f"{name} {_shown(row['human_alpha'], 3)}" for name, row in _rows(found) if "human_alpha" in row)
        console.print(f"The annotators agree with a Krippendorff's alpha of {agreement}.")
    for name, parts in found.by.items():
        console.print()
        console.print(_parts(name, parts))


def _whole(found: Evaluation) -> str:
    return (
        f"A passage has all its labels right: {_shown(found.passages['exact_match'], 2)}. Hamming loss "
        f"{_shown(found.passages['hamming_loss'], 3)}, label-ranking average precision "
        f"{_shown(found.passages['label_ranking_average_precision'], 3)}."
    )


def _labels(found: Evaluation) -> Table:
    human = "human_f1" in found.macro
    figures = ["precision", "recall", "f1", *(["human_f1"] if human else [])]
    heads = ["precision", "recall", "F1", *(["F1 of annotators"] if human else [])]
    table = _table("theme", "passages", *heads)
    for theme in found.themes:
        table.add_row(theme.theme, str(theme.support), *_cells(theme.figures, figures, 2))
    table.add_section()
    for name in ("macro", "micro", "samples"):
        table.add_row(name, "", *_cells(getattr(found, name), figures, 2))
    return table


def _scores(found: Evaluation) -> Table:
    """How well scores rank, and what they are worth as probabilities."""
    figures = ["average_precision", "roc_auc", "brier", "calibration_error"]
    table = _table("theme", "average precision", "ROC AUC", "Brier score", "calibration error")
    for name, row in _rows(found):
        table.add_row(name, *_cells(row, figures, 3))
    return table


def _band(found: Evaluation) -> Table:
    """The review band: what share lies outside it, and what share of that is wrong."""
    table = _table("review band", "share outside", "errors outside", "errors inside", "area risk/coverage")
    figures = ["coverage", "risk_outside", "risk_inside", "risk_coverage_area"]
    for name, row in (*_rows(found, macro=False), ("whole passages", found.passages)):
        table.add_row(name, *_cells(row, figures, 3))
    return table


def _parts(name: str, parts: Mapping[str, Evaluation]) -> Table:
    from tagger.evaluation.metrics import FEW

    table = _table(name, "passages", "labels", "macro F1", "micro F1", "all labels right")
    for value, part in parts.items():
        figures = (part.macro["f1"], part.micro["f1"], part.passages["exact_match"])
        labels = sum(theme.support for theme in part.themes)
        table.add_row(value, str(part.count), f"{labels}{'*' * (labels < FEW)}", *(_shown(figure, 2) for figure in figures))
    table.caption = f"* fewer than {FEW}: too few to say anything"
    return table


def _rows(found: Evaluation, *, macro: bool = True) -> list[tuple[str, Mapping[str, Figure]]]:
    over_all = [("macro", found.macro), ("micro", found.micro)]
    return [*((theme.theme, theme.figures) for theme in found.themes), *over_all[not macro :]]


def _cells(figures: Mapping[str, Figure], names: Sequence[str], digits: int) -> list[str]:
    return [_shown(figures[name], digits) if name in figures else "" for name in names]


def _shown(figure: Figure, digits: int) -> str:
    """The value with its interval, in so many digits."""
    if math.isnan(figure.value):
        return "."
    if math.isnan(figure.low):
        return f"{figure.value:.{digits}f}"
    return f"{figure.value:.{digits}f} {figure.low:.{digits}f}–{figure.high:.{digits}f}"


def _table(first: str, *names: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, overflow="fold")
    for name in names:
        table.add_column(name, justify="right", overflow="fold")
    return table
