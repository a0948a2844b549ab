"""The report of a saved model on a folder of labelled passages."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tagger.corpus import digest, load
from tagger.evaluation.corpora import predict
from tagger.evaluation.report import write_report
from tagger.evaluation.results import Evaluation
from tagger.tagging import Tagger


def write_model_report(path: Path, tagger: Tagger, folder: Path, evaluation: Evaluation) -> None:
    """Write the report of a tagger that `tagger.evaluate` measured on a corpus, with the passages and the words that raised scores."""
    corpus, name = load(folder, tagger.themes, others=True), folder.resolve().name
    predictions = predict(tagger, corpus, corpora={name: digest(folder)})
    ids, texts = list(corpus["id"]), list(corpus["text"])
    wrong = np.flatnonzero((predictions.predicted != (predictions.labels == 1)).any(axis=1))
    found = tagger.model.evidence([texts[row] for row in wrong], np.ones((len(wrong), len(tagger.themes)), bool))
    sections = list(corpus["section"])
    write_report(
        path,
        predictions,
        title=f"{tagger.name} on {name}",
        about=f"The model {tagger.name} at its own thresholds, on the labelled passages of {name}.",
        evaluation=evaluation,
        texts=dict(zip(ids, texts, strict=True)),
        sections=dict(zip(ids, sections, strict=True)) if any(sections) else None,
        evidence={ids[row]: spans for row, spans in zip(wrong, found, strict=True)},
    )
