"""CSV that opens in a spreadsheet: UTF-8 with a mark, and no cell that a spreadsheet would run as a formula."""

from __future__ import annotations

import codecs
import csv
from typing import IO, Any

from tagger.writing.about import About, Results
from tagger.writing.text import words

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a text begins with that a spreadsheet takes for a formula."""


class Encoded:
    """Takes text and writes it in UTF-8. It holds nothing back, so that a full disk is told once, where it happens."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write a piece."""
        return self.stream.write(text.encode("utf-8", "replace"))


def defuse(value: Any) -> Any:
    """Put an apostrophe before a text that a spreadsheet would take for a formula, and before one that looks as if that had been done."""
    return f"'{value}" if _formula(value) else value


def armed(value: Any) -> Any:
    """Undo `defuse`."""
    return value[1:] if _formula(value) and value.startswith("'") else value


def _formula(value: Any) -> bool:
    return isinstance(value, str) and value.lstrip("'").startswith(FORMULA)


def write_csv(results: Results, about: About, stream: IO[bytes]) -> None:
    """Write a row for each passage: where it stands, its text and labels, then a score and the deciding words a theme."""
    stream.write(codecs.BOM_UTF8)
    rows = csv.writer(Encoded(stream))
    places = ["id", "document", "section", "page", "paragraph", "start", "end", "text", "labels", "review"]
    rows.writerow([defuse(name) for name in [*places, *(column for theme in about.names for column in (theme, f"{theme}_words"))]])
    for _, passages in results:
        for item in passages:
            passage = item.passage
            row: list[Any] = [passage.id, passage.document, passage.section, passage.page, passage.paragraph, passage.start, passage.end]
            row += [passage.text, "; ".join(item.labels), "; ".join(item.review)]
            for theme in about.names:
                row += [round(item.scores[theme], 4), words(item, theme)]
            rows.writerow([defuse(value) for value in row])
