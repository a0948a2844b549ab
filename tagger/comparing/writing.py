"""A comparison -> a file: a page or numbers, by its ending."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import IO

from tagger.comparing.numbers import write_numbers
from tagger.comparing.results import Comparison
from tagger.comparing.webpage import write_page
from tagger.errors import MissingExtraError
from tagger.writing.whole import check_place, whole

WRITERS: dict[str, Callable[[Comparison, IO[bytes]], None]] = {".html": write_page, ".csv": write_numbers}


def check_output(path: Path | str) -> Path:
    """Return the path if a comparison can be written there, before any work is done for it."""
    path = check_place(path, WRITERS)
    if path.suffix.lower() == ".html" and importlib.util.find_spec("jinja2") is None:
        raise MissingExtraError("jinja2", "documents")
    return path


def write(path: Path | str, comparison: Comparison) -> None:
    """Write a comparison; the file appears under its name only when it is whole.

    Raises
    ------
    OutputError
        The ending is unknown, the disk is full or the folder can't be written to.
    MissingExtraError
        A page needs jinja2, of the extra ``documents``.
    """
    path = check_output(path)
    with whole(path) as stream:
        WRITERS[path.suffix.lower()](comparison, stream)
