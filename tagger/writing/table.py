"""CSV that opens in a spreadsheet: UTF-8 with a mark, and no cell that a spreadsheet would run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import IO, Any

from tagger.records import Tagged

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def defuse(value: Any) -> Any:
    """Put an apostrophe before a text that a spreadsheet would take for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def write_csv(tagged: Iterable[Tagged], themes: Sequence[str], stream: IO[bytes]) -> None:
    """Write a row for each passage: where it stands, its text and labels, then a score and the deciding words a theme."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="", write_through=True)
    rows = csv.writer(text)
    places = ["id", "document", "section", "page", "paragraph", "start", "end", "text", "labels", "review"]
    rows.writerow(places + [column for theme in themes for column in (theme, f"{theme}_words")])
    for item in tagged:
        passage = item.passage
        row: list[Any] = [passage.id, passage.document, passage.section, passage.page, passage.paragraph, passage.start, passage.end]
        row += [passage.text, "; ".join(item.labels), "; ".join(item.review)]
        for theme in themes:
            words = " | ".join(passage.text[span.start : span.end] for span in item.evidence.get(theme, ()))
            row += [round(item.scores[theme], 4), words]
        rows.writerow([defuse(value) for value in row])
    text.detach()
