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
from tagger.tagging import Tagger
from tagger.themes import load_codebook
from tagger.training import TrainingSettings

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


def reading_effort(labels: np.ndarray, scores: np.ndarray, recall: float = 0.95) -> list[str]:
    """How many passages to read, most probable first, to see a share of each theme: predicted from the scores alone, and true."""
    lines = [f"| theme | to read for {recall:.0%}, predicted | true |", "|---|---|---|"]
    for column, theme in enumerate(CODEBOOK.names):
        order = np.argsort(-scores[:, column])
        expected, found = np.cumsum(scores[order, column]), np.cumsum(labels[order, column])
        reads = [int(np.searchsorted(part / part[-1], recall)) + 1 for part in (expected, found)]
        lines.append(f"| {theme} | {reads[0]} | {reads[1]} |")
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
    curves = {theme: calibration_curve(labels[:, t], scores[:, t]) for t, theme in enumerate(CODEBOOK.names)}
    about = (
        f"{len(texts)} real passages of {len(set(documents))} other countries, clauses that sum up yearly reports, labelled by the codebook. "
        "They served to choose between models, never to fit one, so the figures are somewhat optimistic. "
        "Intervals: bootstrap over countries. Made by `experiments/default/measure.py`."
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
                    *reading_effort(labels, scores),
                ],
            }
        },
        "compared": compared,
        "calibration": curves,
    }
    out = HERE / "results.json"
    out.with_suffix(".tmp").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    out.with_suffix(".tmp").replace(out)
    for name, value in {"shipped": results["measured"]["Countries never seen"]["figures"], **compared}.items():
        print(f"{name:<52}{value['macro_f1']:.3f}  " + "  ".join(f"{t['f1']:.3f}" for t in value["themes"]))


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
