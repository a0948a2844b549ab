"""The curves of the report, drawn and ready to stand in its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tagger.evaluation.calibration import calibration_curve
from tagger.evaluation.predictions import Predictions
from tagger.evaluation.report import plots
from tagger.evaluation.report.svg import inline
from tagger.evaluation.report.themes import Theme
from tagger.evaluation.results import Evaluation, Figure, ThemeFigures

if TYPE_CHECKING:
    from markupsafe import Markup


class Bin(NamedTuple):
    """Passages of like scores: the mean score, the share that carries the theme, and how many they are."""

    score: str
    share: str
    passages: int


class ThemeCurves(NamedTuple):
    """The curves of a theme; None where there is nothing to draw, as no passage carries it or scores are no probabilities."""

    theme: Theme
    precision_recall: Markup | None
    calibration: Markup | None
    bins: list[Bin]


def theme_curves(predictions: Predictions, themes: Sequence[Theme], evaluation: Evaluation) -> list[ThemeCurves]:
    """Draw the curves of every theme."""
    return [_curves(predictions, theme, figures) for theme, figures in zip(themes, evaluation.themes, strict=True)]


def _curves(predictions: Predictions, theme: Theme, measured: ThemeFigures) -> ThemeCurves:
    labels, scores = predictions.labels[:, theme.place], predictions.scores[:, theme.place]
    precision_recall = calibration = None
    bins: list[Bin] = []
    if measured.support:
        figures = measured.figures
        drawn = plots.precision_recall(labels, scores, (figures["recall"].value, figures["precision"].value))
        said = f"Precision against recall of {theme.title}: average precision {figures['average_precision'].value:.2f}"
        precision_recall = _picture(drawn, f"pr{theme.place}", said)
    if scores.min() >= 0 and scores.max() <= 1:
        curve = calibration_curve(labels, scores)
        said = f"Share that carries {theme.title} against score: calibration error {measured.figures['calibration_error'].value:.3f}"
        calibration = _picture(plots.calibration_of(curve), f"cal{theme.place}", said)
        bins = [Bin(f"{score:.2f}", f"{share:.2f}", count) for score, share, count in curve]
    return ThemeCurves(theme, precision_recall, calibration, bins)


def risk(evaluation: Evaluation) -> Markup:
    """Draw the share of errors by how many decisions are kept."""
    half, whole = evaluation.risk_coverage[49].value, evaluation.risk_coverage[-1].value
    said = f"Share of errors by share of decisions kept: {whole:.1%} of all, {half:.1%} of the surer half"
    return _picture(plots.risk_coverage(evaluation.risk_coverage), "risk", said)


def learning(curve: Mapping[int, Figure]) -> Markup:
    """Draw macro-F1 by the number of passages learned from."""
    said = "Macro-F1 by passages learned from: " + ", ".join(f"{point.value:.2f} with {number}" for number, point in curve.items())
    return _picture(plots.learning_curve(curve), "learning", said)


def _picture(svg: str, name: str, said: str) -> Markup:
    from markupsafe import Markup

    return Markup(inline(svg, name, said))
