"""Do probabilities mean what they say?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def calibration_curve(labels: NDArray[np.int64], scores: NDArray[np.float64], *, bins: int = 10) -> list[tuple[float, float, int]]:
    """Mean score, share of positives and count of each non-empty bin of equal width."""
    place = np.minimum((scores * bins).astype(np.int64), bins - 1)
    return [
        (float(scores[place == number].mean()), float(labels[place == number].mean()), int((place == number).sum()))
        for number in range(bins)
        if (place == number).any()
    ]


def expected_calibration_error(labels: NDArray[np.int64], scores: NDArray[np.float64], *, bins: int = 10) -> float:
    """Mean distance between score and share of positives, over bins of equal width weighted by their size.

    Naeini, Cooper and Hauskrecht (2015), "Obtaining well calibrated probabilities using Bayesian binning".
    """
    if not len(labels):
        return float("nan")
    return sum(count * abs(score - share) for score, share, count in calibration_curve(labels, scores, bins=bins)) / len(labels)
