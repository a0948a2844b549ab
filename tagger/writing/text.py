"""Text made fit to be written: characters that files can't hold, and the deciding words marked off."""

from __future__ import annotations

import re
from itertools import pairwise

from tagger.countries import plain_name
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
    return " | ".join(item.text[span.start : span.end] for span in item.evidence.get(theme, ()))


def many(number: int, noun: str) -> str:
    """Count things: one passage, two passages."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def heading(document: Document) -> str:
    """What a document is called on a page: its title if that names its country, or else its country and year, or its name.

    The title of many a file is that of the whole yearly report.
    """
    if document.title and document.country and plain_name(document.country) in plain_name(document.title):
        return clean(document.title)
    return label(document)


def label(document: Document) -> str:
    """What a document is called in lists: its country and year, or else its title or name."""
    if not document.country:
        return clean(document.title or document.name)
    return clean(f"{document.country}, {document.year}" if document.year else document.country)


def facts(document: Document) -> list[str]:
    """What is known of a document and does not stand in its heading: its name, and country, year and tier."""
    shown = heading(document)
    header = [clean(str(value)) for value in (document.country, document.year, document.tier) if value]
    named = [] if document.name == shown else [clean(document.name)]
    return named + [fact for fact in header if plain_name(fact) not in plain_name(shown)]


def entry(document: Document) -> str:
    """What a document is called in a list of counts: its name, which no other has, and what its header says."""
    said = [label(document), *([clean(document.tier)] if document.tier else [])]
    return clean(document.name) if said == [clean(document.name)] else f"{clean(document.name)}: {', '.join(said)}"
