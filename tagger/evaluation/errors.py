"""Where a model goes wrong: which themes it gives when another was meant, and the passages in which it errs most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagger.evaluation.predictions import Predictions


@dataclass(frozen=True)
class Confusion:
    """Counts of passages by the theme that people gave (rows) and the theme that the model gave (columns).

    A last row stands for passages to which people gave no theme. Passages with several themes count in several rows; those scored several
    times (repeated cross-validation) count once, in the mean.

    Attributes
    ----------
    meant : (themes + 1,) passages of each row
    given : (themes + 1, themes) those to which the model gave the theme: rightly on the diagonal, else wrongly, as people did not give it
    instead : (themes + 1, themes) those of ``given`` where the theme of the row was missed; 0 on the diagonal and in the last row
    nothing : (themes + 1,) those without the theme of the row and without any wrong one: missed silently; in the last row, rightly none
    """

    meant: NDArray[np.int64]
    given: NDArray[np.int64]
    instead: NDArray[np.int64]
    nothing: NDArray[np.int64]


def confusion(predictions: Predictions) -> Confusion:
    """Count what the model gave by what people gave."""
    labels, predicted = predictions.labels == 1, predictions.predicted
    wrong, themes = predicted & ~labels, range(labels.shape[1])
    shares, none = predictions.shares(), ~labels.any(axis=1, keepdims=True)
    rows = np.hstack([labels, none]).T * shares
    missed = np.hstack([labels & ~predicted, none]).T * shares
    given, instead = rows @ wrong, missed @ wrong
    given[themes, themes] = shares @ (labels & predicted)
    instead[-1] = 0
    nothing = missed @ ~wrong.any(axis=1)
    return Confusion(*(part.round().astype(np.int64) for part in (rows.sum(axis=1), given, instead, nothing)))


@dataclass(frozen=True, slots=True)
class Error:
    """A passage to which the model wrongly gave a theme, or whose theme it missed.

    ``score`` is the mean over the ``times`` it was scored, ``wrong`` how often of these the model erred; ``labels`` are people's.
    """

    theme: str
    missed: bool
    id: str
    document: str
    score: float
    wrong: int
    times: int
    labels: tuple[str, ...]


def errors(predictions: Predictions, theme: str) -> tuple[list[Error], list[Error]]:
    """Return the passages to which the model wrongly gave a theme, surest first, and those whose theme it missed, least probable first.

    Of passages scored several times (repeated cross-validation), those are returned where the model erred in at least half.
    """
    column = predictions.themes.index(theme)
    rows: dict[tuple[str, str], list[int]] = {}
    wrong = predictions.predicted[:, column] != (predictions.labels[:, column] == 1)
    for row, key in enumerate(zip(predictions.documents, predictions.ids, strict=True)):
        rows.setdefault(key, []).append(row)
    found: list[Error] = []
    for (document, name), places in rows.items():
        times = int(wrong[places].sum())
        if times and 2 * times >= len(places):
            labels = predictions.labels[places[0]]
            said = tuple(label for label, on in zip(predictions.themes, labels, strict=True) if on)
            score = float(predictions.scores[places, column].mean())
            found.append(Error(theme, bool(labels[column]), name, document, score, times, len(places), said))
    given = sorted((error for error in found if not error.missed), key=lambda error: -error.score)
    return given, sorted((error for error in found if error.missed), key=lambda error: error.score)
