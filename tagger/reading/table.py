"""Tables: JSON Lines, CSV, TSV, Excel workbooks (the first sheet) and Parquet. A row is a passage, whole as it is.

Rows without text are passed over. An id is that of the id column, or the document's name and the number of the row.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tagger.errors import InputError, MissingExtraError
from tagger.reading.archives import open_archive, refuse_entities
from tagger.reading.content import Columns, Content, Limits, Rows, clean
from tagger.reading.plain import utf8

TEXT, ID = "text", "id"
"""The columns taken if none are named; there need not be an id."""
_ENDS = ("\n", "\r\n", "\r", "")
_LONE_RETURN = re.compile(rb"\r(?!\n)")
_FIELD = (1 << 31) - 1  # no limit but the file's: csv has one for all threads, which must not fall while another one reads


def read_jsonl(data: bytes, columns: Columns, limits: Limits) -> Content:
    """Read a JSON object a line."""
    data, note = utf8(data)
    text_name, id_name = columns.text or TEXT, columns.id or ID
    decoded = json.JSONDecoder(strict=False).raw_decode  # control characters are replaced later
    numbers: list[int] = []
    texts: list[Any] = []
    ids: list[Any] = []
    for number, line in enumerate(_lines(data), 1):
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
            _check(row, columns, f"line {number}: ")
        numbers.append(number)
        texts.append(row[text_name])
        ids.append(row.get(id_name))
    # Halves of surrogate pairs come from nothing but such escapes.
    return _content(numbers, texts, ids, note, decoded=b"\\ud" not in data and b"\\uD" not in data)


def _json(line: str, number: int) -> Any:
    """Read a line that has white space around its JSON, or tell what is wrong with it."""
    try:
        return json.loads(line, strict=False)
    except (ValueError, RecursionError) as error:
        raise InputError(f"line {number}: is no JSON: {error}") from error


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
    text_place, id_place = _places(names, columns)
    rows = [(number, row) for number, row in enumerate(cells, 2) if len(row) > text_place]
    ids = [row[id_place] if id_place is not None and len(row) > id_place else None for _, row in rows]
    return _content([number for number, _ in rows], [row[text_place] for _, row in rows], ids)


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
        text_name, id_name = columns.text or TEXT, columns.id or ID
        texts: list[Any] = []
        ids: list[Any] = []
        wanted = [text_name, id_name] if id_name in names else [text_name]
        for batch in file.iter_batches(batch_size=1024, columns=wanted, use_threads=False):
            texts += batch.column(text_name).to_pylist()
            ids += batch.column(id_name).to_pylist() if id_name in names else [None] * len(batch)
        return _content(range(1, len(texts) + 1), texts, ids, decoded=True)
    except (ArrowException, OSError) as error:
        raise InputError(f"is damaged: {str(error).splitlines()[0][:200]}") from error


def _delimited(data: bytes, columns: Columns, delimiter: str | None) -> Content:
    data, note = utf8(data)
    csv.field_size_limit(_FIELD)
    if delimiter is None:
        delimiter = max(",;\t", key=next(_lines(data), "").count)
    reader = csv.reader(_lines(data), delimiter=delimiter, strict=True)
    try:
        names = next(reader, [])
        _check(names, columns)
        text_place, id_place = _places(names, columns)
        width = len(names)
        numbers: list[int] = []
        texts: list[str] = []
        ids: list[str | None] = []
        for number, row in enumerate(reader, 2):
            if len(row) == width:
                numbers.append(number)
                texts.append(row[text_place])
                ids.append(None if id_place is None else row[id_place])
            elif row:
                raise InputError(f"line {reader.line_num}: has {len(row)} fields where the first line has {width}")
        return _content(numbers, texts, ids, note, decoded=True)
    except csv.Error as error:
        raise InputError(f"line {reader.line_num}: {error}") from error


def _lines(data: bytes) -> Iterator[str]:
    """Yield the lines of a text in UTF-8 with their ends; cutting bytes is twice as fast, but knows no lines that end in a return alone."""
    if _LONE_RETURN.search(data):
        return io.TextIOWrapper(io.BytesIO(data), "utf-8", newline="")
    return map(bytes.decode, io.BytesIO(data))


def _check(names: Iterable[str], columns: Columns, place: str = "") -> None:
    known = list(names)
    for wanted, option in ((columns.text or TEXT, "--text-column"), (columns.id, "--id-column")):
        if wanted is not None and wanted not in known:
            there = ", ".join(map(repr, known[:20]))[:500]
            raise InputError(f"{place}has no column {wanted!r}; it has {there or 'none'}: name one with {option}")


def _places(names: Sequence[str], columns: Columns) -> tuple[int, int | None]:
    """Where the texts and the ids stand in a row; of columns of the same name the last counts."""
    places = {name: place for place, name in enumerate(names)}
    return places[columns.text or TEXT], places.get(columns.id or ID)


def _content(
    numbers: Sequence[int], texts: Sequence[Any], ids: Sequence[Any], note: str | None = None, *, decoded: bool = False
) -> Content:
    """Lay the rows' texts under each other, in bulk: most tables hold nothing that has to be cleaned."""
    bare = list(map(str.strip, texts)) if set(map(type, texts)) == {str} else ["" if text is None else str(text).strip() for text in texts]
    text = "\n".join(filter(None, bare))
    if clean(text, decoded=decoded) is not text:
        bare = ["" if text is None else clean(str(text)).strip() for text in texts]
        text = "\n".join(filter(None, bare))
    names = [number if name is None else str(name) or number for number, name, text in zip(numbers, ids, bare, strict=True) if text]
    named = "\n".join(name for name in names if isinstance(name, str))
    if clean(named, decoded=decoded) is not named:
        names = [clean(name) if isinstance(name, str) else name for name in names]
    return Content(text, rows=Rows(tuple(names), tuple(map(len, filter(None, bare)))), notes=(note,) if note else ())
