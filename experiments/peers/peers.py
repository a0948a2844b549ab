"""The classifiers that tagger is measured against, each as scikit-learn has them: ``fit`` and ``decision_function`` or ``predict_proba``.

Each can be named in an experiment by its import path. A package is imported when its peer is made, so that those of the others can be
missing. Labels are 0 or 1, (n, themes). All run on one thread.
"""

from __future__ import annotations

import random
import re
import tempfile
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from tagger.errors import TrainingError
from tagger.learners import decide

Texts = Sequence[str]
Labels = NDArray[np.int64]
Scores = NDArray[np.float64]


def words() -> TfidfVectorizer:
    return TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)


def characters() -> TfidfVectorizer:
    return TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=2, sublinear_tf=True)


class Steps(BaseEstimator):
    """Steps of scikit-learn that end in a classifier, which is fitted for each theme apart."""

    def steps(self) -> list[Any]:
        raise NotImplementedError

    def fit(self, texts: Texts, labels: Labels) -> Steps:
        *before, classifier = self.steps()
        self.pipeline_ = make_pipeline(*before, OneVsRestClassifier(classifier)).fit(texts, labels)
        self.themes_ = labels.shape[1]
        return self

    def decision_function(self, texts: Texts) -> Scores:
        return decide(self.pipeline_, texts, self.themes_)


class WordsLogistic(Steps):
    """TF-IDF of words and pairs, logistic regression with balanced classes."""

    def __init__(self, C: float = 1.0) -> None:
        self.C = C

    def steps(self) -> list[Any]:
        return [words(), LogisticRegression(C=self.C, class_weight="balanced", solver="liblinear", random_state=0)]


class WordsCharactersLogistic(WordsLogistic):
    """TF-IDF of words and pairs and of three to five characters, logistic regression with balanced classes."""

    def steps(self) -> list[Any]:
        return [make_union(words(), characters()), super().steps()[-1]]


class WordsSVM(WordsLogistic):
    """TF-IDF of words and pairs, linear support vector machine."""

    def steps(self) -> list[Any]:
        return [words(), LinearSVC(C=self.C, random_state=0)]


class WordsBayes(Steps):
    """TF-IDF of words and pairs, complement naive Bayes (Rennie et al. 2003)."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def steps(self) -> list[Any]:
        return [words(), ComplementNB(alpha=self.alpha)]


class WordLlamaLogistic(WordsLogistic):
    """The static embeddings that come inside the package wordllama, logistic regression with balanced classes."""

    def steps(self) -> list[Any]:
        return [FunctionTransformer(_wordllama().embed), StandardScaler(), super().steps()[-1]]


class Model2VecLogistic(WordsLogistic):
    """Static embeddings of a folder that model2vec reads, logistic regression with balanced classes."""

    def __init__(self, folder: str, C: float = 1.0) -> None:
        super().__init__(C)
        self.folder = folder

    def steps(self) -> list[Any]:
        return [FunctionTransformer(_model2vec(self.folder).encode), StandardScaler(), super().steps()[-1]]


@cache
def _wordllama() -> Any:
    import wordllama

    # Without the folder it looks for the weights on the network.
    return wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)


@cache
def _model2vec(folder: str) -> Any:
    from model2vec import StaticModel

    if not Path(folder).is_dir():  # it would ask the network for one of that name
        raise TrainingError(f"{folder}: missing: name a folder that model2vec saved")
    try:
        return StaticModel.from_pretrained(folder)
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(f"{folder}: model2vec can't read it: {error}") from error


class KeywordList(BaseEstimator):
    """Expressions for each theme, in a TOML file; it learns nothing. Each that matches halves what the score lacks of 1."""

    def __init__(self, path: str, themes: Sequence[str]) -> None:
        self.path, self.themes = path, themes
        rules = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        self._patterns = [[re.compile(rule, re.IGNORECASE) for rule in rules[theme]] for theme in themes]

    def fit(self, texts: Texts, labels: Labels) -> KeywordList:
        return self

    def predict_proba(self, texts: Texts) -> Scores:
        matching = [[sum(bool(rule.search(text)) for rule in rules) for rules in self._patterns] for text in texts]
        return 1 - 0.5 ** np.array(matching, np.float64)


class FastText(BaseEstimator):
    """fastText (Joulin et al. 2017) of words and pairs with one-vs-all loss, on lower-cased text with punctuation set apart.

    Where a learning rate makes its weights overflow, half of it is taken.
    """

    def __init__(self, lr: float = 0.5, epoch: int = 25) -> None:
        import fasttext

        self._train = fasttext.train_supervised
        self.lr, self.epoch = lr, epoch

    def fit(self, texts: Texts, labels: Labels) -> FastText:
        self.themes_ = labels.shape[1]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "train.txt"
            lines = (f"{_marks(row)} {_plain(text)}\n" for text, row in zip(texts, labels, strict=True))
            path.write_text("".join(lines), encoding="utf-8")
            self.model_ = self._trained(str(path), self.lr)
        return self

    def _trained(self, path: str, lr: float) -> Any:
        fixed = {"wordNgrams": 2, "bucket": 200_000, "loss": "ova", "thread": 1, "seed": 1, "verbose": 0}
        try:
            return self._train(path, lr=lr, epoch=self.epoch, **fixed)
        except RuntimeError as error:
            if "NaN" not in str(error):
                raise
            return self._trained(path, lr / 2)

    def predict_proba(self, texts: Texts) -> Scores:
        scores = np.zeros((len(texts), self.themes_ + 1))
        for row, found in enumerate(zip(*self.model_.predict([_plain(text) for text in texts], k=-1), strict=True)):
            for mark, score in zip(*found, strict=True):
                scores[row, int(mark.removeprefix("__label__"))] = score
        return scores[:, :-1]


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+|[^\w\s]", text.lower()))


def _marks(row: Labels) -> str:
    """fastText passes over lines without a label: passages that carry no theme get one of their own."""
    return " ".join(f"__label__{theme}" for theme in np.flatnonzero(row)) or f"__label__{len(row)}"


class SpacyBagOfWords(BaseEstimator):
    """spaCy's text categoriser over a bag of words and pairs, trained by Adam in batches of 256 passages."""

    def __init__(self, epochs: int = 10, learn_rate: float = 0.001) -> None:
        import spacy

        self._spacy = spacy
        self.epochs, self.learn_rate = epochs, learn_rate

    def fit(self, texts: Texts, labels: Labels) -> SpacyBagOfWords:
        from spacy.training import Example
        from spacy.util import fix_random_seed, minibatch
        from thinc.api import Adam

        fix_random_seed(0)
        self.themes_ = [str(theme) for theme in range(labels.shape[1])]
        self.nlp_ = self._spacy.blank("en")
        model = {
            "@architectures": "spacy.TextCatBOW.v3",
            "exclusive_classes": False,
            "ngram_size": 2,
            "no_output_layer": False,
            "length": 65_536,
        }
        self.nlp_.add_pipe("textcat_multilabel", config={"model": model})
        examples = [
            Example.from_dict(self.nlp_.make_doc(text), {"cats": dict(zip(self.themes_, map(float, row), strict=True))})
            for text, row in zip(texts, labels, strict=True)
        ]
        self.nlp_.initialize(lambda: examples)
        adam, order = Adam(self.learn_rate), random.Random(0)
        for _ in range(self.epochs):
            order.shuffle(examples)
            for batch in minibatch(examples, 256):
                self.nlp_.update(batch, sgd=adam)
        return self

    def predict_proba(self, texts: Texts) -> Scores:
        return np.array([[document.cats[theme] for theme in self.themes_] for document in self.nlp_.pipe(texts)])
