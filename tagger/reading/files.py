"""Which files are meant, and their bytes."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePath
from typing import TypeVar

from tagger.errors import InputError
from tagger.reading.content import Limits
from tagger.reading.formats import OWN_HEAD, SUFFIXES, TABLES, is_own

Place = TypeVar("Place", Path, str)
STDIN = "-"
_ADDRESS = re.compile(r"(https?|ftp):/+", re.IGNORECASE)


def is_address(path: Path | str) -> bool:
    """Tell whether this is the address of a web page; a path of it has lost a slash."""
    return _ADDRESS.match(str(path)) is not None


def label_of(path: Path | str) -> str:
    """What an input is called in messages."""
    return "standard input" if str(path) == STDIN else _ADDRESS.sub(r"\1://", str(path), count=1) if is_address(path) else str(path)


def read_bytes(path: Path, limits: Limits) -> bytes:
    """Read a regular file, or standard input for ``-``; whatever might block or never end is refused."""
    try:
        if str(path) == STDIN:
            data = sys.stdin.buffer.read(limits.size + 1)
        else:
            # Without O_NONBLOCK, opening a named pipe waits for somebody to write into it.
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
            with os.fdopen(descriptor, "rb") as stream:
                about = os.fstat(descriptor)
                if not stat.S_ISREG(about.st_mode):
                    raise InputError("is not a regular file")
                # Asked for as many bytes as there may be, Python would first make room for all of them.
                data = stream.read(min(about.st_size, limits.size) + 1)
                if len(data) > about.st_size:
                    data += stream.read(limits.size + 1 - len(data))
    except FileNotFoundError as error:
        raise InputError("no such file") from error
    except (OSError, ValueError) as error:
        raise InputError(f"can't be read: {getattr(error, 'strerror', None) or error}") from error
    if len(data) > limits.size:
        raise InputError(f"is larger than {limits.size >> 20} MiB: cut it into several files, or raise the limit")
    return data


def find_documents(paths: Sequence[Path | str], *, tables: bool = False) -> Iterator[tuple[Path, str]]:
    """Yield each file to read with a name for its document; a folder stands for all files below it of a known format.

    Tables in a folder are read only if asked for: more often than input they are the results of an earlier run. A folder
    without any file to read is yielded itself, so that reading it tells. Links to folders are not followed. No two names are
    the same, and a file that is named twice is read once.
    """
    given = list(map(Path, paths))
    stems = Counter(path.stem for path in given)
    found: dict[Path, str] = {}
    for path in given:
        if path.is_dir():
            files = named([(file, file.relative_to(path)) for file in _files_below(path, tables)]) or [(path, path.name)]
        elif str(path) == STDIN:
            files = [(path, "stdin")]
        else:
            files = [(path, path.stem if stems[path.stem] == 1 else path.with_suffix("").as_posix())]
        for file, name in files:
            found.setdefault(file, name)
    names = Counter(found.values())
    yield from ((path, name if names[name] == 1 else path.as_posix()) for path, name in found.items())


def without_own(files: Sequence[tuple[Path, str]], told: Callable[[str], object]) -> list[tuple[Path, str]]:
    """Pass over the pages that tagger wrote, which is ``told``; where there is nothing else they stay, so that reading them tells."""
    own = {path: None for path, _ in files if _is_own_page(path)}
    if len(own) == len(files):
        return list(files)
    for path in own:
        told(f"{path}: is a page that tagger wrote, and no report: passed over")
    return [(path, name) for path, name in files if path not in own]


def _is_own_page(path: Path) -> bool:
    if SUFFIXES.get(path.suffix.lower()) in ("html", "markdown") and path.is_file():
        with suppress(OSError), path.open("rb") as stream:  # reading it will say what is wrong
            return is_own(stream.read(OWN_HEAD))
    return False


def _files_below(top: Path, tables: bool) -> Iterator[Path]:
    for folder, folders, names in os.walk(top):
        folders.sort()
        yield from (Path(folder, name) for name in sorted(names) if is_document(name, tables))


def is_document(name: str, tables: bool) -> bool:
    """Tell by its name whether a file in a folder is one to read."""
    format = SUFFIXES.get(PurePath(name).suffix.lower())
    return format is not None and (tables or format not in TABLES) and not name.startswith((".", "~$"))


def named(files: Sequence[tuple[Place, PurePath]]) -> list[tuple[Place, str]]:
    """Name files, given with their places in a folder, without their ending, except where the same name stands with several endings."""
    stems = Counter(relative.with_suffix("") for _, relative in files)
    return [(file, (relative if stems[relative.with_suffix("")] > 1 else relative.with_suffix("")).as_posix()) for file, relative in files]
