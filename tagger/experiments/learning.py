"""Settings -> a learner: tagger's own, an estimator of scikit-learn by its name, or a class of one's own by its import path."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator, is_classifier
from sklearn.feature_selection import VarianceThreshold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline

from tagger.experiments.settings import Features, OtherEstimator, Settings, TaggerEstimator, Vectorizer
from tagger.features import FeatureSettings
from tagger.learners import ClassifierLearner, Learner, TaggerLearner
from tagger.training import FeatureTransformer, TrainingSettings

Lexicon = Mapping[str, tuple[str, ...]]


class SettingError(Exception):
    """A setting that can't be used: where it stands, and what is wrong with it."""

    def __init__(self, keys: tuple[str, ...], message: str) -> None:
        self.keys = keys
        super().__init__(message)

    def __reduce__(self) -> tuple[type[SettingError], tuple[tuple[str, ...], str]]:
        """What it is made of again in another process."""
        return type(self), (self.keys, str(self))


def make_learner(settings: Settings, folder: Path, lexicon: Lexicon, seed: int) -> Learner:
    """Make the learner of an experiment in ``folder``.

    Raises
    ------
    SettingError
        There is no such class, or it does not take these parameters.
    """
    estimator = settings.estimator
    if isinstance(estimator, TaggerEstimator):
        return TaggerLearner(training_settings(settings, lexicon, seed))
    if ":" in estimator.kind and hasattr(found := _own(estimator.kind, folder, ("estimator",)), "learn"):
        learner: Learner = _made(found, estimator.parameters, seed, ("estimator",))
        return learner
    return ClassifierLearner(lambda: _classifier(settings, estimator, folder, lexicon, seed), estimator.folds, seed)


def training_settings(settings: Settings, lexicon: Lexicon, seed: int) -> TrainingSettings:
    """Return the settings of tagger's own training."""
    return TrainingSettings(features=settings.feature_settings(lexicon), seed=seed, **settings.estimator.model_dump(exclude={"kind"}))


def check(settings: Settings, folder: Path) -> None:
    """Refuse settings that no learner can be made with.

    Raises
    ------
    SettingError
        What is wrong first.
    """
    for name, value in settings.features.model_dump().items():
        try:
            FeatureSettings(**{name: value})
        except ValueError as error:
            raise SettingError(("features", name), str(error)) from error
    if not settings.hears_features and settings.features != Features():
        raise SettingError(("features",), "this estimator does not use tagger's features: leave them out, or give it their vectorizer")
    learner = make_learner(settings, folder, {}, 0)
    if isinstance(learner, ClassifierLearner):
        learner.make()


def _classifier(settings: Settings, estimator: OtherEstimator, folder: Path, lexicon: Lexicon, seed: int) -> Any:
    """A classifier of texts that has not learned."""
    keys = ("estimator",)
    if ":" in estimator.kind:
        classifier = _made(_own(estimator.kind, folder, keys), estimator.parameters, seed, keys)
        if not hasattr(classifier, "fit") or not (hasattr(classifier, "decision_function") or hasattr(classifier, "predict_proba")):
            raise SettingError(
                (*keys, "kind"), "the class needs fit, and decision_function or predict_proba; or learn, as a learner has it"
            )
    else:
        classifier = _made(_named(estimator.kind, keys), estimator.parameters, seed, keys)
        if not is_classifier(classifier):
            raise SettingError((*keys, "kind"), "is not a classifier")
        if not (hasattr(classifier, "decision_function") or hasattr(classifier, "predict_proba")):
            raise SettingError((*keys, "kind"), "gives neither decisions nor probabilities, which calibration and thresholds need")
        if estimator.vectorizer is None:
            raise SettingError(keys, "an estimator of scikit-learn needs an [estimator.vectorizer] that turns texts into a matrix")
        classifier = OneVsRestClassifier(classifier)
    if estimator.vectorizer is None:
        return classifier
    return make_pipeline(*_vectorizer(settings, estimator.vectorizer, folder, lexicon, seed), classifier)


def _vectorizer(settings: Settings, vectorizer: Vectorizer, folder: Path, lexicon: Lexicon, seed: int) -> list[Any]:
    keys = ("estimator", "vectorizer")
    if vectorizer.kind == "tagger":
        if vectorizer.parameters:
            raise SettingError((*keys, "parameters"), "tagger's features take none: write them in [features]")
        # Most of the hashed columns are empty: a classifier would keep weights for millions of them.
        return [FeatureTransformer(settings.feature_settings(lexicon)), VarianceThreshold()]
    found = _own(vectorizer.kind, folder, keys) if ":" in vectorizer.kind else _named(vectorizer.kind, keys)
    made = _made(found, vectorizer.parameters, seed, keys)
    if not hasattr(made, "fit") or not hasattr(made, "transform"):
        raise SettingError((*keys, "kind"), "a vectorizer needs fit and transform")
    return [made]


def _named(name: str, keys: tuple[str, ...]) -> Callable[..., Any]:
    """A class of scikit-learn."""
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise SettingError((*keys, "kind"), f"scikit-learn has no {name}") from error
    if not inspect.isclass(found) or not issubclass(found, BaseEstimator):
        raise SettingError((*keys, "kind"), f"{name} is not an estimator of scikit-learn")
    return found


def _own(path: str, folder: Path, keys: tuple[str, ...]) -> Callable[..., Any]:
    """A class of one's own, from the experiment's folder, the working directory or what is installed."""
    module, _, attribute = path.partition(":")
    places = [folder.resolve(), Path.cwd()]
    # Behind all others, so that no file of an experiment stands in for a library.
    sys.path += [str(place) for place in places if str(place) not in sys.path]
    importlib.invalidate_caches()
    try:
        imported = importlib.import_module(module)
        found: Any = getattr(imported, attribute)
    except Exception as error:  # whatever one's own code raises
        if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
            said = f"no module {module!r} in the experiment's folder or the working directory"
        else:
            said = f"importing {path} fails: {type(error).__name__}: {error}"
        raise SettingError((*keys, "kind"), said) from error
    meant = [file for place in places for file in _files(place.joinpath(*module.split("."))) if file.is_file()]
    if meant and meant[0] != Path(imported.__file__ or "").resolve():
        raise SettingError((*keys, "kind"), f"{meant[0].name} is hidden by another module of its name: give it another name")
    if not inspect.isclass(found):
        raise SettingError((*keys, "kind"), f"{attribute} is not a class")
    return found


def _files(module: Path) -> tuple[Path, Path]:
    return module.with_suffix(".py"), module / "__init__.py"


def _made(found: Callable[..., Any], parameters: Mapping[str, Any], seed: int, keys: tuple[str, ...]) -> Any:
    """An object of a class; its values are checked as far as the class can tell before it learns."""
    known = inspect.signature(found).parameters
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
        for name in parameters:
            if name not in known:
                raise SettingError((*keys, "parameters", name), f"unknown parameter; known are {', '.join(known) or 'none'}")
    given = {name: _as_default(value, known.get(name)) for name, value in parameters.items()}
    if "random_state" in known:
        given.setdefault("random_state", seed)
    try:
        made = found(**given)
        # Not public, but the only way to learn of a bad value before hours of fitting; scikit-learn's own classes have it.
        getattr(made, "_validate_params", lambda: None)()
    except Exception as error:  # whatever a class raises
        wrong = [name for name in parameters if re.search(rf"\b{re.escape(name)}\b", str(error))]
        raise SettingError((*keys, "parameters", *wrong[:1]), str(error) or type(error).__name__) from error
    return made


def _as_default(value: Any, parameter: inspect.Parameter | None) -> Any:
    """A list where a tuple is meant, which TOML does not have, becomes one."""
    return tuple(value) if isinstance(value, list) and parameter is not None and isinstance(parameter.default, tuple) else value
