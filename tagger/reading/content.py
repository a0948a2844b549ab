"""What passes between the parts of reading: `Content`, what a reader finds; `Columns`, what of a table is asked for; `Limits`."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import asdict, dataclass, replace
from threading import TIMEOUT_MAX
from typing import Any, NamedTuple

from tagger.errors import InputError
from tagger.invisible import INVISIBLE, visible

_CONTROLS = (*map(chr, (*range(9), 11, *range(14, 32), 127)), "\ufffe", "\uffff")
_UNWANTED = re.compile("[\0-\x08\x0b\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_LONG = 1 << 20  # characters; to look through fewer takes less time than loading numpy
_BLOCK = 1 << 17  # characters that a processor's cache holds


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one document may use; beyond, it is an `InputError` that names the limit. All are positive numbers.

    They hold for what is read whole; see `tagger.reading.large` for what is read part by part.

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
        Characters of text: about twice what a year's reports of all countries hold together; four times as many in a table.
    html
        Bytes of a web page; parsed, it takes some thirty times its size.
    passages
        Passages, and paragraphs or rows: far above any report, and few enough for the memory that each takes.
    """

    seconds: float = 60
    memory: int = 1 << 30
    size: int = 256 << 20
    expanded: int = 256 << 20
    characters: int = 10 << 20
    html: int = 20 << 20
    passages: int = 500_000

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            # More than this the system's own counters of time and memory do not hold.
            most, kind = (TIMEOUT_MAX, (int, float)) if name == "seconds" else ((1 << 62), (int,))
            if not isinstance(value, kind) or not 0 < value <= most:
                raise ValueError(f"Limits({name}={value!r}): must be a positive {'number' if name == 'seconds' else 'whole number'}")


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns of a table that hold the passages' texts and ids; None for the usual ones."""

    text: str | None = None
    id: str | None = None


LIMITS, COLUMNS = Limits(), Columns()


class Rows(NamedTuple):
    """The rows of a table that hold text: for each its id, or its number if it has none, and its text's length."""

    ids: tuple[str | int, ...]
    lengths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """What a reader finds in a file: text whose paragraphs and headings are lines, and what is known beside it.

    ``pages`` are pairs of a start in the text and a page number; the texts of a table's ``rows`` are the text, with a line end
    between each two.
    """

    text: str
    title: str | None = None
    pages: tuple[tuple[int, int], ...] = ()
    notes: tuple[str, ...] = ()
    rows: Rows | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data, for another process; without the text."""
        return {"title": self.title, "pages": self.pages, "notes": self.notes, "rows": self.rows}

    def check(self, limits: Limits) -> Content:
        """Return itself if it keeps within the limits, without invisible characters; what comes after takes memory in proportion."""
        most = limits.characters * (1 if self.rows is None else 4)
        if len(self.text) > most:
            raise InputError(f"holds more than {most:,} characters of text: cut it into several files, or raise the limit")
        if self.rows and len(self.rows.ids) > limits.passages:
            raise InputError(f"has more than {limits.passages:,} rows: cut it into several files, or raise the limit")
        return self if self.rows else self._visible()

    def _visible(self) -> Content:
        """Itself without invisible characters; the rows of a table have lost theirs, each its own."""
        text, title = visible(self.text), self.title and visible(self.title)
        if text is self.text:
            return replace(self, title=title)
        gone = [place for place, character in enumerate(self.text) if character in INVISIBLE]
        return replace(self, text=text, title=title, pages=tuple((start - bisect_left(gone, start), page) for start, page in self.pages))

    @classmethod
    def from_json(cls, data: dict[str, Any], text: str) -> Content:
        """Undo `to_json`."""
        rows = data["rows"]
        return cls(
            text=text,
            title=data["title"],
            pages=tuple((start, page) for start, page in data["pages"]),
            notes=tuple(data["notes"]),
            rows=None if rows is None else Rows(*map(tuple, rows)),
        )


def clean(text: str, *, decoded: bool = False) -> str:
    """One kind of line end; no control characters and halves of surrogate pairs, which no output format can hold.

    Text that was strictly ``decoded`` holds no such halves. Of text with nothing to change the same object is returned.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n")
        if "\r" in text:
            text = text.replace("\r", "\n")
    if not _spotless(text) or not (decoded or _whole(text)):
        text = _UNWANTED.sub("\ufffd", text)
    return text


def _spotless(text: str) -> bool:
    """Tell whether there is no control character; halves of surrogate pairs are not looked for."""
    if len(text) < _LONG:
        # Looking for one character after the other is three times as fast as for one of a set.
        return not any(map(text.__contains__, _CONTROLS))
    return all(_spotless_block(text[start : start + _BLOCK]) for start in range(0, len(text), _BLOCK))


def _spotless_block(text: str) -> bool:
    import numpy as np

    data, wide = packed(text)
    codes = np.frombuffer(data, "<u2" if wide else "u1")
    if "\x0b" in text or "\x7f" in text or codes.min() < 9 or (wide and codes.max() > 0xFFFD):
        return False
    # What falls below zero wraps around to the largest numbers, so that of the rest only \x0e-\x1f, less 14, are below 18.
    return bool((codes - codes.dtype.type(14)).min() > 17)


def packed(text: str) -> tuple[bytes, bool]:
    """The text in an encoding that takes a fifth of the time of UTF-8: Latin-1, or UTF-16 for what is wider; and whether it is."""
    try:
        return text.encode("latin-1"), False
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass"), True


def unpacked(data: bytes, wide: bool) -> str:
    """Undo `packed`."""
    return data.decode("utf-16-le" if wide else "latin-1", "replace")


def _whole(text: str) -> bool:
    """Tell whether there is no half of a surrogate pair."""
    try:
        text.isascii() or text.encode()
    except UnicodeEncodeError:
        return False
    return True
