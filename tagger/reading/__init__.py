"""A path -> a `Document` without passages. One small module a format, listed in ``READERS``.

To add a format: write a module with a function from bytes (and what of a table is asked for, and limits) to `Content`, name it
here, and tell in `formats` how it is known. Whatever libraries it needs it imports inside that function, which runs in a
process of its own with bounded memory and time: see `sandbox`. Only what the standard library alone parses is parsed right
here, if it is sure to keep within the limits whatever is in it: see `frugal`. Large text and tables go through `large`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tagger.errors import InputError
from tagger.reading.content import COLUMNS, LIMITS, Columns, Content, Limits
from tagger.reading.docx import read_docx
from tagger.reading.files import STDIN, find_documents, is_address, label_of, read_bytes, without_own
from tagger.reading.formats import SUFFIXES, detect
from tagger.reading.frugal import harmless
from tagger.reading.html import read_html
from tagger.reading.language import NOTE, looks_english
from tagger.reading.markdown import read_markdown
from tagger.reading.pdf import read_pdf
from tagger.reading.plain import read_plain
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
    "naming",
    "read_source",
    "source_of",
    "without_own",
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
Parse = Callable[[bytes, str, Columns, Limits], Content]
"""Parses a file's bytes; the ending of its name decides on the format only where content can't."""

_FRUGAL = {"jsonl", "csv", "tsv"}
_EMPTY = "is empty: there is no text in it"


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read: what it is called in messages and ids, and what is in it."""

    label: str
    name: str
    content: Content


def read_source(
    path: Path | str, *, label: str | None = None, name: str | None = None, columns: Columns = COLUMNS, limits: Limits = LIMITS
) -> Source:
    """Read a file, or standard input for ``-``; ``label`` is what messages call it.

    Raises
    ------
    InputError
        The message names the file and what is wrong with it.
    MissingExtraError
        The library for the file's format is not installed.
    """
    label = label or label_of(path)
    path = Path(path)
    with naming(label):
        if is_address(path):
            raise InputError("is a web address, and tagger does not reach the network: save the page and give the file")
        if path.is_dir():
            raise InputError(_about_folder(path))
        data = read_bytes(path, limits)
    suffix, stem = ("", "stdin") if str(path) == STDIN else (path.suffix, path.stem)
    return source_of(data, suffix, label=label, name=name or stem, columns=columns, limits=limits)


def source_of(
    data: bytes, suffix: str, *, label: str, name: str, columns: Columns = COLUMNS, limits: Limits = LIMITS, parse: Parse | None = None
) -> Source:
    """Read the bytes of a file whose name ends in ``suffix``, parsed by ``parse`` if given; the errors are those of `read_source`."""
    with naming(label):
        if not data or data.isspace():
            raise InputError(_EMPTY)
        content = (parse or _parse)(data, suffix, columns, limits)
        if not content.text or content.text.isspace():
            raise InputError(_EMPTY)
    if not looks_english(content.text):
        content = replace(content, notes=(*content.notes, NOTE))
    return Source(label, name, content)


@contextmanager
def naming(label: str) -> Iterator[None]:
    """Put what an input is called before the errors about it."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{label}: {error}") from error


def _about_folder(path: Path) -> str:
    if all(file == path for file, _ in find_documents([path], tables=True)):
        return f"a folder with no file of a known format ({', '.join(SUFFIXES)})"
    if all(file == path for file, _ in find_documents([path])):
        return "a folder that holds nothing but tables: name the column of their passages with --text-column"
    return "is a folder of many documents: give `tagger tag` the folder, or read() each of tagger.reading.find_documents([folder])"


def _parse(data: bytes, suffix: str, columns: Columns, limits: Limits) -> Content:
    format = detect(data, suffix, columns.text)
    if format == "text" or (format in _FRUGAL and harmless(data, limits)):
        try:
            return READERS[format](data, columns, limits).check(limits)
        except (MemoryError, RecursionError) as error:
            raise InputError(f"is damaged: {type(error).__name__} while reading it") from error
    from tagger.reading.sandbox import SANDBOX

    return SANDBOX.parse(format, data, columns, limits)
