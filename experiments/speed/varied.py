"""Varied passages without end, from the clauses of the annotated corpora.

A passage takes its first clause from one passage of the corpora, its last from another, and as many between as a third has, each from a
passage of its own: so lengths are those of the corpora, and where clauses meet stand pairs of words that no corpus holds. Half of all
names are made anew of the halves of two names, and numbers get other digits: a long tail of words that nothing has seen, as real
reports have it.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median

_BORDER = re.compile(r"(?<=[,;:]) |(?<=[a-z]{3}) (?=(?:and|but|while|because|after|when|where|who|which|that|to|in|of|for|with|by|from) )")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{3,}")
_NUMBER = re.compile(r"\d{2,}")
_WORD = re.compile(r"\w+")
_HEADINGS = ("Prosecution", "Protection", "Prevention")


def varied(texts: Sequence[str], seed: int = 0) -> Iterator[str]:
    """Yield passages made of the clauses, names and digits of these texts; two may be alike, but rarely are."""
    draw = random.Random(seed)
    clauses = [found for text in texts if len(found := _BORDER.split(text)) > 1]
    firsts, lasts = [found[0] for found in clauses], [found[-1] for found in clauses]
    middles = [clause for found in clauses for clause in found[1:-1]]
    sizes = [len(found) - 2 for found in clauses]
    names = sorted({name for text in texts for name in _NAME.findall(text)})

    def renamed(match: re.Match[str]) -> str:
        if draw.random() < 0.5:
            return match[0]
        head, tail = draw.choice(names), draw.choice(names)
        return head[: len(head) // 2 + 1] + tail[len(tail) // 2 :]

    def renumbered(match: re.Match[str]) -> str:
        return str(draw.randrange(10 ** (len(match[0]) - 1), 10 ** len(match[0])))

    while True:
        between = draw.choices(middles, k=draw.choice(sizes))
        passage = " ".join([draw.choice(firsts), *between, draw.choice(lasts)])
        passage = _NUMBER.sub(renumbered, _NAME.sub(renamed, passage))
        yield passage[0].upper() + passage[1:].rstrip(",;:") + ("" if passage.endswith((".", "!", "?")) else ".")


def distinct(passages: Iterable[str], count: int) -> list[str]:
    """The first so many that differ from each other."""
    found: dict[str, None] = {}
    for passage in passages:
        found[passage] = None
        if len(found) == count:
            break
    return list(found)


def write_report(path: Path, passages: Iterator[str], megabytes: float) -> None:
    """Write one report of this size: paragraphs of five passages, and a heading before every ten of them."""
    size = paragraph = 0
    with path.open("w", encoding="utf-8") as stream:
        while size < megabytes * 1e6:
            block = " ".join(next(passages) for _ in range(5)) + "\n\n"
            if paragraph % 10 == 0:
                block = f"{_HEADINGS[paragraph // 10 % 3]}\n\n{block}"
            stream.write(block)
            size += len(block.encode())
            paragraph += 1


def statistics(texts: Sequence[str]) -> dict[str, float]:
    """How varied texts are: words in lower case, pairs of neighbouring ones, and how many of each occur once only."""
    rows = [_WORD.findall(text.lower()) for text in texts]
    words = Counter(word for row in rows for word in row)
    pairs = Counter(pair for row in rows for pair in pairwise(row))
    return {
        "passages": len(texts),
        "distinct passages": len(set(texts)),
        "median words": median(map(len, rows)),
        "words": words.total(),
        "distinct words": len(words),
        "words that occur once": sum(count == 1 for count in words.values()),
        "pairs": pairs.total(),
        "distinct pairs": len(pairs),
        "pairs that occur once": sum(count == 1 for count in pairs.values()),
    }
