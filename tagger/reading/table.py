"""Tables: JSON Lines, CSV, TSV, Excel workbooks (the first sheet) and Parquet. A row is a passage, whole as it is.

Rows without text are passed over and counted. An id is that of the id column, or the document's name and the number of the row.
"""

from __future__ import annotations

import csv
import io
import json
import re
import reprlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, count
from types import NoneType
from typing import Any

from tagger.errors import InputError, MissingExtraError
from tagger.invisible import visible
from tagger.reading.archives import open_archive, refuse_entities
from tagger.reading.content import Columns, Content, Limits, Rows, clean
from tagger.reading.plain import utf8

TEXTS, ID = ("text", "passage"), "id"
"""The columns taken if none are named: the first of the texts that is there ("passage" is what our workbooks have); an id need not be."""
Row = tuple[int, Any, Any]
"""Number, text and id, None where there is none."""
_ENDS = ("\n", "\r\n", "\r", "")
_LONE_RETURN = re.compile(rb"\r(?!\n)")
_FIELD = (1 << 31) - 1  # no limit but the file's: csv has one for all threads, which must not fall while another one reads


def read_jsonl(data: bytes, columns: Columns, limits: Limits) -> Content:
    """Read a JSON object a line."""
    data, note = utf8(data)
    # Halves of surrogate pairs come from nothing but such escapes.
    return _content(jsonl_rows(_lines(data), columns), note, decoded=b"\\ud" not in data and b"\\uD" not in data)


def jsonl_rows(lines: Iterable[str], columns: Columns) -> Iterator[Row]:
    """Yield the rows of JSON Lines."""
    text_name, id_name = columns.text or TEXTS[0], columns.id or ID
    decoded = json.JSONDecoder(strict=False).raw_decode  # control characters are replaced later
    for number, line in enumerate(lines, 1):
        if line.isspace():
            continue
        try:
            row, end = decoded(line)
        except (ValueError, RecursionError):
            end = 0
        if line[end:] not in _ENDS:
            row = _json(line, number)
        if not isinstance(row, dict):
            raise InputError(f"line {number}: is no JSON object")
        if text_name not in row or (columns.id and columns.id not in row):
            text_name = _check(row, columns, f"line {number}: ")
        yield number, row[text_name], row.get(id_name)


def _json(line: str, number: int) -> Any:
    """Read a line that has white space around its JSON, or tell what is wrong with it."""
    try:
        return json.loads(line, strict=False)
    except (ValueError, RecursionError) as error:
        raise InputError(f"line {number}: is no JSON: {error}") from error


def read_csv(data: bytes, columns: Columns, limits: Limits) -> Content:
    """Read comma-separated values with a line of names; semicolons, as some spreadsheets write, are seen."""
    return _delimited(data, columns, tabs=False)


def read_tsv(data: bytes, columns: Columns, limits: Limits) -> Content:
    """Read tab-separated values with a line of names."""
    return _delimited(data, columns, tabs=True)


def first_sheet(data: bytes, limits: Limits) -> Any:
    """Open the first sheet of a workbook, to go through it row by row."""
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise MissingExtraError("openpyxl", "documents") from error
    with open_archive(data, limits) as archive:
        refuse_entities(archive)
    workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    if not workbook.worksheets:
        raise InputError("has no sheet")
    sheet = workbook.worksheets[0]
    sheet.reset_dimensions()  # what a sheet says of its size is not binding
    return sheet


def read_xlsx(data: bytes, columns: Columns, limits: Limits) -> Content:
    """Read the first sheet of a workbook; its first row holds the names."""
    cells = first_sheet(data, limits).iter_rows(values_only=True)
    names = ["" if cell is None else str(cell) for cell in next(cells, ())]
    text_place, id_place = _places(names, columns)

    def value(row: Sequence[Any], place: int | None) -> Any:
        return row[place] if place is not None and len(row) > place else None

    rows = ((number, row) for number, row in enumerate(cells, 2) if any(cell is not None for cell in row))
    return _content((number, value(row, text_place), value(row, id_place)) for number, row in rows)


def read_parquet(data: bytes, columns: Columns, limits: Limits) -> Content:
    """Read the two columns of a Parquet file, batch by batch."""
    return _content(parquet_rows(data, columns), decoded=True)


def parquet_rows(source: bytes | str, columns: Columns) -> Iterator[Row]:
    """Yield the rows of a Parquet file: its bytes, or its path."""
    try:
        from pyarrow import ArrowException, BufferReader
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise MissingExtraError("pyarrow", "documents") from error
    try:
        # With a buffer, of a row group no more is in memory than the pages that are read.
        file = ParquetFile(BufferReader(source)) if isinstance(source, bytes) else ParquetFile(source, buffer_size=1 << 20)
        names = file.schema_arrow.names
        text_name, id_name = _check(names, columns), columns.id or ID
        wanted = [text_name, id_name] if id_name in names else [text_name]
        number = 1
        for batch in file.iter_batches(batch_size=1024, columns=wanted, use_threads=False):
            ids = batch.column(id_name).to_pylist() if id_name in names else [None] * len(batch)
            yield from zip(count(number), batch.column(text_name).to_pylist(), ids, strict=False)
            number += len(batch)
    except (ArrowException, OSError) as error:
        raise InputError(f"is damaged: {str(error).splitlines()[0][:200]}") from error


def _delimited(data: bytes, columns: Columns, *, tabs: bool) -> Content:
    data, note = utf8(data)
    bare = tabs and b'"' in data and rows_are_lines(_lines(data))
    return _content(delimited_rows(_lines(data), columns, tabs=tabs, bare=bare), note, decoded=True)


def delimited_rows(lines: Iterator[str], columns: Columns, *, tabs: bool, bare: bool) -> Iterator[Row]:
    """Yield the rows of a table whose fields end at ``tabs``, or at what its first line has most of; ``bare`` fields know no quotation."""
    csv.field_size_limit(_FIELD)
    first = next(lines, "")
    delimiter = "\t" if tabs else max(",;\t", key=first.count)
    reader = csv.reader(chain([first], lines), delimiter=delimiter, strict=True, quoting=csv.QUOTE_NONE if bare else csv.QUOTE_MINIMAL)
    good = 0  # the line on which the last good row ends
    try:
        names: list[str] = next(reader, [])
        text_place, id_place = _places(names, columns)
        width = len(names)
        good = reader.line_num
        for number, row in enumerate(reader, 2):
            good = reader.line_num
            if len(row) == width:
                text = row[text_place]
                yield number, _unquoted(text) if bare else text, None if id_place is None else row[id_place]
            elif row:
                raise InputError(f"line {good}: has {len(row)} fields where the first line has {width}")
    except csv.Error as error:
        raise InputError(
            f"line {good + 1}: {error}: a field with quotation marks in it must stand in such marks, with each mark doubled"
        ) from error


def rows_are_lines(lines: Iterable[str]) -> bool:
    """Tell whether all lines have the same tabs, two columns or more: then quotation marks hold no field together over lines or tabs."""
    counts = (line.count("\t") for line in lines if not line.isspace())
    first = next(counts, 0)
    return first > 0 and all(map(first.__eq__, counts))


def _unquoted(field: str) -> str:
    """Take away the quotation marks that a spreadsheet puts around a field, if they are such."""
    inner = field[1:-1].replace('""', "")
    return field[1:-1].replace('""', '"') if len(field) > 1 and field[0] == field[-1] == '"' and '"' not in inner else field


def _lines(data: bytes) -> Iterator[str]:
    """Yield the lines of a text in UTF-8 with their ends; cutting bytes is twice as fast, but knows no lines that end in a return alone."""
    if _LONE_RETURN.search(data):
        return io.TextIOWrapper(io.BytesIO(data), "utf-8", newline="")
    return map(bytes.decode, io.BytesIO(data))


def _check(names: Iterable[str], columns: Columns, place: str = "") -> str:
    """Return the name of the column of texts, if all that are wanted are there."""
    known = list(names)
    text = columns.text or next((name for name in TEXTS if name in known), TEXTS[0])
    for wanted, option in ((text, "--text-column"), (columns.id, "--id-column")):
        if wanted is not None and wanted not in known:
            there = ", ".join(map(repr, known[:20]))[:500]
            raise InputError(f"{place}has no column {wanted!r}; it has {there or 'none'}: name one with {option}")
    return text


def _places(names: Sequence[str], columns: Columns) -> tuple[int, int | None]:
    """Where the texts and the ids stand in a row; of columns of the same name the last counts."""
    places = {name: place for place, name in enumerate(names)}
    return places[_check(names, columns)], places.get(columns.id or ID)


def _content(rows: Iterable[Row], note: str | None = None, *, decoded: bool = False) -> Content:
    content, left_out = batch(rows, decoded=decoded)
    return replace(content, notes=tuple(filter(None, (note, about_empty(left_out)))))


def about_empty(left_out: int) -> str | None:
    """A note if rows were left out."""
    return f"{left_out:,} row{'s' if left_out > 1 else ''} without text left out" if left_out else None


def written(number: int, value: Any) -> str:
    """A value of a row as text, "" for none; numbers and dates are such, and bytes of UTF-8."""
    if value is None:
        return ""
    if isinstance(value, (bool, list, tuple, dict)):
        raise InputError(f"row {number}: holds {reprlib.repr(value)} where a text should be: name a column of texts, or write it as text")
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise InputError(f"row {number}: holds bytes that are not UTF-8 where a text should be: name a column of texts") from error
    return str(value)


def _written(numbers: Sequence[int], values: list[Any]) -> list[str]:
    kinds = set(map(type, values))
    if kinds <= {str}:
        return values
    if kinds <= {str, int, float, NoneType}:
        return ["" if value is None else str(value) for value in values]
    return list(map(written, numbers, values))


def batch(rows: Iterable[Row], *, decoded: bool = False) -> tuple[Content, int]:
    """Lay the rows' texts under each other, in bulk: most tables hold nothing that has to be cleaned; and count those without text."""
    numbers: list[int] = []
    texts: list[Any] = []
    ids: list[Any] = []
    for number, value, name in rows:
        numbers.append(number)
        texts.append(value)
        ids.append(name)
    texts, ids = _written(numbers, texts), _written(numbers, ids)
    bare = list(map(str.strip, texts))
    text = "\n".join(filter(None, bare))
    if visible(clean(text, decoded=decoded)) is not text:
        bare = [visible(clean(text)).strip() for text in texts]
        text = "\n".join(filter(None, bare))
    names = [name or number for number, name, text in zip(numbers, ids, bare, strict=True) if text]
    named = "\n".join(name for name in names if isinstance(name, str))
    if clean(named, decoded=decoded) is not named:
        names = [clean(name) if isinstance(name, str) else name for name in names]
    return Content(text, rows=Rows(tuple(names), tuple(map(len, filter(None, bare))))), len(bare) - len(names)
