"""Corpora to other people's tools and back; what the tools' own libraries make is in test_exchange_tools.py."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from random import Random

import datasets
import pyarrow as pa
import pytest
from pyarrow import parquet

from tagger import corpus as corpora_on_disk
from tagger import exchange
from tagger.cli import main
from tagger.cli.exchange import ToolFormat
from tagger.errors import InputError, OutputError
from tagger.exchange import Corpus, Item, Labels
from tagger.exchange.huggingface import from_dataset, to_dataset
from tagger.reading.content import LIMITS

PASSAGES = [name for name in exchange.NAMES if name not in ("spacy", "refi-qda")]  # spaCy: see test_exchange_tools.py
SPANS = ["refi-qda", "label-studio", "prodigy"]


@pytest.fixture(scope="module")
def themes(codebook):
    return codebook.themes


@pytest.fixture(scope="module")
def mexico(root, codebook):
    return exchange.read_corpus(root / "corpora/mexico-2014", codebook.names)


@pytest.fixture(scope="module")
def odd():
    """What goes wrong elsewhere: rare characters, quotes, formulas, line ends, two annotators who differ, and one alone."""
    text = "Mali 🇲🇱 report\n\nPolice said: “no, <b>never</b> & 'nowhere'.”\n=1+1; \"quoted\", it\u2028said.\nOver."
    whole = [
        ("Police said: “no, <b>never</b> & 'nowhere'.”", ("complicity", "forced_labor"), ("complicity",), ("forced_labor",)),
        ('=1+1; "quoted", it\u2028said.', (), (), ()),
    ]
    items = []
    for number, (passage, labels, first, second) in enumerate(whole, 1):
        start = text.index(passage)
        place = {"section": "Protection", "page": 2, "paragraph": number, "start": start, "end": start + len(passage)}
        settled = "line one\nline two: \\n as it is" if first != second else None
        items.append(Item(passage, labels, f"é {number}", "Mali: 2014/a", **place, first=first, second=second, settled=settled))
    items.append(Item("'-not a formula", ("shelter_gaps",), "x3", "other", first=("shelter_gaps",)))
    items.append(
        Item(
            "  _x0041_ space at both ends ",
            (),
            "x4",
            "other",
            source="tier",
            asked="complicity; data_quality",
            first=(),
            second=(),
            settled="why",
        )
    )
    return Corpus(tuple(items), {"Mali: 2014/a": text})


def back(tmp_path, corpus, themes, format, *, spans=False):
    path = tmp_path / f"there{'' if format == 'datasets' else exchange.FORMATS[format].ending}"
    exchange.write(path, corpus, themes, format=format, spans=spans)
    return exchange.read(path, themes)


@pytest.mark.parametrize("format", PASSAGES)
@pytest.mark.parametrize("which", ["mexico", "odd"])
def test_exchange_round_trip_of_passages_loses_nothing(format, which, themes, tmp_path, request):
    corpus = request.getfixturevalue(which)
    found = back(tmp_path, corpus, themes, format)
    assert found.items == corpus.items
    assert found.notes == ()


@pytest.mark.parametrize("format", SPANS)
@pytest.mark.parametrize("which", ["mexico", "odd"])
def test_exchange_round_trip_of_documents_keeps_their_texts(format, which, themes, tmp_path, request):
    corpus = request.getfixturevalue(which)
    found = back(tmp_path, corpus, themes, format, spans=True)
    assert found.items == corpus.items
    assert found.texts == corpus.texts


@pytest.mark.parametrize("format", ["refi-qda", "label-studio", "parquet"])
def test_exchange_round_trip_of_the_composed_corpus(format, themes, root, codebook, tmp_path):
    corpus = exchange.read_corpus(root / "corpora/composed", codebook.names)
    corpus = replace(corpus, items=corpus.items[::5])
    assert back(tmp_path, corpus, themes, format).items == corpus.items


def test_exchange_corpus_written_is_the_one_read(root, codebook, mexico, tmp_path):
    folder = tmp_path / "mexico-2014"
    exchange.write_corpus(folder, mexico, about="a copy", labels=Labels(codebook.themes))
    for name in ("passages.jsonl", "annotations.jsonl", "report.txt"):
        assert (folder / name).read_bytes() == (root / "corpora/mexico-2014" / name).read_bytes()
    assert corpora_on_disk.check(folder, codebook.names) == []
    assert len(datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))["train"]) == 112


def test_exchange_corpus_of_several_documents_keeps_the_text_of_each(codebook, odd, tmp_path):
    folder = tmp_path / "odd"
    both = replace(odd, texts={**odd.texts, "other": "unused"})
    exchange.write_corpus(folder, both, about="a test", labels=Labels(codebook.themes))
    assert exchange.read_corpus(folder, codebook.names) == both
    assert sorted(path.name for path in (folder / "reports").iterdir()) == ["Mali%3A 2014%2Fa.txt", "other.txt"]
    messages = [problem.message for problem in corpora_on_disk.check(folder, codebook.names)]
    assert messages == ["fields 'start' and 'end' must say where in reports/other.txt the passage stands"] * 2


def test_exchange_write_corpus_leaves_an_older_folder_alone(odd, codebook, tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old/file").write_text("mine")
    with pytest.raises(OutputError, match="old: is there already: name a new folder"):
        exchange.write_corpus(tmp_path / "old", odd, about="", labels=Labels(codebook.themes))
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize("format", SPANS)
def test_exchange_tags_of_a_report_stand_at_its_exact_characters(format, default_tagger, report, themes, tmp_path):
    import tagger

    document = tagger.read(report)
    corpus = exchange.from_results([(document, default_tagger.tag(document))], default_tagger.name)
    assert corpus.model == "tagger default"
    path = tmp_path / f"tags{exchange.FORMATS[format].ending}"
    exchange.write(path, corpus, themes, format=format, spans=True)
    if format == "refi-qda":
        found = exchange.read(path, themes)
        assert [(item.text, item.labels) for item in found.items] == [(item.text, item.labels) for item in corpus.items]
        assert all(found.texts["report"][item.start : item.end] == item.text for item in found.items)
    elif format == "label-studio":
        task = json.loads(path.read_text())[0]
        assert task["annotations"] == []
        spans = task["predictions"][0]["result"]
        assert len(spans) == sum(len(item.labels) for item in corpus.items) > 50
        assert all(task["data"]["text"][s["value"]["start"] : s["value"]["end"]] == s["value"]["text"] for s in spans)
        with pytest.raises(InputError, match="no task has an annotation"):
            exchange.read(path, themes)
    else:
        task = json.loads(path.read_text())
        assert "answer" not in task
        assert task["text"] == document.text


def test_exchange_command_line_knows_the_formats_of_the_package():
    assert tuple(ToolFormat) == exchange.NAMES


def put(tmp_path, name, content):
    path = tmp_path / name
    if isinstance(content, str | bytes):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in content), encoding="utf-8")
    else:
        path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_exchange_label_studio_tells_annotators_apart(themes, tmp_path):
    """As an export of its server looks, with a cancelled annotation, other controls, and text that is counted as JavaScript does."""

    def annotated(user, *choices, **more):
        result = [{"value": {"choices": list(choices)}, "id": "a", "from_name": "c", "to_name": "t", "type": "choices", "origin": "manual"}]
        comment = {"value": {"text": ["hm"]}, "id": "b", "from_name": "note", "to_name": "t", "type": "textarea"}
        return {"id": 1, "completed_by": user, "result": [*result, comment], "was_cancelled": False, "ground_truth": False, **more}

    tasks = [
        {
            "id": 5,
            "data": {"sentence": "One."},
            "annotations": [annotated(7, "Official complicity"), annotated(3, "Forced labor", "complicity")],
        },
        {"id": 6, "data": {"sentence": "Two."}, "annotations": [annotated({"id": 3, "email": "a@b"}, was_cancelled=True), annotated(7)]},
        {"id": 7, "data": {"sentence": "Three."}, "annotations": [], "predictions": [{"result": []}]},
    ]
    found = exchange.read(put(tmp_path, "export.json", tasks), themes)
    one, two = found.items
    assert (one.id, one.text, one.labels) == ("export-0001", "One.", ("complicity",))
    assert (one.first, one.second) == (("complicity", "forced_labor"), ("complicity",))
    assert one.settled.startswith("not settled")
    assert (two.labels, two.first, two.second) == ((), (), None)
    assert found.notes[0].startswith("the annotators differ on 1 passage")
    assert found.notes[1] == "1 task without an annotation left out"


def test_exchange_label_studio_spans_over_sentences_and_in_them(themes, tmp_path):
    text = "🚢 Officials took bribes. Victims had no shelter at all. Nobody counted them."
    marked = [
        ("took bribes", "complicity"),
        ("Victims had no shelter at all. Nobody counted them.", "shelter_gaps"),
        (" Nobody", "data_quality"),
    ]
    result = []
    for words, label in marked:
        start = len(text[: text.index(words)].encode("utf-16-le")) // 2
        value = {"start": start, "end": start + len(words), "text": words, "labels": [label]}
        result.append({"id": words, "from_name": "l", "to_name": "t", "type": "labels", "value": value})
    task = {"data": {"text": text}, "annotations": [{"completed_by": 1, "result": result}]}
    found = exchange.read(put(tmp_path, "spans.json", [task]), themes)
    assert [(item.text, item.labels) for item in found.items] == [
        ("🚢 Officials took bribes.", ("complicity",)),
        ("Victims had no shelter at all.", ("shelter_gaps",)),
        ("Nobody counted them.", ("shelter_gaps", "data_quality")),
    ]
    assert found.texts == {"spans-0001": text}


def test_exchange_label_studio_task_without_spans_is_a_document_as_the_others_are(themes, tmp_path):
    value = {"start": 0, "end": 13, "text": "Officials do.", "labels": ["complicity"]}
    results = [[], [{"type": "labels", "value": value}], [{"type": "choices", "value": {"choices": ["complicity"]}}]]
    tasks = [
        {"data": {"text": "Officials do. Nobody counts."}, "annotations": [{"completed_by": 1, "result": result}]} for result in results
    ]
    found = exchange.read(put(tmp_path, "a.json", tasks), themes)
    assert [item.labels for item in found.items] == [(), (), ("complicity",), (), (), ()]
    assert found.notes == ("the choices of 1 task left out, as these are documents with spans",)


def test_exchange_label_studio_spans_beside_half_a_character(themes, tmp_path):
    value = {"start": 5, "end": 16, "text": "Officials d", "labels": ["complicity"]}
    result = [{"type": "labels", "value": value}]
    for text in ("\ud800 🚢 Officials do.", "🚢 \udc00 Officials do."):
        task = {"data": {"text": text}, "annotations": [{"completed_by": 1, "result": result}]}
        (item,) = exchange.read(put(tmp_path, "half.json", [task]), themes).items
        assert item.labels == ("complicity",)


@pytest.mark.parametrize("format", ["label-studio", "prodigy"])
def test_exchange_spans_of_a_text_with_line_ends_of_windows(format, themes, tmp_path):
    text = "Chad\r\n\r\nOfficials took bribes.\r\nNobody counted.\x07"
    start = text.index("Nobody")
    if format == "prodigy":
        row = {"text": text, "spans": [{"start": start, "end": start + 14, "label": "data_quality"}]}
    else:
        value = {"start": start, "end": start + 14, "text": "Nobody counted", "labels": ["data_quality"]}
        row = {"data": {"text": text}, "annotations": [{"result": [{"type": "labels", "value": value}]}]}
    found = exchange.read(put(tmp_path, "a.json", [row]), themes)
    assert [(item.text, item.labels) for item in found.items] == [
        ("Officials took bribes.", ()),
        ("Nobody counted.\ufffd", ("data_quality",)),
    ]
    assert list(found.texts.values()) == ["Chad\n\nOfficials took bribes.\nNobody counted.\ufffd"]


def test_exchange_doccano_export_with_its_own_fields(themes, tmp_path):
    rows = [
        {"id": 11, "text": "One.", "label": ["complicity"], "Comments": ["sure?"], "section": None, "page": 2.0, "first": float("nan")},
        {"id": 12, "text": "Two.", "label": [], "Comments": [], "section": "Protection", "page": float("nan"), "first": float("nan")},
    ]
    found = exchange.read(put(tmp_path, "all.jsonl", rows), themes)
    assert found.items == (
        Item("One.", ("complicity",), "11", "all", page=2),
        Item("Two.", (), "12", "all", section="Protection"),
    )


def test_exchange_prodigy_answers_of_every_recipe(themes, tmp_path):
    rows = [
        {
            "text": "One.",
            "_input_hash": 1,
            "_task_hash": 1,
            "options": [],
            "accept": ["complicity"],
            "answer": "accept",
            "_annotator_id": "db-ann",
        },
        {"text": "One.", "_input_hash": 1, "_task_hash": 1, "options": [], "accept": [], "answer": "accept", "_annotator_id": "db-bob"},
        {"text": "Two.", "_input_hash": 2, "_task_hash": 2, "options": [], "accept": [], "answer": "ignore", "_annotator_id": "db-ann"},
        {"text": "Three.", "_input_hash": 3, "_task_hash": 3, "label": "complicity", "answer": "accept"},
        {"text": "Three.", "_input_hash": 3, "_task_hash": 4, "label": "forced_labor", "answer": "reject"},
    ]
    one, three = exchange.read(put(tmp_path, "db.jsonl", rows), themes).items
    assert (one.labels, one.first, one.second) == ((), ("complicity",), ())
    assert (three.text, three.labels, three.first) == ("Three.", ("complicity",), ("complicity",))


def test_exchange_third_annotator_counts_and_is_said_to_be_left_out(themes, tmp_path):
    users = {"a": ["complicity"], "b": [], "c": ["complicity"]}
    record = {"fields": {"text": "One."}, "responses": {"q": [{"user_id": user, "value": value} for user, value in users.items()]}}
    found = exchange.read(put(tmp_path, "records.json", [record]), themes)
    assert found.items[0].labels == ("complicity",)
    assert (found.items[0].first, found.items[0].second) == (("complicity",), ())
    assert "those of c counted for the final ones only" in found.notes[1]


@pytest.mark.parametrize(
    ("content", "labels"),
    [
        ("text,labels\nOne.,Official complicity; forced_labor\nTwo.,\n", [("complicity", "forced_labor"), ()]),
        ("text;complicity;shelter_gaps\nOne.;1;0\nTwo.;yes;x\n", [("complicity",), ("complicity", "shelter_gaps")]),
        ("passage\tlabel\nOne.\tcomplicity#data_quality\n", [("complicity", "data_quality")]),
        ("text,Official Complicity,notes\nOne.,y,sure\nTwo.,n,\n", [("complicity",), ()]),
    ],
)
def test_exchange_csv_of_others(content, labels, themes, tmp_path):
    assert [item.labels for item in exchange.read(put(tmp_path, "t.csv", content), themes).items] == labels


def test_exchange_numbers_as_pandas_writes_them(themes, tmp_path):
    rows = "text,labels,page,paragraph\nOfficials do.,complicity,5.0,007\n"
    (item,) = exchange.read(put(tmp_path, "a.csv", rows), themes).items
    assert (item.page, item.paragraph) == (5, 7)
    with pytest.raises(InputError, match="field 'page' must be a whole number"):
        exchange.read(put(tmp_path, "a.csv", rows.replace("5.0", "9" * 5000)), themes)


def test_exchange_csv_holds_no_formula(odd, themes, tmp_path):
    exchange.write(tmp_path / "t.csv", odd, themes)
    rows = list(csv.reader(io.StringIO((tmp_path / "t.csv").read_text(encoding="utf-8-sig"), newline="")))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_exchange_datasets_in_memory_keep_class_labels_and_become_parquet(odd, themes, tmp_path):
    dataset = to_dataset(odd, themes)
    assert dataset.features["labels"].feature.names[0] == "complicity"
    assert from_dataset(dataset, Labels(themes)).items == odd.items
    dataset.to_parquet(tmp_path / "hub.parquet")  # class labels are numbers in there
    assert exchange.read(tmp_path / "hub.parquet", themes).items == odd.items
    split = datasets.DatasetDict({"train": dataset.rename_column("labels", "label").select_columns(["text", "label"])})
    split.save_to_disk(tmp_path / "split")
    assert [item.labels for item in exchange.read(tmp_path / "split", themes).items] == [item.labels for item in odd.items]


def test_exchange_datasets_open_no_file_that_a_row_names(themes, tmp_path):
    columns = {"text": ["Police took bribes."], "labels": [["complicity"]], "picture": [{"path": str(tmp_path / "secret"), "bytes": None}]}
    features = datasets.Features(
        {"text": datasets.Value("string"), "labels": datasets.List(datasets.Value("string")), "picture": datasets.Image()}
    )
    found = datasets.Dataset.from_dict(columns, features=features)
    assert from_dataset(found, Labels(themes)).items[0].labels == ("complicity",)


@pytest.mark.parametrize("name", ["../elsewhere.arrow", "/etc/hostname", ".."])
def test_exchange_datasets_read_no_file_elsewhere(name, odd, themes, tmp_path):
    exchange.write(tmp_path / "set", odd, themes, format="datasets")
    state = json.loads((tmp_path / "set/state.json").read_text(encoding="utf-8"))
    (tmp_path / "set" / state["_data_files"][0]["filename"]).rename(tmp_path / "elsewhere.arrow")
    state["_data_files"] = [{"filename": name}]
    (tmp_path / "set/state.json").write_text(json.dumps(state), encoding="utf-8")
    with pytest.raises(InputError, match="names a file elsewhere"):
        exchange.read(tmp_path / "set", themes)


def test_exchange_datasets_that_expand_are_refused(themes, tmp_path):
    table = pa.table({"text": ["a" * (160 << 20)], "labels": [["complicity"]]})
    datasets.Dataset.from_dict({"text": ["a"], "labels": [["complicity"]]}).save_to_disk(str(tmp_path / "set"))
    (data,) = (tmp_path / "set").glob("*.arrow")
    with pa.ipc.new_stream(data, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
        stream.write_table(table)
    assert data.stat().st_size < 1 << 20
    with pytest.raises(InputError, match="memory"):
        exchange.read(tmp_path / "set", themes, limits=replace(LIMITS, memory=100 << 20))


def test_exchange_unknown_labels_are_named_with_their_place_and_how_to_map_them(themes, tmp_path):
    path = put(tmp_path, "t.csv", "text,labels\nOne.,Forced Labour\nTwo.,Good quotes; forced labor\n")
    with pytest.raises(InputError) as failed:
        exchange.read(path, themes)
    assert str(failed.value).startswith(f"{path}: unknown label 'Forced Labour' (line 2), 'Good quotes' (line 3): map each to a theme")
    assert '--map "Forced Labour=complicity"' in str(failed.value)
    found = exchange.read(path, themes, labels={"forced labour": "forced_labor", "Good quotes": ""})
    assert [item.labels for item in found.items] == [("forced_labor",), ("forced_labor",)]
    with pytest.raises(InputError, match="'labor' is no theme; known are complicity"):
        exchange.read(path, themes, labels={"x": "labor"})


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", "[1", "is no JSON"),
        ("a.json", "[1]", "item 1: is no JSON object"),
        ("a.json", "[" * 100_000, "is no JSON"),
        ("a.json", "[]", "is empty"),
        ("a.json", [{"foo": 1}], "is JSON of no known tool, with the fields 'foo'"),
        ("a.json", [{"data": {"text": 3}, "annotations": [{"result": []}]}], "item 1, data: field 'text' is missing or is no text"),
        ("a.json", [{"data": {"text": "a"}, "annotations": 3}], "item 1: field 'annotations' must be a list"),
        (
            "a.json",
            [
                {
                    "data": {"text": "a"},
                    "annotations": [{"result": [{"type": "labels", "value": {"start": 0, "end": 9, "labels": ["complicity"]}}]}],
                }
            ],
            "item 1: a range goes from 0 to 9 in a text of 1 characters",
        ),
        (
            "a.json",
            [{"data": {"text": "a", "page": "two"}, "annotations": [{"result": []}]}],
            "item 1: field 'page' must be a whole number, not 'two'",
        ),
        ("a.json", [{"fields": {"text": "a"}}], "no record has an answer"),
        ("a.jsonl", '{"text": "a", "label": []}\n{"text": ', "line 2: is no JSON"),
        ("a.jsonl", [{"text": "a", "label": [[0, 1, "complicity"]]}], "line 1: field 'label' holds spans"),
        (
            "a.jsonl",
            [{"id": "a", "text": "a", "label": []}, {"id": "a", "text": "b", "label": []}],
            "the id 'a' is that of passage 1 already",
        ),
        ("a.jsonl", [{"text": "a", "spans": [{"start": -1, "end": 1, "label": "x"}]}], "line 1: field 'start' must be a position"),
        ("a.csv", "text\nOne.\n", "line 2: has no column 'labels' or 'label' or 'themes', and none for a theme"),
        ("a.csv", "label\nOne.\n", "line 2: has no column 'text' or 'passage'; it has 'label'"),
        ("a.csv", "text,complicity\nOne.,maybe\n", "line 2: column 'complicity' must hold yes or no, or nothing, not 'maybe'"),
        ("a.csv", "text,complicity\nOne.,\n", "has no label: nobody has decided about any row"),
        ("a.csv", "text,complicity,Official complicity\nOne.,1,0\n", "'complicity' and 'Official complicity' are both of complicity"),
        ("a.csv", "text,text,labels\nOne.,Two.,complicity\n", "has two columns 'text': give each a name of its own"),
        ("a.csv", "text,labels\nOne.,complicity,more\n", "line 2: has more fields than the first line has names"),
        ("a.csv", b"text,labels\n\xff\xfe,\n", "is not UTF-8 text"),
        ("a.csv", "", "is empty"),
        ("a.xlsx", b"PK\x03\x04", "is a damaged zip archive"),
        ("a.parquet", b"PAR1 nothing", "is damaged"),
        ("a.qdpx", b"nothing", "is a damaged zip archive"),
        ("a.txt", "text", "is of no known format; name one with --format"),
        ("missing.csv", None, "no such file"),
    ],
)
def test_exchange_bad_files_cost_one_line(name, content, message, themes, tmp_path):
    path = tmp_path / name if content is None else put(tmp_path, name, content)
    with pytest.raises(InputError) as failed:
        exchange.read(path, themes)
    assert str(failed.value).startswith(f"{path}: ")
    assert message in str(failed.value)
    assert "\n" not in str(failed.value)


def places(value, path=()):
    """Every place in nested JSON."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


@pytest.mark.parametrize(
    ("format", "spans"), [("label-studio", 0), ("label-studio", 1), ("argilla", 0), ("prodigy", 0), ("prodigy", 1), ("doccano", 0)]
)
def test_exchange_damaged_json_never_breaks_the_reader(format, spans, odd, codebook, tmp_path):
    random = Random(0)
    path = tmp_path / f"a{exchange.FORMATS[format].ending}"
    exchange.write(path, odd, codebook.themes, format=format, spans=bool(spans))
    text = path.read_text(encoding="utf-8")
    good = text if path.suffix == ".json" else json.dumps([json.loads(line) for line in text.split("\n") if line])
    wrong = [None, True, -1, 2.5, 2**80, "", "\ud800", "\0", [], {}, [[1]], {"a": 1}, [None], float("nan"), "complicity", ["complicity"]]
    for number in range(150):
        rows = json.loads(good)
        *above, last = random.choice([place for place in places(rows) if place])
        inner = rows
        for key in above:
            inner = inner[key]
        inner[last] = random.choice(wrong)
        put(tmp_path, path.name, rows)
        with contextlib.suppress(InputError):
            found = exchange.read(path, codebook.themes, format=format)
            folder = tmp_path / f"corpus-{number}"
            exchange.write_corpus(folder, found, about="", labels=Labels(codebook.themes))
            assert exchange.read_corpus(folder, codebook.names).items == found.items


def test_exchange_files_that_expand_without_end_are_refused(themes, tmp_path):
    import xlsxwriter

    book = xlsxwriter.Workbook(tmp_path / "wide.xlsx")
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["text", "labels"])
    for row in range(1, 2000):
        sheet.write_string(row, 0, "x" * 30_000)
    book.close()
    with pytest.raises(InputError, match=r"holds more than|expands to more than"):
        exchange.read(tmp_path / "wide.xlsx", themes)
    with (
        zipfile.ZipFile(tmp_path / "bomb.qdpx", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("project.qde", "w", force_zip64=True) as stream,
    ):
        for _ in range(257):
            stream.write(b" " * (1 << 20))
    with pytest.raises(InputError, match="expands to more than 256 MiB"):
        exchange.read(tmp_path / "bomb.qdpx", themes)


@pytest.mark.parametrize(
    ("change", "name", "message"),
    [
        ({"text": "a\rb"}, "t.csv", "passage 'x3': field 'text' holds a control character"),
        ({"section": "\0"}, "t.jsonl", "passage 'x3': field 'section' holds a control character"),
        ({"text": "x" * 40_000}, "t.xlsx", "passage 'x3' is longer than a cell of Excel can be"),
    ],
)
def test_exchange_what_a_format_can_not_hold_is_refused(change, name, message, odd, themes, tmp_path):
    corpus = replace(odd, items=(replace(odd.items[2], **change),))
    with pytest.raises(OutputError, match=message):
        exchange.write(tmp_path / name, corpus, themes, format="doccano" if name == "t.jsonl" else None)
    assert list(tmp_path.iterdir()) == []


def test_exchange_write_says_which_formats_there_are(odd, themes, tmp_path):
    with pytest.raises(OutputError, match=r"may be for label-studio or argilla: name one with --format"):
        exchange.write(tmp_path / "t.json", odd, themes)
    with pytest.raises(OutputError, match=r"no format ends so"):
        exchange.write(tmp_path / "t.doc", odd, themes)
    with pytest.raises(
        OutputError, match=r"csv holds passages, not documents with spans; these hold spans: refi-qda, label-studio, prodigy, spacy"
    ):
        exchange.write(tmp_path / "t.csv", odd, themes, spans=True)


def run(root, *words):
    return subprocess.run(
        [sys.executable, "-m", "tagger", "corpus", *map(str, words)], cwd=root, capture_output=True, text=True, check=False
    )


def test_exchange_commands_go_there_and_back(root, tmp_path):
    done = run(root, "export", "corpora/mexico-2014", "-o", tmp_path / "tasks.json", "--format", "label-studio", "--spans")
    assert done.returncode == 0, done.stderr
    assert '<Label value="complicity" background="#6b1d6b"/>' in done.stdout
    done = run(root, "import", tmp_path / "tasks.json", "-o", tmp_path / "mexico")
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("112 passages of 1 document; complicity 11, forced_labor 18, shelter_gaps 13, data_quality 17\n")
    lines = corpora_on_disk.passages(tmp_path / "mexico")
    assert {tuple(line.pop("asked")) for line in lines} == {("complicity", "forced_labor", "shelter_gaps", "data_quality")}
    assert lines == corpora_on_disk.passages(root / "corpora/mexico-2014")
    assert (tmp_path / "mexico/annotations.jsonl").read_bytes() == (root / "corpora/mexico-2014/annotations.jsonl").read_bytes()


def test_exchange_command_maps_labels_and_says_what_is_wrong(root, tmp_path):
    path = put(tmp_path, "t.csv", "text,labels\nOne.,Forced Labour\n")
    done = run(root, "import", path, "-o", tmp_path / "corpus")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {path}: unknown label 'Forced Labour' (line 2)")
    assert done.stderr.count("\n") == 1
    assert run(root, "import", path, "-o", tmp_path / "corpus", "--map", "Forced Labour").returncode == 2
    assert run(root, "import", path, "-o", tmp_path / "corpus", "--map", "Forced Labour=forced_labor").returncode == 0
    assert json.loads((tmp_path / "corpus/passages.jsonl").read_text())["labels"] == ["forced_labor"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["corpus", "t.csv"]


def test_exchange_command_never_writes_over_its_input(root, odd, codebook, tmp_path):
    exchange.write_corpus(tmp_path / "corpus", odd, about="", labels=Labels(codebook.themes))
    before = (tmp_path / "corpus/passages.jsonl").read_bytes()
    done = run(root, "export", tmp_path / "corpus", "-o", tmp_path / "corpus/passages.jsonl", "--format", "doccano")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "lies in the corpus" in done.stderr
    assert (tmp_path / "corpus/passages.jsonl").read_bytes() == before
    (tmp_path / "report.csv").write_text("text\nOne.\n", encoding="utf-8")
    done = run(root, "export", tmp_path / "report.csv", "-o", tmp_path / "report.csv")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "is an input too" in done.stderr


def test_exchange_python_and_formats_of_the_readme_are_right(root, tmp_path, monkeypatch, capsys):
    section = (root / "README.md").read_text(encoding="utf-8").split("## To and from other tools")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| (.*?) \|", section, re.MULTILINE)) - {"`--format`"} == {
        "`csv`, `xlsx`, `parquet`",
        *(f"`{name}`" for name in exchange.NAMES if name not in ("csv", "xlsx", "parquet")),
    }
    (tmp_path / "corpora").symlink_to(root / "corpora")
    monkeypatch.chdir(tmp_path)
    exec(re.search(r"```python\n(.*?)```", section, re.DOTALL)[1], {})
    assert capsys.readouterr().out == "True\n"


def imported(monkeypatch, capsys, file, out, *more):
    """What `tagger corpus import` says, and the lines of the corpus that it writes."""
    monkeypatch.setattr(sys, "argv", ["tagger", "corpus", "import", str(file), "-o", str(out), *more])
    with contextlib.suppress(SystemExit):
        main()
    said = capsys.readouterr().err
    return said, corpora_on_disk.passages(out) if out.is_dir() else []


def test_exchange_import_says_for_which_themes_passages_were_read(tmp_path, monkeypatch, capsys):
    table = put(tmp_path, "given.csv", "text;labels\nOne.;complicity\nTwo.;\n")
    said, lines = imported(monkeypatch, capsys, table, tmp_path / "a")
    assert [line["asked"] for line in lines] == [["complicity"]] * 2
    assert "no passage has forced_labor, shelter_gaps, data_quality, so 2 passages count as not read for that" in said
    _, lines = imported(monkeypatch, capsys, table, tmp_path / "b", "--map", "shelter_gaps=shelter_gaps")
    assert [line["asked"] for line in lines] == [["complicity", "shelter_gaps"]] * 2


def test_exchange_import_of_a_column_a_theme_was_read_for_these(tmp_path, monkeypatch, capsys):
    table = put(tmp_path, "given.csv", "text,complicity,data_quality\nOne.,1,0\nTwo.,0,0\n")
    _, lines = imported(monkeypatch, capsys, table, tmp_path / "a")
    assert [(line["labels"], line["asked"]) for line in lines] == [
        (["complicity"], ["complicity", "data_quality"]),
        ([], ["complicity", "data_quality"]),
    ]
    table = put(tmp_path, "said.csv", "text,complicity,data_quality,asked\nOne.,1,,complicity; data_quality\n")
    assert [line["asked"] for line in imported(monkeypatch, capsys, table, tmp_path / "b")[1]] == [["complicity"]]


def test_exchange_import_writes_a_corpus_that_loads(tmp_path, monkeypatch, capsys, codebook):
    """Whoever gave a label was asked for it; and what a foreign column `asked` holds is a theme, or nothing."""
    table = put(tmp_path, "given.csv", "text,labels,asked\nOne.,complicity,Forced labor\nTwo.,,complicity\n")
    imported(monkeypatch, capsys, table, tmp_path / "a")
    assert [line["asked"] for line in corpora_on_disk.passages(tmp_path / "a")] == [["complicity", "forced_labor"], ["complicity"]]
    assert len(corpora_on_disk.load(tmp_path / "a", codebook.names)) == 2
    listed = put(tmp_path, "listed.jsonl", '{"text": "One.", "labels": ["complicity"], "asked": ["complicity", "forced_labor"]}\n')
    imported(monkeypatch, capsys, listed, tmp_path / "d")
    assert [line["asked"] for line in corpora_on_disk.passages(tmp_path / "d")] == [["complicity", "forced_labor"]]
    foreign = put(tmp_path, "foreign.csv", "text,labels,asked\nOne.,complicity,by phone\n")
    said, lines = imported(monkeypatch, capsys, foreign, tmp_path / "b")
    assert "unknown label 'by phone' (field 'asked' of passage" in said
    assert not lines
    imported(monkeypatch, capsys, foreign, tmp_path / "c", "--map", "by phone=")
    assert [line["asked"] for line in corpora_on_disk.passages(tmp_path / "c")] == [["complicity"]]


@pytest.mark.parametrize("name", ["half.csv", "half.xlsx", "half.parquet"])
def test_exchange_import_leaves_out_what_nobody_has_decided(name, tmp_path, monkeypatch, capsys):
    rows = [
        ("a", "Yes.", "yes", "no"),
        ("b", "Empty.", None, None),
        ("c", "No.", "no", None),
    ]
    columns = ["id", "text", "complicity", "Forced labor"]
    if name.endswith("csv"):
        table = put(tmp_path, name, "\n".join(",".join(cell or "" for cell in row) for row in [columns, *rows]))
    elif name.endswith("xlsx"):
        import openpyxl

        book = openpyxl.Workbook()
        for row in [columns, *rows]:
            book.active.append(row)
        book.save(table := tmp_path / name)
    else:
        parquet.write_table(pa.table(dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True))), table := tmp_path / name)
    said, lines = imported(monkeypatch, capsys, table, tmp_path / "corpus")
    assert [(line["id"], line["labels"], line["asked"]) for line in lines] == [
        ("a", ["complicity"], ["complicity", "forced_labor"]),
        ("c", [], ["complicity"]),
    ]
    assert "1 row about which nobody has decided left out" in said
    assert "1 row about which nobody has decided left out" in (tmp_path / "corpus/README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["datasets", "parquet"])
def test_exchange_class_label_of_minus_one_is_no_label(kind, themes, tmp_path):
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["complicity", "data_quality"])})
    found = datasets.Dataset.from_dict({"text": ["One.", "Two."], "label": [0, -1]}, features=features)
    path = tmp_path / f"there.{kind}"
    if kind == "parquet":
        found.to_parquet(path)
    else:
        found.save_to_disk(path)
    corpus = exchange.read(path, themes)
    assert [(item.text, item.labels) for item in corpus.items] == [("One.", ("complicity",))]
    assert corpus.notes == ("1 row about which nobody has decided left out",)


def test_exchange_columns_of_others_can_be_named(tmp_path, monkeypatch, capsys):
    table = put(tmp_path, "t.csv", "key,sentence,complicity\nk1,Officials took bribes.,1\n")
    said, lines = imported(monkeypatch, capsys, table, tmp_path / "no")
    assert "has no column 'text' or 'passage'; it has 'key', 'sentence', 'complicity': name one with --text-column" in said
    named = ("--text-column", "sentence", "--id-column", "key")
    said, lines = imported(monkeypatch, capsys, table, tmp_path / "yes", *named)
    assert [(line["id"], line["text"], line["labels"]) for line in lines] == [("k1", "Officials took bribes.", ["complicity"])]
    lined = put(tmp_path, "t.jsonl", [{"key": "k1", "sentence": "Officials took bribes.", "label": ["complicity"]}])
    _, lines = imported(monkeypatch, capsys, lined, tmp_path / "lined", "--format", "doccano", *named)
    assert [(line["id"], line["text"]) for line in lines] == [("k1", "Officials took bribes.")]
    said, _ = imported(monkeypatch, capsys, lined, tmp_path / "tasks", "--format", "prodigy", *named)
    assert "is no table, so that it has no columns to name" in said
    monkeypatch.setattr(sys, "argv", ["tagger", "corpus", "export", str(table), "-o", str(tmp_path / "out.csv"), *named])
    with contextlib.suppress(SystemExit):
        main()
    assert "1 passage of 1 document; complicity 1" in capsys.readouterr().err


def test_exchange_datasets_columns_of_others_can_be_named(themes, tmp_path):
    from tagger.reading import Columns

    datasets.Dataset.from_dict({"key": ["k1"], "sentence": ["One."], "Official complicity": [1]}).save_to_disk(tmp_path / "set")
    (item,) = exchange.read(tmp_path / "set", themes, columns=Columns("sentence", "key")).items
    assert (item.id, item.text, item.labels, item.asked) == ("k1", "One.", ("complicity",), "complicity")


@pytest.fixture(scope="module")
def tags(default_tagger, report):
    import tagger

    document = tagger.read(report)
    return [(document, default_tagger.tag(document))]


@pytest.mark.parametrize("format", ["csv", "xlsx", "parquet", "doccano", "datasets"])
def test_exchange_tags_of_a_model_come_back_as_such(format, tags, themes, tmp_path, monkeypatch, capsys):
    corpus = exchange.from_results(tags, "default")
    found = back(tmp_path, corpus, themes, format)
    assert (found.model, [item.labels for item in found.items]) == (corpus.model, [item.labels for item in corpus.items])
    path = tmp_path / f"there{'' if format == 'datasets' else exchange.FORMATS[format].ending}"
    said, lines = imported(monkeypatch, capsys, path, tmp_path / "corpus")
    assert len(lines) == 112
    for told in (said, (tmp_path / "corpus/README.md").read_text(encoding="utf-8")):
        assert "112 passages of 112: the labels are those of the model tagger default, unless somebody has read and corrected" in told


def test_exchange_rows_that_a_person_has_read_are_no_model_s(tags, themes, tmp_path):
    exchange.write(tmp_path / "t.csv", exchange.from_results(tags, "default"), themes)
    text = (tmp_path / "t.csv").read_text(encoding="utf-8-sig")
    corrected = put(tmp_path, "corrected.csv", text.replace(",tagger default", ",", 12))
    found = exchange.read(corrected, themes)
    assert found.model is None
    assert found.notes[0].startswith("100 passages of 112: the labels are those of the model tagger default")
    foreign = put(tmp_path, "foreign.csv", "text,labels,by,review\nOne.,complicity,Anna,done\n")
    assert exchange.read(foreign, themes).notes == ()


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.xlsx", "t.parquet"])
def test_exchange_file_of_tags_is_known_as_a_model_s(name, tags, default_tagger, themes, tmp_path):
    from tagger.writing import write

    write(tmp_path / name, tags, default_tagger.about)
    found = exchange.read(tmp_path / name, themes)
    assert len(found.items) == 112
    assert found.notes[0].startswith("112 passages of 112: the labels are those of the model tagger, unless")


@pytest.mark.parametrize("spans", [False, True])
def test_exchange_prodigy_tasks_that_nobody_has_answered_are_left_out(spans, tags, themes, tmp_path):
    exchange.write(tmp_path / "p.jsonl", exchange.from_results(tags, "default"), themes, format="prodigy", spans=spans)
    tasks = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text(encoding="utf-8").splitlines()]
    with pytest.raises(InputError, match=f"holds no accepted answer: {len(tasks)} tasks? still to be answered"):
        exchange.read(tmp_path / "p.jsonl", themes)
    answered = {"text": "One.", "options": [], "accept": ["complicity"], "answer": "accept"}
    left = f"{len(tasks)} task{'s' * (len(tasks) > 1)} still to be answered left out"
    found = exchange.read(put(tmp_path, "both.jsonl", [*tasks, answered]), themes)
    assert ([item.labels for item in found.items], found.notes) == ([("complicity",)], (left,))


def test_exchange_prodigy_tasks_tell_what_they_asked_for(tmp_path, monkeypatch, capsys):
    options = [{"id": "complicity", "text": "Officials"}, {"id": 2, "text": "Data quality"}, {"id": 3, "text": "Weather"}]
    rows = [
        {"text": "Shelters were full.", "label": "complicity", "answer": "reject"},
        {"text": "Men were forced to work.", "label": "forced_labor", "answer": "accept"},
        {"text": "Both.", "label": "forced_labor", "answer": "accept"},
        {"text": "Both.", "label": "complicity", "answer": "reject"},
        {"text": "Nothing.", "options": options, "accept": [], "answer": "accept"},
        {"text": "Free.", "accept": [], "answer": "accept"},
        {"text": "Two.", "label": "complicity", "answer": "accept", "_annotator_id": "db-ann"},
        {"text": "Two.", "label": "forced_labor", "answer": "reject", "_annotator_id": "db-bob"},
    ]
    said, lines = imported(monkeypatch, capsys, put(tmp_path, "p.jsonl", rows), tmp_path / "corpus")
    assert [(line["labels"], line["asked"]) for line in lines] == [
        ([], ["complicity"]),
        (["forced_labor"], ["forced_labor"]),
        (["forced_labor"], ["complicity", "forced_labor"]),
        ([], ["complicity", "data_quality"]),
        ([], []),
        (["complicity"], ["complicity", "forced_labor"]),
    ]
    assert "no passage has complicity, forced_labor, shelter_gaps, data_quality, so 1 passage count as not read" in said
