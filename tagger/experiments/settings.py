"""What an ``experiment.toml`` may say. Every table refuses keys that it does not know and values of another type."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tagger.errors import MissingExtraError
from tagger.features import FeatureSettings
from tagger.training import TrainingSettings

try:
    from pydantic import (
        AfterValidator,
        BaseModel,
        BeforeValidator,
        ConfigDict,
        Discriminator,
        Field,
        PositiveFloat,
        Tag,
        create_model,
        model_validator,
    )
except ImportError as error:
    raise MissingExtraError("pydantic", "train") from error

_TRAINING, _FEATURES = TrainingSettings(), FeatureSettings()
_KIND = re.compile(r"sklearn(\.\w+)+|\w+(\.\w+)*:\w+")


def _kind(value: str) -> str:
    if value != "tagger" and not _KIND.fullmatch(value):
        raise ValueError("write 'tagger', a full name as 'sklearn.naive_bayes.ComplementNB', or a class of your own as 'module:Class'")
    return value


def _all_weights(value: Any) -> Any:
    return {**_FEATURES.weights, **value} if isinstance(value, Mapping) else value


def _once(value: list[Any]) -> list[Any]:
    if len(set(value)) < len(value):
        raise ValueError(f"{max(value, key=value.count)!r} stands twice")
    return value


def _kept(value: Any) -> Any:
    """Refuse what JSON does not know: it could not be written into the results, nor be told apart in the cache."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError("write finite numbers, texts, true or false, or lists and tables of these") from error
    return value


Kind = Annotated[str, AfterValidator(_kind)]
Value = Annotated[Any, AfterValidator(_kept)]
Folders = Annotated[list[str], Field(min_length=1), AfterValidator(_once)]
Folds = Annotated[int, Field(ge=2)]


class UnknownKeyError(ValueError):
    """A key that a table does not know."""

    def __init__(self, key: str, known: Iterable[str]) -> None:
        self.key = key
        super().__init__(f"unknown key; known are {', '.join(known)}")


class Table(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known(cls, table: Any) -> Any:
        """Refuse unknown keys before anything else of the table: most are a known one misspelt."""
        for key in table if isinstance(table, Mapping) else ():
            if key not in cls.model_fields:
                raise UnknownKeyError(key, cls.model_fields)
        return table


class CrossValidation(Table):
    """Folds by document, balanced by theme; a repeat a seed."""

    kind: Literal["cross-validation"] = "cross-validation"
    folds: Folds = 5
    drop_near_duplicates: bool = False
    """Whether passages that nearly say what a test passage says are left out of what is learned from, in the folds of a search, too.

    Equal ones always are. Calibration and thresholds, which see no test passage, come from folds by document that keep equal ones
    apart.
    """


class OneCorpusOut(Table):
    """Each corpus in turn is tested on what is learned from the others."""

    kind: Literal["one-corpus-out"]
    drop_near_duplicates: bool = False


class TestCorpora(Table):
    """What is learned from the experiment's corpora is tested on others."""

    __test__ = False  # not a test of pytest's

    kind: Literal["test-corpora"]
    corpora: Folders
    drop_near_duplicates: bool = False


Split = CrossValidation | OneCorpusOut | TestCorpora


class TaggerEstimator(Table):
    """tagger's own training; the fields are those of `tagger.training.TrainingSettings`."""

    kind: Literal["tagger"] = "tagger"
    C: Annotated[list[PositiveFloat], Field(min_length=1)] = list(_TRAINING.C)
    class_weight: Literal["balanced"] | None = None
    inverse_frequency: bool = _TRAINING.inverse_frequency
    least: Annotated[int, Field(ge=1)] = _TRAINING.least
    folds: Folds = _TRAINING.folds


class Vectorizer(Table):
    """What turns texts into a matrix: "tagger" for its own features, or as an estimator's kind."""

    kind: Kind
    parameters: dict[str, Value] = {}


class OtherEstimator(Table):
    """An estimator of scikit-learn or of one's own.

    Calibration and thresholds come from ``folds`` grouped folds of what it learns from (see `tagger.learners.ClassifierLearner`).
    """

    kind: Kind
    parameters: dict[str, Value] = {}
    vectorizer: Vectorizer | None = None
    folds: Folds = 5


class Range(Table):
    """Values between two ends, all as probable, or their logarithms."""

    low: float
    high: float
    log: bool = False


class GridSearch(Table):
    """Every combination of the values, which are named by their place, such as "estimator.parameters.C"."""

    kind: Literal["grid"]
    parameters: Annotated[dict[str, Annotated[list[Value], Field(min_length=1)]], Field(min_length=1)]
    folds: Folds = 3


class RandomSearch(Table):
    """So many combinations, drawn at random from lists and ranges."""

    kind: Literal["random"]
    parameters: Annotated[
        dict[
            str,
            Annotated[
                Annotated[list[Value], Field(min_length=1), Tag("list")] | Annotated[Range, Tag("range")],
                Discriminator(lambda value: "list" if isinstance(value, list) else "range"),
            ],
        ],
        Field(min_length=1),
    ]
    tries: Annotated[int, Field(ge=1)] = 20
    folds: Folds = 3


Search = GridSearch | RandomSearch


def _features() -> dict[str, Any]:
    """All fields of `tagger.features.FeatureSettings` but the lexicon, which is the codebook's.

    Weights that are left out keep their defaults; 0 is without.
    """
    plain = {name: (type(value), value) for name, value in vars(_FEATURES).items() if name != "lexicon"}
    return {**plain, "weights": (Annotated[dict[str, float], BeforeValidator(_all_weights)], dict(_FEATURES.weights))}


if TYPE_CHECKING:
    Features = Table
else:
    Features = create_model("Features", __base__=Table, **_features())


def _estimator(value: Any) -> str:
    kind = value.get("kind", "tagger") if isinstance(value, Mapping) else getattr(value, "kind", "tagger")
    return "tagger" if kind == "tagger" else "other"


class Settings(Table):
    """The whole file. Paths are relative to its folder."""

    title: str = ""
    about: str = ""
    corpora: Folders
    themes: str
    seeds: Annotated[list[Annotated[int, Field(ge=0, lt=1 << 32)]], Field(min_length=1), AfterValidator(_once)] = [0]
    """Everything is done once with each: the folds are other ones, and so is what an estimator does at random."""
    quote: bool = True
    """Whether passages may be shown in the report and in comparisons."""
    save_model: bool = False
    split: Annotated[Split, Field(discriminator="kind")] = CrossValidation()
    features: Features = Features()
    estimator: Annotated[Annotated[TaggerEstimator, Tag("tagger")] | Annotated[OtherEstimator, Tag("other")], Discriminator(_estimator)] = (
        TaggerEstimator()
    )
    search: Annotated[Search, Field(discriminator="kind")] | None = None

    @property
    def hears_features(self) -> bool:
        """Whether tagger's features are counted at all."""
        estimator = self.estimator
        return isinstance(estimator, TaggerEstimator) or (estimator.vectorizer is not None and estimator.vectorizer.kind == "tagger")

    def feature_settings(self, lexicon: Mapping[str, tuple[str, ...]]) -> FeatureSettings:
        """Return the features with the lexicon of the codebook."""
        return FeatureSettings(**self.features.model_dump(), lexicon=lexicon)

    def changed(self, values: Mapping[str, Any]) -> Settings:
        """Return these settings with other values, which are named by their place, without a search."""
        plain = {**self.model_dump(), "search": None}
        for place, value in values.items():
            table: Any = plain
            *tables, key = place.split(".")
            for name in tables:
                table = table.setdefault(name, {}) if isinstance(table, dict) else {}
            if isinstance(table, dict):
                table[key] = value
        return Settings.model_validate(plain)
