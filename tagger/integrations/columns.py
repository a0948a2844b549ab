"""A column of texts -> the fields of their tags, as a line of JSON holds them: what tables of every kind are given."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from typing import Any

from tagger.errors import InputError
from tagger.records import Tagged
from tagger.tagging import Tagger
from tagger.writing.jsonl import tagged_to_json

FIELDS = ("labels", "scores", "evidence", "review")


def fields(tagged: Tagged) -> dict[str, Any]:
    """Labels, scores, evidence and themes to review of a passage, in plain values."""
    line = tagged_to_json(tagged)
    return {name: line[name] for name in FIELDS}


def tag_texts(tagger: Tagger, texts: Iterable[str | None]) -> list[dict[str, Any] | None]:
    """Tag each text by itself; a missing one (None) has no tags, and evidence names every theme.

    Raises
    ------
    InputError
        A value is not a text; the message names its row.
    """
    given = list(texts)
    for row, text in enumerate(given):
        if not (text is None or isinstance(text, str)):
            raise InputError(f"row {row} of the column is {reprlib.repr(text)}, not a text: name a column of texts")
    found = map(fields, tagger.tag([text for text in given if text is not None]))
    return [None if text is None else _whole(next(found), tagger.themes) for text in given]


def _whole(found: dict[str, Any], themes: Iterable[str]) -> dict[str, Any]:
    return {**found, "evidence": {theme: found["evidence"].get(theme, []) for theme in themes}}
