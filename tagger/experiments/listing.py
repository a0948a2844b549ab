"""The experiments of a folder, ranked."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tagger.corpus import digest
from tagger.errors import CorpusError, ExperimentError, ThemesError
from tagger.experiments.files import FILE, Experiment, read_experiment
from tagger.experiments.fitting import code_digest
from tagger.experiments.results import RESULTS, Results, read_results
from tagger.themes import load_codebook


@dataclass(frozen=True)
class Listed:
    """An experiment and its results, if it has run; ``changed`` names what is another since: settings, corpora, themes, code."""

    name: str
    results: Results | None
    changed: tuple[str, ...] = ()

    @property
    def macro_f1(self) -> float:
        """The figure that ranks; below all others where no theme occurs, and lower still where nothing has run."""
        if self.results is None:
            return -2.0
        macro_f1 = self.results.figures["macro_f1"]
        return -1.0 if macro_f1 is None else float(macro_f1)


def find_experiments(folder: Path) -> list[Listed]:
    """Return the experiments in the folders of a folder, the highest macro-F1 first and those that have not run last.

    Raises
    ------
    ExperimentError
        There is none, or the file or the results of one can't be used.
    """
    files = sorted(folder.glob(f"*/{FILE}"))
    if not files:
        raise ExperimentError(f"{folder}: no experiments in it: a folder there with an {FILE} is one")
    return sorted((_listed(file) for file in files), key=lambda listed: -listed.macro_f1)


def _listed(file: Path) -> Listed:
    if not (file.parent / RESULTS).is_file():
        return Listed(file.parent.name, None)
    results = read_results(file.parent)
    return Listed(file.parent.name, results, tuple(_changed(read_experiment(file), results)))


def _changed(experiment: Experiment, results: Results) -> Iterator[str]:
    """What a run would find otherwise than the results did."""
    settings, folder = experiment.settings, experiment.folder
    same_code = code_digest(settings, folder) == results.code
    # Other code may have other defaults: then only what the file says is compared.
    if settings.model_dump(mode="json") != results.settings if same_code else not _within(tomllib.loads(experiment.text), results.settings):
        yield "settings"
    corpora = [folder / written for written in (*settings.corpora, *getattr(settings.split, "corpora", ()))]
    try:
        if {path.resolve().name: digest(path) for path in corpora} != results.predictions.corpora:
            yield "corpora"
    except (CorpusError, OSError):
        yield "corpora"
    try:
        if load_codebook(folder / settings.themes).digest != results.codebook:
            yield "themes"
    except ThemesError:
        yield "themes"
    if not same_code:
        yield "code or libraries"


def _within(part: Any, whole: Any) -> bool:
    """Tell whether all keys of a table have the same values in another, which may have more."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and _within(value, whole[key]) for key, value in part.items())
    return bool(part == whole)
