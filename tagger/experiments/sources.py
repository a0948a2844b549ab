"""What an experiment's own code is made of, told without running it: fits are kept only as long as it stays the same."""

from __future__ import annotations

import ast
import hashlib
import importlib
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.machinery import PathFinder
from importlib.metadata import packages_distributions, version
from pathlib import Path

from tagger.experiments.settings import OtherEstimator, Settings

_MADE = ("experiment.toml", "results.json", "report.html", "model", "model.joblib")
"""In an experiment's folder: its settings, which stand in the key of a fit themselves, and what a run leaves."""


def own_modules(settings: Settings) -> tuple[str, ...]:
    """Return the modules of the classes of one's own that the settings name."""
    estimator = settings.estimator
    kinds = [estimator.kind]
    if isinstance(estimator, OtherEstimator) and estimator.vectorizer is not None:
        kinds.append(estimator.vectorizer.kind)
    return tuple(kind.partition(":")[0] for kind in kinds if ":" in kind)


def own_digest(modules: Iterable[str], folder: Path) -> str:
    """SHA-256 of what the modules of an experiment in ``folder`` may use.

    That is all in the folder and its subfolders that is neither hidden nor left by a run; of modules from elsewhere their package, or
    the files beside them; and the versions of the libraries that these import. Data from elsewhere and the libraries' own libraries
    are not seen: after a change of those, run with ``--fresh``.
    """
    modules = list(modules)
    if not modules:
        return ""
    files = sorted({file.resolve() for found in (_inside(folder), *(_beside(module, folder) for module in modules)) for file in found})
    contents = [(file.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in files]
    return hashlib.sha256(repr((contents, sorted(_libraries(files)))).encode()).hexdigest()


def _inside(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*"):
        parts = file.relative_to(folder).parts
        if file.is_file() and parts[0] not in _MADE and not any(part.startswith(".") or part == "__pycache__" for part in parts):
            yield file


def _beside(module: str, folder: Path) -> Iterable[Path]:
    importlib.invalidate_caches()
    spec = PathFinder.find_spec(module.partition(".")[0], [*sys.path, str(folder.resolve()), str(Path.cwd())])
    if spec and spec.submodule_search_locations:
        return [file for place in spec.submodule_search_locations for file in Path(place).rglob("*.py")]
    return Path(spec.origin).parent.glob("*.py") if spec and spec.origin else ()


def _libraries(files: Iterable[Path]) -> set[str]:
    """The distributions, with their versions, of which modules import something."""
    found = set()
    for file in files:
        for name in _imported(file) if file.suffix == ".py" else ():
            found |= {f"{distribution} {version(distribution)}" for distribution in _distributions().get(name.partition(".")[0], ())}
    return found


def _imported(file: Path) -> Iterator[str]:
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return  # whoever imports it is told
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module


@cache
def _distributions() -> dict[str, list[str]]:
    return dict(packages_distributions())
