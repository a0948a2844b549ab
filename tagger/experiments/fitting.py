"""One learner fitted and tried on passages that it did not see: many such fits in parallel, each kept in a cache."""

from __future__ import annotations

import functools
import hashlib
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import joblib
import numpy as np
import scipy
import sklearn
from numpy.typing import NDArray

import tagger
from tagger.corpus import asked_matrix, label_matrix
from tagger.errors import OutputError, TaggerError, TrainingError
from tagger.experiments.data import Data
from tagger.experiments.files import Experiment
from tagger.experiments.learning import Lexicon, make_learner
from tagger.experiments.settings import Settings
from tagger.experiments.sources import own_digest, own_modules
from tagger.learners import LearnedModel

CACHE = ".cache"

VERSIONS = {"tagger": tagger.__version__, "scikit-learn": sklearn.__version__, "numpy": np.__version__, "scipy": scipy.__version__}

_PACKAGE = Path(tagger.__file__).parent

Marks = dict[str, list[tuple[int, int, float]]]
"""Theme -> start, end and weight of the spans that decided."""


@dataclass(frozen=True, eq=False)
class Task:
    """A fit: settings, a seed, and the rows to learn from and to be tried on."""

    settings: Settings
    seed: int
    train: NDArray[np.int64]
    test: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Fitted:
    """What came of a fit: scores and labels (n, themes) of the rows it was tried on, and the evidence where it was wrong."""

    scores: NDArray[np.float64]
    predicted: NDArray[np.bool_]
    seconds: float
    evidence: dict[int, Marks]
    """Row of those it was tried on -> what spoke for the themes on which it differs from people."""


@dataclass(frozen=True, eq=False)
class _Job:
    """What a fit needs beside its rows; the key that it is kept under stands for it."""

    settings: Settings
    folder: Path
    corpus: datasets.Dataset
    lexicon: Lexicon


class Fitter:
    """Does the fits of an experiment, those that are not in its cache; ``fresh`` empties the cache first."""

    def __init__(self, experiment: Experiment, data: Data, *, jobs: int = 1, fresh: bool = False) -> None:
        self._experiment = experiment
        self._data = data
        self._jobs = jobs
        cache = experiment.folder / CACHE
        try:
            if fresh and cache.exists():
                shutil.rmtree(cache)
            cache.mkdir(exist_ok=True)
            (cache / ".gitignore").write_text("*\n", encoding="utf-8")
        except OSError as error:
            raise OutputError(f"{cache}: can't be written: {error.strerror or error}") from error
        self._code = functools.cache(lambda modules: _code_digest(modules, experiment.folder))  # a search fits hundreds of times
        self._fit = joblib.Memory(cache, verbose=0).cache(_fit, ignore=["job"])

    def __call__(self, tasks: Sequence[Task], done: Callable[[], None]) -> list[Fitted]:
        """Return what came of the tasks, in their order; ``done`` is called after each."""
        found = []
        with joblib.Parallel(n_jobs=self._jobs, return_as="generator") as parallel:
            for fitted in parallel(joblib.delayed(self._fit)(*self._arguments(task)) for task in tasks):
                found.append(fitted)
                done()
        return found

    def kept(self, tasks: Sequence[Task]) -> int:
        """Count the tasks whose fits are in the cache."""
        return sum(self._fit.check_call_in_cache(*self._arguments(task)) for task in tasks)

    def _arguments(self, task: Task) -> tuple[str, int, NDArray[np.int64], NDArray[np.int64], _Job]:
        lexicon, folder = self._data.codebook.lexicon, self._experiment.folder
        code = self._code(own_modules(task.settings))
        key = f"{task.settings.model_dump_json(include={'estimator', 'features'})} {self._data.digest} {code}"
        return key, task.seed, task.train, task.test, _Job(task.settings, folder, self._data.corpus, lexicon)


def code_digest(settings: Settings, folder: Path) -> str:
    """SHA-256 of the code that a fit may depend on: all of tagger's, one's own (see `own_digest`), and the versions of the libraries."""
    return _code_digest(own_modules(settings), folder)


def _code_digest(modules: tuple[str, ...], folder: Path) -> str:
    parts = [VERSIONS, own_digest(modules, folder), *(file.read_bytes() for file in sorted(_PACKAGE.rglob("*.py")))]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@contextmanager
def failures_named(settings: Settings) -> Iterator[None]:
    """Make whatever an estimator raises a TrainingError that names the estimator."""
    try:
        yield
    except TaggerError:
        raise
    except Exception as error:
        raise TrainingError(f"the estimator {settings.estimator.kind} fails: {type(error).__name__}: {error}") from error


def _fit(key: str, seed: int, train: NDArray[np.int64], test: NDArray[np.int64], job: _Job) -> Fitted:
    """Learn from some rows and say what others carry."""
    started = time.perf_counter()
    tested = job.corpus.select(test)
    with failures_named(job.settings):
        learned = make_learner(job.settings, job.folder, job.lexicon, seed).learn(job.corpus.select(train))
        said: Any = learned.predict(tested)
        scores, predicted = np.asarray(said[0], np.float64), np.asarray(said[1], np.bool_)
    seconds = time.perf_counter() - started
    labels = label_matrix(tested)
    if scores.shape != labels.shape or predicted.shape != labels.shape or not np.isfinite(scores).all():
        raise TrainingError(
            f"the estimator {job.settings.estimator.kind} must give a finite score and a label for each of {labels.shape[0]} passages and "
            f"{labels.shape[1]} themes: it gives {scores.shape} and {predicted.shape}, {int((~np.isfinite(scores)).sum())} not finite"
        )
    predicted &= asked_matrix(tested)
    return Fitted(scores, predicted, seconds, _evidence(learned, tested, predicted != labels) if isinstance(learned, LearnedModel) else {})


def _evidence(learned: LearnedModel, corpus: datasets.Dataset, wrong: NDArray[np.bool_]) -> dict[int, Marks]:
    rows = np.flatnonzero(wrong.any(axis=1))
    found = learned.model.evidence(list(corpus.select(rows)["text"]), wrong[rows])
    return {
        int(row): {theme: [(span.start, span.end, span.weight) for span in spans] for theme, spans in marks.items()}
        for row, marks in zip(rows, found, strict=True)
    }
