"""Plain text: UTF-8, or UTF-16 with a mark."""

from __future__ import annotations

import codecs

from tagger.errors import InputError

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def read_plain(data: bytes) -> str:
    """Decode a text file; all line ends become line feeds."""
    mark, encoding = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", "utf-8"))
    data = data[len(mark) :]
    if encoding == "utf-8" and b"\0" in data:
        raise InputError("is a binary file, not text")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"line {line}: is not {encoding.upper()} text: save the file in UTF-8 and try again") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")
