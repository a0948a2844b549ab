"""How good the model is on the documents in review, and when enough was read: estimates from the random part of what was decided.

Each document's passages have a random order. The random part is, of each document, the run from the start of that order in which every
passage was decided, up to the last one that was decided in it, before the model's labels were seen: a random sample of the document,
since how far it goes is no score's doing. Those within it that had been decided in another order belong to it, for without them the
doubtful ones would be missing; how many they are is told, as the model's labels were in view. What counts is the first labels that an
annotator gave. Passages that all skipped, or whose difference is not settled, are left out and counted. A passage of a document with N
passages of which n are in the sample stands for N / n passages (stratified sampling, Cochran 1977, "Sampling Techniques", chapter 5), so
documents of which more was read count for no more. The estimates are about the passages of these documents, not of documents to come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.rates import wilson
from tagger.review.agreement import Verdict, label_rows
from tagger.review.store import Entry

WIDTH = 0.2
"""Enough is measured when every interval is at most so wide."""


@dataclass(frozen=True, slots=True)
class Proportion:
    """A share with its interval of 95 %, and how many passages it rests on."""

    value: float
    low: float
    high: float
    passages: int
    effective: float
    """So many independent passages would tell as much."""

    @property
    def width(self) -> float:
        """How wide the interval is."""
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class ThemeEstimate:
    """Precision and recall of one theme; None where the sample holds no passage that tells it."""

    theme: str
    precision: Proportion | None
    recall: Proportion | None


@dataclass(frozen=True, slots=True)
class Stopping:
    """Whether enough was read at random, and why."""

    enough: bool
    widest: tuple[str, str]
    """Precision or recall, and of which theme: the figure whose interval is the widest, or that is not known yet."""
    width: float | None
    more: int
    """About so many more passages at random would do, at most all that are left."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """What the random part says."""

    themes: tuple[ThemeEstimate, ...]
    sampled: int
    left_out: int
    seen: int
    """So many of the sampled passages nobody decided before he saw the model's labels."""
    population: int
    """Passages of the documents that the sample is of."""
    wrong: Proportion | None
    """The share of passages with a wrong label of the model."""
    wrong_left: tuple[int, int, int] | None
    """Estimate, and interval, of how many passages that nobody has decided have a wrong label."""
    stopping: Stopping


@dataclass(frozen=True)
class Sample:
    """The random part: (n,) documents' numbers, (n, themes) labels of people and of the model, and of each document N and n."""

    document: NDArray[np.int64]
    labels: NDArray[np.bool_]
    predicted: NDArray[np.bool_]
    sizes: NDArray[np.int64]
    left_out: int = 0
    seen: int = 0

    def weights(self) -> NDArray[np.float64]:
        """How many passages of its document each one stands for."""
        weights: NDArray[np.float64] = (self.sizes / np.maximum(self._taken(), 1))[self.document]
        return weights

    def fractions(self) -> NDArray[np.float64]:
        """What share of its document was sampled, for each passage."""
        fractions: NDArray[np.float64] = (self._taken() / self.sizes)[self.document]
        return fractions

    def _taken(self) -> NDArray[np.int64]:
        return np.bincount(self.document, minlength=len(self.sizes))


class RandomPart(NamedTuple):
    """The passages of the random part whose labels are known, and how many others of it were left out."""

    entries: list[Entry]
    left_out: int


def random_part(entries: Sequence[Entry], found: Mapping[int, Verdict]) -> RandomPart:
    """Return the random part of what was decided of these passages."""
    by_document: dict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_document[entry.document].append(entry)
    part, left_out = [], 0
    for several in by_document.values():
        run = list(takewhile(lambda entry: entry.key in found, sorted(several, key=lambda entry: entry.chance)))
        while run and not found[run[-1].key].blind:
            run.pop()
        known = [entry for entry in run if found[entry.key].measured is not None]
        part += known
        left_out += len(run) - len(known)
    return RandomPart(part, left_out)


def sample(entries: Sequence[Entry], found: Mapping[int, Verdict], themes: Sequence[str]) -> Sample:
    """Take the random part of what was decided of these passages; documents of which it holds nothing are left out."""
    part, left_out = random_part(entries, found)
    number = {document: place for place, document in enumerate(dict.fromkeys(entry.document for entry in part))}
    sizes = np.zeros(len(number), np.int64)
    for entry in entries:
        if entry.document in number:
            sizes[number[entry.document]] += 1
    asked = label_rows((found[entry.key].asked for entry in part), themes)  # where nobody read for a theme, nothing counts
    return Sample(
        document=np.array([number[entry.document] for entry in part], np.int64),
        labels=label_rows((found[entry.key].measured or () for entry in part), themes) & asked,
        predicted=label_rows((entry.line["labels"] for entry in part), themes) & asked,
        sizes=sizes,
        left_out=left_out,
        seen=sum(not found[entry.key].blind for entry in part),
    )


def estimate(drawn: Sample, themes: Sequence[str], *, known_wrong: int = 0, undecided: int = 0) -> Estimates:
    """Estimate precision and recall of each theme, and how many wrong labels are left.

    ``known_wrong`` passages of the same documents were decided and found wrong, in whatever order they were seen; ``undecided`` were not
    decided.
    """
    weights, fractions = drawn.weights(), drawn.fractions()
    figures = []
    for theme, given, true in zip(themes, drawn.predicted.T, drawn.labels.T, strict=True):
        precision, recall = (proportion(true[rows] & given[rows], weights[rows], fractions[rows]) for rows in (given, true))
        figures.append(ThemeEstimate(theme, precision, recall))
    wrong = proportion((drawn.predicted != drawn.labels).any(axis=1), weights, fractions)
    population = int(drawn.sizes.sum())
    left = None
    if wrong is not None:
        value, low, high = (
            min(max(round(share * population) - known_wrong, 0), undecided) for share in (wrong.value, wrong.low, wrong.high)
        )
        left = (value, low, high)
    stopping = _stopping(figures, len(drawn.labels), population)
    return Estimates(tuple(figures), len(drawn.labels), drawn.left_out, drawn.seen, population, wrong, left, stopping)


def proportion(hits: NDArray[np.bool_], weights: NDArray[np.float64], fractions: NDArray[np.float64]) -> Proportion | None:
    """Estimate a share of a stratified sample: Wilson's interval (1927) for as many independent passages as tell as much.

    That effective number is Kish's (1965, "Survey Sampling"); Franco, Little, Louis and Slud (2019, "Comparative study of confidence
    intervals for proportions in complex sample surveys") find this interval to hold well. ``fractions`` of the strata were sampled: what
    was read whole is sure, and f of a stratum tells as much as -ln(1 - f) / f times as many passages of an endless one. That is what an
    exact limit gains where no error was found; the usual 1 / (1 - f) promises too much there, where precision and recall often lie.

    >>> found = proportion(np.array([True] * 9 + [False]), np.ones(10), np.full(10, 0.001))
    >>> f"{found.value} ({found.low:.2f} to {found.high:.2f})"
    '0.9 (0.60 to 0.98)'
    """
    if not len(hits):
        return None
    value = float(weights[hits].sum() / weights.sum())
    part = fractions < 1
    spread = float((weights[part] ** 2 * fractions[part] / -np.log1p(-fractions[part])).sum())
    if not spread:
        return Proportion(value, value, value, len(hits), len(hits))
    effective = float(weights.sum()) ** 2 / spread
    return Proportion(value, *wilson(value, effective), len(hits), effective)


def _stopping(figures: Sequence[ThemeEstimate], sampled: int, population: int) -> Stopping:
    """Enough is measured when no interval is wider than `WIDTH`, or all was read.

    Stopping as soon as an interval is narrow enough keeps its coverage, the better the narrower it is (Chow and Robbins 1965, "On the
    asymptotic theory of fixed-width sequential confidence intervals for the mean").
    """
    known = [((kind, figure.theme), value) for figure in figures for kind, value in _named(figure)]
    left = population - sampled
    name, widest = max(known, key=lambda item: 2.0 if item[1] is None else item[1].width, default=(("", ""), None))
    if not left:
        return Stopping(bool(sampled), name, widest.width if widest else None, 0)
    more = max((_more(value, sampled) for _, value in known), default=left)
    enough = all(value is not None and value.width <= WIDTH for _, value in known) and bool(known)
    return Stopping(enough, name, widest.width if widest else None, 0 if enough else min(max(more, 1), left))


def _named(figure: ThemeEstimate) -> list[tuple[str, Proportion | None]]:
    return [("precision", figure.precision), ("recall", figure.recall)]


def _more(value: Proportion | None, sampled: int) -> int:
    """About how many more passages at random bring this interval down to `WIDTH`: they come, and tell, as those before them did."""
    if value is None:
        return max(100, sampled)
    if value.width <= WIDTH:
        return 0
    needed = next(count for count in range(1, 400) if (ends := wilson(value.value, count))[1] - ends[0] <= WIDTH)
    return max(0, round(sampled * needed / value.effective) - sampled)
