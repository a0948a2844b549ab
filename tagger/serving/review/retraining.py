"""The process that trains: `python -m tagger.serving.review.retraining FOLDER`, started by `tagger.serving.review.learning`.

The folder holds ``job.json``, what to do; ``reviewed/``, a corpus of the reviewed passages to learn from; and ``held_out.json``,
reviewed documents that neither model has learned from. The process keeps ``status.json`` up to date, writes the model to its place,
compares it with the old one and ends; it ends at once when its standard input is closed, as it is when its parent is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tagger.building import build_model
from tagger.corpus import load as load_corpus
from tagger.corpus import passages as corpus_passages
from tagger.duplicates import near_duplicates
from tagger.errors import TaggerError
from tagger.evaluation import Predictions, compare, measure
from tagger.records import Passage
from tagger.review.agreement import label_rows
from tagger.review.export import REVIEWED
from tagger.serving.review.learning import HELD_OUT, JOB, STATUS, write_json
from tagger.tagging import Tagger, load
from tagger.themes import load_codebook


def main(folder: Path) -> None:
    """Do the job of a folder, and leave in its status how that went."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(OSError):
        os.nice(5)  # who reads and reviews meanwhile goes first
    status = _Status(folder / STATUS)
    try:
        _retrain(folder, json.loads((folder / JOB).read_text()), status)
    except TaggerError as error:
        status.tell("failed", str(error))
    except Exception as error:  # noqa: BLE001  (whoever started it sees only the status)
        traceback.print_exc()
        status.tell("failed", f"it stopped without a result: {type(error).__name__}: {error}")


class _Status:
    """The file that says how far the process is."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def tell(self, state: str, message: str, done: int = 0, steps: int = 0, **more: Any) -> None:
        write_json(self.path, {"state": state, "message": message, "done": done, "steps": steps, **more})


def _retrain(folder: Path, job: Mapping[str, Any], status: _Status) -> None:
    corpora, themes = [Path(corpus) for corpus in job["corpora"]], Path(job["themes"])
    if (folder / REVIEWED).is_dir():
        corpora.append(folder / REVIEWED)
    status.tell("running", "Reading the corpora")
    wanted = load_codebook(themes).names
    for corpus in corpora:
        load_corpus(corpus, wanted)  # what is wrong with one is said before anything is learned
    build_model(corpora, Path(job["out"]), themes=themes, progress=lambda done, steps: status.tell("running", "Training", done, steps))
    status.tell("running", "Comparing the old model with the new one", 1, 1)
    found = _compared(json.loads((folder / HELD_OUT).read_text()), corpora, load(job["old"]), load(job["out"]))
    status.tell("done", "The new model is ready", 1, 1, result=found)


def _compared(documents: Sequence[Mapping[str, Any]], corpora: Sequence[Path], old: Tagger, new: Tagger) -> dict[str, Any]:
    """Measure both models on the held-out passages; those that nearly stand in a corpus that was learned from are left out."""
    leaked = _leaked([text for document in documents for text in _labelled(document)], corpora)
    read = {theme for document in documents for asked in document["asked"].values() for theme in asked}
    themes = tuple(theme for theme in new.themes if theme in old.themes and theme in read)  # the others tell no difference
    before, after = (_predictions(documents, leaked, tagger, themes) for tagger in (old, new))
    if not len(before) or not themes:
        return {"passages": 0, "documents": 0, "left_out": len(leaked), "themes": [], "macro": None, "flips": []}
    figures = [_figures(each) for each in (before, after)]
    count = len(set(before.documents))
    differences = compare(before, after) if count > 1 else None
    by_name = {difference.name: difference for difference in differences.themes} if differences else {}
    return {
        "passages": len(before),
        "documents": count,
        "left_out": len(leaked),
        "themes": [
            {"theme": theme, "old": one, "new": other, "difference": _difference(by_name.get(theme))}
            for theme, one, other in zip(before.themes, *(each["themes"] for each in figures), strict=True)
        ],
        "macro": {"old": figures[0]["macro"], "new": figures[1]["macro"], "difference": _difference(differences and differences.macro)},
        "flips": _flips(before, after),
    }


def _labelled(document: Mapping[str, Any]) -> list[str]:
    return [document["passages"][place]["text"] for place in map(int, document["labels"])]


def _leaked(texts: Sequence[str], corpora: Sequence[Path]) -> set[str]:
    """Return the texts that are near-duplicates of a passage in a corpus."""
    learned = [row["text"] for corpus in corpora for row in corpus_passages(corpus)]
    every = [*texts, *learned]
    return {texts[pair.first] for pair in near_duplicates(every).nearest(range(len(texts)), range(len(texts), len(every)))}


def _predictions(documents: Sequence[Mapping[str, Any]], leaked: set[str], tagger: Tagger, themes: tuple[str, ...]) -> Predictions:
    """What a model says of the labelled passages, each read in its document."""
    ids, names, given, scores, predicted, read = [], [], [], [], [], []
    for document in documents:
        tagged = tagger.tag([Passage(**passage) for passage in document["passages"]])
        for place, labels in document["labels"].items():
            item = tagged[int(place)]
            if item.text not in leaked:
                ids.append(str(document["keys"][int(place)]))
                names.append(document["name"])
                given.append(labels)
                scores.append([item.scores[theme] for theme in themes])
                predicted.append(item.labels)
                read.append(document["asked"][place])
    shape, asked = (len(ids), len(themes)), label_rows(read, themes)
    return Predictions(
        themes=themes,
        ids=tuple(ids),
        documents=tuple(names),
        fold=np.zeros(len(ids), np.int64),
        labels=(label_rows(given, themes) & asked).astype(np.int64),
        scores=np.array(scores, np.float64).reshape(shape),
        predicted=label_rows(predicted, themes) & asked,
        corpora={},
        asked=None if asked.all() else asked,
    )


def _figures(predictions: Predictions) -> dict[str, Any]:
    found = measure(predictions, resamples=1)
    themes = [
        {**{name: _number(theme.figures[name].value) for name in ("precision", "recall", "f1")}, "support": theme.support}
        for theme in found.themes
    ]
    return {"themes": themes, "macro": _number(found.macro["f1"].value)}


def _difference(value: Any) -> dict[str, Any] | None:
    if value is None or np.isnan(value.difference):
        return None
    low, high = value.interval
    return {"value": value.difference, "low": low, "high": high, "p": value.p if value.p_corrected is None else value.p_corrected}


def _flips(before: Predictions, after: Predictions) -> list[dict[str, Any]]:
    """Passages on which one model is right about a theme and the other wrong, by their keys."""
    rows, columns = np.nonzero(before.predicted != after.predicted)
    return [
        {
            "key": int(before.ids[row]),
            "theme": before.themes[column],
            "mended": bool(after.predicted[row, column] == before.labels[row, column]),
        }
        for row, column in zip(rows, columns, strict=True)
    ]


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(3)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
