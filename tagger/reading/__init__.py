"""A path -> a `Document`. One small module a format, listed in ``READERS`` by file ending.

To add a format: write a module with a function from bytes to text, and name it here.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from tagger.errors import InputError
from tagger.reading.plain import read_plain
from tagger.records import Document

READERS: dict[str, Callable[[bytes], str]] = {".txt": read_plain, ".text": read_plain}
STDIN = "-"
LIMIT = 2 << 30
"""The most bytes that one document may have."""


def read_document(path: Path | str, *, name: str | None = None) -> Document:
    """Read a file, or standard input for ``-``, as one document without passages.

    Raises
    ------
    InputError
        The message names the file and what is wrong with it.
    """
    label = "standard input" if str(path) == STDIN else str(path)
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{label}: a folder with no file of a known format ({', '.join(READERS)})")
    reader = read_plain if str(path) == STDIN else READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{label}: unknown format {path.suffix or 'without an ending'!r}; known are {', '.join(READERS)}")
    try:
        text = reader(_bytes(path))
    except InputError as error:
        raise InputError(f"{label}: {error}") from error
    if not text.strip():
        raise InputError(f"{label}: is empty: there is no text in it")
    return Document(name=name or ("stdin" if str(path) == STDIN else path.stem), text=text)


def _bytes(path: Path) -> bytes:
    try:
        if str(path) == STDIN:
            return sys.stdin.buffer.read(LIMIT)
        if not path.is_file():
            raise InputError("is not a regular file" if path.exists() else "no such file")
        if path.stat().st_size > LIMIT:
            raise InputError(f"is larger than {LIMIT >> 30} GiB: cut it into several files")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"can't be read: {error.strerror or error}") from error


def find_documents(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    """Yield each file to read with a name for its document; a folder stands for all files below it of a known format.

    A folder without any is yielded itself, so that reading it tells.
    """
    stems = Counter(path.stem for path in paths)
    for path in paths:
        if not path.is_dir():
            name = path.stem if stems[path.stem] == 1 else path.with_suffix("").as_posix()
            yield path, "stdin" if str(path) == STDIN else name
        else:
            files = list(_files_below(path))
            yield from files or [(path, path.name)]


def _files_below(top: Path) -> Iterator[tuple[Path, str]]:
    for folder, folders, names in os.walk(top):
        folders.sort()
        for name in sorted(names):
            file = Path(folder, name)
            if file.suffix.lower() in READERS and not name.startswith("."):
                yield file, file.relative_to(top).with_suffix("").as_posix()
