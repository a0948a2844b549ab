"""Who is measured: tagger and its peers as learners, each with the parameters that it may choose between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import peers
from benchmarks import Benchmark
from sklearn.metrics import average_precision_score

from tagger.corpus import label_matrix
from tagger.duplicates import same_words
from tagger.errors import TrainingError
from tagger.learners import Classifier, ClassifierLearner, Learned, Learner, Said, TaggerLearner, decide
from tagger.training import TrainingSettings, document_folds

OURS = "tagger"
ALONE = "tagger_alone"
"""tagger without what counts in running text only: what a passage hears of its neighbours, and what form of line it is."""
TITLES = {
    OURS: "tagger",
    ALONE: "tagger, each passage alone, without form",
    "keywords": "keyword list",
    "words_logistic": "words, logistic regression",
    "words_characters_logistic": "words and characters, logistic regression",
    "words_svm": "words, linear SVM",
    "words_bayes": "words, complement naive Bayes",
    "fasttext": "fastText",
    "spacy": "spaCy, bag of words",
    "wordllama": "wordllama, logistic regression",
    "model2vec": "model2vec, logistic regression",
}

_STRENGTHS = [{"C": C} for C in (1.0, 3.0, 10.0, 30.0, 100.0)]
_EMBEDDED = [{"C": C} for C in (0.001, 0.01, 0.1, 1.0)]
_FASTTEXT = ((0.1, 50), (0.25, 25), (0.5, 25), (0.5, 50), (1.0, 50))
GRIDS: dict[str, Sequence[Mapping[str, Any]]] = {
    "words_logistic": _STRENGTHS,
    "words_characters_logistic": _STRENGTHS,
    "words_svm": [{"C": C} for C in (0.03, 0.1, 0.3, 1.0, 3.0)],
    "words_bayes": [{"alpha": alpha} for alpha in (0.01, 0.03, 0.1, 0.3, 1.0)],
    "fasttext": [{"lr": lr, "epoch": epoch} for lr, epoch in _FASTTEXT],
    "spacy": [{"epochs": epochs, "learn_rate": rate} for epochs, rate in ((10, 0.003), (20, 0.02))],
    "wordllama": _EMBEDDED,
    "model2vec": _EMBEDDED,
}
_KINDS: dict[str, Callable[..., Classifier]] = {
    "words_logistic": peers.WordsLogistic,
    "words_characters_logistic": peers.WordsCharactersLogistic,
    "words_svm": peers.WordsSVM,
    "words_bayes": peers.WordsBayes,
    "fasttext": peers.FastText,
    "spacy": peers.SpacyBagOfWords,
    "wordllama": peers.WordLlamaLogistic,
    "model2vec": peers.Model2VecLogistic,
}


@dataclass(frozen=True)
class TunedLearner:
    """A classifier whose parameters are chosen as tagger chooses its penalty: by mean average precision on the training documents, out of
    fold. Calibration and thresholds are then those of `ClassifierLearner`.
    """

    make: Callable[..., Classifier]
    grid: Sequence[Mapping[str, Any]]
    folds: int = 5
    seed: int = 0

    def learn(self, corpus: datasets.Dataset) -> LearnedTuned:
        """Choose, then fit."""
        chosen = max(self.grid, key=lambda parameters: self._precision(corpus, parameters)) if len(self.grid) > 1 else self.grid[0]
        return LearnedTuned(ClassifierLearner(partial(self.make, **chosen), self.folds, self.seed).learn(corpus), chosen)

    def _precision(self, corpus: datasets.Dataset, parameters: Mapping[str, Any]) -> float:
        texts, labels = list(corpus["text"]), label_matrix(corpus)
        decisions = np.zeros(labels.shape)
        for fit, held in document_folds(labels, corpus["document"], same_words(texts), self.folds, self.seed):
            fitted = self.make(**parameters).fit([texts[row] for row in fit], labels[fit])
            decisions[held] = decide(fitted, [texts[row] for row in held], labels.shape[1])
        return float(average_precision_score(labels, decisions, average="macro"))


@dataclass(frozen=True)
class LearnedTuned:
    """What was learned, and with which parameters."""

    learned: Learned
    chosen: Mapping[str, Any]

    def predict(self, corpus: datasets.Dataset) -> Said:
        """Score every passage by itself."""
        return self.learned.predict(corpus)


@dataclass(frozen=True)
class KeywordLearner:
    """A keyword list as it stands: it has nothing to choose or to calibrate."""

    keywords: peers.KeywordList

    def learn(self, corpus: datasets.Dataset) -> KeywordLearner:
        """Learn nothing."""
        return self

    def predict(self, corpus: datasets.Dataset) -> Said:
        """Give a theme wherever one of its expressions matches."""
        scores = self.keywords.predict_proba(list(corpus["text"]))
        return scores, scores > 0


def learner(name: str, benchmark: Benchmark, model: Path | None) -> Learner:
    """Return the named contender for a benchmark.

    Raises
    ------
    TrainingError
        It has no part in this benchmark; the message says why.
    """
    if name == OURS:
        return TaggerLearner(TrainingSettings(features=benchmark.features))
    if name == ALONE:
        if benchmark.keywords:
            raise TrainingError("no running text to hear neighbours in: the same as tagger")
        return TaggerLearner(TrainingSettings(features=benchmark.features.alone()))
    if name == "keywords":
        if not benchmark.keywords:
            raise TrainingError("nobody wrote a keyword list for these labels")
        return KeywordLearner(peers.KeywordList(str(benchmark.keywords), benchmark.themes))
    kind = _KINDS[name]
    if name == "model2vec":
        if not model:
            raise TrainingError("no model folder was given: name one with --model")
        kind = partial(kind, str(model))
    return TunedLearner(kind, GRIDS[name])
