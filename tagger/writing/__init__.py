"""Tagged passages -> a file. One small module a format, listed in ``WRITERS`` by file ending.

To add a format: write a module with a function from results, what is said about them, and a binary stream; name it here,
with the package of the extra ``documents`` that it needs, if any.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import IO, NamedTuple

from tagger.errors import MissingExtraError
from tagger.writing.about import About, Results
from tagger.writing.html import write_html
from tagger.writing.jsonl import tagged_to_json, write_jsonl
from tagger.writing.markdown import write_markdown
from tagger.writing.parquet import write_parquet
from tagger.writing.table import write_csv
from tagger.writing.whole import check_place, whole
from tagger.writing.xlsx import write_xlsx

__all__ = ["STREAMING", "WRITERS", "About", "Results", "Writer", "check_output", "check_packages", "tagged_to_json", "write"]


class Writer(NamedTuple):
    """A function that writes results to a stream, and the package that it imports when it is called."""

    write: Callable[[Results, About, IO[bytes]], None]
    needs: str | None = None


WRITERS: dict[str, Writer] = {
    ".jsonl": Writer(write_jsonl),
    ".csv": Writer(write_csv),
    ".xlsx": Writer(write_xlsx, "xlsxwriter"),
    ".parquet": Writer(write_parquet, "pyarrow"),
    ".md": Writer(write_markdown),
    ".html": Writer(write_html, "jinja2"),
}


STREAMING = frozenset({".jsonl", ".csv", ".parquet"})
"""The endings whose writers hold nothing back, so that documents may come in parts without their text."""


def check_output(path: Path | str) -> Path:
    """Return the path if something can be written there, before any work is done for it."""
    path = check_place(path, WRITERS)
    check_packages(path.suffix.lower())
    return path


def check_packages(ending: str) -> None:
    """See that what the writer of this ending imports is installed."""
    writer = WRITERS[ending]
    if writer.needs is not None and importlib.util.find_spec(writer.needs) is None:
        raise MissingExtraError(writer.needs, "documents")


def write(path: Path | str, results: Results, about: About) -> None:
    """Write documents with their tagged passages; the file's ending picks the format.

    The file appears under its name only when it is whole: until then an older one stays as it is.

    Raises
    ------
    OutputError
        The disk is full, the folder can't be written to, or the format can't hold the results.
    MissingExtraError
        The format needs a package of the extra ``documents``.

    Examples
    --------
    >>> import tagger
    >>> tags, document = tagger.load(), tagger.read("corpora/mexico-2014/report.txt")
    >>> write("mexico.html", [(document, tags.tag(document))], tags.about)
    """
    path = check_output(path)
    with whole(path) as stream:
        WRITERS[path.suffix.lower()].write(results, about, stream)
