"""Output files that appear under their name only when they are whole."""

from __future__ import annotations

import os
import re
import secrets
import stat
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from tagger.errors import OutputError

_PASSING = re.compile(r"\.tagger-(\d+)-[0-9a-f]{16}\.tmp")
_GIVEN_UP = 6 * 3600  # seconds after which nobody is writing any more


def check_place(path: Path | str, endings: Collection[str]) -> Path:
    """Return the path if a file of a known ending can be written there, before any work is done for it."""
    path = Path(path)
    if path.suffix.lower() not in endings:
        said = f"unknown format {path.suffix!r}" if path.suffix else "its name has no ending that tells the format"
        raise OutputError(f"{path}: {said}; known are {', '.join(endings)}")
    if path.is_dir():
        raise OutputError(f"{path}: is a folder: name a file in it")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}: make it first")
    return path


def passing_name() -> str:
    """A name, like no other, for a file that is not whole yet; it tells when the writing began."""
    return f".tagger-{int(time.time())}-{secrets.token_hex(8)}.tmp"


def is_given_up(name: str) -> bool:
    """Tell whether this is the name of a file that was never made whole: its writer was killed hours ago."""
    found = _PASSING.fullmatch(name)
    return found is not None and time.time() - int(found[1]) > _GIVEN_UP


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """Open a stream whose file takes its name at the end of the block: until then an older one stays as it is.

    The new one may be read and written by those who might the older one; where the name is a link, the file that it leads to is written.

    Raises
    ------
    OutputError
        The disk is full or the folder can't be written to.
    """
    place = Path(os.path.realpath(path))
    made = place.with_name(passing_name())
    try:
        with made.open("xb") as stream:
            with suppress(FileNotFoundError):
                made.chmod(stat.S_IMODE(place.stat().st_mode))
            yield stream
            # A disk may say only now that it is full: the old file must still be there then.
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(made, place)
    except BrokenPipeError:
        raise  # of our own output on the terminal, which the passages' source may write to; not of this file
    except OutputError as error:
        raise OutputError(f"{path}: {error}") from error
    except OSError as error:
        raise OutputError(f"{path}: can't be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            made.unlink()
