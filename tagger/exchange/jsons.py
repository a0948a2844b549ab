"""What the formats that are JSON have in common: read within bounds, and with a place for every mistake."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from tagger.errors import InputError
from tagger.reading.content import Limits
from tagger.reading.frugal import harmless
from tagger.reading.plain import utf8

Row = tuple[str, dict[str, Any]]
"""Where an object stands in its file, and the object."""


def read_objects(data: bytes, limits: Limits) -> list[Row]:
    """Read a list of JSON objects, or JSON Lines, with the place of each.

    Raises
    ------
    InputError
        It is no such file, or holds more values than memory or time allow.
    """
    if not harmless(data, limits):
        raise InputError("holds too many values: cut it into several files")
    text = utf8(data)[0].decode()
    found: list[Row] = []
    if text.lstrip().startswith("["):
        for number, value in enumerate(_parsed(text, ""), 1):
            found.append((f"item {number}", value))
    else:
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                found.append((f"line {number}", _parsed(line, f"line {number}: ")))
    if not found:
        raise InputError("is empty: there is no passage in it")
    for where, value in found:
        if not isinstance(value, dict):
            raise InputError(f"{where}: is no JSON object")
    return found


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}is no JSON: {error}") from error


def write_list(rows: Iterable[Mapping[str, Any]], stream: IO[bytes]) -> None:
    """Write objects as one JSON list, a line each."""
    for number, row in enumerate(rows):
        stream.write(b",\n" if number else b"[\n")
        stream.write(_line(row))
    stream.write(b"\n]\n")


def write_lines(rows: Iterable[Mapping[str, Any]], stream: IO[bytes]) -> None:
    """Write objects as JSON Lines."""
    for row in rows:
        stream.write(_line(row) + b"\n")


def _line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "replace")


def text_of(row: Mapping[str, Any], where: str, name: str = "text") -> str:
    """The text of an object, as it is."""
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{where}: field {name!r} is missing or is no text")
    return value


def place(value: Any, name: str, where: str) -> int:
    """A position in a text."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InputError(f"{where}: field {name!r} must be a position in the text, not {str(value)[:40]!r}")
    return value


def items_of(value: Any, name: str, where: str) -> list[Any]:
    """A list of anything; what is not there is empty."""
    if value is not None and not isinstance(value, list):
        raise InputError(f"{where}: field {name!r} must be a list")
    return value or []


def objects(value: Any, name: str, where: str) -> Iterator[dict[str, Any]]:
    """The objects of a list."""
    for one in items_of(value, name, where):
        if not isinstance(one, dict):
            raise InputError(f"{where}: field {name!r} must be a list of objects")
        yield one


def object_of(value: Any, name: str, where: str) -> dict[str, Any]:
    """An object; what is not there is empty."""
    if value is not None and not isinstance(value, dict):
        raise InputError(f"{where}: field {name!r} must be an object")
    return value or {}
