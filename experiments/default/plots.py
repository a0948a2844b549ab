"""The pictures of this experiment, as SVG whose text can be selected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "tagger", "font.family": "sans-serif", "font.size": 10})


def draw_calibration(curves: Mapping[str, Sequence[tuple[float, float, int]]], path: Path) -> None:
    """A small curve a theme: share of positives against score, the area of a point by its count."""
    figure, axes = plt.subplots(1, len(curves), figsize=(3.1 * len(curves), 3.2), sharey=True, layout="constrained")
    for axis, (theme, curve) in zip(axes, curves.items(), strict=True):
        score, share, count = zip(*curve, strict=True)
        axis.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        axis.plot(score, share, color="#1f5f8b", linewidth=1)
        axis.scatter(score, share, s=[12 + 6 * n**0.5 for n in count], color="#1f5f8b", zorder=3)
        axis.set(title=theme, xlabel="score", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    axes[0].set_ylabel("share that carries the theme")
    _save(figure, path)


def draw_learning_curve(curve: Mapping[str, Sequence[float]], path: Path) -> None:
    """Macro-F1 against the number of composed passages, with the interval."""
    passages = [int(number) for number in curve]
    macro, low, high = zip(*curve.values(), strict=True)
    figure, axis = plt.subplots(figsize=(6, 3.4), layout="constrained")
    axis.fill_between(passages, low, high, color="#1f5f8b", alpha=0.15, linewidth=0)
    axis.plot(passages, macro, color="#1f5f8b", marker="o")
    for number, value in zip(passages, macro, strict=True):
        axis.annotate(f"{value:.2f}", (number, value), textcoords="offset points", xytext=(0, -14), ha="center")
    axis.set(xlabel="composed passages, beside the Mexico report", ylabel="macro-F1", xscale="log", xticks=passages)
    axis.set_xticks(passages, [f"{number:,}" for number in passages])
    axis.minorticks_off()
    _save(figure, path)


def _save(figure: plt.Figure, path: Path) -> None:
    figure.savefig(path, format="svg", metadata={"Date": None})
    plt.close(figure)
