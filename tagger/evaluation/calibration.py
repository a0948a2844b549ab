"""Do probabilities mean what they say?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BINS = 10
"""Into so many bins of equal width scores are sorted; 1 falls into the last."""


def bins_of(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """The bin of each score."""
    return np.minimum((scores * BINS).astype(np.int64), BINS - 1)


def calibration_curve(labels: NDArray[np.int64], scores: NDArray[np.float64]) -> list[tuple[float, float, int]]:
    """Mean score, share of positives and count of each non-empty bin."""
    place = bins_of(scores)
    return [
        (float(scores[place == number].mean()), float(labels[place == number].mean()), int((place == number).sum()))
        for number in range(BINS)
        if (place == number).any()
    ]
