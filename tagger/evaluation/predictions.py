"""What a classifier said of passages that it did not see: all that figures, comparisons and reports are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.errors import TrainingError

_TEXT = ("themes", "ids", "documents")


@dataclass(frozen=True)
class Predictions:
    """Scores and labels of ``n`` passages, a row a passage (in repeated cross-validation a row a passage and repeat).

    Attributes
    ----------
    themes : names of the themes, in column order
    ids : (n,) ids of the passages, in their corpus
    documents : (n,) the document of each passage, as corpus/document: the unit of resampling
    fold : (n,) int, which fit made the row's scores; rows of one fit are comparable with each other
    labels : (n, themes) 0 or 1, what people said
    scores : (n, themes) float64, calibrated probabilities where the classifier has them; never NaN
    predicted : (n, themes) bool, what the classifier said at thresholds chosen without these passages
    corpora : name of a corpus -> SHA-256 of its passages
    asked : (n, themes) bool, whether people read the passage for the theme; for all of them where it is left out. Of what they did not,
        ``labels`` and ``predicted`` are 0 and count for nothing
    """

    themes: tuple[str, ...]
    ids: tuple[str, ...]
    documents: tuple[str, ...]
    fold: NDArray[np.int64]
    labels: NDArray[np.int64]
    scores: NDArray[np.float64]
    predicted: NDArray[np.bool_]
    corpora: Mapping[str, str]
    asked: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        """Refuse what can't be measured."""
        shape = (len(self.ids), len(self.themes))
        if len(self.documents) != shape[0] or self.fold.shape != shape[:1]:
            raise TrainingError("predictions need an id, a document and a fold for each passage")
        for name in ("labels", "scores", "predicted"):
            if getattr(self, name).shape != shape:
                raise TrainingError(f"{name} must be {shape[0]} passages by {shape[1]} themes, not {getattr(self, name).shape}")
        if self.asked is not None and (self.asked.shape != shape or (~self.asked & (self.predicted | (self.labels == 1))).any()):
            raise TrainingError("asked must be passages by themes, without a label where a passage was not read for the theme")
        if not np.isfinite(self.scores).all():
            row, column = np.argwhere(~np.isfinite(self.scores))[0]
            raise TrainingError(
                f"the estimator's score of passage {self.ids[row]!r} for {self.themes[column]!r} is not a finite number: mend the estimator"
            )

    def __len__(self) -> int:
        return len(self.ids)

    def shares(self) -> NDArray[np.float64]:
        """What part of its passage each row is: a passage that was scored several times counts once, its rows in equal parts."""
        passages = list(zip(self.documents, self.ids, strict=True))
        rows = Counter(passages)
        return np.array([1 / rows[passage] for passage in passages])

    def rows(self, chosen: NDArray[Any]) -> Predictions:
        """Return some of the rows, by their numbers or by a mask."""
        place = np.arange(len(self))[chosen]
        return Predictions(
            self.themes,
            tuple(self.ids[row] for row in place),
            tuple(self.documents[row] for row in place),
            self.fold[place],
            self.labels[place],
            self.scores[place],
            self.predicted[place],
            self.corpora,
            None if self.asked is None else self.asked[place],
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values: lists a field; scores with six decimals."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        arrays = {name: value.tolist() for name, value in plain.items() if isinstance(value, np.ndarray)}
        return {
            **plain,
            **arrays,
            **{name: list(plain[name]) for name in _TEXT},
            "corpora": dict(self.corpora),
            "scores": self.scores.round(6).tolist(),
            "predicted": self.predicted.astype(int).tolist(),
            "asked": None if self.asked is None else self.asked.astype(int).tolist(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Predictions:
        """Read what `to_json` wrote.

        Raises
        ------
        TrainingError
            A field is missing or does not fit the others.
        """
        try:
            themes, ids, documents = (tuple(map(str, value[name])) for name in _TEXT)
            shape = (len(ids), len(themes))
            return cls(
                themes,
                ids,
                documents,
                np.array(value["fold"], np.int64),
                np.array(value["labels"], np.int64).reshape(shape),
                np.array(value["scores"], np.float64).reshape(shape),
                np.array(value["predicted"], np.int64).reshape(shape).astype(bool),
                {str(name): str(digest) for name, digest in dict(value["corpora"]).items()},
                None if value.get("asked") is None else np.array(value["asked"], np.int64).reshape(shape).astype(bool),
            )
        except TrainingError:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise TrainingError(f"not the predictions of an experiment: {type(error).__name__}: {error}") from error
