"""Text made fit to be written: characters that files can't hold, and the deciding words marked off."""

from __future__ import annotations

import re
from itertools import pairwise

from tagger.records import Document, Tagged

# What XML 1.0 forbids, and what no browser or spreadsheet shows: each becomes one replacement character, so offsets hold.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """Replace control characters and unpaired surrogates, one for one."""
    return _UNFIT.sub("\ufffd", text)


def runs(item: Tagged) -> list[tuple[str, tuple[str, ...]]]:
    """Cut a passage into runs of text, each with the themes that its words decided."""
    text = clean(item.text)
    spans = [(span.start, span.end, theme) for theme, found in item.evidence.items() for span in found if span.start < span.end]
    cuts = sorted({0, len(text), *(place for start, end, _ in spans for place in (start, end) if 0 <= place <= len(text))})
    found = []
    for left, right in pairwise(cuts):
        themes = tuple(dict.fromkeys(theme for start, end, theme in spans if start <= left and right <= end))
        found.append((text[left:right], themes))
    return found


def words(item: Tagged, theme: str) -> str:
    """The words that decided a theme, strongest first."""
    return clean(" | ".join(item.text[span.start : span.end] for span in item.evidence.get(theme, ())))


def heading(document: Document) -> str:
    """What a document is called on a page: its title, or else its name."""
    return clean(document.title or document.name)


def facts(document: Document) -> list[str]:
    """What a document's header says: country, year and tier."""
    return [clean(str(value)) for value in (document.country, document.year, document.tier) if value]
