"""How many passages carry a theme, as far as a model that errs can tell: shares corrected by its sensitivity and specificity.

A model that finds a share ``se`` of the passages of a theme (sensitivity, recall) and rightly leaves a share ``sp`` of the others
(specificity) gives the theme to ``p * se + (1 - p) * (1 - sp)`` of the passages of a report where ``p`` carry it. Solved for ``p`` that is
the estimate of Rogan and Gladen 1978, "Estimating prevalence from the results of a screening test".

Intervals come from a parametric bootstrap: the count, and the model's figures, are drawn anew from beta distributions around what was
counted (with Jeffreys' half, so that a count of 0 does not make an interval of nothing), and hold the middle 95 % of the estimates.
A model finds more in some documents than in others, and a report is one document: where the model's card tells how much its sensitivity
and specificity vary between documents, each report has its own, drawn from a beta distribution around the common one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 4000
_MIDDLE = (2.5, 97.5)
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its 95 % interval; not a number where it can't be had."""

    value: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether the interval, of a difference, leaves out 0."""
        return self.low > 0 or self.high < 0


UNKNOWN = Estimate(math.nan, math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Errors:
    """What a model did with passages of a theme that people labelled: ``found`` of ``carrying``, and ``left`` of ``others`` without it.

    ``sensitivity_spread`` and ``specificity_spread`` tell how much these shares vary between documents (see `spread`).
    """

    found: int
    carrying: int
    left: int
    others: int
    sensitivity_spread: float = 0.0
    specificity_spread: float = 0.0

    @property
    def sensitivity(self) -> float:
        """The share of the theme's passages that it found."""
        return self.found / self.carrying

    @property
    def specificity(self) -> float:
        """The share of the other passages that it left."""
        return self.left / self.others


@dataclass(frozen=True, slots=True)
class Rate:
    """A theme in a report: to how many passages of how many the model gave it, and the share that carry it, corrected."""

    given: int
    passages: int
    corrected: Estimate

    @property
    def share(self) -> float:
        """The share of passages to which the model gave it."""
        return self.given / self.passages if self.passages else math.nan


def errors_of(card: Mapping[str, Any]) -> dict[str, Errors]:
    """Take a model's errors from the cross-validation in its card; of a theme that is not written as expected there are none."""
    figures = card.get("cross_validation")
    spreads = card.get("spread")
    found: dict[str, Errors] = {}
    if not isinstance(figures, Mapping) or not isinstance(figures.get("themes"), list):
        return found
    for row in figures["themes"]:
        try:
            carrying, hits = int(row["support"]), round(row["recall"] * row["support"])
            others = int(figures["passages"]) - carrying
            left = others - (int(row["predicted"]) - hits)
            if not (0 <= hits <= carrying and 0 <= left <= others and carrying and others):
                continue
            spread = spreads.get(row["theme"], {}) if isinstance(spreads, Mapping) else {}
            both = [min(max(float(spread.get(name, 0.0)), 0.0), 0.99) for name in ("sensitivity", "specificity")]
            found[str(row["theme"])] = Errors(hits, carrying, left, others, *both)
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
    return found


def estimate(given: Sequence[int], passages: Sequence[int], errors: Errors | None, *, resamples: int = RESAMPLES, seed: int = 0) -> Shares:
    """Estimate the share that carries a theme in each of several reports (n,), from how many passages of how many the model gave it to.

    >>> found = estimate([12, 30], [100, 100], Errors(found=90, carrying=100, left=380, others=400))
    >>> found.of(1).value, found.difference(0, 1).clear
    (0.2941176470588235, True)
    """
    counts, sizes = np.asarray(given, np.float64), np.asarray(passages, np.float64)
    if errors is None or errors.sensitivity + errors.specificity <= 1:
        return Shares(np.full(len(counts), np.nan), np.full((resamples, len(counts)), np.nan))
    random = np.random.default_rng(seed)
    shape = (resamples, len(counts))
    share = random.beta(counts + 0.5, sizes - counts + 0.5, shape)
    sensitivity = _draw(errors.found, errors.carrying, errors.sensitivity_spread, shape, random)
    specificity = _draw(errors.left, errors.others, errors.specificity_spread, shape, random)
    worth = sensitivity + specificity - 1
    # A model that does no better than chance in a document tells nothing of it: any share is as good as another.
    draws = np.where(worth > 0, corrected(share, sensitivity, specificity), random.uniform(size=shape))
    values = corrected(counts / np.where(sizes > 0, sizes, np.nan), np.float64(errors.sensitivity), np.float64(errors.specificity))
    return Shares(values, draws)


def corrected(share: Array, sensitivity: Array | np.float64, specificity: Array | np.float64) -> Array:
    """The estimate of Rogan and Gladen, within 0 and 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.clip((share + specificity - 1) / (sensitivity + specificity - 1), 0.0, 1.0)


@dataclass(frozen=True)
class Shares:
    """Corrected shares of a theme in several reports: (n,) values and (resamples, n) bootstrap draws, each of one state of the model."""

    values: Array
    draws: Array

    def of(self, report: int) -> Estimate:
        """The share in a report."""
        return _estimate(self.values[report], self.draws[:, report])

    def difference(self, before: int, after: int) -> Estimate:
        """How much more of the later report carries the theme than of the earlier."""
        return _estimate(self.values[after] - self.values[before], self.draws[:, after] - self.draws[:, before])


def spread(hits: NDArray[Any], of: NDArray[Any]) -> float:
    """How much a share varies between documents, beyond chance: the intraclass correlation, 0 if not at all (analysis of variance).

    ``hits`` of ``of`` passages in each document (n,); see Ridout, Demétrio and Firth 1999, "Estimating intraclass correlation for binary
    data".
    """
    hits, of = hits[of > 0].astype(np.float64), of[of > 0].astype(np.float64)
    documents, total = len(of), of.sum()
    if documents < 2 or total <= documents:
        return 0.0
    between = (of * (hits / of - hits.sum() / total) ** 2).sum() / (documents - 1)
    within = (hits * (of - hits) / of).sum() / (total - documents)
    size = (total - (of**2).sum() / total) / (documents - 1)
    variance = between + (size - 1) * within
    return float(max((between - within) / variance, 0.0)) if variance > 0 else 0.0


def _draw(hits: int, of: int, spread: float, shape: tuple[int, int], random: np.random.Generator) -> Array:
    """Draw a share of the model, common to all reports of a resample, and each report's own around it."""
    common = random.beta(hits + 0.5, of - hits + 0.5, (shape[0], 1))
    if spread <= 0:
        return np.broadcast_to(common, shape)
    size = 1 / spread - 1
    return random.beta(np.maximum(common * size, 1e-6), np.maximum((1 - common) * size, 1e-6), shape)


def _estimate(value: float, draws: Array) -> Estimate:
    if math.isnan(value):
        return UNKNOWN
    low, high = np.percentile(draws, _MIDDLE)
    return Estimate(float(value), float(min(low, value)), float(max(high, value)))
