"""Options that commands share: of reading."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from tagger.reading import Columns, Limits

_USUAL = "seconds=60, memory=1G, size=256M, expanded=256M, characters=10M, html=20M, passages=500000"

Inputs = Annotated[
    list[Path],
    typer.Argument(metavar="INPUT...", help="Files (text, Markdown, HTML, PDF, DOCX, tables), folders, or - for standard input."),
]
TextColumn = Annotated[
    str | None, typer.Option(help="Of a table (JSONL, CSV, TSV, XLSX, Parquet): the column of the passages; 'text' if left out.")
]
IdColumn = Annotated[str | None, typer.Option(help="Of a table: the column of their ids; 'id' if left out and there.")]
Limit = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=NUMBER", help=f"What reading a file may use: {_USUAL}."),
]

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def limits(given: list[str] | None) -> Limits:
    """Make limits of what was given as ``NAME=NUMBER``, the number with K, M or G behind it."""
    made = Limits()
    for item in given or []:
        found = re.fullmatch(rf"({'|'.join(asdict(made))})=(\d+)([KMG]?)", item)
        if not found or not int(found[2]):
            raise typer.BadParameter(f"{item!r}: write as in {_USUAL}", param_hint="--limit")
        made = replace(made, **{found[1]: int(found[2]) * _UNITS[found[3]]})
    return made


def columns(text: str | None, id: str | None) -> Columns:
    """Name the columns of a table."""
    return Columns(text=text, id=id)
