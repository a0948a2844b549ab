"""Do the deciding words decide? Evidence measured by taking it away and by keeping nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tagger.records import Span
from tagger.tagging import Tagger

_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """How much of one theme's scores hangs on its evidence, in means over the passages that the tagger gives it.

    ``comprehensiveness`` is what the probability loses without the evidence (more is better), ``sufficiency`` what it loses with
    nothing else (less is better), as in DeYoung et al. (2020), "ERASER: A Benchmark to Evaluate Rationalized NLP Models". ``random_``
    figures are those of spans of the same lengths at random places; ``share`` is the share of words that are evidence.
    """

    theme: str
    passages: int
    share: float
    comprehensiveness: float
    random_comprehensiveness: float
    sufficiency: float
    random_sufficiency: float


def faithfulness(tagger: Tagger, texts: Sequence[str], *, draws: int = 10, seed: int = 0) -> list[Faithfulness]:
    """Measure the evidence for every theme that the tagger gives to these passages.

    ``draws`` is how many times spans are placed at random in each passage. A theme that no passage carries has no figures (NaN).
    """
    random = np.random.default_rng(seed)
    found = []
    tagged = tagger.tag(texts)
    for column, theme in enumerate(tagger.themes):
        carrying = [item for item in tagged if item.evidence.get(theme)]
        changed: list[str] = []
        shares = []
        for item in carrying:
            words = [match.span() for match in _WORD.finditer(item.text)]
            marked = _marked(words, item.evidence[theme])
            shares.append(marked.mean())
            for mask in (marked, *(_scattered(marked, random) for _ in range(draws))):
                changed += [_kept(item.text, words, ~mask), _kept(item.text, words, mask)]
        if not carrying:
            found.append(Faithfulness(theme, 0, *[float("nan")] * 5))
            continue
        before = np.array([item.scores[theme] for item in carrying])
        # (passages, evidence and then the draws, without and with nothing but)
        lost = before[:, None, None] - tagger.scores(changed)[:, column].reshape(len(carrying), draws + 1, 2)
        own, scattered = lost[:, 0].mean(axis=0), lost[:, 1:].mean(axis=(0, 1))
        figures = (float(np.mean(shares)), float(own[0]), float(scattered[0]), float(own[1]), float(scattered[1]))
        found.append(Faithfulness(theme, len(carrying), *figures))
    return found


def _marked(words: Sequence[tuple[int, int]], spans: Sequence[Span]) -> np.ndarray:
    """Which words a span touches."""
    return np.array([any(start < span.end and span.start < end for span in spans) for start, end in words])


def _scattered(marked: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Runs of marked words of the same lengths, in a random order at random places."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], marked.astype(int), [0]))))
    lengths = random.permutation(edges[1::2] - edges[::2])
    gaps = random.multinomial(len(marked) - lengths.sum(), np.full(len(lengths) + 1, 1 / (len(lengths) + 1)))
    placed = np.zeros(len(marked), bool)
    place = 0
    for gap, length in zip(gaps, lengths, strict=False):
        place += gap
        placed[place : place + length] = True
        place += length
    return placed


def _kept(text: str, words: Sequence[tuple[int, int]], mask: np.ndarray) -> str:
    return " ".join(text[start:end] for (start, end), keep in zip(words, mask, strict=True) if keep)
