"""Measure the shipped model, its parts and its rivals on passages of countries that it never saw.

    python experiments/default/measure.py path/to/development

The development set is a folder with a ``passages.jsonl`` of real, labelled passages; it is not part of this repository, and
no model that ships was fitted to it. It served to choose between models, so the figures are somewhat optimistic. Everything is
written to ``results.json`` beside this file, from which ``make model`` takes the figures of the model card.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import datasets
import numpy as np
from rich.progress import track

from tagger.building import fingerprint, train_folders
from tagger.corpus import load
from tagger.evaluation import evaluate, evaluate_scores
from tagger.evaluation.calibration import calibration_curve
from tagger.model import Model
from tagger.tagging import Tagger, reading_effort
from tagger.themes import load_codebook
from tagger.training import TrainingSettings, train

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
MEXICO, COMPOSED = ROOT / "corpora/mexico-2014", ROOT / "corpora/composed"
CODEBOOK = load_codebook(ROOT / "corpora/themes.toml")


def without(*kinds: str) -> TrainingSettings:
    """The shipped settings less some kinds of features."""
    settings = TrainingSettings()
    weights = {kind: weight for kind, weight in settings.features.weights.items() if kind not in kinds}
    return replace(settings, features=replace(settings.features, weights=weights))


VARIANTS = {
    "words and pairs only": without("stem", "class", "opening", "order", "near"),
    "without word classes": without("class", "opening", "order", "near"),
    "without ordered classes": without("order", "near"),
    "without near classes": without("near"),
    "window of 15 tokens": replace(without(), features=replace(without().features, window=15)),
    "without stems": without("stem"),
    "without pairs": without("pair"),
    "full length normalisation": replace(without(), features=replace(without().features, norm=1.0)),
    "C = 1": replace(without(), C=1.0),
    "C = 3": replace(without(), C=3.0),
    "C = 30": replace(without(), C=30.0),
    "no class weights": replace(without(), class_weight=None),
}


def labels_of(corpus: datasets.Dataset) -> np.ndarray:
    labels = np.zeros((len(corpus), len(CODEBOOK.names)), np.int64)
    for row, numbers in enumerate(corpus["labels"]):
        labels[row, numbers] = 1
    return labels


def keyword_scores(texts: list[str]) -> np.ndarray:
    rules = tomllib.loads((HERE / "keywords.toml").read_text(encoding="utf-8"))
    patterns = [re.compile("|".join(f"(?:{rule})" for rule in rules[theme]), re.IGNORECASE) for theme in CODEBOOK.names]
    return np.array([[bool(pattern.search(text)) for pattern in patterns] for text in texts], float)


def effort_table(labels: np.ndarray, scores: np.ndarray) -> list[str]:
    """The reading effort that the scores predict beside the true one."""
    lines = ["| theme | to read, predicted | true |", "|---|---|---|"]
    for column, (theme, predicted) in enumerate(zip(CODEBOOK.names, reading_effort(scores), strict=True)):
        found = np.cumsum(labels[np.argsort(-scores[:, column], kind="stable"), column])
        lines.append(f"| {theme} | {predicted} | {int(np.searchsorted(found, 0.95 * found[-1])) + 1} |")
    return lines


def main(folder: Path) -> None:
    corpus = load(folder, CODEBOOK.names)
    texts, documents, labels = list(corpus["text"]), list(corpus["document"]), labels_of(corpus)

    def figures(model: Model) -> dict[str, object]:
        return evaluate(Tagger(model), corpus).to_json()

    shipped = train_folders([MEXICO, COMPOSED], CODEBOOK)
    scores = shipped.model.scores(texts).astype(float)
    keywords = keyword_scores(texts)
    compared = {
        "keyword list (keywords.toml)": evaluate_scores(CODEBOOK.names, labels, keywords, keywords > 0, documents).to_json(),
        "the same model trained on the Mexico report alone": mexico_alone(labels, texts, documents),
    }
    for name, settings in track(VARIANTS.items(), "Ablations", transient=True):
        compared[name] = figures(train_folders([MEXICO, COMPOSED], CODEBOOK, settings=settings).model)
    shares = learning_curve(figures)
    curves = {theme: calibration_curve(labels[:, t], scores[:, t]) for t, theme in enumerate(CODEBOOK.names)}
    about = (
        f"{len(texts)} real passages of {len(set(documents))} other countries, clauses that sum up yearly reports, labelled by "
        "the codebook. "
        "They served to choose between models, never to fit one, so the figures are somewhat optimistic. "
        "Intervals: bootstrap over countries. `experiments/default/measure.py` makes them."
    )
    results = {
        "fingerprint": fingerprint(shipped.model),
        "measured": {
            "Countries never seen": {
                "about": about,
                "figures": figures(shipped.model),
                "compared": {
                    name: {"macro_f1": value["macro_f1"], "macro_interval": value["macro_interval"]} for name, value in compared.items()
                },
                "failures": [
                    "How many passages to read, most probable first, to see 95 % of a theme's passages:",
                    "",
                    *effort_table(labels, scores),
                ],
            }
        },
        "compared": compared,
        "calibration": curves,
        "learning_curve": shares,
    }
    out = HERE / "results.json"
    out.with_suffix(".tmp").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    out.with_suffix(".tmp").replace(out)
    for name, value in {"shipped": results["measured"]["Countries never seen"]["figures"], **compared}.items():
        print(f"{name:<52}{value['macro_f1']:.3f}  " + "  ".join(f"{t['f1']:.3f}" for t in value["themes"]))


def learning_curve(figures: Callable[[Model], dict[str, object]]) -> dict[str, object]:
    """Macro-F1 with the Mexico report and a growing share of the composed passages, taken evenly from all documents."""
    mexico, composed = load(MEXICO, CODEBOOK.names), load(COMPOSED, CODEBOOK.names)
    settings = replace(TrainingSettings(), features=replace(TrainingSettings().features, lexicon=CODEBOOK.lexicon))
    order = np.random.default_rng(0).permutation(len(composed))
    curve = {}
    for share in (0.125, 0.25, 0.5, 0.75, 1.0):
        part = composed.select(np.sort(order[: int(share * len(order))]))
        model = train({"mexico-2014": mexico, "composed": part}, settings=settings).model
        curve[str(len(part))] = figures(model)["macro_f1"]
    return curve


def mexico_alone(labels: np.ndarray, texts: list[str], documents: list[str]) -> dict[str, object]:
    """One report has no second document to calibrate on: a plain logistic regression over the same features, at 0.5."""
    from sklearn.linear_model import LogisticRegression

    from tagger.training import FeatureTransformer

    settings = TrainingSettings()
    transformer = FeatureTransformer(replace(settings.features, lexicon=CODEBOOK.lexicon)).fit([])
    corpus = load(MEXICO, CODEBOOK.names)
    matrix, target, test = transformer.transform(list(corpus["text"])), labels_of(corpus), transformer.transform(texts)
    scores = np.zeros(labels.shape)
    for column in range(labels.shape[1]):
        linear = LogisticRegression(C=settings.C, class_weight=settings.class_weight, solver="liblinear", random_state=0)
        scores[:, column] = linear.fit(matrix, target[:, column]).predict_proba(test)[:, 1]
    return evaluate_scores(CODEBOOK.names, labels, scores, scores >= 0.5, documents).to_json()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
