"""Plain text in UTF-8, UTF-16 or Windows-1252."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import IO

from tagger.errors import InputError
from tagger.reading.content import Columns, Content, Limits, clean

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_CONTROL = re.compile(rb"[\0-\x08\x0b\x0e-\x1a\x1c-\x1f\x81\x8d\x8f\x90\x9d]")
_ODD_1252 = re.compile(
    "[\u0192\u02c6\u2020\u2021\u02dc\u00a1-\u00a6\u00a8\u00ac\u00af\u00b1-\u00b6\u00b8\u00b9\u00bc-\u00be\u00d7\u00de\u00f0\u00f7\u00fe]"
)

_GUESSED = "is not UTF-8 and was read as Windows-1252"
_BLOCK = 1 << 20  # bytes


def read_plain(data: bytes, columns: Columns, limits: Limits) -> Content:
    """Decode a text file; all line ends become line feeds."""
    check_size(data, limits)
    text, note = decode(data)
    return Content(text, notes=(note,) if note else ())


def check_size(data: bytes, limits: Limits) -> None:
    """Refuse, before decoding takes several times its memory, what is too long in any encoding."""
    if len(data) > 4 * limits.characters:
        raise InputError(f"holds more than {limits.characters:,} characters of text: cut it into several files, or raise the limit")


def decode(data: bytes, *, raw: bool = False) -> tuple[str, str | None]:
    """Return the text, `clean` unless it is asked for raw, and a note if its encoding had to be guessed.

    Bytes that are not UTF-8 are taken for Windows-1252 when they hold none of its unused and control bytes, and more of the
    letters and marks of written text than of anything else; damaged UTF-8 is no such case.
    """
    mark, encoding = _announced(data[:2000])
    data = data[len(mark) :]
    try:
        _refuse_binary(data, encoding)
        text = data.decode(encoding)
        return text if raw else clean(text, decoded=True), None
    except UnicodeDecodeError as error:
        if encoding == "utf-8" and not mark and _looks_like_1252([data]):
            text = data.decode("windows-1252")
            return text if raw else clean(text, decoded=True), _GUESSED
        raise _undecodable(encoding, data.count(b"\n", 0, error.start) + 1) from error


def scan(stream: IO[bytes]) -> tuple[str, int, str | None]:
    """Find out how a file of any size is encoded, as `decode` does: the encoding, the length of its mark, and the note."""
    mark, encoding = _announced(stream.read(2000))
    decoder, line = codecs.getincrementaldecoder(encoding)(), 1
    stream.seek(len(mark))
    try:
        for block in _blocks(stream):
            _refuse_binary(block, encoding)
            decoder.decode(block)
            line += block.count(b"\n")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        stream.seek(0)
        if encoding == "utf-8" and not mark and _looks_like_1252(_blocks(stream)):
            return "windows-1252", 0, _GUESSED
        raise _undecodable(encoding, line + error.object.count(b"\n", 0, error.start)) from error
    return encoding, len(mark), None


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    while block := stream.read(_BLOCK):
        yield block


def _announced(start: bytes) -> tuple[bytes, str]:
    """The mark at the beginning of a text, and the encoding that it or the first characters tell of."""
    mark, encoding = next(((mark, name) for mark, name in _MARKS if start.startswith(mark)), (b"", "utf-8"))
    return mark, (not mark and _utf16(start)) or encoding


def _refuse_binary(data: bytes, encoding: str) -> None:
    if encoding == "utf-8" and b"\0" in data:
        raise InputError("is a binary file, not text: it holds NUL bytes")


def _undecodable(encoding: str, line: int) -> InputError:
    return InputError(f"line {line}: is not {encoding.upper()} text: save the file in UTF-8 and try again")


def utf8(data: bytes) -> tuple[bytes, str | None]:
    """Return the text as UTF-8, not cleaned, and the note of `decode`; of plain ASCII nothing is copied."""
    if data.isascii() and b"\0" not in data:
        return data, None
    text, note = decode(data, raw=True)
    return text.encode(), note


def _utf16(start: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of ordinary text is NUL."""
    for encoding, nul, other in (("utf-16-le", start[1::2], start[::2]), ("utf-16-be", start[::2], start[1::2])):
        if len(nul) > 8 and nul.count(0) > 0.7 * len(nul) and 0 not in other:
            return encoding
    return None


def _looks_like_1252(blocks: Iterable[bytes]) -> bool:
    highs = multibyte = odd = 0
    for data in blocks:
        if _CONTROL.search(data):
            return False
        high = data.translate(None, bytes(range(128)))
        highs += len(high)
        multibyte += sum(1 for _ in _MULTIBYTE.finditer(data))
        odd += sum(1 for _ in _ODD_1252.finditer(high.decode("windows-1252")))
    return multibyte * 2 <= highs / 2 and odd <= highs / 4
