"""What measuring a model gives: figures with their intervals, by theme and over all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tagger.evaluation.calibration import BINS
from tagger.evaluation.figures import COVERAGE, CURVE, MACRO, MICRO, PASSAGES, SAMPLES


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval; not a number (NaN) is what can't be had."""

    value: float
    low: float = math.nan
    high: float = math.nan

    def to_json(self) -> dict[str, float | None]:
        """Plain values, with six decimals; what is not a number becomes null."""
        return {name: plain(getattr(self, name)) for name in ("value", "low", "high")}


@dataclass(frozen=True, slots=True)
class ThemeFigures:
    """One theme measured. ``support`` is to how many passages people gave it, in so many ``documents``; ``predicted`` to how many the model
    gave it, the mean where passages were scored several times.

    ``figures`` are, by name: ``precision``, ``recall``, ``f1``, ``average_precision``, ``roc_auc``, ``brier``; ``calibration_error``, the
    expected one, in ten bins of equal width (Naeini, Cooper and Hauskrecht 2015); ``coverage``, the share of passages outside the review
    band; ``risk_outside`` and ``risk_inside``, the shares of errors among the passages outside and inside it; ``risk_coverage_area``, the
    area under the curve; and with a ceiling ``human_f1`` and ``human_alpha``. ``risk_coverage`` is that curve: the share of errors among
    the surest 1 %, 2 %, ... 100 % of the passages, by the distance of the score from its threshold.
    """

    theme: str
    support: int
    predicted: int
    documents: int
    figures: Mapping[str, Figure]
    risk_coverage: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model measured on passages.

    Attributes
    ----------
    themes : figures of each theme
    macro : means over the themes that occur, for which the precision of one that the model never gives is 0; anything else that is not a
        number is left out
    micro : the same figures, all decisions of all themes taken together
    samples : precision, recall and F1 a passage; means over the passages where they are defined: those that the model gives a theme,
        that carry one, and either
    passages : ``exact_match``, ``hamming_loss``, ``label_ranking_average_precision`` (both as scikit-learn's); with review bands
        ``coverage`` (the share of passages outside every theme's band), ``risk_outside`` and ``risk_inside`` (the share with any error)
    risk_coverage : as a theme's, over all decisions
    count, documents : how many passages and documents there are
    resamples, seed : how the intervals were made
    warnings : what a reader must know before trusting the figures, a line each
    by : "section", "length" or "document" -> its value -> the evaluation of these passages; "learned" -> "yes" or "no", where the model
        learned from some of them
    """

    themes: tuple[ThemeFigures, ...]
    macro: Mapping[str, Figure]
    micro: Mapping[str, Figure]
    samples: Mapping[str, Figure]
    passages: Mapping[str, Figure]
    risk_coverage: tuple[Figure, ...]
    count: int
    documents: int
    resamples: int
    seed: int
    warnings: tuple[str, ...] = ()
    by: Mapping[str, Mapping[str, Evaluation]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """All figures as plain values; the parts of ``by`` without their curves."""
        whole = self._part()
        for row, theme in zip(whole["themes"], self.themes, strict=True):
            row[CURVE] = _curve(theme.risk_coverage)
        by = {name: {value: part._part() for value, part in parts.items()} for name, parts in self.by.items()}
        return {**whole, CURVE: _curve(self.risk_coverage), "bins": BINS, "resamples": self.resamples, "seed": self.seed, "by": by}

    def _part(self) -> dict[str, Any]:
        return {
            "count": self.count,
            "documents": self.documents,
            "warnings": list(self.warnings),
            "themes": [
                {
                    "theme": theme.theme,
                    "support": theme.support,
                    "predicted": theme.predicted,
                    "documents": theme.documents,
                    **_figures(theme.figures),
                }
                for theme in self.themes
            ],
            **{name: _figures(getattr(self, name)) for name in (MACRO, MICRO, SAMPLES, PASSAGES)},
        }

    def card(self) -> dict[str, Any]:
        """The few figures that a model card shows, as plain values with four decimals."""
        shown = ("precision", "recall", "f1", "average_precision", "calibration_error")
        return {
            "themes": [
                {
                    "theme": theme.theme,
                    **{name: plain(theme.figures[name].value, 4) for name in shown},
                    "f1_interval": _ends(theme.figures["f1"]),
                    "support": theme.support,
                    "predicted": theme.predicted,
                }
                for theme in self.themes
            ],
            "macro_f1": plain(self.macro["f1"].value, 4),
            "macro_interval": _ends(self.macro["f1"]),
            **{f"micro_{name}": plain(self.micro[name].value, 4) for name in shown[:3]},
            "passages": self.count,
            "documents": self.documents,
            "macro_average_precision": plain(self.macro["average_precision"].value, 4),
        }


def _figures(figures: Mapping[str, Figure]) -> dict[str, Any]:
    return {name: figure.to_json() for name, figure in figures.items()}


def _curve(curve: Sequence[Figure]) -> list[dict[str, Any]]:
    return [{"share": float(share), **figure.to_json()} for share, figure in zip(COVERAGE, curve, strict=True)]


def _ends(figure: Figure) -> list[float | None]:
    return [plain(figure.low, 4), plain(figure.high, 4)]


def plain(value: Any, digits: int = 6) -> Any:
    """Values for JSON: numbers with so many decimals, null for what is not a number."""
    if isinstance(value, dict):
        return {name: plain(item, digits) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, digits) for item in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, digits)
    return value
