"""The zip archives that DOCX and XLSX files are, opened without trust."""

from __future__ import annotations

import io
import zipfile
import zlib

from tagger.errors import InputError
from tagger.reading.content import Limits

_MOST_MEMBERS = 10_000


def open_archive(data: bytes, limits: Limits) -> zipfile.ZipFile:
    """Open an archive if what it says it expands to is within the limit.

    What a member says is binding: `zipfile` reads no further.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError, OverflowError) as error:
        raise InputError("is a damaged zip archive: get the file anew") from error
    members = archive.infolist()
    if len(members) > _MOST_MEMBERS or sum(member.file_size for member in members) > limits.expanded:
        raise InputError(f"expands to more than {limits.expanded >> 20} MiB: it may be made to do harm")
    return archive


def member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Unpack one member; empty if there is none of that name."""
    try:
        info = archive.getinfo(name)
        if info.flag_bits & 1:
            raise InputError("is locked with a password: save a copy without one")
        with archive.open(info) as stream:
            data = stream.read(info.file_size)
            stream.read(1)  # beyond the end stands the check sum
            return data
    except KeyError:
        return b""
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise InputError("is damaged inside: get the file anew") from error


def refuse_entities(archive: zipfile.ZipFile) -> None:
    """Refuse an archive whose XML has a document type, where entities are defined that expand without end."""
    for info in archive.infolist():
        if info.filename.endswith((".xml", ".rels")):
            try:
                with archive.open(info) as stream:
                    start = stream.read(4096).replace(b"\0", b"")
            except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
                raise InputError("is damaged inside: get the file anew") from error
            if b"<!DOCTYPE" in start or b"<!ENTITY" in start:
                raise InputError("defines XML entities, as no Office document does: it may be made to do harm")
