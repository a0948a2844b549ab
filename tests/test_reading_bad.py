"""What is damaged, hostile or not meant for reading: each is named in one line, and the batch goes on."""

from __future__ import annotations

import codecs
import contextlib
import io
import json
import math
import os
import re
import subprocess
import sys
import threading
import time
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from making import mexico, web_page
from making_docx import word_document
from making_pdf import picture_pdf, reportlab_pdf

import tagger
from tagger import splitting, storage
from tagger.reading import Limits, find_documents
from tagger.records import Document

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
GOOD = "Police officers accepted bribes from traffickers. It rained."


def zipped(**members: bytes | str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def docx(xml: str) -> bytes:
    return zipped(**{"word/document.xml": xml})


def locked_pdf() -> bytes:
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    stream = io.BytesIO()
    canvas = Canvas(stream, encrypt=StandardEncryption("secret", ownerPassword="owner"))
    canvas.drawString(72, 700, GOOD)
    canvas.save()
    return stream.getvalue()


def swollen_docx() -> bytes:
    """A small file that expands to 400 MiB."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("word/document.xml", "w", force_zip64=True) as member,
    ):
        block = b" " * (1 << 20)
        for _ in range(400):
            member.write(block)
    return stream.getvalue()


def lying_docx() -> bytes:
    """An archive that says that its member is small."""
    data = bytearray(swollen_docx())
    for signature, place in ((b"PK\x01\x02", 24),):
        start = data.rindex(signature)
        data[start + place : start + place + 4] = (1000).to_bytes(4, "little")
    return bytes(data)


ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True)
)
BOMB = f"<?xml version='1.0'?>{ENTITIES}]><w:document {W}><w:body><w:p><w:r><w:t>&j;</w:t></w:r></w:p></w:body></w:document>"
FILE_ENTITY = f"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><w:document {W}><w:body><w:p><w:r><w:t>&f;</w:t></w:r></w:p></w:body></w:document>"
DEEP = "<w:p>" * 100_000

BAD = {
    "empty.pdf": (lambda: b"", "is empty"),
    "blank.txt": (lambda: b" \n\n\t", "is empty"),
    "truncated.pdf": (lambda: reportlab_pdf([mexico()])[:900], "damaged|is empty"),
    "junk.pdf": (lambda: b"%PDF-1.7\n" + bytes(range(256)) * 20, "damaged"),
    "not.pdf": (lambda: b"just some words", "is no .pdf file"),
    "locked.pdf": (locked_pdf, "password"),
    "pictures.pdf": (lambda: picture_pdf(2), "only pictures of pages 1, 2.*OCR"),
    "other.docx": (lambda: zipped(**{"a.txt": "text"}), "neither a Word document nor an Excel workbook"),
    "half.docx": (lambda: word_document(mexico())[:9000], "damaged zip"),
    "flipped.docx": (lambda: word_document(mexico()).replace(b"word/document.xml", b"word/documenT.xml", 1), "damaged|neither"),
    "swollen.docx": (swollen_docx, "expands to more than"),
    "lying.docx": (lying_docx, "damaged"),
    "broken.docx": (lambda: docx(f"<w:document {W}><w:body><w:p><w:r><w:t>cut"), "damaged inside"),
    "bomb.docx": (lambda: docx(BOMB), "XML entities"),
    "file.docx": (lambda: docx(FILE_ENTITY), "XML entities"),
    "deep.docx": (lambda: docx(f"<w:document {W}>{DEEP}"), "nested too deeply"),
    "old.doc": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "save it, without a password, as .docx"),
    "bomb.xlsx": (lambda: zipped(**{"xl/workbook.xml": BOMB, "[Content_Types].xml": BOMB}), "XML entities"),
    "headings.txt": (lambda: b"Mexico\nTier 2\n\nProsecution\n", "no text in it but headings"),
    "array.json": (lambda: json.dumps([{"text": GOOD}]).encode(), "an object a line"),
    "array.txt": (lambda: json.dumps([{"text": GOOD}], indent=1).encode(), "an object a line"),
    "object.json": (lambda: json.dumps({"text": GOOD}, indent=1).encode(), "an object a line"),
    "numbers.json": (lambda: b"[1, 2]", "an object a line"),
    "page.xml": (lambda: f"<TEI><s>{GOOD}</s></TEI>".encode(), "save what it holds as text"),
    "page.txt": (lambda: f'<?xml version="1.0"?><TEI>{GOOD}</TEI>'.encode(), "save what it holds as text"),
    "wide.txt": (lambda: GOOD.encode("utf-32"), "save it in UTF-8"),
    "wider.txt": (lambda: codecs.BOM_UTF32_BE + GOOD.encode("utf-32-be"), "save it in UTF-8"),
    "hollow.xlsx": (lambda: zipped(**{"xl/workbook.xml": "<a/>"}), "damaged"),
    "torn.parquet": (lambda: b"PAR1" + b"\1" * 300, "damaged"),
    "no-article.html": (lambda: b"<html><body><nav><a href='/'>Home</a></nav></body></html>", "no article"),
    "nothing.html": (lambda: b"<html></html>", "without any text|no article"),
    "nul.txt": (lambda: b"Police\0 took bribes." + bytes(100), "binary file"),
    "surrogate.txt": (lambda: ("año ñandú señor \ud800 x").encode("utf-8", "surrogatepass"), "line 1: is not UTF-8"),
    "picture.txt": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(100), "picture"),
    "packed.txt.gz": (lambda: b"\x1f\x8b" + bytes(50), "gzip"),
    "no-column.csv": (lambda: b"a,b\n1,2\n", "has no column 'text'; it has 'a', 'b'"),
    "ragged.csv": (lambda: b"id,text\n1,one\n2,two,three\n", "line 3: has 3 fields where the first line has 2"),
    "quote.csv": (lambda: b'id,text\n1,"never closed\n', "line 2: unexpected end of data"),
    "bad.jsonl": (lambda: b'{"text": "a"}\n{"text": \n', "line 2: is no JSON"),
    "deep.jsonl": (lambda: b'{"text": ' + b"[" * 100_000 + b"\n", "line 1: is no JSON|damaged"),
    "list.jsonl": (lambda: b"[1]\n", "line 1: is no JSON object"),
    "long.txt": (lambda: b"Police took bribes. " * 5_000_000, "more than 10,485,760 characters"),
}


@pytest.fixture(scope="module")
def bad_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    for name, (make, _) in BAD.items():
        (folder / name).write_bytes(make())
    return folder


@pytest.mark.parametrize("name", BAD)
def test_reading_bad_file_is_named_in_one_line(name, bad_files):
    with pytest.raises(tagger.InputError, match=BAD[name][1]) as caught:
        tagger.read(bad_files / name)
    assert str(caught.value).startswith(f"{bad_files / name}: ")
    assert "\n" not in str(caught.value)


def test_reading_bad_files_of_a_folder_are_passed_over(bad_files, tmp_path):
    (bad_files / "zz-good.txt").write_text(GOOD)
    command = [sys.executable, "-m", "tagger", "read", "--json", *sorted(map(str, bad_files.iterdir()))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    (bad_files / "zz-good.txt").unlink()
    assert done.returncode == 1
    said = done.stderr.splitlines()
    assert [line.split(": ")[1].rsplit("/", 1)[-1] for line in said if line.startswith("error")] == sorted(BAD)
    assert len(said) == len(BAD), done.stderr
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == [
        "Police officers accepted bribes from traffickers.",
        "It rained.",
    ]


def test_reading_bad_folder_says_how_to_read_it(tmp_path):
    with pytest.raises(tagger.InputError, match="a folder with no file of a known format"):
        tagger.read(tmp_path)
    (tmp_path / "rows.csv").write_text("text\nIt rained.\n")
    with pytest.raises(tagger.InputError, match=r"nothing but tables: name .* --text-column"):
        tagger.read(tmp_path)
    (tmp_path / "report.txt").write_text(GOOD)
    with pytest.raises(tagger.InputError, match=r"a folder of many documents: give `tagger tag` the folder, or read\(\) each"):
        tagger.read(tmp_path)
    assert [tagger.read(path, name=name).name for path, name in find_documents([str(tmp_path)])] == ["report"]


@pytest.mark.parametrize("address", ["https://www.state.gov/reports/mexico.html", "HTTP://example.org/a?b=c"])
def test_reading_bad_address_of_a_web_page(address):
    for given in (address, Path(address)):
        with pytest.raises(tagger.InputError, match="is a web address, and tagger does not reach the network: save the page") as caught:
            tagger.read(given)
        assert str(caught.value).startswith(f"{address}: ")


HOSTILE = {
    "lists.jsonl": (b"[", b"", "is no JSON"),
    "objects.jsonl": (b'{"text":', b"", "is no JSON"),
    "empty.jsonl": (b"[[],", b"", "is no JSON|memory"),
    "pairs.jsonl": (b'{"text":[', b'{"":0},', "is no JSON|memory"),
    "digits.jsonl": (b"1", b"", "is no JSON"),
    "rows.csv": (b"text\n", b"a\n", "has more than 500,000 rows|memory"),
    "commas.csv": (b"text,", b",", "is empty|memory"),
    "quotes.csv": (b"text\n", b'""\n', "is empty|memory"),
    "accents.csv": (b"text\n\xe9", b"\xc3\xa9", "is not UTF-8|memory"),
}
# The peak of getrusage would be at least that of the process of the tests, which a new one inherits.
MEASURE = """
import re, sys
from pathlib import Path
import tagger
try:
    tagger.read(sys.argv[1])
except tagger.InputError as error:
    print(error)
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) >> 10)
"""


@pytest.mark.parametrize("size", [5 << 20, 40 << 20], ids=["in the process", "in its child"])
@pytest.mark.parametrize("name", HOSTILE)
def test_reading_bad_table_that_would_fill_the_memory(name, size, tmp_path):
    start, more, message = HOSTILE[name]
    path = tmp_path / name
    path.write_bytes(start + (more or start) * (size // len(more or start)))
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
    assert time.monotonic() - begun < 60
    *said, peak = done.stdout.splitlines()
    assert len(said) == 1
    assert re.search(message, said[0]), said
    assert int(peak) < 1024


def test_reading_bad_table_in_a_program_that_allows_deep_calls(tmp_path):
    path = tmp_path / "deep.jsonl"
    path.write_bytes(BAD["deep.jsonl"][0]())
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    try:
        with pytest.raises(tagger.InputError, match="line 1: is no JSON"):
            tagger.read(path)
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.parametrize(
    "page",
    [
        "<p>" + GOOD * 20 + "<div>" * 100_000,
        "<div>" * 5000 + f"<p>{GOOD * 20}</p>" + "</div>" * 5000,
        "<html><body><p>" + GOOD * 20 + "</b></i></table><td><p><<<>>> &#xD800; &unknown; <!-- <![CDATA[",
        "<table>" * 3000 + "<tr><td>" + GOOD * 20,
        "<html><body>" + "<a b='" + "x" * 1_000_000 + f"'><p>{GOOD * 20}",
    ],
    ids=["endless", "nested", "malformed", "tables", "attribute"],
)
def test_reading_bad_html_is_read_or_named(page, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page)
    begun = time.monotonic()
    with contextlib.suppress(tagger.InputError):
        assert "Police officers accepted bribes" in tagger.read(path).text
    assert time.monotonic() - begun < 30


def test_reading_bad_folder_with_a_loop_of_links_and_a_pipe(tmp_path):
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "good.txt").write_text(GOOD)
    (folder / "loop").symlink_to(folder)
    (folder / "self.txt").symlink_to(folder / "self.txt")
    (folder / "gone.txt").symlink_to(folder / "nowhere.txt")
    os.mkfifo(folder / "pipe.txt")
    done = subprocess.run(
        [sys.executable, "-m", "tagger", "read", "--json", str(folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert [json.loads(line)["document"] for line in done.stdout.splitlines()] == ["good", "good"]
    said = dict(line.removeprefix(f"error: {folder}/").split(": ", 1) for line in done.stderr.splitlines())
    assert said["pipe.txt"] == "is not a regular file"
    assert said["gone.txt"] == "no such file"
    assert "self.txt" in said


def test_reading_bad_file_that_vanishes_in_mid_run(tmp_path, monkeypatch, capsys):
    from tagger.cli import tag as command
    from tagger.tagging import load

    for name in ("a.txt", "b.txt", "c.txt"):
        (tmp_path / name).write_text(GOOD)
    failed: list[object] = []
    found = command.tag(load(), [tmp_path], failed)
    assert next(found)[0].name == "a"
    (tmp_path / "b.txt").unlink()
    assert [(document.name, len(passages)) for document, passages in found] == [("c", 2)]
    assert failed == [tmp_path / "b.txt"]
    assert "b.txt: no such file" in capsys.readouterr().err


def test_reading_bad_surrogates_in_json_come_out_as_marks(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a \\ud800 b \\u0000 c"}\n')
    document = tagger.read(path)
    assert document.passages[0].text == "a \ufffd b \ufffd c"
    document.text.encode("utf-8")


# -- limits ------------------------------------------------------------------------------------------------------------------


def test_reading_limits_of_time_memory_and_size_are_kept(tmp_path):
    page, table = tmp_path / "page.html", tmp_path / "rows.jsonl"
    page.write_bytes(web_page(mexico(), "state.gov"))
    with pytest.raises(tagger.InputError, match=r"page\.html: is larger than 0 MiB"):
        tagger.read(page, limits=Limits(size=100))
    table.write_text('{"text": "Police took bribes."}\n' * 600_000)
    with pytest.raises(tagger.InputError, match=r"rows\.jsonl: (needs more than|can't be read within) 150 MiB of memory"):
        tagger.read(table, limits=Limits(memory=150 << 20))
    with pytest.raises(tagger.InputError, match=r"rows\.jsonl: was given up after 0\.2 seconds"):
        tagger.read(table, limits=Limits(seconds=0.2))
    assert len(tagger.read(page).passages) == 112  # the next document is none the worse


@pytest.mark.parametrize(
    "bad",
    [{"seconds": 0}, {"seconds": math.nan}, {"seconds": math.inf}, {"memory": -1}, {"size": 1.5}, {"passages": 1 << 70}, {"html": "1"}],
)
def test_reading_limits_are_positive_and_finite(bad):
    with pytest.raises(ValueError, match=rf"Limits\({next(iter(bad))}=.*must be a positive"):
        Limits(**bad)


def test_reading_limits_on_the_command_line(tmp_path):
    path = tmp_path / "report.txt"
    path.write_text(GOOD * 100)

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tagger", "read", str(path), *options]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert "report.txt: is larger than 0 MiB" in run("--limit", "size=1K").stderr
    assert run("--limit", "size=1M", "--limit", "seconds=5").returncode == 0
    assert run("--limit", "speed=3").returncode == 2
    assert "report.txt: has more than 10 passages" in run("--limit", "passages=10").stderr


def test_reading_limits_of_web_pages_and_rows_can_be_lowered_and_raised(tmp_path):
    page, table = tmp_path / "page.html", tmp_path / "rows.jsonl"
    page.write_bytes(web_page(mexico(), "state.gov"))
    table.write_text('{"text": "Police took bribes."}\n' * 20)
    with pytest.raises(tagger.InputError, match=r"page\.html: is a web page of more than 0 MiB.*raise the limit"):
        tagger.read(page, limits=Limits(html=100))
    with pytest.raises(tagger.InputError, match=r"rows\.jsonl: has more than 19 rows.*raise the limit"):
        tagger.read(table, limits=Limits(passages=19))
    assert len(tagger.read(table, limits=Limits(passages=20)).passages) == 20


def test_reading_limits_memory_of_the_parsing_process_is_bounded_by_the_system(tmp_path):
    from tagger.reading.sandbox import SANDBOX

    path = tmp_path / "page.html"
    path.write_bytes(web_page(mexico(), "state.gov"))
    tagger.read(path)
    limits = subprocess.run(["cat", f"/proc/{SANDBOX._process.pid}/limits"], capture_output=True, text=True, check=True).stdout
    assert any(line.split()[3] == str(1 << 30) for line in limits.splitlines() if line.startswith("Max address space"))


def test_reading_in_threads_at_once(tmp_path):
    paths = []
    for number in range(8):
        paths.append(tmp_path / f"{number}.html")
        paths[-1].write_bytes(web_page(mexico(), "ecoi.net"))
    found: list[int] = []
    threads = [threading.Thread(target=lambda path=path: found.append(len(tagger.read(path).passages))) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [112] * 8


@pytest.mark.parametrize("command", ["read", "tag"])
def test_reading_without_the_library_names_file_and_pip_command_and_goes_on(tmp_path, command):
    (tmp_path / "pypdfium2").mkdir()
    (tmp_path / "pypdfium2" / "__init__.py").write_text("raise ImportError('not here')")
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "a.pdf").write_bytes(reportlab_pdf([mexico()]))
    (folder / "b.txt").write_text(GOOD)
    done = subprocess.run(
        [sys.executable, "-m", "tagger", command, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 1
    said = f"error: {folder}/a.pdf: this needs pypdfium2, which is not installed: pip install 'tagger[documents]'"
    assert done.stderr.splitlines()[0] == said
    assert "accepted bribes" in done.stdout


def test_reading_standard_input_is_known_by_its_content():
    command = [sys.executable, "-m", "tagger", "read", "--json", "-"]
    done = subprocess.run(command, input=reportlab_pdf([mexico()]), capture_output=True, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 112
    assert rows[0]["document"] == "stdin"


def test_reading_names_no_two_documents_alike(tmp_path):
    for name in ("a/report.txt", "b/report.txt", "report.txt", "report.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("Police took bribes.")
    inputs = [tmp_path / "a", tmp_path / "b", tmp_path / "report.txt", tmp_path / "report.md", tmp_path / "report.txt"]
    found = list(find_documents(inputs))
    assert [path.relative_to(tmp_path).as_posix() for path, _ in found] == ["a/report.txt", "b/report.txt", "report.txt", "report.md"]
    assert len({name for _, name in found}) == 4


def test_reading_names_no_document_of_a_country_like_that_of_another_file(tmp_path):
    body = "\n\n" + "The government made efforts. " * 20 + "\n\n"
    (tmp_path / "tip.txt").write_text("".join(f"{country}: Tier 2{body}" for country in ("MALI", "CHAD", "MALI")))
    (tmp_path / "tip-mali.txt").write_text("Police took bribes.")
    (tmp_path / "tip-mali-2.txt").write_text("It rained.")

    def rows(*command):
        done = subprocess.run([sys.executable, "-m", "tagger", *command], capture_output=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    names = ["tip-mali-2", "tip-mali", "tip-mali-3", "tip-chad", "tip-mali-4"]
    for found in (rows("read", str(tmp_path), "--json"), rows("tag", str(tmp_path), "-o", "-")):
        assert list(dict.fromkeys(row["document"] for row in found)) == names
        assert len({row["id"] for row in found}) == len(found) == 62
    inputs = storage.find_inputs([str(tmp_path)], without=str(tmp_path / "out"))
    assert [item.others for item in inputs] == [(), ("tip-mali-2",), ("tip-mali", "tip-mali-2")]
    assert [document.name for document in tagger.read_all(tmp_path / "tip.txt", taken=Counter(inputs[-1].others))] == names[2:]


def test_reading_many_reports_of_the_same_country_are_named_at_once():
    started, taken = time.perf_counter(), Counter[str]()
    names = [splitting._of_country(Document("tip", ""), "MALI: Tier 2", taken).name for _ in range(20_000)]
    assert (names[0], names[1], names[-1]) == ("tip-mali", "tip-mali-2", "tip-mali-20000")
    assert time.perf_counter() - started < 3
