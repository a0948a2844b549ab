"""doccano: JSON Lines of a text classification project, ``{"text": ..., "label": [...]}``.

doccano keeps further fields of an uploaded line with its text and gives them back: ids, places and both annotators' labels are such.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import IO, Any

from tagger.errors import InputError
from tagger.exchange.items import DETAILS, Corpus, Labels, detailed, model_of, named, with_models
from tagger.exchange.jsons import items_of, read_objects, text_of, write_lines
from tagger.exchange.rows import renamed
from tagger.reading.content import Limits
from tagger.themes import Theme

_LABELS = ("label", "labels", "cats")


def recognise(row: Mapping[str, Any]) -> bool:
    """Tell whether an object may be a line of doccano."""
    return "text" in row and any(name in row for name in _LABELS)


def read_doccano(data: bytes, name: str, labels: Labels, limits: Limits) -> Corpus:
    """Read a project's export, or passages that are to be uploaded."""
    found, models = [], []
    for where, given_row in read_objects(data, limits):
        row = renamed(given_row, labels.columns, where)
        key = next((key for key in _LABELS if key in row), None)
        if key is None:
            raise InputError(f"{where}: has no field 'label': export the project as JSONL")
        # pandas has "not a number" for what is not there
        given: dict[str, Any] = {
            vote: _labels(row, vote, labels, where) for vote in ("first", "second") if row.get(vote) is not None and row[vote] == row[vote]
        }
        found.append(replace(detailed(text_of(row, where), row, where), labels=_labels(row, key, labels, where), **given))
        models.append(model_of(row))
    return with_models(Corpus(named(found, name)), models)


def _labels(row: Mapping[str, Any], key: str, labels: Labels, where: str) -> tuple[str, ...]:
    given = [row[key]] if isinstance(row[key], str) else items_of(row[key], key, where)
    if any(isinstance(one, list | dict) for one in given):
        raise InputError(f"{where}: field {key!r} holds spans: give the export of a text classification project")
    return labels.all(given, where)


def write_doccano(corpus: Corpus, themes: Sequence[Theme], stream: IO[bytes]) -> None:
    """Write a line a passage, for upload as JSONL with ``text`` and ``label`` as its columns."""
    write_lines(_rows(corpus), stream)


def _rows(corpus: Corpus) -> Iterator[dict[str, Any]]:
    """Yield rows with the same fields: doccano can't take one that some rows have and others do not."""
    known = [name for name in DETAILS if any(getattr(item, name) not in (None, "") for item in corpus.items)]
    passes = [name for name in ("first", "second") if any(getattr(item, name) is not None for item in corpus.items)]
    for item in corpus.items:
        votes = {name: None if (given := getattr(item, name)) is None else list(given) for name in passes}
        details = {name: "" if (value := getattr(item, name)) is None else value for name in known}
        yield {"text": item.text, "label": list(item.labels), **details, **votes, **corpus.by}
