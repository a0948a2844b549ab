from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
from making import Report, assert_equal_passages, differences, mexico, plain, web_page
from making_docx import word_document

import tagger
from tagger.reading.content import LIMITS, Content, clean
from tagger.reading.markdown import unmarked, unmarked_parts


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "windows-1252"])
def test_reading_plain_encodings(encoding, tmp_path):
    path = tmp_path / "report.txt"
    path.write_bytes(mexico().text.replace("\n", "\r\n").encode(encoding))
    document = tagger.read(path)
    assert_equal_passages(document, plain(mexico(), tmp_path), 1.0)
    assert bool(document.notes) is (encoding == "windows-1252")


def rows(report: Report) -> bytes:
    return "\n".join(json.dumps({"text": text}) for _, text in report.blocks).encode()


MAKERS = {
    "r.txt": lambda report: report.text.encode(),
    "r.md": lambda report: report.text.encode("utf-16"),
    "r.html": lambda report: web_page(report, "state.gov"),
    "r.docx": lambda report: word_document(report, table=False),
    "r.jsonl": rows,
}


@pytest.mark.parametrize("name", MAKERS)
def test_reading_plain_drops_invisible_characters_of_every_format(name, tmp_path):
    path, whole = tmp_path / name, mexico()
    path.write_bytes(MAKERS[name](whole))
    expected = tagger.read(path)
    places = {"off": "of\u00adf", "Pro": "P\u200bro", "traf": "traf\u00ad", ". ": ".\u200b \ufeff", ", ": "\u2060,\u200b "}
    blocks = whole.blocks
    for plain_text, with_invisible in places.items():
        blocks = [(kind, text.replace(plain_text, with_invisible)) for kind, text in blocks]
    path.write_bytes(MAKERS[name](replace(whole, blocks=blocks)))
    document = tagger.read(path)
    assert document == expected
    assert all(document.text[passage.start : passage.end] == passage.text for passage in document.passages)


def test_reading_plain_pages_begin_where_they_did_without_invisible_characters():
    content = Content("\u200bIt ra\u00adined.\n\u00adIt stop\u00adped.", title="Ma\u00adli", pages=((0, 1), (13, 2), (14, 3))).check(LIMITS)
    assert content == Content("It rained.\nIt stopped.", title="Mali", pages=((0, 1), (11, 2), (11, 3)))


def test_reading_plain_damaged_utf8_is_not_taken_for_windows_1252(tmp_path):
    path = tmp_path / "report.txt"
    path.write_bytes("Señor Pérez’s año.\n".encode() + b"\xff bad")
    with pytest.raises(tagger.InputError, match=r"report\.txt: line 2: is not UTF-8 text"):
        tagger.read(path)


@pytest.mark.parametrize("beside", ["a", "\u2019", "\U0001f600"])
def test_reading_plain_control_characters_of_long_texts(beside):
    good = (
        "Señor Pérez’s año.\n\tIt rained.\x0c\x85 " if beside != "a" else "Police took bribes.\n\tIt rained.\x0c\x85 "
    ) * 60_000 + beside
    assert len(good) > 1 << 20
    assert clean(good) is good
    for code in (0, 8, 11, 14, 31, 127, 0xD800, 0xFFFE, 0xFFFF):
        assert clean(f"{good}{chr(code)}") == f"{good}\ufffd", hex(code)


def test_reading_plain_report_in_capitals(tmp_path):
    small = mexico()
    loud = Report(small.country.upper(), small.tier.upper(), [(kind, text.upper()) for kind, text in small.blocks])
    document = plain(loud, tmp_path)
    truth = [p.text.upper() for p in plain(small, tmp_path).passages]
    found = [p.text for p in document.passages]
    assert sum(a == b for a, b in zip(found, truth, strict=False)) >= 0.99 * len(truth), [t for t in found if t not in truth]
    assert (document.country, document.tier) == ("Mexico", "TIER 2")
    assert {p.section for p in document.passages} == {"Introduction", "Recommendations", "Prosecution", "Protection", "Prevention"}


def test_reading_plain_report_without_headings(tmp_path):
    bare = Report("Mexico", "Tier 2", [block for block in mexico().blocks if block[0] == "p"])
    document = plain(bare, tmp_path)
    assert {p.section for p in document.passages} == {None}
    truth = {p.text for p in plain(mexico(), tmp_path).passages if p.section != "Recommendations"}
    assert truth <= {p.text for p in plain(bare, tmp_path).passages}


def test_reading_markdown_takes_the_marks_away(tmp_path):
    lines = ["# Trafficking in Persons Report 2014 - Mexico", "**Tier 2**"]
    for kind, text in mexico().blocks:
        words = text.split(" ")
        if kind == "p":
            words[3] = f"**{words[3]}**"
            words[5] = f"[{words[5]}](https://example.org/a_b)"
            words[8] = f"_{words[8]}_"
        lines.append(("## " if kind == "h" else "") + " ".join(words))
    path = tmp_path / "report.md"
    path.write_text("\n\n".join(lines), encoding="utf-8")
    document = tagger.read(path)
    assert_equal_passages(document, plain(mexico(), tmp_path), 1.0)
    assert (document.country, document.year, document.tier) == ("Mexico", 2014, "Tier 2")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Police took ***bribes***.", "Police took bribes."),
        ("**Police *took* bribes**, __all of _them_ here__.", "Police took bribes, all of them here."),
        ("[Police](http://e.org/W_(x)) took [bribes][1].\n\n[1]: http://e.org/b 'B'", "Police took bribes."),
        ("Police took `bribes`, ~~not gifts~~.", "Police took bribes, not gifts."),
        ("Police took&nbsp;bribes &amp; gifts at AT&T.", "Police took bribes & gifts at AT&T."),
        ("Police <b>took</b> bribes.<!-- a\n\ncomment -->", "Police took bribes."),
        ("<p>Police took bribes.</p>", "Police took bribes."),
        ("> > Police took bribes.\n\n* * *\n", "Police took bribes."),
        ("```text\nPolice took bribes.\n```", "Police took bribes."),
        ("5 * 3 * 2 of a_file_name took \\*bribes\\*.", "5 * 3 * 2 of a_file_name took *bribes*."),
    ],
)
def test_reading_markdown_leaves_no_mark_inside_text(written, expected, tmp_path):
    path = tmp_path / "report.md"
    path.write_text(written, encoding="utf-8")
    assert [p.text for p in tagger.read(path).passages] == [expected]


def test_reading_markdown_footnotes_and_tables_are_passages_of_their_own(tmp_path):
    path = tmp_path / "report.md"
    path.write_text("Police took bribes.[^1]\n\n| Year | Cases |\n|---|--:|\n| 2013 | Two were tried. |\n\n[^1]: It rained.\n")
    assert [p.text for p in tagger.read(path).passages] == ["Police took bribes.", "Year\nCases", "2013\nTwo were tried.", "It rained."]


def test_reading_markdown_of_front_matter_takes_the_title(tmp_path):
    path = tmp_path / "report.md"
    front = "---\ntitle: '2014 Trafficking in Persons Report: Mexico'\ntags:\n  - tip\n---\n"
    path.write_text(f"{front}\n# Mexico (Tier 2)\n\nPolice took bribes.\n")
    document = tagger.read(path)
    assert [p.text for p in document.passages] == ["Police took bribes."]
    assert (document.country, document.year, document.tier) == ("Mexico", 2014, "Tier 2")
    path.write_text("---\n\nPolice: they took bribes.\n\n---\n\nIt rained.\n")
    assert [p.text for p in tagger.read(path).passages] == ["Police: they took bribes.", "It rained."]


@pytest.mark.parametrize(
    "hostile", ["# a" + " " * 200_000 + "b", "*a " * 60_000, "<!--" * 50_000, "[a](" * 50_000, "---\na:\n" + "-\n" * 90_000]
)
def test_reading_markdown_takes_time_in_proportion(hostile):
    begun = time.process_time()
    unmarked(hostile, first=True)
    assert time.process_time() - begun < 2


def test_reading_markdown_in_parts_gives_the_same_text():
    front = "---\ntitle: Mexico\n---\n"
    text = "\n# A #\n\nPolice <!-- one\n\ntwo\nthree --> took *bribes*.\n<!-- four\nIt rained.\n"
    whole = unmarked(front + text, first=True)
    parts = list(unmarked_parts([front, *text.splitlines(keepends=True)]))
    assert len(parts) > 4
    assert [line for line in "".join(parts).split("\n") if line] == [line for line in whole.split("\n") if line]
    assert "three" not in whole
    assert "four" in whole


def test_reading_plain_file_of_two_countries(tmp_path):
    body = "The government does not fully comply with the minimum standards. " * 8
    path = tmp_path / "both.txt"
    path.write_text(
        f"2019 Trafficking in Persons Report\n\nMALI: Tier 2\n\n{body}\n\nPROSECUTION\n\n{body}\n\nThe Gambia\nTIER 2 WATCH LIST\n\n{body}\n"
    )
    documents = tagger.read_all(path)
    assert [(d.name, d.country, d.tier, d.year) for d in documents] == [
        ("both-mali", "Mali", "Tier 2", 2019),
        ("both-gambia", "The Gambia", "TIER 2 WATCH LIST", 2019),
    ]
    assert [sum(p.section == "Prosecution" for p in d.passages) for d in documents] == [8, 0]
    assert "".join(d.text for d in documents) == path.read_text()


def test_reading_plain_list_of_countries_by_tier_is_one_document(tmp_path):
    path = tmp_path / "placements.txt"
    path.write_text("Tier 1\n\nAustria\n\nBelgium\n\nTier 2\n\nAlbania\n\nMali\n\nTier 3\n\nChad\n\nMinisters read the list aloud.\n")
    assert len(tagger.read_all(path)) == 1


def test_reading_plain_differences_are_listed(tmp_path):
    one, other = plain(mexico(), tmp_path).passages, plain(mexico(), tmp_path).passages[1:]
    equal, listed = differences(other, one)
    assert equal < 1
    assert listed == f"- Introduction: {one[0].text}"
