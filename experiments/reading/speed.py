"""Speed of reading against libraries alone: python experiments/reading/speed.py writes results.json.

`read` is from the file to the text and its structure, as `tagger read` does it; `whole` goes on to
passages. A library alone gives a str a page, page half, paragraph or row, with running heads, menus and broken words in it.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from xml.etree import ElementTree

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))
MB = 1e6
ROUNDS = 15
LARGE = 10  # times the rows of the other tables


def pdfium(path: Path) -> int:
    import pypdfium2

    return sum(len(page.get_textpage().get_text_range()) for page in pypdfium2.PdfDocument(path))


def pdfium_halves(path: Path) -> int:
    """The left half of each page, then the right: what of pdfium alone reads columns painted across."""
    import pypdfium2

    found = 0
    for page in pypdfium2.PdfDocument(path):
        (width, height), text = page.get_size(), page.get_textpage()
        found += len(text.get_text_bounded(44, 44, width / 2, height - 44)) + len(
            text.get_text_bounded(width / 2, 44, width - 44, height - 44)
        )
    return found


def trafilatura_alone(path: Path) -> int:
    import trafilatura

    return len(trafilatura.extract(path.read_bytes(), include_comments=False) or "")


def trafilatura_fast(path: Path) -> int:
    import trafilatura

    return len(trafilatura.extract(path.read_bytes(), include_comments=False, fast=True) or "")


def selectolax(path: Path) -> int:
    from selectolax.lexbor import LexborHTMLParser

    return len(LexborHTMLParser(path.read_bytes()).body.text())


def element_tree(path: Path) -> int:
    space = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
    tree = ElementTree.fromstring(zipfile.ZipFile(path).read("word/document.xml"))
    return sum(len("".join(node.text or "" for node in paragraph.iter(f"{space}t"))) for paragraph in tree.iter(f"{space}p"))


def decoded(path: Path) -> int:
    return len(path.read_text(encoding="utf-8"))


def charset(path: Path) -> int:
    from charset_normalizer import from_path

    return len(str(from_path(path).best()))


def json_lines(path: Path) -> int:
    return sum(len(json.loads(line)["text"]) for line in path.open(encoding="utf-8"))


def csv_rows(path: Path) -> int:
    with path.open(encoding="utf-8", newline="") as stream:
        return sum(len(row[1]) for row in csv.reader(stream))


def arrow_json(path: Path) -> int:
    from pyarrow.json import read_json

    return sum(len(text) for text in read_json(path)["text"].to_pylist())


def arrow_csv(path: Path) -> int:
    from pyarrow.csv import ParseOptions, read_csv

    return sum(len(text) for text in read_csv(path, parse_options=ParseOptions(newlines_in_values=True))["text"].to_pylist())


def csv_dicts(path: Path) -> int:
    with path.open(encoding="utf-8", newline="") as stream:
        return sum(len(row["text"]) for row in csv.DictReader(stream))


def sheet(path: Path) -> int:
    from openpyxl import load_workbook

    return sum(len(str(row[1])) for row in load_workbook(path, read_only=True).worksheets[0].iter_rows(values_only=True))


def arrow(path: Path) -> int:
    from pyarrow.parquet import read_table

    return sum(len(text) for text in read_table(path)["text"].to_pylist())


def files(folder: Path) -> dict[str, tuple[Path, float, str, dict[str, Callable[[Path], int]]]]:
    """For each format a file, how much it holds, in which unit, and the libraries."""
    import pyarrow
    from making import mexico, three_countries, web_page
    from making_docx import word_document
    from making_pdf import reportlab_pdf, weasyprint_pdf
    from openpyxl import Workbook
    from pyarrow import parquet

    texts = [text for report in three_countries() for _, text in report.blocks] * 20
    rows = [{"id": f"r{number}", "text": text} for number, text in enumerate(texts)]
    book = Workbook(write_only=True)
    page = book.create_sheet()
    page.append(["id", "text"])
    for row in rows:
        page.append(list(row.values()))
    data = io.BytesIO()
    book.save(data)
    lines = io.StringIO(newline="")
    writer = csv.DictWriter(lines, ["id", "text"])
    writer.writeheader()
    writer.writerows(rows)
    table = lines.getvalue().encode()
    names, end, body = table.partition(b"\r\n")
    json_rows = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    made = {
        "pdf, stream order": (
            "a.pdf",
            reportlab_pdf(three_countries(), size=13.95),
            {"pypdfium2": pdfium, "pypdfium2 by halves": pdfium_halves},
        ),
        "pdf, row-major": (
            "b.pdf",
            reportlab_pdf(three_countries(), size=13.95, rows_first=True),
            {"pypdfium2": pdfium, "pypdfium2 by halves": pdfium_halves},
        ),
        "pdf, WeasyPrint": ("c.pdf", weasyprint_pdf([mexico()]), {"pypdfium2": pdfium, "pypdfium2 by halves": pdfium_halves}),
        "html": (
            "a.html",
            web_page(mexico(), "state.gov"),
            {"trafilatura": trafilatura_alone, "trafilatura fast": trafilatura_fast, "selectolax (menus and all)": selectolax},
        ),
        "docx": ("a.docx", word_document(mexico()), {"zipfile and ElementTree": element_tree}),
        "text": ("a.txt", ("\n\n".join(texts)).encode(), {"charset_normalizer": charset, "decode": decoded}),
        "jsonl": ("a.jsonl", json_rows, {"json": json_lines, "pyarrow": arrow_json}),
        "csv": ("a.csv", table, {"csv.reader": csv_rows, "csv.DictReader": csv_dicts, "pyarrow": arrow_csv}),
        "jsonl, large": ("b.jsonl", json_rows * LARGE, {"json": json_lines, "pyarrow": arrow_json}),
        "csv, large": ("b.csv", names + end + body * LARGE, {"csv.reader": csv_rows, "pyarrow": arrow_csv}),
        "xlsx": ("a.xlsx", data.getvalue(), {"openpyxl": sheet}),
    }
    found = {}
    for name, (file, content, libraries) in made.items():
        path = folder / file
        path.write_bytes(content)
        amount, unit = _amount(name, content)
        found[name] = (path, amount, unit, libraries)
    path = folder / "a.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    found["parquet"] = (path, sum(map(len, texts)) / MB, "MB of text", {"pyarrow": arrow})
    return found


def _amount(name: str, content: bytes) -> tuple[float, str]:
    if name.startswith("pdf"):
        import pypdfium2

        return len(pypdfium2.PdfDocument(content)), "pages"
    return (1, "files") if name in ("html", "docx") else (len(content) / MB, "MB")


def _speeds(works: dict[str, Callable[[], object]], amount: float) -> dict[str, float]:
    """The median of so many rounds of each, in turn, so that what else the machine does hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(ROUNDS + 1):
        for name, work in works.items():
            start, count = time.perf_counter(), 0
            while count == 0 or time.perf_counter() - start < 0.1:
                work()
                count += 1
            if turn:  # the first loads libraries
                taken[name].append((time.perf_counter() - start) / count)
    return {name: float(f"{amount / median(seconds):.3g}") for name, seconds in taken.items()}


def main() -> None:
    from tagger import read_all
    from tagger.reading import read_source

    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (path, amount, unit, libraries) in files(Path(folder)).items():
            works: dict[str, Callable[[], object]] = {"read": partial(read_source, path), "whole": partial(read_all, path)}
            works |= {library: partial(work, path) for library, work in libraries.items()}
            results[name] = {"unit": f"{unit} a second", **_speeds(works, amount)}
            print(name, results[name], file=sys.stderr)
    (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
