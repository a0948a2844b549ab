from __future__ import annotations

import csv
import errno
import gc
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pyarrow import parquet

import tagger
from tagger.errors import MissingExtraError, OutputError
from tagger.records import Document, Passage, Span, Tagged
from tagger.writing import WRITERS, check_output, tagged_to_json, write
from tagger.writing.about import about_model
from tagger.writing.markdown import escape
from tagger.writing.text import clean

HOSTILE = [
    "=HYPERLINK(1) took bribes, \u201cs\u00ed\u201d\nthey said",
    "+1",
    "@x",
    "-2",
    "Police took \x00\x0b bribes \ud800 from </script><img src=x onerror=alert(1)> traffickers \u202e_x0041_ & \"'",
    "plain",
]


@pytest.fixture(scope="module")
def mexico(default_tagger, report):
    document = tagger.read(report)
    return document, default_tagger.tag(document)


@pytest.fixture(scope="module")
def hostile(default_tagger):
    passages = [Passage(text, id=f"x-{n}", document="x", section="=1+1", page=n) for n, text in enumerate(HOSTILE)]
    return Document("x", "\n".join(HOSTILE), title="<b>=x</b>"), default_tagger.tag(passages)


@pytest.fixture
def about(default_tagger):
    return default_tagger.about


def test_writing_json_line_has_the_contract_fields(mexico, report):
    line = tagged_to_json(mexico[1][20])
    assert list(line)[:11] == ["id", "document", "section", "page", "paragraph", "start", "end", "text", "labels", "scores", "evidence"]
    assert line["labels"] == ["complicity"]
    assert report.read_text(encoding="utf-8")[line["start"] : line["end"]] == line["text"]


def test_writing_csv_opens_in_excel_and_runs_no_formula(hostile, about, tmp_path):
    path = tmp_path / "out.csv"
    write(path, [hostile], about)
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert [row["text"] for row in rows][:4] == ["'" + HOSTILE[0], "'+1", "'@x", "'-2"]
    assert rows[0]["section"] == "'=1+1"
    assert set(about.names) <= set(rows[0])


def test_writing_csv_runs_no_theme_of_a_stranger_either(about, tmp_path):
    strange = replace(about, themes=(replace(about.themes[0], name="=cmd|' /C calc'!A0"),))
    write(tmp_path / "out.csv", [], strange)
    assert (tmp_path / "out.csv").read_text(encoding="utf-8-sig").strip().endswith(",'=cmd|' /C calc'!A0,'=cmd|' /C calc'!A0_words")


TOLD_APART = [
    Document("all-mali", "", country="Mali", year=2014, tier="Tier 2"),
    Document("mexico.pdf", "", title="TRAFFICKING IN PERSONS REPORT JUNE 2014", country="Mexico", year=2014, tier="Tier 2"),
    Document("sub/mexico", "", title="Trafficking in Persons Report 2014 - MEXICO", country="Mexico", year=2014, tier="Tier 2"),
    Document("notes", ""),
]


def test_writing_names_a_document_by_its_country_and_its_file(about, tmp_path):
    results = [(document, []) for document in TOLD_APART]
    write(tmp_path / "o.md", results, about)
    lines = (tmp_path / "o.md").read_text(encoding="utf-8").splitlines()
    heads = [line for line in lines if line.startswith("# ")]
    assert heads[:4] == ["# Mali, 2014", "# Mexico, 2014", "# Trafficking in Persons Report 2014 - MEXICO", "# notes"]
    facts = [line.split(" · 0 passages")[0] for line in lines if " · 0 with a theme" in line]
    assert facts == ["all-mali · Tier 2", "mexico.pdf · Tier 2", "sub/mexico · Tier 2", "0 passages · 0 with a theme"]
    listed = ["all-mali: Mali, 2014, Tier 2", "mexico.pdf: Mexico, 2014, Tier 2", "sub/mexico: Mexico, 2014, Tier 2", "notes"]
    assert [line.split(" | ")[0] for line in lines[lines.index("# All documents") + 4 :][:4]] == [f"| {name}" for name in listed]
    write(tmp_path / "o.xlsx", results, about)
    sheet = openpyxl.load_workbook(tmp_path / "o.xlsx")["Counts"]
    assert [sheet.cell(row, 1).value for row in range(2, 6)] == listed
    write(tmp_path / "o.html", results, about)
    page = (tmp_path / "o.html").read_text(encoding="utf-8")
    options = re.findall(r'<option value="document-\d">(.*?)</option>', page)
    assert options == ["Mali, 2014", "Mexico, 2014 (mexico.pdf)", "Mexico, 2014 (sub/mexico)", "notes"]
    assert "All documents" not in _markdown(results[:1], about, tmp_path)


def _markdown(results, about, tmp_path):
    write(tmp_path / "o.md", results, about)
    return (tmp_path / "o.md").read_text(encoding="utf-8")


def test_writing_about_says_what_the_card_says(default_tagger, codebook, about):
    assert [theme.name for theme in about.themes] == list(codebook.names)
    assert [theme.definition for theme in about.themes] == [theme.definition for theme in codebook.themes]
    assert [theme.letter for theme in about.themes][:4] == ["C", "F", "S", "D"]
    assert len({theme.letter for theme in about.themes}) == len(about.themes)
    assert [figures.name for figures in about.figures] == [
        "Countries never seen",
        "Held-out composed reports",
        "Cross-validation on the training corpora",
    ]
    measured = default_tagger.model.card["measured"]["Countries never seen"]["figures"]
    assert about.figures[0].macro_f1 == measured["macro_f1"]
    assert about.model.startswith("default (")
    assert len(about.limits) == 4


@pytest.mark.parametrize(
    "card",
    [
        {},
        {
            "titles": [],
            "definitions": {"a": 1},
            "limits": 3,
            "measured": {"x": {"figures": {"themes": 1}}},
            "digest": 5,
            "cross_validation": 1,
        },
        {"measured": {"x": None, "y": {"about": "", "figures": {"macro_interval": [1]}}}, "limits": [None]},
    ],
)
@pytest.mark.parametrize("ending", list(WRITERS))
def test_writing_takes_any_card(card, ending, tmp_path):
    about = about_model(["a", "ab", "b\u00e9", "b"], [0.5] * 4, [(0.1, 0.9)] * 4, card)
    assert [theme.letter for theme in about.themes] == ["A", "B", "\u00c9", "4"]
    item = Tagged(Passage("t"), ("a",), dict.fromkeys(about.names, 0.7), {"a": (Span(0, 1, 1.0),)}, ("b",))
    write(tmp_path / f"out{ending}", [(Document("d", "t"), [item]), (Document("e", ""), [])], about)
    write(tmp_path / f"out{ending}", [], about)


def test_writing_xlsx_reads_back_with_its_counts_and_filters(mexico, about, tmp_path):
    write(tmp_path / "out.xlsx", [mexico], about)
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    assert book.sheetnames == ["Passages", "Counts", "About"]
    head, *rows = book["Passages"].values
    assert [row[head.index("passage")] for row in rows] == [item.text for item in mexico[1]]
    assert [row[head.index("Forced labor")] for row in rows] == [round(item.scores["forced_labor"], 4) for item in mexico[1]]
    row = rows[20]
    assert row[head.index("themes")].split("\n")[0] == "Official complicity"
    assert row[head.index("Official complicity: words")] == "Official complicity"
    sheet = book["Passages"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:{openpyxl.utils.get_column_letter(len(head))}113"
    assert sheet["E2"].alignment.wrap_text
    rich = openpyxl.load_workbook(tmp_path / "out.xlsx", rich_text=True)["Passages"]["E22"].value
    assert [str(part) for part in rich if getattr(getattr(part, "font", None), "b", False)] == ["Official complicity"]
    counts = {row[0]: row[1:] for row in book["Counts"].values if row[0]}
    assert counts["section"][:-2] == ("passages", *(theme.title for theme in about.themes))
    prosecution = [item for item in mexico[1] if item.passage.section == "Prosecution"]
    for name, items in (("Prosecution", prosecution), ("all", mexico[1])):
        carrying = [sum(theme in item.labels for item in items) for theme in about.names]
        assert counts[name] == (
            len(items),
            *carrying,
            sum(map(bool, (item.labels for item in items))),
            sum(bool(item.review) for item in items),
        )
    assert counts["all"][:5] == (112, 11, 18, 13, 17)
    said = [str(cell) for row in book["About"].values for cell in row if cell is not None]
    assert any(f"{about.figures[0].macro_f1:.2f} on {about.figures[0].passages} passages" in cell for cell in said)
    assert about.model in said


def test_writing_xlsx_runs_no_formula_and_survives_any_character(hostile, about, tmp_path):
    write(tmp_path / "out.xlsx", [hostile], about)
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    cells = [cell for row in book["Passages"].iter_rows(min_row=2) for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}
    texts = [cell.value for cell in cells if cell.column_letter == "E"]
    assert texts[:4] == HOSTILE[:4]
    # What looks like an escape is escaped: openpyxl shows that as it stands, Excel and LibreOffice as it was.
    assert "</script><img src=x onerror=alert(1)> traffickers \u202e_x005F_x0041_ &" in texts[4]
    assert all(cell.quotePrefix for cell in cells if cell.column_letter == "E" and cell.value[0] in "=+-@")


def test_writing_xlsx_cuts_what_a_cell_can_not_hold(about, default_tagger, tmp_path):
    texts = ["Police took bribes. " * 3000, "\U0001f600" * 20_000]
    write(tmp_path / "out.xlsx", [(Document("x", ""), default_tagger.tag(texts))], about)
    cells = [openpyxl.load_workbook(tmp_path / "out.xlsx")["Passages"][f"E{row}"].value for row in (2, 3)]
    assert [len(cell.encode("utf-16-le")) // 2 for cell in cells] == [32_767, 32_767]
    assert all(cell.endswith("\u2026") for cell in cells)


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_writing_xlsx_opens_in_libreoffice(mexico, hostile, about, tmp_path):
    write(tmp_path / "out.xlsx", [mexico, hostile], about)
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to"]
    for kind in ("csv:Text - txt - csv (StarCalc):44,34,76,1", "xlsx:Calc MS Excel 2007 XML"):
        done = subprocess.run(
            [*command, kind, "--outdir", tmp_path / "o", tmp_path / "out.xlsx"], capture_output=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((tmp_path / "o/out.csv").read_text(encoding="utf-8").splitlines(keepends=True)))
    assert [row["passage"] for row in rows][:112] == [item.text for item in mexico[1]]
    assert [row["passage"] for row in rows][112:116] == HOSTILE[:4]
    assert "\u202e_x0041_ &" in rows[116]["passage"]
    assert rows[112]["section"] == "=1+1"
    assert openpyxl.load_workbook(tmp_path / "o/out.xlsx").sheetnames == ["Passages", "Counts", "About"]


def test_writing_parquet_has_types_and_reads_back(mexico, hostile, about, tmp_path):
    write(tmp_path / "out.parquet", [mexico, hostile], about)
    table = parquet.read_table(tmp_path / "out.parquet")
    assert str(table.schema.field("labels").type) == "list<element: string>"
    assert str(table.schema.field("scores").type).startswith("struct<complicity: float, forced_labor: float")
    assert str(table.schema.field("evidence").type).startswith(
        "struct<complicity: list<element: struct<start: int32, end: int32, weight: float>>"
    )
    assert table.schema.metadata[b"model"].decode() == about.model
    rows = table.to_pylist()
    for row, item in zip(rows, mexico[1], strict=False):
        line = tagged_to_json(item)
        assert {key: row[key] for key in ("id", "page", "start", "text", "labels", "review")} == {
            key: line[key] for key in ("id", "page", "start", "text", "labels", "review")
        }
        assert {theme: spans and len(spans) for theme, spans in row["evidence"].items() if spans} == {
            t: len(s) for t, s in item.evidence.items()
        }
        assert np.allclose(list(row["scores"].values()), list(item.scores.values()), atol=1e-6)
    assert [row["text"] for row in rows][112:116] == HOSTILE[:4]


def test_writing_markdown_holds_the_tagged_passages_and_no_markup_of_theirs(mexico, hostile, about, tmp_path):
    write(tmp_path / "out.md", [mexico, hostile], about)
    page = (tmp_path / "out.md").read_text(encoding="utf-8")
    assert "# Trafficking in Persons Report 2014 - Mexico\n\nreport \u00b7 Tier 2 \u00b7 112 passages" in page
    assert "| Prosecution | 34 | 8 | 4 | 0 | 6 |" in page
    score = f"{mexico[1][20].scores['complicity']:.2f}"
    assert f"- **Official complicity** {score}: **Official complicity** continued to be a serious problem. *(report-0021)*" in page
    assert "# &lt;b&gt;=x&lt;/b&gt;" in page
    assert "<" not in page.removeprefix("<!-- generator: tagger -->\n")
    assert escape("a*b_c[d](e) `f` $1 <g>\n# h") == r"a\*b\_c\[d\](e) \`f\` \$1 &lt;g&gt; \# h"


@pytest.mark.parametrize("ending", list(WRITERS))
def test_writing_appears_only_when_whole(ending, mexico, about, tmp_path):
    path = tmp_path / f"out{ending}"
    path.write_text("old")

    def broken():
        yield mexico
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(path, broken(), about)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    write(path, [mexico], about)
    first = path.read_bytes()
    assert len(first) > 10_000
    write(path, [mexico], about)
    if ending == ".xlsx":  # its date of creation differs
        with zipfile.ZipFile(io.BytesIO(first)) as old, zipfile.ZipFile(path) as new:
            assert old.read("xl/worksheets/sheet1.xml") == new.read("xl/worksheets/sheet1.xml")
    else:
        assert path.read_bytes() == first


def test_writing_keeps_who_may_read_a_file_and_where_a_link_leads(mexico, about, tmp_path):
    target = tmp_path / "elsewhere" / "real.csv"
    target.parent.mkdir()
    target.write_text("old")
    target.chmod(0o600)
    link = tmp_path / "out.csv"
    link.symlink_to(target)
    write(link, [mexico], about)
    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o600
    assert len(target.read_bytes()) > 10_000
    write(tmp_path / "new.csv", [mexico], about)
    (tmp_path / "any").touch()
    assert (tmp_path / "new.csv").stat().st_mode == (tmp_path / "any").stat().st_mode
    assert [file.name for file in target.parent.iterdir()] == ["real.csv"]


def test_writing_takes_a_name_as_long_as_there_may_be(mexico, about, tmp_path):
    write(tmp_path / f"{'n' * 251}.csv", [mexico], about)
    assert len(list(tmp_path.iterdir())) == 1


FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
from tagger.cli import main
sys.argv = ["tagger", "tag", sys.argv[1], "-o", sys.argv[2]]
main()
"""


@pytest.mark.parametrize("ending", list(WRITERS))
def test_writing_on_a_full_disk_keeps_the_old_file(ending, report, tmp_path):
    path = tmp_path / f"out{ending}"
    path.write_text("old")
    done = subprocess.run([sys.executable, "-c", FULL, report, path], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(rf"error: {re.escape(str(path))}: can't be written: File too large\n", done.stderr), done.stderr
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_writing_xlsx_on_a_disk_that_fills_while_it_packs_leaves_nothing_to_complain_later(mexico, about, tmp_path, monkeypatch):
    def full(packager):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("xlsxwriter.packager.Packager._create_package", full)
    gc.disable()  # so that all that was made in vain goes at once
    try:
        with pytest.raises(OutputError, match="No space left on device"):
            write(tmp_path / "out.xlsx", [mexico], about)
        gc.collect()  # an archive that is forgotten half-way complains now, and pytest takes that for an error
    finally:
        gc.enable()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("ending", "package"), [(ending, writer.needs) for ending, writer in WRITERS.items() if writer.needs])
def test_writing_names_the_command_for_a_missing_package(ending, package, monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=rf"{package}.*pip install 'tagger\[documents\]'"):
        check_output(tmp_path / f"out{ending}")
    assert check_output(tmp_path / "out.csv")


def test_writing_refuses_more_rows_than_a_sheet_holds(mexico, about, monkeypatch, tmp_path):
    monkeypatch.setattr("tagger.writing.xlsx._ROWS", 100)
    with pytest.raises(OutputError, match=r"out.xlsx: a sheet of Excel holds 100 rows at most: write .csv or .parquet"):
        write(tmp_path / "out.xlsx", [mexico], about)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", list(WRITERS))
def test_writing_needs_no_training_package(ending, tmp_path):
    code = (
        "import sys, tagger; from tagger.records import Document; from tagger.writing import write; t = tagger.load();"
        f"write({str(tmp_path / 'o')!r} + {ending!r}, [(Document('d', ''), t.tag(['Police took bribes.']))], t.about);"
        "print([m for m in ('sklearn', 'scipy', 'pandas', 'datasets', 'joblib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_writing_streams_a_long_run(mexico, about, tmp_path):
    """A hundred copies of the report: what is held at once must not grow with what is written."""
    code = (
        "import resource, sys, tagger; from tagger.writing import write; t = tagger.load(); d = tagger.read(sys.argv[1]); f = t.tag(d)\n"
        "write(sys.argv[2], [(d, f)], t.about); a = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "write(sys.argv[2], ((d, f) for _ in range(100)), t.about); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - a)"
    )
    document = tmp_path / "d.txt"
    document.write_text(mexico[0].text, encoding="utf-8")
    for ending in (".jsonl", ".csv", ".md", ".xlsx"):
        done = subprocess.run([sys.executable, "-c", code, document, tmp_path / f"o{ending}"], capture_output=True, text=True, check=True)
        assert int(done.stdout) < 20_000, ending  # KiB


def test_writing_page_links_are_unique_and_follow_the_ids(about, tmp_path):
    items = [Tagged(Passage("t", id=name), (), dict.fromkeys(about.names, 0.1)) for name in ("a 1", "a-1", "top", "", "")]
    write(tmp_path / "o.html", [(Document("d", ""), items), (replace(Document("d", "")), items)], about)
    ids = re.findall(r' id="([^"]+)"', (tmp_path / "o.html").read_text(encoding="utf-8"))
    assert len(set(ids)) == len(ids)
    assert {"a-1", "a-1-2", "top-2", "passage-1-4", "a-1-3"} <= set(ids)


def test_writing_tagged_lines_are_json(hostile, about, tmp_path):
    write(tmp_path / "o.jsonl", [hostile], about)
    lines = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["text"] for line in lines][:4] == HOSTILE[:4]


class Reader(HTMLParser):
    """Collects the tags of a page, and the text of each passage."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.inside = False

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "bdi":
            self.inside = True
            self.texts.append("")

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "bdi"

    def handle_data(self, data):
        if self.inside:
            self.texts[-1] += data


TEMPLATES = [path for folder in ("page", "layout") for path in (Path(tagger.__file__).parent / "writing" / folder).glob("*.j2")]
TAGS = [tag for path in TEMPLATES for tag in re.findall(r"<(\w+)", path.read_text(encoding="utf-8"))]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(min_size=1), min_size=1, max_size=4), data=st.data())
def test_writing_any_text_comes_back(texts, data, about, tmp_path):
    items = []
    for text in texts:
        ends = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=4, max_size=4)))
        spans = {"complicity": (Span(ends[0], ends[2], 1.0),), "data_quality": (Span(ends[1], ends[3], 1.0),)}
        items.append(
            Tagged(
                Passage(text, id=text, document=text, section=text), tuple(spans), dict.fromkeys(about.names, 0.9), spans, ("forced_labor",)
            )
        )
    results = [(Document(texts[0], texts[0], title=texts[-1]), items)]
    for ending in WRITERS:
        write(tmp_path / f"o{ending}", results, about)
    held = [text.encode("utf-8", "replace").decode() for text in texts]
    assert [json.loads(line)["text"] for line in (tmp_path / "o.jsonl").read_bytes().split(b"\n")[:-1]] == held
    assert parquet.read_table(tmp_path / "o.parquet", columns=["text"]).column(0).to_pylist() == held
    with (tmp_path / "o.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert [row["text"].removeprefix("'") for row in csv.DictReader(stream)] == [text.removeprefix("'") for text in held]
    assert openpyxl.load_workbook(tmp_path / "o.xlsx")["Passages"].max_row == len(texts) + 1
    items = [token for token in MarkdownIt().parse((tmp_path / "o.md").read_text(encoding="utf-8")) if token.type == "inline"]
    shown = ["".join(child.content for child in token.children) for token in items if "probability" not in token.content]
    for text in texts:
        assert any(" ".join(f": {clean(text)} (".split()) in " ".join(f"{line} ".split()) for line in shown), text
    assert not any(child.type in ("html_inline", "link_open", "image", "code_inline") for token in items for child in token.children)
    reader = Reader()
    page = (tmp_path / "o.html").read_bytes().decode()
    reader.feed(page)
    assert reader.tags <= set(TAGS)
    assert [text for text in reader.texts if text in map(clean, texts)][-len(texts) :] == [clean(text) for text in texts]
