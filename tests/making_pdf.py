"""PDF files in the manner of the State Department's, by two producers: WeasyPrint lays them out itself; for reportlab we do."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator, Sequence

import pyphen
import pytest
from making import Report
from reportlab.lib.pagesizes import A4, letter
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

_HYPHENS = pyphen.Pyphen(lang="en_US")

_CSS = """
@page { size: letter; margin: 64pt 54pt 60pt 54pt;
  @top-left { content: "TRAFFICKING IN PERSONS REPORT"; font: 8pt "DejaVu Sans" }
  @top-right { content: "JUNE 2014"; font: 8pt "DejaVu Sans" }
  @bottom-center { content: counter(page); font: 9pt "DejaVu Sans" } }
html { font: 9.5pt/1.25 "Liberation Serif", serif }
main { columns: 2; column-gap: 20pt; text-align: justify; hyphens: auto; hyphenate-character: "-" }
h1 { column-span: all; font: bold 20pt "DejaVu Sans"; margin: 0 0 8pt 0; color: #036 }
h2 { font: bold 11pt "DejaVu Sans"; margin: 8pt 0 3pt; hyphens: none }
p { margin: 0 0 5pt; orphans: 2; widows: 2 }
.tab { position: fixed; right: -44pt; top: 220pt; font: bold 9pt "DejaVu Sans"; transform: rotate(90deg); background: #eee }
figure { margin: 4pt 0; break-inside: avoid }
"""

_GRAPHIC = """<figure><svg width="220" height="90" viewBox="0 0 220 90" xmlns="http://www.w3.org/2000/svg">
<text x="20" y="10" font-size="8" font-weight="bold">{country} TIER RANKING BY YEAR</text>
<text x="0" y="28" font-size="7">TIER 1</text><text x="0" y="43" font-size="7">TIER 2</text><text x="0" y="58" font-size="7">TIER 2WL</text><text x="0" y="73" font-size="7">TIER 3</text>
{marks}</svg></figure>"""


def weasyprint_pdf(reports: Sequence[Report]) -> bytes:
    """Two justified columns with hyphens, running head, page number, rotated tab, tier-history graphic."""
    parts = []
    for report in reports:
        marks = "".join(
            f'<text x="{45 + 20 * n}" y="87" font-size="7">{2007 + n}</text><circle cx="{50 + 20 * n}" cy="40" r="3"/>' for n in range(8)
        )
        graphic = _GRAPHIC.format(country=report.country.upper(), marks=marks)
        blocks = [f"<{'h2' if kind == 'h' else 'p'}>{html.escape(text)}</{'h2' if kind == 'h' else 'p'}>" for kind, text in report.blocks]
        blocks.insert(2, graphic)
        parts.append(f"<main><h1>{html.escape(report.country.upper())}: {report.tier}</h1>{''.join(blocks)}</main>")
    page = f'<html lang="en"><style>{_CSS}</style><body><div class="tab">{html.escape(reports[0].country.upper())}</div>{"".join(parts)}</body></html>'
    return html_pdf(page)


def html_pdf(page: str) -> bytes:
    """Let WeasyPrint make a PDF; skips the test where the libraries it needs are not installed."""
    try:
        from weasyprint import HTML
    except OSError:
        pytest.skip("WeasyPrint finds no Pango: apt-get install libpango-1.0-0 libpangoft2-1.0-0")
    return HTML(string=page).write_pdf()


# -- reportlab, laid out here so that the order of painting is ours --------------------------------------------------------------

Line = tuple[str, str, bool]  # kind, text, whether it is justified


def _wrapped(kind: str, text: str, width: float, font: str, size: float) -> Iterator[Line]:
    """Break a paragraph into lines, with hyphens where a word is too long for the rest of a line."""
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}".strip()
        if stringWidth(longer, font, size) <= width:
            line = longer
            continue
        for left, right in reversed(list(_splits(word))):
            if line and stringWidth(f"{line} {left}", font, size) <= width:
                yield kind, f"{line} {left}", True
                line = right
                break
        else:
            yield kind, line, True
            line = word
    yield kind, line, False


def _splits(word: str) -> Iterator[tuple[str, str]]:
    """Where a word may be broken: with a hyphen in its syllables, or after one that it has."""
    core = re.search(r"[A-Za-z]{5,}", word)
    if "-" in word:
        place = word.index("-") + 1
        if 2 < place < len(word) - 2:
            yield word[:place], word[place:]
    elif core:
        for place in _HYPHENS.positions(core.group()):
            yield word[: core.start() + place] + "-", word[core.start() + place :]


def reportlab_pdf(
    reports: Sequence[Report],
    *,
    columns: int = 2,
    rows_first: bool = False,
    size: float = 9.5,
    head: str = "TRAFFICKING IN PERSONS REPORT JUNE 2014",
    indent: bool = False,
    compressed: bool = True,
) -> bytes:
    """Pages with a running head that alternates, page numbers, and headings across the page; painted down or across the columns."""
    paper = letter if columns == 2 else A4
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=paper, invariant=1, pageCompression=int(compressed))
    gutter, left, top, bottom, pitch = 22.0, 56.0, paper[1] - 74, 62.0, size * 1.25
    width = (paper[0] - 2 * left - gutter * (columns - 1)) / columns
    number = 0
    for report in reports:
        lines: list[Line] = []
        for kind, text in report.blocks:
            if kind == "h":
                lines += [("gap", "", False), ("h", text, False)]
            else:
                font_width = width - (12 if indent else 0)
                made = list(_wrapped("p", text, font_width if indent else width, "Times-Roman", size))
                lines += [("first" if place == 0 and indent else "p", line, full) for place, (_, line, full) in enumerate(made)]
                if not indent:
                    lines.append(("gap", "", False))
        first = True
        while lines:
            number += 1
            start = top - (46 if first else 0)
            _furniture(canvas, paper, head if number % 2 else report.country.upper(), number, report)
            if first:
                canvas.setFont("Helvetica-Bold", 19)
                canvas.drawString(left, top - 12, f"{report.country.upper()} ({report.tier})")
            placed: list[tuple[int, float, Line]] = []
            for column in range(columns):
                y = start
                while lines and y > bottom:
                    line = lines.pop(0)
                    if line[0] == "gap":
                        y -= 5
                        continue
                    if line[0] == "h" and y < bottom + 2 * pitch:  # no heading at the foot of a column
                        lines.insert(0, line)
                        break
                    placed.append((column, y, line))
                    y -= pitch
            if rows_first:
                placed.sort(key=lambda item: (-item[1], item[0]))
            for column, y, line in placed:
                _paint(canvas, left + column * (width + gutter), y, width, size, line)
            canvas.showPage()
            first = False
    canvas.save()
    return stream.getvalue()


def _paint(canvas: Canvas, x: float, y: float, width: float, size: float, line: Line) -> None:
    kind, text, full = line
    shift = 12 if kind == "first" else 0
    canvas.setFont("Helvetica-Bold" if kind == "h" else "Times-Roman", size)
    spaces = text.count(" ")
    spare = width - shift - stringWidth(text, "Times-Roman", size) if full and spaces else 0
    canvas.drawString(x + shift, y, text, wordSpace=max(0, min(spare / max(spaces, 1), 6)))


def _furniture(canvas: Canvas, paper: tuple[float, float], head: str, number: int, report: Report) -> None:
    canvas.setFont("Helvetica", 8)
    canvas.drawCentredString(paper[0] / 2, paper[1] - 40, head)
    canvas.drawString(paper[0] / 2 - 5, 34, str(number))
    canvas.saveState()
    canvas.translate(paper[0] - 18, 400)
    canvas.rotate(90)
    canvas.drawString(0, 0, report.country.upper())
    canvas.restoreState()


def picture_pdf(pages: int = 2, with_text: str | None = None) -> bytes:
    """Pages that hold only a picture, as a scanner makes; and one of text, if given."""
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=letter, invariant=1)
    for _ in range(pages):
        canvas.drawImage(ImageReader(Image.new("L", (200, 260), 200)), 0, 0, *letter)
        canvas.showPage()
    if with_text:
        canvas.drawString(72, 700, with_text)
        canvas.showPage()
    canvas.save()
    return stream.getvalue()
