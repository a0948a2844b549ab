"""Measure the shipped model, its parts and its rivals on passages of countries that it never saw.

    python experiments/default/measure.py path/to/development

The development set is a folder with a ``passages.jsonl`` of real, labelled passages; it is not part of this repository, and
no model that ships was fitted to it. It served to choose between models, so the figures are somewhat optimistic. A second test takes the
composed documents in the proportions of real reports, for a model that was taught without them. Everything is written to
``results.json`` beside this file, from which ``make model`` takes the figures of the model card, and drawn in two pictures.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from unittest.mock import patch

import datasets
import numpy as np
from rich.progress import track
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from tagger import training
from tagger.building import fingerprint, train_folders
from tagger.corpus import label_matrix, load
from tagger.evaluation import Figure, compare, evaluate, faithfulness, measure, predict
from tagger.evaluation.calibration import calibration_curve
from tagger.evaluation.report import plots
from tagger.model import Model
from tagger.tagging import Tagger, reading_effort
from tagger.themes import load_codebook
from tagger.training import FeatureTransformer, Trained, TrainingSettings, train
from tagger.writing.whole import whole

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
MEXICO, COMPOSED = ROOT / "corpora/mexico-2014", ROOT / "corpora/composed"
CODEBOOK = load_codebook(ROOT / "corpora/themes.toml")
THEMES = CODEBOOK.names

HELD_OUT = (
    "region-",
    "era-",
    "summaries-e",
    "summaries-g",
    "summaries-h",
    "summaries-j",
    "situation-e",
    "situation-g",
    "situation-h",
    "tier-h",
    "narrative-e",
)
"""Documents in the proportions of real reports, written without a look at any model's errors."""
ERRORS = ("contrast", "contrast-c", "contrast-d", "gaps-c")
"""Documents written from errors, read by kind, on the development set."""
HONEST = "without passages written from errors on these countries"
KEYS = ("macro_f1", "macro_interval", "shipped_less_this")
FROM_HELD_OUT = ("complicity-e", "complicity-f", "data-e")
"""Documents written after errors on the held-out ones had been read: the model measured on those must not learn from these."""
INVENTIVE = ("africa-mideast", "asia-pacific", "europe-americas")


def changed(*left_out: str, **features: object) -> TrainingSettings:
    """The shipped settings less some kinds of features, or with other features."""
    settings = TrainingSettings()
    weights = {kind: weight for kind, weight in settings.features.weights.items() if kind not in left_out}
    return replace(settings, features=replace(settings.features, weights=weights, **features))


VARIANTS = {
    "words and pairs only": changed("stem", "class", "opening", "order", "beside"),
    "without word classes": changed("class", "opening", "order", "beside"),
    "without ordered classes": changed("order"),
    "without words beside classes": changed("beside"),
    "window of 15 tokens": changed(window=15),
    "without stems": changed("stem"),
    "without pairs": changed("pair"),
    "full length normalisation": changed(norm=1.0, scale=0.6),
    "without inverse document frequency": replace(changed(scale=3.0), inverse_frequency=False),
    "with features of a single passage": replace(TrainingSettings(), least=1),
    "C = 0.03": replace(TrainingSettings(), C=(0.03,)),
    "C = 1": replace(TrainingSettings(), C=(1.0,)),
    "balanced class weights": replace(TrainingSettings(), class_weight="balanced"),
}


def predictions(model: Model, texts: list[str]) -> np.ndarray:
    return model.scores(texts) >= model.thresholds.astype(np.float32)


def trained_on(composed: datasets.Dataset) -> Trained:
    """The shipped settings taught by the Mexico report and a part of the composed passages."""
    settings = changed(lexicon=CODEBOOK.lexicon)
    return train({"mexico-2014": load(MEXICO, THEMES), "composed": composed}, settings=settings)


def split(names: Sequence[str]) -> tuple[datasets.Dataset, datasets.Dataset]:
    """The composed passages without and with the named documents; a name that ends in a hyphen stands for all that begin so."""
    composed = load(COMPOSED, THEMES)
    inside = [
        any(document == name or (name.endswith("-") and document.startswith(name)) for name in names) for document in composed["document"]
    ]
    return composed.select(np.flatnonzero(~np.array(inside))), composed.select(np.flatnonzero(inside))


def logistic(settings: TrainingSettings, strength: float) -> Pipeline:
    linear = LogisticRegression(C=100 * strength, class_weight=settings.class_weight, solver="liblinear", random_state=settings.seed)
    return make_pipeline(TfidfTransformer(norm=None, use_idf=settings.inverse_frequency), linear)


def models() -> dict[str, Callable[[], Model]]:
    """What the shipped model is compared with."""
    folders = [MEXICO, COMPOSED]

    def with_logistic() -> Model:
        with patch.object(training, "estimator", logistic):
            return train_folders(folders, CODEBOOK).model

    return {
        "logistic regression": with_logistic,
        **{name: lambda s=settings: train_folders(folders, CODEBOOK, settings=s).model for name, settings in VARIANTS.items()},
        HONEST: lambda: trained_on(split(ERRORS)[0]).model,
        "without the 1,080 inventive passages": lambda: trained_on(split(INVENTIVE)[0]).model,
    }


def main(folder: Path) -> None:
    corpus = load(folder, THEMES)
    texts, documents, labels = list(corpus["text"]), list(corpus["document"]), label_matrix(corpus)
    shipped = train_folders([MEXICO, COMPOSED], CODEBOOK)
    said = predict(Tagger(shipped.model), corpus)
    scores, predicted = said.scores, said.predicted

    def beside(scores: np.ndarray, other: np.ndarray) -> dict[str, object]:
        rival = replace(said, scores=scores, predicted=other)
        better = compare(rival, said).macro
        return {**measure(rival).card(), "shipped_less_this": [better.difference, *better.interval]}

    keywords, alone = keyword_scores(texts), mexico_alone(texts)
    compared = {
        "keyword list (keywords.toml)": beside(keywords, keywords > 0),
        "the same features, the Mexico report alone": beside(alone, alone >= 0.5),
    }
    for name, make in track(models().items(), "Ablations", transient=True):
        model = make()
        compared[name] = beside(model.scores(texts).astype(float), predictions(model, texts))
    curve = learning_curve(lambda model: evaluate(Tagger(model), corpus).card())
    calibration = {theme: calibration_curve(labels[:, t], scores[:, t]) for t, theme in enumerate(THEMES)}
    results = {
        "fingerprint": fingerprint(shipped.model),
        "measured": {
            "Countries never seen": {
                "about": f"{len(texts)} real passages of {len(set(documents))} other countries, clauses that sum up yearly reports, "
                "labelled by the codebook. They served to choose between models, never to fit one, and some composed passages were written "
                "from errors on them, so the figures are somewhat optimistic: without those passages the model reaches "
                f"{compared[HONEST]['macro_f1']:.2f}. Intervals: bootstrap over countries. `experiments/default/measure.py` makes them.",
                "figures": evaluate(Tagger(shipped.model), corpus).card(),
                "compared": {name: {key: value[key] for key in KEYS} for name, value in compared.items()},
                "notes": [
                    *calibration_table(calibration),
                    *review_table(labels, scores, predicted, shipped.model),
                    *effort_table(labels, scores),
                    *evidence_table(shipped.model, texts),
                ],
            },
            "Held-out composed reports": held_out(),
        },
        "compared": compared,
        "calibration": calibration,
        "learning_curve": curve,
    }
    out = HERE / "results.json"
    with whole(out) as stream:
        stream.write((json.dumps(results, indent=1) + "\n").encode())
    draw(results)
    for name, value in {"shipped": results["measured"]["Countries never seen"]["figures"], **compared}.items():
        print(f"{name:<58}{value['macro_f1']:.3f}  " + "  ".join(f"{t['f1']:.3f}" for t in value["themes"]))


def draw(results: dict[str, object]) -> None:
    curve = {int(number): Figure(*point) for number, point in results["learning_curve"].items()}
    pictures = {
        "calibration": plots.calibration(results["calibration"]),
        "learning_curve": plots.learning_curve(curve, "composed passages, beside the Mexico report"),
    }
    for name, svg in pictures.items():
        (HERE / f"{name}.svg").write_text(svg, encoding="utf-8")


def keyword_scores(texts: list[str]) -> np.ndarray:
    rules = tomllib.loads((HERE / "keywords.toml").read_text(encoding="utf-8"))
    patterns = [re.compile("|".join(f"(?:{rule})" for rule in rules[theme]), re.IGNORECASE) for theme in THEMES]
    return np.array([[bool(pattern.search(text)) for pattern in patterns] for text in texts], float)


def mexico_alone(texts: list[str]) -> np.ndarray:
    """One report has no second document to calibrate on: a plain logistic regression over the same features, at 0.5."""
    settings = changed(lexicon=CODEBOOK.lexicon)
    transformer = FeatureTransformer(settings.features).fit([])
    corpus = load(MEXICO, THEMES)
    matrix, target, test = transformer.transform(list(corpus["text"])), label_matrix(corpus), transformer.transform(texts)
    return np.stack([logistic(settings, 0.1).fit(matrix, y).predict_proba(test)[:, 1] for y in target.T], axis=1)


def learning_curve(figures: Callable[[Model], dict[str, object]]) -> dict[str, list[object]]:
    """Macro-F1 with its interval by passages learned from: the Mexico report and a growing share of all composed documents."""
    composed = load(COMPOSED, THEMES)
    order = np.random.default_rng(0).permutation(len(composed))
    curve = {}
    for share in (0.0625, 0.125, 0.25, 0.5, 0.75, 1.0):
        part = composed.select(np.sort(order[: int(share * len(order))]))
        found = figures(trained_on(part).model)
        curve[str(len(part))] = [found["macro_f1"], *found["macro_interval"]]
    return curve


def held_out() -> dict[str, object]:
    """A model taught without the documents in ``HELD_OUT``, measured on them, with its surest errors as examples."""
    test, rest = split(HELD_OUT)[1], split(HELD_OUT + FROM_HELD_OUT)[0]
    model = trained_on(rest).model
    names = sorted(set(test["document"]))
    return {
        "about": f"{len(test)} composed passages of {len(names)} documents ({', '.join(names)}) in the proportions of real reports, "
        "written without a look at any model's errors, and a model taught without them, and without the passages that were later written "
        f"from errors on them ({', '.join(FROM_HELD_OUT)}). The lexicon and the learner's settings "
        "were chosen on a corpus that held the region documents, so the figures are somewhat optimistic for these. All are the project's "
        "own writing: easier than real reports where they say one thing plainly, harder where they say it in rare words. "
        "Intervals: bootstrap over documents.",
        "figures": evaluate(Tagger(model), test).card(),
        "notes": failures(model, test),
    }


def failures(model: Model, test: datasets.Dataset) -> list[str]:
    """The surest errors of each theme, both ways."""
    texts, labels = list(test["text"]), label_matrix(test)
    scores, predicted = model.scores(texts).astype(float), predictions(model, texts)
    lines = ["Its surest errors there, of each theme:", "", "| theme | score | wrong how | passage |", "|---|---|---|---|"]
    for t, theme in enumerate(THEMES):
        missed = sorted(np.flatnonzero((labels[:, t] == 1) & ~predicted[:, t]), key=lambda row: scores[row, t])
        wrong = sorted(np.flatnonzero((labels[:, t] == 0) & predicted[:, t]), key=lambda row: -scores[row, t])
        for how, rows in (("missed", missed[:3]), ("wrongly given", wrong[:3])):
            lines += [f"| {theme} | {scores[row, t]:.2f} | {how} | {texts[row]} |" for row in rows]
    return lines


def calibration_table(curves: dict[str, list[tuple[float, float, int]]]) -> list[str]:
    """What share of the passages of a score carries the theme, by tenths of the score."""
    lines = ["", "Calibration: share of passages that carry the theme (passages), by score:", ""]
    lines += [f"| score | {' | '.join(curves)} |", f"|---|{'---|' * len(curves)}"]
    for tenth in range(10):
        cells = []
        for curve in curves.values():
            found = [(share, count) for score, share, count in curve if tenth == min(9, int(score * 10))]
            cells.append(f"{found[0][0]:.2f} ({found[0][1]})" if found else "")
        lines.append(f"| {tenth / 10:.1f} to {(tenth + 1) / 10:.1f} | {' | '.join(cells)} |")
    return lines


def review_table(labels: np.ndarray, scores: np.ndarray, predicted: np.ndarray, model: Model) -> list[str]:
    """How many passages lie in the review band, and how many of the errors."""
    lines = ["", "The review band:", "", "| theme | passages in it | errors in it | errors outside |", "|---|---|---|---|"]
    for t, theme in enumerate(THEMES):
        low, high = model.review[t]
        band, wrong = (scores[:, t] >= low) & (scores[:, t] < high), predicted[:, t] != labels[:, t]
        lines.append(f"| {theme} | {band.sum()} ({band.mean():.1%}) | {(band & wrong).sum()} | {(~band & wrong).sum()} |")
    return lines


def effort_table(labels: np.ndarray, scores: np.ndarray) -> list[str]:
    """The reading effort that the scores predict beside the true one."""
    lines = ["", "How many passages to read, most probable first, to see 95 % of a theme's passages:", ""]
    lines += ["| theme | to read, predicted | share then seen | to read, true |", "|---|---|---|---|"]
    for column, (theme, effort) in enumerate(zip(THEMES, reading_effort(scores), strict=True)):
        found = np.cumsum(labels[np.argsort(-scores[:, column], kind="stable"), column])
        true = int(np.searchsorted(found, 0.95 * found[-1])) + 1
        lines.append(f"| {theme} | {effort} | {found[effort - 1] / found[-1]:.2f} | {true} |")
    return lines


def evidence_table(model: Model, texts: list[str]) -> list[str]:
    """Comprehensiveness and sufficiency of the evidence beside random spans of the same lengths."""
    lines = ["", "The deciding words: what the probability loses without them (comprehensiveness, more is better) and with nothing else"]
    lines += ["(sufficiency, less is better); in brackets, random spans of the same lengths:", ""]
    lines += ["| theme | passages | share of words | without them | with nothing else |", "|---|---|---|---|---|"]
    for figures in map(asdict, faithfulness(Tagger(model), texts)):
        lines.append(
            "| {theme} | {passages} | {share:.2f} | {comprehensiveness:.2f} ({random_comprehensiveness:.2f}) "
            "| {sufficiency:.2f} ({random_sufficiency:.2f}) |".format(**figures)
        )
    return lines


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    if not (DEVELOPMENT := Path(sys.argv[1])).is_dir():
        raise SystemExit(f"error: {DEVELOPMENT}: no such folder: name one of labelled real passages, make measure DEVELOPMENT=folder")
    main(DEVELOPMENT)
