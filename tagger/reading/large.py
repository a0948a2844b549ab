"""Text and tables of any size, in bounded memory: never more is held than a part of them, of at least a paragraph or a row.

Files of `LEAST` bytes or more are read so where the results may come in parts. The limit of characters then holds for a paragraph,
and four times it for a row; those of size, passages and, but for Parquet, of time are for files that are read whole.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from tagger.errors import InputError
from tagger.invisible import visible
from tagger.reading.content import Columns, Content, Limits, clean
from tagger.reading.files import STDIN
from tagger.reading.formats import detect
from tagger.reading.frugal import harmless
from tagger.reading.markdown import unmarked_parts
from tagger.reading.plain import scan
from tagger.reading.table import Row, about_empty, batch, delimited_rows, jsonl_rows, parquet_rows, rows_are_lines, written

LEAST = 4 << 20  # bytes
PART = 1 << 18  # characters of text that are read at once
_ROWS = 2000  # rows that are read at once, at most
_LONG = 1 << 20  # characters of a row that may hold too many values
HEAD = 16 << 10  # bytes that tell the format
_FORMATS = {"text", "markdown", "jsonl", "csv", "tsv", "parquet"}


@contextmanager
def spooled(path: Path) -> Iterator[Path]:
    """Give a path that can be read several times: standard input goes into a file, which is gone in the end."""
    if str(path) != STDIN:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="tagger-") as folder:
        file = Path(folder, "stdin")
        try:
            with file.open("wb") as stream:
                shutil.copyfileobj(sys.stdin.buffer, stream, 1 << 20)
        except OSError as error:
            raise InputError(f"standard input: can't be kept in {folder} to be read: {error.strerror or error}") from error
        yield file


def large_format(path: Path, columns: Columns) -> str | None:
    """The format of a file that is large and can be read part by part."""
    try:
        if not path.is_file() or path.stat().st_size < LEAST:
            return None
        with path.open("rb") as stream:
            return format_in_parts(stream.read(HEAD), path.suffix, columns)
    except (OSError, ValueError):
        return None  # to read it tells why


def format_in_parts(head: bytes, suffix: str, columns: Columns) -> str | None:
    """The format of a file that begins with these bytes, if it is one that can be read part by part."""
    if head.startswith(b"PK\x03\x04"):
        return None  # a zip archive shows only at its end what it is
    try:
        format = detect(head, suffix, columns.text)
    except InputError:
        return None
    return format if format in _FORMATS else None


@contextmanager
def open_text(path: Path, newline: str | None = None) -> Iterator[tuple[TextIO, str | None]]:
    """Open a text file in its encoding; beside it stands the note of `scan`."""
    with path.open("rb") as stream:
        encoding, start, note = scan(stream)
        stream.seek(start)
        with io.TextIOWrapper(stream, encoding, newline=newline) as text:
            yield text, note


@contextmanager
def open_markdown(path: Path, limits: Limits) -> Iterator[tuple[TextIO, str | None]]:
    """Open a Markdown file as a text without marks, which is kept in a file of its own as long as it is wanted."""
    with open_text(path) as (stream, note), tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as bare:
        for lines in unmarked_parts(whole_lines(stream, limits)):
            try:
                bare.write(lines)
            except OSError as error:
                raise InputError(f"can't be kept in {tempfile.gettempdir()} to be read: {error.strerror or error}") from error
        bare.seek(0)
        yield bare, note


class VisibleText:
    """A text stream without invisible characters, of which none is counted."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.tell, self.seek = stream.tell, stream.seek

    def read(self, size: int) -> str:
        """As many characters, fewer only at the end."""
        parts: list[str] = []
        while size and (more := self._stream.read(size)):
            parts.append(visible(more))
            size -= len(parts[-1])
        return "".join(parts)


def whole_lines(stream: TextIO | VisibleText, limits: Limits) -> Iterator[str]:
    """Yield clean text in parts that end where a line ends."""
    rest, line = "", 1
    while more := stream.read(max(PART, len(rest))):
        text = rest + more
        end = text.rfind("\n") + 1
        rest = text[end:]
        line += text.count("\n")
        if len(rest) > limits.characters:
            raise InputError(f"line {line}: is longer than {limits.characters:,} characters: break it where a paragraph ends")
        if end:
            yield clean(text[:end], decoded=True)
    if rest:
        yield clean(rest, decoded=True)


def large_table(path: Path, format: str, columns: Columns, limits: Limits, told: Callable[[int], object]) -> Iterator[Content]:
    """Yield the rows of a table in batches, with notes beside the last one; ``told``, but for Parquet, how many bytes have been read."""
    if format == "parquet":
        from tagger.reading.sandbox import Sandbox

        yield from Sandbox().batches(path, columns, limits)
        return
    with open_text(path, newline="") as (stream, note):
        lines = _Lines(stream, limits)
        if format == "jsonl":
            rows = jsonl_rows(lines.again(), columns)
        else:
            bare = format == "tsv" and rows_are_lines(lines.singly())
            rows = delimited_rows(lines.again(), columns, tabs=format == "tsv", bare=bare)
        for content in batches(rows, limits, note, done=lines.forget):
            told(stream.buffer.tell())
            yield content


def parquet_batches(path: Path, columns: Columns, limits: Limits) -> Iterator[Content]:
    """Yield the rows of a Parquet file in batches."""
    return batches(parquet_rows(str(path), columns), limits)


def batches(rows: Iterator[Row], limits: Limits, note: str | None = None, *, done: Callable[[], None] = lambda: None) -> Iterator[Content]:
    """Lay rows together until they hold a part's characters; ``done`` is called after each row."""
    left_out = 0
    for first in rows:
        content, empty = batch(_some(chain([first], islice(rows, _ROWS - 1)), done))
        left_out += empty
        yield content
    notes = tuple(filter(None, (note, about_empty(left_out))))
    if notes:
        yield Content("", notes=notes)


def _some(rows: Iterator[Row], done: Callable[[], None]) -> Iterator[Row]:
    size = 0
    for number, *values in rows:
        done()
        text, name = (value if type(value) is str else written(number, value) for value in values)
        yield number, text, name
        size += len(text) + len(name)
        if size > PART:
            return


class _Lines:
    """The lines of a table's text, as often as they are wanted; a row of them may take no more than the limits allow."""

    def __init__(self, stream: TextIO, limits: Limits) -> None:
        self._stream = stream
        self._start = stream.tell()
        self._limits = limits
        self._held = 0

    def forget(self) -> None:
        """Begin a row."""
        self._held = 0

    def singly(self) -> Iterator[str]:
        """Yield the lines of a table whose rows they are."""
        for line in self.again():
            self.forget()
            yield line

    def again(self) -> Iterator[str]:
        """Yield the lines from the first one on."""
        self._stream.seek(self._start)
        self._held = number = 0
        most = 4 * self._limits.characters
        while line := self._stream.readline(most + 1):
            number += 1
            self._held += len(line)
            if self._held > most:
                raise InputError(f"line {number}: is in a row of more than {most:,} characters: is a quotation mark not closed?")
            if len(line) > _LONG and not harmless(line.encode("utf-8", "replace"), self._limits):
                raise InputError(f"line {number}: holds too many values for {self._limits.memory >> 20} MiB of memory: raise the limit")
            yield line
