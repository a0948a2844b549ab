from __future__ import annotations

import csv
import io
import json
import re
import zipfile

import pyarrow
import pytest
from making import mexico, plain
from openpyxl import Workbook
from pyarrow import parquet

import tagger.writing
from tagger.reading import Columns, large, read_source


def jsonl(rows):
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def separated(delimiter, encoding="utf-8"):
    def write(rows):
        stream = io.StringIO(newline="")
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
        return stream.getvalue().encode(encoding)

    return write


def xlsx(rows):
    book = Workbook()
    book.active.append(list(rows[0]))
    for row in rows:
        book.active.append(list(row.values()))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def columns(rows):
    stream = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), stream)
    return stream.getvalue()


MAKERS = {
    "t.jsonl": jsonl,
    "t.csv": separated(","),
    "excel.csv": separated(";", "utf-8-sig"),
    "old.csv": separated(";", "windows-1252"),
    "t.tsv": separated("\t"),
    "t.xlsx": xlsx,
    "t.parquet": columns,
}


@pytest.mark.parametrize("name", MAKERS)
def test_reading_table_gives_a_passage_a_row(name, tmp_path):
    texts = [passage.text for passage in plain(mexico(), tmp_path).passages]
    path = tmp_path / name
    path.write_bytes(MAKERS[name]([{"no": f"a{number}", "body": text, "more": "x"} for number, text in enumerate(texts)]))
    document = tagger.read(path, columns=Columns(text="body", id="no"))
    assert [passage.text for passage in document.passages] == texts
    assert [passage.id for passage in document.passages] == [f"a{number}" for number in range(len(texts))]
    for passage in document.passages:
        assert document.text[passage.start : passage.end] == passage.text


@pytest.mark.parametrize("name", MAKERS)
def test_reading_table_usual_columns_and_rows_without_text(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(MAKERS[name]([{"text": "Police took bribes. It rained."}, {"text": ""}, {"text": "Boys herd\ncattle."}]))
    document = tagger.read(path)
    first = 1 if name.endswith((".jsonl", ".parquet")) else 2  # lines of CSV and rows of a sheet count the names
    assert [(p.id[-4:], p.text) for p in document.passages] == [
        (f"{first:04d}", "Police took bribes. It rained."),
        (f"{first + 2:04d}", "Boys herd\ncattle."),
    ]
    # A row that holds nothing at all is a blank line of a file, or below the end of a sheet.
    assert document.notes == (("1 row without text left out",) if name in ("t.jsonl", "t.parquet") or b'""' in path.read_bytes() else ())


def test_reading_table_is_known_by_its_content(tmp_path):
    rows = [{"text": "Police took bribes.", "id": "a"}]
    for name in ("t.jsonl", "t.xlsx", "t.parquet"):
        path = tmp_path / f"{name}.txt"
        path.write_bytes(MAKERS[name](rows))
        assert [p.id for p in tagger.read(path).passages] == ["a"]
    path = tmp_path / "t.txt"
    path.write_bytes(separated(",")(rows))
    assert [p.id for p in tagger.read(path, columns=Columns(text="text")).passages] == ["a"]


def test_reading_table_missing_columns_are_named(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(tagger.InputError, match=r"t\.csv: has no column 'x'; it has 'a', 'b': name one with --text-column"):
        tagger.read(path, columns=Columns(text="x"))
    with pytest.raises(tagger.InputError, match=r"has no column 'y'.*--id-column"):
        tagger.read(path, columns=Columns(text="a", id="y"))


def test_reading_table_line_ends_and_control_characters_of_a_row(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b'id;text\r"a\r\nb";"one\r\ntwo\rthree \x01"\rc;four\r')
    document = tagger.read(path)
    assert [(p.id, p.text) for p in document.passages] == [("a\nb", "one\ntwo\nthree \ufffd"), ("c", "four")]


def test_reading_table_large_and_small_are_read_alike(tmp_path, monkeypatch):
    path = tmp_path / "t.jsonl"
    path.write_bytes(jsonl([{"text": "Police took bribes.", "id": "a", "n": n} for n in range(50)] + [{"text": "ñ \U0001f600 \u2028 x"}]))
    small = read_source(path)
    monkeypatch.setattr("tagger.reading.frugal._PER_BYTE", 1 << 30)
    assert read_source(path) == small


def test_reading_table_surrogates_of_escapes_in_utf_16(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_bytes('{"text": "a \\uD800 b"}\n'.encode("utf-16"))
    assert [p.text for p in tagger.read(path).passages] == ["a \ufffd b"]


@pytest.mark.parametrize("size", ["A1", "A1:B2", "A1:XFD1048576"])
def test_reading_table_whatever_size_a_sheet_says_it_has(size, tmp_path):
    texts = [f"Police took {number} bribes." for number in range(20)]
    sheet = xlsx([{"n": number, "id": f"a{number}", "text": text} for number, text in enumerate(texts)])
    path = tmp_path / "t.xlsx"
    with zipfile.ZipFile(io.BytesIO(sheet)) as source, zipfile.ZipFile(path, "w") as target:
        for member in source.namelist():
            target.writestr(member, source.read(member).replace(b'<dimension ref="A1:C21"', f'<dimension ref="{size}"'.encode()))
    document = tagger.read(path)
    assert [(passage.id, passage.text) for passage in document.passages] == [(f"a{number}", text) for number, text in enumerate(texts)]
    assert document.notes == ()


@pytest.mark.parametrize("name", MAKERS)
def test_reading_table_says_what_is_left_out_and_which_ids_are_not_unique(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(
        MAKERS[name]([{"id": id, "text": text} for id, text in zip("abbbccd", ["One.", "", "Two.", "Three.", "4", " ", "5"], strict=True)])
    )
    document = tagger.read(path)
    assert [passage.id for passage in document.passages] == ["a", "b", "b", "c", "d"]
    assert document.notes == ("2 rows without text left out", "1 id not unique: 'b' stands in 2 rows")


def test_reading_table_several_ids_that_are_not_unique(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,text\nx,One.\ny,Two.\ny,Three.\nx,Four.\nx,Five.\n")
    assert tagger.read(path).notes == ("2 ids not unique: 'x' stands in 3 rows; ...",)


def test_reading_table_tsv_with_stray_quotation_marks(tmp_path):
    path = tmp_path / "t.tsv"
    rows = ['"Police took bribes.', 'A 5" pipe.', '"No."', 'He said "no"', '"He said ""no"""', '" a', 'b"', '"']
    path.write_text("id\ttext\n" + "".join(f"k{number}\t{row}\n" for number, row in enumerate(rows)))
    expected = ['"Police took bribes.', 'A 5" pipe.', "No.", 'He said "no"', 'He said "no"', '" a', 'b"', '"']
    assert [passage.text for passage in tagger.read(path).passages] == expected


@pytest.mark.parametrize(
    "text", ['text\nIt rained.\n"Police took\nbribes.\n', 'id\ttext\n1\tIt rained.\n2\t"Police took\n bribes.\n3\tx\n']
)
def test_reading_table_quotation_mark_that_is_never_closed_is_named_with_its_line(text, tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text(text)
    with pytest.raises(tagger.InputError, match=r"t\.tsv: line 3: .*each mark doubled"):
        tagger.read(path)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("t.jsonl", {"a": 1}, r"{'a': 1}"),
        ("t.jsonl", ["Police"], r"['Police']"),
        ("t.jsonl", True, "True"),
        ("t.xlsx", False, "False"),
        ("t.parquet", ["Police"], r"['Police']"),
        ("t.parquet", {"a": 1}, r"{'a': 1}"),
    ],
)
@pytest.mark.parametrize("least", [1, large.LEAST], ids=["part by part", "whole"])
def test_reading_table_refuses_what_is_no_text(name, value, said, least, tmp_path, monkeypatch):
    monkeypatch.setattr(large, "LEAST", least)
    path = tmp_path / name
    rows = [{"text": value if number == 2 else None if name == "t.parquet" else "It rained."} for number in range(3)]
    path.write_bytes(MAKERS[name](rows))
    row = 4 if name == "t.xlsx" else 3
    with pytest.raises(
        tagger.InputError, match=re.escape(f"{name}: row {row}: holds {said} where a text should be: name a column of texts")
    ):
        list(tagger.read_parts(path))


@pytest.mark.parametrize("least", [1, large.LEAST], ids=["part by part", "whole"])
def test_reading_table_of_numbers_dates_and_bytes(least, tmp_path, monkeypatch):
    monkeypatch.setattr(large, "LEAST", least)
    path = tmp_path / "t.parquet"
    path.write_bytes(columns([{"text": "Señora".encode(), "id": b"a", "n": 1.5}, {"text": None, "id": b"b", "n": None}]))
    assert [(p.id, p.text) for part in tagger.read_parts(path) for p in part.passages] == [("a", "Señora")]
    assert [(p.id, p.text) for p in tagger.read(path, columns=Columns(text="n", id="text")).passages] == [("Señora", "1.5")]
    path.write_bytes(columns([{"text": b"a"}, {"text": b"\xff"}]))
    with pytest.raises(tagger.InputError, match="row 2: holds bytes that are not UTF-8"):
        list(tagger.read_parts(path))


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "xlsx"])
def test_reading_table_that_tagger_wrote(ending, tmp_path, report, default_tagger):
    document = tagger.read(report)
    path = tmp_path / f"tags.{ending}"
    tagger.writing.write(path, [(document, default_tagger.tag(document))], default_tagger.about)
    again = tagger.read(path)
    assert [(passage.id, passage.text) for passage in again.passages] == [(passage.id, passage.text) for passage in document.passages]
    assert again.notes == ()
