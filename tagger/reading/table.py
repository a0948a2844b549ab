"""Tables: JSON Lines, CSV, TSV, Excel workbooks (the first sheet) and Parquet. A row is a passage, whole as it is.

Rows without text are passed over and counted. An id is that of the id column, or the document's name and the number of the row.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from tagger.errors import InputError, MissingExtraError
from tagger.reading.archives import open_archive, refuse_entities
from tagger.reading.content import Columns, Content, Limits, Rows, clean
from tagger.reading.plain import utf8

TEXTS, ID = ("text", "passage"), "id"
"""The columns taken if none are named: the first of the texts that is there ("passage" is what our workbooks have); an id need not be."""
_ENDS = ("\n", "\r\n", "\r", "")
_LONE_RETURN = re.compile(rb"\r(?!\n)")
_FIELD = (1 << 31) - 1  # no limit but the file's: csv has one for all threads, which must not fall while another one reads


def read_jsonl(data: bytes, columns: Columns, limits: Limits) -> Content:
    """Read a JSON object a line."""
    data, note = utf8(data)
    text_name, id_name = columns.text or TEXTS[0], columns.id or ID
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
            text_name = _check(row, columns, f"line {number}: ")
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
    text_place, id_place = _places(names, columns)
    rows = [(number, row) for number, row in enumerate(cells, 2) if any(cell is not None for cell in row)]
    texts, ids = ([row[place] if place is not None and len(row) > place else None for _, row in rows] for place in (text_place, id_place))
    return _content([number for number, _ in rows], texts, ids)


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
        text_name, id_name = _check(names, columns), columns.id or ID
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
    bare = delimiter == "\t" and b'"' in data and _rows_are_lines(data)

    def reading() -> Any:
        return csv.reader(_lines(data), delimiter=delimiter, strict=True, quoting=csv.QUOTE_NONE if bare else csv.QUOTE_MINIMAL)

    reader = reading()
    try:
        names: list[str] = next(reader, [])
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
        return _content(numbers, list(map(_unquoted, texts)) if bare else texts, ids, note, decoded=True)
    except csv.Error as error:
        line = _last_line(reading()) + 1
        raise InputError(
            f"line {line}: {error}: a field with quotation marks in it must stand in such marks, with each mark doubled"
        ) from error


def _rows_are_lines(data: bytes) -> bool:
    """Tell whether all lines have the same tabs, two columns or more: then quotation marks hold no field together over lines or tabs."""
    counts = {line.count("\t") for line in _lines(data) if not line.isspace()}
    return len(counts) == 1 and 0 not in counts


def _unquoted(field: str) -> str:
    """Take away the quotation marks that a spreadsheet puts around a field, if they are such."""
    inner = field[1:-1].replace('""', "")
    return field[1:-1].replace('""', '"') if len(field) > 1 and field[0] == field[-1] == '"' and '"' not in inner else field


def _last_line(reader: Any) -> int:
    """The line on which the last good row ends."""
    line = 0
    with suppress(csv.Error):
        for _ in reader:
            line = reader.line_num
    return line


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
    rows = Rows(tuple(names), tuple(map(len, filter(None, bare))))
    left_out = len(bare) - len(names)
    empty = f"{left_out:,} row{'s' if left_out > 1 else ''} without text left out" if left_out else None
    return Content(text, rows=rows, notes=tuple(filter(None, (note, empty))))
