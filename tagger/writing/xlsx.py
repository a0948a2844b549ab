"""Excel: a sheet of passages to filter, one of counts, and one about the model and how to read the scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from tempfile import TemporaryDirectory
from typing import IO, Any

from tagger.errors import OutputError
from tagger.records import Tagged
from tagger.writing.about import READING, About, Results
from tagger.writing.counts import Tally, add_sections
from tagger.writing.table import FORMULA
from tagger.writing.text import clean, entry, runs, words

_ROWS = 1_048_576  # what a sheet can hold
_CHARACTERS = 32_767  # what a cell can hold, in UTF-16 units

_HEAD = {"bold": True, "bg_color": "#1F2937", "font_color": "#FFFFFF", "valign": "vcenter", "text_wrap": True, "border": 1}
_FORMATS: dict[str, dict[str, Any]] = {
    "head": _HEAD,
    "head of numbers": {**_HEAD, "align": "right"},
    "title": {"bold": True, "font_size": 12},
    "text": {"valign": "top", "text_wrap": True},
    # Excel keeps such a text a text even when somebody edits the cell.
    "quoted": {"valign": "top", "text_wrap": True, "quote_prefix": True},
    "number": {"valign": "top"},
    "score": {"valign": "top", "num_format": "0.00", "font_color": "#6B7280"},
    "words": {"valign": "top", "text_wrap": True, "indent": 1, "italic": True, "font_color": "#374151"},
    "total": {"bold": True, "top": 1},
    "strong": {"bold": True, "underline": 1},
    "reached": {"bold": True, "bg_color": "#FDE7C7", "font_color": "#111827"},
}


def write_xlsx(results: Results, about: About, stream: IO[bytes]) -> None:
    """Write a workbook; passages go to a temporary file as they come, so that memory grows only with what is packed."""
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    # XlsxWriter leaves its temporary files where they are when something fails: they get a folder that goes in any case.
    with TemporaryDirectory(prefix="tagger-") as room:
        options = {"constant_memory": True, "tmpdir": room, "strings_to_formulas": False, "strings_to_urls": False}
        # Packed in memory: a zip file that fails half-way on a full disk tries again, and complains, when Python forgets it.
        packed = _Packed()
        book = xlsxwriter.Workbook(packed, options)
        book.set_properties({"comments": about.model})
        formats = {name: book.add_format(look) for name, look in _FORMATS.items()}
        sheets = [_Sheet(book.add_worksheet(name), formats) for name in ("Passages", "Counts", "About")]
        try:
            documents, sections = _passages(sheets[0], results, about)
            _counts(sheets[1], documents, sections, about)
            _about(sheets[2], about)
            book.close()
        except FileCreateError as error:
            raise error.args[0] from error  # the OSError of the disk
        finally:
            for sheet in sheets:
                sheet.close()
    stream.write(packed.getbuffer())


class _Packed(BytesIO):
    """Memory that stays open: an archive that failed half-way is closed only when Python forgets it, maybe later than this."""

    def close(self) -> None:
        """Do nothing."""


class _Sheet:
    """A worksheet that fills rows from the top, and writes every text as a text."""

    def __init__(self, sheet: Any, formats: Mapping[str, Any]) -> None:
        self.sheet, self.formats, self.row = sheet, formats, 0
        self.widths: list[int] = []
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)

    def set_widths(self, *widths: int) -> None:
        """Make the columns so many characters wide."""
        self.widths = list(widths)
        for column, width in enumerate(widths):
            self.sheet.set_column(column, column, width)

    def add(self, cells: Sequence[Any], *styles: str) -> None:
        """Add a row of texts, numbers and tagged passages; the last style holds for all further cells."""
        if self.row == _ROWS:
            raise OutputError(f"a sheet of Excel holds {_ROWS:,} rows at most: write .csv or .parquet")
        self.sheet.set_row(self.row, min(15 * self._lines(cells) + 1, 409))  # in points; 409 is what Excel allows
        for column, cell in enumerate(cells):
            style = styles[min(column, len(styles) - 1)]
            if isinstance(cell, Tagged):
                self._passage(column, cell, style)
            elif isinstance(cell, str):
                self._text(column, clean(cell), style)
            elif cell is not None:
                self.sheet.write_number(self.row, column, cell, self.formats[style])
        self.row += 1

    def _lines(self, cells: Sequence[Any]) -> int:
        """How many lines the longest text of a row takes. Excel and LibreOffice don't find out by themselves."""
        texts = [(cell.text if isinstance(cell, Tagged) else cell, width) for cell, width in zip(cells, self.widths, strict=False)]
        counts = [sum(-(-len(line) // width) or 1 for line in text.split("\n")) for text, width in texts if isinstance(text, str)]
        return max(counts, default=1)

    def close(self) -> None:
        """Let go of the temporary file, if the workbook has not done so itself."""
        with suppress(OSError):
            self.sheet._opt_close()

    def _text(self, column: int, text: str, style: str) -> None:
        if style == "text" and text.startswith(FORMULA):
            style = "quoted"
        self.sheet.write_string(self.row, column, _short(text), self.formats[style])

    def _passage(self, column: int, item: Tagged, style: str) -> None:
        """Write a passage with its deciding words in bold."""
        pieces = runs(item)
        text = "".join(piece for piece, _ in pieces)
        # XlsxWriter escapes what looks like an escape itself (_x0041_) twice in a text of several runs.
        if len(pieces) < 2 or not item.evidence or _short(text) != text or "_x" in text:
            self._text(column, text, style)
            return
        marked: list[Any] = []
        for piece, themes in pieces:
            marked += [self.formats["strong"], piece] if themes else [piece]
        wrap = self.formats["quoted" if text.startswith(FORMULA) else style]
        self.sheet.write_rich_string(self.row, column, *marked, wrap)


def _short(text: str) -> str:
    units = text.encode("utf-16-le", "replace")
    return text if len(units) <= 2 * _CHARACTERS else units[: 2 * _CHARACTERS - 2].decode("utf-16-le", "ignore") + "\u2026"


def _passages(sheet: _Sheet, results: Results, about: About) -> tuple[dict[str, Tally], dict[str, Tally]]:
    """Write the rows and return what was counted a document and a section."""
    heads = ["document", "section", "page", "id", "passage", "themes", "to review"]
    widths = [18, 16, 6, 16, 80, 20, 20]
    for theme in about.themes:
        heads += [theme.title, f"{theme.title}: words"]
        widths += [12, 26]
    sheet.set_widths(*widths)
    sheet.add(heads, "head")
    titles = {theme.name: theme.title for theme in about.themes}
    styles = ["text", "text", "number", "text", "text", "text", "text", *["score", "words"] * len(about.themes)]
    documents: dict[str, Tally] = {}
    sections: dict[str, Tally] = {}
    for document, passages in results:
        documents.setdefault(entry(document), Tally()).add(passages)
        add_sections(sections, passages)
        for item in passages:
            where = item.passage
            row: list[Any] = [where.document, where.section, where.page, where.id, item]
            row += ["\n".join(titles[theme] for theme in named) or None for named in (item.labels, item.review)]
            for name in about.names:
                row += [round(item.scores[name], 4), words(item, name) or None]
            sheet.add(row, *styles)
    last = max(sheet.row - 1, 1)
    sheet.sheet.freeze_panes(1, 0)
    sheet.sheet.autofilter(0, 0, last, len(heads) - 1)
    for place, theme in enumerate(about.themes):
        rule = {"type": "cell", "criteria": ">=", "value": theme.threshold, "format": sheet.formats["reached"]}
        sheet.sheet.conditional_format(1, 7 + 2 * place, last, 7 + 2 * place, rule)
    sheet.sheet.repeat_rows(0)
    return documents, sections


def _counts(sheet: _Sheet, documents: Mapping[str, Tally], sections: Mapping[str, Tally], about: About) -> None:
    sheet.set_widths(48, *[14] * (len(about.themes) + 3))
    for first, counted in (("document", documents), ("section", sections)):
        sheet.add([first, "passages", *(theme.title for theme in about.themes), "with a theme", "to review"], "head", "head of numbers")
        for name, tally in counted.items():
            sheet.add([name, *_numbers(tally, about)], "text", "number")
        columns = list(zip(*(_numbers(tally, about) for tally in counted.values()), strict=True))
        sheet.add(["all", *map(sum, columns)], "total")
        sheet.row += 1


def _numbers(tally: Tally, about: About) -> list[int]:
    return [tally.passages, *(tally.themes[theme] for theme in about.names), tally.tagged, tally.review]


def _about(sheet: _Sheet, about: About) -> None:
    sheet.set_widths(28, 90, 12, 12, 12)
    sheet.add(["How to read the scores"], "title")
    for line in READING:
        sheet.add(["", line], "text")
    sheet.row += 1
    sheet.add(["theme", "meaning", "threshold", "review from", "to"], "head", "head", "head of numbers")
    for theme in about.themes:
        sheet.add([theme.title, theme.definition, theme.threshold, *theme.review], "text", "text", "score")
    for figures in about.figures:
        low, high = figures.interval
        sheet.row += 1
        sheet.add([figures.name, figures.about], "text")
        sheet.add(["", f"macro-F1 {figures.macro_f1:.2f} on {figures.passages} passages (95 % interval {low:.2f} to {high:.2f})"], "text")
        sheet.add(["", "theme", "precision", "recall", "F1"], "head", "head", "head of numbers")
        for name, values in figures.themes.items():
            sheet.add(["", next((theme.title for theme in about.themes if theme.name == name), name), *values], "text", "text", "score")
    if about.limits:
        sheet.row += 1
        sheet.add(["Limits"], "title")
    for limit in about.limits:
        sheet.add(["", limit], "text")
    sheet.row += 1
    sheet.add(["Model", about.model], "text")
