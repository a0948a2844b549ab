"""From reviewed passages to a corpus, and to a model that was compared before it takes over."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tagger
from tagger import corpus
from tagger.errors import ModelError, OutputError, ReviewError
from tagger.review.export import export, to_learn_from
from tagger.review.store import Store, digest
from tagger.serving.engine import Engine
from tagger.serving.review.learning import Learning, adopted, held_out_document
from tagger.serving.review.project import Project
from tagger.serving.review.retraining import _compared
from tagger.serving.review.showing import verdict
from tagger.tagging import Tagger

THEMES = ("complicity", "forced_labor", "shelter_gaps", "data_quality")


@pytest.fixture
def project(tmp_path, default_tagger, report):
    document = tagger.read(report)
    store = Store(tmp_path / "home" / "review.sqlite", THEMES)
    project = Project(store, Engine(default_tagger))
    project.add(document, default_tagger.tag(document))
    yield project
    store.close()


def decide(project, key, labels, who="Ana", queue="random"):
    project.store.decide(f"{who}-{key}-{labels}", key, who, labels, queue=queue)


def write(project, folder, **options):
    return export(project.store, folder, **options).passages


def test_export_is_a_corpus_that_passes_its_check(project, tmp_path):
    for key in range(1, 11):
        decide(project, key, ["complicity"] if key % 2 else [], queue="uncertain")
        decide(project, key, ["complicity"] if key % 2 or key == 2 else [], who="Ben", queue="uncertain")
    decide(project, 20, None)
    project.store.compare([2])
    project.store.settle(2, "Ben", ["complicity"], "It names an official.")
    folder = tmp_path / "home" / "corpora" / "reviewed"
    assert write(project, folder) == 10
    assert corpus.check(folder, THEMES) == []
    found = corpus.load(folder, THEMES)
    assert found["text"] == [entry.text for entry in project.store.entries()[:10]]
    assert found["start"] == [entry.line["start"] for entry in project.store.entries()[:10]]
    agreed, differences = corpus.agreement(folder, THEMES)
    assert (agreed[0].first, agreed[0].second, agreed[0].passages) == (5, 6, 10)
    assert [row["id"] for row in differences] == ["report-0002"]
    assert differences[0]["settled"].startswith("It names an official. (Ben, 2")
    assert differences[0]["by"][0]["annotator"] == "Ana"
    sheet = (folder / "README.md").read_text()
    assert "10 passages of 1 document" in sheet
    assert "By Ana and Ben" in sheet
    assert "20 of 20 decisions were made with the model's labels in view" in sheet


def test_retraining_compares_by_the_themes_that_both_models_know_and_passages_were_read_for(project, default_tagger):
    for key in project.pool().random[:20]:
        decide(project, key, project.task(key, None, "random").entry.line["labels"], queue="random")
    project.store._db.execute("UPDATE decisions SET asked = ?", (json.dumps(THEMES[1:]),))
    whole = default_tagger.model
    parts = {name: getattr(whole, name)[:3] for name in ("themes", "intercepts", "thresholds", "review")}
    old = Tagger(replace(whole, weights=np.ascontiguousarray(whole.weights[:, :3]), **parts))
    held_out = json.loads(json.dumps([held_out_document("report", project.store.entries(), project.verdicts())]))
    found = _compared(held_out, [], old, default_tagger)
    assert [row["theme"] for row in found["themes"]] == list(THEMES[1:3])
    assert found["passages"] == 20


def test_export_names_the_themes_for_which_a_passage_was_read(project, tmp_path):
    decide(project, 1, ["complicity"])
    project.store.close()
    project.store = Store(project.store.path, [*THEMES, "new"])
    decide(project, 1, ["complicity", "new"], who="Ben")
    decide(project, 2, [])
    write(project, tmp_path / "c")
    assert corpus.check(tmp_path / "c", project.store.themes) == []
    assert corpus.statistics(tmp_path / "c", project.store.themes)["asked"] == dict.fromkeys(project.store.themes, 2)
    assert {theme: corpus.statistics(tmp_path / "c", project.store.themes)["themes"][theme] for theme in ("new", "data_quality")} == {
        "new": 1,
        "data_quality": 0,
    }
    project.store.close()


def test_export_tells_the_agreement_on_all_that_two_decided(project, tmp_path):
    for key in range(1, 21):
        decide(project, key, ["complicity"] if key % 2 else [])
        decide(project, key, ["complicity"] if key % 2 or key <= 8 else [], who="Ben")
    project.store.compare([2, 4])
    project.store.settle(2, "Ben", ["complicity"], "It names an official.")
    assert write(project, tmp_path / "c") == 17
    sheet = (tmp_path / "c" / "README.md").read_text()
    assert (
        "on all 20 passages that both decided. They differed on 4: 1 settled in writing, 0 changed by one of them afterwards, and 3 not settled"
        in sheet
    )
    assert "| complicity | 0.594 | 10 | 14 | 10 |" in sheet


def test_export_is_known_to_have_taught_a_model_that_was_trained_on_it_elsewhere(project, default_tagger, tmp_path):
    for key in range(1, 6):
        decide(project, key, [])
    assert project.export(tmp_path / "c") == 5
    card = {"digest": "other", "corpora": [{"name": "c", "sha256": corpus.digest(tmp_path / "c")}]}
    decide(project, 6, [])
    assert project.export(tmp_path / "c") == 6  # what the model learned from is written over
    assert project.learned() == set()
    project.engine.swap(tagger.tagging.Tagger(replace(default_tagger.model, card=card), name="other"))
    assert project.learned() == {1}


def test_export_tells_what_each_annotator_decided_at_first(project, tmp_path):
    for key in (1, 2):
        decide(project, key, ["complicity"])
        decide(project, key, [], who="Ben")
    decide(project, 2, ["complicity"], who="Ben")
    decide(project, 3, [])
    decide(project, 3, ["data_quality"])
    write(project, tmp_path / "c")
    assert corpus.check(tmp_path / "c", THEMES) == []
    [differing] = corpus.agreement(tmp_path / "c", THEMES)[1]
    assert (differing["first"], differing["second"], differing["labels"]) == (["complicity"], [], ["complicity"])
    assert differing["settled"].startswith("changed by the annotator afterwards (Ben, 2")
    sheet = (tmp_path / "c" / "README.md").read_text()
    assert "They differed on 2: 0 settled in writing, 1 changed by one of them afterwards, and 1 not settled" in sheet


def test_export_keeps_passages_apart_between_which_others_are_missing(project, tmp_path):
    for key in (1, 2, 5, 6, 9):
        decide(project, key, [])
    write(project, tmp_path / "c")
    rows = corpus.load(tmp_path / "c", THEMES)
    runs = dict(zip(rows["id"], corpus.running(rows), strict=True))
    assert runs["report-0001"] == runs["report-0002"]
    assert runs["report-0005"] == runs["report-0006"] != runs["report-0001"]
    assert runs["report-0009"] is None


def test_export_leaves_alone_what_somebody_has_changed(project, tmp_path):
    decide(project, 1, ["complicity"])
    for name in ("passages.jsonl", "annotations.jsonl", "README.md"):
        write(project, tmp_path / name)
        path = tmp_path / name / name
        path.write_text(path.read_text().replace("complicity", "data_quality") + "\n")
        corrected = path.read_text()
        with pytest.raises(OutputError, match="or changed ones"):
            write(project, tmp_path / name)
        assert path.read_text() == corrected


def test_export_of_what_models_may_learn_from_leaves_nothing_of_held_out_documents(project, tmp_path):
    decide(project, 1, [])
    assert write(project, tmp_path / "c", held_out=False) == 1
    assert len(to_learn_from(project.store)) == 1
    project.store.hold_out(1, True)
    assert write(project, tmp_path / "c", held_out=False) == 0
    assert not (tmp_path / "c").exists()
    assert to_learn_from(project.store) == []
    assert write(project, tmp_path / "c") == 1


def test_export_replaces_its_own_folder_only(project, tmp_path):
    with pytest.raises(ReviewError, match="no passage was reviewed yet"):
        project.export(tmp_path / "c")
    decide(project, 1, [])
    write(project, tmp_path / "c")
    decide(project, 2, [])
    assert write(project, tmp_path / "c") == 2
    (tmp_path / "c" / "mine.txt").write_text("keep")
    with pytest.raises(OutputError, match="holds other files"):
        write(project, tmp_path / "c")
    assert (tmp_path / "c" / "mine.txt").read_text() == "keep"
    (tmp_path / "other").mkdir()
    for name, text in (("passages.jsonl", "{}"), ("README.md", "# Mine")):
        (tmp_path / "other" / name).write_text(text)
        with pytest.raises(OutputError, match="holds other files"):
            write(project, tmp_path / "other")
    assert (tmp_path / "other/README.md").read_text() == "# Mine"


def test_held_out_document_holds_its_random_part_only(project):
    order = project.pool().random
    for key in order[:5]:
        decide(project, key, [])
    for key in [*order[5:8], *order[20:30]]:
        decide(project, key, [], queue="uncertain")
    found = held_out_document("report", project.store.entries(), project.verdicts())
    assert len(found["passages"]) == 112
    assert sorted(found["keys"][place] for place in found["labels"]) == sorted(order[:5])


def wait(learning, until=("done", "failed"), seconds=120):
    seen = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        seen.append(learning.status())
        if seen[-1]["state"] in until:
            return seen
        time.sleep(0.05)
    raise AssertionError(seen[-1])


@pytest.fixture(scope="module")
def small_corpus(tmp_path_factory, corpora):
    """A part of the composed passages, so that training takes a second."""
    folder = tmp_path_factory.mktemp("corpora") / "small"
    folder.mkdir()
    lines = (corpora[1] / "passages.jsonl").read_text().splitlines(keepends=True)
    (folder / "passages.jsonl").write_text("".join(lines[::12]))
    return folder


@pytest.fixture
def learning(tmp_path, root, small_corpus):
    learning = Learning(tmp_path / "home", first=None, themes=root / "corpora/themes.toml", corpora=[small_corpus])
    yield learning
    learning.stop()


def add_parts(project, default_tagger, corpora):
    """Three documents of passages that people labelled, by document of the composed corpus; the second and the third are held out."""
    rows = corpus.passages(corpora[1])
    labels = {}
    for number, name in enumerate(list(dict.fromkeys(row["document"] for row in rows))[:3]):
        chosen = [row for row in rows if row["document"] == name][1:400:4]
        labels |= {row["text"]: row["labels"] for row in chosen}
        made = tagger.records.Document(name, "", passages=tuple(tagger.records.Passage(row["text"], row["id"], name) for row in chosen))
        document, _ = project.add(made, default_tagger.tag(made))
        project.store.hold_out(document, number > 0)
    for entry in project.store.entries():
        if entry.text in labels:
            decide(project, entry.key, labels[entry.text], queue="random")


def test_retraining_compares_on_held_out_documents_and_takes_over_when_told(project, learning, default_tagger, corpora, tmp_path):
    add_parts(project, default_tagger, corpora)
    name = learning.start(project, ["small"])
    with pytest.raises(ReviewError, match="being trained already"):
        learning.start(project, ["small"])
    seen = wait(learning)
    last = seen[-1]
    assert last["state"] == "done", last
    assert any(status["message"] == "Training" and 0 < status["done"] <= status["steps"] for status in seen)
    found = last["result"]
    assert found["documents"] == 2
    assert 150 < found["passages"] + found["left_out"] <= 200
    assert {row["theme"] for row in found["themes"]} == set(THEMES)
    assert found["macro"]["difference"]["low"] <= found["macro"]["difference"]["value"] <= found["macro"]["difference"]["high"]
    assert found["macro"]["difference"]["value"] == pytest.approx(found["macro"]["new"] - found["macro"]["old"])
    assert {flip["key"] for flip in found["flips"]} <= {entry.key for entry in project.store.entries()}
    assert project.engine.tagger is default_tagger
    assert adopted(tmp_path / "home") is None
    for _ in range(50):  # the texts that the run was given go when its process has ended
        if not (held := list(tmp_path.glob("home/runs/*/[hr]e*"))):
            break
        time.sleep(0.05)
    assert held == []

    card = tagger.load(tmp_path / "home" / "models" / name).model.card  # known also where a server is started with it
    assert project.store.learned(card["corpora"][1]["sha256"]) == {2}
    learning.adopt(project, name)
    assert project.engine.tagger.name == name
    assert [part["name"] for part in project.engine.tagger.model.card["corpora"]] == ["small", "reviewed"]
    assert adopted(tmp_path / "home").name == name
    assert learning.status()["in_use"]
    assert project.store.learned(digest(project.engine.tagger)) == {2}
    assert {document.model for document in project.store.documents()} == {digest(default_tagger)}
    project.pool()
    assert {document.model for document in project.store.documents()} == {digest(project.engine.tagger)}
    learning.adopt(project, None)
    assert project.engine.tagger.name == "default"
    assert adopted(tmp_path / "home") is None


def test_retraining_says_what_stopped_it(project, learning, small_corpus, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(small_corpus, broken)
    with (broken / "passages.jsonl").open("a") as stream:
        stream.write('{"id": "x"}\n')
    learning.corpora = (small_corpus, broken)
    learning.start(project, ["broken"])
    last = wait(learning)[-1]
    assert last["state"] == "failed"
    assert "passages.jsonl:" in last["message"]
    assert learning.models() == []
    with pytest.raises(ReviewError, match="no corpus 'none'"):
        learning.start(project, ["none"])
    with pytest.raises(ReviewError, match="nothing to train on"):
        learning.start(project, [])
    with pytest.raises(ReviewError, match="no trained model"):
        learning.adopt(project, "../other")


def test_retraining_ends_when_told_and_with_its_parent(project, learning):
    learning.start(project, ["small"])
    learning.stop()
    assert learning.status()["state"] == "failed"
    assert learning.status()["message"] == "It was stopped before it was done"
    decide(project, 1, [])
    learning.start(project, ["small"])
    process = learning._process
    process.stdin.close()  # as when the server is killed
    assert process.wait(60) != 0
    assert "interrupted" in learning.status()["message"]


def test_retraining_executes_nothing_of_the_working_directory(project, learning, tmp_path, monkeypatch):
    (tmp_path / "numpy.py").write_text(f"open({str(tmp_path / 'executed')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    learning.start(project, ["small"])
    assert wait(learning)[-1]["state"] == "done"
    assert not (tmp_path / "executed").exists()


def test_retraining_goes_on_when_another_server_begins_on_its_folder(project, learning, root, small_corpus):
    decide(project, 1, [])
    name = learning.start(project, ["small"])
    other = Learning(learning.home, first=None, themes=root / "corpora/themes.toml", corpora=[small_corpus])
    assert (learning.home / "runs" / name / "held_out.json").is_file()
    assert (learning.home / "runs" / name / "reviewed").is_dir()
    assert other.status()["state"] == "running"
    with pytest.raises(ReviewError, match="being trained already"):
        other.start(project, ["small"])
    assert wait(learning)[-1]["state"] == "done"


def test_adopting_a_model_of_which_nobody_knows_what_it_learned_from_is_refused(project, learning, default_tagger, root):
    shutil.copytree(root / "models/default", learning.home / "models" / "other")
    with pytest.raises(ReviewError, match=r"job\.json: can't be read"):
        learning.adopt(project, "other")
    (learning.home / "runs" / "other").mkdir(parents=True)
    (learning.home / "runs" / "other" / "status.json").write_text('{"state": "done"}')
    assert learning.status() is None
    assert project.engine.tagger is default_tagger
    assert adopted(learning.home) is None


def test_retraining_leaves_no_text_of_a_killed_server(tmp_path, root):
    folder = tmp_path / "runs" / "2026-01-01-000000"
    (folder / "reviewed").mkdir(parents=True)
    (folder / "held_out.json").write_text("[]")
    Learning(tmp_path, first=None, themes=root / "corpora/themes.toml", corpora=[])
    assert list(folder.iterdir()) == []


def test_adopted_model_that_is_gone_is_told(tmp_path):
    (tmp_path / "model.txt").write_text("2026-01-01-000000\n")
    with pytest.raises(ModelError, match="delete this file"):
        adopted(tmp_path)
    (tmp_path / "model.txt").write_text("../../etc\n")
    with pytest.raises(ModelError, match="delete this file"):
        adopted(tmp_path)


def test_status_of_a_run_reads_as_json_whenever_it_is_read(project, learning):
    learning.start(project, ["small"])
    path = next(Path(learning.home).glob("runs/*/status.json"))
    for _ in range(300):
        assert json.loads(path.read_text())["state"] in ("running", "done")


@pytest.mark.parametrize(
    ("result", "start"),
    [
        ({"passages": 0}, "Nothing tells whether"),
        ({"passages": 1, "documents": 1, "macro": {"difference": None}}, "Measured on 1 passage of 1 document only"),
        (
            {"documents": 2, "macro": {"difference": None}, "flips": [{"mended": False}] * 16 + [{"mended": True}]},
            "Too few of 90 passages of 2 documents carry a theme to tell a difference in F1: the new model mends 1 label and breaks 16.",
        ),
        ({"flips": []}, "Both models give these 90 passages the same labels."),
        ({"macro": {"difference": {"value": 0.01, "low": -0.01, "high": 0.03}}}, "No difference can be told: macro F1 +0.010"),
        ({}, "The new model is better: macro F1 +0.020, 95 % interval +0.010 to +0.030."),
        (
            {"documents": 3},
            "The new model seems better: macro F1 +0.020, 95 % interval +0.010 to +0.030. But 3 held-out documents are too few",
        ),
        ({"macro": {"difference": {"value": -0.02, "low": -0.03, "high": -0.01}}}, "The new model is worse"),
    ],
)
def test_verdict_says_what_a_comparison_proves(result, start):
    better = {"difference": {"value": 0.02, "low": 0.01, "high": 0.03}}
    assert verdict({"passages": 90, "documents": 5, "flips": [{}], "macro": better, **result}).startswith(start)
