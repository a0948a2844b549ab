"""Which values of a search are tried, and which of them are taken: by macro-F1 on folds of what is learned from, never on test passages."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from sklearn.metrics import f1_score

from tagger.experiments.files import Experiment, first_problem
from tagger.experiments.learning import SettingError, check
from tagger.experiments.settings import GridSearch, RandomSearch, Range, Settings

Values = Mapping[str, Any]
"""Place of a setting -> its value."""


def candidates(settings: Settings) -> list[Values]:
    """Return what is tried: nothing but the settings themselves without a search."""
    search = settings.search
    if search is None:
        return [{}]
    if isinstance(search, GridSearch):
        return [dict(zip(search.parameters, values, strict=True)) for values in itertools.product(*search.parameters.values())]
    return _drawn(search, np.random.default_rng(settings.seeds[0]))


def best(labels: NDArray[np.int64], predicted: Sequence[NDArray[np.bool_]]) -> tuple[int, list[float]]:
    """Return which candidate's predictions (n, themes) have the highest macro-F1, the first of equals, and each one's."""
    scores = [float(f1_score(labels, each, average="macro", zero_division=0)) for each in predicted]
    return int(np.argmax(scores)), scores


def check_all(experiment: Experiment) -> None:
    """Refuse settings, and values of a search, that no learner can be made with.

    Raises
    ------
    ExperimentError
        The message names the line.
    """
    settings = experiment.settings
    try:
        check(settings, experiment.folder)
    except SettingError as error:
        raise experiment.wrong(error.keys, str(error)) from error
    for place, values in settings.search.parameters.items() if settings.search else ():
        for value in (values.low, values.high) if isinstance(values, Range) else values:
            if problem := _problem(settings, place, value, experiment.folder):
                raise experiment.wrong(("search", "parameters", place), f"{value!r}: {problem}")
        if isinstance(values, Range) and not (values.low < values.high and (values.low > 0 or not values.log)):
            raise experiment.wrong(("search", "parameters", place), "low must be less than high, and above 0 where log is true")


def _problem(settings: Settings, place: str, value: Any, folder: Path) -> str | None:
    if not place.startswith(("features.", "estimator.")):
        return (
            "search for values of features and of the estimator: write 'features.NAME', 'estimator.NAME' or, of a class, "
            "'estimator.parameters.NAME'"
        )
    try:
        check(settings.changed({place: value}), folder)
    except SettingError as error:
        return f"{'.'.join(error.keys)}: {error}"
    except ValidationError as error:
        keys, message = first_problem(error, {})
        return f"{'.'.join(map(str, keys)) or place}: {message}"
    return None


def _drawn(search: RandomSearch, random: np.random.Generator) -> list[Values]:
    """Different combinations: of lists only, there may be fewer than asked for."""
    found: list[Values] = []
    for _ in range(50 * search.tries):
        drawn = {place: _draw(values, random) for place, values in search.parameters.items()}
        if drawn not in found and len(found) < search.tries:
            found.append(drawn)
    return found


def _draw(values: list[Any] | Range, random: np.random.Generator) -> Any:
    if isinstance(values, list):
        return values[random.integers(len(values))]
    if values.log:
        return float(np.exp(random.uniform(math.log(values.low), math.log(values.high))))
    return float(random.uniform(values.low, values.high))
