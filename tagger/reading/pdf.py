"""PDF files: pdfium gives the characters and where they stand; `layout` makes reading order and paragraphs of them."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
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
_UPRIGHT = 0.1  # radians
_MOST_PAGES = 20_000
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
                segments = tuple(filter(_sound, _segments(pdfium, text_page, pdfium.FPDF_GetPageWidthF(page))))
            finally:
                pdfium.FPDFText_ClosePage(text_page)
        has_picture = not segments and pdfium.FPDFPage_CountObjects(page) > 0
        return Page(number, pdfium.FPDF_GetPageHeightF(page), segments), has_picture
    finally:
        pdfium.FPDF_ClosePage(page)


def _sound(segment: Segment) -> bool:
    """Damaged files have characters without size, or out of all bounds."""
    text, x0, x1, y0, y1 = segment
    return 0.1 < y1 - y0 < 2000 and -1e5 < x0 <= x1 < 1e5 and -1e5 < y0 < 1e5 and bool(text.strip())


def _segments(pdfium: Any, page: Any, width: float) -> Iterator[Segment]:
    """Yield the pieces of lines, each with its box, cut where the space between two words may be one between columns."""
    count = pdfium.FPDFText_CountChars(page)
    if count <= 0:
        return
    text = _characters(pdfium, page, count)
    box = pdfium.FS_RECTF()
    reference = ctypes.byref(box)
    get_box, get_angle = pdfium.FPDFText_GetLooseCharBox, pdfium.FPDFText_GetCharAngle
    for match in _PIECE.finditer(text):
        piece = match.group()
        start = match.start() + len(piece) - len(piece.lstrip())
        end = match.start() + len(piece.rstrip())
        if start >= end:
            continue
        hyphen = text[end - 1] in _HYPHEN
        last = end - 1 - hyphen
        if last < start:
            continue
        get_box(page, start, reference)
        x0, y0, y1 = box.left, min(box.bottom, box.top), max(box.bottom, box.top)
        get_box(page, last, reference)
        x1 = box.right
        size = y1 - y0
        # What goes to the right along a base line is upright; asking for the angle takes as long as for a box.
        if not (box.bottom == y0 and box.left > x0) and _UPRIGHT < get_angle(page, start) < 6.2:
            continue
        if x1 - x0 > 0.45 * width or x1 < x0 or abs(box.bottom - y0) > 0.5 * size:
            wide = 0.7 * size
            for gap in _GAP.finditer(text, start, last):
                place, after = gap.span()
                get_box(page, place - 1, reference)
                before = box.right
                get_box(page, after, reference)
                if not -wide < box.left - before < wide:
                    yield Segment(_tidied(text[start:place]), x0, max(x0, before), y0, y1)
                    start, x0, y0, y1 = after, box.left, min(box.bottom, box.top), max(box.bottom, box.top)
        yield Segment(_tidied(text[start : last + 1]) + ("-" if hyphen else ""), x0, max(x0, x1), y0, y1)


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
