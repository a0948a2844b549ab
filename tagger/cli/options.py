"""Options of reading that commands share."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from tagger.reading import LIMITS, Columns, Limits
from tagger.structure import INTRODUCTION, SECTIONS

_USUAL = "seconds=60, memory=1G, size=256M, expanded=256M, characters=10M, html=20M, passages=500000"

_INPUT = typer.Argument(metavar="INPUT...", help="Files (text, Markdown, HTML, PDF, DOCX, tables), folders, or - for standard input.")
Inputs = Annotated[list[Path], _INPUT]
Addresses = Annotated[list[str], _INPUT]  # as a path, that of shared storage would lose a slash
TextColumn = Annotated[
    str | None, typer.Option(help="Of a table (JSONL, CSV, TSV, XLSX, Parquet): the column of the passages; 'text' if left out.")
]
IdColumn = Annotated[str | None, typer.Option(help="Of a table: the column of their ids; 'id' if left out and there.")]
Limit = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=NUMBER",
        help=f"What reading a file may use: {_USUAL}. Text, Markdown, JSONL, CSV, TSV and Parquet of 4M or more, whose results go to "
        ".jsonl, .csv, .parquet or -, are read part by part: for them size, passages and seconds do not hold, and characters hold for "
        "each paragraph.",
    ),
]

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def limits(given: list[str] | None, made: Limits = LIMITS) -> Limits:
    """Make limits of what was given as ``NAME=NUMBER``, the number with K, M or G behind it; the others are those ``made`` before."""
    for item in given or []:
        name, _, number = item.partition("=")
        if name not in asdict(made):
            raise typer.BadParameter(f"{name!r} is unknown; known are {', '.join(asdict(made))}", param_hint="--limit")
        found = re.fullmatch(r"(\d{1,18})([KMG]?)", number)
        try:
            made = replace(made, **{name: int(found[1]) * _UNITS[found[2]] if found else 0})
        except ValueError as error:
            message = f"{item!r}: write a positive whole number, not too large, as in {_USUAL}"
            raise typer.BadParameter(message, param_hint="--limit") from error
    return made


def sections(given: list[str] | None) -> list[str]:
    """Return the names of sections if they are such."""
    known = (INTRODUCTION, *SECTIONS)
    for name in given or []:
        if name.casefold() not in map(str.casefold, known):
            raise typer.BadParameter(f"{name!r} is no section; known are {', '.join(known)}", param_hint="--section")
    return given or []


def columns(text: str | None, id: str | None) -> Columns:
    """Name the columns of a table."""
    return Columns(text=text, id=id)
