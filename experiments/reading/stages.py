"""Where the time of reading goes: python experiments/reading/stages.py prints milliseconds for the files of speed.py.

They are of processor time, of which other work on the machine takes none; but for the way from the file, through two processes.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from speed import files

from tagger.reading import COLUMNS, LIMITS, READERS, read_source
from tagger.reading.layout import lay_out
from tagger.reading.pdf import _characters, _page

FORMATS = ("pdf", "jsonl", "csv", "parquet")


def milliseconds(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """The median of fifteen rounds."""
    taken = []
    for _ in range(15):
        start = clock()
        work()
        taken.append(clock() - start)
    return 1000 * median(taken)


def pdf_stages(data: bytes) -> dict[str, float]:
    """Time for pdfium's characters, for the boxes of the pieces of lines beside them, and for the layout."""
    import pypdfium2.raw as pdfium

    pdfium.FPDF_InitLibrary()
    document = pdfium.FPDF_LoadMemDocument64(data, len(data), None)
    numbers = range(1, pdfium.FPDF_GetPageCount(document) + 1)

    def characters(number: int) -> str:
        page: Any = pdfium.FPDF_LoadPage(document, number - 1)
        text = pdfium.FPDFText_LoadPage(page)
        found = _characters(pdfium, text, pdfium.FPDFText_CountChars(text))
        pdfium.FPDFText_ClosePage(text)
        pdfium.FPDF_ClosePage(page)
        return found

    pages = [_page(pdfium, document, number)[0] for number in numbers]
    alone = milliseconds(lambda: [characters(number) for number in numbers])
    boxes = milliseconds(lambda: [_page(pdfium, document, number) for number in numbers]) - alone
    return {"pdfium": alone, "boxes": boxes, "layout": milliseconds(lambda: lay_out(pages))}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, (path, _, _, libraries) in files(Path(folder)).items():
            format = name.partition(",")[0]
            if format not in FORMATS:
                continue
            data = path.read_bytes()
            library, alone = next(iter(libraries.items()))
            found = {f"{library} alone": milliseconds(lambda alone=alone, path=path: alone(path))}
            found["reader"] = milliseconds(lambda format=format, data=data: READERS[format](data, COLUMNS, LIMITS))
            found["from the file"] = milliseconds(lambda path=path: read_source(path), time.perf_counter)
            if format == "pdf":
                found |= pdf_stages(data)
            print(name, {stage: round(taken, 1) for stage, taken in found.items()})


if __name__ == "__main__":
    main()
