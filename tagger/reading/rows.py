"""The whole rows of workbooks and Parquet files, as a JSON object a line; run, like the readers, in a process of its own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import Any

from tagger.errors import InputError, MissingExtraError
from tagger.reading.content import Columns, Content, Limits, Rows
from tagger.reading.table import first_sheet

_NO_CLASS = -1
_MOST_COLUMNS = 256  # a cell far to the right makes a row of that many


def read_xlsx_rows(data: bytes, columns: Columns, limits: Limits) -> Content:
    """Read the first sheet of a workbook; its first row holds the names."""
    sheet = first_sheet(data, limits)
    cells = sheet.iter_rows(max_col=_MOST_COLUMNS, values_only=True)
    names = ["" if cell is None else str(cell) for cell in next(cells, ())]
    check_names(names)
    rows = ((number, row) for number, row in enumerate(cells, 2) if any(cell is not None for cell in row))
    return _content(((number, _named(names, row)) for number, row in rows), limits)


def _named(names: list[str], row: Iterable[Any]) -> dict[str, Any]:
    return {name: "" if cell is None else cell for name, cell in zip(names, chain(row, repeat(None)), strict=False) if name}


def check_names(names: Iterable[str]) -> None:
    """Refuse two columns of the same name, of which a row could hold one only."""
    if twice := [name for name, count in Counter(names).items() if name and count > 1]:
        raise InputError(f"has two columns {twice[0]!r}: give each a name of its own")


def read_parquet_rows(data: bytes, columns: Columns, limits: Limits) -> Content:
    """Read all columns of a Parquet file; the class labels that datasets keep as numbers become names again."""
    try:
        from pyarrow import ArrowException, BufferReader
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise MissingExtraError("pyarrow", "documents") from error

    def rows() -> Iterator[tuple[int, dict[str, Any]]]:
        number = 0
        try:
            file = ParquetFile(BufferReader(data))
            check_names(file.schema_arrow.names)
            classes = _classes(file.schema_arrow.metadata or {})
            for batch in file.iter_batches(batch_size=256, use_threads=False):
                for row in batch.to_pylist():
                    number += 1
                    yield number, {name: class_names(value, classes[name]) if name in classes else value for name, value in row.items()}
        except (ArrowException, OSError) as error:
            raise InputError(f"is damaged: {str(error).splitlines()[0][:200]}") from error

    return _content(rows(), limits)


def _classes(metadata: Mapping[bytes, bytes]) -> dict[str, list[str]]:
    """The names of class labels, by column, as datasets note them in a file."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        inner = {name: kind.get("feature", kind) for name, kind in features.items()}
        return {name: list(kind["names"]) for name, kind in inner.items() if "names" in kind}
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}


def class_names(value: Any, names: Sequence[str]) -> Any:
    """The names of class labels; None where there is none, which datasets write as -1."""
    if value is None or value == _NO_CLASS:
        return None
    numbers = value if isinstance(value, list) else [value]
    if not all(isinstance(number, int) and 0 <= number < len(names) for number in numbers):
        raise InputError(f"has a class label {value!r} without a name")
    return [names[number] for number in numbers] if isinstance(value, list) else names[value]


def _content(rows: Iterable[tuple[int, dict[str, Any]]], limits: Limits) -> Content:
    numbers: list[int] = []
    lines: list[str] = []
    size = 0
    for number, row in rows:
        line = json.dumps(row, ensure_ascii=False, default=str)
        size += len(line) + 1
        numbers.append(number)
        lines.append(line)
        if size > 4 * limits.characters or len(lines) > limits.passages:
            break  # `Content.check` says so
    return Content("\n".join(lines), rows=Rows(tuple(numbers), tuple(map(len, lines))))


ROW_READERS: dict[str, Callable[[bytes, Columns, Limits], Content]] = {"xlsx rows": read_xlsx_rows, "parquet rows": read_parquet_rows}
