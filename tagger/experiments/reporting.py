"""Results -> the report: figures are measured anew, nothing is fitted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tagger.errors import MissingExtraError
from tagger.evaluation.metrics import measure
from tagger.evaluation.predictions import Predictions
from tagger.evaluation.results import Evaluation
from tagger.experiments.passages import find_passages, quotable
from tagger.experiments.results import Results
from tagger.records import Span
from tagger.writing.counts import NO_SECTION

REPORT = "report.html"


def check_reporting() -> None:
    """Refuse to begin what can't be shown at the end.

    Raises
    ------
    MissingExtraError
        matplotlib or jinja2 is not installed.
    """
    import tagger.evaluation.report  # noqa: F401

    try:
        import jinja2  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("jinja2", "train") from error


def write_experiment_report(results: Results, folder: Path) -> list[str]:
    """Write the report of the results to their folder, and return the names of the corpora whose texts could not be shown.

    No text of a passage is in it where the settings say ``quote = false``.
    """
    from tagger.evaluation.report import write_report

    found, lost = find_passages(results, folder)
    predictions = results.predictions
    keys = list(zip(predictions.documents, predictions.ids, strict=True))
    names = dict(zip(keys, _unique(predictions), strict=True))
    shown = {names[key]: row for key, row in found.items() if key in names}
    sections = {name: row["section"] for name, row in shown.items() if row.get("section")}
    quote = quotable(results)
    predictions = replace(predictions, ids=tuple(names[key] for key in keys))
    write_report(
        folder / REPORT,
        predictions,
        title=results.settings["title"] or folder.resolve().name,
        about=results.settings["about"],
        evaluation=_evaluation(predictions, [sections.get(name, "") for name in predictions.ids]),
        texts={name: row["text"] for name, row in shown.items()} if quote else None,
        sections=sections or None,
        evidence={
            names[document, name]: _spans(marks)
            for document, of_ids in results.evidence.items()
            for name, marks in of_ids.items()
            if (document, name) in names
        }
        if quote
        else None,
    )
    return lost if quote else []


def _evaluation(predictions: Predictions, sections: list[str]) -> Evaluation:
    """Figures of all passages, and of each document and section apart."""
    parts = {"section": sections if any(sections) else [], "document": list(predictions.documents)}
    by = {
        name: {value or NO_SECTION: measure(predictions.rows(np.array(values) == value)) for value in dict.fromkeys(values)}
        for name, values in parts.items()
        if values
    }
    return replace(measure(predictions), by=by)


def _unique(predictions: Predictions) -> list[str]:
    """The ids of the rows, with their documents where two passages of different documents have one id."""
    keys = set(zip(predictions.documents, predictions.ids, strict=True))
    if len({name for _, name in keys}) == len(keys):
        return list(predictions.ids)
    return [f"{document}/{name}" for document, name in zip(predictions.documents, predictions.ids, strict=True)]


def _spans(marks: Any) -> dict[str, tuple[Span, ...]]:
    return {theme: tuple(Span(int(start), int(end), float(weight)) for start, end, weight in spans) for theme, spans in marks.items()}
