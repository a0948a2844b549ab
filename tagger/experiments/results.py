"""``results.json``: what an experiment found, from which every figure and the report can be made again. It holds no text of a passage."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tagger.errors import ExperimentError, TrainingError
from tagger.evaluation.predictions import Predictions
from tagger.experiments.files import FILE, first_problem
from tagger.writing.whole import whole

RESULTS = "results.json"
FORMAT = 2
_FLAT = 1  # the evidence of a passage stood under its document and id, joined

_FIELDS = ("settings", "folds", "figures", "evidence", "versions", "code", "codebook")


class _Part(BaseModel):
    """A part of the file, in which lists, reports and comparisons look for some keys; others may stand beside them."""

    model_config = ConfigDict(extra="allow", strict=True)


class _Split(_Part):
    corpora: list[str] = []


class _Settings(_Part):
    title: str
    about: str
    quote: bool
    corpora: list[str]
    themes: str
    split: _Split


class _Fit(_Part):
    seconds: float


class _Theme(_Part):
    theme: str
    f1: float | None
    precision: float | None
    recall: float | None
    average_precision: float | None


class _Figures(_Part):
    macro_f1: float | None
    macro_interval: tuple[float | None, float | None]
    themes: list[_Theme]


class _Written(_Part):
    """The shape of the file, but for the predictions."""

    settings: _Settings
    folds: list[_Fit]
    figures: _Figures
    evidence: dict[str, dict[str, dict[str, list[tuple[int, int, float]]]]]
    versions: dict[str, str]
    code: str
    codebook: str


@dataclass(frozen=True)
class Results:
    """What an experiment found.

    Attributes
    ----------
    predictions : what was said of every passage that was tested on
    settings : as the experiment ran, all defaults written out
    folds : for each fit its seed, how many passages it learned from and was tested on, the seconds it took, and of a search what was
        tried and chosen
    figures : the few that a table of experiments shows, measured on the predictions
    evidence : document of a passage that is wrong -> its id -> theme -> start, end and weight of each span that spoke for the theme, in the
        first of the fits that were wrong about it
    versions, code, codebook : of the libraries; SHA-256 of the code that fitted and of the codebook
    """

    predictions: Predictions
    settings: Mapping[str, Any]
    folds: Sequence[Mapping[str, Any]]
    figures: Mapping[str, Any]
    evidence: Mapping[str, Mapping[str, Mapping[str, Any]]]
    versions: Mapping[str, str]
    code: str
    codebook: str

    @property
    def tested(self) -> tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]]:
        """What was tested on: document and id of each passage, and name and SHA-256 of each of their corpora."""
        predictions = self.predictions
        corpora = {document.partition("/")[0] for document in predictions.documents}
        digests = ((name, digest) for name, digest in predictions.corpora.items() if name in corpora)
        return frozenset(zip(predictions.documents, predictions.ids, strict=True)), frozenset(digests)

    @property
    def seconds(self) -> float:
        """How long all fits took, one after the other."""
        return float(sum(fold["seconds"] for fold in self.folds))

    def write(self, folder: Path) -> Path:
        """Write the results to a folder; older ones there are replaced only when the new ones are whole."""
        plain = {"format": FORMAT, **{name: getattr(self, name) for name in _FIELDS}, "predictions": self.predictions.to_json()}
        with whole(folder / RESULTS) as stream:
            stream.write(json.dumps(plain, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode() + b"\n")
        return folder / RESULTS


def read_results(path: Path | str) -> Results:
    """Read the results of an experiment, by its folder, its ``experiment.toml`` or the file itself.

    Raises
    ------
    ExperimentError
        There are none, or the file is not what `Results.write` wrote.
    """
    path = Path(path)
    path = path / RESULTS if path.is_dir() else path.with_name(RESULTS) if path.name == FILE else path
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(plain, dict) or plain.get("format") not in (_FLAT, FORMAT):
            raise ExperimentError(f"{path}: not the results of an experiment in format {_FLAT} or {FORMAT}: run it again")
        predictions = Predictions.from_json(plain["predictions"])
        plain = {name: plain[name] for name in ("format", *_FIELDS) if name in plain}
        if plain["format"] == _FLAT and isinstance(plain.get("evidence"), dict):
            plain["evidence"] = _nested(plain["evidence"], predictions)
        _Written.model_validate_json(json.dumps(plain))
        return Results(predictions, *(plain[name] for name in _FIELDS))
    except OSError as error:
        raise ExperimentError(f"{path}: can't be read: {error.strerror or error}: tagger experiment run makes it") from error
    except ValidationError as error:
        keys, message = first_problem(error, plain)
        raise ExperimentError(f"{path}: not the results of an experiment: {'.'.join(map(str, keys))}: {message}: run it again") from error
    except (KeyError, ValueError, TrainingError) as error:
        raise ExperimentError(f"{path}: not the results of an experiment: {error}: run it again") from error


def _nested(flat: Mapping[str, Any], predictions: Predictions) -> dict[str, dict[str, Any]]:
    """Evidence by document and id, of evidence by both joined."""
    found: dict[str, dict[str, Any]] = {}
    for document, name in zip(predictions.documents, predictions.ids, strict=True):
        if marks := flat.get(f"{document}/{name}"):
            found.setdefault(document, {})[name] = marks
    return found
