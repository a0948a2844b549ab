"""The codebook as an object: themes with their definitions, boundary examples, and the lexicon of word classes.

``corpora/themes.toml`` is the one place where a theme is defined; ``corpora/codebook.md`` is generated from it. A further
theme is a further ``[[theme]]`` table there and labelled passages: no code knows a theme by name.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tagger.errors import ThemesError

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Theme:
    """One theme: a name for files, a title and a question for people, and what counts and what does not."""

    name: str
    title: str
    question: str
    definition: str
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """Words to look for passages by, in the manner of the lexicon: beginnings of words, or whole ones that end in ``$``."""


@dataclass(frozen=True, slots=True)
class Example:
    """A boundary case: a passage composed for the codebook, and its labels."""

    text: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Codebook:
    """All themes, the rules of annotation, boundary examples, and the lexicon (class name -> word patterns)."""

    version: int
    title: str
    introduction: str
    rules: Mapping[str, str]
    themes: tuple[Theme, ...]
    examples: tuple[Example, ...] = ()
    lexicon: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the themes, in the order of the file."""
        return tuple(theme.name for theme in self.themes)

    def only(self, names: Sequence[str]) -> Codebook:
        """The codebook with some of its themes, in this order."""
        of = {theme.name: theme for theme in self.themes}
        return replace(self, themes=tuple(of[name] for name in names))

    @property
    def digest(self) -> str:
        """SHA-256 of the codebook as people read it: it changes with every word of a definition."""
        return hashlib.sha256(self.markdown().encode()).hexdigest()

    def markdown(self) -> str:
        """Render the codebook for annotators, as ``corpora/codebook.md`` holds it."""
        lines = [f"# {self.title} (version {self.version})", "", self.introduction, "", "## Unit and rules", ""]
        lines += [f"- **{name}**: {text}" for name, text in self.rules.items()]
        for theme in self.themes:
            lines += ["", f"## {theme.name}: {theme.title}", "", f"*{theme.question}*", "", theme.definition, ""]
            lines += ["**Yes**", "", *(f"- {item}" for item in theme.yes), ""]
            lines += ["**No**", "", *(f"- {item}" for item in theme.no)]
        if self.examples:
            lines += ["", "## Boundary cases", "", "| passage (composed for this page) | labels |", "|---|---|"]
            lines += [f"| {example.text} | {', '.join(example.labels) or 'none'} |" for example in self.examples]
        return "\n".join(lines) + "\n"


def load_codebook(path: Path | str) -> Codebook:
    """Read ``themes.toml``.

    Raises
    ------
    ThemesError
        The file is missing, is not TOML, or lacks or misspells a field; the message names the file and the field.
    """
    path = Path(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ThemesError(f"{path}: can't be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ThemesError(f"{path}: not a TOML file in UTF-8: {error}") from error
    try:
        return parse_codebook(data)
    except ThemesError as error:
        raise ThemesError(f"{path}: {error}") from error


def parse_codebook(data: Mapping[str, Any]) -> Codebook:
    """Build a codebook from the tables of a ``themes.toml``, checking every field."""
    _only(data, {"version", "title", "introduction", "rules", "theme", "example", "lexicon"}, "top level")
    themes = tuple(_theme(table, number) for number, table in enumerate(_tables(data, "theme"), 1))
    names = [theme.name for theme in themes]
    if not names:
        raise ThemesError("no [[theme]] table: a codebook needs at least one theme")
    if len(set(names)) < len(names):
        raise ThemesError(f"theme name {max(names, key=names.count)!r} stands twice")
    examples = []
    for number, table in enumerate(_tables(data, "example"), 1):
        _only(table, {"text", "labels"}, f"[[example]] {number}")
        labels = _strings(table, "labels", f"[[example]] {number}")
        if unknown := set(labels) - set(names):
            raise ThemesError(f"[[example]] {number}: unknown theme {min(unknown)!r}; known are {', '.join(names)}")
        examples.append(Example(_string(table, "text", f"[[example]] {number}"), labels))
    rules = data.get("rules", {})
    lexicon = data.get("lexicon", {})
    if not isinstance(rules, dict) or not isinstance(lexicon, dict):
        raise ThemesError("[rules] and [lexicon] must be tables")
    return Codebook(
        version=int(data.get("version", 1)),
        title=_string(data, "title", "top level", "Codebook"),
        introduction=_string(data, "introduction", "top level", ""),
        rules={str(key): _string(rules, key, "[rules]") for key in rules},
        themes=themes,
        examples=tuple(examples),
        lexicon={str(key): _strings(lexicon, key, "[lexicon]") for key in lexicon},
    )


def _theme(table: Mapping[str, Any], number: int) -> Theme:
    where = f"[[theme]] {number}"
    _only(table, {"name", "title", "question", "definition", "yes", "no", "words"}, where)
    name = _string(table, "name", where)
    if not _NAME.fullmatch(name):
        raise ThemesError(f"{where}: name {name!r} must be lower-case letters, digits, _ or -, at most 40")
    return Theme(
        name=name,
        title=_string(table, "title", where, name.replace("_", " ").capitalize()),
        question=_string(table, "question", where, ""),
        definition=_string(table, "definition", where),
        yes=_strings(table, "yes", where),
        no=_strings(table, "no", where),
        words=_strings(table, "words", where),
    )


def _only(table: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := set(table) - known:
        raise ThemesError(f"{where}: unknown field {min(unknown)!r}; known are {', '.join(sorted(known))}")


def _tables(data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    tables = data.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ThemesError(f"{key!r} must be written as [[{key}]] tables")
    return tables


def _string(table: Mapping[str, Any], key: str, where: str, default: str | None = None) -> str:
    value = table.get(key, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise ThemesError(f"{where}: field {key!r} must be a text that is not empty")
    return value


def _strings(table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise ThemesError(f"{where}: field {key!r} must be a list of texts")
    return tuple(value)
