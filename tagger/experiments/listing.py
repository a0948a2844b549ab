"""The experiments of a folder, ranked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tagger.errors import ExperimentError
from tagger.experiments.files import FILE, read_experiment
from tagger.experiments.results import RESULTS, Results, read_results


@dataclass(frozen=True)
class Listed:
    """An experiment and its results, if it has run; ``changed`` if its file asks for something else since."""

    name: str
    results: Results | None
    changed: bool = False

    @property
    def macro_f1(self) -> float:
        """The figure that ranks; below all others where there is none."""
        return float(self.results.figures["macro_f1"]) if self.results else -1.0


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
    return Listed(file.parent.name, results, read_experiment(file).settings.model_dump(mode="json") != results.settings)
