"""Reads thousands of damaged files of each format: python experiments/robustness/fuzz.py [--inputs 10000] [--formats pdf docx].

Every input is made from a sound file by a few random changes; for DOCX, XLSX and the like also inside the archive, whose check
sums would else stop nearly all. Reading it must end in documents whose offsets hold, or in one line that names the file.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests"))

TOKENS = [
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"<", b">", b"</p>", b"<div>" * 50, b"<!DOCTYPE x [",
    b"<!ENTITY a 'b'>", b"&a;", b"&#0;", b"&#xD800;", b'"', b"'", b",", b"\t", b"\n", b"\r", b"{", b"}", b"[" * 200,
    b"\\ud800", b"null", b"-1", b"99999999999", b"1e999", b"stream\n", b"endstream", b"endobj", b"obj", b"<<", b">>",
    b"/Length 9999999", b"/Kids [1 0 R]", b"/Type /Page", b"BT", b"ET", b"Tj", b"<w:p>", b"</w:p>", b"<w:t>", b"Tier 2",
    b"MALI: Tier 3\n", b"Prosecution\n", b"; ", b"(", b"\xe2\x80\x9c", b"\xe2\x80\xa8", b"U.S. ", b"%PDF-1.4",
    b"PK\x03\x04",
]  # fmt: skip


def seeds() -> dict[str, bytes]:
    """A sound file of each format."""
    import pyarrow
    from making import Report, mexico, web_page
    from making_docx import word_document
    from making_pdf import reportlab_pdf
    from openpyxl import Workbook
    from pyarrow import parquet

    report = Report("Mexico", "Tier 2", mexico().blocks[2:8])
    sentences = [f"{sentence}." for _, text in report.blocks for sentence in text.split(". ")]
    rows = [{"id": f"r{number}", "text": text} for number, text in enumerate(sentences)]
    book = Workbook()
    book.active.append(["id", "text"])
    for row in rows:
        book.active.append(list(row.values()))
    sheet, columns = io.BytesIO(), io.BytesIO()
    book.save(sheet)
    parquet.write_table(pyarrow.Table.from_pylist(rows), columns)
    lines = [f'{row["id"]},"{row["text"]}"' for row in rows]
    return {
        "txt": report.text.encode(),
        "md": report.text.replace("Prosecution", "## **Prosecution** [a](b)").encode(),
        "html": web_page(report, "state.gov"),
        "pdf": reportlab_pdf([report], rows_first=True, compressed=False),
        "docx": word_document(report, table=False),
        "jsonl": "\n".join(map(json.dumps, rows)).encode(),
        "csv": "\n".join(["id,text", *lines]).encode(),
        "tsv": "\n".join(["id\ttext", *("\t".join(row.values()) for row in rows)]).encode(),
        "xlsx": sheet.getvalue(),
        "parquet": columns.getvalue(),
    }


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A copy with one to eight changes."""
    if data.startswith(b"PK") and chance.random() < 0.8:
        return _inside(data, chance)
    made = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        place, kind = chance.randrange(len(made) + 1), chance.randrange(6)
        size = chance.choice((1, 2, 5, 20, 200))
        if kind == 0 and place < len(made):
            made[place] ^= 1 << chance.randrange(8)
        elif kind == 1:
            made[place:place] = chance.choice(TOKENS)
        elif kind == 2:
            del made[place : place + size]
        elif kind == 3:
            made[place:place] = made[place : place + size] * chance.choice((1, 2, 50))
        elif kind == 4:
            made[place : place + size] = chance.randbytes(size)
        elif chance.random() < 0.2:
            del made[place:]
    return bytes(made)


def _inside(data: bytes, chance: random.Random) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        names = old.namelist()
        hit = chance.choice(
            [name for name in names if "document" in name or "sheet" in name or "note" in name or chance.random() < 0.2] or names
        )
        for name in names:
            member = old.read(name)
            new.writestr(name, mutated(member, chance) if name == hit and not member.startswith(b"PK") else member)
    return stream.getvalue()


def run(inputs: int, formats: list[str] | None = None, seed: int = 0) -> dict[str, dict[str, object]]:
    """Read so many damaged files of each format; returns counts, and what went wrong."""
    from tagger import InputError, read_all

    results: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, data in seeds().items():
            if formats and name not in formats:
                continue
            chance = random.Random(f"{seed} {name}")
            path = Path(folder, f"input.{name}")
            counts: Counter[str] = Counter(read=0, refused=0)
            messages: Counter[str] = Counter()
            wrong: list[str] = []
            slowest, begun = 0.0, time.perf_counter()
            for number in range(inputs):
                path.write_bytes(mutated(data, chance))
                start = time.perf_counter()
                try:
                    for document in read_all(path):
                        assert all(document.text[p.start : p.end] == p.text for p in document.passages), "offsets"
                        document.text.encode("utf-8")
                    counts["read"] += 1
                except InputError as error:
                    counts["refused"] += 1
                    messages[str(error).removeprefix(f"{path}: ")[:60]] += 1
                    if "\n" in str(error) or not str(error).startswith(f"{path}: "):
                        wrong.append(f"{number}: message {error!r}")
                except Exception as error:  # noqa: BLE001  what this is here to find
                    wrong.append(f"{number}: {type(error).__name__}: {error}")
                slowest = max(slowest, time.perf_counter() - start)
            results[name] = {
                "inputs": inputs, **counts, "wrong": wrong, "slowest_seconds": round(slowest, 2),
                "seconds": round(time.perf_counter() - begun, 1), "messages": dict(messages.most_common(8)),
            }  # fmt: skip
            print(name, {key: value for key, value in results[name].items() if key != "messages"}, file=sys.stderr)
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--formats", nargs="*")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    found = run(given.inputs, given.formats, given.seed)
    (HERE / "results.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.exit(any(result["wrong"] for result in found.values()))
