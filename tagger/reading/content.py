"""What passes between the parts of reading: `Content`, what a reader finds; `Columns`, what of a table is asked for; `Limits`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tagger.errors import InputError

_ORDINARY = re.compile("[\t\n\f -~\x80-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
_UNWANTED = re.compile("[\0-\x08\x0b\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one document may use; beyond, it is an `InputError` that names the limit.

    Parameters
    ----------
    seconds
        Wall-clock seconds for parsing.
    memory
        Bytes of memory for the process that parses (its whole address space; Linux only).
    size
        Bytes of the file.
    expanded
        Bytes of what is packed into a DOCX or XLSX file.
    characters
        Characters of text: about twice what a year's reports of all countries hold together; four times as many in a table, and a
        twentieth as many rows.
    """

    seconds: float = 60
    memory: int = 1 << 30
    size: int = 256 << 20
    expanded: int = 256 << 20
    characters: int = 10 << 20


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns of a table that hold the passages' texts and ids; None for the usual ones."""

    text: str | None = None
    id: str | None = None


LIMITS, COLUMNS = Limits(), Columns()


@dataclass(frozen=True, slots=True)
class Content:
    """What a reader finds in a file: text whose paragraphs and headings are lines, and what is known beside it.

    ``pages`` are pairs of a start in the text and a page number; ``rows``, of a table, hold for each row
    its number, its id if there is one, a start and an end.
    """

    text: str
    title: str | None = None
    pages: tuple[tuple[int, int], ...] = ()
    notes: tuple[str, ...] = ()
    rows: tuple[tuple[int, str | None, int, int], ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data, for another process; without the text."""
        return {"title": self.title, "pages": self.pages, "notes": self.notes, "rows": self.rows}

    def check(self, limits: Limits) -> Content:
        """Return itself if it keeps within the limits; what comes after reading takes its memory in proportion."""
        most = limits.characters * (1 if self.rows is None else 4)
        if len(self.text) > most or (self.rows and len(self.rows) > limits.characters / 20):
            raise InputError(
                f"holds more than {most:,} characters of text, or very many rows: cut it into several files, or raise the limit"
            )
        return self

    @classmethod
    def from_json(cls, data: dict[str, Any], text: str) -> Content:
        """Undo `to_json`."""
        rows = data["rows"]
        return cls(
            text=text,
            title=data["title"],
            pages=tuple((start, page) for start, page in data["pages"]),
            notes=tuple(data["notes"]),
            rows=None if rows is None else tuple((number, name, start, end) for number, name, start, end in rows),
        )


def clean(text: str) -> str:
    """One kind of line end; no control characters and halves of surrogate pairs, which no output format can hold."""
    if _ORDINARY.fullmatch(text):  # four times as fast as looking for what is wrong
        return text
    return _UNWANTED.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
