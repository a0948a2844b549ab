"""``results.json``: what an experiment found, from which every figure and the report can be made again. It holds no text of a passage."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tagger.errors import ExperimentError, TrainingError
from tagger.evaluation.predictions import Predictions
from tagger.experiments.files import FILE
from tagger.writing.whole import whole

RESULTS = "results.json"
FORMAT = 1

_FIELDS = ("settings", "folds", "figures", "evidence", "versions", "code", "codebook")


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
    evidence : document and id of a passage that is wrong -> theme -> start, end and weight of each span that spoke for the theme
    versions, code, codebook : of the libraries; SHA-256 of the code that fitted and of the codebook
    """

    predictions: Predictions
    settings: Mapping[str, Any]
    folds: Sequence[Mapping[str, Any]]
    figures: Mapping[str, Any]
    evidence: Mapping[str, Mapping[str, Any]]
    versions: Mapping[str, str]
    code: str
    codebook: str

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
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise ExperimentError(f"{path}: not the results of an experiment in format {FORMAT}: run it again")
        return Results(Predictions.from_json(plain["predictions"]), *(plain[name] for name in _FIELDS))
    except OSError as error:
        raise ExperimentError(f"{path}: can't be read: {error.strerror or error}: tagger experiment run makes it") from error
    except (KeyError, ValueError, TrainingError) as error:
        raise ExperimentError(f"{path}: not the results of an experiment: {error}: run it again") from error
