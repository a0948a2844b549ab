"""An evaluation as one HTML page that needs nothing else: figures, curves, confusion and the worst errors, to read, filter and print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tagger.errors import MissingExtraError, OutputError
from tagger.evaluation.calibration import BINS
from tagger.evaluation.predictions import Predictions
from tagger.evaluation.report.curves import learning, risk, theme_curves
from tagger.evaluation.report.mistakes import confused, worst
from tagger.evaluation.report.numbers import FIGURES, REVIEW, headlines, parts, summary, table
from tagger.evaluation.report.themes import themes_of
from tagger.evaluation.results import Evaluation, Figure
from tagger.records import Span
from tagger.writing.webpage import render
from tagger.writing.whole import check_place, whole

try:
    import jinja2  # noqa: F401  (the page is made with it in the end; that it is missing is said before any work)
except ImportError as error:
    raise MissingExtraError("jinja2", "train") from error

__all__ = ["write_report"]

_PAGE = Path(__file__).parent / "page"


def write_report(
    path: Path | str,
    predictions: Predictions,
    *,
    title: str,
    about: str,
    evaluation: Evaluation,
    texts: Mapping[str, str] | None = None,
    sections: Mapping[str, str | None] | None = None,
    evidence: Mapping[str, Mapping[str, Sequence[Span]]] | None = None,
    learning_curve: Mapping[int, Figure] | None = None,
) -> None:
    """Write the report of an evaluation; it appears under its name only when it is whole.

    Parameters
    ----------
    path
        A file that ends in ``.html``.
    predictions, evaluation
        What was measured, and what `tagger.evaluation.measure` found. Figures apart (``evaluation.by``) are shown where there are any.
    title, about
        The heading, and a sentence or two on the model and the passages.
    texts, sections, evidence
        By id of a passage: its text, its section, and by theme the words that raised its score (see `Tagged.evidence`). Without texts
        the page names passages only by their id.
    learning_curve
        Macro-F1 by the number of passages learned from.

    Raises
    ------
    OutputError
        The file can't be written.
    MissingExtraError
        jinja2 or matplotlib is not installed.

    Examples
    --------
    >>> import tagger
    >>> from tagger.corpus import load
    >>> from tagger.evaluation import measure, predict
    >>> from tagger.evaluation.report import write_report
    >>> model = tagger.load()
    >>> said = predict(model, load("corpora/mexico-2014", model.themes))
    >>> write_report("mexico.html", said, title="Mexico", about="The default model.", evaluation=measure(said))
    """
    path = check_place(path, [".html"])
    if [theme.theme for theme in evaluation.themes] != list(predictions.themes):
        raise OutputError(f"{path}: the evaluation is of other themes than the predictions: measure these predictions")
    themes = themes_of(predictions.themes)
    errors = worst(predictions, themes, texts, sections, evidence)
    shown = [error for one in errors for error in (*one.given, *one.missed)]
    page = render(
        _PAGE,
        title=title,
        about=about,
        summary=summary(predictions, evaluation),
        evaluation=evaluation,
        themes=themes,
        headlines=headlines(evaluation),
        figures=table(FIGURES, themes, evaluation),
        review=table(REVIEW, themes, evaluation),
        bins=BINS,
        curves=theme_curves(predictions, themes, evaluation),
        confused=confused(predictions, themes),
        parts=parts(evaluation),
        risk=risk(evaluation),
        learning=learning(learning_curve) if learning_curve else None,
        worst=errors,
        sections=list(dict.fromkeys(error.section for error in shown if error.section is not None)),
        documents=sorted({error.document for error in shown}),
        quoted=texts is not None,
    )
    with whole(path) as stream:
        stream.writelines(page)
