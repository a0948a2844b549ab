"""Word documents: a zip archive with the text in XML, read as a stream with the standard library's expat.

Paragraphs, table cells and text boxes come in the order of the file; footnotes and endnotes at the end, under "Footnotes".
Page heads and feet, comments and deleted text are left out.
"""

from __future__ import annotations

from xml.parsers import expat

from tagger.errors import InputError
from tagger.reading.archives import member, open_archive
from tagger.reading.content import Columns, Content, Limits, clean
from tagger.reading.formats import WORD_PART

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main "
_STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main "
_SKIPPED = {"Fallback", "del", "moveFrom", "instrText", "delText", "rPr", "sectPr", "tblPr"}
_AS_TEXT = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_DEEPEST = 2000


def read_docx(data: bytes, columns: Columns, limits: Limits) -> Content:
    """Take the text out of a Word document; each paragraph is a line, with a blank line after it."""
    with open_archive(data, limits) as archive:
        part = next((name for name in archive.namelist() if WORD_PART.fullmatch(name)), "")
        found = _paragraphs(member(archive, part))
        notes = [*_paragraphs(member(archive, "word/footnotes.xml")), *_paragraphs(member(archive, "word/endnotes.xml"))]
    if notes:
        found += ["Footnotes", *notes]
    return Content(clean("\n\n".join(found)))


def _paragraphs(xml: bytes) -> list[str]:
    if not xml:
        return []
    stream = _Stream()
    try:
        stream.parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise InputError(f"is damaged inside: {error}") from error
    return stream.found


class _Stream:
    """Collects the text of paragraphs while expat goes through the file."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        # Word writes no document type; one is there to define entities that expand without end or name other files.
        self.parser.StartDoctypeDeclHandler = self._refuse
        self._open: list[list[str]] = []  # a paragraph may hold a text box with paragraphs
        self._skipping = 0
        self._depth = 0
        self._in_text = False

    def _refuse(self, *_: object) -> None:
        raise InputError("defines XML entities, as no Word document does: it may be made to do harm")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise InputError("is nested too deeply: it may be made to do harm")
        space, _, name = tag.rpartition(" ")
        if self._skipping or name in _SKIPPED:
            self._skipping += 1
        elif space + " " not in (_W, _STRICT):
            return
        elif name == "p":
            self._open.append([])
        elif name == "t":
            self._in_text = True
        elif name in _AS_TEXT and self._open:
            self._open[-1].append(_AS_TEXT[name])

    def _end(self, tag: str) -> None:
        self._depth -= 1
        if self._skipping:
            self._skipping -= 1
            return
        space, _, name = tag.rpartition(" ")
        if space + " " not in (_W, _STRICT):
            return
        if name == "t":
            self._in_text = False
        elif name == "p" and self._open:
            text = "".join(self._open.pop()).replace("\xa0", " ").strip()
            if text:
                self.found.append(text)

    def _text(self, text: str) -> None:
        if self._in_text and self._open and not self._skipping:
            self._open[-1].append(text)
