"""A tagger measured on an annotated corpus, beside the people who annotated it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tagger.corpus import ANNOTATIONS, PASSAGES, asked_matrix, digest, label_lines, label_matrix, labelled_twice, load, running
from tagger.duplicates import hash_words
from tagger.errors import MissingExtraError, TrainingError
from tagger.evaluation.metrics import measure
from tagger.evaluation.predictions import Predictions
from tagger.evaluation.results import Evaluation
from tagger.tagging import Tagger

try:
    import datasets
except ImportError as error:
    raise MissingExtraError("datasets", "train") from error

BY = ("section", "length", "document")
_LENGTHS = ((10, "up to 10 words"), (20, "11 to 20 words"), (40, "21 to 40 words"), (float("inf"), "over 40 words"))


def evaluate(
    tagger: Tagger,
    corpus: Path | str | datasets.Dataset,
    *,
    by: Sequence[str] = (),
    resamples: int = 1000,
    seed: int = 0,
    jobs: int = 1,
    progress: bool = False,
) -> Evaluation:
    """Measure a tagger, at its own thresholds, on a labelled corpus.

    Parameters
    ----------
    tagger
        See `tagger.load`.
    corpus
        A folder, whose other themes than the model's are left out, or what `tagger.corpus.load` made of one. Of a folder whose passages
        were labelled twice, the figures also tell how far the annotators agree. That is no limit for a model, which is measured on the
        labels that they settled.
    by
        ``"section"``, ``"length"`` (words between spaces) or ``"document"``: passages to measure apart, too. Where the model learned from
        some of the passages in these words, they and the others are measured apart in any case.
    resamples, seed, jobs, progress
        How intervals are made, see `measure`.

    Raises
    ------
    TrainingError
        The corpus has no theme of the model, or none of its passages has a section, by which it shall be measured.
    CorpusError
        A line of the corpus is broken.

    Examples
    --------
    >>> import tagger
    >>> found = tagger.evaluate(tagger.load(), "corpora/mexico-2014", by=["section"])
    >>> found.themes[0].figures["recall"].value
    1.0
    """
    if unknown := set(by) - set(BY):
        raise TrainingError(f"passages can't be measured by {min(unknown)!r}: known are {', '.join(BY)}")
    ceiling, sha256, where, warnings = None, None, "the corpus", []
    if not isinstance(corpus, datasets.Dataset):
        folder = Path(corpus)
        warnings = _other_themes(tagger, folder)
        corpus, sha256, where = load(folder, tagger.themes, others=True), digest(folder), str(folder)
        predictions = predict(tagger, corpus, corpora={folder.resolve().name: sha256})
        ceiling = annotators(folder, tagger.themes)
    else:
        predictions = predict(tagger, corpus)
    parts = {name: _parts(name, corpus) for name in by}
    learned = _learned(tagger, corpus, sha256)
    if learned.any() and not learned.all():
        parts["learned"] = np.where(learned, "yes", "no").tolist()
    if learned.any():
        warnings.insert(0, f"{where}: {_learned_from(learned)}, so it will do worse on others")
    model = tagger.model

    def measured(rows: Predictions, ceiling: Predictions | None = None) -> Evaluation:
        # As 32-bit numbers, as the tagger compares scores with them.
        thresholds, review = (part.astype(np.float32).astype(np.float64) for part in (model.thresholds, model.review))
        how = {"resamples": resamples, "seed": seed, "jobs": jobs}
        return measure(rows, **how, thresholds=thresholds, review=review, ceiling=ceiling, progress=progress)

    whole = measured(predictions, ceiling)
    apart = {
        name: {value: measured(predictions.rows(np.array(values) == value)) for value in _order(name, values)}
        for name, values in parts.items()
    }
    return replace(whole, warnings=(*warnings, *whole.warnings), by=apart)


def predict(tagger: Tagger, corpus: datasets.Dataset, *, corpora: dict[str, str] | None = None) -> Predictions:
    """Return what a tagger says of the passages of a corpus, beside what people said; ``corpora`` as in `Predictions`.

    Raises
    ------
    TrainingError
        The corpus has other themes than the model.
    """
    themes = tuple(corpus.features["labels"].feature.names)
    if themes != tagger.themes:
        raise TrainingError(f"the corpus has the themes {', '.join(themes)}, but the model {', '.join(tagger.themes)}")
    scores, asked = tagger.model.scores(list(corpus["text"]), running(corpus)), asked_matrix(corpus)
    prefix = "".join(f"{name}/" for name in corpora or ())
    return Predictions(
        themes=themes,
        ids=tuple(corpus["id"]),
        documents=tuple(f"{prefix}{document}" for document in corpus["document"]),
        fold=np.zeros(len(corpus), np.int64),
        labels=label_matrix(corpus),
        scores=scores.astype(np.float64),
        predicted=asked & (scores >= tagger.model.thresholds.astype(np.float32)),
        corpora=corpora or {},
        asked=None if asked.all() else asked,
    )


def annotators(folder: Path | str, themes: Sequence[str]) -> Predictions | None:
    """Return the second annotator's labels as predictions of the first one's; None where no passage was labelled twice."""
    rows = labelled_twice(folder) if (Path(folder) / ANNOTATIONS).is_file() else []
    if not rows:
        return None
    first, second = (np.array([[theme in row[name] for theme in themes] for row in rows]) for name in ("first", "second"))
    return Predictions(
        themes=tuple(themes),
        ids=tuple(row["id"] for row in rows),
        documents=tuple(row["document"] for row in rows),
        fold=np.zeros(len(rows), np.int64),
        labels=first.astype(np.int64),
        scores=second.astype(np.float64),
        predicted=second,
        corpora={},
    )


def _other_themes(tagger: Tagger, folder: Path) -> list[str]:
    """Say which labels are of no theme of the model; refuse a corpus with no others."""
    labels = label_lines(folder)
    unknown = {label: line for label, line in labels.items() if label not in tagger.themes}
    if unknown and len(unknown) == len(labels):
        raise TrainingError(
            f"{folder / PASSAGES}:{min(unknown.values())}: passages are labelled {', '.join(sorted(unknown))}, but the model {tagger.name} "
            f"has the themes {', '.join(tagger.themes)}: train a model with those of the corpus, or name another corpus"
        )
    return [f"{folder}: labels that the model does not have are left out: {', '.join(sorted(unknown))}"] if unknown else []


def _learned(tagger: Tagger, corpus: datasets.Dataset, sha256: str | None) -> NDArray[np.bool_]:
    """Tell which passages, (n,), the model learned from: by their words, or, of a model that does not know these, all of a whole corpus."""
    listed = tagger.model.card.get("corpora")
    known = [part.get("sha256") for part in listed if isinstance(part, dict)] if isinstance(listed, list) else []
    return np.isin(hash_words(corpus["text"]), tagger.model.learned) | (sha256 in known)


def _learned_from(learned: NDArray[np.bool_]) -> str:
    if learned.all():
        return "the model learned from these very passages"
    return f"the model learned from {int(learned.sum())} of these {len(learned)} passages, which are measured apart from the others, too"


def _parts(name: str, corpus: datasets.Dataset) -> list[str]:
    """The part to which each passage belongs; passages outside all sections, if others lie in one, make a part of their own."""
    if name == "length":
        counts = [len(text.split()) for text in corpus["text"]]
        return [next(length for most, length in _LENGTHS if count <= most) for count in counts]
    values = list(corpus[name])
    if not any(values):
        raise TrainingError("no passage of the corpus has a section: measure by length or document instead")
    return [value or "(no section)" for value in values]


def _order(name: str, values: Sequence[str]) -> list[str]:
    found = dict.fromkeys(values)
    return [length for _, length in _LENGTHS if length in found] if name == "length" else list(found)
