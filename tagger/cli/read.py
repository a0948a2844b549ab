"""`tagger read`: what is understood of documents, before anything is tagged."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from tagger.cli import app, inform, put, warn
from tagger.cli.options import IdColumn, Inputs, Limit, TextColumn, columns, limits
from tagger.errors import InputError, MissingExtraError
from tagger.writing.counts import NO_SECTION
from tagger.writing.text import many

if TYPE_CHECKING:
    from rich.table import Table

    from tagger.records import Document, Passage

_HELP = """Show what is understood of reports: country, year, tier, sections, pages and passages.

**Examples**: `tagger read report.pdf` · `tagger read report.pdf --json > passages.jsonl`
"""


@app.command("read", help=_HELP)
def read_cli(
    inputs: Inputs,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    limit: Limit = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the passages as JSON Lines.")] = False,
) -> None:
    """Parse, read, print; a bad file is named and passed over, and makes the exit code 1."""
    from tagger.reading import find_documents, without_own
    from tagger.tagging import read_all

    failed = False
    used = limits(limit)
    files = without_own(list(find_documents(inputs, tables=text_column is not None)), inform)
    taken = Counter(name for _, name in files)
    for path, name in files:
        try:
            found = read_all(path, name=name, columns=columns(text_column, id_column), limits=used, taken=taken)
        except InputError as error:
            warn(str(error))
            failed = True
            continue
        except MissingExtraError as error:
            warn(f"{path}: {error}")
            failed = True
            continue
        for document in found:
            for note in document.notes:
                inform(f"{path}: {note}")
            if as_json:
                for passage in document.passages:
                    put(json.dumps(asdict(passage), ensure_ascii=False) + "\n")
            else:
                _print(document)
    if failed:
        raise SystemExit(1)


def _print(document: Document) -> None:
    """Print a heading line, a table of the sections, and all passages."""
    import sys

    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False, markup=False)
    known = (document.country, document.year, document.tier)
    pages = [number for _, number in document.pages]
    facts = ", ".join(str(fact) for fact in known if fact is not None)
    console.print(f"\n{document.name}: {facts}" if facts else f"\n{document.name}", style="bold")
    if document.title:
        console.print(f"title: {document.title}")
    if pages:
        console.print(f"page {pages[0]}" if len(pages) == 1 else f"pages {pages[0]} to {pages[-1]}")
    paragraphs = len({passage.paragraph for passage in document.passages})
    console.print(f"{many(len(document.passages), 'passage')} in {many(paragraphs, 'paragraph')}\n")
    console.print(_sections(document))
    console.print(_passages(document))


def _sections(document: Document) -> Table:
    table = _table("section", "paragraphs", "passages", *(["pages"] if document.pages else []))
    for section in dict.fromkeys(passage.section for passage in document.passages):
        inside = [passage for passage in document.passages if passage.section == section]
        pages = [passage.page for passage in inside if passage.page is not None]
        paragraphs = len({passage.paragraph for passage in inside})
        shown = [" to ".join(dict.fromkeys(map(str, (min(pages), max(pages)))))] if pages else []
        table.add_row(section or NO_SECTION, str(paragraphs), str(len(inside)), *shown)
    return table


def _passages(document: Document) -> Table:
    from rich.text import Text

    places: dict[str, Callable[[Passage], object]] = {
        "page": lambda passage: passage.page,
        "par.": lambda passage: passage.paragraph,
        "section": lambda passage: passage.section,
    }
    # What no passage has gets no column.
    places = {name: find for name, find in places.items() if any(find(passage) is not None for passage in document.passages)}
    table = _table(*places, "passage")
    last: tuple[object, ...] = ()
    for passage in document.passages:
        place = tuple(find(passage) for find in places.values())
        # What is the same as in the row above is not said again.
        cells = ["" if last == place or fact is None else str(fact) for fact in place]
        table.add_row(*cells, Text(passage.text))
        last = place
    return table


def _table(*names: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in names:
        table.add_column(name, ratio=1 if name == "passage" else None, no_wrap=name != "passage")
    return table
