"""The figures of the report, as its page shows them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tagger.evaluation.metrics import FEW
from tagger.evaluation.predictions import Predictions
from tagger.evaluation.report.themes import Theme
from tagger.evaluation.results import Evaluation, Figure
from tagger.writing.text import clean

FIGURES = {
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "average_precision": "Average precision",
    "roc_auc": "ROC AUC",
    "brier": "Brier score",
    "calibration_error": "Calibration error",
    "human_f1": "F1 of annotators",
    "human_alpha": "Alpha of annotators",
}
_FINE = {"brier", "calibration_error", "risk_outside", "risk_inside"}  # small numbers, shown with three decimals
REVIEW = {"coverage": "Outside the band", "risk_outside": "Wrong outside it", "risk_inside": "Wrong inside it"}


class Cell(NamedTuple):
    """A figure as it is shown: its value, its interval, and where both lie on a line from 0 to 100, if they are to be drawn."""

    value: str
    interval: str = ""
    line: tuple[float, float, float] | None = None


class Headline(NamedTuple):
    """A figure that stands at the top, with what it says in plain words."""

    name: str
    cell: Cell
    said: str


class Line(NamedTuple):
    """A line of a table of figures: a theme, or what is said of all."""

    theme: Theme | None
    name: str
    support: int | None
    cells: list[Cell]


class Table(NamedTuple):
    """A table of figures by theme."""

    heads: list[str]
    lines: list[Line]


class Part(NamedTuple):
    """Passages measured apart; ``few`` is whether they carry too few labels to say anything."""

    name: str
    passages: int
    labels: int
    few: bool
    cells: list[Cell]


def cell(figure: Figure, digits: int = 2, *, line: bool = False) -> Cell:
    """Show a figure, with a line that pictures its interval if asked for; a dash where it can't be had."""
    if math.isnan(figure.value):
        return Cell("–")
    value = f"{figure.value:.{digits}f}"
    if math.isnan(figure.low):
        return Cell(value)
    ends = f"{figure.low:.{digits}f} to {figure.high:.{digits}f}"
    return Cell(value, ends, (100 * figure.low, 100 * figure.value, 100 * figure.high) if line else None)


def headlines(evaluation: Evaluation) -> list[Headline]:
    """The figures at the top."""
    macro, passages = evaluation.macro, evaluation.passages
    found = [
        Headline("Macro-F1", cell(macro["f1"]), "precision and recall in one, mean over the themes"),
        Headline("Precision", cell(macro["precision"]), "of the passages marked with a theme, the share that people gave it, too"),
        Headline("Recall", cell(macro["recall"]), "of the passages to which people gave a theme, the share that is found"),
        Headline("Average precision", cell(macro["average_precision"]), "how well scores rank passages, whatever the threshold"),
        Headline("Calibration error", cell(macro["calibration_error"], 3), "how far scores lie from the share that carries the theme"),
        Headline("All labels right", cell(passages["exact_match"]), "the share of passages without any error"),
    ]
    if "human_f1" in macro:
        found.append(Headline("F1 of annotators", cell(macro["human_f1"]), "how one annotator's labels score against the other's"))
    return found


def summary(predictions: Predictions, evaluation: Evaluation) -> str:
    """Say in a few plain sentences how good the model is and how sure that is."""
    micro, macro = evaluation.micro, evaluation.macro["f1"]
    passages = evaluation.count
    repeats = "" if passages == len(predictions) else f", each scored {len(predictions) / passages:.0f} times"
    said = [f"Measured on {passages:,} passages of {evaluation.documents:,} documents{repeats}."]
    if not math.isnan(micro["precision"].value) and not math.isnan(micro["recall"].value):
        said.append(
            f"Of 100 themes that people gave to a passage, the model finds {_of_100(micro['recall'])}; "
            f"of 100 that it gives, {_of_100(micro['precision'])} are right."
        )
    if not math.isnan(macro.low):
        said.append(
            f"Macro-F1 is {macro.value:.2f}; the true value for documents of this kind probably lies between {macro.low:.2f} and "
            f"{macro.high:.2f}."
        )
    return " ".join(said)


def _of_100(figure: Figure) -> str:
    return f"{100 * figure.value:.0f}"


def parts(evaluation: Evaluation) -> dict[str, list[Part]]:
    """The passages measured apart by section, length or document; the worst documents first."""
    found = {name: list(apart.items()) for name, apart in evaluation.by.items()}
    found.get("document", []).sort(key=lambda item: (math.isnan(f1 := item[1].micro["f1"].value), f1))
    return {name: [_part(clean(value), part) for value, part in apart] for name, apart in found.items()}


def _part(name: str, part: Evaluation) -> Part:
    labels = sum(theme.support for theme in part.themes)
    figures = (part.micro["precision"], part.micro["recall"], part.macro["f1"], part.passages["exact_match"])
    return Part(name, part.count, labels, labels < FEW, [cell(part.micro["f1"], line=True), *map(cell, figures)])


def table(names: Mapping[str, str], themes: Sequence[Theme], evaluation: Evaluation) -> Table | None:
    """Lay out those of the named figures that there are; None where there is none."""
    over_all = [
        ("Macro", evaluation.macro),
        ("Micro", evaluation.micro),
        ("Samples", evaluation.samples),
        ("Whole passages", evaluation.passages),
    ]
    kept = [name for name in names if name in evaluation.micro or name in evaluation.macro]
    lines = [Line(theme, theme.title, one.support, _cells(kept, one.figures)) for theme, one in zip(themes, evaluation.themes, strict=True)]
    lines += [Line(None, name, None, _cells(kept, figures)) for name, figures in over_all if any(name in figures for name in kept)]
    return Table([names[name] for name in kept], lines) if kept else None


def _cells(names: Sequence[str], figures: Mapping[str, Figure]) -> list[Cell]:
    return [cell(figures[name], 3 if name in _FINE else 2, line=name == "f1") if name in figures else Cell("") for name in names]
