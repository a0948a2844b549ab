"""Word documents made by python-docx, with footnotes put in as Word writes them; and what LibreOffice makes of them."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from docx import Document
from docx.enum.text import WD_BREAK
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from making import Report

FOOTNOTES = ("See the annual report of the national human rights commission.", "Figures of the federal police.")
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"


def word_document(report: Report, *, footnotes: bool = True, table: bool = True, columns: int = 1) -> bytes:
    """Headings in styles, page heads and feet, runs of several formats, one paragraph in a table, two footnotes."""
    document = Document()
    section = document.sections[0]
    section.header.paragraphs[0].text = "TRAFFICKING IN PERSONS REPORT JUNE 2014"
    section.footer.paragraphs[0].text = "Page 1"
    document.add_heading(f"{report.country}: {report.tier}", level=1)
    if columns > 1:
        made = OxmlElement("w:cols")
        made.set(qn("w:num"), str(columns))
        section._sectPr.append(made)
    noted = 0
    for place, (kind, text) in enumerate(report.blocks):
        if kind == "h":
            document.add_heading(text, level=2)
        elif table and place == 3:
            cells = document.add_table(rows=1, cols=2).rows[0].cells
            middle = text.index(". ", len(text) // 2) + 1
            cells[0].text, cells[1].text = text[:middle], text[middle:].strip()
        else:
            paragraph = document.add_paragraph()
            for number, word in enumerate(text.split(" ")):
                run = paragraph.add_run(word if number == 0 else f" {word}")
                run.bold = number % 17 == 0
            if footnotes and noted < len(FOOTNOTES):
                noted += 1
                mark = OxmlElement("w:footnoteReference")
                mark.set(qn("w:id"), str(noted))
                paragraph.add_run()._r.append(mark)
    document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
    stream = io.BytesIO()
    document.save(stream)
    return _with_footnotes(stream.getvalue()) if footnotes else stream.getvalue()


def _with_footnotes(data: bytes) -> bytes:
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    notes = "".join(
        f'<w:footnote w:id="{number}"><w:p><w:r><w:footnoteRef/></w:r><w:r><w:t xml:space="preserve"> {text}</w:t></w:r></w:p></w:footnote>'
        for number, text in enumerate(FOOTNOTES, 1)
    )
    added = {"word/footnotes.xml": f'<?xml version="1.0" encoding="UTF-8"?><w:footnotes {space}>{notes}</w:footnotes>'}
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = old.read(name)
            if name == "[Content_Types].xml":
                text = text.replace(b"</Types>", f'<Override PartName="/word/footnotes.xml" ContentType="{_TYPE}"/></Types>'.encode())
            if name == "word/_rels/document.xml.rels":
                text = text.replace(
                    b"</Relationships>", f'<Relationship Id="rIdNotes" Type="{_RELATION}" Target="footnotes.xml"/></Relationships>'.encode()
                )
            new.writestr(name, text)
        for name, written in added.items():
            new.writestr(name, written)
    return stream.getvalue()


def by_libreoffice(path: Path, ending: str) -> Path:
    """Let LibreOffice make a file of another format; skips the test where it is not installed."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        pytest.skip("LibreOffice is not installed: apt-get install libreoffice-writer")
    folder = path.parent / f"made-{ending}"
    command = [
        office,
        f"-env:UserInstallation=file://{path.parent}/profile",
        "--headless",
        "--convert-to",
        ending,
        "--outdir",
        str(folder),
        str(path),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder / f"{path.stem}.{ending}"
