"""Is `tagger compare` right? Alignment of made pairs, and whether intervals hold the truth: python experiments/comparing/measure.py.

It writes results.json in about three minutes, most of them to train the model whose errors are studied.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

import tagger
from tagger.building import spreads, train_folders
from tagger.comparing.alignment import ALIKE, Change, align
from tagger.drift import measure
from tagger.evaluation import Predictions
from tagger.evaluation.bootstrap import number_documents
from tagger.likeness import cosines, words
from tagger.rates import Errors, change, estimate, spread
from tagger.themes import load_codebook

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from making_pairs import SOUP, SPANISH, Later, composed_documents, later_report  # noqa: E402

SHARES = (0.1, 0.3, 0.5, 0.7)
RUNS = 400


def alignment() -> dict[str, object]:
    documents = composed_documents()
    names = list(documents)
    pairs = [(documents[name], documents[names[(place + 7) % len(names)]]) for place, name in enumerate(names) if place % 4 == 0]
    pairs.append(([p.text for p in tagger.read(ROOT / "corpora/mexico-2014/report.txt").passages], documents["protection-b-2"]))
    found = {}
    for share in SHARES:
        made = [(earlier, later_report(earlier, others, share=share, seed=seed)) for seed, (earlier, others) in enumerate(pairs)]
        began = time.perf_counter()
        ours = [by_align(earlier, later) for earlier, later in made]
        seconds = time.perf_counter() - began
        best = [by_assignment(earlier, [passage.text for passage in later]) for earlier, later in made]
        found[str(share)] = {
            "right": right(made, [became for became, _ in ours]),
            "right by the assignment with the highest sum": right(made, best),
            "moved": moved(made, [elsewhere for _, elsewhere in ours]),
            "milliseconds a pair": round(1000 * seconds / len(made), 1),
        }
    halves = []
    for earlier, _ in pairs:
        order = np.random.default_rng(0).permutation(len(earlier))
        one, other = ([earlier[row] for row in rows] for rows in np.array_split(order, 2))
        halves.append(sum(match.change in (Change.REWORDED, Change.UNCHANGED) for match in align(one, other)) / len(one))
    return {"reports": len(pairs), "words edited": found, "paired among halves of one report, where nothing should be": mean(halves)}


def by_align(earlier: Sequence[str], later: Sequence[Later]) -> tuple[list[int | None], set[int]]:
    matches = {match.after: match for match in align(earlier, [passage.text for passage in later]) if match.after is not None}
    return [matches[row].before for row in range(len(later))], {row for row, match in matches.items() if match.moved}


def by_assignment(earlier: Sequence[str], later: Sequence[str]) -> list[int | None]:
    one, other = ([words(text) for text in texts] for texts in (earlier, later))
    likeness = np.array(list(cosines(one, other, [*one, *other])))
    likeness[likeness < ALIKE] = 0
    became: list[int | None] = [None] * len(later)
    for a, b in zip(*linear_sum_assignment(likeness, maximize=True), strict=True):
        if likeness[a, b]:
            became[b] = int(a)
    return became


def right(made: Sequence[tuple[Sequence[str], Sequence[Later]]], found: Iterable[Sequence[int | None]]) -> dict[str, float]:
    """Shares of passages of each kind that were told right; one of several of the same words is as good as another."""
    all_of, right_of = Counter[str](), Counter[str]()
    for (earlier, later), became in zip(made, found, strict=True):
        for passage, row in zip(later, became, strict=True):
            said = None if row is None else words(earlier[row])
            meant = None if passage.row is None else words(earlier[passage.row])
            kind = "new" if meant is None else "unchanged" if meant == words(passage.text) else "reworded"
            all_of[kind] += 1
            right_of[kind] += said == meant
        for row in set(range(len(earlier))) - {passage.row for passage in later}:
            all_of["dropped"] += 1
            right_of["dropped"] += row not in became
    return {kind: round(right_of[kind] / all_of[kind], 4) for kind in map(str, Change)}


def moved(made: Sequence[tuple[Sequence[str], Sequence[Later]]], found: Iterable[set[int]]) -> dict[str, float]:
    hits = said = meant = 0
    for (_, later), rows in zip(made, found, strict=True):
        put = {row for row, passage in enumerate(later) if passage.moved}
        hits, said, meant = hits + len(put & rows), said + len(rows), meant + len(put)
    return {"precision": round(hits / said, 4), "recall": round(hits / meant, 4)}


def simulated() -> list[dict[str, float]]:
    """How often 95 % intervals hold the true share, of what could have been written and of what was; and the same of changes."""
    random = np.random.default_rng(0)
    return [
        one_case(random, share, passages, spread, kept)
        for spread in (0.0, 0.05)
        for passages in (50, 150, 400)
        for share in (0.0, 0.02, 0.1, 0.3)
        for kept in (0.0, 0.7)
    ]


def one_case(random: np.random.Generator, share: float, passages: int, spread: float, kept: float) -> dict[str, float]:
    held = Counter[str]()
    widths = []
    for _ in range(RUNS):
        errors = validated(random, spread)
        stretches = [text(random, share, size, spread) for size in (round(kept * passages), passages - round(kept * passages))]
        new = text(random, share + 0.05, passages - round(kept * passages), spread)
        true = sum(carry for _, carry, _ in stretches)
        counted = [(given, size) for given, _, size in (*stretches, new)]
        whole = (counted[0][0] + counted[1][0], passages)
        if not kept:
            rate = estimate(whole, errors)
            held["share"] += rate.low <= share <= rate.high
            held["of this report"] += rate.low <= true / passages <= rate.high
            widths.append(rate.high - rate.low)
        moved = change(counted[0], counted[1], counted[2], errors)
        held["change of these reports"] += moved.low <= (new[1] - stretches[1][1]) / passages <= moved.high
    case = {"share": share, "passages": passages, "spread": spread, "kept": kept}
    case |= {f"held: {name}": round(count / RUNS, 3) for name, count in held.items()}
    return case | ({"width": mean(widths)} if widths else {})


SENSITIVITY, SPECIFICITY, LABELLED = 0.9, 0.975, 72


def own(random: np.random.Generator, value: float, spread: float) -> float:
    size = 1 / spread - 1 if spread else 0
    return random.beta(value * size, (1 - value) * size) if spread else value


def text(random: np.random.Generator, share: float, passages: int, spread: float) -> tuple[int, int, int]:
    """To how many passages of a text a model gives a theme, how many carry it, and how many there are."""
    carry = random.binomial(passages, share)
    given = random.binomial(carry, own(random, SENSITIVITY, spread)) + random.binomial(
        passages - carry, 1 - own(random, SPECIFICITY, spread)
    )
    return given, carry, passages


def validated(random: np.random.Generator, spread: float) -> Errors:
    """What is known of the model from labelled documents of 30 passages with the theme and 170 without."""
    hits = [random.binomial(30, own(random, SENSITIVITY, spread)) for _ in range(LABELLED)]
    left = [random.binomial(170, own(random, SPECIFICITY, spread)) for _ in range(LABELLED)]
    found = [spread_of(np.array(values), size) for values, size in ((hits, 30), (left, 170))]
    return Errors(sum(hits), 30 * LABELLED, sum(left), 170 * LABELLED, *found)


def spread_of(hits: np.ndarray, size: int) -> float:
    return spread(hits, np.full(len(hits), size))


def left_out() -> dict[str, object]:
    """Each training document as a report: what share of it carries a theme, by what the model does with the other documents."""
    codebook = load_codebook(ROOT / "corpora/themes.toml")
    trained = train_folders([ROOT / "corpora/mexico-2014", ROOT / "corpora/composed"], codebook)
    predicted = trained.out_of_fold >= trained.model.thresholds
    predictions = Predictions(
        trained.model.themes,
        tuple(map(str, range(len(predicted)))),
        trained.documents,
        np.zeros(len(predicted), np.int64),
        trained.labels,
        trained.out_of_fold,
        predicted,
        {},
    )
    documents, number = number_documents(trained.documents)
    sizes = np.bincount(number)
    found: dict[str, object] = {"documents": documents, "spread": spreads(predictions)}
    for column, theme in enumerate(trained.model.themes):
        labels, said = trained.labels[:, column], predicted[:, column]
        carry, given, hits = (np.bincount(number, part, documents).astype(int) for part in (labels, said, labels * said))
        left = sizes - carry - (given - hits)
        held, widths = Counter[str](), {"spread": [], "no spread": []}
        for document in range(documents):
            rest = np.arange(documents) != document
            both = spread(hits[rest], carry[rest]), spread(left[rest], (sizes - carry)[rest])
            true, counted = carry[document] / sizes[document], (int(given[document]), int(sizes[document]))
            for name, spread_ in (("spread", both), ("no spread", (0.0, 0.0))):
                errors = Errors(hits[rest].sum(), carry[rest].sum(), left[rest].sum(), (sizes - carry)[rest].sum(), *spread_)
                rate = estimate(counted, errors)
                held[name] += rate.low <= true <= rate.high
                widths[name].append(rate.high - rate.low)
            low, high = np.percentile(np.random.default_rng(0).beta(counted[0] + 0.5, counted[1] - counted[0] + 0.5, 4000), (2.5, 97.5))
            held["not corrected"] += low <= true <= high
        shares = {name: round(count / documents, 3) for name, count in held.items()}
        found[theme] = {"held": shares, "width": {name: mean(values) for name, values in widths.items()}}
    found["unknown words"] = trained.model.card["vocabulary"]
    return found


def strange_words() -> dict[str, float]:
    """The share of words that the shipped model does not know: of other texts, and of real passages that it never saw, where they are."""
    texts = {"recipes": SOUP.split(". "), "Spanish": SPANISH.split(". ")}
    for name in ("README.md", "CONTRIBUTING.md", "corpora/codebook.md", "LICENSE"):
        texts[name] = [passage.text for passage in tagger.read(ROOT / name).passages]
    development = ROOT.parent / "shared/development/passages.jsonl"
    if development.is_file():
        texts["countries never seen"] = [json.loads(line)["text"] for line in development.read_text(encoding="utf-8").splitlines()]
    model = tagger.load().model
    return {name: round(measure(model, passages).share, 4) for name, passages in texts.items()}


def mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 4)


if __name__ == "__main__":
    results = {"alignment": alignment(), "simulated": simulated(), "left out": left_out(), "unknown words": strange_words()}
    (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
