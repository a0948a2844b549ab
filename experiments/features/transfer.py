"""Learners that the shipped model does without, on real passages and on composed ones: does what helps on the one help on the other?

    python experiments/features/transfer.py path/to/development

Each trial changes how the shipped features are weighed or learned from, and is measured twice: on real passages of other countries, by a
model taught without the documents written from errors on them; and on the composed documents held out in `experiments/default`. Printed,
and written to ``transfer.json``, are mean average precision and what it differs from the shipped learner's, with the interval of a paired
bootstrap over documents.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random

import datasets
import numpy as np
import scipy.sparse as sp
from rich.progress import track
from sklearn.metrics import average_precision_score
from sklearn.svm import LinearSVC

from tagger.corpus import label_matrix, load
from tagger.errors import TaggerError
from tagger.features import KINDS
from tagger.tokens import Tokens

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "default"))
from measure import ERRORS, FROM_HELD_OUT, HELD_OUT, MEXICO, THEMES, split  # noqa: E402
from trials import LEXICON, PENALTY, SETTINGS, matrix  # noqa: E402

RESAMPLES = 100
PARTS = {
    "contrast documents": ("contrast",),
    "documents in the manner of country entries": ("summaries", "situation-", "tier-", "entries-"),
    "documents about one theme": ("complicity-", "shelter-", "data-", "labor-"),
    "inventive documents": ("africa-mideast", "asia-pacific", "europe-americas"),
}
"""Beginnings of the names of documents."""
_WORD = re.compile(r"[^\W_]+")
_ENDINGS = ("ing", "ed", "ies", "s", "ion", "er", "ly", "")

Learner = Callable[["Test"], np.ndarray]
Change = Callable[[str, Random], str]


@dataclass(frozen=True, eq=False)
class Test:
    """Passages to learn from, and unseen ones."""

    __test__ = False  # not a test of pytest's

    known: datasets.Dataset
    unseen: datasets.Dataset


def learn(
    test: Test,
    *,
    power: float = 1.0,
    penalty: float = PENALTY,
    features: Mapping[str, float] | None = None,
    weigh: Callable[[np.ndarray], np.ndarray] = lambda documents: np.ones(len(documents)),
    change: Change | None = None,
) -> np.ndarray:
    """Decisions (n, themes) on the unseen passages.

    ``power`` is that of the inverse document frequency, ``features`` other weights of kinds of features, ``weigh`` gives weights to
    passages from the names of their documents; with a ``change``, half of each passage's weight goes to a changed copy.
    """
    settings = SETTINGS if features is None else replace(SETTINGS, weights={**SETTINGS.weights, **features})
    known, unseen = matrix(list(test.known["text"]), settings), matrix(list(test.unseen["text"]), settings)
    count = np.bincount(known.indices, minlength=known.shape[1])
    rarity = np.log((1 + known.shape[0]) / (1 + count)) + 1
    factor = np.where(count >= 2, rarity.max() * (rarity / rarity.max()) ** power, 0.0)
    random = Random(0)
    parts = [known] if change is None else [known, matrix([change(text, random) for text in test.known["text"]], settings)]
    weights = np.tile(weigh(np.array(test.known["document"])) / len(parts), len(parts))
    train, target = sp.vstack(parts) @ sp.diags_array(factor), np.tile(label_matrix(test.known), (len(parts), 1))
    used = np.flatnonzero(factor)
    train, unseen = train.tocsc()[:, used].tocsr(), (unseen @ sp.diags_array(factor)).tocsc()[:, used].tocsr()
    fitted = [LinearSVC(C=penalty, max_iter=10_000, random_state=0).fit(train, y, sample_weight=weights) for y in target.T]
    return np.stack([one.decision_function(unseen) for one in fitted], axis=1)


def named(documents: np.ndarray, beginnings: tuple[str, ...]) -> np.ndarray:
    return np.array([document.startswith(beginnings) for document in documents])


def kinds_alike(documents: np.ndarray) -> np.ndarray:
    """All documents of a kind, by the first word of their names, weigh as the square root of their number of passages."""
    kinds = [document.split("-")[0] for document in documents]
    weights = np.array([Counter(kinds)[kind] ** -0.5 for kind in kinds])
    return weights / weights.mean()


def leave_words_out(text: str, random: Random, share: float = 0.15) -> str:
    return _WORD.sub(lambda word: "" if random.random() < share else word[0], text)


def swapping(texts: list[str], share: float = 0.5) -> Change:
    """What puts other words of the same classes and ending for words of the lexicon, the often used ones more often."""
    count = Counter(word for text in texts for word in _WORD.findall(text.lower()))
    words = list(count)
    tokens = Tokens(words)
    members = LEXICON.members(tokens)
    classes: dict[str, set[int]] = defaultdict(set)
    for place, number in zip(tokens.row[members.token].tolist(), members.number.tolist(), strict=True):
        classes[words[place]].add(number)
    kind = {word: (frozenset(found), next(end for end in _ENDINGS if word.endswith(end))) for word, found in classes.items()}
    alike = defaultdict(list)
    for word, key in kind.items():
        alike[key].append(word)
    often = {key: [count[word] ** 0.5 for word in found] for key, found in alike.items()}

    def change(text: str, random: Random) -> str:
        def other(word: re.Match[str]) -> str:
            key = kind.get(word[0].lower())
            return random.choices(alike[key], often[key])[0] if key and random.random() < share else word[0]

        return _WORD.sub(other, text)

    return change


def mean_of(learners: list[Learner]) -> Learner:
    return lambda test: np.mean([one(test) for one in learners], axis=0)


def drawn(documents: np.ndarray, seed: int) -> np.ndarray:
    """A bootstrap of documents, as weights."""
    names, number = np.unique(documents, return_inverse=True)
    return np.bincount(np.random.default_rng(seed).integers(len(names), size=len(names)), minlength=len(names))[number].astype(float)


def weighed(beginnings: tuple[str, ...], weight: float) -> Learner:
    return partial(learn, weigh=lambda documents: np.where(named(documents, beginnings), weight, 1.0))


OTHER = {"pair": 0.7, "stem": 1.3, "order": 1.0}
TRIALS: dict[str, Learner] = {
    "shipped": learn,
    "penalty 0.3": partial(learn, penalty=0.3),
    "no inverse document frequency": partial(learn, power=0.0),
    **{f"inverse document frequency to the power {power}": partial(learn, power=power) for power in (1.25, 1.5, 1.75, 2.0)},
    "the same to 1.75, and pair 0.7, stem 1.3, order 1": partial(learn, power=1.75, features=OTHER),
    **{f"{kind} times 1.5": partial(learn, features={kind: 1.5 * SETTINGS.weights[kind]}) for kind in KINDS},
    **{f"half weight for {name}": weighed(beginnings, 0.5) for name, beginnings in PARTS.items()},
    **{f"double weight for {name}": weighed(beginnings, 2.0) for name, beginnings in PARTS.items()},
    "fivefold weight for the Mexico report": weighed(("mexico",), 5.0),
    "kinds of documents more alike": partial(learn, weigh=kinds_alike),
    "mean of models that each lack a kind of feature": mean_of([partial(learn, features={kind: 0.0}) for kind in KINDS]),
    "mean of 8 bootstraps of documents": mean_of([partial(learn, weigh=partial(drawn, seed=seed)) for seed in range(8)]),
    "a copy with words left out": partial(learn, change=leave_words_out),
    "a copy with other words of the same classes": lambda test: learn(test, change=swapping(list(test.known["text"]))),
}


def resampled(test: Test, decisions: np.ndarray) -> np.ndarray:
    """Average precision, then that of bootstraps of documents, the same ones for all decisions."""
    labels, documents = label_matrix(test.unseen), np.array(test.unseen["document"])
    draws = [np.ones(len(documents)), *(drawn(documents, seed) for seed in range(RESAMPLES))]
    return np.array([average_precision_score(labels, decisions, average="macro", sample_weight=draw) for draw in draws])


def compared(shipped: np.ndarray, trial: np.ndarray) -> list[float]:
    """Average precision, and by how much it is more than the shipped learner's, with the interval of 95 %."""
    better = trial - shipped
    return [round(float(figure), 4) for figure in (trial[0], better[0], *np.percentile(better[1:], [2.5, 97.5]))]


def main(development: Path) -> None:
    mexico, (held_out, rest) = load(MEXICO, THEMES), (split(HELD_OUT)[1], split(HELD_OUT + FROM_HELD_OUT)[0])
    tests = {
        "real": Test(datasets.concatenate_datasets([mexico, split(ERRORS)[0]]), load(development, THEMES)),
        "composed": Test(datasets.concatenate_datasets([mexico, rest]), held_out),
    }
    shipped = {name: resampled(test, learn(test)) for name, test in tests.items()}
    results = {}
    for trial, learner in track(TRIALS.items(), "Trials", transient=True):
        results[trial] = {name: compared(shipped[name], resampled(test, learner(test))) for name, test in tests.items()}
        print(
            f"{trial:<64}"
            + "  ".join("{} {:.4f} {:+.4f} [{:+.4f}, {:+.4f}]".format(name, *found) for name, found in results[trial].items()),
            flush=True,
        )
    (HERE / "transfer.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    try:
        main(Path(sys.argv[1]))
    except TaggerError as error:
        sys.exit(f"error: {error}")
