"""CSV, Excel workbooks and Parquet: a row a passage, with the columns of a corpus and of its annotations."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import IO, Any

from tagger.errors import InputError, MissingExtraError, OutputError
from tagger.exchange.items import Corpus, Labels
from tagger.exchange.rows import columns_of, corpus_of, joined, rows_of
from tagger.reading.content import COLUMNS, Limits
from tagger.reading.frugal import harmless
from tagger.reading.plain import utf8
from tagger.reading.rows import check_names
from tagger.themes import Theme
from tagger.writing.table import armed, defuse

_MOST_CELL = 32_767  # what a cell of Excel can hold, in UTF-16 units
_SHEET = 1_048_575  # rows that a sheet of Excel can hold below its head


def read_csv(data: bytes, name: str, labels: Labels, limits: Limits) -> Corpus:
    """Read comma-separated values with a line of names; semicolons and tabs, as some spreadsheets write, are seen."""
    if not harmless(data, limits):
        raise InputError("holds too many values: cut it into several files")
    csv.field_size_limit((1 << 31) - 1)
    text = utf8(data)[0].decode()
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, restval="")

    def rows() -> Iterator[tuple[str, dict[str, Any]]]:
        try:
            check_names(reader.fieldnames or ())
            for row in reader:
                where = f"line {reader.line_num}"
                if None in row:
                    raise InputError(f"{where}: has more fields than the first line has names")
                yield where, {key: armed(value) for key, value in row.items()}
        except csv.Error as error:
            raise InputError(f"line {reader.line_num + 1}: {error}") from error

    return corpus_of(rows(), name, labels)


def write_csv(corpus: Corpus, themes: Sequence[Theme], stream: IO[bytes]) -> None:
    """Write UTF-8 with a mark; no cell is one that a spreadsheet would run as a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns_of(corpus))
    for row in rows_of(corpus):
        writer.writerow([defuse(value) for value in joined(row).values()])
    stream.write(codecs.BOM_UTF8 + text.getvalue().encode("utf-8", "replace"))


def read_xlsx(data: bytes, name: str, labels: Labels, limits: Limits) -> Corpus:
    """Read the first sheet of a workbook; its first row holds the names."""
    return _parsed("xlsx rows", data, name, labels, limits)


def read_parquet(data: bytes, name: str, labels: Labels, limits: Limits) -> Corpus:
    """Read a Parquet file, of class labels the names."""
    return _parsed("parquet rows", data, name, labels, limits)


def _parsed(format: str, data: bytes, name: str, labels: Labels, limits: Limits) -> Corpus:
    """Read rows in the process that parses whatever strangers give."""
    from tagger.reading.sandbox import SANDBOX

    content = SANDBOX.parse(format, data, COLUMNS, limits)
    numbers = content.rows.ids if content.rows else ()
    rows = zip(numbers, content.text.split("\n"), strict=True) if numbers else ()
    return corpus_of(((f"row {number}", json.loads(line)) for number, line in rows), name, labels)


def write_xlsx(corpus: Corpus, themes: Sequence[Theme], stream: IO[bytes]) -> None:
    """Write a workbook with one sheet, to filter."""
    try:
        import xlsxwriter
    except ImportError as error:
        raise MissingExtraError("xlsxwriter", "documents") from error
    if len(corpus.items) > _SHEET:
        raise OutputError(f"a sheet of Excel holds {_SHEET:,} passages at most: write .csv or .parquet")
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(packed, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("Passages")
    head, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    columns = columns_of(corpus)
    for column, name in enumerate(columns):
        sheet.set_column(column, column, 80 if name == "text" else 16)
        sheet.write_string(0, column, name, head)
    for number, row in enumerate(rows_of(corpus), 1):
        for column, value in enumerate(joined(row).values()):
            if isinstance(value, str):
                if len(value.encode("utf-16-le", "replace")) > 2 * _MOST_CELL:
                    raise OutputError(f"passage {row['id']!r} is longer than a cell of Excel can be: write .csv or .parquet")
                sheet.write_string(number, column, value, wrapped)
            elif value is not None:
                sheet.write_number(number, column, value, wrapped)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(corpus.items), len(columns) - 1)
    book.close()
    stream.write(packed.getbuffer())


def write_parquet(corpus: Corpus, themes: Sequence[Theme], stream: IO[bytes]) -> None:
    """Write typed columns."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("pyarrow", "documents") from error
    kinds = {str: pa.string(), int: pa.int64(), tuple: pa.list_(pa.string())}
    rows = list(rows_of(corpus))
    columns = {name: pa.array([row[name] for row in rows], kinds[kind]) for name, kind in columns_of(corpus).items()}
    parquet.write_table(pa.table(columns), stream, compression="zstd")
