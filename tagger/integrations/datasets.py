"""Hugging Face datasets: a function for `Dataset.map` that tags a column of texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tagger import __version__
from tagger.errors import InputError, MissingExtraError
from tagger.integrations.columns import tag_texts
from tagger.tagging import Tagger, worker_tagger

try:
    from datasets import Features, List, Value
except ImportError as error:
    raise MissingExtraError("datasets", "train") from error


class BatchTagger:
    """Gives a batch of rows a column ``tagger``: labels, scores, evidence and themes to review of each text, None for a missing one.

    It pickles small, so that ``num_proc`` processes load the model once each; its fingerprint hangs on the model, the column and the
    version of tagger alone, so that a map already made is taken from the cache.

    Examples
    --------
    >>> from datasets import Dataset
    >>> from tagger.integrations.datasets import BatchTagger
    >>> rows = Dataset.from_dict({"text": ["Police took bribes."]})
    >>> function = BatchTagger()
    >>> rows.map(function, batched=True, features=function.features(rows.features))[0]["tagger"]["labels"]
    ['complicity']
    """

    def __init__(self, tagger: Tagger | None = None, *, column: str = "text") -> None:
        self.tagger = tagger or worker_tagger()
        self.column = column
        self.version = __version__

    def __call__(self, batch: Mapping[str, Sequence[str | None]]) -> dict[str, list[dict[str, Any] | None]]:
        """Tag the texts of a batch, each by itself.

        Raises
        ------
        InputError
            There is no such column, it is not one of texts, or rows come one by one.
        """
        if self.column not in batch:
            raise InputError(f"there is no column {self.column!r}: name one of {', '.join(batch)}")
        texts = batch[self.column]
        if isinstance(texts, str):
            raise InputError("rows come one by one: call map with batched=True")
        return {"tagger": tag_texts(self.tagger, texts)}

    def features(self, given: Features) -> Features:
        """The types of a dataset's columns and of the new one, which a first batch without any label would not tell."""
        span = {"start": Value("int32"), "end": Value("int32"), "weight": Value("float32")}
        new = {
            "labels": List(Value("string")),
            "scores": {theme: Value("float32") for theme in self.tagger.themes},
            "evidence": {theme: List(span) for theme in self.tagger.themes},
            "review": List(Value("string")),
        }
        return Features({**given, "tagger": new})
