"""Tables: JSON Lines, CSV, TSV, Excel workbooks (the first sheet) and Parquet. A row is a passage, whole as it is.

Rows without text are passed over. An id is that of the id column, or the document's name and the number of the row.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from tagger.errors import InputError, MissingExtraError
from tagger.reading.archives import open_archive, refuse_entities
from tagger.reading.content import Columns, Content, Limits, clean
from tagger.reading.plain import decode

TEXT, ID = "text", "id"
"""The columns taken if none are named; there need not be an id."""

Row = tuple[int, dict[str, Any]]


def read_jsonl(data: bytes, columns: Columns, limits: Limits) -> Content:
    """Read a JSON object a line."""

    def rows(text: str) -> Iterator[Row]:
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError) as error:
                    raise InputError(f"line {number}: is no JSON: {error}") from error
                if not isinstance(row, dict):
                    raise InputError(f"line {number}: is no JSON object")
                _check(row, columns, f"line {number}: ")
                yield number, row

    text, note = decode(data)
    return _content(rows(text), columns, note)


def read_csv(data: bytes, columns: Columns, limits: Limits) -> Content:
    """Read comma-separated values with a line of names; semicolons, as some spreadsheets write, are seen."""
    return _delimited(data, columns, None)


def read_tsv(data: bytes, columns: Columns, limits: Limits) -> Content:
    """Read tab-separated values with a line of names."""
    return _delimited(data, columns, "\t")


def read_xlsx(data: bytes, columns: Columns, limits: Limits) -> Content:
    """Read the first sheet of a workbook; its first row holds the names."""
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise MissingExtraError("openpyxl", "documents") from error
    with open_archive(data, limits) as archive:
        refuse_entities(archive)
    workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    if not workbook.worksheets:
        raise InputError("has no sheet")
    cells = workbook.worksheets[0].iter_rows(values_only=True)
    names = ["" if cell is None else str(cell) for cell in next(cells, ())]
    _check(names, columns)
    return _content(((number, dict(zip(names, row, strict=False))) for number, row in enumerate(cells, 2)), columns)


def read_parquet(data: bytes, columns: Columns, limits: Limits) -> Content:
    """Read the two columns of a Parquet file, batch by batch."""
    try:
        from pyarrow import ArrowException, BufferReader
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise MissingExtraError("pyarrow", "documents") from error
    try:
        file = ParquetFile(BufferReader(data))
        names = file.schema_arrow.names
        _check(names, columns)
        wanted = [name for name in (columns.text or TEXT, columns.id or ID) if name in names]
        batches = file.iter_batches(batch_size=4096, columns=wanted)
        return _content(enumerate((row for batch in batches for row in batch.to_pylist()), 1), columns)
    except (ArrowException, OSError) as error:
        raise InputError(f"is damaged: {str(error).splitlines()[0][:200]}") from error


def _delimited(data: bytes, columns: Columns, delimiter: str | None) -> Content:
    text, note = decode(data)
    csv.field_size_limit(len(text) + 1)
    if delimiter is None:
        first = text.partition("\n")[0]
        delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = next(reader, [])
        _check(names, columns)

        def rows() -> Iterator[Row]:
            for number, row in enumerate(reader, 2):
                if row and len(row) != len(names):
                    raise InputError(f"line {reader.line_num}: has {len(row)} fields where the first line has {len(names)}")
                yield number, dict(zip(names, row, strict=False))

        return _content(rows(), columns, note)
    except csv.Error as error:
        raise InputError(f"line {reader.line_num}: {error}") from error


def _check(names: Iterable[str], columns: Columns, place: str = "") -> None:
    known = list(names)
    for wanted, option in ((columns.text or TEXT, "--text-column"), (columns.id, "--id-column")):
        if wanted is not None and wanted not in known:
            there = ", ".join(map(repr, known[:20]))[:500]
            raise InputError(f"{place}has no column {wanted!r}; it has {there or 'none'}: name one with {option}")


def _content(rows: Iterable[Row], columns: Columns, note: str | None = None) -> Content:
    """Lay the rows' texts under each other."""
    texts: list[str] = []
    found: list[tuple[int, str | None, int, int]] = []
    place = 0
    for number, row in rows:
        value = row.get(columns.text or TEXT)
        if value is None or not (text := clean(str(value)).strip()):
            continue
        given = row.get(columns.id or ID)
        found.append((number, None if given is None else clean(str(given)), place, place + len(text)))
        texts.append(text)
        place += len(text) + 1
    return Content("\n".join(texts), rows=tuple(found), notes=(note,) if note else ())
