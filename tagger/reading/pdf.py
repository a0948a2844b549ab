"""PDF files: pdfium gives the characters and where they stand; `layout` makes reading order and paragraphs of them."""

from __future__ import annotations

import ctypes
import re
import struct
from collections import deque
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import repeat
from typing import Any

from tagger.errors import InputError, MissingExtraError
from tagger.reading.content import Columns, Content, Limits, clean
from tagger.reading.layout import Page, Segment, lay_out

_PIECE = re.compile("[^\r\n\ufffe\x02]+[\ufffe\x02]?")
_GAP = re.compile(" +")
_HYPHEN = ("\ufffe", "\x02")  # what pdfium gives for a hyphen at the end of a line
_LIGATURES = str.maketrans(
    {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\ufb05": "st", "\ufb06": "st"}
    | {"\xa0": " ", "\u2007": " ", "\u202f": " ", "\t": " ", "\xad": "-"}
)
_FOUR = struct.Struct("4f").unpack
_UPRIGHT = 0.1  # radians
_MOST_PAGES = 20_000
_Box = tuple[float, float, float, float]
_Gap = tuple[int, float, int, _Box]
_ERRORS = {  # FPDF_GetLastError
    3: "is damaged, or only a part of it was saved: get the file anew",
    4: "is locked with a password: save a copy without one",
    5: "is locked in a way that can't be read: save a copy without security",
}


def read_pdf(data: bytes, columns: Columns, limits: Limits) -> Content:
    """Take the text out of a PDF file; each heading and paragraph is a line, with a blank line after it.

    Pages that hold pictures and no text are passed over and named in a note.
    """
    try:
        import pypdfium2.raw as pdfium
    except ImportError as error:
        raise MissingExtraError("pypdfium2", "documents") from error
    pdfium.FPDF_InitLibrary()
    document = pdfium.FPDF_LoadMemDocument64(data, len(data), None)
    if not document:
        raise InputError(_ERRORS.get(pdfium.FPDF_GetLastError(), _ERRORS[3]))
    try:
        count = pdfium.FPDF_GetPageCount(document)
        if count > _MOST_PAGES:
            raise InputError(f"has more than {_MOST_PAGES:,} pages: cut it into several files")
        pages: list[Page] = []
        pictures: list[int] = []
        for number in range(1, count + 1):
            page, has_picture = _page(pdfium, document, number)
            pages.append(page)
            if has_picture and not page.segments:
                pictures.append(number)
    finally:
        pdfium.FPDF_CloseDocument(document)
    if not any(page.segments for page in pages):
        if pictures:
            raise InputError(f"holds only pictures of {_counted(pictures)}: make their text readable with OCR first (such as ocrmypdf)")
        raise InputError("is empty: there is no text in it")
    notes = (
        (f"{_counted(pictures)} passed over: only a picture, no text; OCR (such as ocrmypdf) would make it readable",) if pictures else ()
    )
    text, starts, title = lay_out(pages)
    return Content(clean(text), title=title, pages=tuple(starts), notes=notes)


def _counted(pages: list[int]) -> str:
    shown = ", ".join(map(str, pages[:20])) + (" ..." if len(pages) > 20 else "")
    return f"page{'s' if len(pages) > 1 else ''} {shown}"


def _page(pdfium: Any, document: Any, number: int) -> tuple[Page, bool]:
    """Return a page's pieces of lines, and whether it has anything but text."""
    page = pdfium.FPDF_LoadPage(document, number - 1)
    if not page:
        return Page(number, 0, ()), False
    try:
        text_page = pdfium.FPDFText_LoadPage(page)
        segments: tuple[Segment, ...] = ()
        if text_page:
            try:
                segments = tuple(_segments(pdfium, text_page, pdfium.FPDF_GetPageWidthF(page)))
            finally:
                pdfium.FPDFText_ClosePage(text_page)
        has_picture = not segments and pdfium.FPDFPage_CountObjects(page) > 0
        return Page(number, pdfium.FPDF_GetPageHeightF(page), segments), has_picture
    finally:
        pdfium.FPDF_ClosePage(page)


class _Boxes:
    """The boxes of a page's characters: left, top, right, bottom."""

    def __init__(self, pdfium: Any, page: Any) -> None:
        self._get, self._page = _box_function(pdfium), ctypes.addressof(page.contents)
        self._one = (ctypes.c_float * 4)()
        self._at = ctypes.addressof(self._one)

    def one(self, place: int) -> _Box:
        self._get(self._page, place, self._at)
        return _FOUR(self._one)

    def many(self, places: Sequence[int]) -> Iterator[_Box]:
        """Ask for all without a step of Python between, in half the time."""
        found = (ctypes.c_float * (4 * len(places)))()
        start = ctypes.addressof(found)
        deque(map(self._get, repeat(self._page), places, range(start, start + ctypes.sizeof(found), 16)), maxlen=0)
        return struct.iter_unpack("4f", found)


@cache
def _box_function(pdfium: Any) -> Any:
    """Return pdfium's function for plain addresses: to wrap each in an object of its type takes longer than the function."""
    plain = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
    return ctypes.cast(pdfium.FPDFText_GetLooseCharBox, plain)


def _spans(text: str) -> Iterator[tuple[int, int, bool]]:
    """Yield the first and the last character of each piece of a line, without white space, and whether a hyphen comes after it."""
    for match in _PIECE.finditer(text):
        start, end = match.span()
        if text[start].isspace() or text[end - 1].isspace():
            piece = match.group()
            start, end = start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
        if start < end:
            hyphen = text[end - 1] in _HYPHEN
            if start < end - hyphen:
                yield start, end - 1 - hyphen, hyphen


def _segments(pdfium: Any, page: Any, width: float) -> Iterator[Segment]:
    """Yield the pieces of lines, each with its box, cut where the space between two words may be one between columns."""
    count = pdfium.FPDFText_CountChars(page)
    if count <= 0:
        return
    text = _characters(pdfium, page, count)
    boxes = _Boxes(pdfium, page)
    spans = list(_spans(text))
    firsts, lasts = boxes.many([span[0] for span in spans]), boxes.many([span[1] for span in spans])
    cut = _Cutter(text, boxes, width)
    for (start, last, hyphen), (x0, top, _, bottom), (left, _, x1, base) in zip(spans, firsts, lasts, strict=True):
        y0, y1 = (bottom, top) if bottom < top else (top, bottom)
        # What goes to the right along a base line is upright; asking for the angle takes as long as for a box.
        if not (base == y0 and left > x0) and _UPRIGHT < pdfium.FPDFText_GetCharAngle(page, start) < 6.2:
            continue
        if not 0 <= x1 - x0 <= cut.narrow or abs(base - y0) > 0.5 * (y1 - y0):
            for end, before, after, box in cut.gaps(start, last, x0, x1, 0.7 * (y1 - y0)):
                if _sound(x0, max(x0, before), y0, y1) and not text[start:end].isspace():
                    yield Segment(_tidied(text[start:end]), x0, max(x0, before), y0, y1)
                start, (x0, top, _, bottom) = after, box
                y0, y1 = (bottom, top) if bottom < top else (top, bottom)
            x1 = max(x0, x1)
        if _sound(x0, x1, y0, y1) and not text[start : last + 1].isspace():
            yield Segment(_tidied(text[start : last + 1]) + ("-" if hyphen else ""), x0, x1, y0, y1)


def _sound(x0: float, x1: float, y0: float, y1: float) -> bool:
    """Damaged files have characters without size, or out of all bounds."""
    return 0.1 < y1 - y0 < 2000 and -1e5 < x0 <= x1 < 1e5 and -1e5 < y0 < 1e5


class _Cutter:
    """Finds the spaces in the pieces of a page's lines that may be those between columns: the boxes beside them are far apart."""

    def __init__(self, text: str, boxes: _Boxes, width: float) -> None:
        self.narrow = 0.45 * width  # a piece is in one column
        self._text, self._boxes = text, boxes
        self._two: bool | None = None  # whether the page has two columns, as far as is known
        self._middle, self._share = 0.5 * width, 0.5  # where the space between them was, and how much of the text stood left of it

    def gaps(self, start: int, last: int, x0: float, x1: float, wide: float) -> list[_Gap]:
        """Return for each its place, the right end of what stands before it, the place of what comes after it, and the box there."""
        if self._two and (likely := self._likely(start, last, x0, x1, wide)):
            return [likely]
        spaces = [gap.span() for gap in _GAP.finditer(self._text, start, last)]
        before, after = self._boxes.many([gap[0] - 1 for gap in spaces]), self._boxes.many([gap[1] for gap in spaces])
        found = [
            (place, left[2], following, right)
            for (place, following), left, right in zip(spaces, before, after, strict=True)
            if not -wide < right[0] - left[2] < wide
        ]
        forth = [gap for gap in found if gap[3][0] > gap[1]]
        if len(forth) > 1:
            self._two = False
        elif forth and self._two is None:
            place, end, _, box = forth[0]
            self._two, self._middle, self._share = True, (end + box[0]) / 2, (place - start) / (last - start)
        return found

    def _likely(self, start: int, last: int, x0: float, x1: float, wide: float) -> _Gap | None:
        """Return the space where it was on another line of the page, if what it parts is narrow: then the others need no look."""
        text, one = self._text, self._boxes.one
        place = text.find(" ", start + int(self._share * (last - start)) - 2, last)
        for _ in range(4):
            if place <= start:
                break
            box = one(place + 1)
            if box[0] < self._middle:
                place = text.find(" ", place + 1, last)
                continue
            end = one(place - 1)[2]
            if end < self._middle:
                parted = box[0] - end >= wide and 0 <= end - x0 <= self.narrow and 0 <= x1 - box[0] <= self.narrow
                return (place, end, place + 1, box) if parted else None
            place = text.rfind(" ", start, place)
        return None


def _characters(pdfium: Any, page: Any, count: int) -> str:
    """The characters of a page, one for each of pdfium's, so that places in the text are those of boxes."""
    buffer = (ctypes.c_ushort * (count + 1))()
    got = pdfium.FPDFText_GetText(page, 0, count, buffer)
    text: str = bytes(buffer)[: max(got - 1, 0) * 2].decode("utf-16-le", "replace")
    if len(text) == count:
        return text
    codes = (pdfium.FPDFText_GetUnicode(page, place) for place in range(count))
    return "".join(chr(code) if 0 < code < 0x110000 else "\ufffd" for code in codes)


def _tidied(text: str) -> str:
    return text.replace("\t", " ") if text.isascii() else text.translate(_LIGATURES)
