"""Folders of corpora -> a saved model with its card: what `tagger train` does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tagger import bundle
from tagger.corpus import digest, load
from tagger.errors import TrainingError
from tagger.evaluation import Predictions, measure
from tagger.evaluation.bootstrap import number_documents
from tagger.model import Model
from tagger.rates import spread
from tagger.themes import Codebook, load_codebook
from tagger.training import Progress, Trained, TrainingSettings, train
from tagger.writing.text import many

if TYPE_CHECKING:
    import datasets

_NO_MACRO = (
    "There is no macro-F1: the themes were learned at different times, and each was measured on passages that were read for it then. A "
    "mean over them would be of no set of passages, and how far it may be off can't be told. To get one, measure the model on passages "
    "that were read for all themes: `tagger evaluate`."
)


def train_folders(
    corpora: Sequence[Path], codebook: Codebook, *, settings: TrainingSettings | None = None, progress: Progress = lambda done, steps: None
) -> Trained:
    """Train on corpora folders with the themes and the lexicon of a codebook."""
    settings = settings or TrainingSettings()
    settings = replace(settings, features=replace(settings.features, lexicon=codebook.lexicon))
    return train(load_corpora(corpora, codebook.names), settings=settings, progress=progress)


def load_corpora(folders: Sequence[Path], themes: Sequence[str]) -> dict[str, datasets.Dataset]:
    """Read corpora to learn from, by the names of their folders.

    Raises
    ------
    TrainingError
        Two have one name, or hold the very same passages.
    """
    found: dict[str, datasets.Dataset] = {}
    digests: dict[str, Path] = {}
    for folder in folders:
        other = digests.setdefault(digest(folder), folder)
        if folder.name in found:
            raise TrainingError(f"two corpora are called {folder.name!r}: name each folder once")
        if other != folder:
            raise TrainingError(f"{folder}: holds the very same passages as {other}: name one of them")
        found[folder.name] = load(folder, themes)
    return found


def build_model(
    corpora: Sequence[Path],
    out: Path,
    *,
    themes: Path,
    results: Path | None = None,
    settings: TrainingSettings | None = None,
    progress: Progress = lambda done, steps: None,
) -> Model:
    """Train on corpora, write the model and its card to ``out``, and return it.

    ``results`` is a file of figures that `experiments/default/measure.py` wrote for the very same weights: they go into the card.
    ``progress`` is told of every step of the training.
    """
    codebook = load_codebook(themes)
    trained = train_folders(corpora, codebook, settings=settings, progress=progress)
    documents = trained.documents
    out_of_fold = predictions(trained)
    cross_validation = measure(out_of_fold, thresholds=trained.model.thresholds)
    card = {
        **trained.model.card,
        "codebook": {"version": codebook.version, "sha256": codebook.digest},
        "titles": {theme.name: theme.title for theme in codebook.themes},
        "definitions": {theme.name: theme.definition for theme in codebook.themes},
        "limits": limits(trained.model),
        "corpora": [
            {"name": folder.name, "passages": int(np.sum([d.startswith(f"{folder.name}/") for d in documents])), "sha256": digest(folder)}
            for folder in corpora
        ],
        "cross_validation": _with_read(cross_validation.card(), out_of_fold),
        "spread": spreads(out_of_fold),
        "measured": _measured(results, trained.model),
    }
    model = replace(trained.model, card=card)
    bundle.save(model, out, readme=render_card(model, codebook))
    return model


def predictions(trained: Trained) -> Predictions:
    """Return what the classifiers of a training say of the passages that they did not see."""
    count, scores = len(trained.documents), np.where(trained.asked, trained.out_of_fold, 0.0)
    return Predictions(
        themes=trained.model.themes,
        ids=tuple(map(str, range(count))),
        documents=trained.documents,
        fold=np.zeros(count, np.int64),
        labels=trained.labels,
        scores=scores,
        predicted=trained.asked & (scores >= trained.model.thresholds),
        corpora={},
        asked=None if trained.asked.all() else trained.asked,
    )


def _with_read(figures: dict[str, Any], predictions: Predictions) -> dict[str, Any]:
    """The figures with how many passages were read for each theme, where these are not all."""
    if predictions.asked is None:
        return figures
    read = predictions.asked.sum(axis=0).tolist()
    return {**figures, "themes": [{**row, "read": count} for row, count in zip(figures["themes"], read, strict=True)]}


def spreads(predictions: Predictions) -> dict[str, dict[str, float]]:
    """How much sensitivity and specificity of each theme vary between documents."""
    documents, number = number_documents(predictions.documents)
    found = {}
    asked = np.ones(predictions.labels.shape, np.int64) if predictions.asked is None else predictions.asked
    for theme, labels, predicted, read in zip(predictions.themes, predictions.labels.T, predictions.predicted.T, asked.T, strict=True):
        carrying, hits, others, left = (
            np.bincount(number, part, documents)
            for part in (labels, labels * predicted, (1 - labels) * read, (1 - labels) * read * ~predicted)
        )
        found[theme] = {"sensitivity": round(spread(hits, carrying), 4), "specificity": round(spread(left, others), 4)}
    return found


def fingerprint(model: Model) -> str:
    """A short name of the weights, rounded so that it does not hang on the last bits that a processor computes."""
    rounded = np.concatenate([np.round(model.weights.sum(axis=0), 1), np.round(model.thresholds, 2)])
    return hashlib.sha256((rounded + 0.0).astype(np.float32).tobytes() + str(len(model.columns)).encode()).hexdigest()[:16]


def _measured(results: Path | None, model: Model) -> Mapping[str, Any]:
    """The figures in a results file, if they were measured on this model."""
    if results is None or not results.is_file():
        return {}
    found = json.loads(results.read_text(encoding="utf-8"))
    if found.get("fingerprint") != fingerprint(model):
        raise TrainingError(f"{results}: was measured on another model than this one: run make measure first, or leave --results out")
    return dict(found["measured"])


def render_card(model: Model, codebook: Codebook) -> str:
    """The model card, in Markdown."""
    card = model.card
    lines = [
        "# Model card",
        "",
        "A linear tagger of passages of human-trafficking country reports. Calibrated probabilities for "
        f"{len(model.themes)} themes, by linear support vector machines over hashed words, pairs, stems and word classes of the lexicon.",
        "",
        "## Themes",
        "",
        "| theme | meaning | threshold | review band |",
        "|---|---|---|---|",
    ]
    for place, theme in enumerate(codebook.themes):
        low, high = model.review[place]
        lines.append(f"| {theme.name} | {theme.definition} | {model.thresholds[place]:.2f} | {low:.2f} to {high:.2f} |")
    lines += [
        "",
        "A passage gets a theme when its score reaches the threshold. In the review band a person should look: below it lie at most 3 % of "
        "a theme's passages, above it at least 97 % of the passages carry the theme (estimated by cross-validation).",
        "",
        "## Trained on",
        "",
        *(f"- `{corpus['name']}`: {corpus['passages']} passages (SHA-256 {corpus['sha256'][:16]})" for corpus in card["corpora"]),
        *_penalty(card.get("penalty", {})),
        *_repeated(card.get("repeated", 0)),
        *_unknown_words(card.get("vocabulary")),
        f"- codebook version {card['codebook']['version']} (SHA-256 {card['codebook']['sha256'][:16]})",
        "",
        "## Cross-validation on the training corpora",
        "",
        "Out-of-fold, split by document; penalty, calibration and thresholds were chosen on these scores, so the figures, the calibration "
        "error most of all, are somewhat optimistic.",
        "",
        *_figures(card["cross_validation"]),
    ]
    for name, part in card["measured"].items():
        lines += ["", f"## {name}", "", part["about"], "", *_figures(part["figures"])]
        if part.get("compared"):
            lines += ["", "| on the same passages | macro-F1 | 95 % interval | this model is better by |", "|---|---|---|---|"]
            for other, value in part["compared"].items():
                better, low, high = value["shipped_less_this"]
                row = f"| {other} | {value['macro_f1']:.3f} | {_interval(value['macro_interval'])} "
                lines.append(f"{row}| {better:+.3f} ({low:+.3f} to {high:+.3f}) |")
        if part.get("notes"):
            lines += ["", *part["notes"]]
    lines += ["", "## Limits", "", *(f"- {limit}" for limit in limits(model))]
    return "\n".join(lines) + "\n"


def _penalty(strengths: float | Mapping[str, float]) -> list[str]:
    if isinstance(strengths, Mapping):
        return [f"- penalty of {theme} C = {strength:g}, chosen by cross-validation" for theme, strength in strengths.items()]
    return [f"- penalty C = {strengths:g}, chosen by cross-validation"]


def limits(model: Model) -> list[str]:
    """What a reader of the model's tags should know."""
    alone = "Each passage is judged alone: what a sentence says only together with its neighbour is missed."
    running = "In a document a passage is judged with those around it; a passage given alone is judged less well."
    return [
        "English only, and the language of yearly government reports on trafficking; news, court files and interviews are untested.",
        running if model.settings.hears else alone,
        "Scores are calibrated to the share of each theme in the training corpora; in a text about one theme only they are too low.",
        "A label says that a passage is about a theme, never that what the passage claims is true.",
    ]


def _repeated(count: int) -> list[str]:
    if not count:
        return []
    return [f"- {many(count, 'passage')} in the words of another document: cross-validation measures none by a classifier that learned it"]


def _unknown_words(told: Mapping[str, Any] | None) -> list[str]:
    if not told:
        return []
    usual, most = (f"{100 * told[f'unknown_words_{name}']:.1f} %" for name in ("usual", "most"))
    return [f"- of a training document's words, a model of the others does not know {usual} (median); 99 % of documents are below {most}"]


def _figures(figures: Mapping[str, Any]) -> list[str]:
    lines = [
        "| theme | precision | recall | F1 | 95 % interval | average precision | calibration error | support |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for theme in figures["themes"]:
        values = [_number(theme[key]) for key in ("precision", "recall", "f1")]
        values += [_interval(theme["f1_interval"]), _number(theme["average_precision"]), _number(theme["calibration_error"])]
        lines.append(f"| {theme['theme']} | {' | '.join(values)} | {theme['support']} |")
    if "macro_f1" in figures:
        interval = _interval(figures["macro_interval"])
        lines.append(f"| macro | | | {figures['macro_f1']:.3f} | {interval} | | | {figures['passages']} passages |")
    elif len(figures["themes"]) > 1:
        lines += ["", _NO_MACRO]
    return lines


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _interval(values: Sequence[float]) -> str:
    return f"{values[0]:.3f} to {values[1]:.3f}"
