"""``experiment.toml`` -> settings that are known to work, or an error that names the line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tagger.errors import ExperimentError
from tagger.experiments.settings import Settings, UnknownKeyError

FILE = "experiment.toml"

Keys = Sequence[str | int]


@dataclass(frozen=True)
class Experiment:
    """An experiment's file and what it says."""

    path: Path
    text: str
    settings: Settings

    @property
    def folder(self) -> Path:
        """Where the file lies, and everything that the experiment writes."""
        return self.path.parent

    @property
    def name(self) -> str:
        """What the experiment is called: its folder."""
        return self.folder.resolve().name

    def wrong(self, keys: Keys, message: str) -> ExperimentError:
        """Return an error at a place of the file."""
        return _wrong(self.path, self.text, keys, message)


def read_experiment(path: Path | str) -> Experiment:
    """Read an ``experiment.toml``, or that of a folder.

    Raises
    ------
    ExperimentError
        The file is missing, is not TOML, or has an unknown key or a bad value: the message names the line.
    """
    path = Path(path)
    path = path / FILE if path.is_dir() else path
    try:
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text)
    except OSError as error:
        raise ExperimentError(f"{path}: can't be read: {error.strerror or error}: name an {FILE}") from error
    except UnicodeDecodeError as error:
        raise ExperimentError(f"{path}: is not UTF-8: save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)", str(error))
        line = (found and found[1]) or len(text.splitlines())
        raise ExperimentError(f"{path}:{line}: not TOML: {str(error).replace(found[0] if found else '', '')}") from error
    try:
        return Experiment(path, text, Settings.model_validate(raw))
    except ValidationError as error:
        keys, message = first_problem(error, raw)
        raise _wrong(path, text, keys, message) from error


def first_problem(error: ValidationError, raw: Mapping[str, Any]) -> tuple[Keys, str]:
    """Where the first of the problems lies in what was checked, and what it is."""
    problem = error.errors()[0]
    context = problem.get("ctx", {})
    keys = _keys(problem["loc"], raw, missing=problem["type"] == "missing")
    cause = context.get("error")
    if isinstance(cause, UnknownKeyError):
        return (*keys, cause.key), str(cause)
    if problem["type"] == "missing":
        return keys, "is missing"
    if problem["type"] == "union_tag_not_found":
        return keys, "needs a 'kind'"
    if problem["type"] == "union_tag_invalid":
        return (*keys, "kind"), f"{context['tag']!r} is none of {context['expected_tags']}"
    said = problem["msg"].removeprefix("Value error, ")
    return keys, f"{said[0].lower()}{said[1:]}"


def _keys(place: Sequence[str | int], raw: Any, *, missing: bool) -> Keys:
    """The keys of a place, without the names that stand in it for the kind of a table."""
    keys: list[str | int] = []
    for number, part in enumerate(place):
        inside = part in raw if isinstance(raw, dict) else isinstance(raw, list) and isinstance(part, int) and part < len(raw)
        if inside:
            raw = raw[part]
        if inside or (missing and number == len(place) - 1):
            keys.append(part)
    return keys


def _wrong(path: Path, text: str, keys: Keys, message: str) -> ExperimentError:
    name = ".".join(str(key) if isinstance(key, str) else f"{key + 1}" for key in keys)
    return ExperimentError(f"{path}:{line_of(text, keys)}: {f'{name}: ' if name else ''}{message}")


def line_of(text: str, keys: Keys) -> int:
    """The line on which the value at ``keys`` begins, or the nearest table around it; 1 if there is none.

    TOML is parsed line by line further on, until the value is there: so no second parser must know its syntax.
    """
    lines = text.splitlines()
    for length in range(len(keys), 0, -1):
        whole = 0
        for number in range(1, len(lines) + 1):
            try:
                raw: Any = tomllib.loads("\n".join(lines[:number]))
            except tomllib.TOMLDecodeError:
                continue  # in the middle of a value of several lines
            if len(_keys(keys[:length], raw, missing=False)) == length:
                return whole + 1
            whole = number
    return 1
