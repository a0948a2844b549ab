"""The command line as a person runs it: real processes, real files."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest


def run(*arguments: object, stdin: bytes | None = None, cwd: object = None, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "tagger", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        check=False,
        env={**os.environ, **environment},
    )
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
    assert "6 inputs could not be read, the others were tagged: " in said[6]
    documents = [json.loads(line)["document"] for line in (tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()]
    assert dict.fromkeys(documents) == dict.fromkeys(["good", "sub/good"])
    assert len(documents) == 224


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "o.docx"], "unknown format '.docx'"),
        (["-o", "nowhere/o.csv"], "there is no folder nowhere"),
        (
            ["-o", "results"],
            "no ending that tells the format (.jsonl, .csv, .xlsx, .parquet, .md, .html); for a folder of results write results/",
        ),
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
    assert errors(done) == ["error: missing.txt: no such file"]
    assert (tmp_path / "o.csv").read_text() == "old"
    done = run("tag", "missing.txt", "https://example.org/a.html", "-o", "o.csv", cwd=tmp_path)
    assert errors(done)[-1] == "error: 2 inputs could not be read, so nothing was tagged: missing.txt, https://example.org/a.html"
    assert (tmp_path / "o.csv").read_text() == "old"
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "o.md").write_text("old")
    done = run("tag", "reports", "-o", "reports/o.md", cwd=tmp_path)
    assert errors(done) == ["error: reports/o.md: is all that there is to read, and the file to write"]


@pytest.fixture
def folder(report, tmp_path):
    """Two reports: Mexico and a made one without sections, whose passages have no theme but one."""
    (tmp_path / "reports").mkdir()
    shutil.copy(report, tmp_path / "reports" / "mexico.txt")
    (tmp_path / "reports" / "other.txt").write_text(
        "Police officers accepted bribes from traffickers. The ministry trained 40 judges.\n", encoding="utf-8"
    )
    return tmp_path / "reports"


def test_cli_tag_never_reads_what_it_wrote_nor_writes_what_it_reads(tmp_path):
    (tmp_path / "a.md").write_text("Police officers accepted bribes from traffickers.")
    for _ in range(2):
        done = run("tag", tmp_path, "-o", tmp_path / "tags.md")
        assert done.returncode == 0
        assert ": 1 passage; complicity 1," in done.stderr
    done = run("tag", "a.md", "-o", tmp_path / "a.md", cwd=tmp_path)
    assert done.returncode == 1
    assert errors(done) == [f"error: {tmp_path / 'a.md'}: is an input too: name another file to write"]
    assert (tmp_path / "a.md").read_text() == "Police officers accepted bribes from traffickers."


def test_cli_passes_over_pages_that_it_wrote(folder, report, tmp_path):
    out = tmp_path / "out.jsonl"
    first = run("tag", folder, "-o", out).stderr
    tags = out.read_bytes()
    for ending in ("html", "md"):
        assert run("tag", folder, "-o", folder / f"tags.{ending}").returncode == 0
    assert run("compare", folder, "-o", folder / "page.html").returncode == 0
    own = [f"{folder / name}" for name in ("page.html", "tags.html", "tags.md")]
    notes = [f"note: {path}: is a page that tagger wrote, and no report: passed over" for path in own]
    again = run("tag", folder, "-o", out)
    assert again.stderr.splitlines()[:3] == notes
    assert again.stderr.splitlines()[3:] == first.splitlines()
    assert out.read_bytes() == tags
    assert run("compare", *sorted(folder.iterdir()), "-o", tmp_path / "again.html").stderr.count("passed over") == 3
    assert (tmp_path / "again.html").read_bytes() == (folder / "page.html").read_bytes()
    assert run("read", folder).stderr.splitlines() == notes
    assert set(run("tag", folder, "-o", f"{tmp_path}/shards/").stderr.splitlines()) > set(notes)
    assert sorted(path.name for path in (tmp_path / "shards").glob("*.jsonl")) == ["mexico.jsonl", "other.jsonl"]
    alone = run("tag", folder / "tags.md", folder / "page.html")
    assert alone.returncode == 1
    assert errors(alone)[0] == f"error: {folder / 'tags.md'}: is a page that tagger wrote: give the report that it was made of"


def on_terminal(columns: int, *arguments: object) -> str:
    """What a person sees on a terminal of so many columns, without the colours."""
    import fcntl
    import pty
    import re
    import struct
    import termios

    reader, writer = pty.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")} | {"TERM": "xterm-256color"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tagger", *map(str, arguments)], stdout=writer, stdin=writer, stderr=subprocess.PIPE, env=environment
    )
    os.close(writer)
    seen = b""
    while True:
        try:
            more = os.read(reader, 65536)
        except OSError:  # how Linux says that the other side is closed
            break
        if not more:
            break
        seen += more
    os.close(reader)
    assert process.communicate()[1] == b""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen.decode()).replace("\r", "")


def test_cli_tag_fits_names_of_documents_into_80_columns(tmp_path):
    for name in ("trinidad-and-tobago", "papua-new-guinea"):
        (tmp_path / f"{name}.txt").write_text("Police officers accepted bribes.")
    seen = on_terminal(80, "tag", tmp_path)
    assert "trinidad-and-tobago" in seen
    assert "papua-new-guinea" in seen
    assert max(map(len, seen.splitlines())) <= 80


@pytest.mark.parametrize("inputs", [["mexico.txt"], ["."]])
def test_cli_tag_is_readable_in_60_columns(folder, inputs):
    seen = on_terminal(60, "tag", *(folder / name for name in inputs), "--all").splitlines()
    assert max(map(len, seen)) <= 60
    assert "\u2026" not in "".join(seen)
    if inputs == ["."]:
        assert any(line.split()[:4] == ["mexico", "112", "11", "18"] for line in seen)
    assert any(line.startswith("C complicity, F forced_labor,") for line in seen)
    place = next(number for number, line in enumerate(seen) if "Official complicity continued" in line)
    assert [line.strip() for line in seen[place - 1 : place + 1]] == [
        "Introduction, complicity 0.99",
        "Official complicity continued to be a serious problem.",
    ]


def test_cli_tag_names_no_reading_effort_for_themes_that_are_not_there(tmp_path):
    (tmp_path / "a.txt").write_text("Police officers accepted bribes from traffickers.")
    assert run("tag", tmp_path / "a.txt").stdout.splitlines()[-1].endswith(" a person should look.")
    (tmp_path / "a.txt").write_text("Police officers accepted bribes from traffickers. Officials took bribes from traffickers.")
    assert run("tag", tmp_path / "a.txt").stdout.splitlines()[-1].endswith("most probable first: complicity 2.")


def test_cli_tag_shows_pages_where_there_are_any(tmp_path, report):
    from making import mexico
    from making_pdf import reportlab_pdf

    (tmp_path / "a.pdf").write_bytes(reportlab_pdf([mexico()]))
    lines = run("tag", tmp_path / "a.pdf").stdout.splitlines()
    assert next(line.split() for line in lines if "passage " in line)[:3] == ["section", "page", "passage"]
    assert next(line.split() for line in lines if "Official complicity continued" in line.replace("*", ""))[:2] == ["Introduction", "1"]
    said = run("read", tmp_path / "a.pdf").stdout
    assert "1 to 1" not in said
    assert next(line.split() for line in said.splitlines() if "par. " in line) == ["page", "par.", "section", "passage"]
    (tmp_path / "a.txt").write_text("Police officers accepted bribes from traffickers.")
    said = run("read", tmp_path / "a.txt").stdout
    assert "page" not in said
    assert next(line.split() for line in said.splitlines() if "par. " in line) == ["par.", "passage"]


def test_cli_tag_counts_one_passage_as_one(tmp_path):
    (tmp_path / "a.txt").write_text("Police officers accepted bribes from traffickers.")
    said = run("tag", tmp_path / "a.txt").stdout
    assert "a: 1 of 1 passage carries a theme" in said
    assert "0 passages lie in the review band" in said
    assert run("read", tmp_path / "a.txt").stdout.splitlines()[1:3] == ["a", "1 passage in 1 paragraph"]


def numbers(output: str, first: str) -> list[str]:
    return [line.split()[1:] for line in output.splitlines() if line.split()[:1] == [first]][-1]


def test_cli_tag_of_a_folder_prints_documents_by_themes(folder, tmp_path, codebook):
    done = run("tag", folder)
    assert done.returncode == 0
    head = next(line for line in done.stdout.splitlines() if line.strip()).split()
    assert head == ["document", "passages", *codebook.names, "to", "review"]
    assert numbers(done.stdout, "mexico")[:5] == ["112", "11", "18", "13", "17"]
    assert numbers(done.stdout, "other")[:2] == ["2", "1"]
    assert numbers(done.stdout, "all")[:2] == ["114", "12"]
    assert "To see 95 % of a theme's passages" in done.stdout
    written = run("tag", folder, "-o", tmp_path / "o.html")
    assert numbers(written.stdout, "all")[:2] == ["114", "12"]
    assert "114 passages; complicity 12, forced_labor 18" in written.stderr
    everything = run("tag", folder, "--all").stdout
    assert "The ministry trained 40 judges." in everything
    assert "other: 1 of 2 passages carries a theme" in everything


def test_cli_tag_of_a_folder_shows_progress_on_a_terminal(folder):
    pty = pytest.importorskip("pty", reason="there are no terminals here")
    screen, terminal = pty.openpty()
    subprocess.run([sys.executable, "-m", "tagger", "tag", folder], stdout=subprocess.DEVNULL, stderr=terminal, check=True)
    assert b"Tagging" in os.read(screen, 10_000)
    os.close(screen)
    os.close(terminal)


@pytest.mark.parametrize("ending", ["jsonl", "csv", "xlsx", "parquet", "md", "html"])
def test_cli_tag_writes_every_format(report, ending, tmp_path):
    done = run("tag", report, "-o", tmp_path / f"o.{ending}")
    assert done.returncode == 0
    assert done.stderr.startswith(
        f"{tmp_path / 'o'}.{ending}: 112 passages; complicity 11, forced_labor 18, shelter_gaps 13, data_quality 17"
    )
    assert len(done.stderr.splitlines()) == 1
    assert (tmp_path / f"o.{ending}").stat().st_size > 10_000


def kept(tmp_path, *arguments: object) -> list[dict]:
    done = run("tag", *arguments, "-o", tmp_path / "o.jsonl")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in (tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()]


def test_cli_tag_filters_what_is_written(report, tmp_path):
    everything = kept(tmp_path, report)
    assert kept(tmp_path, report, "--theme", "complicity") == [line for line in everything if "complicity" in line["labels"]]
    assert kept(tmp_path, report, "--theme", "complicity", "--theme", "data_quality") == [
        line for line in everything if {"complicity", "data_quality"} & set(line["labels"])
    ]
    assert kept(tmp_path, report, "--section", "prosecution") == [line for line in everything if line["section"] == "Prosecution"]
    assert kept(tmp_path, report, "--only-tagged") == [line for line in everything if line["labels"]]
    assert kept(tmp_path, report, "--min-score", "0.99") == [line for line in everything if max(line["scores"].values()) >= 0.99]
    below = kept(tmp_path, report, "--theme", "complicity", "--min-score", "0.01")
    assert below == [line for line in everything if line["scores"]["complicity"] >= 0.01]
    assert any("complicity" not in line["labels"] for line in below)
    assert kept(tmp_path, report, "--theme", "complicity", "--min-score", "0.01", "--only-tagged") == [
        line for line in below if "complicity" in line["labels"]
    ]


@pytest.mark.parametrize("out", ["lo.md", "lo.html", "lo/"])
def test_cli_tag_pages_show_what_was_kept_for_a_low_score(report, tmp_path, out):
    options = ("--theme", "shelter_gaps", "--min-score", "0.005")
    wanted = kept(tmp_path, report, *options)
    below = [line for line in wanted if not line["labels"] and not line["review"]]
    assert len(below) > 10
    assert run("tag", report, *options, "-o", f"{tmp_path}/{out}", *(["--format", "md"] if out == "lo/" else [])).returncode == 0
    page = (tmp_path / (out + "report.md" if out == "lo/" else out)).read_text(encoding="utf-8")
    if out == "lo.html":
        assert all(f'id="{line["id"]}"' in page for line in wanted)
        assert page.count(" maybe") >= len(below)
        return
    assert all(f"*({line['id']})*" in page for line in wanted)
    assert f"- (Shelter gaps) {below[0]['scores']['shelter_gaps']:.2f}: " in page
    assert "Left out here" not in page


def test_cli_tag_filters_what_is_printed(report, folder):
    done = run("tag", report, "--theme", "complicity", "--section", "Prosecution")
    assert "report: 8 of 112 passages pass the filters, 8 carry a theme" in done.stdout
    assert "Introduction" not in done.stdout
    assert numbers(done.stdout, "all")[0] == "8"
    assert "To see 95 %" not in done.stdout
    assert "(complicity 0." in run("tag", report, "--theme", "complicity", "--min-score", "0.01").stdout
    several = run("tag", folder, "--theme", "complicity").stdout
    assert "other: 1 of 2 passages passes the filters" in several
    assert "Police officers accepted bribes" in several.replace("*", "")
    assert several.splitlines()[-2].split()[:3] == ["all", "12", "12"]


def test_cli_tag_names_the_known_themes_and_sections(report, tmp_path, codebook):
    done = run("tag", report, "--theme", "corruption", "-o", tmp_path / "o.csv")
    assert done.returncode == 2
    assert f"'corruption' is no theme of the model; it knows {', '.join(codebook.names)}" in " ".join(done.stderr.replace("│", " ").split())
    assert list(tmp_path.iterdir()) == []
    done = run("tag", report, "--section", "Prevention", "--section", "footnotes")
    assert done.returncode == 1
    assert errors(done) == [
        "error: --section footnotes: no passage lies in it; sections are Introduction, Recommendations, Prosecution, Protection, Prevention"
    ]
    done = run("tag", "gone.txt", "--section", "Weather")
    assert done.returncode == 2
    assert "'Weather' is no section; known are" in done.stderr
    assert "gone.txt" not in done.stderr
    assert run("tag", report, "--min-score", "2").returncode == 2


def test_cli_names_a_file_that_can_t_be_used(tmp_path):
    code = f"import tagger.cli as cli; type(cli.app).__call__ = lambda app: open({str(tmp_path)!r}); cli.main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, f"error: {tmp_path}: can't be used: Is a directory\n")


def test_cli_output_on_a_full_disk_or_to_a_reader_that_left(report):
    command = [sys.executable, "-m", "tagger", "tag", str(report)]
    if Path("/dev/full").exists():
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr == "error: can't write the output: No space left on device\n"
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as gone:
        done = subprocess.run(command, stdout=gone, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == ""


def test_cli_output_whatever_characters_the_terminal_takes(root, tmp_path):
    text = "Police officers in \u0141\u00f3d\u017a accepted bribes \u2013 \u201coften\u201d."
    (tmp_path / "r.txt").write_text(text, encoding="utf-8")
    shown = run("tag", tmp_path / "r.txt", PYTHONIOENCODING="ascii")
    assert shown.returncode == 0
    assert "in ??d?" in shown.stdout
    for encoding in ("ascii", "cp1252"):
        line = run("read", tmp_path / "r.txt", "--json", PYTHONIOENCODING=encoding)
        assert json.loads(line.stdout)["text"] == text
        page = run("codebook", "--themes", root / "corpora/themes.toml", PYTHONIOENCODING=encoding).stdout
        assert page == (root / "corpora/codebook.md").read_text(encoding="utf-8")


def test_cli_tag_told_to_end_leaves_nothing_half_written(report, tmp_path):
    reports, out = tmp_path / "reports", tmp_path / "out"
    reports.mkdir()
    out.mkdir()
    for number in range(200):
        (reports / f"{number}.txt").symlink_to(report)
    process = subprocess.Popen([sys.executable, "-m", "tagger", "tag", reports, "-o", out / "o.html"], stderr=subprocess.PIPE)
    while not list(out.iterdir()):
        assert process.poll() is None
        time.sleep(0.01)
    process.terminate()
    assert process.communicate(timeout=60)[1] == b""
    assert process.returncode == 143
    assert list(out.iterdir()) == []


def test_cli_tag_streams_json_lines_to_standard_output(folder, tmp_path):
    done = run("tag", folder, "-o", "-", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""
    assert run("tag", folder, "-o", tmp_path / "o.jsonl").returncode == 0
    assert done.stdout == (tmp_path / "o.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line)["labels"] for line in run("tag", "-", "-o", "-", stdin=b"Police took bribes.").stdout.splitlines()] == [
        ["complicity"]
    ]
    assert list(tmp_path.glob("-*")) == []


def test_cli_tag_streams_each_document_as_soon_as_it_is_done(tmp_path):
    (tmp_path / "a.txt").write_text("Police officers accepted bribes from traffickers.")
    command = [sys.executable, "-m", "tagger", "tag", str(tmp_path / "a.txt"), "-", "-o", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert json.loads(process.stdout.readline())["document"] == "a"  # while standard input is open still
        process.stdin.write("It rained.")
        process.stdin.close()
        assert json.loads(process.stdout.readline())["document"] == "stdin"


def test_cli_tag_stream_to_a_reader_that_leaves(folder):
    command = f"'{sys.executable}' -m tagger tag '{folder}' '{folder}' gone.txt -o - | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["document"] == "mexico"
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_cli_says_its_version():
    import tagger

    assert run("--version").stdout == f"tagger {tagger.__version__}\n"


def test_cli_limits_that_are_unknown_or_no_numbers(tmp_path):
    done = run("read", tmp_path / "gone.txt", "--limit", "foo=2")
    assert done.returncode == 2
    assert "'foo' is unknown; known are seconds, memory," in done.stderr
    for bad in (
        "seconds",
        "seconds=0",
        "seconds=-1",
        "seconds=nan",
        "memory=1T",
        f"memory={'9' * 30}",
        f"memory={'9' * 18}G",
        f"seconds={'9' * 18}",
    ):
        done = run("read", tmp_path / "gone.txt", "--limit", bad)
        assert (done.returncode, "positive whole number" in " ".join(done.stderr.replace("│", "").split())) == (2, True), bad


def test_cli_tag_refuses_to_print_into_a_file(report, tmp_path):
    done = run("tag", report, "--all", "-o", tmp_path / "o.csv")
    assert done.returncode == 2
    assert "is for what is printed" in done.stderr


def test_cli_usage_errors_leave_with_2():
    assert run("tag").returncode == 2
    assert run("tag", "x.txt", "--colour").returncode == 2
    assert run("nonsense").returncode == 2


def test_cli_help_is_quick_and_has_examples():
    started = time.perf_counter()
    assert "Examples" in run("tag", "--help").stdout
    assert time.perf_counter() - started < 3
    for command in (
        ["train"],
        ["evaluate"],
        ["codebook"],
        ["corpus", "check"],
        ["corpus", "stats"],
        ["corpus", "agreement"],
        ["corpus", "audit"],
        ["corpus", "leakage"],
    ):
        assert "xample" in run(*command, "--help").stdout, command


def test_cli_train_evaluate_and_tag_with_the_new_model(corpora, report, trained_folder):
    figures = json.loads(run("evaluate", trained_folder, corpora[0], "--json").stdout)
    assert figures["macro"]["f1"]["value"] > 0.9
    assert run("tag", report, "--model", trained_folder).returncode == 0


def test_cli_evaluate_prints_tables_and_writes_figures(root, tmp_path):
    model, out = root / "models/default", tmp_path / "figures.json"
    texts = [
        ("Police officers accepted bribes from traffickers.", ["complicity"], "Prosecution"),
        ("Migrant workers are subjected to forced labor on farms.", ["forced_labor"], "Introduction"),
        ("There were no shelters for male victims outside the capital.", ["shelter_gaps"], "Protection"),
        ("The government did not report how many victims it identified.", ["data_quality"], "Protection"),
        ("The ministry trained 40 judges.", ["complicity"], "Prevention"),
    ]
    rows = [
        {"id": f"{n}-{document}", "text": text, "labels": labels, "document": f"d{document}", "section": section}
        for document in range(6)
        for n, (text, labels, section) in enumerate(texts)
    ]
    twice = [{"id": row["id"], "first": row["labels"], "second": row["labels"]} for row in rows]
    for name, lines in (("passages.jsonl", rows), ("annotations.jsonl", twice)):
        (tmp_path / name).write_text("\n".join(map(json.dumps, lines)))
    options = ["--by", "section", "--by", "document", "--resamples", 50, "--seed", 3, "--jobs", 2]
    done = run("evaluate", model, tmp_path, *options, "-o", out)
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert done.stdout.splitlines()[1] == "30 passages of 6 documents; 95 % intervals from 50 resamples of documents"
    assert "complicity          12  1.00 1.00–1.00  0.50 0.50–0.50  0.67 0.67–0.67    1.00 1.00–1.00" in done.stdout
    assert re.search(r"^ Protection +12 +12\* ", done.stdout, re.MULTILINE)
    assert "note: forced_labor: 6 passages in 6 documents with it: too few to say how good the model is" in done.stderr
    assert "Krippendorff's alpha of complicity 1.000" in done.stdout
    written = json.loads(out.read_text(encoding="utf-8"))
    assert written == json.loads(run("evaluate", model, tmp_path, *options[:-2], "--json").stdout)
    assert written["themes"][0]["recall"] == {"value": 0.5, "low": 0.5, "high": 0.5}
    assert list(written["by"]["section"]) == ["Prosecution", "Introduction", "Protection", "Prevention"]
    assert "unknown format '.txt'; known are .json, .html" in errors(run("evaluate", model, tmp_path, "-o", tmp_path / "figures.txt"))[0]
    assert run("evaluate", model, tmp_path, "--by", "country").returncode == 2
    page = tmp_path / "report.html"
    assert run("evaluate", model, tmp_path, "--resamples", 5, "-o", page).returncode == 0
    assert "The ministry trained 40 judges." in re.sub("<[^>]+>", "", page.read_text(encoding="utf-8"))
    rows[0]["labels"] = ["corruption"]
    (tmp_path / "passages.jsonl").write_text(json.dumps(rows[0]))
    (message,) = errors(run("evaluate", model, tmp_path))
    assert "passages.jsonl:1: passages are labelled corruption, but the model default has the themes complicity, forced_labor" in message


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
    (tmp_path / "passages.jsonl").write_text('{"id": "1", "text": "t", "labels": [], "document": "d"}\n')
    assert run("corpus", "check", tmp_path, *themes).stdout.splitlines() == [
        f"{tmp_path}: nothing wrong",
        "  not checked: whether the labels are those of two annotators; there is no annotations.jsonl",
        "  not checked: where the passages stand; there is no report.txt",
        "  not checked: whether words are copied; no --against is given",
    ]
    assert "missing" in run("train", tmp_path / "no", "-o", tmp_path / "m", *themes).stderr


@pytest.mark.parametrize(
    "command", [["codebook"], ["train", "c", "-o", "m"], *(["corpus", name, "c"] for name in ("check", "stats", "agreement"))]
)
def test_cli_without_a_codebook_says_how_to_name_one(command, tmp_path):
    done = run(*command, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "error: corpora/themes.toml: no such codebook: name one with --themes FILE\n"


def test_cli_evaluate_names_no_option_that_it_does_not_have(corpora, tmp_path):
    done = run("evaluate", tmp_path / "gone", corpora[0])
    assert done.returncode == 1
    assert done.stderr == f"error: {tmp_path / 'gone'}: no such model folder: name one that `tagger train` wrote\n"


def test_cli_measure_without_its_folder_is_one_line(root, tmp_path):
    command = [sys.executable, root / "experiments/default/measure.py", tmp_path / "gone"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"error: {tmp_path / 'gone'}: no such folder: name one of labelled real passages, make measure DEVELOPMENT=folder"
    ]


def test_cli_corpus_leakage_lists_near_duplicates_between_two_corpora(tmp_path):
    for name, texts in (
        ("a", ["No shelter was open.", *["Police arrested two men in May."] * 3]),
        ("b", ["Police arrested two men in May, 2014.", "Other words.", "No shelter was open!"]),
    ):
        (tmp_path / name).mkdir()
        rows = [{"id": f"{name}{n}", "text": text, "labels": ["anything"], "document": "d"} for n, text in enumerate(texts)]
        (tmp_path / name / "passages.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = run("corpus", "leakage", tmp_path / "a", tmp_path / "b")
    assert done.returncode == 1
    a, b = (tmp_path / name / "passages.jsonl" for name in "ab")
    assert done.stdout.splitlines() == [
        f"{a}: a1 ~ {b}: b0: 0.80: 'Police arrested two men in May, 2014.'",
        f"{a}: a0 ~ {b}: b2: 1.00: 'No shelter was open!'",
        "2 of 3 passages are near-duplicates of one of 4",
    ]
    (tmp_path / "b/passages.jsonl").write_text('{"id": "b0", "text": "Other words.", "labels": [], "document": "d"}\n')
    clean = run("corpus", "leakage", tmp_path / "a", tmp_path / "b")
    assert (clean.returncode, clean.stdout) == (0, "0 of 1 passages are near-duplicates of one of 4\n")


def test_cli_codebook_prints_the_page(root):
    done = run("codebook", "--themes", root / "corpora/themes.toml")
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
