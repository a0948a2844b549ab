"""Rows of a table -> a corpus: what CSV, workbooks, Parquet and datasets have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from tagger.errors import InputError
from tagger.exchange.items import DETAILS, Corpus, Item, Labels, detailed, model_of, named, with_models
from tagger.reading.content import Columns
from tagger.reading.table import ID, TEXTS
from tagger.writing.text import many

COLUMNS: dict[str, type] = {
    "id": str,
    "text": str,
    "labels": tuple,
    **{name: kind for name, kind in DETAILS.items() if name not in ("id", "settled")},
    "first": tuple,
    "second": tuple,
    "settled": str,
}
"""The columns of a corpus and of its annotations, and what they hold: tuples are lists of labels."""

NONE = "[]"
"""An annotator saw the passage and gave no label: in a table an empty cell says that nobody did."""
LABELS = ("labels", "label", "themes")
"""The columns of labels: the first of them that is there."""
_BETWEEN = re.compile(r"[;,\n|#]")
_SAID: dict[str, bool | None] = {
    **dict.fromkeys(("yes", "y", "1", "1.0", "true", "x"), True),
    **dict.fromkeys(("no", "n", "0", "0.0", "false"), False),
    **dict.fromkeys(("", "nan"), None),
}


def corpus_of(rows: Iterable[tuple[str, Mapping[str, Any]]], name: str, labels: Labels) -> Corpus:
    """Make a corpus of rows, each with its place in the file; all have the same columns.

    The labels stand in one column (``labels``, ``label`` or ``themes``), as a list or with semicolons, commas or line ends between them; or
    each theme has a column of its own, by its name or title, for 1 or 0, yes or no. Rows about which nobody has decided are left out.
    """
    items: list[Item] = []
    models: list[str | None] = []
    empty = undecided = 0
    own: dict[str, str] | None = None
    for where, row in rows:
        row = renamed(row, labels.columns, where)
        own = _own_columns(row, labels, where) if own is None else own
        text = row[next(column for column in TEXTS if column in row)]
        if text is None or not str(text).strip():
            empty += 1
        elif (said := _decided(row, own, labels, where)) is None:
            undecided += 1
        else:
            passes = [vote for vote in ("first", "second") if row.get(vote) not in (None, "")]
            given: dict[str, Any] = {vote: _named(row[vote], labels, where) for vote in passes}
            item = replace(detailed(str(text), row, where), labels=said[0], **given)
            items.append(item if said[1] is None else replace(item, asked=said[1]))
            models.append(model_of(row))
    if not items:
        raise InputError("has no label: nobody has decided about any row" if undecided else "is empty: there is no passage in it")
    notes = [f"{many(empty, 'row')} without text left out"] if empty else []
    notes += [f"{many(undecided, 'row')} about which nobody has decided left out"] if undecided else []
    return with_models(Corpus(named(items, name), notes=tuple(notes)), models)


def renamed(row: Mapping[str, Any], columns: Columns, where: str) -> Mapping[str, Any]:
    """The row, with what stands in the columns that are named as its text and its id."""
    for ours, theirs, option in ((TEXTS[0], columns.text, "--text-column"), (ID, columns.id, "--id-column")):
        if theirs is not None and theirs not in row:
            raise InputError(f"{where}: has no column {theirs!r}; it has {_listed(row)}: name one with {option}")
        row = row if theirs is None else {**row, ours: row[theirs]}
    return row


def decision(value: Any, where: str) -> bool | None:
    """What a cell says of one theme: yes or no, or None where nobody has decided.

    Raises
    ------
    InputError
        It says something else; ``where`` names the cell.
    """
    said = "" if value is None else str(value).strip().lower()
    if said not in _SAID:
        raise InputError(f"{where} must hold yes or no, or nothing, not {said[:40]!r}")
    return _SAID[said]


def columns_of(corpus: Corpus) -> dict[str, type]:
    """The columns to write, and what they hold; of a model's labels one says whose they are."""
    return COLUMNS | dict.fromkeys(corpus.by, str)


def rows_of(corpus: Corpus) -> Iterator[dict[str, Any]]:
    """Yield the passages as rows with these columns."""
    for item in corpus.items:
        yield {name: getattr(item, name) for name in COLUMNS} | corpus.by


def joined(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose lists of labels are texts."""
    return {name: _joined(name, value) if isinstance(value, tuple) else value for name, value in row.items()}


def _joined(name: str, value: tuple[str, ...]) -> str:
    return "; ".join(value) or ("" if name == "labels" else NONE)


def _own_columns(row: Mapping[str, Any], labels: Labels, where: str) -> dict[str, str]:
    """The columns that are each of one theme; none where a column holds all labels."""
    if not any(column in row for column in TEXTS):
        wanted = " or ".join(map(repr, TEXTS))
        raise InputError(f"{where}: has no column {wanted}; it has {_listed(row)}: name one with --text-column")
    if any(column in row for column in LABELS):
        return {}
    known = {*COLUMNS, *TEXTS, labels.columns.text, labels.columns.id}
    own = {column: theme for column in row if column not in known and (theme := labels.known(column))}
    if not own:
        wanted = " or ".join(map(repr, LABELS))
        raise InputError(f"{where}: has no column {wanted}, and none for a theme ({', '.join(labels.names)}); it has {_listed(row)}")
    first: dict[str, str] = {}
    for column, theme in own.items():
        if first.setdefault(theme, column) != column:
            raise InputError(f"{where}: the columns {first[theme]!r} and {column!r} are both of {theme}: take one away")
    return own


def _decided(row: Mapping[str, Any], own: Mapping[str, str], labels: Labels, where: str) -> tuple[tuple[str, ...], str | None] | None:
    """The labels of a row and, if each theme has a column, the themes about which it says something; None where it says nothing."""
    if own:
        said = {theme: decision(row[column], f"{where}: column {column!r}") for column, theme in own.items()}
        asked = labels.asked(theme for theme, yes in said.items() if yes is not None)
        return (labels.ordered(theme for theme, yes in said.items() if yes), asked) if asked else None
    value = row[next(column for column in LABELS if column in row)]
    return None if value is None or value != value else (_named(value, labels, where), None)


def _listed(row: Mapping[str, Any]) -> str:
    return ", ".join(map(repr, row))[:300]


def _named(value: Any, labels: Labels, where: str) -> tuple[str, ...]:
    if value == NONE:
        return ()
    given = value if isinstance(value, list | tuple) else _BETWEEN.split(str(value))
    return labels.all((name for one in given if (name := str(one).strip())), where)
