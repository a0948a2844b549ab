"""Pairs of reports of which it is known what became of every passage: an earlier one, and a later one made of it by edits."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
SOUP = (
    "Preheat the oven to 200 degrees and grease a large baking tin with butter. Whisk the eggs with the sugar until pale and fluffy, then "
    "fold in the flour. Peel and chop the onions, fry them gently in olive oil until soft. Simmer the sauce for twenty minutes, stirring "
    "now and then, and season with salt and pepper. Rinse the lentils under cold water and sweat the celery in a knob of butter."
)
SPANISH = (
    "Las autoridades no investigaron ni procesaron a los funcionarios cómplices. El gobierno mantuvo sus esfuerzos de protección de las "
    "víctimas durante el año. No había albergues suficientes para las víctimas adultas en el norte del país."
)


class Later(NamedTuple):
    """A passage of the later report: the row that it was in the earlier (None if it is new), its text, and whether it was put elsewhere."""

    row: int | None
    text: str
    moved: bool = False


def composed_documents() -> dict[str, list[str]]:
    """The texts of every composed document."""
    found = defaultdict(list)
    for line in (ROOT / "corpora/composed/passages.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found[row["document"]].append(row["text"])
    return dict(sorted(found.items()))


def reworded(text: str, share: float, words: Sequence[str], random: random.Random) -> str:
    """Edit so large a share of the words: half of the edits put another word in the place of one, the others drop or add one."""
    found: list[str] = []
    for word in text.split():
        edit = random.random() / share
        if edit >= 0.75:
            found.append(word)
        if edit < 0.5 or 0.75 <= edit < 1:
            found.append(random.choice(words))
    return " ".join(found) or f"{text} {random.choice(words)}"


def later_report(earlier: Sequence[str], others: Sequence[str], *, share: float, seed: int = 0) -> list[Later]:
    """Of 100 passages drop 15, reword 25, keep 60 as they are; add 15 of ``others``, and put 4 elsewhere."""
    chance = random.Random(seed)
    words = " ".join(others).split()
    pool = chance.sample(list(others), len(others))
    found = []
    for row, text in enumerate(earlier):
        fate = chance.random()
        if fate >= 0.4:
            found.append(Later(row, text))
        elif fate >= 0.15:
            found.append(Later(row, reworded(text, share, words, chance)))
        if pool and chance.random() < 0.15:
            found.append(Later(None, pool.pop()))
    for _ in range(len(found) // 25):
        passage = found.pop(chance.randrange(len(found)))
        found.insert(chance.randrange(len(found) + 1), passage._replace(moved=passage.row is not None))
    return found
