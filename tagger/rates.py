"""How many passages carry a theme, as far as a model that errs can tell: shares corrected by its sensitivity and specificity.

A model that finds a share ``se`` of the passages of a theme (sensitivity, recall) and rightly leaves a share ``sp`` of the others
(specificity) gives the theme to ``p * se + (1 - p) * (1 - sp)`` of the passages of a report where ``p`` carry it. Solved for ``p`` that is
the estimate of Rogan and Gladen 1978, "Estimating prevalence from the results of a screening test".

Intervals come from a parametric bootstrap: the count, and the model's figures, are drawn anew from beta distributions around what was
counted (with Jeffreys' half, so that a count of 0 does not make an interval of nothing), and hold the middle 95 % of the estimates.
A model finds more in some documents than in others, and a report is one document: where the model's card tells how much its sensitivity
and specificity vary between documents, each report has its own, drawn from a beta distribution around the common one. Between two reports,
the passages that both hold word for word are counted and judged once, so that only what was written anew makes a change unsure.
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
_Z = 1.959963984540054  # between plus and minus so many standard errors lie 95 %
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

    @property
    def worth(self) -> float:
        """How much better than chance it does: 1 without errors, 0 or less if its labels say nothing."""
        return self.sensitivity + self.specificity - 1

    def correct(self, share: Any) -> Array:
        """The estimate of Rogan and Gladen, not yet held within 0 and 1."""
        return np.asarray((share + self.specificity - 1) / self.worth)


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
            others = int(row["read"] if "read" in row else figures["passages"]) - carrying
            left = others - (int(row["predicted"]) - hits)
            if not (0 <= hits <= carrying and 0 <= left <= others and carrying and others):
                continue
            spread = spreads.get(row["theme"], {}) if isinstance(spreads, Mapping) else {}
            both = [min(max(float(spread.get(name, 0.0)), 0.0), 0.99) for name in ("sensitivity", "specificity")]
            found[str(row["theme"])] = Errors(hits, carrying, left, others, *both)
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
            continue
    return found


Counted = tuple[int, int]
"""To how many passages the model gave a theme, and of how many."""


def estimate(counted: Counted, errors: Errors | None, *, resamples: int = RESAMPLES, seed: int = 0) -> Estimate:
    """Estimate the share of a report's passages that carry a theme; nothing can be told by a model whose errors are not known.

    >>> round(estimate((12, 100), Errors(found=90, carrying=100, left=380, others=400)).value, 3)
    0.082
    """
    if errors is None or errors.worth <= 0 or not counted[1]:
        return UNKNOWN
    draws = _draws([counted], errors, resamples, seed)
    return _estimate(float(errors.correct(counted[0] / counted[1]).clip(0, 1)), draws[:, 0].clip(0, 1))


def change(kept: Counted, dropped: Counted, new: Counted, errors: Errors | None, *, resamples: int = RESAMPLES, seed: int = 0) -> Estimate:
    """Estimate how much more of a later report carries a theme than of an earlier one.

    ``kept`` counts the passages that stand in both, ``dropped`` and ``new`` those of the earlier and of the later alone; nothing is kept
    between reports that have nothing to do with each other.

    >>> known = Errors(found=90, carrying=100, left=380, others=400)
    >>> change((12, 100), (0, 0), (0, 0), known), change((0, 0), (12, 100), (30, 100), known).clear
    (Estimate(value=0.0, low=0.0, high=0.0), True)
    """
    if errors is None or errors.worth <= 0 or not kept[1] + dropped[1] or not kept[1] + new[1]:
        return UNKNOWN
    # A share of a stretch is held within 0 and 1 in every draw: else one below 0 of what is kept would hide what was dropped or is new.
    draws = _draws([kept, dropped, new], errors, resamples, seed).clip(0, 1)
    values = errors.correct(np.array([[given / max(passages, 1) for given, passages in (kept, dropped, new)]]))
    found = []
    for shares in (values, draws):
        before, after = (
            ((shares[:, 0] * kept[1] + shares[:, place] * own[1]) / (kept[1] + own[1])).clip(0, 1)
            for place, own in ((1, dropped), (2, new))
        )
        found.append(after - before)
    return _estimate(float(found[0][0]), found[1])


def wilson(share: float, count: float) -> tuple[float, float]:
    """The 95 % interval of a share of ``count`` trials (Wilson 1927)."""
    middle = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z / (1 + _Z**2 / count) * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    return max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share))  # rounding must not leave the share outside


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


def _draws(counted: Sequence[Counted], errors: Errors, resamples: int, seed: int) -> Array:
    """Draw the shares of several stretches of text, (resamples, n), not yet held within 0 and 1; in each the model errs in its own way."""
    random = np.random.default_rng(seed)
    shape = (resamples, len(counted))
    given, passages = np.array(counted, np.float64).T
    share = random.beta(given + 0.5, passages - given + 0.5, shape)
    sensitivity = _one_of(errors.found, errors.carrying, errors.sensitivity_spread, shape, random)
    specificity = _one_of(errors.left, errors.others, errors.specificity_spread, shape, random)
    worth = sensitivity + specificity - 1
    # A model that does no better than chance in a text tells nothing of it: any share is as good as another.
    return np.where(worth > 1e-9, (share + specificity - 1) / np.maximum(worth, 1e-9), random.uniform(size=shape))


def _one_of(hits: int, of: int, spread: float, shape: tuple[int, int], random: np.random.Generator) -> Array:
    """Draw a share of the model, common to all texts of a resample, and each text's own around it."""
    common = random.beta(hits + 0.5, of - hits + 0.5, (shape[0], 1))
    if not spread > 0:
        return np.broadcast_to(common, shape)
    size = 1 / spread - 1
    return random.beta(np.maximum(common * size, 1e-6), np.maximum((1 - common) * size, 1e-6), shape)


def _estimate(value: float, draws: Array) -> Estimate:
    low, high = np.percentile(draws, _MIDDLE)
    return Estimate(value, float(min(low, value)), float(max(high, value)))
