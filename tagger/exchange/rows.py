"""Rows of a table -> a corpus: what CSV, workbooks, Parquet and datasets have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from tagger.errors import InputError
from tagger.exchange.items import DETAILS, Corpus, Item, Labels, detailed, named
from tagger.reading.table import TEXTS
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
_LABELS = ("labels", "label", "themes")
_BETWEEN = re.compile(r"[;,\n|#]")
_YES, _NO = {"1", "1.0", "true", "yes", "x"}, {"", "0", "0.0", "false", "no", "none"}


def corpus_of(rows: Iterable[tuple[str, Mapping[str, Any]]], name: str, labels: Labels) -> Corpus:
    """Make a corpus of rows, each with its place in the file.

    The labels stand in one column (``labels``, ``label`` or ``themes``), as a list or with semicolons, commas or line ends between them; or
    each theme has a column of its own with 1 or 0, yes or no.
    """
    items: list[Item] = []
    empty = 0
    for where, row in rows:
        text = next((row[column] for column in TEXTS if column in row), None)
        if not any(column in row for column in TEXTS):
            raise InputError(f"{where}: has no column {' or '.join(map(repr, TEXTS))}; it has {', '.join(map(repr, row))[:300]}")
        if text is None or not str(text).strip():
            empty += 1
            continue
        given: dict[str, Any] = {vote: _named(row[vote], labels, where) for vote in ("first", "second") if row.get(vote) not in (None, "")}
        item = replace(detailed(str(text), row, where), labels=_labels(row, labels, where), **given)
        items.append(item if item.asked else replace(item, asked=_asked(row, labels)))
    if not items:
        raise InputError("is empty: there is no passage in it")
    return Corpus(named(items, name), notes=(f"{many(empty, 'row')} without text left out",) if empty else ())


def cells(item: Item) -> dict[str, Any]:
    """A passage as the cells of a row, its labels joined."""
    values = {name: getattr(item, name) for name in COLUMNS}
    return {name: _joined(name, value) if isinstance(value, tuple) else value for name, value in values.items()}


def _joined(name: str, value: tuple[str, ...]) -> str:
    return "; ".join(value) or ("" if name == "labels" else NONE)


def _labels(row: Mapping[str, Any], labels: Labels, where: str) -> tuple[str, ...]:
    column = next((column for column in _LABELS if column in row), None)
    if column is not None:
        return _named(row[column], labels, where)
    own = [name for name in labels.names if name in row]
    if not own:
        raise InputError(f"{where}: has no column {' or '.join(map(repr, _LABELS))}, and none for a theme ({', '.join(labels.names)})")
    found = []
    for name in own:
        said = "" if row[name] is None else str(row[name]).strip().lower()
        if said not in _YES | _NO:
            raise InputError(f"{where}: column {name!r} must hold 1 or 0, yes or no, not {said[:40]!r}")
        found += [name] if said in _YES else []
    return labels.ordered(found)


def _asked(row: Mapping[str, Any], labels: Labels) -> str | None:
    """The themes that have a column of their own, where no other holds the labels: for each the row says yes or no."""
    return None if any(column in row for column in _LABELS) else "; ".join(name for name in labels.names if name in row)


def _named(value: Any, labels: Labels, where: str) -> tuple[str, ...]:
    if value is None or value == NONE:
        return ()
    given = value if isinstance(value, list | tuple) else _BETWEEN.split(str(value))
    return labels.all((name for one in given if (name := str(one).strip())), where)
