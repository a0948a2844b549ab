"""The command line as a person runs it: real processes, real files."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import time

import pytest


def run(*arguments: object, stdin: bytes | None = None, cwd: object = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, "-m", "tagger", *map(str, arguments)], input=stdin, capture_output=True, cwd=cwd, check=False)
    stdout, stderr = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in stderr, stderr
    return subprocess.CompletedProcess(done.args, done.returncode, stdout, stderr)


def errors(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stderr.splitlines() if line.startswith("error: ")]


def test_cli_tag_prints_a_readable_table(report):
    done = run("tag", report)
    assert done.returncode == 0
    assert "of 112 passages carry a theme" in done.stdout
    assert "*forced labor*" in done.stdout
    assert "Recommendations" in done.stdout
    assert "data_quality" in done.stdout.splitlines()[-14] or "data_quality" in done.stdout


def test_cli_tag_writes_json_lines_and_csv(report, tmp_path):
    for name in ("tags.jsonl", "tags.csv"):
        done = run("tag", report, "-o", tmp_path / name)
        assert done.returncode == 0, done.stderr
        assert "112 passages" in done.stderr
    lines = [json.loads(line) for line in (tmp_path / "tags.jsonl").read_text(encoding="utf-8").splitlines()]
    with (tmp_path / "tags.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(lines) == len(rows) == 112
    assert [row["labels"] for row in rows] == ["; ".join(line["labels"]) for line in lines]
    assert lines[0]["id"] == "report-0001"


def test_cli_tag_reads_standard_input(report, tmp_path):
    done = run("tag", "-", "-o", tmp_path / "o.jsonl", stdin=report.read_bytes())
    assert done.returncode == 0
    assert json.loads((tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()[0])["document"] == "stdin"


def test_cli_tag_goes_on_past_bad_files(report, tmp_path):
    folder = tmp_path / "reports"
    (folder / "sub").mkdir(parents=True)
    shutil.copy(report, folder / "good.txt")
    shutil.copy(report, folder / "sub" / "good.txt")
    (folder / "empty.txt").write_bytes(b" \n")
    (folder / "binary.txt").write_bytes(b"\x7fELF\0\0")
    (folder / "damaged.txt").write_bytes("Se\u00f1or, a\u00f1o.".encode() + b"\xff")
    (tmp_path / "nothing").mkdir()
    done = run("tag", folder, tmp_path / "nothing", tmp_path / "missing.txt", tmp_path / "x.pdf", "-o", tmp_path / "o.jsonl")
    assert done.returncode == 1
    said = errors(done)
    assert [line.split(": ")[1].rsplit("/", 1)[-1] for line in said[:6]] == [
        "binary.txt",
        "damaged.txt",
        "empty.txt",
        "nothing",
        "missing.txt",
        "x.pdf",
    ]
    assert "binary file" in said[0]
    assert "line 1: is not UTF-8 text" in said[1]
    assert "is empty" in said[2]
    assert "no file of a known format" in said[3]
    assert "no such file" in said[4]
    assert "no such file" in said[5]
    assert "6 input(s) could not be read" in said[6]
    documents = [json.loads(line)["document"] for line in (tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()]
    assert dict.fromkeys(documents) == dict.fromkeys(["good", "sub/good"])
    assert len(documents) == 224


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "o.docx"], "unknown format '.docx'"),
        (["-o", "nowhere/o.csv"], "there is no folder nowhere"),
        (["--model", "nowhere"], "nowhere: no such model folder"),
        (["--model", "."], "manifest.json: missing"),
    ],
)
def test_cli_tag_says_in_one_line_what_is_wrong(report, tmp_path, arguments, message):
    done = run("tag", report, *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert len(errors(done)) == 1
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_cli_tag_writes_nothing_when_nothing_could_be_read(tmp_path):
    (tmp_path / "o.csv").write_text("old")
    done = run("tag", "missing.txt", "-o", "o.csv", cwd=tmp_path)
    assert done.returncode == 1
    assert (tmp_path / "o.csv").read_text() == "old"


def test_cli_usage_errors_leave_with_2():
    assert run("tag").returncode == 2
    assert run("tag", "x.txt", "--colour").returncode == 2
    assert run("nonsense").returncode == 2


def test_cli_help_is_quick_and_has_examples():
    started = time.perf_counter()
    assert "Examples" in run("tag", "--help").stdout
    assert time.perf_counter() - started < 3
    for command in (["train"], ["evaluate"], ["codebook"], ["corpus", "check"], ["corpus", "stats"], ["corpus", "agreement"]):
        assert "xample" in run(*command, "--help").stdout, command


def test_cli_train_evaluate_and_tag_with_the_new_model(root, report, tmp_path):
    corpora = [root / "corpora/mexico-2014", root / "corpora/composed"]
    themes = root / "corpora/themes.toml"
    done = run("train", *corpora, "-o", tmp_path / "m", "--themes", themes)
    assert done.returncode == 0, done.stderr
    table = run("evaluate", tmp_path / "m", corpora[0])
    assert table.stdout.splitlines()[0].split()[:3] == ["theme", "precision", "recall"]
    figures = json.loads(run("evaluate", tmp_path / "m", corpora[0], "--json").stdout)
    assert figures["macro_f1"] > 0.9
    assert run("tag", report, "--model", tmp_path / "m").returncode == 0


def test_cli_corpus_commands(root, tmp_path):
    corpora = [root / "corpora/mexico-2014", root / "corpora/composed"]
    themes = ["--themes", root / "corpora/themes.toml"]
    assert "nothing wrong" in run("corpus", "check", *corpora, *themes).stdout
    assert "112 passages of 1 document" in run("corpus", "stats", *corpora, *themes).stdout
    assert json.loads(run("corpus", "stats", corpora[0], *themes, "--json").stdout)[str(corpora[0])]["passages"] == 112
    assert "alpha" in run("corpus", "agreement", *corpora, *themes, "--differences").stdout
    (tmp_path / "passages.jsonl").write_text('{"id": "1", "text": "t", "labels": ["x"], "document": "d"}\n')
    done = run("corpus", "check", tmp_path, *themes)
    assert done.returncode == 1
    assert f"{tmp_path / 'passages.jsonl'}:1: unknown label 'x'" in done.stdout
    assert "missing" in run("train", tmp_path / "no", "-o", tmp_path / "m", *themes).stderr


def test_cli_codebook_prints_the_page(root):
    done = run("codebook", root / "corpora/themes.toml")
    assert done.stdout == (root / "corpora/codebook.md").read_text(encoding="utf-8")


def test_cli_tag_reads_documents_of_every_format_from_a_folder(tmp_path):
    from making import mexico, web_page
    from making_docx import word_document
    from making_pdf import reportlab_pdf

    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "a.pdf").write_bytes(reportlab_pdf([mexico()]))
    (folder / "b.html").write_bytes(web_page(mexico(), "refworld.org"))
    (folder / "c.docx").write_bytes(word_document(mexico(), footnotes=False))
    (folder / "d.txt").write_bytes(mexico().text.encode("windows-1252"))
    (folder / "tags.csv").write_text("text\nnot to be read\n")
    done = run("tag", folder, "-o", tmp_path / "o.jsonl")
    assert done.returncode == 0
    assert "note: " in done.stderr
    assert "d.txt: is not UTF-8 and was read as Windows-1252" in done.stderr
    rows = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {name: sum(row["document"] == name for row in rows) for name in "abcd"} == dict.fromkeys("abcd", 112)
    assert [row["page"] for row in rows if row["document"] == "a"][::40] == [1, 2, 3]


def test_cli_tag_tags_the_rows_of_a_table(tmp_path):
    (tmp_path / "rows.tsv").write_text("key\tbody\nk1\tPolice officers accepted bribes from traffickers.\nk2\tIt rained.\n")
    done = run("tag", tmp_path, "--text-column", "body", "--id-column", "key", "-o", tmp_path / "o.jsonl")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["id"], row["labels"]) for row in rows] == [("k1", ["complicity"]), ("k2", [])]


def test_cli_read_shows_what_was_understood(report, tmp_path):
    done = run("read", report)
    assert "report: Mexico, 2014, Tier 2" in done.stdout
    assert "112 passages in 16 paragraphs" in done.stdout
    assert "Official complicity continued to be a serious problem." in done.stdout
    rows = [json.loads(line) for line in run("read", "--json", report).stdout.splitlines()]
    assert len(rows) == 112
    assert rows[20]["text"] == "Official complicity continued to be a serious problem."
    failed = run("read", tmp_path / "gone.txt", report)
    assert failed.returncode == 1
    assert len(errors(failed)) == 1
    assert "112 passages" in failed.stdout
