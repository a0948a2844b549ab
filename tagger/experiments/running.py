"""An experiment from its file to its results."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from tagger.building import build_model
from tagger.errors import OutputError
from tagger.evaluation.metrics import measure
from tagger.evaluation.predictions import Predictions
from tagger.experiments.data import Data, folds, read_data, search_folds
from tagger.experiments.files import Experiment
from tagger.experiments.fitting import VERSIONS, Fitted, Fitter, Task, code_digest, failures_named
from tagger.experiments.learning import make_learner, training_settings
from tagger.experiments.results import Results
from tagger.experiments.searching import Values, best, candidates, check_all
from tagger.experiments.settings import TaggerEstimator
from tagger.writing.whole import whole

MODEL = "model"


Watch = Callable[[str, int, int], Callable[[], None]]
"""Is told of so many fits of a kind, some of them kept from before; what it returns is called after each."""


@dataclass(frozen=True, eq=False)
class _Place:
    """Rows to learn from and to be tested on with a seed."""

    seed: int
    train: NDArray[np.int64]
    test: NDArray[np.int64]


@dataclass(frozen=True)
class _Choice:
    """What a search took, and the macro-F1 of all that it tried."""

    values: Values
    tried: Sequence[tuple[Values, float]] = ()
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain values; nothing without a search."""
        tried = [{"values": values, "macro_f1": round(score, 4)} for values, score in self.tried]
        return {"chosen": self.values, "tried": tried} if tried else {}


class Run:
    """An experiment that is being run: its data, and the fits that it needs; ``fresh`` throws away those of earlier runs.

    Raises
    ------
    ExperimentError
        The file asks for what can't be done; the message names the line.
    """

    def __init__(
        self, experiment: Experiment, *, jobs: int = 1, fresh: bool = False, watch: Watch = lambda what, count, kept: lambda: None
    ) -> None:
        check_all(experiment)
        self.experiment = experiment
        self.data = read_data(experiment)
        self._fitter = Fitter(experiment, self.data, jobs=jobs, fresh=fresh)
        self._watch = watch

    def results(self) -> Results:
        """Fit what is not kept from before, and measure.

        Raises
        ------
        TrainingError
            The documents or the themes don't suffice, or the estimator fails.
        """
        settings, data = self.experiment.settings, self.data
        places = [_Place(seed, fold.train, fold.test) for seed, fold in folds(self.experiment, data)]
        choices = self._choose(places)
        tasks = [
            Task(settings.changed(choice.values), place.seed, place.train, place.test)
            for place, choice in zip(places, choices, strict=True)
        ]
        fitted = self._fit("folds", tasks)
        predictions = _predictions(data, places, fitted)
        return Results(
            predictions=predictions,
            settings=settings.model_dump(mode="json"),
            folds=[
                {
                    "seed": place.seed,
                    "train": len(place.train),
                    "test": len(place.test),
                    "seconds": round(one.seconds + choice.seconds, 2),
                    **choice.to_json(),
                }
                for place, choice, one in zip(places, choices, fitted, strict=True)
            ],
            figures=measure(predictions).card(),
            evidence=_evidence(data, places, fitted),
            versions={"python": platform.python_version(), **VERSIONS},
            code=code_digest(settings, self.experiment.folder),
            codebook=data.codebook.digest,
        )

    def save_model(self) -> Path:
        """Learn from all passages that are not there to test on only, and save what was learned beside the file.

        tagger's own model becomes a folder that `tagger.load` opens; another becomes a file of joblib, which to open is to trust.

        Raises
        ------
        TrainingError
            The estimator fails.
        OutputError
            The file can't be written, or what was learned can't be pickled.
        """
        settings, folder = self.experiment.settings, self.experiment.folder
        rows = np.arange(self.data.learned)
        choice = self._choose([_Place(settings.seeds[0], rows, rows[:0])])[0]
        chosen, lexicon, seed = settings.changed(choice.values), self.data.codebook.lexicon, settings.seeds[0]
        if isinstance(chosen.estimator, TaggerEstimator):
            corpora = [folder / corpus for corpus in settings.corpora]
            training = training_settings(chosen, lexicon, seed)
            build_model(corpora, folder / MODEL, themes=folder / settings.themes, settings=training)
            return folder / MODEL
        with failures_named(chosen):
            learned = make_learner(chosen, folder, lexicon, seed).learn(self.data.corpus.select(rows))
        path = folder / f"{MODEL}.joblib"
        with whole(path) as stream:
            try:
                joblib.dump(learned, stream)
            except OSError:
                raise
            except Exception as error:  # whatever a class raises
                said = f"what {chosen.estimator.kind} learned can't be pickled: {type(error).__name__}: {error}"
                raise OutputError(f"{said}: mend the class, or leave out save_model") from error
        return path

    def _fit(self, what: str, tasks: Sequence[Task]) -> list[Fitted]:
        return self._fitter(tasks, self._watch(what, len(tasks), self._fitter.kept(tasks)))

    def _choose(self, places: Sequence[_Place]) -> list[_Choice]:
        """Search anew in what each place learns from, on folds of its documents."""
        settings, data = self.experiment.settings, self.data
        tried = candidates(settings)
        if settings.search is None or len(tried) == 1:
            return [_Choice(tried[0]) for _ in places]
        inner = [search_folds(settings, settings.search, data, place.train, place.seed) for place in places]
        tasks = [
            Task(settings.changed(values), place.seed, fold.train, fold.test)
            for place, parts in zip(places, inner, strict=True)
            for values in tried
            for fold in parts
        ]
        fitted = iter(self._fit("search", tasks))
        choices = []
        for parts in inner:
            found = [[next(fitted) for _ in parts] for _ in tried]
            labels = np.concatenate([data.labels[fold.test] for fold in parts])
            taken, scores = best(labels, [np.concatenate([one.predicted for one in each]) for each in found])
            seconds = sum(one.seconds for each in found for one in each)
            choices.append(_Choice(tried[taken], list(zip(tried, scores, strict=True)), seconds))
        return choices


def _predictions(data: Data, places: Sequence[_Place], fitted: Sequence[Fitted]) -> Predictions:
    rows = np.concatenate([place.test for place in places])
    ids = data.corpus["id"]
    return Predictions(
        themes=data.codebook.names,
        ids=tuple(ids[int(row)] for row in rows),
        documents=tuple(data.documents[row] for row in rows),
        fold=np.repeat(np.arange(len(places)), [len(place.test) for place in places]),
        labels=data.labels[rows],
        scores=np.concatenate([one.scores for one in fitted]).round(6),  # as they are written: figures made again are the same
        predicted=np.concatenate([one.predicted for one in fitted]),
        corpora=data.digests,
        asked=None if data.asked.all() else data.asked[rows],
    )


def _evidence(data: Data, places: Sequence[_Place], fitted: Sequence[Fitted]) -> dict[str, dict[str, Any]]:
    """By document, id and theme: of several fits that were wrong about a theme of a passage the first one's."""
    ids = data.corpus["id"]
    found: dict[str, dict[str, Any]] = {}
    for place, one in zip(places, fitted, strict=True):
        for row, marks in one.evidence.items():
            of_document = found.setdefault(data.documents[place.test[row]], {})
            name = ids[int(place.test[row])]
            of_document[name] = {**marks, **of_document.get(name, {})}
    return found
