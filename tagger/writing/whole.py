"""Output files that appear under their name only when they are whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tagger.errors import OutputError


def check_place(path: Path | str, endings: Collection[str]) -> Path:
    """Return the path if a file of a known ending can be written there, before any work is done for it."""
    path = Path(path)
    if path.suffix.lower() not in endings:
        raise OutputError(f"{path}: unknown format {path.suffix or 'without an ending'!r}; known are {', '.join(endings)}")
    if path.is_dir():
        raise OutputError(f"{path}: is a folder: name a file in it")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}: make it first")
    return path


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """Open a stream whose file takes its name at the end of the block: until then an older one stays as it is.

    Raises
    ------
    OutputError
        The disk is full or the folder can't be written to.
    """
    made: str | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.absolute().parent, prefix=f".{path.name}-", suffix=".tmp", delete=False) as stream:
            made = stream.name
            yield stream.file
            # A disk may say only now that it is full: the old file must still be there then.
            stream.flush()
            os.fsync(stream.fileno())
        Path(made).chmod(0o666 & ~_umask())
        os.replace(made, path)
        made = None
    except BrokenPipeError:
        raise  # of our own output on the terminal, which the passages' source may write to; not of this file
    except OutputError as error:
        raise OutputError(f"{path}: {error}") from error
    except OSError as error:
        raise OutputError(f"{path}: can't be written: {error.strerror or error}") from error
    finally:
        if made is not None:
            Path(made).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
