"""Tagged passages -> a file. One small module a format, listed in ``WRITERS`` by file ending.

To add a format: write a module with a function from tagged passages to a binary stream, and name it here.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO

from tagger.errors import OutputError
from tagger.records import Tagged
from tagger.writing.jsonl import tagged_to_json, write_jsonl
from tagger.writing.table import write_csv

__all__ = ["WRITERS", "check_output", "tagged_to_json", "write"]

WRITERS: dict[str, Callable[[Iterable[Tagged], Sequence[str], IO[bytes]], None]] = {
    ".jsonl": write_jsonl,
    ".csv": write_csv,
}


def check_output(path: Path | str) -> Path:
    """Return the path if something can be written there, before any work is done for it."""
    path = Path(path)
    if path.suffix.lower() not in WRITERS:
        raise OutputError(f"{path}: unknown format {path.suffix or 'without an ending'!r}; known are {', '.join(WRITERS)}")
    if path.is_dir():
        raise OutputError(f"{path}: is a folder: name a file in it")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}: make it first")
    return path


def write(path: Path | str, tagged: Iterable[Tagged], themes: Sequence[str]) -> None:
    """Write all tagged passages; the file's ending picks the format.

    The file appears under its name only when it is whole: until then an older one stays as it is.
    """
    path = check_output(path)
    made: str | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.absolute().parent, prefix=f".{path.name}-", suffix=".tmp", delete=False) as stream:
            made = stream.name
            WRITERS[path.suffix.lower()](tagged, themes, stream.file)
        Path(made).chmod(0o666 & ~_umask())
        os.replace(made, path)
        made = None
    except OSError as error:
        raise OutputError(f"{path}: can't be written: {error.strerror or error}") from error
    finally:
        if made is not None:
            Path(made).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
