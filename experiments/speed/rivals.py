"""The libraries that tagger is measured against, taught the same passages: each gives a function that scores a list of texts.

All take words and pairs of neighbouring words. What they learned is kept in ``cache/``, by the corpora, the settings and the version.
"""

from __future__ import annotations

import hashlib
import random
import re
import tempfile
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

CACHE = Path(__file__).parent / "cache"
Score = Callable[[Sequence[str]], object]


class Rivals:
    """Makes rivals of labelled passages; ``labels`` are 0 or 1, (n, themes)."""

    def __init__(self, texts: Sequence[str], labels: NDArray[np.int64]) -> None:
        self.texts, self.labels = list(texts), labels
        self._digest = hashlib.sha256("\0".join([*self.texts, str(labels.tolist())]).encode()).hexdigest()[:16]

    def _kept(self, package: str, settings: str) -> Path:
        CACHE.mkdir(exist_ok=True)
        return CACHE / f"{package}-{version(package)}-{hashlib.sha256(settings.encode()).hexdigest()[:8]}-{self._digest}"

    def scikit_learn(self) -> Score:
        """``predict_proba`` of one-vs-rest logistic regression over TF-IDF, both as they come."""
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.multiclass import OneVsRestClassifier
        from sklearn.pipeline import make_pipeline

        pipeline = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), OneVsRestClassifier(LogisticRegression(solver="liblinear")))
        path = self._kept("scikit-learn", repr(pipeline))
        if path.is_file():
            pipeline = joblib.load(path)
        else:
            pipeline.fit(self.texts, self.labels)
            _keep(path, lambda unfinished: joblib.dump(pipeline, unfinished))
        return pipeline.predict_proba

    def fasttext(self) -> Score:
        """List ``predict`` of all themes on texts that were made ready before: that is not counted, to its advantage."""
        import fasttext

        settings = {"wordNgrams": 2, "loss": "ova", "lr": 0.5, "epoch": 25, "bucket": 200_000, "thread": 1, "verbose": 0}
        path = self._kept("fasttext-numpy2", repr(settings))
        if path.is_file():
            model = fasttext.load_model(str(path))
        else:
            with tempfile.TemporaryDirectory() as folder:
                lines = Path(folder) / "train.txt"
                lines.write_text("".join(map(_marked, self.texts, self.labels)), encoding="utf-8")
                model = fasttext.train_supervised(str(lines), **settings)
            _keep(path, model.save_model)
        return lambda texts: model.predict(texts, k=-1)

    def spacy(self) -> Score:
        """``nlp.pipe`` with a blank tokeniser and the bag-of-words text categoriser."""
        import spacy

        model = {"@architectures": "spacy.TextCatBOW.v3", "exclusive_classes": False, "ngram_size": 2, "no_output_layer": False}
        path = self._kept("spacy", repr(model))
        if path.is_dir():
            nlp = spacy.load(path)
        else:
            nlp = _taught(spacy.blank("en"), model, self.texts, self.labels)
            _keep(path, nlp.to_disk)
        return lambda texts: [document.cats for document in nlp.pipe(texts)]


def _keep(path: Path, save: Callable[[str], object]) -> None:
    unfinished = path.with_name(f"{path.name}.tmp")
    save(str(unfinished))
    unfinished.replace(path)


def plain(text: str) -> str:
    """Lower case, with punctuation set apart: how fastText wants it."""
    return " ".join(re.findall(r"\w+|[^\w\s]", text.lower()))


def _marked(text: str, row: NDArray[np.int64]) -> str:
    """fastText passes over lines without a label: passages without a theme get one of their own."""
    marks = " ".join(f"__label__{theme}" for theme in np.flatnonzero(row)) or "__label__none"
    return f"{marks} {plain(text)}\n"


def _taught(nlp: Any, model: dict[str, Any], texts: Sequence[str], labels: NDArray[np.int64]) -> Any:
    from spacy.training import Example
    from spacy.util import fix_random_seed, minibatch

    fix_random_seed(0)
    nlp.add_pipe("textcat_multilabel", config={"model": model})
    examples = [
        Example.from_dict(nlp.make_doc(text), {"cats": {str(theme): float(value) for theme, value in enumerate(row)}})
        for text, row in zip(texts, labels, strict=True)
    ]
    optimizer, order = nlp.initialize(lambda: examples), random.Random(0)
    for _ in range(3):  # its speed does not hang on how well it learned
        order.shuffle(examples)
        for batch in minibatch(examples, 256):
            nlp.update(batch, sgd=optimizer)
    return nlp
