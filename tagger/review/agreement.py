"""From decisions of one or two annotators to the labels that count, and how far the annotators agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagger.review.store import BLIND, Decision, Settlement


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that was decided of one passage, the first annotator's decision first; skipped ones are not among them."""

    decisions: tuple[Decision, ...]
    firsts: tuple[Decision, ...] = ()
    """What these annotators decided at first, before anything answered: the model's labels, or that another differs."""
    settlement: Settlement | None = None

    @property
    def passes(self) -> list[tuple[str, ...]]:
        """The labels of each annotator."""
        return [decision.labels or () for decision in self.decisions]

    @property
    def asked(self) -> set[str]:
        """The themes for which anybody read it, and those by which a difference was settled."""
        return {theme for decision in self.decisions for theme in decision.asked} | set(self.settlement.labels if self.settlement else ())

    @property
    def differs(self) -> bool:
        """Whether two annotators differ on a theme for which both read it."""
        both = set(self.asked).intersection(*(decision.asked for decision in self.decisions))
        return len({frozenset(labels) & both for labels in self.passes}) > 1

    @property
    def differed(self) -> bool:
        """Whether two annotators gave it different labels at first."""
        return len({frozenset(first.labels or ()) for first in self.firsts}) > 1

    @property
    def labels(self) -> tuple[str, ...] | None:
        """The labels that count: those settled, or given alike; None while a difference is not settled, or all skipped it."""
        if self.settlement is not None:
            return self.settlement.labels
        if self.differs or not self.decisions:
            return None
        return tuple(dict.fromkeys(label for labels in self.passes for label in labels))

    @property
    def measured(self) -> tuple[str, ...] | None:
        """The labels to measure a model by: those settled, or at first given alike; None where there are none."""
        if self.settlement is not None:
            return self.settlement.labels
        return None if self.differed or not self.firsts else self.firsts[0].labels

    @property
    def blind(self) -> bool:
        """Whether anybody decided it before he could see what the model says."""
        return any(first.queue in BLIND for first in self.firsts)


def verdicts(decisions: Sequence[Decision], firsts: Sequence[Decision], settlements: Mapping[int, Settlement]) -> dict[int, Verdict]:
    """Put the decisions about each passage together; a passage that was only skipped has a verdict without labels."""
    first = {(decision.passage, decision.annotator): decision for decision in firsts}
    found: dict[int, list[Decision]] = defaultdict(list)
    for decision in decisions:
        found[decision.passage] += [decision] if decision.labels is not None else []
    result = {}
    for passage, several in found.items():
        several.sort(key=lambda decision: first[passage, decision.annotator].id)
        begun = [first[passage, decision.annotator] for decision in several[:2]]
        result[passage] = Verdict(tuple(several[:2]), tuple(begun), settlements.get(passage))
    return result


def label_rows(labels: Iterable[Collection[str]], themes: Sequence[str]) -> NDArray[np.bool_]:
    """Labels as a matrix, (n, themes)."""
    rows = [[theme in given for theme in themes] for given in labels]
    return np.array(rows, bool).reshape(len(rows), len(themes))


@dataclass(frozen=True, slots=True)
class Agreed:
    """How far annotators agree on one theme, over the passages that two have decided."""

    theme: str
    alpha: float | None
    """Krippendorff's alpha; None where no passage has, or every passage has, the theme."""
    agreement: float
    first: int
    second: int
    both: int


def agreement(found: Mapping[int, Verdict], themes: Sequence[str]) -> list[Agreed]:
    """Measure the agreement of the first annotator of each passage with the second, by theme; nothing where none was decided twice.

    What each decided at first counts: the second one can tell from the counts whether he differs, and may change his mind.
    """
    from tagger.corpus import krippendorff_alpha

    twice = [verdict.firsts for verdict in found.values() if len(verdict.firsts) == 2]
    result = []
    for theme in themes:
        both_read = [[one.labels or () for one in firsts] for firsts in twice if all(theme in one.asked for one in firsts)]
        if not both_read:
            continue
        first, second = ([theme in labels[place] for labels in both_read] for place in (0, 1))
        alpha = krippendorff_alpha([first, second])
        pairs = list(zip(first, second, strict=True))
        same, both = sum(a == b for a, b in pairs), sum(a and b for a, b in pairs)
        result.append(Agreed(theme, None if alpha != alpha else alpha, same / len(pairs), sum(first), sum(second), both))
    return result
