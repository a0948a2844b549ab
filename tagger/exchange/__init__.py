"""To and from other people's tools: one small module a format, listed in ``FORMATS``.

To add a format: write a module with a function from bytes to `Corpus` and one from a `Corpus` to a binary stream, and name it here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from tagger.errors import InputError, OutputError
from tagger.exchange import argilla, docbin, doccano, huggingface, label_studio, prodigy, qdpx, tables
from tagger.exchange.apart import read_apart
from tagger.exchange.folders import is_corpus, read_corpus, say_asked, with_themes_asked, write_corpus
from tagger.exchange.items import Corpus, Item, Labels, check_fit, from_results
from tagger.exchange.jsons import read_objects
from tagger.reading import naming
from tagger.reading.content import COLUMNS, LIMITS, Columns, Limits
from tagger.reading.files import read_bytes
from tagger.themes import Theme
from tagger.writing.whole import check_place, whole

__all__ = [
    "FORMATS",
    "NAMES",
    "Corpus",
    "Format",
    "Item",
    "Labels",
    "check_output",
    "from_results",
    "is_corpus",
    "read",
    "read_corpus",
    "say_asked",
    "write",
    "write_corpus",
]

_Write = Callable[[Corpus, Sequence[Theme], IO[bytes]], None]


class Format(NamedTuple):
    """The ending of its files, how to read and write them, how to write documents with spans, and how to know a JSON object of it."""

    ending: str
    read: Callable[[bytes, str, Labels, Limits], Corpus]
    write: _Write
    write_spans: _Write | None = None
    recognise: Callable[[Mapping[str, Any]], bool] | None = None


FORMATS: dict[str, Format] = {
    "refi-qda": Format(".qdpx", qdpx.read_qdpx, qdpx.write_qdpx, qdpx.write_qdpx),
    "label-studio": Format(
        ".json", label_studio.read_label_studio, label_studio.write_tasks, label_studio.write_spans, label_studio.recognise
    ),
    "argilla": Format(".json", argilla.read_argilla, argilla.write_argilla, None, argilla.recognise),
    "prodigy": Format(".jsonl", prodigy.read_prodigy, prodigy.write_choices, prodigy.write_spans, prodigy.recognise),
    "doccano": Format(".jsonl", doccano.read_doccano, doccano.write_doccano, None, doccano.recognise),
    "spacy": Format(".spacy", docbin.read_docbin, docbin.write_cats, docbin.write_spans),
    "csv": Format(".csv", tables.read_csv, tables.write_csv),
    "xlsx": Format(".xlsx", tables.read_xlsx, tables.write_xlsx),
    "parquet": Format(".parquet", tables.read_parquet, tables.write_parquet),
}
"""The formats of files; ``datasets``, which is a folder, is beside them."""
DATASETS = "datasets"
NAMES = (*FORMATS, DATASETS)
TABLES = ("doccano", "csv", "xlsx", "parquet", DATASETS)
"""The formats whose columns may be called otherwise than ours."""
LIBRARIES: dict[str, Callable[[], Any]] = {"spacy": docbin.library, DATASETS: huggingface.library}
"""The formats that are read in a process of their own, and what loads the library for each."""


def read(
    path: Path | str,
    themes: Sequence[Theme],
    *,
    format: str | None = None,
    labels: Mapping[str, str] | None = None,
    columns: Columns = COLUMNS,
    limits: Limits = LIMITS,
) -> Corpus:
    """Read a file, or a folder that `datasets` saved, as a corpus; what it is shows from its name and content.

    Parameters
    ----------
    path
        The file.
    themes
        The themes of the codebook: labels are known by a theme's name or title.
    format
        One of `NAMES`, where content can't tell.
    labels
        What else stands for a theme: a name to the theme's name, or to "" where it is to be left out.
    columns
        The columns of a table that hold texts and ids, where they are not called ``text`` and ``id``.
    limits
        What the reading may use.

    Raises
    ------
    InputError
        The file is missing, damaged or hostile, or a label of it is no theme; the message names file, place and field.
    MissingExtraError
        The library for the format is not installed.
    """
    path = Path(path)
    known = Labels(themes, labels, columns)
    with naming(str(path)):
        format = format or (DATASETS if path.is_dir() else _format(path, limits))
        if columns != COLUMNS and format not in TABLES:
            raise InputError("is no table, so that it has no columns to name: leave out --text-column and --id-column")
        found = read_apart(format, path, themes, labels, columns, limits) if format in LIBRARIES else read_here(path, format, known, limits)
        found = with_themes_asked(found, known)
        known.check()
    return found


def read_here(path: Path, format: str, labels: Labels, limits: Limits) -> Corpus:
    """Read a file or folder of this format in this process; the labels that are unknown are left for `Labels.check`."""
    if format == DATASETS:
        return huggingface.read_dataset(path, path.name, labels, limits)
    return FORMATS[format].read(read_bytes(path, limits), path.stem, labels, limits)


def _format(path: Path, limits: Limits) -> str:
    """What a file is: its ending tells, and of JSON the first object."""
    ending = path.suffix.lower()
    if ending in (".json", ".jsonl", ".ndjson"):
        _, first = read_objects(read_bytes(path, limits), limits)[0]
        for name, format in FORMATS.items():
            if format.recognise is not None and format.recognise(first):
                return name
        raise InputError(f"is JSON of no known tool, with the fields {', '.join(map(repr, first))[:200]}: name one with --format")
    endings = {format.ending: name for name, format in FORMATS.items()} | {".tsv": "csv"}
    if ending not in endings:
        raise InputError(f"is of no known format; name one with --format: {', '.join(NAMES)}")
    return endings[ending]


def write(path: Path | str, corpus: Corpus, themes: Sequence[Theme], *, format: str | None = None, spans: bool = False) -> None:
    """Write a corpus for another tool; it appears under its name only when it is whole.

    Parameters
    ----------
    path
        The file, or for ``datasets`` the folder.
    corpus
        What to write: see `read_corpus` and `from_results`.
    themes
        The themes of the codebook, with their titles and definitions.
    format
        One of `NAMES`; where it is left out, the ending of the path tells, if only one format has it.
    spans
        Write a document with spans for each document of the corpus, not one for each passage.

    Raises
    ------
    OutputError
        The format is not known, can't hold the corpus, or the file can't be written.
    """
    path = Path(path)
    format = check_output(path, format=format, spans=spans)
    check_fit(corpus)
    if format == DATASETS:
        huggingface.write_dataset(corpus, themes, path)
        return
    chosen = FORMATS[format]
    with whole(path) as stream:
        (chosen.write_spans if spans and chosen.write_spans else chosen.write)(corpus, themes, stream)


def check_output(path: Path, *, format: str | None = None, spans: bool = False) -> str:
    """Return the format to write, if it can be written there, before any work is done for it."""
    format = format or _format_to_write(path)
    able = [name for name, one in FORMATS.items() if one.write_spans]
    if spans and format not in able:
        raise OutputError(f"{format} holds passages, not documents with spans; these hold spans: {', '.join(able)}")
    if format != DATASETS:
        check_place(path, (FORMATS[format].ending,))
    return format


def _format_to_write(path: Path) -> str:
    able = [name for name, format in FORMATS.items() if format.ending == path.suffix.lower()]
    if len(able) == 1:
        return able[0]
    endings = ", ".join(dict.fromkeys(format.ending for format in FORMATS.values()))
    raise OutputError(
        f"{path}: " + (f"may be for {' or '.join(able)}" if able else f"no format ends so ({endings})") + ": name one with --format"
    )
