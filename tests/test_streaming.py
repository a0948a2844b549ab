"""Large files read part by part: the same passages as when they are read whole, in memory that does not grow."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace

import pytest

import tagger
from tagger.reading import large
from tagger.reading.language import NOTE
from tagger.tagging import read_all, read_parts

CASES = 12


@pytest.fixture
def small_parts(monkeypatch):
    """Every file is large, and borders of parts are everywhere."""
    monkeypatch.setattr(large, "LEAST", 1)

    def of(size: int) -> None:
        monkeypatch.setattr(large, "PART", size)
        monkeypatch.setattr("tagger.splitting.PART", size)
        monkeypatch.setattr(large, "_ROWS", max(1, size // 100))

    return of


def passages(documents):
    return [passage for document in documents for passage in document.passages]


def headers(documents):
    found = {document.name: replace(document, passages=(), text="", notes=()) for document in documents}
    return list(found.values())


def odd_report(draw: random.Random, sentences: list[str]) -> str:
    """Lines in a bad order: headings, wrapped and inline ones, titles, tiers, lists, hard-wrapped text, furniture, blank lines."""
    made = [
        lambda: " ".join(draw.choices(sentences, k=draw.randrange(1, 9))),
        lambda: "\n".join(draw.choice(sentences)[:70] for _ in range(draw.randrange(2, 9))),
        lambda: draw.choice(
            ["Prosecution", "PREVENTION:", "PRIORITIZED\nRECOMMENDATIONS:", "Recommendations for Mali\nTrain police", "Profile"]
        ),
        lambda: "Recommendations: " + "; ".join(draw.choices(sentences, k=3)),
        lambda: draw.choice(
            ["MALI: Tier 2", "Kenya\nTier 1", "2014 Trafficking in Persons Report - Mexico", "GHANA (Tier 2 Watch List)", "Chad"]
        ),
        lambda: "\n".join(f"\u2022 {sentence}" for sentence in draw.choices(sentences, k=3)),
        lambda: draw.choice(["", " ", "\n\n\n", "\t\r\n", "A title of its own", "Footnotes", "\u2028caf\u00e9\x0c"]),
        lambda: draw.choice(sentences).replace(" ", draw.choice(["\u200b ", " \u00ad", "\u2060"])),
        lambda: draw.choice(["Related documents", "Prosecution\n\n\nProtection"]) if draw.random() < 0.1 else draw.choice(sentences),
    ]
    return "".join(draw.choice(made)() + draw.choice(["\n", "\n\n", "\r\n", "\r"]) for _ in range(draw.randrange(1, 90)))


@pytest.mark.parametrize("seed", range(CASES))
@pytest.mark.parametrize("size", [37, 1000])
def test_streaming_text_is_cut_as_whole_text_is(seed, size, root, tmp_path, small_parts):
    draw = random.Random(seed)
    sentences = [
        json.loads(line)["text"] for line in (root / "corpora/composed/passages.jsonl").read_text("utf-8").splitlines()[:: 40 + seed]
    ]
    path = tmp_path / "r.txt"
    for _ in range(6):
        path.write_bytes(odd_report(draw, sentences).encode(draw.choice(["utf-8", "utf-8-sig", "utf-16"])))
        try:
            whole = read_all(path)
        except tagger.InputError:
            continue
        small_parts(size)
        if passages(whole):
            parts = list(read_parts(path))
            assert passages(parts) == passages(whole)
            assert headers(parts) == headers(whole)


def test_streaming_text_in_windows_1252_and_its_notes(tmp_path, small_parts):
    path = tmp_path / "r.txt"
    path.write_bytes(
        "Prosecution\n\nLa caf\u00e9 de S\u00e3o Tom\u00e9 \u2013 \u201cgeschlossen\u201d. Er kam nicht.\n\n".encode("windows-1252") * 300
    )
    whole = tagger.read(path)
    small_parts(500)
    parts = list(read_parts(path))
    assert passages(parts) == list(whole.passages)
    assert set(whole.notes) == {note for part in parts for note in part.notes}
    assert len(whole.notes) == 2


@pytest.mark.parametrize("size", [37, 1000])
def test_streaming_markdown_is_cut_as_whole_markdown_is(size, root, tmp_path, small_parts):
    draw, path = random.Random(size), tmp_path / "r.md"
    small_parts(size)
    sentences = [json.loads(line)["text"] for line in (root / "corpora/composed/passages.jsonl").read_text("utf-8").splitlines()[::99]]
    marks = [
        "# Prosecution",
        "## **Protection** ##",
        "> _{}_ and **{}**",
        "* {}",
        "---",
        "[{}](http://x.y/(z))",
        "1. {} \\* {}",
        "{}\r\n{}",
        "",
    ]
    for _ in range(10):
        lines = [draw.choice(marks).format(draw.choice(sentences), draw.choice(sentences)[:40]) for _ in range(40)]
        path.write_bytes("\n".join(lines).encode())
        whole = read_all(path)
        parts = list(read_parts(path))
        assert len(parts) > 1
        assert not any(part.text for part in parts)
        assert passages(parts) == passages(whole)


TABLES = {
    "rows.jsonl": lambda rows: "\n".join(json.dumps(row) for row in rows),
    "rows.csv": lambda rows: (
        "id,text,other\r\n" + "\r\n".join(f'{row["id"] or ""},"{(row["text"] or "").replace(chr(34), chr(34) * 2)}",1' for row in rows)
    ),
    "rows.tsv": lambda rows: "text\tid\n" + "\n".join(f"{(row['text'] or '').replace(chr(10), ' ')}\t{row['id'] or ''}" for row in rows),
}


@pytest.fixture
def rows():
    draw = random.Random(1)
    texts = ['He said "no".', "two\nlines", None, "  ", "caf\u00e9 \u201cx\u201d", "a\x07b", "plain words, and more", '"quoted"']
    return [{"text": draw.choice(texts), "id": draw.choice([None, f"key {number}"])} for number in range(400)]


@pytest.mark.parametrize("name", [*TABLES, "rows.parquet"])
def test_streaming_tables_give_the_rows_of_whole_ones(name, rows, tmp_path, small_parts):
    path = tmp_path / name
    if name in TABLES:
        path.write_text(TABLES[name](rows), "utf-8", newline="")
    else:
        pa = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        parquet.write_table(pa.Table.from_pylist(rows), path, row_group_size=70)
    whole = tagger.read(path)
    small_parts(900)
    parts = list(read_parts(path))
    assert len(parts) > 1
    assert passages(parts) == list(whole.passages)
    # Parts are too short here to tell whether they are English.
    assert [note for part in parts for note in part.notes if note != NOTE] == [note for note in whole.notes if note != NOTE]


def test_streaming_a_table_ends_where_it_is_damaged(tmp_path, small_parts):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "good"}\n' * 50 + '{"text": \n', "utf-8")
    small_parts(100)
    with pytest.raises(tagger.InputError, match=r"rows\.jsonl: line 51: is no JSON"):
        list(read_parts(path))
    pytest.importorskip("pyarrow")
    (tmp_path / "rows.parquet").write_bytes(b"PAR1" + b"x" * 1000 + b"PAR1")
    with pytest.raises(tagger.InputError, match=r"rows\.parquet: is damaged"):
        list(read_parts(tmp_path / "rows.parquet"))


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("r.txt", b"x" * 5000, "line 1: is longer than 1,000 characters"),
        ("r.txt", b"one two\n" * 2000, "has a paragraph of more than 1,000 characters"),
        ("r.txt", b"good\n\n" * 500 + b"\0", "is a binary file, not text"),
        ("r.txt", b"good\n\n" * 500 + b"\xff\x81", "line 1001: is not UTF-8 text"),
        ("r.txt", b" \n" * 500, "has no passage"),
        ("rows.jsonl", b'{"text": "' + b"x" * 5000 + b'"}', "line 1: is in a row of more than 4,000 characters"),
        (
            "rows.csv",
            b'text\n"never closed\n' + b"some words\n" * 500,
            "is in a row of more than 4,000 characters: is a quotation mark not closed",
        ),
    ],
)
def test_streaming_hostile_files_are_refused(name, data, message, tmp_path, small_parts):
    path = tmp_path / name
    path.write_bytes(data)
    small_parts(100)
    with pytest.raises(tagger.InputError, match=rf"{name}: .*{message}"):
        list(read_parts(path, limits=tagger.Limits(characters=1000)))


def test_streaming_gives_the_tags_of_whole_documents(root, default_tagger, tmp_path, small_parts, monkeypatch):
    path = tmp_path / "r.txt"
    path.write_text((root / "corpora/mexico-2014/report.txt").read_text("utf-8") * 3, "utf-8")
    whole = default_tagger.tag(tagger.read(path))
    small_parts(700)
    monkeypatch.setattr("tagger.tagging._AT_ONCE", 7)
    found = [item for _, passages in default_tagger.tag_parts(read_parts(path)) for item in passages]
    assert [(item.passage, item.labels, item.review) for item in found] == [(item.passage, item.labels, item.review) for item in whole]
    for one, other in zip(found, whole, strict=True):
        assert one.scores == pytest.approx(other.scores, abs=1e-6)
        assert one.evidence.keys() == other.evidence.keys()


def test_streaming_gives_the_scores_of_whole_documents_with_neighbours(default_tagger, small_parts, monkeypatch):
    weights = {**default_tagger.model.settings.weights, "before": 0.5, "after": 0.5}
    hearing = tagger.Tagger(replace(default_tagger.model, settings=replace(default_tagger.model.settings, weights=weights)))
    texts = [f"Officials number {number} took bribes. The {number} shelters were closed." for number in range(40)]
    documents = [tagger.Document(name, "", passages=tuple(tagger.Passage(text, document=name) for text in texts)) for name in "ab"]
    parts = [
        replace(document, passages=document.passages[k : k + size])
        for document in documents
        for k, size in ((0, 1), (1, 2), (3, 20), (23, 17))
    ]
    monkeypatch.setattr("tagger.tagging._AT_ONCE", 3)
    found = [item for _, passages in hearing.tag_parts(parts) for item in passages]
    whole = [item for document in documents for item in hearing.tag(document)]
    assert [item.passage for item in found] == [item.passage for item in whole]
    for one, other in zip(found, whole, strict=True):
        assert one.scores == pytest.approx(other.scores, abs=1e-6)


def test_streaming_json_lines_are_what_json_makes_of_them(default_tagger, root, tmp_path):
    from tagger.writing import tagged_to_json, write

    document = tagger.read(root / "corpora/mexico-2014/report.txt", name='a "name"\n\u201c')
    odd = tagger.Passage('tab\t "quotes" \\ caf\u00e9 \U0001f600 \x07', "i", "d", None, 3, None, 1, 2)
    items = [*default_tagger.tag(document), *default_tagger.tag([odd])]
    write(tmp_path / "t.jsonl", [(document, items)], default_tagger.about)
    lines = (tmp_path / "t.jsonl").read_text("utf-8").splitlines()
    assert lines == [json.dumps(tagged_to_json(item), ensure_ascii=False) for item in items]


_WATCHED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, done.returncode, done.stderr)
"""


def peak(*arguments: object) -> int:
    """The most memory that a command of tagger took, in KiB; a small process starts it, for a child counts what its parent had."""
    command = [sys.executable, "-c", _WATCHED, sys.executable, "-m", "tagger", *map(str, arguments)]
    found, code, *said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split(" ", 2)
    assert code == "0", said
    return int(found)


def test_streaming_takes_no_more_memory_for_more_text(root, tmp_path):
    pytest.importorskip("resource", reason="the system does not tell")
    report = (root / "corpora/mexico-2014/report.txt").read_text("utf-8")
    peaks = []
    for size in (5_000_000, 20_000_000):
        path = tmp_path / "r.txt"
        path.write_text(report * (size // len(report)), "utf-8")
        peaks.append(peak("tag", path, "-o", tmp_path / "t.jsonl"))
    assert peaks[1] < 1.1 * peaks[0]


def test_streaming_on_the_command_line(root, tmp_path):
    report = (root / "corpora/mexico-2014/report.txt").read_text("utf-8")
    path = tmp_path / "r.txt"
    path.write_text(report * (11_000_000 // len(report)), "utf-8")
    run = [sys.executable, "-m", "tagger", "tag"]
    done = subprocess.run([*run, path, "-o", tmp_path / "t.md"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "holds more than 10,485,760 characters" in done.stderr
    assert "files of any size can be tagged to .csv, .jsonl, .parquet" in done.stderr
    assert not (tmp_path / "t.md").exists()
    with path.open("rb") as stream:
        done = subprocess.run([*run, "-", "-o", "-"], stdin=stream, capture_output=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1])["id"] == f"stdin-{len(done.stdout.splitlines()):04d}"


def test_streaming_of_one_report_imports_nothing_that_it_does_not_need(root, tmp_path):
    code = (
        "import sys; from tagger.cli import main; sys.argv = ['tagger', 'tag', sys.argv[1], '-o', sys.argv[2]]\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'rich', 'pyarrow', 'jinja2', 'openpyxl', 'xlsxwriter', 'lxml', 'trafilatura', 'pypdfium2', 'joblib',"
        " 'sklearn', 'scipy', 'pandas', 'datasets', 'matplotlib'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, root / "corpora/mexico-2014/report.txt", tmp_path / "t.jsonl"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
