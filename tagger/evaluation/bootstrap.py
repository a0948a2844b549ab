"""Intervals by resampling documents: passages of one document resemble each other, so that the document is the unit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from tagger.errors import MissingExtraError

try:
    from joblib import Parallel, delayed
except ImportError as error:
    raise MissingExtraError("joblib", "train") from error

MIDDLE = (2.5, 97.5)
"""Between these percentiles lie 95 % of resamples."""
_CELLS = 300_000  # about so many numbers an array of a batch holds

Key = TypeVar("Key")


def number_documents(documents: Sequence[str]) -> tuple[int, NDArray[np.int64]]:
    """How many documents there are, and the number of each passage's document."""
    names, number = np.unique(np.array(documents, dtype=str), return_inverse=True)
    return len(names), number


def draw(documents: int, resamples: int, seed: int | np.random.Generator) -> NDArray[np.float64]:
    """How often each document is drawn, (resamples, documents); a generator draws on where it stands."""
    shares = np.full(documents, 1 / documents)
    return np.random.default_rng(seed).multinomial(documents, shares, size=resamples).astype(np.float64)


def resample(
    figures: Callable[[NDArray[np.float64]], Mapping[Key, NDArray[np.float64]]],
    times: NDArray[np.float64],
    *,
    cells: int,
    jobs: int = 1,
    progress: bool = False,
) -> dict[Key, NDArray[np.float64]]:
    """Compute figures of how often each document is drawn, batch by batch: the same numbers for any number of ``jobs``.

    ``figures`` takes (batch, documents) and returns arrays whose first dimension is the batch; ``cells`` is how many numbers it holds
    for one resample. With ``progress``, a bar shows on a terminal.
    """
    size = max(1, _CELLS // max(1, cells))
    batches = [times[start : start + size] for start in range(0, len(times), size)]
    found: Iterable[Any] = Parallel(n_jobs=jobs, prefer="threads", return_as="generator")(delayed(figures)(batch) for batch in batches)
    console = Console(stderr=True)
    if progress and console.is_terminal:
        found = track(found, "Resampling documents", total=len(batches), console=console, transient=True)
    parts = list(found)
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]} if parts else {}


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """The middle 95 % of resamples, without those in which a figure is not a number (Efron and Tibshirani 1993, chapter 13)."""
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.percentile(values, MIDDLE)
    return float(low), float(high)
