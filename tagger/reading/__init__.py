"""A path -> a `Document` without passages. One small module a format, listed in ``READERS``.

To add a format: write a module with a function from bytes (and what of a table is asked for, and limits) to `Content`, name it
here, and tell in `formats` how it is known. Whatever libraries it needs it imports inside that function, which runs in a
process of its own with bounded memory and time: see `sandbox`. Only what the standard library alone parses is parsed right
here, if it is sure to keep within the limits whatever is in it: `_harmless`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tagger.errors import InputError
from tagger.reading.content import COLUMNS, LIMITS, Columns, Content, Limits
from tagger.reading.docx import read_docx
from tagger.reading.files import STDIN, find_documents, is_address, label_of, read_bytes
from tagger.reading.formats import SUFFIXES, detect
from tagger.reading.html import read_html
from tagger.reading.language import NOTE, looks_english
from tagger.reading.pdf import read_pdf
from tagger.reading.plain import read_markdown, read_plain
from tagger.reading.table import read_csv, read_jsonl, read_parquet, read_tsv, read_xlsx

__all__ = [
    "COLUMNS",
    "LIMITS",
    "READERS",
    "STDIN",
    "SUFFIXES",
    "Columns",
    "Content",
    "Limits",
    "Source",
    "find_documents",
    "label_of",
    "read_source",
]

READERS: dict[str, Callable[[bytes, Columns, Limits], Content]] = {
    "text": read_plain,
    "markdown": read_markdown,
    "html": read_html,
    "pdf": read_pdf,
    "docx": read_docx,
    "jsonl": read_jsonl,
    "csv": read_csv,
    "tsv": read_tsv,
    "xlsx": read_xlsx,
    "parquet": read_parquet,
}
_FRUGAL = {"jsonl", "csv", "tsv"}
_PER_BYTE, _PER_MARK, _LEAST_SPEED = 16, 192, 1 << 20
"""What they take at the worst: bytes of memory for each of the file (four copies, four bytes a character) and for each mark that
may begin a value or a row (a JSON object: 184), and bytes a second (control characters)."""
_BLOCK = 1 << 17  # bytes that a processor's cache holds
_SHALLOW = 3000  # calls that Python allows within each other; where somebody allowed far more, nested JSON could break the process


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read: what it is called in messages and ids, its format, and what is in it."""

    label: str
    name: str
    format: str
    content: Content


def read_source(path: Path | str, *, name: str | None = None, columns: Columns = COLUMNS, limits: Limits = LIMITS) -> Source:
    """Read a file, or standard input for ``-``.

    Raises
    ------
    InputError
        The message names the file and what is wrong with it.
    MissingExtraError
        The library for the file's format is not installed.
    """
    label = label_of(path)
    path = Path(path)
    try:
        if is_address(path):
            raise InputError("is a web address, and tagger does not reach the network: save the page and give the file")
        if path.is_dir():
            raise InputError(_about_folder(path))
        data = read_bytes(path, limits)
        format = detect(data, "" if str(path) == STDIN else path.suffix, columns.text)
        content = _parse(format, data, columns, limits)
        if not content.text or content.text.isspace():
            raise InputError("is empty: there is no text in it")
    except InputError as error:
        raise InputError(f"{label}: {error}") from error
    if not looks_english(content.text):
        content = replace(content, notes=(*content.notes, NOTE))
    return Source(label, name or ("stdin" if str(path) == STDIN else path.stem), format, content)


def _about_folder(path: Path) -> str:
    if all(file == path for file, _ in find_documents([path], tables=True)):
        return f"a folder with no file of a known format ({', '.join(SUFFIXES)})"
    if all(file == path for file, _ in find_documents([path])):
        return "a folder that holds nothing but tables: name the column of their passages with --text-column"
    return "is a folder of many documents: give `tagger tag` the folder, or read() each of tagger.reading.find_documents([folder])"


def _parse(format: str, data: bytes, columns: Columns, limits: Limits) -> Content:
    if not data or data.isspace():
        raise InputError("is empty: there is no text in it")
    if format == "text" or (format in _FRUGAL and _harmless(data, limits)):
        try:
            return READERS[format](data, columns, limits).check(limits)
        except (MemoryError, RecursionError) as error:
            raise InputError(f"is damaged: {type(error).__name__} while reading it") from error
    from tagger.reading.sandbox import SANDBOX

    return SANDBOX.parse(format, data, columns, limits)


def _harmless(data: bytes, limits: Limits) -> bool:
    """Tell whether a table of text has too few bytes and values to take more memory or time than it may.

    Its parsers, of the standard library, go through it once and make an object a value.
    """
    if len(data) > limits.seconds * _LEAST_SPEED or sys.getrecursionlimit() > _SHALLOW:
        return False
    spare = limits.memory - _PER_BYTE * len(data)
    return _PER_MARK * len(data) <= spare or (spare > 0 and _PER_MARK * _marks(data) <= spare)


def _marks(data: bytes) -> int:
    """Count commas, semicolons, opening brackets and whatever ends a line or a field of TSV."""
    import numpy as np

    count = 0
    for start in range(0, len(data), _BLOCK):
        codes = np.frombuffer(data[start : start + _BLOCK], "u1")
        for found in (codes < 14, codes == ord(","), codes == ord(";"), codes & 0xDF == ord("[")):  # 0xDF: "{" is "[" and a bit
            count += int(np.count_nonzero(found))
    return count
