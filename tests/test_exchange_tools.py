"""Corpora through the libraries of other people's tools, each of which is skipped where it is not installed."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace

import pytest

from tagger import exchange
from tagger.errors import InputError
from tagger.exchange.label_studio import interface
from tagger.reading.content import LIMITS


@pytest.fixture(scope="module")
def mexico(root, codebook):
    return exchange.read_corpus(root / "corpora/mexico-2014", codebook.names)


@pytest.fixture(scope="module")
def spacy():
    return pytest.importorskip("spacy", reason="spacy is not installed: make .venv/peers")


@pytest.mark.parametrize("spans", [False, True])
@pytest.mark.parametrize("which", ["mexico-2014", "composed"])
def test_exchange_spacy_round_trip_loses_nothing(which, spans, root, codebook, spacy, tmp_path):
    corpus = exchange.read_corpus(root / "corpora" / which, codebook.names)
    corpus = replace(corpus, items=corpus.items[:1500])
    exchange.write(tmp_path / "a.spacy", corpus, codebook.themes, spans=spans)
    found = exchange.read(tmp_path / "a.spacy", codebook.themes)
    assert found.items == corpus.items
    assert not spans or found.texts == corpus.texts
    docs = list(spacy.tokens.DocBin().from_disk(tmp_path / "a.spacy").get_docs(spacy.blank("en").vocab))
    if spans:
        marked = {(doc.text[s.start_char : s.end_char], s.label_) for doc in docs for s in doc.spans["sc"]}
        assert marked == {(item.text, theme) for item in corpus.items for theme in item.labels}
    else:
        assert [doc.text for doc in docs] == [item.text for item in corpus.items]
        assert set(docs[0].cats) == set(codebook.names)


def test_exchange_spacy_documents_of_others(codebook, spacy, tmp_path):
    nlp = spacy.blank("en")
    one, two, three = (nlp(text) for text in ("Officials took bribes.", "Nothing. Nobody had shelter.", "Unlabelled."))
    one.cats = {"complicity": 0.9, "Forced labor": 0.1}
    two.spans["sc"] = [two.char_span(9, 28, label="shelter_gaps")]
    spacy.tokens.DocBin(docs=[one, two, three]).to_disk(tmp_path / "a.spacy")
    found = exchange.read(tmp_path / "a.spacy", codebook.themes)
    assert [(item.text, item.labels) for item in found.items] == [
        ("Officials took bribes.", ("complicity",)),
        ("Nothing.", ()),
        ("Nobody had shelter.", ("shelter_gaps",)),
    ]
    assert found.notes == ("1 document without labels left out",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"nothing", "is no DocBin of spaCy, or is damaged"),
        (zlib.compress(b"\x81\xa5attrs"), "is no DocBin of spaCy, or is damaged"),
        (zlib.compress(b"\0" * (300 << 20)), "expands to more than 256 MiB"),
    ],
)
def test_exchange_spacy_bad_files_cost_one_line(content, message, codebook, spacy, tmp_path):
    (tmp_path / "a.spacy").write_bytes(content)
    with pytest.raises(InputError, match=message):
        exchange.read(tmp_path / "a.spacy", codebook.themes)


def test_exchange_spacy_bytes_that_become_many_objects_are_refused(codebook, spacy, tmp_path):
    (tmp_path / "a.spacy").write_bytes(zlib.compress(b"\x81\xa5attrs\xdd" + (12 << 20).to_bytes(4, "big") + b"\x80" * (12 << 20)))
    with pytest.raises(InputError, match="memory"):
        exchange.read(tmp_path / "a.spacy", codebook.themes, limits=replace(LIMITS, memory=300 << 20))


def test_exchange_argilla_reads_and_writes_what_we_do(mexico, codebook, tmp_path):
    io = pytest.importorskip("argilla.records._io", reason="argilla is not installed")
    exchange.write(tmp_path / "ours.json", mexico, codebook.themes, format="argilla")
    records = io.JsonIO._records_from_json(tmp_path / "ours.json")
    assert [record.fields["text"] for record in records] == [item.text for item in mexico.items]
    io.JsonIO.to_json(records, tmp_path / "theirs.json")
    assert exchange.read(tmp_path / "theirs.json", codebook.themes).items == mexico.items


@pytest.mark.parametrize("spans", [False, True])
def test_exchange_label_studio_accepts_our_tasks_under_our_interface(spans, mexico, default_tagger, report, codebook, tmp_path):
    sdk = pytest.importorskip("label_studio_sdk.label_interface", reason="label-studio-sdk is not installed")
    import tagger

    labelling = sdk.LabelInterface(interface(codebook.themes, spans=spans))
    labelling.validate()
    document = tagger.read(report)
    tags = exchange.from_results([(document, default_tagger.tag(document))])
    for corpus in (mexico, tags):
        exchange.write(tmp_path / "a.json", corpus, codebook.themes, format="label-studio", spans=spans)
        for task in json.loads((tmp_path / "a.json").read_text(encoding="utf-8")):
            assert labelling.validate_task({"data": task["data"]})
            assert all(labelling.validate_annotation(annotation) for annotation in task["annotations"])
            assert all(labelling.validate_prediction(prediction) for prediction in task["predictions"])


def test_exchange_label_studio_annotations_made_by_its_library_are_read(codebook, tmp_path):
    sdk = pytest.importorskip("label_studio_sdk.label_interface", reason="label-studio-sdk is not installed")
    from label_studio_sdk.label_interface.objects import AnnotationValue

    text = "Officials took bribes. Nobody counted victims."
    labels = sdk.LabelInterface(interface(codebook.themes, spans=True)).get_control("themes")
    region = labels.label(["complicity"], start=0, end=22)
    annotation = AnnotationValue(completed_by=1, result=[region]).model_dump()
    (tmp_path / "a.json").write_text(json.dumps([{"data": {"text": text}, "annotations": [annotation]}]), encoding="utf-8")
    found = exchange.read(tmp_path / "a.json", codebook.themes)
    assert [item.labels for item in found.items] == [("complicity",), ()]


def test_exchange_refi_project_opens_in_another_library(mexico, codebook, tmp_path):
    pyrefiqda = pytest.importorskip("pyrefiqda", reason="pyrefiqda is not installed")
    exchange.write(tmp_path / "a.qdpx", mexico, codebook.themes)
    project = pyrefiqda.RefiProject.load(tmp_path / "a.qdpx", extract_dir=tmp_path / "there")
    assert len(project.sources.text_source[0].plain_text_selection) == 112
    pyrefiqda.RefiProject.save(project, tmp_path / "b.qdpx", source_media_dir=tmp_path / "there/sources")
    found = exchange.read(tmp_path / "b.qdpx", codebook.themes)
    assert found.items == mexico.items
    assert found.texts == mexico.texts


@pytest.mark.parametrize("spans", [False, True])
def test_exchange_spacy_tags_of_a_model_come_back_as_such(spans, default_tagger, report, codebook, spacy, tmp_path):
    import tagger

    document = tagger.read(report)
    corpus = exchange.from_results([(document, default_tagger.tag(document))], "default")
    exchange.write(tmp_path / "a.spacy", corpus, codebook.themes, spans=spans)
    found = exchange.read(tmp_path / "a.spacy", codebook.themes)
    assert ([item.labels for item in found.items], found.model) == ([item.labels for item in corpus.items], "tagger default")
    assert found.notes[0].startswith("112 passages of 112: the labels are those of the model tagger default")


def test_exchange_spacy_categories_tell_what_was_asked(codebook, spacy, tmp_path):
    nlp = spacy.blank("en")
    docs = [nlp(text) for text in ("Shelters were full.", "Men were forced to work.")]
    docs[0].cats = {"complicity": 0.0, "WEATHER": 0.0}
    docs[1].cats = {"forced_labor": 1.0, "Data quality": 0.2}
    spacy.tokens.DocBin(docs=docs).to_disk(tmp_path / "a.spacy")
    found = exchange.read(tmp_path / "a.spacy", codebook.themes)
    assert [(item.labels, item.asked) for item in found.items] == [((), "complicity"), (("forced_labor",), "forced_labor; data_quality")]
