"""Files to label in: a row a candidate, with a column named after the theme for yes or no; and what is read from them, as a corpus.

An empty cell says that nobody has decided: the passage is left out, and counts neither for the theme nor against it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tagger.corpus import PASSAGES, passages, unsaid_themes
from tagger.errors import CorpusError, InputError, MissingExtraError
from tagger.exchange.rows import decision
from tagger.extending.candidates import Candidate
from tagger.reading import Columns
from tagger.tagging import read
from tagger.writing.table import armed, defuse
from tagger.writing.whole import check_place, whole

_README = "README.md"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A passage that somebody has read for a theme, and whether it carries it."""

    id: str
    document: str
    text: str
    carries: bool


def check_candidates(path: Path) -> Path:
    """Return the path if candidates can be written there, before any work is done for it.

    Raises
    ------
    OutputError
        The file has another ending, or its folder is not there.
    """
    return check_place(path, WRITERS)


def write_candidates(path: Path, theme: str, candidates: Sequence[Candidate]) -> None:
    """Write candidates for people to label, as CSV, XLSX or JSON Lines: the ending tells.

    Raises
    ------
    OutputError
        The file can't be written, or has another ending.
    MissingExtraError
        XLSX needs xlsxwriter, which is not installed.
    """
    write = WRITERS[check_candidates(path).suffix.lower()]
    rows = [_row(theme, candidate) for candidate in candidates]
    with whole(path) as stream:
        write(rows, theme, stream)


def _row(theme: str, candidate: Candidate) -> dict[str, Any]:
    passage = candidate.passage
    return {
        theme: None,
        "text": passage.text,
        "why": candidate.why,
        "similarity": candidate.similarity,
        "id": passage.id,
        "document": passage.document,
        "section": passage.section,
        "page": passage.page,
    }


def _write_csv(rows: Sequence[Mapping[str, Any]], theme: str, stream: IO[bytes]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(rows[0] if rows else [theme])
    writer.writerows([[defuse(value) for value in row.values()] for row in rows])
    stream.write(text.getvalue().encode("utf-8-sig", "replace"))


def _write_jsonl(rows: Sequence[Mapping[str, Any]], theme: str, stream: IO[bytes]) -> None:
    for row in rows:
        stream.write(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n")


def _write_xlsx(rows: Sequence[Mapping[str, Any]], theme: str, stream: IO[bytes]) -> None:
    """Write a sheet whose first column takes yes or no only."""
    try:
        import xlsxwriter
    except ImportError as error:
        raise MissingExtraError("xlsxwriter", "documents") from error
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(packed, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("Candidates")
    head, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    for column, name in enumerate(rows[0] if rows else [theme]):
        sheet.set_column(column, column, 90 if name == "text" else 16)
        sheet.write_string(0, column, name, head)
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row.values()):
            if value is not None:
                (sheet.write_string if isinstance(value, str) else sheet.write_number)(number, column, value, wrapped)
    sheet.data_validation(1, 0, max(1, len(rows)), 0, {"validate": "list", "source": ["yes", "no"]})
    sheet.freeze_panes(1, 1)
    book.close()
    stream.write(packed.getbuffer())


WRITERS: dict[str, Callable[[Sequence[Mapping[str, Any]], str, IO[bytes]], None]] = {
    ".csv": _write_csv,
    ".xlsx": _write_xlsx,
    ".jsonl": _write_jsonl,
}


def read_labels(path: Path, theme: str) -> list[Labelled]:
    """Read the rows in which somebody has decided: a table of any format that tagger reads, with the columns of `write_candidates`.

    Raises
    ------
    InputError
        The file can't be read, lacks a column, holds something other than yes or no, or has no decision at all.
    """
    said = _column(path, theme, "yes or no, and nothing where nobody has decided")
    texts, documents = _column(path, "text", "passages"), _column(path, "document", "their documents")
    found = []
    for name, value in said.items():
        carries = decision(value, f"{path}: row {name!r}: column {theme!r}")
        if carries is None:
            continue
        if name not in texts or name not in documents:
            raise InputError(
                f"{path}: row {name!r}: has no {'text' if name not in texts else 'document'}: take the row from the file again"
            )
        found.append(Labelled(name, documents[name], texts[name], carries))
    return found


def _column(path: Path, name: str, holds: str) -> dict[str, str]:
    """What stands in a column, by id, of the rows where something does."""
    try:
        rows = read(path, columns=Columns(text=name, id="id")).passages
    except InputError as error:
        raise InputError(f"{str(error).partition(': name one with')[0]} (looked for a column {name!r} with {holds})") from error
    spreadsheet = path.suffix.lower() == ".csv"  # only there was a text made safe
    found = {row.id: armed(row.text) if spreadsheet else row.text for row in rows}
    if len(found) < len(rows):
        raise InputError(f"{path}: an id stands in two rows: each passage needs its own")
    return found


def write_labelled(folder: Path, theme: str, labelled: Sequence[Labelled]) -> tuple[int, int]:
    """Add passages to the corpus of a theme, new or not; a passage that is there gets the new label. Return how many it holds and carry it.

    Every line says afterwards for which themes it was read, so that a new label says nothing of the passages that nobody read for it.

    Raises
    ------
    CorpusError
        The corpus is broken, or an id is that of another passage there.
    OutputError
        The corpus can't be written.
    """
    there = passages(folder) if (folder / PASSAGES).is_file() else []
    unsaid = unsaid_themes(there)
    rows = {row["id"]: {**row, "asked": row.get("asked", unsaid)} for row in there}
    for one in labelled:
        if (old := rows.get(one.id)) is not None and old["text"] != one.text:
            raise CorpusError(
                f"{folder / PASSAGES}: the id {one.id!r} is that of another passage there: give one of the two reports another name"
            )
        before = old or {"id": one.id, "text": one.text, "labels": [], "document": one.document, "asked": []}
        labels = [label for label in before["labels"] if label != theme] + [theme] * one.carries
        rows[one.id] = {**before, "labels": labels, "asked": list(dict.fromkeys([*before["asked"], theme]))}
    folder.mkdir(parents=True, exist_ok=True)
    with whole(folder / PASSAGES) as stream:
        for row in rows.values():
            stream.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    if not (folder / _README).exists():
        with whole(folder / _README) as stream:
            stream.write(_datasheet(theme).encode())
    return len(rows), sum(theme in row["labels"] for row in rows.values())


def _datasheet(theme: str) -> str:
    head = f"---\nconfigs:\n- config_name: default\n  data_files: {PASSAGES}\n---\n# Datasheet: {theme}\n\n"
    return (
        f"{head}Passages that were read for the theme `{theme}`, and for no other. Half of them were found by the theme's words and "
        "definition, so they\ncarry it more often than the reports do; the others were drawn by chance.\n\nWrite here which reports they "
        "are of, and who labelled them by what.\n"
    )
