"""Pictures of an evaluation, as SVG whose text can be selected: the same for the same figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.errors import MissingExtraError
from tagger.evaluation.figures import COVERAGE
from tagger.evaluation.report.svg import FAINT, LINE
from tagger.evaluation.results import Figure as Value

try:
    import matplotlib
    import matplotlib.ticker
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
except ImportError as error:
    raise MissingExtraError("matplotlib", "train") from error

_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tagger",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_SMALL = (2.8, 2.7)
Curve = Sequence[tuple[float, float, int]]
"""A calibration curve: mean score, share of positives and count of each bin."""


@contextmanager
def _figure(width: float, height: float) -> Iterator[Figure]:
    """A figure whose style does not hang on the user's settings."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield Figure(figsize=(width, height), layout="constrained")


def calibration(curves: Mapping[str, Curve]) -> str:
    """A small curve a theme: share of positives against score, the area of a point by its count."""
    with _figure(3.1 * len(curves), 3.5) as figure:
        axes = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
        for axis, (theme, curve) in zip(axes, curves.items(), strict=True):
            _calibration(axis, curve)
            axis.set_title(theme)
        axes[0].set_ylabel("share that carries the theme")
        return _svg(figure)


def calibration_of(curve: Curve) -> str:
    """The curve of one theme, see `calibration`."""
    with _figure(*_SMALL) as figure:
        axis = figure.subplots()
        _calibration(axis, curve)
        axis.set_ylabel("share that carries the theme")
        return _svg(figure)


def _calibration(axis: Axes, curve: Curve) -> None:
    score, share, count = zip(*curve, strict=True)
    axis.plot([0, 1], [0, 1], color=FAINT, linewidth=1)
    axis.plot(score, share, color=LINE, linewidth=1)
    axis.scatter(score, share, s=[10 + 110 * (n / max(count)) ** 0.5 for n in count], color=LINE, zorder=3, clip_on=False)
    axis.set(xlabel="score", aspect="equal", **_unit("x", "y"))


def precision_recall(labels: NDArray[np.int64], scores: NDArray[np.float64], own: tuple[float, float]) -> str:
    """Precision against recall as the threshold falls; ``own`` are recall and precision at the model's thresholds, a dot."""
    order = np.argsort(-scores, kind="stable")
    hits = labels[order].cumsum()
    last = np.append(np.diff(scores[order]) != 0, True)  # scores that are equal lie on the same side of any threshold
    recall, precision = (hits / hits[-1])[last], (hits / np.arange(1, len(hits) + 1))[last]
    with _figure(*_SMALL) as figure:
        axis = figure.subplots()
        axis.axhline(labels.mean(), color=FAINT, linewidth=1)
        axis.plot(recall, precision, color=LINE, linewidth=1.5)
        axis.plot(*own, color=LINE, marker="o", markersize=7)
        axis.set(xlabel="recall", ylabel="precision", aspect="equal", **_unit("x", "y"))
        return _svg(figure)


def risk_coverage(curve: Sequence[Value]) -> str:
    """The share of errors among the surest decisions, by how many are kept, with its interval."""
    with _figure(6, 3.2) as figure:
        axis = figure.subplots()
        axis.fill_between(COVERAGE, *_ends(curve), color=LINE, alpha=0.15, linewidth=0)
        axis.plot(COVERAGE, [point.value for point in curve], color=LINE)
        axis.set(xlabel="share of decisions kept, surest first", ylabel="share of errors among them", **_unit("x"))
        axis.set_ylim(bottom=0)
        axis.yaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1, decimals=1))
        axis.xaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1))
        return _svg(figure)


def learning_curve(curve: Mapping[int, Value], what: str = "passages learned from") -> str:
    """Macro-F1 against the number of passages, with its interval."""
    passages, macro = list(curve), [point.value for point in curve.values()]
    with _figure(6, 3.4) as figure:
        axis = figure.subplots()
        axis.fill_between(passages, *_ends(list(curve.values())), color=LINE, alpha=0.15, linewidth=0)
        axis.plot(passages, macro, color=LINE, marker="o")
        for number, value in zip(passages, macro, strict=True):
            axis.annotate(f"{value:.2f}", (number, value), textcoords="offset points", xytext=(0, -14), ha="center")
        axis.set(xlabel=what, ylabel="macro-F1", xscale="log")
        axis.set_xticks(passages, [f"{number:,}" for number in passages])
        axis.minorticks_off()
        return _svg(figure)


def _unit(*names: str) -> dict[str, Any]:
    return {f"{name}lim": (-0.03, 1.03) for name in names}


def _ends(curve: Sequence[Value]) -> tuple[list[float], list[float]]:
    return [point.low for point in curve], [point.high for point in curve]


def _svg(figure: Figure) -> str:
    stream = StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()
