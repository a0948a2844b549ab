"""The frozen records that one stage hands to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise


@dataclass(frozen=True, slots=True)
class Passage:
    """One sentence, or one item of a list written as one sentence.

    ``document_text[start:end] == text`` always holds; ``start`` and ``end`` count characters.
    """

    text: str
    id: str = ""
    document: str = ""
    section: str | None = None
    page: int | None = None
    paragraph: int | None = None
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """A report: its whole text, what its header says, and its passages in reading order.

    ``pages`` tells where in ``text`` each page of the file begins: pairs of a start and a page number, in order.
    ``notes`` are what a person should know about the reading, such as pages that hold only a picture.
    """

    name: str
    text: str
    title: str | None = None
    country: str | None = None
    year: int | None = None
    tier: str | None = None
    passages: Sequence[Passage] = ()
    pages: tuple[tuple[int, int], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """Characters ``start`` to ``end`` of a passage's text, and what they add to a theme's score (in log-odds)."""

    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Tagged:
    """A passage with its themes.

    ``labels`` are exactly the themes whose score reaches the model's threshold; ``scores`` are calibrated
    probabilities; ``evidence`` holds, for each theme in ``labels``, the spans that decided it, strongest first;
    ``review`` are the themes whose score lies in the model's review band, so that a person should look.
    """

    passage: Passage
    labels: tuple[str, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    evidence: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    review: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The passage's text."""
        return self.passage.text


def running(places: Sequence[tuple[str, int | None]]) -> list[str | None]:
    """Name the stretch of running text in which each passage stands, from its document and the character at which it starts there.

    A passage that starts after the passage before it, in the same document, is its neighbour. None stands for a passage alone, as all
    are whose place in a document is not known.
    """
    after = [False, *(a == b and i is not None and j is not None and i < j for (a, i), (b, j) in pairwise(places))][: len(places)]
    runs = list(accumulate((not follows for follows in after), initial=0))[1:]
    neighbours = [a or b for a, b in zip(after, [*after[1:], False], strict=True)]
    return [f"{name}/{run}" if near else None for (name, _), run, near in zip(places, runs, neighbours, strict=True)]
